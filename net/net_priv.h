/*
 * net/net_priv.h - the struct that joins the layers of one stack.
 *
 * For net/ alone. Every layer keeps its members in a struct of its own, and
 * reaches the others only through their functions.
 */
#ifndef NET_NET_PRIV_H
#define NET_NET_PRIV_H

#include "kernel/base.h"
#include "net/arp.h"
#include "net/buffer_pool.h"
#include "net/icmp.h"
#include "net/ipv4.h"
#include "net/net.h"
#include "net/netdev.h"
#include "net/pool.h"
#include "net/tcp_priv.h"
#include "net/timer.h"
#include "net/udp.h"

enum { NET_IF_MAX = 4 };

/* A network card and its address. */
struct net_if {
    struct netdev *dev; /* null: packets go to host.packet_out */
    struct ipv4_addr addr;
    struct ipv4_addr gateway; /* 0.0.0.0: none */
    uint32_t mask;            /* host order */
    uint16_t mtu_bytes;
    bool kick;            /* frames are enqueued that the card has not seen */
    uint64_t defended_us; /* when we last contradicted another owner */
};

struct net {
    struct net_host host;
    struct net_config config;
    uint64_t now_us; /* of the latest call; never goes back */
    struct net_counters counters;
    struct pages pages;
    struct buffer_pool *pool; /* &buffers */
    struct buffer_pool buffers;
    struct timer_wheel timers;
    struct net_if ifs[NET_IF_MAX];
    unsigned if_count;
    struct arp arp;
    struct ipv4 ip;
    struct icmp icmp;
    struct udp udp;
    struct tcp tcp;
};

_Static_assert(sizeof(struct net) <= PAGE_BYTES, "a host lends single pages");

/* Random bits of the host's source. */
static inline uint64_t net_random64(struct net *net)
{
    uint64_t bits;

    net->host.random(net->host.context, &bits, sizeof(bits));
    return bits;
}

/* The interface of a card, or null. */
struct net_if *net_if_of(struct net *net, const struct netdev *dev);

#endif
