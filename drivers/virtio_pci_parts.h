/*
 * drivers/virtio_pci_parts.h - private to drivers/virtio_pci*.c.
 */
#ifndef DRIVERS_VIRTIO_PCI_PARTS_H
#define DRIVERS_VIRTIO_PCI_PARTS_H

#include "drivers/pci.h"
#include "drivers/virtio.h"
#include "drivers/virtio_irq.h"

/* What both interfaces have. The struct of each begins with it, and stands on
 * a page of PAGE_DEVICE. */
struct virtio_pci_base {
    struct virtio_device device; /* first: a device is a virtio_pci_base */
    struct pci_device pci;
    struct virtio_irq irq;
};

/*
 * A page with the base filled in, the rest of it zero. The device is silent,
 * and cannot reach memory.
 *
 * reason:  reads the ISR.
 * Returns: null without memory.
 */
void *virtio_pci_page(const struct pci_device *pci,
                      const struct virtio_transport_ops *ops,
                      uint8_t (*reason)(struct virtio_device *device));

/* drivers/virtio_pci_modern.c, drivers/virtio_pci_legacy.c: null, without a
 * word, when the device does not have that interface. */
struct virtio_device *virtio_pci_modern_open(const struct pci_device *pci);
struct virtio_device *virtio_pci_legacy_open(const struct pci_device *pci);

#endif
