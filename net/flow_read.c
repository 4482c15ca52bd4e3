/*
 * net/flow_read.c - reading from a flow.
 *
 * The core keeps what has arrived; nothing is stored here, so two readers get
 * each byte once and in order, and the receive window knows what is unread.
 *
 * Source: MirageOS V1.FLOW read; RFC 9293 3.10.3.
 */
#include "net/flow_priv.h"

#include "kernel/clock.h"

/* Beside the values of enum flow_status: nothing is there yet. */
enum { READ_AGAIN = FLOW_CANCELLED + 1 };

/* One attempt: a view (bytes 0) or a chain of up to `bytes`. */
static int read_now(struct flow *flow, uint32_t bytes, struct buffer **chain)
{
    enum tcp_status status;

    if (flow->flags & FLOW_RELEASED)
        return FLOW_ERROR;
    if (bytes == 0)
        status = tcp_recv_view(flow->conn, clock_us(), chain);
    else
        status = tcp_recv(flow->conn, bytes, clock_us(), chain);
    switch (status) {
    case TCP_OK:
        flow_sent(flow); /* the window may have opened */
        return FLOW_OK;
    case TCP_EOF:
        return FLOW_EOF;
    case TCP_ENDED:
        return flow_state(flow);
    case TCP_AGAIN:
        if (tcp_recv_ready(flow->conn)) /* no memory: a timer is armed */
            flow->group->tcp->wake(flow->group->tcp->wake_context);
        break;
    }
    return READ_AGAIN;
}

static enum flow_status read_chain(struct flow *flow, uint32_t bytes,
                                   struct buffer **chain)
{
    uint64_t deadline_us = flow_read_deadline(flow);
    enum wait_status waited = WAIT_OK;
    int status = read_now(flow, bytes, chain);

    /* Ends with the connection, the deadline or a cancellation at latest. */
    while (status == READ_AGAIN && waited == WAIT_OK) {
        waited = flow_wait(flow, &flow->readers, "flow read", deadline_us);
        if (waited != WAIT_CANCELLED)
            status = read_now(flow, bytes, chain);
    }
    if (status != READ_AGAIN)
        return (enum flow_status)status;
    return waited == WAIT_DEADLINE ? FLOW_DEADLINE : FLOW_CANCELLED;
}

enum flow_status flow_read(struct flow *flow, struct buffer **buffer)
{
    *buffer = NULL;
    return read_chain(flow, 0, buffer);
}

enum flow_status flow_receive(struct flow *flow, void *out, size_t bytes,
                              size_t *received_bytes)
{
    uint32_t room = bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX;
    struct buffer *chain = NULL;
    enum flow_status status;

    ASSERT(bytes > 0);
    *received_bytes = 0;
    status = read_chain(flow, room, &chain);
    if (status == FLOW_OK)
        *received_bytes = buffer_copy_out(chain, 0, out, room);
    buffer_release(chain);
    return status;
}
