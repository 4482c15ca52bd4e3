/*
 * drivers/virtio_rng.h - bytes from the host's random source, by virtio.
 *
 * Polled, for the seed at boot. The bytes are the host's word: whoever uses
 * them mixes them with others.
 * Source: virtio 1.2 5.4.
 */
#ifndef DRIVERS_VIRTIO_RNG_H
#define DRIVERS_VIRTIO_RNG_H

#include "drivers/virtio.h"

/*
 * Set the device up, read, and reset it.
 *
 * virtio:     stays the caller's.
 * out, bytes: 1 or more; all or nothing is filled.
 * timeout_us: for all of it, beside what virtio_reset() may take.
 * released:   set: whether the device has been reset and holds no memory of
 *             ours any more, so that virtio_pci_close() may follow.
 * Blocks:     the whole machine, for that long at most.
 * Returns:    whether `out` is filled.
 */
MUST_CHECK bool virtio_rng_read(struct virtio_device *virtio, void *out,
                                size_t bytes, uint64_t timeout_us,
                                bool *released);

#endif
