/*
 * tests/host/pair.h - two stacks on one cable, in virtual time.
 *
 * The clock is host_now_us (tests/host/host.h). It moves from one event to the
 * next: a frame that arrives, or a stack's deadline.
 */
#ifndef TESTS_HOST_PAIR_H
#define TESTS_HOST_PAIR_H

#include "kernel/base.h"
#include "net/net.h"
#include "tests/host/hostnet.h"
#include "tests/host/memdev.h"
#include "tests/host/wire.h"

#define PAIR_A_ADDR IPV4_ADDR(10, 0, 0, 1)
#define PAIR_B_ADDR IPV4_ADDR(10, 0, 0, 2)

struct pair {
    struct hostnet host[2];
    struct memdev dev[2];
    struct wire wire;
    struct net *net[2]; /* 10.0.0.1/24 and 10.0.0.2/24 */
};

/*
 * Make both stacks.
 *
 * config: null: the defaults. Of config[i].host only the events count; their
 *         context is &pair->host[i], whose `user` is the test's.
 */
void pair_init(struct pair *pair, const struct net_config config[2]);

/* Destroy both. Returns: pages that they did not give back. */
size_t pair_destroy(struct pair *pair);

/*
 * Let everything happen that is due now, and what follows from it at once.
 * Returns: false when nothing was to do.
 */
bool pair_step(struct pair *pair);

/* When something happens next; FOREVER: never. */
uint64_t pair_next(const struct pair *pair);

/* Go on until the clock is `until_us`. */
void pair_run_until(struct pair *pair, uint64_t until_us);

/* The same until `done` says true; returns whether it did before `until_us`. */
bool pair_run_while(struct pair *pair, bool (*done)(void *context),
                    void *context, uint64_t until_us);

#endif
