/*
 * apps/http_hello/http_lines.h - the head of a request, seen as lines.
 *
 * Finds where a head ends, bounds it, and refuses what llhttp 8.1 forgives
 * even in its strict build: a bare LF, folded fields, empty names, a second
 * blank line before the request, a request line with more or less than two
 * spaces. The few fields that decide how a request is answered go to
 * http_fields.c, line by line. All else of names and values is llhttp's.
 *
 * Source: RFC 9112 2.2, 3, 5.2.
 */
#ifndef APPS_HTTP_HELLO_HTTP_LINES_H
#define APPS_HTTP_HELLO_HTTP_LINES_H

#include "apps/http_hello/http_fields.h"
#include "kernel/base.h"

enum {
    HTTP_METHOD_BYTES_MAX = 32, /* longer: 501, RFC 9112 3 */
    HTTP_LINE_BYTES_MAX = 4096, /* request line; longer: 414 */
    HTTP_VERSION_BYTES = 11,    /* of it, behind the target: " HTTP/1.1\r\n" */
    HTTP_HEAD_BYTES_MAX = 8192, /* with all fields; longer: 431 */
    HTTP_FIELDS_MAX = 64        /* fields in the head; more: 431 */
};

_Static_assert(HTTP_FIELDS_MAX <= UINT8_MAX, "http_fields counts in a byte");

/* All zero: nothing read yet. */
struct http_lines {
    uint32_t bytes;        /* of the head, up to here */
    uint32_t line_at;      /* where in it the line begins that is being read */
    uint16_t count;        /* complete lines that are not blank */
    uint16_t refusal;      /* the status that the next byte deserves */
    uint16_t target_at;    /* where in the head the request target is, */
    uint16_t target_bytes; /* once the request line is complete */
    bool method_read;
    bool head_read;
    struct http_fields fields;
};

/*
 * Look at the bytes of a head.
 *
 * head, len: all that came, from its first byte on; more than last time. Of
 *            what is too long one byte too many is enough. Not called once
 *            lines->head_read is set.
 * Returns:   how many bytes are fine: up to the end of the head (head_read is
 *            set), or all, or up to the byte that is refused (refusal is set).
 */
size_t http_lines_scan(struct http_lines *lines, const char *head, size_t len);

#endif
