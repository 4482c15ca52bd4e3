/*
 * net/gro.c - segments that came one by one, joined before IP sees them.
 *
 * Joined is what a sender with segmentation offload would have sent as one:
 * text of one connection without a gap, in segments of one size but for the
 * last, and everything else in the headers alike. So nothing is lost that a
 * layer above would have looked at. A segment is joined when both checksums
 * are right and its IP header is plain; whatever else it may be, it goes the
 * ordinary way and is judged, counted and dropped there.
 *
 * Deliberately not here: joining across batches, which would delay segments.
 */
#include "net/gro.h"

#include <string.h>

#include "net/checksum.h"
#include "net/ethernet.h"
#include "net/interface.h"
#include "net/ipv4.h"
#include "net/tcp_wire.h"

enum {
    FLOWS_MAX = 8, /* connections that are joined at a time */
    LOWER_BYTES = ETHERNET_HEADER_BYTES + IPV4_HEADER_BYTES,
    FLAGS_AT = ETHERNET_HEADER_BYTES + 6,
    FLAG_RESERVED = 0x80 /* must be zero, RFC 791 3.1: nobody sends it */
};

/* What a frame is to those that are being joined. */
enum kind {
    KIND_OTHER, /* of no connection of ours */
    KIND_ODD,   /* perhaps of any of them: none may be overtaken */
    KIND_ENDS,  /* of a connection, but not to be joined */
    KIND_TEXT   /* to be joined, if its checksum is right */
};

/* A segment as it lies in its frame. */
struct segment {
    struct buffer *frame;
    struct tcp_header *tcp; /* in the frame's first view, options behind it */
    struct ipv4_header ip;
    uint32_t header_bytes; /* of TCP */
    uint32_t text_bytes;
};

/* A connection whose segments are being joined. */
struct flow {
    struct segment first; /* frame null: nothing is */
    struct buffer *last;  /* view */
    uint32_t next_seq;
    uint32_t ip_bytes; /* of all that is joined */
    uint8_t flags;     /* of TCP */
};

struct gro {
    const struct net_if *nif;
    unsigned count;  /* of `flow`, in use now or before */
    unsigned live;   /* of these, in use now */
    unsigned oldest; /* the one that makes room for another */
    struct flow flow[FLOWS_MAX];
};

/* --- one segment ---------------------------------------------------------- */

/* At a glance: a frame that is not joined to others. So a packet of 64 KiB has
 * no more than some seventy views. */
static bool is_small(const struct buffer *frame)
{
    return frame->len < BUFFER_LARGE_BYTES / 2;
}

/* Whether a frame fills its memory so well that joining it to others, which are
 * not copied together any more, wastes none. */
static bool is_large(const struct buffer *frame)
{
    return !is_small(frame) && !frame->next &&
           2 * frame->len > buffer_held_bytes(frame);
}

/* The frame holds a plain IPv4 header and some of what follows. */
static enum kind read_tcp(struct segment *seg)
{
    uint32_t bytes = seg->ip.total_bytes - (uint32_t)IPV4_HEADER_BYTES;
    uint8_t flags;

    if (bytes < TCP_HEADER_BYTES ||
        seg->frame->len < LOWER_BYTES + TCP_HEADER_BYTES)
        return KIND_ODD;
    seg->tcp = (struct tcp_header *)(seg->frame->data + LOWER_BYTES);
    seg->header_bytes = (uint32_t)(seg->tcp->data_offset >> 4) * 4;
    flags = seg->tcp->flags & (uint8_t)~TCP_PSH;
    if (seg->header_bytes < TCP_HEADER_BYTES || seg->header_bytes >= bytes ||
        seg->frame->len <= LOWER_BYTES + seg->header_bytes || flags != TCP_ACK)
        return KIND_ENDS;
    seg->text_bytes = bytes - seg->header_bytes;
    return is_large(seg->frame) ? KIND_TEXT : KIND_ENDS;
}

