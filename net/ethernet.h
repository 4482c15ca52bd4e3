/*
 * net/ethernet.h - frames of a network card.
 *
 * Ethernet II only: 802.3 lengths and VLAN tags are counted and dropped.
 */
#ifndef NET_ETHERNET_H
#define NET_ETHERNET_H

#include "kernel/base.h"
#include "net/addr.h"
#include "net/buffer.h"
#include "net/ipv4.h"
#include "net/net_priv.h"
#include "net/wire.h"

enum {
    ETHERNET_HEADER_BYTES = 14,
    ETHERNET_TYPE_IPV4 = 0x0800,
    ETHERNET_TYPE_ARP = 0x0806,
    ETHERNET_VLAN_BYTES = 4 /* how much longer than the MTU a frame may be */
};

/* As on the wire. */
struct ethernet_header {
    struct mac_addr dst, src;
    be16 type;
};

_Static_assert(sizeof(struct ethernet_header) == ETHERNET_HEADER_BYTES,
               "no padding");

extern const struct mac_addr ethernet_broadcast;

static INLINE void ethernet_header_put(uint8_t bytes[ETHERNET_HEADER_BYTES],
                                       const struct mac_addr *dst,
                                       const struct mac_addr *src,
                                       uint16_t type)
{
    be16 wire = be16_make(type);

    memcpy(bytes, dst->byte, 6);
    memcpy(bytes + 6, src->byte, 6);
    memcpy(bytes + 12, &wire, sizeof(wire));
}

/* A frame has come; any bytes. Taken. */
void ethernet_input(struct net *net, struct net_if *nif, struct buffer *frame);

/*
 * Enqueue a frame; it leaves at net_flush().
 *
 * frame:   with its header. Taken, except on IPV4_FULL.
 * Returns: IPV4_OK, IPV4_FULL.
 */
MUST_CHECK static INLINE enum ipv4_status
ethernet_enqueue(struct net *net, struct net_if *nif, struct buffer *frame)
{
    nif->kick = true; /* a full card makes room when it sees what is there */
    if (nif->dev->ops->enqueue(nif->dev, frame) == NETDEV_FULL) {
        net_count(&net->counters, eth_no_room);
        return IPV4_FULL;
    }
    net_count(&net->counters, eth_tx);
    return IPV4_OK;
}

/*
 * Write the header of a frame and enqueue it.
 *
 * packet:  without Ethernet's header, with headroom for it. Taken, except on
 *          IPV4_FULL.
 * Returns: IPV4_OK, IPV4_FULL.
 */
MUST_CHECK enum ipv4_status ethernet_output(struct net *net, struct net_if *nif,
                                            struct mac_addr dst, uint16_t type,
                                            struct buffer *packet);

#endif
