/*
 * net/tcp_cookie.c - SYN cookies: half-open connections that cost nothing.
 *
 * Where there is no room for a half-open connection, all that has to be
 * remembered of a SYN travels in our SYN-ACK and comes back with the last ACK
 * of the handshake: in the initial sequence number a keyed hash of the
 * addresses and the peer's number, and which of a few MSS the peer has; in the
 * low bits of our timestamp its window scale and whether it permits SACK and
 * knows ECN. A peer without timestamps goes without the latter.
 *
 * A cookie is good for at least one and at most two slots of time, then its
 * key is gone. A number is guessed with a chance of 1 in 2^28, and a guess
 * makes a connection of the guesser's own, nothing more.
 *
 * Source: RFC 4987 3.6; the idea is D. J. Bernstein's and E. Schenk's.
 */
#include "net/siphash.h"
#include "net/tcp_conn.h"
#include "net/tcp_ecn.h"
#include "net/tcp_paws.h"
#include "net/tcp_segment.h"

#define SLOT_US (64 * 1000000ull)

enum {
    SLOTS = 2,    /* the present one and the one before */
    MSS_BITS = 3, /* of the number; the rest is the hash */
    MSS_MASK = (1 << MSS_BITS) - 1,
    /* Of the timestamp. */
    SHIFT_MASK = 15, /* the window scale; this: none */
    SACK_BIT = 1 << 4,
    ECN_BIT = 1 << 5,
    OPTION_MASK = 63
};

/* Usual paths: the least allowed, the default, tunnels, Ethernet, jumbos. */
static const uint16_t mss_table[MSS_MASK + 1] = {TCP_MSS_MIN, 256,  536,  1220,
                                                 1360,        1440, 1460, 8960};

void tcp_cookies_init(struct net *net)
{
    net->tcp.cookies = (struct tcp_cookies){.slot = UINT32_MAX - 1};
}

/* Keys that nobody has, for slots that nobody has used. */
static void rotate(struct net *net)
{
    struct tcp_cookies *cookies = &net->tcp.cookies;
    uint32_t now = (uint32_t)(net->now_us / SLOT_US);

    if (cookies->slot == now)
        return;
    for (uint32_t slot = now - (cookies->slot + 1 == now ? 0 : 1);
         slot != now + 1; slot++) {
        cookies->key[slot % SLOTS][0] = net_random64(net);
        cookies->key[slot % SLOTS][1] = net_random64(net);
    }
    cookies->slot = now;
}

/* The number, but for its MSS, of a SYN with number `irs` in that slot, whose
 * key is gone after the next one. */
static uint64_t hash(const struct net *net, const struct tcp_tuple *tuple,
                     uint32_t irs, uint32_t slot)
{
    struct {
        struct tcp_tuple tuple;
        uint32_t irs;
    } what = {*tuple, irs};

    return siphash(net->tcp.cookies.key[slot % SLOTS], &what, sizeof(what));
}

static uint32_t cookie_of(uint64_t hash, uint32_t mss_index)
{
    uint32_t hidden = (uint32_t)(hash >> 32) & MSS_MASK;

    return ((uint32_t)hash & ~(uint32_t)MSS_MASK) | (mss_index ^ hidden);
}

/* ---- out ---- */

/* The largest of the table that the peer can take. */
static uint32_t mss_index(const struct tcp_seg *syn)
{
    uint16_t mss = syn->has_mss ? syn->mss : (uint16_t)TCP_MSS_DEFAULT;
    uint32_t index = MSS_MASK;

    while (index > 0 && mss_table[index] > mss)
        index--;
    return index;
}

/* What stands in the low bits of our timestamp, of an offer that was taken. */
static uint32_t option_bits(const struct tcp_config *config,
                            const struct tcp_arrival *in, struct tcp_seg *reply)
{
    const struct tcp_seg *syn = &in->seg;
    bool ecn = tcp_ecn_asked(config, in);

    if (ecn)
        reply->flags |= TCP_ECE;
    reply->has_shift = reply->has_shift && syn->has_shift;
    reply->sack_permitted = reply->sack_permitted && syn->sack_permitted;
    return (reply->has_shift ? syn->shift : (uint32_t)SHIFT_MASK) |
           (reply->sack_permitted ? (uint32_t)SACK_BIT : 0) |
           (ecn ? (uint32_t)ECN_BIT : 0);
}

