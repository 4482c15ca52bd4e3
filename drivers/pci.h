/*
 * drivers/pci.h - PCI functions, their capabilities, BARs and MSI-X tables.
 *
 * Configuration space is reached through struct pci_access, so a test plays a
 * bus with an array. What a device says of itself is checked: capability lists
 * may loop, BARs may be unassigned, structures may lie outside of them.
 * Does not: assign addresses or bus numbers (firmware has done so).
 * Source: PCI Local Bus 3.0 6.1 to 6.8; register layout as <linux/pci_regs.h>.
 */
#ifndef DRIVERS_PCI_H
#define DRIVERS_PCI_H

#include "kernel/base.h"

/* How to reach configuration space, 32 bits at a time, and I/O ports. */
struct pci_access {
    /* address: bus, device and function as in pci_device.address.
     * offset: a multiple of 4, below 256. All ones: nobody there. */
    uint32_t (*read)(const struct pci_access *access, uint16_t address,
                     unsigned offset);
    void (*write)(const struct pci_access *access, uint16_t address,
                  unsigned offset, uint32_t value);
    /* A port of 1, 2 or 4 `bytes`. */
    uint32_t (*port_read)(const struct pci_access *access, uint16_t port,
                          unsigned bytes);
    void (*port_write)(const struct pci_access *access, uint16_t port,
                       unsigned bytes, uint32_t value);
};

/* The machine's own, through ports 0xcf8 and 0xcfc (drivers/pci_port.c). */
extern const struct pci_access pci_port_access;

enum {
    PCI_FOUND_MAX = 64, /* functions that a scan keeps; enough for a guest */
    PCI_NAME_BYTES = 8  /* "00:03.0" */
};

/* One function. */
struct pci_device {
    const struct pci_access *access;
    uint16_t address; /* bus << 8 | device << 3 | function */
    uint16_t vendor_id;
    uint16_t device_id;
    uint16_t subsystem_id;
    uint32_t class_code; /* class << 16 | subclass << 8 | interface */
    uint8_t revision;
    uint8_t irq_line; /* as firmware left it; 0 or 255: none */
    char name[PCI_NAME_BYTES];
};

/*
 * Find the functions of every bus that can be reached from bus 0.
 *
 * found:   filled with up to `max` functions, bridges included.
 * Blocks:  never; at most 256 buses are looked at, each once.
 * Returns: how many were filled in; more than `max` are logged and left out.
 */
size_t pci_scan(const struct pci_access *access, struct pci_device *found,
                size_t max);

/* A register of the function's configuration space. Any offset below 256 that
 * is a multiple of the width. */
uint8_t pci_read8(const struct pci_device *device, unsigned offset);
uint16_t pci_read16(const struct pci_device *device, unsigned offset);
uint32_t pci_read32(const struct pci_device *device, unsigned offset);
void pci_write32(const struct pci_device *device, unsigned offset,
                 uint32_t value);

/*
 * Set and clear bits of the command register (PCI_COMMAND_*).
 */
void pci_command(const struct pci_device *device, uint16_t set, uint16_t clear);

/*
 * The next capability with `id` (PCI_CAP_ID_*).
 *
 * after:   where an earlier call found one; 0 for the first.
 * Returns: its offset, at least 64 and with its first 4 bytes within 256; 0
 *          when there is no other. Ends on a list that loops.
 */
unsigned pci_capability(const struct pci_device *device, unsigned id,
                        unsigned after);

enum pci_bar_status {
    PCI_BAR_OK,
    PCI_BAR_NONE,       /* not there, or the upper half of another */
    PCI_BAR_IO,         /* ports, not memory */
    PCI_BAR_UNASSIGNED, /* firmware gave it no address */
    PCI_BAR_BAD         /* a type or a size that cannot be */
};

struct pci_bar {
    uint64_t base;
    uint64_t bytes;
};

/*
 * Decode a memory BAR, and find its size by writing all ones to it. Decoding
 * is off meanwhile: not while a driver uses the device.
 *
 * index:   0 to 5; anything else is PCI_BAR_NONE.
 * bar:     set on PCI_BAR_OK.
 * Source:  PCI Local Bus 3.0 6.2.5.1.
 */
MUST_CHECK enum pci_bar_status pci_bar_get(const struct pci_device *device,
                                           unsigned index, struct pci_bar *bar);

/*
 * Map `bytes` at `offset` of a memory BAR.
 *
 * Returns: where the registers are; null when they do not lie within the BAR,
 *          or it is not one that pci_bar_get() likes.
 */
MUST_CHECK volatile void *pci_map(const struct pci_device *device,
                                  unsigned index, uint64_t offset,
                                  uint64_t bytes);

/*
 * Find the I/O ports of a BAR, and let the device decode them.
 *
 * ports:   set on success: the first, and how many, 1 or more.
 * Returns: false when the BAR is not of ports, or has no address.
 */
MUST_CHECK bool pci_ports(const struct pci_device *device, unsigned index,
                          struct pci_bar *ports);

/* The MSI-X table of a function. */
struct pci_msix {
    unsigned capability; /* its offset; 0: the function has none */
    unsigned entries;    /* 1 to 2048 */
    volatile uint8_t *table;
    unsigned mapped; /* entries that are mapped */
};

/*
 * Find and map the MSI-X table; every mapped entry is masked.
 *
 * wanted:  entries that are needed, 1 or more.
 * Returns: false when there is no table, or it has fewer entries.
 */
MUST_CHECK bool pci_msix_open(const struct pci_device *device, unsigned wanted,
                              struct pci_msix *msix);

/* Let entry `entry`, below `wanted`, send `data` to `address`; unmasks it. */
void pci_msix_set(const struct pci_msix *msix, unsigned entry, uint64_t address,
                  uint32_t data);

/* Mask or unmask one entry. One write: safe in an interrupt handler. */
void pci_msix_mask(const struct pci_msix *msix, unsigned entry, bool masked);

/* Switch between MSI-X (true) and the interrupt line. */
void pci_msix_enable(const struct pci_device *device,
                     const struct pci_msix *msix, bool on);

#endif
