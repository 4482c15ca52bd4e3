/*
 * net/tcp_probe.c - tail loss probes.
 *
 * When the last segments of a flight are lost, nothing that arrives tells of
 * it. After two round trips one segment more asks for an acknowledgement,
 * whose SACK blocks then tell RACK, long before the retransmission timer.
 *
 * Source: RFC 8985 7.
 */
#include "net/tcp_conn.h"
#include "net/tcp_rack.h"

enum {
    ACK_DELAY_US = 200000, /* TLP.max_ack_delay: 7.2 */
    SLACK_US = 2000,       /* batching at both ends: on a short path two round
                              trips are less */
    UNKNOWN_RTT_US = 1000000
};

/* TLP_calc_PTO(), but for the bound by the retransmission timer. */
static uint64_t probe_delay_us(const struct tcp_conn *conn)
{
    uint64_t delay_us = UNKNOWN_RTT_US;

    if (conn->srtt_us)
        delay_us = 2 * (uint64_t)conn->srtt_us + SLACK_US;
    if (tcp_flight(conn) <= conn->mss)
        delay_us += ACK_DELAY_US;
    return delay_us;
}

/* Whether the end of the flight is watched. */
static INLINE bool is_watched(const struct tcp_conn *conn)
{
    const struct tcp_active *active = conn->active;

    return conn->sack && tcp_flight(conn) && conn->snd.wnd &&
           active->phase == TCP_PHASE_OPEN && active->board.sacked_bytes == 0 &&
           active->board.lost_bytes == 0 && !active->probe.flying;
}

void tcp_probe_schedule(struct tcp_conn *conn)
{
    struct tcp_active *active = conn->active;
    uint64_t at_us;

    if (!is_watched(conn)) {
        active->probe_at_us = FOREVER;
        tcp_timer_loss(conn);
        return;
    }
    at_us = conn->net->now_us + probe_delay_us(conn);
    if (active->rto_at_us < at_us)
        at_us = active->rto_at_us;
    active->probe_at_us = at_us;
    if (active->reorder_at_us < at_us)
        at_us = active->reorder_at_us;
    tcp_deadline_set(conn, TCP_DEADLINE_RTX, at_us); /* tcp_timer_loss() */
}

void tcp_probe_now(struct tcp_conn *conn)
{
    conn->active->probe.due = true;
    conn->active->probe_at_us = FOREVER;
    tcp_conn_wants_flush(conn);
    tcp_timer_rtx(conn);
}

void tcp_probe_sent(struct tcp_conn *conn, bool again)
{
    conn->active->probe = (struct tcp_probe){
        .end = conn->snd.nxt,
        .flying = true,
        .again = again,
    };
    tcp_count(conn, tcp_loss_probe);
    tcp_timer_rtx(conn);
}

bool tcp_probe_acked(struct tcp_conn *conn, const struct tcp_seg *seg,
                     const struct tcp_news *news)
{
    struct tcp_probe *probe = &conn->active->probe;

    if (!probe->flying || seq_lt(seg->ack, probe->end))
        return false;
    if (!probe->again || (news->duplicate && news->twice.end == probe->end)) {
        probe->flying = false; /* both arrived, or it was new text */
        return false;
    }
    if (seq_lt(probe->end, seg->ack)) {
        probe->flying = false; /* one arrived: the other was lost */
        return true;
    }
    if (news->acked == 0 && seg->text_bytes == 0 && seg->sack_count == 0)
        probe->flying = false; /* a peer without D-SACK: both arrived */
    return false;
}
