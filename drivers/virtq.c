/*
 * drivers/virtq.c - one split virtqueue, seen from the driver.
 *
 * Every access to what the device may write at the same time is an __atomic
 * builtin: exactly one load, which the compiler cannot repeat.
 * Source: virtio 1.2 2.7.
 */
#include "drivers/virtq.h"

#include <string.h>

#include "kernel/page.h"

static size_t pages_of(size_t bytes)
{
    return (bytes + PAGE_BYTES - 1) / PAGE_BYTES;
}

static size_t ring_pages(const struct virtq *queue)
{
    return pages_of(vring_size(queue->size, VIRTQ_ALIGN));
}

static size_t slot_pages(const struct virtq *queue)
{
    return pages_of(queue->size * sizeof(struct virtq_slot));
}

COLD bool virtq_create(struct virtq *queue, unsigned size, bool event_idx)
{
    void *ring;

    ASSERT(size > 0 && size <= VIRTQ_SIZE_MAX && (size & (size - 1)) == 0);
    *queue = (struct virtq){.size = (uint16_t)size,
                            .mask = (uint16_t)(size - 1),
                            .event_idx = event_idx};

    ring = page_alloc(ring_pages(queue), PAGE_DEVICE);
    queue->slot = page_alloc(slot_pages(queue), PAGE_DEVICE);
    if (!ring || !queue->slot) {
        if (ring)
            page_free(ring, ring_pages(queue), PAGE_DEVICE);
        if (queue->slot)
            page_free(queue->slot, slot_pages(queue), PAGE_DEVICE);
        *queue = (struct virtq){0};
        return false;
    }
    vring_init(&queue->ring, size, ring, VIRTQ_ALIGN);
    virtq_reset(queue);
    return true;
}

COLD void virtq_destroy(struct virtq *queue)
{
    ASSERT(virtq_chains(queue) == 0);
    page_free(queue->slot, slot_pages(queue), PAGE_DEVICE);
    page_free(queue->ring.desc, ring_pages(queue), PAGE_DEVICE);
    *queue = (struct virtq){0};
}

COLD void virtq_reset(struct virtq *queue)
{
    ASSERT(virtq_chains(queue) == 0);
    memset(queue->ring.desc, 0, ring_pages(queue) * PAGE_BYTES);
    for (unsigned i = 0; i < queue->size; i++)
        queue->slot[i] =
            (struct virtq_slot){.next = (uint16_t)(i + 1), .count = 1};
    queue->free_head = 0;
    queue->free_count = queue->size;
    queue->avail_idx = 0;
    queue->published = 0;
    queue->used_seen = 0;
    queue->used_end = 0;
    queue->broken = false;
    virtq_interrupt_off(queue);
}

void virtq_free_many(struct virtq *queue, uint16_t head)
{
    struct virtq_slot *first = &queue->slot[head];

    queue->slot[first->last].next = queue->free_head;
    queue->free_head = head;
    queue->free_count = (uint16_t)(queue->free_count + first->count);
    first->count = 1;
}

void *virtq_take_back(struct virtq *queue, unsigned *cursor)
{
    for (; *cursor < queue->size; (*cursor)++)
        if (queue->slot[*cursor].cookie)
            return virtq_chain_take(queue, (uint16_t)*cursor);
    return NULL;
}

/* Write one descriptor. Returns: the free one after it. */
static uint16_t describe(struct virtq *queue, uint16_t index,
                         const struct virtq_part *part, uint16_t flags)
{
    struct vring_desc *desc = &queue->ring.desc[index];
    uint16_t next = queue->slot[index].next;

    desc->addr = (uintptr_t)part->data;
    desc->len = part->bytes;
    desc->flags = flags;
    desc->next = next;
    return next;
}

bool virtq_push(struct virtq *queue, const struct virtq_part *parts,
                unsigned reads, unsigned writes, void *cookie)
{
    uint16_t head = queue->free_head;
    uint16_t flags = VRING_DESC_F_NEXT;
    uint16_t index = head, last = head;
    unsigned count = reads + writes;
    uint32_t writable = 0;

    ASSERT(count > 0 && cookie);
    if (count > queue->free_count)
        return false;

    for (unsigned i = 0; i < count; i++) {
        if (i == reads)
            flags |= VRING_DESC_F_WRITE;
        if (i >= reads)
            writable += parts[i].bytes;
        last = index;
        index = describe(queue, index, &parts[i], flags);
    }
    ASSERT(writable <= UINT16_MAX);
    queue->ring.desc[last].flags = flags & VRING_DESC_F_WRITE;
    queue->free_head = index;
    queue->free_count = (uint16_t)(queue->free_count - count);
    queue->slot[head].cookie = cookie;
    queue->slot[head].bytes = (uint16_t)writable;
    queue->slot[head].count = (uint16_t)count;
    queue->slot[head].last = last;

    queue->ring.avail->ring[queue->avail_idx & queue->mask] = head;
    queue->avail_idx++;
    return true;
}

