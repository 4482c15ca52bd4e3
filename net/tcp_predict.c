/*
 * net/tcp_predict.c - header prediction: what nearly every segment is.
 *
 * The next text of an established connection, or none, and an acknowledgement
 * of nothing new, or of all that it had to send. Such a segment asks none of
 * the questions that tcp_in.c, tcp_ack.c and tcp_loss.c have answers for: what
 * they would do is done here in one go. Any other goes there, untouched.
 *
 * tests/unit/test_tcp_predict.c holds the two ways against each other.
 *
 * Source: Jacobson, "4BSD TCP Header Prediction", 1990; RFC 9293 3.10.7.4.
 */
#include "net/tcp_predict.h"

#include "net/tcp_paws.h"
#include "net/tcp_rtt.h"

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
    return conn->state == TCP_ESTABLISHED &&
           (header->flags & ~TCP_PSH) == TCP_ACK &&
           be32_get(header->seq) == conn->rcv.nxt &&
           text_bytes <= seq_after(conn->rcv.nxt, conn->rcv.edge) &&
           !conn->released && !conn->read_shut && !conn->fin_queued &&
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

    return burst && !burst->next && burst->fate == TCP_FLYING &&
           !burst->again && active->queue.bytes == tcp_flight(conn) &&
           active->phase == TCP_PHASE_OPEN && active->dup_bytes == 0 &&
           !active->undo.possible && !active->probe.flying &&
           !active->cwr_flying && !active->urgent && !active->path.mtu &&
           !active->pieces && !active->fin_early &&
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
    tcp_board_all_arrived(conn);
    tcp_rtt_by_clock(conn, sent_us);
    tcp_cc_acked(conn, bytes);
    tcp_timer_rtx_off(conn);
    tcp_queue_clear(&active->queue, &tcp_of(conn)->budget);
    active->small_end = conn->snd.una;
    active->recover = conn->snd.una - 1;
    active->rack.in_round = false;
    active->stalled_us = conn->net->now_us;
    active->dup_acks = 0;
    active->forced = false;
    active->probe.due = false;
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

bool tcp_predicted(struct tcp_conn *conn, uint8_t tos, struct buffer *segment)
{
    const struct tcp_header *header = (const struct tcp_header *)segment->data;
    uint32_t seq = be32_get(header->seq);
    uint32_t header_bytes = tcp_header_bytes(header);
    uint32_t bytes = buffer_chain_len(segment) - header_bytes;
    unsigned changes = 0;
    bool admitted = true;

    if (!is_next(conn, header, bytes, tos) ||
        !has_usual_options(conn, header) || !acks_none_or_all(conn, header))
        return false;
    tcp_count(conn, tcp_predicted);
    conn->segments_received++;
    if (conn->timestamps && seq_leq(seq, conn->rcv.acked))
        tcp_ts_take(conn, be32_get(tcp_timestamps_of(header)->val));
    (void)tcp_window_take(conn, seq, be32_get(header->ack),
                          (uint32_t)be16_get(header->window)
                              << conn->snd_shift); /* nothing waits for it */
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
