/*
 * net/arp.c - ARP: questions, answers, and the cache of neighbours.
 *
 * The packet on the wire is in net/arp_wire.c.
 */
#include "net/arp.h"

#include "kernel/log.h"
#include "net/ethernet.h"
#include "net/net_priv.h"

enum entry_state {
    ENTRY_WAITING, /* asked, and not answered yet */
    ENTRY_HOLD,    /* did not answer: not asked for a while */
    ENTRY_KNOWN,
    ENTRY_PROBING /* known, but old: asked whether it is still there */
};

struct arp_entry {
    struct arp_entry *next; /* of the bucket */
    struct net_if *nif;
    struct timer timer;
    struct buffer *pending; /* packets, oldest first, through link */
    uint64_t used_us;       /* when a packet last went there */
    uint64_t changed_us;    /* when its MAC address was last set anew */
    struct ipv4_addr addr;
    struct mac_addr mac;
    uint8_t state; /* enum entry_state; written by set_state() */
    uint8_t pending_count;
    uint8_t requests; /* sent since an answer */
    bool used;        /* since it was last confirmed */
};

/*
 * How long an answer may take, by the number of requests sent. At most one
 * request a second for an address: RFC 1122 2.3.2.1.
 */
static const uint64_t wait_us[ARP_REQUESTS_MAX + 1] = {0, 1000000, 2000000,
                                                       2000000};

enum {
    HOLD_US = 1000000,         /* a failed address is asked again after that */
    FLAP_US = 1000000,         /* a new MAC address is kept at least so long */
    DEFEND_EVERY_US = 10000000 /* RFC 5227 DEFEND_INTERVAL */
};

/* Send a packet with us as the sender; lost when there is no room for it. */
static void send_packet(struct net *net, struct net_if *nif,
                        enum arp_operation operation, struct mac_addr to,
                        struct mac_addr target_mac, struct ipv4_addr target)
{
    const struct arp_packet packet = {operation, nif->dev->mac, target_mac,
                                      nif->addr, target};
    struct buffer *buf = buffer_alloc(net->pool, BUFFER_SMALL,
                                      BUFFER_SMALL_BYTES - ARP_PACKET_BYTES);

    if (!buf) {
        net_count(&net->counters, arp_no_memory);
        return;
    }
    buf->len = ARP_PACKET_BYTES;
    arp_packet_emit(buf->data, &packet);
    if (ethernet_output(net, nif, to, ETHERNET_TYPE_ARP, buf) == IPV4_FULL)
        buffer_release(buf);
    else
        net_count(&net->counters, arp_tx);
}

void arp_announce(struct net *net, struct net_if *nif)
{
    send_packet(net, nif, ARP_REQUEST, ethernet_broadcast, (struct mac_addr){0},
                nif->addr);
}

/* --- the cache ------------------------------------------------------------ */

static void entry_timer(struct timer *timer, void *context);

void arp_init(struct net *net)
{
    pool_init(&net->arp.pool, &net->pages, sizeof(struct arp_entry),
              ARP_ENTRIES_MAX);
}

static struct arp_entry **bucket_of(struct arp *arp, struct ipv4_addr addr)
{
    return &arp->bucket[addr.byte[3] % ARP_BUCKETS];
}

static struct arp_entry *find(struct net *net, const struct net_if *nif,
                              struct ipv4_addr addr)
{
    struct arp_entry *entry = *bucket_of(&net->arp, addr);

    while (entry && !(ipv4_addr_equal(entry->addr, addr) && entry->nif == nif))
        entry = entry->next;
    return entry;
}

/* Drop the packets that wait. */
static void drop_pending(struct arp_entry *entry)
{
    while (entry->pending) {
        struct buffer *packet = entry->pending;

        entry->pending = packet->link;
        buffer_release(packet);
    }
    entry->pending_count = 0;
}

static void entry_free(struct net *net, struct arp_entry *entry)
{
    struct arp_entry **at = bucket_of(&net->arp, entry->addr);

    while (*at != entry)
        at = &(*at)->next;
    *at = entry->next;
    timer_cancel(&net->timers, &entry->timer);
    drop_pending(entry);
    pool_free(entry);
}

/* Make room: forget who was used longest ago, but no gateway. */
static void evict(struct net *net)
{
    struct arp_entry *oldest = NULL;

    for (unsigned i = 0; i < ARP_BUCKETS; i++)
        for (struct arp_entry *entry = net->arp.bucket[i]; entry;
             entry = entry->next)
            if (!route_is_gateway(net, entry->nif, entry->addr) &&
                (!oldest || entry->used_us < oldest->used_us))
                oldest = entry;
    if (oldest) {
        net_count(&net->counters, arp_evicted);
        entry_free(net, oldest);
    }
}

static struct arp_entry *entry_make(struct net *net, struct net_if *nif,
                                    struct ipv4_addr addr)
{
    struct arp_entry **bucket = bucket_of(&net->arp, addr);
    struct arp_entry *entry;

