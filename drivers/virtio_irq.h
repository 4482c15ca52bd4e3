/*
 * drivers/virtio_irq.h - how a virtio device on PCI interrupts.
 *
 * MSI-X with an entry for the configuration and one for each queue, of which
 * nothing has to be asked then; with a smaller table one for all queues; with
 * none, or when the device refuses, the interrupt line.
 * Does not: name the entries to the device; each interface has registers of
 * its own for that.
 * Source: virtio 1.2 4.1.5.1.2, 4.1.5.3, 4.1.5.4.
 */
#ifndef DRIVERS_VIRTIO_IRQ_H
#define DRIVERS_VIRTIO_IRQ_H

#include "drivers/pci.h"
#include "drivers/virtio.h"

struct virtio_irq {
    const struct pci_device *pci;
    /* Read the ISR register of the device, which acknowledges the line. */
    uint8_t (*reason)(struct virtio_device *device);
    struct virtio_device *device; /* for reason() */

    struct virtio_interrupts to;
    struct pci_msix msix;
    unsigned entries; /* MSI-X entries in use; 0: the line, if that works */
    bool connected;   /* vectors are allocated */
    bool line_works;
    unsigned strange;    /* interrupts of the line without a reason ... */
    uint64_t strange_us; /* ... since then */
};

/* The configuration's entry, when MSI-X is in use. */
enum { VIRTIO_IRQ_CONFIG = 0 };

/*
 * Have interrupts delivered. The first call decides between MSI-X and the
 * line, and allocates vectors, for ever.
 *
 * irq:     with pci, reason and device set, the rest zero at first; must stay.
 * to:      copied; the same every time.
 * Returns: false when there is no way.
 */
MUST_CHECK bool virtio_irq_on(struct virtio_irq *irq,
                              const struct virtio_interrupts *to);

/* The MSI-X entry of a queue: the device has to be told. VIRTIO_MSI_NO_VECTOR
 * when MSI-X is not in use, or the queue is polled. */
uint16_t virtio_irq_entry(const struct virtio_irq *irq, unsigned queue);

/*
 * The device refuses an entry: go over to the interrupt line.
 *
 * Returns: false when there is none.
 */
bool virtio_irq_line(struct virtio_irq *irq);

/* See virtio_transport_ops.interrupts_mask. */
void virtio_irq_mask(struct virtio_irq *irq, bool masked);

#endif
