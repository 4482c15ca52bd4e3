/*
 * drivers/virtio_pci_modern.c - the interface of virtio 1.x on PCI.
 *
 * Source: virtio 1.2 4.1.3 to 4.1.5.
 */
#include "drivers/virtio_pci_parts.h"

#include <linux/pci_regs.h>
#include <linux/virtio_pci.h>

#include "kernel/log.h"
#include "kernel/page.h"
#include "kernel/port.h"

enum {
    CAPABILITIES_MAX = 64,
    COMMON_BYTES = sizeof(struct virtio_pci_common_cfg),
    MAP_MAX = 65536 /* of a structure: some say their BAR is all theirs */
};

struct region {
    volatile uint8_t *at;
    uint32_t bytes;
};

struct virtio_pci {
    struct virtio_pci_base base; /* first: a device is a virtio_pci */
    struct region common, isr, notify, config;
    uint32_t notify_multiplier;
    volatile void *notify_at[VIRTIO_QUEUES_MAX];
};

_Static_assert(sizeof(struct virtio_pci) <= PAGE_BYTES, "a page each");

static struct virtio_pci *self(struct virtio_device *device)
{
    return CONTAINER_OF(device, struct virtio_pci, base.device);
}

/* --- registers ----------------------------------------------------------- */

static uint8_t pci_status(struct virtio_device *device)
{
    return mmio_read8(self(device)->common.at + VIRTIO_PCI_COMMON_STATUS);
}

static void pci_set_status(struct virtio_device *device, uint8_t status)
{
    mmio_write8(self(device)->common.at + VIRTIO_PCI_COMMON_STATUS, status);
}

static uint64_t pci_offered(struct virtio_device *device)
{
    volatile uint8_t *common = self(device)->common.at;
    uint64_t low, high;

    mmio_write32(common + VIRTIO_PCI_COMMON_DFSELECT, 0);
    low = mmio_read32(common + VIRTIO_PCI_COMMON_DF);
    mmio_write32(common + VIRTIO_PCI_COMMON_DFSELECT, 1);
    high = mmio_read32(common + VIRTIO_PCI_COMMON_DF);
    return high << 32 | low;
}

static void pci_accept(struct virtio_device *device, uint64_t features)
{
    volatile uint8_t *common = self(device)->common.at;

    mmio_write32(common + VIRTIO_PCI_COMMON_GFSELECT, 0);
    mmio_write32(common + VIRTIO_PCI_COMMON_GF, (uint32_t)features);
    mmio_write32(common + VIRTIO_PCI_COMMON_GFSELECT, 1);
    mmio_write32(common + VIRTIO_PCI_COMMON_GF, (uint32_t)(features >> 32));
}

static uint32_t pci_config_read(struct virtio_device *device, unsigned offset,
                                unsigned bytes)
{
    const struct region *config = &self(device)->config;

    ASSERT(bytes == 1 || bytes == 2 || bytes == 4);
    if (offset > config->bytes || bytes > config->bytes - offset)
        return UINT32_MAX;
    if (bytes == 1)
        return mmio_read8(config->at + offset);
    if (bytes == 2)
        return mmio_read16(config->at + offset);
    return mmio_read32(config->at + offset);
}

static uint8_t pci_config_generation(struct virtio_device *device)
{
    return mmio_read8(self(device)->common.at +
                      VIRTIO_PCI_COMMON_CFGGENERATION);
}

/* --- queues -------------------------------------------------------------- */

static void pci_notify(struct virtio_device *device, unsigned index)
{
    mmio_write16(self(device)->notify_at[index], (uint16_t)index);
}

static bool queue_select(struct virtio_pci *pci, unsigned index)
{
    volatile uint8_t *common = pci->common.at;

    if (index >= VIRTIO_QUEUES_MAX ||
        index >= mmio_read16(common + VIRTIO_PCI_COMMON_NUMQ))
        return false;
    mmio_write16(common + VIRTIO_PCI_COMMON_Q_SELECT, (uint16_t)index);
    return true;
}

static unsigned pci_queue_size(struct virtio_device *device, unsigned index)
{
    struct virtio_pci *pci = self(device);

    if (!queue_select(pci, index))
        return 0;
    return mmio_read16(pci->common.at + VIRTIO_PCI_COMMON_Q_SIZE);
}

/* The low half first; 64-bit registers are written as two of 32. */
static void write_address(volatile uint8_t *at, const volatile void *memory)
{
    uint64_t address = (uintptr_t)memory;

    mmio_write32(at, (uint32_t)address);
    mmio_write32(at + 4, (uint32_t)(address >> 32));
}

/* Where the selected queue is notified: within the structure, or nowhere. */
static bool notify_find(struct virtio_pci *pci, unsigned index)
{
    uint64_t offset =
        (uint64_t)mmio_read16(pci->common.at + VIRTIO_PCI_COMMON_Q_NOFF) *
        pci->notify_multiplier;

    if (offset + sizeof(uint16_t) > pci->notify.bytes || (offset & 1)) {
        log_at(LOG_ERROR, "virtio", "%s: queue %u is notified outside",
               pci->base.pci.name, index);
        return false;
    }
    pci->notify_at[index] = pci->notify.at + offset;
    return true;
}

/* Name the MSI-X entry, and see that the device takes it: virtio 1.2
 * 4.1.5.1.2. */
static bool entry_set(struct virtio_pci *pci, unsigned reg, uint16_t entry)
{
    mmio_write16(pci->common.at + reg, entry);
    return mmio_read16(pci->common.at + reg) == entry;
}

