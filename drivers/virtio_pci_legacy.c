/*
 * drivers/virtio_pci_legacy.c - the interface of virtio before 1.0 on PCI.
 *
 * All registers are I/O ports of BAR 0; the device's own configuration follows
 * them, and moves when MSI-X is switched on. The device dictates the size of a
 * queue, whose parts lie as drivers/virtq.c lays them out for both interfaces.
 * The rings and the configuration are in the guest's byte order: this CPU's.
 * Source: virtio 1.2 4.1.4.10, 4.1.5.1.3 (legacy interface),
 * 2.7.2.
 */
#include "drivers/virtio_pci_parts.h"

#include <linux/pci_regs.h>
#include <linux/virtio_pci.h>

#include "kernel/page.h"

enum { BAR = 0, REGISTERS_BYTES = VIRTIO_PCI_CONFIG_OFF(true) };

struct virtio_legacy {
    struct virtio_pci_base base; /* first: a device is a virtio_legacy */
    struct pci_bar ports;
};

_Static_assert(sizeof(struct virtio_legacy) <= PAGE_BYTES, "a page each");
_Static_assert((int)VIRTQ_ALIGN == VIRTIO_PCI_VRING_ALIGN, "one layout");

static struct virtio_legacy *self(struct virtio_device *device)
{
    return CONTAINER_OF(device, struct virtio_legacy, base.device);
}

/* --- registers ----------------------------------------------------------- */

static uint32_t reg_read(struct virtio_device *device, unsigned reg,
                         unsigned bytes)
{
    const struct virtio_legacy *legacy = self(device);
    const struct pci_access *access = legacy->base.pci.access;

    return access->port_read(access, (uint16_t)(legacy->ports.base + reg),
                             bytes);
}

static void reg_write(struct virtio_device *device, unsigned reg,
                      unsigned bytes, uint32_t value)
{
    const struct virtio_legacy *legacy = self(device);
    const struct pci_access *access = legacy->base.pci.access;

    access->port_write(access, (uint16_t)(legacy->ports.base + reg), bytes,
                       value);
}

static uint8_t legacy_status(struct virtio_device *device)
{
    return (uint8_t)reg_read(device, VIRTIO_PCI_STATUS, 1);
}

static void legacy_set_status(struct virtio_device *device, uint8_t status)
{
    reg_write(device, VIRTIO_PCI_STATUS, 1, status);
}

static uint64_t legacy_offered(struct virtio_device *device)
{
    return reg_read(device, VIRTIO_PCI_HOST_FEATURES, 4);
}

static void legacy_accept(struct virtio_device *device, uint64_t features)
{
    reg_write(device, VIRTIO_PCI_GUEST_FEATURES, 4, (uint32_t)features);
}

static uint32_t legacy_config_read(struct virtio_device *device,
                                   unsigned offset, unsigned bytes)
{
    const struct virtio_legacy *legacy = self(device);
    bool msix = legacy->base.irq.entries > 0;
    uint64_t at = (unsigned)VIRTIO_PCI_CONFIG_OFF(msix) + (uint64_t)offset;

    ASSERT(bytes == 1 || bytes == 2 || bytes == 4);
    if (at + bytes > legacy->ports.bytes)
        return UINT32_MAX;
    return reg_read(device, (unsigned)at, bytes);
}

static uint8_t legacy_config_generation(struct virtio_device *device)
{
    (void)device;
    return 0;
}

/* --- queues -------------------------------------------------------------- */

static unsigned legacy_queue_size(struct virtio_device *device, unsigned index)
{
    if (index >= VIRTIO_QUEUES_MAX)
        return 0;
    reg_write(device, VIRTIO_PCI_QUEUE_SEL, 2, index);
    return reg_read(device, VIRTIO_PCI_QUEUE_NUM, 2);
}

static void legacy_notify(struct virtio_device *device, unsigned index)
{
    reg_write(device, VIRTIO_PCI_QUEUE_NOTIFY, 2, index);
}

/* Name the MSI-X entry, and see that the device takes it. */
static bool entry_set(struct virtio_device *device, unsigned reg,
                      uint16_t entry)
{
    reg_write(device, reg, 2, entry);
    return reg_read(device, reg, 2) == entry;
}

static bool legacy_queue_enable(struct virtio_device *device, unsigned index,
                                const struct virtq *queue)
{
    struct virtio_legacy *legacy = self(device);
    uint64_t page = (uintptr_t)queue->ring.desc >> VIRTIO_PCI_QUEUE_ADDR_SHIFT;
    uint16_t entry;

    if (page > UINT32_MAX || legacy_queue_size(device, index) != queue->size)
        return false;
    entry = virtio_irq_entry(&legacy->base.irq, index);
    if (entry != VIRTIO_MSI_NO_VECTOR &&
        !entry_set(device, VIRTIO_MSI_QUEUE_VECTOR, entry))
        (void)virtio_irq_line(&legacy->base.irq);
    /* Not before: until it was reset, it knew only rings of the firmware. */
    pci_command(&legacy->base.pci, PCI_COMMAND_MASTER, 0);
    reg_write(device, VIRTIO_PCI_QUEUE_PFN, 4, (uint32_t)page);
    return reg_read(device, VIRTIO_PCI_QUEUE_PFN, 4) == page;
}

/* --- interrupts ---------------------------------------------------------- */

/* Reading it acknowledges the line. */
static uint8_t read_reason(struct virtio_device *device)
{
    return (uint8_t)reg_read(device, VIRTIO_PCI_ISR, 1);
}

static bool legacy_interrupts_on(struct virtio_device *device,
                                 const struct virtio_interrupts *interrupts)
{
    struct virtio_irq *irq = &self(device)->base.irq;
    bool on = virtio_irq_on(irq, interrupts);

    if (irq->entries > 0 &&
        !entry_set(device, VIRTIO_MSI_CONFIG_VECTOR, VIRTIO_IRQ_CONFIG))
        return virtio_irq_line(irq);
    return on;
}

static void legacy_interrupts_mask(struct virtio_device *device, bool masked)
{
    virtio_irq_mask(&self(device)->base.irq, masked);
}

static const struct virtio_transport_ops legacy_ops = {
    .status = legacy_status,
    .set_status = legacy_set_status,
    .offered = legacy_offered,
    .accept = legacy_accept,
    .config_read = legacy_config_read,
    .config_generation = legacy_config_generation,
    .queue_size = legacy_queue_size,
    .queue_enable = legacy_queue_enable,
    .notify = legacy_notify,
    .interrupts_on = legacy_interrupts_on,
    .interrupts_mask = legacy_interrupts_mask,
    .legacy = true,
};

struct virtio_device *virtio_pci_legacy_open(const struct pci_device *device)
{
    struct virtio_legacy *legacy =
        virtio_pci_page(device, &legacy_ops, read_reason);

    if (!legacy)
        return NULL;
    if (pci_ports(&legacy->base.pci, BAR, &legacy->ports) &&
        legacy->ports.bytes >= REGISTERS_BYTES)
        return &legacy->base.device;
    page_free(legacy, 1, PAGE_DEVICE);
    return NULL;
}
