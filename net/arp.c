/*
 * net/arp.c - ARP: questions and answers.
 *
 * What is known of neighbours is in net/arp_cache.c, what waits for them in
 * net/arp_waiting.c, the packet on the wire in net/arp_wire.c.
 */
#include "net/arp.h"

#include "net/ethernet.h"
#include "net/net_priv.h"

/* Send a packet from our card; lost when there is no room for it. */
static void send_packet(struct net *net, struct net_if *nif,
                        enum arp_operation operation, struct mac_addr to,
                        struct ipv4_addr sender, struct mac_addr target_mac,
                        struct ipv4_addr target)
{
    const struct arp_packet packet = {operation, nif->dev->mac, target_mac,
                                      sender, target};
    struct buffer *buf = buffer_alloc(net->pool, BUFFER_SMALL,
                                      BUFFER_SMALL_BYTES - ARP_PACKET_BYTES);

    if (!buf) {
        net_count(&net->counters, arp_no_memory);
        return;
    }
    buf->len = ARP_PACKET_BYTES;
    arp_packet_emit(buf->data, &packet);
    if (ethernet_output(net, nif, to, ETHERNET_TYPE_ARP, buf) == IPV4_FULL)
        buffer_release(buf);
    else
        net_count(&net->counters, arp_tx);
}

void arp_announce(struct net *net, struct net_if *nif)
{
    send_packet(net, nif, ARP_REQUEST, ethernet_broadcast, nif->addr,
                (struct mac_addr){{0}}, nif->addr);
}

void arp_send_probe(struct net *net, struct net_if *nif, struct ipv4_addr addr)
{
    send_packet(net, nif, ARP_REQUEST, ethernet_broadcast,
                IPV4_ADDR(0, 0, 0, 0), (struct mac_addr){{0}}, addr);
}

bool arp_limit_take(struct net *net, struct arp_limit *limit, uint32_t per_s)
{
    if (net->now_us - limit->second_us >= 1000000) {
        limit->second_us = net->now_us;
        limit->count = 0;
    }
    if (limit->count == per_s) {
        net_count(&net->counters, arp_limited);
        return false;
    }
    limit->count++;
    return true;
}

void arp_send_request(struct net *net, struct net_if *nif, struct mac_addr to,
                      struct ipv4_addr target)
{
    /* For whom strangers may make us ask. The known and the gateways are few,
     * and none is asked more than once a second (probe() in arp_cache.c). */
    if (!mac_addr_equal(&to, &ethernet_broadcast) ||
        route_is_gateway(net, nif, target) ||
        arp_limit_take(net, &net->arp.requests, ARP_REQUESTS_PER_S))
        send_packet(net, nif, ARP_REQUEST, to, nif->addr,
                    (struct mac_addr){{0}}, target);
}

_Static_assert(ARP_REPLIES_PER_S <= UINT8_MAX, "counted in a byte");

/* As arp_limit_take(), for all strangers whose MAC addresses end alike. */
static bool strangers_take(struct net *net, struct mac_addr mac)
{
    struct arp_strangers *strangers = &net->arp.strangers;
    uint8_t *replies = &strangers->replies[mac.byte[5] % ARP_STRANGERS];

    if (net->now_us - strangers->second_us >= 1000000)
        *strangers = (struct arp_strangers){.second_us = net->now_us};
    if (*replies == ARP_REPLIES_PER_S) {
        net_count(&net->counters, arp_limited);
        return false;
    }
    ++*replies;
    return true;
}

static void reply(struct net *net, struct net_if *nif,
                  const struct arp_packet *to)
{
    struct arp_limit *own = arp_own_limit(net, nif, to);

    if (own ? arp_limit_take(net, own, ARP_REPLIES_PER_S)
            : strangers_take(net, to->sender_mac))
        send_packet(net, nif, ARP_REPLY, to->sender_mac, nif->addr,
                    to->sender_mac, to->sender);
}

/* Whether a single host may have the address. */
static bool sender_ok(const struct net *net, struct ipv4_addr sender)
{
    return interface_is_host(sender) && !ipv4_is_broadcast(net, sender);
}

/*
 * A question for us from an address that is not on this link. Where every
 * guest has a network of its own (/32), the node asks from whatever address it
 * has: it is answered when our packets to that address leave here, but not
 * learnt, since they go through a gateway.
 */
static bool may_ask(const struct net *net, const struct net_if *nif,
                    struct ipv4_addr sender)
{
    struct route route = route_to(net, sender);

    return route.kind == ROUTE_HOST && &net->ifs[route.interface] == nif;
}

/* A packet from a neighbour, about himself. */
static void from_neighbour(struct net *net, struct net_if *nif,
                           const struct arp_packet *packet)
{
    bool for_us = ipv4_addr_equal(packet->target, nif->addr);
    bool request = packet->operation == ARP_REQUEST;

    if (ipv4_addr_is_zero(packet->sender) && request) {
        if (for_us) /* is it free? RFC 5227 2.1.1 */
            reply(net, nif, packet);
        return;
    }
    if (!sender_ok(net, packet->sender)) {
        net_count(&net->counters, arp_bad_sender);
        return;
    }
    if (!route_on_link(net, nif, packet->sender)) {
        net_count(&net->counters, arp_off_link);
        if (request && for_us && may_ask(net, nif, packet->sender))
            reply(net, nif, packet);
        return;
    }
    arp_learn(net, nif, packet, request && for_us);
    if (request && for_us)
        reply(net, nif, packet);
}

/* A packet that makes sense. */
static void handle(struct net *net, struct net_if *nif, bool broadcast,
                   const struct arp_packet *packet)
{
    if (acd_hears(net, nif, packet))
        return;
    if (!interface_has_address(nif))
        net_count(&net->counters, arp_no_address);
    else if (packet->operation == ARP_REPLY && broadcast)
        net_count(&net->counters, arp_unsolicited);
    else
        from_neighbour(net, nif, packet);
}

void arp_input(struct net *net, struct net_if *nif, struct mac_addr source,
               bool broadcast, struct buffer *buf)
{
    static const struct mac_addr zero;
    struct arp_packet packet;

    net_count(&net->counters, arp_rx);
    if (buf->len < ARP_PACKET_BYTES)
        net_count(&net->counters, arp_short);
    else if (!arp_packet_parse(buf->data, &packet))
        net_count(&net->counters, arp_format);
    else if (mac_addr_equal(&packet.sender_mac, &zero) ||
             !mac_addr_equal(&packet.sender_mac, &source)) /* no group's */
        net_count(&net->counters, arp_bad_sender);
    else
        handle(net, nif, broadcast, &packet);
    buffer_release(buf);
}

void arp_report_failed(struct net *net, const struct buffer *packet)
{
    uint8_t first[8]; /* of what the packet carries */
    struct ipv4_header header;

    net_count(&net->counters, arp_failed);
    if (ipv4_header_parse(packet->data, packet->len, UINT32_MAX, &header) !=
            IPV4_GOOD ||
        header.fragment_bytes > 0)
        return;
    tcp_host_unreachable(net, header.dst);
    if (buffer_copy_out(packet, header.header_bytes, first, sizeof(first)) !=
        sizeof(first))
        return;
    if (header.protocol == IPV4_PROTO_UDP)
        udp_error(net, header.src, header.dst, first, UDP_UNREACHABLE);
    if (header.protocol == IPV4_PROTO_ICMP)
        ping_error(net, IPV4_ADDR(0, 0, 0, 0), header.dst, first,
                   PING_UNREACHABLE, ICMP_UNREACHABLE_HOST);
}
