/*
 * net/tcp_urgent.c - urgent data, both ways.
 *
 * Urgent bytes stay in their place in the stream (RFC 6093 3 and 4); what
 * travels beside it is only where they end: a number behind the last of them
 * (MUST-62). However many there are (MUST-31): one that lies beyond what the
 * field can say moves ahead with the segments. Whether it is zero, or points
 * past the segment, is nothing special: it is compared, never used as a place
 * in memory. RFC 9293 SHLD-13: new applications should not use any of this.
 *
 * Source: RFC 9293 3.8.5, 3.10.2 (SEND), 3.10.7.4 (sixth); RFC 6093.
 */
#include "net/tcp_conn.h"

/* ---- out ---- */

enum tcp_status tcp_send_urgent(struct tcp_conn *conn, struct buffer *chain,
                                uint64_t now_us)
{
    bool any = buffer_chain_len(chain) > 0;
    enum tcp_status status = tcp_send(conn, chain, now_us);

    if (status != TCP_OK || !any)
        return status;
    conn->active->urgent = true;
    conn->active->snd_up = tcp_queue_seq(conn) + tcp_queued(conn);
    /* The peer hears of it at once, even when its window is closed. */
    if (tcp_traits(conn->state)->open)
        conn->ack_now = true;
    return TCP_OK;
}

void tcp_urgent_mark(const struct tcp_active *active, struct tcp_seg *seg)
{
    uint32_t ahead = seq_after(seg->seq, active->snd_up);

    if (ahead == 0)
        return;
    seg->flags |= TCP_URG;
    seg->urgent = ahead < UINT16_MAX ? (uint16_t)ahead : UINT16_MAX;
}

void tcp_urgent_acked(struct tcp_conn *conn)
{
    if (seq_leq(conn->active->snd_up, conn->snd.una))
        conn->active->urgent = false;
}

/* ---- in ---- */

/* The number of the first byte that the application has not read. */
static uint32_t unread(const struct tcp_conn *conn)
{
    return conn->rcv.nxt - (conn->fin_received ? 1 : 0) - conn->rcv_queue.bytes;
}

enum tcp_verdict tcp_in_urgent(struct tcp_conn *conn, struct tcp_arrival *in)
{
    if (!(in->seg.flags & TCP_URG) || !tcp_traits(conn->state)->can_receive)
        return TCP_GO_ON;
    if (in->seg.urgent == 0 || !seq_lt(unread(conn), in->up)) {
        tcp_count(conn, tcp_urgent_stale);
        return TCP_GO_ON;
    }
    if (conn->urgent_in && seq_leq(in->up, conn->rcv.up))
        return TCP_GO_ON; /* known */
    conn->urgent_in = true;
    conn->rcv.up = in->up;
    tcp_conn_post(conn, TCP_CHANGE_URGENT);
    return TCP_GO_ON;
}

uint32_t tcp_urgent_bytes(const struct tcp_conn *conn)
{
    return conn->urgent_in ? seq_after(unread(conn), conn->rcv.up) : 0;
}

void tcp_urgent_was_read(struct tcp_conn *conn)
{
    if (tcp_urgent_bytes(conn) == 0) /* or it would come back after 2 GiB */
        conn->urgent_in = false;
}
