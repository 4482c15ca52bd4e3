/*
 * apps/http_hello/http.c - HTTP/1.1 requests: llhttp, and stricter.
 *
 * Every byte of a head passes two readers: http_lines.c, and llhttp. The first
 * byte that either of them refuses decides, so the verdict is the same however
 * the bytes are cut. What can only be judged with the whole head (RFC 9112's
 * musts on Host, Transfer-Encoding, Content-Length) is judged at its end.
 * Bodies go to llhttp alone, under one bound for all that is sent.
 *
 * Source: RFC 9112 2.2, 3, 5, 6, 7.1; RFC 9110 10.1.1.
 */
#include "apps/http_hello/http.h"

#include <string.h>
#include <strings.h>

enum http_field {
    FIELD_OTHER,
    FIELD_HOST,
    FIELD_EXPECT,
    FIELD_TRANSFER_ENCODING
};

#define METHOD_LAST_OF_HTTP HTTP_SOURCE /* then HTTP/2's and RTSP's follow */

#define SCHEME       "http://"
#define SCHEME_BYTES (sizeof(SCHEME) - 1)

static struct http_parser *parser_of(llhttp_t *llhttp)
{
    return CONTAINER_OF(llhttp, struct http_parser, llhttp);
}

/* ---- fields ---- */

/* Move what has come of a text to `store`: as much as that holds. */
static void text_keep(struct http_text *text, char *store, size_t size)
{
    if (text->bytes == 0 || text->at == store)
        return;
    memcpy(store, text->at, text->bytes < size ? text->bytes : size);
    text->at = store;
}

/* A piece of a text. The first is looked at where it lies. */
static void text_add(struct http_text *text, char *store, size_t size,
                     const char *at, size_t len)
{
    size_t room = size - text->bytes;

    if (text->bytes == 0) {
        text->at = at;
    } else if (text->bytes < size) {
        text_keep(text, store, size);
        memcpy(store + text->bytes, at, len < room ? len : room);
    }
    text->bytes += (uint32_t)len;
}

/* Four bytes, a letter among them in lower case. */
static uint32_t lower_word(const char *text)
{
    uint32_t word;

    memcpy(&word, text, sizeof(word));
    return word | 0x20202020;
}

/* Whether `text` is `word`, which is in lower case, in any case. In names and
 * values llhttp allows no control byte that would become one of the word's. */
static bool text_is(const char *text, size_t len, const char *word)
{
    size_t i = 0;

    while (i < len && (text[i] | 0x20) == word[i])
        i++;
    return i == len && word[i] == '\0';
}

static enum http_field field_kind(const char *name, size_t len)
{
    switch (len) {
    case 4:
        return lower_word(name) == lower_word("host") ? FIELD_HOST
                                                      : FIELD_OTHER;
    case 6:
        return text_is(name, len, "expect") ? FIELD_EXPECT : FIELD_OTHER;
    case 17:
        return text_is(name, len, "transfer-encoding") ? FIELD_TRANSFER_ENCODING
                                                       : FIELD_OTHER;
    default:
        return FIELD_OTHER;
    }
}

/* RFC 9110 7.2: uri-host [ ":" port ], the host not empty (4.2.1). */
static bool host_is_good(const char *host, size_t len)
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
    if (n < len && host[n++] != ':')
        return false;
    while (n < len && host[n] >= '0' && host[n] <= '9')
        n++;
    return n == len;
}

/* RFC 9112 6.1: of all codings we know chunked. */
static uint16_t coding_refusal(const char *coding, size_t len)
{
    if (text_is(coding, len, "chunked"))
        return 0;
    return len == 0 || coding[0] == ',' ? 400 : 501;
}

static void refuse(struct http_fields *fields, uint16_t status)
{
    if (fields->refusal != 400)
        fields->refusal = status;
}

static size_t len_without_space(const char *text, size_t len)
{
    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
        len--;
    return len;
}

/* A value that matters is complete: judge it. One that is longer than what is
 * kept of it is no value that we know, however it came. */
