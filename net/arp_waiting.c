/*
 * net/arp_waiting.c - packets that wait until it is known who has an address.
 *
 * A stranger can make us answer addresses that nobody has, so what waits for
 * one and for all is bounded, in packets and in the memory that they hold.
 */
#include "net/arp.h"
#include "net/net_priv.h"

enum {
    /* Packets that may wait whatever the others hold: so many for an address,
     * and no larger ones. */
    SURE_COUNT = 4,
    SURE_BYTES = 2 * PAGE_BYTES
};

/* Whether a packet goes on with the datagram of the one before it. */
static bool is_continued(const struct buffer *packet)
{
    struct ipv4_header header;

    return ipv4_header_parse(packet->data, packet->len, UINT32_MAX, &header) ==
               IPV4_GOOD &&
           header.fragment_bytes > 0;
}

/* Drop the oldest datagram that waits, all fragments of it. */
static void drop_oldest(struct net *net, struct arp_entry *entry)
{
    do {
        struct buffer *packet = entry->pending;

        entry->pending = packet->link;
        net->arp.pending_bytes -= buffer_chain_held_bytes(packet);
        buffer_release(packet);
    } while (entry->pending && is_continued(entry->pending));
    entry->pending_count--;
}

struct buffer *arp_waiting_take(struct net *net, struct arp_entry *entry)
{
    struct buffer *first = entry->pending;

    for (const struct buffer *at = first; at; at = at->link)
        net->arp.pending_bytes -= buffer_chain_held_bytes(at);
    entry->pending = NULL;
    entry->pending_count = 0;
    return first;
}

/* A few small ones always may, the rest and fragments share what ARP may hold:
 * answers to large pings from nobody are many. */
COLD void arp_waiting_add(struct net *net, struct arp_entry *entry,
                          struct buffer *packet)
{
    bool continued = is_continued(packet);
    uint32_t held_bytes = buffer_chain_held_bytes(packet);
    struct buffer **end = &entry->pending;

    if (!continued && entry->pending_count == ARP_PENDING_MAX) {
        net_count(&net->counters, arp_pending_full);
        drop_oldest(net, entry);
    }
    if ((continued && !entry->pending) || /* its beginning is gone */
        ((continued || held_bytes > SURE_BYTES ||
          entry->pending_count >= SURE_COUNT) &&
         net->arp.pending_bytes + held_bytes > ARP_PENDING_BYTES_MAX)) {
        net_count(&net->counters, arp_pending_full);
        buffer_release(packet);
        return;
    }
    net->arp.pending_bytes += held_bytes;
    while (*end)
        end = &(*end)->link;
    packet->link = NULL;
    *end = packet;
    if (!continued)
        entry->pending_count++;
}
