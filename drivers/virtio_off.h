/*
 * drivers/virtio_off.h - features of virtio that the user forbids.
 */
#ifndef DRIVERS_VIRTIO_OFF_H
#define DRIVERS_VIRTIO_OFF_H

#include "kernel/base.h"

/*
 * Read "mrg_rxbuf,host_tso4": names as QEMU's properties of its devices have
 * them, where there is one; and `mac`, `mtu`, `msix`, `modern` (the legacy
 * interface is used then), `all` (but `modern`).
 *
 * out:     uint64_t, as virtio_device.off.
 * Returns: false for a name that is none; `out` is then unchanged.
 */
bool virtio_off_parse(const char *text, void *out);

#endif
