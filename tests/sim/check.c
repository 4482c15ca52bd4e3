/*
 * tests/sim/check.c - one function for each invariant of a stack at rest.
 *
 * Source: RFC 9293 3.3.1, 3.4, 3.8; RFC 6298 5; the comments of net/tcp_*.h.
 */
#include "tests/sim/check.h"

#include <stdio.h>
#include <string.h>

#include "net/tcp_conn.h"
#include "tests/sim/check_priv.h"

enum { CWND_SANE = 1 << 30, BACKOFF_SANE = 32 };

/* What is summed over every connection of a stack. */
struct sums {
    uint64_t held;
    size_t conns, actives, pieces, records, orphans, lingering;
};

void check_fail(struct check *check, const struct tcp_conn *conn,
                const char *what)
{
    if (check->broken)
        return;
    check->broken = what;
    if (!conn)
        return;
    snprintf(check->detail, sizeof(check->detail),
             "port %u %s una %u nxt +%u queued %u wnd %u cwnd %u mss %u; "
             "rcv nxt %u edge +%d ready %u backoff %u",
             conn->tuple.local_port, tcp_traits(conn->state)->name,
             conn->snd.una, tcp_flight(conn), tcp_queued(conn), conn->snd.wnd,
             conn->cwnd, conn->mss, conn->rcv.nxt,
             (int)(conn->rcv.edge - conn->rcv.nxt), conn->rcv_queue.bytes,
             conn->backoff);
}

/* --- queues --------------------------------------------------------------- */

static void check_queue(struct check *check, const struct tcp_conn *conn,
                        const struct tcp_queue *queue)
{
    const struct buffer *last = NULL;
    uint32_t bytes = 0, held = 0;

    for (const struct buffer *at = queue->head; at; at = at->next) {
        if (at->len == 0)
            check_fail(check, conn, "no view in a queue is empty");
        bytes += at->len;
        held += buffer_held_bytes(at);
        last = at;
    }
    if (last != queue->tail)
        check_fail(check, conn, "the last view of a queue is its tail");
    if (bytes != queue->bytes)
        check_fail(check, conn,
                   "a queue's views have as many bytes as it says");
    if (held != queue->held)
        check_fail(check, conn, "a queue holds as much memory as it says");
}

/* Text that was sent and is not acknowledged. */
static uint32_t sent_text(const struct tcp_conn *conn)
{
    uint32_t syn = tcp_opening(conn) ? 1 : 0;

    return tcp_flight(conn) - syn - (conn->fin_flying ? 1u : 0);
}

/* The cursor shows the first byte that was never sent. */
static void check_cursor(struct check *check, const struct tcp_conn *conn)
{
    const struct tcp_active *active = conn->active;
    uint32_t before = 0;

    for (const struct buffer *at = active->queue.head;
         at && at != active->cursor; at = at->next)
        before += at->len;
    if (active->cursor)
        before += active->cursor_offset;
    if (before != sent_text(conn))
        check_fail(check, conn, "the cursor shows the place of snd.nxt");
}

static void check_pieces(struct check *check, const struct tcp_conn *conn,
                         struct sums *sums)
{
    uint32_t end = conn->rcv.nxt, count = 0;

    for (const struct tcp_piece *at = conn->active->pieces; at; at = at->next) {
        if (!seq_lt(end, at->seq))
            check_fail(check, conn,
                       "pieces are ordered, with holes between them");
        check_queue(check, conn, &at->queue);
        if (at->queue.bytes == 0)
            check_fail(check, conn, "no piece is empty");
        end = at->seq + at->queue.bytes;
        sums->held += at->queue.held;
        count++;
    }
    if (count && seq_lt(conn->rcv.edge, end))
        check_fail(check, conn, "pieces lie inside the window");
    if (count != conn->active->piece_count)
        check_fail(check, conn, "there are as many pieces as counted");
    if (count > tcp_config_of(conn)->ooo_pieces_max)
        check_fail(check, conn, "the number of pieces is bounded");
    sums->pieces += count;
}

