/*
 * apps/http_hello/http_bytes.c - which bytes HTTP allows where, and texts.
 *
 * Source: RFC 9110 5.5, 5.6.1, 5.6.2; RFC 3986 3.2.2.
 */
#include "apps/http_hello/http_bytes.h"

#include <string.h>

/* clang-format off */
#define V (HTTP_BYTE_VISIBLE | HTTP_BYTE_VALUE)
#define T (HTTP_BYTE_TOKEN | V)
#define H HTTP_BYTE_HOST
#define I HTTP_BYTE_IPV6
const uint8_t http_byte_sets[256] = {
    ['0' ... '9'] = T | H | I | HTTP_BYTE_DIGIT,
    ['a' ... 'f'] = T | H | I, ['A' ... 'F'] = T | H | I,
    ['g' ... 'z'] = T | H, ['G' ... 'Z'] = T | H,
    ['!'] = T | H, ['$'] = T | H, ['%'] = T | H, ['&'] = T | H,
    ['\''] = T | H, ['*'] = T | H, ['+'] = T | H, ['-'] = T | H,
    ['.'] = T | H | I, ['_'] = T | H, ['~'] = T | H,
    ['#'] = T, ['^'] = T, ['`'] = T, ['|'] = T,
    ['('] = V | H, [')'] = V | H, [';'] = V | H, ['='] = V | H, [':'] = V | I,
    ['"'] = V, [','] = V, ['/'] = V, ['<'] = V, ['>'] = V, ['?'] = V,
    ['@'] = V, ['['] = V, ['\\'] = V, [']'] = V, ['{'] = V, ['}'] = V,
    [' '] = HTTP_BYTE_VALUE, ['\t'] = HTTP_BYTE_VALUE,
    [0x80 ... 0xff] = HTTP_BYTE_VALUE,
};
#undef V
#undef T
#undef H
#undef I
/* clang-format on */

/* The same byte in all places of a word. */
#define ALL(byte) (0x0101010101010101 * (uint64_t)(byte))

static uint64_t word_at(const char *text)
{
    uint64_t word;

    memcpy(&word, text, sizeof(word));
    return word;
}

/*
 * In each byte of the result, the highest bit says something of the same byte
 * of `word`; where it says nothing, a byte before it has said something.
 */
static uint64_t below(uint64_t word, uint8_t bound)
{
    return (word - ALL(bound)) & ~word;
}

static uint64_t delete_or_above(uint64_t word)
{
    return word | (word + ALL(1));
}

static uint64_t delete_alone(uint64_t word)
{
    return below(word ^ ALL(0x7f), 1);
}

size_t http_span_visible(const char *text, size_t len)
{
    size_t n = 0;

    for (; n + sizeof(uint64_t) <= len; n += sizeof(uint64_t)) {
        uint64_t word = word_at(text + n);

        if ((below(word, '!') | delete_or_above(word)) & ALL(0x80))
            break;
    }
    return n + http_span(text + n, len - n, HTTP_BYTE_VISIBLE);
}

size_t http_span_value(const char *text, size_t len)
{
    size_t n = 0;

    for (; n + sizeof(uint64_t) <= len; n += sizeof(uint64_t)) {
        uint64_t word = word_at(text + n);

        if ((below(word, ' ') | delete_alone(word)) & ALL(0x80))
            break;
    }
    return n + http_span(text + n, len - n, HTTP_BYTE_VALUE);
}

size_t http_len_trimmed(const char *text, size_t len)
{
    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
        len--;
    return len;
}

bool http_text_is(const char *text, size_t len, const char *word)
{
    size_t i = 0;

    while (i < len && (text[i] | 0x20) == word[i])
        i++;
    return i == len && word[i] == '\0';
}

size_t http_list_next(const char *list, size_t len, size_t *at,
                      const char **element)
{
    size_t from = *at;
    size_t to;

    while (from < len && (list[from] == ' ' || list[from] == '\t'))
        from++;
    for (to = from; to < len && list[to] != ',';)
        to++;
    *element = list + from;
    *at = to + 1;
    return http_len_trimmed(*element, to - from);
}

void http_text_keep(struct http_text *text, char *store, size_t size)
{
    if (text->bytes == 0 || text->at == store)
        return;
    memcpy(store, text->at, text->bytes < size ? text->bytes : size);
    text->at = store;
}

void http_text_append(struct http_text *text, char *store, size_t size,
                      const char *at, size_t len)
{
    size_t room = size - text->bytes;

    if (text->bytes < size) {
        http_text_keep(text, store, size);
        memcpy(store + text->bytes, at, len < room ? len : room);
    }
    text->bytes += (uint32_t)len;
}
