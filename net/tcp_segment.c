/*
 * net/tcp_segment.c - one segment, from values to a packet that leaves.
 *
 * Source: RFC 9293 3.1; RFC 7323 3.2; RFC 2018 3, 4; RFC 6691.
 */
#include "net/tcp_segment.h"

#include "net/checksum.h"
#include "net/ipv4_output.h"
#include "net/tcp_body.h"
#include "net/tcp_conn.h"
#include "net/tcp_ecn.h"
#include "net/tcp_path.h"
#include "net/tcp_paws.h"
#include "net/tcp_sack.h"

enum { GSO_BYTES_MAX = 65535 - IPV4_HEADER_BYTES - TCP_HEADER_BYTES_MAX };

/*
 * Put the header of `seg` before its text.
 *
 * bytes: of the header, tcp_emit_bytes().
 * plain: it has no options but timestamps.
 */
static INLINE void header_put(const struct tcp_body *body,
                              const struct tcp_tuple *tuple,
                              struct tcp_seg *seg, uint32_t bytes, bool plain)
{
    struct buffer *segment = body->segment;
    uint8_t *data = segment->data;

    seg->header_bytes = (uint8_t)bytes;
    seg->src_port = tuple->local_port;
    seg->dst_port = tuple->peer_port;
    seg->checksum = checksum_unfinished(
        checksum_add_pseudo(body->sum, tuple->local, tuple->peer,
                            IPV4_PROTO_TCP, bytes + seg->text_bytes));
    if (plain) {
        tcp_header_put(data, seg, bytes);
        if (seg->has_timestamps)
            tcp_timestamps_put(data + TCP_HEADER_BYTES, seg);
    } else {
        tcp_emit(data, seg);
    }
    segment->len = bytes + body->copied;
    segment->csum_start = 0;
    segment->csum_offset = TCP_CHECKSUM_OFFSET;
    segment->flags = BUFFER_CSUM_PARTIAL;
}

/* Have it cut to segments of `text_max` bytes, if there are more; 0: not. */
static INLINE void mark_gso(struct buffer *segment, const struct tcp_seg *seg,
                            uint32_t text_max)
{
    if (seg->text_bytes <= text_max || text_max == 0)
        return;
    segment->flags |= BUFFER_GSO_TCP4;
    segment->gso_bytes = (uint16_t)text_max;
    if (seg->flags & TCP_CWR)
        segment->flags |= BUFFER_GSO_ECN;
}

static INLINE uint8_t ttl_of(const struct tcp_config *config)
{
    return (uint8_t)config->ttl;
}

static INLINE uint8_t tos_of(const struct tcp_config *config, uint8_t ecn)
{
    return (uint8_t)(config->dscp << 2 | ecn);
}

/* What has become of a segment; one that was not taken is released. */
static INLINE enum tcp_sent settle(struct net *net, enum ipv4_status status,
                                   struct buffer *segment)
{
    if (status == IPV4_FULL) {
        buffer_release(segment);
        return TCP_SENT_FULL;
    }
    net_count(&net->counters, tcp_tx);
    return TCP_SENT;
}

static COLD enum tcp_sent hand_over(struct net *net,
                                    const struct tcp_config *config,
                                    const struct tcp_tuple *tuple, uint8_t ecn,
                                    struct buffer *segment,
                                    uint16_t summed_bytes)
{
    const struct ipv4_send how = {
        .src = tuple->local,
        .dst = tuple->peer,
        .protocol = IPV4_PROTO_TCP,
        .ttl = ttl_of(config),
        .tos = tos_of(config, ecn),
        .summed_bytes = summed_bytes,
    };

    return settle(net, ipv4_output(net, &how, segment), segment);
}

/* Who is next on the way, if he is known; else null. */
static INLINE struct arp_entry *neighbour_to(struct net *net,
                                             const struct tcp_tuple *tuple)
{
    struct route_slot *slot = route_slot_of(net, tuple->peer);

    return ipv4_neighbour(net, slot, tuple->local);
}

/* Send a segment of `bytes` from header_put(), to a neighbour who is known as
 * ipv4_output() would. */
