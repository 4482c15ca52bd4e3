/*
 * net/tcp_again.c - what is sent once more: what was lost, and probes.
 *
 * A stretch that was lost goes as one segment where the device makes several
 * of it, as far as cwnd and the window admit.
 *
 * Source: RFC 9293 3.8.1, 3.8.6.1; RFC 8985 7.3; RFC 6675 5.
 */
#include "net/tcp_board.h"
#include "net/tcp_conn.h"
#include "net/tcp_loss.h"
#include "net/tcp_path.h"
#include "net/tcp_rack.h"
#include "net/tcp_segment.h"

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

/* Send all of a record once more. */
static enum tcp_sent send_record(struct tcp_conn *conn,
                                 struct tcp_record *record)
{
    struct tcp_active *active = conn->active;
    uint32_t bytes = record->end - record->seq, text = bytes;
    uint32_t offset = record->seq - conn->snd.una;
    bool head = offset == 0;
    uint8_t flags = TCP_ACK;
    struct buffer *view;
    enum tcp_sent sent;

    if (text > active->queue.bytes - offset) {
        text = active->queue.bytes - offset;
        flags |= TCP_FIN;
    }
    if (text && offset + text == active->queue.bytes)
        flags |= TCP_PSH;
    view = view_at(active, &offset);
    tcp_path_again(conn, record->seq, bytes);
    sent = tcp_segment_send(conn, record->seq, flags, view, offset, text);
    if (sent != TCP_SENT)
        return sent;
    tcp_board_sent_again(conn, record);
    tcp_loss_sent(conn, bytes, true);
    if (head)
        tcp_timer_rtx(conn); /* its answer takes a round trip: RFC 6675 6 */
    active->forced = false;
    conn->retransmissions++;
    conn->sent_us = conn->net->now_us;
    tcp_count(conn, tcp_retransmit);
    return TCP_SENT;
}

/* Numbers of a lost record that may go now. One that is forced goes whatever
 * cwnd says, and against a closed window as a probe. */
static uint32_t room_for(const struct tcp_conn *conn,
                         const struct tcp_record *record)
{
    const struct tcp_active *active = conn->active;
    uint32_t mss = tcp_segment_text_max(conn), pipe = tcp_pipe(conn);
    uint32_t bytes = record->end - record->seq;
    uint32_t window = seq_after(record->seq, conn->snd.una + conn->snd.wnd);
    uint32_t most = tcp_segments_max(conn), room;

    room = conn->cwnd > pipe ? conn->cwnd - pipe : 0;
    if (active->forced) {
        room = mss;
        window = window ? window : 1;
    }
    if (room < mss && room < bytes)
        return 0; /* a whole segment a little later */
    if (bytes > window)
        bytes = window;
    if (room > most)
        room = most;
    return bytes > room ? room - room % mss : bytes;
}

enum tcp_sent tcp_again_lost(struct tcp_conn *conn)
{
    struct tcp_record *record = tcp_board_lost(conn);
    uint32_t bytes;

    if (conn->active->frto == TCP_FRTO_SECOND)
        return TCP_SENT_NOTHING; /* it may not be lost */
    if (!record) {
        conn->active->forced = false;
        return TCP_SENT_NOTHING;
    }
    bytes = room_for(conn, record);
    if (bytes == 0)
        return TCP_SENT_NOTHING;
    if (bytes < record->end - record->seq &&
        !tcp_board_split(conn, record, record->seq + bytes))
        return TCP_SENT_NO_MEMORY;
    return send_record(conn, record);
}

enum tcp_sent tcp_again_last(struct tcp_conn *conn)
{
    struct tcp_record *record = conn->active->board.last;
    uint32_t mss = tcp_segment_text_max(conn);
    enum tcp_sent sent;

    if (record->end - record->seq > mss)
        record = tcp_board_split(conn, record, record->end - mss);
    if (!record)
        return TCP_SENT_NO_MEMORY;
    if (seq_lt(conn->snd.una + conn->snd.wnd, record->end))
        return TCP_SENT_NOTHING; /* the window has shrunk */
    sent = send_record(conn, record);
    if (sent == TCP_SENT)
        tcp_probe_sent(conn, true);
    return sent;
}
