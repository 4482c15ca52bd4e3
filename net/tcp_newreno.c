/*
 * net/tcp_newreno.c - halve, then grow by a segment in each round trip.
 *
 * Source: RFC 5681 3.1, RFC 3465 2.1.
 */
#include "net/tcp_cc.h"
#include "net/tcp_conn.h"

static void avoid(struct tcp_conn *conn, uint32_t bytes)
{
    struct tcp_active *active = conn->active;

    active->cwnd_acked += bytes;
    if (active->cwnd_acked >= conn->cwnd) {
        active->cwnd_acked -= conn->cwnd;
        conn->cwnd += conn->mss;
    }
}

static uint32_t reduced(struct tcp_conn *conn, bool timed_out)
{
    (void)timed_out;
    return tcp_flight(conn) / 2;
}

const struct tcp_cc tcp_cc_newreno = {
    .name = "newreno",
    .avoid = avoid,
    .reduced = reduced,
};
