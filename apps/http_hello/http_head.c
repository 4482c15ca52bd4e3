/*
 * apps/http_hello/http_head.c - a request's head: its line and its fields.
 *
 * The first byte that the grammar does not allow is refused. What can only be
 * judged with the whole head (RFC 9112's musts on Host, Transfer-Encoding,
 * Content-Length) is judged at its end. The trailers of a body are fields too.
 *
 * Source: RFC 9112 2.2, 3, 5, 6.1; RFC 9110 6.5.1, 9.1, 10.1.1.
 */
#include <string.h>

#include "apps/http_hello/http_steps.h"
#include "apps/http_hello/http_target.h"

/* Of the method and the target: what is left for both in a request line. */
enum {
    TARGET_BYTES_MAX = HTTP_LINE_BYTES_MAX - (sizeof("  HTTP/1.1\r\n") - 1)
};

/* ---- the request line ---- */

/* A piece of a method, a version, a name. */
static void add_token(struct http_parser *parser, const char *at, size_t len)
{
    http_text_add(&parser->token, parser->token_store,
                  sizeof(parser->token_store), at, len);
}

static uint8_t method_of(const char *name, size_t len)
{
    static const char names[][8] = {
        [HTTP_GET] = "GET",         [HTTP_HEAD] = "HEAD",
        [HTTP_POST] = "POST",       [HTTP_PUT] = "PUT",
        [HTTP_DELETE] = "DELETE",   [HTTP_CONNECT] = "CONNECT",
        [HTTP_OPTIONS] = "OPTIONS", [HTTP_TRACE] = "TRACE",
        [HTTP_PATCH] = "PATCH",
    };

    for (uint8_t i = HTTP_GET; i < ARRAY_LEN(names); i++)
        if (len < sizeof(names[i]) && names[i][len] == '\0' &&
            memcmp(name, names[i], len) == 0)
            return i;
    return HTTP_UNKNOWN;
}

static size_t method(struct http_parser *parser, const char *data, size_t len)
{
    size_t n = http_span(data, len, HTTP_BYTE_TOKEN);

    add_token(parser, data, n);
    if (parser->token.bytes > HTTP_METHOD_BYTES_MAX)
        return http_refuse(parser, n, 501);
    if (n == len)
        return n;
    if (data[n] != ' ' || parser->token.bytes == 0)
        return http_refuse(parser, n, 400);
    parser->step = HTTP_STEP_TARGET;
    return n + 1;
}

static size_t blank_lf(struct http_parser *parser, const char *data, size_t len)
{
    return http_expect(parser, data, len, '\n', HTTP_STEP_METHOD);
}

static size_t begin(struct http_parser *parser, const char *data, size_t len)
{
    if (data[0] == '\r') { /* RFC 9112 2.2: a blank line at least is ignored */
        parser->step = HTTP_STEP_BLANK_LF;
        return 1;
    }
    parser->step = HTTP_STEP_METHOD;
    return method(parser, data, len);
}

static size_t target(struct http_parser *parser, const char *data, size_t len)
{
    struct http_request *request = &parser->request;
    size_t n = http_span_visible(data, len);
    size_t room = sizeof(request->target) - request->target_len;
    size_t kept = n < room ? n : room;

    memcpy(request->target + request->target_len, data, kept);
    request->target_len = (uint16_t)(request->target_len + kept);
    parser->target_bytes += (uint32_t)n;
    if (parser->token.bytes + parser->target_bytes > TARGET_BYTES_MAX)
        return http_refuse(parser, n, 414);
    if (n == len)
        return n;
    if (data[n] != ' ' || request->target_len == 0)
        return http_refuse(parser, n, 400);
    /* Not before: a method whose request line is bad this far is none. */
    request->method = method_of(parser->token.at, parser->token.bytes);
    parser->token.bytes = 0;
    parser->step = HTTP_STEP_VERSION;
    return n + 1;
}

/* "HTTP/1.1". Returns: 0, or the status that refuses it. */
static uint16_t judge_version(struct http_parser *parser)
{
    static const char prefix[] = {'H', 'T', 'T', 'P', '/'};
    const char *version = parser->token.at;
    size_t len = parser->token.bytes;
    size_t n = sizeof(prefix);

    if (len < sizeof("HTTP/1.1") - 1 ||
        memcmp(version, prefix, sizeof(prefix)) != 0)
        return 400;
    if (len == sizeof("HTTP/1.1") - 1 && memcmp(version + n, "1.", 2) == 0 &&
        (version[n + 2] == '0' || version[n + 2] == '1')) {
        parser->request.is_1_0 = version[n + 2] == '0';
        return 0;
    }
    n += http_span(version + n, len - n, HTTP_BYTE_DIGIT);
    if (n == sizeof(prefix) || n == len || version[n++] != '.' || n == len)
        return 400;
    return n + http_span(version + n, len - n, HTTP_BYTE_DIGIT) == len ? 505
                                                                       : 400;
}

static size_t line_lf(struct http_parser *parser, const char *data, size_t len)
{
    return http_expect(parser, data, len, '\n', HTTP_STEP_FIELD);
}

static size_t version(struct http_parser *parser, const char *data, size_t len)
{
    size_t n = http_span_visible(data, len);
    uint16_t status;

    add_token(parser, data, n);
    if (parser->token.bytes > sizeof(parser->token_store))
        return http_refuse(parser, n, 400);
    if (n == len)
        return n;
    if (data[n] != '\r')
        return http_refuse(parser, n, 400);
    status = judge_version(parser);
    if (status)
        return http_refuse(parser, n, status);
    if (parser->request.method == HTTP_UNKNOWN) /* RFC 9110 9.1 */
        return http_refuse(parser, n, 501);
    parser->step = HTTP_STEP_LINE_LF;
    n++;
    return n + line_lf(parser, data + n, len - n);
}

