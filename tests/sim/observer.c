/*
 * tests/sim/observer.c - what each end has said and heard.
 */
#include "tests/sim/observer_priv.h"

#include <stdio.h>
#include <string.h>

enum { ROUTER = 254 /* the last byte of its address */ };

void observer_broken(struct look *look, const char *rule)
{
    struct observer *observer = look->observer;
    const struct observer_end *end = look->end;
    char text[200] = "";
    int used;

    if (observer->broken)
        return;
    observer->broken = rule;
    if (look->seg)
        packet_print(look->seg, end ? end->said.number : 0,
                     end ? end->heard.number : 0, text, sizeof(text));
    used = snprintf(observer->detail, sizeof(observer->detail), "%s", text);
    if (end && used >= 0 && used < (int)sizeof(observer->detail))
        snprintf(observer->detail + used,
                 sizeof(observer->detail) - (size_t)used,
                 " | host %u port %u sent to %u, acknowledged %u of limit %u, "
                 "has come %u",
                 end->host, end->port, end->top - end->said.number,
                 end->una - end->said.number, end->limit - end->said.number,
                 observer_frontier(end) - end->heard.number);
}

bool observer_both_ecn(const struct observer_end *end)
{
    uint8_t ours = end->said.flags, theirs = end->heard.flags;
    bool active = !(ours & SEG_ACK);
    uint8_t syn = active ? ours : theirs, answer = active ? theirs : ours;

    return (syn & (SEG_ECE | SEG_CWR)) == (SEG_ECE | SEG_CWR) &&
           (answer & (SEG_ECE | SEG_CWR)) == SEG_ECE;
}

uint32_t observer_text_max(const struct look *look)
{
    uint32_t options = (uint32_t)(look->seg->text - look->packet->bytes) -
                       PACKET_ETH - PACKET_IP - 20;

    return look->end->heard.mss > options ? look->end->heard.mss - options : 0;
}

/* --- numbers that have come ----------------------------------------------- */

uint32_t observer_frontier(const struct observer_end *end)
{
    return end->ranges ? end->range[0][1] : 0;
}

bool observer_has_come(const struct observer_end *end, uint32_t from,
                       uint32_t to)
{
    for (unsigned i = 0; i < end->ranges; i++)
        if (!seg_before(from, end->range[i][0]) &&
            !seg_before(end->range[i][1], to))
            return true;
    return false;
}

static void remove_range(struct observer_end *end, unsigned i)
{
    end->ranges--;
    memmove(end->range[i], end->range[i + 1],
            (end->ranges - i) * sizeof(end->range[0]));
}

/* Numbers [from, to) have come. A full table forgets a hole: it then thinks
 * that more has come than has, and misses a mistake, but invents none. */
static void add_range(struct observer_end *end, uint32_t from, uint32_t to)
{
    unsigned i = 0;

    while (i < end->ranges && seg_before(end->range[i][1], from))
        i++;
    while (i < end->ranges && !seg_before(to, end->range[i][0])) {
        if (seg_before(end->range[i][0], from))
            from = end->range[i][0];
        if (seg_before(to, end->range[i][1]))
            to = end->range[i][1];
        remove_range(end, i);
    }
    if (end->ranges == OBSERVER_RANGES) {
        if (i == end->ranges)
            i--;
        if (seg_before(from, end->range[i][0]))
            end->range[i][0] = from;
        if (seg_before(end->range[i][1], to))
            end->range[i][1] = to;
        return;
    }
    memmove(end->range[i + 1], end->range[i],
            (end->ranges - i) * sizeof(end->range[0]));
    end->range[i][0] = from;
    end->range[i][1] = to;
    end->ranges++;
}

/* --- ends ----------------------------------------------------------------- */

static struct observer_end *find(const struct observer *observer, unsigned host,
                                 bool in, const struct segment *seg)
{
    uint32_t addr = in ? seg->dst : seg->src;
    uint32_t peer = in ? seg->src : seg->dst;
    uint16_t port = in ? seg->dst_port : seg->src_port;
    uint16_t peer_port = in ? seg->src_port : seg->dst_port;

    for (unsigned i = 0; i < observer->ends; i++) {
        const struct observer_end *end = &observer->end[i];

        if (end->addr == addr && end->peer == peer && end->port == port &&
            end->peer_port == peer_port && end->host == host)
            return (struct observer_end *)(uintptr_t)end;
    }
    return NULL;
}

/* A SYN is the first that is seen of an end. */
static struct observer_end *make(struct observer *observer, unsigned host,
                                 bool in, const struct segment *seg)
{
    struct observer_end *oldest = &observer->end[0];

    for (unsigned i = 0; i < observer->ends; i++)
        if (observer->end[i].order < oldest->order)
            oldest = &observer->end[i];
    *oldest = (struct observer_end){
        .addr = in ? seg->dst : seg->src,
        .peer = in ? seg->src : seg->dst,
        .port = in ? seg->dst_port : seg->src_port,
        .peer_port = in ? seg->src_port : seg->dst_port,
        .host = host,
        .order = ++observer->order,
        .ack_by_us = UINT64_MAX,
    };
    return oldest;
}