/* No options, no fragment, no padding, no longer than the card's MTU. */
static bool is_plain(const struct net_if *nif, const struct segment *seg,
                     uint32_t packet_bytes)
{
    const struct ipv4_header *ip = &seg->ip;

    return ip->header_bytes == IPV4_HEADER_BYTES && !ip->more_fragments &&
           ip->fragment_bytes == 0 &&
           !(seg->frame->data[FLAGS_AT] & FLAG_RESERVED) &&
           ip->total_bytes == packet_bytes &&
           packet_bytes <= nif->dev->mtu_bytes;
}

static enum kind read_frame(const struct net_if *nif, struct buffer *frame,
                            struct segment *seg)
{
    uint32_t packet_bytes = buffer_chain_len(frame) - ETHERNET_HEADER_BYTES;
    const struct ethernet_header *ethernet;

    if (frame->len < LOWER_BYTES || frame->flags & BUFFER_GSO_TCP4)
        return KIND_ODD;
    ethernet = (const struct ethernet_header *)frame->data;
    if (be16_get(ethernet->type) != ETHERNET_TYPE_IPV4 ||
        !mac_addr_equal(&ethernet->dst, &nif->dev->mac))
        return KIND_OTHER;
    seg->frame = frame;
    if (ipv4_header_parse(frame->data + ETHERNET_HEADER_BYTES,
                          frame->len - ETHERNET_HEADER_BYTES, packet_bytes,
                          &seg->ip) != IPV4_GOOD ||
        seg->ip.protocol != IPV4_PROTO_TCP ||
        !ipv4_addr_equal(seg->ip.dst, nif->addr))
        return KIND_OTHER;
    return is_plain(nif, seg, packet_bytes) ? read_tcp(seg) : KIND_ODD;
}

/* Look at both checksums; TCP's is then not looked at again. */
static bool checksums_ok(const struct segment *seg)
{
    struct buffer *frame = seg->frame;
    const struct ipv4_header *ip = &seg->ip;
    uint32_t sum;

    if (!checksum_ipv4_header_is_good(frame->data + ETHERNET_HEADER_BYTES))
        return false;
    if (frame->flags & (BUFFER_CSUM_GOOD | BUFFER_CSUM_PARTIAL))
        return true;
    sum = checksum_pseudo(ip->src, ip->dst, IPV4_PROTO_TCP,
                          seg->header_bytes + seg->text_bytes);
    if (!checksum_is_good(checksum_chain(sum, frame, LOWER_BYTES)))
        return false;
    frame->flags |= BUFFER_CSUM_GOOD;
    return true;
}

/* --- a connection's ------------------------------------------------------- */

/* The connection of a segment whose ports can be read, or null. */
static struct flow *find(struct gro *gro, const struct segment *seg)
{
    for (unsigned i = 0; i < gro->count; i++) {
        const struct segment *first = &gro->flow[i].first;

        if (first->frame && ipv4_addr_equal(first->ip.src, seg->ip.src) &&
            be16_get(first->tcp->src_port) == be16_get(seg->tcp->src_port) &&
            be16_get(first->tcp->dst_port) == be16_get(seg->tcp->dst_port))
            return &gro->flow[i];
    }
    return NULL;
}

/* Whether two segments of a connection say the same, but for their text. */
static bool alike(const struct segment *a, const struct segment *b)
{
    return a->ip.tos == b->ip.tos && a->ip.ttl == b->ip.ttl &&
           a->ip.dont_fragment == b->ip.dont_fragment &&
           a->tcp->data_offset == b->tcp->data_offset &&
           be32_get(a->tcp->ack) == be32_get(b->tcp->ack) &&
           be16_get(a->tcp->window) == be16_get(b->tcp->window) &&
           memcmp(a->tcp + 1, b->tcp + 1, a->header_bytes - TCP_HEADER_BYTES) ==
               0 &&
           memcmp(a->frame->data, b->frame->data, ETHERNET_HEADER_BYTES) == 0;
}

/* Whether a segment goes on where its connection's last one ended. */
static bool continues(const struct flow *flow, const struct segment *seg)
{
    return be32_get(seg->tcp->seq) == flow->next_seq &&
           seg->text_bytes <= flow->first.text_bytes &&
           flow->ip_bytes + seg->text_bytes <= UINT16_MAX &&
           alike(&flow->first, seg);
}

