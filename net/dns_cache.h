/*
 * net/dns_cache.h - what name servers have said, as long as it holds.
 *
 * The names that were asked for least recently make room. A name that does not
 * exist is kept as well (RFC 2308).
 */
#ifndef NET_DNS_CACHE_H
#define NET_DNS_CACHE_H

#include "kernel/base.h"
#include "net/dns_lookup.h"
#include "net/pool.h"

enum { DNS_CACHE_MAX = 64 };

struct dns_entry {
    struct dns_entry *next; /* asked for longer ago */
    struct dns_name name;
    enum dns_type type;
    struct dns_result result;
    uint64_t until_us;
};

struct dns_cache {
    struct pool pool;
    struct dns_entry *first; /* asked for most recently */
    uint64_t hits, misses, evicted;
};

void dns_cache_init(struct dns_cache *cache, struct pages *pages);
void dns_cache_clear(struct dns_cache *cache);

/* Returns: false when nothing is known that holds. */
MUST_CHECK bool dns_cache_get(struct dns_cache *cache,
                              const struct dns_name *name, enum dns_type type,
                              uint64_t now_us, struct dns_result *result);

/* Keep a result for its ttl_s; without memory, or with a ttl_s of 0, do not. */
void dns_cache_put(struct dns_cache *cache, const struct dns_name *name,
                   enum dns_type type, const struct dns_result *result,
                   uint64_t now_us);

#endif
