/*
 * tests/host/fake_virtio.c - a virtio device that a test plays.
 */
#include "tests/host/fake_virtio.h"

#include <string.h>

#include "tests/host/host.h"

static struct fake_virtio *self(struct virtio_device *device)
{
    return CONTAINER_OF(device, struct fake_virtio, device);
}

static uint8_t fake_status(struct virtio_device *device)
{
    struct fake_virtio *fake = self(device);

    host_now_us += FAKE_STATUS_READ_US;
    return fake->gone ? 0xff : fake->status;
}

static void fake_set_status(struct virtio_device *device, uint8_t status)
{
    struct fake_virtio *fake = self(device);

    if (fake->gone)
        return;
    if (status == 0) {
        if (fake->never_resets)
            return;
        fake->resets++;
        fake->accepted = 0;
        for (unsigned i = 0; i < FAKE_QUEUES; i++) {
            struct fake_queue *queue = &fake->queue[i];

            queue->driver = NULL;
            queue->avail_seen = queue->used_idx = queue->signalled = 0;
        }
    }
    if (fake->refuse_features)
        status &= (uint8_t)~VIRTIO_CONFIG_S_FEATURES_OK;
    fake->status = status;
}

static uint64_t fake_offered(struct virtio_device *device)
{
    return self(device)->offered;
}

static void fake_accept(struct virtio_device *device, uint64_t features)
{
    struct fake_virtio *fake = self(device);

    /* Once agreed on, for good: virtio 1.2 3.1.1. */
    ASSERT(!(fake->status & VIRTIO_CONFIG_S_FEATURES_OK));
    ASSERT((features & ~fake->offered) == 0);
    fake->accepted = features;
}

static uint32_t fake_config_read(struct virtio_device *device, unsigned offset,
                                 unsigned bytes)
{
    struct fake_virtio *fake = self(device);
    uint32_t value = 0;

    if (offset + bytes > FAKE_CONFIG_BYTES)
        return UINT32_MAX;
    ASSERT(offset % bytes == 0);
    memcpy(&value, fake->config + offset, bytes);
    return value;
}

static uint8_t fake_config_generation(struct virtio_device *device)
{
    struct fake_virtio *fake = self(device);

    return fake->never_settles ? fake->generation++ : fake->generation;
}

static unsigned fake_queue_size(struct virtio_device *device, unsigned index)
{
    return index < FAKE_QUEUES ? self(device)->queue[index].size : 0;
}

static bool fake_queue_enable(struct virtio_device *device, unsigned index,
                              const struct virtq *queue)
{
    struct fake_virtio *fake = self(device);

    ASSERT(!(fake->status & VIRTIO_CONFIG_S_DRIVER_OK));
    if (fake->queue[index].refused)
        return false;
    fake->queue[index].driver = queue;
    return true;
}

static void fake_notify(struct virtio_device *device, unsigned index)
{
    struct fake_virtio *fake = self(device);

    /* No notification before DRIVER_OK: virtio 1.2 3.1.1. */
    ASSERT(fake->gone || fake->status & VIRTIO_CONFIG_S_DRIVER_OK);
    fake->queue[index].notified++;
    if (fake->on_notify)
        fake->on_notify(fake, index);
}

static bool fake_interrupts_on(struct virtio_device *device,
                               const struct virtio_interrupts *interrupts)
{
    struct fake_virtio *fake = self(device);

    fake->interrupts = *interrupts;
    fake->interrupts_on = !fake->no_interrupts;
    return fake->interrupts_on;
}

static void fake_interrupts_mask(struct virtio_device *device, bool masked)
{
    struct fake_virtio *fake = self(device);

    fake->interrupts_on = !masked && !fake->no_interrupts;
}

/* clang-format off */
#define FAKE_OPS(is_legacy)                                                    \
    {                                                                          \
        .status = fake_status, .set_status = fake_set_status,                  \
        .offered = fake_offered, .accept = fake_accept,                        \
        .config_read = fake_config_read,                                       \
        .config_generation = fake_config_generation,                           \
        .queue_size = fake_queue_size, .queue_enable = fake_queue_enable,      \
        .notify = fake_notify, .interrupts_on = fake_interrupts_on,            \
        .interrupts_mask = fake_interrupts_mask, .legacy = is_legacy           \
    }

/* clang-format on */

static const struct virtio_transport_ops modern_ops = FAKE_OPS(false);
static const struct virtio_transport_ops legacy_ops = FAKE_OPS(true);

void fake_virtio_init(struct fake_virtio *fake, uint64_t features)
{
    static const uint8_t config[] = {0x52, 0x54, 0, 0x12, 0x34, 0x56, /* MAC */
                                     1,    0,  /* status */
                                     1,    0,  /* pairs */
                                     0xdc, 5}; /* MTU */

    fake->device.ops = fake->legacy ? &legacy_ops : &modern_ops;
    fake->device.name = "fake";
    fake->offered = features;
    memcpy(fake->config, config, sizeof(config));
    for (unsigned i = 0; i < 2; i++)
        if (fake->queue[i].size == 0 && !fake->queue[i].absent)
            fake->queue[i].size = 256;
}

