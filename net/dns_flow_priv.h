/*
 * net/dns_flow_priv.h - the resolver of a stack, for net/stack.c.
 */
#ifndef NET_DNS_FLOW_PRIV_H
#define NET_DNS_FLOW_PRIV_H

#include "kernel/thread.h"
#include "net/dns.h"
#include "net/dns_cache.h"
#include "net/net.h"
#include "net/pool.h"

struct udpv4;

struct dns {
    struct net *net;
    struct udpv4 *udp;
    struct tcpv4 *tcp;
    void (*random)(void *context, void *out, size_t bytes);
    void *random_context;
    struct dns_servers servers; /* none: DHCP's */
    struct dns_cache cache;
    struct pages pages;
    struct pool pending_pool;
    struct dns_pending *pending; /* what is being asked */
    uint64_t questions, by_tcp, forged;
};

/* Make a resolver in `dns`, on the instances of one stack. */
void dns_init(struct dns *dns, struct net *net, struct udpv4 *udp,
              struct tcpv4 *tcp, const struct net_config *config);

/* No lookup may be under way. */
void dns_free(struct dns *dns);

/*
 * dns_flow_ask.c: do what a lookup says until it is done.
 *
 * page:    PAGE_BYTES to receive in, used during the call.
 * Returns: DNS_OK: lookup->result is set; DNS_DEADLINE, DNS_CANCELLED.
 */
MUST_CHECK enum dns_status dns_ask(struct dns *dns, struct dns_lookup *lookup,
                                   uint8_t *page, uint64_t deadline_us);

/* dns_flow_ask.c: unpredictable bits, for a lookup. */
void dns_random(struct dns *dns, uint64_t random[2]);

#endif
