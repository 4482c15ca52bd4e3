/*
 * net/tcp_predict.h - what nearly every segment is. Private to net/tcp_*.c.
 */
#ifndef NET_TCP_PREDICT_H
#define NET_TCP_PREDICT_H

#include "net/tcp_conn.h"

/*
 * Deal with a segment if it is what nearly every one is.
 *
 * segment: its first view begins with the header and all of its options.
 * tos:     of its IP header.
 * Returns: true: it is done with, and taken; false: nothing has been done.
 */
MUST_CHECK bool tcp_predicted(struct tcp_conn *conn, uint8_t tos,
                              struct buffer *segment);

#endif
