/*
 * net/arp_cache.c - what is known of neighbours.
 *
 * The packets that wait for them are in net/arp_waiting.c.
 */
#include "kernel/log.h"
#include "net/arp.h"
#include "net/ethernet.h"
#include "net/net_priv.h"

/*
 * How long an answer may take, by the number of requests sent. At most one
 * request a second for an address: RFC 1122 2.3.2.1.
 */
static const uint64_t wait_us[ARP_REQUESTS_MAX + 1] = {0, 1000000, 2000000,
                                                       2000000};

_Static_assert(sizeof(((struct arp_entry *)0)->header) == ETHERNET_HEADER_BYTES,
               "one header");

enum {
    HOLD_US = 1000000,    /* a failed address is asked again after that, ... */
    HOLD_DOUBLES_MAX = 3, /* ... twice that when it fails again, up to 8 s */
    FLAP_US = 1000000,    /* a new MAC address is kept at least so long */
    ASK_US = 1000000      /* between two requests to one that is known */
};

static void entry_timer(struct timer *timer, void *context);

void arp_init(struct net *net)
{
    pool_init(&net->arp.pool, &net->pages, sizeof(struct arp_entry),
              ARP_ENTRIES_MAX);
    net->arp.pool.to_the_last = true; /* without a neighbour, we are mute */
}

/* --- entries -------------------------------------------------------------- */

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

/* Who he is; the card's own address stays what it is. */
static void set_mac(struct arp_entry *entry, struct mac_addr mac)
{
    entry->mac = mac;
    ethernet_header_put(entry->header, &mac, &entry->nif->dev->mac,
                        ETHERNET_TYPE_IPV4);
}

/* Whether packets can go there. */
static bool is_known(const struct arp_entry *entry)
{
    return entry->state == ARP_KNOWN || entry->state == ARP_PROBING ||
           entry->state == ARP_STATIC;
}

struct arp_limit *arp_own_limit(struct net *net, const struct net_if *nif,
                                const struct arp_packet *packet)
{
    struct arp_entry *entry = find(net, nif, packet->sender);
    bool used = entry && is_known(entry) && entry->used_us > 0;

    used = used && mac_addr_equal(&entry->mac, &packet->sender_mac);
    return used ? &entry->replies : NULL;
}

static void entry_free(struct net *net, struct arp_entry *entry)
{
    struct arp_entry **at = bucket_of(&net->arp, entry->addr);

    while (*at != entry)
        at = &(*at)->next;
    *at = entry->next;
    route_neighbour_gone(net, entry);
    timer_cancel(&net->timers, &entry->timer);
    buffer_release_queue(arp_waiting_take(net, entry));
    if (entry->state == ARP_STATIC)
        net->arp.static_count--;
    pool_free(entry);
}

/* The one of two that is less needed. */
static struct arp_entry *lesser(struct arp_entry *a, struct arp_entry *b)
{
    if (!a || b->used_us < a->used_us ||
        (b->used_us == a->used_us && b->changed_us < a->changed_us))
        return b;
    return a;
}

/*
 * Make room: forget who was used longest ago. Not a gateway, and not what was
 * set by hand. Addresses that do not answer, which a stranger can make us ask
 * for, take half the cache at most from those that do.
 */
static void evict(struct net *net)
{
    struct arp_entry *oldest = NULL, *silent = NULL;
    unsigned silent_count = 0;

    for (unsigned i = 0; i < ARP_BUCKETS; i++)
        for (struct arp_entry *entry = net->arp.bucket[i]; entry;
             entry = entry->next) {
            if (entry->state == ARP_STATIC ||
                route_is_gateway(net, entry->nif, entry->addr))
                continue;
            oldest = lesser(oldest, entry);
            if (!is_known(entry)) {
                silent = lesser(silent, entry);
                silent_count++;
            }
        }
    if (silent_count > ARP_ENTRIES_MAX / 2)
        oldest = silent;
    if (oldest) {
        net_count(&net->counters, arp_evicted);
        entry_free(net, oldest);
    }
}

static COLD struct arp_entry *entry_make(struct net *net, struct net_if *nif,
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
        .addr = addr,
        .changed_us = net->now_us,
        .state = ARP_WAITING,
    };
    *bucket = entry;
    return entry;
}

/* --- asking --------------------------------------------------------------- */

static void set_state(struct net *net, struct arp_entry *entry,
                      enum arp_state state, uint64_t for_us)
{
    entry->state = (uint8_t)state;
    timer_arm(&net->timers, &entry->timer, net->now_us + for_us);
}

