/*
 * net/pool.c - objects of one size, on pages that the host lends.
 *
 * A page's head stands in its first 64 bytes, so that an object's page is
 * found by clearing the low bits of its address.
 */
#include "net/pool.h"

#include "net/poison.h"

struct pool_page {
    struct pool_page *next; /* in the pool's list of partial pages */
    struct pool_page *prev;
    struct pool *pool;
    void *free;     /* objects given back, last first, linked by first word */
    uint32_t used;  /* objects out */
    uint32_t fresh; /* objects never given out yet: the last so many */
};

enum {
    HEAD_BYTES = PAGE_BYTES - POOL_OBJECT_BYTES_MAX,
    LAST_PART = 16 /* of the bound are for packets, PAGES_LAST_MAX at most */
};

_Static_assert(sizeof(struct pool_page) <= HEAD_BYTES, "room for the head");

static void *take_spare(struct pages *pages)
{
    void *page = pages->spare;

    pages->spare = *(void **)page;
    pages->spares--;
    unpoison(page, PAGE_BYTES);
    return page;
}

static bool host_is_scarce(const struct pages *pages)
{
    return pages->scarce && pages->scarce(pages->context);
}

static COLD void give_idle(struct pages *pages)
{
    if (pages->give_idle)
        pages->give_idle(pages->idle_of);
}

static ASIDE void *take_new(struct pages *pages)
{
    void *page = pages->alloc(pages->context);

    pages->was_scarce = host_is_scarce(pages);
    if (pages->was_scarce)
        give_idle(pages);
    return page;
}

void *pages_take(struct pages *pages)
{
    void *page;

    if (pages->count >= pages->max)
        give_idle(pages);
    if (pages->count >= pages->max)
        return NULL;
    page = pages->spares > 0 ? take_spare(pages) : take_new(pages);
    if (page)
        pages->count++;
    return page;
}

static bool bound_is_near(const struct pages *pages)
{
    size_t last = pages->max / LAST_PART;

    return pages->count >=
           pages->max - (last < PAGES_LAST_MAX ? last : PAGES_LAST_MAX);
}

COLD bool pages_look_scarce(struct pages *pages)
{
    if (pages->was_scarce)
        pages->was_scarce = host_is_scarce(pages);
    if (bound_is_near(pages))
        give_idle(pages);
    return pages->was_scarce || bound_is_near(pages);
}

void pages_give(struct pages *pages, void *page)
{
    ASSERT(pages->count > 0);
    pages->count--;
    unpoison(page, PAGE_BYTES);
    if (pages->spares < pages->keep && !pages->was_scarce) {
        *(void **)page = pages->spare;
        pages->spare = page;
        pages->spares++;
        poison((void **)page + 1, PAGE_BYTES - sizeof(void *));
        return;
    }
    pages->free(pages->context, page);
}

COLD void pages_trim(struct pages *pages)
{
    give_idle(pages);
    while (pages->spares > 0)
        pages->free(pages->context, take_spare(pages));
}

COLD void pages_drain(struct pages *pages)
{
    pages->keep = 0;
    pages_trim(pages);
}

void pool_init(struct pool *pool, struct pages *pages, uint32_t object_bytes,
               size_t objects_max)
{
    ASSERT(object_bytes >= 16 && object_bytes <= POOL_OBJECT_BYTES_MAX);
    *pool = (struct pool){
        .pages = pages,
        .object_bytes = object_bytes,
        .objects_per_page = POOL_OBJECT_BYTES_MAX / object_bytes,
        .max = objects_max,
    };
}

static void list_page(struct pool *pool, struct pool_page *page)
{
    page->prev = NULL;
    page->next = pool->partial;
    if (page->next)
        page->next->prev = page;
    pool->partial = page;
}

static void unlist_page(struct pool *pool, struct pool_page *page)
{
    if (page->next)
        page->next->prev = page->prev;
    if (page->prev)
        page->prev->next = page->next;
    else
        pool->partial = page->next;
}

static struct pool_page *add_page(struct pool *pool)
{
    struct pool_page *page;

    if (!pool->to_the_last && pages_scarce(pool->pages))
        return NULL;
    page = pages_take(pool->pages);
    if (!page)
        return NULL;
    page->pool = pool;
    page->free = NULL;
    page->used = 0;
    page->fresh = pool->objects_per_page;
    list_page(pool, page);
    poison((char *)page + HEAD_BYTES, POOL_OBJECT_BYTES_MAX);
    return page;
}

/* An object of a page that has one. */
static INLINE void *take_object(struct pool *pool, struct pool_page *page)
{
    void *object = page->free;

    pool->count++;
    if (++page->used == pool->objects_per_page)
        unlist_page(pool, page);
    if (object) {
        unpoison(object, pool->object_bytes);
        page->free = *(void **)object;
    } else {
        object =
            (char *)page + HEAD_BYTES +
            (size_t)(pool->objects_per_page - page->fresh) * pool->object_bytes;
        page->fresh--;
        unpoison(object, pool->object_bytes);
    }
    return object;
}

/* From a new page, if there may be one. */
static COLD void *alloc_anew(struct pool *pool)
{
    struct pool_page *page = pool->count < pool->max ? add_page(pool) : NULL;

    if (!page) {
        pool->refused++;
        return NULL;
    }
    return take_object(pool, page);
}

void *pool_alloc(struct pool *pool)
{
    struct pool_page *page = pool->partial;

    if (!page || pool->count >= pool->max)
        return alloc_anew(pool);
    return take_object(pool, page);
}

void pool_free(void *object)
{
    struct pool_page *page =
        (struct pool_page *)((uintptr_t)object & ~(uintptr_t)(PAGE_BYTES - 1));
    struct pool *pool = page->pool;

    ASSERT(page->used > 0 && pool->count > 0);
    pool->count--;
    if (page->used-- == pool->objects_per_page)
        list_page(pool, page);
    if (page->used == 0) {
        unlist_page(pool, page);
        pages_give(pool->pages, page);
        return;
    }
    *(void **)object = page->free;
    page->free = object;
    poison(object, pool->object_bytes);
}