static INLINE enum tcp_sent leave(struct net *net, struct arp_entry *neighbour,
                                  const struct tcp_config *config,
                                  const struct tcp_tuple *tuple, uint8_t ecn,
                                  const struct tcp_body *body, uint32_t bytes)
{
    struct buffer *segment = body->segment;
    uint16_t summed = tcp_body_summed(body);

    bytes += IPV4_HEADER_BYTES;
    if (neighbour && ipv4_fits(neighbour, segment, bytes)) {
        const struct ipv4_header ip = {
            .src = tuple->local,
            .dst = tuple->peer,
            .total_bytes = (uint16_t)bytes,
            .dont_fragment = true,
            .tos = tos_of(config, ecn),
            .ttl = ttl_of(config),
            .protocol = IPV4_PROTO_TCP,
        };

        return settle(net,
                      ipv4_send_usual(net, neighbour, &ip, segment, summed),
                      segment);
    }
    return hand_over(net, config, tuple, ecn, segment, summed);
}

/* Send any segment any way. text_max: see mark_gso(). */
static ASIDE enum tcp_sent
emit(struct net *net, const struct tcp_config *config,
     const struct tcp_tuple *tuple, struct tcp_seg *seg, uint8_t ecn,
     struct buffer *view, uint32_t offset, uint32_t text_max)
{
    struct arp_entry *neighbour = neighbour_to(net, tuple);
    uint32_t header = tcp_emit_bytes(seg), bytes = seg->text_bytes;
    bool sums = bytes > 0 && (neighbour ? ipv4_sums_for(neighbour)
                                        : ipv4_sums_towards(net, tuple->peer));
    struct tcp_body body =
        tcp_body_is_short(header, bytes)
            ? tcp_body_short(net, header, view, offset, bytes, sums)
            : tcp_body_long(net, header, view, offset, bytes, sums);

    if (!body.segment)
        return TCP_SENT_NO_MEMORY;
    header_put(&body, tuple, seg, header, false);
    mark_gso(body.segment, seg, text_max);
    return leave(net, neighbour, config, tuple, ecn, &body, header + bytes);
}

