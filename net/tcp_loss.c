/*
 * net/tcp_loss.c - from loss to recovery and out of it.
 *
 * One detector: with SACK it is RACK-TLP (tcp_rack.c, tcp_probe.c), and no
 * duplicates are counted. A peer without SACK leaves only those: three, and
 * partial acknowledgements, tell of the first segment in flight (RFC 5681
 * 3.2, RFC 6582). What such duplicates say to have left the network counts as
 * arrived, so that new text replaces it; no more than is in flight, so that
 * forged ones gain little.
 *
 * A recovery that turns out to have been a mistake is undone: the peer's echo
 * shows that the first transmission had arrived (Eifel, RFC 3522), or its
 * D-SACKs that every other one had (RFC 3708 2). Without timestamps a time-out
 * is questioned by F-RTO: the first acknowledgement brings new text instead of
 * what seems lost, and if the second advances too, nothing was.
 *
 * Source: RFC 5681 3.2, RFC 6298 5, RFC 6582 3.2, RFC 8985 6.3, RFC 4015 3,
 * RFC 5682 2.1.
 */
#include "net/tcp_loss.h"

#include "net/tcp_board.h"
#include "net/tcp_cc.h"
#include "net/tcp_conn.h"
#include "net/tcp_paws.h"
#include "net/tcp_rack.h"
#include "net/tcp_rtt.h"

enum { DUP_THRESH = 3 };

/* ---- what is lost ---- */

/* The first segment in flight is lost. */
static uint32_t lose_first(struct tcp_conn *conn)
{
    struct tcp_record *first = conn->active->board.first;

    if (!first || first->fate != TCP_FLYING)
        return 0;
    if (first->end - first->seq > conn->mss &&
        !tcp_board_split(conn, first, first->seq + conn->mss))
        return 0; /* no memory: the timer does it */
    tcp_board_lose(conn, first);
    return first->end - first->seq;
}

/* A duplicate, of a peer without SACK. After a time-out, what arrives may have
 * been sent before (RFC 6582 4). */
static COLD uint32_t count_duplicate(struct tcp_conn *conn,
                                     struct tcp_news *news)
{
    struct tcp_active *active = conn->active;

    if (active->phase == TCP_PHASE_OPEN
            ? active->dup_acks >= DUP_THRESH
            : active->dup_bytes + conn->mss >= active->recover - conn->snd.una)
        return 0; /* all but the hole has arrived: no more can */
    active->dup_bytes += conn->mss;
    news->delivered += conn->mss;
    if (active->phase != TCP_PHASE_OPEN || ++active->dup_acks < DUP_THRESH ||
        !seq_lt(active->recover, conn->snd.una))
        return 0;
    return lose_first(conn);
}

static COLD uint32_t detect_by_count(struct tcp_conn *conn,
                                     struct tcp_news *news, bool duplicate)
{
    struct tcp_active *active = conn->active;
    uint32_t known;

    if (news->acked == 0)
        return duplicate && active->phase != TCP_PHASE_LOSS
                   ? count_duplicate(conn, news)
                   : 0;
    /* The hole is filled; of the rest duplicates have told. */
    known = news->acked > conn->mss ? news->acked - conn->mss : 0;
    if (known > active->dup_bytes)
        known = active->dup_bytes;
    active->dup_bytes -= known;
    news->delivered -= known;
    active->dup_acks = 0;
    if (active->phase != TCP_PHASE_RECOVERY ||
        !seq_lt(conn->snd.una, active->recover))
        return 0;
    active->forced = true; /* a partial acknowledgement: RFC 6582 3.2 (3) */
    return lose_first(conn);
}

/* ---- undo ---- */

static void undo_begin(struct tcp_conn *conn)
{
    conn->active->undo = (struct tcp_undo){
        .possible = true,
        .una = conn->snd.una,
        .end = conn->snd.nxt,
        .ts = tcp_ts_at(conn, conn->net->now_us),
    };
}

