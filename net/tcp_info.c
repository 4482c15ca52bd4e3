/*
 * net/tcp_info.c - asking a connection, and setting what can be set.
 */
#include "net/tcp_buffers.h"
#include "net/tcp_cc.h"
#include "net/tcp_conn.h"
#include "net/tcp_path.h"
#include "net/tcp_rack.h"

enum tcp_end tcp_end_reason(const struct tcp_conn *conn)
{
    return (enum tcp_end)conn->end;
}

struct tcp_endpoints tcp_endpoints(const struct tcp_conn *conn)
{
    return (struct tcp_endpoints){
        .local = conn->tuple.local,
        .peer = conn->tuple.peer,
        .local_port = conn->tuple.local_port,
        .peer_port = conn->tuple.peer_port,
    };
}

bool tcp_fin_sent(const struct tcp_conn *conn)
{
    return conn->fin_sent;
}

bool tcp_closed(const struct tcp_conn *conn)
{
    return tcp_traits(conn->state)->closed;
}

void tcp_set_context(struct tcp_conn *conn, void *context)
{
    conn->context = context;
}

void *tcp_context(const struct tcp_conn *conn)
{
    return conn->context;
}

unsigned tcp_take_changes(struct tcp_conn *conn)
{
    unsigned changes = conn->changes;

    conn->changes = 0;
    tcp_list_remove(&conn->events);
    return changes;
}

enum tcp_soft_error tcp_take_soft_error(struct tcp_conn *conn)
{
    enum tcp_soft_error error = (enum tcp_soft_error)conn->soft_error;

    conn->soft_error = TCP_SOFT_NONE;
    return error;
}

void tcp_set_nodelay(struct tcp_conn *conn, bool on, uint64_t now_us)
{
    net_set_now(conn->net, now_us);
    conn->nodelay = on;
    if (on && tcp_unsent(conn))
        tcp_conn_wants_flush(conn);
}

void tcp_set_cork(struct tcp_conn *conn, bool on, uint64_t now_us)
{
    net_set_now(conn->net, now_us);
    conn->corked = on;
    if (!on && conn->end == TCP_END_NONE)
        tcp_conn_wants_flush(conn);
}

void tcp_set_keepalive(struct tcp_conn *conn, bool on, uint64_t now_us)
{
    net_set_now(conn->net, now_us);
    if (conn->end != TCP_END_NONE || conn->keepalive == on)
        return;
    conn->keepalive = on;
    conn->keep_probes = 0;
    tcp_timer_keep(conn);
}

void tcp_set_user_timeout(struct tcp_conn *conn, uint64_t timeout_us,
                          uint64_t now_us)
{
    uint64_t ms = timeout_us / 1000 + (timeout_us % 1000 != 0);

    net_set_now(conn->net, now_us);
    if (conn->end != TCP_END_NONE)
        return;
    conn->user_timeout_ms = ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX;
    tcp_timer_user(conn);
}

/* TIME-WAIT is over when its entry is gone. */
static const char *state_name(const struct tcp_conn *conn)
{
    enum tcp_state state = (enum tcp_state)conn->state;

    if (state == TCP_TIME_WAIT &&
        !tcp_time_wait_has(conn->net, &conn->tuple, conn->hash))
        state = TCP_CLOSED;
    return tcp_traits(state)->name;
}

/* What is known only while something flies, or lies behind a hole. */
static void of_active(const struct tcp_conn *conn, struct tcp_info *info)
{
    static const char *const phases[] = {
        [TCP_PHASE_OPEN] = "open",
        [TCP_PHASE_RECOVERY] = "recovery",
        [TCP_PHASE_LOSS] = "loss",
    };
    const struct tcp_active *active = conn->active;

    info->sacked_bytes = active->board.sacked_bytes;
    info->lost_bytes = active->board.lost_bytes;
    info->delivered_bytes += active->board.sacked_bytes;
    info->recovery = phases[active->phase];
    info->reorder_window_us = tcp_rack_window_us(conn);
    info->ooo_pieces = active->piece_count;
    for (const struct tcp_piece *at = active->pieces; at; at = at->next)
        info->ooo_bytes += at->queue.bytes;
}

void tcp_info_get(const struct tcp_conn *conn, struct tcp_info *info)
{
    *info = (struct tcp_info){
        .state = state_name(conn),
        .end = (enum tcp_end)conn->end,
        .soft_error = (enum tcp_soft_error)conn->soft_error,
        .mss_bytes = conn->mss,
        .path_mtu_bytes = tcp_path_mtu(conn),
        .cwnd_bytes = conn->cwnd,
        .ssthresh_bytes = conn->ssthresh,
        .congestion = tcp_cc_of(conn)->name,
        .ecn = conn->ecn,
        .snd_wnd_bytes = conn->snd.wnd,
        .rcv_wnd_bytes = tcp_rcv_window(conn),
        .snd_buf_bytes = tcp_snd_buffer(conn),
        .rcv_buf_bytes = tcp_rcv_buffer(conn),
        .snd_wnd_shift = conn->snd_shift,
        .rcv_wnd_shift = conn->rcv_shift,
        .window_scaling = conn->scaling,
        .timestamps = conn->timestamps,
        .sack = conn->sack,
        .srtt_us = conn->srtt_us,
        .rttvar_us = conn->rttvar_us,
        .rto_us = conn->rto_us,
        .bytes_sent = conn->bytes_sent,
        .bytes_received = conn->bytes_received,
        .segments_sent = conn->segments_sent,
        .segments_received = conn->segments_received,
        .retransmissions = conn->retransmissions,
        .in_flight_bytes = tcp_flight(conn),
        .pipe_bytes = tcp_pipe(conn),
        .delivered_bytes = tcp_bytes_acked(conn),
        .recovery = "open",
        .reordered = conn->reordered,
        .unsent_bytes = tcp_unsent(conn),
        .unread_bytes = conn->rcv_queue.bytes,
        .urgent_bytes = tcp_urgent_bytes(conn),
        .bytes_acked = tcp_bytes_acked(conn),
        .rcv_mss_bytes = conn->rcv_mss,
        .backoff = conn->backoff,
        .keepalive_probes = conn->keep_probes,
        .heard_us = conn->net->now_us - conn->heard_us,
        .sent_us = conn->net->now_us - conn->sent_us,
        .passive = conn->passive,
        .dscp_in = conn->dscp_in,
    };
    if (conn->active)
        of_active(conn, info);
}
