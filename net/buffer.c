/*
 * net/buffer.c - views of shared bytes, and the pool of chunks under them.
 *
 * A chunk is a struct buffer, its root, with the bytes right behind it. Small
 * chunks and bare views are objects of net/pool.h. Large chunks are half a
 * page each, so no head fits beside them: a free half is known by `kind`. The
 * largest are a page.
 */
#include "net/buffer.h"

#include <string.h>

#include "net/buffer_pool.h"
#include "net/poison.h"

enum buffer_kind {
    KIND_FOREIGN = BUFFER_KIND_FOREIGN, /* a root of somebody else's bytes */
    KIND_SMALL,      /* a root with its bytes, from the pool of small ones */
    KIND_LARGE,      /* a root with its bytes, half a page */
    KIND_LARGE_FREE, /* ... that nobody uses */
    KIND_PAGE,       /* the same, a whole page */
    KIND_VIEW        /* not a root */
};

enum {
    SMALL_CHUNK_BYTES = sizeof(struct buffer) + BUFFER_SMALL_BYTES,
    LARGE_CHUNK_BYTES = sizeof(struct buffer) + BUFFER_LARGE_BYTES
};

_Static_assert(2 * LARGE_CHUNK_BYTES == PAGE_BYTES, "two large ones a page");
_Static_assert(sizeof(struct buffer) + BUFFER_PAGE_BYTES == PAGE_BYTES,
               "one of these");