COLD void tcp_segment_bare(struct net *net, const struct tcp_config *config,
                           const struct tcp_tuple *tuple, struct tcp_seg *seg)
{
    /* Where a device is full or a route gone, it is lost as on a wire. */
    if (emit(net, config, tuple, seg, IPV4_ECN_NOT, NULL, 0, 0) ==
        TCP_SENT_FULL)
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

/* A segment has left; it is an acknowledgement or not. */
static INLINE void sent(struct tcp_conn *conn, const struct tcp_seg *seg,
                        bool acks)
{
    conn->segments_sent++;
    if (seg->flags & TCP_CWR)
        tcp_ecn_sent(conn, seg->seq, seg->flags);
    if (acks)
        acked(conn);
}

ASIDE enum tcp_sent tcp_segment_send_syn(struct tcp_conn *conn, uint8_t flags)
{
    struct tcp_seg seg = {
        .seq = conn->iss,
        .ack = flags & TCP_ACK ? conn->rcv.nxt : 0,
        .window = tcp_open_window(conn->config),
        .flags = flags,
        .has_mss = true,
        .mss = conn->rcv_mss,
        .has_shift = conn->scaling,
        .shift = conn->rcv_shift,
        .sack_permitted = conn->sack,
    };
    enum tcp_sent status;

    stamp(conn, &seg, flags & TCP_ACK);
    /* Not marked itself, though it may ask for ECN: RFC 3168 6.1.1. */
    status = emit(conn->net, conn->config, &conn->tuple, &seg, IPV4_ECN_NOT,
                  NULL, 0, 0);
    if (status == TCP_SENT)
        sent(conn, &seg, flags & TCP_ACK);
    return status;
}

static COLD enum tcp_sent send_any(struct tcp_conn *conn, uint32_t seq,
                                   uint8_t flags, struct buffer *first,
                                   uint32_t offset, uint32_t text_bytes)
{
    bool sacks = tcp_sack_has(conn);
    struct tcp_ecn_marks marks = tcp_ecn_mark(conn, seq, text_bytes, flags);
    uint32_t text_max = conn->mss - (sacks ? tcp_sack_some_bytes(conn) : 0);
    struct tcp_seg seg = {
        .seq = seq,
        .ack = conn->rcv.nxt,
        .window = (uint16_t)tcp_text_window(conn),
        .flags = marks.flags,
        .text_bytes = text_bytes,
    };
    enum tcp_sent status;

    tcp_segment_stamp(conn, &seg);
    if (sacks)
        tcp_sack_fill(conn, &seg);
    if (conn->active && conn->active->urgent)
        tcp_urgent_mark(conn->active, &seg);
    if (text_bytes > text_max && tcp_path_is_probe(conn, seq))
        text_max = 0;
    status = emit(conn->net, conn->config, &conn->tuple, &seg, marks.ecn, first,
                  offset, text_max);
    if (status != TCP_SENT)
        return status; /* what was due still is */
    sent(conn, &seg, true);
    if (sacks)
        tcp_sack_sent(conn, &seg);
    return TCP_SENT;
}

/*
 * The same to a neighbour who is known, of an acknowledgement without options
 * but timestamps: does what send_any() and ipv4_output() would, and nothing of
 * what they would find out in vain. What takes a call comes first, so that
 * values need not be kept meanwhile.
 */
static INLINE enum tcp_sent send_to(struct tcp_conn *conn,
                                    struct arp_entry *neighbour, uint32_t seq,
                                    uint8_t flags, struct buffer *first,
                                    uint32_t offset, uint32_t text_bytes)
{
    struct net *net = conn->net;
    uint32_t window = tcp_text_window(conn);
    uint32_t header = TCP_HEADER_BYTES +
                      (conn->timestamps ? (uint32_t)TCP_TIMESTAMPS_BYTES : 0);
    struct tcp_body body =
        tcp_body_is_short(header, text_bytes)
            ? tcp_body_short(net, header, first, offset, text_bytes,
                             text_bytes > 0 && ipv4_sums_for(neighbour))
            : tcp_body_long(net, header, first, offset, text_bytes,
                            ipv4_sums_for(neighbour));
    struct tcp_ecn_marks marks;
    enum tcp_sent status;
    struct tcp_seg seg;

    if (!body.segment)
        return TCP_SENT_NO_MEMORY;
    marks = tcp_ecn_mark(conn, seq, text_bytes, flags);
    seg = (struct tcp_seg){
        .seq = seq,
        .ack = conn->rcv.nxt,
        .window = (uint16_t)window,
        .flags = marks.flags,
        .text_bytes = text_bytes,
    };
    stamp(conn, &seg, true);
    header_put(&body, &conn->tuple, &seg, header, true);
    if (text_bytes > conn->mss && !tcp_path_is_probe(conn, seq))
        mark_gso(body.segment, &seg, conn->mss);
    status = leave(net, neighbour, conn->config, &conn->tuple, marks.ecn, &body,
                   header + text_bytes);
    if (status == TCP_SENT)
        sent(conn, &seg, true);
    return status;
}

enum tcp_sent tcp_segment_send_usual(struct tcp_conn *conn, uint32_t seq,
                                     uint8_t flags, struct buffer *first,
                                     uint32_t offset, uint32_t text_bytes)
{
    struct arp_entry *neighbour = neighbour_to(conn->net, &conn->tuple);

    return neighbour
               ? send_to(conn, neighbour, seq, flags, first, offset, text_bytes)
               : send_any(conn, seq, flags, first, offset, text_bytes);
}

enum tcp_sent tcp_segment_send(struct tcp_conn *conn, uint32_t seq,
                               uint8_t flags, struct buffer *first,
                               uint32_t offset, uint32_t text_bytes)
{
    bool usual = !tcp_sack_has(conn) && !(conn->active && conn->active->odd);

    return usual ? tcp_segment_send_usual(conn, seq, flags, first, offset,
                                          text_bytes)
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
        enum tcp_sent status;

        seg.seq = whole->seq + *left;
        seg.text_bytes = rest < conn->mss ? rest : conn->mss;
        seg.flags = whole->flags;
        if (rest > conn->mss)
            seg.flags &= (uint8_t) ~(TCP_PSH | TCP_FIN);
        if (*left > 0)
            seg.flags &= (uint8_t)~TCP_CWR;
        status = emit(conn->net, conn->config, &conn->tuple, &seg, ecn, view,
                      offset, 0);
        if (status != TCP_SENT)
            return status;
        conn->segments_sent++;
        offset += seg.text_bytes;
        for (; view && offset >= view->len; view = view->next)
            offset -= view->len;
    }
    return TCP_SENT;
}

COLD enum tcp_sent tcp_segment_send_many(struct tcp_conn *conn, uint8_t flags,
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
