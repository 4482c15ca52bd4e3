/*
 * tests/sim/golden.h - the tables in tests/sim/golden/.
 */
#ifndef TESTS_SIM_GOLDEN_H
#define TESTS_SIM_GOLDEN_H

#include <stdbool.h>

/* Print the table of that name. Returns: false when there is none. */
bool golden_print(const char *name);

#endif
