/*
 * net/net.c - one stack: made, driven and ended.
 *
 * The order of work and who calls what is here; what is done, in the layers.
 */
#include "net/net.h"

#include "net/ethernet.h"
#include "net/net_priv.h"

enum {
    PAGES_MAX_DEFAULT = 16 * 1024 * 1024 / PAGE_BYTES,
    FLUSH_ROUNDS_MAX = 8 /* of talking to ourselves, in one flush */
};

struct net_config net_config_default(void)
{
    return (struct net_config){
        .pages_max = PAGES_MAX_DEFAULT,
        .arp_age_us = 60 * 1000000ull,
        .tcp = tcp_config_default(),
    };
}

/* The clock as the stack sees it: it may stand still, not go back. */
static void set_now(struct net *net, uint64_t now_us)
{
    if (now_us > net->now_us)
        net->now_us = now_us;
}

/* --- made and ended ------------------------------------------------------- */

/* Give back the pages of the stack itself. */
static void free_pages(struct net *net)
{
    struct net_host host = net->host;

    if (net->timers.slots)
        host.page_free(host.context, net->timers.slots);
    host.page_free(host.context, net);
}

struct net *net_create(const struct net_config *config, uint64_t now_us)
{
    const struct net_host *host = &config->host;
    struct net *net = host->page_alloc(host->context);
    void *slots;

    if (!net)
        return NULL;
    *net = (struct net){
        .host = *host,
        .config = *config,
        .now_us = now_us,
        .pages = {host->page_alloc, host->page_free, host->context, 1,
                  config->pages_max},
        .pool = &net->buffers,
    };
    slots = pages_take(&net->pages);
    if (!slots) {
        free_pages(net);
        return NULL;
    }
    timer_wheel_init(&net->timers, slots, now_us);
    buffer_pool_init(net->pool, &net->pages);
    arp_init(net);
    ipv4_init(net);
    icmp_init(net);
    udp_init(net);
    if (!tcp_init(net)) {
        net_destroy(net); /* what there is of it */
        return NULL;
    }
    return net;
}

void net_destroy(struct net *net)
{
    tcp_destroy(net);
    udp_destroy(net);
    ipv4_destroy(net);
    arp_destroy(net);
    free_pages(net);
}

/* --- interfaces ----------------------------------------------------------- */

struct net_if *net_if_of(struct net *net, const struct netdev *dev)
{
    for (unsigned i = 0; i < net->if_count; i++)
        if (net->ifs[i].dev == dev)
            return &net->ifs[i];
    return NULL;
}

static uint32_t mask_of(uint8_t prefix_bits)
{
    return prefix_bits == 0 ? 0 : UINT32_MAX << (32 - prefix_bits);
}

/* Whether it can be the address of one host. */
static bool is_host(struct ipv4_addr addr)
{
    return addr.byte[0] != 0 && addr.byte[0] < 224 &&
           !ipv4_addr_is_loopback(addr);
}

static bool address_ok(const struct net_address *address)
{
    uint32_t rest;

    if (address->prefix_bits > 32 || !is_host(address->addr))
        return false;
    if (!ipv4_addr_is_zero(address->gateway) &&
        (!is_host(address->gateway) ||
         ipv4_addr_equal(address->gateway, address->addr)))
        return false;
    if (address->prefix_bits > 30) /* RFC 3021 */
        return true;
    rest = ipv4_addr_host(address->addr) & ~mask_of(address->prefix_bits);
    return rest != 0 && rest != ~mask_of(address->prefix_bits);
}

enum net_status net_attach(struct net *net, struct netdev *dev,
                           const struct net_address *address)
{
    struct net_if *nif;

    if (!address_ok(address))
        return NET_BAD_ADDRESS;
    if (net->if_count == NET_IF_MAX)
        return NET_FULL;
    nif = &net->ifs[net->if_count++];
    *nif = (struct net_if){
        .dev = dev,
        .addr = address->addr,
        .gateway = address->gateway,
        .mask = mask_of(address->prefix_bits),
        .mtu_bytes = dev ? dev->mtu_bytes : IPV4_MTU_DEFAULT,
    };
    if (dev) {
        dev->ops->start(dev, net->pool);
        arp_announce(net, nif);
    }
    return NET_OK;
}

void net_device_event(struct net *net, struct netdev *dev, unsigned events,
                      uint64_t now_us)
{
    struct net_if *nif = net_if_of(net, dev);

    set_now(net, now_us);
    if (nif && events & (NETDEV_EV_LINK_UP | NETDEV_EV_ANNOUNCE))
        arp_announce(net, nif);
}

/* --- the way of a batch --------------------------------------------------- */

void net_input(struct net *net, struct netdev *dev, struct buffer *frames,
               uint64_t now_us)
{
    struct net_if *nif = net_if_of(net, dev);

    ASSERT(nif);
    set_now(net, now_us);
    while (frames) {
        struct buffer *frame = frames;

        frames = frame->link;
        frame->link = NULL;
        ethernet_input(net, nif, frame);
    }
    tcp_dispatch_events(net);
}

void net_input_packet(struct net *net, struct buffer *packet, uint64_t now_us)
{
    set_now(net, now_us);
    packet->link = NULL;
    ipv4_input(net, packet, IPV4_FROM_LINK);
    tcp_dispatch_events(net);
}

void net_run(struct net *net, uint64_t now_us)
{
    struct timer *timer;

    set_now(net, now_us);
    while ((timer = timer_wheel_pop(&net->timers, net->now_us)))
        timer->fire(timer, net);
    tcp_dispatch_events(net);
}

bool net_flush(struct net *net, uint64_t now_us)
{
    bool blocked;

    set_now(net, now_us);
    blocked = tcp_flush(net);
    for (int i = 0; i < FLUSH_ROUNDS_MAX && ipv4_deliver_loopback(net); i++)
        blocked = tcp_flush(net);
    for (unsigned i = 0; i < net->if_count; i++) {
        struct net_if *nif = &net->ifs[i];

        if (nif->kick && nif->dev)
            nif->dev->ops->kick(nif->dev);
        nif->kick = false;
    }
    tcp_dispatch_events(net);
    return blocked && net->ip.loopback_count == 0;
}

bool net_needs_flush(const struct net *net)
{
    for (unsigned i = 0; i < net->if_count; i++)
        if (net->ifs[i].kick)
            return true;
    return net->ip.loopback_count > 0 || tcp_needs_flush(net);
}

uint64_t net_next_deadline(const struct net *net)
{
    return timer_wheel_next(&net->timers);
}

/* --- asking --------------------------------------------------------------- */

struct buffer_pool *net_pool(struct net *net)
{
    return net->pool;
}

const struct net_counters *net_counters(const struct net *net)
{
    return &net->counters;
}

struct ipv4_addr net_address(const struct net *net)
{
    return net->if_count > 0 ? net->ifs[0].addr : IPV4_ADDR(0, 0, 0, 0);
}

void net_memory_get(const struct net *net, struct net_memory *memory)
{
    struct buffer_pool_stats stats;

    buffer_pool_stats_get(net->pool, &stats);
    *memory = (struct net_memory){
        .pages = net->pages.count,
        .pages_max = net->pages.max,
        .buffers = stats.chunks,
        .conns = net->tcp.conns.count,
        .time_waits = net->tcp.time_waits.count,
    };
}
