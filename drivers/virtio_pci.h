/*
 * drivers/virtio_pci.h - the PCI transports of virtio: 1.x, and legacy.
 *
 * Source: virtio 1.2 4.1.
 */
#ifndef DRIVERS_VIRTIO_PCI_H
#define DRIVERS_VIRTIO_PCI_H

#include "drivers/pci.h"
#include "drivers/virtio.h"

/*
 * Whether `device` is a virtio device of type `type` (VIRTIO_ID_*): its modern
 * id, or the id of a transitional one, which speaks both interfaces.
 */
bool virtio_pci_is(const struct pci_device *device, unsigned type);

/*
 * Map the registers of a virtio device: of its 1.x interface, or, when it has
 * none that is usable, of the legacy one. It can reach memory from its first
 * queue_enable() on.
 *
 * pci:     copied. From a scan; virtio_pci_is() has said yes.
 * off:     becomes virtio_device.off. Without VERSION_1 there is only the
 *          legacy interface.
 * Blocks:  never.
 * Returns: the transport, for virtio_pci_close(); null, and that is logged,
 *          when a structure is missing or makes no sense, or without memory.
 */
MUST_CHECK struct virtio_device *virtio_pci_open(const struct pci_device *pci,
                                                 uint64_t off);

/*
 * Take the device off the bus and free the transport. The device must have
 * been reset, and its interrupts must never have been on.
 */
void virtio_pci_close(struct virtio_device *device);

#endif
