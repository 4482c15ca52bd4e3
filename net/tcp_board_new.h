/*
 * net/tcp_board_new.h - records of what is sent for the first time, a part of
 * net/tcp_board.h for net/tcp_out.c.
 */
#ifndef NET_TCP_BOARD_NEW_H
#define NET_TCP_BOARD_NEW_H

#include "net/tcp_conn.h"

/* The record for what is sent next: the last one, if that is of the same time;
 * null: no memory, or too many. */
MUST_CHECK static INLINE struct tcp_record *
tcp_board_prepare(struct tcp_conn *conn)
{
    struct tcp_board *board = &conn->active->board;
    struct tcp_record *last = board->last;

    if (last && !last->odd && last->sent_us == conn->net->now_us)
        return last;
    return board->spare ? board->spare : tcp_board_spare(conn);
}

/* Numbers from snd.nxt to `end` have left; the record is that of
 * tcp_board_prepare(). */
static INLINE void tcp_board_sent(struct tcp_conn *conn,
                                  struct tcp_record *record, uint32_t end)
{
    struct tcp_board *board = &conn->active->board;

    if (record != board->spare) {
        record->end = end;
        return;
    }
    *record = (struct tcp_record){
        .prev = board->last,
        .seq = conn->snd.nxt,
        .end = end,
        .sent_us = conn->net->now_us,
        .fate = TCP_FLYING,
    };
    if (board->last)
        board->last->next = record;
    else
        board->first = record;
    board->last = record;
    board->count++;
    board->spare = NULL;
}

#endif