void buffer_pool_init(struct buffer_pool *pool, struct pages *pages)
{
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

static struct buffer *small_alloc(struct buffer_pool *pool, bool last)
{
    (void)last; /* they are for headers, mostly */
    return pool_alloc(&pool->small);
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

/* --- taking and releasing ------------------------------------------------- */

static uint32_t chunk_capacity(const struct buffer *root)
{
    switch ((enum buffer_kind)root->kind) {
    case KIND_SMALL:
        return BUFFER_SMALL_BYTES;
    case KIND_LARGE:
        return BUFFER_LARGE_BYTES;
    case KIND_PAGE:
        return BUFFER_PAGE_BYTES;
    default:
        return 0;
    }
}

/* What there is of a size: its bytes, its kind, and how to take one. */
static const struct {
    uint32_t bytes;
    enum buffer_kind kind;
    struct buffer *(*take)(struct buffer_pool *pool, bool last);
} sizes[] = {
    [BUFFER_SMALL] = {BUFFER_SMALL_BYTES, KIND_SMALL, small_alloc},
    [BUFFER_LARGE] = {BUFFER_LARGE_BYTES, KIND_LARGE, large_alloc},
    [BUFFER_PAGE] = {BUFFER_PAGE_BYTES, KIND_PAGE, page_alloc},
};

static INLINE struct buffer *alloc(struct buffer_pool *pool,
                                   enum buffer_size size, uint32_t headroom,
                                   bool last)
{
    struct buffer *buf;

    ASSERT(headroom <= sizes[size].bytes);
    buf = sizes[size].take(pool, last);
    if (!buf)
        return NULL;
    *buf = (struct buffer){
        .data = buffer_chunk(buf) + headroom,
        .refs = 1,
        .root = buf,
        .context = pool,
        .kind = (uint8_t)sizes[size].kind,
    };
    return buf;
}

struct buffer *buffer_alloc(struct buffer_pool *pool, enum buffer_size size,
                            uint32_t headroom)
{
    return alloc(pool, size, headroom, false);
}

struct buffer *buffer_alloc_last(struct buffer_pool *pool,
                                 enum buffer_size size, uint32_t headroom)
{
    return alloc(pool, size, headroom, true);
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

static void root_free(struct buffer *root)
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

void buffer_release(struct buffer *chain)
{
    struct buffer *next;

    for (struct buffer *buf = chain; buf; buf = next) {
        struct buffer *root = buf->root;

        next = buf->next;
        ASSERT(root->refs > 0);
        if (buf != root)
            pool_free(buf);
        if (--root->refs == 0)
            root_free(root);
    }
}

/* --- looking and moving --------------------------------------------------- */

void buffer_release_queue(struct buffer *queue)
{
    while (queue) {
        struct buffer *next = queue->link;

        buffer_release(queue);
        queue = next;
    }
}

uint32_t buffer_chain_len(const struct buffer *chain)
{
    uint32_t bytes = 0;

    for (const struct buffer *buf = chain; buf; buf = buf->next)
        bytes += buf->len;
    return bytes;
}

void buffer_chain_truncate(struct buffer *chain, uint32_t bytes)
{
    struct buffer *last = chain;

    while (last && bytes > last->len) {
        bytes -= last->len;
        last = last->next;
    }
    if (!last)
        return;
    last->len = bytes;
    buffer_release(last->next);
    last->next = NULL;
}

uint32_t buffer_copy_out(const struct buffer *chain, uint32_t offset, void *out,
                         uint32_t bytes)
{
    uint8_t *to = out;
    uint32_t done = 0;

    for (const struct buffer *buf = chain; buf && done < bytes;
         buf = buf->next) {
        uint32_t part;

        if (offset >= buf->len) {
            offset -= buf->len;
            continue;
        }
        part = buf->len - offset;
        if (part > bytes - done)
            part = bytes - done;
        memcpy(to + done, buf->data + offset, part);
        done += part;
        offset = 0;
    }
    return done;
}

uint32_t buffer_tailroom(const struct buffer *buf)
{
    if (!buffer_may_grow(buf))
        return 0;
    return (uint32_t)(buffer_chunk(buf->root) + chunk_capacity(buf->root) -
                      (buf->data + buf->len));
}

/* What the first view of a packet says about all of it. */
static COLD void copy_packet_members(struct buffer *to,
                                     const struct buffer *from)
{
    to->link = from->link;
    to->flags = from->flags;
    to->csum_start = from->csum_start;
    to->csum_offset = from->csum_offset;
    to->gso_bytes = from->gso_bytes;
}

struct buffer *buffer_with_headroom(struct buffer_pool *pool,
                                    struct buffer *chain, uint32_t bytes)
{
    struct buffer *head;

    if (buffer_headroom(chain) >= bytes)
        return chain;
    ASSERT(bytes <= BUFFER_HEADROOM);
    head = buffer_alloc(pool, BUFFER_SMALL, BUFFER_HEADROOM);
    if (!head)
        return NULL;
    copy_packet_members(head, chain);
    head->next = chain;
    return head;
}

struct buffer *buffer_gather(struct buffer_pool *pool, struct buffer *chain,
                             uint32_t bytes)
{
    struct buffer *first;

    if (chain->len >= bytes || !chain->next)
        return chain;
    first = buffer_alloc(pool, BUFFER_SMALL, 0);
    if (!first) {
        buffer_release(chain);
        return NULL;
    }
    copy_packet_members(first, chain);
    first->len = buffer_copy_out(chain, 0, first->data, bytes);
    bytes = first->len;
    while (chain && bytes >= chain->len) {
        struct buffer *next = chain->next;

        bytes -= chain->len;
        chain->next = NULL;
        buffer_release(chain);
        chain = next;
    }
    if (chain)
        buffer_pull(chain, bytes);
    first->next = chain;
    return first;
}

uint32_t buffer_held_bytes(const struct buffer *buf)
{
    const struct buffer *root = buf->root;
    uint32_t view = buf == root ? 0 : (uint32_t)sizeof(struct buffer);

    if (root->kind == KIND_FOREIGN)
        return view + (uint32_t)sizeof(struct buffer) + buf->len;
    return view + (uint32_t)sizeof(struct buffer) + chunk_capacity(root);
}

uint32_t buffer_chain_held_bytes(const struct buffer *chain)
{
    uint32_t bytes = 0;

    for (; chain; chain = chain->next)
        bytes += buffer_held_bytes(chain);
    return bytes;
}

bool buffer_pool_is_scarce(const struct buffer_pool *pool)
{
    return pages_scarce(pool->pages);
}

void buffer_pool_stats_get(const struct buffer_pool *pool,
                           struct buffer_pool_stats *stats)
{
    *stats = (struct buffer_pool_stats){
        .pages = pool->pages->count,
        .pages_max = pool->pages->max,
        .chunks = pool->small.count + pool->views.count + pool->large_count,
        .refused =
            pool->small.refused + pool->views.refused + pool->large_refused,
    };
}
