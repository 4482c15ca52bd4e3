/*
 * tests/host/hostnet.c - pages, randomness and packets for stacks under test.
 */
#include "tests/host/hostnet.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/random.h"

static void *take_page(void *context)
{
    struct hostnet *hostnet = context;
    void *page;

    hostnet->asked++;
    if (hostnet->fail_at &&
        (hostnet->asked == hostnet->fail_at ||
         (hostnet->fail_after && hostnet->asked > hostnet->fail_at)))
        return NULL;
    page = aligned_alloc(PAGE_BYTES, PAGE_BYTES);
    if (!page)
        return NULL;
    memset(page, 0xa5, PAGE_BYTES); /* nothing may count on zeros */
    if (++hostnet->pages > hostnet->pages_peak)
        hostnet->pages_peak = hostnet->pages;
    return page;
}

static void give_page(void *context, void *page)
{
    struct hostnet *hostnet = context;

    ASSERT(hostnet->pages > 0);
    hostnet->pages--;
    free(page);
}

static bool is_scarce(void *context)
{
    const struct hostnet *hostnet = context;

    return hostnet->scarce;
}

static void fill_random(void *context, void *out, size_t bytes)
{
    (void)context;
    random_bytes(out, bytes);
}

struct net_host hostnet_host(struct hostnet *hostnet)
{
    return (struct net_host){
        .context = hostnet,
        .page_alloc = take_page,
        .page_free = give_page,
        .random = fill_random,
        .pages_scarce = is_scarce,
    };
}

struct net_config hostnet_config(struct hostnet *hostnet)
{
    struct net_config config = net_config_default();

    config.host = hostnet_host(hostnet);
    return config;
}

static void keep_packet(void *context, struct buffer *packet)
{
    struct hostnet *hostnet = context;

    packet->link = NULL;
    *hostnet->packets_end = packet;
    hostnet->packets_end = &packet->link;
}

void hostnet_packets(struct hostnet *hostnet, struct net_host *host)
{
    hostnet->packets = NULL;
    hostnet->packets_end = &hostnet->packets;
    host->packet_out = keep_packet;
}

struct buffer *hostnet_take_packet(struct hostnet *hostnet)
{
    struct buffer *packet = hostnet->packets;

    if (!packet)
        return NULL;
    hostnet->packets = packet->link;
    if (!hostnet->packets)
        hostnet->packets_end = &hostnet->packets;
    packet->link = NULL;
    return packet;
}

struct buffer_pool *hostnet_pool(struct hostnet *hostnet, size_t pages_max)
{
    *hostnet = (struct hostnet){
        .pool_pages =
            {
                .alloc = take_page,
                .free = give_page,
                .context = hostnet,
                .max = pages_max,
            },
    };
    buffer_pool_init(&hostnet->pool, &hostnet->pool_pages);
    return &hostnet->pool;
}

size_t hostnet_chunks(const struct hostnet *hostnet)
{
    struct buffer_pool_stats stats;

    buffer_pool_stats_get(&hostnet->pool, &stats);
    return stats.chunks;
}

struct buffer *hostnet_chain(struct buffer_pool *pool, const void *bytes,
                             uint32_t len)
{
    const uint8_t *from = bytes;
    struct buffer *first = NULL, **end = &first;

    do {
        uint32_t part = len < BUFFER_LARGE_BYTES ? len : BUFFER_LARGE_BYTES;
        struct buffer *buf = buffer_alloc_last(pool, BUFFER_LARGE, 0);

        if (!buf)
            abort();
        if (part > 0)
            memcpy(buf->data, from, part);
        buf->len = part;
        from += part;
        len -= part;
        *end = buf;
        end = &buf->next;
    } while (len > 0);
    return first;
}
