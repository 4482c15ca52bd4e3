/*
 * net/tcp_api.c - the calls of net/tcp.h that move a connection.
 *
 * Source: RFC 9293 3.10.1 to 3.10.5.
 */
#include "net/tcp_buffers.h"
#include "net/tcp_conn.h"

enum {
    COPY_BYTES_MAX = 128, /* so little is copied behind what waits already */
    SMALL_VIEWS_BYTES = 65536,
    RETRY_US = 10000 /* when memory was short */
};

/* ---- opening ---- */

/* Where from and whether at all; TCP_END_NONE: go on. */
static enum tcp_end choose_route(struct net *net, struct tcp_tuple *tuple)
{
    if (ipv4_addr_is_zero(tuple->peer) || ipv4_addr_is_multicast(tuple->peer) ||
        ipv4_is_broadcast(net, tuple->peer) || tuple->peer_port == 0)
        return TCP_END_BAD_ADDRESS;
    if (!ipv4_source_for(net, tuple->peer, &tuple->local))
        return TCP_END_NO_ROUTE;
    if (tuple->local_port == 0)
        return tcp_table_port(net, tuple) ? TCP_END_NONE : TCP_END_NO_PORT;
    return tcp_table_in_use(net, tuple) ? TCP_END_NO_PORT : TCP_END_NONE;
}

static struct tcp_conn *make_conn(struct net *net,
                                  const struct tcp_tuple *tuple)
{
    struct tcp_conn *conn =
        tcp_conn_new(net, tuple, tcp_table_hash(net, tuple));

    if (conn && !tcp_table_add(conn)) {
        tcp_conn_free(conn);
        return NULL;
    }
    return conn;
}

enum tcp_status tcp_connect(struct net *net, struct ipv4_addr peer,
                            uint16_t peer_port, uint16_t local_port,
                            uint64_t now_us, struct tcp_conn **conn,
                            enum tcp_end *why)
{
    struct tcp_tuple tuple = {
        .peer = peer, .peer_port = peer_port, .local_port = local_port};
    struct tcp_conn *made;

    net_set_now(net, now_us);
    *conn = NULL;
    *why = choose_route(net, &tuple);
    if (*why != TCP_END_NONE)
        return TCP_ENDED;
    tcp_pressure_conn(net);
    made = make_conn(net, &tuple);
    if (!made) {
        *why = TCP_END_NO_MEMORY;
        return TCP_ENDED;
    }
    tcp_conn_event(made, TCP_EV_CONNECT);
    made->owned = true;
    tcp_list_push(&net->tcp.connecting, &made->group);
    tcp_open_prepare(made, tcp_table_numbers(net, &tuple));
    tcp_timer_rtx(made);
    tcp_deadline_set(made, TCP_DEADLINE_USER,
                     net->now_us + net->config.tcp.syn_timeout_us);
    net_count(&net->counters, tcp_connect);
    *conn = made;
    return TCP_OK;
}

/* ---- data ---- */

uint32_t tcp_send_pending(const struct tcp_conn *conn)
{
    return tcp_queued(conn);
}

static INLINE uint32_t send_room(const struct tcp_conn *conn)
{
    uint32_t most = tcp_snd_buffer(conn);
    uint32_t queued = tcp_queued(conn);

    if (!tcp_traits(conn->state)->can_send || conn->fin_queued)
        return 0;
    /* Views of a few bytes each hold far more memory than they show. */
    if (queued &&
        conn->active->queue.held > 2 * (uint64_t)most + SMALL_VIEWS_BYTES)
        return 0;
    return queued < most ? most - queued : 0;
}

uint32_t tcp_send_room(const struct tcp_conn *conn)
{
    return send_room(conn);
}

/* Append to a send queue that is not empty, and keep the place of snd.nxt. */
static ASIDE void enqueue_behind(struct tcp_conn *conn, struct buffer *chain,
                                 const struct tcp_measure *measure)
{
    struct tcp_active *active = conn->active;
    struct buffer *tail = active->queue.tail;
    uint32_t tail_len = tail->len;

    if (measure->bytes <= COPY_BYTES_MAX &&
        tcp_queue_copy(&active->queue, chain, measure->bytes)) {
        if (!active->cursor) {
            active->cursor = tail;
            active->cursor_offset = tail_len;
        }
        return;
    }
    tcp_queue_append(&active->queue, chain, measure, &tcp_of(conn)->budget);
    if (!active->cursor) {
        active->cursor = tail->next;
        active->cursor_offset = 0;
    }
}

