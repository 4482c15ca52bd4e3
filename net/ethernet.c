/*
 * net/ethernet.c - frames in and out.
 */
#include "net/ethernet.h"

#include <string.h>

#include "net/net_priv.h"

const struct mac_addr ethernet_broadcast = {
    {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

/* A device or a stranger may cut a frame anywhere; what any layer reads as a
 * struct is brought together at once. */
enum { GATHER_BYTES = ETHERNET_HEADER_BYTES + IPV4_HEADERS_MAX };

_Static_assert((int)GATHER_BYTES <= (int)BUFFER_SMALL_BYTES, "one small chunk");

/* Whether the frame is one that our card could have received. */
static bool length_ok(struct net *net, const struct net_if *nif,
                      const struct buffer *frame, uint32_t bytes)
{
    if (bytes <= ETHERNET_HEADER_BYTES) {
        net_count(&net->counters, eth_short);
        return false;
    }
    if (frame->flags & BUFFER_GSO_TCP4 &&
        (nif->dev->caps & NETDEV_CAP_RX_GSO_TCP4 ||
         frame->flags & BUFFER_JOINED))
        return true;
    if (frame->flags & BUFFER_GSO_TCP4 ||
        bytes > (uint32_t)nif->dev->mtu_bytes + ETHERNET_HEADER_BYTES +
                    ETHERNET_VLAN_BYTES) {
        net_count(&net->counters, eth_long);
        return false;
    }
    return true;
}

static bool addresses_ok(struct net *net, const struct net_if *nif,
                         const struct ethernet_header *header)
{
    if (!mac_addr_equal(&header->dst, &nif->dev->mac) &&
        !mac_addr_equal(&header->dst, &ethernet_broadcast)) {
        net_count(&net->counters, eth_not_ours);
        return false;
    }
    if (mac_addr_is_group(&header->src)) {
        net_count(&net->counters, eth_bad_source);
        return false;
    }
    if (mac_addr_equal(&header->src, &nif->dev->mac)) {
        net_count(&net->counters, eth_own_source);
        return false;
    }
    return true;
}

void ethernet_input(struct net *net, struct net_if *nif, struct buffer *frame)
{
    uint32_t bytes = buffer_chain_len(frame);
    const struct ethernet_header *header;
    bool broadcast;

    net_count(&net->counters, eth_rx);
    if (!length_ok(net, nif, frame, bytes)) {
        buffer_release(frame);
        return;
    }
    frame = buffer_gather(net->pool, frame, GATHER_BYTES);
    if (!frame) {
        net_count(&net->counters, eth_no_memory);
        return;
    }
    header = (const struct ethernet_header *)frame->data;
    if (!addresses_ok(net, nif, header)) {
        buffer_release(frame);
        return;
    }
    buffer_pull(frame, ETHERNET_HEADER_BYTES);
    broadcast = mac_addr_is_group(&header->dst);
    switch (be16_get(header->type)) {
    case ETHERNET_TYPE_IPV4:
        ipv4_input(net, nif, frame,
                   broadcast ? IPV4_FROM_BROADCAST : IPV4_FROM_LINK);
        return;
    case ETHERNET_TYPE_ARP:
        arp_input(net, nif, header->src, broadcast, frame);
        return;
    default: /* 802.3 lengths, VLAN tags, IPv6 and the rest */
        net_count(&net->counters, eth_type);
        buffer_release(frame);
    }
}

enum ipv4_status ethernet_output(struct net *net, struct net_if *nif,
                                 struct mac_addr dst, uint16_t type,
                                 struct buffer *packet)
{
    enum ipv4_status status;

    ethernet_header_put(buffer_push(packet, ETHERNET_HEADER_BYTES), &dst,
                        &nif->dev->mac, type);
    packet->csum_start = (uint16_t)(packet->csum_start + ETHERNET_HEADER_BYTES);
    status = ethernet_enqueue(net, nif, packet);
    if (status == IPV4_FULL) {
        buffer_pull(packet, ETHERNET_HEADER_BYTES);
        packet->csum_start =
            (uint16_t)(packet->csum_start - ETHERNET_HEADER_BYTES);
    }
    return status;
}
