/*
 * net/tcp_queue.h - a stretch of a byte stream as a chain of views.
 *
 * Counts its bytes, and the memory that its views keep from other uses, into
 * a budget that all queues of a stack share. Zero views, or any number; no
 * view in a queue is empty.
 */
#ifndef NET_TCP_QUEUE_H
#define NET_TCP_QUEUE_H

#include "kernel/base.h"
#include "net/buffer.h"
#include "net/pool.h"

/* What the queues of one stack may hold together. */
struct tcp_budget {
    struct pages *pages; /* when these are scarce: nothing more */
    size_t held_bytes;
    size_t held_bytes_max;
};

struct tcp_queue {
    struct buffer *head, *tail;
    uint32_t bytes; /* of the stream */
    uint32_t held;  /* of memory: buffer_held_bytes() of each view */
};

/* Memory that a chain would hold in a queue. */
uint32_t tcp_queue_cost(const struct buffer *chain);

/* What a chain would be in a queue. */
struct tcp_measure {
    struct buffer *tail; /* null: some view is empty */
    uint32_t bytes;
    uint32_t cost; /* tcp_queue_cost() */
};

struct tcp_measure tcp_chain_measure_many(struct buffer *chain);
static INLINE struct tcp_measure tcp_chain_measure(struct buffer *chain)
{
    if (!chain || chain->next)
        return tcp_chain_measure_many(chain);
    return (struct tcp_measure){
        .tail = chain->len ? chain : NULL,
        .bytes = chain->len,
        .cost = buffer_held_bytes(chain),
    };
}

/* Whether `cost` more bytes of memory fit the budget. */
static inline bool tcp_budget_has(const struct tcp_budget *budget,
                                  uint32_t cost)
{
    return budget->held_bytes + cost <= budget->held_bytes_max &&
           !pages_scarce(budget->pages);
}

/* Append a chain, which the queue takes. Empty views are released. The second
 * is for who has measured it already. */
void tcp_queue_push(struct tcp_queue *queue, struct buffer *chain,
                    struct tcp_budget *budget);
void tcp_queue_append(struct tcp_queue *queue, struct buffer *chain,
                      const struct tcp_measure *measure,
                      struct tcp_budget *budget);

/* Put one view of so much cost into an empty queue, which takes it. */
static inline void tcp_queue_begin(struct tcp_queue *queue, struct buffer *view,
                                   uint32_t cost, struct tcp_budget *budget)
{
    *queue = (struct tcp_queue){view, view, view->len, cost};
    budget->held_bytes += cost;
}

/*
 * Append a chain by copying it into the room behind the last view, and
 * release it. Returns: false when there is no such room; nothing is done then.
 */
MUST_CHECK bool tcp_queue_copy(struct tcp_queue *queue, struct buffer *chain,
                               uint32_t bytes);

/* Release the first `bytes`, at most queue->bytes. */
void tcp_queue_drop(struct tcp_queue *queue, uint32_t bytes,
                    struct tcp_budget *budget);

/* Take the first view out of a queue that has one. */
struct buffer *tcp_queue_pop(struct tcp_queue *queue,
                             struct tcp_budget *budget);

/*
 * Take the first `bytes` (1 to queue->bytes) out as a chain.
 * Returns: the chain, the caller's; null when a view had to be split and
 *          there was no memory for it (nothing is taken).
 */
MUST_CHECK struct buffer *tcp_queue_take(struct tcp_queue *queue,
                                         struct buffer_pool *pool,
                                         uint32_t bytes,
                                         struct tcp_budget *budget);

/* Whether text fills less than half of the memory that it holds, and can be
 * copied together with others. */
static inline bool tcp_is_wasteful(uint32_t bytes, uint32_t cost)
{
    return bytes <= BUFFER_LARGE_BYTES && 2 * bytes <= cost;
}

/* A chunk of our own in place of a text that lies in shared memory, so that
 * the next one can be put behind it; the text itself when there is none. */
COLD struct buffer *tcp_chain_own(struct buffer *text, struct buffer_pool *pool,
                                  uint32_t bytes);

/* Move everything of `from` to the end of `to`. */
void tcp_queue_join(struct tcp_queue *to, struct tcp_queue *from);

/* The same, and what is small is copied together, so that all of it holds no
 * more than if it had come in order. */
void tcp_queue_pack(struct tcp_queue *to, struct tcp_queue *from,
                    struct buffer_pool *pool, struct tcp_budget *budget);

/* Release everything. */
void tcp_queue_clear(struct tcp_queue *queue, struct tcp_budget *budget);

/* Drop the first `bytes` of a chain; returns the rest, null when it is all. */
struct buffer *tcp_chain_drop(struct buffer *chain, uint32_t bytes);

/* Keep the first `bytes` (at least 1) of a chain, release the rest. */
void tcp_chain_keep(struct buffer *chain, uint32_t bytes);

#endif