static void judge_value(struct http_fields *fields)
{
    const char *value = fields->value.at;
    bool whole = fields->value.bytes <= sizeof(fields->value_store);
    size_t len = whole ? len_without_space(value, fields->value.bytes) : 0;
    uint16_t status;

    switch (fields->kind) {
    case FIELD_HOST:
        if (!whole || !host_is_good(value, len))
            refuse(fields, 400);
        break;
    case FIELD_TRANSFER_ENCODING:
        status = whole ? coding_refusal(value, len) : 501;
        if (status)
            refuse(fields, status);
        break;
    default:
        if (whole && text_is(value, len, "100-continue"))
            fields->expects_continue = true;
        else
            refuse(fields, 417);
        break;
    }
}

/* A field has ended, if there was one. */
static void field_end(struct http_fields *fields)
{
    if (fields->kind != FIELD_OTHER)
        judge_value(fields);
    fields->kind = FIELD_OTHER;
}

/* ---- what llhttp calls ---- */

static int on_url(llhttp_t *llhttp, const char *at, size_t len)
{
    struct http_parser *parser = parser_of(llhttp);
    struct http_request *request = &parser->request;
    size_t room = sizeof(request->target) - request->target_len;
    size_t kept = len < room ? len : room;

    memcpy(request->target + request->target_len, at, kept);
    request->target_len = (uint16_t)(request->target_len + kept);
    parser->target_bytes += (uint32_t)len;
    return 0;
}

/* Not before: how much of a bad target on_url() sees depends on the cuts. */
static int on_url_end(llhttp_t *llhttp)
{
    struct http_request *request = &parser_of(llhttp)->request;

    request->method = llhttp_get_method(llhttp);
    request->method_known = true;
    return 0;
}

static int on_name(llhttp_t *llhttp, const char *at, size_t len)
{
    struct http_fields *fields = &parser_of(llhttp)->fields;

    text_add(&fields->name, fields->name_store, sizeof(fields->name_store), at,
             len);
    return 0;
}

/* Trailers come here too; the head has been judged without them. */
static int on_name_end(llhttp_t *llhttp)
{
    struct http_fields *fields = &parser_of(llhttp)->fields;

    field_end(fields);
    fields->kind = (uint8_t)field_kind(fields->name.at, fields->name.bytes);
    fields->name.bytes = 0;
    fields->value.bytes = 0;
    if (fields->kind == FIELD_HOST && fields->hosts++ > 0)
        refuse(fields, 400);
    if (fields->kind == FIELD_TRANSFER_ENCODING && fields->codings++ > 0)
        refuse(fields, 400);
    return 0;
}

static int on_value(llhttp_t *llhttp, const char *at, size_t len)
{
    struct http_fields *fields = &parser_of(llhttp)->fields;

    if (fields->kind != FIELD_OTHER)
        text_add(&fields->value, fields->value_store,
                 sizeof(fields->value_store), at, len);
    return 0;
}

/* The request line, held against its pieces: a second space and a missing
 * version (HTTP/0.9) show as a length that does not add up; and llhttp speaks
 * protocols that we do not (RTSP). RFC 9112 3. */
static bool request_line_adds_up(const struct http_parser *parser)
{
    const struct http_lines *lines = &parser->lines;

    return lines->is_http &&
           lines->request_line_bytes == lines->method_bytes + strlen(" ") +
                                            parser->target_bytes +
                                            strlen(" HTTP/1.1\r\n");
}

/* In a target such as "http://host:80/path", where the authority ends (the
 * length of the target, at most); 0 when it is not of this form. */
static size_t authority_end(const struct http_request *request)
{
    size_t at = SCHEME_BYTES;

    if (request->target_len <= SCHEME_BYTES ||
        strncasecmp(request->target, SCHEME, SCHEME_BYTES) != 0)
        return 0;
    while (at < request->target_len && request->target[at] != '/' &&
           request->target[at] != '?')
        at++;
    return at;
}

