/*
 * apps/http_hello/response.h - answers, and how their heads are written.
 */
#ifndef APPS_HTTP_HELLO_RESPONSE_H
#define APPS_HTTP_HELLO_RESPONSE_H

#include "kernel/base.h"

/* Write a body into `out`; returns its length, at most `size`. */
typedef size_t response_render(char *out, size_t size);

/* What one kind of request is answered with; constant. */
struct response {
    uint16_t status;
    uint16_t head_bytes;
    uint32_t text_bytes;
    const char *head; /* the status line and fields of this answer's own */
    const char *text; /* the body; null: it is rendered */
    response_render *render;
    size_t render_bytes_max;
    uint64_t render_fresh_us; /* how long one rendering may be served */
};

/* What the Connection field says. RFC 9112 9.3. */
enum response_connection {
    RESPONSE_KEEP,      /* nothing: HTTP/1.1 keeps alive anyway */
    RESPONSE_KEEP_SAID, /* keep-alive, to HTTP/1.0 */
    RESPONSE_CLOSE
};

enum { RESPONSE_HEAD_BYTES_MAX = 384 };

/* The Date field, as a whole line; empty when nobody knows the time. */
struct response_date {
    uint8_t bytes;
    char text[40]; /* terminated */
};

/*
 * Write the head of an answer.
 *
 * out:        RESPONSE_HEAD_BYTES_MAX bytes of room.
 * body_bytes: of the body, whether it is sent (GET) or not (HEAD).
 * date:       from response_date_set().
 * Returns:    bytes written.
 */
size_t response_emit_head(char *out, const struct response *response,
                          size_t body_bytes,
                          enum response_connection connection,
                          const struct response_date *date);

/*
 * Render the Date field.
 *
 * wall_us: since 1970; 0: unknown.
 * Source:  RFC 9110 6.6.1.
 */
void response_date_set(struct response_date *date, uint64_t wall_us);

#endif
