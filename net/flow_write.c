/*
 * net/flow_write.c - writing to a flow.
 *
 * Bytes go to the core's send queue by reference, as much at a time as the
 * queue has room for. The bytes of one call stay together: a second writer
 * waits until the first has queued all of its own.
 *
 * Source: MirageOS V1.FLOW write; RFC 9293 3.10.2.
 */
#include "net/flow_priv.h"

#include <string.h>

#include "kernel/clock.h"

/* One call's way through the queue. */
struct writing {
    struct flow *flow;
    struct buffer *part; /* what goes next; at most the queue's room */
    struct buffer *rest; /* what follows it */
    uint64_t deadline_us;
    uint32_t queued_bytes;
    bool urgent;
};

/* Whether a write may go on: FLOW_OK, or why not. */
static enum flow_status may_write(const struct flow *flow)
{
    enum flow_status status = flow_state(flow);

    if (status == FLOW_OK && flow->flags & FLOW_SHUT)
        return FLOW_EOF;
    return status;
}

/* Wait for room, or for anything else that ends the wait. */
static enum flow_status wait_for_room(struct writing *writing, bool poll)
{
    uint64_t until_us = writing->deadline_us;
    uint64_t retry_us = clock_us() + FLOW_RETRY_US;
    enum wait_status waited;

    /* Memory that others hold raises no event: look again in a while. */
    if (poll && retry_us < until_us)
        until_us = retry_us;
    waited = flow_wait(writing->flow, &writing->flow->senders, "flow write",
                       until_us);
    if (waited == WAIT_CANCELLED)
        return FLOW_CANCELLED;
    if (waited == WAIT_DEADLINE && until_us == writing->deadline_us)
        return FLOW_DEADLINE;
    return may_write(writing->flow);
}

/* One writer at a time: FLOW_OK once it is our turn. */
static enum flow_status enter(struct writing *writing)
{
    struct flow *flow = writing->flow;
    enum flow_status status = may_write(flow);

    while (status == FLOW_OK && flow->flags & FLOW_WRITING)
        status = wait_for_room(writing, false);
    if (status == FLOW_OK)
        flow->flags |= FLOW_WRITING;
    return status;
}

/* The next writer's turn. */
static void leave(struct writing *writing)
{
    struct flow *flow = writing->flow;

    flow->flags &= (uint8_t)~FLOW_WRITING;
    flow->written_bytes = writing->queued_bytes;
    wait_queue_wake_all(&flow->senders);
}

/*
 * Move the first `room` bytes of `rest` to `part`.
 * Returns: false when there is no memory for the view at the cut.
 */
static bool cut(struct writing *writing, uint32_t room)
{
    struct buffer_pool *pool = flow_pool(writing->flow);
    struct buffer **end = &writing->part;
    struct buffer *head;

    while (writing->rest && writing->rest->len <= room) {
        head = writing->rest;
        writing->rest = head->next;
        head->next = NULL;
        room -= head->len;
        *end = head;
        end = &head->next;
    }
    if (writing->part || !writing->rest)
        return true;
    head = buffer_slice(pool, writing->rest, 0, room);
    if (!head)
        return false;
    buffer_pull(writing->rest, room);
    writing->part = head;
    return true;
}

static void note_queued(struct writing *writing, uint32_t bytes)
{
    writing->queued_bytes += bytes;
    writing->flow->queued_bytes += bytes;
}

/* What becomes of a write that the core has not taken. */
static enum flow_status refused(struct writing *writing, enum tcp_status status)
{
    if (status == TCP_AGAIN)
        return wait_for_room(writing, true);
    return status == TCP_EOF ? FLOW_EOF : flow_state(writing->flow);
}

/* Give the core what it has room for. FLOW_OK: go on, after a wait when
 * nothing could be queued. */
static enum flow_status queue_some(struct writing *writing)
{
    struct flow *flow = writing->flow;
    uint32_t room = tcp_send_room(flow->conn);
    enum tcp_status status;
    uint32_t bytes;

