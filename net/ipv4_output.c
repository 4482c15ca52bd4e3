/*
 * net/ipv4_output.c - packets that leave, for a card or for ourselves.
 *
 * Which way, net/route.c knows; net/ipv4_fragment.c cuts.
 */
#include "net/ipv4_output.h"

#include <string.h>

#include "net/checksum.h"
#include "net/ipv4_fragment.h"
#include "net/wire.h"

/* --- ourselves ------------------------------------------------------------ */

void ipv4_init(struct net *net)
{
    net->ip.loopback_end = &net->ip.loopback;
    net->ip.id_key[0] = net_random64(net);
    net->ip.id_key[1] = net_random64(net);
    ipv4_reass_init(net);
}

static COLD enum ipv4_status loopback_output(struct net *net,
                                             struct buffer *packet)
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
        ipv4_input(net, NULL, loopback_take(&net->ip), IPV4_FROM_OURSELVES);
    return count > 0;
}

void ipv4_destroy(struct net *net)
{
    struct buffer *packet;

    while ((packet = loopback_take(&net->ip)))
        buffer_release(packet);
    ipv4_reass_destroy(net);
}

/* --- out ------------------------------------------------------------------ */

/*
 * Fill in the checksum that no device will. What is in it already, at the end
 * of a segment, is all that lies behind the first view's headers.
 * UDP sends 0xffff for 0, which would mean that there is none: RFC 768.
 */
ASIDE void ipv4_complete_checksum(struct buffer *segment, uint32_t bytes,
                                  uint8_t protocol, uint32_t summed_bytes)
{
    uint32_t start = segment->csum_start, rest = bytes - start - summed_bytes;
    uint8_t *field = segment->data + start + segment->csum_offset;
    uint32_t sum;
    be16 wire;

    ASSERT(field + sizeof(wire) <= segment->data + segment->len);
    if (summed_bytes == 0) {
        sum = checksum_chain(0, segment, start);
    } else {
        ASSERT(rest <= segment->len - start);
        sum = checksum_add(0, segment->data + start, rest);
    }
    wire = checksum_finish(sum);
    if (protocol == IPV4_PROTO_UDP && be16_get(wire) == 0)
        wire = be16_make(0xffff);
    memcpy(field, &wire, sizeof(wire));
    segment->flags &= (uint8_t)~BUFFER_CSUM_PARTIAL;
}

/* The frame's address for a multicast group (RFC 1112 6.4) or for everybody. */
static COLD struct mac_addr many_mac(struct ipv4_addr dst)
{
    if (!ipv4_addr_is_multicast(dst))
        return ethernet_broadcast;
    return (struct mac_addr){
        {0x01, 0x00, 0x5e, dst.byte[1] & 0x7f, dst.byte[2], dst.byte[3]}};
}

/* Send a packet on its way. Not taken on IPV4_FULL. */
static INLINE enum ipv4_status
dispatch(struct net *net, const struct route *route, struct buffer *packet)
{
    struct net_if *nif = &net->ifs[route->interface];

    if (route->kind == ROUTE_OURSELVES)
        return loopback_output(net, packet);
    if (net->config.host.packet_out) {
        net->config.host.packet_out(net->config.host.context, packet);
        return IPV4_OK;
    }
    if (route->kind == ROUTE_MANY)
        return ethernet_output(net, nif, many_mac(route->next_hop),
                               ETHERNET_TYPE_IPV4, packet);
    return arp_output(net, nif, route->next_hop, packet);
}

/* A source that is ours, or none where that is allowed: RFC 1122 3.2.1.3. */
static bool source_ok(const struct net *net, const struct route *route,
                      struct ipv4_addr src)
{
    return ipv4_is_ours(net, src) ||
           (ipv4_addr_is_zero(src) && route->kind == ROUTE_MANY);
}

/* The largest packet on this way; to ourselves, there is no link. */
static uint32_t limit_of(const struct net *net, const struct route *route)
{
    return route->kind == ROUTE_OURSELVES
               ? UINT16_MAX
               : net->ifs[route->interface].mtu_bytes;
}

