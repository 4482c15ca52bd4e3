/*
 * net/buffer_pool.c - buffers taken and released: views, and chunks under them.
 *
 * A chunk is a struct buffer, its root, with the bytes right behind it. Small
 * chunks and bare views are objects of net/pool.h. Large chunks are half a
 * page each, so no head fits beside them: a free half is known by `kind`. The
 * largest are a page.
 *
 * A chunk that comes back stays idle, a root still, for the next who takes one
 * of its size: with every packet a few come and go. When enough are idle, or
 * pages are scarce, it goes back to where it is from.
 */
#include "net/buffer_pool.h"

#include <stddef.h>

#include "net/poison.h"

enum buffer_kind {
    KIND_SMALL = BUFFER_SMALL, /* a root with its bytes, from `small` */
    KIND_LARGE = BUFFER_LARGE, /* a root with its bytes, half a page */
    KIND_PAGE = BUFFER_PAGE,   /* the same, a whole page */
    KIND_FOREIGN = BUFFER_KIND_FOREIGN, /* a root of somebody else's bytes */
    KIND_LARGE_FREE,                    /* a half that nobody uses */
    KIND_VIEW                           /* not a root */
};

enum {
    SMALL_CHUNK_BYTES = sizeof(struct buffer) + BUFFER_SMALL_BYTES,
    LARGE_CHUNK_BYTES = sizeof(struct buffer) + BUFFER_LARGE_BYTES
};

_Static_assert(2 * LARGE_CHUNK_BYTES == PAGE_BYTES, "two large ones a page");
_Static_assert(sizeof(struct buffer) + BUFFER_PAGE_BYTES == PAGE_BYTES,
               "one of these");

const uint16_t buffer_sizes[BUFFER_SIZES] = {
    [BUFFER_SMALL] = BUFFER_SMALL_BYTES,
    [BUFFER_LARGE] = BUFFER_LARGE_BYTES,
    [BUFFER_PAGE] = BUFFER_PAGE_BYTES,
};

static void give_idle(void *context);

void buffer_pool_init(struct buffer_pool *pool, struct pages *pages)
{
    ASSERT(!pages->give_idle);
    pages->give_idle = give_idle;
    pages->idle_of = pool;
    *pool = (struct buffer_pool){.pages = pages};
    pool_init(&pool->small, pages, SMALL_CHUNK_BYTES, SIZE_MAX);
    pool_init(&pool->views, pages, sizeof(struct buffer), SIZE_MAX);
    pool->small.to_the_last = true;
    pool->views.to_the_last = true;
}

/* --- large chunks: pairs of halves -------------------------------------------
 * The list of free halves runs through next and, backwards, link. */

static struct buffer *other_half(struct buffer *half)
{
    return (struct buffer *)((uintptr_t)half ^ LARGE_CHUNK_BYTES);
}

static void large_list(struct buffer_pool *pool, struct buffer *half)
{
    half->kind = KIND_LARGE_FREE;
    half->link = NULL;
    half->next = pool->large_free;
    if (half->next)
        half->next->link = half;
    pool->large_free = half;
    poison(half + 1, BUFFER_LARGE_BYTES);
}

static void large_unlist(struct buffer_pool *pool, struct buffer *half)
{
    if (half->next)
        half->next->link = half->link;
    if (half->link)
        half->link->next = half->next;
    else
        pool->large_free = half->next;
    unpoison(half + 1, BUFFER_LARGE_BYTES);
}

/* A page for large chunks; `last`: also one of the last. */
static void *chunk_page(struct buffer_pool *pool, bool last)
{
    void *page =
        last || !pages_scarce(pool->pages) ? pages_take(pool->pages) : NULL;

    if (!page)
        pool->large_refused++;
    return page;
}

static struct buffer *large_alloc(struct buffer_pool *pool, bool last)
{
    struct buffer *half = pool->large_free;

    if (half) {
        large_unlist(pool, half);
    } else {
        half = chunk_page(pool, last);
        if (!half)
            return NULL;
        large_list(pool, other_half(half));
    }
    pool->large_count++;
    return half;
}

static void large_free(struct buffer_pool *pool, struct buffer *half)
{
    struct buffer *other = other_half(half);

    pool->large_count--;
    if (other->kind == KIND_LARGE_FREE) {
        large_unlist(pool, other);
        pages_give(pool->pages, half < other ? half : other);
    } else {
        large_list(pool, half);
    }
}

static struct buffer *page_alloc(struct buffer_pool *pool, bool last)
{
    struct buffer *root = chunk_page(pool, last);

    if (root)
        pool->large_count++;
    return root;
}

static void page_free(struct buffer_pool *pool, struct buffer *root)
{
    pool->large_count--;
    pages_give(pool->pages, root);
}

/* --- any chunk ------------------------------------------------------------ */

static COLD struct buffer *chunk_alloc(struct buffer_pool *pool,
                                       enum buffer_size size, bool last)
{
    switch (size) {
    case BUFFER_SMALL: /* for headers, mostly: never refused while there is a
                          page */
        return pool_alloc(&pool->small);
    case BUFFER_LARGE:
        return large_alloc(pool, last);
    case BUFFER_PAGE:
        return page_alloc(pool, last);
    }
    return NULL;
}

static COLD void chunk_free(struct buffer *root)
{
    switch ((enum buffer_kind)root->kind) {
    case KIND_SMALL:
        pool_free(root);
        break;
    case KIND_LARGE:
        large_free(root->context, root);
        break;
    case KIND_PAGE:
        page_free(root->context, root);
        break;
    case KIND_FOREIGN:
        if (root->release)
            root->release(root, root->context);
        pool_free(root);
        break;
    case KIND_LARGE_FREE:
    case KIND_VIEW:
        panic_at(__FILE__, __LINE__, "a buffer is released twice");
    }
}

