/*
 * net/ipv4_output.c - where a packet goes, and packets that leave.
 *
 * Nothing is fragmented, and no route is learnt: a destination is ourselves, on
 * an attached network, or behind a gateway.
 */
#include <string.h>

#include "net/checksum.h"
#include "net/ethernet.h"
#include "net/ipv4.h"
#include "net/net_priv.h"
#include "net/wire.h"

enum route_kind { ROUTE_NONE, ROUTE_OURSELVES, ROUTE_HOST, ROUTE_MANY };

struct route {
    enum route_kind kind;
    const struct net_if *nif;  /* whose address is ours towards there */
    struct ipv4_addr next_hop; /* ROUTE_HOST */
};

/* --- addresses of ours ---------------------------------------------------- */

bool ipv4_is_ours(const struct net *net, struct ipv4_addr addr)
{
    if (ipv4_addr_is_loopback(addr))
        return true;
    for (unsigned i = 0; i < net->if_count; i++)
        if (ipv4_addr_equal(net->ifs[i].addr, addr))
            return true;
    return false;
}

static bool on_network(const struct net_if *nif, struct ipv4_addr addr)
{
    return ((ipv4_addr_host(addr) ^ ipv4_addr_host(nif->addr)) & nif->mask) ==
           0;
}

/* All ones, or all zeros, behind the prefix; networks of one or two addresses
 * have no broadcast address (RFC 3021). */
static bool is_directed(const struct net_if *nif, struct ipv4_addr addr)
{
    uint32_t rest = ipv4_addr_host(addr) & ~nif->mask;

    return ~nif->mask > 1 && on_network(nif, addr) &&
           (rest == 0 || rest == ~nif->mask);
}

static const struct net_if *directed_if(const struct net *net,
                                        struct ipv4_addr addr)
{
    for (unsigned i = 0; i < net->if_count; i++)
        if (is_directed(&net->ifs[i], addr))
            return &net->ifs[i];
    return NULL;
}

bool ipv4_is_broadcast(const struct net *net, struct ipv4_addr addr)
{
    return ipv4_addr_host(addr) == UINT32_MAX || directed_if(net, addr);
}

/* --- routes --------------------------------------------------------------- */

/* To a single host that is not us: on the link with the longest prefix, on the
 * link because it is a gateway, or behind the first gateway. */
static struct route route_host(const struct net *net, struct ipv4_addr dst)
{
    const struct net_if *link = NULL, *way = NULL;

    for (unsigned i = 0; i < net->if_count; i++) {
        const struct net_if *nif = &net->ifs[i];

        if (ipv4_addr_equal(nif->gateway, dst))
            return (struct route){ROUTE_HOST, nif, dst};
        if (on_network(nif, dst) && (!link || nif->mask > link->mask))
            link = nif;
        if (!way && !ipv4_addr_is_zero(nif->gateway))
            way = nif;
    }
    if (link)
        return (struct route){ROUTE_HOST, link, dst};
    if (way)
        return (struct route){ROUTE_HOST, way, way->gateway};
    return (struct route){.kind = ROUTE_NONE};
}

static struct route route_to(const struct net *net, struct ipv4_addr dst)
{
    const struct net_if *nif;

    if (net->if_count == 0 || dst.byte[0] == 0)
        return (struct route){.kind = ROUTE_NONE};
    if (ipv4_is_ours(net, dst)) {
        nif = &net->ifs[0];
        for (unsigned i = 1; i < net->if_count; i++)
            if (ipv4_addr_equal(net->ifs[i].addr, dst))
                nif = &net->ifs[i];
        return (struct route){ROUTE_OURSELVES, nif, dst};
    }
    nif = directed_if(net, dst);
    if (nif)
        return (struct route){ROUTE_MANY, nif, dst};
    if (ipv4_addr_is_multicast(dst) || ipv4_addr_host(dst) == UINT32_MAX)
        return (struct route){ROUTE_MANY, &net->ifs[0], dst};
    if (dst.byte[0] >= 240) /* class E: RFC 1122 3.2.1.3 */
        return (struct route){.kind = ROUTE_NONE};
    return route_host(net, dst);
}

bool ipv4_source_for(const struct net *net, struct ipv4_addr dst,
                     struct ipv4_addr *src)
{
    struct route route = route_to(net, dst);

    *src = IPV4_ADDR(0, 0, 0, 0);
    if (route.kind == ROUTE_NONE)
        return false;
    *src = ipv4_addr_is_loopback(dst) ? dst : route.nif->addr;
    return true;
}

uint16_t ipv4_mtu_for(const struct net *net, struct ipv4_addr dst)
{
    struct route route = route_to(net, dst);

    return route.kind == ROUTE_NONE ? 0 : route.nif->mtu_bytes;
}

/* What the device behind a route does for us. */
static unsigned route_caps(const struct net *net, const struct route *route)
{
    if (route->kind == ROUTE_OURSELVES || !route->nif || net->host.packet_out ||
        !route->nif->dev)
        return 0;
    return route->nif->dev->caps;
}

unsigned ipv4_caps_for(const struct net *net, struct ipv4_addr dst)
{
    struct route route = route_to(net, dst);

    return route_caps(net, &route);
}

/* --- ourselves ------------------------------------------------------------ */

void ipv4_init(struct net *net)
{
    net->ip.loopback_end = &net->ip.loopback;
}

static enum ipv4_status loopback_output(struct net *net, struct buffer *packet)
{
    struct ipv4 *ip = &net->ip;

