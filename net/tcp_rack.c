/*
 * net/tcp_rack.c - RACK: loss is what did not arrive, although something that
 * was sent later did, a reordering window ago.
 *
 * A burst has one time of sending, so that its parts are told apart by their
 * numbers alone, as the RFC tells apart segments of one moment.
 *
 * Source: RFC 8985 6.2, 6.3.
 */
#include "net/tcp_rack.h"

#include "net/tcp_conn.h"
#include "net/tcp_paws.h"

enum {
    DUP_THRESH = 3,    /* segments */
    DSACK_PERSIST = 16 /* recoveries that a wider window lasts */
};

/* RACK_sent_after(). */
static bool sent_after(uint64_t a_us, uint32_t a_end, uint64_t b_us,
                       uint32_t b_end)
{
    return a_us > b_us || (a_us == b_us && seq_lt(b_end, a_end));
}

/* Whether the acknowledgement may be that of an earlier transmission. */
static bool is_ambiguous(const struct tcp_conn *conn, const struct tcp_seg *seg,
                         const struct tcp_record *record, uint64_t rtt_us)
{
    if (!record->again)
        return false;
    if (conn->timestamps)
        return seq_lt(seg->ts_ecr, tcp_ts_at(conn, record->sent_us));
    return rtt_us < conn->rtt_min_us;
}

void tcp_rack_delivered(struct tcp_conn *conn, const struct tcp_seg *seg,
                        const struct tcp_record *record, uint32_t end)
{
    struct tcp_rack *rack = &conn->active->rack;
    uint64_t rtt_us = conn->net->now_us - record->sent_us;

    if (seq_lt(rack->fack, end))
        rack->fack = end;
    else if (seq_lt(end, rack->fack) && !record->again)
        conn->reordered = true;
    if (is_ambiguous(conn, seg, record, rtt_us) ||
        !sent_after(record->sent_us, end, rack->sent_us, rack->end))
        return;
    rack->sent_us = record->sent_us;
    rack->end = end;
    rack->rtt_us = rtt_us < UINT32_MAX ? (uint32_t)rtt_us : UINT32_MAX;
}

void tcp_rack_adapt(struct tcp_conn *conn, const struct tcp_news *news)
{
    struct tcp_rack *rack = &conn->active->rack;

    if (rack->in_round && seq_leq(rack->round_end, conn->snd.una))
        rack->in_round = false;
    if (!news->duplicate || rack->in_round)
        return;
    rack->in_round = true;
    rack->round_end = conn->snd.nxt;
    if (conn->reo_steps < UINT8_MAX)
        conn->reo_steps++;
    conn->reo_persist = DSACK_PERSIST;
}

void tcp_rack_recovered(struct tcp_conn *conn)
{
    if (conn->reo_persist > 0 && --conn->reo_persist == 0)
        conn->reo_steps = 0;
}

uint32_t tcp_rack_window_us(const struct tcp_conn *conn)
{
    const struct tcp_active *active = conn->active;
    uint64_t window_us =
        (uint64_t)conn->rtt_min_us / 4 * (conn->reo_steps + 1u);

    if (!conn->reordered &&
        (active->phase != TCP_PHASE_OPEN ||
         active->board.sacked_bytes > (DUP_THRESH - 1u) * conn->mss))
        return 0;
    return window_us < conn->srtt_us ? (uint32_t)window_us : conn->srtt_us;
}

uint32_t tcp_rack_detect(struct tcp_conn *conn)
{
    struct tcp_active *active = conn->active;
    const struct tcp_rack *rack = &active->rack;
    uint64_t now_us = conn->net->now_us, wait_us, last_us = 0;
    uint32_t lost = active->board.lost_bytes;

    active->reorder_at_us = FOREVER;
    if (rack->sent_us == 0)
        return 0;
    wait_us = (uint64_t)rack->rtt_us + tcp_rack_window_us(conn);
    for (struct tcp_record *at = active->board.first; at; at = at->next) {
        if (at->fate != TCP_FLYING)
            continue;
        if (!sent_after(rack->sent_us, rack->end, at->sent_us, at->end)) {
            if (active->board.again_count == 0)
                break; /* all that follows was sent later still */
        } else if (at->sent_us + wait_us <= now_us) {
            tcp_board_lose(conn, at);
        } else if (last_us < at->sent_us + wait_us) {
            last_us = at->sent_us + wait_us;
        }
    }
    if (last_us)
        active->reorder_at_us = last_us;
    return active->board.lost_bytes - lost;
}

/* All that was sent a round trip ago, and the first whenever it was. A first
 * that the peer said it had shows that it has dropped what it had: RFC 2018 8.
 * That test replaces forgetting everything at each time-out: RFC 6675 5.1. */
void tcp_rack_timeout(struct tcp_conn *conn)
{
    struct tcp_active *active = conn->active;
    struct tcp_record *first = active->board.first;
    uint64_t wait_us =
        (uint64_t)(active->rack.rtt_us > conn->srtt_us ? active->rack.rtt_us
                                                       : conn->srtt_us) +
        tcp_rack_window_us(conn);

    if (!conn->sack || first->fate == TCP_SACKED) {
        if (first->fate == TCP_SACKED)
            tcp_count(conn, tcp_reneged);
        tcp_board_lose_all(conn, true);
        return;
    }
    for (struct tcp_record *at = first; at; at = at->next)
        if (at->fate == TCP_FLYING &&
            (at == first || at->sent_us + wait_us <= conn->net->now_us))
            tcp_board_lose(conn, at);
    tcp_board_join_lost(conn);
}
