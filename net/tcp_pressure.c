/*
 * net/tcp_pressure.c - who has to give when the queues' memory is used up.
 *
 * All queues of a stack share one budget, and none of them grows when only
 * the last pages are left (net/pool.h). At three quarters of it, receive
 * windows stop growing. When something that has to be queued does not fit at
 * all, others give, in this order, until it does:
 *
 *   1. out-of-order text of other connections: it will come again;
 *   2. of the connections whose queued bytes have hardly moved for a while, the
 *      one that holds the most, orphans first: a peer that keeps its window
 *      shut, or opens it byte by byte, does nothing else.
 *
 * A connection that makes progress is never ended for it, and one that does
 * not only while memory is short: RFC 9293 MUST-37 lets a window stay shut for
 * ever otherwise. What then still does not fit is refused: the application
 * tries again, a peer sends again. A control block is another matter: for one,
 * the oldest orphan goes.
 */
#include "net/tcp_pressure.h"

#include "net/tcp_conn.h"

#define JUDGED_US 5000000ull /* so long is looked at before it is judged */
#define FUTILE_US 10000ull   /* nobody was found: so long nobody is sought */

enum {
    SCAN_MAX = 64,      /* holders looked at for one that has to go */
    PROGRESS_PARTS = 16 /* so much of its queue has to move in that time */
};

static bool fits(const struct net *net, uint32_t cost)
{
    return tcp_budget_has(&net->tcp.budget, cost);
}

bool tcp_pressed(const struct net *net)
{
    const struct tcp_budget *budget = &net->tcp.budget;

    return budget->held_bytes > budget->held_bytes_max / 4 * 3 ||
           pages_scarce(budget->pages);
}

/* ---- who holds what ---- */

void tcp_holder_add(struct tcp_conn *conn)
{
    struct tcp_holder *holder = &conn->active->holder;

    *holder = (struct tcp_holder){.conn = conn};
    tcp_list_init(&holder->link);
    tcp_list_push(&tcp_of(conn)->holders, &holder->link);
    holder->seen_us = conn->net->now_us;
    holder->seen_acked = tcp_bytes_acked(conn);
}

void tcp_holder_disordered(struct tcp_conn *conn, bool disordered)
{
    struct tcp_link *link = &conn->active->holder.link;
    struct tcp_link *holders = &tcp_of(conn)->holders;

    tcp_list_remove(link);
    tcp_list_push(disordered ? holders->next : holders, link);
}

static struct tcp_conn *holder_at(struct tcp_link *link)
{
    return CONTAINER_OF(link, struct tcp_holder, link)->conn;
}

/* ---- 1. out-of-order text ---- */

static void drop_disordered(struct net *net, const struct tcp_conn *spared,
                            uint32_t cost)
{
    struct tcp_link *holders = &net->tcp.holders, *next;

    /* Those with out-of-order text stand first. */
    for (struct tcp_link *at = holders->next; at != holders; at = next) {
        struct tcp_conn *conn = holder_at(at);

        next = at->next;
        if (!conn->active->pieces || fits(net, cost))
            return;
        if (conn == spared)
            continue;
        tcp_count(conn, tcp_pressure_ooo);
        tcp_reass_clear(conn);
        tcp_conn_rest(conn);
    }
}

/* ---- 2. the least progress for the most memory ---- */

/* Whether what it has queued stands still. One that moves is looked at anew
 * from now on. */
static bool stands_still(struct tcp_conn *conn)
{
    struct tcp_holder *holder = &conn->active->holder;
    uint32_t queued = conn->active->queue.bytes;
    uint64_t moved = tcp_bytes_acked(conn) - holder->seen_acked;
    uint64_t now_us = conn->net->now_us;

    if (queued == 0 || now_us - holder->seen_us < JUDGED_US)
        return false;
    if (moved < queued / PROGRESS_PARTS + 1)
        return true;
    holder->seen_us = now_us;
    holder->seen_acked += moved;
    return false;
}

/* Whether `conn` should go rather than the one that was found so far. */
static bool is_worse(const struct tcp_conn *conn, uint32_t held,
                     const struct tcp_conn *found, uint32_t most)
{
    if (found && conn->released != found->released)
        return conn->released;
    return held > most;
}

static struct tcp_conn *worst(struct net *net, const struct tcp_conn *spared)
{
    struct tcp_link *holders = &net->tcp.holders, *at = holders->next, *next;
    struct tcp_link *first = NULL; /* looked at: the end of one round */
    struct tcp_conn *found = NULL;
    uint32_t most = 0;

    for (unsigned i = 0; i < SCAN_MAX && at != holders && at != first;
         i++, at = next) {
        struct tcp_conn *conn = holder_at(at);
        uint32_t held = conn->active->queue.held + conn->rcv_queue.held;

        next = at->next;
        if (conn == spared)
            continue; /* it keeps its place: it may have out-of-order text */
        if (!first)
            first = at;
        tcp_list_remove(at);
        tcp_list_push(holders, at);
        if (is_worse(conn, held, found, most) && stands_still(conn)) {
            most = held;
            found = conn;
        }
    }
    return found;
}

static bool end_worst(struct net *net, const struct tcp_conn *spared)
{
    struct tcp_conn *conn;

    if (net->now_us < net->tcp.futile_until_us)
        return false;
    conn = worst(net, spared);
    if (!conn) {
        net->tcp.futile_until_us = net->now_us + FUTILE_US;
        return false;
    }
    if (conn->released)
        tcp_count(conn, tcp_orphan_killed);
    else
        tcp_count(conn, tcp_pressure_ended);
    tcp_conn_reset(conn, TCP_END_NO_MEMORY);
    return true;
}

/* ---- all ---- */

/* The oldest goes: nobody here waits for it. */
void tcp_pressure_conn(struct net *net)
{
    struct tcp_link *oldest = net->tcp.orphans.next;
    struct tcp_conn *conn;

    if (net->tcp.conns.count < net->tcp.conns.max ||
        oldest == &net->tcp.orphans)
        return;
    conn = CONTAINER_OF(oldest, struct tcp_conn, group);
    tcp_count(conn, tcp_orphan_killed);
    tcp_conn_reset(conn, TCP_END_NO_MEMORY);
}

bool tcp_pressure_makes_room(struct tcp_conn *conn, uint32_t cost)
{
    struct net *net = conn->net;

    if (cost > net->tcp.budget.held_bytes_max)
        return false; /* nobody gives for what can never fit */
    drop_disordered(net, conn, cost);
    while (!fits(net, cost) && end_worst(net, conn))
        ;
    return fits(net, cost);
}
