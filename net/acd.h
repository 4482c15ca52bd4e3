/*
 * net/acd.h - does anybody else have our address?
 *
 * Probes an address, announces it, and defends it. What is found is told by
 * host.address_event; what to do then is the host's to decide: a DHCP client
 * declines, a machine with an address from its owner keeps it.
 *
 * Source: RFC 5227.
 */
#ifndef NET_ACD_H
#define NET_ACD_H

#include "kernel/base.h"
#include "net/addr.h"
#include "net/net.h"
#include "net/timer.h"

struct net_if;
struct arp_packet;

/*
 * Ask whether anybody on the link has `addr`: three questions within about
 * seven seconds. It may already be the interface's own address, so that it is
 * used while the questions run (a departure from RFC 5227 2.1, for the sake of
 * boot time). A probe that runs is replaced. After ten conflicts in a row the
 * next probe waits a minute (2.1.1).
 *
 * The host is told by NET_ADDRESS_FREE, after which an address of ours has been
 * announced again, or by NET_ADDRESS_IN_USE, after which nothing has changed.
 *
 * index: of the interface; one without a card has no neighbours: free at once.
 * addr:  a host's.
 */
void acd_probe(struct net *net, unsigned index, struct ipv4_addr addr,
               uint64_t now_us);

/* Stop asking, without a result. */
void acd_cancel(struct net *net, unsigned index);

/* ---- for net/ alone ---- */

struct acd {
    struct timer timer;
    struct ipv4_addr addr; /* that is probed */
    uint64_t defended_us;  /* when we last contradicted another; 0: never */
    uint8_t state;         /* enum acd_state, of acd.c */
    uint8_t sent;
    uint8_t conflicts; /* that probes have found, in a row */
    bool told;         /* the host, since we last contradicted */
};

/* Say twice who has the interface's address: RFC 5227 2.3. */
void acd_announce(struct net *net, struct net_if *nif);

/* The interface has lost its address: what was under way about it stops. */
void acd_forget(struct net *net, struct net_if *nif);

/*
 * Look at an ARP packet of somebody else.
 * Returns: whether it contradicts us; it is then dealt with.
 */
bool acd_hears(struct net *net, struct net_if *nif,
               const struct arp_packet *packet);

#endif
