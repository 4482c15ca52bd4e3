/*
 * apps/http_hello/http_lines.c - where a request's head ends, and its lines.
 *
 * Byte by byte only within the method; lines are found by memchr(), because
 * every request passes here.
 *
 * Source: RFC 9112 2.2, 3, 5.2.
 */
#include "apps/http_hello/http_lines.h"

#include <string.h>

/* The tail of a request line, "TP/1.1\r\n", without its last five bytes. */
enum { TAIL_VERSION_BITS = 5 * 8, TAIL_HTTP = 'T' << 16 | 'P' << 8 | '/' };

/* clang-format off */
#define T HTTP_BYTE_TOKEN
#define H HTTP_BYTE_HOST
#define I HTTP_BYTE_IPV6
const uint8_t http_byte_sets[256] = {
    ['0' ... '9'] = T | H | I, ['a' ... 'f'] = T | H | I,
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
/* clang-format on */

/* The blank line that may precede a request: RFC 9112 2.2 wants one at least
 * to be forgiven. Returns: how many bytes are fine. */
static size_t scan_blank_line(struct http_lines *lines, const char *data,
                              size_t len)
{
    size_t used = 0;

    if (lines->last != '\r') {
        if (data[0] != '\r' || lines->blank_line)
            return 0;
        lines->last = '\r';
        used = 1;
        if (len == 1)
            return used;
    }
    lines->blank_line = true;
    if (data[used] != '\n') {
        lines->refusal = 400;
        return used;
    }
    lines->last = '\n';
    return used + 1;
}

/* The method, and the space behind it. Returns: how many bytes are fine. */
static size_t scan_method(struct http_lines *lines, const char *data,
                          size_t len)
{
    size_t room = HTTP_METHOD_BYTES_MAX - lines->method_bytes;
    size_t n = http_span(data, len < room ? len : room, HTTP_BYTE_TOKEN);

    lines->method_bytes = (uint8_t)(lines->method_bytes + n);
    if (n > 0)
        lines->last = data[n - 1];
    if (n < len) {
        if (data[n] == ' ' && lines->method_bytes > 0) {
            lines->method_read = true;
            lines->last = data[n++];
        } else {
            bool more = http_byte_sets[(uint8_t)data[n]] & HTTP_BYTE_TOKEN;

            lines->refusal = more ? 501 : 400;
        }
    }
    lines->line_bytes += (uint32_t)n;
    return n;
}

/* What comes before the target. Returns: how many bytes are fine. */
static size_t scan_start(struct http_lines *lines, const char *data, size_t len)
{
    size_t used = 0;

    if (lines->method_bytes == 0 && len > 0)
        used = scan_blank_line(lines, data, len);
    if (used < len && !lines->refusal)
        used += scan_method(lines, data + used, len - used);
    return used;
}

/* The last bytes of the request line, some of which may have come before. */
static uint64_t tail_after(uint64_t tail, const char *data, size_t len)
{
    if (len >= sizeof(tail)) {
        memcpy(&tail, data + len - sizeof(tail), sizeof(tail));
        return __builtin_bswap64(tail); /* first byte in the highest place */
    }
    for (size_t i = 0; i < len; i++)
        tail = tail << 8 | (uint8_t)data[i];
    return tail;
}

/* The LF of a line that goes on at data[at], before data[end]; null: none. One
 * without a CR before it is refused. */
static const char *find_lf(struct http_lines *lines, const char *data,
                           size_t at, size_t end)
{
    const char *lf = memchr(data + at, '\n', end - at);

    if (lf && (lf > data ? lf[-1] : lines->last) != '\r')
        lines->refusal = 400;
    return lf;
}

/* The request line behind its method, from data[at]. Returns: where the bytes
 * end that are fine. */
static size_t scan_request_line(struct http_lines *lines, const char *data,
                                size_t at, size_t len)
{
    size_t room = HTTP_LINE_BYTES_MAX - lines->line_bytes;
    size_t end = len - at < room ? len : at + room;
    const char *lf = find_lf(lines, data, at, end);

    if (lines->refusal)
        return (size_t)(lf - data);
    if (lf)
        end = (size_t)(lf - data) + 1;
    lines->tail = tail_after(lines->tail, data + at, end - at);
    lines->line_bytes += (uint32_t)(end - at);
    if (lf) {
        lines->request_line_bytes = lines->line_bytes;
        lines->is_http = lines->tail >> TAIL_VERSION_BITS == TAIL_HTTP;
        lines->line_bytes = 0;
        lines->count = 1;
    } else if (end < len) {
        lines->refusal = 414;
    }
    return end;
}

/* The first byte of a field's line: neither a fold (RFC 9112 5.2) nor the
 * colon after a name that is not there; and not one field too many. */
static uint16_t check_line_start(const struct http_lines *lines, char c)
{
    if (c == ' ' || c == '\t' || c == ':')
        return 400;
    return lines->count > HTTP_FIELDS_MAX && c != '\r' ? 431 : 0;
}

/* The fields, and the blank line behind them, from data[at]. Returns: where the
 * bytes end that are fine. */
static size_t scan_fields(struct http_lines *lines, const char *data, size_t at,
                          size_t len)
{
    size_t room = HTTP_HEAD_BYTES_MAX - lines->head_bytes;
    size_t end = len < room ? len : room;

    while (at < len && !lines->head_read) {
        const char *lf;

        if (lines->line_bytes == 0)
            lines->refusal = check_line_start(lines, data[at]);
        if (lines->refusal)
            return at;
        lf = find_lf(lines, data, at, end);
        if (lines->refusal)
            return (size_t)(lf - data);
        if (!lf) {
            lines->line_bytes += (uint32_t)(end - at);
            if (end < len)
                lines->refusal = 431;
            return end;
        }
        lines->count++;
        lines->head_read = lines->line_bytes + (size_t)(lf - data) - at == 1;
        lines->line_bytes = 0;
        at = (size_t)(lf - data) + 1;
    }
    return at;
}

size_t http_lines_scan(struct http_lines *lines, const char *data, size_t len)
{
    size_t used = 0;

    if (!lines->method_read)
        used = scan_start(lines, data, len);
    if (used < len && lines->count == 0 && !lines->refusal)
        used = scan_request_line(lines, data, used, len);
    if (used < len && lines->count > 0 && !lines->refusal)
        used = scan_fields(lines, data, used, len);
    lines->head_bytes += (uint32_t)used;
    if (used > 0)
        lines->last = data[used - 1];
    return used;
}
