/*
 * net/tcp_text.c - received text and FIN; the window that we advertise.
 *
 * The receive queue holds views of the pages into which the device wrote.
 * Only small segments are copied together, so that a page holds many of them.
 *
 * Source: RFC 9293 3.10.7.4 (seventh, eighth step), 3.8.6.2.2 (silly window),
 * 3.8.6.3 (delayed ACK).
 */
#include "net/tcp_text.h"
#include "net/tcp_buffers.h"
#include "net/tcp_conn.h"
#include "net/tcp_sack.h"

enum { DUP_ACKS_MAX = 16 /* owed for one flush */ };

/* Views of chunks hold little more than twice what they show at the worst: a
 * text of 1985 bytes in a page. */
uint32_t tcp_text_held_max(const struct tcp_conn *conn)
{
    return tcp_rcv_buffer(conn) / 4 * 9 +
           4 * (BUFFER_PAGE_BYTES + (uint32_t)sizeof(struct buffer));
}

static bool has_room(struct tcp_conn *conn, uint32_t cost)
{
    return conn->rcv_queue.held + cost <= tcp_text_held_max(conn) &&
           tcp_pressure_admits(conn, cost);
}

/* What is out of order gives way, or its hole were never filled: it may be
 * dropped although it was reported (RFC 2018 8). */
static COLD bool makes_room(struct tcp_conn *conn, uint32_t cost)
{
    if (!conn->active || !conn->active->pieces)
        return false;
    tcp_count(conn, tcp_pressure_ooo);
    tcp_reass_clear(conn);
    return has_room(conn, cost);
}

static COLD bool refuse(struct tcp_conn *conn, struct buffer *text)
{
    tcp_count(conn, tcp_rcv_memory);
    conn->starved = true;
    buffer_release(text);
    return false;
}

/* Append text that is in order. False: no room. */
static bool queue_text(struct tcp_conn *conn, struct buffer *text,
                       uint32_t bytes)
{
    struct tcp_queue *queue = &conn->rcv_queue;
    uint32_t cost = tcp_queue_cost(text);

    if (tcp_is_wasteful(bytes, cost)) {
        if (queue->tail && tcp_queue_copy(queue, text, bytes))
            return true;
        if (text->next || !buffer_may_grow(text)) {
            text = tcp_chain_own(text, conn->net->pool, bytes);
            cost = tcp_queue_cost(text);
        }
    }
    if (!has_room(conn, cost) && !makes_room(conn, cost))
        return refuse(conn, text);
    tcp_queue_push(queue, text, &tcp_of(conn)->budget);
    return true;
}

/* ---- the window ---- */

/* The most that the receive buffer has room for, and a window may say. */
static uint32_t space(const struct tcp_conn *conn, uint32_t buffer)
{
    uint32_t most = (uint32_t)UINT16_MAX << conn->rcv_shift;
    uint32_t bytes =
        buffer > conn->rcv_queue.bytes ? buffer - conn->rcv_queue.bytes : 0;

    return bytes < most ? bytes : most;
}

/* The window to have, where there is room for `room`: `now`, which the peer
 * knows of, or `least` more at least (silly window, MUST-39; never less,
 * SHLD-14). When memory is short, it grows to no more than to go on with. */
static uint32_t grown(const struct tcp_conn *conn, uint32_t now, uint32_t room,
                      uint32_t least)
{
    uint32_t segments = 2u * conn->rcv_mss;

    if (room >= now + least && room > segments && tcp_pressed(conn->net))
        room = segments;
    return room < now + least ? now : room;
}

/* What stands in the window field for `room`; the edge is then there. */
static INLINE uint32_t advertise(struct tcp_conn *conn, uint32_t now,
                                 uint32_t room)
{
    uint32_t field = room >> conn->rcv_shift;

    /* What the peer may still send is no multiple of the scale: round up, or
     * the window would shrink (RFC 7323 2.4). A peer that sends fewer bytes
     * at a time than the scale's unit may so exceed the buffer, until
     * tcp_text_held_max(). */
    if (field << conn->rcv_shift < now)
        field++;
    if (field > UINT16_MAX)
        field = UINT16_MAX;
    if (field << conn->rcv_shift > now)
        conn->rcv.edge = conn->rcv.nxt + (field << conn->rcv_shift);
    return field;
}