/* Whether all that was sent again had not been lost. */
static COLD bool was_mistaken(struct tcp_conn *conn, const struct tcp_seg *seg,
                              const struct tcp_news *news)
{
    struct tcp_active *active = conn->active;
    struct tcp_undo *undo = &active->undo;

    if (news->duplicate && undo->bytes &&
        seq_leq(undo->una, news->twice.start)) {
        uint32_t bytes = news->twice.end - news->twice.start;

        undo->bytes -= bytes < undo->bytes ? bytes : undo->bytes;
        if (undo->bytes == 0)
            return true;
    }
    /* In fast recovery the first of several may be late and others lost. */
    return conn->timestamps && news->acked && active->phase != TCP_PHASE_OPEN &&
           seq_lt(seg->ts_ecr, undo->ts) &&
           (active->phase == TCP_PHASE_LOSS ||
            seq_leq(active->recover, conn->snd.una));
}

/* Whether new text could go instead of what is lost. */
static bool has_new_text(const struct tcp_conn *conn)
{
    return tcp_unsent(conn) >= conn->mss &&
           conn->snd.wnd >= tcp_flight(conn) + conn->mss;
}

/*
 * F-RTO, of an acknowledgement after a time-out. Returns: whether it is of text
 * that went only once, before that: the time-out was a mistake.
 */
static COLD bool frto_acked(struct tcp_conn *conn, const struct tcp_news *news,
                            bool duplicate)
{
    struct tcp_active *active = conn->active;
    enum tcp_frto step = (enum tcp_frto)active->frto;

    if (step == TCP_FRTO_OFF || (!news->acked && !news->sacked && !duplicate))
        return false;
    active->frto = TCP_FRTO_OFF;
    if (news->acked && step == TCP_FRTO_SECOND)
        return true;
    if (news->acked && seq_lt(conn->snd.una, active->recover) &&
        seq_leq(active->undo.una + active->undo.bytes, conn->snd.una) &&
        has_new_text(conn)) {
        active->frto = TCP_FRTO_SECOND;
    } else if (step == TCP_FRTO_SECOND) { /* what is new fills cwnd */
        active->forced = true;
        tcp_conn_wants_flush(conn);
    }
    return false;
}

static void undo_check(struct tcp_conn *conn, const struct tcp_seg *seg,
                       const struct tcp_news *news, bool duplicate)
{
    struct tcp_active *active = conn->active;

    if (!active->undo.possible)
        return;
    if (frto_acked(conn, news, duplicate) || was_mistaken(conn, seg, news)) {
        tcp_count(conn, tcp_undone);
        tcp_board_lose_none(conn);
        tcp_cc_undo(conn);
        active->undo.possible = false;
        active->frto = TCP_FRTO_OFF;
        active->phase = TCP_PHASE_OPEN;
        conn->backoff = 0;
    } else if (active->phase == TCP_PHASE_OPEN &&
               seq_lt(active->undo.end, conn->snd.una)) {
        active->undo.possible = false; /* a round trip has told nothing */
    }
}

/* ---- recovery ---- */

static COLD void enter(struct tcp_conn *conn, const struct tcp_news *news)
{
    struct tcp_active *active = conn->active;

    tcp_count(conn, tcp_fast_retransmit);
    tcp_cc_lost(conn);
    tcp_prr_begin(conn, news);
    undo_begin(conn);
    active->recover = conn->snd.nxt;
    active->phase = TCP_PHASE_RECOVERY;
}

static COLD void leave(struct tcp_conn *conn)
{
    struct tcp_active *active = conn->active;

    if (active->phase == TCP_PHASE_RECOVERY)
        conn->cwnd = conn->ssthresh;
    active->phase = TCP_PHASE_OPEN;
    active->dup_bytes = 0;
    active->undo.end = conn->snd.nxt;
    tcp_rack_recovered(conn);
}

static void respond(struct tcp_conn *conn, const struct tcp_news *news)
{
    struct tcp_active *active = conn->active;
    enum tcp_phase before = (enum tcp_phase)active->phase;

    if (before != TCP_PHASE_OPEN && seq_leq(active->recover, conn->snd.una))
        leave(conn);
    if (active->phase == TCP_PHASE_OPEN && news->lost)
        enter(conn, news);
    if (active->phase == TCP_PHASE_RECOVERY)
        tcp_prr_acked(conn, news);
    else if (news->acked && before != TCP_PHASE_RECOVERY)
        tcp_cc_acked(conn, news->acked);
}