static INLINE void enqueue(struct tcp_conn *conn, struct buffer *chain,
                           struct tcp_measure measure)
{
    struct tcp_active *active = conn->active;

    if (active->queue.tail) {
        const struct tcp_measure copy = measure; /* in memory here alone */

        enqueue_behind(conn, chain, &copy);
        return;
    }
    tcp_queue_append(&active->queue, chain, &measure, &tcp_of(conn)->budget);
    active->cursor = active->queue.head;
    active->cursor_offset = 0;
}

/* Why nothing may be sent any more. */
static COLD enum tcp_status nothing_to_send(const struct tcp_conn *conn)
{
    return conn->end == TCP_END_NONE || conn->end == TCP_END_CLOSED ? TCP_EOF
                                                                    : TCP_ENDED;
}

enum tcp_status tcp_send(struct tcp_conn *conn, struct buffer *chain,
                         uint64_t now_us)
{
    struct tcp_measure measure = tcp_chain_measure(chain);

    net_set_now(conn->net, now_us);
    if (conn->end != TCP_END_NONE || conn->fin_queued)
        return nothing_to_send(conn);
    if (measure.bytes > send_room(conn))
        return TCP_AGAIN;
    if (measure.bytes == 0) {
        buffer_release(chain);
        return TCP_OK;
    }
    if (!tcp_pressure_admits_send(conn, measure.cost) ||
        !tcp_conn_activate(conn)) {
        tcp_deadline_set(conn, TCP_DEADLINE_ROOM, conn->net->now_us + RETRY_US);
        return TCP_AGAIN;
    }
    if (tcp_queued(conn) == 0 && tcp_flight(conn) == 0)
        conn->active->stalled_us = conn->net->now_us;
    enqueue(conn, chain, measure);
    if (conn->user_timeout_ms)
        tcp_timer_user(conn);
    tcp_conn_wants_flush(conn);
    return TCP_OK;
}

uint32_t tcp_recv_ready(const struct tcp_conn *conn)
{
    return conn->rcv_queue.bytes;
}

/* Why there is nothing to read. */
static enum tcp_status nothing_to_read(const struct tcp_conn *conn)
{
    if (conn->end != TCP_END_NONE && conn->end != TCP_END_CLOSED)
        return conn->fin_received ? TCP_EOF : TCP_ENDED;
    if (conn->fin_received || conn->read_shut || conn->end == TCP_END_CLOSED)
        return TCP_EOF;
    return TCP_AGAIN;
}

enum tcp_status tcp_recv(struct tcp_conn *conn, uint32_t bytes_max,
                         uint64_t now_us, struct buffer **chain)
{
    struct tcp_queue *queue = &conn->rcv_queue;
    uint32_t bytes = bytes_max < queue->bytes ? bytes_max : queue->bytes;

    net_set_now(conn->net, now_us);
    *chain = NULL;
    if (queue->bytes == 0)
        return nothing_to_read(conn);
    if (bytes == 0)
        return TCP_AGAIN;
    *chain =
        tcp_queue_take(queue, conn->net->pool, bytes, &tcp_of(conn)->budget);
    if (!*chain && queue->head->len <= bytes) /* whole views need no memory */
        *chain = tcp_queue_take(queue, conn->net->pool, queue->head->len,
                                &tcp_of(conn)->budget);
    if (!*chain) {
        tcp_deadline_set(conn, TCP_DEADLINE_ROOM, conn->net->now_us + RETRY_US);
        return TCP_AGAIN;
    }
    if (conn->urgent_in)
        tcp_urgent_was_read(conn);
    tcp_text_was_read(conn);
    return TCP_OK;
}

enum tcp_status tcp_recv_view(struct tcp_conn *conn, uint64_t now_us,
                              struct buffer **view)
{
    struct tcp_queue *queue = &conn->rcv_queue;

    net_set_now(conn->net, now_us);
    *view = NULL;
    if (!queue->head)
        return nothing_to_read(conn);
    *view = tcp_queue_pop(queue, &tcp_of(conn)->budget);
    if (conn->urgent_in)
        tcp_urgent_was_read(conn);
    tcp_text_was_read(conn);
    return TCP_OK;
}

