/*
 * drivers/pci.c - PCI functions, their capabilities, BARs and MSI-X tables.
 *
 * Source: PCI Local Bus 3.0 6.1 to 6.8; PCI-to-PCI Bridge 1.2 3.2.5.
 */
#include "drivers/pci.h"

#include <linux/pci.h>
#include <linux/pci_regs.h>

#include "kernel/log.h"
#include "kernel/paging.h"
#include "kernel/port.h"

enum {
    BUSES = 256,
    SLOTS = 32,
    FUNCTIONS = 8,
    SPACE_BYTES = 256,
    /* Capabilities begin after the header and have 4 bytes at least. */
    CAPABILITIES_MAX = (SPACE_BYTES - PCI_STD_HEADER_SIZEOF) / 4,
    VENDOR_NONE = 0xffff,
    HEADER_MULTIFUNCTION = 0x80 /* of the header type */
};

uint32_t pci_read32(const struct pci_device *device, unsigned offset)
{
    return device->access->read(device->access, device->address, offset);
}

void pci_write32(const struct pci_device *device, unsigned offset,
                 uint32_t value)
{
    device->access->write(device->access, device->address, offset, value);
}

uint16_t pci_read16(const struct pci_device *device, unsigned offset)
{
    return (uint16_t)(pci_read32(device, offset & ~3u) >> (offset & 2) * 8);
}

uint8_t pci_read8(const struct pci_device *device, unsigned offset)
{
    return (uint8_t)(pci_read32(device, offset & ~3u) >> (offset & 3) * 8);
}

void pci_command(const struct pci_device *device, uint16_t set, uint16_t clear)
{
    uint32_t command = pci_read16(device, PCI_COMMAND);

    /* The upper half is the status, whose bits are cleared by writing ones. */
    pci_write32(device, PCI_COMMAND, (command | set) & ~(uint32_t)clear);
}

/* --- finding functions --------------------------------------------------- */

static char hex_digit(unsigned value)
{
    return "0123456789abcdef"[value & 15];
}

/* "00:03.0", as lspci writes it. */
static void name_set(struct pci_device *device)
{
    unsigned bus = device->address >> 8;
    unsigned slot = PCI_SLOT(device->address);
    char *name = device->name;

    name[0] = hex_digit(bus >> 4);
    name[1] = hex_digit(bus);
    name[2] = ':';
    name[3] = hex_digit(slot >> 4);
    name[4] = hex_digit(slot);
    name[5] = '.';
    name[6] = hex_digit(PCI_FUNC(device->address));
    name[7] = '\0';
}

/* Fill in `device` from its registers. False when nobody is there. */
static bool function_read(const struct pci_access *access, uint16_t address,
                          struct pci_device *device)
{
    uint32_t word;

    *device = (struct pci_device){.access = access, .address = address};
    device->vendor_id = pci_read16(device, PCI_VENDOR_ID);
    if (device->vendor_id == VENDOR_NONE || device->vendor_id == 0)
        return false;
    device->device_id = pci_read16(device, PCI_DEVICE_ID);
    word = pci_read32(device, PCI_CLASS_REVISION);
    device->revision = (uint8_t)word;
    device->class_code = word >> 8;
    device->subsystem_id = pci_read16(device, PCI_SUBSYSTEM_ID);
    device->irq_line = pci_read8(device, PCI_INTERRUPT_LINE);
    name_set(device);
    return true;
}

struct scan {
    const struct pci_access *access;
    struct pci_device *found;
    size_t count, max, left_out;
    bool known[BUSES]; /* some bridge, or the machine, has such a bus */
};

/* Keep what is there, and remember the bus behind a bridge. */
static void function_found(struct scan *scan, const struct pci_device *device,
                           unsigned type)
{
    if (type == PCI_HEADER_TYPE_BRIDGE)
        scan->known[pci_read8(device, PCI_SECONDARY_BUS)] = true;
    if (scan->count < scan->max)
        scan->found[scan->count++] = *device;
    else
        scan->left_out++;
}

static void slot_scan(struct scan *scan, unsigned bus, unsigned slot)
{
    unsigned functions = 1;

    for (unsigned function = 0; function < functions; function++) {
        uint16_t address = (uint16_t)(bus << 8 | PCI_DEVFN(slot, function));
        struct pci_device device;
        unsigned type;

        if (!function_read(scan->access, address, &device))
            continue;
        type = pci_read8(&device, PCI_HEADER_TYPE);
        if (function == 0 && (type & HEADER_MULTIFUNCTION))
            functions = FUNCTIONS;
        function_found(scan, &device, type & PCI_HEADER_TYPE_MASK);
    }
}

