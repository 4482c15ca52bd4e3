/*
 * net/pool.h - objects of one size, on pages that the host lends.
 *
 * The data path allocates here and nowhere else: constant time, a bound for
 * each pool and one for all pages together, and no fragmentation, for a page
 * holds objects of one size and is given back with its last object. A few that
 * came back stay, for any pool, until the host wants them (pages_trim()).
 * Objects are reused last in, first out, while they are warm in the cache.
 */
#ifndef NET_POOL_H
#define NET_POOL_H

#include <string.h>

#include "kernel/base.h"

/* Where every pool of a stack takes its pages, and the bound on them. */
struct pages {
    void *(*alloc)(void *context); /* PAGE_BYTES, aligned to PAGE_BYTES */
    void (*free)(void *context, void *page);
    bool (*scarce)(void *context); /* see pages_scarce(); may be null */
    void *context;
    size_t count; /* in use */
    size_t max;
    bool was_scarce; /* when a page was last taken from the host */
    /*
     * Pages that came back lately, for the next who takes one: in bulk a page
     * comes and goes with every two buffers. At most `keep` of them, and none
     * that comes back while they are scarce. Buffers keep as many chunks of
     * each size (net/buffer_pool.h).
     */
    uint32_t keep;
    uint32_t spares;
    void *spare; /* each begins with the address of the next */

    /* Who keeps something idle on pages of these gives it up, when they are
     * scarce, trimmed or drained; may be null. */
    void (*give_idle)(void *idle_of);
    void *idle_of;
};

/*
 * Take one page.
 * Returns: the page, contents undefined; null at the bound, or when the host
 *          has none.
 */
MUST_CHECK void *pages_take(struct pages *pages);

enum {
    PAGES_LAST_MAX = 256 /* no more are kept back: a ring is soon refilled */
};

/* At a glance: they are not scarce. False: perhaps they are. */
static inline bool pages_plenty(const struct pages *pages)
{
    return !pages->was_scarce && pages->max - pages->count > PAGES_LAST_MAX;
}

bool pages_look_scarce(struct pages *pages); /* for the next */

/*
 * Whether only the last pages are left, of the bound or of the host. They are
 * for packets on their way: a card that cannot be given an empty buffer makes
 * us deaf, and an acknowledgement that cannot be written mute. What stays for
 * longer (connections, queues) is not to grow any more.
 */
static inline bool pages_scarce(struct pages *pages)
{
    return !pages_plenty(pages) && pages_look_scarce(pages);
}

/* Give back what pages_take() gave. */
void pages_give(struct pages *pages, void *page);

/* Give the host what is spare or idle; what comes back later may stay. */
void pages_trim(struct pages *pages);

/* Give the host what is spare or idle, and keep none any more. */
void pages_drain(struct pages *pages);

struct pool_page; /* the head of each page; private to pool.c */

struct pool {
    struct pages *pages;
    struct pool_page *partial; /* pages with a free object, warmest first */
    uint32_t object_bytes;
    uint32_t objects_per_page;
    size_t count;     /* objects in use */
    size_t max;       /* of these, at most */
    bool to_the_last; /* of packets: takes a page also when they are scarce */
    uint64_t refused; /* pool_alloc() answered null */
};

/* The largest object: what a page holds beside its head. */
enum { POOL_OBJECT_BYTES_MAX = PAGE_BYTES - 64 };

/*
 * Make an empty pool.
 *
 * object_bytes: 16 to POOL_OBJECT_BYTES_MAX; objects are aligned to the
 *               largest power of two that divides it, at most 64.
 * objects_max:  the bound; SIZE_MAX: only that of `pages`.
 */
void pool_init(struct pool *pool, struct pages *pages, uint32_t object_bytes,
               size_t objects_max);

/*
 * Take an object.
 * Returns: the object, contents undefined; null at the bound, or when a page
 *          is needed and they are scarce (counted).
 */
MUST_CHECK void *pool_alloc(struct pool *pool);

/* Give back an object of any pool; its page says which. */
void pool_free(void *object);

/*
 * Zero an object of pool_alloc(). bytes: its size, a constant.
 *
 * With plain stores: of an initializer as long as a connection's the compiler
 * makes a string instruction, which takes twice as long.
 */
static INLINE void pool_clear(void *object, size_t bytes)
{
    char *at = object; /* aligned to 8 bytes: their sizes are no more */
    size_t done = 0;

#pragma GCC unroll 8
    for (; done + 64 <= bytes; done += 64)
        memset(at + done, 0, 64);
    memset(at + done, 0, bytes - done);
}

#endif
