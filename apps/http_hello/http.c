/*
 * apps/http_hello/http.c - HTTP/1.1 requests: llhttp, and stricter.
 *
 * Every byte of a head passes two readers: http_lines.c, and llhttp. The first
 * byte that either of them refuses decides, so the verdict is the same however
 * the bytes are cut. What can only be judged with the whole head (RFC 9112's
 * musts on Host, Transfer-Encoding, Content-Length) is judged at its end.
 * A head is read where it lies; one that comes in pieces is put together first.
 * Of one whose fields are known (http_memo.h), only the request line is read.
 * Bodies go to llhttp alone, under one bound for all that is sent.
 *
 * Source: RFC 9112 2.2, 3, 5, 6, 7.1; RFC 9110 10.1.1.
 */
#include "apps/http_hello/http.h"

#include <string.h>
#include <strings.h>

#define METHOD_LAST_OF_HTTP HTTP_SOURCE /* then HTTP/2's and RTSP's follow */

/* Of a request line that is not too long. */
enum { TARGET_END_MAX = HTTP_LINE_BYTES_MAX - HTTP_VERSION_BYTES };

_Static_assert(TARGET_END_MAX + HTTP_MEMO_BYTES_MAX <= HTTP_HEAD_BYTES_MAX,
               "no head that is recalled is too long");

#define SCHEME       "http://"
#define SCHEME_BYTES (sizeof(SCHEME) - 1)

static struct http_parser *parser_of(llhttp_t *llhttp)
{
    return CONTAINER_OF(llhttp, struct http_parser, llhttp);
}

/* ---- the head, once it is complete ---- */

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
    return end > 0 && http_host_is_good(request->target + SCHEME_BYTES,
                                        request->target + end);
}