size_t pci_scan(const struct pci_access *access, struct pci_device *found,
                size_t max)
{
    struct scan scan = {.access = access, .found = found, .max = max};
    bool done[BUSES] = {false};
    bool again = true;

    scan.known[0] = true;
    for (unsigned round = 0; again && round < BUSES; round++) {
        again = false;
        for (unsigned bus = 0; bus < BUSES; bus++) {
            if (!scan.known[bus] || done[bus])
                continue;
            done[bus] = true;
            again = true;
            for (unsigned slot = 0; slot < SLOTS; slot++)
                slot_scan(&scan, bus, slot);
        }
    }
    if (scan.left_out > 0)
        log_at(LOG_WARNING, "pci", "%u functions more than are looked at",
               (unsigned)scan.left_out);
    return scan.count;
}

/* --- capabilities -------------------------------------------------------- */

unsigned pci_capability(const struct pci_device *device, unsigned id,
                        unsigned after)
{
    bool seen = after == 0;
    unsigned at;

    if (!(pci_read16(device, PCI_STATUS) & PCI_STATUS_CAP_LIST))
        return 0;
    at = pci_read8(device, PCI_CAPABILITY_LIST) & ~3u;
    for (unsigned i = 0; i < CAPABILITIES_MAX; i++) {
        if (at < PCI_STD_HEADER_SIZEOF)
            return 0;
        if (seen && pci_read8(device, at + PCI_CAP_LIST_ID) == id)
            return at;
        seen = seen || at == after;
        at = pci_read8(device, at + PCI_CAP_LIST_NEXT) & ~3u;
    }
    return 0;
}

/* --- BARs ---------------------------------------------------------------- */

/* Write all ones, read back, restore. */
static uint32_t bar_probe(const struct pci_device *device, unsigned offset)
{
    uint32_t before = pci_read32(device, offset);
    uint32_t probed;

    pci_write32(device, offset, UINT32_MAX);
    probed = pci_read32(device, offset);
    pci_write32(device, offset, before);
    return probed;
}

/* Whether register `index` is the upper half of the BAR before it. */
static bool is_upper_half(const struct pci_device *device, unsigned index)
{
    bool upper = false;

    for (unsigned i = 0; i < index; i++) {
        uint32_t low = pci_read32(device, PCI_BASE_ADDRESS_0 + 4 * i);

        upper = !upper && !(low & PCI_BASE_ADDRESS_SPACE_IO) &&
                (low & PCI_BASE_ADDRESS_MEM_TYPE_MASK) ==
                    PCI_BASE_ADDRESS_MEM_TYPE_64;
    }
    return upper;
}

/* How many bytes, by the bits that cannot be written. 0: not a BAR. */
static uint64_t bar_size(const struct pci_device *device, unsigned offset,
                         bool wide)
{
    uint64_t mask;

    pci_command(device, 0, PCI_COMMAND_MEMORY | PCI_COMMAND_IO);
    mask = bar_probe(device, offset) & (uint32_t)PCI_BASE_ADDRESS_MEM_MASK;
    if (wide)
        mask |= (uint64_t)bar_probe(device, offset + 4) << 32;
    else if (mask != 0)
        mask |= UINT64_C(0xffffffff) << 32;
    return -mask;
}

enum pci_bar_status pci_bar_get(const struct pci_device *device, unsigned index,
                                struct pci_bar *bar)
{
    unsigned offset = PCI_BASE_ADDRESS_0 + 4 * index;
    uint16_t command = pci_read16(device, PCI_COMMAND);
    uint32_t low, type;
    bool wide;

    if (index >= PCI_STD_NUM_BARS || is_upper_half(device, index))
        return PCI_BAR_NONE;
    low = pci_read32(device, offset);
    if (low & PCI_BASE_ADDRESS_SPACE_IO)
        return PCI_BAR_IO;
    type = low & PCI_BASE_ADDRESS_MEM_TYPE_MASK;
    wide = type == PCI_BASE_ADDRESS_MEM_TYPE_64;
    if ((type != PCI_BASE_ADDRESS_MEM_TYPE_32 && !wide) ||
        (wide && index + 1 == PCI_STD_NUM_BARS))
        return PCI_BAR_BAD;

    bar->base = low & (uint32_t)PCI_BASE_ADDRESS_MEM_MASK;
    if (wide)
        bar->base |= (uint64_t)pci_read32(device, offset + 4) << 32;
    bar->bytes = bar_size(device, offset, wide);
    pci_command(device, command, 0);

    if (bar->bytes == 0)
        return PCI_BAR_NONE;
    if (bar->base == 0)
        return PCI_BAR_UNASSIGNED;
    /* A size is a power of two, and the address a multiple of it. */
    if ((bar->bytes & (bar->bytes - 1)) || (bar->base & (bar->bytes - 1)))
        return PCI_BAR_BAD;
    return PCI_BAR_OK;
}

