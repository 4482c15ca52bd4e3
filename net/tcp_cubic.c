/*
 * net/tcp_cubic.c - the window as a cubic function of time since congestion.
 *
 * W_cubic(t) = C * (t - K)^3 + W_max, and not less than what Reno would have
 * (W_est). Windows are bytes; C = 0.4 and beta = 0.7 are RFC 9438 5.1's.
 *
 * An epoch is a stretch of time in which the window is used up without
 * congestion. What ends one early (too little to send, idleness, an active
 * part that was not needed for a while) costs nothing: below W_max, the next
 * epoch begins where the window stands on the same curve, which is how RFC
 * 9438 4.2 wants such times left out of t. Above it, growth begins anew from
 * flat, which is on the careful side.
 *
 * No floating point, and time in units of 1024 us, so that neither needs a
 * division: 0.4 / s^3 is 0.4 * 1.024^3 * 10^-9 = 944.5 / 2^41 per unit cubed.
 *
 * Source: RFC 9438 4.
 */
#include "net/tcp_cc.h"
#include "net/tcp_conn.h"

enum {
    UNIT_SHIFT = 10,     /* of time, from us */
    C_SCALED = 944,      /* C per unit cubed ... */
    C_SHIFT = 41,        /* ... by two to the power of this */
    CUBE_SHIFT = 20,     /* of these, taken off before multiplying */
    UNITS_MAX = 1 << 18, /* 4.5 min: more than any K */
    ROOT_BITS = 21,      /* of a 64-bit cube */
    ALPHA = 9,           /* 3 (1 - beta) / (1 + beta) = 9 / 17 */
    ALPHA_OF = 17
};

static uint32_t cube_root(uint64_t cube)
{
    uint64_t root = 0;

    for (unsigned bit = ROOT_BITS; bit-- > 0;) {
        uint64_t higher = root | 1ull << bit;

        if (higher * higher * higher <= cube)
            root = higher;
    }
    return (uint32_t)root;
}

/* K: how long W_cubic takes from cwnd to W_max. RFC 9438 4.2, figure 2. */
static uint32_t units_to_max(const struct tcp_conn *conn)
{
    uint64_t below = conn->w_max - conn->cwnd;
    uint64_t unit = (uint64_t)C_SCALED * conn->mss;

    return cube_root((below << 31) / unit << (C_SHIFT - 31));
}

/* W_cubic at so many units after the epoch began. RFC 9438 4.2, figure 1. */
static uint32_t w_cubic(const struct tcp_conn *conn, uint64_t units)
{
    uint32_t k = conn->active->cubic.k;
    bool below = units < k;
    uint64_t off = below ? k - units : units - k, change;

    if (off > UNITS_MAX)
        off = UNITS_MAX;
    change = (off * off * off >> CUBE_SHIFT) * ((uint64_t)C_SCALED * conn->mss);
    change >>= C_SHIFT - CUBE_SHIFT;
    if (below)
        return change < conn->w_max ? conn->w_max - (uint32_t)change : 0;
    change += conn->w_max;
    return change < TCP_CWND_MAX ? (uint32_t)change : TCP_CWND_MAX;
}

/* RFC 9438 4.2; 4.8 and 4.10 where W_max is not known. */
static void begin(struct tcp_conn *conn)
{
    struct tcp_cubic *cubic = &conn->active->cubic;

    *cubic = (struct tcp_cubic){
        .growing = true,
        .begin_us = conn->net->now_us,
        .w_est = conn->cwnd,
    };
    if (conn->w_max <= conn->cwnd)
        conn->w_max = conn->cwnd;
    else
        cubic->k = units_to_max(conn);
}

/*
 * W_est: what Reno with our beta would have by now. A segment more for each
 * 17/9 windows acknowledged, until it has caught up with the window that there
 * was before congestion; for each window from then on. RFC 9438 4.3.
 */
static void grow_reno(struct tcp_conn *conn, uint32_t bytes)
{
    struct tcp_active *active = conn->active;
    struct tcp_cubic *cubic = &active->cubic;
    uint32_t before = active->before.cwnd ? active->before.cwnd : conn->w_max;

    cubic->est_acked +=
        (uint64_t)bytes * (cubic->w_est < before ? ALPHA : ALPHA_OF);
    if (cubic->est_acked >= (uint64_t)conn->cwnd * ALPHA_OF) {
        cubic->est_acked -= (uint64_t)conn->cwnd * ALPHA_OF;
        cubic->w_est += conn->mss;
    }
}

/* Each byte acknowledged brings (target - cwnd) / cwnd of a byte; whole
 * segments are paid out, so that there is hardly ever a division. */
static void grow_cubic(struct tcp_conn *conn, uint32_t bytes, uint32_t target)
{
    struct tcp_cubic *cubic = &conn->active->cubic;
    uint64_t price = (uint64_t)conn->cwnd * conn->mss, segments;
    uint32_t most = conn->cwnd + conn->cwnd / 2;

    if (target > most)
        target = most;
    if (target <= conn->cwnd)
        return;
    cubic->credit += (uint64_t)bytes * (target - conn->cwnd);
    if (cubic->credit < price)
        return;
    segments = cubic->credit / price;
    cubic->credit -= segments * price;
    conn->cwnd += (uint32_t)segments * conn->mss;
}

static void avoid(struct tcp_conn *conn, uint32_t bytes)
{
    struct tcp_cubic *cubic = &conn->active->cubic;
    uint64_t units;

    if (!cubic->growing)
        begin(conn);
    units = (conn->net->now_us - cubic->begin_us) >> UNIT_SHIFT;
    grow_reno(conn, bytes);
    if (w_cubic(conn, units) < cubic->w_est) {
        if (conn->cwnd < cubic->w_est)
            conn->cwnd = cubic->w_est;
        return;
    }
    grow_cubic(conn, bytes,
               w_cubic(conn, units + (conn->srtt_us >> UNIT_SHIFT)));
}

static uint32_t reduced(struct tcp_conn *conn, bool timed_out)
{
    uint32_t flight = tcp_flight(conn);

    if (timed_out)
        conn->w_max = 0;               /* 4.8: not known */
    else if (conn->cwnd < conn->w_max) /* 4.7: somebody new wants a share */
        conn->w_max = conn->cwnd - conn->cwnd / 20 * 3;
    else
        conn->w_max = conn->cwnd;
    return flight - flight / 10 * 3; /* 4.6 */
}

const struct tcp_cc tcp_cc_cubic = {
    .name = "cubic",
    .avoid = avoid,
    .reduced = reduced,
};
