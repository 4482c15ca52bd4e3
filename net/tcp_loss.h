/*
 * net/tcp_loss.h - what is lost, and what is sent again.
 *
 * The outcome is active->rtx_next to rtx_end: the numbers that tcp_out() is
 * to send again, one segment of them at once if rtx_forced. How fast is the
 * congestion control's business (net/tcp_cc.h).
 */
#ifndef NET_TCP_LOSS_H
#define NET_TCP_LOSS_H

#include "kernel/base.h"

struct tcp_conn;

/* snd.una has advanced by `bytes`; the active part is there. */
void tcp_loss_acked(struct tcp_conn *conn, uint32_t bytes);

/* A duplicate acknowledgement as RFC 5681 2 defines it. */
void tcp_loss_duplicate(struct tcp_conn *conn);

/* The retransmission timer ran out: everything in flight is lost. */
void tcp_loss_timeout(struct tcp_conn *conn);

/* Everything in flight is to be sent again; no sign of congestion. */
void tcp_loss_again(struct tcp_conn *conn);

/* Bytes that may go beyond cwnd: limited transmit, RFC 3042. */
uint32_t tcp_loss_extra(const struct tcp_conn *conn);

#endif
