/*
 * apps/http_hello/http_fields.h - what the fields say that matter here.
 *
 * Host, Expect and Transfer-Encoding, and whether there are credentials;
 * Connection and Content-Length are llhttp's. What a field deserves is noted
 * when its line is complete, and counts when the whole head is well formed.
 *
 * Source: RFC 9110 5.6.2, 7.2, 10.1.1, 11.6.2, 11.7.2; RFC 9112 3.2, 6.1; RFC
 * 6265 5.4.
 */
#ifndef APPS_HTTP_HELLO_HTTP_FIELDS_H
#define APPS_HTTP_HELLO_HTTP_FIELDS_H

#include "kernel/base.h"

enum { HTTP_HOST_BYTES_MAX = 255 }; /* longer: 400 */

/* All zero: none of them has come. HTTP_FIELDS_MAX bounds the counts. */
struct http_fields {
    uint16_t refusal; /* the worst that a value deserves; 0: nothing */
    uint8_t hosts;    /* how many Host fields there were */
    uint8_t codings;  /* and Transfer-Encoding */
    bool expects_continue;
    bool credentials; /* Authorization, Proxy-Authorization or Cookie */
};

/*
 * Take the line of a field, if it is one of them.
 *
 * lf: its last byte, with a CR before it.
 */
void http_fields_take(struct http_fields *fields, const char *line,
                      const char *lf);

/*
 * Whether a text is uri-host [ ":" port ], the host not empty.
 *
 * end: behind its last byte, at one that can be in no host: white space, CR,
 *      "/" or "?".
 */
bool http_host_is_good(const char *host, const char *end);

enum http_byte {
    HTTP_BYTE_TOKEN = 1 << 0, /* RFC 9110 5.6.2: names, methods */
    HTTP_BYTE_HOST = 1 << 1,  /* RFC 3986 3.2.2, without the comma: a list of
                                 hosts is not one host */
    HTTP_BYTE_IPV6 = 1 << 2,  /* between the brackets */
    HTTP_BYTE_DIGIT = 1 << 3
};

/* For each byte, of which sets it is: of enum http_byte. */
extern const uint8_t http_byte_sets[256];

static inline bool http_byte_is(char byte, unsigned sets)
{
    return http_byte_sets[(uint8_t)byte] & sets;
}

#endif
