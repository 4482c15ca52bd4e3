/*
 * kernel/interrupt.h - interrupts: a vector each, delivered by the local APIC.
 *
 * A handler runs with interrupts off, on a stack of its own, in the middle of
 * whatever thread was running. So it acknowledges its device and raises a
 * signal (kernel/thread.h), nothing more; it is compiled with
 * -mgeneral-regs-only, or touches no floating point and copies no bulk.
 * Does not: share a vector between handlers, balance, or nest.
 * Source: Intel SDM vol. 3, 6 and 10; 82093AA I/O APIC.
 */
#ifndef KERNEL_INTERRUPT_H
#define KERNEL_INTERRUPT_H

#include "kernel/base.h"

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
 * vector:   from interrupt_alloc(). Two devices on one line are not served.
 * Returns:  false when there is no such line or no I/O APIC.
 */
MUST_CHECK bool interrupt_route_line(unsigned irq_line, int vector);

/*
 * Stop or go on delivering a line that interrupt_route_line() routed.
 * Safe in an interrupt handler.
 */
void interrupt_mask_line(unsigned irq_line, bool masked);

#endif
