/*
 * tests/fuzz/fuzz_http.c - requests, cut anywhere: the verdicts are the same.
 *
 * The first two bytes of the input choose how it is cut; the rest is a stream
 * of requests. It is parsed whole and in pieces, each piece in memory of its
 * own size; without a memo, with one that learns on the way, and with one that
 * has seen the whole stream, or nearly. What was answered must be equal request
 * by request.
 *
 * Bounds: INPUT_MAX bytes, so at most as many requests.
 */
#include <stdlib.h>
#include <string.h>

#include "apps/http_hello/facts.h"
#include "apps/http_hello/http.h"
#include "apps/http_hello/pages.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 16384 };

/* What pages.c asks the machine; bodies are not rendered here. */
void facts_get(struct facts *facts)
{
    memset(facts, 0, sizeof(*facts));
}

size_t facts_write_status(char *out, size_t size)
{
    (void)out;
    (void)size;
    return 0;
}

/* One answered request: the status of its answer, and what is known of it. */
struct verdict {
    size_t end; /* where in the stream the request ended */
    uint16_t status;
    bool keep_alive;
    bool head_only;
    bool is_1_0; /* of accepted ones, from here on */
    bool body_unread;
    uint8_t method;
    uint16_t target_len;
    size_t target_sum;
};

struct history {
    struct verdict verdict[INPUT_MAX];
    size_t count;
};

static size_t sum_of(const struct http_request *request)
{
    size_t sum = 0;

    for (size_t i = 0; i < request->target_len; i++)
        sum = sum * 31 + (uint8_t)request->target[i];
    return sum;
}

static void note(struct history *history, const struct http_request *request,
                 enum http_progress progress, size_t end)
{
    struct verdict *verdict = &history->verdict[history->count++];

    memset(verdict, 0, sizeof(*verdict)); /* compared as bytes */
    verdict->keep_alive = request->keep_alive;
    verdict->head_only = request->method_known && request->method == HTTP_HEAD;
    verdict->status = request->status;
    if (progress != HTTP_PARSE_DONE)
        return;
    if (request->status != 0 || !request->method_known)
        abort();
    verdict->end = end;
    verdict->status = pages_answer(request)->status;
    verdict->is_1_0 = request->is_1_0;
    verdict->body_unread = request->body_unread;
    verdict->method = request->method;
    verdict->target_len = request->target_len;
    verdict->target_sum = sum_of(request);
}

/* Parse a piece at `at` of the stream. Returns: false when the connection is
 * to be closed. */
static bool parse_piece(struct http_parser *parser, const char *piece,
                        size_t len, size_t at, struct http_memo *memo,
                        struct history *history)
{
    size_t done = 0;

    while (done < len) {
        size_t used;
        enum http_progress progress =
            http_parse(parser, piece + done, len - done, &used);

        if (used > len - done)
            abort();
        done += used;
        if (progress == HTTP_PARSE_MORE && done < len)
            abort();
        if (progress == HTTP_PARSE_MORE)
            return true;
        note(history, &parser->request, progress, at + done);
        if (progress == HTTP_PARSE_BAD || !parser->request.keep_alive)
            return false;
        http_parser_init(parser, memo);
    }
    return true;
}

/* Parse the stream in pieces of 1 to `piece_max` bytes, chosen by `seed`. */
static void parse_stream(const uint8_t *data, size_t size, size_t piece_max,
                         unsigned seed, struct http_memo *memo,
                         struct history *history)
{
    struct http_parser parser;
    size_t at = 0;
    bool open = true;

    history->count = 0;
    if (memo)
        memo->misses = 0;                  /* so that it is asked */
    memset(&parser, 0xa5, sizeof(parser)); /* init must not need zeroes */
    http_parser_init(&parser, memo);
    while (open && at < size) {
        size_t piece = 1 + seed % piece_max;
        char *copy;

        seed = seed * 1103515245 + 12345;
        if (piece > size - at)
            piece = size - at;
        copy = malloc(piece);
        memcpy(copy, data + at, piece);
        open = parse_piece(&parser, copy, piece, at, memo, history);
        free(copy);
        at += piece;
    }
}

static void expect_same(const struct history *one, const struct history *other)
{
    if (one->count != other->count ||
        memcmp(one->verdict, other->verdict,
               one->count * sizeof(one->verdict[0])) != 0)
        abort();
}

/* The stream, whole, with one bit another: what is nearly in the memo must not
 * be taken for what is. */
static void expect_same_nearly(const uint8_t *stream, size_t len, unsigned seed,
                               struct http_memo *memo)
{
    static uint8_t near[INPUT_MAX];
    static struct history anew;
    static struct history known;

    memcpy(near, stream, len);
    near[seed % len] ^= (uint8_t)(1 << seed % 8);
    parse_stream(near, len, INPUT_MAX, INPUT_MAX - 1, NULL, &anew);
    parse_stream(near, len, INPUT_MAX, INPUT_MAX - 1, memo, &known);
    expect_same(&anew, &known);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct http_memo memo;
    static struct history whole;
    static struct history other;
    const uint8_t *stream;
    size_t len;

    if (size < 3 || size > INPUT_MAX)
        return 0;
    stream = data + 2;
    len = size - 2;
    memset(&memo, 0, sizeof(memo));
    parse_stream(stream, len, INPUT_MAX, INPUT_MAX - 1, NULL, &whole);
    parse_stream(stream, len, 1 + data[0], data[1], NULL, &other);
    expect_same(&whole, &other);
    for (unsigned times = 0; times < 2; times++) {
        parse_stream(stream, len, INPUT_MAX, INPUT_MAX - 1, &memo, &other);
        expect_same(&whole, &other);
        parse_stream(stream, len, 1 + data[0], data[1], &memo, &other);
        expect_same(&whole, &other);
    }
    expect_same_nearly(stream, len, data[0] * 256u + data[1], &memo);
    return 0;
}