/* One descriptor; `room`: bytes that the device may write. */
static INLINE bool push_one(struct virtq *queue, const void *data,
                            uint32_t bytes, uint16_t room, uint16_t flags,
                            void *cookie)
{
    uint16_t head = queue->free_head;
    struct vring_desc *desc = &queue->ring.desc[head];
    struct virtq_slot *slot = &queue->slot[head];

    ASSERT(cookie);
    if (queue->free_count == 0)
        return false;
    desc->addr = (uintptr_t)data;
    desc->len = bytes;
    desc->flags = flags;
    queue->free_head = slot->next;
    queue->free_count--;
    slot->cookie = cookie;
    slot->bytes = room;
    queue->ring.avail->ring[queue->avail_idx & queue->mask] = head;
    queue->avail_idx++;
    return true;
}

bool virtq_push_room(struct virtq *queue, void *data, uint16_t bytes,
                     void *cookie)
{
    return push_one(queue, data, bytes, bytes, VRING_DESC_F_WRITE, cookie);
}

bool virtq_push_bytes(struct virtq *queue, const void *data, uint32_t bytes,
                      void *cookie)
{
    return push_one(queue, data, bytes, 0, 0, cookie);
}

bool virtq_publish(struct virtq *queue)
{
    uint16_t before = queue->published;
    uint16_t event;

    if (queue->avail_idx == before)
        return false;
    queue->published = queue->avail_idx;
    __atomic_store_n(&queue->ring.avail->idx, queue->avail_idx,
                     __ATOMIC_RELEASE);
    /* Both sides store, then load what the other stored: without the full
     * fence each could miss the other, and the queue would stand still. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (!queue->event_idx)
        return !(__atomic_load_n(&queue->ring.used->flags, __ATOMIC_RELAXED) &
                 VRING_USED_F_NO_NOTIFY);
    event = __atomic_load_n(&vring_avail_event(&queue->ring), __ATOMIC_RELAXED);
    return vring_need_event(event, queue->avail_idx, before);
}

COLD void virtq_break(struct virtq *queue)
{
    queue->broken = true;
    queue->used_end = queue->used_seen; /* nothing more is read */
}

/* Notices an index that claims more than is in flight: a jump forward, or any
 * step back. */
enum virtq_status virtq_look(struct virtq *queue)
{
    uint16_t idx = __atomic_load_n(&queue->ring.used->idx, __ATOMIC_ACQUIRE);
    uint16_t more = (uint16_t)(idx - queue->used_seen);

    if (queue->broken ||
        more > (uint16_t)(queue->published - queue->used_seen)) {
        virtq_break(queue);
        return VIRTQ_BROKEN;
    }
    queue->used_end = idx;
    return more ? VIRTQ_OK : VIRTQ_EMPTY;
}

void virtq_interrupt_off(struct virtq *queue)
{
    uint16_t behind;

    if (!queue->event_idx) {
        __atomic_store_n(&queue->ring.avail->flags, VRING_AVAIL_F_NO_INTERRUPT,
                         __ATOMIC_RELAXED);
        return;
    }
    /* An index that lies behind all that is in flight is passed again only
     * after nearly 65,536 chains. */
    behind = (uint16_t)(queue->used_seen - queue->size - 1);
    __atomic_store_n(&vring_used_event(&queue->ring), behind, __ATOMIC_RELAXED);
}

bool virtq_interrupt_on(struct virtq *queue, unsigned after)
{
    if (queue->event_idx)
        __atomic_store_n(&vring_used_event(&queue->ring),
                         (uint16_t)(queue->used_seen + after - 1),
                         __ATOMIC_RELAXED);
    else
        __atomic_store_n(&queue->ring.avail->flags, 0, __ATOMIC_RELAXED);
    /* The store must be out before the load: see virtq_publish(). */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return virtq_pending(queue);
}
