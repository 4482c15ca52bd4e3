/*
 * apps/http_hello/http.h - one HTTP/1.1 request after another, out of bytes.
 *
 * Bytes go in as they come, cut anywhere; the verdict does not depend on the
 * cuts. It reads and sends nothing itself, so it runs on the host too. It is
 * strict: a server that guesses can be made to disagree with the proxy before
 * it.
 *
 * Source: RFC 9112 (messages), RFC 9110 (semantics).
 */
#ifndef APPS_HTTP_HELLO_HTTP_H
#define APPS_HTTP_HELLO_HTTP_H

#include "apps/http_hello/http_fields.h"
#include "kernel/base.h"

enum {
    HTTP_METHOD_BYTES_MAX = 32,   /* longer: 501, RFC 9112 3 */
    HTTP_LINE_BYTES_MAX = 4096,   /* request line; longer: 414 */
    HTTP_HEAD_BYTES_MAX = 8192,   /* with all fields; longer: 431 */
    HTTP_FIELDS_MAX = 64,         /* fields in the head; more: 431 */
    HTTP_TARGET_BYTES_MAX = 512,  /* what is kept of the request target */
    HTTP_BODY_BYTES_MAX = 1 << 20 /* as sent, chunk framing and trailers
                                     counted; more: 413 */
};

/* RFC 9110 9.3, RFC 5789. */
enum http_method {
    HTTP_UNKNOWN,
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_DELETE,
    HTTP_CONNECT,
    HTTP_OPTIONS,
    HTTP_TRACE,
    HTTP_PATCH
};

/* What a client asked for. */
struct http_request {
    uint16_t status;     /* HTTP_PARSE_BAD: the answer, such as 400 */
    uint16_t target_len; /* bytes kept in target */
    uint8_t method;      /* enum http_method; HTTP_UNKNOWN while not read */
    bool is_1_0;         /* HTTP/1.0: keeping alive must be announced */
    bool keep_alive;     /* another request may follow the answer */
    bool body_unread;    /* the client waits for "100 Continue" before it sends
                            the body: answer without it, and close */
    char target[HTTP_TARGET_BYTES_MAX]; /* as sent, cut, not terminated */
};

/* Reads the requests of one connection; lies on the stack of who serves. */
struct http_parser {
    struct http_request request; /* valid unless HTTP_PARSE_MORE */
    /* What follows is private. */
    struct http_fields fields;
    struct http_text token; /* a method, a version, a field's name */
    struct http_text value; /* of a field that matters */
    uint64_t left;          /* of a body or a chunk; or the chunk's size */
    uint32_t bytes;         /* of the head; then of the body */
    uint32_t target_bytes;  /* also those past what is kept */
    uint16_t field_count;
    uint8_t step;  /* enum http_step: what the next byte belongs to */
    uint8_t field; /* enum http_field, whose `value` it is */
    bool in_body;
    char token_store[HTTP_METHOD_BYTES_MAX];
    char value_store[HTTP_HOST_BYTES_MAX];
};

enum http_progress {
    HTTP_PARSE_MORE, /* all bytes are used; the request is not complete */
    HTTP_PARSE_DONE, /* a request: answer it, then http_parser_init() */
    HTTP_PARSE_BAD   /* answer with request.status, and close */
};

/* Begin with a request: the first of a connection, or the next. */
void http_parser_init(struct http_parser *parser);

/*
 * Read on.
 *
 * data, len:  what came; any bytes, cut anywhere.
 * used_bytes: set to how many of them belong to this request.
 * Blocks:     never.
 * Returns:    every http_progress; after DONE and BAD, init comes next.
 */
MUST_CHECK enum http_progress http_parse(struct http_parser *parser,
                                         const char *data, size_t len,
                                         size_t *used_bytes);

/* Whether its head is complete, and only its body is missing. */
static inline bool http_parser_in_body(const struct http_parser *parser)
{
    return parser->in_body;
}

/*
 * The path of a request: without a query, and without "http://host" before it.
 *
 * path:    set to its first byte; not terminated; lives as long as `request`.
 * Returns: its length; 0 when the target has no path ("*", "host:80").
 */
size_t http_request_path(const struct http_request *request, const char **path);

#endif