static void check_queues(struct check *check, const struct tcp_conn *conn,
                         struct sums *sums)
{
    check_queue(check, conn, &conn->rcv_queue);
    sums->held += conn->rcv_queue.held;
    if (conn->rcv_queue.held > tcp_text_held_max(conn) * 2u)
        check_fail(check, conn, "received text is bounded in memory");
    if (!conn->active)
        return;
    sums->actives++;
    check_queue(check, conn, &conn->active->queue);
    sums->held += conn->active->queue.held;
    check_cursor(check, conn);
    check_pieces(check, conn, sums);
    check_board(check, conn, &sums->records);
}

/* --- numbers -------------------------------------------------------------- */

static void check_numbers(struct check *check, const struct tcp_conn *conn)
{
    if (seq_lt(conn->snd.nxt, conn->snd.una))
        check_fail(check, conn, "snd.una comes not after snd.nxt");
    if (sent_text(conn) > tcp_queued(conn))
        check_fail(check, conn, "what is in flight is in the queue");
    if (conn->fin_flying && !conn->fin_sent)
        check_fail(check, conn, "a FIN in flight was sent");
    if (conn->fin_sent && !conn->fin_queued)
        check_fail(check, conn, "a FIN that was sent was asked for");
    if (conn->fin_sent && !conn->fin_flying && tcp_flight(conn))
        check_fail(check, conn,
                   "nothing is in flight behind an acknowledged FIN");
    if (!tcp_traits(conn->state)->synchronized)
        return;
    if (seq_lt(conn->rcv.nxt, conn->rcv.acked))
        check_fail(check, conn, "no more is acknowledged than has come");
    if (seq_lt(conn->rcv.edge, conn->rcv.nxt))
        check_fail(check, conn, "what has come lies inside the window");
    if (conn->rcv.edge - conn->rcv.nxt >
        ((uint32_t)UINT16_MAX << conn->rcv_shift) + 1)
        check_fail(check, conn, "the window fits its field");
}

static void check_congestion(struct check *check, const struct tcp_conn *conn)
{
    const struct tcp_config *config = tcp_config_of(conn);

    if (!tcp_traits(conn->state)->open)
        return;
    /* Proportional rate reduction goes by what is delivered, in bytes. */
    if (conn->cwnd == 0 || conn->cwnd > 2u * CWND_SANE ||
        (conn->cwnd < conn->mss &&
         !(conn->active && conn->active->phase == TCP_PHASE_RECOVERY)))
        check_fail(check, conn, "cwnd is one segment at least, and sane");
    /* It was measured in segments that may have grown since. */
    if (conn->ssthresh < 2u * (conn->mss < 500 ? conn->mss : 500) ||
        conn->ssthresh > CWND_SANE)
        check_fail(check, conn, "ssthresh is two segments at least, and sane");
    if (conn->backoff > BACKOFF_SANE)
        check_fail(check, conn, "backoff is bounded");
    if (conn->rto_us < config->rto_min_us || conn->rto_us > config->rto_max_us)
        check_fail(check, conn, "rto lies between its bounds");
}

/* --- timers --------------------------------------------------------------- */

static bool is_set(const struct tcp_conn *conn, enum tcp_deadline which)
{
    return conn->deadline[which] != FOREVER;
}

static void check_timer(struct check *check, const struct tcp_conn *conn)
{
    uint64_t first_us = FOREVER;

    for (unsigned i = 0; i < TCP_DEADLINE_COUNT; i++)
        if (conn->deadline[i] < first_us)
            first_us = conn->deadline[i];
    if (first_us != FOREVER && !timer_is_armed(&conn->timer))
        check_fail(check, conn, "the timer is armed when a deadline is set");
    if (timer_is_armed(&conn->timer) && conn->timer.deadline_us > first_us)
        check_fail(check, conn, "the timer fires by the first deadline");
    if (first_us < conn->net->now_us)
        check_fail(check, conn, "no deadline has passed");
}