    if (net->arp.pool.count == ARP_ENTRIES_MAX)
        evict(net);
    entry = pool_alloc(&net->arp.pool);
    if (!entry) {
        net_count(&net->counters, arp_no_memory);
        return NULL;
    }
    *entry = (struct arp_entry){
        .next = *bucket,
        .nif = nif,
        .timer.fire = entry_timer,
        .used_us = net->now_us,
        .addr = addr,
    };
    *bucket = entry;
    return entry;
}

static void set_state(struct net *net, struct arp_entry *entry,
                      enum entry_state state, uint64_t for_us)
{
    entry->state = (uint8_t)state;
    timer_arm(&net->timers, &entry->timer, net->now_us + for_us);
}

/* Ask, everybody or the one who was there, and wait for the answer. */
static void ask(struct net *net, struct arp_entry *entry,
                enum entry_state state)
{
    struct mac_addr to =
        state == ENTRY_PROBING ? entry->mac : ethernet_broadcast;

    entry->requests++;
    set_state(net, entry, state, wait_us[entry->requests]);
    send_packet(net, entry->nif, ARP_REQUEST, to, (struct mac_addr){0},
                entry->addr);
}

static void start_asking(struct net *net, struct arp_entry *entry,
                         enum entry_state state)
{
    entry->requests = 0;
    ask(net, entry, state);
}

/* Nobody has answered: tell TCP, once for each packet that waited. */
static void fail(struct net *net, struct arp_entry *entry)
{
    struct buffer *packet = entry->pending;
    char addr[IPV4_TEXT_BYTES];

    log_at(LOG_DEBUG, "arp", "no answer from %s",
           ipv4_addr_text(entry->addr, addr));
    set_state(net, entry, ENTRY_HOLD, HOLD_US);
    entry->pending = NULL;
    entry->pending_count = 0;
    while (packet) {
        struct buffer *next = packet->link;
        struct ipv4_header header;

        net_count(&net->counters, arp_failed);
        if (ipv4_header_parse(packet->data, packet->len,
                              buffer_chain_len(packet), &header) == IPV4_GOOD)
            tcp_host_unreachable(net, header.dst);
        buffer_release(packet);
        packet = next;
    }
}

static void entry_timer(struct timer *timer, void *context)
{
    struct arp_entry *entry = CONTAINER_OF(timer, struct arp_entry, timer);
    struct net *net = context;
    bool more = entry->requests < ARP_REQUESTS_MAX;

    switch ((enum entry_state)entry->state) {
    case ENTRY_WAITING:
        if (more)
            ask(net, entry, ENTRY_WAITING);
        else
            fail(net, entry);
        break;
    case ENTRY_HOLD:
        if (entry->pending)
            start_asking(net, entry, ENTRY_WAITING);
        else
            entry_free(net, entry);
        break;
    case ENTRY_KNOWN:
        if (entry->used)
            start_asking(net, entry, ENTRY_PROBING);
        else
            entry_free(net, entry);
        break;
    case ENTRY_PROBING:
        if (more)
            ask(net, entry, ENTRY_PROBING);
        else
            entry_free(net, entry); /* the next packet asks everybody */
        break;
    }
}

void arp_forget(struct net *net, const struct net_if *nif)
{
    for (unsigned i = 0; i < ARP_BUCKETS; i++)
        for (struct arp_entry *entry = net->arp.bucket[i], *next; entry;
             entry = next) {
            next = entry->next;
            if (entry->nif == nif)
                entry_free(net, entry);
        }
}

void arp_destroy(struct net *net)
{
    for (unsigned i = 0; i < ARP_BUCKETS; i++)
        while (net->arp.bucket[i])
            entry_free(net, net->arp.bucket[i]);
}

/* --- out ------------------------------------------------------------------ */

/* Keep a packet until there is an answer; the oldest makes room. */
static void add_pending(struct net *net, struct arp_entry *entry,
                        struct buffer *packet)
{
    struct buffer **end = &entry->pending;

    if (entry->pending_count == ARP_PENDING_MAX) {
        struct buffer *oldest = entry->pending;

        net_count(&net->counters, arp_pending_full);
        entry->pending = oldest->link;
        entry->pending_count--;
        buffer_release(oldest);
    }
    while (*end)
        end = &(*end)->link;
    packet->link = NULL;
    *end = packet;
    entry->pending_count++;
}

enum ipv4_status arp_output(struct net *net, struct net_if *nif,
                            struct ipv4_addr next_hop, struct buffer *packet)
{
    struct arp_entry *entry = find(net, nif, next_hop);

    if (!entry) {
        entry = entry_make(net, nif, next_hop);
        if (!entry) {
            buffer_release(packet);
            return IPV4_NO_MEMORY;
        }
        start_asking(net, entry, ENTRY_WAITING);
    }
    entry->used_us = net->now_us;
    if (entry->state == ENTRY_KNOWN || entry->state == ENTRY_PROBING) {
        entry->used = true;
        return ethernet_output(net, nif, entry->mac, ETHERNET_TYPE_IPV4,
                               packet);
    }
    add_pending(net, entry, packet);
    return IPV4_OK;
}

/* --- in ------------------------------------------------------------------- */

