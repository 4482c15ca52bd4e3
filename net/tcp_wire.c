/*
 * net/tcp_wire.c - one parse and one emit for the TCP header.
 *
 * Options are data from a stranger: the length is checked against what is
 * left before anything is read, each known option only at its exact length,
 * and every step takes at least one byte, so forty bytes bound the loop.
 *
 * Source: RFC 9293 3.1, 3.2; RFC 7323 2.2.
 */
#include "net/tcp_wire.h"

#include <string.h>

enum tcp_option {
    OPTION_END = 0,
    OPTION_NOP = 1,
    OPTION_MSS = 2,
    OPTION_WINDOW_SCALE = 3
};

enum {
    OPTION_MSS_BYTES = 4,
    OPTION_WINDOW_SCALE_BYTES = 3,
    FLAGS_KNOWN = 0x3f /* ECE and CWR are left to ECN */
};

/* One option of `len` bytes, kind and length included. False: its length is
 * not the one that this kind has. */
static bool take_option(struct tcp_seg *seg, const uint8_t *option, uint8_t len)
{
    switch (option[0]) {
    case OPTION_MSS:
        if (len != OPTION_MSS_BYTES)
            return false;
        if (!seg->has_mss)
            seg->mss = (uint16_t)(option[2] << 8 | option[3]);
        seg->has_mss = true;
        return true;
    case OPTION_WINDOW_SCALE:
        if (len != OPTION_WINDOW_SCALE_BYTES)
            return false;
        if (!seg->has_shift)
            seg->shift = option[2] < TCP_WINDOW_SHIFT_MAX
                             ? option[2]
                             : TCP_WINDOW_SHIFT_MAX; /* RFC 7323 2.3 */
        seg->has_shift = true;
        return true;
    default:
        return true; /* MUST-6 */
    }
}

static void parse_options(struct tcp_seg *seg, const uint8_t *data,
                          uint32_t len)
{
    uint32_t at = 0;

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
    struct tcp_header header;
    uint32_t header_bytes;

    if (len < sizeof(header))
        return TCP_PARSE_SHORT;
    memcpy(&header, data, sizeof(header));
    header_bytes = (uint32_t)(header.data_offset >> 4) * 4;
    if (header_bytes < sizeof(header) || header_bytes > len)
        return TCP_PARSE_HEADER_LEN;

    *seg = (struct tcp_seg){
        .seq = be32_get(header.seq),
        .ack = be32_get(header.ack),
        .text_bytes = len - header_bytes,
        .src_port = be16_get(header.src_port),
        .dst_port = be16_get(header.dst_port),
        .window = be16_get(header.window),
        .flags = header.flags & FLAGS_KNOWN,
        .header_bytes = (uint8_t)header_bytes,
    };
    if (header_bytes > sizeof(header))
        parse_options(seg, data + sizeof(header),
                      header_bytes - (uint32_t)sizeof(header));
    return TCP_PARSE_OK;
}

uint8_t tcp_emit_bytes(const struct tcp_seg *seg)
{
    return (uint8_t)(TCP_HEADER_BYTES + (seg->has_mss ? OPTION_MSS_BYTES : 0) +
                     (seg->has_shift ? 1 + OPTION_WINDOW_SCALE_BYTES : 0));
}

void tcp_emit(uint8_t *out, const struct tcp_seg *seg)
{
    struct tcp_header header = {
        .src_port = be16_make(seg->src_port),
        .dst_port = be16_make(seg->dst_port),
        .seq = be32_make(seg->seq),
        .ack = be32_make(seg->ack),
        .data_offset = (uint8_t)(tcp_emit_bytes(seg) / 4 << 4),
        .flags = seg->flags,
        .window = be16_make(seg->window),
        .checksum = be16_make(seg->checksum),
    };

    memcpy(out, &header, sizeof(header));
    out += sizeof(header);
    if (seg->has_mss) {
        *out++ = OPTION_MSS;
        *out++ = OPTION_MSS_BYTES;
        *out++ = (uint8_t)(seg->mss >> 8);
        *out++ = (uint8_t)seg->mss;
    }
    if (seg->has_shift) {
        *out++ = OPTION_NOP;
        *out++ = OPTION_WINDOW_SCALE;
        *out++ = OPTION_WINDOW_SCALE_BYTES;
        *out++ = seg->shift;
    }
}
