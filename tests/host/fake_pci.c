/*
 * tests/host/fake_pci.c - PCI functions that a test plays, and their machine.
 */
#include "tests/host/fake_pci.h"

#include <string.h>

#include <linux/pci_regs.h>
#include <linux/virtio_pci.h>

#include "kernel/paging.h"

struct fake_pci fake_pci;

static struct fake_function *find(uint16_t address)
{
    for (size_t i = 0; i < fake_pci.count; i++)
        if (fake_pci.function[i].address == address)
            return &fake_pci.function[i];
    return NULL;
}

static uint32_t access_read(const struct pci_access *access, uint16_t address,
                            unsigned offset)
{
    struct fake_function *function = find(address);
    uint32_t value;

    ASSERT(access == &fake_pci.access && offset % 4 == 0 && offset < 256);
    fake_pci.reads++;
    if (!function)
        return UINT32_MAX;
    memcpy(&value, function->space + offset, 4);
    return value;
}

static void access_write(const struct pci_access *access, uint16_t address,
                         unsigned offset, uint32_t value)
{
    struct fake_function *function = find(address);
    uint32_t before = access_read(access, address, offset);
    unsigned bar = (offset - PCI_BASE_ADDRESS_0) / 4;

    ASSERT(function);
    if (offset >= PCI_BASE_ADDRESS_0 && bar < 6) {
        uint32_t can = function->writable[bar];

        /* Addresses are decoded while they are probed: a real machine would
         * see memory vanish. */
        ASSERT(value != UINT32_MAX ||
               !(function->space[PCI_COMMAND] & PCI_COMMAND_MEMORY));
        value = (value & can) | (before & ~can);
    } else if (offset == PCI_COMMAND) {
        value =
            (value & 0xffff) | (before & ~(value & 0xffff0000) & 0xffff0000);
    }
    memcpy(function->space + offset, &value, 4);
}

static uint8_t *port_at(uint16_t port, unsigned bytes)
{
    ASSERT(port >= FAKE_PORT_BASE &&
           port + bytes <= (unsigned)FAKE_PORT_BASE + FAKE_PORTS);
    ASSERT(bytes == 1 || bytes == 2 || bytes == 4);
    return fake_pci.port + (port - FAKE_PORT_BASE);
}

static uint32_t port_read(const struct pci_access *access, uint16_t port,
                          unsigned bytes)
{
    uint32_t value = 0;

    ASSERT(access == &fake_pci.access);
    memcpy(&value, port_at(port, bytes), bytes);
    return value;
}

static void port_write(const struct pci_access *access, uint16_t port,
                       unsigned bytes, uint32_t value)
{
    ASSERT(access == &fake_pci.access);
    memcpy(port_at(port, bytes), &value, bytes);
}

void fake_pci_init(void)
{
    memset(&fake_pci, 0, sizeof(fake_pci));
    fake_pci.access = (struct pci_access){.read = access_read,
                                          .write = access_write,
                                          .port_read = port_read,
                                          .port_write = port_write};
    fake_pci.vectors_max = FAKE_VECTORS_MAX;
    fake_pci.line_vector = -1;
}

void fake_set8(struct fake_function *function, unsigned offset, uint8_t value)
{
    function->space[offset] = value;
}

void fake_set16(struct fake_function *function, unsigned offset, uint16_t value)
{
    memcpy(function->space + offset, &value, 2);
}

void fake_set32(struct fake_function *function, unsigned offset, uint32_t value)
{
    memcpy(function->space + offset, &value, 4);
}

struct fake_function *fake_pci_add(uint16_t address, uint16_t vendor,
                                   uint16_t device, uint32_t class_code)
{
    struct fake_function *function = &fake_pci.function[fake_pci.count++];

    ASSERT(fake_pci.count <= FAKE_FUNCTIONS_MAX);
    function->address = address;
    fake_set16(function, PCI_VENDOR_ID, vendor);
    fake_set16(function, PCI_DEVICE_ID, device);
    fake_set32(function, PCI_CLASS_REVISION, class_code << 8 | 1);
    return function;
}

void fake_set_bar(struct fake_function *function, unsigned index, bool wide,
                  uint64_t base, uint64_t bytes)
{
    unsigned offset = PCI_BASE_ADDRESS_0 + 4 * index;

    fake_set32(function, offset,
               (uint32_t)base | (wide ? PCI_BASE_ADDRESS_MEM_TYPE_64 : 0));
    function->writable[index] = (uint32_t)-bytes & 0xfffffff0;
    if (!wide)
        return;
    fake_set32(function, offset + 4, (uint32_t)(base >> 32));
    function->writable[index + 1] = (uint32_t)(-bytes >> 32);
}

void fake_set_ports(struct fake_function *function, unsigned index,
                    uint16_t base, unsigned count)
{
    fake_set32(function, PCI_BASE_ADDRESS_0 + 4 * index,
               base | PCI_BASE_ADDRESS_SPACE_IO);
    function->writable[index] = -count & 0xfffffffc;
}

void fake_virtio_cap(struct fake_function *function, unsigned at, unsigned next,
                     uint8_t type, uint8_t bar, uint32_t offset,
                     uint32_t length)
{
    fake_set8(function, at, PCI_CAP_ID_VNDR);
    fake_set8(function, at + VIRTIO_PCI_CAP_NEXT, (uint8_t)next);
    fake_set8(function, at + VIRTIO_PCI_CAP_LEN,
              type == VIRTIO_PCI_CAP_NOTIFY_CFG ? 20 : 16);
    fake_set8(function, at + VIRTIO_PCI_CAP_CFG_TYPE, type);
    fake_set8(function, at + VIRTIO_PCI_CAP_BAR, bar);
    fake_set32(function, at + VIRTIO_PCI_CAP_OFFSET, offset);
    fake_set32(function, at + VIRTIO_PCI_CAP_LENGTH, length);
}

/* --- the machine ---------------------------------------------------------- */

void *paging_map_device(uint64_t phys, size_t bytes)
{
    if (phys < FAKE_BAR_BASE || phys - FAKE_BAR_BASE > FAKE_BAR_BYTES ||
        bytes > FAKE_BAR_BYTES - (phys - FAKE_BAR_BASE))
        return NULL;
    return fake_pci.bar + (phys - FAKE_BAR_BASE);
}

int interrupt_alloc(interrupt_fn *handler, void *arg)
{
    if (fake_pci.vectors >= fake_pci.vectors_max)
        return -1;
    fake_pci.handler[fake_pci.vectors] = handler;
    fake_pci.arg[fake_pci.vectors] = arg;
    return FAKE_VECTOR_FIRST + fake_pci.vectors++;
}

void interrupt_msi_message(int vector, uint64_t *address, uint32_t *data)
{
    *address = 0xfee00000;
    *data = (uint32_t)vector;
}

bool interrupt_route_line(unsigned irq_line, int vector)
{
    ASSERT(irq_line > 0 && irq_line < 255);
    if (fake_pci.no_line)
        return false;
    fake_pci.line_vector = vector;
    return true;
}

void interrupt_mask_line(unsigned irq_line, bool masked)
{
    ASSERT(irq_line > 0 && irq_line < 255);
    fake_pci.line_masked = masked;
}
