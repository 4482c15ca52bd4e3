/*
 * net/siphash.c - SipHash-2-4 and SipHash-1-3.
 */
#include "net/siphash.h"

#include <string.h>

#include "kernel/base.h"

struct sip {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static inline void round_of(struct sip *s)
{
    s->v0 += s->v1;
    s->v2 += s->v3;
    s->v1 = rotate(s->v1, 13) ^ s->v0;
    s->v3 = rotate(s->v3, 16) ^ s->v2;
    s->v0 = rotate(s->v0, 32);
    s->v2 += s->v1;
    s->v0 += s->v3;
    s->v1 = rotate(s->v1, 17) ^ s->v2;
    s->v3 = rotate(s->v3, 21) ^ s->v0;
    s->v2 = rotate(s->v2, 32);
}

static inline void rounds(struct sip *s, int count)
{
    for (int i = 0; i < count; i++)
        round_of(s);
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "words are loaded as they stand");

static inline uint64_t load64(const uint8_t *bytes)
{
    uint64_t word;

    memcpy(&word, bytes, sizeof(word));
    return word;
}

/* Up to 7 bytes as a little-endian number. */
static inline uint64_t load_tail(const uint8_t *bytes, size_t count)
{
    uint64_t word = 0;
    uint32_t four;

    if (count == 4) { /* what the stack's keys leave over */
        memcpy(&four, bytes, sizeof(four));
        return four;
    }
    for (size_t i = 0; i < count; i++)
        word |= (uint64_t)bytes[i] << 8 * i;
    return word;
}

static inline struct sip begin(const uint64_t key[2])
{
    return (struct sip){
        .v0 = key[0] ^ 0x736f6d6570736575u,
        .v1 = key[1] ^ 0x646f72616e646f6du,
        .v2 = key[0] ^ 0x6c7967656e657261u,
        .v3 = key[1] ^ 0x7465646279746573u,
    };
}

static ASIDE uint64_t hash(const uint64_t key[2], const void *data, size_t len,
                           int word_rounds, int final_rounds)
{
    const uint8_t *bytes = data;
    struct sip s = begin(key);
    uint64_t word;
    size_t whole = len & ~(size_t)7;

    for (size_t i = 0; i < whole; i += 8) {
        word = load64(bytes + i);
        s.v3 ^= word;
        rounds(&s, word_rounds);
        s.v0 ^= word;
    }
    word = load_tail(bytes + whole, len - whole) | (uint64_t)len << 56;
    s.v3 ^= word;
    rounds(&s, word_rounds);
    s.v0 ^= word;
    s.v2 ^= 0xff;
    rounds(&s, final_rounds);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

uint64_t siphash(const uint64_t key[2], const void *data, size_t len)
{
    return hash(key, data, len, 2, 4);
}

uint64_t siphash_1_3(const uint64_t key[2], const void *data, size_t len)
{
    return hash(key, data, len, 1, 3);
}

/* ... of 12 bytes, without a loop when the counts are constants. */
static INLINE uint64_t hash_of_12(const uint64_t key[2], const void *data,
                                  int word_rounds, int final_rounds)
{
    const uint64_t word[2] = {
        load64(data),
        load_tail((const uint8_t *)data + 8, 4) | (uint64_t)12 << 56,
    };
    struct sip s = begin(key);

#pragma GCC unroll 2
    for (size_t i = 0; i < 2; i++) {
        s.v3 ^= word[i];
#pragma GCC unroll 2
        for (int n = 0; n < word_rounds; n++)
            round_of(&s);
        s.v0 ^= word[i];
    }
    s.v2 ^= 0xff;
#pragma GCC unroll 4
    for (int n = 0; n < final_rounds; n++)
        round_of(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

uint64_t siphash_of_12(const uint64_t key[2], const void *data)
{
    return hash_of_12(key, data, 2, 4);
}

uint64_t siphash_1_3_of_12(const uint64_t key[2], const void *data)
{
    return hash_of_12(key, data, 1, 3);
}
