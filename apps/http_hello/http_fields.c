/*
 * apps/http_hello/http_fields.c - Host, Expect, Transfer-Encoding, credentials.
 *
 * A line ends with CR LF, which no name, host or number contains: loops over
 * such bytes need no other bound.
 *
 * Source: RFC 9110 5.6.2, 7.2, 10.1.1, 11.6.2, 11.7.2; RFC 9112 3.2, 6.1; RFC
 * 6265 5.4; RFC 3986 3.2.2.
 */
#include "apps/http_hello/http_fields.h"

#include <string.h>

/* clang-format off */
#define T HTTP_BYTE_TOKEN
#define H HTTP_BYTE_HOST
#define I HTTP_BYTE_IPV6
#define D HTTP_BYTE_DIGIT
const uint8_t http_byte_sets[256] = {
    ['0' ... '9'] = T | H | I | D, ['a' ... 'f'] = T | H | I,
    ['A' ... 'F'] = T | H | I, ['g' ... 'z'] = T | H, ['G' ... 'Z'] = T | H,
    ['!'] = T | H, ['$'] = T | H, ['%'] = T | H, ['&'] = T | H,
    ['\''] = T | H, ['*'] = T | H, ['+'] = T | H, ['-'] = T | H,
    ['.'] = T | H | I, ['_'] = T | H, ['~'] = T | H,
    ['#'] = T, ['^'] = T, ['`'] = T, ['|'] = T,
    ['('] = H, [')'] = H, [';'] = H, ['='] = H, [':'] = I,
};
#undef T
#undef H
#undef I
#undef D
/* clang-format on */

/* The first byte from `at` on that is not of `sets`. */
static const char *skip(const char *at, unsigned sets)
{
    while (http_byte_is(*at, sets))
        at++;
    return at;
}

bool http_host_is_good(const char *host, const char *end)
{
    const char *at;

    if (*host == '[') { /* an IPv6 address */
        at = skip(host + 1, HTTP_BYTE_IPV6);
        if (at == host + 1 || *at++ != ']')
            return false;
    } else {
        at = skip(host, HTTP_BYTE_HOST);
        if (at == host)
            return false;
    }
    if (*at == ':')
        at = skip(at + 1, HTTP_BYTE_DIGIT);
    return at == end;
}

/* The shortest line that matters: "host:" and CR, up to the LF. */
enum { FIELD_BYTES_MIN = sizeof("host:\r") - 1 };

static void refuse(struct http_fields *fields, uint16_t status)
{
    if (fields->refusal != 400)
        fields->refusal = status;
}

/* The text behind `word`, which is in lower case, if `text` begins with that in
 * any case; null otherwise. llhttp allows no control byte that would become one
 * of the word's. */
static const char *behind(const char *text, const char *word)
{
    size_t i = 0;

    while (word[i] != '\0' && (text[i] | 0x20) == word[i])
        i++;
    return word[i] == '\0' ? text + i : NULL;
}

/* Four bytes as a number, a letter among them in lower case. */
static uint32_t lower_word(const char *text)
{
    uint32_t word;

    memcpy(&word, text, sizeof(word));
    return word | 0x20202020;
}

/* The same of four letters: few names begin alike. */
#define WORD(a, b, c, d)                                                       \
    ((uint32_t)(d) << 24 | (uint32_t)(c) << 16 | (uint32_t)(b) << 8 | (a))

/* A value, without the white space around it. */
struct value {
    const char *at;
    const char *end;
};

static struct value value_between(const char *at, const char *lf)
{
    const char *end = lf - 1; /* at the CR */

    while (*at == ' ' || *at == '\t')
        at++;
    while (end > at && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    return (struct value){at, end};
}

/* RFC 9112 3.2: one Host. */
static void take_host(struct http_fields *fields, struct value value)
{
    if (fields->hosts++ > 0 || value.end - value.at > HTTP_HOST_BYTES_MAX ||
        !http_host_is_good(value.at, value.end))
        refuse(fields, 400);
}

/* RFC 9112 6.1: of all codings we know chunked. */
static void take_coding(struct http_fields *fields, struct value value)
{
    if (fields->codings++ > 0 || value.at == value.end || *value.at == ',')
        refuse(fields, 400);
    else if (behind(value.at, "chunked") != value.end)
        refuse(fields, 501);
}

static void take_expectation(struct http_fields *fields, struct value value)
{
    if (behind(value.at, "100-continue") == value.end)
        fields->expects_continue = true;
    else
        refuse(fields, 417);
}

void http_fields_take(struct http_fields *fields, const char *line,
                      const char *lf)
{
    const char *at;

    if (lf - line < FIELD_BYTES_MIN)
        return;
    switch (lower_word(line)) {
    case WORD('h', 'o', 's', 't'):
        if (line[4] == ':')
            take_host(fields, value_between(line + 5, lf));
        break;
    case WORD('e', 'x', 'p', 'e'):
        at = behind(line, "expect:");
        if (at)
            take_expectation(fields, value_between(at, lf));
        break;
    case WORD('t', 'r', 'a', 'n'):
        at = behind(line, "transfer-encoding:");
        if (at)
            take_coding(fields, value_between(at, lf));
        break;
    case WORD('a', 'u', 't', 'h'):
    case WORD('c', 'o', 'o', 'k'):
    case WORD('p', 'r', 'o', 'x'):
        if (behind(line, "authorization:") || behind(line, "cookie:") ||
            behind(line, "proxy-authorization:"))
            fields->credentials = true;
        break;
    default:
        break;
    }
}
