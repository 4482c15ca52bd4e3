/*
 * tests/sim/fault.h - a plan's faults, at their times.
 */
#ifndef TESTS_SIM_FAULT_H
#define TESTS_SIM_FAULT_H

#include "tests/sim/internet.h"
#include "tests/sim/plan.h"

/* Make the network and the hosts as bad as the plan wants them now. Returns:
 * when the next fault begins or ends; FOREVER: all are over. */
uint64_t faults_set(const struct plan *plan, struct internet *internet,
                    uint64_t start_us);

/* Every fault is over. */
void faults_end(struct internet *internet);

#endif
