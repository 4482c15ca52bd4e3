/*
 * drivers/virtio_rng.c - bytes from the host's random source, by virtio.
 *
 * Source: virtio 1.2 5.4.6.
 */
#include "drivers/virtio_rng.h"

#include <string.h>

#include "kernel/clock.h"
#include "kernel/log.h"
#include "kernel/page.h"

enum {
    QUEUE = 0,
    RING = 8,
    POLLS_MAX = 50000000, /* beside the time, should the clock stand still */
    ROUNDS_MAX = 1000     /* requests; some devices give a few bytes each */
};

struct rng {
    struct virtio_device *virtio;
    struct virtq queue;
    uint8_t *page; /* what the device writes to */
    uint64_t end_us;
};

/* Wait for the one request. Returns how many bytes came; 0: none in time. */
static uint32_t wait_for(struct rng *rng)
{
    struct virtq_done done;

    for (unsigned i = 0; i < POLLS_MAX; i++) {
        enum virtq_status status = virtq_pop(&rng->queue, &done);

        if (status == VIRTQ_OK)
            return done.bytes;
        if (status == VIRTQ_BROKEN || clock_us() >= rng->end_us)
            return 0;
        __builtin_ia32_pause();
    }
    return 0;
}

/* Ask for up to `bytes`, and copy them out before anything else. */
static uint32_t request(struct rng *rng, uint8_t *out, size_t bytes)
{
    uint32_t most = bytes < PAGE_BYTES ? (uint32_t)bytes : PAGE_BYTES;
    struct virtq_part part = {rng->page, most};
    uint32_t got;

    if (!virtq_push(&rng->queue, &part, 0, 1, rng->page))
        return 0;
    if (virtq_publish(&rng->queue))
        rng->virtio->ops->notify(rng->virtio, QUEUE);
    got = wait_for(rng);
    memcpy(out, rng->page, got);
    memset(rng->page, 0, got);
    return got;
}

static bool read_all(struct rng *rng, uint8_t *out, size_t bytes)
{
    size_t have = 0;

    for (unsigned i = 0; i < ROUNDS_MAX && have < bytes; i++) {
        uint32_t got = request(rng, out + have, bytes - have);

        if (got == 0)
            break;
        have += got;
    }
    if (have == bytes)
        return true;
    memset(out, 0, bytes);
    return false;
}

/* From reset to DRIVER_OK. */
static enum virtio_status set_up(struct rng *rng)
{
    uint64_t offered;
    unsigned size;
    enum virtio_status status = virtio_begin(rng->virtio, &offered);

    if (status == VIRTIO_OK)
        status = virtio_accept(rng->virtio, offered & virtio_features_common());
    if (status == VIRTIO_OK)
        status = virtio_queue_size(rng->virtio, QUEUE, RING, &size);
    if (status != VIRTIO_OK)
        return status;
    if (!virtq_create(&rng->queue, size,
                      rng->virtio->features &
                          VIRTIO_BIT(VIRTIO_RING_F_EVENT_IDX)))
        return VIRTIO_BAD_QUEUE;
    if (!rng->virtio->ops->queue_enable(rng->virtio, QUEUE, &rng->queue))
        return VIRTIO_BAD_QUEUE;
    virtio_ready(rng->virtio);
    return VIRTIO_OK;
}

/* Reset the device; only then is the memory ours again. */
static bool take_down(struct rng *rng)
{
    unsigned cursor = 0;

    if (virtio_reset(rng->virtio) != VIRTIO_OK)
        return false;
    if (rng->queue.size > 0) {
        (void)virtq_take_back(&rng->queue, &cursor); /* the page: one request */
        virtq_destroy(&rng->queue);
    }
    page_free(rng->page, 1, PAGE_DEVICE);
    return true;
}

bool virtio_rng_read(struct virtio_device *virtio, void *out, size_t bytes,
                     uint64_t timeout_us, bool *released)
{
    struct rng rng = {.virtio = virtio, .end_us = clock_us() + timeout_us};
    enum virtio_status status = virtio_reset(virtio);
    bool filled;

    *released = status == VIRTIO_OK;
    if (status != VIRTIO_OK)
        return false;
    rng.page = page_alloc(1, PAGE_DEVICE);
    if (!rng.page)
        return false;
    status = set_up(&rng);
    filled = status == VIRTIO_OK && read_all(&rng, out, bytes);
    if (!filled)
        log_at(LOG_WARNING, "virtio", "%s: no random bytes: %s", virtio->name,
               status == VIRTIO_OK ? "not in time"
                                   : virtio_status_text(status));
    *released = take_down(&rng);
    return filled;
}
