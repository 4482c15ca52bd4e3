/*
 * net/buffer.h - a view of bytes that others may share.
 *
 * A `struct buffer` is a view: where the bytes are, and a reference to the
 * memory that holds them. Slices of a view share the memory; it is given back
 * when the last view of it is released. One holder per view: who is handed a
 * buffer releases it or hands it on. Views chain through `next` into one
 * packet or one stretch of a stream; chains queue through `link`.
 *
 * The memory is a chunk of a pool (for packets), or any memory with a release
 * function (constant data of the image, an application's own).
 */
#ifndef NET_BUFFER_H
#define NET_BUFFER_H

#include "kernel/base.h"

enum {
    /*
     * Room for the headers of every layer below TCP's text: virtio-net 12,
     * Ethernet 14, IPv4 20 to 60, TCP 20 to 60; and alignment.
     */
    BUFFER_HEADROOM = 160,
    BUFFER_SMALL_BYTES = 448,  /* a small chunk: headers, a short message */
    BUFFER_LARGE_BYTES = 1984, /* a large one: any frame of 1514 bytes */
    BUFFER_PAGE_BYTES = 4032,  /* one for frames of many segments */
};

/* What a device, or the layer above it, says about a packet (first view). */
enum buffer_flag {
    BUFFER_CSUM_GOOD = 1 << 0,    /* received: the checksum is known good */
    BUFFER_CSUM_PARTIAL = 1 << 1, /* to send or from a guest beside us: only
                                     the pseudo header is summed; whoever puts
                                     it on a wire fills in csum_start and
                                     csum_offset */
    BUFFER_GSO_TCP4 = 1 << 2,     /* one TCP/IPv4 header for many segments of
                                     gso_bytes of text each */
    BUFFER_GSO_ECN = 1 << 3,      /* ... with CWR set in the first only */
    BUFFER_JOINED = 1 << 4,       /* ... received one by one: net/gro.h */
};

struct buffer {
    struct buffer *next; /* the following view of the same packet */
    struct buffer *link; /* the following packet of a queue; holder's use */
    uint8_t *data;       /* first byte of the view */
    uint32_t len;        /* bytes in this view */
    uint32_t refs;       /* in a root: views that share it */
    struct buffer *root; /* whose memory this is; itself in a root */
    void (*release)(struct buffer *root, void *context); /* in a root */
    void *context;       /* pool, or the context of release */
    uint16_t csum_start; /* from the packet's first byte; BUFFER_CSUM_PARTIAL */
    uint16_t csum_offset; /* of the 16-bit field, from csum_start */
    uint16_t gso_bytes;   /* text bytes per segment; BUFFER_GSO_TCP4 */
    uint8_t flags;        /* enum buffer_flag */
    uint8_t kind;         /* private: which class of chunk */
};

_Static_assert(sizeof(struct buffer) == 64, "one cache line");

struct buffer_pool; /* opaque: chunks and views, with a bound */

enum buffer_size {
    BUFFER_SMALL, /* BUFFER_SMALL_BYTES */
    BUFFER_LARGE, /* BUFFER_LARGE_BYTES */
    BUFFER_PAGE   /* BUFFER_PAGE_BYTES */
};

enum { BUFFER_SIZES = BUFFER_PAGE + 1 };

extern const uint16_t buffer_sizes[BUFFER_SIZES]; /* in bytes */

static inline uint32_t buffer_size_bytes(unsigned size)
{
    return buffer_sizes[size];
}

/*
 * Take a chunk: an empty view (len 0) whose data points `headroom` bytes (at
 * most BUFFER_SMALL_BYTES) into a chunk of `size`.
 *
 * Blocks:  never.
 * Returns: the buffer, which the caller holds; null when the pool is at its
 *          bound, the host has no page, or a large one needs one of the last
 *          pages, which are for packets on their way (counted in the pool).
 */
MUST_CHECK struct buffer *buffer_alloc(struct buffer_pool *pool,
                                       enum buffer_size size,
                                       uint32_t headroom);

/* The same, and it may be one of the last pages: for cards, and for what is
 * sent at once and then gone. */
MUST_CHECK struct buffer *buffer_alloc_last(struct buffer_pool *pool,
                                            enum buffer_size size,
                                            uint32_t headroom);

/*
 * Take many, for a card: as buffer_alloc_last(), without headroom.
 *
 * count:   how many.
 * Returns: a queue through link; it is shorter when the pool gives no more.
 */
MUST_CHECK struct buffer *buffer_alloc_queue(struct buffer_pool *pool,
                                             enum buffer_size size,
                                             unsigned count);

/*
 * A view of foreign memory, which must not change until it is released.
 *
 * release: called once, with the last view, when nobody needs the bytes any
 *          more; null for memory that lives for ever.
 * Returns: the buffer, or null (no room for the view; release is not called).
 */
MUST_CHECK struct buffer *
buffer_wrap(struct buffer_pool *pool, const void *data, uint32_t len,
            void (*release)(struct buffer *root, void *context), void *context);

