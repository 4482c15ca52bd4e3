/*
 * net/udp_socket.c - who owns which port, and what waits for whom.
 *
 * The memory that waits is bounded three times: for each socket, for all
 * sockets together, and by the pages of the stack.
 */
#include "net/udp.h"

#include "net/net_priv.h"
#include "net/udp_priv.h"

const char *udp_status_text(enum udp_status status)
{
    static const char *const texts[UDP_STATUS_COUNT] = {
        [UDP_OK] = "no error",
        [UDP_AGAIN] = "not now",
        [UDP_IN_USE] = "the port is in use",
        [UDP_NO_MEMORY] = "out of memory",
        [UDP_BAD_ADDRESS] = "not an address that can be used",
        [UDP_NOT_CONNECTED] = "no destination was given",
        [UDP_NO_BROADCAST] = "broadcast is not allowed",
        [UDP_NO_ROUTE] = "no route to host",
        [UDP_TOO_BIG] = "datagram too big",
        [UDP_REFUSED] = "port unreachable",
        [UDP_UNREACHABLE] = "host unreachable",
        [UDP_DEADLINE] = "timed out",
        [UDP_CANCELLED] = "cancelled",
        [UDP_CLOSED] = "the socket is closed",
    };

    return (unsigned)status < UDP_STATUS_COUNT ? texts[status]
                                               : "unknown error";
}

/* --- ports ---------------------------------------------------------------- */

void udp_init(struct net *net)
{
    pool_init(&net->udp.sockets, &net->pages, sizeof(struct udp_socket),
              UDP_PORTS_MAX);
    pool_init(&net->udp.packets, &net->pages, sizeof(struct udp_packet),
              SIZE_MAX);
}

void udp_destroy(struct net *net)
{
    for (unsigned i = 0; i < UDP_BUCKETS; i++)
        while (net->udp.bucket[i])
            udp_close(net->udp.bucket[i]);
}

/* Where the port stands in its bucket, or the bucket's end. */
static struct udp_socket **place_of(struct net *net, uint16_t port)
{
    struct udp_socket **at = &net->udp.bucket[port % UDP_BUCKETS];

    while (*at && (*at)->info.port != port)
        at = &(*at)->next;
    return at;
}

struct udp_socket *udp_find(struct net *net, const struct udp_datagram *from)
{
    struct udp_socket *socket = *place_of(net, from->dst_port);

    if (!socket)
        return NULL;
    if (!ipv4_addr_is_zero(socket->info.local) &&
        !ipv4_addr_equal(socket->info.local, from->dst))
        return NULL;
    if (socket->info.peer_port != 0 &&
        (socket->info.peer_port != from->src_port ||
         !ipv4_addr_equal(socket->info.peer, from->src)))
        return NULL;
    return socket;
}

/* A free port by chance: RFC 6056 3.3.1. */
static uint16_t choose_port(struct net *net)
{
    const uint32_t count = UDP_EPHEMERAL_LAST - UDP_EPHEMERAL_FIRST + 1;
    uint32_t offset = (uint32_t)net_random64(net) % count;

    _Static_assert(UDP_PORTS_MAX < UDP_EPHEMERAL_LAST - UDP_EPHEMERAL_FIRST,
                   "more ports than sockets: one is soon found");
    while (*place_of(net, (uint16_t)(UDP_EPHEMERAL_FIRST + offset)))
        offset = (offset + 1) % count;
    return (uint16_t)(UDP_EPHEMERAL_FIRST + offset);
}

enum udp_status udp_open(struct net *net, const struct udp_options *options,
                         struct udp_socket **socket)
{
    uint16_t port = options->port ? options->port : choose_port(net);
    struct udp_socket **at = place_of(net, port);

    *socket = NULL;
    if (*at)
        return UDP_IN_USE;
    if (!ipv4_addr_is_zero(options->local) &&
        !ipv4_is_ours(net, options->local))
        return UDP_BAD_ADDRESS;
    *at = pool_alloc(&net->udp.sockets);
    if (!*at)
        return UDP_NO_MEMORY;
    **at = (struct udp_socket){
        .net = net,
        .receive = options->receive,
        .event = options->event,
        .context = options->context,
        .queue_bytes_max = options->queue_bytes_max ? options->queue_bytes_max
                                                    : UDP_QUEUE_BYTES,
        .info = {.local = options->local, .port = port},
        .broadcast = options->broadcast,
    };
    *socket = *at;
    return UDP_OK;
}

