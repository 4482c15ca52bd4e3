/*
 * drivers/pci_port.c - the machine's own ports and configuration space.
 *
 * Configuration takes two steps, address and data: not for interrupt handlers.
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

static uint32_t port_access_in(const struct pci_access *access, uint16_t port,
                               unsigned bytes)
{
    (void)access;
    if (bytes == 1)
        return port_read8(port);
    if (bytes == 2)
        return port_read16(port);
    return port_read32(port);
}

static void port_access_out(const struct pci_access *access, uint16_t port,
                            unsigned bytes, uint32_t value)
{
    (void)access;
    if (bytes == 1)
        port_write8(port, (uint8_t)value);
    else if (bytes == 2)
        port_write16(port, (uint16_t)value);
    else
        port_write32(port, value);
}

const struct pci_access pci_port_access = {
    .read = port_access_read,
    .write = port_access_write,
    .port_read = port_access_in,
    .port_write = port_access_out,
};
