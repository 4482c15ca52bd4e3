/*
 * apps/http_hello/http_memo.h - field blocks that have been read before.
 *
 * A client sends the same fields with every request, and often every client of
 * its kind does: what HPACK rests on. What follows the target of a request,
 * from the space before the version to the blank line, is remembered here as it
 * was sent, with what was learned from it. The same bytes again need no second
 * reading. A block counts as a whole and byte for byte, so nothing that is
 * remembered changes a verdict; it only comes sooner.
 *
 * What it holds is shared by all connections, and the time of an answer tells a
 * little of whether, and how far, a block agrees with one of them. So none with
 * Authorization, Proxy-Authorization or Cookie comes in here; a program that
 * knows its clients by another field (X-Api-Key) adds that to http_fields.c.
 *
 * Source: RFC 7541 1.1 (that fields repeat), 7.1 (what a shared memory of them
 * gives away).
 */
#ifndef APPS_HTTP_HELLO_HTTP_MEMO_H
#define APPS_HTTP_HELLO_HTTP_MEMO_H

#include "kernel/base.h"

enum {
    HTTP_MEMO_BLOCKS = 4,
    HTTP_MEMO_BYTES_MAX = 1024, /* of a block; longer ones are always read */
    HTTP_MEMO_MISSES_MANY = 32, /* so many in a row: it does not help here, */
    HTTP_MEMO_ASKED_EVERY = 16  /* and is only asked now and then */
};

/* What is known of a block, and of the request that it ends. */
struct http_memo_block {
    uint64_t word;    /* the 8 bytes at `word_at`, which are compared first: */
    uint16_t word_at; /* where the last stranger differed */
    uint16_t bytes;   /* 0: none */
    bool is_1_0;      /* as struct http_request has them */
    bool keep_alive;
    bool recalled; /* since the hand was here last */
};

/* All zero: nothing is remembered. A cache line says whether one fits. */
struct http_memo {
    struct http_memo_block block[HTTP_MEMO_BLOCKS];
    char text[HTTP_MEMO_BLOCKS][HTTP_MEMO_BYTES_MAX];
    uint16_t hand;        /* of a clock: where a block is replaced next */
    uint16_t differed_at; /* where two of one length did, the last time */
    uint32_t misses;      /* in a row, up to HTTP_MEMO_MISSES_MANY */
    uint32_t passed_by;   /* since it was asked last, after so many */
};

/* Whether the next request is to be looked for here, and its fields kept: not
 * for each one where nobody's fields come again. Who sends many strange blocks
 * can bring that about for all, and what it takes from them is the memo. */
static inline bool http_memo_is_asked(struct http_memo *memo)
{
    if (memo->misses < HTTP_MEMO_MISSES_MANY)
        return true;
    memo->passed_by = (memo->passed_by + 1) % HTTP_MEMO_ASKED_EVERY;
    return memo->passed_by == 0;
}

/*
 * Whether bytes begin with a block that is remembered.
 *
 * at, len: what follows the target of a request, and perhaps the next ones.
 * Returns: the block, valid until http_memo_keep(); null: none.
 */
const struct http_memo_block *http_memo_find(struct http_memo *memo,
                                             const char *at, size_t len);

/*
 * Remember a block, in place of one that was not asked for lately.
 *
 * at, len: it, complete; one that is too long is not remembered.
 */
void http_memo_keep(struct http_memo *memo, const char *at, size_t len,
                    bool is_1_0, bool keep_alive);

#endif
