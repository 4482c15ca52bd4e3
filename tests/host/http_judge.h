/*
 * tests/host/http_judge.h - what becomes of a request, however it is cut.
 *
 * For tests only: every call asserts what it expects, with cmocka. The machine
 * of which pages.c tells is here too, with the largest figures there are.
 */
#ifndef TESTS_HOST_HTTP_JUDGE_H
#define TESTS_HOST_HTTP_JUDGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "apps/http_hello/http.h"
#include "apps/http_hello/pages.h"

/* A verdict: the status of the answer, 0 while the request is incomplete, and
 * whether the connection may serve another request. */
struct http_verdict {
    uint16_t status;
    bool keep_alive;
    size_t used;
};

/* The parser of the last request judged. */
extern struct http_parser http_judged;

/* Parse `text` whole, byte by byte, and cut in two at every place, each without
 * a memo and with one that knows what was judged before: the verdict must not
 * depend on it. */
struct http_verdict http_judge(const char *text, size_t len);

/* Parse it once: its first `cut` bytes in a call of their own, the rest in
 * pieces of `step`. */
struct http_verdict http_parse_cut(const char *text, size_t len, size_t cut,
                                   size_t step, struct http_memo *memo);

#define JUDGE(literal) http_judge("" literal, sizeof(literal) - 1)
#define GIVES(status_wanted, literal)                                          \
    assert_int_equal(JUDGE(literal).status, (status_wanted))

/* Pieces of requests. A POST that is well formed gets 405. */
#define HOST          "Host: a\r\n"
#define GET           "GET / HTTP/1.1\r\n"
#define POST          "POST / HTTP/1.1\r\n" HOST
#define TE            "Transfer-Encoding: "
#define CL            "Content-Length: "
#define CHUNKED(body) POST TE "chunked\r\n\r\n" body

#endif
