/*
 * net/tcp_conn.c - the life of a connection: made, changed, ended, freed.
 *
 * Deliberately not here: what brings the changes about.
 */
#include "net/tcp_conn.h"
#include "net/tcp_segment.h"

#include "kernel/log.h"

enum {
    /* An end concerns whoever waits, whatever for. */
    CHANGE_ALL = TCP_CHANGE_OPEN | TCP_CHANGE_READABLE | TCP_CHANGE_WRITABLE |
                 TCP_CHANGE_ACKED | TCP_CHANGE_FIN_SENT | TCP_CHANGE_CLOSED
};

struct tcp_conn *tcp_conn_new(struct net *net, const struct tcp_tuple *tuple,
                              uint32_t hash)
{
    struct tcp_conn *conn = pool_alloc(&net->tcp.conns);

    if (!conn) {
        net_count(&net->counters, tcp_no_memory);
        return NULL;
    }
    pool_clear(conn, sizeof(*conn));
    conn->tuple = *tuple;
    conn->hash = hash;
    conn->state = TCP_CLOSED;
    conn->net = net;
    conn->config = &net->config.tcp;
    conn->mss = TCP_MSS_DEFAULT;
    conn->rto_us = (uint32_t)net->config.tcp.rto_initial_us;
    conn->heard_us = net->now_us;
    conn->sent_us = net->now_us;
    tcp_list_init(&conn->flush);
    tcp_list_init(&conn->events);
    tcp_list_init(&conn->group);
    tcp_timer_init(conn);
    return conn;
}

void tcp_linger_over(struct tcp_conn *conn)
{
    if (!conn->lingers)
        return;
    conn->lingers = false;
    tcp_of(conn)->lingering_count--;
}

/* Everything but the handle, and what was received and not yet read. */
static void shed(struct tcp_conn *conn)
{
    tcp_table_remove(conn);
    tcp_linger_over(conn);
    tcp_listener_forget(conn);
    tcp_list_remove(&conn->flush);
    if (conn->released && !tcp_list_empty(&conn->group))
        tcp_of(conn)->orphan_count--;
    tcp_list_remove(&conn->group);
    timer_cancel(&conn->net->timers, &conn->timer);
    if (conn->active) {
        tcp_reass_clear(conn);
        tcp_board_clear(conn);
        tcp_queue_clear(&conn->active->queue, &tcp_of(conn)->budget);
        tcp_list_remove(&conn->active->holder.link);
        pool_free(conn->active);
        conn->active = NULL;
    }
}

void tcp_conn_free(struct tcp_conn *conn)
{
    shed(conn);
    tcp_list_remove(&conn->events);
    tcp_queue_clear(&conn->rcv_queue, &tcp_of(conn)->budget);
    tcp_options_drop(conn->net, conn->config);
    pool_free(conn);
}

void tcp_conn_event(struct tcp_conn *conn, enum tcp_event event)
{
    enum tcp_state state = tcp_next_state((enum tcp_state)conn->state, event);

    ASSERT(state != TCP_NO_STATE);
    conn->state = (uint8_t)state;
}

/* For who debugs: a line for a connection that did not end as it should. */
static COLD void log_end(const struct tcp_conn *conn, enum tcp_end reason)
{
    static const char *const text[TCP_END_REASON_COUNT] = {
        [TCP_END_NONE] = "",
        [TCP_END_CLOSED] = "",
        [TCP_END_RESET] = "reset by the peer",
        [TCP_END_REFUSED] = "refused",
        [TCP_END_SYN_TIMEOUT] = "no answer to SYN",
        [TCP_END_TIMEOUT] = "retransmission gave up",
        [TCP_END_KEEPALIVE] = "no answer to keep-alive",
        [TCP_END_USER_TIMEOUT] = "user time-out",
        [TCP_END_ABORTED] = "aborted here",
        [TCP_END_UNREACHABLE] = "unreachable",
        [TCP_END_NO_ROUTE] = "no route",
        [TCP_END_BAD_ADDRESS] = "bad address",
        [TCP_END_NO_PORT] = "no port",
        [TCP_END_NO_MEMORY] = "no memory",
        [TCP_END_ADDRESS] = "our address has changed",
    };
    const uint8_t *peer = conn->tuple.peer.byte;

    log_at(LOG_DEBUG, "tcp", "port %u with %u.%u.%u.%u:%u in %s: %s",
           conn->tuple.local_port, peer[0], peer[1], peer[2], peer[3],
           conn->tuple.peer_port, tcp_traits(conn->state)->name, text[reason]);
}

