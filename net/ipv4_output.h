/*
 * net/ipv4_output.h - how a packet leaves that goes the usual way, for
 * ipv4_output() and for who sends nearly nothing else.
 *
 * Usual is a packet that fits the link, or that the card cuts, to a neighbour
 * whose MAC address is known, with headroom. All others are ipv4_output()'s.
 */
#ifndef NET_IPV4_OUTPUT_H
#define NET_IPV4_OUTPUT_H

#include "net/arp.h"
#include "net/ethernet.h"
#include "net/ipv4.h"
#include "net/net_priv.h"

enum { IPV4_FRAME_HEADERS = ETHERNET_HEADER_BYTES + IPV4_HEADER_BYTES };

/* Private: the neighbour of a slot, asked anew; and what no card does. */
struct arp_entry *ipv4_find_neighbour(struct net *net, struct route_slot *slot,
                                      struct ipv4_addr src);
void ipv4_complete_checksum(struct buffer *segment, uint32_t bytes,
                            uint8_t protocol, uint32_t summed_bytes);

/* Who is next on the way of a packet, if his MAC address is known and `src` is
 * ours; else null. Good until the stack gets or does something else. */
static INLINE struct arp_entry *
ipv4_neighbour(struct net *net, struct route_slot *slot, struct ipv4_addr src)
{
    return slot->neighbour && ipv4_addr_equal(slot->src, src)
               ? slot->neighbour
               : ipv4_find_neighbour(net, slot, src);
}

/* Whether the card before a neighbour leaves checksums to us. */
static INLINE bool ipv4_sums_for(const struct arp_entry *neighbour)
{
    return !(neighbour->nif->dev->caps & NETDEV_CAP_TX_CSUM);
}

/* Whether a packet of `bytes` may go to its neighbour as it is. */
static INLINE bool ipv4_fits(const struct arp_entry *neighbour,
                             const struct buffer *segment, uint32_t bytes)
{
    return bytes <= neighbour->nif->mtu_bytes ||
           (segment->flags & BUFFER_GSO_TCP4 && bytes <= UINT16_MAX);
}

/*
 * Send such a packet.
 *
 * header:       of no fragment, with DF.
 * segment:      with room for IPV4_FRAME_HEADERS before it. Not taken on
 *               IPV4_FULL.
 * summed_bytes: see struct ipv4_send.
 */
static INLINE enum ipv4_status ipv4_send_usual(struct net *net,
                                               struct arp_entry *neighbour,
                                               const struct ipv4_header *header,
                                               struct buffer *segment,
                                               uint16_t summed_bytes)
{
    struct net_if *nif = neighbour->nif;
    uint8_t *frame = segment->data - IPV4_FRAME_HEADERS;

    if (segment->flags & BUFFER_CSUM_PARTIAL && ipv4_sums_for(neighbour))
        ipv4_complete_checksum(
            segment, header->total_bytes - (uint32_t)IPV4_HEADER_BYTES,
            header->protocol, summed_bytes);
    segment->data = frame;
    segment->len += IPV4_FRAME_HEADERS;
    segment->csum_start = (uint16_t)(segment->csum_start + IPV4_FRAME_HEADERS);
    memcpy(frame, neighbour->header, ETHERNET_HEADER_BYTES);
    ipv4_header_put(frame + ETHERNET_HEADER_BYTES, header);
    arp_note_use(neighbour, net->now_us);
    if (ethernet_enqueue(net, nif, segment) == IPV4_FULL) {
        buffer_pull(segment, IPV4_FRAME_HEADERS);
        segment->csum_start =
            (uint16_t)(segment->csum_start - IPV4_FRAME_HEADERS);
        return IPV4_FULL;
    }
    net_count(&net->counters, ip_tx);
    return IPV4_OK;
}

#endif
