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

#endif
