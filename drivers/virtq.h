/*
 * drivers/virtq.h - one split virtqueue, seen from the driver.
 *
 * Pure memory: no port and no register, so a test plays the device. The device
 * is not trusted: of the shared memory only used->idx, used->ring[], the flags
 * and the event index are read, each once and into a local; what a descriptor
 * says is remembered in private slots, and the shared table is only written.
 * Does not: notify the device (its caller does), use indirect descriptors, pack
 * rings. Neither wins: measured with callgrind over push, publish and pop, an
 * indirect table saves 20 of 190 instructions for one descriptor and 240 of 860
 * for the 33 of a frame of 64 KiB (4 a KiB), takes 1 KiB for each slot, and the
 * device has to fetch one more line. A packed ring would save the store into
 * the available ring and the load from the used one, some ten instructions a
 * frame, and QEMU has it off unless asked.
 * Source: virtio 1.2 2.7.
 */
#ifndef DRIVERS_VIRTQ_H
#define DRIVERS_VIRTQ_H

#include <linux/virtio_ring.h>

#include "kernel/base.h"

enum {
    VIRTQ_SIZE_MAX = 1024, /* what a legacy device may force upon us */
    /*
     * Descriptors, available ring and used ring follow one another as the
     * legacy interface demands; the modern one is content with it.
     */
    VIRTQ_ALIGN = 4096
};

/* What the driver knows of one descriptor; the device cannot see it. */
struct virtq_slot {
    void *cookie;   /* of the caller; in the head of a chain in flight only */
    uint16_t bytes; /* head: what the device may write */
    uint16_t next;  /* the following descriptor, of the chain or free */
    uint16_t count; /* head: descriptors of the chain; 1 in all others */
    uint16_t last;  /* head of more than one: the chain's last */
};

struct virtq {
    struct vring ring;       /* shared: each side writes its own part */
    struct virtq_slot *slot; /* private */
    uint16_t size;           /* a power of two */
    uint16_t mask;           /* size - 1: what an index counts in a ring */
    uint16_t free_head;      /* first free descriptor */
    uint16_t free_count;     /* free descriptors */
    uint16_t avail_idx;      /* free-running: what has been pushed */
    uint16_t published;      /* free-running: what the device has been shown */
    uint16_t used_seen;      /* free-running: up to where used was read */
    uint16_t used_end;       /* free-running: used->idx when last read; what
                                was read, when it is broken */
    bool event_idx;          /* VIRTIO_RING_F_EVENT_IDX is negotiated */
    bool broken;             /* the device broke a rule; until virtq_reset() */
};

/* A stretch of memory that the device reads or writes. */
struct virtq_part {
    const void *data;
    uint32_t bytes; /* 1 or more */
};

enum virtq_status {
    VIRTQ_OK,
    VIRTQ_EMPTY, /* nothing more has come back */
    VIRTQ_BROKEN /* the device broke a rule: it must be reset */
};

struct virtq_done {
    void *cookie;
    uint32_t bytes; /* what the device says it wrote: at most what it might;
                       0 in a chain that it only reads */
};

/*
 * Make an empty queue.
 *
 * size:      a power of two, 1 to VIRTQ_SIZE_MAX.
 * event_idx: whether VIRTIO_RING_F_EVENT_IDX is negotiated.
 * Returns:   false when there is no memory; the queue is then all zero.
 */
MUST_CHECK bool virtq_create(struct virtq *queue, unsigned size,
                             bool event_idx);

/* Free its memory. The device must have been reset. Nothing may be in flight:
 * virtq_take_back() comes first. */
void virtq_destroy(struct virtq *queue);

/* Empty it, as after virtq_create(). Same preconditions as virtq_destroy(). */
void virtq_reset(struct virtq *queue);

/* The next cookie that is in flight, or null: to be called until it is null,
 * after the device was reset, with a cursor that begins at 0. */
void *virtq_take_back(struct virtq *queue, unsigned *cursor);

/*
 * Queue a chain of descriptors. The device sees it after virtq_publish().
 *
 * parts:   first those that the device reads (`reads`), then those that it
 *          writes (`writes`; 65,535 bytes at most), together 1 or more; their
 *          memory must stay as it is until virtq_pop() gives the cookie back.
 * cookie:  not null.
 * Returns: false when fewer descriptors are free.
 */
