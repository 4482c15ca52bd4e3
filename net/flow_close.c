/*
 * net/flow_close.c - ending a flow: half close, wait, abort; ending them all.
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
    size_t slots = TIMER_WHEEL_BYTES / sizeof(struct timer *);

    each_linked(&tcp->untimed, fn);
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

bool flow_all_closed(const struct tcpv4 *tcp)
{
    return tcp->open == 0 && tcp_lingering(tcp->net) == 0;
}

void tcpv4_disconnect(struct tcpv4 *tcp, uint64_t bound_us)
{
    enum wait_status waited = WAIT_OK;

    tcp->disconnected = true;
    flow_unlisten_all(tcp);
    each_flow(tcp, close_one);
    tcp->wake(tcp->wake_context);
    while (waited == WAIT_OK && !flow_all_closed(tcp))
        waited = wait_queue_wait(&tcp->closers, "tcp disconnect", bound_us);
    if (tcp->open > 0)
        each_flow(tcp, flow_abort);
    tcp_abort_lingering(tcp->net, clock_us());
    tcp->wake(tcp->wake_context);
}
