/*
 * net/buffer_pool.h - the inside of a buffer pool, for who owns one.
 *
 * Users of buffers need only net/buffer.h. The pool's memory is its owner's
 * (struct net, or a test of a driver); it takes pages when buffers are asked
 * for. When the last buffer is released it has given them back, but for those
 * of idle chunks: up to `keep` of struct pages of each size, which go back when
 * pages are scarce, trimmed or drained.
 */
#ifndef NET_BUFFER_POOL_H
#define NET_BUFFER_POOL_H

#include "net/buffer.h"
#include "net/poison.h"
#include "net/pool.h"

struct buffer_pool {
    struct pool small;         /* a struct buffer and BUFFER_SMALL_BYTES */
    struct pool views;         /* a struct buffer alone */
    struct pages *pages;       /* large chunks stand two to a page, no head */
    struct buffer *large_free; /* halves whose other half is in use */
    size_t large_count;
    uint64_t large_refused;
    struct buffer *idle[BUFFER_SIZES]; /* chunks for the next who takes one */
    uint32_t idle_room[BUFFER_SIZES];  /* so many more may become idle, ... */
    uint32_t idle_max[BUFFER_SIZES];   /* ... of so many at most */
};

/*
 * Make an empty pool.
 * pages: where its pages come from, with the bound; outlives the pool, and has
 *        no other buffer pool.
 */
void buffer_pool_init(struct buffer_pool *pool, struct pages *pages);

/* Private: none of a size is idle. */
MUST_CHECK struct buffer *buffer_alloc_anew(struct buffer_pool *pool,
                                            enum buffer_size size,
                                            uint32_t headroom, bool last);

/* Private: the first idle chunk of a size, of which there is one. */
static INLINE struct buffer *buffer_take_idle(struct buffer_pool *pool,
                                              enum buffer_size size)
{
    struct buffer *root = pool->idle[size];

    unpoison(root, sizeof(*root) + buffer_size_bytes(size));
    pool->idle[size] = root->next;
    pool->idle_room[size]++;
    return root;
}

/* Private: an empty view of a chunk, as it comes to its holder. */
static INLINE struct buffer *buffer_begin(struct buffer *root,
                                          uint32_t headroom)
{
    root->next = NULL;
    root->link = NULL;
    root->data = buffer_chunk(root) + headroom;
    root->len = 0;
    root->refs = 1;
    root->csum_start = 0;
    root->csum_offset = 0;
    root->gso_bytes = 0;
    root->flags = 0;
    return root;
}

/* buffer_alloc() or, if it may be one of the last, buffer_alloc_last(), for
 * who takes one for every packet. */
MUST_CHECK static INLINE struct buffer *
buffer_alloc_here(struct buffer_pool *pool, enum buffer_size size,
                  uint32_t headroom, bool last)
{
    ASSERT(headroom <= BUFFER_SMALL_BYTES);
    if (!pool->idle[size])
        return buffer_alloc_anew(pool, size, headroom, last);
    return buffer_begin(buffer_take_idle(pool, size), headroom);
}

#endif
