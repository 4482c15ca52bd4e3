/*
 * net/checksum.c - the Internet checksum.
 *
 * Sums are of 16-bit words in the machine's own order: a one's complement sum
 * is the same in any order, and its bytes in memory are then the right ones
 * (RFC 1071 2, B). Eight bytes at a time, with the carry added back.
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

uint32_t checksum_add(uint32_t sum, const void *data, size_t len)
{
    const uint8_t *at = data;
    uint64_t even = sum, odd = 0;

    for (; len >= 32; len -= 32, at += 32) {
        even = add_carry(even, load64(at));
        odd = add_carry(odd, load64(at + 8));
        even = add_carry(even, load64(at + 16));
        odd = add_carry(odd, load64(at + 24));
    }
    for (; len >= 8; len -= 8, at += 8)
        even = add_carry(even, load64(at));
    if (len > 0)
        odd = add_carry(odd, load_tail(at, len));
    return checksum_fold(add_carry(even, odd));
}

uint32_t checksum_copy(uint32_t sum, void *to, const void *from, size_t len)
{
    const uint8_t *at = from;
    uint8_t *out = to;
    uint64_t total = sum;

    for (; len >= 8; len -= 8, at += 8, out += 8) {
        uint64_t word = load64(at);

        memcpy(out, &word, sizeof(word));
        total = add_carry(total, word);
    }
    if (len > 0) {
        memcpy(out, at, len);
        total = add_carry(total, load_tail(at, len));
    }
    return checksum_fold(total);
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

bool checksum_transport_ok(struct ipv4_addr src, struct ipv4_addr dst,
                           uint8_t protocol, const struct buffer *segment)
{
    uint32_t sum;

    if (segment->flags & (BUFFER_CSUM_GOOD | BUFFER_CSUM_PARTIAL))
        return true;
    sum = checksum_pseudo(src, dst, protocol, buffer_chain_len(segment));
    return checksum_is_good(checksum_chain(sum, segment, 0));
}
