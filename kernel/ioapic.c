/*
 * kernel/ioapic.c - lines of devices that know no message interrupts.
 */
#include "kernel/ioapic.h"

#include "kernel/paging.h"
#include "kernel/port.h"

enum {
    SELECT = 0x00,
    WINDOW = 0x10,
    WINDOW_BYTES = 0x20,
    REGISTER_VERSION = 1,
    REGISTER_ENTRIES = 0x10,
    ENTRY_ACTIVE_LOW = 1 << 13,
    ENTRY_LEVEL = 1 << 15,
    ENTRY_MASKED = 1 << 16
};

struct chip {
    uint8_t *registers;
    uint32_t first_input;
    uint32_t inputs;
};

static struct {
    struct chip chips[ACPI_IO_APICS_MAX];
    size_t count;
    struct acpi_line lines[ACPI_ISA_LINES];
} ioapic;

static uint32_t get(const struct chip *chip, uint32_t index)
{
    mmio_write32(chip->registers + SELECT, index);
    return mmio_read32(chip->registers + WINDOW);
}

static void set(const struct chip *chip, uint32_t index, uint32_t value)
{
    mmio_write32(chip->registers + SELECT, index);
    mmio_write32(chip->registers + WINDOW, value);
}

/* How a line behaves: as the tables say, else as PCI's lines do. */
static struct acpi_line line_of(unsigned irq_line)
{
    if (irq_line < ACPI_ISA_LINES && ioapic.lines[irq_line].given)
        return ioapic.lines[irq_line];
    return (struct acpi_line){
        .input = irq_line, .active_low = true, .level = true};
}

static const struct chip *chip_of(uint32_t input)
{
    for (size_t i = 0; i < ioapic.count; i++) {
        const struct chip *chip = &ioapic.chips[i];

        if (input >= chip->first_input &&
            input - chip->first_input < chip->inputs)
            return chip;
    }
    return NULL;
}

void ioapic_init(const struct acpi_facts *facts)
{
    for (size_t i = 0; i < ACPI_ISA_LINES; i++)
        ioapic.lines[i] = facts->lines[i];
    for (size_t i = 0; i < facts->io_apic_count; i++) {
        struct chip *chip = &ioapic.chips[ioapic.count];

        chip->registers =
            paging_map_device(facts->io_apics[i].address, WINDOW_BYTES);
        if (!chip->registers)
            continue;
        chip->first_input = facts->io_apics[i].first_input;
        chip->inputs = (get(chip, REGISTER_VERSION) >> 16 & 0xff) + 1;
        for (uint32_t input = 0; input < chip->inputs; input++)
            set(chip, REGISTER_ENTRIES + 2 * input, ENTRY_MASKED);
        ioapic.count++;
    }
}

bool ioapic_route(unsigned irq_line, uint8_t vector, uint32_t lapic)
{
    struct acpi_line line = line_of(irq_line);
    const struct chip *chip = chip_of(line.input);
    uint32_t index;

    if (!chip)
        return false;
    index = REGISTER_ENTRIES + 2 * (line.input - chip->first_input);
    set(chip, index + 1, lapic << 24);
    set(chip, index,
        vector | (line.active_low ? ENTRY_ACTIVE_LOW : 0u) |
            (line.level ? ENTRY_LEVEL : 0u));
    return true;
}

void ioapic_mask(unsigned irq_line, bool masked)
{
    struct acpi_line line = line_of(irq_line);
    const struct chip *chip = chip_of(line.input);
    uint32_t index;
    uint32_t entry;

    if (!chip)
        return;
    index = REGISTER_ENTRIES + 2 * (line.input - chip->first_input);
    entry = get(chip, index) & ~(uint32_t)ENTRY_MASKED;
    set(chip, index, entry | (masked ? ENTRY_MASKED : 0u));
}
