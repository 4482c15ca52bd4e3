/*
 * apps/http_hello/http_memo.c - field blocks that have been read before.
 *
 * To be found costs a comparison of the whole block; not to be found, one of a
 * word for each block that is there, for the word is taken where the last
 * stranger differed: a client whose fields never repeat differs from itself in
 * the same place each time. Replacement is by a clock, so such a client
 * replaces its own.
 */
#include "apps/http_hello/http_memo.h"

#include <string.h>

enum { WORD_BYTES = sizeof(uint64_t) };

static uint64_t word(const char *at)
{
    uint64_t value;

    memcpy(&value, at, sizeof(value));
    return value;
}

static void compare_first(struct http_memo_block *block, const char *text,
                          size_t word_at)
{
    block->word = word(text + word_at);
    block->word_at = (uint16_t)word_at;
}

/* Where two blocks differ, give or take a word; they do. */
static size_t difference(const char *one, const char *other, size_t bytes)
{
    size_t at = 0;

    while (at + 2 * WORD_BYTES <= bytes && word(one + at) == word(other + at))
        at += WORD_BYTES;
    return word(one + at) != word(other + at) ? at : bytes - WORD_BYTES;
}

/* Bytes that agreed with block `i` in length and word are another's. */
static ASIDE void note_difference(struct http_memo *memo, size_t i,
                                  const char *at)
{
    const char *text = memo->text[i];
    struct http_memo_block *block = &memo->block[i];

    compare_first(block, text, difference(at, text, block->bytes));
    memo->differed_at = block->word_at;
}

const struct http_memo_block *http_memo_find(struct http_memo *memo,
                                             const char *at, size_t len)
{
    for (size_t i = 0; i < HTTP_MEMO_BLOCKS; i++) {
        struct http_memo_block *block = &memo->block[i];

        if (block->bytes == 0 || block->bytes > len ||
            word(at + block->word_at) != block->word)
            continue;
        if (memcmp(at, memo->text[i], block->bytes) == 0) {
            block->recalled = true;
            memo->misses = 0;
            return block;
        }
        note_difference(memo, i, at);
    }
    if (memo->misses < HTTP_MEMO_MISSES_MANY)
        memo->misses++;
    return NULL;
}

/* Move the hand on to the first block that was not recalled since it was there
 * last: after one round, that is the one where it began. */
static size_t replaceable(struct http_memo *memo)
{
    size_t i = memo->hand;

    while (memo->block[i].recalled) {
        memo->block[i].recalled = false;
        i = (i + 1) % HTTP_MEMO_BLOCKS;
    }
    memo->hand = (i + 1) % HTTP_MEMO_BLOCKS;
    return i;
}

void http_memo_keep(struct http_memo *memo, const char *at, size_t len,
                    bool is_1_0, bool keep_alive)
{
    size_t word_at = memo->differed_at;
    size_t i;

    if (len < WORD_BYTES || len > HTTP_MEMO_BYTES_MAX)
        return;
    if (word_at + WORD_BYTES > len)
        word_at = len - WORD_BYTES;
    i = replaceable(memo);
    memo->block[i] = (struct http_memo_block){
        .bytes = (uint16_t)len,
        .is_1_0 = is_1_0,
        .keep_alive = keep_alive,
    };
    memcpy(memo->text[i], at, len);
    compare_first(&memo->block[i], memo->text[i], word_at);
}
