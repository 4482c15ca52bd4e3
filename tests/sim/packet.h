/*
 * tests/sim/packet.h - an Ethernet frame on the wire, and its reading.
 *
 * Reads and repairs IPv4, TCP and ICMP by arithmetic of its own: whoever
 * judges the stack by what is on the wire must not ask the stack.
 *
 * Source: RFC 791, RFC 9293 3.1, RFC 7323, RFC 2018, RFC 3168.
 */
#ifndef TESTS_SIM_PACKET_H
#define TESTS_SIM_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/buffer.h"

enum { PACKET_ETH = 14, PACKET_IP = 20, PACKET_SACKS = 4 };

enum {
    SEG_FIN = 1,
    SEG_SYN = 2,
    SEG_RST = 4,
    SEG_PSH = 8,
    SEG_ACK = 16,
    SEG_URG = 32,
    SEG_ECE = 64,
    SEG_CWR = 128
};

/* The ECN field of an IPv4 header. */
enum { ECN_NOT = 0, ECN_ECT1 = 1, ECN_ECT0 = 2, ECN_CE = 3 };

struct packet {
    uint64_t due_us; /* when it comes to the end of its hop */
    uint64_t order;  /* of sending: ties are broken by it */
    uint32_t len;
    uint8_t from, to; /* hosts */
    uint8_t hop;      /* of its path, see internet.c */
    bool spoiled;     /* a bit was turned over on the way */
    uint8_t bytes[];
};

/* A TCP segment as it is on the wire, in host order. */
struct segment {
    uint32_t src, dst;
    uint16_t src_port, dst_port;
    uint32_t seq, ack;
    uint16_t window, urgent;
    uint8_t flags, ecn;
    const uint8_t *text;
    uint32_t len; /* of text */
    /* options */
    bool has_mss, has_shift, has_sack_ok, has_ts, well_formed;
    uint8_t shift;
    uint16_t mss;
    uint32_t ts_val, ts_ecr;
    unsigned sacks;
    uint32_t sack[PACKET_SACKS][2];
};

static inline uint32_t seg_get16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static inline uint32_t seg_get32(const uint8_t *at)
{
    return seg_get16(at) << 16 | seg_get16(at + 2);
}

static inline void seg_put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline void seg_put32(uint8_t *at, uint32_t value)
{
    seg_put16(at, value >> 16);
    seg_put16(at + 2, value);
}

/* a comes before b, on the circle of numbers. */
static inline bool seg_before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

/* Numbers that a segment takes. */
static inline uint32_t seg_numbers(const struct segment *seg)
{
    return seg->len + (seg->flags & SEG_SYN ? 1u : 0) +
           (seg->flags & SEG_FIN ? 1u : 0);
}

/* A packet of `len` undefined bytes; freed with free(). */
struct packet *packet_new(uint32_t len);
struct packet *packet_copy(const struct packet *packet);

/*
 * What a card makes of a chain: checksums are finished, a large TCP segment is
 * cut into ordinary ones.
 *
 * each: gets every packet, in order, and owns it.
 */
void packet_emit(const struct buffer *chain,
                 void (*each)(void *context, struct packet *packet),
                 void *context);

/* Whether it is an IPv4 packet without options; with TCP in it. */
bool packet_is_ip(const struct packet *packet);
bool packet_is_tcp(const struct packet *packet);

static inline uint8_t *packet_ip(struct packet *packet)
{
    return packet->bytes + PACKET_ETH;
}

static inline uint8_t *packet_tcp(struct packet *packet)
{
    return packet->bytes + PACKET_ETH + PACKET_IP;
}

/* Read a packet that packet_is_tcp(). Returns: false when lengths are wrong. */
bool packet_read(const struct packet *packet, struct segment *seg);

/* Whether the checksum of the IPv4 header, of TCP, is right. */
bool packet_ip_sum_ok(const struct packet *packet);
bool packet_tcp_sum_ok(const struct packet *packet);

/* Make them right, whatever stands there. */
void packet_repair(struct packet *packet);

/* One's complement sum of bytes as 16-bit words, folded. */
uint32_t packet_sum(const uint8_t *data, size_t len, uint32_t sum);

/* "S.A. 0:0 ack 0 ..." for a person, numbers relative to the given ones. */
void packet_print(const struct segment *seg, uint32_t seq_base,
                  uint32_t ack_base, char *out, size_t out_bytes);

#endif
