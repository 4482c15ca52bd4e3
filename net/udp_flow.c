/*
 * net/udp_flow.c - blocking calls on UDP sockets.
 *
 * The socket of net/udp.h does the work; here threads wait for it.
 */
#include "net/udp_flow.h"

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

/* What is sent: a chain, or plain memory to the peer. */
struct message {
    const struct udp_datagram *to;
    bool reply; /* it answers `to`; else it goes to its dst and port */
    struct buffer *chain;
    const void *memory; /* null: the chain */
    size_t bytes;
};

static enum udp_status attempt(struct udp_flow *flow,
                               const struct message *message)
{
    const struct udp_datagram *to = message->to;

    if (message->memory)
        return udp_send_bytes(flow->socket, to->dst, to->dst_port,
                              message->memory, message->bytes);
    return message->reply ? udp_reply(flow->socket, to, message->chain)
                          : udp_send_to(flow->socket, to->dst, to->dst_port,
                                        message->chain);
}

/* The chain is taken. */
static enum udp_status send(struct udp_flow *flow,
                            const struct message *message, uint64_t deadline_us)
{
    enum udp_status status, waited = UDP_OK;

    flow->refs++;
    do {
        status = attempt(flow, message);
        if (status == UDP_AGAIN)
            waited = wait_for_room(flow, deadline_us);
    } while (status == UDP_AGAIN && waited == UDP_OK);
    if (status == UDP_AGAIN) {
        buffer_release(message->chain);
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

    return send(flow, &(struct message){.to = &to, .chain = data}, deadline_us);
}

enum udp_status udp_flow_reply(struct udp_flow *flow,
                               const struct udp_datagram *from,
                               struct buffer *data, uint64_t deadline_us)
{
    return send(flow,
                &(struct message){.to = from, .reply = true, .chain = data},
                deadline_us);
}

enum udp_status udp_flow_send(struct udp_flow *flow, const void *data,
                              size_t bytes, uint64_t deadline_us)
{
    const struct udp_datagram to = {0};

    ASSERT(data || bytes == 0);
    return send(flow,
                &(struct message){.to = &to, .memory = data, .bytes = bytes},
                deadline_us);
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