/* A probe has repaired the only loss: the network was congested all the same
 * (RFC 8985 7.4.2). */
static COLD void repaired(struct tcp_conn *conn)
{
    if (conn->active->phase != TCP_PHASE_OPEN)
        return;
    tcp_cc_lost(conn);
    if (conn->cwnd > conn->ssthresh)
        conn->cwnd = conn->ssthresh;
}

static void advanced(struct tcp_conn *conn)
{
    struct tcp_active *active = conn->active;

    /* What lies behind follows, or 2 GiB later it would lie ahead. */
    if (seq_lt(active->recover, conn->snd.una))
        active->recover = conn->snd.una - 1;
    if (tcp_flight(conn))
        active->rto_at_us = tcp_timer_rto_at(conn); /* armed with the probe */
    else
        tcp_timer_rtx_off(conn);
}

void tcp_loss_ack(struct tcp_conn *conn, const struct tcp_seg *seg,
                  uint32_t acked, bool duplicate)
{
    struct tcp_news news = {.acked = acked};

    if (acked) {
        conn->active->forced = false;
        conn->active->probe_due = false;
    }
    tcp_board_acked(conn, seg, &news);
    if (conn->sack && seg->sack_count)
        tcp_board_sacked(conn, seg, &news);
    tcp_rtt_measure(conn, seg, &news);
    undo_check(conn, seg, &news, duplicate);
    if (conn->sack) {
        if (tcp_probe_acked(conn, seg, &news))
            repaired(conn);
        tcp_rack_adapt(conn, &news);
        news.lost = tcp_rack_detect(conn);
    } else {
        news.lost = detect_by_count(conn, &news, duplicate);
    }
    respond(conn, &news);
    if (news.delivered || news.lost)
        tcp_conn_wants_flush(conn);
    if (acked)
        advanced(conn);
    if (tcp_flight(conn))
        tcp_probe_schedule(conn);
}

void tcp_loss_reorder_due(struct tcp_conn *conn)
{
    struct tcp_news news = {.lost = tcp_rack_detect(conn)};

    respond(conn, &news);
    tcp_conn_wants_flush(conn);
    tcp_timer_loss(conn);
}

void tcp_loss_again(struct tcp_conn *conn)
{
    const struct tcp_record *first = conn->active->board.first;

    tcp_board_lose_all(conn, first && first->fate == TCP_SACKED);
    conn->active->forced = true;
    tcp_conn_wants_flush(conn);
}

void tcp_loss_timeout(struct tcp_conn *conn)
{
    struct tcp_active *active = conn->active;

    active->frto = conn->timestamps || active->phase == TCP_PHASE_LOSS
                       ? TCP_FRTO_OFF
                       : TCP_FRTO_FIRST;
    if (conn->backoff == 0 || active->phase != TCP_PHASE_LOSS) {
        tcp_cc_timed_out(conn);
        undo_begin(conn);
    }
    tcp_rack_timeout(conn);
    conn->cwnd = conn->mss;
    conn->cwnd_limited = true; /* what is lost waits for it: slow start */
    active->recover = conn->snd.nxt;
    active->phase = TCP_PHASE_LOSS;
    active->probe_flying = false;
    active->probe_due = false;
    active->dup_acks = 0;
    active->dup_bytes = 0;
    active->reorder_at_us = FOREVER;
    active->probe_at_us = FOREVER;
    active->forced = true;
    tcp_conn_wants_flush(conn);
}

void tcp_loss_sent(struct tcp_conn *conn, uint32_t bytes, bool again)
{
    struct tcp_active *active = conn->active;

    if (active->phase == TCP_PHASE_RECOVERY)
        active->prr.out += bytes;
    if (again && active->undo.possible && active->phase != TCP_PHASE_OPEN)
        active->undo.bytes += bytes;
}