/* Something was sent that must be acknowledged, or cannot be sent now. */
static bool waits_for_peer(const struct tcp_conn *conn)
{
    return tcp_flight(conn) || tcp_unsent(conn) ||
           (conn->fin_queued && !conn->fin_sent);
}

static void check_deadlines(struct check *check, const struct tcp_conn *conn)
{
    bool flushing = !tcp_list_empty(&conn->flush);

    if (waits_for_peer(conn) && !flushing && !is_set(conn, TCP_DEADLINE_RTX))
        check_fail(check, conn,
                   "a timer runs while something waits for the peer");
    if (!waits_for_peer(conn) && !flushing && !check->starves &&
        is_set(conn, TCP_DEADLINE_RTX))
        check_fail(check, conn, "no retransmission timer without a reason");
    /* Where there was no memory for it, it is tried again with the other. */
    if (conn->ack_delayed && !flushing && !is_set(conn, TCP_DEADLINE_ACK) &&
        !is_set(conn, TCP_DEADLINE_RTX))
        check_fail(check, conn, "a timer runs while an ACK is delayed");
    if (is_set(conn, TCP_DEADLINE_RTX) &&
        conn->deadline[TCP_DEADLINE_RTX] >
            conn->net->now_us + tcp_config_of(conn)->rto_max_us)
        check_fail(check, conn, "a retransmission waits for rto_max at most");
    if (tcp_opening(conn) && !is_set(conn, TCP_DEADLINE_USER))
        check_fail(check, conn, "opening has an end");
    if (conn->released && conn->state == TCP_FIN_WAIT_2 &&
        !is_set(conn, TCP_DEADLINE_KEEP))
        check_fail(check, conn, "an orphan in FIN-WAIT-2 has an end");
    if (conn->keepalive && !conn->released && tcp_traits(conn->state)->open &&
        !is_set(conn, TCP_DEADLINE_KEEP))
        check_fail(check, conn, "keep-alive has a timer");
}

/* --- what never goes back ------------------------------------------------- */

static struct check_seen *seen_of(struct check *check,
                                  const struct tcp_conn *conn)
{
    struct check_seen *oldest = &check->seen[0];

    for (unsigned i = 0; i < CHECK_CONNS; i++) {
        struct check_seen *seen = &check->seen[i];

        /* One that was not there the last time has ended: a late cookie may
         * begin another with the same numbers. */
        if (seen->conn == conn && seen->iss == conn->iss &&
            seen->hash == conn->hash && seen->look + 1 >= check->looks)
            return seen;
        if (seen->look < oldest->look)
            oldest = seen;
    }
    *oldest = (struct check_seen){
        .conn = conn,
        .iss = conn->iss,
        .hash = conn->hash,
        .una = conn->snd.una,
        .nxt = conn->snd.nxt,
        .rcv_nxt = conn->rcv.nxt,
        .edge = conn->rcv.edge,
    };
    return oldest;
}

static void check_progress(struct check *check, const struct tcp_conn *conn)
{
    struct check_seen *seen;

    if (!tcp_traits(conn->state)->synchronized)
        return;
    seen = seen_of(check, conn);
    if (seq_lt(conn->snd.una, seen->una))
        check_fail(check, conn, "snd.una does not go back");
    if (seq_lt(conn->snd.nxt, seen->nxt))
        check_fail(check, conn, "snd.nxt does not go back");
    if (seq_lt(conn->rcv.nxt, seen->rcv_nxt))
        check_fail(check, conn, "rcv.nxt does not go back");
    if (seq_lt(conn->rcv.edge, seen->edge))
        check_fail(check, conn, "the window's right edge does not move left");
    seen->una = conn->snd.una;
    seen->nxt = conn->snd.nxt;
    seen->rcv_nxt = conn->rcv.nxt;
    seen->edge = conn->rcv.edge;
    seen->look = check->looks;
}

/* --- all ------------------------------------------------------------------ */