/* Send what has waited for the address. */
static void send_pending(struct net *net, struct arp_entry *entry)
{
    struct buffer *packet = entry->pending;

    entry->pending = NULL;
    entry->pending_count = 0;
    while (packet) {
        struct buffer *next = packet->link;

        packet->link = NULL;
        entry->used = true;
        if (ethernet_output(net, entry->nif, entry->mac, ETHERNET_TYPE_IPV4,
                            packet) == IPV4_FULL)
            buffer_release(packet);
        packet = next;
    }
}

/* Somebody says that he has moved. Returns: whether to believe it. */
static bool may_change(struct net *net, struct arp_entry *entry,
                       struct mac_addr mac)
{
    char text[IPV4_TEXT_BYTES], mac_text[MAC_TEXT_BYTES];

    if (net->now_us - entry->changed_us < FLAP_US) {
        net_count(&net->counters, arp_flap);
        return false;
    }
    if (route_is_gateway(net, entry->nif, entry->addr))
        log_at(LOG_WARNING, "arp", "gateway %s is now at %s",
               ipv4_addr_text(entry->addr, text), mac_addr_text(mac, mac_text));
    return true;
}

/*
 * The sender of a packet is at an address.
 * may_make: a packet for us alone; others only refresh what is known.
 */
static void learn(struct net *net, struct net_if *nif,
                  const struct arp_packet *packet, bool may_make)
{
    struct arp_entry *entry = find(net, nif, packet->sender);
    bool known;

    if (!entry && may_make) {
        entry = entry_make(net, nif, packet->sender);
        if (entry)
            entry->state = ENTRY_WAITING;
    }
    if (!entry)
        return;
    known = entry->state == ENTRY_KNOWN || entry->state == ENTRY_PROBING;
    if (!known || !mac_addr_equal(entry->mac, packet->sender_mac)) {
        if (known && !may_change(net, entry, packet->sender_mac))
            return;
        entry->mac = packet->sender_mac;
        entry->changed_us = net->now_us;
    }
    entry->used = false;
    set_state(net, entry, ENTRY_KNOWN, net->config.arp_age_us);
    send_pending(net, entry);
}

/* Whether a neighbour on this link may have the address. */
static bool sender_ok(const struct net *net, const struct net_if *nif,
                      struct ipv4_addr sender)
{
    return interface_is_host(sender) && !ipv4_is_broadcast(net, sender) &&
           route_on_link(net, nif, sender);
}

/* Somebody else uses our address: say that it is ours, but not in a loop. */
static void conflict(struct net *net, struct net_if *nif)
{
    net_count(&net->counters, arp_conflict);
    if (nif->defended_us != 0 &&
        net->now_us - nif->defended_us < DEFEND_EVERY_US)
        return;
    nif->defended_us = net->now_us;
    arp_announce(net, nif);
}

static void reply(struct net *net, struct net_if *nif,
                  const struct arp_packet *to)
{
    struct arp *arp = &net->arp;

    if (net->now_us - arp->second_us >= 1000000) {
        arp->second_us = net->now_us;
        arp->replies = 0;
    }
    if (arp->replies == ARP_REPLIES_PER_S) {
        net_count(&net->counters, arp_limited);
        return;
    }
    arp->replies++;
    send_packet(net, nif, ARP_REPLY, to->sender_mac, to->sender_mac,
                to->sender);
}

/* A packet that makes sense. */
static void handle(struct net *net, struct net_if *nif,
                   const struct arp_packet *packet)
{
    bool for_us = ipv4_addr_equal(packet->target, nif->addr);
    bool request = packet->operation == ARP_REQUEST;

    if (ipv4_addr_equal(packet->sender, nif->addr)) {
        conflict(net, nif);
        return;
    }
    if (ipv4_addr_is_zero(packet->sender) && request) {
        if (for_us) /* is it free? RFC 5227 2.1.1 */
            reply(net, nif, packet);
        return;
    }
    if (!sender_ok(net, nif, packet->sender)) {
        net_count(&net->counters, arp_bad_sender);
        return;
    }
    if (!request && !find(net, nif, packet->sender))
        net_count(&net->counters, arp_unsolicited);
    learn(net, nif, packet, request && for_us);
    if (request && for_us)
        reply(net, nif, packet);
}

void arp_input(struct net *net, struct net_if *nif, struct mac_addr source,
               bool broadcast, struct buffer *buf)
{
    static const struct mac_addr zero;
    struct arp_packet packet;

    net_count(&net->counters, arp_rx);
    if (buf->len < ARP_PACKET_BYTES)
        net_count(&net->counters, arp_short);
    else if (!arp_packet_parse(buf->data, &packet))
        net_count(&net->counters, arp_format);
    else if (mac_addr_equal(packet.sender_mac, zero) ||
             !mac_addr_equal(packet.sender_mac, source)) /* no group's */
        net_count(&net->counters, arp_bad_sender);
    else if (!interface_has_address(nif))
        net_count(&net->counters, arp_no_address);
    else if (packet.operation == ARP_REPLY && broadcast)
        net_count(&net->counters, arp_unsolicited);
    else
        handle(net, nif, &packet);
    buffer_release(buf);
}
