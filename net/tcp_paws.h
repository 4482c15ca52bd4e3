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
/* The step before the first: an old duplicate by its timestamp. */
enum tcp_verdict tcp_in_paws(struct tcp_conn *conn, struct tcp_arrival *in);
/* The step after the first: TS.Recent. */
enum tcp_verdict tcp_in_ts_recent(struct tcp_conn *conn,
                                  struct tcp_arrival *in);
/* The timestamp of the peer's SYN. */
void tcp_ts_take_syn(struct tcp_conn *conn, const struct tcp_seg *seg);

#endif