void tcp_conn_end(struct tcp_conn *conn, enum tcp_end reason)
{
    if (reason != TCP_END_CLOSED)
        log_end(conn, reason);
    if (conn->end == TCP_END_NONE)
        conn->end = (uint8_t)reason;
    if (!tcp_traits(conn->state)->closed)
        tcp_conn_event(conn, TCP_EV_DEAD);
    if (!conn->owned) {
        tcp_conn_free(conn);
        return;
    }
    shed(conn);
    tcp_timer_init(conn); /* a late read may set a deadline; no other is due */
    tcp_list_push(&tcp_of(conn)->ended, &conn->group);
    tcp_conn_post(conn, CHANGE_ALL);
}

void tcp_conn_reset(struct tcp_conn *conn, enum tcp_end reason)
{
    struct tcp_seg seg = {.seq = conn->snd.nxt, .flags = TCP_RST};

    /* RFC 9293 3.10.5: <SEQ=SND.NXT><CTL=RST>; Linux and BSD add the ACK, and
     * it helps a peer that checks it. */
    if (tcp_traits(conn->state)->synchronized) {
        seg.ack = conn->rcv.nxt;
        seg.flags |= TCP_ACK;
        tcp_segment_stamp(conn, &seg);
        net_count(&conn->net->counters, tcp_rst_tx);
        tcp_segment_bare(conn->net, conn->config, &conn->tuple, &seg);
    }
    tcp_conn_end(conn, reason);
}

void tcp_conn_closed(struct tcp_conn *conn)
{
    if (conn->state == TCP_TIME_WAIT) {
        /* Of the FIN: nobody will be there at flush. */
        if (conn->ack_now && tcp_segment_send(conn, conn->snd.nxt, TCP_ACK,
                                              NULL, 0, 0) != TCP_SENT)
            tcp_count(conn, tcp_no_memory); /* as lost: FIN comes again */
        tcp_time_wait_add(conn);
    }
    tcp_conn_end(conn, TCP_END_CLOSED);
}

void tcp_conn_post(struct tcp_conn *conn, unsigned changes)
{
    conn->changes |= (uint8_t)changes;
    if (conn->owned && tcp_list_empty(&conn->events))
        tcp_list_push(&tcp_of(conn)->events, &conn->events);
}

void tcp_conn_wants_flush(struct tcp_conn *conn)
{
    if (tcp_list_empty(&conn->flush))
        tcp_list_push(&tcp_of(conn)->flush, &conn->flush);
}

bool tcp_conn_make_active(struct tcp_conn *conn)
{
    struct tcp_active *active = pool_alloc(&tcp_of(conn)->actives);

    if (!active) {
        tcp_count(conn, tcp_no_memory);
        return false;
    }
    pool_clear(active, sizeof(*active));
    active->rack.fack = conn->snd.una;
    active->rto_at_us = FOREVER;
    active->probe_at_us = FOREVER;
    active->reorder_at_us = FOREVER;
    active->recover = conn->snd.una - 1;
    active->small_end = conn->snd.una;
    active->stalled_us = conn->net->now_us;
    active->answered_us = conn->net->now_us;
    conn->active = active;
    tcp_holder_add(conn);
    return true;
}

void tcp_conn_free_active(struct tcp_conn *conn)
{
    tcp_board_clear(conn);
    tcp_list_remove(&conn->active->holder.link);
    pool_free(conn->active);
    conn->active = NULL;
}
