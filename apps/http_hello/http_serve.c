/*
 * apps/http_hello/http_serve.c - HTTP connections over flows.
 *
 * To learn from it: a flow is parked whenever it waits for a new request, so
 * an idle connection owns no thread, no stack, and nothing of this program.
 * While a request is there, everything about it lies on the stack. Received
 * bytes are parsed where they are; answers leave in one gathered write.
 *
 * Source: RFC 9112 9 (connections).
 */
#include "apps/http_hello/http_serve.h"

#include <stdlib.h>
#include <string.h>

#include "apps/http_hello/http.h"
#include "apps/http_hello/pages.h"
#include "apps/http_hello/response.h"
#include "kernel/clock.h"
#include "kernel/thread.h"

/* Bodies up to this size are copied behind their head, not referenced. */
enum {
    COPY_BYTES_MAX = 256,
    SMALL_BYTES_MAX = RESPONSE_HEAD_BYTES_MAX + COPY_BYTES_MAX
};

_Static_assert((size_t)SMALL_BYTES_MAX <= BUFFER_LARGE_BYTES,
               "a head and a small body fit one chunk");

/* A whole answer that is small enough to be copied. */
struct small {
    const struct response *response; /* null: none */
    enum response_connection connection;
    uint32_t bytes;
    char text[SMALL_BYTES_MAX];
};

/* How long to wait for the next request. It begins with a value, so in `serve`
 * it would make all of that a part of the image. */
static uint64_t idle_us = HTTP_IDLE_US;

/* What outlives a request: the date of this second, the last small answer as
 * long as that is its date, the last rendering of the one page that may be
 * served more than once, and the fields that came lately. */
static struct {
    uint64_t date_until_us;
    struct response_date date;
    struct small small;
    const struct response *rendered; /* null: body is null */
    uint64_t rendered_until_us;
    struct buffer *body;
    struct http_memo memo;
} serve;

/* What happens to the flow when its bytes are used up. */
enum next {
    NEXT_READ, /* the rest of a request is missing */
    NEXT_PARK, /* no request has begun */
    NEXT_CLOSE /* all is said, or nothing more can be */
};

/* For which part of a request the read deadline has been set. */
enum limit { LIMIT_NONE, LIMIT_HEAD, LIMIT_BODY };

/* One stay of a flow on a thread: from its first byte to parking or closing. */
struct turn {
    struct flow *flow;
    struct buffer *first; /* answers that are not written yet */
    struct buffer *last;
    size_t gathered_bytes;
    uint64_t now_us; /* since when nothing has blocked */
    bool in_request; /* a part of one has come: `parser` is in use */
    enum limit limit;
    struct http_parser parser;
};

_Static_assert(sizeof(struct turn) <= THREAD_STACK_BYTES * 5 / 8,
               "it lies on the stack of a thread, which needs the rest");

/* ---- answers ---- */

static const struct response_date *date_now(uint64_t now_us)
{
    uint64_t wall_us;

    if (now_us >= serve.date_until_us) {
        wall_us = clock_wall_us();
        response_date_set(&serve.date, wall_us);
        serve.date_until_us = now_us + 1000000 - wall_us % 1000000;
        serve.small.response = NULL; /* that had the date before */
    }
    return &serve.date;
}

static void release_text(struct buffer *root, void *context)
{
    (void)root;
    free(context);
}

/* A fresh rendering, or null: no memory. It holds no more memory than it shows,
 * which is what a client that does not take it is charged for. */
static struct buffer *render(struct buffer_pool *pool,
                             const struct response *response)
{
    char *text = malloc(response->render_bytes_max), *fitting;
    struct buffer *body;
    size_t len;

    if (!text)
        return NULL;
    len = response->render(text, response->render_bytes_max);
    fitting = realloc(text, len + 1);
    text = fitting ? fitting : text;
    body = buffer_wrap(pool, text, (uint32_t)len, release_text, text);
    if (!body)
        free(text);
    return body;
}

/* The body of an answer, by reference; null: no memory. The pool is the one of
 * every flow here, so what one of them rendered serves the others. */
