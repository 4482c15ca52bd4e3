/*
 * net/tcp_time_wait.c - what remains of a connection for two MSL.
 *
 * An entry of 64 bytes in place of a connection. Bounded: the oldest makes
 * room. A SYN that is newer by its timestamp, or else by its number, takes the
 * place over (MAY-2, SHLD-4). RST is ignored (RFC 1337 3, fix F1): an old
 * duplicate would otherwise end the state that guards against old duplicates.
 * But not the one that answers our answer to an older SYN: its sender knows
 * nothing of the connection any more, and would have to wait for its next.
 *
 * Source: RFC 9293 3.6.1, 3.10.7.4; RFC 1337; RFC 6191.
 */
#include "net/tcp_conn.h"
#include "net/tcp_paws.h"
#include "net/tcp_segment.h"

enum {
    /* A reused place begins so far behind its old numbers, at least. */
    REUSE_GAP = 65536
};

struct tcp_time_wait {
    struct tcp_time_wait *hash_next;
    struct tcp_link link; /* in tcp.quiet */
    uint32_t until_ms;
    uint32_t ts_recent; /* RFC 7323 */
    struct tcp_tuple tuple;
    uint32_t snd_nxt, rcv_nxt;
    uint32_t wnd;     /* as last advertised, bytes */
    uint32_t snd_wnd; /* the largest that the peer has offered */
    uint8_t shift;    /* of what we advertise */
    uint8_t answered; /* acknowledgements in this second: */
    uint8_t second;
    bool timestamps : 1;
    bool syn_answered : 1; /* with an acknowledgement: it was refused */
};

_Static_assert(sizeof(struct tcp_time_wait) <= 64, "many of these");

static struct tcp_time_wait *find(const struct net *net,
                                  const struct tcp_tuple *tuple, uint32_t hash)
{
    void **bucket = tcp_bucket(&net->tcp.waiting, hash);
    struct tcp_time_wait *entry = bucket ? *bucket : NULL;

    while (entry && !tcp_tuple_equal(&entry->tuple, tuple))
        entry = entry->hash_next;
    return entry;
}

static struct tcp_time_wait *oldest(const struct net *net)
{
    const struct tcp_link *quiet = &net->tcp.quiet;

    return tcp_list_empty(quiet)
               ? NULL
               : CONTAINER_OF(quiet->next, struct tcp_time_wait, link);
}

/* hash: of its tuple. */
static void drop(struct net *net, struct tcp_time_wait *entry, uint32_t hash)
{
    void **bucket = tcp_bucket(&net->tcp.waiting, hash);
    struct tcp_time_wait *at = *bucket;

    if (at == entry) {
        *bucket = entry->hash_next;
    } else {
        while (at->hash_next != entry)
            at = at->hash_next;
        at->hash_next = entry->hash_next;
    }
    tcp_list_remove(&entry->link);
    pool_free(entry);
}

static void drop_oldest(struct net *net)
{
    struct tcp_time_wait *entry = oldest(net);

    drop(net, entry, tcp_table_hash(net, &entry->tuple));
}

/* Wait two MSL from now: every entry waits as long, so the list stays in
 * order. */
static void begin(struct net *net, struct tcp_time_wait *entry)
{
    uint64_t until_us = net->now_us + 2 * net->config.tcp.msl_us;

    entry->until_ms = (uint32_t)(until_us / 1000);
    tcp_list_push(&net->tcp.quiet, &entry->link);
    if (!timer_is_armed(&net->tcp.quiet_timer))
        timer_arm(&net->timers, &net->tcp.quiet_timer, until_us);
}

static void quiet_over(struct timer *timer, void *context)
{
    struct net *net = context;
    uint32_t now_ms = (uint32_t)(net->now_us / 1000);
    struct tcp_time_wait *entry;

    while ((entry = oldest(net)) && seq_leq(entry->until_ms, now_ms))
        drop_oldest(net);
    if (entry)
        timer_arm(&net->timers, timer,
                  net->now_us +
                      (uint64_t)seq_after(now_ms, entry->until_ms) * 1000);
}

void tcp_time_wait_init(struct net *net)
{
    pool_init(&net->tcp.time_waits, &net->pages, sizeof(struct tcp_time_wait),
              net->config.tcp.time_wait_max);
    tcp_list_init(&net->tcp.quiet);
    net->tcp.quiet_timer = (struct timer){.fire = quiet_over};
}

void tcp_time_wait_destroy(struct net *net)
{
    while (oldest(net))
        drop_oldest(net);
    timer_cancel(&net->timers, &net->tcp.quiet_timer);
}

static struct tcp_time_wait *entry_new(struct net *net)
{
    struct tcp_time_wait *entry = pool_alloc(&net->tcp.time_waits);

    if (entry || !oldest(net))
        return entry;
    net_count(&net->counters, tcp_time_wait_evicted);
    drop_oldest(net);
    return pool_alloc(&net->tcp.time_waits);
}

void tcp_time_wait_add(struct tcp_conn *conn)
{
    struct net *net = conn->net;
    struct tcp_time_wait *entry = entry_new(net);
    void **bucket =
        entry ? tcp_bucket_make(net, &net->tcp.waiting, conn->hash) : NULL;

    if (!bucket) { /* no memory: it ends without a guard */
        if (entry)
            pool_free(entry);
        return;
    }
    *entry = (struct tcp_time_wait){
        .hash_next = *bucket,
        .tuple = conn->tuple,
        .snd_nxt = conn->snd.nxt,
        .rcv_nxt = conn->rcv.nxt,
        .wnd = tcp_rcv_window(conn),
        .snd_wnd = conn->snd.wnd_max,
        .shift = conn->rcv_shift,
        .timestamps = conn->timestamps,
        .ts_recent = conn->ts.recent,
    };
    *bucket = entry;
    begin(net, entry);
    net_count(&net->counters, tcp_time_wait);
}