static void check_conn(struct check *check, const struct tcp_conn *conn,
                       struct sums *sums)
{
    sums->conns++;
    sums->orphans += conn->released;
    sums->lingering += conn->lingers;
    check_queues(check, conn, sums);
    if (conn->end != TCP_END_NONE) {
        if (conn->active || (timer_is_armed(&conn->timer) && !check->starves))
            check_fail(check, conn, "what has ended keeps nothing");
        return;
    }
    check_numbers(check, conn);
    check_congestion(check, conn);
    check_timer(check, conn);
    check_deadlines(check, conn);
    check_progress(check, conn);
    if (conn->owned && conn->changes && tcp_list_empty(&conn->events))
        check_fail(check, conn, "what has changed is told");
    if (tcp_traits(conn->state)->closed)
        check_fail(check, conn, "what is closed has ended");
}

static void check_conns(struct check *check, struct net *net, struct sums *sums)
{
    const struct tcp_buckets *buckets = &net->tcp.by_tuple;
    const struct tcp_link *ended = &net->tcp.ended;

    for (uint32_t i = 0; i <= buckets->mask; i++) {
        void **page = buckets->pages[i / TCP_BUCKETS_PER_PAGE];
        const struct tcp_conn *conn =
            page ? page[i % TCP_BUCKETS_PER_PAGE] : NULL;

        for (; conn; conn = conn->hash_next)
            check_conn(check, conn, sums);
    }
    for (const struct tcp_link *at = ended->next; at != ended; at = at->next)
        check_conn(check, CONTAINER_OF(at, struct tcp_conn, group), sums);
}

static size_t list_length(const struct tcp_link *list)
{
    size_t count = 0;

    for (const struct tcp_link *at = list->next; at != list; at = at->next)
        count++;
    return count;
}

static void check_listeners(struct check *check, const struct net *net)
{
    const struct tcp_link *list = &net->tcp.listening;

    for (const struct tcp_link *at = list->next; at != list; at = at->next) {
        const struct tcp_listener *listener =
            CONTAINER_OF(at, struct tcp_listener, link);

        if (list_length(&listener->half_open) != listener->half_open_count ||
            list_length(&listener->ready) != listener->ready_count)
            check_fail(check, NULL, "a listener counts what waits at it");
        if (listener->ready_count > listener->options.backlog ||
            listener->half_open_count > listener->options.syn_backlog)
            check_fail(check, NULL, "a listener's queues are bounded");
    }
}

static void check_sums(struct check *check, const struct net *net,
                       const struct sums *sums)
{
    const struct tcp *tcp = &net->tcp;

    if (sums->held != tcp->budget.held_bytes)
        check_fail(check, NULL, "the budget is the sum of all queues");
    if (sums->conns != tcp->conns.count)
        check_fail(check, NULL, "every control block is found");
    if (sums->actives != tcp->actives.count)
        check_fail(check, NULL, "every active part is found");
    if (sums->pieces != tcp->pieces.count)
        check_fail(check, NULL, "every piece is found");
    if (sums->records != tcp->records.count)
        check_fail(check, NULL, "every record is found");
    if (sums->orphans != tcp->orphan_count ||
        sums->orphans != list_length(&tcp->orphans))
        check_fail(check, NULL, "orphans are counted");
    if (sums->lingering != tcp->lingering_count)
        check_fail(check, NULL, "those that linger are counted");
}

void check_net(struct check *check, struct net *net)
{
    struct sums sums = {0};

    check->looks++;
    check_conns(check, net, &sums);
    check_listeners(check, net);
    check_sums(check, net, &sums);
    if (check->broken && !check->detail[0])
        snprintf(check->detail, sizeof(check->detail),
                 "held %llu of %llu, connections %zu of %zu, active %zu of "
                 "%zu, pieces %zu of %zu",
                 (unsigned long long)sums.held,
                 (unsigned long long)net->tcp.budget.held_bytes, sums.conns,
                 net->tcp.conns.count, sums.actives, net->tcp.actives.count,
                 sums.pieces, net->tcp.pieces.count);
}