static struct observer_syn syn_of(const struct segment *seg)
{
    return (struct observer_syn){
        .there = true,
        .number = seg->seq,
        .mss = seg->has_mss ? seg->mss : 536,
        .shift = seg->shift,
        .flags = seg->flags,
        .has_shift = seg->has_shift,
        .sack_ok = seg->has_sack_ok,
        .ts = seg->has_ts,
    };
}

/* Forget what was said and heard, for a connection begins anew. */
static void renew(struct observer *observer, struct observer_end *end)
{
    struct observer_end before = *end;

    *end = (struct observer_end){
        .addr = end->addr,
        .peer = end->peer,
        .port = end->port,
        .peer_port = end->peer_port,
        .host = end->host,
        .order = ++observer->order,
        .asked = before.asked,
        .ack_by_us = UINT64_MAX,
        .stamps = before.stamps, /* the SYN's is among them */
    };
    memcpy(end->stamp, before.stamp, sizeof(end->stamp));
}

static void heard_syn(struct observer_end *end, const struct observer_syn *syn)
{
    end->heard = *syn;
    end->ranges = 0;
    add_range(end, syn->number, syn->number + 1);
}

/* --- in ------------------------------------------------------------------- */

/* Whether all of it is old for certain: then nothing of it counts (RFC 9293
 * 3.10.7.4, first step). */
static bool is_old(const struct look *look)
{
    const struct observer_end *end = look->end;
    const struct segment *seg = look->seg;

    if (!end->acked || !end->open)
        return false;
    return seg_numbers(seg) ? !seg_before(end->ack, look_end(look))
                            : seg_before(seg->seq, end->ack);
}

static void heard_ack(struct look *look)
{
    struct observer_end *end = look->end;
    const struct segment *seg = look->seg;
    uint32_t shift =
        end->said.has_shift && end->heard.has_shift ? end->heard.shift : 0;
    uint32_t window = (uint32_t)seg->window << (seg->flags & SEG_SYN ? 0
                                                : shift > 14         ? 14
                                                                     : shift);

    if (seg_before(end->top, seg->ack) ||
        seg_before(seg->ack, end->said.number + 1))
        return;
    if (!end->open) {
        end->open = true;
        end->una = seg->ack;
        end->limit = seg->ack + window;
        end->rtt_min_us = /* of which SYN is not known */
            end->syn_again ? 0 : look->now_us - end->sent_us;
    }
    if (seg_before(end->una, seg->ack)) {
        end->una = seg->ack;
        end->una_us = look->now_us;
    }
    if (seg_before(end->limit, seg->ack + window))
        end->limit = seg->ack + window;
    if (window > end->wnd_max)
        end->wnd_max = window;
}

static void heard_stamp(struct observer_end *end, uint32_t ts_val)
{
    if (end->stamps &&
        end->stamp[(end->stamps - 1) % OBSERVER_STAMPS] == ts_val)
        return;
    end->stamp[end->stamps++ % OBSERVER_STAMPS] = ts_val;
}

static void take_in(struct look *look)
{
    struct observer_end *end = look->end;
    const struct segment *seg = look->seg;
    struct observer_syn syn = syn_of(seg);

    if (seg->has_ts)
        heard_stamp(end, seg->ts_val);
    if (seg->flags & SEG_RST) {
        end->dead = true;
        return;
    }
    if (seg->flags & SEG_SYN) {
        if (!(seg->flags & SEG_ACK))
            end->asked = syn;
        /* The answer to our SYN, or theirs that crossed it. */
        if (end->said.there && !end->heard.there &&
            (!(seg->flags & SEG_ACK) || seg->ack == end->said.number + 1))
            heard_syn(end, &syn);
    }
    if (!end->said.there || !end->heard.there)
        return;
    observer_time_in(look);
    if (seg->flags & SEG_ACK && !is_old(look))
        heard_ack(look);
    if (seg_numbers(seg) && !(seg->flags & SEG_SYN))
        add_range(end, seg->seq, look_end(look));
}

/* --- out ------------------------------------------------------------------ */

/* Our SYN: the same again, or a connection that begins. */
static void say_syn(struct look *look)
{
    struct observer_end *end = look->end;
    const struct segment *seg = look->seg;

    if (end->said.there && end->said.number == seg->seq && !end->dead) {
        end->syn_again = true;
        if (!(seg->flags & SEG_ECE)) /* it has given ECN up: RFC 3168 6.1.1.1 */
            end->said.flags &= (uint8_t) ~(SEG_ECE | SEG_CWR);
        return;
    }
    renew(look->observer, end);
    if (seg->flags & SEG_ACK) {
        if (!end->asked.there || end->asked.number + 1 != seg->ack)
            observer_broken(look, "a SYN-ACK answers a SYN");
        heard_syn(end, &end->asked);
    }
    end->said = syn_of(seg);
    end->top = seg->seq;
    end->una = seg->seq;
    end->small_end = seg->seq;
    end->syn_us = look->now_us;
}

