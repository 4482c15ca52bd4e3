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

/*
 * Check, and count, any frame, and deal with all but IPv4. Taken.
 * Returns: an IPv4 frame, for us or for everybody, its headers in the first
 *          view; null: it is done with.
 */
static COLD struct buffer *input_any(struct net *net, struct net_if *nif,
                                     struct buffer *frame)
{
    const struct ethernet_header *header;

    if (!length_ok(net, nif, frame, buffer_chain_len(frame))) {
        buffer_release(frame);
        return NULL;
    }
    frame = buffer_gather(net->pool, frame, GATHER_BYTES);
    if (!frame) {
        net_count(&net->counters, eth_no_memory);
        return NULL;
    }
    header = (const struct ethernet_header *)frame->data;
    if (!addresses_ok(net, nif, header)) {
        buffer_release(frame);
        return NULL;
    }
    switch (be16_get(header->type)) {
    case ETHERNET_TYPE_IPV4:
        return frame;
    case ETHERNET_TYPE_ARP:
        buffer_pull(frame, ETHERNET_HEADER_BYTES);
        arp_input(net, nif, header->src, mac_addr_is_group(&header->dst),
                  frame);
        return NULL;
    default: /* 802.3 lengths, VLAN tags, IPv6 and the rest */
        net_count(&net->counters, eth_type);
        buffer_release(frame);
        return NULL;
    }
}

/*
 * Whether it is what nearly every frame is: IPv4 for us alone, in one view that
 * is no longer than a frame of one segment, to which none of the checks that
 * input_any() makes would object.
 */
static INLINE bool is_usual(const struct net_if *nif,
                            const struct buffer *frame)
{
    const struct ethernet_header *header =
        (const struct ethernet_header *)frame->data;

    return !frame->next &&
           frame->len >= ETHERNET_HEADER_BYTES + IPV4_HEADER_BYTES &&
           frame->len <=
               (uint32_t)nif->dev->mtu_bytes + ETHERNET_HEADER_BYTES &&
           !(frame->flags & BUFFER_GSO_TCP4) &&
           header->type.swapped == be16_make(ETHERNET_TYPE_IPV4).swapped &&
           mac_addr_equal(&header->dst, &nif->dev->mac) &&
           !mac_addr_is_group(&header->src) &&
           !mac_addr_equal(&header->src, &nif->dev->mac);
}

void ethernet_input(struct net *net, struct net_if *nif, struct buffer *frame)
{
    enum ipv4_origin origin = IPV4_FROM_LINK;

    net_count(&net->counters, eth_rx);
    if (!is_usual(nif, frame)) {
        frame = input_any(net, nif, frame);
        if (!frame)
            return;
        if (mac_addr_is_group((const struct mac_addr *)frame->data))
            origin = IPV4_FROM_BROADCAST;
    }
    buffer_pull(frame, ETHERNET_HEADER_BYTES);
    ipv4_input(net, nif, frame, origin);
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