/* --- the queue ------------------------------------------------------------ */

/* Take the oldest packet from the queue, or null. */
static struct udp_packet *unqueue(struct udp_socket *socket)
{
    struct udp_packet *packet = socket->first;

    if (!packet)
        return NULL;
    socket->first = packet->next;
    socket->info.queued--;
    socket->info.queued_bytes -= packet->held_bytes;
    socket->net->udp.queued_bytes -= packet->held_bytes;
    return packet;
}

static void drop_queue(struct udp_socket *socket)
{
    struct udp_packet *packet;

    while ((packet = unqueue(socket))) {
        buffer_release(packet->data);
        pool_free(packet);
    }
}

/* A place in the queue for `bytes`, or null: U12, the newest is dropped. */
static struct udp_packet *queue_room(struct udp_socket *socket, uint32_t bytes)
{
    struct net *net = socket->net;

    if (bytes > socket->queue_bytes_max - socket->info.queued_bytes ||
        net->udp.queued_bytes + bytes > net->config.udp_queue_bytes_max ||
        pages_scarce(&net->pages))
        return NULL;
    return pool_alloc(&net->udp.packets);
}

static void queue(struct udp_socket *socket, const struct udp_datagram *from,
                  struct buffer *data)
{
    uint32_t bytes =
        (uint32_t)sizeof(struct udp_packet) + buffer_chain_held_bytes(data);
    struct udp_packet *packet = queue_room(socket, bytes);

    if (!packet) {
        net_count(&socket->net->counters, udp_full);
        socket->info.dropped++;
        buffer_release(data);
        return;
    }
    *packet = (struct udp_packet){NULL, data, *from, bytes};
    if (socket->first)
        socket->last->next = packet;
    else
        socket->first = packet;
    socket->last = packet;
    socket->info.queued++;
    socket->info.queued_bytes += bytes;
    socket->net->udp.queued_bytes += bytes;
}

static void tell(const struct udp_socket *socket)
{
    if (socket->event)
        socket->event(socket->context);
}

void udp_deliver(struct udp_socket *socket, const struct udp_datagram *from,
                 struct buffer *data)
{
    socket->info.received++;
    if (socket->receive) {
        socket->receive(socket->context, socket->net, from, data);
        return;
    }
    queue(socket, from, data);
    tell(socket);
}

/* The error that waits, once. */
static enum udp_status take_error(struct udp_socket *socket)
{
    enum udp_status error = socket->error;

    socket->error = UDP_OK;
    return error;
}

enum udp_status udp_receive(struct udp_socket *socket,
                            struct udp_datagram *from, struct buffer **data)
{
    struct udp_packet *packet = unqueue(socket);
    enum udp_status error;

    *data = NULL;
    if (!packet) {
        error = take_error(socket);
        return error == UDP_OK ? UDP_AGAIN : error;
    }
    *from = packet->from;
    *data = packet->data;
    pool_free(packet);
    return UDP_OK;
}

/* --- the owner's calls ---------------------------------------------------- */

void udp_close(struct udp_socket *socket)
{
    struct udp_socket **at = place_of(socket->net, socket->info.port);

    ASSERT(*at == socket);
    *at = socket->next;
    drop_queue(socket);
    pool_free(socket);
}

void udp_set_broadcast(struct udp_socket *socket, bool on)
{
    socket->broadcast = on;
}

/* Whether the socket may send there at all. */
static enum udp_status check_destination(const struct udp_socket *socket,
                                         struct ipv4_addr dst, uint16_t port)
{
    if (ipv4_addr_is_zero(dst) || port == 0)
        return UDP_BAD_ADDRESS;
    if (!socket->broadcast && ipv4_is_broadcast(socket->net, dst))
        return UDP_NO_BROADCAST;
    return UDP_OK;
}

enum udp_status udp_connect(struct udp_socket *socket, struct ipv4_addr peer,
                            uint16_t port)
{
    enum udp_status status = check_destination(socket, peer, port);
    struct ipv4_addr src;

    if (status != UDP_OK)
        return status;
    if (!ipv4_source_for(socket->net, peer, &src))
        return UDP_NO_ROUTE;
    socket->info.peer = peer;
    socket->info.peer_port = port;
    socket->error = UDP_OK;
    drop_queue(socket);
    return UDP_OK;
}

