/*
 * net/tcp_rtt.h - the round trip and the time-out. Private to net/tcp_*.c.
 */
#ifndef NET_TCP_RTT_H
#define NET_TCP_RTT_H

#include "net/tcp_board.h"
#include "net/tcp_conn.h"

void tcp_rtt_sample(struct tcp_conn *conn, uint64_t rtt_us);
/* What left at `sent_us`, once only, is acknowledged now; the active part is
 * there. */
void tcp_rtt_by_clock(struct tcp_conn *conn, uint64_t sent_us);
/* Measure the round trip by what an acknowledgement has told. */
void tcp_rtt_measure(struct tcp_conn *conn, const struct tcp_seg *seg,
                     const struct tcp_news *news);
/* The time-out anew, of what was measured so far and what the connection's
 * options allow. */
void tcp_rto_update(struct tcp_conn *conn);

#endif
