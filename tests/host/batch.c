/*
 * tests/host/batch.c - a batch of frames with TCP in them.
 */
#include "tests/host/batch.h"

#include <string.h>

#include "net/gro.h"
#include "net/ipv4.h"
#include "tests/host/octets.h"
#include "tests/host/station.h"

enum { TOTAL = 16, ID = 18, SUM = 24, SRC = 26, TCP = 34, FLAGS = TCP + 13 };

void batch_init(struct batch *batch)
{
    *batch = (struct batch){0};
    batch->pool = hostnet_pool(&batch->host, 200);
    memdev_init(&batch->dev, (struct mac_addr){{2, 0, 0, 0, 0, 1}});
    batch->nif = (struct net_if){.dev = &batch->dev.dev,
                                 .addr = ipv4_addr_make(STATION_ADDR),
                                 .mtu_bytes = 1500};
}

/* --- putting -------------------------------------------------------------- */

void batch_put_raw(struct batch *batch, const void *bytes, uint32_t len,
                   uint32_t first_view, uint8_t buffer_flags)
{
    struct buffer *frame;

    ASSERT(batch->count < BATCH_FRAMES && len <= BATCH_FRAME_BYTES);
    if (first_view == 0 || first_view > len)
        first_view = len;
    frame = hostnet_chain(batch->pool, bytes, first_view);
    if (first_view < len)
        frame->next = hostnet_chain(
            batch->pool, (const uint8_t *)bytes + first_view, len - first_view);
    frame->flags = buffer_flags;
    if (batch->last)
        batch->last->link = frame;
    else
        batch->frames = frame;
    batch->last = frame;
    memcpy(batch->in[batch->count].bytes, bytes, len);
    batch->in[batch->count].trusted =
        buffer_flags & (BUFFER_CSUM_GOOD | BUFFER_CSUM_PARTIAL);
    batch->in[batch->count++].len = len;
}

/* The header with its options; returns its length. */
static uint32_t write_tcp(uint8_t *tcp, const struct batch_segment *segment)
{
    uint32_t bytes = segment->ts_val ? 32 : 20;

    put16(tcp, segment->port);
    put16(tcp + 2, 80);
    put32(tcp + 4, segment->seq);
    put32(tcp + 8, segment->ack);
    tcp[12] = (uint8_t)(bytes / 4 << 4);
    tcp[13] = segment->flags;
    put16(tcp + 14, segment->window);
    if (segment->ts_val) {
        put32(tcp + 20, 0x0101080a);
        put32(tcp + 24, segment->ts_val);
    }
    return bytes;
}

void batch_put(struct batch *batch, struct batch_segment segment)
{
    static const uint8_t ethernet[] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8};
    uint8_t frame[BATCH_FRAME_BYTES] = {0}, *ip = frame + 14, *tcp;
    uint32_t ip_bytes = 20 + segment.ip_options * 4u, bytes;

    memcpy(frame, ethernet, sizeof(ethernet));
    tcp = ip + ip_bytes;
    bytes = write_tcp(tcp, &segment);
    for (uint32_t i = 0; i < segment.text_bytes; i++)
        tcp[bytes++] = (uint8_t)((segment.seq + i) * 7 + (segment.seq >> 8));
    ip[0] = (uint8_t)(0x40 | ip_bytes / 4);
    ip[1] = segment.tos;
    put16(ip + 2, ip_bytes + bytes);
    put16(ip + 4, batch->count * 17);
    put16(ip + 6, segment.ip_flags);
    ip[8] = segment.ttl;
    ip[9] = 6;
    put32(ip + 12, STATION_PEER);
    put32(ip + 16, STATION_ADDR);
    memset(ip + 20, 1, ip_bytes - 20);
    put16(ip + 10, ~internet_sum(ip, ip_bytes, 0));
    put16(tcp + 16,
          ~internet_sum(tcp, bytes,
                        pseudo_sum(STATION_PEER, STATION_ADDR, 6, bytes)));
    if (segment.flip)
        frame[segment.flip] ^= 0x10;
    batch_put_raw(batch, frame, 14 + ip_bytes + bytes + segment.padding,
                  segment.first_view, segment.buffer_flags);
}

/* --- looking -------------------------------------------------------------- */

static unsigned first_unseen(const struct batch *batch)
{
    unsigned i = 0;

    while (i < batch->count && batch->in[i].seen)
        i++;
    return i;
}

/* Whether a frame is a segment of the same connection as another, which is
 * joined. What is none of IPv4's or TCP's may be overtaken, whatever stands
 * where a segment has its ports. */
static bool is_of_flow(const struct batch *batch, unsigned i, unsigned of)
{
    const uint8_t *frame = batch->in[i].bytes, *other = batch->in[of].bytes;
    uint32_t len = batch->in[i].len;
    struct ipv4_header ip;

    return len >= TCP + 20 && memcmp(frame, other, 6) == 0 &&
           memcmp(frame + 12, other + 12, 2) == 0 &&
           ipv4_header_parse(frame + 14, len - 14, len - 14, &ip) ==
               IPV4_GOOD &&
           ip.protocol == IPV4_PROTO_TCP &&
           memcmp(frame + SRC, other + SRC, 12) == 0;
}

