/*
 * net/tcp_newreno.c - slow start and congestion avoidance.
 *
 * Windows grow by the bytes that are acknowledged, not by the number of
 * acknowledgements, so that splitting them gains nothing (RFC 3465), and only
 * while the window is what holds us back (RFC 7661). RFC 5681 allows one
 * segment for each acknowledgement, RFC 3465 two: with receivers that answer
 * a whole batch at once, slow start would crawl. As Linux, we double at most
 * in a round trip whatever the acknowledgements are, except after a time-out,
 * when one may cover much that arrived long ago.
 *
 * Source: RFC 5681 3.1, 4.1; RFC 3465; RFC 6928.
 */
#include "net/tcp_cc.h"
#include "net/tcp_conn.h"

enum { CWND_MAX = 1 << 30 };

static uint32_t initial_window(const struct tcp_conn *conn)
{
    uint32_t segments = tcp_config_of(conn)->initial_cwnd_segments;

    return (segments ? segments : 1) * conn->mss;
}

static void opened(struct tcp_conn *conn)
{
    conn->cwnd = conn->syn_again ? conn->mss : initial_window(conn);
    conn->ssthresh = CWND_MAX;
}

static void acked(struct tcp_conn *conn, uint32_t bytes)
{
    struct tcp_active *active = conn->active;

    if (!conn->cwnd_limited || conn->cwnd >= CWND_MAX)
        return;
    if (conn->cwnd < conn->ssthresh) {
        if (seq_lt(conn->snd.una, active->recover) && bytes > conn->mss)
            bytes = conn->mss;
        conn->cwnd += bytes;
        return;
    }
    active->cwnd_acked += bytes;
    if (active->cwnd_acked >= conn->cwnd) {
        active->cwnd_acked -= conn->cwnd;
        conn->cwnd += conn->mss;
    }
}

static void lost(struct tcp_conn *conn)
{
    uint32_t half = tcp_flight(conn) / 2;

    conn->ssthresh = half > 2u * conn->mss ? half : 2u * conn->mss;
    if (conn->active)
        conn->active->cwnd_acked = 0;
}

static void idle(struct tcp_conn *conn)
{
    uint32_t restart = initial_window(conn);

    if (conn->cwnd > restart)
        conn->cwnd = restart;
}

const struct tcp_cc tcp_cc_newreno = {
    .name = "newreno",
    .opened = opened,
    .acked = acked,
    .lost = lost,
    .timed_out = lost,
    .idle = idle,
};
