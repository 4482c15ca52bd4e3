/*
 * net/checksum.h - the Internet checksum, over bytes and over chains.
 *
 * A running sum is a uint32_t that only these functions read: begin with 0 or
 * checksum_pseudo(), add, and finish. Pieces are added one after another; only
 * the last may have an odd length, except in a chain.
 *
 * Source: RFC 1071.
 */
#ifndef NET_CHECKSUM_H
#define NET_CHECKSUM_H

#include <string.h>

#include "kernel/base.h"
#include "net/addr.h"
#include "net/buffer.h"
#include "net/wire.h"

/* The sum of words that were added where no carry is lost: its halves added
 * together, as the upper half of itself and itself with its halves exchanged,
 * into which the lower half carries what the upper one loses. */
static inline uint32_t checksum_fold(uint64_t sum)
{
    return (uint32_t)((sum + (sum << 32 | sum >> 32)) >> 32);
}

/* ---- private: parts of the functions below ---- */

static inline uint16_t checksum_fold16(uint32_t sum)
{
    return (uint16_t)((sum + (sum << 16 | sum >> 16)) >> 16);
}

static inline uint32_t checksum_load32(const void *data)
{
    uint32_t word;

    memcpy(&word, data, sizeof(word));
    return word;
}

/* ---- */

/* The sum with `len` bytes added; the second copies them `to` where they do not
 * overlap, in the same pass. */
uint32_t checksum_add(uint32_t sum, const void *data, size_t len);
uint32_t checksum_copy(uint32_t sum, void *to, const void *data, size_t len);

/* Whether an IPv4 header without options adds up, whose first byte is not zero:
 * the sum of its words is then a multiple of 0xffff, for a carry that comes in
 * again below changes it by that. */
static inline bool checksum_ipv4_header_is_good(const void *header)
{
    const uint8_t *at = header;
    uint64_t sum = (uint64_t)checksum_load32(at) + checksum_load32(at + 4) +
                   checksum_load32(at + 8) + checksum_load32(at + 12) +
                   checksum_load32(at + 16);

    return sum % 0xffff == 0;
}

/* The sum with a chain's bytes from `offset` on added; views of any length. */
uint32_t checksum_chain(uint32_t sum, const struct buffer *chain,
                        uint32_t offset);

/* The same of `bytes` of them, which are there, and are copied `to` where they
 * do not overlap. */
uint32_t checksum_copy_out(uint32_t sum, const struct buffer *chain,
                           uint32_t offset, void *to, uint32_t bytes);

/* The sum with the pseudo header of TCP and UDP added, and of that alone: RFC
 * 9293 3.1, RFC 768. */
static inline uint32_t checksum_add_pseudo(uint32_t sum, struct ipv4_addr src,
                                           struct ipv4_addr dst,
                                           uint8_t protocol, uint32_t len)
{
    /* Zero, the protocol and the length, as they stand on the wire. */
    uint32_t last = (uint32_t)protocol << 8 |
                    (uint32_t)__builtin_bswap16((uint16_t)len) << 16;

    return checksum_fold((uint64_t)sum + src.word + dst.word + last);
}
static inline uint32_t checksum_pseudo(struct ipv4_addr src,
                                       struct ipv4_addr dst, uint8_t protocol,
                                       uint32_t len)
{
    return checksum_add_pseudo(0, src, dst, protocol, len);
}

/* The complement: what stands in a header's checksum field. */
static inline be16 checksum_finish(uint32_t sum)
{
    return (be16){(uint16_t)~checksum_fold16(sum)};
}

/* What stands in the field of a BUFFER_CSUM_PARTIAL packet: not complemented */
static inline be16 checksum_unfinished(uint32_t sum)
{
    return (be16){checksum_fold16(sum)};
}

/* Whether bytes that include their checksum add up. */
bool checksum_is_good(uint32_t sum);

/* Private: the second half of the next. */
bool checksum_transport_adds_up(struct ipv4_addr src, struct ipv4_addr dst,
                                uint8_t protocol, const struct buffer *segment);

/*
 * Whether a received TCP or UDP segment may be believed: the device says so
 * (BUFFER_CSUM_GOOD, BUFFER_CSUM_PARTIAL), or it adds up.
 */
static INLINE bool checksum_transport_ok(struct ipv4_addr src,
                                         struct ipv4_addr dst, uint8_t protocol,
                                         const struct buffer *segment)
{
    return segment->flags & (BUFFER_CSUM_GOOD | BUFFER_CSUM_PARTIAL) ||
           checksum_transport_adds_up(src, dst, protocol, segment);
}

#endif
