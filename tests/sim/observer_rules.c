/*
 * tests/sim/observer_rules.c - what a segment may say, one function a rule.
 *
 * Source: RFC 9293 3.4, 3.7.1, 3.8.6, 3.10; RFC 7323 2 to 5; RFC 2018 3, 4;
 * RFC 2883 4; RFC 3168 6.1; RFC 6691; RFC 791; RFC 6864.
 */
#include "tests/sim/observer_priv.h"

static void rule_ip(struct look *look)
{
    const uint8_t *ip = look->packet->bytes + PACKET_ETH;

    if (seg_get16(ip + 2) + PACKET_ETH != look->packet->len)
        observer_broken(look, "the packet is as long as it says");
    if (!packet_ip_sum_ok(look->packet))
        observer_broken(look, "the header's checksum is right");
    if (!packet_tcp_sum_ok(look->packet))
        observer_broken(look, "the checksum is right (MUST-2)");
    if (!(ip[6] & 0x40) || seg_get16(ip + 4) != 0)
        observer_broken(look, "DF, and an id of 0 (RFC 6864 4.1)");
    if (ip[8] < 16)
        observer_broken(look, "a TTL that goes far");
    if ((ip + PACKET_IP)[12] & 15)
        observer_broken(look, "reserved bits are zero");
    if (!look->seg->well_formed)
        observer_broken(look, "options are well formed");
    if (look->seg->flags & SEG_URG)
        observer_broken(look, "nothing is urgent unless somebody asks");
}

static void rule_syn(struct look *look)
{
    const struct segment *seg = look->seg;
    const struct observer_syn *said = &look->end->said;
    bool answer = seg->flags & SEG_ACK;

    if (!(seg->flags & SEG_SYN)) {
        if (seg->has_mss || seg->has_shift || seg->has_sack_ok)
            observer_broken(look, "MSS, window scale and SACK-permitted stand "
                                  "on SYN alone (MUST-65)");
        return;
    }
    if (said->number == seg->seq &&
        (said->mss != (seg->has_mss ? seg->mss : 536) ||
         (said->has_shift && seg->has_shift && said->shift != seg->shift)))
        observer_broken(look, "a SYN that is sent again asks for the same");
    if (answer && seg->has_shift && !look->end->heard.has_shift)
        observer_broken(look, "window scale only in answer to one "
                              "(RFC 7323 2.2)");
    if (answer && seg->has_sack_ok && !look->end->heard.sack_ok)
        observer_broken(look, "SACK-permitted only in answer to one");
    if (answer && seg->has_ts && !look->end->heard.ts)
        observer_broken(look, "timestamps only in answer to some "
                              "(RFC 7323 3.2)");
    if (seg->has_shift && seg->shift > 14)
        observer_broken(look, "a shift of at most 14 (RFC 7323 2.3)");
    if (seg->len || seg->flags & (SEG_FIN | SEG_RST))
        observer_broken(look, "a SYN is a SYN, without text or end");
    if (!seg->has_mss)
        observer_broken(look, "a SYN says an MSS (SHLD-5)");
}

static void rule_sequence(struct look *look)
{
    const struct observer_end *end = look->end;
    const struct segment *seg = look->seg;
    uint32_t after = look_end(look);

    if (seg_before(end->top, seg->seq) && !look->host->drops)
        observer_broken(look, "no hole in what is sent");
    if (end->fin && seg_before(end->fin_end, after))
        observer_broken(look, "nothing after FIN");
    if (end->fin && seg->flags & SEG_FIN && after != end->fin_end)
        observer_broken(look, "FIN stays where it is");
    if (!end->fin && seg->flags & SEG_FIN && seg_before(after, end->top))
        observer_broken(look, "FIN comes after what was sent");
    if (!end->open && (seg->len || seg->flags & SEG_FIN))
        observer_broken(look, "text waits for the handshake");
}

static void rule_window(struct look *look)
{
    const struct observer_end *end = look->end;
    const struct segment *seg = look->seg;
    uint32_t after = seg->seq + seg->len;

    if (!seg->len)
        return;
    /* One byte more is a probe of a closed window (3.8.6.1). */
    if (seg_before(end->limit + (seg->len == 1), after))
        observer_broken(look, "text stays inside the window");
    if (seg->len > observer_text_max(look) && seg->len > 64)
        observer_broken(look, "text and options of at most one MSS (MUST-16, "
                              "RFC 6691)");
}

static void rule_ack(struct look *look)
{
    const struct observer_end *end = look->end;
    const struct segment *seg = look->seg;

    if (!(seg->flags & SEG_ACK)) {
        if (!(seg->flags & SEG_SYN))
            observer_broken(look, "every segment but the first SYN has ACK");
        return;
    }
    if (seg_before(observer_frontier(end), seg->ack))
        observer_broken(look, "no acknowledgement of what never came");
    if (end->acked && seg_before(seg->ack, end->ack))
        observer_broken(look, "acknowledgements do not go back");
}

static void rule_edge(struct look *look)
{
    const struct observer_end *end = look->end;
    const struct segment *seg = look->seg;
    bool scaled = end->said.has_shift && end->heard.has_shift;
    uint32_t unit = scaled ? 1u << end->said.shift : 1;
    uint32_t edge = seg->ack + seg->window * unit;
    uint32_t least = look->host->rcv_buf_bytes / 2;

    if (seg->flags & SEG_SYN || !(seg->flags & SEG_ACK) || !end->acked)
        return;
    if (least > end->said.mss)
        least = end->said.mss;
    /* What is left of a window is no multiple of its scale (RFC 7323 2.4). */
    if (seg_before(edge + unit - 1, end->edge))
        observer_broken(look, "the right edge does not move left (SHLD-14)");
    /* Rounding takes and gives less than a unit each time, FIN gives one. */
    if (seg_before(end->edge + 4 * unit, edge) &&
        edge - end->edge + unit <= least && seg->window)
        observer_broken(look, "no silly window is offered (MUST-39)");
}

