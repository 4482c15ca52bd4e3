/*
 * net/tcp_loss.c - loss detection by duplicate acknowledgements and time.
 *
 * Fast retransmit and fast recovery as NewReno, without SACK. The window's
 * inflation by duplicates is bounded by what is in flight, so that forged
 * ones gain little.
 *
 * Source: RFC 5681 3.2, RFC 6582, RFC 3042, RFC 6298 5.
 */
#include "net/tcp_loss.h"

#include "net/tcp_cc.h"
#include "net/tcp_conn.h"

enum { DUPLICATES = 3 };

/* Send the first segment in flight again. */
static void again_first(struct tcp_conn *conn)
{
    struct tcp_active *active = conn->active;

    active->rtx_next = conn->snd.una;
    active->rtx_end = seq_min(conn->snd.una + conn->mss, conn->snd.nxt);
    active->rtx_forced = true;
    tcp_conn_wants_flush(conn);
}

static void acked_in_recovery(struct tcp_conn *conn, uint32_t bytes)
{
    struct tcp_active *active = conn->active;
    uint32_t flight = tcp_flight(conn);

    if (seq_leq(active->recover, conn->snd.una)) { /* all of it */
        uint32_t pipe = (flight > conn->mss ? flight : conn->mss) + conn->mss;

        conn->cwnd = pipe < conn->ssthresh ? pipe : conn->ssthresh;
        active->recovering = false;
        return;
    }
    conn->cwnd -= bytes < conn->cwnd ? bytes : conn->cwnd;
    conn->cwnd += conn->mss;
    again_first(conn);
}

void tcp_loss_acked(struct tcp_conn *conn, uint32_t bytes)
{
    struct tcp_active *active = conn->active;

    active->dup_acks = 0;
    /* What lies behind follows, or 2 GiB later it would lie ahead. */
    if (seq_lt(active->recover, conn->snd.una))
        active->recover = conn->snd.una - 1;
    active->rtx_next = seq_max(active->rtx_next, conn->snd.una);
    active->rtx_end = seq_max(active->rtx_end, active->rtx_next);
    if (active->rtx_next == active->rtx_end)
        active->rtx_forced = false;
    if (active->recovering)
        acked_in_recovery(conn, bytes);
    else
        tcp_cc_acked(conn, bytes);
}

void tcp_loss_duplicate(struct tcp_conn *conn)
{
    struct tcp_active *active = conn->active;

    if (active->dup_acks < UINT16_MAX)
        active->dup_acks++;
    if (active->recovering) {
        /* At most ssthresh of new data beyond what was in flight. */
        if (conn->cwnd < conn->ssthresh + (active->recover - conn->snd.una))
            conn->cwnd += conn->mss;
    } else if (active->dup_acks == DUPLICATES &&
               seq_lt(active->recover, conn->snd.una)) {
        tcp_cc_lost(conn);
        conn->cwnd = conn->ssthresh + DUPLICATES * conn->mss;
        active->recover = conn->snd.nxt;
        active->recovering = true;
        tcp_count(conn, tcp_fast_retransmit);
        again_first(conn);
    }
    tcp_conn_wants_flush(conn);
}

void tcp_loss_again(struct tcp_conn *conn)
{
    struct tcp_active *active = conn->active;

    active->rtx_next = conn->snd.una;
    active->rtx_end = conn->snd.nxt;
    active->rtx_forced = true;
    active->timing = false; /* Karn */
    tcp_conn_wants_flush(conn);
}

void tcp_loss_timeout(struct tcp_conn *conn)
{
    struct tcp_active *active = conn->active;

    if (conn->backoff == 0)
        tcp_cc_timed_out(conn);
    conn->cwnd = conn->mss;
    conn->cwnd_limited = true; /* what is lost waits for it: slow start */
    active->recover = conn->snd.nxt;
    active->recovering = false;
    active->dup_acks = 0;
    tcp_loss_again(conn);
}

uint32_t tcp_loss_extra(const struct tcp_conn *conn)
{
    const struct tcp_active *active = conn->active;

    if (active->recovering || active->dup_acks >= DUPLICATES)
        return 0;
    return active->dup_acks * (uint32_t)conn->mss;
}
