/*
 * net/checksum.c - the Internet checksum.
 *
 * Sums are of 16-bit words in the machine's own order: a one's complement sum
 * is the same in any order, and its bytes in memory are then the right ones
 * (RFC 1071 2, B). Eight bytes at a time; the carries are added at the end.
 */
#include "net/checksum.h"

#include <string.h>

static inline uint64_t add_carry(uint64_t sum, uint64_t word)
{
    sum += word;
    return sum + (sum < word);
}

static inline uint64_t load64(const void *data)
{
    uint64_t word;

    memcpy(&word, data, sizeof(word));
    return word;
}

/* A sum, and the carries that have left it. */
struct carried {
    uint64_t sum, carries;
};

/* Eight bytes more: an addition, and one that counts its carry. */
static INLINE void add_word(struct carried *total, const uint8_t *at)
{
    total->carries +=
        __builtin_add_overflow(total->sum, load64(at), &total->sum);
}

/* 32 bytes, written out, for a loop would double the instructions. `copies`:
 * `to` another place too, in registers that are twice as wide. */
static INLINE void add_block(struct carried *total, uint8_t *to,
                             const uint8_t *at, bool copies)
{
    if (copies) {
        memcpy(to, at, 16);
        memcpy(to + 16, at + 16, 16);
    }
    add_word(total, at);
    add_word(total, at + 8);
    add_word(total, at + 16);
    add_word(total, at + 24);
}

static INLINE void add_line_pair(struct carried *total, uint8_t *to,
                                 const uint8_t *at, bool copies)
{
    add_block(total, to, at, copies);
    add_block(total, copies ? to + 32 : to, at + 32, copies);
    add_block(total, copies ? to + 64 : to, at + 64, copies);
    add_block(total, copies ? to + 96 : to, at + 96, copies);
}

/* Up to 7 bytes as the start of a word that zero bytes fill up; by lengths
 * that the compiler knows, for a call would cost more than the sum. */
static INLINE uint64_t load_tail(uint8_t *to, const uint8_t *at, size_t len,
                                 bool copies)
{
    size_t fours = len & 4, twos = len & 2;
    uint64_t sum = 0;
    uint16_t word = 0;

    if (fours) {
        sum = checksum_load32(at);
        if (copies)
            memcpy(to, at, 4);
    }
    if (twos) {
        memcpy(&word, at + fours, 2);
        sum += word;
        if (copies)
            memcpy(to + fours, &word, 2);
    }
    if (len & 1) {
        sum += at[fours + twos];
        if (copies)
            to[fours + twos] = at[fours + twos];
    }
    return sum;
}

/* The sum with bytes added, which are copied or (to: null) not. */
static INLINE uint32_t add_bytes(uint32_t sum, uint8_t *to, const uint8_t *at,
                                 size_t len, bool copies)
{
    struct carried total = {sum, 0};

    for (; len >= 128; len -= 128, at += 128) {
        add_line_pair(&total, to, at, copies);
        to = copies ? to + 128 : to;
    }
    for (; len >= 32; len -= 32, at += 32) {
        add_block(&total, to, at, copies);
        to = copies ? to + 32 : to;
    }
    for (; len >= 8; len -= 8, at += 8) {
        if (copies)
            memcpy(to, at, 8);
        add_word(&total, at);
        to = copies ? to + 8 : to;
    }
    total.sum = add_carry(total.sum, total.carries);
    if (len > 0)
        total.sum = add_carry(total.sum, load_tail(to, at, len, copies));
    return checksum_fold(total.sum);
}

uint32_t checksum_add(uint32_t sum, const void *data, size_t len)
{
    return add_bytes(sum, NULL, data, len, false);
}

uint32_t checksum_copy(uint32_t sum, void *to, const void *data, size_t len)
{
    return add_bytes(sum, to, data, len, true);
}

static inline uint32_t swap_bytes(uint32_t sum)
{
    return __builtin_bswap16(checksum_fold16(sum));
}

uint32_t checksum_chain(uint32_t sum, const struct buffer *chain,
                        uint32_t offset)
{
    bool odd = false;

    for (const struct buffer *buf = chain; buf; buf = buf->next) {
        uint32_t len, part;

        if (offset >= buf->len) {
            offset -= buf->len;
            continue;
        }
        len = buf->len - offset;
        part = checksum_add(0, buf->data + offset, len);
        sum = checksum_fold((uint64_t)sum + (odd ? swap_bytes(part) : part));
        odd ^= len & 1;
        offset = 0;
    }
    return sum;
}

COLD uint32_t checksum_copy_out(uint32_t sum, const struct buffer *chain,
                                uint32_t offset, void *to, uint32_t bytes)
{
    uint32_t done = 0;

    for (const struct buffer *buf = chain; buf && done < bytes;
         buf = buf->next) {
        uint32_t len, part;

        if (offset >= buf->len) {
            offset -= buf->len;
            continue;
        }
        len = buf->len - offset;
        if (len > bytes - done)
            len = bytes - done;
        part = checksum_copy(0, (uint8_t *)to + done, buf->data + offset, len);
        sum =
            checksum_fold((uint64_t)sum + (done & 1 ? swap_bytes(part) : part));
        done += len;
        offset = 0;
    }
    ASSERT(done == bytes);
    return sum;
}

bool checksum_is_good(uint32_t sum)
{
    return checksum_fold16(sum) == 0xffff;
}

bool checksum_transport_adds_up(struct ipv4_addr src, struct ipv4_addr dst,
                                uint8_t protocol, const struct buffer *segment)
{
    uint32_t sum =
        checksum_pseudo(src, dst, protocol, buffer_chain_len(segment));
    return checksum_is_good(checksum_chain(sum, segment, 0));
}
