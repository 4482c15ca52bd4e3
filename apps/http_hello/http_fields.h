/*
 * apps/http_hello/http_fields.h - the fields of a request that matter here.
 *
 * Host, Connection, Expect, and those that say how long the body is. All
 * others are read and ignored.
 *
 * Source: RFC 9110 5, 7.2, 8.6, 10.1.1; RFC 9112 3.2, 6, 9.3.
 */
#ifndef APPS_HTTP_HELLO_HTTP_FIELDS_H
#define APPS_HTTP_HELLO_HTTP_FIELDS_H

#include "apps/http_hello/http_bytes.h"

enum {
    HTTP_HOST_BYTES_MAX = 255 /* of any value that matters; longer: 400, or
                                 what is safe */
};

enum http_field {
    HTTP_FIELD_OTHER,
    HTTP_FIELD_HOST,
    HTTP_FIELD_EXPECT,
    HTTP_FIELD_CONNECTION,
    HTTP_FIELD_CONTENT_LENGTH,
    HTTP_FIELD_TRANSFER_ENCODING
};

/* What the fields have said so far; all zero: nothing. */
struct http_fields {
    uint64_t content_length;
    uint16_t refusal; /* the worst status that one deserves, or 0 */
    bool host;        /* there was one; a second is refused */
    bool length;      /* Content-Length */
    bool coding;      /* Transfer-Encoding: chunked, unless refused */
    bool close;
    bool keep_alive;
    bool expects_continue;
};

/* Which field a name is. `name` holds the first bytes of a longer one, 17 at
 * least. */
enum http_field http_field_kind(const char *name, size_t len);

/*
 * Take what a field says.
 *
 * value, len: without white space before it; white space may follow.
 * whole:      false: it is longer than HTTP_HOST_BYTES_MAX, and not all there.
 */
void http_field_take(struct http_fields *fields, enum http_field kind,
                     const char *value, size_t len, bool whole);

/* Whether it is a host as in Host: uri-host [ ":" port ], the host not empty.
 * RFC 9110 7.2, 4.2.1. */
bool http_host_is_good(const char *host, size_t len);

#endif
