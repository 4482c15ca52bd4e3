/*
 * apps/http_hello/http_lines.h - the head of a request, seen as lines.
 *
 * Finds where a head ends, bounds it, and refuses what llhttp 8.1 forgives
 * even in its strict build: a bare LF, folded fields, empty names, a second
 * blank line before the request. It does not look at names and values; what
 * it lets pass goes to llhttp.
 *
 * Source: RFC 9112 2.2, 3, 5.2.
 */
#ifndef APPS_HTTP_HELLO_HTTP_LINES_H
#define APPS_HTTP_HELLO_HTTP_LINES_H

#include "kernel/base.h"

enum {
    HTTP_METHOD_BYTES_MAX = 32, /* longer: 501, RFC 9112 3 */
    HTTP_LINE_BYTES_MAX = 4096, /* request line; longer: 414 */
    HTTP_HEAD_BYTES_MAX = 8192, /* with all fields; longer: 431 */
    HTTP_FIELDS_MAX = 64        /* fields in the head; more: 431 */
};

/* All zero: nothing read yet. */
struct http_lines {
    uint64_t tail;       /* last eight bytes of the request line, so far */
    uint32_t head_bytes; /* so far */
    uint32_t line_bytes; /* of the line that is being read */
    uint32_t request_line_bytes; /* CR LF included */
    uint16_t count;              /* complete lines that are not blank */
    uint16_t refusal;            /* the status that the next byte deserves */
    uint8_t method_bytes;
    char last; /* the byte before the next one */
    bool method_read;
    bool blank_line; /* one was there before the request line */
    bool is_http;    /* the request line ends like "HTTP/1.1" */
    bool head_read;
};

/*
 * Look at the bytes of a head.
 *
 * data, len: what came; cut anywhere. Not called once lines->head_read is set.
 * Returns:   how many bytes are fine: up to the end of the head (head_read is
 *            set), or of the data, or up to the byte that is refused (refusal
 *            is set).
 */
size_t http_lines_scan(struct http_lines *lines, const char *data, size_t len);

enum http_byte {
    HTTP_BYTE_TOKEN = 1 << 0, /* RFC 9110 5.6.2: names, methods */
    HTTP_BYTE_HOST = 1 << 1,  /* RFC 3986 3.2.2, without the comma: a list of
                                 hosts is not one host */
    HTTP_BYTE_IPV6 = 1 << 2   /* between the brackets */
};

/* For each byte, of which sets it is: of enum http_byte. */
extern const uint8_t http_byte_sets[256];

/* Bytes of `text` up to the first that is not in one of `sets`. */
static inline size_t http_span(const char *text, size_t len, unsigned sets)
{
    size_t n = 0;

    while (n < len && http_byte_sets[(uint8_t)text[n]] & sets)
        n++;
    return n;
}

#endif