/* What a complete head deserves: 0, or the status that refuses it. */
static uint16_t judge_head(const struct http_parser *parser)
{
    const struct http_request *request = &parser->request;
    const struct http_fields *fields = &parser->lines.fields;
    const llhttp_t *llhttp = &parser->llhttp;

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

    request->method = llhttp->method;
    request->is_1_0 = llhttp->http_minor == 0;
    if (llhttp->flags & F_CONNECTION_CLOSE)
        request->keep_alive = false; /* whatever else it says */
    else
        request->keep_alive =
            !request->is_1_0 || llhttp->flags & F_CONNECTION_KEEP_ALIVE;
    request->status = judge_head(parser);
    if (request->status)
        return -1;
    if (!has_body)
        return HPE_PAUSED; /* that is all of it */
    if (parser->lines.fields.expects_continue && !request->is_1_0) {
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

static int on_target(llhttp_t *llhttp, const char *at, size_t len)
{
    (void)at;
    parser_of(llhttp)->target_read += (uint16_t)len;
    return 0;
}

static const llhttp_settings_t settings = {
    .on_url = on_target,
    .on_headers_complete = on_head,
    .on_chunk_header = on_chunk,
    .on_message_complete = on_end,
};

/* ---- both readers together ---- */

/* Nothing has been read. */
static INLINE void begin(struct http_parser *parser)
{
    memset(parser, 0, offsetof(struct http_parser, memo));
    llhttp_init(&parser->llhttp, HTTP_REQUEST, &settings);
}

void http_parser_init(struct http_parser *parser, struct http_memo *memo)
{
    begin(parser);
    parser->memo = memo && http_memo_is_asked(memo) ? memo : NULL;
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

static COLD enum http_progress bad(struct http_parser *parser, uint16_t status)
{
    parser->request.status = status;
    parser->request.keep_alive = false;
    return HTTP_PARSE_BAD;
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
    return HTTP_PARSE_MORE;
}

/* Put `len` bytes behind those of a head that came before. Returns: how many
 * there are then, those that are too many left out. */
static COLD size_t append(struct http_parser *parser, const char *data,
                          size_t len)
{
    size_t before = parser->lines.bytes;
    size_t room = sizeof(parser->head) - before;
    size_t piece = len < room ? len : room;

    memcpy(parser->head + before, data, piece);
    return before + piece;
}

/* ---- heads that come again ---- */

/* The length of the request line's method, if it is one whose fields are
 * remembered and a path follows; 0 otherwise. Of other methods and targets
 * llhttp has ideas of its own. */
static size_t method_before_path(const char *data, size_t len)
{
    if (len < 6)
        return 0;
    if (memcmp(data, "GET /", 5) == 0)
        return 3;
    return memcmp(data, "HEAD /", 6) == 0 ? 4 : 0;
}

/* Read a head, at whose first byte we are, if what follows its target is known.
 * Its request line is the method and one space, a target of which llhttp takes
 * every byte for one, and behind that what it has accepted before. Returns:
 * false when there is more to it; then nothing has been read. */
static bool recall(struct http_parser *parser, const char *data, size_t len,
                   size_t *used_bytes)
{
    struct http_request *request = &parser->request;
    size_t most = len < TARGET_END_MAX ? len : TARGET_END_MAX;
    size_t method_bytes = method_before_path(data, len);
    const char *target = data + method_bytes + 1;
    const struct http_memo_block *block;
    const char *end;

    if (method_bytes == 0)
        return false;
    end = memchr(target, ' ', (size_t)(data + most - target));
    if (!end)
        return false;
    block = http_memo_find(parser->memo, end, (size_t)(data + len - end));
    if (!block)
        return false;
    if (llhttp_execute(&parser->llhttp, data, (size_t)(end - data)) != HPE_OK ||
        parser->target_read != end - target) {
        begin(parser);
        return false;
    }
    request->target = target;
    request->target_len = parser->target_read;
    request->method = parser->llhttp.method;
    request->method_known = true;
    request->is_1_0 = block->is_1_0;
    request->keep_alive = block->keep_alive;
    *used_bytes = (size_t)(end - data) + block->bytes;
    return true;
}

/* A head is accepted, and it is the whole request: keep its fields in mind,
 * unless they tell who sent them. */
static ASIDE void remember(const struct http_parser *parser, const char *head)
{
    const struct http_request *request = &parser->request;
    const struct http_lines *lines = &parser->lines;
    size_t at = (size_t)lines->target_at + lines->target_bytes;

    if (method_before_path(head, lines->bytes) == 0 || request->body_unread ||
        lines->fields.credentials)
        return;
    http_memo_keep(parser->memo, head + at, lines->bytes - at, request->is_1_0,
                   request->keep_alive);
}

/* ---- all of a request ---- */

/* As http_parse(), as long as the head is not complete. */
static ASIDE enum http_progress parse_head(struct http_parser *parser,
                                           const char *data, size_t len,
                                           size_t *used_bytes)
{
    struct http_request *request = &parser->request;
    struct http_lines *lines = &parser->lines;
    size_t before = lines->bytes;
    const char *head = data;
    enum http_progress progress;
    size_t fine;

    if (before > 0) {
        len = append(parser, data, len);
        head = parser->head;
    }
    fine = http_lines_scan(lines, head, len);
    request->target = head + lines->target_at;
    request->target_len = lines->target_bytes;
    progress = feed(parser, head + before, fine - before, used_bytes);
    request->method = parser->llhttp.method;
    request->method_known = lines->method_read && !parser->method_refused;
    if (progress == HTTP_PARSE_DONE && before == 0 && parser->memo)
        remember(parser, head);
    if (progress != HTTP_PARSE_MORE)
        return progress;
    if (lines->refusal)
        return bad(parser, lines->refusal);
    if (before == 0)
        memcpy(parser->head, data, fine);
    request->target = parser->head + lines->target_at;
    return HTTP_PARSE_MORE;
}

/* The body, the framing of its chunks and its trailers, under one bound. */
static ASIDE enum http_progress parse_body(struct http_parser *parser,
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
        before = *used_bytes > 1 ? end[-2] : parser->body_last;
        if (before != '\r') /* llhttp ends trailers at a bare LF too */
            return bad(parser, 400);
    }
    if (*used_bytes > 0)
        parser->body_last = end[-1];
    return progress;
}

enum http_progress http_parse(struct http_parser *parser, const char *data,
                              size_t len, size_t *used_bytes)
{
    enum http_progress progress = HTTP_PARSE_MORE;
    size_t head = 0;
    size_t body = 0;

    if (parser->memo && parser->lines.bytes == 0 &&
        recall(parser, data, len, used_bytes))
        return HTTP_PARSE_DONE;
    if (!parser->lines.head_read)
        progress = parse_head(parser, data, len, &head);
    if (progress == HTTP_PARSE_MORE && head < len)
        progress = parse_body(parser, data + head, len - head, &body);
    *used_bytes = head + body;
    return progress;
}

size_t http_request_path(const struct http_request *request, const char **path)
{
    const char *at = request->target;
    const char *end = at + request->target_len;

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
    return (size_t)(end - at);
}
