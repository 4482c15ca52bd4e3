/*
 * net/tcp_path.h - how large segments are, for the files of net/tcp_*.c.
 *
 * Source: RFC 1191, RFC 4821.
 */
#ifndef NET_TCP_PATH_H
#define NET_TCP_PATH_H

#include "net/tcp_conn.h"

/* The SYNs have agreed on segments of `mss`, options included. */
void tcp_path_open(struct tcp_conn *conn, uint16_t mss);
/* The largest IP packet that we send now. */
uint16_t tcp_path_mtu(const struct tcp_conn *conn);
/* A router has refused a packet that is in flight, as larger than `mtu`; 0: it
 * does not say than what. */
void tcp_path_too_big(struct tcp_conn *conn, uint16_t mtu);
/* Our own link may take less than when the connection began: what is in flight
 * is sent again. Before text is sent, and when it is known. */
void tcp_path_check_link(struct tcp_conn *conn);
/* The retransmission timer ran out, before anything is done about it. */
void tcp_path_timeout(struct tcp_conn *conn);
/* [seq, seq + bytes) is sent again. */
void tcp_path_again(struct tcp_conn *conn, uint32_t seq, uint32_t bytes);
/* snd.una has moved by `bytes`; the active part is there. */
void tcp_path_acked(struct tcp_conn *conn, uint32_t bytes);
/* Of `bytes` that may go, how many the next segment shall have to try whether
 * they arrive; 0: nothing is to be tried. */
uint32_t tcp_path_probe(struct tcp_conn *conn, uint32_t bytes);
/* Whether a segment is such a probe: it is not cut. */
bool tcp_path_is_probe(const struct tcp_conn *conn, uint32_t seq);

#endif
