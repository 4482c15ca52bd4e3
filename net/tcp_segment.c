/*
 * net/tcp_segment.c - one segment, from values to a chain that IP takes.
 *
 * A header in a chunk, and behind it either a copy of the text, or slices of
 * the views in the send queue: no byte of them moves. Copied is what is short,
 * and what we have to sum anyway.
 *
 * Source: RFC 9293 3.1; RFC 7323 3.2; RFC 2018 3, 4; RFC 6691.
 */
#include "net/tcp_segment.h"

#include <string.h>

#include "net/buffer_pool.h"
#include "net/checksum.h"
#include "net/ipv4_output.h"
#include "net/tcp_conn.h"
#include "net/tcp_ecn.h"
#include "net/tcp_path.h"
#include "net/tcp_paws.h"
#include "net/tcp_sack.h"

enum {
    /* virtio-net 12, Ethernet 14, IPv4 20, rounded up. */
    LOWER_HEADERS_BYTES = 64,
    SMALL_ROOM_BYTES = BUFFER_SMALL_BYTES - LOWER_HEADERS_BYTES,
    LARGE_ROOM_BYTES = BUFFER_LARGE_BYTES - LOWER_HEADERS_BYTES,
    GSO_BYTES_MAX = 65535 - IPV4_HEADER_BYTES - TCP_HEADER_BYTES_MAX
};

/* Append slices of the views from `offset` of `view`. */
static COLD bool attach(struct net *net, struct buffer *segment,
                        struct buffer *view, uint32_t offset, uint32_t bytes)
{
    struct buffer **end = &segment->next;

    while (bytes > 0) {
        uint32_t part = view->len - offset < bytes ? view->len - offset : bytes;

        *end = buffer_slice(net->pool, view, offset, part);
        if (!*end)
            return false;
        end = &(*end)->next;
        bytes -= part;
        view = view->next;
        offset = 0;
    }
    return true;
}

/* Copy text, which lies in one view nearly always. Returns: its sum, if it
 * `sums`; else 0. */
static INLINE uint32_t copy_text(const struct buffer *view, uint32_t offset,
                                 uint8_t *to, uint32_t bytes, bool sums)
{
    const uint8_t *from = view->data + offset;
    bool whole = bytes <= view->len - offset;

    if (sums)
        return whole ? checksum_copy(0, to, from, bytes)
                     : checksum_copy_out(0, view, offset, to, bytes);
    if (whole)
        memcpy(to, from, bytes);
    else
        buffer_copy_out(view, offset, to, bytes);
    return 0;
}

/* A chunk with room for a segment's header, and its text behind that. */
struct body {
    struct buffer *segment; /* null: no memory */
    uint32_t copied;        /* bytes of text in the chunk; others in slices */
    uint16_t summed;        /* so many of these are in the sum: all or none */
    uint32_t sum;
};

static INLINE struct body body_copied(struct buffer *segment, uint32_t header,
                                      struct buffer *view, uint32_t offset,
                                      uint32_t bytes, bool sums)
{
    uint8_t *to = segment->data + header;

    return (struct body){
        .segment = segment,
        .copied = bytes,
        .summed = sums ? (uint16_t)bytes : 0,
        .sum = copy_text(view, offset, to, bytes, sums),
    };
}

/* Where memory is short, text is not copied. */
static ASIDE struct body body_long(struct net *net, uint32_t header,
                                   struct buffer *view, uint32_t offset,
                                   uint32_t bytes, bool sums)
{
    struct buffer *segment = NULL;

    if (sums && header + bytes <= LARGE_ROOM_BYTES)
        segment = buffer_alloc(net->pool, BUFFER_LARGE, LOWER_HEADERS_BYTES);
    if (segment)
        return body_copied(segment, header, view, offset, bytes, sums);
    segment = buffer_alloc(net->pool, BUFFER_SMALL, LOWER_HEADERS_BYTES);
    if (segment && !attach(net, segment, view, offset, bytes)) {
        buffer_release(segment);
        segment = NULL;
    }
    return (struct body){.segment = segment};
}

/* header: of so many bytes. bytes: of text. sums: we have to. */
static INLINE struct body body_make(struct net *net, uint32_t header,
                                    struct buffer *view, uint32_t offset,
                                    uint32_t bytes, bool sums)
{
    struct buffer *segment;

    if (header + bytes > SMALL_ROOM_BYTES)
        return body_long(net, header, view, offset, bytes, sums);
    segment =
        buffer_alloc_here(net->pool, BUFFER_SMALL, LOWER_HEADERS_BYTES, false);
    if (!segment || bytes == 0)
        return (struct body){.segment = segment};
    return body_copied(segment, header, view, offset, bytes, sums);
}