/*
 * A second view: `len` bytes of `buf` from `offset`, which must lie within
 * its len. Next, link and packet flags are clear.
 * Returns: the view, which the caller holds; null when the pool is exhausted.
 */
MUST_CHECK struct buffer *buffer_slice(struct buffer_pool *pool,
                                       struct buffer *buf, uint32_t offset,
                                       uint32_t len);

/* Release a chain: every view in it. Null is allowed. */
void buffer_release(struct buffer *chain);

/* Release every chain of a queue through link. Null is allowed. */
void buffer_release_queue(struct buffer *queue);

/* Bytes in a chain. */
uint32_t buffer_chain_len(const struct buffer *chain);

/* Cut a chain to its first `bytes`; views behind them are released, except
 * the first. Fewer bytes than that are left alone. */
void buffer_chain_truncate(struct buffer *chain, uint32_t bytes);

/*
 * A chain with room for `bytes` (at most BUFFER_HEADROOM) before its first
 * view: itself, or behind an empty view of its own, which then carries link
 * and the packet's flags.
 * Returns: the chain; null when the pool is exhausted, it is then unchanged.
 */
MUST_CHECK struct buffer *buffer_with_headroom(struct buffer_pool *pool,
                                               struct buffer *chain,
                                               uint32_t bytes);

/*
 * A chain whose first view holds the first `bytes` (at most
 * BUFFER_SMALL_BYTES), or all there are: itself, or with these bytes copied to
 * a view of their own. Taken.
 * Returns: the chain; null when the pool is exhausted, all is then released.
 */
MUST_CHECK struct buffer *buffer_gather(struct buffer_pool *pool,
                                        struct buffer *chain, uint32_t bytes);

/* Copy up to `bytes` from `offset` of a chain. Returns how many there were. */
uint32_t buffer_copy_out(const struct buffer *chain, uint32_t offset, void *out,
                         uint32_t bytes);

/* Private: a root's kind is the size of its chunk, or that it has none. */
enum { BUFFER_KIND_FOREIGN = BUFFER_SIZES };

/* Private: the bytes of a root that has its own; and whether the view is the
 * only one of such a chunk, so that it may grow. */
static inline uint8_t *buffer_chunk(const struct buffer *root)
{
    return (uint8_t *)(root + 1);
}
static inline bool buffer_may_grow(const struct buffer *buf)
{
    return buf->root->kind != BUFFER_KIND_FOREIGN && buf->root->refs == 1;
}

/* How many bytes may still be put before / after the view in its chunk. Zero
 * for foreign memory and for memory that other views share. */
static inline uint32_t buffer_headroom(const struct buffer *buf)
{
    return buffer_may_grow(buf)
               ? (uint32_t)(buf->data - buffer_chunk(buf->root))
               : 0;
}
static inline uint32_t buffer_tailroom(const struct buffer *buf)
{
    return buffer_may_grow(buf)
               ? (uint32_t)(buffer_chunk(buf->root) +
                            buffer_size_bytes(buf->root->kind) -
                            (buf->data + buf->len))
               : 0;
}

/* Grow the view to the front by `bytes` (at most buffer_headroom()); returns
 * its new first byte. */
static inline uint8_t *buffer_push(struct buffer *buf, uint32_t bytes)
{
    ASSERT(bytes <= buffer_headroom(buf));
    buf->data -= bytes;
    buf->len += bytes;
    return buf->data;
}

/* Drop `bytes` (at most len) from the front, or from the end. */
static inline void buffer_pull(struct buffer *buf, uint32_t bytes)
{
    ASSERT(bytes <= buf->len);
    buf->data += bytes;
    buf->len -= bytes;
}
static inline void buffer_trim(struct buffer *buf, uint32_t bytes)
{
    ASSERT(bytes <= buf->len);
    buf->len -= bytes;
}

/* Memory that this view keeps from being used otherwise: its whole chunk and
 * the view itself; what queues are bounded by. */
uint32_t buffer_held_bytes(const struct buffer *buf);

/* The same of a view of a chunk. */
static inline uint32_t buffer_chunk_held_bytes(const struct buffer *buf)
{
    uint32_t heads = buf == buf->root ? 1 : 2;

    return buffer_size_bytes(buf->root->kind) +
           heads * (uint32_t)sizeof(struct buffer);
}

/* The same of a whole chain. */
uint32_t buffer_chain_held_bytes(const struct buffer *chain);

/* Whether only the last pages are left, which are for packets on their way:
 * who makes text to be sent waits until there are more. */
bool buffer_pool_is_scarce(const struct buffer_pool *pool);

struct buffer_pool_stats {
    size_t pages;     /* taken from the host */
    size_t pages_max; /* the bound */
    size_t chunks;    /* chunks and views given out and not yet back */
    uint64_t refused; /* allocations that failed */
};
void buffer_pool_stats_get(const struct buffer_pool *pool,
                           struct buffer_pool_stats *stats);

#endif