/* Whether checksums on this way are completed here. */
static bool sums_on(const struct net *net, const struct route *route)
{
    return route->kind != ROUTE_OURSELVES &&
           !(route_caps(net, route) & NETDEV_CAP_TX_CSUM);
}

bool ipv4_sums_towards(struct net *net, struct ipv4_addr dst)
{
    return sums_on(net, route_of(net, dst));
}

/* Whether the packet can go; counts why not. */
static enum ipv4_status check_output(struct net *net, const struct route *route,
                                     const struct ipv4_send *how,
                                     const struct buffer *segment,
                                     uint32_t bytes)
{
    bool can_be_cut = how->may_fragment || segment->flags & BUFFER_GSO_TCP4;

    if (route->kind == ROUTE_NONE || !source_ok(net, route, how->src)) {
        net_count(&net->counters, ip_no_route);
        return IPV4_NO_ROUTE;
    }
    if (bytes > UINT16_MAX || (bytes > limit_of(net, route) && !can_be_cut)) {
        net_count(&net->counters, ip_too_big);
        return IPV4_TOO_BIG;
    }
    return IPV4_OK;
}

/* Take the header off again, and the view that was put before the segment. */
static COLD void undo_header(struct buffer *packet, struct buffer *segment)
{
    if (packet != segment) {
        packet->next = NULL;
        buffer_release(packet);
        return;
    }
    buffer_pull(packet, IPV4_HEADER_BYTES);
    packet->csum_start = (uint16_t)(packet->csum_start - IPV4_HEADER_BYTES);
}

/* Count a packet that has left, or is lost; undo it where neither is so. */
static INLINE enum ipv4_status settle(struct net *net, enum ipv4_status status,
                                      struct buffer *packet,
                                      struct buffer *segment)
{
    if (status == IPV4_OK)
        net_count(&net->counters, ip_tx);
    else if (status == IPV4_FULL)
        undo_header(packet, segment);
    else
        net_count(&net->counters, ip_no_memory);
    return status;
}

/* Send a packet as it is. Not taken on IPV4_FULL. */
static enum ipv4_status send_whole(struct net *net, const struct route *route,
                                   const struct ipv4_header *header,
                                   struct buffer *segment)
{
    struct buffer *packet =
        buffer_with_headroom(net->pool, segment, IPV4_FRAME_HEADERS);

    if (!packet) {
        net_count(&net->counters, ip_no_memory);
        buffer_release(segment);
        return IPV4_NO_MEMORY;
    }
    ipv4_header_emit(buffer_push(packet, IPV4_HEADER_BYTES), header);
    packet->csum_start = (uint16_t)(packet->csum_start + IPV4_HEADER_BYTES);
    return settle(net, dispatch(net, route, packet), packet, segment);
}

/* Send it in fragments. Not taken on IPV4_FULL. */
static COLD enum ipv4_status send_cut(struct net *net,
                                      const struct route *route,
                                      const struct ipv4_header *header,
                                      struct buffer *segment)
{
    struct buffer *packets = ipv4_fragment(
        net, header, net->ifs[route->interface].mtu_bytes, segment);
    enum ipv4_status status = packets ? IPV4_OK : IPV4_NO_MEMORY;

    while (packets && status == IPV4_OK) {
        struct buffer *packet = packets;

        packets = packet->link;
        packet->link = NULL;
        status = dispatch(net, route, packet);
        if (status == IPV4_FULL)
            buffer_release(packet);
        else if (status == IPV4_OK)
            net_count(&net->counters, ip_fragment_tx);
    }
    buffer_release_queue(packets);
    if (status == IPV4_NO_MEMORY)
        net_count(&net->counters, ip_no_memory);
    if (status != IPV4_FULL)
        buffer_release(segment);
    return status;
}