/* The next frame of the connection of frame `of`. */
static unsigned next_of_flow(const struct batch *batch, unsigned of)
{
    unsigned i = of + 1;

    while (i < batch->count && (batch->in[i].seen || !is_of_flow(batch, i, of)))
        i++;
    return i;
}

static bool tcp_is_right(const uint8_t *frame, uint32_t len)
{
    uint32_t src = get32(frame + SRC), dst = get32(frame + SRC + 4);
    uint32_t bytes = len - TCP;

    return internet_sum(frame + TCP, bytes, pseudo_sum(src, dst, 6, bytes)) ==
           0xffff;
}

/* Assert that a joined packet's header fits the frame `i`, as one of several
 * segments: `text` bytes of them are from `from` of its text. */
static void check_piece(const struct batch *batch, unsigned i,
                        const uint8_t *head, uint32_t headers, uint32_t from,
                        bool last)
{
    uint8_t wanted[BATCH_HEADERS + 60];
    const uint8_t *frame = batch->in[i].bytes;
    uint32_t seq = get32(head + TCP + 4);

    memcpy(wanted, head, headers);
    put16(wanted + TOTAL, batch->in[i].len - 14);
    memcpy(wanted + ID, frame + ID, 2);
    memcpy(wanted + SUM, frame + SUM, 2);
    put32(wanted + TCP + 4, seq + from);
    memcpy(wanted + TCP + 16, frame + TCP + 16, 4); /* and no urgent pointer */
    if (!last)
        wanted[FLAGS] &= (uint8_t)~8;
    ASSERT(memcmp(wanted, frame, headers) == 0);
}

/* Take a joined packet apart. */
static void check_joined(struct batch *batch, const struct buffer *packet,
                         const uint8_t *bytes, uint32_t len)
{
    unsigned i = first_unseen(batch);
    uint32_t headers = TCP + (bytes[TCP + 12] >> 4) * 4u, at = headers;
    bool known = packet->flags & BUFFER_CSUM_GOOD;

    ASSERT(known && packet->flags & BUFFER_GSO_TCP4);
    ASSERT(get16(bytes + TOTAL) == len - 14);
    ASSERT(internet_sum(bytes + 14, 20, 0) == 0xffff);
    while (at < len) {
        uint32_t text =
            packet->gso_bytes < len - at ? packet->gso_bytes : len - at;

        ASSERT(i < batch->count && batch->in[i].len == headers + text);
        ASSERT(internet_sum(batch->in[i].bytes + 14, 20, 0) == 0xffff);
        ASSERT(batch->in[i].trusted ||
               tcp_is_right(batch->in[i].bytes, headers + text));
        check_piece(batch, i, bytes, headers, at - headers, at + text == len);
        ASSERT(memcmp(bytes + at, batch->in[i].bytes + headers, text) == 0);
        batch->in[i].seen = true;
        i = next_of_flow(batch, i);
        at += text;
    }
}

void batch_join(struct batch *batch)
{
    static uint8_t bytes[BATCH_HEADERS + 65536];

    uint32_t joined = gro_join(&batch->nif, batch->frames);

    for (struct buffer *packet = batch->frames; packet; packet = packet->link) {
        uint32_t len = buffer_copy_out(packet, 0, bytes, sizeof(bytes));
        unsigned i = first_unseen(batch);

        ASSERT(len == buffer_chain_len(packet) && i < batch->count);
        if (packet->flags & BUFFER_JOINED) {
            check_joined(batch, packet, bytes, len);
        } else {
            ASSERT(len == batch->in[i].len);
            ASSERT(memcmp(bytes, batch->in[i].bytes, len) == 0);
            batch->in[i].seen = true;
        }
        batch->left++;
    }
    ASSERT(first_unseen(batch) == batch->count);
    ASSERT(joined == batch->count - batch->left);
}

static const struct buffer *packet_at(const struct batch *batch, unsigned index)
{
    const struct buffer *packet = batch->frames;

    while (packet && index-- > 0)
        packet = packet->link;
    return packet;
}

uint32_t batch_text(const struct batch *batch, unsigned index)
{
    const struct buffer *packet = packet_at(batch, index);

    return packet ? buffer_chain_len(packet) - TCP -
                        (packet->data[TCP + 12] >> 4) * 4u
                  : 0;
}

uint32_t batch_segment_bytes(const struct batch *batch, unsigned index)
{
    const struct buffer *packet = packet_at(batch, index);

    return packet && packet->flags & BUFFER_JOINED ? packet->gso_bytes : 0;
}

size_t batch_end(struct batch *batch)
{
    buffer_release_queue(batch->frames);
    return batch->host.pages;
}