bool tcp_readable(const struct tcp_conn *conn)
{
    return conn->rcv_queue.bytes > 0 || nothing_to_read(conn) != TCP_AGAIN;
}

uint32_t tcp_peek(const struct tcp_conn *conn, void *out, uint32_t bytes)
{
    return buffer_copy_out(conn->rcv_queue.head, 0, out, bytes);
}

/* ---- closing ---- */

void tcp_shutdown(struct tcp_conn *conn, uint64_t now_us)
{
    net_set_now(conn->net, now_us);
    if (conn->fin_queued || !tcp_traits(conn->state)->can_send)
        return;
    if (conn->state == TCP_SYN_SENT) { /* 3.10.4: delete the TCB */
        tcp_conn_end(conn, TCP_END_ABORTED);
        return;
    }
    conn->fin_queued = true;
    if (tcp_traits(conn->state)->open)
        tcp_conn_event(conn, TCP_EV_CLOSE);
    tcp_conn_wants_flush(conn);
}

void tcp_shutdown_read(struct tcp_conn *conn, uint64_t now_us)
{
    net_set_now(conn->net, now_us);
    conn->read_shut = true;
    tcp_queue_clear(&conn->rcv_queue, &tcp_of(conn)->budget);
    tcp_conn_post(conn, TCP_CHANGE_READABLE);
}

void tcp_abort(struct tcp_conn *conn, uint64_t now_us)
{
    net_set_now(conn->net, now_us);
    if (conn->end == TCP_END_NONE)
        tcp_conn_reset(conn, TCP_END_ABORTED);
}

/* From here on the stack alone ends it, in bounded time and number. */
static void make_orphan(struct tcp_conn *conn)
{
    const struct tcp_config *config = tcp_config_of(conn);
    struct tcp *tcp = tcp_of(conn);
    uint64_t r2_ms = config->r2_us / 1000;

    conn->released = true;
    tcp_list_push(&tcp->orphans, &conn->group);
    tcp->orphan_count++;
    if (conn->user_timeout_ms == 0 || conn->user_timeout_ms > r2_ms)
        conn->user_timeout_ms = (uint32_t)r2_ms;
    tcp_timer_user(conn);
    tcp_deadline_clear(conn, TCP_DEADLINE_KEEP);
    if (conn->state == TCP_FIN_WAIT_2)
        tcp_deadline_set(conn, TCP_DEADLINE_KEEP,
                         conn->net->now_us + config->fin_wait_2_us);
    if (tcp->orphan_count > config->orphans_max) {
        tcp_count(conn, tcp_orphan_killed);
        tcp_conn_reset(CONTAINER_OF(tcp->orphans.next, struct tcp_conn, group),
                       TCP_END_ABORTED);
    }
}

void tcp_release(struct tcp_conn *conn, uint64_t now_us)
{
    net_set_now(conn->net, now_us);
    conn->owned = false;
    tcp_list_remove(&conn->events);
    if (conn->end != TCP_END_NONE) {
        tcp_conn_free(conn);
        return;
    }
    if (conn->state == TCP_SYN_SENT || conn->rcv_queue.bytes > 0) {
        tcp_conn_reset(conn, TCP_END_ABORTED); /* SHLD-3 */
        return;
    }
    tcp_shutdown(conn, now_us);
    make_orphan(conn);
}

void tcp_release_lingering(struct tcp_conn *conn, uint64_t linger_us,
                           uint64_t now_us)
{
    net_set_now(conn->net, now_us);
    if (conn->rcv_queue.bytes > 0)
        tcp_text_discard(conn);
    if (nothing_to_read(conn) == TCP_AGAIN) {
        conn->lingers = true;
        tcp_of(conn)->lingering_count++;
        tcp_deadline_set(conn, TCP_DEADLINE_ROOM,
                         conn->net->now_us + linger_us);
    }
    tcp_release(conn, now_us);
}

uint32_t tcp_lingering(const struct net *net)
{
    return net->tcp.lingering_count;
}

void tcp_abort_lingering(struct net *net, uint64_t now_us)
{
    struct tcp_link *orphans = &net->tcp.orphans, *next;

    net_set_now(net, now_us);
    for (struct tcp_link *at = orphans->next; at != orphans; at = next) {
        struct tcp_conn *conn = CONTAINER_OF(at, struct tcp_conn, group);

        next = at->next;
        if (conn->lingers)
            tcp_conn_reset(conn, TCP_END_ABORTED);
    }
}
