/*
 * tests/sim/packet.c - frames cut, read, repaired and printed.
 */
#include "tests/sim/packet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROTO_TCP = 6, HEADERS_MAX = PACKET_ETH + PACKET_IP + 60 };

struct packet *packet_new(uint32_t len)
{
    struct packet *packet = malloc(sizeof(*packet) + len);

    if (!packet)
        abort();
    *packet = (struct packet){.len = len};
    return packet;
}

struct packet *packet_copy(const struct packet *packet)
{
    struct packet *copy = packet_new(packet->len);

    memcpy(copy, packet, sizeof(*packet) + packet->len);
    return copy;
}

/* --- checksums ------------------------------------------------------------ */

uint32_t packet_sum(const uint8_t *data, size_t len, uint32_t sum)
{
    size_t i = 0;

    for (; i + 1 < len; i += 2)
        sum += (uint32_t)data[i] << 8 | data[i + 1];
    if (i < len)
        sum += (uint32_t)data[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

static uint32_t ip_len(const uint8_t *ip)
{
    return seg_get16(ip + 2);
}

/* Of the TCP segment with its pseudo header. */
static uint32_t tcp_sum(const uint8_t *ip)
{
    uint32_t len = ip_len(ip) - PACKET_IP;
    uint8_t pseudo[12] = {0};

    memcpy(pseudo, ip + 12, 8);
    pseudo[9] = PROTO_TCP;
    seg_put16(pseudo + 10, len);
    return packet_sum(ip + PACKET_IP, len, packet_sum(pseudo, 12, 0));
}

bool packet_ip_sum_ok(const struct packet *packet)
{
    return packet_sum(packet->bytes + PACKET_ETH, PACKET_IP, 0) == 0xffff;
}

bool packet_tcp_sum_ok(const struct packet *packet)
{
    return tcp_sum(packet->bytes + PACKET_ETH) == 0xffff;
}

void packet_repair(struct packet *packet)
{
    uint8_t *ip = packet_ip(packet);

    seg_put16(ip + 10, 0);
    seg_put16(ip + 10, ~packet_sum(ip, PACKET_IP, 0));
    if (!packet_is_tcp(packet))
        return;
    seg_put16(ip + PACKET_IP + 16, 0);
    seg_put16(ip + PACKET_IP + 16, ~tcp_sum(ip));
}

/* --- what a card sends ---------------------------------------------------- */

static struct packet *whole(const struct buffer *chain)
{
    struct packet *packet = packet_new(buffer_chain_len(chain));
    uint32_t start = chain->csum_start, sum;

    buffer_copy_out(chain, 0, packet->bytes, packet->len);
    if (!(chain->flags & BUFFER_CSUM_PARTIAL) || chain->flags & BUFFER_GSO_TCP4)
        return packet;
    sum = packet_sum(packet->bytes + start, packet->len - start, 0);
    seg_put16(packet->bytes + start + chain->csum_offset, ~sum);
    return packet;
}

/* Bytes [from, from + len) of the text of a large segment. */
static struct packet *slice(const struct packet *large, uint32_t headers,
                            uint32_t from, uint32_t len)
{
    struct packet *packet = packet_new(headers + len);
    uint8_t *ip = packet_ip(packet), *tcp = packet_tcp(packet);

    memcpy(packet->bytes, large->bytes, headers);
    memcpy(packet->bytes + headers, large->bytes + headers + from, len);
    seg_put16(ip + 2, headers + len - PACKET_ETH);
    seg_put32(tcp + 4, seg_get32(tcp + 4) + from);
    if (headers + from + len < large->len)
        tcp[13] &= (uint8_t) ~(SEG_FIN | SEG_PSH);
    if (from > 0)
        tcp[13] &= (uint8_t)~SEG_CWR;
    packet_repair(packet);
    return packet;
}

void packet_emit(const struct buffer *chain,
                 void (*each)(void *context, struct packet *packet),
                 void *context)
{
    struct packet *packet = whole(chain);
    uint32_t headers, text;

    if (!(chain->flags & BUFFER_GSO_TCP4)) {
        each(context, packet);
        return;
    }
    headers = PACKET_ETH + PACKET_IP + (packet_tcp(packet)[12] >> 4) * 4u;
    text = packet->len - headers;
    for (uint32_t from = 0; from < text; from += chain->gso_bytes) {
        uint32_t rest = text - from;

        each(context, slice(packet, headers, from,
                            rest < chain->gso_bytes ? rest : chain->gso_bytes));
    }
    free(packet);
}

/* --- reading -------------------------------------------------------------- */

bool packet_is_ip(const struct packet *packet)
{
    const uint8_t *ip = packet->bytes + PACKET_ETH;

    return packet->len >= PACKET_ETH + PACKET_IP &&
           seg_get16(packet->bytes + 12) == 0x0800 && ip[0] == 0x45 &&
           ip_len(ip) >= PACKET_IP && ip_len(ip) + PACKET_ETH <= packet->len;
}

bool packet_is_tcp(const struct packet *packet)
{
    const uint8_t *ip = packet->bytes + PACKET_ETH;

    return packet_is_ip(packet) && ip[9] == PROTO_TCP &&
           (seg_get16(ip + 6) & 0x3fff) == 0 && ip_len(ip) >= PACKET_IP + 20 &&
           (ip[PACKET_IP + 12] >> 4) * 4u >= 20 &&
           (ip[PACKET_IP + 12] >> 4) * 4u <= ip_len(ip) - PACKET_IP;
}

static void read_sacks(struct segment *seg, const uint8_t *at, size_t len)
{
    if ((len - 2) % 8 || len < 10 || len > 34)
        seg->well_formed = false;
    for (size_t i = 2; i + 8 <= len && seg->sacks < PACKET_SACKS; i += 8) {
        seg->sack[seg->sacks][0] = seg_get32(at + i);
        seg->sack[seg->sacks++][1] = seg_get32(at + i + 4);
    }
}

static void read_option(struct segment *seg, const uint8_t *at, size_t len)
{
    static const uint8_t lens[9] = {[2] = 4, [3] = 3, [4] = 2, [8] = 10};

    if (at[0] < 9 && lens[at[0]] && lens[at[0]] != len) {
        seg->well_formed = false;
        return;
    }
    switch (at[0]) {
    case 2:
        seg->has_mss = true;
        seg->mss = (uint16_t)seg_get16(at + 2);
        break;
    case 3:
        seg->has_shift = true;
        seg->shift = at[2];
        break;
    case 4:
        seg->has_sack_ok = true;
        break;
    case 5:
        read_sacks(seg, at, len);
        break;
    case 8:
        seg->has_ts = true;
        seg->ts_val = seg_get32(at + 2);
        seg->ts_ecr = seg_get32(at + 6);
        break;
    default:
        break;
    }
}

static void read_options(struct segment *seg, const uint8_t *at, size_t len)
{
    seg->well_formed = true;
    while (len > 0 && at[0] != 0) {
        size_t step = at[0] == 1 ? 1 : len > 1 ? at[1] : 0;

        if (step == 0 || step > len || (at[0] != 1 && step < 2)) {
            seg->well_formed = false;
            return;
        }
        if (at[0] != 1)
            read_option(seg, at, step);
        at += step;
        len -= step;
    }
}

bool packet_read(const struct packet *packet, struct segment *seg)
{
    const uint8_t *ip = packet->bytes + PACKET_ETH, *tcp = ip + PACKET_IP;
    uint32_t header;

    if (!packet_is_tcp(packet))
        return false;
    header = (tcp[12] >> 4) * 4u;
    *seg = (struct segment){
        .src = seg_get32(ip + 12),
        .dst = seg_get32(ip + 16),
        .src_port = (uint16_t)seg_get16(tcp),
        .dst_port = (uint16_t)seg_get16(tcp + 2),
        .seq = seg_get32(tcp + 4),
        .ack = seg_get32(tcp + 8),
        .flags = tcp[13],
        .window = (uint16_t)seg_get16(tcp + 14),
        .urgent = (uint16_t)seg_get16(tcp + 18),
        .ecn = ip[1] & 3,
        .text = tcp + header,
        .len = ip_len(ip) - PACKET_IP - header,
    };
    read_options(seg, tcp + 20, header - 20);
    return true;
}

/* --- for a person --------------------------------------------------------- */

void packet_print(const struct segment *seg, uint32_t seq_base,
                  uint32_t ack_base, char *out, size_t out_bytes)
{
    static const char letters[] = "FSRPAUEW";
    char flags[9] = "........", more[96] = "";
    int used = 0;

    for (unsigned i = 0; i < 8; i++)
        if (seg->flags & 1u << i)
            flags[i] = letters[i];
    for (unsigned i = 0; i < seg->sacks && used < (int)sizeof(more) - 30; i++)
        used +=
            snprintf(more + used, sizeof(more) - (size_t)used, " sack %u:%u",
                     seg->sack[i][0] - ack_base, seg->sack[i][1] - ack_base);
    snprintf(out, out_bytes, "%u.%u > %u.%u %s %u:%u ack %u win %u%s%s%s%s",
             seg->src >> 8 & 255, seg->src_port, seg->dst >> 8 & 255,
             seg->dst_port, flags, seg->seq - seq_base,
             seg->seq + seg->len - seq_base,
             seg->flags & SEG_ACK ? seg->ack - ack_base : 0, seg->window,
             seg->ecn == ECN_CE ? " CE"
             : seg->ecn         ? " ECT"
                                : "",
             seg->has_ts ? " ts" : "", seg->has_sack_ok ? " sackok" : "", more);
}
