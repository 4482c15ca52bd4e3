/*
 * net/ipv4_reass.c - fragments, put together again.
 */
#include "net/ipv4_reass.h"

#include <string.h>

#include "net/ipv4.h"
#include "net/net_priv.h"

struct piece {
    struct buffer *chain;
    uint16_t offset, bytes;
};

struct ipv4_datagram {
    struct ipv4_datagram *next; /* younger */
    uint64_t deadline_us;
    struct ipv4_packet first; /* the fragment at offset 0, when it has come;
                                 before that, any */
    uint32_t held_bytes;
    uint16_t total_bytes; /* 0: the last fragment has not come */
    uint16_t got_bytes;
    uint8_t count;    /* of pieces */
    uint8_t ecn_seen; /* a set of bits, one for each codepoint */
    bool spoilt;      /* contradicts itself: whatever comes of it is dropped */
    struct piece piece[IPV4_FRAGMENTS_MAX]; /* by offset, disjoint */
};

_Static_assert(sizeof(struct ipv4_datagram) <= POOL_OBJECT_BYTES_MAX / 3,
               "three to a page");

/* What a fragment means for its datagram. */
enum verdict { FITS, KNOWN_ALREADY, CONTRADICTS };

/* RFC 3168 5: the two bits of the TOS byte. */
enum { ECN_MASK = 3, ECN_NOT_ECT = 0, ECN_CE = 3 };

static void reass_timer(struct timer *timer, void *context);

void ipv4_reass_init(struct net *net)
{
    struct ipv4_reass *reass = &net->ip.reass;

    pool_init(&reass->datagrams, &net->pages, sizeof(struct ipv4_datagram),
              IPV4_DATAGRAMS_MAX);
    reass->end = &reass->oldest;
    reass->timer.fire = reass_timer;
}

/* --- datagrams under way -------------------------------------------------- */

static bool same_source(const struct ipv4_header *a,
                        const struct ipv4_header *b)
{
    return ipv4_addr_equal(a->src, b->src);
}

/* RFC 791 3.2: what fragments of one datagram have in common. */
static bool belongs(const struct ipv4_header *a, const struct ipv4_header *b)
{
    return a->id == b->id && a->protocol == b->protocol && same_source(a, b) &&
           ipv4_addr_equal(a->dst, b->dst);
}

static struct ipv4_datagram *find(struct ipv4_reass *reass,
                                  const struct ipv4_header *header)
{
    struct ipv4_datagram *datagram = reass->oldest;

    while (datagram && !belongs(&datagram->first.header, header))
        datagram = datagram->next;
    return datagram;
}

/* The timer is the oldest one's. */
static void set_timer(struct net *net)
{
    struct ipv4_reass *reass = &net->ip.reass;

    if (reass->oldest)
        timer_arm(&net->timers, &reass->timer, reass->oldest->deadline_us);
    else
        timer_cancel(&net->timers, &reass->timer);
}

/* Let go of the fragments, and of the account for them. */
static void drop_pieces(struct net *net, struct ipv4_datagram *datagram)
{
    for (unsigned i = 0; i < datagram->count; i++)
        buffer_release(datagram->piece[i].chain);
    net->ip.reass.held_bytes -= datagram->held_bytes;
    datagram->held_bytes = 0;
    datagram->count = 0;
}

static void forget(struct net *net, struct ipv4_datagram *datagram)
{
    struct ipv4_reass *reass = &net->ip.reass;
    struct ipv4_datagram **at = &reass->oldest;

    while (*at != datagram)
        at = &(*at)->next;
    *at = datagram->next;
    if (!*at)
        reass->end = at;
    drop_pieces(net, datagram);
    pool_free(datagram);
    set_timer(net);
}

/* It contradicts itself: nothing of it is believed, until its time is over. */
static void spoil(struct net *net, struct ipv4_datagram *datagram)
{
    net_count(&net->counters, ip_fragment_conflict);
    drop_pieces(net, datagram);
    datagram->spoilt = true;
}

void ipv4_reass_destroy(struct net *net)
{
    while (net->ip.reass.oldest)
        forget(net, net->ip.reass.oldest);
}

void ipv4_reass_forget(struct net *net, const struct net_if *nif)
{
    struct ipv4_datagram *next;

    for (struct ipv4_datagram *at = net->ip.reass.oldest; at; at = next) {
        next = at->next;
        if (at->first.nif == nif)
            forget(net, at);
    }
}

/* Too late. The sender is told, if the fragment at offset 0 is there: RFC 792;
 * icmp_time_exceeded() speaks of no other. */
static void expire(struct net *net, struct ipv4_datagram *datagram)
{
    net_count(&net->counters, ip_fragment_timeout);
    if (datagram->count > 0)
        icmp_time_exceeded(net, &datagram->first, datagram->piece[0].chain);
    forget(net, datagram);
}

