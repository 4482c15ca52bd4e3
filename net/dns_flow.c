/*
 * net/dns_flow.c - the resolver: what is known, what is being asked, and who
 * waits for it.
 *
 * The first thread that asks for a name does the asking; others that want the
 * same wait for it. When it gives up (its deadline, a cancellation) one of them
 * goes on.
 */
#include "net/dns.h"

#include <string.h>

#include "kernel/clock.h"
#include "net/dhcp.h"
#include "net/dns_flow_priv.h"
#include "net/interface.h"

enum { TRY_US = 10000000 /* for an address, while others are left */ };

/* A name that is being asked for. */
struct dns_pending {
    struct dns_pending *next;
    struct wait_queue waiters;
    struct dns_lookup lookup;
    uint32_t refs; /* threads that ask or wait */
    bool over;     /* nobody asks any more */
    bool answered; /* and lookup.result is set */
};

/* --- life ----------------------------------------------------------------- */

void dns_init(struct dns *dns, struct net *net, struct udpv4 *udp,
              struct tcpv4 *tcp, const struct net_config *config)
{
    const struct net_host *host = &config->host;

    *dns = (struct dns){
        .net = net,
        .udp = udp,
        .tcp = tcp,
        .random = host->random,
        .random_context = host->context,
        .pages = {.alloc = host->page_alloc,
                  .free = host->page_free,
                  .scarce = host->pages_scarce,
                  .context = host->context,
                  .max = config->pages_max},
    };
    dns_cache_init(&dns->cache, &dns->pages);
    pool_init(&dns->pending_pool, &dns->pages, sizeof(struct dns_pending),
              DNS_LOOKUPS_MAX);
}

void dns_free(struct dns *dns)
{
    ASSERT(!dns->pending);
    dns_cache_clear(&dns->cache);
}

/* --- servers -------------------------------------------------------------- */

void dns_set_servers(struct dns *dns, const struct dns_servers *servers)
{
    dns->servers = *servers;
    dns_cache_clear(&dns->cache);
}

struct dns_servers dns_get_servers(const struct dns *dns)
{
    struct dns_servers servers = dns->servers;
    struct dhcp_lease lease;

    for (unsigned i = 0; dns->servers.count == 0 && i < INTERFACES_MAX; i++) {
        if (!dhcp_lease_get(dns->net, i, &lease))
            continue;
        for (uint32_t k = 0;
             k < lease.dns.count && servers.count < DNS_SERVERS_MAX; k++)
            servers.addr[servers.count++] = lease.dns.addr[k];
    }
    return servers;
}

/* --- one question for all ------------------------------------------------- */

static struct dns_pending *find_pending(const struct dns *dns,
                                        const struct dns_name *name,
                                        enum dns_type type)
{
    struct dns_pending *pending = dns->pending;

    while (pending && (pending->lookup.question.type != type ||
                       !dns_name_equal(&pending->lookup.asked, name)))
        pending = pending->next;
    return pending;
}

static void drop_pending(struct dns_pending *pending)
{
    if (--pending->refs == 0)
        pool_free(pending);
}

/* It is over, answered or not: those who wait look again. */
static void end_pending(struct dns *dns, struct dns_pending *pending)
{
    struct dns_pending **at = &dns->pending;

    while (*at != pending)
        at = &(*at)->next;
    *at = pending->next;
    pending->over = true;
    wait_queue_wake_all(&pending->waiters);
}

/* Ask, and tell those who wait. */
static enum dns_status lead(struct dns *dns, const struct dns_name *name,
                            enum dns_type type, uint64_t deadline_us,
                            struct dns_result *result)
{
    const struct dns_servers servers = dns_get_servers(dns);
    struct dns_pending *pending = pool_alloc(&dns->pending_pool);
    uint8_t *page = pending ? pages_take(&dns->pages) : NULL;
    enum dns_status status;
    uint64_t random[2];

    if (!page) {
        if (pending)
            pool_free(pending);
        return DNS_BUSY;
    }
    *pending = (struct dns_pending){.next = dns->pending, .refs = 1};
    dns->pending = pending;
    dns_random(dns, random);
    dns_lookup_init(&pending->lookup, &servers, name, type, random);
    status = dns_ask(dns, &pending->lookup, page, deadline_us);
    pages_give(&dns->pages, page);
    pending->answered = status == DNS_OK;
    if (pending->answered) {
        *result = pending->lookup.result;
        dns_cache_put(&dns->cache, name, type, result, clock_us());
    }
    end_pending(dns, pending);
    drop_pending(pending);
    return status;
}

/* Wait for whoever asks. Returns: DNS_OK: answered, or DNS_BUSY: not, and
 * nobody asks any more; DNS_DEADLINE, DNS_CANCELLED. */
static enum dns_status wait_for(struct dns_pending *pending,
                                uint64_t deadline_us, struct dns_result *result)
{
    enum wait_status waited = WAIT_OK;
    enum dns_status status = DNS_BUSY;

    pending->refs++;
    while (!pending->over && waited == WAIT_OK)
        waited = wait_queue_wait(&pending->waiters, "dns lookup", deadline_us);
    if (pending->answered) {
        *result = pending->lookup.result;
        status = DNS_OK;
    } else if (waited != WAIT_OK) {
        status = waited == WAIT_DEADLINE ? DNS_DEADLINE : DNS_CANCELLED;
    }
    drop_pending(pending);
    return status;
}

