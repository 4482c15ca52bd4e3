/*
 * net/tcp_cc.c - what all congestion controls share.
 *
 * Windows grow by the bytes that are acknowledged, not by the number of
 * acknowledgements, so that splitting them gains nothing (RFC 3465), and only
 * while the window is what holds us back (RFC 7661 4.3). RFC 5681 allows one
 * segment for each acknowledgement, RFC 3465 two: with receivers that answer
 * a whole batch at once, slow start would crawl. As Linux, we double at most
 * in a round trip whatever the acknowledgements are, except after a time-out,
 * when one may cover much that arrived long ago.
 *
 * Source: RFC 5681 3.1, 4.1; RFC 3465; RFC 4015; RFC 6928.
 */
#include "net/tcp_cc.h"

#include "net/tcp_conn.h"
#include "net/tcp_ecn.h"

enum { INITIAL_SEGMENT_BYTES = 1460 /* RFC 6928 2: 14600 at most */ };

static const struct tcp_cc *const algorithms[TCP_CONGESTION_COUNT] = {
    [TCP_CONGESTION_CUBIC] = &tcp_cc_cubic,
    [TCP_CONGESTION_NEWRENO] = &tcp_cc_newreno,
};

const struct tcp_cc *tcp_cc_of(const struct tcp_conn *conn)
{
    return algorithms[tcp_config_of(conn)->congestion];
}

/* RFC 6928 2 with its 10 as configured: jumbo segments count for more. */
static uint32_t initial_window(const struct tcp_conn *conn)
{
    uint32_t segments = tcp_config_of(conn)->initial_cwnd_segments;
    uint32_t bytes = segments * conn->mss;
    uint32_t most = segments * INITIAL_SEGMENT_BYTES;

    if (most < 2u * conn->mss)
        most = 2u * conn->mss;
    if (bytes > most)
        bytes = most;
    return bytes > conn->mss ? bytes : conn->mss;
}

void tcp_cc_opened(struct tcp_conn *conn)
{
    conn->cwnd = conn->syn_again ? conn->mss : initial_window(conn);
    conn->ssthresh = TCP_CWND_MAX;
}

/* Grow up to ssthresh. Returns: bytes that are left for what comes then. */
static uint32_t slow_start(struct tcp_conn *conn, uint32_t bytes)
{
    uint32_t room;

    bytes = tcp_cc_hystart(conn, bytes);
    room = conn->ssthresh - conn->cwnd;
    if (seq_lt(conn->snd.una, conn->active->recover) && bytes > conn->mss)
        bytes = conn->mss;
    conn->cwnd += bytes < room ? bytes : room;
    return bytes < room ? 0 : bytes - room;
}

void tcp_cc_acked(struct tcp_conn *conn, uint32_t bytes)
{
    if (!conn->cwnd_limited) {
        conn->active->cubic.growing = false;
        return;
    }
    if (conn->cwnd < conn->ssthresh)
        bytes = slow_start(conn, bytes);
    if (bytes && conn->cwnd < TCP_CWND_MAX)
        tcp_cc_of(conn)->avoid(conn, bytes);
}

static void reduce(struct tcp_conn *conn, bool timed_out)
{
    struct tcp_active *active = conn->active;
    uint32_t least = 2u * conn->mss; /* RFC 5681 (4) */
    uint32_t bytes;

    conn->cwr_due = conn->ecn;
    if (active) {
        active->before.cwnd = conn->cwnd;
        active->before.ssthresh = conn->ssthresh;
        active->before.w_max = conn->w_max;
        active->cubic.growing = false;
        active->cwnd_acked = 0;
    }
    bytes = tcp_cc_of(conn)->reduced(conn, timed_out);
    conn->ssthresh = bytes > least ? bytes : least;
}

void tcp_cc_lost(struct tcp_conn *conn)
{
    if (!tcp_ecn_reduced(conn))
        reduce(conn, false);
}

void tcp_cc_marked(struct tcp_conn *conn)
{
    reduce(conn, false);
    if (conn->cwnd > conn->ssthresh)
        conn->cwnd = conn->ssthresh;
    if (conn->active)
        conn->active->before.cwnd = 0;
}

void tcp_cc_timed_out(struct tcp_conn *conn)
{
    reduce(conn, true);
}

/*
 * What is in flight and an initial window more go out at once; slow start
 * brings the rest back within a round trip.
 */
void tcp_cc_undo(struct tcp_conn *conn)
{
    struct tcp_active *active = conn->active;
    uint32_t cwnd = tcp_flight(conn) + initial_window(conn);

    if (!active || active->before.cwnd == 0)
        return;
    if (cwnd > active->before.cwnd)
        cwnd = active->before.cwnd;
    if (cwnd > conn->cwnd)
        conn->cwnd = cwnd;
    conn->ssthresh = active->before.ssthresh > active->before.cwnd
                         ? active->before.ssthresh
                         : active->before.cwnd;
    conn->w_max = active->before.w_max;
    active->cubic.growing = false;
    active->before.cwnd = 0;
}

void tcp_cc_idle(struct tcp_conn *conn)
{
    uint32_t restart = initial_window(conn);

    if (conn->cwnd > restart)
        conn->cwnd = restart;
}