/* --- idle chunks ----------------------------------------------------------
 * Through next; taken in net/buffer_pool.h. Of a root may be read what tells
 * that it is released twice, and what it is to its other half. */

static inline void poison_idle(const struct buffer *root)
{
    poison(root, offsetof(struct buffer, len));
    poison(root + 1, buffer_size_bytes(root->kind));
}

/* The only view of a chunk, or of none, which is given up. False: it is of
 * none, or there are enough; nothing is done. */
static INLINE bool make_idle(struct buffer *root)
{
    struct buffer_pool *pool = root->context;
    unsigned size = root->kind;

    if (size >= BUFFER_SIZES || pool->idle_room[size] == 0)
        return false;
    pool->idle_room[size]--;
    root->refs = 0;
    root->next = pool->idle[size];
    pool->idle[size] = root;
    poison_idle(root);
    return true;
}

/* None of a size is idle: how many may be from now on. */
static void set_idle_max(struct buffer_pool *pool, unsigned size, uint32_t max)
{
    pool->idle_max[size] = max;
    pool->idle_room[size] = max;
}

/* See struct pages. */
static COLD void give_idle(void *context)
{
    struct buffer_pool *pool = context;

    for (unsigned size = 0; size < BUFFER_SIZES; size++) {
        while (pool->idle[size])
            chunk_free(buffer_take_idle(pool, (enum buffer_size)size));
        set_idle_max(pool, size, 0);
    }
}

/* --- taking and releasing ------------------------------------------------- */

ASIDE struct buffer *buffer_alloc_anew(struct buffer_pool *pool,
                                       enum buffer_size size, uint32_t headroom,
                                       bool last)
{
    struct buffer *root = chunk_alloc(pool, size, last);

    set_idle_max(pool, size, pool->pages->was_scarce ? 0 : pool->pages->keep);
    if (!root)
        return NULL;
    root->root = root;
    root->release = NULL;
    root->context = pool;
    root->kind = (uint8_t)size;
    return buffer_begin(root, headroom);
}

struct buffer *buffer_alloc(struct buffer_pool *pool, enum buffer_size size,
                            uint32_t headroom)
{
    return buffer_alloc_here(pool, size, headroom, false);
}

struct buffer *buffer_alloc_last(struct buffer_pool *pool,
                                 enum buffer_size size, uint32_t headroom)
{
    return buffer_alloc_here(pool, size, headroom, true);
}

struct buffer *buffer_alloc_queue(struct buffer_pool *pool,
                                  enum buffer_size size, unsigned count)
{
    struct buffer *queue = NULL;

    for (; count > 0; count--) {
        struct buffer *buf = buffer_alloc_here(pool, size, 0, true);

        if (!buf)
            break;
        buf->link = queue;
        queue = buf;
    }
    return queue;
}

struct buffer *buffer_wrap(struct buffer_pool *pool, const void *data,
                           uint32_t len,
                           void (*release)(struct buffer *root, void *context),
                           void *context)
{
    struct buffer *buf = pool_alloc(&pool->views);

    if (!buf)
        return NULL;
    *buf = (struct buffer){
        .data = (uint8_t *)(uintptr_t)data,
        .len = len,
        .refs = 1,
        .root = buf,
        .release = release,
        .context = context,
        .kind = KIND_FOREIGN,
    };
    return buf;
}

struct buffer *buffer_slice(struct buffer_pool *pool, struct buffer *buf,
                            uint32_t offset, uint32_t len)
{
    struct buffer *view;

    ASSERT(offset <= buf->len && len <= buf->len - offset);
    view = pool_alloc(&pool->views);
    if (!view)
        return NULL;
    *view = (struct buffer){
        .data = buf->data + offset,
        .len = len,
        .root = buf->root,
        .kind = KIND_VIEW,
    };
    buf->root->refs++;
    return view;
}

/* A chain that is not merely one chunk. */
static ASIDE void release_views(struct buffer *chain)
{
    struct buffer *next;

    for (struct buffer *buf = chain; buf; buf = next) {
        struct buffer *root = buf->root;

        ASSERT(root->refs > 0);
        next = buf->next;
        if (buf == root && root->refs == 1 && make_idle(root))
            continue;
        if (buf != root)
            pool_free(buf);
        if (--root->refs == 0)
            chunk_free(root);
    }
}

void buffer_release(struct buffer *chain)
{
    if (!chain)
        return;
    if (chain->refs == 1 && !chain->next && make_idle(chain))
        return;
    release_views(chain);
}

void buffer_release_queue(struct buffer *queue)
{
    while (queue) {
        struct buffer *next = queue->link;

        buffer_release(queue);
        queue = next;
    }
}

/* --- asking ------------------------------------------------------------- */

bool buffer_pool_is_scarce(const struct buffer_pool *pool)
{
    return pages_scarce(pool->pages);
}

void buffer_pool_stats_get(const struct buffer_pool *pool,
                           struct buffer_pool_stats *stats)
{
    size_t chunks = pool->small.count + pool->views.count + pool->large_count;

    for (unsigned size = 0; size < BUFFER_SIZES; size++)
        chunks -= pool->idle_max[size] - pool->idle_room[size];
    *stats = (struct buffer_pool_stats){
        .pages = pool->pages->count,
        .pages_max = pool->pages->max,
        .chunks = chunks,
        .refused =
            pool->small.refused + pool->views.refused + pool->large_refused,
    };
}