static ASIDE struct buffer *body_of(struct buffer_pool *pool,
                                    const struct response *response,
                                    uint64_t now_us)
{
    if (response->text)
        return buffer_wrap(pool, response->text, response->text_bytes, NULL,
                           NULL);
    if (response->render_fresh_us == 0)
        return render(pool, response);
    if (response != serve.rendered || now_us >= serve.rendered_until_us) {
        buffer_release(serve.body);
        serve.body = render(pool, response);
        serve.rendered = serve.body ? response : NULL;
        serve.rendered_until_us = now_us + response->render_fresh_us;
    }
    if (!serve.body)
        return NULL;
    return buffer_slice(pool, serve.body, 0, serve.body->len);
}

static void gather(struct turn *turn, struct buffer *view)
{
    if (turn->last)
        turn->last->next = view;
    else
        turn->first = view;
    turn->last = view;
    turn->gathered_bytes += view->len;
}

/* Room behind what is gathered for a head and a small body; null: no memory. */
static struct buffer *room_for_head(struct turn *turn)
{
    struct buffer *chunk = turn->last;

    if (chunk && buffer_tailroom(chunk) >= SMALL_BYTES_MAX)
        return chunk;
    chunk = buffer_alloc_last(flow_pool(turn->flow), BUFFER_LARGE, 0);
    if (chunk)
        gather(turn, chunk);
    return chunk;
}

static enum response_connection
connection_of(const struct http_request *request)
{
    if (!request->keep_alive)
        return RESPONSE_CLOSE;
    return request->is_1_0 ? RESPONSE_KEEP_SAID : RESPONSE_KEEP;
}

static void gather_bytes(struct turn *turn, struct buffer *chunk, size_t len)
{
    chunk->len += (uint32_t)len;
    turn->gathered_bytes += len;
}

static ASIDE void make_small(struct small *small,
                             const struct response *response,
                             enum response_connection connection,
                             const struct response_date *date)
{
    size_t len = response_emit_head(small->text, response, response->text_bytes,
                                    connection, date);

    memcpy(small->text + len, response->text, response->text_bytes);
    small->response = response;
    small->connection = connection;
    small->bytes = (uint32_t)(len + response->text_bytes);
}

/* Answer with a text that is copied. */
static void gather_small(struct turn *turn, struct buffer *chunk,
                         const struct response *response)
{
    enum response_connection connection = connection_of(&turn->parser.request);
    const struct response_date *date = date_now(turn->now_us);
    struct small *small = &serve.small; /* of this second, or forgotten */

    if (small->response != response || small->connection != connection)
        make_small(small, response, connection, date);
    memcpy((char *)chunk->data + chunk->len, small->text, small->bytes);
    gather_bytes(turn, chunk, small->bytes);
}

static void gather_head(struct turn *turn, struct buffer *chunk,
                        const struct response *response, size_t body_bytes)
{
    size_t len = response_emit_head(
        (char *)chunk->data + chunk->len, response, body_bytes,
        connection_of(&turn->parser.request), date_now(turn->now_us));

    gather_bytes(turn, chunk, len);
}

/* Gather an answer. Returns: false when there is no memory for it. */
static bool answer(struct turn *turn, const struct response *response)
{
    const struct http_request *request = &turn->parser.request;
    bool with_body = !(request->method_known && request->method == HTTP_HEAD);
    struct buffer *chunk = room_for_head(turn);
    struct buffer *body = NULL;

    if (!chunk)
        return false;
    if (!response->text || response->text_bytes > COPY_BYTES_MAX) {
        body = body_of(flow_pool(turn->flow), response, turn->now_us);
        if (!body)
            response = pages_status(503); /* small enough to be copied */
    }
    if (with_body && !body) {
        gather_small(turn, chunk, response);
        return true;
    }
    gather_head(turn, chunk, response, body ? body->len : response->text_bytes);
    if (with_body)
        gather(turn, body);
    else
        buffer_release(body);
    return true;
}

/* Write what is gathered. Returns: false when the flow takes no more. */
static bool write_gathered(struct turn *turn)
{
    struct buffer *chain = turn->first;
    enum flow_status status;

    if (!chain)
        return true;
    turn->first = NULL;
    turn->last = NULL;
    turn->gathered_bytes = 0;
    flow_set_write_deadline(turn->flow, turn->now_us + HTTP_WRITE_US);
    status = flow_writev(turn->flow, chain);
    if (status == FLOW_DEADLINE)
        flow_abort(turn->flow); /* RFC 9112 9.5 allows it at any time */
    return status == FLOW_OK;
}

/* ---- requests ---- */

