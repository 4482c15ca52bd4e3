/*
 * tests/host/fake_pci.h - PCI functions that a test plays, their memory, and
 * kernel/paging.h and kernel/interrupt.h as far as drivers need them.
 *
 * Registers behind a BAR are plain memory, and so are ports: they keep what is
 * written.
 */
#ifndef TESTS_HOST_FAKE_PCI_H
#define TESTS_HOST_FAKE_PCI_H

#include "drivers/pci.h"
#include "kernel/interrupt.h"

enum {
    FAKE_FUNCTIONS_MAX = 64,
    FAKE_BAR_BYTES = 65536,
    FAKE_PORT_BASE = 0xc000,
    FAKE_PORTS = 256,
    FAKE_VECTORS_MAX = 8,
    FAKE_VECTOR_FIRST = 40
};

/* Where the memory behind BARs is, to the functions; above 4 GiB. */
#define FAKE_BAR_BASE UINT64_C(0x380000000000)

struct fake_function {
    uint16_t address;
    uint8_t space[256];
    uint32_t writable[6]; /* of the BARs: the bits that can be written */
};

struct fake_pci {
    struct pci_access access;
    struct fake_function function[FAKE_FUNCTIONS_MAX];
    size_t count;
    unsigned reads;

    /* The machine. */
    uint8_t bar[FAKE_BAR_BYTES]; /* at FAKE_BAR_BASE */
    uint8_t port[FAKE_PORTS];    /* from FAKE_PORT_BASE */
    interrupt_fn *handler[FAKE_VECTORS_MAX];
    void *arg[FAKE_VECTORS_MAX];
    int vectors;     /* taken */
    int vectors_max; /* knob; FAKE_VECTORS_MAX at first */
    bool no_line;    /* knob: interrupt_route_line() fails */
    int line_vector; /* -1: none routed */
    bool line_masked;
};

extern struct fake_pci fake_pci;

/* No function, nothing taken. */
void fake_pci_init(void);

/* A function with ids and class, without BARs and capabilities. */
struct fake_function *fake_pci_add(uint16_t address, uint16_t vendor,
                                   uint16_t device, uint32_t class_code);

void fake_set8(struct fake_function *function, unsigned offset, uint8_t value);
void fake_set16(struct fake_function *function, unsigned offset,
                uint16_t value);
void fake_set32(struct fake_function *function, unsigned offset,
                uint32_t value);

/* A memory BAR of `bytes`, a power of two, at `base`. */
void fake_set_bar(struct fake_function *function, unsigned index, bool wide,
                  uint64_t base, uint64_t bytes);

/* A BAR of `count` ports, a power of two, at `base`. */
void fake_set_ports(struct fake_function *function, unsigned index,
                    uint16_t base, unsigned count);

/* One more virtio capability at `at`, linked to the next at `next`. */
void fake_virtio_cap(struct fake_function *function, unsigned at, unsigned next,
                     uint8_t type, uint8_t bar, uint32_t offset,
                     uint32_t length);

#endif
