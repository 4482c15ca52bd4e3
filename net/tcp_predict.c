/*
 * net/tcp_predict.c - header prediction: what nearly every segment is.
 *
 * The next text of an established connection, or none, and an acknowledgement
 * of nothing new, or of all that it had to send; and, once for each connection,
 * the ACK that completes its handshake and the FIN that answers ours. Such a
 * segment asks none of the questions that tcp_in.c, tcp_ack.c and tcp_loss.c
 * have answers for: what they would do is done here in one go. Any other goes
 * there, untouched.
 *
 * tests/unit/test_tcp_predict.c and test_tcp_predict_ends.c hold the two ways
 * against each other.
 *
 * Source: Jacobson, "4BSD TCP Header Prediction", 1990; RFC 9293 3.10.7.4.
 */
#include "net/tcp_predict.h"

#include "net/tcp_paws.h"
#include "net/tcp_rtt.h"
#include "net/tcp_text.h"

/* Whether the options are the connection's timestamps, not older than the last
 * ones (RFC 7323 5.3), and nothing else; or none, where it has none. */
static INLINE bool has_usual_options(const struct tcp_conn *conn,
                                     const struct tcp_header *header)
{
    const struct tcp_timestamps *option = tcp_timestamps_of(header);

    if (!conn->timestamps)
        return header->data_offset == TCP_HEADER_BYTES / 4 << 4;
    return header->data_offset == (TCP_HEADER_BYTES + TCP_TIMESTAMPS_BYTES) / 4
                                      << 4 &&
           be32_get(option->head) == TCP_TIMESTAMPS_HEAD &&
           !seq_lt(be32_get(option->val), conn->ts.recent);
}

/* The segment begins at RCV.NXT and fits the window (first), is no RST, SYN or
 * FIN and not urgent (second, fourth, sixth, eighth), and concerns no ECN. */
static INLINE bool is_next(const struct tcp_conn *conn,
                           const struct tcp_header *header, uint32_t text_bytes,
                           uint8_t tos)
{
    return (header->flags & ~TCP_PSH) == TCP_ACK &&
           be32_get(header->seq) == conn->rcv.nxt &&
           text_bytes <= tcp_rcv_window(conn) && !conn->released &&
           !conn->read_shut && !conn->fin_queued &&
           !(conn->ecn && (tos & IPV4_ECN_MASK) == IPV4_ECN_CE);
}

/*
 * Whether an acknowledgement of all that is in flight leaves the active part
 * without anything to do: nothing else is queued, out of order or owed; it went
 * in one burst and once only; and no recovery, which may be undone while it
 * lasts, no probe and no mark waits for what it tells.
 */
static INLINE bool ends_flight(const struct tcp_conn *conn)
{
    const struct tcp_active *active = conn->active;
    const struct tcp_record *burst = active->board.first;

    return active->board.count == 1 && !burst->odd &&
           active->queue.bytes == tcp_flight(conn) && !active->odd &&
           active->dup_bytes == 0 && !active->undo.possible &&
           !active->path.mtu && !active->pieces &&
           active->duplicate.start == active->duplicate.end;
}

/* SEG.ACK is SND.NXT, and brings nothing but the end of what was in flight. If
 * nothing was, its window counts only when no later segment has told another
 * (SND.WL1: RFC 9293 3.10.7.4, fifth). */
static INLINE bool acks_none_or_all(const struct tcp_conn *conn,
                                    const struct tcp_header *header)
{
    if (be32_get(header->ack) != conn->snd.nxt)
        return false;
    return conn->active ? ends_flight(conn)
                        : seq_leq(conn->snd.wl1, be32_get(header->seq));
}

/* All that was in flight has arrived. The active part rests at flush, unless
 * there is an answer by then. */
static INLINE void end_flight(struct tcp_conn *conn)
{
    struct tcp_active *active = conn->active;
    uint64_t sent_us = active->board.first->sent_us;
    uint32_t bytes = tcp_flight(conn);

    conn->snd.una = conn->snd.nxt;
    if (bytes >= conn->mss)
        conn->mss_proven = true;
    tcp_timer_rtx_off(conn);
    tcp_board_all_arrived(conn);
    tcp_rtt_by_clock(conn, sent_us);
    tcp_cc_acked(conn, bytes);
    tcp_queue_clear(&active->queue, &tcp_of(conn)->budget);
    active->small_end = conn->snd.una;
    active->recover = conn->snd.una - 1;
    active->rack.in_round = false;
    active->stalled_us = conn->net->now_us;
    active->dup_acks = 0;
    tcp_conn_wants_flush(conn);
}

