/*
 * tests/sim/internet.h - stacks on a routed network, in virtual time.
 *
 *   host 0 --up/down--\                    /--up/down-- host 1
 *   host 2 --up/down-- router == trunk == router
 *   host 4 --up/down--/    middlebox       \--up/down-- host 3
 *
 * Host i has the address 10.0.i.1/24, its router 10.0.i.254. Even hosts stand
 * on one side of the trunk, odd ones on the other. The clock is host_now_us
 * (tests/host/host.h) and moves from event to event.
 */
#ifndef TESTS_SIM_INTERNET_H
#define TESTS_SIM_INTERNET_H

#include "kernel/base.h"
#include "net/net.h"
#include "tests/host/hostnet.h"
#include "tests/host/memdev.h"
#include "tests/sim/link.h"
#include "tests/sim/middlebox.h"

enum { HOSTS_MAX = 8 };

struct internet_host {
    struct hostnet hostnet; /* user: the simulation's */
    struct memdev dev;
    struct net *net;
    struct link up, down;
    uint64_t sleeps_until_us; /* does nothing before */
    uint64_t doze_us;         /* ... and takes turns so far apart at least */
    unsigned rx_max;          /* frames in its card's ring */
    uint64_t rx_dropped;
};

struct internet {
    struct internet_host host[HOSTS_MAX];
    unsigned hosts;
    struct link trunk[2]; /* [0]: from even hosts to odd ones */
    struct middlebox box;
    struct packet **heap; /* under way, by due_us and order */
    size_t flying, heap_max;
    uint64_t order, turns;

    /* Hooks of the simulation; each may be null. */
    void *context;
    /* A packet comes to a host's stack (in), or leaves its card. */
    void (*seen)(void *context, unsigned host, bool in,
                 const struct packet *packet);
    /* A host has had its turn: its stack is at rest. */
    void (*turned)(void *context, unsigned host);
};

/* No hosts yet. `seed`: of every link's stream. */
void internet_init(struct internet *internet, uint64_t seed);

/*
 * Add a host; its stack begins.
 * config: host.tcp_event counts, the rest of config.host is set here.
 * caps:   enum netdev_cap of its card.
 */
void internet_add(struct internet *internet, const struct net_config *config,
                  unsigned caps);

/* Everything ends. Returns: pages that the stacks did not give back. */
size_t internet_destroy(struct internet *internet);

struct ipv4_addr internet_address(unsigned host);

/* Let everything happen that is due now, and what follows from it at once. */
void internet_step(struct internet *internet);

/* When something happens next; FOREVER: never. */
uint64_t internet_next(const struct internet *internet);

#endif
