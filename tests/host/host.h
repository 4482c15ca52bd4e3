/*
 * tests/host/host.h - what kernel/ offers, for tests on the host.
 *
 * One virtual clock and one seeded generator per process: a test that resets
 * them replays exactly.
 */
#ifndef TESTS_HOST_HOST_H
#define TESTS_HOST_HOST_H

#include "kernel/base.h"

/* The virtual clock that clock_us() reads; tests set and advance it. */
extern uint64_t host_now_us;

/* What clock_wall_us() says; 0 at first: unknown. */
extern uint64_t host_wall_us;

/* Seed the generator behind random_bytes() and host_random(). */
void host_seed(uint64_t seed);

/* 64 bits of the seeded generator. */
uint64_t host_random(void);

/* While true, a panic longjmps to host_panic_jump instead of aborting. */
extern bool host_panic_caught;
extern const char *host_panic_what;
extern void *host_panic_jump[5]; /* for __builtin_setjmp */

#endif