/* The text behind RCV.NXT is there. False: there was no memory for it. */
static INLINE bool take_text(struct tcp_conn *conn, struct buffer *segment,
                             uint32_t header_bytes, uint32_t bytes,
                             uint8_t flags)
{
    uint32_t one =
        segment->flags & BUFFER_GSO_TCP4 ? segment->gso_bytes : bytes;

    buffer_pull(segment, header_bytes);
    return tcp_text_next(conn, segment, bytes, one, flags);
}

static INLINE void take_stamp(struct tcp_conn *conn,
                              const struct tcp_header *header)
{
    if (conn->timestamps && seq_leq(be32_get(header->seq), conn->rcv.acked))
        tcp_ts_take(conn, be32_get(tcp_timestamps_of(header)->val));
}

static INLINE void take_window(struct tcp_conn *conn,
                               const struct tcp_header *header)
{
    (void)tcp_window_take(conn, be32_get(header->seq), be32_get(header->ack),
                          (uint32_t)be16_get(header->window)
                              << conn->snd_shift); /* nothing waits for it */
}

/* ---- once for each connection ---- */

/* Our SYN is acknowledged: the connection is open, or has to wait. */
static INLINE void begin(struct tcp_conn *conn, const struct tcp_header *header,
                         uint8_t tos)
{
    conn->segments_received++;
    if (tcp_handshake_complete(conn, be32_get(header->ack)) == TCP_GO_ON) {
        take_window(conn, header);
        tcp_conn_heard(conn);
        conn->dscp_in = tos >> 2;
    }
    if (conn->ack_now)
        tcp_conn_wants_flush(conn);
}

/* The peer's FIN acknowledges ours, and nobody has the handle any more: what
 * else it tells, of round trips or of losses, is of no use. Unless there is a
 * recovery that may be undone, or slow start may end: these are counted. */
static INLINE bool ends_all(const struct tcp_conn *conn)
{
    const struct tcp_active *active = conn->active;

    return conn->fin_flying && !conn->owned &&
           conn->rcv.edge != conn->rcv.nxt && active->phase == TCP_PHASE_OPEN &&
           !active->hystart.careful_us;
}

/* It goes to TIME-WAIT, which knows the largest window. */
static INLINE void end(struct tcp_conn *conn, const struct tcp_header *header)
{
    take_window(conn, header);
    tcp_conn_event(conn, TCP_EV_FIN_ACKED);
    (void)tcp_fin_take(conn);
}

/* tcp_predicted() of a connection that is not yet open, or that we have
 * closed. */
static ASIDE bool at_an_end(struct tcp_conn *conn, uint8_t tos,
                            struct buffer *segment)
{
    const struct tcp_header *header = (const struct tcp_header *)segment->data;
    uint8_t flags = header->flags & (uint8_t)~TCP_PSH;
    bool begins = flags == TCP_ACK && conn->state == TCP_SYN_RECEIVED;
    bool ends = flags == (TCP_ACK | TCP_FIN) && conn->state == TCP_FIN_WAIT_1;

    if (!(begins || (ends && ends_all(conn))) ||
        be32_get(header->seq) != conn->rcv.nxt ||
        be32_get(header->ack) != conn->snd.nxt ||
        buffer_chain_len(segment) != tcp_header_bytes(header) ||
        !has_usual_options(conn, header))
        return false;
    tcp_count(conn, tcp_predicted);
    take_stamp(conn, header);
    if (begins)
        begin(conn, header, tos);
    else
        end(conn, header);
    buffer_release(segment);
    return true;
}

/* ---- all ---- */

bool tcp_predicted(struct tcp_conn *conn, uint8_t tos, struct buffer *segment)
{
    const struct tcp_header *header = (const struct tcp_header *)segment->data;
    uint32_t header_bytes = tcp_header_bytes(header);
    uint32_t bytes = buffer_chain_len(segment) - header_bytes;
    unsigned changes = 0;
    bool admitted = true;

    if (conn->state != TCP_ESTABLISHED)
        return at_an_end(conn, tos, segment);
    if (!is_next(conn, header, bytes, tos) ||
        !has_usual_options(conn, header) || !acks_none_or_all(conn, header))
        return false;
    tcp_count(conn, tcp_predicted);
    conn->segments_received++;
    take_stamp(conn, header);
    take_window(conn, header);
    if (conn->active) {
        changes = TCP_CHANGE_WRITABLE | TCP_CHANGE_ACKED;
        end_flight(conn);
    }
    if (bytes) {
        admitted = take_text(conn, segment, header_bytes, bytes, header->flags);
        changes |= admitted ? TCP_CHANGE_READABLE : 0;
    } else {
        buffer_release(segment);
    }
    if (changes)
        tcp_conn_post(conn, changes);
    if (admitted) {
        tcp_conn_heard(conn);
        conn->dscp_in = tos >> 2;
    }
    if (conn->ack_now)
        tcp_conn_wants_flush(conn);
    return true;
}
