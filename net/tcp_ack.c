/*
 * net/tcp_ack.c - the acknowledgement and the window of an arriving segment.
 *
 * Source: RFC 9293 3.10.7.4 (fifth step); RFC 5961 5.2; RFC 5681 2.
 */
#include "net/tcp_conn.h"
#include "net/tcp_loss.h"
#include "net/tcp_path.h"

/* Release what is acknowledged, keeping the place of snd.nxt. */
static void release_queue(struct tcp_conn *conn, uint32_t bytes)
{
    struct tcp_active *active = conn->active;

    tcp_queue_drop(&active->queue, bytes, &tcp_of(conn)->budget);
    if (active->cursor && active->cursor == active->queue.head)
        active->cursor_offset = tcp_flight(conn) - (conn->fin_flying ? 1 : 0);
}

static void acked_active(struct tcp_conn *conn, uint32_t text)
{
    struct tcp_active *active = conn->active;

    if (active->urgent)
        tcp_urgent_acked(conn);
    active->small_end = seq_max(active->small_end, conn->snd.una);
    active->stalled_us = conn->net->now_us;
    if (text)
        release_queue(conn, text);
    tcp_path_acked(conn, text);
}

static ASIDE enum tcp_verdict fin_acked(struct tcp_conn *conn)
{
    tcp_conn_event(conn, TCP_EV_FIN_ACKED);
    if (tcp_traits(conn->state)->closed) {
        tcp_conn_closed(conn);
        return TCP_GONE;
    }
    if (conn->released)
        tcp_deadline_set(conn, TCP_DEADLINE_KEEP,
                         conn->net->now_us +
                             tcp_config_of(conn)->fin_wait_2_us);
    return TCP_GO_ON;
}

/* snd.una moves on. */
static enum tcp_verdict advance(struct tcp_conn *conn,
                                const struct tcp_seg *seg)
{
    uint32_t ack = seg->ack, bytes = ack - conn->snd.una;
    bool fin = conn->fin_flying && ack == conn->snd.nxt;
    uint32_t text = bytes - (fin ? 1 : 0);

    conn->snd.una = ack;
    if (fin)
        conn->fin_flying = false;
    acked_active(conn, text);
    tcp_loss_ack(conn, seg, bytes, false);
    if (text)
        tcp_conn_post(conn, tcp_queued(conn)
                                ? TCP_CHANGE_WRITABLE
                                : TCP_CHANGE_WRITABLE | TCP_CHANGE_ACKED);
    return fin ? fin_acked(conn) : TCP_GO_ON;
}

/*
 * Only from a segment that is not older than the last. RFC 9293 3.10.7.4 goes
 * by WL1 and WL2 alone; an ACK that is new tells as much, and must count: it
 * may come with text that is sent again, so with an old number, and snd.una
 * would advance under the old window, past the peer's edge.
 */
static bool take_window(struct tcp_conn *conn, const struct tcp_seg *seg)
{
    if (seg->ack == conn->snd.una && !seq_lt(conn->snd.wl1, seg->seq) &&
        !(conn->snd.wl1 == seg->seq && seq_leq(conn->snd.wl2, seg->ack)))
        return false;
    return tcp_window_take(conn, seg->seq, seg->ack,
                           (uint32_t)seg->window << conn->snd_shift);
}

/* The window has opened again: what the probes sent may have been refused,
 * and the probes' pauses are not those of a lost segment. */
static COLD void window_opened(struct tcp_conn *conn)
{
    bool probed = conn->backoff > 0;

    conn->backoff = 0;
    tcp_timer_rtx_off(conn);
    if (tcp_flight(conn)) {
        tcp_timer_rtx(conn);
        if (conn->active && probed)
            tcp_loss_again(conn);
    }
}

ASIDE enum tcp_verdict tcp_handshake_complete(struct tcp_conn *conn,
                                              uint32_t ack)
{
    if (ack != conn->snd.nxt) { /* una < ack <= nxt: one number */
        tcp_count(conn, tcp_ack_unsent);
        return TCP_REPLY_RST;
    }
    if (conn->unaccepted && !tcp_listener_ready(conn)) {
        conn->waits_for_ready = true;
        return TCP_DROP;
    }
    tcp_opened(conn);
    return TCP_GO_ON;
}

static bool is_duplicate(const struct tcp_conn *conn, const struct tcp_seg *seg)
{
    return seg->ack == conn->snd.una && seg->text_bytes == 0 &&
           !(seg->flags & TCP_FIN) && conn->active && tcp_flight(conn);
}

enum tcp_verdict tcp_in_ack(struct tcp_conn *conn, struct tcp_arrival *in)
{
    const struct tcp_seg *seg = &in->seg;
    bool duplicate, shut = conn->snd.wnd == 0;

    if (!(seg->flags & TCP_ACK)) {
        tcp_count(conn, tcp_no_ack);
        return TCP_DROP;
    }
    if (conn->state == TCP_SYN_RECEIVED) {
        enum tcp_verdict verdict = tcp_handshake_complete(conn, seg->ack);

        if (verdict != TCP_GO_ON)
            return verdict;
    }
    if (seq_lt(conn->snd.nxt, seg->ack)) {
        tcp_count(conn, tcp_ack_unsent);
        return TCP_CHALLENGE;
    }
    if (seq_lt(seg->ack, conn->snd.una)) {
        if (conn->snd.una - seg->ack <= conn->snd.wnd_max)
            return TCP_GO_ON; /* late; its text may be new all the same */
        tcp_count(conn, tcp_ack_too_old);
        return TCP_CHALLENGE;
    }
    duplicate = is_duplicate(conn, seg);
    if (take_window(conn, seg)) {
        duplicate = false;
        if (shut && conn->snd.wnd)
            window_opened(conn);
        if (conn->active || conn->fin_queued)
            tcp_conn_wants_flush(conn);
    }
    if (seg->ack == conn->snd.una) {
        if (conn->active)
            tcp_loss_ack(conn, seg, 0, duplicate && conn->snd.wnd);
        return TCP_GO_ON;
    }
    tcp_conn_wants_flush(conn); /* it rests then, unless there is an answer */
    return advance(conn, seg);
}
