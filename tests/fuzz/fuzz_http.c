/*
 * tests/fuzz/fuzz_http.c - requests, cut anywhere: the verdicts are the same.
 *
 * The first two bytes of the input choose how it is cut; the rest is a stream
 * of requests. It is parsed whole and in pieces, each piece in memory of its
 * own size, and what was answered must be equal request by request.
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

/* One answered request, as far as a client could tell. */
struct verdict {
    size_t end; /* where in the stream the request ended */
    uint16_t status;
    bool keep_alive;
    bool head_only;
};

struct history {
    struct verdict verdict[INPUT_MAX];
    size_t count;
};

static void note(struct history *history, const struct http_request *request,
                 enum http_progress progress, size_t end)
{
    history->verdict[history->count++] = (struct verdict){
        .end = progress == HTTP_PARSE_DONE ? end : 0,
        .status = progress == HTTP_PARSE_DONE ? pages_answer(request)->status
                                              : request->status,
        .keep_alive = request->keep_alive,
        .head_only = request->method_known && request->method == HTTP_HEAD,
    };
}

/* Parse a piece at `at` of the stream. Returns: false when the connection is
 * to be closed. */
static bool parse_piece(struct http_parser *parser, const char *piece,
                        size_t len, size_t at, struct history *history)
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
        http_parser_init(parser);
    }
    return true;
}

/* Parse the stream in pieces of 1 to `piece_max` bytes, chosen by `seed`. */
static void parse_stream(const uint8_t *data, size_t size, size_t piece_max,
                         unsigned seed, struct history *history)
{
    struct http_parser parser;
    size_t at = 0;
    bool open = true;

    history->count = 0;
    memset(&parser, 0xa5, sizeof(parser)); /* init must not need zeroes */
    http_parser_init(&parser);
    while (open && at < size) {
        size_t piece = 1 + seed % piece_max;
        char *copy;

        seed = seed * 1103515245 + 12345;
        if (piece > size - at)
            piece = size - at;
        copy = malloc(piece);
        memcpy(copy, data + at, piece);
        open = parse_piece(&parser, copy, piece, at, history);
        free(copy);
        at += piece;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct history whole;
    static struct history cut;

    if (size < 3 || size > INPUT_MAX)
        return 0;
    parse_stream(data + 2, size - 2, INPUT_MAX, INPUT_MAX - 1, &whole);
    parse_stream(data + 2, size - 2, 1 + data[0], data[1], &cut);
    if (whole.count != cut.count)
        abort();
    for (size_t i = 0; i < whole.count; i++) {
        if (whole.verdict[i].end != cut.verdict[i].end ||
            whole.verdict[i].status != cut.verdict[i].status ||
            whole.verdict[i].keep_alive != cut.verdict[i].keep_alive ||
            whole.verdict[i].head_only != cut.verdict[i].head_only)
            abort();
    }
    return 0;
}