/* RFC 9112 3.2: the four forms of a target, each with its methods. */
static bool target_is_good(const struct http_request *request)
{
    size_t end;

    if (request->target[0] == '/' || request->method == HTTP_CONNECT)
        return true; /* CONNECT is answered 501, whatever it names */
    if (request->target_len == 1 && request->target[0] == '*')
        return request->method == HTTP_OPTIONS;
    end = authority_end(request);
    return end > 0 &&
           host_is_good(request->target + SCHEME_BYTES, end - SCHEME_BYTES);
}

/* What a complete head deserves: 0, or the status that refuses it. */
static uint16_t judge_head(const struct http_parser *parser)
{
    const struct http_request *request = &parser->request;
    const struct http_fields *fields = &parser->fields;
    const llhttp_t *llhttp = &parser->llhttp;

    if (!request_line_adds_up(parser))
        return 400;
    if (llhttp->http_major != 1)
        return 505;
    if (fields->refusal == 400 || !target_is_good(request))
        return 400;
    if (fields->hosts == 0 && !request->is_1_0) /* RFC 9112 3.2 */
        return 400;
    if (fields->codings > 0 && request->is_1_0) /* RFC 9112 6.1 */
        return 400; /* beside Content-Length, llhttp has refused it */
    if (fields->refusal)
        return fields->refusal;
    if (request->method > METHOD_LAST_OF_HTTP ||
        request->method == HTTP_CONNECT)
        return 501;
    if (llhttp->content_length > HTTP_BODY_BYTES_MAX)
        return 413;
    return 0;
}

static int on_head(llhttp_t *llhttp)
{
    struct http_parser *parser = parser_of(llhttp);
    struct http_request *request = &parser->request;
    bool has_body = llhttp->content_length > 0 || llhttp->flags & F_CHUNKED;

    field_end(&parser->fields);
    request->is_1_0 = llhttp->http_minor == 0;
    if (llhttp->flags & F_CONNECTION_CLOSE)
        request->keep_alive = false; /* whatever else it says */
    else
        request->keep_alive =
            !request->is_1_0 || llhttp->flags & F_CONNECTION_KEEP_ALIVE;
    request->status = judge_head(parser);
    if (request->status)
        return -1;
    if (has_body && parser->fields.expects_continue && !request->is_1_0) {
        request->body_unread = true;
        request->keep_alive = false;
        return HPE_PAUSED;
    }
    return 0;
}

/* llhttp has read a chunk's size, and left it where a body's length is. */
static int on_chunk(llhttp_t *llhttp)
{
    if (llhttp->content_length <= HTTP_BODY_BYTES_MAX)
        return 0;
    parser_of(llhttp)->request.status = 413;
    return -1;
}

static int on_end(llhttp_t *llhttp)
{
    (void)llhttp;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_url = on_url,
    .on_url_complete = on_url_end,
    .on_header_field = on_name,
    .on_header_field_complete = on_name_end,
    .on_header_value = on_value,
    .on_headers_complete = on_head,
    .on_chunk_header = on_chunk,
    .on_message_complete = on_end,
};

/* ---- both together ---- */

void http_parser_init(struct http_parser *parser)
{
    struct http_request *request = &parser->request;
    struct http_fields *fields = &parser->fields;

    /* The arrays are most of it, and need no clearing. */
    memset(request, 0, offsetof(struct http_request, target));
    memset(fields, 0, offsetof(struct http_fields, name_store));
    parser->lines = (struct http_lines){0};
    parser->target_bytes = 0;
    parser->body_bytes = 0;
    parser->method_refused = false;
    llhttp_init(&parser->llhttp, HTTP_REQUEST, &settings);
}