/* Ask, everybody or the one who was there, and wait for the answer. */
static void ask(struct net *net, struct arp_entry *entry, enum arp_state state)
{
    entry->requests++;
    entry->asked_us = net->now_us;
    set_state(net, entry, state, wait_us[entry->requests]);
    arp_send_request(net, entry->nif,
                     state == ARP_PROBING && !entry->contested
                         ? entry->mac
                         : ethernet_broadcast,
                     entry->addr);
}

static COLD void start_asking(struct net *net, struct arp_entry *entry,
                              enum arp_state state)
{
    entry->requests = 0;
    ask(net, entry, state);
}

/*
 * Ask one that is known, a second after it was last asked at the earliest:
 * each of many connections may doubt it anew as soon as it has answered.
 */
static COLD void probe(struct net *net, struct arp_entry *entry)
{
    uint64_t since_us = net->now_us - entry->asked_us;

    if (since_us < ASK_US)
        set_state(net, entry, ARP_KNOWN, ASK_US - since_us);
    else
        start_asking(net, entry, ARP_PROBING);
}

/* Nobody has answered: tell who waits, and leave it alone for a while. */
static void fail(struct net *net, struct arp_entry *entry)
{
    struct buffer *packet = arp_waiting_take(net, entry);
    char addr[IPV4_TEXT_BYTES];

    log_at(LOG_DEBUG, "arp", "no answer from %s",
           ipv4_addr_text(entry->addr, addr));
    set_state(net, entry, ARP_HOLD, (uint64_t)HOLD_US << entry->failures);
    if (entry->failures < HOLD_DOUBLES_MAX)
        entry->failures++;
    while (packet) {
        struct buffer *next = packet->link;

        arp_report_failed(net, packet);
        buffer_release(packet);
        packet = next;
    }
}

static void entry_timer(struct timer *timer, void *context)
{
    struct arp_entry *entry = CONTAINER_OF(timer, struct arp_entry, timer);
    struct net *net = context;
    bool more = entry->requests < ARP_REQUESTS_MAX;

    switch ((enum arp_state)entry->state) {
    case ARP_WAITING:
        if (more)
            ask(net, entry, ARP_WAITING);
        else
            fail(net, entry);
        break;
    case ARP_HOLD:
        if (entry->pending)
            start_asking(net, entry, ARP_WAITING);
        else
            entry_free(net, entry);
        break;
    case ARP_KNOWN:
        if (entry->used || entry->contested)
            probe(net, entry);
        else
            entry_free(net, entry);
        break;
    case ARP_PROBING:
        if (more)
            ask(net, entry, ARP_PROBING);
        else
            entry_free(net, entry); /* the next packet asks everybody */
        break;
    case ARP_STATIC:
        break;
    }
}

/* --- out ------------------------------------------------------------------ */

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
        start_asking(net, entry, ARP_WAITING);
    }
    if (is_known(entry)) {
        arp_note_use(entry, net->now_us);
        return ethernet_output(net, nif, entry->mac, ETHERNET_TYPE_IPV4,
                               packet);
    }
    entry->used_us = net->now_us;
    arp_waiting_add(net, entry, packet);
    return IPV4_OK;
}

struct arp_entry *arp_known(struct net *net, const struct net_if *nif,
                            struct ipv4_addr addr)
{
    struct arp_entry *entry = find(net, nif, addr);

    return entry && is_known(entry) ? entry : NULL;
}

void arp_doubt(struct net *net, const struct net_if *nif, struct ipv4_addr addr)
{
    struct arp_entry *entry = find(net, nif, addr);

    if (entry && entry->state == ARP_KNOWN)
        probe(net, entry);
}

/* --- learning ------------------------------------------------------------- */

/* Send what has waited for the address; what a full card has no room for is
 * lost as on a wire, and counted. */
static void send_pending(struct net *net, struct arp_entry *entry)
{
    struct buffer *packet = arp_waiting_take(net, entry);

    while (packet) {
        struct buffer *next = packet->link;

        packet->link = NULL;
        entry->used = true;
        if (ethernet_output(net, entry->nif, entry->mac, ETHERNET_TYPE_IPV4,
                            packet) == IPV4_FULL) {
            net_count(&net->counters, arp_pending_full);
            buffer_release(packet);
        }
        packet = next;
    }
}

