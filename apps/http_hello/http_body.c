/*
 * apps/http_hello/http_body.c - a request's body: read past, and bounded.
 *
 * Nobody here wants it, but where it ends is where the next request begins.
 *
 * Source: RFC 9112 6, 7.1; RFC 9110 5.6.4.
 */
#include "apps/http_hello/http_steps.h"

/* Of a chunk's size, and of one of its digits. */
enum { SIZE_BITS = 64, DIGIT_BITS = 4 };

#define AT(step) [HTTP_STEP_##step - HTTP_STEP_BODY]

static size_t skip(struct http_parser *parser, size_t len, enum http_step next)
{
    size_t n = len < parser->left ? len : (size_t)parser->left;

    parser->left -= n;
    if (parser->left == 0)
        parser->step = (uint8_t)next;
    return n;
}

static size_t body(struct http_parser *parser, const char *data, size_t len)
{
    (void)data;
    return skip(parser, len, HTTP_STEP_DONE);
}

static int hex_digit(char c)
{
    if (http_byte_is(c, HTTP_BYTE_DIGIT))
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Behind a chunk's size, or an extension: the next extension, or the line's
 * end. */
static size_t chunk_extended(struct http_parser *parser, const char *data,
                             size_t len)
{
    char c = len > 0 ? data[0] : '\0';

    return c == ';'
               ? http_expect(parser, data, len, ';', HTTP_STEP_CHUNK_NAME)
               : http_expect(parser, data, len, '\r', HTTP_STEP_CHUNK_SIZE_LF);
}

/* RFC 9112 7.1: at least one digit; the value is bounded at the line's end. */
static size_t chunk_size(struct http_parser *parser, const char *data,
                         size_t len)
{
    int digit = hex_digit(data[0]);

    if (digit >= 0) {
        if (parser->left >> (SIZE_BITS - DIGIT_BITS))
            return http_refuse(parser, 0, 400);
        parser->left = parser->left << DIGIT_BITS | (unsigned)digit;
        parser->step = HTTP_STEP_CHUNK_MORE_SIZE;
        return 1;
    }
    if (parser->step == HTTP_STEP_CHUNK_SIZE)
        return http_refuse(parser, 0, 400);
    return chunk_extended(parser, data, len);
}

/* RFC 9112 7.1.1: extensions are ignored, if they are well formed. */
static size_t chunk_name(struct http_parser *parser, const char *data,
                         size_t len)
{
    (void)len;
    if (!http_byte_is(data[0], HTTP_BYTE_TOKEN))
        return http_refuse(parser, 0, 400);
    parser->step = HTTP_STEP_CHUNK_IN_NAME;
    return 1;
}

static size_t chunk_in_name(struct http_parser *parser, const char *data,
                            size_t len)
{
    size_t n = http_span(data, len, HTTP_BYTE_TOKEN);

    if (n == len || data[n] != '=')
        return n + chunk_extended(parser, data + n, len - n);
    parser->step = HTTP_STEP_CHUNK_VALUE;
    return n + 1;
}

static size_t chunk_value(struct http_parser *parser, const char *data,
                          size_t len)
{
    if (data[0] == '"')
        return http_expect(parser, data, len, '"', HTTP_STEP_CHUNK_QUOTED);
    if (!http_byte_is(data[0], HTTP_BYTE_TOKEN))
        return http_refuse(parser, 0, 400);
    parser->step = HTTP_STEP_CHUNK_IN_VALUE;
    return 1;
}

static size_t chunk_in_value(struct http_parser *parser, const char *data,
                             size_t len)
{
    size_t n = http_span(data, len, HTTP_BYTE_TOKEN);

    return n + chunk_extended(parser, data + n, len - n);
}

static size_t chunk_quoted(struct http_parser *parser, const char *data,
                           size_t len)
{
    if (data[0] == '"')
        return http_expect(parser, data, len, '"', HTTP_STEP_CHUNK_EXTENDED);
    if (data[0] == '\\')
        return http_expect(parser, data, len, '\\', HTTP_STEP_CHUNK_PAIR);
    return http_byte_is(data[0], HTTP_BYTE_VALUE) ? 1
                                                  : http_refuse(parser, 0, 400);
}

static size_t chunk_pair(struct http_parser *parser, const char *data,
                         size_t len)
{
    (void)len;
    if (!http_byte_is(data[0], HTTP_BYTE_VALUE))
        return http_refuse(parser, 0, 400);
    parser->step = HTTP_STEP_CHUNK_QUOTED;
    return 1;
}

static size_t chunk_size_lf(struct http_parser *parser, const char *data,
                            size_t len)
{
    if (parser->left > HTTP_BODY_BYTES_MAX && data[0] == '\n')
        return http_refuse(parser, 0, 413);
    return http_expect(parser, data, len, '\n',
                       parser->left > 0 ? HTTP_STEP_CHUNK_DATA
                                        : HTTP_STEP_FIELD);
}

static size_t chunk_data(struct http_parser *parser, const char *data,
                         size_t len)
{
    (void)data;
    return skip(parser, len, HTTP_STEP_CHUNK_DATA_CR);
}

static size_t chunk_data_cr(struct http_parser *parser, const char *data,
                            size_t len)
{
    return http_expect(parser, data, len, '\r', HTTP_STEP_CHUNK_DATA_LF);
}

static size_t chunk_data_lf(struct http_parser *parser, const char *data,
                            size_t len)
{
    return http_expect(parser, data, len, '\n', HTTP_STEP_CHUNK_SIZE);
}

http_step_fn *const http_body_steps[] = {
    AT(BODY) = body,
    AT(CHUNK_SIZE) = chunk_size,
    AT(CHUNK_MORE_SIZE) = chunk_size,
    AT(CHUNK_NAME) = chunk_name,
    AT(CHUNK_IN_NAME) = chunk_in_name,
    AT(CHUNK_VALUE) = chunk_value,
    AT(CHUNK_IN_VALUE) = chunk_in_value,
    AT(CHUNK_QUOTED) = chunk_quoted,
    AT(CHUNK_PAIR) = chunk_pair,
    AT(CHUNK_EXTENDED) = chunk_extended,
    AT(CHUNK_SIZE_LF) = chunk_size_lf,
    AT(CHUNK_DATA) = chunk_data,
    AT(CHUNK_DATA_CR) = chunk_data_cr,
    AT(CHUNK_DATA_LF) = chunk_data_lf,
};
