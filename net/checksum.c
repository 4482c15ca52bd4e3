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

/* Up to 7 bytes as the start of a word that zero bytes fill up; by lengths
 * that the compiler knows, for a call would cost more than the sum. */
static inline uint64_t load_tail(const uint8_t *bytes, size_t len)
{
    uint64_t sum = 0;
    uint16_t word = 0;

    if (len & 4) {
        sum = checksum_load32(bytes);
        bytes += 4;
    }
    if (len & 2) {
        memcpy(&word, bytes, 2);
        sum += word;
        bytes += 2;
    }
    if (len & 1) {
        word = 0;
        memcpy(&word, bytes, 1);
        sum += word;
    }
    return sum;
}

/* A sum, and the carries that have left it. */
struct carried {
    uint64_t sum, carries;
};

/* Eight bytes more: an addition, and one that counts its carry. */
static inline void add_word(struct carried *to, const uint8_t *at)
{
    to->carries += __builtin_add_overflow(to->sum, load64(at), &to->sum);
}

/* A cache line. Written out: a loop would double the instructions. */
static inline void add_line(struct carried *to, const uint8_t *at)
{
    add_word(to, at);
    add_word(to, at + 8);
    add_word(to, at + 16);
    add_word(to, at + 24);
    add_word(to, at + 32);
    add_word(to, at + 40);
    add_word(to, at + 48);
    add_word(to, at + 56);
}

uint32_t checksum_add(uint32_t sum, const void *data, size_t len)
{
    struct carried total = {sum, 0};
    const uint8_t *at = data;

    for (; len >= 128; len -= 128, at += 128) {
        add_line(&total, at);
        add_line(&total, at + 64);
    }
    for (; len >= 8; len -= 8, at += 8)
        add_word(&total, at);
    total.sum = add_carry(total.sum, total.carries);
    if (len > 0)
        total.sum = add_carry(total.sum, load_tail(at, len));
    return checksum_fold(total.sum);
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

uint32_t checksum_pseudo(struct ipv4_addr src, struct ipv4_addr dst,
                         uint8_t protocol, uint32_t len)
{
    /* Zero, the protocol and the length, as they stand on the wire. */
    uint32_t last = (uint32_t)protocol << 8 |
                    (uint32_t)__builtin_bswap16((uint16_t)len) << 16;

    return checksum_fold((uint64_t)src.word + dst.word + last);
}

be16 checksum_unfinished(uint32_t sum)
{
    return (be16){checksum_fold16(sum)};
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
