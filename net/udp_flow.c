/*
 * net/udp_flow.c - blocking calls on UDP sockets.
 *
 * The socket of net/udp.h does the work; here threads wait for it.
 */
#include "net/udp_flow.h"

#include <string.h>

#include "kernel/clock.h"
#include "net/udp_flow_priv.h"

/* A full card tells nobody when it has room again. */
enum { FULL_RETRY_US = 200 };

struct udp_flow {
    struct udpv4 *udp;
    struct udp_socket *socket; /* null: closed, and threads are still inside */
    struct wait_queue readers;
    uint32_t refs; /* the owner, and threads that wait */
};

/* --- life ----------------------------------------------------------------- */

void udpv4_init(struct udpv4 *udp, struct net *net,
                const struct net_config *config, void (*wake)(void *context),
                void *wake_context)
{
    *udp = (struct udpv4){
        .net = net,
        .wake = wake,
        .wake_context = wake_context,
        .pages = {.alloc = config->host.page_alloc,
                  .free = config->host.page_free,
                  .scarce = config->host.pages_scarce,
                  .context = config->host.context,
                  .max = config->pages_max},
    };
    pool_init(&udp->flows, &udp->pages, sizeof(struct udp_flow), UDP_PORTS_MAX);
}

void udpv4_free(struct udpv4 *udp)
{
    ASSERT(udp->flows.count == 0);
}

static void wake_readers(void *context)
{
    struct udp_flow *flow = context;

    wait_queue_wake_all(&flow->readers);
}

static void drop(struct udp_flow *flow)
{
    ASSERT(flow->refs > 0);
    if (--flow->refs == 0)
        pool_free(flow);
}

enum udp_status udpv4_bind(struct udpv4 *udp, struct ipv4_addr local,
                           uint16_t port, struct udp_flow **out)
{
    struct udp_flow *flow = pool_alloc(&udp->flows);
    enum udp_status status;

    *out = NULL;
    if (!flow)
        return UDP_NO_MEMORY;
    *flow = (struct udp_flow){.udp = udp, .refs = 1};
    status = udp_open(udp->net,
                      &(struct udp_options){.local = local,
                                            .port = port,
                                            .event = wake_readers,
                                            .context = flow},
                      &flow->socket);
    if (status == UDP_OK)
        *out = flow;
    else
        drop(flow);
    return status;
}

enum udp_status udpv4_connect(struct udpv4 *udp, struct ipv4_addr peer,
                              uint16_t port, struct udp_flow **flow)
{
    enum udp_status status = udpv4_bind(udp, IPV4_ADDR(0, 0, 0, 0), 0, flow);

    if (status != UDP_OK)
        return status;
    status = udp_flow_connect(*flow, peer, port);
    if (status == UDP_OK)
        return UDP_OK;
    udp_flow_close(*flow);
    *flow = NULL;
    return status;
}

enum udp_status udp_flow_connect(struct udp_flow *flow, struct ipv4_addr peer,
                                 uint16_t port)
{
    return udp_connect(flow->socket, peer, port);
}

void udp_flow_set_broadcast(struct udp_flow *flow, bool on)
{
    udp_set_broadcast(flow->socket, on);
}

void udp_flow_close(struct udp_flow *flow)
{
    ASSERT(flow->socket);
    udp_close(flow->socket);
    flow->socket = NULL;
    wait_queue_wake_all(&flow->readers);
    drop(flow);
}

/* --- sending -------------------------------------------------------------- */

/* Wait a moment for room in the card. Returns: UDP_OK: try again. */
static enum udp_status wait_for_room(struct udp_flow *flow,
                                     uint64_t deadline_us)
{
    uint64_t now_us = clock_us();
    enum wait_status waited;

    if (deadline_us <= now_us)
        return UDP_DEADLINE;
    flow->udp->wake(flow->udp->wake_context);
    waited = thread_sleep_until(deadline_us - now_us < FULL_RETRY_US
                                    ? deadline_us
                                    : now_us + FULL_RETRY_US);
    if (waited == WAIT_CANCELLED)
        return UDP_CANCELLED;
    return flow->socket ? UDP_OK : UDP_CLOSED;
}

/* Send `data` to where `to` says: an answer to it, or its dst and port. */
static enum udp_status send(struct udp_flow *flow,
                            const struct udp_datagram *to, bool reply,
                            struct buffer *data, uint64_t deadline_us)
{
    enum udp_status status, waited = UDP_OK;

