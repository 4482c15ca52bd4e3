/*
 * net/tcp_text.h - text that comes in order. Private to net/tcp_*.c.
 *
 * In a header, so that it is a part of the way that nearly every segment goes
 * (net/tcp_predict.c), and not a call.
 *
 * Source: RFC 9293 3.8.6.3 (delayed ACK); RFC 5681 4.2.
 */
#ifndef NET_TCP_TEXT_H
#define NET_TCP_TEXT_H

#include "net/tcp_conn.h"

/*
 * Append text that begins at rcv.nxt, which moves on, to the receive queue; an
 * acknowledgement is owed.
 *
 * text:    `bytes` of it, taken.
 * one:     bytes of each segment of it; flags: of the last.
 * Returns: false: there was no room.
 */
MUST_CHECK bool tcp_text_next_any(struct tcp_conn *conn, struct buffer *text,
                                  uint32_t bytes, uint32_t one, uint8_t flags);

/* Learn what the peer's full-sized segments are, of one that is larger than
 * those before, or when ours have become smaller. */
void tcp_text_learn_size(struct tcp_conn *conn, uint32_t one, uint32_t most,
                         uint8_t flags);

/* Every second full-sized segment at once (SHLD-19), a full-sized one at the
 * start and after idleness too, and the rest a little later, when no answer
 * carries it. */
static INLINE void tcp_text_owe_ack(struct tcp_conn *conn, uint32_t bytes,
                                    uint32_t one, uint8_t flags)
{
    uint64_t delay_us = tcp_config_of(conn)->delayed_ack_us;
    uint32_t most =
        conn->rcv_mss - (conn->timestamps ? TCP_TIMESTAMPS_BYTES : 0u);

    if (one > conn->seg_max || conn->seg_max > most)
        tcp_text_learn_size(conn, one, most, flags);
    conn->last_small = bytes < conn->seg_max;
    if (conn->net->now_us - conn->heard_us > conn->rto_us)
        conn->quick_acks = TCP_QUICK_ACKS; /* it starts anew: RFC 5681 4.1 */
    if (delay_us == 0 ||
        conn->rcv.nxt - conn->rcv.acked >= 2u * conn->seg_max) {
        conn->ack_now = true;
    } else if (!conn->last_small && conn->quick_acks) {
        conn->quick_acks--;
        conn->ack_now = true;
    } else if (!conn->ack_delayed) {
        conn->ack_delayed = true;
        tcp_deadline_set(conn, TCP_DEADLINE_ACK, conn->net->now_us + delay_us);
    }
}

/* Text behind rcv.nxt is queued. */
static INLINE void tcp_text_took(struct tcp_conn *conn, uint32_t bytes,
                                 uint32_t one, uint8_t flags)
{
    conn->rcv.nxt += bytes;
    conn->bytes_received += bytes;
    tcp_text_owe_ack(conn, bytes, one, flags);
}

/*
 * Begin the queue. False, and nothing is done, when tcp_text_next_any() might
 * do more than that: with all but a view of a chunk of its own, which no
 * connection is too small for, or when memory may be short.
 */
static INLINE bool tcp_text_begin_queue(struct tcp_conn *conn,
                                        struct buffer *text)
{
    struct tcp_budget *budget = &tcp_of(conn)->budget;
    uint32_t cost;

    if (conn->rcv_queue.tail || text->next || !buffer_may_grow(text))
        return false;
    cost = buffer_chunk_held_bytes(text);
    if (budget->held_bytes + cost > budget->held_bytes_max ||
        !pages_plenty(budget->pages))
        return false;
    tcp_queue_begin(&conn->rcv_queue, text, cost, budget);
    return true;
}

/* As tcp_text_next_any(). */
MUST_CHECK static INLINE bool tcp_text_next(struct tcp_conn *conn,
                                            struct buffer *text, uint32_t bytes,
                                            uint32_t one, uint8_t flags)
{
    if (!tcp_text_begin_queue(conn, text))
        return tcp_text_next_any(conn, text, bytes, one, flags);
    tcp_text_took(conn, bytes, one, flags);
    return true;
}

#endif
