/*
 * net/acd.c - does anybody else have our address?
 */
#include "net/acd.h"

#include "net/net_priv.h"

enum acd_state { ACD_QUIET, ACD_PROBING, ACD_ANNOUNCING };

/* RFC 5227 1.1. */
enum {
    PROBE_WAIT_US = 1000000, /* at most, before the first */
    PROBE_COUNT = 3,
    PROBE_MIN_US = 1000000,
    PROBE_MAX_US = 2000000,
    ANNOUNCE_WAIT_US = 2000000, /* for an answer to the last probe */
    ANNOUNCE_COUNT = 2,
    ANNOUNCE_INTERVAL_US = 2000000,
    CONFLICTS_MAX = 10, /* then probes are rare */
    RATE_LIMIT_US = 60000000,
    DEFEND_INTERVAL_US = 10000000
};

static uint64_t random_us(struct net *net, uint64_t from_us, uint64_t to_us)
{
    return from_us + net_random64(net) % (to_us - from_us + 1);
}

static void next_step(struct net *net, struct net_if *nif, uint64_t after_us)
{
    timer_arm(&net->timers, &nif->acd.timer, net->now_us + after_us);
}

static void stop(struct net *net, struct net_if *nif)
{
    nif->acd.state = ACD_QUIET;
    timer_cancel(&net->timers, &nif->acd.timer);
}

static void send_probe(struct net *net, struct net_if *nif)
{
    struct acd *acd = &nif->acd;

    acd->sent++;
    arp_send_probe(net, nif, acd->addr);
    next_step(net, nif,
              acd->sent < PROBE_COUNT
                  ? random_us(net, PROBE_MIN_US, PROBE_MAX_US)
                  : (uint64_t)ANNOUNCE_WAIT_US);
}

static void send_announcement(struct net *net, struct net_if *nif)
{
    arp_announce(net, nif);
    if (++nif->acd.sent < ANNOUNCE_COUNT)
        next_step(net, nif, ANNOUNCE_INTERVAL_US);
    else
        stop(net, nif);
}

/* Nobody has contradicted. */
static void probe_done(struct net *net, struct net_if *nif)
{
    stop(net, nif);
    nif->acd.conflicts = 0;
    interface_post(nif, NET_ADDRESS_FREE);
    if (ipv4_addr_equal(nif->addr, nif->acd.addr))
        acd_announce(net, nif);
}

static void acd_timer(struct timer *timer, void *context)
{
    struct net_if *nif = CONTAINER_OF(timer, struct net_if, acd.timer);
    struct net *net = context;

    switch ((enum acd_state)nif->acd.state) {
    case ACD_QUIET:
        break;
    case ACD_PROBING:
        if (nif->acd.sent < PROBE_COUNT)
            send_probe(net, nif);
        else
            probe_done(net, nif);
        break;
    case ACD_ANNOUNCING:
        send_announcement(net, nif);
        break;
    }
}

void acd_probe(struct net *net, unsigned index, struct ipv4_addr addr,
               uint64_t now_us)
{
    struct net_if *nif = interface_at(net, index);
    struct acd *acd = &nif->acd;

    net_set_now(net, now_us);
    acd->state = ACD_PROBING;
    acd->addr = addr;
    acd->sent = nif->dev ? (uint8_t)0 : (uint8_t)PROBE_COUNT;
    acd->timer.fire = acd_timer;
    if (!nif->dev)
        next_step(net, nif, 0);
    else if (acd->conflicts >= CONFLICTS_MAX)
        next_step(net, nif, RATE_LIMIT_US);
    else
        next_step(net, nif, random_us(net, 0, PROBE_WAIT_US));
}

void acd_cancel(struct net *net, unsigned index)
{
    struct net_if *nif = interface_at(net, index);

    if (nif->acd.state == ACD_PROBING)
        stop(net, nif);
}

void acd_announce(struct net *net, struct net_if *nif)
{
    if (!nif->dev)
        return;
    if (nif->acd.state == ACD_PROBING) { /* it ends in announcements */
        arp_announce(net, nif);
        return;
    }
    nif->acd.state = ACD_ANNOUNCING;
    nif->acd.sent = 0;
    nif->acd.timer.fire = acd_timer;
    send_announcement(net, nif);
}

void acd_forget(struct net *net, struct net_if *nif)
{
    if (nif->acd.state == ACD_ANNOUNCING ||
        ipv4_addr_equal(nif->acd.addr, nif->addr))
        stop(net, nif);
    nif->acd.defended_us = 0;
    /* What is not told yet was about the old address, not about the next. */
    nif->changes &= (uint8_t)~NET_ADDRESS_CONFLICT;
    if (ipv4_addr_equal(nif->acd.addr, nif->addr))
        nif->changes &= (uint8_t) ~(NET_ADDRESS_IN_USE | NET_ADDRESS_FREE);
}

/*
 * Somebody else uses our address: say that it is ours, but not in a loop. When
 * that does not help, the host hears of it, once (RFC 5227 2.4 (b)); a host
 * that keeps the address all the same is 2.4 (c), and we defend it ever again.
 */
static void defend(struct net *net, struct net_if *nif)
{
    struct acd *acd = &nif->acd;

    net_count(&net->counters, arp_conflict);
    if (acd->defended_us != 0 &&
        net->now_us - acd->defended_us < DEFEND_INTERVAL_US) {
        if (!acd->told)
            interface_post(nif, NET_ADDRESS_CONFLICT);
        acd->told = true;
        return;
    }
    acd->defended_us = net->now_us;
    acd->told = false;
    arp_announce(net, nif);
}

bool acd_hears(struct net *net, struct net_if *nif,
               const struct arp_packet *packet)
{
    struct acd *acd = &nif->acd;
    bool ours = interface_has_address(nif) &&
                ipv4_addr_equal(packet->sender, nif->addr);
    bool probing = acd->state == ACD_PROBING;
    bool wanted = probing && ipv4_addr_equal(packet->sender, acd->addr);
    /* Another who probes for it as well; where it is ours, he is answered. */
    bool rival = probing && packet->operation == ARP_REQUEST &&
                 ipv4_addr_is_zero(packet->sender) &&
                 ipv4_addr_equal(packet->target, acd->addr) &&
                 !ipv4_addr_equal(nif->addr, acd->addr);

    if (wanted || rival) {
        net_count(&net->counters, arp_conflict);
        stop(net, nif);
        if (acd->conflicts < CONFLICTS_MAX)
            acd->conflicts++;
        interface_post(nif, NET_ADDRESS_IN_USE);
    } else if (ours) {
        defend(net, nif);
    }
    return wanted || rival || ours;
}