MUST_CHECK bool virtq_push(struct virtq *queue, const struct virtq_part *parts,
                           unsigned reads, unsigned writes, void *cookie);

/* The same for one part, which the device writes or reads: what nearly every
 * chain of a network device is. */
MUST_CHECK bool virtq_push_room(struct virtq *queue, void *data, uint16_t bytes,
                                void *cookie);
MUST_CHECK bool virtq_push_bytes(struct virtq *queue, const void *data,
                                 uint32_t bytes, void *cookie);

/* Chains that were pushed and that the device has not been shown yet. */
static inline unsigned virtq_unpublished(const struct virtq *queue)
{
    return (uint16_t)(queue->avail_idx - queue->published);
}

/*
 * Show the device all that was pushed: one store for the whole batch.
 *
 * Returns: whether the device wants to be notified of it.
 * Source:  virtio 1.2 2.7.13.3, 2.7.10.
 */
MUST_CHECK bool virtq_publish(struct virtq *queue);

/* Chains in flight. */
static inline uint16_t virtq_chains(const struct virtq *queue)
{
    return (uint16_t)(queue->avail_idx - queue->used_seen);
}

/* Private: a chain of more than one among the free descriptors; whether the
 * device has more for us than has been read; the device has broken a rule. */
void virtq_free_many(struct virtq *queue, uint16_t head);
enum virtq_status virtq_look(struct virtq *queue);
void virtq_break(struct virtq *queue);

/* Private: the chain that begins at `head` is not in flight any more. */
static INLINE void *virtq_chain_take(struct virtq *queue, uint16_t head)
{
    struct virtq_slot *first = &queue->slot[head];
    void *cookie = first->cookie;

    queue->used_seen++;
    first->cookie = NULL;
    if (first->count > 1) {
        virtq_free_many(queue, head);
        return cookie;
    }
    first->next = queue->free_head;
    queue->free_head = head;
    queue->free_count++;
    return cookie;
}

/*
 * Take back the next chain that the device has finished with.
 *
 * done:    filled in on VIRTQ_OK only.
 * Returns: VIRTQ_OK; VIRTQ_EMPTY; VIRTQ_BROKEN for a chain that it does not
 *          have, a length that it cannot have written, an index that jumps;
 *          and from then on.
 * Source:  virtio 1.2 2.7.14.
 */
MUST_CHECK static INLINE enum virtq_status virtq_pop(struct virtq *queue,
                                                     struct virtq_done *done)
{
    const struct vring_used_elem *elem;
    uint32_t id, bytes;

    if (queue->used_seen == queue->used_end) {
        enum virtq_status status = virtq_look(queue);

        if (status != VIRTQ_OK)
            return status;
    }
    elem = &queue->ring.used->ring[queue->used_seen & queue->mask];
    id = __atomic_load_n(&elem->id, __ATOMIC_RELAXED);
    bytes = __atomic_load_n(&elem->len, __ATOMIC_RELAXED);

    if (id > queue->mask || !queue->slot[id].cookie) {
        virtq_break(queue);
        return VIRTQ_BROKEN;
    }
    if (bytes > queue->slot[id].bytes) {
        /* For what it only reads, a device may name any length (legacy ones
         * do): virtio 1.2 2.7.8.2. */
        if (queue->slot[id].bytes > 0) {
            virtq_break(queue);
            return VIRTQ_BROKEN;
        }
        bytes = 0;
    }
    done->bytes = bytes;
    done->cookie = virtq_chain_take(queue, (uint16_t)id);
    return VIRTQ_OK;
}

/* Ask the device not to interrupt. It may do so nevertheless. Safe in an
 * interrupt handler. Source: virtio 1.2 2.7.7. */
void virtq_interrupt_off(struct virtq *queue);

/* Whether something has come back that was not popped yet. */
static inline bool virtq_pending(const struct virtq *queue)
{
    return __atomic_load_n(&queue->ring.used->idx, __ATOMIC_RELAXED) !=
           queue->used_seen;
}

/*
 * Ask for an interrupt when `after` more chains than now have come back
 * (without EVENT_IDX: at the next one).
 *
 * after:   1 or more.
 * Returns: true when something has come back already, of which there may be
 *          no interrupt: pop again.
 * Source:  virtio 1.2 2.7.7.1, and 2.7.14's note on the race.
 */
MUST_CHECK bool virtq_interrupt_on(struct virtq *queue, unsigned after);

#endif
