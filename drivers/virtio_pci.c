/*
 * drivers/virtio_pci.c - by which interface a virtio device on PCI is used.
 *
 * Source: virtio 1.2 4.1.2.
 */
#include "drivers/virtio_pci.h"

#include <string.h>

#include <linux/pci_regs.h>

#include "drivers/virtio_pci_parts.h"
#include "kernel/log.h"
#include "kernel/page.h"

enum {
    VENDOR_VIRTIO = 0x1af4,
    DEVICE_MODERN = 0x1040,       /* plus the type */
    DEVICE_TRANSITIONAL = 0x1000, /* the type is the subsystem's id */
    DEVICE_TRANSITIONAL_END = 0x103f
};

static bool is_transitional(const struct pci_device *device)
{
    return device->device_id >= DEVICE_TRANSITIONAL &&
           device->device_id <= DEVICE_TRANSITIONAL_END;
}

bool virtio_pci_is(const struct pci_device *device, unsigned type)
{
    if (device->vendor_id != VENDOR_VIRTIO)
        return false;
    if (is_transitional(device))
        return device->subsystem_id == type;
    return device->device_id == DEVICE_MODERN + type;
}

void *virtio_pci_page(const struct pci_device *pci,
                      const struct virtio_transport_ops *ops,
                      uint8_t (*reason)(struct virtio_device *device))
{
    struct virtio_pci_base *base = page_alloc(1, PAGE_DEVICE);

    if (!base)
        return NULL;
    memset(base, 0, PAGE_BYTES);
    base->pci = *pci;
    base->device.ops = ops;
    base->device.name = base->pci.name;
    base->irq.pci = &base->pci;
    base->irq.reason = reason;
    base->irq.device = &base->device;
    /* No line until somebody listens: it could not be silenced. */
    pci_command(&base->pci, PCI_COMMAND_INTX_DISABLE, PCI_COMMAND_MASTER);
    return base;
}

struct virtio_device *virtio_pci_open(const struct pci_device *pci,
                                      uint64_t off)
{
    struct virtio_device *device = NULL;

    if (!(off & VIRTIO_BIT(VIRTIO_F_VERSION_1)))
        device = virtio_pci_modern_open(pci);
    if (!device && is_transitional(pci))
        device = virtio_pci_legacy_open(pci);
    if (!device) {
        log_at(LOG_ERROR, "virtio", "%s: no usable virtio registers",
               pci->name);
        return NULL;
    }
    device->off = off;
    return device;
}

void virtio_pci_close(struct virtio_device *device)
{
    struct virtio_pci_base *base =
        CONTAINER_OF(device, struct virtio_pci_base, device);

    ASSERT(!base->irq.connected);
    pci_command(&base->pci, 0, PCI_COMMAND_MASTER);
    page_free(base, 1, PAGE_DEVICE);
}