    flow->refs++;
    do {
        status = reply ? udp_reply(flow->socket, to, data)
                       : udp_send_to(flow->socket, to->dst, to->dst_port, data);
        if (status == UDP_AGAIN)
            waited = wait_for_room(flow, deadline_us);
    } while (status == UDP_AGAIN && waited == UDP_OK);
    if (status == UDP_AGAIN) {
        buffer_release(data);
        status = waited;
    }
    flow->udp->wake(flow->udp->wake_context);
    drop(flow);
    return status;
}

enum udp_status udp_flow_send_to(struct udp_flow *flow, struct ipv4_addr dst,
                                 uint16_t port, struct buffer *data,
                                 uint64_t deadline_us)
{
    const struct udp_datagram to = {.dst = dst, .dst_port = port};

    return send(flow, &to, false, data, deadline_us);
}

enum udp_status udp_flow_reply(struct udp_flow *flow,
                               const struct udp_datagram *from,
                               struct buffer *data, uint64_t deadline_us)
{
    return send(flow, from, true, data, deadline_us);
}

/* A chain with a copy of the bytes; null when there is no memory. */
static struct buffer *copy_of(struct buffer_pool *pool, const uint8_t *data,
                              size_t bytes)
{
    struct buffer *chain = NULL, **end = &chain;
    uint32_t room = BUFFER_HEADROOM;

    for (; bytes > 0; room = 0) {
        struct buffer *buf = buffer_alloc_last(pool, BUFFER_LARGE, room);
        size_t part = BUFFER_LARGE_BYTES - room;

        if (!buf) {
            buffer_release(chain);
            return NULL;
        }
        if (part > bytes)
            part = bytes;
        memcpy(buf->data, data, part);
        buf->len = (uint32_t)part;
        data += part;
        bytes -= part;
        *end = buf;
        end = &buf->next;
    }
    return chain;
}

enum udp_status udp_flow_send(struct udp_flow *flow, const void *data,
                              size_t bytes, uint64_t deadline_us)
{
    struct buffer *chain = NULL;

    if (bytes > UDP_DATA_BYTES_MAX)
        return UDP_TOO_BIG;
    if (bytes > 0) {
        chain = copy_of(udp_flow_pool(flow), data, bytes);
        if (!chain)
            return UDP_NO_MEMORY;
    }
    return udp_flow_send_to(flow, IPV4_ADDR(0, 0, 0, 0), 0, chain, deadline_us);
}

/* --- receiving ------------------------------------------------------------ */

enum udp_status udp_flow_receive(struct udp_flow *flow,
                                 struct udp_datagram *from,
                                 struct buffer **data, uint64_t deadline_us)
{
    enum udp_status status = udp_receive(flow->socket, from, data);
    enum wait_status waited = WAIT_OK;

    flow->refs++;
    while (status == UDP_AGAIN && waited == WAIT_OK) {
        waited = wait_queue_wait(&flow->readers, "udp receive", deadline_us);
        if (!flow->socket)
            status = UDP_CLOSED;
        else if (waited != WAIT_CANCELLED)
            status = udp_receive(flow->socket, from, data);
    }
    drop(flow);
    if (status != UDP_AGAIN)
        return status;
    return waited == WAIT_DEADLINE ? UDP_DEADLINE : UDP_CANCELLED;
}

enum udp_status udp_flow_receive_into(struct udp_flow *flow,
                                      struct udp_datagram *from, void *out,
                                      size_t bytes, size_t *received_bytes,
                                      uint64_t deadline_us)
{
    uint32_t room =
        bytes < UDP_DATA_BYTES_MAX ? (uint32_t)bytes : UDP_DATA_BYTES_MAX;
    struct buffer *chain;
    enum udp_status status = udp_flow_receive(flow, from, &chain, deadline_us);

    *received_bytes = 0;
    if (status != UDP_OK)
        return status;
    *received_bytes = buffer_chain_len(chain);
    buffer_copy_out(chain, 0, out, room);
    buffer_release(chain);
    return UDP_OK;
}

/* --- asking --------------------------------------------------------------- */

void udp_flow_info(const struct udp_flow *flow, struct udp_info *info)
{
    udp_info_get(flow->socket, info);
}

struct buffer_pool *udp_flow_pool(const struct udp_flow *flow)
{
    return net_pool(flow->udp->net);
}