volatile void *pci_map(const struct pci_device *device, unsigned index,
                       uint64_t offset, uint64_t bytes)
{
    struct pci_bar bar;

    if (pci_bar_get(device, index, &bar) != PCI_BAR_OK)
        return NULL;
    if (bytes == 0 || offset > bar.bytes || bytes > bar.bytes - offset)
        return NULL;
    pci_command(device, PCI_COMMAND_MEMORY, 0);
    return paging_map_device(bar.base + offset, bytes);
}

bool pci_ports(const struct pci_device *device, unsigned index,
               struct pci_bar *ports)
{
    unsigned offset = PCI_BASE_ADDRESS_0 + 4 * index;
    uint16_t command = pci_read16(device, PCI_COMMAND);
    uint32_t base, probed;

    if (index >= PCI_STD_NUM_BARS || is_upper_half(device, index))
        return false;
    base = pci_read32(device, offset);
    if (!(base & PCI_BASE_ADDRESS_SPACE_IO))
        return false;
    pci_command(device, 0, PCI_COMMAND_MEMORY | PCI_COMMAND_IO);
    probed = bar_probe(device, offset);
    pci_command(device, command, 0);

    ports->base = base & (uint32_t)PCI_BASE_ADDRESS_IO_MASK;
    /* Some decode 16 bits only: a PC has no more ports. */
    ports->bytes = -(probed & (uint32_t)PCI_BASE_ADDRESS_IO_MASK) & UINT16_MAX;
    if (ports->base == 0 || ports->base > UINT16_MAX || ports->bytes == 0 ||
        (ports->bytes & (ports->bytes - 1)) ||
        (ports->base & (ports->bytes - 1)))
        return false;
    pci_command(device, PCI_COMMAND_IO, 0);
    return true;
}

/* --- MSI-X ---------------------------------------------------------------- */

bool pci_msix_open(const struct pci_device *device, unsigned wanted,
                   struct pci_msix *msix)
{
    unsigned at = pci_capability(device, PCI_CAP_ID_MSIX, 0);
    uint32_t where;

    *msix = (struct pci_msix){0};
    if (at == 0 || at + PCI_CAP_MSIX_SIZEOF > SPACE_BYTES)
        return false;
    msix->entries =
        (pci_read16(device, at + PCI_MSIX_FLAGS) & PCI_MSIX_FLAGS_QSIZE) + 1u;
    if (msix->entries < wanted)
        return false;
    where = pci_read32(device, at + PCI_MSIX_TABLE);
    msix->table =
        pci_map(device, where & PCI_MSIX_TABLE_BIR,
                where & PCI_MSIX_TABLE_OFFSET, wanted * PCI_MSIX_ENTRY_SIZE);
    if (!msix->table)
        return false;
    msix->capability = at;
    msix->mapped = wanted;
    for (unsigned i = 0; i < wanted; i++)
        pci_msix_mask(msix, i, true);
    return true;
}

static volatile uint8_t *msix_entry(const struct pci_msix *msix, unsigned entry)
{
    ASSERT(entry < msix->mapped);
    return msix->table + entry * PCI_MSIX_ENTRY_SIZE;
}

void pci_msix_set(const struct pci_msix *msix, unsigned entry, uint64_t address,
                  uint32_t data)
{
    volatile uint8_t *at = msix_entry(msix, entry);

    mmio_write32(at + PCI_MSIX_ENTRY_LOWER_ADDR, (uint32_t)address);
    mmio_write32(at + PCI_MSIX_ENTRY_UPPER_ADDR, (uint32_t)(address >> 32));
    mmio_write32(at + PCI_MSIX_ENTRY_DATA, data);
    pci_msix_mask(msix, entry, false);
}

void pci_msix_mask(const struct pci_msix *msix, unsigned entry, bool masked)
{
    mmio_write32(msix_entry(msix, entry) + PCI_MSIX_ENTRY_VECTOR_CTRL,
                 masked ? PCI_MSIX_ENTRY_CTRL_MASKBIT : 0);
}

void pci_msix_enable(const struct pci_device *device,
                     const struct pci_msix *msix, bool on)
{
    uint32_t word = pci_read32(device, msix->capability);
    uint32_t enable = (uint32_t)PCI_MSIX_FLAGS_ENABLE << 16;
    uint32_t mask_all = (uint32_t)PCI_MSIX_FLAGS_MASKALL << 16;

    word &= ~(enable | mask_all);
    pci_write32(device, msix->capability, on ? word | enable : word);
    pci_command(device, on ? PCI_COMMAND_INTX_DISABLE : 0,
                on ? 0 : PCI_COMMAND_INTX_DISABLE);
}