/* Our timestamp with these bits, and not ahead of the clock. */
static uint32_t stamp(const struct net *net, const struct tcp_tuple *tuple,
                      uint32_t bits)
{
    uint32_t now = tcp_ts_clock(net, net->now_us) +
                   tcp_table_numbers(net, tuple).ts_offset;
    uint32_t with = (now & ~(uint32_t)OPTION_MASK) | bits;

    return seq_lt(now, with) ? with - (OPTION_MASK + 1) : with;
}

COLD void tcp_cookie_send(struct tcp_listener *listener,
                          const struct tcp_arrival *in)
{
    struct net *net = listener->net;
    const struct tcp_seg *syn = &in->seg;
    struct tcp_seg reply = {
        .ack = syn->seq + 1,
        .flags = TCP_SYN | TCP_ACK,
        .ts_ecr = syn->ts_val,
    };

    rotate(net);
    net->tcp.cookies.until_us = net->now_us + SLOTS * SLOT_US;
    reply.seq = cookie_of(
        hash(net, &in->tuple, syn->seq, net->tcp.cookies.slot), mss_index(syn));
    tcp_open_offer(net, listener->config, &in->tuple, &reply);
    reply.has_timestamps = reply.has_timestamps && syn->has_timestamps;
    if (reply.has_timestamps)
        reply.ts_val =
            stamp(net, &in->tuple, option_bits(listener->config, in, &reply));
    else
        reply.has_shift = reply.sack_permitted = false;
    net_count(&net->counters, tcp_cookie_sent);
    tcp_segment_bare(net, listener->config, &in->tuple, &reply);
}

/* ---- in ---- */

/* Whether the segment acknowledges a cookie of ours; which MSS it names. */
static bool check(const struct net *net, const struct tcp_arrival *in,
                  uint16_t *mss)
{
    uint32_t cookie = in->seg.ack - 1, irs = in->seg.seq - 1;

    for (uint32_t age = 0; age < SLOTS; age++) {
        uint64_t h = hash(net, &in->tuple, irs, net->tcp.cookies.slot - age);
        uint32_t differs = cookie ^ cookie_of(h, 0);

        if (differs > MSS_MASK)
            continue;
        *mss = mss_table[differs];
        return true;
    }
    return false;
}

/* The SYN, as far as the last ACK tells. */
static struct tcp_seg syn_again(const struct tcp_arrival *in, uint16_t mss)
{
    uint8_t shift = in->seg.ts_ecr & SHIFT_MASK;

    return (struct tcp_seg){
        .seq = in->seg.seq - 1,
        .window = in->seg.window,
        .has_mss = true,
        .mss = mss,
        .has_timestamps = in->seg.has_timestamps,
        .ts_val = in->seg.ts_val,
        .has_shift = in->seg.has_timestamps && shift != SHIFT_MASK,
        .shift = shift,
        .sack_permitted =
            in->seg.has_timestamps && (in->seg.ts_ecr & SACK_BIT) != 0,
    };
}

COLD bool tcp_cookie_take(struct tcp_listener *listener, struct tcp_arrival *in)
{
    struct net *net = listener->net;
    struct tcp_numbers numbers;
    struct tcp_conn *conn;
    struct tcp_seg syn;
    uint16_t mss;

    if (net->now_us >= net->tcp.cookies.until_us)
        return false;
    rotate(net);
    if (!check(net, in, &mss)) {
        net_count(&net->counters, tcp_cookie_bad);
        /* The second segment of a peer whose last ACK and first text were
         * lost: that comes again, and has the number that the cookie fits. */
        return in->seg.text_bytes > 0;
    }
    if (tcp_listener_is_full(listener))
        return true;        /* counted; the peer tries again */
    tcp_pressure_conn(net); /* a SYN alone is not worth an orphan: this is */
    syn = syn_again(in, mss);
    numbers = tcp_table_numbers(net, &in->tuple);
    numbers.iss = in->seg.ack - 1;
    conn = tcp_open_child(listener, in, &syn, numbers);
    if (!conn)
        return true;
    net_count(&net->counters, tcp_cookie_taken);
    conn->syn_now = false;
    conn->unmeasured = true;
    conn->ecn = in->seg.has_timestamps && in->seg.ts_ecr & ECN_BIT &&
                listener->config->ecn != TCP_ECN_OFF;
    tcp_in_conn(conn, in);
    return true;
}
