/*
 * kernel/lapic.h - the CPU's own interrupt controller, and its timer.
 *
 * Source: Intel SDM vol. 3, 10 (APIC, x2APIC, timer).
 */
#ifndef KERNEL_LAPIC_H
#define KERNEL_LAPIC_H

#include "kernel/base.h"

/*
 * Switch it on, all its local lines masked; in x2APIC mode where the CPU has
 * it, whose registers cost a hypervisor less.
 *
 * spurious_vector: what it delivers when an interrupt went away meanwhile.
 * Returns:         false when its registers cannot be mapped.
 */
MUST_CHECK bool lapic_init(uint8_t spurious_vector);

/* The number by which interrupts are addressed to this CPU. */
uint32_t lapic_id(void);

/* The handler that is running is done. */
void lapic_end_of_interrupt(void);

/*
 * Say which vector the timer raises, and how it counts.
 *
 * tsc_deadline: it compares with the TSC; otherwise it counts down once.
 */
void lapic_timer_set(uint8_t vector, bool tsc_deadline);

/* Begin to count down from `ticks`; 0 stops. */
void lapic_timer_start(uint32_t ticks);

/* What is left to count. */
uint32_t lapic_timer_left(void);

#endif
