/*
 * net/tcp_ecn.h - marks in place of losses, for the files of net/tcp_*.c.
 *
 * Source: RFC 3168.
 */
#ifndef NET_TCP_ECN_H
#define NET_TCP_ECN_H

#include "net/tcp_conn.h"

/* The flags that a SYN, or SYN-ACK, has besides. */
uint8_t tcp_ecn_syn(const struct tcp_conn *conn);
/* Whether a SYN asks for ECN, and may have it. */
bool tcp_ecn_asked(const struct tcp_config *config,
                   const struct tcp_arrival *in);
/* The peer's SYN, or SYN-ACK: whether both know ECN. */
void tcp_ecn_take_syn(struct tcp_conn *conn, const struct tcp_arrival *in);
/* Before the fifth step, and after it. */
enum tcp_verdict tcp_in_echo(struct tcp_conn *conn, struct tcp_arrival *in);
enum tcp_verdict tcp_in_mark(struct tcp_conn *conn, struct tcp_arrival *in);
/* Whether a segment without ECE and CWR may matter all the same. */
bool tcp_ecn_concerns(const struct tcp_conn *conn,
                      const struct tcp_arrival *in);
/* Whether cwnd was reduced for this window of data: once is enough. */
bool tcp_ecn_reduced(const struct tcp_conn *conn);
/* The flags of a segment that is no SYN, ECE and CWR added where they belong,
 * and the ECN bits of its IP header. The first is for who knows that both know
 * ECN. */
struct tcp_ecn_marks {
    uint8_t flags, ecn;
};
struct tcp_ecn_marks tcp_ecn_mark_some(const struct tcp_conn *conn,
                                       uint32_t seq, uint32_t text_bytes,
                                       uint8_t flags);
static INLINE struct tcp_ecn_marks tcp_ecn_mark(const struct tcp_conn *conn,
                                                uint32_t seq,
                                                uint32_t text_bytes,
                                                uint8_t flags)
{
    return conn->ecn ? tcp_ecn_mark_some(conn, seq, text_bytes, flags)
                     : (struct tcp_ecn_marks){flags, IPV4_ECN_NOT};
}
/* A segment has left. */
void tcp_ecn_sent(struct tcp_conn *conn, uint32_t seq, uint8_t flags);

#endif
