/*
 * tests/sim/observer_time.c - when a segment may be sent, and when it must.
 *
 * Source: RFC 9293 3.8.6.2.1 (silly window, Nagle), 3.8.6.3 and RFC 5681 4.2
 * (ACKs); RFC 6298 5, RFC 8985 7 (retransmission); RFC 3168 6.1.3.
 */
#include <string.h>

#include "tests/sim/observer_priv.h"

enum {
    SLACK_US = 10000,        /* of turns that are taken late */
    ACK_US = 500000,         /* MUST-40 */
    PATH_TEXT_MIN = 512 - 52 /* of the smallest path that is probed */
};

static const struct observer_sent *sent_at(const struct observer_end *end,
                                           uint32_t seq)
{
    for (unsigned i = 0; i < end->sent_count; i++)
        if (!seg_before(seq, end->sent[i].seq) &&
            seg_before(seq, end->sent[i].end))
            return &end->sent[i];
    return NULL;
}

/* --- heard ---------------------------------------------------------------- */

static void heard_ecn(struct look *look)
{
    struct observer_end *end = look->end;
    const struct segment *seg = look->seg;

    if (seg->flags & SEG_SYN)
        return;
    if (seg->flags & SEG_ECE)
        end->ece_seen = true;
    if (seg->flags & SEG_CWR)
        end->ce_owed = false;
    if (seg->ecn == ECN_CE && seg->len) {
        end->ce_seen = true;
        /* Owed is only what is new and lies in the window; nothing where the
         * acknowledgement is far too old (RFC 5961 5). */
        if (!seg_before(seg->ack, end->una) &&
            !seg_before(seg->seq, observer_frontier(end)) &&
            !seg_before(end->edge, look_end(look)))
            end->ce_owed = true;
    }
}

/* Text that must be taken, if it can be: what is owed for it. */
static void heard_text(struct look *look)
{
    struct observer_end *end = look->end;
    const struct segment *seg = look->seg;
    uint32_t frontier = observer_frontier(end), full;

    /* Where its acknowledgement is far too old, RFC 5961 5 drops it. */
    if (!end->open || !(seg->flags & SEG_ACK) || seg->flags & SEG_SYN ||
        seg_before(seg->ack, end->una) || seg_before(end->top, seg->ack) ||
        !seg_numbers(seg) || seg_before(end->edge, look_end(look)))
        return;
    /* Again for certain, or out of order for certain: in between lies what the
     * stack may have had no room for. */
    if (!seg_before(end->ack, look_end(look)) ||
        seg_before(frontier, seg->seq)) {
        end->ack_now = true;
        return;
    }
    if (!seg_before(frontier, look_end(look)))
        return;
    if (end->ack_by_us == UINT64_MAX)
        end->ack_by_us = look->now_us + ACK_US;
    full = end->said.mss - (observer_both_ts(end) ? 12u : 0);
    if (seg->len >= full && seg->len && seg->seq == frontier)
        end->full_segments++;
}

/* The shortest round trip; a second transmission makes it shorter still. */
static void measure(struct look *look)
{
    struct observer_end *end = look->end;
    const struct observer_sent *sent = sent_at(end, look->seg->ack - 1);

    if (sent && seg_before(end->una, look->seg->ack) &&
        look->now_us - sent->us < end->rtt_min_us)
        end->rtt_min_us = look->now_us - sent->us;
}

void observer_time_in(struct look *look)
{
    struct observer_end *end = look->end;
    const struct segment *seg = look->seg;

    heard_ecn(look);
    heard_text(look);
    if (seg->flags & SEG_FIN)
        end->heard_fin = true;
    if (seg->flags & SEG_ACK && end->open)
        measure(look);
    end->quiet = false;
    end->gap_us = 0;
    if (seg->flags & SEG_ACK && seg_before(seg->ack, end->top))
        end->doubt_us = look->now_us;
}

/* --- sent ----------------------------------------------------------------- */

/* Small is what its sender has no more of, that fills no half of a segment,
 * and not what a path makes so (RFC 8899 begins with packets of 512 bytes). A
 * probe for a lost tail takes it whatever Nagle says: RFC 8985 7.3. */
static void rule_nagle(struct look *look)
{
    struct observer_end *end = look->end;
    const struct observer *observer = look->observer;
    const struct segment *seg = look->seg;
    uint32_t full =
        end->said.mss < end->heard.mss ? end->said.mss : end->heard.mss;

    if (!seg->len || !(seg->flags & SEG_PSH) || seg->len >= full / 2 ||
        seg->len >= PATH_TEXT_MIN || seg_before(seg->seq, end->top) ||
        seg->flags & SEG_FIN)
        return;
    if (observer->has_nagle && observer->has_nagle(observer->context, seg) &&
        seg_before(end->una, end->small_end) && seg->len < end->wnd_max / 2 &&
        look->now_us < end->sent_us + 2 * end->rtt_min_us &&
        look->now_us < end->una_us + look->host->rto_min_us &&
        seg_before(seg->seq + seg->len, end->limit))
        observer_broken(look, "one small segment at a time (Nagle, RFC 9293 "
                              "3.7.4)");
    if (!seg_before(end->limit, seg->seq + seg->len)) /* not a probe's byte */
        end->small_end = seg->seq + seg->len;
}

