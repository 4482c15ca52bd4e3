/*
 * net/flow.c - handles of flows: their life, their events, their waiters.
 *
 * Nothing here blocks except flow_wait(). Every terminal event wakes every
 * waiter: each then looks at the connection itself, so no wake-up can be lost
 * or meant for somebody else.
 *
 * Source: MirageOS V1.TCPV4.
 */
#include "net/flow_priv.h"

#include "kernel/clock.h"

/* ---- where a flow stands ---- */

/* Take the flow out; the caller puts it elsewhere. */
static void unlist(struct flow *flow)
{
    struct flow_link *link = &flow->link;

    if (flow->timed) {
        flow->timed = false;
        timer_cancel(&flow->group->tcp->wheel, &flow->timer);
    } else {
        link->next->prev = link->prev;
        link->prev->next = link->next;
    }
}

/* Put a flow that stands nowhere at the end of `list`. */
static void enlist(struct flow *flow, struct flow_link *list)
{
    struct flow_link *link = &flow->link;

    link->next = list;
    link->prev = list->prev;
    list->prev->next = link;
    list->prev = link;
}

static ASIDE void arm(struct flow *flow, uint64_t until_us)
{
    unlist(flow);
    flow->timed = true;
    flow->timer.next = NULL; /* not armed: what was there is a link's */
    timer_arm(&flow->group->tcp->wheel, &flow->timer, until_us);
}

void flow_time(struct flow *flow, uint64_t until_us)
{
    flow->until_us = until_us;
    /* Most are wanted later each time: a timer is moved when it fires. */
    if (!flow->timed || flow->timer.deadline_us > until_us)
        arm(flow, until_us);
}

ASIDE void flow_untime(struct flow *flow)
{
    unlist(flow);
    enlist(flow, &flow->group->tcp->untimed);
}

struct flow *flow_first(const struct flow_link *list)
{
    return list->next == list ? NULL
                              : CONTAINER_OF(list->next, struct flow, link);
}

/* ---- life ---- */

struct flow *flow_new(struct flow_group *group, struct tcp_conn *conn)
{
    struct tcpv4 *tcp = group->tcp;
    struct flow *flow = pool_alloc(&tcp->flow_pool);

    if (!flow)
        return NULL;
    pool_clear(flow, sizeof(*flow));
    flow->group = group;
    flow->read_deadline_us = FOREVER;
    flow->write_deadline_us = FOREVER;
    flow->refs = 1;
    flow->mode = FLOW_ACTIVE;
    flow->flags = FLOW_OWNED;
    enlist(flow, &tcp->untimed);
    group->flows++;
    tcp->flows++;
    if (conn)
        flow_bind(flow, conn);
    return flow;
}

void flow_bind(struct flow *flow, struct tcp_conn *conn)
{
    flow->conn = conn;
    flow->flags |= FLOW_COUNTED;
    flow->group->tcp->open++;
    tcp_set_context(conn, flow);
}

/* The connection is over, or no longer ours: once for each flow. */
static ASIDE void flow_not_open(struct flow *flow)
{
    struct tcpv4 *tcp = flow->group->tcp;

    if (!(flow->flags & FLOW_COUNTED))
        return;
    flow->flags &= (uint8_t)~FLOW_COUNTED;
    tcp->open--;
    if (tcp->open == 0)
        wait_queue_wake_all(&tcp->closers);
}

void flow_forget(struct flow *flow)
{
    struct flow_group *group = flow->group;

    unlist(flow);
    group->flows--;
    group->tcp->flows--;
    pool_free(flow);
    flow_group_put(group);
}

void flow_drop_now(struct flow *flow)
{
    ASSERT(flow->refs > 0);
    flow->refs--;
    if (flow->refs == 0)
        flow_forget(flow);
}

void flow_drop(struct flow *flow)
{
    struct tcpv4 *tcp = flow->group->tcp;

    ASSERT(flow->refs > 0);
    flow->refs--;
    if (flow->refs > 0)
        return;
    /* Whoever has just been told "released" may ask flow_error() before it
     * blocks again, so the memory waits for the network thread. */
    unlist(flow);
    enlist(flow, &tcp->dead);
    flow->mode = FLOW_DEAD;
    tcp->wake(tcp->wake_context);
}

/* The core has the connection back; whoever waits here is told. */
static void give_back(struct flow *flow, uint64_t linger_us)
{
    struct tcp_conn *conn = flow->conn;

    flow->flags |= FLOW_RELEASED;
    flow->turn++;
    flow->conn = NULL;
    flow_not_open(flow);
    flow_wake_all(flow);
    tcp_set_context(conn, NULL);
    if (linger_us > 0)
        tcp_release_lingering(conn, linger_us, clock_us());
    else
        tcp_release(conn, clock_us());
    flow_sent(flow);
}

void flow_disown(struct flow *flow)
{
    if (!(flow->flags & FLOW_OWNED))
        return;
    flow->flags &= (uint8_t)~FLOW_OWNED;
    flow_drop(flow);
}

void flow_end(struct flow *flow, uint64_t linger_us)
{
    give_back(flow, linger_us);
    flow_disown(flow);
}

void flow_release(struct flow *flow)
{
    if (flow->flags & FLOW_RELEASED)
        return;
    if (flow->mode == FLOW_ACTIVE) {
        flow_end(flow, 0);
        return;
    }
    /* It waits for its peer, or for a thread: its function is told as a
     * blocked thread would be, and inherits the owner's reference. */
    give_back(flow, 0);
    if (flow->mode == FLOW_PARKED)
        flow_ready(flow, FLOW_PARK_READABLE);
}