static void rule_sack(struct look *look)
{
    const struct observer_end *end = look->end;
    const struct segment *seg = look->seg;

    if (!seg->sacks)
        return;
    if (!observer_both_sack(end) || seg->flags & (SEG_SYN | SEG_RST))
        observer_broken(look, "SACK only where it is permitted (RFC 2018 2)");
    for (unsigned i = 0; i < seg->sacks; i++) {
        const uint32_t *block = seg->sack[i];
        bool inside = i == 0 && seg->sacks > 1 &&
                      !seg_before(block[0], seg->sack[1][0]) &&
                      !seg_before(seg->sack[1][1], block[1]);

        if (!seg_before(block[0], block[1]))
            observer_broken(look, "a SACK block has a beginning and an end");
        if (!observer_has_come(end, block[0], block[1]))
            observer_broken(look, "SACK tells of what has come (RFC 2018 4)");
        if (!seg_before(seg->ack, block[0]) && i > 0)
            observer_broken(look, "D-SACK is the first block (RFC 2883 4)");
        if (i == 0 && seg_before(block[0], seg->ack) &&
            seg_before(seg->ack, block[1]))
            observer_broken(look, "a block does not span the ACK");
        for (unsigned n = 0; n < i; n++)
            if (seg_before(block[0], seg->sack[n][1]) &&
                seg_before(seg->sack[n][0], block[1]) && !(n == 0 && inside) &&
                n > 0)
                observer_broken(look, "blocks do not overlap");
    }
}

static void rule_timestamps(struct look *look)
{
    const struct observer_end *end = look->end;
    const struct segment *seg = look->seg;
    bool known = !(seg->flags & SEG_ACK);

    if (!seg->has_ts) {
        if (observer_both_ts(end) && end->said.there && !(seg->flags & SEG_SYN))
            observer_broken(look, "timestamps on every segment, once agreed "
                                  "(RFC 7323 3.2)");
        return;
    }
    if (!(seg->flags & SEG_SYN) && !observer_both_ts(end))
        observer_broken(look, "timestamps only where agreed");
    if (end->has_ts_val && seg_before(seg->ts_val, end->ts_val))
        observer_broken(look, "timestamps do not go back");
    for (unsigned i = 0; i < end->stamps && i < OBSERVER_STAMPS; i++)
        known |= end->stamp[i] == seg->ts_ecr;
    if (!known && end->stamps <= OBSERVER_STAMPS)
        observer_broken(look, "what a timestamp echoes has come");
}

static void rule_ecn(struct look *look)
{
    const struct observer_end *end = look->end;
    const struct segment *seg = look->seg;
    bool both = observer_both_ecn(end);

    if (seg->flags & SEG_SYN) {
        if (seg->ecn)
            observer_broken(look, "no ECT on a SYN (RFC 3168 6.1.1)");
        return;
    }
    if (!both && (seg->ecn || seg->flags & (SEG_ECE | SEG_CWR)))
        observer_broken(look, "ECN only where both want it");
    if (seg->ecn == ECN_CE)
        observer_broken(look, "CE is said by routers alone");
    if (seg->ecn && !seg->len)
        observer_broken(look, "no ECT on a pure ACK (RFC 3168 6.1.4)");
    if (seg->ecn && seg_before(seg->seq, end->top))
        observer_broken(look, "no ECT on what is sent again (RFC 3168 6.1.5)");
    if (seg->flags & SEG_ECE && !end->ce_seen)
        observer_broken(look, "ECE only after CE");
    /* Who has sent FIN has no window any more to make smaller. Who lacks memory
     * may have given ECN up with a SYN that never left, and so may who has lost
     * what waited for ARP. */
    if (both && end->ce_owed && !(seg->flags & SEG_ECE) &&
        !look->host->starves && !look->host->drops &&
        !(end->fin && end->heard_fin))
        observer_broken(look, "ECE until CWR comes (RFC 3168 6.1.3)");
    if (seg->flags & SEG_CWR && !end->ece_seen && !end->fin && seg->len == 0)
        observer_broken(look, "CWR goes with text");
}

static void rule_text(struct look *look)
{
    const struct observer *observer = look->observer;
    const struct segment *seg = look->seg;

    if (seg->len && observer->text_is_right &&
        !observer->text_is_right(observer->context, seg,
                                 seg->seq - look->end->said.number - 1))
        observer_broken(look, "a byte of the stream is the same each time");
}

/* RFC 9293 3.10.7.1, 3.5.2. */
static void rule_rst(struct look *look)
{
    const struct observer_end *end = look->end;
    const struct segment *seg = look->seg;

    if (seg->len || seg->flags & (SEG_FIN | SEG_SYN))
        observer_broken(look, "a RST says nothing else");
    /* The connection's own next number, or the one that a peer has said; 0 in
     * answer to a segment that says none. */
    if (end->open && !end->dead && (seg->seq || !(seg->flags & SEG_ACK)) &&
        seg_before(end->top, seg->seq))
        observer_broken(look, "a RST has a number that the peer expects");
}

void observer_rules(struct look *look)
{
    static void (*const rules[])(struct look * look) = {
        rule_syn,  rule_sequence,   rule_window, rule_ack,  rule_edge,
        rule_sack, rule_timestamps, rule_ecn,    rule_text,
    };

    rule_ip(look);
    if (look->seg->flags & SEG_RST) {
        rule_rst(look);
        return;
    }
    if (!look->end->said.there)
        return;
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        rules[i](look);
}