/*
 * A chain with the header of `seg` and `seg->text_bytes` of text.
 *
 * plain:     it has no options but timestamps.
 * neighbour: to whom it goes; null: ipv4_output() knows.
 * summed:    set: see struct ipv4_send.
 */
static INLINE struct buffer *
build(struct net *net, const struct tcp_tuple *tuple, struct tcp_seg *seg,
      struct buffer *view, uint32_t offset, bool plain,
      const struct arp_entry *neighbour, uint16_t *summed)
{
    uint32_t bytes =
        plain ? (seg->has_timestamps ? TCP_HEADER_BYTES + TCP_TIMESTAMPS_BYTES
                                     : TCP_HEADER_BYTES)
              : tcp_emit_bytes(seg);
    bool sums = seg->text_bytes > 0 &&
                (neighbour ? ipv4_sums_for(neighbour)
                           : ipv4_sums_towards(net, tuple->peer));
    struct body body =
        body_make(net, bytes, view, offset, seg->text_bytes, sums);
    struct buffer *segment = body.segment;

    *summed = body.summed;
    if (!segment)
        return NULL;
    seg->header_bytes = (uint8_t)bytes;
    seg->src_port = tuple->local_port;
    seg->dst_port = tuple->peer_port;
    seg->checksum = checksum_unfinished(
        checksum_add_pseudo(body.sum, tuple->local, tuple->peer, IPV4_PROTO_TCP,
                            bytes + seg->text_bytes));
    if (plain) {
        tcp_header_put(segment->data, seg, bytes);
        if (seg->has_timestamps)
            tcp_timestamps_put(segment->data + TCP_HEADER_BYTES, seg);
    } else {
        tcp_emit(segment->data, seg);
    }
    segment->len = bytes + body.copied;
    segment->csum_start = 0;
    segment->csum_offset = TCP_CHECKSUM_OFFSET;
    segment->flags = BUFFER_CSUM_PARTIAL;
    return segment;
}

static COLD struct buffer *build_any(struct net *net,
                                     const struct tcp_tuple *tuple,
                                     struct tcp_seg *seg, struct buffer *view,
                                     uint32_t offset, uint16_t *summed)
{
    return build(net, tuple, seg, view, offset, false, NULL, summed);
}

static INLINE uint8_t tos_of(const struct tcp_config *config, uint8_t ecn)
{
    return (uint8_t)(config->dscp << 2 | ecn);
}

/* Count a segment that has left, or release it. */
static INLINE enum ipv4_status settle(struct net *net, enum ipv4_status status,
                                      struct buffer *segment)
{
    if (status == IPV4_FULL)
        buffer_release(segment);
    else
        net_count(&net->counters, tcp_tx);
    return status;
}

static ASIDE enum ipv4_status hand_over(struct net *net,
                                        const struct tcp_config *config,
                                        const struct tcp_tuple *tuple,
                                        uint8_t ecn, uint16_t summed_bytes,
                                        struct buffer *segment)
{
    const struct ipv4_send how = {
        .src = tuple->local,
        .dst = tuple->peer,
        .protocol = IPV4_PROTO_TCP,
        .ttl = (uint8_t)config->ttl,
        .tos = tos_of(config, ecn),
        .summed_bytes = summed_bytes,
    };

    return settle(net, ipv4_output(net, &how, segment), segment);
}

/* The same to a neighbour who is known, as ipv4_output() would; segment: of
 * `bytes`, from build(). */
static INLINE enum ipv4_status hand_to(struct net *net,
                                       struct arp_entry *neighbour,
                                       const struct tcp_config *config,
                                       const struct tcp_tuple *tuple,
                                       uint8_t ecn, uint16_t summed_bytes,
                                       struct buffer *segment, uint32_t bytes)
{
    const struct ipv4_header header = {
        .src = tuple->local,
        .dst = tuple->peer,
        .total_bytes = (uint16_t)(IPV4_HEADER_BYTES + bytes),
        .dont_fragment = true,
        .tos = tos_of(config, ecn),
        .ttl = (uint8_t)config->ttl,
        .protocol = IPV4_PROTO_TCP,
    };

    if (!ipv4_fits(neighbour, segment, IPV4_HEADER_BYTES + bytes))
        return hand_over(net, config, tuple, ecn, summed_bytes, segment);
    return settle(
        net, ipv4_send_usual(net, neighbour, &header, segment, summed_bytes),
        segment);
}

