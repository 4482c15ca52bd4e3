/*
 * tests/sim/check_priv.h - between the checker's files.
 */
#ifndef TESTS_SIM_CHECK_PRIV_H
#define TESTS_SIM_CHECK_PRIV_H

#include <stddef.h>

#include "tests/sim/check.h"

/* An invariant does not hold; the first one counts. conn: whose; or null. */
void check_fail(struct check *check, const struct tcp_conn *conn,
                const char *what);

/* The scoreboard of an active connection; counts its records. */
void check_board(struct check *check, const struct tcp_conn *conn,
                 size_t *records);

#endif
