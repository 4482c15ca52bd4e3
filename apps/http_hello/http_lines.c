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

/* A line is complete, LF being its last byte. */
static void scan_line_end(struct http_lines *lines)
{
    if (lines->line_bytes == 2)
        lines->head_read = true;
    if (lines->count++ == 0) {
        lines->request_line_bytes = lines->line_bytes;
        lines->is_http = lines->tail >> TAIL_VERSION_BITS == TAIL_HTTP;
    }
    lines->line_bytes = 0;
}

/* The first byte of a field's line: neither a fold (RFC 9112 5.2) nor the
 * colon after a name that is not there; and not one field too many. */
static uint16_t check_line_start(const struct http_lines *lines, char c)
{
    if (c == ' ' || c == '\t' || c == ':')
        return 400;
    return lines->count > HTTP_FIELDS_MAX && c != '\r' ? 431 : 0;
}

/* A piece of a line: up to its LF, or all there is. Returns: its length; less
 * than that when it ends before a byte that `refusal` is for. */
static size_t scan_piece(struct http_lines *lines, const char *data, size_t len)
{
    bool first = lines->count == 0;
    size_t room = first ? HTTP_LINE_BYTES_MAX - lines->line_bytes
                        : HTTP_HEAD_BYTES_MAX - lines->head_bytes;
    size_t piece = len < room ? len : room;
    const char *lf = memchr(data, '\n', piece);

    if (lf) {
        size_t before = (size_t)(lf - data);

        if ((before > 0 ? lf[-1] : lines->last) != '\r') {
            lines->refusal = 400;
            return before;
        }
        piece = before + 1;
    } else if (len > room) {
        lines->refusal = first ? 414 : 431;
    }
    lines->line_bytes += (uint32_t)piece;
    if (first)
        lines->tail = tail_after(lines->tail, data, piece);
    if (lf)
        scan_line_end(lines);
    return piece;
}

size_t http_lines_scan(struct http_lines *lines, const char *data, size_t len)
{
    size_t used = 0;

    if (!lines->method_read)
        used = scan_start(lines, data, len);
    lines->head_bytes += (uint32_t)used;
    while (used < len && !lines->head_read && !lines->refusal) {
        size_t piece;

        if (lines->line_bytes == 0) {
            lines->refusal = check_line_start(lines, data[used]);
            if (lines->refusal)
                break;
        }
        piece = scan_piece(lines, data + used, len - used);
        used += piece;
        lines->head_bytes += (uint32_t)piece;
        if (piece > 0)
            lines->last = data[used - 1];
    }
    return used;
}
