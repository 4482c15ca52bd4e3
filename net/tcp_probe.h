/*
 * net/tcp_probe.h - when a tail loss probe is due; private to net/tcp_*.c.
 *
 * Source: RFC 8985 7.2.
 */
#ifndef NET_TCP_PROBE_H
#define NET_TCP_PROBE_H

#include "net/tcp_conn.h"

enum {
    TCP_PROBE_ACK_DELAY_US = 200000, /* TLP.max_ack_delay */
    TCP_PROBE_SLACK_US = 2000, /* batching at both ends: on a short path two
                                  round trips are less */
    TCP_PROBE_UNKNOWN_RTT_US = 1000000
};

/* TLP_calc_PTO(), as a time, for what is in flight: no later than the
 * retransmission timer; FOREVER: no probe would help. */
static INLINE uint64_t tcp_probe_time(const struct tcp_conn *conn)
{
    uint64_t at_us = conn->net->now_us, rto_at_us = conn->active->rto_at_us;

    if (!conn->sack || conn->snd.wnd == 0)
        return FOREVER;
    at_us += conn->srtt_us ? 2 * (uint64_t)conn->srtt_us + TCP_PROBE_SLACK_US
                           : TCP_PROBE_UNKNOWN_RTT_US;
    if (tcp_flight(conn) <= conn->mss)
        at_us += TCP_PROBE_ACK_DELAY_US;
    return at_us < rto_at_us ? at_us : rto_at_us;
}

#endif
