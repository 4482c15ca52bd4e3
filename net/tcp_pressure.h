/*
 * net/tcp_pressure.h - memory, when it is short. Private to net/tcp_*.c.
 */
#ifndef NET_TCP_PRESSURE_H
#define NET_TCP_PRESSURE_H

#include "kernel/base.h"
#include "net/tcp_list.h"

struct net;
struct tcp_conn;

/* A connection that may hold memory: one with an active part. */
struct tcp_holder {
    struct tcp_link link; /* in tcp.holders */
    struct tcp_conn *conn;
    uint64_t seen_us;    /* when its progress was last looked at, */
    uint64_t seen_acked; /* and how many bytes were acknowledged then */
};

/* Its active part was made: it may hold memory. */
void tcp_holder_add(struct tcp_conn *conn);
/* It has, or has no longer, out-of-order text. */
void tcp_holder_disordered(struct tcp_conn *conn, bool disordered);
/* Other connections give what they have, until `cost` more bytes of memory may
 * be held. False: that is not enough. */
MUST_CHECK COLD bool tcp_pressure_makes_room(struct tcp_conn *conn,
                                             uint32_t cost);
/* Somebody who is known to be there wants a control block: see to it that
 * there is one, if the oldest orphan can give his. */
void tcp_pressure_conn(struct net *net);
/* Whether receive windows should not grow now. */
bool tcp_pressed(const struct net *net);

#endif