/* ---- fields ---- */

static size_t name(struct http_parser *parser, const char *data, size_t len)
{
    size_t n = http_span(data, len, HTTP_BYTE_TOKEN);

    add_token(parser, data, n);
    if (n == len)
        return n;
    if (data[n] != ':')
        return http_refuse(parser, n, 400);
    parser->field =
        (uint8_t)http_field_kind(parser->token.at, parser->token.bytes);
    parser->value.bytes = 0;
    parser->step = HTTP_STEP_SPACE;
    return n + 1;
}

/* What a field says counts in the head. Returns: false for a trailer that says
 * how long the body is: RFC 9110 6.5.1. */
static bool take_field(struct http_parser *parser)
{
    enum http_field kind = (enum http_field)parser->field;
    bool whole = parser->value.bytes <= sizeof(parser->value_store);

    if (kind == HTTP_FIELD_OTHER)
        return true;
    if (parser->in_body)
        return kind != HTTP_FIELD_TRANSFER_ENCODING;
    http_field_take(&parser->fields, kind, parser->value.at,
                    parser->value.bytes, whole);
    return true;
}

static size_t value_lf(struct http_parser *parser, const char *data, size_t len)
{
    return http_expect(parser, data, len, '\n', HTTP_STEP_FIELD);
}

static size_t value(struct http_parser *parser, const char *data, size_t len)
{
    size_t n = http_span_value(data, len);

    if (parser->field != HTTP_FIELD_OTHER)
        http_text_add(&parser->value, parser->value_store,
                      sizeof(parser->value_store), data, n);
    if (n == len)
        return n;
    if (data[n] != '\r')
        return http_refuse(parser, n, 400);
    if (!take_field(parser))
        return http_refuse(parser, n, 400);
    parser->step = HTTP_STEP_VALUE_LF;
    n++;
    return n + value_lf(parser, data + n, len - n);
}

static size_t space(struct http_parser *parser, const char *data, size_t len)
{
    size_t n = 0;

    while (n < len && (data[n] == ' ' || data[n] == '\t'))
        n++;
    if (n == len)
        return n;
    parser->step = HTTP_STEP_VALUE;
    return n + value(parser, data + n, len - n);
}

/* ---- the head is complete ---- */

/* What it deserves: 0, or the status that refuses it. */
static uint16_t judge_head(const struct http_parser *parser)
{
    const struct http_request *request = &parser->request;
    const struct http_fields *fields = &parser->fields;

    if (fields->refusal == 400 || !http_target_is_good(request))
        return 400;
    if (!fields->host && !request->is_1_0) /* RFC 9112 3.2 */
        return 400;
    if (fields->coding && request->is_1_0) /* RFC 9112 6.1 */
        return 400;
    if (fields->refusal)
        return fields->refusal;
    if (request->method == HTTP_CONNECT)
        return 501;
    if (fields->content_length > HTTP_BODY_BYTES_MAX)
        return 413;
    return 0;
}

static void end_head(struct http_parser *parser)
{
    struct http_request *request = &parser->request;
    const struct http_fields *fields = &parser->fields;
    uint16_t status = judge_head(parser);

    parser->in_body = true;
    parser->bytes = 0;
    parser->left = fields->content_length;
    request->keep_alive =
        !fields->close && (!request->is_1_0 || fields->keep_alive);
    if (status) {
        http_refuse(parser, 0, status);
    } else if (!fields->coding && fields->content_length == 0) {
        parser->step = HTTP_STEP_DONE;
    } else if (fields->expects_continue && !request->is_1_0) {
        request->body_unread = true;
        request->keep_alive = false;
        parser->step = HTTP_STEP_DONE;
    } else {
        parser->step = fields->coding ? HTTP_STEP_CHUNK_SIZE : HTTP_STEP_BODY;
    }
}

/* The end of the head, or of the trailers. */
static size_t last_lf(struct http_parser *parser, const char *data, size_t len)
{
    size_t used = http_expect(parser, data, len, '\n', HTTP_STEP_DONE);

    if (used > 0 && !parser->in_body)
        end_head(parser);
    return used;
}

/* The first byte of a field, or of the blank line behind the last one. Neither
 * a fold (RFC 9112 5.2) nor an empty name passes. */
static size_t field(struct http_parser *parser, const char *data, size_t len)
{
    if (data[0] == '\r') {
        parser->step = HTTP_STEP_LAST_LF;
        return 1 + last_lf(parser, data + 1, len - 1);
    }
    if (!http_byte_is(data[0], HTTP_BYTE_TOKEN))
        return http_refuse(parser, 0, 400);
    if (!parser->in_body && parser->field_count++ == HTTP_FIELDS_MAX)
        return http_refuse(parser, 0, 431);
    parser->token.bytes = 0;
    parser->step = HTTP_STEP_NAME;
    return name(parser, data, len);
}

http_step_fn *const http_head_steps[] = {
    [HTTP_STEP_BEGIN] = begin,       [HTTP_STEP_BLANK_LF] = blank_lf,
    [HTTP_STEP_METHOD] = method,     [HTTP_STEP_TARGET] = target,
    [HTTP_STEP_VERSION] = version,   [HTTP_STEP_LINE_LF] = line_lf,
    [HTTP_STEP_FIELD] = field,       [HTTP_STEP_NAME] = name,
    [HTTP_STEP_SPACE] = space,       [HTTP_STEP_VALUE] = value,
    [HTTP_STEP_VALUE_LF] = value_lf, [HTTP_STEP_LAST_LF] = last_lf,
};
