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
#include "net/tcp_board_new.h"
#include "net/tcp_cc.h"
#include "net/tcp_conn.h"
#include "net/tcp_ecn.h"
#include "net/tcp_loss.h"
#include "net/tcp_path.h"
#include "net/tcp_probe.h"
#include "net/tcp_sack.h"
#include "net/tcp_segment.h"
#include "net/tcp_timer.h"

/* Where a connection stands after an attempt to send. */
enum out {
    OUT_MORE, /* it was sent: there may be more */
    OUT_DONE, /* there is nothing (more) to send now */
    OUT_FULL, /* the device is full */
    OUT_NO_MEMORY
};

static enum out out_of(enum tcp_sent sent)
{
    static const uint8_t table[] = {
        [TCP_SENT] = OUT_MORE,
        [TCP_SENT_NOTHING] = OUT_DONE,
        [TCP_SENT_FULL] = OUT_FULL,
        [TCP_SENT_NO_MEMORY] = OUT_NO_MEMORY,
    };

    return (enum out)table[sent];
}

static COLD enum out send_syn(struct tcp_conn *conn)
{
    uint8_t flags = conn->state == TCP_SYN_SENT ? TCP_SYN : TCP_SYN | TCP_ACK;
    enum tcp_sent sent;

    if (!conn->syn_now)
        return OUT_DONE;
    flags |= tcp_ecn_syn(conn);
    sent = tcp_segment_send_syn(conn, flags);
    if (sent == TCP_SENT)
        conn->syn_now = false;
    return out_of(sent);
}

/* ---- new ---- */

/* Whether new text is to go as a tail loss probe. */
static bool probes_tail(const struct tcp_conn *conn)
{
    return conn->active && conn->active->probe_due;
}

/* Bytes in flight that the window and the network still admit. */
static uint32_t room_for_new(const struct tcp_conn *conn)
{
    uint32_t flight = tcp_flight(conn), pipe = tcp_pipe(conn);
    uint32_t window = conn->snd.wnd > flight ? conn->snd.wnd - flight : 0;
    uint32_t room = conn->cwnd > pipe ? conn->cwnd - pipe : 0;

    if (probes_tail(conn) && room < conn->mss)
        room = conn->mss;
    return window < room ? window : room; /* MUST-34 */
}

/* One small segment is out at a time: Nagle's algorithm, Minshall's variant. */
static INLINE bool nagle_lets_go(const struct tcp_conn *conn)
{
    return conn->nodelay || conn->active->urgent || conn->fin_queued ||
           !seq_lt(conn->snd.una, conn->active->small_end);
}

/* Whether a segment that is not full-sized may go now. */
static bool small_may_go(const struct tcp_conn *conn, uint32_t bytes,
                         uint32_t unsent)
{
    if (bytes == unsent && (!conn->corked || conn->fin_queued) &&
        nagle_lets_go(conn))
        return true;
    return conn->probe_now || probes_tail(conn) ||
           bytes >= conn->snd.wnd_max / 2; /* the peer never offers more */
}

/* How many of `bytes`, which are more than one segment, go at once: whole
 * segments, and the rest behind them if it may. */
static uint32_t many_bytes(const struct tcp_conn *conn, uint32_t bytes,
                           uint32_t mss, uint32_t unsent)
{
    uint32_t most = probes_tail(conn) ? mss : tcp_segments_new_max(conn), rest;

    if (bytes > most)
        bytes = most;
    rest = bytes % mss;
    return rest && !small_may_go(conn, rest, unsent - (bytes - rest))
               ? bytes - rest
               : bytes;
}

/* How many bytes the next segment carries; 0: none goes. */
static uint32_t new_bytes(const struct tcp_conn *conn, uint32_t mss,
                          uint32_t unsent)
{
    uint32_t bytes = room_for_new(conn);

    if (bytes == 0 && conn->probe_now && tcp_flight(conn) == 0)
        return 1;
    if (bytes > unsent)
        bytes = unsent;
    if (bytes > mss)
        return many_bytes(conn, bytes, mss, unsent);
    if (bytes == mss || (bytes > 0 && small_may_go(conn, bytes, unsent)))
        return bytes;
    return 0;
}

/* What the next segment has more than usual, to try the way; 0: nothing. */
static COLD uint32_t path_probe(struct tcp_conn *conn, uint32_t unsent)
{
    uint32_t room = room_for_new(conn);

    return probes_tail(conn)
               ? 0
               : tcp_path_probe(conn, room < unsent ? room : unsent);
}

/* What goes next of new text. */
struct portion {
    uint32_t bytes;
    bool probe; /* it tries the way: one segment, whatever the MSS */
};

static struct portion some_goes(struct tcp_conn *conn, uint32_t mss,
                                uint32_t unsent)
{
    uint32_t probe = unsent && conn->lowered ? path_probe(conn, unsent) : 0;

    if (probe)
        return (struct portion){probe, true};
    return (struct portion){unsent ? new_bytes(conn, mss, unsent) : 0, false};
}

