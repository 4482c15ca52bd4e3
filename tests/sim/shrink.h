/*
 * tests/sim/shrink.h - the smallest recipe that still fails.
 */
#ifndef TESTS_SIM_SHRINK_H
#define TESTS_SIM_SHRINK_H

#include <stdint.h>

/*
 * Take faults, sessions, hosts and bytes away from what a seed chooses, one by
 * one, for as long as some rule is still broken; print what is left, and the
 * rule. Returns: 0; 1 when the seed does not fail.
 */
int shrink_seed(uint64_t seed);

#endif
