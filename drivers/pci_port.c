/*
 * drivers/pci_port.c - configuration space through ports 0xcf8 and 0xcfc.
 *
 * Two steps, address and data: not for interrupt handlers.
 * Source: PCI Local Bus 3.0 3.2.2.3.2 (configuration mechanism 1).
 */
#include "drivers/pci.h"
#include "kernel/port.h"

enum { PORT_ADDRESS = 0xcf8, PORT_DATA = 0xcfc };

static const uint32_t ADDRESS_ENABLE = 0x80000000;

static void select_register(uint16_t address, unsigned offset)
{
    port_write32(PORT_ADDRESS,
                 ADDRESS_ENABLE | (uint32_t)address << 8 | (offset & 0xfc));
}

static uint32_t port_access_read(const struct pci_access *access,
                                 uint16_t address, unsigned offset)
{
    (void)access;
    select_register(address, offset);
    return port_read32(PORT_DATA);
}

static void port_access_write(const struct pci_access *access, uint16_t address,
                              unsigned offset, uint32_t value)
{
    (void)access;
    select_register(address, offset);
    port_write32(PORT_DATA, value);
}

const struct pci_access pci_port_access = {
    .read = port_access_read,
    .write = port_access_write,
};