/* ---- events ---- */

void flow_wake_all(struct flow *flow)
{
    wait_queue_wake_all(&flow->readers);
    wait_queue_wake_all(&flow->senders);
}

/* Changes of which somebody is to know. */
static ASIDE void take_changes(struct flow *flow, unsigned changes, bool ended)
{
    flow_note_news(flow, changes);
    if (ended || changes & TCP_CHANGE_OPEN)
        flow->flags |= FLOW_OPENED;
    if (ended || changes & TCP_CHANGE_READABLE)
        wait_queue_wake_all(&flow->readers);
    if (ended || changes & ~(unsigned)TCP_CHANGE_READABLE)
        wait_queue_wake_all(&flow->senders);
}

void flow_tcp_event(struct tcp_conn *conn, unsigned changes)
{
    struct flow *flow = tcp_context(conn);
    bool ended = tcp_end_reason(conn) != TCP_END_NONE;
    unsigned news = TCP_CHANGE_OPEN | FLOW_NEWS_CHANGES;

    if (!flow)
        return;
    if (ended || changes & news || flow->readers.head || flow->senders.head)
        take_changes(flow, changes, ended);
    if (ended || tcp_closed(conn))
        flow_not_open(flow);
    if (flow->mode == FLOW_PARKED && tcp_readable(conn))
        flow_ready(flow, FLOW_PARK_READABLE);
}

void flow_sent_asleep(struct tcpv4 *tcp)
{
    if (net_needs_flush(tcp->net))
        tcp->wake(tcp->wake_context);
}

/* ---- waiting ---- */

enum wait_status flow_wait(struct flow *flow, struct wait_queue *queue,
                           const char *reason, uint64_t deadline_us)
{
    enum wait_status status;

    flow->refs++;
    status = wait_queue_wait(queue, reason, deadline_us);
    /* Its owner may have let go meanwhile. The memory stays all the same
     * until this thread blocks again: see flow_drop(). */
    flow_drop(flow);
    return status;
}

enum flow_status flow_state(const struct flow *flow)
{
    enum tcp_end end;

    if (flow->flags & FLOW_RELEASED)
        return FLOW_ERROR;
    end = tcp_end_reason(flow->conn);
    if (end == TCP_END_NONE)
        return FLOW_OK;
    return end == TCP_END_CLOSED ? FLOW_EOF : FLOW_ERROR;
}

/* ---- asking and setting ---- */

void flow_get_dest(const struct flow *flow, struct ipv4_addr *addr,
                   uint16_t *port)
{
    struct tcp_endpoints ends = {0};

    if (flow->conn)
        ends = tcp_endpoints(flow->conn);
    *addr = ends.peer;
    *port = ends.peer_port;
}

void flow_get_source(const struct flow *flow, struct ipv4_addr *addr,
                     uint16_t *port)
{
    struct tcp_endpoints ends = {0};

    if (flow->conn)
        ends = tcp_endpoints(flow->conn);
    *addr = ends.local;
    *port = ends.local_port;
}

uint64_t flow_now_us(const struct flow *flow)
{
    return net_now_us(flow->group->tcp->net);
}

static bool has_deadlines(const struct flow *flow)
{
    return flow->mode == FLOW_ACTIVE;
}

void flow_set_read_deadline(struct flow *flow, uint64_t deadline_us)
{
    if (has_deadlines(flow))
        flow->read_deadline_us = deadline_us;
}

void flow_set_write_deadline(struct flow *flow, uint64_t deadline_us)
{
    if (has_deadlines(flow))
        flow->write_deadline_us = deadline_us;
}

uint64_t flow_read_deadline(const struct flow *flow)
{
    return has_deadlines(flow) ? flow->read_deadline_us : FOREVER;
}

uint64_t flow_write_deadline(const struct flow *flow)
{
    return has_deadlines(flow) ? flow->write_deadline_us : FOREVER;
}

/* A setter may arm a timer that is due before the network thread wakes. */
static void flow_timers_changed(struct flow *flow)
{
    struct tcpv4 *tcp = flow->group->tcp;

    tcp->wake(tcp->wake_context);
}

void flow_set_nodelay(struct flow *flow, bool on)
{
    flow->flags &= (uint8_t)~FLOW_NODELAY;
    if (on)
        flow->flags |= FLOW_NODELAY;
    if (!flow->conn || flow->nodelay_waiters > 0)
        return;
    tcp_set_nodelay(flow->conn, on, clock_us());
    flow_sent(flow);
}

void flow_set_cork(struct flow *flow, bool on)
{
    if (!flow->conn)
        return;
    tcp_set_cork(flow->conn, on, clock_us());
    flow_sent(flow);
}

void flow_set_keepalive(struct flow *flow, bool on)
{
    if (!flow->conn)
        return;
    tcp_set_keepalive(flow->conn, on, clock_us());
    flow_timers_changed(flow);
}

void flow_set_user_timeout(struct flow *flow, uint64_t timeout_us)
{
    if (!flow->conn)
        return;
    tcp_set_user_timeout(flow->conn, timeout_us, clock_us());
    flow_timers_changed(flow);
}

void flow_info(const struct flow *flow, struct tcp_info *info)
{
    *info = (struct tcp_info){.state = "CLOSED"};
    if (flow->conn)
        tcp_info_get(flow->conn, info);
}

struct buffer_pool *flow_pool(const struct flow *flow)
{
    return net_pool(flow->group->tcp->net);
}
