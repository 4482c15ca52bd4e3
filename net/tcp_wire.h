/*
 * net/tcp_wire.h - the TCP header and its options, on the wire and as values.
 *
 * Past tcp_parse() only host-order structs exist. Deliberately not here: the
 * checksum (net/checksum.h), and whether a value makes sense for a connection.
 *
 * Source: RFC 9293 3.1, 3.2; RFC 7323 2.2 (window scale), 3.2 (timestamps);
 * RFC 2018 2, 3 (SACK).
 */
#ifndef NET_TCP_WIRE_H
#define NET_TCP_WIRE_H

#include <string.h>

#include "kernel/base.h"
#include "net/wire.h"

enum tcp_flag {
    TCP_FIN = 1 << 0,
    TCP_SYN = 1 << 1,
    TCP_RST = 1 << 2,
    TCP_PSH = 1 << 3,
    TCP_ACK = 1 << 4,
    TCP_URG = 1 << 5,
    TCP_ECE = 1 << 6, /* RFC 3168 6.1 */
    TCP_CWR = 1 << 7
};

enum {
    TCP_HEADER_BYTES = 20,
    TCP_HEADER_BYTES_MAX = 60,
    TCP_CHECKSUM_OFFSET = 16, /* of the field, from the header's first byte */
    TCP_MSS_DEFAULT = 536,    /* MUST-15 */
    /* The least that we send in a segment, text and options. A peer that asks
     * for less makes us amplify headers (CVE-2019-11479, CVE-2018-16523); RFC
     * 791 lets nobody take less than 68 bytes of packet, which nobody does
     * over IPv4. */
    TCP_MSS_MIN = 64,
    TCP_WINDOW_SHIFT_MAX = 14, /* RFC 7323 2.3 */
    TCP_SACK_BLOCKS_MAX = 4,   /* what forty bytes of options hold */
    /* What options take up in a segment, with the NOPs before them. */
    TCP_TIMESTAMPS_BYTES = 12,
    TCP_SACK_BYTES = 4, /* and for each block: */
    TCP_SACK_BLOCK_BYTES = 8
};

struct tcp_header {
    be16 src_port, dst_port;
    be32 seq, ack;
    uint8_t data_offset; /* words, in the upper four bits; the rest reserved */
    uint8_t flags;
    be16 window;
    be16 checksum;
    be16 urgent;
};

_Static_assert(sizeof(struct tcp_header) == TCP_HEADER_BYTES, "no padding");

/* Timestamps as they stand when they are alone: RFC 7323 A. */
struct tcp_timestamps {
    be32 head; /* TCP_TIMESTAMPS_HEAD */
    be32 val, ecr;
};

enum { TCP_TIMESTAMPS_HEAD = 0x0101080a /* NOP, NOP, kind 8, ten bytes */ };

_Static_assert(sizeof(struct tcp_timestamps) == TCP_TIMESTAMPS_BYTES,
               "no padding");

static inline const struct tcp_timestamps *
tcp_timestamps_of(const struct tcp_header *header)
{
    return (const struct tcp_timestamps *)(header + 1);
}

/* Numbers [start, end) that a receiver has. As parsed: any values at all. */
struct tcp_sack {
    uint32_t start, end;
};

/* A header in host order, as parsed or to be emitted. */
struct tcp_seg {
    uint32_t seq, ack;
    uint32_t text_bytes;
    uint16_t src_port, dst_port;
    uint16_t window; /* as on the wire: not scaled */
    be16 checksum;   /* emit only: as it stands in the field */
    uint16_t urgent; /* the pointer, from seq; whatever TCP_URG says */
    uint8_t flags;   /* enum tcp_flag */
    uint8_t header_bytes;
    /* Options. Values of those that were there; parse: the first counts. */
    bool has_mss, has_shift, has_timestamps;
    bool sack_permitted;
    bool bad_option;    /* parse only: a malformed one was not read */
    uint8_t shift;      /* at most TCP_WINDOW_SHIFT_MAX */
    uint8_t sack_count; /* 0: none */
    uint16_t mss;       /* any value at all */
    uint32_t ts_val, ts_ecr;
    struct tcp_sack sack[TCP_SACK_BLOCKS_MAX];
};