    if (room == 0)
        return wait_for_room(writing, false);
    if (!writing->part && !cut(writing, room))
        return wait_for_room(writing, true);
    if (!writing->part)
        return FLOW_OK;
    bytes = buffer_chain_len(writing->part);
    status = writing->urgent
                 ? tcp_send_urgent(flow->conn, writing->part, clock_us())
                 : tcp_send(flow->conn, writing->part, clock_us());
    if (status != TCP_OK)
        return refused(writing, status);
    writing->part = NULL;
    note_queued(writing, bytes);
    return FLOW_OK;
}

/* Queue all of `rest`. Ends with the bytes, or as wait_for_room() does. */
static enum flow_status queue_all(struct writing *writing)
{
    enum flow_status status = FLOW_OK;

    while (status == FLOW_OK && (writing->part || writing->rest))
        status = queue_some(writing);
    flow_sent(writing->flow);
    return status;
}

static struct writing writing_start(struct flow *flow, struct buffer *chain)
{
    return (struct writing){
        .flow = flow,
        .rest = chain,
        .deadline_us = flow_write_deadline(flow),
    };
}

static ASIDE enum flow_status write_chain(struct flow *flow,
                                          struct buffer *chain, bool urgent)
{
    struct writing writing = writing_start(flow, chain);
    enum flow_status status = enter(&writing);

    writing.urgent = urgent;
    if (status == FLOW_OK) {
        status = queue_all(&writing);
        leave(&writing);
    } else {
        flow->written_bytes = 0;
    }
    buffer_release(writing.part);
    buffer_release(writing.rest);
    return status;
}

/* What most writes are: nobody else is at it, and there is room for all.
 * Returns: false when it is not so; the chain is still the caller's. */
static bool write_whole(struct flow *flow, struct buffer *chain)
{
    unsigned in_the_way = FLOW_RELEASED | FLOW_SHUT | FLOW_WRITING;
    uint32_t bytes;

    if (!chain || flow->flags & in_the_way)
        return false;
    bytes = buffer_chain_len(chain);
    if (tcp_send(flow->conn, chain, clock_us()) != TCP_OK)
        return false;
    flow->queued_bytes += bytes;
    flow->written_bytes = bytes;
    flow_sent(flow);
    return true;
}

enum flow_status flow_writev(struct flow *flow, struct buffer *chain)
{
    return write_whole(flow, chain) ? FLOW_OK : write_chain(flow, chain, false);
}

enum flow_status flow_write_urgent(struct flow *flow, struct buffer *buffer)
{
    return write_chain(flow, buffer, true);
}

enum flow_status flow_write(struct flow *flow, struct buffer *buffer)
{
    return flow_writev(flow, buffer);
}

size_t flow_written(const struct flow *flow)
{
    return flow->written_bytes;
}

/* ---- until it is acknowledged ---- */

/* Whether all up to `mark` of what was ever queued is acknowledged. */
static bool is_acked(const struct flow *flow, uint32_t mark)
{
    uint32_t acked = flow->queued_bytes - tcp_send_pending(flow->conn);

    return (int32_t)(acked - mark) >= 0;
}

static enum flow_status wait_acked(struct flow *flow, uint32_t mark,
                                   uint64_t deadline_us)
{
    enum wait_status waited = WAIT_OK;
    enum flow_status status = FLOW_OK;

    /* Every acknowledgement, and every end of the connection, wakes us. */
    while (waited == WAIT_OK) {
        status = flow_state(flow);
        if (status == FLOW_ERROR || is_acked(flow, mark))
            return status == FLOW_ERROR ? FLOW_ERROR : FLOW_OK;
        if (status == FLOW_EOF)
            return FLOW_EOF;
        waited =
            flow_wait(flow, &flow->senders, "flow write_nodelay", deadline_us);
    }
    if (waited == WAIT_CANCELLED)
        return FLOW_CANCELLED;
    status = flow_state(flow);
    if (status != FLOW_ERROR && is_acked(flow, mark))
        return FLOW_OK;
    return status == FLOW_OK ? FLOW_DEADLINE : status;
}

