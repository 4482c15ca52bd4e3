/*
 * net/tcp_sack.h - telling of text out of order. Private to net/tcp_*.c.
 */
#ifndef NET_TCP_SACK_H
#define NET_TCP_SACK_H

#include "net/tcp_conn.h"

/* Whether the peer has to hear of anything. */
static inline bool tcp_sack_has(const struct tcp_conn *conn)
{
    const struct tcp_active *active = conn->active;

    return active && conn->sack &&
           (active->pieces || active->duplicate.start != active->duplicate.end);
}

/* Bytes of options that the blocks of the next segment take up. */
uint32_t tcp_sack_some_bytes(const struct tcp_conn *conn);
static inline uint32_t tcp_sack_bytes(const struct tcp_conn *conn)
{
    return tcp_sack_has(conn) ? tcp_sack_some_bytes(conn) : 0;
}

/* Fill in the blocks; there are some to tell. */
void tcp_sack_fill(const struct tcp_conn *conn, struct tcp_seg *seg);
/* What tcp_sack_fill() said is told; there was something. */
void tcp_sack_sent(struct tcp_conn *conn, const struct tcp_seg *seg);
/* Whether there is more to tell than what was. */
bool tcp_sack_owed(const struct tcp_conn *conn);
/* Text [start, end) came although we have it. */
void tcp_sack_duplicate(struct tcp_conn *conn, uint32_t start, uint32_t end);

#endif