/* Answer a status, for a request that is not to be had. The client may still
 * be sending: a flow whose callback has returned reads that and drops it, so
 * that a reset does not overtake the answer. */
static COLD enum next refuse(struct turn *turn, uint16_t status)
{
    turn->parser.request.keep_alive = false;
    if (!answer(turn, pages_status(status)))
        flow_abort(turn->flow); /* no memory even for that */
    return NEXT_CLOSE;
}

/* A whole request is there. */
static enum next answer_request(struct turn *turn)
{
    const struct http_request *request = &turn->parser.request;

    if (!answer(turn, pages_answer(request)) || !request->keep_alive)
        return NEXT_CLOSE;
    turn->in_request = false;
    turn->limit = LIMIT_NONE;
    if (turn->gathered_bytes < HTTP_GATHER_BYTES_MAX)
        return NEXT_PARK;
    if (!write_gathered(turn))
        return NEXT_CLOSE;
    turn->now_us = flow_now_us(turn->flow);
    return NEXT_PARK;
}

/* Answer every request that is complete with the bytes of one view. */
static enum next take(struct turn *turn, const struct buffer *view)
{
    const char *data = (const char *)view->data;
    size_t len = view->len;
    enum next next = NEXT_PARK;

    while (len > 0 && next == NEXT_PARK) {
        size_t used;

        if (!turn->in_request)
            http_parser_init(&turn->parser, &serve.memo);
        turn->in_request = true;
        switch (http_parse(&turn->parser, data, len, &used)) {
        case HTTP_PARSE_MORE:
            return NEXT_READ;
        case HTTP_PARSE_DONE:
            data += used;
            len -= used;
            next = answer_request(turn);
            break;
        default:
            next = refuse(turn, turn->parser.request.status);
            break;
        }
    }
    return next;
}

/* Read once more, and do what the bytes ask for. */
static enum next read_more(struct turn *turn)
{
    struct buffer *view;
    enum flow_status status = flow_read(turn->flow, &view);
    enum next next;

    turn->now_us = flow_now_us(turn->flow);
    switch (status) {
    case FLOW_OK:
        next = take(turn, view);
        buffer_release(view);
        return next;
    case FLOW_EOF: /* in the middle of a request: RFC 9112 8 */
        return turn->in_request ? refuse(turn, 400) : NEXT_CLOSE;
    case FLOW_DEADLINE:
        return turn->in_request ? refuse(turn, 408) : NEXT_CLOSE;
    default:
        return NEXT_CLOSE;
    }
}

/* A request is not complete: limit the time for the rest of its head, then for
 * its body. */
static COLD void limit_time(struct turn *turn)
{
    bool in_body = http_parser_in_body(&turn->parser);
    enum limit limit = in_body ? LIMIT_BODY : LIMIT_HEAD;

    if (turn->limit == limit)
        return;
    turn->limit = limit;
    flow_set_read_deadline(
        turn->flow, clock_us() + (in_body ? HTTP_BODY_US : HTTP_HEADER_US));
}

/* ---- the life of a connection ---- */

static void park(struct flow *flow);

/* Something came on a parked flow: serve until nothing is left of it. */
static void serve_turn(struct flow *flow, void *context,
                       enum flow_park_event event)
{
    struct turn turn;
    enum next next = NEXT_READ;

    (void)context;
    if (event == FLOW_PARK_DEADLINE)
        return; /* idle for too long: returning closes it */
    turn.flow = flow;
    turn.first = NULL;
    turn.last = NULL;
    turn.gathered_bytes = 0;
    turn.in_request = false;
    turn.limit = LIMIT_NONE;
    while (next == NEXT_READ) {
        next = read_more(&turn);
        if (!write_gathered(&turn))
            next = NEXT_CLOSE;
        else if (next == NEXT_READ)
            limit_time(&turn);
    }
    if (next == NEXT_PARK)
        park(flow);
}

static void park(struct flow *flow)
{
    flow_park(flow, serve_turn, NULL, flow_now_us(flow) + idle_us);
}

void http_serve(struct flow *flow, void *context)
{
    (void)context;
    flow_set_nodelay(flow, true); /* each write is a whole answer */
    park(flow);
}

void http_serve_set_idle(uint64_t us)
{
    idle_us = us;
}

void http_serve_end(void)
{
    buffer_release(serve.body);
    serve.body = NULL;
    serve.rendered = NULL;
}