    if (ip->loopback_count == IPV4_LOOPBACK_MAX) {
        net_count(&net->counters, ip_loopback_full);
        return IPV4_FULL;
    }
    packet->link = NULL;
    *ip->loopback_end = packet;
    ip->loopback_end = &packet->link;
    ip->loopback_count++;
    return IPV4_OK;
}

static struct buffer *loopback_take(struct ipv4 *ip)
{
    struct buffer *packet = ip->loopback;

    if (!packet)
        return NULL;
    ip->loopback = packet->link;
    if (!ip->loopback)
        ip->loopback_end = &ip->loopback;
    ip->loopback_count--;
    packet->link = NULL;
    return packet;
}

bool ipv4_deliver_loopback(struct net *net)
{
    uint32_t count = net->ip.loopback_count; /* answers wait for the next */

    for (uint32_t i = 0; i < count; i++)
        ipv4_input(net, loopback_take(&net->ip), IPV4_FROM_OURSELVES);
    return count > 0;
}

void ipv4_destroy(struct net *net)
{
    struct buffer *packet;

    while ((packet = loopback_take(&net->ip)))
        buffer_release(packet);
}

/* --- out ------------------------------------------------------------------ */

/*
 * Fill in the checksum that no device will.
 * UDP sends 0xffff for 0, which would mean that there is none: RFC 768.
 */
static void complete_checksum(struct buffer *segment, uint8_t protocol)
{
    uint32_t field = (uint32_t)segment->csum_start + segment->csum_offset;
    be16 sum;

    ASSERT(field + sizeof(sum) <= segment->len);
    sum = checksum_finish(checksum_chain(0, segment, segment->csum_start));
    if (protocol == IPV4_PROTO_UDP && be16_get(sum) == 0)
        sum = be16_make(0xffff);
    memcpy(segment->data + field, &sum, sizeof(sum));
    segment->flags &= (uint8_t)~BUFFER_CSUM_PARTIAL;
}

/* The frame's address for a multicast group (RFC 1112 6.4) or for everybody. */
static struct mac_addr many_mac(struct ipv4_addr dst)
{
    if (!ipv4_addr_is_multicast(dst))
        return ethernet_broadcast;
    return (struct mac_addr){
        {0x01, 0x00, 0x5e, dst.byte[1] & 0x7f, dst.byte[2], dst.byte[3]}};
}

/* Send a packet on its way. Not taken on IPV4_FULL. */
static enum ipv4_status dispatch(struct net *net, const struct route *route,
                                 struct buffer *packet)
{
    struct net_if *nif = &net->ifs[route->nif - net->ifs];

    if (route->kind == ROUTE_OURSELVES)
        return loopback_output(net, packet);
    if (net->host.packet_out) {
        net->host.packet_out(net->host.context, packet);
        return IPV4_OK;
    }
    if (route->kind == ROUTE_MANY)
        return ethernet_output(net, nif, many_mac(route->next_hop),
                               ETHERNET_TYPE_IPV4, packet);
    return arp_output(net, nif, route->next_hop, packet);
}

/* Whether the packet can go; counts why not. */
static enum ipv4_status check_output(struct net *net, const struct route *route,
                                     const struct buffer *segment,
                                     uint32_t bytes)
{
    if (route->kind == ROUTE_NONE) {
        net_count(&net->counters, ip_no_route);
        return IPV4_NO_ROUTE;
    }
    if (bytes > UINT16_MAX || (bytes > route->nif->mtu_bytes &&
                               !(segment->flags & BUFFER_GSO_TCP4))) {
        net_count(&net->counters, ip_too_big);
        return IPV4_TOO_BIG;
    }
    return IPV4_OK;
}

/* Take the header off again, and the view that was put before the segment. */
static void undo_header(struct buffer *packet, struct buffer *segment)
{
    if (packet != segment) {
        packet->next = NULL;
        buffer_release(packet);
        return;
    }
    buffer_pull(packet, IPV4_HEADER_BYTES);
    packet->csum_start = (uint16_t)(packet->csum_start - IPV4_HEADER_BYTES);
}

enum ipv4_status ipv4_output(struct net *net, struct ipv4_addr src,
                             struct ipv4_addr dst, uint8_t protocol,
                             uint8_t ttl, uint8_t tos, struct buffer *segment)
{
    struct route route = route_to(net, dst);
    uint32_t bytes = IPV4_HEADER_BYTES + buffer_chain_len(segment);
    enum ipv4_status status = check_output(net, &route, segment, bytes);
    struct buffer *packet;

    if (status != IPV4_OK) {
        buffer_release(segment);
        return status;
    }
    if (segment->flags & BUFFER_CSUM_PARTIAL && route.kind != ROUTE_OURSELVES &&
        !(route_caps(net, &route) & NETDEV_CAP_TX_CSUM))
        complete_checksum(segment, protocol);
    packet = buffer_with_headroom(net->pool, segment,
                                  IPV4_HEADER_BYTES + ETHERNET_HEADER_BYTES);
    if (!packet) {
        net_count(&net->counters, ip_no_memory);
        buffer_release(segment);
        return IPV4_NO_MEMORY;
    }
    ipv4_header_emit(buffer_push(packet, IPV4_HEADER_BYTES),
                     &(struct ipv4_header){.src = src,
                                           .dst = dst,
                                           .total_bytes = (uint16_t)bytes,
                                           .dont_fragment = true,
                                           .tos = tos,
                                           .ttl = ttl,
                                           .protocol = protocol});
    packet->csum_start = (uint16_t)(packet->csum_start + IPV4_HEADER_BYTES);
    status = dispatch(net, &route, packet);
    if (status == IPV4_FULL)
        undo_header(packet, segment);
    else
        net_count(&net->counters, ip_tx);
    return status;
}
