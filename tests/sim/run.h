/*
 * tests/sim/run.h - one plan, run to its end.
 */
#ifndef TESTS_SIM_RUN_H
#define TESTS_SIM_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/sim/plan.h"

struct run_result {
    const char *broken; /* what rule, or null */
    char detail[320];
    char last[200]; /* the segment before */
    uint64_t event; /* number of the first diverging one */
    uint64_t at_us; /* since the beginning */
    uint64_t hash;  /* of everything that was seen, in order */
    uint64_t segments, turns;
};

/* Run a plan. trace: print every segment. */
void run_plan(const struct plan *plan, bool trace, struct run_result *result);

#endif
