/*
 * net/tcp_buffers.h - how much a connection may hold, for the files of
 * net/tcp_*.c.
 */
#ifndef NET_TCP_BUFFERS_H
#define NET_TCP_BUFFERS_H

#include "net/tcp_conn.h"

/* Received, and not yet read. */
uint32_t tcp_rcv_buffer(const struct tcp_conn *conn);
void tcp_rcv_begin(struct tcp_conn *conn);
/* The application has read: whether the next time it may be more. */
void tcp_rcv_tune(struct tcp_conn *conn);
/* Queued, and not yet acknowledged. */
uint32_t tcp_snd_buffer(const struct tcp_conn *conn);

#endif