static ASIDE uint32_t advertise_more(struct tcp_conn *conn, uint32_t now,
                                     uint32_t buffer)
{
    return advertise(conn, now,
                     grown(conn, now, space(conn, buffer),
                           tcp_least(conn->rcv_mss, buffer / 2)));
}

uint32_t tcp_text_window(struct tcp_conn *conn)
{
    uint32_t now = tcp_rcv_window(conn);
    uint32_t buffer = tcp_rcv_buffer(conn);
    uint32_t used = conn->rcv_queue.bytes + now;

    /* At a glance: not a segment more has room, which is half a buffer too. */
    if (buffer < used + conn->rcv_mss && conn->rcv_mss <= buffer / 2)
        return advertise(conn, now, now);
    return advertise_more(conn, now, buffer);
}

/* The window is worth an update: it has room to grow by two segments. */
static ASIDE bool window_has_grown(const struct tcp_conn *conn)
{
    uint32_t now = tcp_rcv_window(conn);
    uint32_t buffer = tcp_rcv_buffer(conn);

    return grown(conn, now, space(conn, buffer),
                 tcp_least(2u * conn->rcv_mss, buffer / 2)) > now;
}

/* A small segment, and the application has read it all: either it answers
 * before the next flush, and the answer carries the ACK, or it waits for more,
 * which a peer with Nagle's algorithm holds back until our ACK. */
static bool small_one_was_read(const struct tcp_conn *conn)
{
    return conn->ack_delayed && conn->last_small && conn->rcv_queue.bytes == 0;
}

void tcp_text_was_read(struct tcp_conn *conn)
{
    if (!tcp_traits(conn->state)->can_receive)
        return;
    tcp_rcv_tune(conn);
    /* Who was refused text is told that there is room again, however little:
     * it may have backed off far. */
    if (conn->starved || small_one_was_read(conn) || window_has_grown(conn)) {
        conn->ack_now = true;
        conn->starved = false;
    }
    if (conn->ack_now)
        tcp_conn_wants_flush(conn);
}

void tcp_text_discard(struct tcp_conn *conn)
{
    tcp_queue_clear(&conn->rcv_queue, &tcp_of(conn)->budget);
    if (conn->urgent_in)
        tcp_urgent_was_read(conn);
    tcp_text_was_read(conn);
}

/* ---- text ---- */

void tcp_text_learn_size(struct tcp_conn *conn, uint32_t one, uint32_t most,
                         uint8_t flags)
{
    if (one > most) /* joined on the way: not what its sender sends */
        one = most;
    if (conn->seg_max > most)
        conn->seg_max = (uint16_t)most;
    if (one > conn->seg_max && !(flags & TCP_PSH))
        conn->seg_max = (uint16_t)one;
}

bool tcp_text_next_any(struct tcp_conn *conn, struct buffer *text,
                       uint32_t bytes, uint32_t one, uint8_t flags)
{
    if (!queue_text(conn, text, bytes))
        return false;
    tcp_text_took(conn, bytes, one, flags);
    return true;
}

/* Whether a segment lies in the window as it is. */
static bool fits(const struct tcp_conn *conn, const struct tcp_seg *seg)
{
    return seq_leq(conn->rcv.nxt, seg->seq) &&
           seg->text_bytes + (seg->flags & TCP_FIN) <=
               seq_after(seg->seq, conn->rcv.edge);
}

/* Cut off what lies outside the window; text_bytes 0 when nothing is left. */
static COLD void trim(struct tcp_conn *conn, struct tcp_arrival *in)
{
    struct tcp_seg *seg = &in->seg;
    uint32_t old = seq_after(seg->seq, conn->rcv.nxt);
    uint32_t room;

    if (old) {
        old = old < seg->text_bytes ? old : seg->text_bytes;
        tcp_sack_duplicate(conn, seg->seq, seg->seq + old);
        in->text = tcp_chain_drop(in->text, old);
        seg->seq += old;
        seg->text_bytes -= old;
        conn->ack_now = true; /* it comes again: its sender has not heard */
    }
    room = seq_after(seg->seq, conn->rcv.edge);
    if (seg->text_bytes + (seg->flags & TCP_FIN) > room)
        seg->flags &= (uint8_t)~TCP_FIN;
    if (seg->text_bytes <= room)
        return;
    if (room) {
        tcp_chain_keep(in->text, room);
    } else {
        buffer_release(in->text);
        in->text = NULL;
    }
    seg->text_bytes = room;
}

