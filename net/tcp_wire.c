/*
 * net/tcp_wire.c - one parse and one emit for the TCP header.
 *
 * Options are data from a stranger: the length is checked against what is
 * left before anything is read, each known option only at its exact length,
 * and every step takes at least one byte, so forty bytes bound the loop.
 *
 * Source: RFC 9293 3.1, 3.2; RFC 7323 2.2, 3.2; RFC 2018 2, 3.
 */
#include "net/tcp_wire.h"

#include <string.h>

enum tcp_option {
    OPTION_END = 0,
    OPTION_NOP = 1,
    OPTION_MSS = 2,
    OPTION_WINDOW_SCALE = 3,
    OPTION_SACK_PERMITTED = 4,
    OPTION_SACK = 5,
    OPTION_TIMESTAMPS = 8
};

enum {
    OPTION_MSS_BYTES = 4,
    OPTION_WINDOW_SCALE_BYTES = 3,
    OPTION_SACK_PERMITTED_BYTES = 2,
    OPTION_TIMESTAMPS_BYTES = 10,
    OPTION_SACK_HEAD_BYTES = 2
};

static uint32_t get32(const uint8_t *at)
{
    be32 value;

    memcpy(&value, at, sizeof(value));
    return be32_get(value);
}

/* One to four blocks, and nothing beside them. */
static bool take_sack(struct tcp_seg *seg, const uint8_t *option, uint8_t len)
{
    uint32_t blocks =
        (uint32_t)(len - OPTION_SACK_HEAD_BYTES) / TCP_SACK_BLOCK_BYTES;

    if (blocks < 1 || blocks > TCP_SACK_BLOCKS_MAX ||
        len != OPTION_SACK_HEAD_BYTES + blocks * TCP_SACK_BLOCK_BYTES)
        return false;
    if (seg->sack_count)
        return true;
    option += OPTION_SACK_HEAD_BYTES;
    for (uint32_t i = 0; i < blocks; i++, option += TCP_SACK_BLOCK_BYTES)
        seg->sack[i] = (struct tcp_sack){get32(option), get32(option + 4)};
    seg->sack_count = (uint8_t)blocks;
    return true;
}

static bool take_timestamps(struct tcp_seg *seg, const uint8_t *option,
                            uint8_t len)
{
    if (len != OPTION_TIMESTAMPS_BYTES)
        return false;
    if (seg->has_timestamps)
        return true;
    seg->ts_val = get32(option + 2);
    seg->ts_ecr = get32(option + 6);
    seg->has_timestamps = true;
    return true;
}

static bool take_mss(struct tcp_seg *seg, const uint8_t *option, uint8_t len)
{
    if (len != OPTION_MSS_BYTES)
        return false;
    if (!seg->has_mss)
        seg->mss = (uint16_t)(option[2] << 8 | option[3]);
    seg->has_mss = true;
    return true;
}

static bool take_shift(struct tcp_seg *seg, const uint8_t *option, uint8_t len)
{
    if (len != OPTION_WINDOW_SCALE_BYTES)
        return false;
    if (!seg->has_shift)
        seg->shift = option[2] < TCP_WINDOW_SHIFT_MAX
                         ? option[2]
                         : TCP_WINDOW_SHIFT_MAX; /* RFC 7323 2.3 */
    seg->has_shift = true;
    return true;
}

/* One option of `len` bytes, kind and length included. False: its length is
 * not the one that this kind has. */
static bool take_option(struct tcp_seg *seg, const uint8_t *option, uint8_t len)
{
    switch (option[0]) {
    case OPTION_MSS:
        return take_mss(seg, option, len);
    case OPTION_WINDOW_SCALE:
        return take_shift(seg, option, len);
    case OPTION_SACK_PERMITTED:
        if (len != OPTION_SACK_PERMITTED_BYTES)
            return false;
        seg->sack_permitted = true;
        return true;
    case OPTION_SACK:
        return take_sack(seg, option, len);
    case OPTION_TIMESTAMPS:
        return take_timestamps(seg, option, len);
    default:
        return true; /* MUST-6 */
    }
}

/* NOP, NOP, timestamps and nothing else: RFC 7323 A, what nearly every segment
 * of a connection with timestamps has. */
static bool parse_usual(struct tcp_seg *seg, const uint8_t *data, uint32_t len)
{
    return len == TCP_TIMESTAMPS_BYTES && get32(data) == TCP_TIMESTAMPS_HEAD &&
           take_timestamps(seg, data + 2, OPTION_TIMESTAMPS_BYTES);
}

/* MSS, SACK permitted, timestamps, NOP, window scale: what nearly every SYN has
 * of a peer with timestamps. */
static bool parse_usual_syn(struct tcp_seg *seg, const uint8_t *data,
                            uint32_t len)
{
    enum { BYTES = 20, MSS = 0x0204, SACK_AND_STAMP = 0x0402080a };
    enum { NOP_AND_SCALE = 0x010303 };

    if (len != BYTES || get32(data) >> 16 != MSS ||
        get32(data + 4) != SACK_AND_STAMP ||
        get32(data + 16) >> 8 != NOP_AND_SCALE)
        return false;
    seg->sack_permitted = true;
    return take_mss(seg, data, OPTION_MSS_BYTES) &&
           take_timestamps(seg, data + 6, OPTION_TIMESTAMPS_BYTES) &&
           take_shift(seg, data + 17, OPTION_WINDOW_SCALE_BYTES);
}

