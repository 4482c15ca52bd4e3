/*
 * tests/host/board_check.h - what holds of the scoreboard whenever a stack is
 * at rest.
 */
#ifndef TESTS_HOST_BOARD_CHECK_H
#define TESTS_HOST_BOARD_CHECK_H

struct tcp_conn;

/* The first invariant of net/tcp_board.h that is broken, or null. */
const char *board_check(const struct tcp_conn *conn);

#endif
