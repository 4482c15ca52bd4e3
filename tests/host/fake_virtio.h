/*
 * tests/host/fake_virtio.h - a virtio device that a test plays.
 *
 * It follows the rules by itself; a test makes it break them, by the knobs, or
 * by writing into the rings what it likes. It reads the rings by itself, from
 * virtio's text, not with the driver's code.
 * Source: virtio 1.2 2.7 (the device's side).
 */
#ifndef TESTS_HOST_FAKE_VIRTIO_H
#define TESTS_HOST_FAKE_VIRTIO_H

#include "drivers/virtio.h"

enum { FAKE_QUEUES = 3, FAKE_CONFIG_BYTES = 32, FAKE_STATUS_READ_US = 10 };

struct fake_queue {
    unsigned size; /* the most that is offered */
    const struct virtq *driver;
    uint16_t avail_seen; /* free-running */
    uint16_t used_idx;   /* free-running */
    uint16_t signalled;  /* used_idx when last thought of an interrupt */
    unsigned notified;   /* notifications that came */
    bool refused;        /* knob: queue_enable() fails */
    bool absent;         /* knob: no such queue */
};

struct fake_virtio {
    struct virtio_device device;
    uint8_t status;
    uint64_t offered;
    uint64_t accepted;
    uint8_t config[FAKE_CONFIG_BYTES];
    uint8_t generation;
    struct fake_queue queue[FAKE_QUEUES];
    struct virtio_interrupts interrupts;
    bool interrupts_on;
    unsigned resets; /* that were done */

    /* Knobs. */
    bool gone;            /* every register reads as ones */
    bool refuse_features; /* FEATURES_OK does not stay */
    bool never_resets;    /* the status does not become 0 */
    bool never_settles;   /* another config_generation at every read */
    bool no_interrupts;   /* there is no way to deliver any */
    bool lose_interrupts; /* they are not delivered */
    bool legacy;          /* set before fake_virtio_init() */
    void (*on_notify)(struct fake_virtio *fake, unsigned index);
};

/* A device that offers `features`, with two queues of 256, its MAC address
 * 52:54:00:12:34:56, link up, MTU 1500. Knobs that are set before stay. */
void fake_virtio_init(struct fake_virtio *fake, uint64_t features);

/* Whether the driver has said DRIVER_OK, and the device is there. */
bool fake_virtio_runs(const struct fake_virtio *fake);

/* The next chain that the driver has made available: its head, or -1. */
int fake_virtio_take(struct fake_virtio *fake, unsigned index);

/* Bytes of a chain: to read (`out`, up to `max`), or that may be written. */
uint32_t fake_virtio_read(const struct fake_virtio *fake, unsigned index,
                          int head, void *out, uint32_t max);
uint32_t fake_virtio_room(const struct fake_virtio *fake, unsigned index,
                          int head);
/* How many descriptors a chain has. */
unsigned fake_virtio_descriptors(const struct fake_virtio *fake, unsigned index,
                                 int head);

/* Write into a chain from its first byte; returns what fitted. */
uint32_t fake_virtio_write(struct fake_virtio *fake, unsigned index, int head,
                           const void *bytes, uint32_t count);

/* Put an element into the used ring, and move its index. */
void fake_virtio_use(struct fake_virtio *fake, unsigned index, uint32_t id,
                     uint32_t bytes);

/* Interrupt for what was used since the last time, if the driver wants it.
 * Returns: whether there was an interrupt. */
bool fake_virtio_signal(struct fake_virtio *fake, unsigned index);

/* The configuration has changed: another generation, and an interrupt. */
void fake_virtio_config_changed(struct fake_virtio *fake);

#endif