enum flow_status flow_writev_nodelay(struct flow *flow, struct buffer *chain)
{
    uint64_t deadline_us = flow_write_deadline(flow);
    enum flow_status status;

    if (!flow->conn) {
        buffer_release(chain);
        return FLOW_ERROR;
    }
    flow->nodelay_waiters++;
    tcp_set_nodelay(flow->conn, true, clock_us());
    status = flow_writev(flow, chain);
    if (status == FLOW_OK)
        status = wait_acked(flow, flow->queued_bytes, deadline_us);
    flow->nodelay_waiters--;
    if (flow->conn && flow->nodelay_waiters == 0 &&
        !(flow->flags & FLOW_NODELAY))
        tcp_set_nodelay(flow->conn, false, clock_us());
    return status;
}

enum flow_status flow_write_nodelay(struct flow *flow, struct buffer *buffer)
{
    return flow_writev_nodelay(flow, buffer);
}

/* ---- plain memory ---- */

/* A copy of up to `bytes` from `data`; null when there is no memory. */
static struct buffer *copy(struct buffer_pool *pool, const uint8_t *data,
                           size_t bytes)
{
    bool small = bytes <= BUFFER_SMALL_BYTES;
    struct buffer *buf =
        buffer_alloc(pool, small ? BUFFER_SMALL : BUFFER_LARGE, 0);
    uint32_t room;

    if (!buf)
        return NULL;
    room = buffer_tailroom(buf);
    buf->len = bytes < room ? (uint32_t)bytes : room;
    memcpy(buf->data, data, buf->len);
    return buf;
}

/* A chain of copies of up to `bytes`, of which none takes one of the last
 * pages; null when there is no memory. */
static struct buffer *copy_chain(struct buffer_pool *pool, const uint8_t *data,
                                 size_t bytes)
{
    struct buffer *chain = NULL;
    struct buffer **end = &chain;
    struct buffer *buf;

    /* As much as there is memory for: each round takes a byte at least. */
    while (bytes > 0) {
        buf = copy(pool, data, bytes);
        if (!buf)
            return chain;
        if (buffer_pool_is_scarce(pool)) {
            buffer_release(buf);
            return chain;
        }
        data += buf->len;
        bytes -= buf->len;
        *end = buf;
        end = &buf->next;
    }
    return chain;
}

/*
 * Copy and queue the next bytes. Copies that cannot be queued are given up for
 * the time of the wait: those of many who wait would be the memory for which
 * they wait.
 */
static enum flow_status send_some(struct writing *writing, const uint8_t *data,
                                  size_t bytes)
{
    struct flow *flow = writing->flow;
    uint32_t room = tcp_send_room(flow->conn);
    struct buffer *chain;
    enum tcp_status status;

    if (room == 0)
        return wait_for_room(writing, false);
    chain = copy_chain(flow_pool(flow), data, bytes < room ? bytes : room);
    if (!chain)
        return wait_for_room(writing, true);
    room = buffer_chain_len(chain);
    status = tcp_send(flow->conn, chain, clock_us());
    if (status == TCP_OK) {
        note_queued(writing, room);
        flow_sent(flow);
        return FLOW_OK;
    }
    buffer_release(chain);
    return refused(writing, status);
}

enum flow_status flow_send(struct flow *flow, const void *data, size_t bytes,
                           size_t *sent_bytes)
{
    struct writing writing = writing_start(flow, NULL);
    enum flow_status status = enter(&writing);
    const uint8_t *from = data;
    size_t done = 0;
    uint32_t before;

    if (status == FLOW_OK) {
        while (status == FLOW_OK && done < bytes) {
            before = writing.queued_bytes;
            status = send_some(&writing, from + done, bytes - done);
            done += writing.queued_bytes - before;
        }
        leave(&writing);
    } else {
        flow->written_bytes = 0;
    }
    if (sent_bytes)
        *sent_bytes = done;
    return status;
}
