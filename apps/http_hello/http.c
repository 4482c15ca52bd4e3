/*
 * apps/http_hello/http.c - HTTP/1.1 requests, read once and strictly.
 *
 * One step after another (http_steps.h) takes the bytes as they come. Whatever
 * is bounded is bounded in the bytes that were sent: the head, and the body
 * with its framing and trailers; the request line is in http_head.c.
 *
 * Source: RFC 9112 2.2, 3, 5.4, 6.3.
 */
#include "apps/http_hello/http.h"

#include <string.h>

#include "apps/http_hello/http_steps.h"

/* Take the steps of the head. Returns: how many bytes they took. */
static size_t read_head(struct http_parser *parser, const char *data,
                        size_t len)
{
    size_t room = HTTP_HEAD_BYTES_MAX - parser->bytes;
    size_t end = len < room ? len : room;
    size_t used = 0;

    while (used < end && parser->step < HTTP_STEP_BODY)
        used += http_head_steps[parser->step](parser, data + used, end - used);
    if (parser->step < HTTP_STEP_BODY) {
        parser->bytes += (uint32_t)used;
        if (used < len)
            return http_refuse(parser, used, 431);
    }
    return used;
}

/* In a body: its own steps, and those of its trailers. */
static http_step_fn *step_of(const struct http_parser *parser)
{
    return parser->step < HTTP_STEP_BODY
               ? http_head_steps[parser->step]
               : http_body_steps[parser->step - HTTP_STEP_BODY];
}

/* The body, the framing of its chunks and its trailers, under one bound. */
static size_t read_body(struct http_parser *parser, const char *data,
                        size_t len)
{
    size_t room = HTTP_BODY_BYTES_MAX - parser->bytes;
    size_t end = len < room ? len : room;
    size_t used = 0;

    while (used < end && parser->step < HTTP_STEP_DONE)
        used += step_of(parser)(parser, data + used, end - used);
    parser->bytes += (uint32_t)used;
    if (used < len && parser->step < HTTP_STEP_DONE)
        return http_refuse(parser, used, 413);
    return used;
}

void http_parser_init(struct http_parser *parser)
{
    /* The arrays are most of it, and need no clearing. */
    memset(&parser->request, 0, offsetof(struct http_request, target));
    memset(&parser->fields, 0,
           offsetof(struct http_parser, token_store) -
               offsetof(struct http_parser, fields));
}

/* The bytes given are used up, and their owner may free them. */
static void keep_texts(struct http_parser *parser)
{
    http_text_keep(&parser->token, parser->token_store,
                   sizeof(parser->token_store));
    http_text_keep(&parser->value, parser->value_store,
                   sizeof(parser->value_store));
}

enum http_progress http_parse(struct http_parser *parser, const char *data,
                              size_t len, size_t *used_bytes)
{
    size_t used = 0;

    if (!parser->in_body)
        used = read_head(parser, data, len);
    if (parser->in_body && parser->step < HTTP_STEP_DONE)
        used += read_body(parser, data + used, len - used);
    *used_bytes = used;
    if (parser->step == HTTP_STEP_DONE)
        return HTTP_PARSE_DONE;
    if (parser->step < HTTP_STEP_DONE) {
        keep_texts(parser);
        return HTTP_PARSE_MORE;
    }
    parser->request.keep_alive = false;
    return HTTP_PARSE_BAD;
}