static enum tcp_verdict in_order(struct tcp_conn *conn, struct tcp_arrival *in)
{
    uint32_t bytes = in->seg.text_bytes;
    uint32_t one = in->gso_bytes ? in->gso_bytes : bytes;
    bool gap = conn->active && conn->active->pieces;
    struct buffer *text = in->text;

    in->text = NULL;
    if (!tcp_text_next_any(conn, text, bytes, one, in->seg.flags))
        return TCP_DROP;
    if (gap) {
        tcp_reass_deliver(conn);
        conn->ack_now = true; /* RFC 5681 4.2 */
    }
    if (conn->lingers)
        tcp_text_discard(conn);
    tcp_conn_post(conn, TCP_CHANGE_READABLE);
    return TCP_GO_ON;
}

static COLD void out_of_order(struct tcp_conn *conn, struct tcp_arrival *in)
{
    struct buffer *text = in->text;

    in->text = NULL;
    tcp_count(conn, tcp_out_of_order);
    tcp_reass_add(conn, in->seg.seq, text, in->seg.text_bytes);
    if (!conn->sack && conn->dup_acks < DUP_ACKS_MAX)
        conn->dup_acks++; /* each one counts for the peer: RFC 5681 3.2 */
    conn->ack_now = true;
}

enum tcp_verdict tcp_in_text(struct tcp_conn *conn, struct tcp_arrival *in)
{
    if (in->seg.text_bytes == 0)
        return TCP_GO_ON;
    if (!tcp_traits(conn->state)->can_receive) {
        tcp_count(conn, tcp_after_fin);
        return TCP_GO_ON;
    }
    if (!fits(conn, &in->seg)) {
        trim(conn, in);
        if (in->seg.text_bytes == 0)
            return TCP_GO_ON;
    }
    if ((conn->released && !conn->lingers) || conn->read_shut) { /* SHLD-3 */
        tcp_conn_reset(conn, TCP_END_ABORTED);
        return TCP_GONE;
    }
    if (in->seg.seq == conn->rcv.nxt)
        return in_order(conn, in);
    out_of_order(conn, in);
    return TCP_GO_ON;
}

/* ---- FIN ---- */

ASIDE enum tcp_verdict tcp_fin_take(struct tcp_conn *conn)
{
    conn->rcv.nxt++;
    if (seq_lt(conn->rcv.edge, conn->rcv.nxt))
        conn->rcv.edge = conn->rcv.nxt;
    conn->fin_received = true;
    conn->ack_now = true;
    if (conn->active) {
        tcp_reass_clear(conn);
        tcp_conn_rest(conn);
    }
    tcp_conn_event(conn, TCP_EV_FIN);
    if (tcp_traits(conn->state)->closed) {
        tcp_conn_closed(conn);
        return TCP_GONE;
    }
    tcp_conn_post(conn, TCP_CHANGE_READABLE);
    return TCP_GO_ON;
}

enum tcp_verdict tcp_in_fin(struct tcp_conn *conn, struct tcp_arrival *in)
{
    uint32_t fin_seq = in->seg.seq + in->seg.text_bytes;
    struct tcp_active *active = conn->active;

    if (!tcp_traits(conn->state)->can_receive)
        return TCP_GO_ON;
    if (active && active->fin_early && active->fin_seq == conn->rcv.nxt)
        return tcp_fin_take(conn);
    if (!(in->seg.flags & TCP_FIN))
        return TCP_GO_ON;
    if (fin_seq == conn->rcv.nxt)
        return tcp_fin_take(conn);
    if (seq_lt(conn->rcv.nxt, fin_seq)) { /* behind a hole */
        if (tcp_conn_activate(conn)) {
            conn->active->fin_early = true;
            conn->active->fin_seq = fin_seq;
        }
        conn->ack_now = true;
    }
    return TCP_GO_ON;
}