/* What an error of llhttp means to the client. */
static uint16_t refusal_of(const struct http_parser *parser, llhttp_errno_t err)
{
    const llhttp_t *llhttp = &parser->llhttp;

    switch (err) {
    case HPE_CB_HEADERS_COMPLETE: /* on_head() said so, */
    case HPE_CB_CHUNK_HEADER:     /* or on_chunk() */
        return parser->request.status;
    case HPE_INVALID_VERSION: /* or a good one, and something behind it */
        return llhttp->http_major == 1 && llhttp->http_minor <= 1 ? 400 : 505;
    case HPE_PAUSED_H2_UPGRADE: /* "PRI * HTTP/2.0" */
        return 505;
    default:
        return 400;
    }
}

static enum http_progress bad(struct http_parser *parser, uint16_t status)
{
    parser->request.status = status;
    parser->request.keep_alive = false;
    return HTTP_PARSE_BAD;
}

/* The bytes given are used up, and their owner may free them. */
static void keep_texts(struct http_fields *fields)
{
    text_keep(&fields->name, fields->name_store, sizeof(fields->name_store));
    text_keep(&fields->value, fields->value_store, sizeof(fields->value_store));
}

/* Hand `len` bytes to llhttp. Returns: as http_parse(). */
static enum http_progress feed(struct http_parser *parser, const char *data,
                               size_t len, size_t *used_bytes)
{
    llhttp_errno_t err = HPE_OK;

    *used_bytes = len;
    if (!parser->method_refused)
        err = llhttp_execute(&parser->llhttp, data, len);
    if (err == HPE_PAUSED) {
        *used_bytes = (size_t)(llhttp_get_error_pos(&parser->llhttp) - data);
        return HTTP_PARSE_DONE;
    }
    if (err == HPE_INVALID_METHOD)
        parser->method_refused = true;
    else if (err != HPE_OK)
        return bad(parser, refusal_of(parser, err));
    if (parser->method_refused && parser->lines.method_read)
        return bad(parser, 501);
    keep_texts(&parser->fields);
    return HTTP_PARSE_MORE;
}

/* The body, the framing of its chunks and its trailers, under one bound. */
static enum http_progress parse_body(struct http_parser *parser,
                                     const char *data, size_t len,
                                     size_t *used_bytes)
{
    size_t room = HTTP_BODY_BYTES_MAX - parser->body_bytes;
    size_t piece = len < room ? len : room;
    enum http_progress progress = feed(parser, data, piece, used_bytes);
    const char *end = data + *used_bytes;
    char before;

    parser->body_bytes += (uint32_t)*used_bytes;
    if (progress == HTTP_PARSE_MORE && piece < len)
        return bad(parser, 413);
    if (progress == HTTP_PARSE_DONE && parser->llhttp.flags & F_CHUNKED) {
        before = *used_bytes > 1 ? end[-2] : parser->lines.last;
        if (before != '\r') /* llhttp ends trailers at a bare LF too */
            return bad(parser, 400);
    }
    if (*used_bytes > 0)
        parser->lines.last = end[-1];
    return progress;
}

enum http_progress http_parse(struct http_parser *parser, const char *data,
                              size_t len, size_t *used_bytes)
{
    enum http_progress progress = HTTP_PARSE_MORE;
    size_t head = 0;
    size_t body = 0;

    if (!parser->lines.head_read) {
        head = http_lines_scan(&parser->lines, data, len);
        progress = feed(parser, data, head, used_bytes);
        if (progress != HTTP_PARSE_MORE)
            return progress;
        if (parser->lines.refusal)
            return bad(parser, parser->lines.refusal);
    }
    if (head < len)
        progress = parse_body(parser, data + head, len - head, &body);
    *used_bytes = head + body;
    return progress;
}

size_t http_request_path(const struct http_request *request, const char **path)
{
    const char *at = request->target;
    const char *end = at + request->target_len;
    const char *query;

    *path = at;
    if (at < end && *at != '/') {
        at += authority_end(request);
        if (at == request->target)
            return 0;
        if (at == end || *at == '?') { /* "http://host" means its root */
            *path = "/";
            return 1;
        }
        *path = at;
    }
    query = memchr(at, '?', (size_t)(end - at));
    return (size_t)((query ? query : end) - at);
}