/* Whether all of it goes, as one segment: so it is nearly always, and seen at
 * a glance. */
static INLINE bool all_goes(const struct tcp_conn *conn, uint32_t mss,
                            uint32_t unsent)
{
    uint32_t flight = tcp_flight(conn) + unsent; /* no less than pipe */

    return unsent && unsent <= mss && flight <= conn->snd.wnd &&
           flight <= conn->cwnd && !conn->lowered && !conn->corked &&
           nagle_lets_go(conn);
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

/* Numbers [snd.nxt, snd.nxt + len) have left for the first time. quiet:
 * is_quiet(). */
static INLINE void sent_new(struct tcp_conn *conn, struct tcp_record *record,
                            uint32_t text, uint32_t len, bool small, bool quiet)
{
    struct tcp_active *active = conn->active;
    uint64_t now_us = conn->net->now_us;
    bool first = tcp_flight(conn) == 0; /* until now the timer was persist's */

    if (first)
        active->stalled_us = now_us;
    /* A probe's byte must not hold back what follows when the window opens. */
    if (small && (quiet || !conn->probe_now))
        active->small_end = conn->snd.nxt + len;
    if (quiet) { /* all of it has left */
        active->cursor = NULL;
        active->cursor_offset = 0;
    } else {
        advance_cursor(active, text);
        tcp_loss_sent(conn, len, false);
    }
    tcp_board_sent(conn, record, conn->snd.nxt + len);
    conn->snd.nxt += len;
    conn->bytes_sent += text;
    conn->sent_us = now_us;
    if (len > text) {
        conn->fin_sent = true;
        conn->fin_flying = true;
        tcp_conn_post(conn, TCP_CHANGE_FIN_SENT);
    }
    conn->cwnd_limited = 2 * tcp_flight(conn) >= conn->cwnd;
    if (first || conn->deadline[TCP_DEADLINE_RTX] == FOREVER)
        active->rto_at_us = tcp_timer_rto_at(conn); /* armed with the probe */
    if (quiet) {
        active->probe_at_us = tcp_probe_time(conn);
        tcp_deadline_put(conn, TCP_DEADLINE_RTX, tcp_loss_deadline(active));
        return;
    }
    conn->probe_now = false;
    if (active->probe_due)
        tcp_probe_sent(conn, false);
    tcp_probe_schedule(conn);
}

/* Whether FIN goes behind `text` bytes, of `unsent`. */
static bool fin_goes(const struct tcp_conn *conn, uint32_t text,
                     uint32_t unsent)
{
    return conn->fin_queued && !conn->fin_sent && text == unsent &&
           (tcp_flight(conn) + text < conn->snd.wnd || conn->probe_now);
}

/* Whether so long nothing was sent that cwnd is not to be believed. */
static bool was_idle(const struct tcp_conn *conn)
{
    return tcp_flight(conn) == 0 &&
           conn->net->now_us - conn->sent_us > conn->rto_us;
}

static enum out send_new(struct tcp_conn *conn)
{
    uint32_t unsent = tcp_unsent_open(conn), mss = tcp_segment_text_max(conn);
    struct portion portion = {unsent, false};
    struct tcp_record *record;
    uint8_t flags = TCP_ACK;
    enum tcp_sent sent;
    uint32_t bytes;
    bool fin, all;

    if (unsent == 0 && !conn->fin_queued)
        return OUT_DONE;
    if (was_idle(conn))
        tcp_cc_idle(conn); /* before it is asked how much may go */
    if (!all_goes(conn, mss, unsent))
        portion = some_goes(conn, mss, unsent);
    bytes = portion.bytes;
    fin = fin_goes(conn, bytes, unsent);
    if (bytes == 0 && !fin)
        return OUT_DONE;
    record = tcp_conn_activate(conn) ? tcp_board_prepare(conn) : NULL;
    if (!record)
        return OUT_NO_MEMORY;
    if (bytes && bytes == unsent)
        flags |= TCP_PSH; /* MUST-61 */
    if (fin)
        flags |= TCP_FIN;
    if (bytes > mss && !portion.probe && !tcp_segments_by_device(conn))
        sent = tcp_segment_send_many(conn, flags, conn->active->cursor,
                                     conn->active->cursor_offset, &bytes);
    else
        sent =
            tcp_segment_send(conn, conn->snd.nxt, flags, conn->active->cursor,
                             conn->active->cursor_offset, bytes);
    if (sent != TCP_SENT) {
        if (portion.probe)
            conn->active->path.mtu = 0;
        return out_of(sent);
    }
    all = bytes == portion.bytes; /* or whole segments of it, and no FIN */
    sent_new(conn, record, bytes, bytes + (fin && all ? 1 : 0),
             all && (bytes < mss ? bytes > 0 : bytes % mss > 0), false);
    return all && bytes == unsent && fin == conn->fin_queued ? OUT_DONE
                                                             : OUT_MORE;
}

/* ---- all ---- */

/* Whether the peer is to hear of something that no text has told it. */
static INLINE bool owes_ack(const struct tcp_conn *conn)
{
    return conn->ack_now || conn->keep_now || conn->dup_acks ||
           tcp_sack_owed(conn);
}

static COLD enum out send_ack(struct tcp_conn *conn)
{
    enum out out = OUT_MORE;

    if (conn->keep_now) {
        conn->keep_now = false;
        if (tcp_flight(conn) == 0) /* else what has left meanwhile asks */
            out = out_of(
                tcp_segment_send(conn, conn->snd.nxt - 1, TCP_ACK, NULL, 0, 0));
    }
    while (out == OUT_MORE && owes_ack(conn))
        out =
            out_of(tcp_segment_send(conn, conn->snd.nxt, TCP_ACK, NULL, 0, 0));
    return out;
}

/* Whether anything that is in flight may have to go once more. */
static bool owes_again(const struct tcp_conn *conn)
{
    return conn->active && (conn->active->board.lost_bytes ||
                            conn->active->forced || conn->active->probe_due);
}

/* Returns: OUT_MORE when there is room for what is new. */
static COLD enum out send_again(struct tcp_conn *conn)
{
    enum out out = OUT_MORE;

    while (out == OUT_MORE)
        out = out_of(tcp_again_lost(conn));
    if (out == OUT_DONE && conn->active->probe_due &&
        (!tcp_unsent(conn) || room_for_new(conn) == 0))
        out = out_of(tcp_again_last(conn));
    return out == OUT_DONE ? OUT_MORE : out;
}

static COLD enum out send_all(struct tcp_conn *conn)
{
    enum out out = OUT_MORE;
    bool again;

    if (tcp_opening(conn)) {
        out = send_syn(conn);
        return out == OUT_DONE && owes_ack(conn) ? send_ack(conn) : out;
    }
    again = owes_again(conn);
    if (again)
        out = send_again(conn);
    while (out == OUT_MORE)
        out = send_new(conn);
    conn->probe_now = false;
    if (again && conn->active)
        conn->active->probe_due = false;
    return out == OUT_DONE && owes_ack(conn) ? send_ack(conn) : out;
}

/* Whether something is there that nothing in flight will bring an answer for:
 * the persist timer does, and a lack of memory is tried again then. */
static bool needs_timer(const struct tcp_conn *conn, enum out out)
{
    return tcp_flight(conn) == 0 &&
           conn->deadline[TCP_DEADLINE_RTX] == FOREVER &&
           (tcp_unsent(conn) || (conn->fin_queued && !conn->fin_sent) ||
            out == OUT_NO_MEMORY);
}

/* After an attempt to send: see tcp_out(). */
static bool settle(struct tcp_conn *conn, enum out out)
{
    tcp_conn_rest(conn);
    if (out == OUT_FULL)
        return true;
    if (!tcp_opening(conn) && needs_timer(conn, out))
        tcp_timer_persist(conn);
    return false;
}

/* ---- at a glance ---- */

/* Whether nothing is due but text that was never sent, FIN, and an
 * acknowledgement that any segment carries. A SYN may be: no text goes at once
 * then, for cwnd is 0 until the connection is open. */
static INLINE bool is_quiet(const struct tcp_conn *conn)
{
    const struct tcp_active *active = conn->active;

    return active && !active->odd &&
           !(active->board.sacked_bytes | active->board.lost_bytes) &&
           !active->pieces &&
           active->duplicate.start == active->duplicate.end &&
           !conn->dup_acks && !conn->keep_now && !conn->probe_now;
}

/* Whether all of it goes in one segment, with FIN if that is queued. */
static INLINE bool goes_at_once(const struct tcp_conn *conn, uint32_t unsent)
{
    return all_goes(conn, conn->mss, unsent) && !was_idle(conn) &&
           (!conn->fin_queued || fin_goes(conn, unsent, unsent));
}

/* Does what send_all() would. */
static INLINE enum out send_at_once(struct tcp_conn *conn, uint32_t unsent)
{
    struct tcp_record *record = tcp_board_prepare(conn);
    uint32_t fin = conn->fin_queued ? 1 : 0;
    enum tcp_sent sent;

    if (!record)
        return OUT_NO_MEMORY;
    sent = tcp_segment_send_usual(
        conn, conn->snd.nxt, (uint8_t)(TCP_ACK | TCP_PSH | (fin ? TCP_FIN : 0)),
        conn->active->cursor, conn->active->cursor_offset, unsent);
    if (sent != TCP_SENT)
        return out_of(sent);
    sent_new(conn, record, unsent, unsent + fin, unsent < conn->mss, true);
    return OUT_DONE;
}

bool tcp_out(struct tcp_conn *conn)
{
    enum out out;

    if (is_quiet(conn)) {
        uint32_t unsent = tcp_unsent_open(conn);

        if (goes_at_once(conn, unsent)) {
            out = send_at_once(conn, unsent);
            return out != OUT_DONE && settle(conn, out);
        }
    }
    return settle(conn, send_all(conn));
}
