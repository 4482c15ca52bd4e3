/*
 * net/tcp_priv.h - what TCP keeps per stack, and what the stack calls.
 *
 * For net/ alone; a connection is in net/tcp_conn.h.
 */
#ifndef NET_TCP_PRIV_H
#define NET_TCP_PRIV_H

#include "kernel/base.h"
#include "net/addr.h"
#include "net/buffer.h"
#include "net/pool.h"
#include "net/tcp.h"
#include "net/tcp_list.h"
#include "net/tcp_queue.h"
#include "net/timer.h"

struct net;
struct tcp_time_wait;

/* Buckets of a hash table, on pages that are taken when first used. */
struct tcp_buckets {
    void ***pages; /* a page of pointers to pages of bucket heads */
    uint32_t mask; /* number of buckets less one */
};

enum {
    TCP_BUCKETS_PER_PAGE = PAGE_BYTES / sizeof(void *),
    TCP_PORT_COUNTERS = 16
};

/* The keys of SYN cookies (tcp_cookie.c). */
struct tcp_cookies {
    uint64_t key[2][2]; /* of the present slot of time and the one before */
    uint32_t slot;
    uint64_t until_us; /* one may come back until then */
};

struct tcp {
    struct pool conns, actives, records, pieces, listeners, time_waits,
        own_configs;
    struct tcp_budget budget;
    struct tcp_buckets by_tuple; /* struct tcp_conn, through hash_next */
    struct tcp_buckets waiting;  /* struct tcp_time_wait, likewise */
    struct tcp_conn **recent;    /* of by_tuple: tcp_table_recent() */
    uint64_t table_key[2];       /* siphash_1_3 */
    uint64_t secret_key[2];      /* siphash: sequence numbers and ports */
    uint16_t port_next[TCP_PORT_COUNTERS]; /* RFC 6056 3.3.4 */
    struct tcp_link flush;      /* connections that have something to send */
    struct tcp_link events;     /* ... of which something has changed */
    struct tcp_link connecting; /* ... in SYN-SENT */
    struct tcp_link orphans;    /* ... released, oldest first */
    struct tcp_link ended;      /* ... over, whose handle is still held */
    struct tcp_link holders;    /* ... with an active part (tcp_pressure.c) */
    uint64_t futile_until_us;   /* nobody is sought there until then */
    uint32_t orphan_count;
    uint32_t lingering_count; /* of these, so many take what comes */
    uint32_t ways_seen;       /* net->routes->changes at the last check */
    struct tcp_cookies cookies;
    struct tcp_link listening;  /* every listener */
    struct tcp_link acceptable; /* listeners with news for their owner */
    struct tcp_link quiet;      /* TIME-WAIT entries, soonest gone first */
    struct timer quiet_timer;
    struct tcp_listener *(*find_listener)(void *context, uint16_t port);
    void *find_context;
};

/* Set up / free everything. init: false when the host has not enough pages. */
MUST_CHECK bool tcp_init(struct net *net);
void tcp_destroy(struct net *net);

/*
 * A segment has come. Takes it; data at the TCP header, trimmed to the
 * length that IP says, the header in the first view. tos: of its IP header.
 */
void tcp_input(struct net *net, struct ipv4_addr src, struct ipv4_addr dst,
               uint8_t tos, struct buffer *segment);

/* Send what is to be sent. Returns: true when a device was full. */
bool tcp_flush(struct net *net);

/* Whether tcp_flush() or tcp_dispatch_events() has something to do. */
bool tcp_needs_flush(const struct net *net);

/* Tell owners what has changed. Callbacks may call anything of net/tcp.h. */
void tcp_dispatch_events(struct net *net);

/*
 * An ICMP error about a segment that we sent.
 *
 * src, dst:    of that segment: ours, and the peer's.
 * tcp_header8: its first 8 bytes.
 * mtu:         for type 3 code 4.
 */
void tcp_icmp_error(struct net *net, struct ipv4_addr src, struct ipv4_addr dst,
                    const uint8_t *tcp_header8, uint8_t type, uint8_t code,
                    uint16_t mtu);

/* `dst` does not answer on the link: connecting to it ends. */
void tcp_host_unreachable(struct net *net, struct ipv4_addr dst);

/* An address is not ours any more: its connections end. */
void tcp_address_gone(struct net *net, struct ipv4_addr addr);

/* An address can be sent from again: its connections go on at once. */
void tcp_address_back(struct net *net, struct ipv4_addr addr);

/* A link carries less than before: connections over it cut their text anew. */
void tcp_check_links(struct net *net);

#endif
