/*
 * kernel/interrupt.h - interrupts: a vector each, delivered by the local APIC.
 *
 * A handler runs with interrupts off, on a stack of its own, in the middle of
 * whatever thread was running. So it acknowledges its device and raises a
 * signal (kernel/thread.h), nothing more.
 * Does not: share a vector between handlers, balance, or nest.
 * Source: Intel SDM vol. 3, 6 and 10; 82093AA I/O APIC.
 */
#ifndef KERNEL_INTERRUPT_H
#define KERNEL_INTERRUPT_H

#include "kernel/acpi.h"
#include "kernel/base.h"

/*
 * Silence the old controller, switch on the APICs. Interrupts stay off.
 *
 * facts:   what ACPI says of the I/O APICs and the lines.
 * Returns: false when the local APIC cannot be used.
 */
MUST_CHECK bool interrupt_init(const struct acpi_facts *facts);

/*
 * Whether a handler has run since the last call. Called with interrupts off
 * before halting: what it raised may not have been seen yet.
 */
bool interrupt_take_seen(void);

typedef void interrupt_fn(void *arg);

/*
 * Take a free vector and have `handler(arg)` called for it from now on.
 *
 * handler: see above; it must not block.
 * arg:     handed through; must stay valid for ever.
 * Blocks:  never.
 * Returns: the vector number, or -1 when none is left.
 */
MUST_CHECK int interrupt_alloc(interrupt_fn *handler, void *arg);

/*
 * What a device writes, and where, to raise `vector` (MSI, MSI-X).
 *
 * vector:  from interrupt_alloc().
 * address: set to the message's address.
 * data:    set to the message's data.
 * Source:  Intel SDM vol. 3, 10.11.
 */
void interrupt_msi_message(int vector, uint64_t *address, uint32_t *data);

/*
 * Let the line `irq_line` raise `vector`; it begins unmasked.
 *
 * irq_line: the number that firmware left in PCI's Interrupt Line register,
 *           1 to 15 (level-triggered, active low unless the machine's tables
 *           say otherwise), or an input of the I/O APIC.
 * vector:   from interrupt_alloc(). Up to four devices may share a line: the
 *           handlers of all of them are then called, and masking stops all.
 * Returns:  false when there is no such line, no I/O APIC, or no room.
 */
MUST_CHECK bool interrupt_route_line(unsigned irq_line, int vector);

/*
 * Stop or go on delivering a line that interrupt_route_line() routed.
 * Safe in an interrupt handler.
 */
void interrupt_mask_line(unsigned irq_line, bool masked);

#endif
