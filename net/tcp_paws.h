/*
 * net/tcp_paws.h - timestamps of a connection. Private to net/tcp_*.c.
 */
#ifndef NET_TCP_PAWS_H
#define NET_TCP_PAWS_H

#include "net/tcp_conn.h"

/* Our clock at `at_us`, in ticks. */
uint32_t tcp_ts_clock(const struct net *net, uint64_t at_us);
/* The value of a connection's timestamps at `at_us`. */
uint32_t tcp_ts_at(const struct tcp_conn *conn, uint64_t at_us);
/* TS.Recent is `val`, as of now: in units of about a second, and without a
 * division. */
enum { TCP_TS_AGE_SHIFT = 20 };
static inline uint32_t tcp_ts_age_now(const struct tcp_conn *conn)
{
    return (uint32_t)(conn->net->now_us >> TCP_TS_AGE_SHIFT);
}
static inline void tcp_ts_take(struct tcp_conn *conn, uint32_t val)
{
    conn->ts.recent = val;
    conn->ts.recent_at = tcp_ts_age_now(conn);
}
/* The step before the first: an old duplicate by its timestamp. */
enum tcp_verdict tcp_in_paws(struct tcp_conn *conn, struct tcp_arrival *in);
/* The step after the first: TS.Recent. */
enum tcp_verdict tcp_in_ts_recent(struct tcp_conn *conn,
                                  struct tcp_arrival *in);
/* The timestamp of the peer's SYN. */
void tcp_ts_take_syn(struct tcp_conn *conn, const struct tcp_seg *seg);

#endif
