/*
 * net/dns_cache.c - what name servers have said, as long as it holds.
 */
#include "net/dns_cache.h"

void dns_cache_init(struct dns_cache *cache, struct pages *pages)
{
    *cache = (struct dns_cache){0};
    pool_init(&cache->pool, pages, sizeof(struct dns_entry), DNS_CACHE_MAX);
}

/* Take the entry out of the list. */
static void unlink_entry(struct dns_entry **at)
{
    *at = (*at)->next;
}

void dns_cache_clear(struct dns_cache *cache)
{
    while (cache->first) {
        struct dns_entry *entry = cache->first;

        unlink_entry(&cache->first);
        pool_free(entry);
    }
}

/* Where the entry of a name stands, or the list's end. */
static struct dns_entry **find(struct dns_cache *cache,
                               const struct dns_name *name, enum dns_type type)
{
    struct dns_entry **at = &cache->first;

    while (*at && ((*at)->type != type || !dns_name_equal(&(*at)->name, name)))
        at = &(*at)->next;
    return at;
}

static void push(struct dns_cache *cache, struct dns_entry *entry)
{
    entry->next = cache->first;
    cache->first = entry;
}

bool dns_cache_get(struct dns_cache *cache, const struct dns_name *name,
                   enum dns_type type, uint64_t now_us,
                   struct dns_result *result)
{
    struct dns_entry **at = find(cache, name, type);
    struct dns_entry *entry = *at;

    if (entry && entry->until_us <= now_us) {
        unlink_entry(at);
        pool_free(entry);
        entry = NULL;
    }
    if (!entry) {
        cache->misses++;
        return false;
    }
    cache->hits++;
    unlink_entry(at);
    push(cache, entry);
    *result = entry->result;
    return true;
}

/* The entry that was asked for longest ago makes room. */
static void evict(struct dns_cache *cache)
{
    struct dns_entry **at = &cache->first;
    struct dns_entry *last;

    while ((*at)->next)
        at = &(*at)->next;
    last = *at;
    unlink_entry(at);
    pool_free(last);
    cache->evicted++;
}

void dns_cache_put(struct dns_cache *cache, const struct dns_name *name,
                   enum dns_type type, const struct dns_result *result,
                   uint64_t now_us)
{
    struct dns_entry **at = find(cache, name, type);
    struct dns_entry *entry = *at;

    if (result->ttl_s == 0)
        return;
    if (entry)
        unlink_entry(at);
    else if (cache->pool.count == DNS_CACHE_MAX)
        evict(cache);
    if (!entry)
        entry = pool_alloc(&cache->pool);
    if (!entry)
        return;
    *entry = (struct dns_entry){
        .name = *name,
        .type = type,
        .result = *result,
        .until_us = now_us + result->ttl_s * UINT64_C(1000000),
    };
    push(cache, entry);
}
