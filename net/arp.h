/*
 * net/arp.h - who on the link has which address.
 *
 * A bounded cache that learns only from answers to its own questions and from
 * questions to us; it refreshes what is in use, from the neighbour himself,
 * before it forgets it. Conflicts about our own address are net/acd.h's. RARP
 * and proxy ARP are not here.
 *
 * Source: RFC 826, RFC 1122 2.3.2, RFC 5227 2.4.
 */
#ifndef NET_ARP_H
#define NET_ARP_H

#include "kernel/base.h"
#include "net/addr.h"
#include "net/buffer.h"
#include "net/ipv4.h"
#include "net/net.h"
#include "net/pool.h"
#include "net/timer.h"

struct net_if;

enum {
    ARP_PACKET_BYTES = 28,
    ARP_ENTRIES_MAX = 64,
    ARP_STATIC_MAX = 16, /* of these */
    /* Datagrams that wait for one address: TCP's initial window, and some. */
    ARP_PENDING_MAX = 16,
    ARP_PENDING_BYTES_MAX = 256 * 1024, /* held by what waits for any */
    ARP_REQUESTS_MAX = 3, /* unanswered, then the address has failed */
    /* Except to who is known, and for gateways. */
    ARP_REQUESTS_PER_S = 250,
    /* To a neighbour whom we have sent packets to; to all strangers whose MAC
     * addresses end alike: who floods us silences those at most. */
    ARP_REPLIES_PER_S = 100,
    ARP_STRANGERS = 16, /* kinds of them */
    ARP_BUCKETS = 16
};

enum arp_state {
    ARP_WAITING, /* asked, and not answered yet */
    ARP_HOLD,    /* did not answer: not asked for a while */
    ARP_KNOWN,
    ARP_PROBING, /* known, but old: asked whether it is still there */
    ARP_STATIC   /* set by arp_add(); believes nobody */
};

struct arp_info {
    struct ipv4_addr addr;
    struct mac_addr mac; /* zero while not known */
    uint8_t interface;
    enum arp_state state;
    unsigned pending; /* packets that wait for an answer */
};

/* Look at the neighbours, from number 0 on.
 * Returns: false behind the last one. */
MUST_CHECK bool arp_get(const struct net *net, unsigned number,
                        struct arp_info *info);

/*
 * Set who has an address, for good: nothing that anybody says changes it.
 *
 * index:   of an interface with a card.
 * Returns: NET_OK; NET_BAD_ADDRESS: not a host's, or the MAC address is a
 *          group's or zero; NET_FULL (ARP_STATIC_MAX); NET_NO_MEMORY.
 */
MUST_CHECK enum net_status arp_add(struct net *net, unsigned index,
                                   struct ipv4_addr addr, struct mac_addr mac,
                                   uint64_t now_us);

/* Forget a neighbour, static or not. Returns: false when it is not known. */
bool arp_delete(struct net *net, unsigned index, struct ipv4_addr addr);

/* ---- for net/ alone ---- */

enum arp_operation { ARP_REQUEST = 1, ARP_REPLY = 2 };

struct arp_packet {
    enum arp_operation operation;
    struct mac_addr sender_mac, target_mac;
    struct ipv4_addr sender, target;
};

/* So many in a second. */
struct arp_limit {
    uint64_t second_us; /* when the count began */
    uint32_t count;
};

/* Replies to strangers in a second, by the end of their MAC addresses, in which
 * cards of one make differ. A keyed hash would protect nobody: who wants one of
 * them silent asks in his name. */
struct arp_strangers {
    uint64_t second_us;
    uint8_t replies[ARP_STRANGERS];
};

/* What is known of a neighbour. */
struct arp_entry {
    struct arp_entry *next; /* of the bucket */
    struct net_if *nif;
    struct timer timer;
    struct buffer *pending;   /* packets, oldest first, through link */
    uint64_t used_us;         /* when a packet last went there; 0: never */
    uint64_t changed_us;      /* when its MAC address was last set anew */
    uint64_t asked_us;        /* when it was last asked; 0: never */
    struct arp_limit replies; /* to him */
    struct ipv4_addr addr;
    struct mac_addr mac;
    uint8_t header[14];    /* Ethernet's, of an IP packet that goes there */
    uint8_t state;         /* enum arp_state; written by set_state() */
    uint8_t pending_count; /* datagrams; of fragments, the first counts */
    uint8_t requests;      /* sent since an answer */
    uint8_t failures;      /* rounds of requests, since an answer */
    bool used;             /* since it was last confirmed */
    bool contested;        /* another MAC address claims it, too soon */
};

struct arp {
    struct pool pool;
    struct arp_entry *bucket[ARP_BUCKETS];
    struct arp_limit requests;
    struct arp_strangers strangers;
    unsigned static_count;
    uint32_t pending_bytes; /* held by what waits */
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
 * known. When nobody answers, the flows of the packets that wait are told.
 *
 * packet:  data at the IP header. Taken, except on IPV4_FULL.
 * Returns: IPV4_OK, IPV4_FULL, IPV4_NO_MEMORY.
 */
MUST_CHECK enum ipv4_status arp_output(struct net *net, struct net_if *nif,
                                       struct ipv4_addr next_hop,
                                       struct buffer *packet);

/* The neighbour of an address, if his MAC address is known: it then is until
 * route_neighbour_gone(), but may change; null: it is not. */
struct arp_entry *arp_known(struct net *net, const struct net_if *nif,
                            struct ipv4_addr addr);

/* A packet goes to a neighbour whose MAC address is known. */
static inline void arp_note_use(struct arp_entry *neighbour, uint64_t now_us)
{
    neighbour->used_us = now_us;
    neighbour->used = true;
}

/* What goes to `addr` brings no answer: ask whether it is still there, a second
 * after the last request at the earliest. */
void arp_doubt(struct net *net, const struct net_if *nif,
               struct ipv4_addr addr);

/* Forget every neighbour of an interface but the static ones, and drop what
 * waits. */
void arp_forget(struct net *net, const struct net_if *nif);

/* Tell everybody on the link who we are, once (a gratuitous request). */
void arp_announce(struct net *net, struct net_if *nif);

/* Ask who has an address, without saying who asks: RFC 5227 2.1.1. */
void arp_send_probe(struct net *net, struct net_if *nif, struct ipv4_addr addr);

/* ---- between arp.c, arp_cache.c and arp_waiting.c ---- */

/* Keep a packet until there is an answer; the oldest makes room. Taken. */
void arp_waiting_add(struct net *net, struct arp_entry *entry,
                     struct buffer *packet);

/* Take out all that waits, through link; null: nothing does. */
struct buffer *arp_waiting_take(struct net *net, struct arp_entry *entry);

/* Whether one more may be sent now; counts it, or that it may not. */
bool arp_limit_take(struct net *net, struct arp_limit *limit, uint32_t per_s);

/* Ask a neighbour, or everybody, who has `target`. */
void arp_send_request(struct net *net, struct net_if *nif, struct mac_addr to,
                      struct ipv4_addr target);

/* Tell the flow of a packet that it cannot be delivered. */
void arp_report_failed(struct net *net, const struct buffer *packet);

/*
 * The limit of replies to the sender of a packet, if he is at the address that
 * we have sent packets to; null: a stranger, whatever he says of himself.
 */
struct arp_limit *arp_own_limit(struct net *net, const struct net_if *nif,
                                const struct arp_packet *packet);

/*
 * The sender of a packet is at an address.
 * may_make: a packet for us alone; others only refresh what is known.
 */
void arp_learn(struct net *net, struct net_if *nif,
               const struct arp_packet *packet, bool may_make);

#endif