/*
 * Somebody says that he has moved. Returns: whether to believe it; if not, so
 * soon after the last time, everybody is asked a little later who it is.
 */
static bool may_change(struct net *net, struct arp_entry *entry,
                       struct mac_addr mac)
{
    uint64_t since_us = net->now_us - entry->changed_us;
    char text[IPV4_TEXT_BYTES], mac_text[MAC_TEXT_BYTES];

    if (since_us < FLAP_US) {
        net_count(&net->counters, arp_flap);
        entry->contested = true;
        set_state(net, entry, ARP_KNOWN, FLAP_US - since_us);
        return false;
    }
    if (route_is_gateway(net, entry->nif, entry->addr))
        log_at(LOG_WARNING, "arp", "gateway %s is now at %s",
               ipv4_addr_text(entry->addr, text), mac_addr_text(mac, mac_text));
    return true;
}

void arp_learn(struct net *net, struct net_if *nif,
               const struct arp_packet *packet, bool may_make)
{
    struct arp_entry *entry = find(net, nif, packet->sender);

    if (!entry && packet->operation == ARP_REPLY)
        net_count(&net->counters, arp_unsolicited);
    if (!entry && may_make)
        entry = entry_make(net, nif, packet->sender);
    if (!entry || entry->state == ARP_STATIC)
        return;
    if (!is_known(entry) || !mac_addr_equal(&entry->mac, &packet->sender_mac)) {
        if (is_known(entry) && !may_change(net, entry, packet->sender_mac))
            return;
        set_mac(entry, packet->sender_mac);
        entry->changed_us = net->now_us;
    }
    entry->used = false;
    entry->contested = false;
    entry->failures = 0;
    set_state(net, entry, ARP_KNOWN, net->config.arp_age_us);
    send_pending(net, entry);
}

/* --- by hand -------------------------------------------------------------- */

enum net_status arp_add(struct net *net, unsigned index, struct ipv4_addr addr,
                        struct mac_addr mac, uint64_t now_us)
{
    static const struct mac_addr zero;
    struct net_if *nif = interface_at(net, index);
    struct arp_entry *entry = find(net, nif, addr);

    ASSERT(nif->dev);
    net_set_now(net, now_us);
    if (!interface_is_host(addr) || ipv4_is_ours(net, addr) ||
        mac_addr_is_group(&mac) || mac_addr_equal(&mac, &zero))
        return NET_BAD_ADDRESS;
    if (!entry || entry->state != ARP_STATIC) {
        if (net->arp.static_count == ARP_STATIC_MAX)
            return NET_FULL;
        if (!entry)
            entry = entry_make(net, nif, addr);
        if (!entry)
            return NET_NO_MEMORY;
        net->arp.static_count++;
    }
    timer_cancel(&net->timers, &entry->timer);
    entry->state = ARP_STATIC;
    set_mac(entry, mac);
    send_pending(net, entry);
    return NET_OK;
}

bool arp_delete(struct net *net, unsigned index, struct ipv4_addr addr)
{
    struct arp_entry *entry = find(net, interface_at(net, index), addr);

    if (entry)
        entry_free(net, entry);
    return entry;
}

bool arp_get(const struct net *net, unsigned number, struct arp_info *info)
{
    static const struct mac_addr zero;

    for (unsigned i = 0; i < ARP_BUCKETS; i++)
        for (const struct arp_entry *entry = net->arp.bucket[i]; entry;
             entry = entry->next) {
            if (number-- > 0)
                continue;
            *info = (struct arp_info){
                .addr = entry->addr,
                .mac = is_known(entry) ? entry->mac : zero,
                .interface = (uint8_t)(entry->nif - net->ifs),
                .state = (enum arp_state)entry->state,
                .pending = entry->pending_count,
            };
            return true;
        }
    return false;
}

/* --- ending --------------------------------------------------------------- */

/* Free the entries of an interface, or of all (null). */
static void free_entries(struct net *net, const struct net_if *nif,
                         bool static_too)
{
    for (unsigned i = 0; i < ARP_BUCKETS; i++)
        for (struct arp_entry *entry = net->arp.bucket[i], *next; entry;
             entry = next) {
            next = entry->next;
            if ((!nif || entry->nif == nif) &&
                (static_too || entry->state != ARP_STATIC))
                entry_free(net, entry);
        }
}

void arp_forget(struct net *net, const struct net_if *nif)
{
    free_entries(net, nif, false);
}

void arp_destroy(struct net *net)
{
    free_entries(net, NULL, true);
}
