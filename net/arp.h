/*
 * net/arp.h - who on the link has which address.
 *
 * A bounded cache that learns only from answers to its own questions and from
 * questions to us; it refreshes what is in use before it forgets it. RARP and
 * proxy ARP are not here.
 *
 * Source: RFC 826, RFC 1122 2.3.2, RFC 5227 2.4.
 */
#ifndef NET_ARP_H
#define NET_ARP_H

#include "kernel/base.h"
#include "net/addr.h"
#include "net/buffer.h"
#include "net/ipv4.h"
#include "net/pool.h"

struct net;
struct net_if;
struct arp_entry;

enum {
    ARP_PACKET_BYTES = 28,
    ARP_ENTRIES_MAX = 64,
    ARP_PENDING_MAX = 4,  /* packets that wait for one address */
    ARP_REQUESTS_MAX = 3, /* unanswered, then the address has failed */
    ARP_REPLIES_PER_S = 1000,
    ARP_BUCKETS = 16
};

enum arp_operation { ARP_REQUEST = 1, ARP_REPLY = 2 };

struct arp_packet {
    enum arp_operation operation;
    struct mac_addr sender_mac, target_mac;
    struct ipv4_addr sender, target;
};

struct arp {
    struct pool pool;
    struct arp_entry *bucket[ARP_BUCKETS];
    uint64_t second_us; /* when the count of replies began */
    uint32_t replies;
};

/* Read a packet. Returns: false when it is not about Ethernet and IPv4, or no
 * request or reply; `packet` is then undefined. */
bool arp_packet_parse(const uint8_t bytes[ARP_PACKET_BYTES],
                      struct arp_packet *packet);

void arp_packet_emit(uint8_t bytes[ARP_PACKET_BYTES],
                     const struct arp_packet *packet);

void arp_init(struct net *net);
void arp_destroy(struct net *net);

/*
 * A packet has come, data at the ARP header. Taken.
 *
 * source:    of the frame; not a group's.
 * broadcast: the frame was sent to all.
 */
void arp_input(struct net *net, struct net_if *nif, struct mac_addr source,
               bool broadcast, struct buffer *packet);

/*
 * Send an IP packet to an address on the link, as soon as its MAC address is
 * known. When nobody answers, tcp_host_unreachable() is told.
 *
 * packet:  data at the IP header. Taken, except on IPV4_FULL.
 * Returns: IPV4_OK, IPV4_FULL, IPV4_NO_MEMORY.
 */
MUST_CHECK enum ipv4_status arp_output(struct net *net, struct net_if *nif,
                                       struct ipv4_addr next_hop,
                                       struct buffer *packet);

/* Forget every neighbour on the link of an interface, and drop what waits. */
void arp_forget(struct net *net, const struct net_if *nif);

/* Tell everybody on the link who we are (a gratuitous request). */
void arp_announce(struct net *net, struct net_if *nif);

#endif