enum tcp_parse_status {
    TCP_PARSE_OK,
    TCP_PARSE_SHORT,     /* less than a header */
    TCP_PARSE_HEADER_LEN /* data offset below 5, or past `len` */
};

static inline uint32_t tcp_header_bytes(const struct tcp_header *header)
{
    return (uint32_t)header->data_offset >> 2 & ~3u;
}

/* Both ports, the destination's in the lower half. */
static inline uint32_t tcp_header_ports(const struct tcp_header *header)
{
    uint32_t ports;

    memcpy(&ports, header, sizeof(ports));
    return __builtin_bswap32(ports);
}

/* Whether `len` contiguous bytes are a header with all of its options. */
static inline enum tcp_parse_status tcp_header_status(const uint8_t *data,
                                                      uint32_t len)
{
    const struct tcp_header *header = (const struct tcp_header *)data;
    uint32_t bytes;

    if (len < sizeof(*header))
        return TCP_PARSE_SHORT;
    bytes = tcp_header_bytes(header);
    return bytes < sizeof(*header) || bytes > len ? TCP_PARSE_HEADER_LEN
                                                  : TCP_PARSE_OK;
}

/*
 * Read a header and its options.
 *
 * data:    `len` contiguous bytes; text may follow the header.
 * seg:     set on TCP_PARSE_OK, text_bytes to len less the header.
 * Returns: every tcp_parse_status. A malformed option is no failure: it ends
 *          the reading of options (MUST-7), as Linux does.
 */
MUST_CHECK enum tcp_parse_status tcp_parse(const uint8_t *data, uint32_t len,
                                           struct tcp_seg *seg);

/* Bytes that tcp_emit() will write for `seg`. */
uint8_t tcp_emit_bytes(const struct tcp_seg *seg);

/*
 * Write the header and options of `seg`, in the order and with the padding of
 * Linux: MSS, SACK permitted, timestamps, NOP, window scale; SACK last. At most
 * forty bytes of options, which is three SACK blocks beside timestamps.
 *
 * seg: header_bytes is what tcp_emit_bytes() says; text_bytes is not read.
 */
void tcp_emit(uint8_t *out, const struct tcp_seg *seg);

/* ---- parts of it, for who sends nothing else ---- */

static INLINE uint8_t *tcp_put32(uint8_t *at, uint32_t number)
{
    be32 value = be32_make(number);

    memcpy(at, &value, sizeof(value));
    return at + sizeof(value);
}

/* A header without options, or with those that follow it. */
static INLINE void tcp_header_put(uint8_t *out, const struct tcp_seg *seg,
                                  uint32_t header_bytes)
{
    be32 last;

    out = tcp_put32(out, (uint32_t)seg->src_port << 16 | seg->dst_port);
    out = tcp_put32(out, seg->seq);
    out = tcp_put32(out, seg->ack);
    out = tcp_put32(out, header_bytes / 4 << 28 | (uint32_t)seg->flags << 16 |
                             seg->window);
    /* One store: the checksum is as it stands already. */
    last.swapped =
        seg->checksum.swapped | (uint32_t)be16_make(seg->urgent).swapped << 16;
    memcpy(out, &last, sizeof(last));
}

/* Two NOPs and the timestamps: TCP_TIMESTAMPS_BYTES. */
static INLINE void tcp_timestamps_put(uint8_t *out, const struct tcp_seg *seg)
{
    out = tcp_put32(out, TCP_TIMESTAMPS_HEAD);
    out = tcp_put32(out, seg->ts_val);
    tcp_put32(out, seg->ts_ecr);
}

/* Numbers of sequence space that a segment takes up. */
static inline uint32_t tcp_seg_len(const struct tcp_seg *seg)
{
    return seg->text_bytes + (seg->flags >> 1 & 1u) + (seg->flags & 1u);
}

#endif
