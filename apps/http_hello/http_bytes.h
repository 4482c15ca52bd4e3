/*
 * apps/http_hello/http_bytes.h - which bytes HTTP allows where, and texts of
 * them that come in pieces.
 *
 * Source: RFC 9110 5.5, 5.6.2; RFC 3986 3.2.2.
 */
#ifndef APPS_HTTP_HELLO_HTTP_BYTES_H
#define APPS_HTTP_HELLO_HTTP_BYTES_H

#include "kernel/base.h"

enum http_byte {
    HTTP_BYTE_TOKEN = 1 << 0,   /* RFC 9110 5.6.2: names, methods */
    HTTP_BYTE_HOST = 1 << 1,    /* RFC 3986 3.2.2, without the comma: a list of
                                 hosts is not one host */
    HTTP_BYTE_IPV6 = 1 << 2,    /* between the brackets */
    HTTP_BYTE_VISIBLE = 1 << 3, /* a printable byte of ASCII, not the space */
    HTTP_BYTE_VALUE = 1 << 4,   /* RFC 9110 5.5: visible, obs-text, SP, HTAB */
    HTTP_BYTE_DIGIT = 1 << 5
};

/* For each byte, of which sets it is: of enum http_byte. */
extern const uint8_t http_byte_sets[256];

static inline bool http_byte_is(char c, unsigned sets)
{
    return http_byte_sets[(uint8_t)c] & sets;
}

/* Bytes of `text` up to the first that is not in one of `sets`. */
static inline size_t http_span(const char *text, size_t len, unsigned sets)
{
    size_t n = 0;

    while (n < len && http_byte_is(text[n], sets))
        n++;
    return n;
}

/* The same for HTTP_BYTE_VISIBLE and HTTP_BYTE_VALUE, eight at a time. */
size_t http_span_visible(const char *text, size_t len);
size_t http_span_value(const char *text, size_t len);

/* `len` without the spaces and tabs at the end of `text`. */
size_t http_len_trimmed(const char *text, size_t len);

/* Whether `text` is `word`, which is in lower case, in any case. For texts of
 * tokens and values: they hold no control byte that would become a letter. */
bool http_text_is(const char *text, size_t len, const char *word);

/*
 * The next element of a comma-separated list, trimmed; perhaps empty.
 *
 * at:      where it begins; moved behind its comma, past `len` after the last.
 * element: set to its first byte.
 * Returns: its length.
 */
size_t http_list_next(const char *list, size_t len, size_t *at,
                      const char **element);

/* A text that may come in pieces. The first is looked at where it lies. */
struct http_text {
    const char *at; /* its bytes: where they came, or in a store */
    uint32_t bytes; /* of all its pieces; a store may hold fewer */
};

/* Add a further piece, to what `store` holds. */
void http_text_append(struct http_text *text, char *store, size_t size,
                      const char *at, size_t len);

/* Add a piece: `store` takes what does not come in one. */
static inline void http_text_add(struct http_text *text, char *store,
                                 size_t size, const char *at, size_t len)
{
    if (text->bytes > 0) {
        http_text_append(text, store, size, at, len);
        return;
    }
    text->at = at;
    text->bytes = (uint32_t)len;
}

/* The bytes that came are used up: keep what `store` has room for. */
void http_text_keep(struct http_text *text, char *store, size_t size);

#endif
