/*
 * net/tcp_paws.c - timestamps: our clock, what we echo, and old duplicates.
 *
 * Each connection's timestamps begin at a number of its own, so that they
 * tell nobody how long this machine has been up, nor which connections are
 * the same machine's.
 *
 * Source: RFC 7323 3.2, 4.3, 5, 7.1.
 */
#include "net/tcp_paws.h"

#include "net/tcp_conn.h"

enum {
    /* After so long a silence the peer's clock may have gone round: 5.5. */
    RECENT_VALID = 24 * 24 * 3600 * 1000000ull >> TCP_TS_AGE_SHIFT,
    TICK_US = 1000
};

/* Without a division for the tick that it is usually. */
uint32_t tcp_ts_clock(const struct net *net, uint64_t at_us)
{
    uint32_t tick_us = net->config.tcp.timestamp_tick_us;

    return (uint32_t)(tick_us == TICK_US ? at_us / TICK_US : at_us / tick_us);
}

uint32_t tcp_ts_at(const struct tcp_conn *conn, uint64_t at_us)
{
    return tcp_ts_clock(conn->net, at_us) + conn->ts.offset;
}

void tcp_ts_take_syn(struct tcp_conn *conn, const struct tcp_seg *seg)
{
    conn->timestamps = conn->timestamps && seg->has_timestamps;
    if (conn->timestamps)
        tcp_ts_take(conn, seg->ts_val);
}

enum tcp_verdict tcp_in_paws(struct tcp_conn *conn, struct tcp_arrival *in)
{
    const struct tcp_seg *seg = &in->seg;

    /* A RST counts whatever its timestamp (5.2). A SYN is challenged later,
     * and so often only. */
    if (!conn->timestamps || seg->flags & (TCP_RST | TCP_SYN))
        return TCP_GO_ON;
    if (!seg->has_timestamps) { /* 3.2 */
        tcp_count(conn, tcp_no_timestamp);
        return TCP_DROP;
    }
    if (!seq_lt(seg->ts_val, conn->ts.recent) ||
        tcp_ts_age_now(conn) - conn->ts.recent_at > RECENT_VALID)
        return TCP_GO_ON;
    tcp_count(conn, tcp_paws);
    return tcp_in_refuse(conn, seg);
}

enum tcp_verdict tcp_in_ts_recent(struct tcp_conn *conn, struct tcp_arrival *in)
{
    const struct tcp_seg *seg = &in->seg;

    /* Of the segment that a delayed ACK will be for, the first counts (4.3).
     * An older value passes PAWS only when TS.Recent is out of date. */
    if (conn->timestamps && seg->has_timestamps &&
        !(seg->flags & (TCP_RST | TCP_SYN)) &&
        seq_leq(seg->seq, conn->rcv.acked))
        tcp_ts_take(conn, seg->ts_val);
    return TCP_GO_ON;
}
