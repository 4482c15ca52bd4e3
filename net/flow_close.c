/*
 * net/flow_close.c - ending a flow: half close, wait, abort, linger.
 *
 * A flow whose callback has returned lingers: it is closed, but its connection
 * is kept for a moment to take (and drop) what the peer still sends. Giving it
 * back with unread data would make a RST (RFC 9293 SHLD-3), and the RST could
 * overtake the last answer in the peer's own receive queue. Lingering costs no
 * thread and is bounded in time and in number.
 *
 * Source: MirageOS V1.FLOW close; RFC 9293 3.6, 3.10.4, 3.10.5.
 */
#include "net/flow_priv.h"

#include "kernel/clock.h"

/* Close our direction; writers that wait learn that they came too late. */
static void shut(struct flow *flow, uint64_t now_us)
{
    if (flow->flags & FLOW_SHUT || !flow->conn)
        return;
    flow->flags |= FLOW_SHUT;
    tcp_shutdown(flow->conn, now_us);
    wait_queue_wake_all(&flow->senders);
    flow_sent(flow);
}

void flow_close(struct flow *flow)
{
    uint64_t deadline_us = flow_write_deadline(flow);
    enum wait_status waited = WAIT_OK;

    shut(flow, clock_us());
    while (waited == WAIT_OK && flow_state(flow) == FLOW_OK &&
           !tcp_fin_sent(flow->conn))
        waited = flow_wait(flow, &flow->senders, "flow close", deadline_us);
}

enum flow_status flow_wait_closed(struct flow *flow, uint64_t deadline_us)
{
    enum flow_status status = flow_state(flow);
    enum wait_status waited = WAIT_OK;

    while (waited == WAIT_OK && status == FLOW_OK && !tcp_closed(flow->conn)) {
        waited = flow_wait(flow, &flow->senders, "flow closed", deadline_us);
        status = flow_state(flow);
    }
    if (waited == WAIT_CANCELLED)
        return FLOW_CANCELLED;
    if (status == FLOW_ERROR)
        return FLOW_ERROR;
    if (status == FLOW_EOF || tcp_closed(flow->conn))
        return FLOW_OK;
    return FLOW_DEADLINE;
}

void flow_abort(struct flow *flow)
{
    if (!flow->conn)
        return;
    tcp_abort(flow->conn, clock_us());
    flow_sent(flow); /* the event, too, comes with the next flush */
}

/* ---- linger ---- */

/* Drop what has come. Returns: whether more may come. */
static bool drain(struct flow *flow, uint64_t now_us)
{
    enum tcp_status status;
    struct buffer *chain;

    do { /* one receive window at most: nothing arrives meanwhile */
        chain = NULL;
        status = tcp_recv(flow->conn, UINT32_MAX, now_us, &chain);
        buffer_release(chain);
    } while (status == TCP_OK);
    return status == TCP_AGAIN;
}

void flow_linger(struct flow *flow, bool expired)
{
    if (!drain(flow, clock_us()) || expired)
        flow_end(flow);
    else
        flow_sent(flow); /* the window has opened */
}

void flow_finish(struct flow *flow)
{
    struct tcpv4 *tcp = flow->group->tcp;
    uint64_t now_us = clock_us();

    if (flow->flags & FLOW_RELEASED) {
        flow_disown(flow);
        return;
    }
    shut(flow, now_us);
    if (!drain(flow, now_us) || tcp->lingering >= tcp->lingering_max) {
        flow_end(flow);
        return;
    }
    /* Nobody has the handle any more: others that wait are told so. */
    flow->flags |= FLOW_RELEASED;
    flow->turn++;
    flow_wake_all(flow);
    flow_time_as(flow, now_us + FLOW_LINGER_US, FLOW_LINGERING);
    tcp->lingering++;
    tcp->wake(tcp->wake_context);
}

/* ---- the whole instance ---- */

/* Every flow of a list; `fn` may move the flow that it is given. */
static void each_linked(struct flow_link *list, void (*fn)(struct flow *flow))
{
    struct flow_link *link = list->next;
    struct flow_link *next;

    for (; link != list; link = next) {
        next = link->next;
        fn(CONTAINER_OF(link, struct flow, link));
    }
}

/* Every flow of one slot of the wheel: it is a ring without a sentinel. */
static void each_in_slot(struct timer *first, void (*fn)(struct flow *flow))
{
    struct timer *timer = first;
    struct timer *next;
    size_t count = 0;

    if (!first)
        return;
    do {
        count++;
        timer = timer->next;
    } while (timer != first);
    for (; count > 0; count--, timer = next) {
        next = timer->next;
        fn(CONTAINER_OF(timer, struct flow, timer));
    }
}

static void each_flow(struct tcpv4 *tcp, void (*fn)(struct flow *flow))
{
    struct flow_group *group = tcp->groups;
    size_t slots = TIMER_WHEEL_BYTES / sizeof(struct timer *);

    each_linked(&tcp->active, fn);
    each_linked(&tcp->parked, fn);
    each_linked(&tcp->connected.ready, fn);
    for (; group; group = group->next)
        each_linked(&group->ready, fn);
    for (size_t i = 0; i < slots; i++)
        each_in_slot(tcp->wheel.slots[i], fn);
}

/* What is open is closed gracefully, what is not yet open is given up. */
static void close_one(struct flow *flow)
{
    if (flow->flags & FLOW_OPENED)
        shut(flow, clock_us());
    else
        flow_abort(flow);
}

void tcpv4_disconnect(struct tcpv4 *tcp, uint64_t bound_us)
{
    enum wait_status waited = WAIT_OK;

    tcp->disconnected = true;
    flow_unlisten_all(tcp);
    each_flow(tcp, close_one);
    tcp->wake(tcp->wake_context);
    while (waited == WAIT_OK && tcp->open > 0)
        waited = wait_queue_wait(&tcp->closers, "tcp disconnect", bound_us);
    if (tcp->open > 0)
        each_flow(tcp, flow_abort);
}