static void begin(struct gro *gro, struct flow *flow, const struct segment *seg)
{
    gro->live++;
    *flow = (struct flow){
        .first = *seg,
        .last = seg->frame,
        .next_seq = be32_get(seg->tcp->seq) + seg->text_bytes,
        .ip_bytes = seg->ip.total_bytes,
        .flags = seg->tcp->flags,
    };
}

static void add(struct flow *flow, struct segment *seg)
{
    buffer_pull(seg->frame, LOWER_BYTES + seg->header_bytes);
    flow->last->next = seg->frame;
    flow->last = seg->frame;
    flow->next_seq += seg->text_bytes;
    flow->ip_bytes += seg->text_bytes;
    flow->flags |= seg->tcp->flags;
}

/* No more is joined to a connection's packet: make its headers say what it
 * is. TCP's checksum is known to be good, and stays as it was. */
static void end(struct gro *gro, struct flow *flow)
{
    struct segment *first = &flow->first;
    struct buffer *packet = first->frame;

    if (!packet)
        return;
    if (flow->ip_bytes > first->ip.total_bytes) {
        first->ip.total_bytes = (uint16_t)flow->ip_bytes;
        ipv4_header_emit(packet->data + ETHERNET_HEADER_BYTES, &first->ip);
        first->tcp->flags = flow->flags;
        packet->flags = BUFFER_CSUM_GOOD | BUFFER_GSO_TCP4 | BUFFER_JOINED;
        packet->gso_bytes = (uint16_t)first->text_bytes;
    }
    first->frame = NULL;
    gro->live--;
}

/* --- a batch -------------------------------------------------------------- */

static void end_all(struct gro *gro)
{
    for (unsigned i = 0; i < gro->count; i++)
        end(gro, &gro->flow[i]);
}

/* The place of a connection that is new here: one that is free, or else that of
 * the one that came first. */
static struct flow *take_place(struct gro *gro)
{
    struct flow *flow = gro->flow;

    if (gro->count < FLOWS_MAX)
        return &gro->flow[gro->count++];
    if (gro->live < FLOWS_MAX) {
        while (flow->first.frame)
            flow++;
        return flow;
    }
    flow = &gro->flow[gro->oldest];
    gro->oldest = (gro->oldest + 1) % FLOWS_MAX;
    end(gro, flow);
    return flow;
}

/* A segment that may be joined, perhaps to the last ones of its connection.
 * Returns: whether it was. */
static bool take_text(struct gro *gro, struct flow *flow, struct segment *seg)
{
    bool pushed = seg->tcp->flags & TCP_PSH;
    bool good = checksums_ok(seg);

    if (good && flow && continues(flow, seg)) {
        add(flow, seg);
        if (pushed || seg->text_bytes < flow->first.text_bytes)
            end(gro, flow);
        return true;
    }
    if (flow)
        end(gro, flow);
    if (good && !pushed)
        begin(gro, flow ? flow : take_place(gro), seg);
    return false;
}

/* Returns: whether the frame was joined to another. */
static bool take(struct gro *gro, struct buffer *frame)
{
    struct segment seg;
    struct flow *flow;

    if (gro->live == 0 && is_small(frame))
        return false;
    switch (read_frame(gro->nif, frame, &seg)) {
    case KIND_OTHER:
        return false;
    case KIND_ODD:
        end_all(gro);
        return false;
    case KIND_ENDS:
        flow = find(gro, &seg);
        if (flow)
            end(gro, flow);
        return false;
    case KIND_TEXT:
        return take_text(gro, find(gro, &seg), &seg);
    }
    return false;
}

uint32_t gro_join(const struct net_if *nif, struct buffer *frames)
{
    struct buffer *last = frames, *frame;
    uint32_t joined = 0;
    struct gro gro;

    gro.nif = nif;
    gro.count = gro.live = gro.oldest = 0;
    take(&gro, frames);
    while ((frame = last->link)) {
        struct buffer *next = frame->link;

        if (!take(&gro, frame)) {
            last = frame;
            continue;
        }
        frame->link = NULL;
        last->link = next;
        joined++;
    }
    end_all(&gro);
    return joined;
}
