/*
 * kernel/ioapic.h - lines of devices that know no message interrupts.
 *
 * Source: 82093AA I/O APIC; ACPI 6.4 5.2.12.5 (overrides of ISA lines).
 */
#ifndef KERNEL_IOAPIC_H
#define KERNEL_IOAPIC_H

#include "kernel/acpi.h"

/* Map what the tables name, with every input masked. */
void ioapic_init(const struct acpi_facts *facts);

/*
 * Deliver `irq_line` as `vector` to the CPU `lapic`; unmasked.
 * Returns: false when no I/O APIC has such an input.
 */
MUST_CHECK bool ioapic_route(unsigned irq_line, uint8_t vector, uint32_t lapic);

/* Stop or go on delivering it. */
void ioapic_mask(unsigned irq_line, bool masked);

#endif