static void reass_timer(struct timer *timer, void *context)
{
    struct net *net = context;

    (void)timer;
    if (net->ip.reass.oldest)
        expire(net, net->ip.reass.oldest); /* sets the timer for the next */
}

/* --- making room ---------------------------------------------------------- */

static struct ipv4_datagram *oldest_of(struct ipv4_reass *reass,
                                       const struct ipv4_header *source)
{
    struct ipv4_datagram *at = reass->oldest;

    while (at && !same_source(&at->first.header, source))
        at = at->next;
    return at;
}

/* Whether one source, with `bytes` more, has as much as it may. */
static bool source_is_full(const struct ipv4_reass *reass,
                           const struct ipv4_header *source, uint32_t bytes,
                           bool one_more)
{
    uint32_t held_bytes = bytes;
    unsigned count = one_more ? 1 : 0;

    for (const struct ipv4_datagram *at = reass->oldest; at; at = at->next)
        if (same_source(&at->first.header, source)) {
            held_bytes += at->held_bytes;
            count++;
        }
    return held_bytes > IPV4_REASS_BYTES_EACH || count > IPV4_DATAGRAMS_EACH;
}

static bool all_is_full(struct net *net, uint32_t bytes, bool one_more)
{
    const struct ipv4_reass *reass = &net->ip.reass;

    return pages_scarce(&net->pages) ||
           reass->held_bytes + bytes > IPV4_REASS_BYTES_MAX ||
           (one_more && reass->datagrams.count == IPV4_DATAGRAMS_MAX);
}

/*
 * Make room for a fragment that holds `bytes`: the oldest datagrams of its
 * source go, then the oldest of all.
 */
static void make_room(struct net *net, const struct ipv4_header *source,
                      uint32_t bytes, bool one_more)
{
    struct ipv4_reass *reass = &net->ip.reass;

    while (reass->oldest) {
        struct ipv4_datagram *victim = NULL;

        if (source_is_full(reass, source, bytes, one_more))
            victim = oldest_of(reass, source);
        else if (all_is_full(net, bytes, one_more))
            victim = reass->oldest;
        if (!victim)
            return;
        net_count(&net->counters, ip_fragment_evicted);
        forget(net, victim);
    }
}

static struct ipv4_datagram *datagram_make(struct net *net,
                                           const struct ipv4_packet *ip)
{
    struct ipv4_reass *reass = &net->ip.reass;
    struct ipv4_datagram *datagram = pool_alloc(&reass->datagrams);

    if (!datagram)
        return NULL;
    /* All but the pieces, of which there is none. */
    memset(datagram, 0, offsetof(struct ipv4_datagram, piece));
    datagram->deadline_us = net->now_us + IPV4_REASS_US;
    datagram->first = *ip;
    *reass->end = datagram;
    reass->end = &datagram->next;
    set_timer(net);
    return datagram;
}

/* --- fragments ------------------------------------------------------------ */

/* Where a fragment that begins at `offset` has its place. */
static unsigned place_of(const struct ipv4_datagram *datagram, uint32_t offset)
{
    unsigned at = datagram->count;

    while (at > 0 && datagram->piece[at - 1].offset >= offset)
        at--;
    return at;
}

static uint32_t end_of(const struct piece *piece)
{
    return (uint32_t)piece->offset + piece->bytes;
}

static enum verdict judge(const struct ipv4_datagram *datagram,
                          const struct piece *fresh, unsigned at, bool last)
{
    const struct piece *before = at > 0 ? &datagram->piece[at - 1] : NULL;
    const struct piece *after =
        at < datagram->count ? &datagram->piece[at] : NULL;
    uint32_t end = end_of(fresh);

    if (after && after->offset == fresh->offset &&
        after->bytes == fresh->bytes && last == (end == datagram->total_bytes))
        return KNOWN_ALREADY;
    if (datagram->total_bytes != 0 && end > datagram->total_bytes)
        return CONTRADICTS; /* behind the end */
    if (last && datagram->count > 0 &&
        end < end_of(&datagram->piece[datagram->count - 1]))
        return CONTRADICTS; /* an end before what there is */
    if ((before && end_of(before) > fresh->offset) ||
        (after && end > after->offset))
        return CONTRADICTS;
    return datagram->count == IPV4_FRAGMENTS_MAX ? CONTRADICTS : FITS;
}

static void insert(struct ipv4_datagram *datagram, const struct piece *fresh,
                   unsigned at)
{
    memmove(&datagram->piece[at + 1], &datagram->piece[at],
            (datagram->count - at) * sizeof(*fresh));
    datagram->piece[at] = *fresh;
    datagram->count++;
    datagram->got_bytes = (uint16_t)(datagram->got_bytes + fresh->bytes);
}

/*
 * The ECN bits of the whole: CE when one says so; ECT beside Not-ECT has no
 * answer, and no honest sender. RFC 3168 5.3.
 * Returns: whether there is one.
 */
