/*
 * net/tcp_hystart.c - leaving slow start before the queue on the path is full.
 *
 * A round trip that takes longer than the one before shows a queue that grows.
 * Growth is then a quarter of what it was, for five rounds; when the round
 * trip is short again meanwhile it was a mistake, otherwise the window is
 * found. Only the first slow start of a connection needs this: later ones have
 * a threshold.
 *
 * A round is measured by eight samples at least, so a peer that acknowledges
 * a whole window at once is not judged.
 *
 * Without it, one to four flows that share a queue of a round trip of 100 ms
 * send a half more to three times as much again (tests/sim/golden/); goodput
 * is the same, for recovery is good.
 *
 * Source: RFC 9406 4.2, 4.3.
 */
#include "net/tcp_cc.h"
#include "net/tcp_conn.h"

enum {
    RISE_MIN_US = 4000, /* MIN_RTT_THRESH */
    RISE_MAX_US = 16000,
    RISE_DIVISOR = 8, /* of the round trip before */
    SAMPLES = 8,      /* N_RTT_SAMPLE */
    CAREFUL_ROUNDS = 5,
    CAREFUL_DIVISOR = 4
};

void tcp_cc_rtt(struct tcp_conn *conn, uint64_t rtt_us)
{
    struct tcp_hystart *hystart = &conn->active->hystart;

    if (hystart->samples == 0 || rtt_us < hystart->rtt_us)
        hystart->rtt_us =
            rtt_us < UINT32_MAX / 2 ? (uint32_t)rtt_us : UINT32_MAX / 2;
    if (hystart->samples < SAMPLES)
        hystart->samples++;
}

/* Everything that was in flight when the round began is acknowledged. */
static void next_round(struct tcp_conn *conn)
{
    struct tcp_hystart *hystart = &conn->active->hystart;

    hystart->before_us = hystart->samples == SAMPLES ? hystart->rtt_us : 0;
    hystart->samples = 0;
    hystart->in_round = true;
    hystart->round_end = conn->snd.nxt;
    if (hystart->careful_us && ++hystart->careful_rounds >= CAREFUL_ROUNDS) {
        conn->ssthresh = conn->cwnd;
        tcp_count(conn, tcp_slow_start_left);
    }
}

/* RttThresh. */
static uint32_t rise_us(uint32_t before_us)
{
    uint32_t rise = before_us / RISE_DIVISOR;

    if (rise < RISE_MIN_US)
        return RISE_MIN_US;
    return rise < RISE_MAX_US ? rise : RISE_MAX_US;
}

uint32_t tcp_cc_hystart(struct tcp_conn *conn, uint32_t bytes)
{
    struct tcp_hystart *hystart = &conn->active->hystart;

    if (conn->ssthresh < TCP_CWND_MAX)
        return bytes;
    if (!hystart->in_round || seq_leq(hystart->round_end, conn->snd.una))
        next_round(conn);
    if (hystart->samples == SAMPLES) {
        if (hystart->careful_us && hystart->rtt_us < hystart->careful_us) {
            hystart->careful_us = 0;
        } else if (!hystart->careful_us && hystart->before_us &&
                   hystart->rtt_us >=
                       hystart->before_us + rise_us(hystart->before_us)) {
            hystart->careful_us = hystart->rtt_us;
            hystart->careful_rounds = 0;
        }
    }
    return hystart->careful_us ? bytes / CAREFUL_DIVISOR : bytes;
}
