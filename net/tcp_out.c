/*
 * net/tcp_out.c - what a connection sends, and when.
 *
 * Called once per flush for each connection that may have something to send:
 * first what was lost, then new text and FIN, then, if none of these carried
 * it, the acknowledgement.
 *
 * Source: RFC 9293 3.7.4 (Nagle; Minshall's variant), 3.8.6.1 (zero window),
 * 3.8.6.2.1 (silly window), 3.8.4 (keep-alive); RFC 5681 3.1.
 */
#include "net/tcp_cc.h"
#include "net/tcp_conn.h"
#include "net/tcp_loss.h"

enum { GSO_BYTES_MAX = 65535 - 20 - TCP_HEADER_BYTES_MAX };

/* Where a connection stands after an attempt to send. */
enum out {
    OUT_MORE, /* it was sent: there may be more */
    OUT_DONE, /* there is nothing (more) to send now */
    OUT_FULL, /* the device is full */
    OUT_NO_MEMORY
};

static enum out out_of(enum tcp_sent sent)
{
    return sent == TCP_SENT        ? OUT_MORE
           : sent == TCP_SENT_FULL ? OUT_FULL
                                   : OUT_NO_MEMORY;
}

static enum out send_syn(struct tcp_conn *conn)
{
    uint8_t flags = conn->state == TCP_SYN_SENT ? TCP_SYN : TCP_SYN | TCP_ACK;
    enum tcp_sent sent;

    if (!conn->syn_now)
        return OUT_DONE;
    sent = tcp_segment_send(conn, conn->iss, flags, NULL, 0, 0);
    if (sent == TCP_SENT)
        conn->syn_now = false;
    return out_of(sent);
}

/* ---- again ---- */

/* The view of the send queue with the byte `offset`, made relative to it. */
static struct buffer *view_at(const struct tcp_active *active, uint32_t *offset)
{
    struct buffer *view = active->queue.head;

    while (view && *offset >= view->len) {
        *offset -= view->len;
        view = view->next;
    }
    return view;
}

/* Numbers from rtx_next on that may go now: MAY-7, a probe, at least one. */
static uint32_t again_bytes(const struct tcp_conn *conn)
{
    const struct tcp_active *active = conn->active;
    uint32_t bytes = active->rtx_end - active->rtx_next;
    uint32_t window =
        seq_after(active->rtx_next, conn->snd.una + conn->snd.wnd);

    if (!active->rtx_forced && active->rtx_next - conn->snd.una >= conn->cwnd)
        return 0;
    if (active->rtx_forced && window == 0)
        window = 1;
    if (bytes > conn->mss)
        bytes = conn->mss;
    return bytes < window ? bytes : window;
}

static enum out send_again(struct tcp_conn *conn)
{
    struct tcp_active *active = conn->active;
    uint32_t bytes, text, offset = active->rtx_next - conn->snd.una;
    uint8_t flags = TCP_ACK;
    enum tcp_sent sent;
    struct buffer *view;

    if (!seq_lt(active->rtx_next, active->rtx_end))
        return OUT_DONE;
    bytes = again_bytes(conn);
    if (bytes == 0)
        return OUT_DONE;
    text = active->queue.bytes - offset < bytes ? active->queue.bytes - offset
                                                : bytes;
    if (text < bytes)
        flags |= TCP_FIN;
    if (text && offset + text == active->queue.bytes)
        flags |= TCP_PSH;
    view = view_at(active, &offset);
    sent = tcp_segment_send(conn, active->rtx_next, flags, view, offset, text);
    if (sent != TCP_SENT)
        return out_of(sent);
    active->rtx_next += bytes;
    active->rtx_forced = false;
    active->timing = false; /* Karn */
    conn->retransmissions++;
    conn->sent_us = conn->net->now_us;
    tcp_count(conn, tcp_retransmit);
    return OUT_MORE;
}

/* ---- new ---- */

/* Bytes in flight that the window and the network still admit. */
static uint32_t room_for_new(const struct tcp_conn *conn)
{
    uint32_t cwnd = conn->cwnd + tcp_loss_extra(conn);
    uint32_t most = conn->snd.wnd < cwnd ? conn->snd.wnd : cwnd;
    uint32_t flight = tcp_flight(conn);

    return most > flight ? most - flight : 0; /* MUST-34 */
}

/* Whether a segment that is not full-sized may go now. */
static bool small_may_go(const struct tcp_conn *conn, uint32_t bytes,
                         uint32_t unsent)
{
    if (conn->probe_now)
        return true;
    if (bytes >= conn->snd.wnd_max / 2)
        return true; /* the peer never offers more */
    if (bytes < unsent)
        return false;
    return conn->nodelay || conn->active->urgent || conn->fin_queued ||
           !seq_lt(conn->snd.una, conn->active->small_end);
}

/* How many bytes the next segment carries; 0: none goes. */
static uint32_t new_bytes(const struct tcp_conn *conn, uint32_t unsent,
                          uint32_t segment_max)
{
    uint32_t bytes = room_for_new(conn);

    if (bytes == 0 && conn->probe_now && tcp_flight(conn) == 0)
        return 1;
    if (bytes > unsent)
        bytes = unsent;
    if (bytes > segment_max)
        bytes = segment_max;
    if (bytes > conn->mss) {
        uint32_t rest = bytes % conn->mss;

        return rest && !small_may_go(conn, rest, unsent - (bytes - rest))
                   ? bytes - rest
                   : bytes;
    }
    if (bytes == conn->mss || (bytes > 0 && small_may_go(conn, bytes, unsent)))
        return bytes;
    return 0;
}