/* Whether something was heard since a segment was last sent that may show its
 * loss; what is not known counts as a yes. */
static bool is_in_doubt(const struct look *look,
                        const struct observer_sent *sent)
{
    const struct observer_end *end = look->end;

    return look->host->starves || !sent ||
           look->host->answer_us == look->now_us ||
           (end->doubt_us && end->doubt_us >= sent->us);
}

/* Sent again without having heard anything: only after a time-out. Its timer
 * runs from when the segment was sent or, as sending again need not restart it
 * (RFC 6298 5.1), from when the last acknowledgement came. */
static void rule_timeout(struct look *look, const struct observer_sent *sent)
{
    struct observer_end *end = look->end;
    uint64_t now_us = look->now_us + SLACK_US;
    uint64_t least_us = end->rtt_min_us;

    /* A probe for a lost tail may come after two round trips, which the sender
     * knows better: SACK tells him of shorter ones. */
    if (least_us > look->host->rto_min_us || !end->open)
        least_us = look->host->rto_min_us;
    if (now_us - sent->us < least_us &&
        now_us - end->una_us < look->host->rto_min_us)
        observer_broken(look, "nothing is sent again without a loss or a "
                              "time-out");
}

/* RFC 6298 5.5: each time-out doubles the next. */
static void rule_backoff(struct look *look)
{
    struct observer_end *end = look->end;
    uint64_t gap_us = look->now_us - end->again_us, least_us;

    if (look->host->starves || look->host->sleeps)
        return;
    if (look->host->ask_us >= end->again_us)
        end->quiet = false; /* it may have waited for ARP */
    if (end->quiet && end->again_seq == look->seg->seq) {
        least_us = look->host->rto_min_us;
        if (2 * end->gap_us > least_us)
            least_us = 2 * end->gap_us;
        if (least_us > look->host->rto_max_us)
            least_us = look->host->rto_max_us;
        if (gap_us + SLACK_US < least_us)
            observer_broken(look, "time-outs double (RFC 6298 5.5)");
        end->gap_us = gap_us;
    } else {
        end->gap_us = 0;
    }
    end->again_seq = look->seg->seq;
    end->again_us = look->now_us;
    end->quiet = true;
}

/* Numbers that were sent before; not a SYN's: several may have waited for one
 * answer to ARP. */
static void sent_again(struct look *look)
{
    struct observer_end *end = look->end;
    const struct observer_sent *sent = sent_at(end, look->seg->seq);

    if (is_in_doubt(look, sent)) {
        if (look->seg->seq == end->una)
            end->quiet = false;
        return;
    }
    rule_timeout(look, sent);
    if (look->seg->seq == end->una)
        rule_backoff(look);
}

void observer_time_out(struct look *look)
{
    struct observer_end *end = look->end;
    const struct segment *seg = look->seg;

    if (seg->flags & SEG_RST)
        return;
    rule_nagle(look);
    if (seg_numbers(seg) && seg_before(seg->seq, end->top) &&
        !(seg->flags & SEG_SYN))
        sent_again(look);
    if (end->una == end->top)
        end->una_us = look->now_us; /* nothing was in flight */
    if (seg->flags & SEG_ACK) {
        end->full_segments = 0;
        end->ack_now = false;
        end->ack_by_us = UINT64_MAX;
    }
}

static void note(struct observer_end *end, uint32_t seq, uint32_t to,
                 uint64_t us)
{
    if (seg_before(seq, to) && end->sent_count < OBSERVER_SENT)
        end->sent[end->sent_count++] = (struct observer_sent){seq, to, us};
}

/* Note when each number was sent last; what there is no room for is not
 * watched. */
void observer_time_sent(struct look *look)
{
    struct observer_end *end = look->end;
    uint32_t seq = look->seg->seq, after = look_end(look);
    struct observer_sent before[OBSERVER_SENT];
    unsigned count = end->sent_count;

    if (seq == after)
        return;
    end->sent_us = look->now_us;
    memcpy(before, end->sent, count * sizeof(before[0]));
    end->sent_count = 0;
    for (unsigned i = 0; i < count; i++) {
        const struct observer_sent *old = &before[i];

        if (!seg_before(end->una, old->end))
            continue; /* acknowledged */
        if (!seg_before(seq, old->end) || !seg_before(old->seq, after)) {
            note(end, old->seq, old->end, old->us);
            continue;
        }
        if (seg_before(old->seq, seq))
            note(end, old->seq, seq, old->us);
        if (seg_before(after, old->end))
            note(end, after, old->end, old->us);
    }
    note(end, seq, after, look->now_us);
}

/* --- owed ----------------------------------------------------------------- */

void observer_time_turned(struct look *look)
{
    struct observer_end *end = look->end;
    bool over = end->fin && end->una == end->fin_end && end->heard_fin;

    if (look->host->starves || look->host->asks || look->host->drops ||
        !end->open || !end->heard.there || over)
        return;
    if (end->full_segments >= 2)
        observer_broken(look, "an ACK for every second full segment "
                              "(SHLD-19)");
    if (end->ack_now)
        observer_broken(look, "what is out of order, or comes again, is "
                              "acknowledged at once (RFC 5681 4.2)");
    if (!look->host->sleeps && end->ack_by_us < look->now_us)
        observer_broken(look, "an ACK is delayed for less than 500 ms "
                              "(MUST-40)");
}