static void parse_options(struct tcp_seg *seg, const uint8_t *data,
                          uint32_t len)
{
    uint32_t at = 0;

    if (parse_usual(seg, data, len) || parse_usual_syn(seg, data, len))
        return;
    while (at < len && data[at] != OPTION_END) {
        if (data[at] == OPTION_NOP) {
            at++;
            continue;
        }
        if (len - at < 2 || data[at + 1] < 2 || data[at + 1] > len - at) {
            seg->bad_option = true; /* nothing after this can be trusted */
            return;
        }
        if (!take_option(seg, &data[at], data[at + 1]))
            seg->bad_option = true;
        at += data[at + 1];
    }
}

enum tcp_parse_status tcp_parse(const uint8_t *data, uint32_t len,
                                struct tcp_seg *seg)
{
    const struct tcp_header *header = (const struct tcp_header *)data;
    enum tcp_parse_status status = tcp_header_status(data, len);
    uint32_t header_bytes;

    if (status != TCP_PARSE_OK)
        return status;
    header_bytes = tcp_header_bytes(header);
    *seg = (struct tcp_seg){
        .seq = be32_get(header->seq),
        .ack = be32_get(header->ack),
        .text_bytes = len - header_bytes,
        .src_port = be16_get(header->src_port),
        .dst_port = be16_get(header->dst_port),
        .window = be16_get(header->window),
        .urgent = be16_get(header->urgent),
        .flags = header->flags,
        .header_bytes = (uint8_t)header_bytes,
    };
    if (header_bytes > sizeof(*header))
        parse_options(seg, data + sizeof(*header),
                      header_bytes - (uint32_t)sizeof(*header));
    return TCP_PARSE_OK;
}

uint8_t tcp_emit_bytes(const struct tcp_seg *seg)
{
    uint32_t bytes = TCP_HEADER_BYTES;

    if (seg->has_mss)
        bytes += OPTION_MSS_BYTES;
    if (seg->has_timestamps)
        bytes += TCP_TIMESTAMPS_BYTES; /* SACK permitted stands in its NOPs */
    else if (seg->sack_permitted)
        bytes += 2 + OPTION_SACK_PERMITTED_BYTES;
    if (seg->has_shift)
        bytes += 1 + OPTION_WINDOW_SCALE_BYTES;
    if (seg->sack_count)
        bytes += TCP_SACK_BYTES + seg->sack_count * TCP_SACK_BLOCK_BYTES;
    return (uint8_t)bytes;
}

/* SACK permitted, or two NOPs: what aligns an option of ten bytes. */
static uint8_t *emit_pair(uint8_t *out, bool sack_permitted)
{
    *out++ = sack_permitted ? OPTION_SACK_PERMITTED : OPTION_NOP;
    *out++ = sack_permitted ? OPTION_SACK_PERMITTED_BYTES : OPTION_NOP;
    return out;
}

static void emit_sack(uint8_t *out, const struct tcp_seg *seg)
{
    out = emit_pair(out, false);
    *out++ = OPTION_SACK;
    *out++ = (uint8_t)(OPTION_SACK_HEAD_BYTES +
                       seg->sack_count * TCP_SACK_BLOCK_BYTES);
    for (uint32_t i = 0; i < seg->sack_count; i++) {
        out = tcp_put32(out, seg->sack[i].start);
        out = tcp_put32(out, seg->sack[i].end);
    }
}

static void emit_options(uint8_t *out, const struct tcp_seg *seg)
{
    if (seg->has_mss) {
        *out++ = OPTION_MSS;
        *out++ = OPTION_MSS_BYTES;
        *out++ = (uint8_t)(seg->mss >> 8);
        *out++ = (uint8_t)seg->mss;
    }
    if (seg->has_timestamps) {
        tcp_timestamps_put(out, seg);
        if (seg->sack_permitted) /* in place of the NOPs */
            emit_pair(out, true);
        out += TCP_TIMESTAMPS_BYTES;
    } else if (seg->sack_permitted) {
        out = emit_pair(out, false);
        out = emit_pair(out, true);
    }
    if (seg->has_shift) {
        *out++ = OPTION_NOP;
        *out++ = OPTION_WINDOW_SCALE;
        *out++ = OPTION_WINDOW_SCALE_BYTES;
        *out++ = seg->shift;
    }
    if (seg->sack_count)
        emit_sack(out, seg);
}

void tcp_emit(uint8_t *out, const struct tcp_seg *seg)
{
    ASSERT(seg->header_bytes <= TCP_HEADER_BYTES_MAX);
    tcp_header_put(out, seg, seg->header_bytes);
    if (seg->header_bytes > TCP_HEADER_BYTES)
        emit_options(out + TCP_HEADER_BYTES, seg);
}
