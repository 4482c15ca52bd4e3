/*
 * net/tcp_rtt.c - the round trip, and the time-out that follows from it.
 *
 * One sample for each round trip: more of them would make the averages
 * forget sooner than they are meant to (RFC 7323 4.2). What was sent once is
 * measured by our own clock, which is finer than the timestamps; those tell
 * of what was sent more often, where Karn's rule forbids the other.
 *
 * Source: RFC 6298 2, 3; RFC 7323 4.
 */
#include "net/tcp_rtt.h"

#include "net/tcp_board.h"
#include "net/tcp_cc.h"
#include "net/tcp_conn.h"
#include "net/tcp_paws.h"

/*
 * The minimum is one of what is added to the average, as Linux's: on a long
 * and steady path the variance goes to nothing, and every acknowledgement that
 * is delayed, or waits in a queue that grows, would be a time-out.
 */
void tcp_rto_update(struct tcp_conn *conn)
{
    const struct tcp_config *config = tcp_config_of(conn);
    uint64_t more_us = 4 * (uint64_t)conn->rttvar_us, rto_us = conn->rto_us;

    if (more_us < config->rto_min_us)
        more_us = config->rto_min_us;
    if (conn->srtt_us)
        rto_us = conn->srtt_us + more_us;
    else if (rto_us < config->rto_min_us)
        rto_us = config->rto_min_us;
    if (rto_us > config->rto_max_us)
        rto_us = config->rto_max_us;
    conn->rto_us = (uint32_t)rto_us;
}

void tcp_rtt_sample(struct tcp_conn *conn, uint64_t rtt_us)
{
    uint32_t rtt = rtt_us < UINT32_MAX / 8 ? (uint32_t)rtt_us : UINT32_MAX / 8;

    if (rtt == 0)
        rtt = 1; /* no measurement is what zero means */
    if (conn->rtt_min_us == 0 || rtt < conn->rtt_min_us)
        conn->rtt_min_us = rtt;
    if (conn->srtt_us == 0) {
        conn->srtt_us = rtt;
        conn->rttvar_us = rtt / 2;
    } else {
        uint32_t off =
            rtt > conn->srtt_us ? rtt - conn->srtt_us : conn->srtt_us - rtt;

        conn->rttvar_us = conn->rttvar_us - conn->rttvar_us / 4 + off / 4;
        conn->srtt_us = conn->srtt_us - conn->srtt_us / 8 + rtt / 8;
        if (conn->srtt_us == 0)
            conn->srtt_us = 1;
    }
    conn->backoff = 0;
    tcp_rto_update(conn);
}

/*
 * By the timestamp that an acknowledgement of something new echoes; 0: it
 * tells nothing. That of one that a duplicate has brought about does not: what
 * is not acceptable leaves TS.Recent as it was (RFC 7323 5.3), so that it
 * echoes a transmission of which an earlier acknowledgement was lost. Half a
 * tick is what the clock has advanced since, on average.
 */
static uint64_t rtt_by_echo(const struct tcp_conn *conn,
                            const struct tcp_seg *seg,
                            const struct tcp_news *news)
{
    uint64_t tick_us = tcp_config_of(conn)->timestamp_tick_us;
    uint32_t ticks = tcp_ts_at(conn, conn->net->now_us) - seg->ts_ecr;

    if (!conn->timestamps || !news->acked || news->duplicate ||
        seg->ts_ecr == 0)
        return 0;
    return ticks <= INT32_MAX ? ticks * tick_us + tick_us / 2 : 0;
}

/* A round trip that ends now: a sample, if it began after the last one.
 * Returns: whether it was one. */
static INLINE bool measured(struct tcp_conn *conn, uint64_t rtt_us)
{
    uint64_t now_us = conn->net->now_us;

    if (now_us - rtt_us < conn->active->sampled_us)
        return false;
    conn->active->sampled_us = now_us;
    tcp_rtt_sample(conn, rtt_us);
    return true;
}

void tcp_rtt_by_clock(struct tcp_conn *conn, uint64_t sent_us)
{
    uint64_t rtt_us = conn->net->now_us - sent_us;

    tcp_cc_rtt(conn, rtt_us);
    if (!measured(conn, rtt_us) && rtt_us < conn->rtt_min_us)
        conn->rtt_min_us = rtt_us ? (uint32_t)rtt_us : 1;
}

void tcp_rtt_measure(struct tcp_conn *conn, const struct tcp_seg *seg,
                     const struct tcp_news *news)
{
    uint64_t rtt_us;

    if (news->first_us && !news->again) {
        tcp_rtt_by_clock(conn, news->first_us);
        return;
    }
    rtt_us = rtt_by_echo(conn, seg, news);
    if (rtt_us)
        (void)measured(conn, rtt_us);
}