COLD void tcp_segment_bare(struct net *net, const struct tcp_config *config,
                           const struct tcp_tuple *tuple, struct tcp_seg *seg)
{
    uint16_t summed;
    struct buffer *segment = build_any(net, tuple, seg, NULL, 0, &summed);

    /* Where a device is full or a route gone, it is lost as on a wire. */
    if (segment && hand_over(net, config, tuple, IPV4_ECN_NOT, summed,
                             segment) == IPV4_FULL)
        net_count(&net->counters, tcp_no_memory);
}

static INLINE struct arp_entry *neighbour_of(const struct tcp_conn *conn)
{
    struct net *net = conn->net;
    struct route_slot *slot = route_slot_of(net, conn->tuple.peer);

    return ipv4_neighbour(net, slot, conn->tuple.local);
}

/* What an ACK that has left has settled. */
static void acked(struct tcp_conn *conn)
{
    conn->rcv.acked = conn->rcv.nxt;
    conn->ack_now = false;
    conn->ack_delayed = false;
    if (conn->dup_acks)
        conn->dup_acks--;
    tcp_deadline_clear(conn, TCP_DEADLINE_ACK);
}

/* No device can be trusted to move the urgent pointer along; nor to leave CWR
 * on the first segment alone, unless it says so. */
bool tcp_segments_by_device(const struct tcp_conn *conn)
{
    unsigned caps = ipv4_caps_for(conn->net, conn->tuple.peer);

    return caps & NETDEV_CAP_TX_GSO_TCP4 &&
           !(conn->active && conn->active->urgent) &&
           !(conn->cwr_due && !(caps & NETDEV_CAP_TX_GSO_ECN));
}

uint32_t tcp_segments_max(const struct tcp_conn *conn)
{
    return tcp_segments_by_device(conn) ? (uint32_t)GSO_BYTES_MAX
                                        : tcp_segment_text_max(conn);
}

/* We do not repeat what SACK says, for D-SACK is said once (RFC 2883 4). */
uint32_t tcp_segments_new_max(const struct tcp_conn *conn)
{
    bool alike = !(conn->active && conn->active->urgent) && !tcp_sack_has(conn);

    return alike || tcp_segments_by_device(conn) ? (uint32_t)GSO_BYTES_MAX
                                                 : tcp_segment_text_max(conn);
}

static INLINE void stamp(const struct tcp_conn *conn, struct tcp_seg *seg,
                         bool acks)
{
    if (!conn->timestamps)
        return;
    seg->has_timestamps = true;
    seg->ts_val = tcp_ts_at(conn, conn->net->now_us);
    seg->ts_ecr = acks ? conn->ts.recent : 0;
}

void tcp_segment_stamp(const struct tcp_conn *conn, struct tcp_seg *seg)
{
    stamp(conn, seg, seg->flags & TCP_ACK);
}

static ASIDE void syn_options(const struct tcp_conn *conn, struct tcp_seg *seg)
{
    seg->window = tcp_open_window(conn->config);
    seg->has_mss = true;
    seg->mss = conn->rcv_mss;
    seg->has_shift = conn->scaling;
    seg->shift = conn->rcv_shift;
    seg->sack_permitted = conn->sack;
}

/* Send a segment. plain: without options but timestamps, not urgent, and to
 * this neighbour. */
static INLINE enum tcp_sent send_one(struct tcp_conn *conn, uint32_t seq,
                                     uint8_t flags, struct buffer *first,
                                     uint32_t offset, uint32_t text_bytes,
                                     bool plain, struct arp_entry *neighbour)
{
    bool sacks = !plain && tcp_sack_has(conn) && !(flags & TCP_SYN);
    bool acks = plain || !(flags & TCP_SYN) || flags & TCP_ACK;
    struct tcp_ecn_marks marks = tcp_ecn_mark(conn, seq, text_bytes, flags);
    struct tcp_seg seg = {
        .seq = seq,
        .ack = acks ? conn->rcv.nxt : 0,
        .flags = marks.flags,
        .text_bytes = text_bytes,
    };
    struct net *net = conn->net;
    struct buffer *segment;
    enum ipv4_status status;
    uint32_t text_max;
    uint16_t summed;

    if (!plain && flags & TCP_SYN)
        syn_options(conn, &seg);
    else
        seg.window = (uint16_t)tcp_text_window(conn);
    stamp(conn, &seg, acks);
    if (sacks)
        tcp_sack_fill(conn, &seg);
    if (!plain && conn->active && conn->active->urgent)
        tcp_urgent_mark(conn->active, &seg);
    segment = plain
                  ? build(net, &conn->tuple, &seg, first, offset, true,
                          neighbour, &summed)
                  : build_any(net, &conn->tuple, &seg, first, offset, &summed);
    if (!segment)
        return TCP_SENT_NO_MEMORY;
    text_max = conn->mss - (sacks ? tcp_sack_some_bytes(conn) : 0);
    if (text_bytes > text_max && !tcp_path_is_probe(conn, seq)) {
        segment->flags |= BUFFER_GSO_TCP4;
        segment->gso_bytes = (uint16_t)text_max;
        if (seg.flags & TCP_CWR)
            segment->flags |= BUFFER_GSO_ECN;
    }
    status =
        plain ? hand_to(net, neighbour, conn->config, &conn->tuple, marks.ecn,
                        summed, segment, seg.header_bytes + text_bytes)
              : hand_over(net, conn->config, &conn->tuple, marks.ecn, summed,
                          segment);
    if (status == IPV4_FULL)
        return TCP_SENT_FULL; /* what was due still is */
    conn->segments_sent++;
    if (seg.flags & TCP_CWR)
        tcp_ecn_sent(conn, seq, seg.flags);
    if (sacks)
        tcp_sack_sent(conn, &seg);
    if (acks)
        acked(conn);
    return TCP_SENT;
}

