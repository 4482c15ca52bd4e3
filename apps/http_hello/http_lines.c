/*
 * apps/http_hello/http_lines.c - where a request's head ends, and its lines.
 *
 * Byte by byte only within the method; lines are found by memchr(), because
 * every head passes here whose fields are new. Each function returns where the
 * bytes end that are fine.
 *
 * Source: RFC 9112 2.2, 3, 5.2.
 */
#include "apps/http_hello/http_lines.h"

#include <string.h>

/* `most` bytes from `at`, or up to `end`. */
static const char *bound(const char *at, size_t most, const char *end)
{
    return (size_t)(end - at) > most ? at + most : end;
}

static const char *refuse(struct http_lines *lines, const char *at,
                          uint16_t status)
{
    lines->refusal = status;
    return at;
}

/* The blank line that may precede a request: RFC 9112 2.2 wants one at least
 * to be forgiven. */
static const char *scan_blank_line(struct http_lines *lines, const char *head,
                                   const char *end)
{
    if (end - head == 1)
        return end;
    if (head[1] != '\n')
        return refuse(lines, head + 1, 400);
    lines->line_at = 2;
    return head + 2;
}

/* Where the request target is, of a line that ends at `lf`. Returns: false when
 * it is not between two spaces and "HTTP/1.1". A space inside of it is refused
 * by llhttp, which would take several around it, no version (HTTP/0.9), and
 * another protocol (RTSP). */
static bool take_target(struct http_lines *lines, const char *head,
                        const char *target, const char *lf)
{
    size_t len = (size_t)(lf + 1 - target);
    const char *end;

    if (len <= HTTP_VERSION_BYTES)
        return false;
    end = lf + 1 - HTTP_VERSION_BYTES;
    if (target[0] == ' ' || end[-1] == ' ' || end[0] != ' ' || end[1] != 'H')
        return false;
    lines->target_at = (uint16_t)(target - head);
    lines->target_bytes = (uint16_t)(end - target);
    return true;
}

static const char *scan_request_line(struct http_lines *lines, const char *head,
                                     const char *end)
{
    const char *line = head + lines->line_at;
    const char *line_end = bound(line, HTTP_LINE_BYTES_MAX, end);
    const char *method_end = bound(line, HTTP_METHOD_BYTES_MAX, end);
    const char *from = head + lines->bytes; /* there is no LF before */
    const char *at = line;
    const char *lf;

    while (at < method_end && http_byte_is(*at, HTTP_BYTE_TOKEN))
        at++;
    if (at == end)
        return end;
    if (*at != ' ' || at == line)
        return refuse(lines, at,
                      http_byte_is(*at, HTTP_BYTE_TOKEN) ? 501 : 400);
    lines->method_read = true;
    if (from < at)
        from = at;
    lf = memchr(from, '\n', (size_t)(line_end - from));
    if (!lf)
        return line_end == end ? end : refuse(lines, line_end, 414);
    if (lf[-1] != '\r' || !take_target(lines, head, at + 1, lf))
        return refuse(lines, lf, 400);
    lines->line_at = (uint32_t)(lf + 1 - head);
    lines->count = 1;
    return lf + 1;
}

/* The blank line that ends a head; its CR is there. */
static const char *scan_last_line(struct http_lines *lines, const char *line,
                                  const char *end)
{
    if (end - line == 1)
        return end;
    if (line[1] != '\n')
        return refuse(lines, line + 1, 400);
    lines->head_read = true;
    return line + 2;
}

/* A field's line begins with its name: no fold (RFC 9112 5.2), and no colon
 * after a name that is not there. */
static const char *scan_fields(struct http_lines *lines, const char *head,
                               const char *from, const char *end)
{
    const char *line = head + lines->line_at;
    const char *lf;

    while (line < end) {
        if (*line == '\r')
            return scan_last_line(lines, line, end);
        if (!http_byte_is(*line, HTTP_BYTE_TOKEN))
            return refuse(lines, line, 400);
        if (lines->count > HTTP_FIELDS_MAX)
            return refuse(lines, line, 431);
        lf = memchr(from, '\n', (size_t)(end - from));
        if (!lf)
            return end;
        if (lf[-1] != '\r')
            return refuse(lines, lf, 400);
        http_fields_take(&lines->fields, line, lf);
        line = from = lf + 1;
        lines->line_at = (uint32_t)(line - head);
        lines->count++;
    }
    return end;
}

size_t http_lines_scan(struct http_lines *lines, const char *head, size_t len)
{
    const char *end = bound(head, HTTP_HEAD_BYTES_MAX, head + len);
    const char *fine = head + lines->bytes;

    if (lines->line_at == 0 && len > 0 && head[0] == '\r')
        fine = scan_blank_line(lines, head, end);
    if (lines->count == 0 && fine < end && !lines->refusal)
        fine = scan_request_line(lines, head, end);
    if (lines->count > 0)
        fine = scan_fields(lines, head, fine, end);
    if (fine == end && len > HTTP_HEAD_BYTES_MAX && !lines->head_read)
        lines->refusal = 431;
    lines->bytes = (uint32_t)(fine - head);
    return lines->bytes;
}