static bool merge_ecn(struct ipv4_datagram *datagram)
{
    uint8_t *tos = &datagram->first.header.tos;

    if (datagram->ecn_seen & 1 << ECN_NOT_ECT)
        return datagram->ecn_seen == 1 << ECN_NOT_ECT;
    if (datagram->ecn_seen & 1 << ECN_CE)
        *tos |= ECN_CE;
    return true;
}

/* Every byte is there: make one chain, and a header for it. */
static struct buffer *finish(struct net *net, struct ipv4_datagram *datagram,
                             struct ipv4_packet *ip)
{
    struct buffer *chain = datagram->piece[0].chain, **end = &chain;
    uint32_t bytes =
        (uint32_t)datagram->first.header.header_bytes + datagram->total_bytes;

    /* The header at offset 0 may be longer than those that were checked. */
    if (bytes > UINT16_MAX || !merge_ecn(datagram)) {
        spoil(net, datagram);
        return NULL;
    }
    for (unsigned i = 0; i < datagram->count; i++) {
        *end = datagram->piece[i].chain;
        while (*end)
            end = &(*end)->next;
    }
    datagram->count = 0; /* they are the caller's now */
    chain->flags = 0;    /* what a device said was about a fragment */
    *ip = datagram->first;
    ip->header.total_bytes = (uint16_t)bytes;
    ip->header.more_fragments = false;
    forget(net, datagram);
    net_count(&net->counters, ip_reassembled);
    return chain;
}

/* The header of a fragment makes sense for itself; counts why not. */
static bool fragment_ok(struct net *net, const struct ipv4_header *header,
                        uint32_t bytes)
{
    bool odd = header->more_fragments && bytes % 8 != 0;

    if (bytes == 0 || odd ||
        (uint32_t)header->header_bytes + header->fragment_bytes + bytes >
            UINT16_MAX) {
        net_count(&net->counters, ip_fragment_bad);
        return false;
    }
    return true;
}

/* Take a fragment into its datagram. Returns: whether it did; not taken
 * otherwise. */
static bool add(struct net *net, struct ipv4_datagram *datagram,
                const struct ipv4_packet *ip, struct buffer *fragment)
{
    const struct ipv4_header *header = &ip->header;
    const struct piece fresh = {fragment, header->fragment_bytes,
                                (uint16_t)buffer_chain_len(fragment)};
    unsigned at = place_of(datagram, fresh.offset);
    uint32_t held_bytes = buffer_chain_held_bytes(fragment);

    if (datagram->spoilt)
        return false;
    switch (judge(datagram, &fresh, at, !header->more_fragments)) {
    case KNOWN_ALREADY:
        return false;
    case CONTRADICTS:
        spoil(net, datagram);
        return false;
    case FITS:
        break;
    }
    insert(datagram, &fresh, at);
    datagram->held_bytes += held_bytes;
    net->ip.reass.held_bytes += held_bytes;
    datagram->ecn_seen |= (uint8_t)(1 << (header->tos & ECN_MASK));
    if (!header->more_fragments)
        datagram->total_bytes = (uint16_t)end_of(&fresh);
    if (fresh.offset == 0)
        datagram->first = *ip;
    return true;
}

/* The datagram of a fragment that will hold `bytes`, with room for it. Null:
 * there is none to be had. */
static struct ipv4_datagram *
datagram_for(struct net *net, const struct ipv4_packet *ip, uint32_t bytes)
{
    struct ipv4_reass *reass = &net->ip.reass;
    struct ipv4_datagram *datagram = find(reass, &ip->header);

    if (bytes > IPV4_REASS_BYTES_EACH) /* in tiny views */
        return NULL;
    if (datagram && datagram->spoilt) /* it will be dropped */
        return datagram;
    make_room(net, &ip->header, bytes, !datagram);
    datagram = find(reass, &ip->header); /* it may have made room itself */
    return datagram ? datagram : datagram_make(net, ip);
}

struct buffer *ipv4_reass_input(struct net *net, struct ipv4_packet *ip,
                                struct buffer *fragment)
{
    struct ipv4_datagram *datagram = find(&net->ip.reass, &ip->header);

    net_count(&net->counters, ip_fragment);
    if (!fragment_ok(net, &ip->header, buffer_chain_len(fragment))) {
        if (datagram && !datagram->spoilt)
            spoil(net, datagram);
        buffer_release(fragment);
        return NULL;
    }
    datagram = datagram_for(net, ip, buffer_chain_held_bytes(fragment));
    if (!datagram)
        net_count(&net->counters, ip_no_memory);
    if (!datagram || !add(net, datagram, ip, fragment)) {
        buffer_release(fragment);
        return NULL;
    }
    if (datagram->got_bytes != datagram->total_bytes)
        return NULL;
    return finish(net, datagram, ip);
}
