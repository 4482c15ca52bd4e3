/*
 * net/net_priv.h - the struct that joins the layers of one stack.
 *
 * For net/ alone. Every layer keeps its members in a struct of its own, and
 * reaches the others only through their functions.
 */
#ifndef NET_NET_PRIV_H
#define NET_NET_PRIV_H

#include "kernel/base.h"
#include "net/acd.h"
#include "net/arp.h"
#include "net/buffer_pool.h"
#include "net/dhcp.h"
#include "net/icmp.h"
#include "net/interface.h"
#include "net/ipv4.h"
#include "net/net.h"
#include "net/netdev.h"
#include "net/path.h"
#include "net/ping.h"
#include "net/pool.h"
#include "net/route.h"
#include "net/tcp_priv.h"
#include "net/timer.h"
#include "net/udp.h"

struct net {
    struct net_config config;
    uint64_t now_us; /* of the latest call; never goes back */
    struct net_counters counters;
    struct pages pages;
    struct buffer_pool *pool; /* &buffers */
    struct buffer_pool buffers;
    struct timer_wheel timers;
    struct net_if *ifs; /* INTERFACES_MAX, on a page of their own, ... */
    struct route_table *routes; /* ... with these */
    unsigned if_count;
    bool dhcp_hears; /* port 68 is ours */
    struct arp arp;
    struct paths paths;
    struct ipv4 ip;
    struct icmp icmp;
    struct ping_table pings;
    struct udp udp;
    struct tcp tcp;
};

_Static_assert(sizeof(struct net) <= PAGE_BYTES, "a host lends single pages");

/* Random bits of the host's source. */
static inline uint64_t net_random64(struct net *net)
{
    uint64_t bits;

    net->config.host.random(net->config.host.context, &bits, sizeof(bits));
    return bits;
}

/* The clock as the stack sees it: it may stand still, not go back. */
static inline void net_set_now(struct net *net, uint64_t now_us)
{
    if (now_us > net->now_us)
        net->now_us = now_us;
}

/* The way to `dst`, good until the next call of this. */
static INLINE struct route_slot *route_slot_of(struct net *net,
                                               struct ipv4_addr dst)
{
    /* Fibonacci hashing: the upper bits of a product tell all bytes apart. */
    struct route_slot *slot =
        &net->routes->slot[dst.word * 0x9e3779b1u >> (32 - ROUTE_SLOT_BITS)];

    if (!slot->known || !ipv4_addr_equal(slot->dst, dst))
        route_ask(net, slot, dst);
    return slot;
}

/* The same as route_to(), good until the next call of it. */
static INLINE const struct route *route_of(struct net *net,
                                           struct ipv4_addr dst)
{
    return &route_slot_of(net, dst)->route;
}

#endif