static void remember(struct look *look)
{
    struct observer_end *end = look->end;
    const struct segment *seg = look->seg;
    uint32_t after = look_end(look);
    uint32_t shift =
        end->said.has_shift && end->heard.has_shift && !(seg->flags & SEG_SYN)
            ? end->said.shift
            : 0;

    if (seg->flags & SEG_RST) {
        end->dead = true;
        return;
    }
    if (seg->flags & SEG_SYN && seg->flags & SEG_ACK) /* simultaneous open */
        end->said.flags = seg->flags;
    if (seg->flags & SEG_FIN) {
        end->fin = true;
        end->fin_end = after;
    }
    if (seg->flags & SEG_ACK) {
        uint32_t edge = seg->ack + ((uint32_t)seg->window << shift);

        if (!end->acked || seg_before(end->edge, edge))
            end->edge = edge;
        end->ack = seg->ack;
        end->acked = true;
    }
    if (seg->has_ts) {
        end->ts_val = seg->ts_val;
        end->has_ts_val = true;
    }
    observer_time_sent(look);
    if (seg_before(end->top, after))
        end->top = after;
}

/* A late segment may bring a cookie once more, and so begin what is over with
 * the same numbers: nobody can tell. */
static bool may_be_revived(const struct look *look)
{
    const struct observer_end *end = look->end;
    bool over = end->fin && end->una == end->fin_end && end->heard_fin;

    return (end->dead || over) && end->said.flags & SEG_ACK &&
           !(look->seg->flags & (SEG_SYN | SEG_RST));
}

static void take_out(struct look *look)
{
    if (may_be_revived(look))
        return;
    if (look->seg->flags & SEG_SYN)
        say_syn(look);
    observer_rules(look);
    if (look->end->said.there) {
        observer_time_out(look);
        remember(look);
    }
}

/* A router could not pass on what an end has sent: a loss that is known. */
static void take_icmp(struct observer *observer, unsigned host,
                      const struct packet *packet, uint64_t now_us)
{
    const uint8_t *icmp = packet->bytes + PACKET_ETH + PACKET_IP;
    const uint8_t *ip = icmp + 8, *tcp = ip + PACKET_IP;
    struct segment seg;
    struct observer_end *end;

    if (packet->len < PACKET_ETH + 2 * PACKET_IP + 16u || icmp[0] != 3)
        return;
    seg = (struct segment){
        .src = seg_get32(ip + 12),
        .dst = seg_get32(ip + 16),
        .src_port = (uint16_t)seg_get16(tcp),
        .dst_port = (uint16_t)seg_get16(tcp + 2),
    };
    end = find(observer, host, false, &seg);
    if (!end)
        return;
    end->doubt_us = now_us;
    end->quiet = false;
}

/* What waits for an answer to ARP leaves later than its sender wants. */
static void take_arp(struct observer_host *host, bool in,
                     const struct packet *packet, uint64_t now_us)
{
    const uint8_t *arp = packet->bytes + PACKET_ETH;

    if (packet->len < PACKET_ETH + 28 ||
        seg_get16(packet->bytes + 12) != 0x0806 ||
        (!in && arp[27] != ROUTER)) /* nobody answers an announcement */
        return;
    host->asks = !in;
    if (in)
        host->answer_us = now_us;
    else
        host->ask_us = now_us;
}

/* --- for others ----------------------------------------------------------- */

void observer_packet(struct observer *observer, unsigned host, bool in,
                     const struct packet *packet, uint64_t now_us)
{
    struct segment seg;
    struct look look = {
        .observer = observer,
        .host = &observer->host[host],
        .packet = packet,
        .seg = &seg,
        .now_us = now_us,
    };

    take_arp(&observer->host[host], in, packet, now_us);
    if (in && packet_is_ip(packet) && packet->bytes[PACKET_ETH + 9] == 1)
        take_icmp(observer, host, packet, now_us);
    if (!packet_read(packet, &seg))
        return;
    if (in && (!packet_ip_sum_ok(packet) || !packet_tcp_sum_ok(packet)))
        return; /* it will not be heard */
    look.end = find(observer, host, in, &seg);
    if (!look.end && seg.flags & SEG_SYN)
        look.end = make(observer, host, in, &seg);
    if (!look.end)
        return;
    if (in)
        take_in(&look);
    else
        take_out(&look);
}

void observer_turned(struct observer *observer, unsigned host, uint64_t now_us)
{
    for (unsigned i = 0; i < observer->ends; i++) {
        struct look look = {
            .observer = observer,
            .host = &observer->host[host],
            .end = &observer->end[i],
            .now_us = now_us,
        };

        if (look.end->addr && look.end->host == host && !look.end->dead)
            observer_time_turned(&look);
    }
}

void observer_print(const struct observer *observer, unsigned host,
                    const struct segment *seg, char *out, size_t out_bytes)
{
    const struct observer_end *end = find(observer, host, false, seg);

    if (end) {
        packet_print(seg, end->said.number, end->heard.number, out, out_bytes);
        return;
    }
    end = find(observer, host, true, seg);
    packet_print(seg, end ? end->heard.number : 0, end ? end->said.number : 0,
                 out, out_bytes);
}