static enum udp_status status_of(enum ipv4_status status)
{
    switch (status) {
    case IPV4_OK:
        return UDP_OK;
    case IPV4_FULL:
        return UDP_AGAIN;
    case IPV4_NO_MEMORY:
        return UDP_NO_MEMORY;
    case IPV4_TOO_BIG:
        return UDP_TOO_BIG;
    case IPV4_NO_ROUTE:
        break;
    }
    return UDP_NO_ROUTE;
}

/* Where a datagram goes, and whether it may. */
static enum udp_status resolve(struct udp_socket *socket, struct ipv4_addr *dst,
                               uint16_t *port)
{
    enum udp_status error = take_error(socket);

    if (error != UDP_OK)
        return error;
    if (ipv4_addr_is_zero(*dst) && *port == 0) {
        if (socket->info.peer_port == 0)
            return UDP_NOT_CONNECTED;
        *dst = socket->info.peer;
        *port = socket->info.peer_port;
    }
    return check_destination(socket, *dst, *port);
}

/* The layer below has had a datagram. */
static enum udp_status sent(struct udp_socket *socket, enum ipv4_status status)
{
    if (status == IPV4_OK)
        socket->info.sent++;
    return status_of(status);
}

enum udp_status udp_send_to(struct udp_socket *socket, struct ipv4_addr dst,
                            uint16_t port, struct buffer *data)
{
    enum udp_status status = resolve(socket, &dst, &port);
    const struct udp_datagram to = {socket->info.local, dst, socket->info.port,
                                    port};

    if (status == UDP_OK)
        return sent(socket, udp_output(socket->net, &to, data));
    buffer_release(data);
    return status;
}

enum udp_status udp_send_bytes(struct udp_socket *socket, struct ipv4_addr dst,
                               uint16_t port, const void *data, size_t bytes)
{
    enum udp_status status = resolve(socket, &dst, &port);
    const struct udp_datagram to = {socket->info.local, dst, socket->info.port,
                                    port};

    return status == UDP_OK
               ? sent(socket, udp_output_bytes(socket->net, &to, data, bytes))
               : status;
}

enum udp_status udp_reply(struct udp_socket *socket,
                          const struct udp_datagram *from, struct buffer *data)
{
    const struct udp_datagram to = {from->dst, from->src, from->dst_port,
                                    from->src_port};

    if (ipv4_is_ours(socket->net, from->dst))
        return sent(socket, udp_output(socket->net, &to, data));
    buffer_release(data);
    return UDP_NO_BROADCAST;
}

void udp_error(struct net *net, struct ipv4_addr src, struct ipv4_addr dst,
               const uint8_t header[UDP_HEADER_BYTES], enum udp_status error)
{
    struct udp_datagram about = {dst, src, 0, 0};
    struct udp_socket *socket;

    about.dst_port = (uint16_t)(header[0] << 8 | header[1]); /* ours */
    about.src_port = (uint16_t)(header[2] << 8 | header[3]);
    socket = udp_find(net, &about);
    /* Without a peer there is nobody whom it could concern: RFC 5927's test of
     * what was sent is the pair of ports and addresses. */
    if (!socket || socket->info.peer_port == 0) {
        net_count(&net->counters, icmp_embedded);
        return;
    }
    socket->error = (uint8_t)error;
    tell(socket);
}

/* --- asking --------------------------------------------------------------- */

void udp_info_get(const struct udp_socket *socket, struct udp_info *info)
{
    *info = socket->info;
}

void udp_for_each(const struct net *net,
                  void (*fn)(void *context, const struct udp_info *info),
                  void *context)
{
    for (unsigned i = 0; i < UDP_BUCKETS; i++)
        for (const struct udp_socket *socket = net->udp.bucket[i]; socket;
             socket = socket->next)
            fn(context, &socket->info);
}

/* --- short forms ---------------------------------------------------------- */

enum udp_status udp_bind(struct net *net, uint16_t port,
                         udp_receive_fn *receive, void *context)
{
    struct udp_socket *socket;

    ASSERT(port != 0);
    return udp_open(net,
                    &(struct udp_options){.port = port,
                                          .broadcast = true,
                                          .receive = receive,
                                          .context = context},
                    &socket);
}

void udp_unbind(struct net *net, uint16_t port)
{
    struct udp_socket *socket = *place_of(net, port);

    if (socket)
        udp_close(socket);
}