/* Move the place of snd.nxt in the send queue. */
static void advance_cursor(struct tcp_active *active, uint32_t bytes)
{
    active->cursor_offset += bytes;
    while (active->cursor && active->cursor_offset >= active->cursor->len) {
        active->cursor_offset -= active->cursor->len;
        active->cursor = active->cursor->next;
    }
}

/* Numbers [snd.nxt, snd.nxt + len) have left for the first time. */
static void sent_new(struct tcp_conn *conn, uint32_t text, uint32_t len)
{
    struct tcp_active *active = conn->active;
    uint64_t now_us = conn->net->now_us;

    if (active) {
        if (tcp_flight(conn) == 0) {
            active->stalled_us = now_us;
            active->rtx_next = active->rtx_end = conn->snd.nxt + len;
        }
        if (!active->timing) {
            active->timing = true;
            active->timed_seq = conn->snd.nxt;
            active->timed_us = now_us;
        }
        /* A probe's byte must not hold back what follows when the window
         * opens. */
        if (!conn->probe_now && (text < conn->mss || text % conn->mss))
            active->small_end = conn->snd.nxt + len;
        advance_cursor(active, text);
        active->rtx_next = seq_max(active->rtx_next, conn->snd.una);
    }
    conn->snd.nxt += len;
    conn->bytes_sent += text;
    conn->sent_us = now_us;
    if (len > text) {
        conn->fin_sent = true;
        conn->fin_flying = true;
        tcp_conn_post(conn, TCP_CHANGE_FIN_SENT);
    }
    conn->cwnd_limited = 2 * tcp_flight(conn) >= conn->cwnd;
    if (conn->deadline[TCP_DEADLINE_RTX] == FOREVER || conn->probe_now)
        tcp_timer_rtx(conn);
    conn->probe_now = false;
}

/* Whether FIN goes behind `text` bytes, of `unsent`. */
static bool fin_goes(const struct tcp_conn *conn, uint32_t text,
                     uint32_t unsent)
{
    return conn->fin_queued && !conn->fin_sent && text == unsent &&
           (tcp_flight(conn) + text < conn->snd.wnd || conn->probe_now);
}

static enum out send_new(struct tcp_conn *conn, uint32_t segment_max)
{
    struct tcp_active *active = conn->active;
    uint32_t unsent = tcp_unsent(conn);
    uint32_t bytes = unsent ? new_bytes(conn, unsent, segment_max) : 0;
    bool fin = fin_goes(conn, bytes, unsent);
    uint8_t flags = TCP_ACK;
    enum tcp_sent sent;

    if (bytes == 0 && !fin)
        return OUT_DONE;
    if (tcp_flight(conn) == 0 &&
        conn->net->now_us - conn->sent_us > conn->rto_us)
        tcp_cc_idle(conn);
    if (bytes && bytes == unsent)
        flags |= TCP_PSH; /* MUST-61 */
    if (fin)
        flags |= TCP_FIN;
    sent = tcp_segment_send(conn, conn->snd.nxt, flags,
                            active ? active->cursor : NULL,
                            active ? active->cursor_offset : 0, bytes);
    if (sent == TCP_SENT)
        sent_new(conn, bytes, bytes + (fin ? 1 : 0));
    return out_of(sent);
}

/* ---- all ---- */

static enum out send_ack(struct tcp_conn *conn)
{
    enum out out = OUT_MORE;

    if (conn->keep_now) {
        conn->keep_now = false;
        out = out_of(
            tcp_segment_send(conn, conn->snd.nxt - 1, TCP_ACK, NULL, 0, 0));
    }
    while (out == OUT_MORE && (conn->ack_now || conn->dup_acks))
        out =
            out_of(tcp_segment_send(conn, conn->snd.nxt, TCP_ACK, NULL, 0, 0));
    return out;
}

static enum out send_all(struct tcp_conn *conn)
{
    unsigned caps = ipv4_caps_for(conn->net, conn->tuple.peer);
    /* No device can be trusted to move the urgent pointer along. */
    bool gso = caps & NETDEV_CAP_TX_GSO_TCP4 &&
               !(conn->active && conn->active->urgent);
    uint32_t segment_max = gso ? (uint32_t)GSO_BYTES_MAX : conn->mss;
    enum out out = OUT_MORE;

    if (tcp_opening(conn)) {
        out = send_syn(conn);
        return out == OUT_DONE ? send_ack(conn) : out;
    }
    while (out == OUT_MORE && conn->active)
        out = send_again(conn);
    if (out == OUT_DONE || out == OUT_MORE) {
        do
            out = send_new(conn, segment_max);
        while (out == OUT_MORE);
    }
    conn->probe_now = false;
    return out == OUT_DONE ? send_ack(conn) : out;
}

bool tcp_out(struct tcp_conn *conn)
{
    enum out out = send_all(conn);
    bool waits;

    if (out == OUT_FULL)
        return true;
    if (tcp_opening(conn))
        return false;
    /* Nothing in flight will bring an answer: the persist timer does, and a
     * lack of memory is tried again then. */
    waits = tcp_unsent(conn) || (conn->fin_queued && !conn->fin_sent) ||
            out == OUT_NO_MEMORY;
    if (waits && tcp_flight(conn) == 0 &&
        conn->deadline[TCP_DEADLINE_RTX] == FOREVER)
        tcp_timer_rtx(conn);
    return false;
}