static COLD enum tcp_sent send_any(struct tcp_conn *conn, uint32_t seq,
                                   uint8_t flags, struct buffer *first,
                                   uint32_t offset, uint32_t text_bytes)
{
    return send_one(conn, seq, flags, first, offset, text_bytes, false, NULL);
}

enum tcp_sent tcp_segment_send(struct tcp_conn *conn, uint32_t seq,
                               uint8_t flags, struct buffer *first,
                               uint32_t offset, uint32_t text_bytes)
{
    bool plain = !(flags & TCP_SYN) && !tcp_sack_has(conn) &&
                 !(conn->active && conn->active->urgent);
    struct arp_entry *neighbour = plain ? neighbour_of(conn) : NULL;

    return neighbour ? send_one(conn, seq, flags, first, offset, text_bytes,
                                true, neighbour)
                     : send_any(conn, seq, flags, first, offset, text_bytes);
}

/*
 * Send what `whole` says, in segments of conn->mss bytes of text.
 *
 * left:    set to the bytes of text that have left.
 * Returns: why it ended: TCP_SENT when all have.
 */
static enum tcp_sent send_cut(struct tcp_conn *conn,
                              const struct tcp_seg *whole, uint8_t ecn,
                              struct buffer *view, uint32_t offset,
                              uint32_t *left)
{
    struct tcp_seg seg = *whole;

    for (*left = 0; *left < whole->text_bytes; *left += seg.text_bytes) {
        uint32_t rest = whole->text_bytes - *left;
        struct buffer *segment;
        uint16_t summed;

        seg.seq = whole->seq + *left;
        seg.text_bytes = rest < conn->mss ? rest : conn->mss;
        seg.flags = whole->flags;
        if (rest > conn->mss)
            seg.flags &= (uint8_t) ~(TCP_PSH | TCP_FIN);
        if (*left > 0)
            seg.flags &= (uint8_t)~TCP_CWR;
        segment =
            build_any(conn->net, &conn->tuple, &seg, view, offset, &summed);
        if (!segment)
            return TCP_SENT_NO_MEMORY;
        if (hand_over(conn->net, conn->config, &conn->tuple, ecn, summed,
                      segment) == IPV4_FULL)
            return TCP_SENT_FULL;
        conn->segments_sent++;
        offset += seg.text_bytes;
        for (; view && offset >= view->len; view = view->next)
            offset -= view->len;
    }
    return TCP_SENT;
}

ASIDE enum tcp_sent tcp_segment_send_many(struct tcp_conn *conn, uint8_t flags,
                                          struct buffer *first, uint32_t offset,
                                          uint32_t *text_bytes)
{
    uint32_t seq = conn->snd.nxt;
    struct tcp_ecn_marks marks = tcp_ecn_mark(conn, seq, *text_bytes, flags);
    struct tcp_seg seg = {
        .seq = seq,
        .ack = conn->rcv.nxt,
        .flags = marks.flags,
        .text_bytes = *text_bytes,
    };
    enum tcp_sent sent;

    tcp_segment_stamp(conn, &seg);
    seg.window = (uint16_t)tcp_text_window(conn);
    sent = send_cut(conn, &seg, marks.ecn, first, offset, text_bytes);
    if (*text_bytes == 0)
        return sent;
    tcp_ecn_sent(conn, seq, marks.flags);
    acked(conn);
    return TCP_SENT;
}
