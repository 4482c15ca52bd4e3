/*
 * drivers/virtio_irq.c - how a virtio device on PCI interrupts.
 *
 * Source: virtio 1.2 4.1.5.1.2, 4.1.5.3, 4.1.5.4.
 */
#include "drivers/virtio_irq.h"

#include <linux/pci_regs.h>
#include <linux/virtio_pci.h>

#include "kernel/clock.h"
#include "kernel/log.h"

enum {
    VIRTIO_PCI_ISR_QUEUE = 1, /* beside VIRTIO_PCI_ISR_CONFIG */
    ENTRY_QUEUES = 1,         /* of the first queue, or of all */
    ENTRIES_SHARED = 2,       /* one for all queues */
    LINE_NONE = 255,
    STORM_INTERRUPTS = 5000, /* without a reason, within STORM_US */
    STORM_US = 100000
};

/* Something may have come back in any queue. */
static void all_queues(void *arg)
{
    const struct virtio_irq *irq = arg;

    for (unsigned i = 0; i < VIRTIO_QUEUES_MAX; i++)
        if (irq->to.queue[i])
            irq->to.queue[i](irq->to.arg);
}

/* --- the line ------------------------------------------------------------- */

/*
 * The line was raised, and not by us. So many times so soon, and the machine
 * does nothing else any more: then the line is masked, and whoever is on it
 * has to be polled.
 */
static void line_strange(struct virtio_irq *irq)
{
    uint64_t now_us = clock_us();

    if (now_us - irq->strange_us > STORM_US) {
        irq->strange_us = now_us;
        irq->strange = 0;
    }
    if (++irq->strange == STORM_INTERRUPTS)
        interrupt_mask_line(irq->pci->irq_line, true);
}

static void line_handler(void *arg)
{
    struct virtio_irq *irq = arg;
    uint8_t reason = irq->reason(irq->device);

    if (irq->entries > 0)
        return;
    if (reason & VIRTIO_PCI_ISR_QUEUE)
        all_queues(irq);
    if (reason & VIRTIO_PCI_ISR_CONFIG)
        irq->to.config(irq->to.arg);
    if (!(reason & (VIRTIO_PCI_ISR_QUEUE | VIRTIO_PCI_ISR_CONFIG)))
        line_strange(irq);
}

bool virtio_irq_line(struct virtio_irq *irq)
{
    unsigned line = irq->pci->irq_line;
    int vector;

    if (irq->entries > 0) {
        log_at(LOG_WARNING, "virtio", "%s refuses MSI-X", irq->pci->name);
        pci_msix_enable(irq->pci, &irq->msix, false);
        irq->entries = 0;
    }
    if (irq->line_works) {
        interrupt_mask_line(line, false);
        return true;
    }
    if (line == 0 || line == LINE_NONE)
        return false;
    vector = interrupt_alloc(line_handler, irq);
    irq->line_works = vector >= 0 && interrupt_route_line(line, vector);
    if (irq->line_works)
        pci_command(irq->pci, 0, PCI_COMMAND_INTX_DISABLE);
    return irq->line_works;
}

/* --- MSI-X ---------------------------------------------------------------- */

/* Let an entry call `handler`. False: no vector is left. */
static bool entry_connect(struct virtio_irq *irq, unsigned entry,
                          interrupt_fn *handler, void *arg)
{
    int vector = interrupt_alloc(handler, arg);
    uint64_t address;
    uint32_t data;

    if (vector < 0)
        return false;
    interrupt_msi_message(vector, &address, &data);
    pci_msix_set(&irq->msix, entry, address, data);
    return true;
}

/* The entries after the configuration's: one for each queue, or for all. */
static bool queues_connect(struct virtio_irq *irq, unsigned entries)
{
    if (entries == ENTRIES_SHARED)
        return entry_connect(irq, ENTRY_QUEUES, all_queues, irq);
    for (unsigned i = 0; i < VIRTIO_QUEUES_MAX; i++)
        if (irq->to.queue[i] && !entry_connect(irq, ENTRY_QUEUES + i,
                                               irq->to.queue[i], irq->to.arg))
            return false;
    return true;
}

/* Fill in the MSI-X table, if it has so many entries. */
static bool msix_connect(struct virtio_irq *irq, unsigned entries)
{
    if (!pci_msix_open(irq->pci, entries, &irq->msix))
        return false;
    pci_msix_enable(irq->pci, &irq->msix, true);
    if (entry_connect(irq, VIRTIO_IRQ_CONFIG, irq->to.config, irq->to.arg) &&
        queues_connect(irq, entries)) {
        irq->entries = entries;
        return true;
    }
    pci_msix_enable(irq->pci, &irq->msix, false);
    return false;
}

/* As many entries as there are queues that interrupt: up to the last. */
static unsigned entries_wanted(const struct virtio_interrupts *to)
{
    unsigned last = 0;

    for (unsigned i = 0; i < VIRTIO_QUEUES_MAX; i++)
        if (to->queue[i])
            last = i;
    return ENTRY_QUEUES + last + 1;
}

uint16_t virtio_irq_entry(const struct virtio_irq *irq, unsigned queue)
{
    if (irq->entries == 0 || !irq->to.queue[queue])
        return VIRTIO_MSI_NO_VECTOR;
    if (irq->entries == ENTRIES_SHARED)
        return ENTRY_QUEUES;
    return (uint16_t)(ENTRY_QUEUES + queue);
}

bool virtio_irq_on(struct virtio_irq *irq, const struct virtio_interrupts *to)
{
    if (!irq->connected) {
        irq->to = *to;
        irq->connected = true;
        if (!(irq->device->off & VIRTIO_OFF_MSIX) &&
            !msix_connect(irq, entries_wanted(to)))
            (void)msix_connect(irq, ENTRIES_SHARED);
    }
    if (irq->entries == 0)
        return virtio_irq_line(irq);
    virtio_irq_mask(irq, false);
    return true;
}

void virtio_irq_mask(struct virtio_irq *irq, bool masked)
{
    if (irq->entries == 0) {
        if (irq->line_works)
            interrupt_mask_line(irq->pci->irq_line, masked);
        return;
    }
    pci_msix_mask(&irq->msix, VIRTIO_IRQ_CONFIG, masked);
    for (unsigned i = 0; i < VIRTIO_QUEUES_MAX; i++) {
        uint16_t entry = virtio_irq_entry(irq, i);

        if (entry != VIRTIO_MSI_NO_VECTOR)
            pci_msix_mask(&irq->msix, entry, masked);
    }
}
