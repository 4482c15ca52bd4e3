/*
 * apps/http_hello/http_steps.h - what the files that read a request share.
 *
 * A request is a sequence of steps; each takes the longest stretch of bytes
 * that belongs to it, so it does not matter where the bytes are cut.
 *
 * Reading order: http.c (one step after another), http_head.c, http_body.c.
 */
#ifndef APPS_HTTP_HELLO_HTTP_STEPS_H
#define APPS_HTTP_HELLO_HTTP_STEPS_H

#include "apps/http_hello/http.h"

enum http_step {
    /* the request line */
    HTTP_STEP_BEGIN, /* a blank line may come before */
    HTTP_STEP_BLANK_LF,
    HTTP_STEP_METHOD,
    HTTP_STEP_TARGET,
    HTTP_STEP_VERSION,
    HTTP_STEP_LINE_LF,
    /* the fields, or the trailers of a body */
    HTTP_STEP_FIELD,
    HTTP_STEP_NAME,
    HTTP_STEP_SPACE,
    HTTP_STEP_VALUE,
    HTTP_STEP_VALUE_LF,
    HTTP_STEP_LAST_LF,
    /* the body */
    HTTP_STEP_BODY,
    HTTP_STEP_CHUNK_SIZE,
    HTTP_STEP_CHUNK_MORE_SIZE,
    HTTP_STEP_CHUNK_NAME,
    HTTP_STEP_CHUNK_IN_NAME,
    HTTP_STEP_CHUNK_VALUE,
    HTTP_STEP_CHUNK_IN_VALUE,
    HTTP_STEP_CHUNK_QUOTED,
    HTTP_STEP_CHUNK_PAIR,
    HTTP_STEP_CHUNK_EXTENDED,
    HTTP_STEP_CHUNK_SIZE_LF,
    HTTP_STEP_CHUNK_DATA,
    HTTP_STEP_CHUNK_DATA_CR,
    HTTP_STEP_CHUNK_DATA_LF,
    /* no more bytes */
    HTTP_STEP_DONE,
    HTTP_STEP_REFUSED
};

/*
 * Take a step, and perhaps those that follow.
 *
 * data, len: at least one byte.
 * Returns:   how many bytes belong to it; when the next one is refused,
 *            HTTP_STEP_REFUSED has been set.
 */
typedef size_t http_step_fn(struct http_parser *parser, const char *data,
                            size_t len);

/* By enum http_step: those before HTTP_STEP_BODY, and the others from there. */
extern http_step_fn *const http_head_steps[HTTP_STEP_BODY];
extern http_step_fn *const http_body_steps[HTTP_STEP_DONE - HTTP_STEP_BODY];

/* The next byte, or all that came, is refused. Returns: `used`. */
static inline size_t http_refuse(struct http_parser *parser, size_t used,
                                 uint16_t status)
{
    parser->request.status = status;
    parser->step = HTTP_STEP_REFUSED;
    return used;
}

/* One byte that must be `wanted`, if it has come, and then `next`. */
static inline size_t http_expect(struct http_parser *parser, const char *data,
                                 size_t len, char wanted, enum http_step next)
{
    if (len == 0)
        return 0;
    if (data[0] != wanted)
        return http_refuse(parser, 0, 400);
    parser->step = (uint8_t)next;
    return 1;
}

#endif