/* The result for a name, from wherever it comes soonest. */
static enum dns_status look_up(struct dns *dns, const struct dns_name *name,
                               enum dns_type type, uint64_t deadline_us,
                               struct dns_result *result)
{
    struct dns_pending *pending;
    enum dns_status status = DNS_BUSY;

    if (dns_cache_get(&dns->cache, name, type, clock_us(), result))
        return result->status;
    /* Each round another has given up; there are as many as threads. */
    while (status == DNS_BUSY &&
           (pending = find_pending(dns, name, type)) != NULL)
        status = wait_for(pending, deadline_us, result);
    if (status == DNS_BUSY)
        status = lead(dns, name, type, deadline_us, result);
    return status == DNS_OK ? result->status : status;
}

/* --- the calls ------------------------------------------------------------ */

/* What needs no server. */
static bool is_known(const char *host, struct ipv4_addr *addr)
{
    if (ipv4_addr_parse(host, addr))
        return true;
    if (strcmp(host, "localhost") != 0 && strcmp(host, "localhost.") != 0)
        return false;
    *addr = IPV4_ADDR(127, 0, 0, 1);
    return true;
}

enum dns_status dns_resolve(struct dns *dns, const char *host,
                            uint64_t deadline_us, struct dns_addrs *addrs)
{
    struct dns_result result;
    struct dns_name name;
    enum dns_status status;

    *addrs = (struct dns_addrs){0};
    if (is_known(host, &addrs->addr[0])) {
        addrs->count = 1;
        return DNS_OK;
    }
    if (!dns_host_ok(host) || !dns_name_parse(host, &name))
        return DNS_BAD_NAME;
    status = look_up(dns, &name, DNS_A, deadline_us, &result);
    if (status != DNS_OK)
        return status;
    memcpy(addrs->addr, result.addrs, sizeof(addrs->addr));
    addrs->count = result.addr_count;
    return DNS_OK;
}

enum dns_status dns_reverse(struct dns *dns, struct ipv4_addr addr,
                            uint64_t deadline_us,
                            char host[DNS_NAME_TEXT_BYTES])
{
    const struct dns_name name = dns_name_reverse(addr);
    struct dns_result result;
    enum dns_status status = look_up(dns, &name, DNS_PTR, deadline_us, &result);

    host[0] = '\0';
    if (status != DNS_OK)
        return status;
    if (dns_name_text(&result.name, host))
        return DNS_OK;
    host[0] = '\0';
    return DNS_BAD_NAME;
}

/* --- connecting by name --------------------------------------------------- */

/* Each address in turn. */
static enum flow_status
connect_any(struct tcpv4 *tcp, const struct dns_addrs *addrs, uint16_t port,
            uint64_t deadline_us, struct flow **flow, struct flow_error *error)
{
    enum flow_status status = FLOW_DEADLINE;

    for (uint32_t i = 0; i < addrs->count; i++) {
        uint64_t until_us = clock_us() + TRY_US;
        bool last = i + 1 == addrs->count || until_us >= deadline_us;

        status =
            tcpv4_create_connection(tcp, addrs->addr[i], port,
                                    last ? deadline_us : until_us, flow, error);
        if (last || status == FLOW_OK || status == FLOW_CANCELLED)
            break;
    }
    return status;
}

enum flow_status dns_connect(struct dns *dns, struct tcpv4 *tcp,
                             const char *host, uint16_t port,
                             uint64_t deadline_us, struct flow **flow,
                             enum dns_status *name, struct flow_error *error)
{
    struct dns_addrs addrs;

    *flow = NULL;
    *error = (struct flow_error){FLOW_ERROR_NONE, FLOW_REASON_NONE};
    *name = dns_resolve(dns, host, deadline_us, &addrs);
    switch (*name) {
    case DNS_OK:
        return connect_any(tcp, &addrs, port, deadline_us, flow, error);
    case DNS_DEADLINE:
        return FLOW_DEADLINE;
    case DNS_CANCELLED:
        return FLOW_CANCELLED;
    default:
        return FLOW_ERROR;
    }
}

/* --- asking about the resolver -------------------------------------------- */

void dns_info_get(const struct dns *dns, struct dns_info *info)
{
    *info = (struct dns_info){
        .servers = dns_get_servers(dns),
        .entries = (uint32_t)dns->cache.pool.count,
        .entries_max = DNS_CACHE_MAX,
        .hits = dns->cache.hits,
        .misses = dns->cache.misses,
        .evicted = dns->cache.evicted,
        .questions = dns->questions,
        .by_tcp = dns->by_tcp,
        .forged = dns->forged,
    };
}

void dns_for_each(const struct dns *dns,
                  void (*fn)(void *context, const struct dns_name *name,
                             const struct dns_result *result, uint64_t seconds),
                  void *context)
{
    uint64_t now_us = clock_us();

    for (const struct dns_entry *entry = dns->cache.first; entry;
         entry = entry->next)
        if (entry->until_us > now_us)
            fn(context, &entry->name, &entry->result,
               (entry->until_us - now_us) / 1000000);
}
