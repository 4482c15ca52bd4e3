/*
 * tests/host/memdev.h - a network card that is two queues in memory.
 */
#ifndef TESTS_HOST_MEMDEV_H
#define TESTS_HOST_MEMDEV_H

#include "kernel/base.h"
#include "net/netdev.h"

struct memdev_queue {
    struct buffer *first, **end; /* through link; end null: empty, untouched */
    unsigned count;
};

struct memdev {
    struct netdev dev;
    struct buffer_pool *pool;
    struct memdev_queue rx;      /* for the stack to receive */
    struct memdev_queue pending; /* enqueued, not yet kicked */
    struct memdev_queue tx;      /* kicked: on the wire */
    unsigned tx_max;             /* frames in pending and tx; then FULL */
    unsigned pending_events;     /* what ops->events() answers next */
    bool down;                   /* enqueue answers NETDEV_DOWN */
    bool armed;
    void (*signal)(void *context); /* a frame has come and the card is armed */
    void *signal_context;
};

/* A card with a link, MTU 1500, no capability, and room for 256 frames. */
void memdev_init(struct memdev *memdev, struct mac_addr mac);

/* A frame comes from the wire: a copy, chained when it is long. Returns:
 * false when the pool has no buffer; the frame is then lost. */
bool memdev_inject(struct memdev *memdev, const void *frame, uint32_t len);

/* The same with a chain of the card's pool, which is taken. */
void memdev_inject_chain(struct memdev *memdev, struct buffer *frame);

/* Take the oldest frame that was kicked; the caller releases it. Or null. */
struct buffer *memdev_take(struct memdev *memdev);

/* Release every frame in the card. */
void memdev_clear(struct memdev *memdev);

#endif
