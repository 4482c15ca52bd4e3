/*
 * apps/http_hello/http.h - one HTTP/1.1 request after another, out of bytes.
 *
 * Bytes go in as they come, cut anywhere; the verdict does not depend on the
 * cuts. It reads and sends nothing itself, so it runs on the host too. llhttp
 * knows the grammar; what it lets pass and RFC 9112 forbids is refused here:
 * a server that guesses can be made to disagree with the proxy before it.
 *
 * Source: RFC 9112 (messages), RFC 9110 (semantics).
 */
#ifndef APPS_HTTP_HELLO_HTTP_H
#define APPS_HTTP_HELLO_HTTP_H

#include <llhttp/llhttp.h>

#include "apps/http_hello/http_lines.h"
#include "apps/http_hello/http_memo.h"
#include "kernel/base.h"

enum {
    HTTP_BODY_BYTES_MAX = 1 << 20 /* as sent, chunk framing and trailers
                                     counted; more: 413 */
};

/* What a client asked for. */
struct http_request {
    const char *target;  /* as sent, not terminated; in the parser, or in the
                            bytes that were given to it last */
    uint16_t target_len; /* bytes in target */
    uint16_t status;     /* HTTP_PARSE_BAD: the answer, such as 400 */
    uint8_t method;      /* enum llhttp_method; counts if method_known */
    bool method_known;
    bool is_1_0;      /* HTTP/1.0: keeping alive must be announced */
    bool keep_alive;  /* another request may follow the answer */
    bool body_unread; /* the client waits for "100 Continue" before it sends
                         the body: answer without it, and close */
};

/* Reads the requests of one connection; lies on the stack of who serves. */
struct http_parser {
    struct http_request request; /* valid unless HTTP_PARSE_MORE */
    struct http_lines lines;
    uint32_t body_bytes;    /* as sent, so far */
    char body_last;         /* the last of them */
    bool method_refused;    /* by llhttp: 501, as soon as it is read */
    uint16_t target_read;   /* bytes of the target that llhttp has read */
    struct http_memo *memo; /* null: this request is read in any case; from
                               here on nothing needs clearing */
    llhttp_t llhttp;
    char head[HTTP_HEAD_BYTES_MAX + 1]; /* one that came in pieces; the last
                                           byte shows that it is too long */
};

enum http_progress {
    HTTP_PARSE_MORE, /* all bytes are used; the request is not complete */
    HTTP_PARSE_DONE, /* a request: answer it, then http_parser_init() */
    HTTP_PARSE_BAD   /* answer with request.status, and close */
};

/*
 * Begin with a request: the first of a connection, or the next.
 *
 * memo: of fields that came before, on whatever connection; the caller's, and
 *       longer there than the parser is used; asked for this request or not,
 *       as http_memo_is_asked() says. Null: every head is read.
 */
void http_parser_init(struct http_parser *parser, struct http_memo *memo);

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
    return parser->lines.head_read;
}

/*
 * The path of a request, without "http://host" before it. A query may stand
 * behind it, but not behind the "/" that "http://host?query" means.
 *
 * path:    set to its first byte; not terminated; lives as long as `request`.
 * Returns: its length; 0 when the target has no path ("*", "host:80").
 */
size_t http_request_path(const struct http_request *request, const char **path);

#endif