bool tcp_time_wait_has(const struct net *net, const struct tcp_tuple *tuple,
                       uint32_t hash)
{
    return find(net, tuple, hash);
}

/* At most so many a second, so that two ends that disagree do not go on. */
static COLD void answer(struct net *net, struct tcp_time_wait *entry)
{
    struct tcp_seg seg = {
        .seq = entry->snd_nxt,
        .ack = entry->rcv_nxt,
        .window = (uint16_t)(entry->wnd >> entry->shift),
        .flags = TCP_ACK,
    };
    uint8_t second = (uint8_t)(net->now_us / 1000000);

    if (entry->timestamps) {
        seg.has_timestamps = true;
        seg.ts_val = tcp_ts_clock(net, net->now_us) +
                     tcp_table_numbers(net, &entry->tuple).ts_offset;
        seg.ts_ecr = entry->ts_recent;
    }
    if (entry->second != second) {
        entry->second = second;
        entry->answered = 0;
    }
    if (entry->answered >= net->config.tcp.challenge_acks_per_second) {
        net_count(&net->counters, tcp_challenge_limited);
        return;
    }
    entry->answered++;
    tcp_segment_bare(net, &net->config.tcp, &entry->tuple, &seg);
}

/* Whether a SYN can be no old duplicate: RFC 6191 2. By the timestamps, if
 * both connections have them; one without them cannot have sent what has. */
static bool is_newer(const struct tcp_time_wait *entry,
                     const struct tcp_listener *listener,
                     const struct tcp_seg *syn)
{
    bool stamped = syn->has_timestamps && listener->config->timestamps;

    if (stamped && !entry->timestamps)
        return true;
    if (stamped && syn->ts_val != entry->ts_recent)
        return seq_lt(entry->ts_recent, syn->ts_val);
    return seq_lt(entry->rcv_nxt, syn->seq);
}

/* A SYN that is none of the old connection's: a new one. */
static bool reuse(struct net *net, struct tcp_time_wait *entry,
                  const struct tcp_arrival *in)
{
    struct tcp_listener *listener;
    struct tcp_numbers numbers;

    if ((in->seg.flags & (TCP_SYN | TCP_ACK | TCP_FIN)) != TCP_SYN)
        return false;
    listener = tcp_listener_find(net, &in->tuple);
    if (!listener || !is_newer(entry, listener, &in->seg))
        return false;
    numbers = tcp_table_numbers(net, &in->tuple);
    if (seq_leq(numbers.iss, entry->snd_nxt + REUSE_GAP))
        numbers.iss = entry->snd_nxt + REUSE_GAP; /* RFC 9293 MAY-2 (1) */
    if (!tcp_open_after_time_wait(listener, in, numbers))
        return true; /* as lost: the SYN comes again */
    drop(net, entry, in->hash);
    net_count(&net->counters, tcp_time_wait_reused);
    return true;
}

/* RFC 5961 5.2: an acknowledgement of what we sent, and not long ago. */
static bool ack_makes_sense(const struct tcp_time_wait *entry,
                            const struct tcp_seg *seg)
{
    return !(seg->flags & TCP_ACK) ||
           entry->snd_nxt - seg->ack <= entry->snd_wnd;
}

/* Whether the segment would be acceptable: RFC 9293 3.10.7.4, first step. */
static bool in_window(const struct tcp_time_wait *entry,
                      const struct tcp_seg *seg)
{
    uint32_t end = seg->seq + tcp_seg_len(seg);
    uint32_t edge = entry->rcv_nxt + entry->wnd;

    if (tcp_seg_len(seg) == 0)
        return seg->seq == entry->rcv_nxt ||
               seg->seq - entry->rcv_nxt < entry->wnd;
    return seq_lt(entry->rcv_nxt, end) && seq_lt(seg->seq, edge);
}

/* Whether an RST ends it: RFC 9293 3.10.7.4 after a SYN of a peer who has
 * forgotten us, by the number that we have told him then. */
static bool rst_ends(const struct tcp_time_wait *entry,
                     const struct tcp_seg *rst)
{
    return entry->syn_answered && rst->seq == entry->rcv_nxt;
}

bool tcp_time_wait_in(struct net *net, const struct tcp_arrival *in)
{
    struct tcp_time_wait *entry = find(net, &in->tuple, in->hash);
    const struct tcp_seg *seg = &in->seg;

    if (!entry)
        return false;
    if (seg->flags & TCP_RST) {
        if (rst_ends(entry, seg)) {
            drop(net, entry, in->hash);
            net_count(&net->counters, tcp_time_wait_reset);
        }
        return true;
    }
    if (reuse(net, entry, in))
        return true;
    entry->syn_answered |= (seg->flags & TCP_SYN) != 0;
    if (!in_window(entry, seg)) {
        answer(net, entry);
        /* A FIN sent again: our last ACK was lost, so wait once more. */
        if (seg->flags & TCP_FIN &&
            seg->seq + tcp_seg_len(seg) == entry->rcv_nxt) {
            tcp_list_remove(&entry->link);
            begin(net, entry);
        }
    } else if (seg->flags & TCP_SYN || !ack_makes_sense(entry, seg)) {
        answer(net, entry);
    }
    return true;
}
