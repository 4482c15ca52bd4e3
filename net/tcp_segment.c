/*
 * net/tcp_segment.c - one segment, from values to a chain that IP takes.
 *
 * A header in a small chunk, and behind it either a copy of the text, when it
 * is short, or slices of the views in the send queue: no byte of them moves.
 *
 * Source: RFC 9293 3.1; RFC 7323 3.2; RFC 2018 3, 4; RFC 6691.
 */
#include "net/tcp_segment.h"

#include "net/checksum.h"
#include "net/tcp_conn.h"
#include "net/tcp_ecn.h"
#include "net/tcp_path.h"
#include "net/tcp_paws.h"
#include "net/tcp_sack.h"

enum {
    /* virtio-net 12, Ethernet 14, IPv4 20, rounded up. */
    LOWER_HEADERS_BYTES = 64,
    SMALL_ROOM_BYTES = BUFFER_SMALL_BYTES - LOWER_HEADERS_BYTES,
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

/*
 * A chain with the header of `seg` and `seg->text_bytes` of text.
 *
 * bytes: of the header, tcp_emit_bytes().
 * plain: it has no options but timestamps.
 */
static INLINE struct buffer *build(struct net *net,
                                   const struct tcp_tuple *tuple,
                                   struct tcp_seg *seg, struct buffer *view,
                                   uint32_t offset, bool plain)
{
    struct buffer *segment =
        buffer_alloc(net->pool, BUFFER_SMALL, LOWER_HEADERS_BYTES);
    uint32_t bytes =
        plain ? (seg->has_timestamps ? TCP_HEADER_BYTES + TCP_TIMESTAMPS_BYTES
                                     : TCP_HEADER_BYTES)
              : tcp_emit_bytes(seg);

    if (!segment)
        return NULL;
    seg->header_bytes = (uint8_t)bytes;
    seg->src_port = tuple->local_port;
    seg->dst_port = tuple->peer_port;
    seg->checksum = be16_get(checksum_unfinished(checksum_pseudo(
        tuple->local, tuple->peer, IPV4_PROTO_TCP, bytes + seg->text_bytes)));
    if (plain) {
        tcp_header_put(segment->data, seg, bytes);
        if (seg->has_timestamps)
            tcp_timestamps_put(segment->data + TCP_HEADER_BYTES, seg);
    } else {
        tcp_emit(segment->data, seg);
    }
    segment->len = bytes;
    segment->csum_start = 0;
    segment->csum_offset = TCP_CHECKSUM_OFFSET;
    segment->flags = BUFFER_CSUM_PARTIAL;
    if (seg->text_bytes == 0)
        return segment;
    if (bytes + seg->text_bytes <= SMALL_ROOM_BYTES) {
        segment->len += buffer_copy_out(view, offset, segment->data + bytes,
                                        seg->text_bytes);
    } else if (!attach(net, segment, view, offset, seg->text_bytes)) {
        buffer_release(segment);
        return NULL;
    }
    return segment;
}

static COLD struct buffer *build_any(struct net *net,
                                     const struct tcp_tuple *tuple,
                                     struct tcp_seg *seg, struct buffer *view,
                                     uint32_t offset)
{
    return build(net, tuple, seg, view, offset, false);
}

static INLINE enum ipv4_status hand_over(struct net *net,
                                         const struct tcp_config *config,
                                         const struct tcp_tuple *tuple,
                                         uint8_t ecn, struct buffer *segment)
{
    const struct ipv4_send how = {
        .src = tuple->local,
        .dst = tuple->peer,
        .protocol = IPV4_PROTO_TCP,
        .ttl = (uint8_t)config->ttl,
        .tos = (uint8_t)(config->dscp << 2 | ecn),
    };
    enum ipv4_status status = ipv4_output(net, &how, segment);

    if (status == IPV4_FULL)
        buffer_release(segment);
    else
        net_count(&net->counters, tcp_tx);
    return status;
}

COLD void tcp_segment_bare(struct net *net, const struct tcp_config *config,
                           const struct tcp_tuple *tuple, struct tcp_seg *seg)
{
    struct buffer *segment = build_any(net, tuple, seg, NULL, 0);

    /* Where a device is full or a route gone, it is lost as on a wire. */
    if (segment &&
        hand_over(net, config, tuple, IPV4_ECN_NOT, segment) == IPV4_FULL)
        net_count(&net->counters, tcp_no_memory);
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

void tcp_segment_stamp(const struct tcp_conn *conn, struct tcp_seg *seg)
{
    if (!conn->timestamps)
        return;
    seg->has_timestamps = true;
    seg->ts_val = tcp_ts_at(conn, conn->net->now_us);
    seg->ts_ecr = seg->flags & TCP_ACK ? conn->ts.recent : 0;
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

/* Send a segment; plain: without options but timestamps, and not urgent. */
static INLINE enum tcp_sent send_one(struct tcp_conn *conn, uint32_t seq,
                                     uint8_t flags, struct buffer *first,
                                     uint32_t offset, uint32_t text_bytes,
                                     bool plain)
{
    bool sacks = !plain && tcp_sack_has(conn) && !(flags & TCP_SYN);
    uint32_t text_max = conn->mss - (sacks ? tcp_sack_some_bytes(conn) : 0);
    uint8_t ecn = tcp_ecn_mark(conn, seq, text_bytes, &flags);
    struct tcp_seg seg = {
        .seq = seq,
        .ack = flags & TCP_ACK ? conn->rcv.nxt : 0,
        .flags = flags,
        .text_bytes = text_bytes,
    };
    struct buffer *segment;

    tcp_segment_stamp(conn, &seg);
    if (!plain && flags & TCP_SYN)
        syn_options(conn, &seg);
    else
        seg.window = (uint16_t)tcp_text_window(conn);
    if (sacks)
        tcp_sack_fill(conn, &seg);
    if (!plain && conn->active && conn->active->urgent)
        tcp_urgent_mark(conn->active, &seg);
    segment = plain ? build(conn->net, &conn->tuple, &seg, first, offset, true)
                    : build_any(conn->net, &conn->tuple, &seg, first, offset);
    if (!segment)
        return TCP_SENT_NO_MEMORY;
    if (text_bytes > text_max && !tcp_path_is_probe(conn, seq)) {
        segment->flags |= BUFFER_GSO_TCP4;
        segment->gso_bytes = (uint16_t)text_max;
        if (flags & TCP_CWR)
            segment->flags |= BUFFER_GSO_ECN;
    }
    if (hand_over(conn->net, conn->config, &conn->tuple, ecn, segment) ==
        IPV4_FULL)
        return TCP_SENT_FULL; /* what was due still is */
    conn->segments_sent++;
    if (flags & TCP_CWR)
        tcp_ecn_sent(conn, seq, flags);
    if (sacks)
        tcp_sack_sent(conn, &seg);
    if (flags & TCP_ACK)
        acked(conn);
    return TCP_SENT;
}

static COLD enum tcp_sent send_with_options(struct tcp_conn *conn, uint32_t seq,
                                            uint8_t flags, struct buffer *first,
                                            uint32_t offset,
                                            uint32_t text_bytes)
{
    return send_one(conn, seq, flags, first, offset, text_bytes, false);
}

enum tcp_sent tcp_segment_send(struct tcp_conn *conn, uint32_t seq,
                               uint8_t flags, struct buffer *first,
                               uint32_t offset, uint32_t text_bytes)
{
    bool plain = !(flags & TCP_SYN) && !tcp_sack_has(conn) &&
                 !(conn->active && conn->active->urgent);

    return plain
               ? send_one(conn, seq, flags, first, offset, text_bytes, true)
               : send_with_options(conn, seq, flags, first, offset, text_bytes);
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

        seg.seq = whole->seq + *left;
        seg.text_bytes = rest < conn->mss ? rest : conn->mss;
        seg.flags = whole->flags;
        if (rest > conn->mss)
            seg.flags &= (uint8_t) ~(TCP_PSH | TCP_FIN);
        if (*left > 0)
            seg.flags &= (uint8_t)~TCP_CWR;
        segment = build(conn->net, &conn->tuple, &seg, view, offset, true);
        if (!segment)
            return TCP_SENT_NO_MEMORY;
        if (hand_over(conn->net, conn->config, &conn->tuple, ecn, segment) ==
            IPV4_FULL)
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
    uint8_t ecn = tcp_ecn_mark(conn, seq, *text_bytes, &flags);
    struct tcp_seg seg = {
        .seq = seq,
        .ack = conn->rcv.nxt,
        .flags = flags,
        .text_bytes = *text_bytes,
    };
    enum tcp_sent sent;

    tcp_segment_stamp(conn, &seg);
    seg.window = (uint16_t)tcp_text_window(conn);
    sent = send_cut(conn, &seg, ecn, first, offset, text_bytes);
    if (*text_bytes == 0)
        return sent;
    tcp_ecn_sent(conn, seq, flags);
    acked(conn);
    return TCP_SENT;
}
