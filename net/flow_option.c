/*
 * net/flow_option.c - what can be chosen for a flow, and news beside its data.
 *
 * News (urgent bytes, soft errors) is a set that waits until somebody asks for
 * it: a thread that never calls flow_wait_news() is never disturbed by it
 * (RFC 9293 SHLD-20).
 */
#include "net/flow_priv.h"

#include "kernel/clock.h"

/* ---- options ---- */

enum tcp_set_status flow_set(struct flow *flow, enum tcp_option which,
                             uint64_t value)
{
    enum tcp_set_status status = TCP_SET_LATE;

    if (flow->conn)
        status = tcp_set(flow->conn, which, value, clock_us());
    if (status == TCP_SET_OK) /* a deadline may have come nearer */
        flow->group->tcp->wake(flow->group->tcp->wake_context);
    return status;
}

uint64_t flow_get(const struct flow *flow, enum tcp_option which)
{
    return flow->conn ? tcp_get(flow->conn, which) : 0;
}

enum tcp_set_status tcpv4_set(struct tcpv4 *tcp, enum tcp_option which,
                              uint64_t value)
{
    return tcp_default_set(tcp->net, which, value);
}

enum tcp_set_status tcpv4_listener_set(struct tcpv4 *tcp, uint16_t port,
                                       enum tcp_option which, uint64_t value)
{
    struct flow_group *group = flow_group_of_port(tcp, port);

    return group ? tcp_listener_set(group->listener, which, value)
                 : TCP_SET_LATE;
}

/* ---- news ---- */

void flow_note_news(struct flow *flow, unsigned changes)
{
    if (changes & TCP_CHANGE_URGENT)
        flow->news |= FLOW_NEWS_URGENT;
    if (changes & TCP_CHANGE_SOFT_ERROR)
        flow->news |= FLOW_NEWS_SOFT_ERROR;
}

enum flow_status flow_wait_news(struct flow *flow, uint64_t deadline_us,
                                unsigned *news)
{
    enum wait_status waited = WAIT_OK;
    enum flow_status status = flow_state(flow);

    /* Ends with the connection, the deadline or a cancellation at latest. */
    while (waited == WAIT_OK && status == FLOW_OK && !flow->news) {
        waited = flow_wait(flow, &flow->senders, "flow news", deadline_us);
        status = flow_state(flow);
    }
    *news = flow->news;
    flow->news = 0;
    if (*news)
        return FLOW_OK;
    if (waited == WAIT_CANCELLED)
        return FLOW_CANCELLED;
    return status == FLOW_OK ? FLOW_DEADLINE : status;
}

uint32_t flow_urgent_bytes(const struct flow *flow)
{
    return flow->conn ? tcp_urgent_bytes(flow->conn) : 0;
}

enum tcp_soft_error flow_take_soft_error(struct flow *flow)
{
    return flow->conn ? tcp_take_soft_error(flow->conn) : TCP_SOFT_NONE;
}
