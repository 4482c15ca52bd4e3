/*
 * kernel/acpi.c - the few facts that we want from ACPI's tables.
 */
#include "kernel/acpi.h"

enum {
    RSDP_BYTES_V1 = 20,
    RSDP_BYTES_V2 = 36,
    TABLE_HEADER_BYTES = 36,
    TABLE_BYTES_MAX = 1 << 20,
    TABLES_MAX = 64,
    EBDA_POINTER = 0x40e,
    EBDA_BYTES = 1024,
    BIOS_START = 0xe0000,
    BIOS_END = 0x100000,
    SPACE_MEMORY = 0,
    SPACE_PORT = 1
};

/* Byte offsets in the FADT (ACPI 6.4 table 5.9). */
enum {
    FADT_DSDT = 40,
    FADT_SCI = 46,
    FADT_SMI_COMMAND = 48,
    FADT_ACPI_ENABLE = 52,
    FADT_EVENT_A = 56,
    FADT_EVENT_B = 60,
    FADT_CONTROL_A = 64,
    FADT_CONTROL_B = 68,
    FADT_TIMER = 76,
    FADT_EVENT_BYTES = 88,
    FADT_FLAGS = 112,
    FADT_BYTES_V1 = 116,
    FADT_X_DSDT = 140,
    FADT_SLEEP_CONTROL = 244,
    FADT_BYTES_V5 = 256,
    FLAG_NO_FIXED_BUTTON = 1 << 4,
    FLAG_TIMER_32 = 1 << 8,
    FLAG_REDUCED = 1 << 20
};

/* The MADT's entries (ACPI 6.4 5.2.12). */
enum {
    MADT_ENTRIES = 44,
    MADT_IO_APIC = 1,
    MADT_IO_APIC_BYTES = 12,
    MADT_OVERRIDE = 2,
    MADT_OVERRIDE_BYTES = 10,
    POLARITY_LOW = 3,
    TRIGGER_LEVEL = 3
};

static const uint8_t *at(const struct acpi_window *window, uint64_t address,
                         uint64_t bytes)
{
    if (address == 0 || address < window->base || address > window->end ||
        bytes > window->end - address)
        return NULL;
    return window->bytes + (address - window->base);
}

static uint16_t read16(const uint8_t *from)
{
    return (uint16_t)(from[0] | from[1] << 8);
}

static uint32_t read32(const uint8_t *from)
{
    return read16(from) | (uint32_t)read16(from + 2) << 16;
}

static uint64_t read64(const uint8_t *from)
{
    return read32(from) | (uint64_t)read32(from + 4) << 32;
}

static bool same(const uint8_t *bytes, const char *text, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] != (uint8_t)text[i])
            return false;
    }
    return true;
}

static bool sum_is_zero(const uint8_t *bytes, size_t count)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < count; i++)
        sum = (uint8_t)(sum + bytes[i]);
    return sum == 0;
}

static bool is_rsdp(const uint8_t *bytes)
{
    return bytes && same(bytes, "RSD PTR ", 8) &&
           sum_is_zero(bytes, RSDP_BYTES_V1);
}

/* Returns: the root pointer in [start, end), on a boundary of 16; or null. */
static const uint8_t *scan(const struct acpi_window *window, uint64_t start,
                           uint64_t end)
{
    for (uint64_t address = start; address < end; address += 16) {
        const uint8_t *bytes = at(window, address, RSDP_BYTES_V2);

        if (is_rsdp(bytes))
            return bytes;
    }
    return NULL;
}

/* ACPI 6.4 5.2.5.1: in the loader's hands, or where a PC's firmware puts it. */
static const uint8_t *find_rsdp(const struct acpi_window *window,
                                const struct acpi_root *root)
{
    const uint8_t *rsdp = at(window, root->address, RSDP_BYTES_V2);
    const uint8_t *pointer;

    if (is_rsdp(rsdp))
        return rsdp;
    if (root->copy_bytes >= RSDP_BYTES_V1 && is_rsdp(root->copy))
        return root->copy;
    pointer = at(window, EBDA_POINTER, 2);
    if (pointer) {
        uint64_t ebda = (uint64_t)read16(pointer) << 4;

        rsdp = scan(window, ebda, ebda + EBDA_BYTES);
    }
    return rsdp && is_rsdp(rsdp) ? rsdp : scan(window, BIOS_START, BIOS_END);
}

/* Returns: the whole table, its length and sum checked; or null. */
static const uint8_t *table_at(const struct acpi_window *window,
                               uint64_t address, uint32_t *bytes)
{
    const uint8_t *table = at(window, address, TABLE_HEADER_BYTES);

    *bytes = 0;
    if (!table)
        return NULL;
    *bytes = read32(table + 4);
    if (*bytes < TABLE_HEADER_BYTES || *bytes > TABLE_BYTES_MAX ||
        !at(window, address, *bytes) || !sum_is_zero(table, *bytes))
        return NULL;
    return table;
}

/* One element of the package: Zero, One, or a byte after its prefix. */
static uint8_t package_byte(const uint8_t **element, const uint8_t *end)
{
    uint8_t op = *element < end ? *(*element)++ : 0;

    if (op == 0x0a && *element < end)
        return *(*element)++;
    return op == 1 ? 1 : 0;
}

/*
 * Look for Name (_S5_, Package (...) {a, b, ...}) in a table's AML: 08, the
 * name (after an optional root prefix), 12, the length, the count, elements.
 */
static void find_sleep(const uint8_t *table, uint32_t bytes,
                       struct acpi_facts *facts)
{
    const uint8_t *end = table + bytes;

