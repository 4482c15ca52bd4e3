/*
 * tests/host/http_judge.c - see http_judge.h.
 */
#include "tests/host/http_judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/http_hello/facts.h"

struct http_parser http_judged;

/* What pages.c asks the machine. */
void facts_get(struct facts *facts)
{
    memset(facts, 0, sizeof(*facts));
    facts->uptime_us = 93784000000;
    memset(facts->cpu, 'x', sizeof(facts->cpu) - 1);
    memset(facts->hypervisor, 'y', sizeof(facts->hypervisor) - 1);
    facts->address = IPV4_ADDR(255, 255, 255, 255);
    facts->memory_bytes = facts->used_bytes = facts->threads = SIZE_MAX;
    facts->flows = facts->parked = UINT32_MAX;
    facts->packets_in = facts->packets_out = UINT64_MAX;
}

size_t facts_write_status(char *out, size_t size)
{
    return (size_t)snprintf(out, size, "uptime_us 1\n");
}

/* A copy of each piece is on the heap, so that reading past it is seen. */
struct http_verdict http_parse_cut(const char *text, size_t len, size_t cut,
                                   size_t step, struct http_memo *memo)
{
    struct http_verdict v = {0};
    size_t at = 0;

    http_parser_init(&http_judged, memo);
    while (at < len) {
        size_t left = len - at;
        size_t piece = at < cut ? cut - at : step;
        enum http_progress progress;
        size_t used;
        char *copy;

        piece = piece < left ? piece : left;
        copy = malloc(piece);
        memcpy(copy, text + at, piece);
        progress = http_parse(&http_judged, copy, piece, &used);
        assert_true(used <= piece);
        at += used;
        v.used = at;
        if (progress == HTTP_PARSE_BAD)
            v.status = http_judged.request.status;
        else if (progress == HTTP_PARSE_DONE)
            v.status = pages_answer(&http_judged.request)->status;
        free(copy);
        if (progress != HTTP_PARSE_MORE) {
            v.keep_alive = http_judged.request.keep_alive;
            return v;
        }
        assert_int_equal(used, piece);
    }
    return v;
}

static void expect(struct http_verdict wanted, struct http_verdict v,
                   const char *text, size_t cut)
{
    if (v.status != wanted.status || v.keep_alive != wanted.keep_alive ||
        (v.status != 0 && v.status < 400 && v.used != wanted.used))
        fail_msg("cut at %zu: %u, %d, %zu; whole: %u, %d, %zu: %.200s", cut,
                 v.status, v.keep_alive, v.used, wanted.status,
                 wanted.keep_alive, wanted.used, text);
}

struct http_verdict http_judge(const char *text, size_t len)
{
    static struct http_memo memo; /* never so useless that it is not asked */
    struct http_verdict whole = http_parse_cut(text, len, 0, len, NULL);

    for (size_t cut = 0; cut < len; cut += 1 + len / 1024) {
        expect(whole, http_parse_cut(text, len, cut, len, NULL), text, cut);
        memo.misses = 0;
        expect(whole, http_parse_cut(text, len, cut, len, &memo), text, cut);
    }
    expect(whole, http_parse_cut(text, len, 0, 1, &memo), text, 1);
    expect(whole, http_parse_cut(text, len, 0, 1, NULL), text, 1);
    return whole;
}
