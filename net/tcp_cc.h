/*
 * net/tcp_cc.h - congestion control: how much may be in flight.
 *
 * A table of functions, so that another one is another file. It hears of
 * acknowledgements and losses, and sets cwnd and ssthresh; what is lost is
 * decided elsewhere (net/tcp_loss.h).
 */
#ifndef NET_TCP_CC_H
#define NET_TCP_CC_H

#include "kernel/base.h"

struct tcp_conn;

struct tcp_cc {
    const char *name;
    /* The handshake is over: the initial window. */
    void (*opened)(struct tcp_conn *conn);
    /* `bytes` more are acknowledged, and nothing is being recovered. */
    void (*acked)(struct tcp_conn *conn, uint32_t bytes);
    /* Duplicate acknowledgements tell of a loss: sets ssthresh. */
    void (*lost)(struct tcp_conn *conn);
    /* The retransmission timer ran out, for the first time for this data. */
    void (*timed_out)(struct tcp_conn *conn);
    /* Nothing was sent for longer than a time-out: RFC 5681 4.1. */
    void (*idle)(struct tcp_conn *conn);
};

/* RFC 5681, with the byte counting of RFC 3465. */
extern const struct tcp_cc tcp_cc_newreno;

/* The one that a connection uses. Never null. */
static inline const struct tcp_cc *tcp_cc_of(const struct tcp_conn *conn)
{
    (void)conn;
    return &tcp_cc_newreno;
}

#endif
