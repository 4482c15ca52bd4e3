/*
 * tests/unit/http_flow.h - a flow for http_serve.c, in place of the stack's.
 *
 * A script of what reads give, and a record of what is written, in how many
 * writes, with which deadlines, and whether the flow was parked. For tests
 * only: every call asserts what it expects, with cmocka.
 */
#ifndef TESTS_UNIT_HTTP_FLOW_H
#define TESTS_UNIT_HTTP_FLOW_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "apps/http_hello/http_serve.h"
#include "tests/host/hostnet.h"

enum { STEPS_MAX = 8, OUTPUT_BYTES_MAX = 1 << 20, READ_US = 1000 };

struct flow {
    struct {
        enum flow_status status;
        const char *text;
        size_t len;
    } step[STEPS_MAX];
    size_t steps, steps_done;

    char output[OUTPUT_BYTES_MAX];
    size_t output_bytes;
    size_t writes;
    bool measured;          /* the last write's second view is malloc()ed: */
    size_t body_held_bytes; /* what that holds */
    enum flow_status write_status;
    uint64_t read_deadline_us;
    uint64_t write_deadline_us;
    flow_park_fn *parked;
    uint64_t park_deadline_us;
    bool aborted;
};

extern struct flow http_flow;
extern struct hostnet http_flow_host; /* where answers are allocated */
extern size_t http_flow_renderings;   /* of "/" */

/* For each test: a flow that http_serve() has just parked. */
int http_flow_setup(void **state);

/* And in the end: everything has been given back. */
int http_flow_teardown(void **state);

/* What the next read gives. */
void http_flow_reads(enum flow_status status, const char *text, size_t len);

/* The parked flow has something to read. */
void http_flow_wakes(void);

/* Both, for a text. */
void http_flow_gets(const char *text);

/* Whether a text was written, and how often. */
bool http_flow_has(const char *text);
size_t http_flow_count(const char *text);

#define HOST      "Host: a\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" HOST

#endif
