/*
 * tests/host/fake_memory.c - the memory that a driver has given to a device.
 */
#include "tests/host/fake_memory.h"

#include <string.h>

#include <linux/virtio_net.h>

void fake_memory_init(struct fake_memory *memory, struct fake_virtio *fake)
{
    *memory = (struct fake_memory){.fake = fake};
}

static void notice_reset(struct fake_memory *memory)
{
    if (memory->fake->resets == memory->resets_seen)
        return;
    memory->resets_seen = memory->fake->resets;
    for (unsigned i = 0; i < FAKE_QUEUES; i++)
        for (unsigned j = 0; j < FAKE_MEMORY_RING; j++)
            memory->chain[i][j].held = false;
    memset(memory->todo_count, 0, sizeof(memory->todo_count));
    memset(memory->lied, 0, sizeof(memory->lied));
}

/* Note where a chain lies, before the table is rewritten. */
static void note_chain(struct fake_chain *chain, const struct vring *ring,
                       unsigned head)
{
    unsigned index = head;

    chain->held = true;
    for (unsigned i = 0; i < ring->num; i++) {
        const struct vring_desc *desc = &ring->desc[index];

        chain->at[i] = (uint8_t *)(uintptr_t)desc->addr;
        chain->bytes[i] = desc->len;
        chain->writable[i] = desc->flags & VRING_DESC_F_WRITE;
        chain->parts = i + 1;
        if (!(desc->flags & VRING_DESC_F_NEXT))
            return;
        index = desc->next;
        ASSERT(index < ring->num);
    }
    ASSERT(false); /* a chain of the driver's has an end */
}

static void look_at(struct fake_memory *memory, unsigned queue)
{
    struct fake_queue *fake = &memory->fake->queue[queue];
    const struct vring *ring;

    if (!fake->driver)
        return;
    ring = &fake->driver->ring;
    ASSERT(ring->num <= FAKE_MEMORY_RING);
    while (fake->avail_seen != ring->avail->idx) {
        unsigned head = ring->avail->ring[fake->avail_seen++ % ring->num];
        unsigned last = memory->todo_first[queue] + memory->todo_count[queue]++;

        ASSERT(head < ring->num);
        /* Else the driver may have believed a lie about it. */
        ASSERT(!memory->chain[queue][head].held || memory->lied[queue]);
        note_chain(&memory->chain[queue][head], ring, head);
        memory->todo[queue][last % FAKE_MEMORY_RING] = (uint16_t)head;
    }
    vring_avail_event(ring) = fake->avail_seen;
}

void fake_memory_look(struct fake_memory *memory)
{
    notice_reset(memory);
    for (unsigned i = 0; i < FAKE_QUEUES; i++)
        look_at(memory, i);
}

int fake_memory_take(struct fake_memory *memory, unsigned queue)
{
    notice_reset(memory);
    while (fake_virtio_runs(memory->fake) && memory->todo_count[queue] > 0) {
        unsigned first = memory->todo_first[queue]++ % FAKE_MEMORY_RING;
        unsigned head = memory->todo[queue][first];

        memory->todo_count[queue]--;
        if (memory->chain[queue][head].held)
            return (int)head;
    }
    return -1;
}

bool fake_memory_holds(const struct fake_memory *memory, unsigned queue,
                       unsigned head)
{
    return memory->fake->resets == memory->resets_seen &&
           memory->chain[queue][head].held;
}

uint32_t fake_memory_read(const struct fake_memory *memory, unsigned queue,
                          int head, uint8_t *out, uint32_t max)
{
    const struct fake_chain *chain = &memory->chain[queue][head];
    uint32_t done = 0;

    for (unsigned i = 0; i < chain->parts && done < max; i++) {
        uint32_t part = chain->bytes[i];

        if (chain->writable[i])
            continue;
        if (part > max - done)
            part = max - done;
        memcpy(out + done, chain->at[i], part);
        done += part;
    }
    return done;
}

uint32_t fake_memory_write(const struct fake_memory *memory, unsigned queue,
                           int head, const uint8_t *bytes, uint32_t count)
{
    const struct fake_chain *chain = &memory->chain[queue][head];
    uint32_t done = 0;

    for (unsigned i = 0; i < chain->parts && done < count; i++) {
        uint32_t part = chain->bytes[i];

        if (!chain->writable[i])
            continue;
        if (part > count - done)
            part = count - done;
        memcpy(chain->at[i], bytes + done, part);
        done += part;
    }
    return done;
}

void fake_memory_use(struct fake_memory *memory, unsigned queue, uint32_t id,
                     uint32_t bytes)
{
    notice_reset(memory);
    look_at(memory, queue); /* it may be used before anybody has looked */
    if (id >= FAKE_MEMORY_RING || !memory->chain[queue][id].held)
        memory->lied[queue] = true;
    else
        memory->chain[queue][id].held = false;
    fake_virtio_use(memory->fake, queue, id, bytes);
}

void fake_memory_disown(struct fake_memory *memory, unsigned queue)
{
    const struct vring *ring = &memory->fake->queue[queue].driver->ring;

    memory->lied[queue] = true;
    for (unsigned i = 0; i < ring->num; i++) {
        uint32_t id = ring->used->ring[i].id;

        if (id < FAKE_MEMORY_RING)
            memory->chain[queue][id].held = false;
    }
}

uint32_t fake_memory_header(const struct fake_memory *memory)
{
    return memory->fake->accepted & (VIRTIO_BIT(VIRTIO_F_VERSION_1) |
                                     VIRTIO_BIT(VIRTIO_NET_F_MRG_RXBUF))
               ? sizeof(struct virtio_net_hdr_v1)
               : sizeof(struct virtio_net_hdr);
}

void fake_memory_deliver(struct fake_memory *memory, const uint8_t *frame,
                         uint32_t len, int32_t more)
{
    uint32_t done = 0;

    while (done < len) {
        int head = fake_memory_take(memory, 0);
        uint32_t part;

        if (head < 0)
            return;
        part = fake_memory_write(memory, 0, head, frame + done, len - done);
        fake_memory_use(memory, 0, (uint32_t)head, part + (uint32_t)more);
        done += part;
    }
}
