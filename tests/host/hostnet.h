/*
 * tests/host/hostnet.h - what a stack needs of its host, for tests.
 *
 * Pages come from aligned_alloc() and are counted; the k-th can be refused.
 * Randomness is that of tests/host/host.h: host_seed() makes a run replay.
 */
#ifndef TESTS_HOST_HOSTNET_H
#define TESTS_HOST_HOSTNET_H

#include "kernel/base.h"
#include "net/buffer_pool.h"
#include "net/net.h"

struct hostnet {
    size_t pages;      /* lent and not yet given back */
    size_t pages_peak; /* the most at one time */
    uint64_t asked;    /* calls of page_alloc() */
    uint64_t fail_at;  /* this call, counted from 1, is refused; 0: none */
    bool fail_after;   /* ... and every later one */
    bool scarce;       /* what host.pages_scarce says */

    void *user; /* the test's own: callbacks get the hostnet as context */

    /* Packets of host.packet_out, oldest first, through link. */
    struct buffer *packets, **packets_end;

    /* For hostnet_pool(). */
    struct pages pool_pages;
    struct buffer_pool pool;
};

/* The calls of a stack that `hostnet` (all zero) hosts; no packet_out. */
struct net_host hostnet_host(struct hostnet *hostnet);

/* net_config_default() with hostnet_host(). */
struct net_config hostnet_config(struct hostnet *hostnet);

/* Collect packets in host->packets instead of sending frames. */
void hostnet_packets(struct hostnet *hostnet, struct net_host *host);

/* Take the oldest packet, which the caller releases; null: there is none. */
struct buffer *hostnet_take_packet(struct hostnet *hostnet);

/* A pool without a stack, of up to `pages_max` pages; the host begins anew. */
struct buffer_pool *hostnet_pool(struct hostnet *hostnet, size_t pages_max);

/* How many chunks of that pool are in use. */
size_t hostnet_chunks(const struct hostnet *hostnet);

/* A chain in `pool` with a copy of `bytes`; aborts when the pool is full. */
struct buffer *hostnet_chain(struct buffer_pool *pool, const void *bytes,
                             uint32_t len);

#endif
