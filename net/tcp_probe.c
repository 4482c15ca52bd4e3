/*
 * net/tcp_probe.c - tail loss probes.
 *
 * When the last segments of a flight are lost, nothing that arrives tells of
 * it. After two round trips one segment more asks for an acknowledgement,
 * whose SACK blocks then tell RACK, long before the retransmission timer. When
 * that is, net/tcp_probe.h says.
 *
 * Source: RFC 8985 7.
 */
#include "net/tcp_probe.h"

#include "net/tcp_conn.h"
#include "net/tcp_rack.h"

void tcp_probe_schedule(struct tcp_conn *conn)
{
    struct tcp_active *active = conn->active;

    active->probe_at_us = FOREVER;
    if (tcp_flight(conn) && active->phase == TCP_PHASE_OPEN &&
        active->board.sacked_bytes == 0 && active->board.lost_bytes == 0 &&
        !active->probe_flying)
        active->probe_at_us = tcp_probe_time(conn);
    tcp_timer_loss(conn);
}

void tcp_probe_now(struct tcp_conn *conn)
{
    conn->active->probe_due = true;
    conn->active->probe_at_us = FOREVER;
    tcp_conn_wants_flush(conn);
    tcp_timer_rtx(conn);
}

void tcp_probe_sent(struct tcp_conn *conn, bool again)
{
    struct tcp_active *active = conn->active;

    active->probe = (struct tcp_probe){.end = conn->snd.nxt, .again = again};
    active->probe_flying = true;
    active->probe_due = false;
    tcp_count(conn, tcp_loss_probe);
    tcp_timer_rtx(conn);
}

bool tcp_probe_acked(struct tcp_conn *conn, const struct tcp_seg *seg,
                     const struct tcp_news *news)
{
    struct tcp_active *active = conn->active;
    const struct tcp_probe *probe = &active->probe;

    if (!active->probe_flying || seq_lt(seg->ack, probe->end))
        return false;
    if (!probe->again || (news->duplicate && news->twice.end == probe->end)) {
        active->probe_flying = false; /* both arrived, or it was new text */
        return false;
    }
    if (seq_lt(probe->end, seg->ack)) {
        active->probe_flying = false; /* one arrived: the other was lost */
        return true;
    }
    if (news->acked == 0 && seg->text_bytes == 0 && seg->sack_count == 0)
        active->probe_flying = false; /* a peer without D-SACK: both arrived */
    return false;
}
