/*
 * net/udp_flow_priv.h - the UDP instance of a stack, for net/stack.c.
 */
#ifndef NET_UDP_FLOW_PRIV_H
#define NET_UDP_FLOW_PRIV_H

#include "kernel/thread.h"
#include "net/net.h"
#include "net/pool.h"
#include "net/udp_flow.h"

struct udpv4 {
    struct net *net;
    void (*wake)(void *context); /* the network thread has something to do */
    void *wake_context;
    struct pages pages;
    struct pool flows;
};

/* Make an instance in `udp`. */
void udpv4_init(struct udpv4 *udp, struct net *net,
                const struct net_config *config, void (*wake)(void *context),
                void *wake_context);

/* No flow may be left. */
void udpv4_free(struct udpv4 *udp);

#endif