/* Of a packet that is not cut, nor may be. */
static INLINE struct ipv4_header header_of(const struct ipv4_send *how,
                                           uint32_t bytes)
{
    return (struct ipv4_header){
        .src = how->src,
        .dst = how->dst,
        .total_bytes = (uint16_t)bytes,
        .dont_fragment = true,
        .tos = how->tos,
        .ttl = how->ttl ? how->ttl : (uint8_t)IPV4_TTL,
        .protocol = how->protocol,
    };
}

static COLD enum ipv4_status output(struct net *net, struct route way,
                                    const struct ipv4_send *how,
                                    struct buffer *segment, uint32_t bytes)
{
    const struct route *route = &way;
    enum ipv4_status status = check_output(net, route, how, segment, bytes);
    bool cut = how->may_fragment && bytes > limit_of(net, route);
    bool atomic = !how->may_fragment || bytes <= IPV4_ATOMIC_BYTES;
    struct ipv4_header header = header_of(how, bytes);

    if (status != IPV4_OK) {
        buffer_release(segment);
        return status;
    }
    header.dont_fragment = atomic && !cut;
    if (!header.dont_fragment)
        header.id = ipv4_next_id(net, &header);
    if (segment->flags & BUFFER_CSUM_PARTIAL && (cut || sums_on(net, route)))
        ipv4_complete_checksum(segment, bytes - IPV4_HEADER_BYTES,
                               how->protocol, how->summed_bytes);
    return cut ? send_cut(net, route, &header, segment)
               : send_whole(net, route, &header, segment);
}

ASIDE struct arp_entry *ipv4_find_neighbour(struct net *net,
                                            struct route_slot *slot,
                                            struct ipv4_addr src)
{
    struct net_if *nif = &net->ifs[slot->route.interface];

    slot->src = src;
    slot->neighbour = NULL;
    if (slot->route.kind == ROUTE_HOST && !net->config.host.packet_out &&
        nif->dev && ipv4_is_ours(net, src))
        slot->neighbour = arp_known(net, nif, slot->route.next_hop);
    return slot->neighbour;
}

/* Whether a packet goes to its neighbour as it is, as nearly all do. */
static INLINE bool is_usual(const struct arp_entry *neighbour,
                            const struct ipv4_send *how,
                            const struct buffer *segment, uint32_t bytes)
{
    return ipv4_fits(neighbour, segment, bytes) &&
           (!how->may_fragment || bytes <= IPV4_ATOMIC_BYTES) &&
           buffer_headroom(segment) >= IPV4_FRAME_HEADERS;
}

enum ipv4_status ipv4_output(struct net *net, const struct ipv4_send *how,
                             struct buffer *segment)
{
    uint32_t bytes = IPV4_HEADER_BYTES + buffer_chain_len(segment);
    struct route_slot *slot = route_slot_of(net, how->dst);
    struct arp_entry *neighbour = ipv4_neighbour(net, slot, how->src);

    if (neighbour && is_usual(neighbour, how, segment, bytes)) {
        const struct ipv4_header header = header_of(how, bytes);

        return ipv4_send_usual(net, neighbour, &header, segment,
                               how->summed_bytes);
    }
    return output(net, slot->route, how, segment, bytes);
}

void ipv4_doubt(struct net *net, struct ipv4_addr dst)
{
    struct route route = route_to(net, dst);

    if (route.kind == ROUTE_HOST && net->ifs[route.interface].dev)
        arp_doubt(net, &net->ifs[route.interface], route.next_hop);
}

COLD enum ipv4_status ipv4_output_on(struct net *net, unsigned interface,
                                     const struct ipv4_send *how,
                                     struct buffer *segment)
{
    struct route route = {ROUTE_MANY, (uint8_t)interface, how->dst};

    ASSERT(interface < net->if_count);
    if (!ipv4_addr_is_multicast(how->dst) && !ipv4_is_broadcast(net, how->dst))
        route.kind = ROUTE_NONE;
    return output(net, route, how, segment,
                  IPV4_HEADER_BYTES + buffer_chain_len(segment));
}
