/*
 * tests/host/virtio_scene.h - one virtio function on a bus that a test plays,
 * and what its interrupts call.
 *
 * For tests only: every call asserts what it expects, with cmocka.
 */
#ifndef TESTS_HOST_VIRTIO_SCENE_H
#define TESTS_HOST_VIRTIO_SCENE_H

#include "drivers/virtio_pci.h"
#include "tests/host/fake_pci.h"

enum {
    SCENE_LINE = 11,
    SCENE_TABLE = 0x8000 /* of MSI-X, in BAR 4 */
};

struct virtio_scene {
    struct fake_function *function;
    unsigned queue_calls, config_calls;
};

extern struct virtio_scene virtio;

/* Interrupts that are counted there; two of queues. */
extern const struct virtio_interrupts virtio_counted;

/*
 * An empty bus but for one function of a network card, with capabilities from
 * `cap` on, memory behind BAR 4, and MSI-X of three entries as the capability
 * at `cap_msix`.
 */
void virtio_scene_make(uint16_t device_id, uint8_t cap, uint8_t cap_msix);

/* The driver's view of it, all features offered or without `off`; null when it
 * is refused. */
struct virtio_device *virtio_open(void);
struct virtio_device *virtio_open_without(uint64_t off);

/* It is refused, and nothing is kept of it. */
void virtio_assert_refused(void);

/* The page of a device with interrupts stays for ever: the tests free it. */
void virtio_drop(struct virtio_device *device);

#endif