bool fake_virtio_runs(const struct fake_virtio *fake)
{
    return fake->status & VIRTIO_CONFIG_S_DRIVER_OK && !fake->gone;
}

/* --- the device's side of a ring ------------------------------------------ */

static const struct vring *ring_of(const struct fake_virtio *fake,
                                   unsigned index)
{
    ASSERT(fake->queue[index].driver);
    return &fake->queue[index].driver->ring;
}

int fake_virtio_take(struct fake_virtio *fake, unsigned index)
{
    struct fake_queue *queue = &fake->queue[index];
    const struct vring *ring = ring_of(fake, index);

    if (__atomic_load_n(&ring->avail->idx, __ATOMIC_ACQUIRE) ==
        queue->avail_seen)
        return -1;
    /* What there is from now on is to be notified of. */
    vring_avail_event(ring) = (uint16_t)(queue->avail_seen + 1);
    return ring->avail->ring[queue->avail_seen++ % ring->num];
}

/* Walk a chain: copy from or to it. Null `bytes`: only count what is there. */
static uint32_t walk(const struct vring *ring, int head, bool writable,
                     uint8_t *to, const uint8_t *from, uint32_t max)
{
    const struct vring_desc *desc = &ring->desc[head];
    uint32_t done = 0;

    for (unsigned i = 0; i < ring->num; i++) {
        uint32_t part = desc->len < max - done ? desc->len : max - done;
        void *memory = (void *)(uintptr_t)desc->addr;

        ASSERT(desc->len > 0 && head < (int)ring->num);
        if (!(desc->flags & VRING_DESC_F_WRITE) == !writable) {
            if (to)
                memcpy(to + done, memory, part);
            if (from)
                memcpy(memory, from + done, part);
            done += part;
        }
        if (!(desc->flags & VRING_DESC_F_NEXT))
            break;
        desc = &ring->desc[desc->next];
    }
    return done;
}

uint32_t fake_virtio_read(const struct fake_virtio *fake, unsigned index,
                          int head, void *out, uint32_t max)
{
    return walk(ring_of(fake, index), head, false, out, NULL, max);
}

uint32_t fake_virtio_room(const struct fake_virtio *fake, unsigned index,
                          int head)
{
    return walk(ring_of(fake, index), head, true, NULL, NULL, UINT32_MAX);
}

unsigned fake_virtio_descriptors(const struct fake_virtio *fake, unsigned index,
                                 int head)
{
    const struct vring *ring = ring_of(fake, index);
    const struct vring_desc *desc = &ring->desc[head];
    unsigned count = 1;

    while (desc->flags & VRING_DESC_F_NEXT && count < ring->num) {
        desc = &ring->desc[desc->next];
        count++;
    }
    return count;
}

uint32_t fake_virtio_write(struct fake_virtio *fake, unsigned index, int head,
                           const void *bytes, uint32_t count)
{
    return walk(ring_of(fake, index), head, true, NULL, bytes, count);
}

void fake_virtio_use(struct fake_virtio *fake, unsigned index, uint32_t id,
                     uint32_t bytes)
{
    struct fake_queue *queue = &fake->queue[index];
    const struct vring *ring = ring_of(fake, index);

    ring->used->ring[queue->used_idx % ring->num] =
        (struct vring_used_elem){.id = id, .len = bytes};
    queue->used_idx++;
    __atomic_store_n(&ring->used->idx, queue->used_idx, __ATOMIC_RELEASE);
}

bool fake_virtio_signal(struct fake_virtio *fake, unsigned index)
{
    struct fake_queue *queue = &fake->queue[index];
    const struct vring *ring = ring_of(fake, index);
    uint16_t before = queue->signalled;
    bool wanted;

    queue->signalled = queue->used_idx;
    if (fake->accepted & VIRTIO_BIT(VIRTIO_RING_F_EVENT_IDX))
        wanted = (uint16_t)(queue->used_idx - vring_used_event(ring) - 1) <
                 (uint16_t)(queue->used_idx - before);
    else
        wanted = !(ring->avail->flags & VRING_AVAIL_F_NO_INTERRUPT);
    if (!wanted || !fake->interrupts_on || fake->lose_interrupts)
        return false;
    fake->interrupts.queue[index](fake->interrupts.arg);
    return true;
}

void fake_virtio_config_changed(struct fake_virtio *fake)
{
    fake->generation++;
    if (fake->interrupts_on && !fake->lose_interrupts)
        fake->interrupts.config(fake->interrupts.arg);
}
