/*
 * kernel/acpi.h - the few facts that we want from ACPI's tables.
 *
 * Pure: it sees memory through a bounded window and writes only its output. No
 * AML is run; of all its objects only the package \_S5 is looked for.
 * Source: ACPI 6.4, 5.2 (tables), 7.4.2 (_S5); QEMU writes revision 1 to 3.
 */
#ifndef KERNEL_ACPI_H
#define KERNEL_ACPI_H

#include "kernel/base.h"

enum { ACPI_IO_APICS_MAX = 4, ACPI_ISA_LINES = 16 };

struct acpi_io_apic {
    uint64_t address;
    uint32_t first_input; /* the number of its input 0 in the machine */
};

/* How an ISA line reaches the I/O APICs. */
struct acpi_line {
    uint32_t input;
    bool given;
    bool active_low;
    bool level;
};

struct acpi_facts {
    bool found; /* there are tables; without a FADT the ports are 0 */
    uint16_t event_a;
    uint16_t event_b;
    uint8_t event_bytes; /* of the event block: status, then enable */
    uint16_t control_a;
    uint16_t control_b;
    uint16_t timer;
    bool timer_is_32_bit;
    uint16_t sci;         /* the interrupt of the power button */
    uint16_t smi_command; /* where ACPI is switched on; 0: it is on */
    uint8_t acpi_enable;
    bool fixed_power_button;
    bool sleep_given; /* \_S5 was found */
    uint8_t sleep_a;
    uint8_t sleep_b;
    bool sleep_is_port;     /* of hardware-reduced machines (microvm) */
    uint64_t sleep_control; /* 0: there is none */
    struct acpi_io_apic io_apics[ACPI_IO_APICS_MAX];
    size_t io_apic_count;
    struct acpi_line lines[ACPI_ISA_LINES];
};

/* Physical [base, end) stands at `bytes`. */
struct acpi_window {
    const uint8_t *bytes;
    uint64_t base;
    uint64_t end;
};

/* What the loader knows of the root pointer. */
struct acpi_root {
    uint64_t address;    /* 0: unknown */
    const uint8_t *copy; /* null: none */
    size_t copy_bytes;
};

/*
 * Read the tables. What cannot be read is left at zero.
 * Blocks: never; bounded by the tables' lengths, which are bounded.
 */
void acpi_read(const struct acpi_window *window, const struct acpi_root *root,
               struct acpi_facts *facts);

#endif