    for (const uint8_t *name = table + TABLE_HEADER_BYTES; name + 7 < end;
         name++) {
        const uint8_t *element = name + 5;

        if (!same(name, "_S5_\x12", 5) ||
            !(name[-1] == 0x08 || (name[-1] == '\\' && name[-2] == 0x08)))
            continue;
        element += (*element >> 6) + 1; /* the length's own bytes */
        element++;                      /* how many elements */
        facts->sleep_a = package_byte(&element, end) & 7;
        facts->sleep_b = package_byte(&element, end) & 7;
        facts->sleep_given = true;
        return;
    }
}

static void read_sleep_control(const uint8_t *fadt, struct acpi_facts *facts)
{
    uint8_t space = fadt[FADT_SLEEP_CONTROL];

    if (space > SPACE_PORT)
        return;
    facts->sleep_is_port = space == SPACE_PORT;
    facts->sleep_control = read64(fadt + FADT_SLEEP_CONTROL + 4);
}

static void read_fadt(const struct acpi_window *window, const uint8_t *fadt,
                      uint32_t bytes, struct acpi_facts *facts)
{
    const uint8_t *dsdt;
    uint64_t dsdt_address;
    uint32_t dsdt_bytes;
    uint32_t flags;

    if (bytes < FADT_BYTES_V1)
        return;
    flags = read32(fadt + FADT_FLAGS);
    facts->sci = read16(fadt + FADT_SCI);
    facts->smi_command = read16(fadt + FADT_SMI_COMMAND);
    facts->acpi_enable = fadt[FADT_ACPI_ENABLE];
    facts->event_bytes = fadt[FADT_EVENT_BYTES];
    if (!(flags & FLAG_REDUCED)) {
        facts->event_a = read16(fadt + FADT_EVENT_A);
        facts->event_b = read16(fadt + FADT_EVENT_B);
        facts->control_a = read16(fadt + FADT_CONTROL_A);
        facts->control_b = read16(fadt + FADT_CONTROL_B);
        facts->timer = read16(fadt + FADT_TIMER);
        facts->timer_is_32_bit = flags & FLAG_TIMER_32;
        facts->fixed_power_button = !(flags & FLAG_NO_FIXED_BUTTON);
    } else if (bytes >= FADT_BYTES_V5) {
        read_sleep_control(fadt, facts);
    }
    dsdt_address = read32(fadt + FADT_DSDT);
    if (dsdt_address == 0 && bytes >= FADT_X_DSDT + 8)
        dsdt_address = read64(fadt + FADT_X_DSDT);
    dsdt = table_at(window, dsdt_address, &dsdt_bytes);
    if (dsdt)
        find_sleep(dsdt, dsdt_bytes, facts);
}

static void read_madt_entry(const uint8_t *entry, uint8_t bytes,
                            struct acpi_facts *facts)
{
    if (entry[0] == MADT_IO_APIC && bytes >= MADT_IO_APIC_BYTES &&
        facts->io_apic_count < ACPI_IO_APICS_MAX) {
        struct acpi_io_apic *apic = &facts->io_apics[facts->io_apic_count++];

        apic->address = read32(entry + 4);
        apic->first_input = read32(entry + 8);
    }
    if (entry[0] == MADT_OVERRIDE && bytes >= MADT_OVERRIDE_BYTES &&
        entry[3] < ACPI_ISA_LINES) {
        struct acpi_line *line = &facts->lines[entry[3]];
        uint16_t flags = read16(entry + 8);

        line->given = true;
        line->input = read32(entry + 4);
        line->active_low = (flags & 3) == POLARITY_LOW;
        line->level = (flags >> 2 & 3) == TRIGGER_LEVEL;
    }
}

static void read_madt(const uint8_t *madt, uint32_t bytes,
                      struct acpi_facts *facts)
{
    uint32_t offset = MADT_ENTRIES;

    while (offset + 2 <= bytes) {
        uint8_t entry_bytes = madt[offset + 1];

        if (entry_bytes < 2 || entry_bytes > bytes - offset)
            return;
        read_madt_entry(madt + offset, entry_bytes, facts);
        offset += entry_bytes;
    }
}

static void read_table(const struct acpi_window *window, uint64_t address,
                       struct acpi_facts *facts)
{
    uint32_t bytes;
    const uint8_t *table = table_at(window, address, &bytes);

    if (!table)
        return;
    if (same(table, "FACP", 4))
        read_fadt(window, table, bytes, facts);
    else if (same(table, "APIC", 4))
        read_madt(table, bytes, facts);
    else if (same(table, "SSDT", 4) && !facts->sleep_given)
        find_sleep(table, bytes, facts);
}

void acpi_read(const struct acpi_window *window, const struct acpi_root *root,
               struct acpi_facts *facts)
{
    const uint8_t *rsdp = find_rsdp(window, root);
    const uint8_t *list = NULL;
    uint32_t step = 8;
    uint32_t bytes;

    *facts = (struct acpi_facts){.found = false};
    if (!rsdp)
        return;
    if (rsdp[15] >= 2)
        list = table_at(window, read64(rsdp + 24), &bytes);
    if (!list) {
        step = 4;
        list = table_at(window, read32(rsdp + 16), &bytes);
    }
    if (!list)
        return;
    facts->found = true;
    for (uint32_t i = 0; i < TABLES_MAX; i++) {
        uint32_t offset = TABLE_HEADER_BYTES + i * step;

        if (offset + step > bytes)
            break;
        read_table(window,
                   step == 8 ? read64(list + offset) : read32(list + offset),
                   facts);
    }
}
