/*
 * net/net.c - one stack: made, driven and ended.
 *
 * The order of work and who calls what is here; what is done, in the layers.
 */
#include "net/net.h"

#include "net/ethernet.h"
#include "net/gro.h"
#include "net/net_priv.h"

enum {
    PAGES_MAX_DEFAULT = 16 * 1024 * 1024 / PAGE_BYTES,
    FLUSH_ROUNDS_MAX = 8, /* of talking to ourselves, in one flush */
    CONNS_PART = 4,       /* of the pages */
    CONNS_LEAST = 64,
    CONNS_MOST = 1 << 20,
    TIME_WAITS_PART = 16,
    TIME_WAIT_BYTES = 64,
    TIME_WAITS_MOST = 16384
};

struct net_config net_config_default(void)
{
    return (struct net_config){
        .pages_max = PAGES_MAX_DEFAULT,
        .path_mtu_min = 552,
        .path_mtu_age_us = 600 * 1000000ull,
        .arp_age_us = 60 * 1000000ull,
        .tcp = tcp_config_default(),
    };
}

/* A share of the pages in objects, within bounds. */
static uint32_t objects_in(size_t pages, size_t object_bytes, uint32_t least,
                           uint32_t most)
{
    size_t count = pages * (PAGE_BYTES / object_bytes);

    if (count < least)
        return least;
    return count < most ? (uint32_t)count : most;
}

void net_config_fit(struct net_config *config, size_t pages_max)
{
    config->pages_max = pages_max;
    config->tcp.conns_max = objects_in(pages_max / CONNS_PART, NET_CONN_BYTES,
                                       CONNS_LEAST, CONNS_MOST);
    config->tcp.time_wait_max =
        objects_in(pages_max / TIME_WAITS_PART, TIME_WAIT_BYTES, CONNS_LEAST,
                   TIME_WAITS_MOST);
}

/* --- made and ended ------------------------------------------------------- */

/* Give back the pages of the stack itself. */
static COLD void free_pages(struct net *net)
{
    struct net_host host = net->config.host;

    interface_destroy(net);
    pages_drain(&net->pages);
    if (net->timers.slots)
        host.page_free(host.context, net->timers.slots);
    host.page_free(host.context, net);
}

COLD struct net *net_create(const struct net_config *config, uint64_t now_us)
{
    const struct net_host *host = &config->host;
    struct net *net = host->page_alloc(host->context);
    void *slots;

    if (!net)
        return NULL;
    *net = (struct net){
        .config = *config,
        .now_us = now_us,
        .pages = {.alloc = host->page_alloc,
                  .free = host->page_free,
                  .scarce = host->pages_scarce,
                  .context = host->context,
                  .count = 1,
                  .max = config->pages_max,
                  .keep = config->pages_keep},
        .pool = &net->buffers,
    };
    if (config->udp_queue_bytes_max == 0)
        net->config.udp_queue_bytes_max = config->pages_max / 8 * PAGE_BYTES;
    slots = interface_init(net) ? pages_take(&net->pages) : NULL;
    if (!slots) {
        free_pages(net);
        return NULL;
    }
    timer_wheel_init(&net->timers, slots, now_us);
    buffer_pool_init(net->pool, &net->pages);
    arp_init(net);
    ipv4_init(net);
    icmp_init(net);
    ping_init(net);
    udp_init(net);
    if (!tcp_init(net) || !path_init(net)) {
        net_destroy(net); /* what there is of it */
        return NULL;
    }
    return net;
}

/* False when one cannot be stopped: it goes on knowing our buffers. */
static bool stop_cards(struct net *net)
{
    bool stopped = true;

    for (unsigned i = 0; i < net->if_count; i++) {
        struct netdev *dev = net->ifs[i].dev;

        if (dev && !dev->ops->stop(dev))
            stopped = false;
    }
    return stopped;
}

COLD void net_destroy(struct net *net)
{
    bool stopped = stop_cards(net);

    tcp_destroy(net);
    dhcp_destroy(net);
    path_destroy(net);
    udp_destroy(net);
    ping_destroy(net);
    ipv4_destroy(net);
    arp_destroy(net);
    if (stopped)
        free_pages(net);
}

COLD void net_trim(struct net *net)
{
    pages_trim(&net->pages);
}

/* --- interfaces ----------------------------------------------------------- */

enum net_status net_attach(struct net *net, struct netdev *dev,
                           const struct net_address *address)
{
    return interface_add(net, dev, address);
}

void net_device_event(struct net *net, struct netdev *dev, unsigned events,
                      uint64_t now_us)
{
    struct net_if *nif = interface_of(net, dev);

    net_set_now(net, now_us);
    if (nif)
        interface_device_event(net, nif, events);
}

/* --- the way of a batch --------------------------------------------------- */

static void dispatch_events(struct net *net)
{
    interface_dispatch_events(net);
    tcp_dispatch_events(net);
}

/* Each is a frame that has come. */
static void count_joined(struct net *net, uint32_t frames)
{
    net->counters.value[NET_COUNT_eth_rx] += frames;
    net->counters.value[NET_COUNT_eth_joined] += frames;
}

void net_input(struct net *net, struct netdev *dev, struct buffer *frames,
               uint64_t now_us)
{
    struct net_if *nif = interface_of(net, dev);

    ASSERT(nif);
    net_set_now(net, now_us);
    if (frames && frames->link && !(dev->caps & NETDEV_CAP_RX_GSO_TCP4))
        count_joined(net, gro_join(nif, frames));
    while (frames) {
        struct buffer *frame = frames;

        frames = frame->link;
        frame->link = NULL;
        ethernet_input(net, nif, frame);
    }
    dispatch_events(net);
}

void net_input_packet(struct net *net, struct buffer *packet, uint64_t now_us)
{
    net_set_now(net, now_us);
    packet->link = NULL;
    ipv4_input(net, &net->ifs[0], packet, IPV4_FROM_LINK);
    dispatch_events(net);
}

void net_run(struct net *net, uint64_t now_us)
{
    struct timer *timer;

    net_set_now(net, now_us);
    while ((timer = timer_wheel_pop(&net->timers, net->now_us)))
        timer->fire(timer, net);
    dispatch_events(net);
}

bool net_flush(struct net *net, uint64_t now_us)
{
    bool blocked;

    net_set_now(net, now_us);
    blocked = tcp_flush(net);
    for (int i = 0; i < FLUSH_ROUNDS_MAX && ipv4_deliver_loopback(net); i++)
        blocked = tcp_flush(net);
    for (unsigned i = 0; i < net->if_count; i++) {
        struct net_if *nif = &net->ifs[i];

        if (nif->kick && nif->dev)
            nif->dev->ops->kick(nif->dev);
        nif->kick = false;
    }
    dispatch_events(net);
    return blocked && net->ip.loopback_count == 0;
}

uint64_t net_now_us(const struct net *net)
{
    return net->now_us;
}

bool net_needs_flush(const struct net *net)
{
    for (unsigned i = 0; i < net->if_count; i++)
        if (net->ifs[i].kick)
            return true;
    return net->ip.loopback_count > 0 || interface_has_news(net) ||
           tcp_needs_flush(net);
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
    for (unsigned i = 0; i < net->if_count; i++)
        if (interface_has_address(&net->ifs[i]))
            return net->ifs[i].addr;
    return IPV4_ADDR(0, 0, 0, 0);
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
        .conns_max = net->tcp.conns.max,
        .time_waits = net->tcp.time_waits.count,
        .fragment_bytes = net->ip.reass.held_bytes,
    };
}
