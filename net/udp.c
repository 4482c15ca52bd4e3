/*
 * net/udp.c - UDP datagrams in and out.
 */
#include "net/udp.h"

#include <string.h>

#include "net/checksum.h"
#include "net/net_priv.h"
#include "net/wire.h"

/* As on the wire: RFC 768. */
struct wire_udp {
    be16 src_port, dst_port;
    be16 bytes; /* of header and data */
    be16 checksum;
};

_Static_assert(sizeof(struct wire_udp) == UDP_HEADER_BYTES, "as on the wire");

struct udp_header {
    uint16_t src_port, dst_port, bytes;
    bool has_checksum;
};

struct udp_port {
    struct udp_port *next; /* of the bucket */
    udp_receive_fn *receive;
    void *context;
    uint16_t port;
};

/* Services that answer anything: two of them would talk for ever. */
enum { PORT_ECHO = 7, PORT_CHARGEN = 19 };

/* What this layer and those below put before a datagram. */
enum { UDP_HEADROOM = 12 + 14 + IPV4_HEADER_BYTES + UDP_HEADER_BYTES };

static void header_parse(const uint8_t bytes[UDP_HEADER_BYTES],
                         struct udp_header *header)
{
    struct wire_udp wire;

    memcpy(&wire, bytes, sizeof(wire));
    *header = (struct udp_header){
        .src_port = be16_get(wire.src_port),
        .dst_port = be16_get(wire.dst_port),
        .bytes = be16_get(wire.bytes),
        .has_checksum = be16_get(wire.checksum) != 0,
    };
}

static void header_emit(uint8_t bytes[UDP_HEADER_BYTES],
                        const struct udp_header *header, be16 checksum)
{
    const struct wire_udp wire = {
        be16_make(header->src_port),
        be16_make(header->dst_port),
        be16_make(header->bytes),
        checksum,
    };

    memcpy(bytes, &wire, sizeof(wire));
}

/* --- ports ---------------------------------------------------------------- */

void udp_init(struct net *net)
{
    pool_init(&net->udp.pool, &net->pages, sizeof(struct udp_port),
              UDP_PORTS_MAX);
}

void udp_destroy(struct net *net)
{
    for (unsigned i = 0; i < UDP_BUCKETS; i++)
        while (net->udp.bucket[i])
            udp_unbind(net, net->udp.bucket[i]->port);
}

/* Where the port stands in its bucket, or the bucket's end. */
static struct udp_port **find(struct net *net, uint16_t port)
{
    struct udp_port **at = &net->udp.bucket[port % UDP_BUCKETS];

    while (*at && (*at)->port != port)
        at = &(*at)->next;
    return at;
}

enum udp_status udp_bind(struct net *net, uint16_t port,
                         udp_receive_fn *receive, void *context)
{
    struct udp_port **at = find(net, port);

    ASSERT(port != 0);
    if (*at)
        return UDP_IN_USE;
    *at = pool_alloc(&net->udp.pool);
    if (!*at)
        return UDP_NO_MEMORY;
    **at = (struct udp_port){NULL, receive, context, port};
    return UDP_OK;
}

void udp_unbind(struct net *net, uint16_t port)
{
    struct udp_port **at = find(net, port);
    struct udp_port *bound = *at;

    if (!bound)
        return;
    *at = bound->next;
    pool_free(bound);
}

/* --- in ------------------------------------------------------------------- */

/* Check the header and the checksum, and cut what follows the datagram. */
static bool datagram_ok(struct net *net, const struct ipv4_packet *ip,
                        struct buffer *segment, struct udp_header *header)
{
    struct net_counters *counters = &net->counters;
    uint32_t bytes = buffer_chain_len(segment);

    if (bytes < UDP_HEADER_BYTES) {
        net_count(counters, udp_short);
        return false;
    }
    header_parse(segment->data, header);
    if (header->bytes < UDP_HEADER_BYTES || header->bytes > bytes) {
        net_count(counters, udp_length);
        return false;
    }
    buffer_chain_truncate(segment, header->bytes);
    if (header->has_checksum &&
        !checksum_transport_ok(ip->header.src, ip->header.dst, IPV4_PROTO_UDP,
                               segment)) {
        net_count(counters, udp_checksum);
        return false;
    }
    if (header->dst_port == 0 || header->src_port == 0 ||
        header->src_port == PORT_ECHO || header->src_port == PORT_CHARGEN) {
        net_count(counters, udp_port);
        return false;
    }
    return true;
}

void udp_input(struct net *net, const struct ipv4_packet *ip,
               struct buffer *segment)
{
    const struct udp_port *bound;
    struct udp_datagram from;
    struct udp_header header;

    net_count(&net->counters, udp_rx);
    if (!datagram_ok(net, ip, segment, &header)) {
        buffer_release(segment);
        return;
    }
    bound = *find(net, header.dst_port);
    if (!bound) {
        net_count(&net->counters, udp_no_listener);
        icmp_unreachable(net, ip, segment, ICMP_UNREACHABLE_PORT);
        buffer_release(segment);
        return;
    }
    from = (struct udp_datagram){ip->header.src, ip->header.dst,
                                 header.src_port, header.dst_port};
    buffer_pull(segment, UDP_HEADER_BYTES);
    segment->flags = 0;
    if (header.bytes == UDP_HEADER_BYTES) {
        buffer_release(segment);
        segment = NULL;
    }
    bound->receive(bound->context, net, &from, segment);
}

/* --- out ------------------------------------------------------------------ */

/* Undo the header of a datagram that was not taken. */
static void undo_header(struct buffer *segment, const struct buffer *data)
{
    if (segment == data) {
        buffer_pull(segment, UDP_HEADER_BYTES);
        segment->flags = 0;
        return;
    }
    segment->next = NULL;
    buffer_release(segment);
}

enum ipv4_status udp_send(struct net *net, uint16_t src_port,
                          struct ipv4_addr dst, uint16_t dst_port,
                          struct buffer *data)
{
    uint32_t bytes = UDP_HEADER_BYTES + buffer_chain_len(data);
    struct udp_header header = {src_port, dst_port, (uint16_t)bytes, true};
    struct buffer *segment;
    struct ipv4_send how;
    struct ipv4_addr src;
    enum ipv4_status status;

    if (bytes > UINT16_MAX || !ipv4_source_for(net, dst, &src)) {
        buffer_release(data);
        return bytes > UINT16_MAX ? IPV4_TOO_BIG : IPV4_NO_ROUTE;
    }
    segment = data ? buffer_with_headroom(net->pool, data, UDP_HEADROOM)
                   : buffer_alloc(net->pool, BUFFER_SMALL, BUFFER_HEADROOM);
    if (!segment) {
        buffer_release(data);
        return IPV4_NO_MEMORY;
    }
    header_emit(
        buffer_push(segment, UDP_HEADER_BYTES), &header,
        checksum_unfinished(checksum_pseudo(src, dst, IPV4_PROTO_UDP, bytes)));
    segment->flags = BUFFER_CSUM_PARTIAL;
    segment->csum_start = 0;
    segment->csum_offset = offsetof(struct wire_udp, checksum);
    how =
        (struct ipv4_send){.src = src, .dst = dst, .protocol = IPV4_PROTO_UDP};
    status = ipv4_output(net, &how, segment);
    if (status == IPV4_FULL)
        undo_header(segment, data);
    else if (status == IPV4_OK)
        net_count(&net->counters, udp_tx);
    return status;
}
