/*
 * apps/http_hello/http_fields.c - the fields of a request that matter here.
 *
 * A server that guesses can be made to disagree with the proxy before it, so
 * whatever is said twice, or in two ways, or almost right, is refused.
 *
 * Source: RFC 9110 5.6.1, 7.2, 8.6, 10.1.1; RFC 9112 3.2, 6.1 to 6.3, 9.3.
 */
#include "apps/http_hello/http_fields.h"

#include <string.h>

/* Four bytes, a letter among them in lower case. */
static uint32_t lower_word(const char *text)
{
    uint32_t word;

    memcpy(&word, text, sizeof(word));
    return word | 0x20202020;
}

enum http_field http_field_kind(const char *name, size_t len)
{
    enum http_field kind;
    const char *word;

    switch (len) {
    case 4: /* every request has it */
        return lower_word(name) == lower_word("host") ? HTTP_FIELD_HOST
                                                      : HTTP_FIELD_OTHER;
    case 6:
        kind = HTTP_FIELD_EXPECT;
        word = "expect";
        break;
    case 10:
        kind = HTTP_FIELD_CONNECTION;
        word = "connection";
        break;
    case 14:
        kind = HTTP_FIELD_CONTENT_LENGTH;
        word = "content-length";
        break;
    case 17:
        kind = HTTP_FIELD_TRANSFER_ENCODING;
        word = "transfer-encoding";
        break;
    default:
        return HTTP_FIELD_OTHER;
    }
    return http_text_is(name, len, word) ? kind : HTTP_FIELD_OTHER;
}

bool http_host_is_good(const char *host, size_t len)
{
    size_t n;

    if (len > 0 && host[0] == '[') { /* an IPv6 address */
        n = 1 + http_span(host + 1, len - 1, HTTP_BYTE_IPV6);
        if (n == 1 || n == len || host[n++] != ']')
            return false;
    } else {
        n = http_span(host, len, HTTP_BYTE_HOST);
        if (n == 0)
            return false;
    }
    if (n == len)
        return true;
    if (host[n++] != ':')
        return false;
    return n + http_span(host + n, len - n, HTTP_BYTE_DIGIT) == len;
}

/* 400 is the last word: it closes the connection, whatever else is wrong. */
static void refuse(struct http_fields *fields, uint16_t status)
{
    if (fields->refusal != 400)
        fields->refusal = status;
}

/* RFC 9112 6.3: the one coding that we know ends the body, or nothing does. */
static uint16_t codings_refusal(const char *value, size_t len)
{
    uint16_t status = 0;
    const char *coding;
    bool ended = false;
    size_t at = 0;

    while (at <= len) {
        size_t bytes = http_list_next(value, len, &at, &coding);

        if (ended || bytes == 0)
            return 400;
        ended = http_text_is(coding, bytes, "chunked");
        if (!ended || at <= len)
            status = 501;
    }
    return status;
}

static void take_codings(struct http_fields *fields, const char *value,
                         size_t len, bool whole)
{
    uint16_t status = whole ? codings_refusal(value, len) : 501;

    if (fields->coding || fields->length)
        status = 400;
    fields->coding = true;
    if (status)
        refuse(fields, status);
}

/* RFC 9110 8.6, without the list that it lets a recipient mend. */
static void take_length(struct http_fields *fields, const char *value,
                        size_t len, bool whole)
{
    bool good = whole && len > 0 && !fields->length && !fields->coding;
    uint64_t length = 0;

    for (size_t i = 0; i < len && good; i++)
        good = http_byte_is(value[i], HTTP_BYTE_DIGIT) &&
               !__builtin_mul_overflow(length, 10, &length) &&
               !__builtin_add_overflow(length, value[i] - '0', &length);
    fields->length = true;
    fields->content_length = length;
    if (!good)
        refuse(fields, 400);
}

/* RFC 9110 7.6.1. A list too long to be looked at may say anything. */
static void take_connection(struct http_fields *fields, const char *value,
                            size_t len, bool whole)
{
    const char *option;
    size_t at = 0;

    if (!whole)
        fields->close = true;
    while (whole && at <= len) {
        size_t bytes = http_list_next(value, len, &at, &option);

        if (http_text_is(option, bytes, "close"))
            fields->close = true;
        else if (http_text_is(option, bytes, "keep-alive"))
            fields->keep_alive = true;
    }
}

void http_field_take(struct http_fields *fields, enum http_field kind,
                     const char *value, size_t len, bool whole)
{
    len = whole ? http_len_trimmed(value, len) : 0;
    switch (kind) {
    case HTTP_FIELD_OTHER:
        break;
    case HTTP_FIELD_HOST:
        if (fields->host || !whole || !http_host_is_good(value, len))
            refuse(fields, 400);
        fields->host = true;
        break;
    case HTTP_FIELD_EXPECT:
        if (whole && http_text_is(value, len, "100-continue"))
            fields->expects_continue = true;
        else
            refuse(fields, 417);
        break;
    case HTTP_FIELD_CONNECTION:
        take_connection(fields, value, len, whole);
        break;
    case HTTP_FIELD_CONTENT_LENGTH:
        take_length(fields, value, len, whole);
        break;
    case HTTP_FIELD_TRANSFER_ENCODING:
        take_codings(fields, value, len, whole);
        break;
    }
}
