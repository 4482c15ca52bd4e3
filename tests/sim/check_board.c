/*
 * tests/sim/check_board.c - what a scoreboard must look like.
 */
#include "net/tcp_conn.h"
#include "tests/host/board_check.h"
#include "tests/sim/check_priv.h"

void check_board(struct check *check, const struct tcp_conn *conn,
                 size_t *records)
{
    const struct tcp_board *board = &conn->active->board;
    const char *broken = board_check(conn);

    *records += board->count + (board->spare != NULL);
    if (broken)
        check_fail(check, conn, broken);
}