static bool pci_queue_enable(struct virtio_device *device, unsigned index,
                             const struct virtq *queue)
{
    struct virtio_pci *pci = self(device);
    volatile uint8_t *common = pci->common.at;
    uint16_t entry;

    if (!queue_select(pci, index) || !notify_find(pci, index))
        return false;
    mmio_write16(common + VIRTIO_PCI_COMMON_Q_SIZE, queue->size);
    if (mmio_read16(common + VIRTIO_PCI_COMMON_Q_SIZE) != queue->size)
        return false;
    write_address(common + VIRTIO_PCI_COMMON_Q_DESCLO, queue->ring.desc);
    write_address(common + VIRTIO_PCI_COMMON_Q_AVAILLO, queue->ring.avail);
    write_address(common + VIRTIO_PCI_COMMON_Q_USEDLO, queue->ring.used);
    entry = virtio_irq_entry(&pci->base.irq, index);
    if (entry != VIRTIO_MSI_NO_VECTOR &&
        !entry_set(pci, VIRTIO_PCI_COMMON_Q_MSIX, entry))
        (void)virtio_irq_line(&pci->base.irq);
    mmio_write16(common + VIRTIO_PCI_COMMON_Q_ENABLE, 1);
    /* Not before: until it was reset, it knew only rings of the firmware. */
    pci_command(&pci->base.pci, PCI_COMMAND_MASTER, 0);
    return true;
}

/* --- interrupts ---------------------------------------------------------- */

/* Reading it acknowledges the line. */
static uint8_t read_reason(struct virtio_device *device)
{
    return mmio_read8(self(device)->isr.at);
}

static bool pci_interrupts_on(struct virtio_device *device,
                              const struct virtio_interrupts *interrupts)
{
    struct virtio_pci *pci = self(device);
    bool on = virtio_irq_on(&pci->base.irq, interrupts);

    if (pci->base.irq.entries > 0 &&
        !entry_set(pci, VIRTIO_PCI_COMMON_MSIX, VIRTIO_IRQ_CONFIG))
        return virtio_irq_line(&pci->base.irq);
    return on;
}

static void pci_interrupts_mask(struct virtio_device *device, bool masked)
{
    virtio_irq_mask(&self(device)->base.irq, masked);
}

static const struct virtio_transport_ops pci_ops = {
    .status = pci_status,
    .set_status = pci_set_status,
    .offered = pci_offered,
    .accept = pci_accept,
    .config_read = pci_config_read,
    .config_generation = pci_config_generation,
    .queue_size = pci_queue_size,
    .queue_enable = pci_queue_enable,
    .notify = pci_notify,
    .interrupts_on = pci_interrupts_on,
    .interrupts_mask = pci_interrupts_mask,
    .legacy = false,
};

/* --- finding the structures ---------------------------------------------- */

/*
 * Map the structure that the capability at `at` describes, unless one of its
 * kind was usable before. `least` bytes are needed; one that is longer than
 * anybody needs is cut.
 */
static void region_map(const struct virtio_pci *pci, unsigned at,
                       uint32_t least, struct region *region)
{
    unsigned bar = pci_read8(&pci->base.pci, at + VIRTIO_PCI_CAP_BAR);
    uint32_t offset = pci_read32(&pci->base.pci, at + VIRTIO_PCI_CAP_OFFSET);
    uint32_t bytes = pci_read32(&pci->base.pci, at + VIRTIO_PCI_CAP_LENGTH);

    if (region->at || bytes < least)
        return;
    if (bytes > MAP_MAX)
        bytes = MAP_MAX;
    region->at = pci_map(&pci->base.pci, bar, offset, bytes);
    region->bytes = region->at ? bytes : 0;
}

static void capability_read(struct virtio_pci *pci, unsigned at)
{
    unsigned length = pci_read8(&pci->base.pci, at + VIRTIO_PCI_CAP_LEN);

    if (length < sizeof(struct virtio_pci_cap) ||
        at + length > PCI_CFG_SPACE_SIZE)
        return;
    switch (pci_read8(&pci->base.pci, at + VIRTIO_PCI_CAP_CFG_TYPE)) {
    case VIRTIO_PCI_CAP_COMMON_CFG:
        region_map(pci, at, COMMON_BYTES, &pci->common);
        break;
    case VIRTIO_PCI_CAP_ISR_CFG:
        region_map(pci, at, 1, &pci->isr);
        break;
    case VIRTIO_PCI_CAP_DEVICE_CFG:
        region_map(pci, at, 1, &pci->config);
        break;
    case VIRTIO_PCI_CAP_NOTIFY_CFG:
        if (pci->notify.at || length < sizeof(struct virtio_pci_notify_cap))
            break;
        region_map(pci, at, sizeof(uint16_t), &pci->notify);
        pci->notify_multiplier =
            pci_read32(&pci->base.pci, at + VIRTIO_PCI_NOTIFY_CAP_MULT);
        break;
    default: /* reserved, or not for us: virtio 1.2 4.1.4.2 */
        break;
    }
}

/* The first usable structure of each kind. The device's own configuration may
 * be missing: an entropy device has none. */
static bool structures_find(struct virtio_pci *pci)
{
    unsigned at = 0;

    for (unsigned i = 0; i < CAPABILITIES_MAX; i++) {
        at = pci_capability(&pci->base.pci, PCI_CAP_ID_VNDR, at);
        if (at == 0)
            break;
        capability_read(pci, at);
    }
    return pci->common.at && pci->isr.at && pci->notify.at;
}

struct virtio_device *virtio_pci_modern_open(const struct pci_device *device)
{
    struct virtio_pci *pci = virtio_pci_page(device, &pci_ops, read_reason);

    if (!pci)
        return NULL;
    if (structures_find(pci))
        return &pci->base.device;
    page_free(pci, 1, PAGE_DEVICE);
    return NULL;
}
