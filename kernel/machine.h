/*
 * kernel/machine.h - doing nothing, until there is something to do.
 */
#ifndef KERNEL_MACHINE_H
#define KERNEL_MACHINE_H

#include "kernel/base.h"

/*
 * Prepare the timer; after interrupt_init() and clock_init().
 *
 * Blocks:  a millisecond, where the timer's rate must be measured.
 * Returns: false when the timer does not run.
 */
MUST_CHECK bool machine_timer_init(void);

/*
 * Halt until an interrupt, at the latest until `deadline_us` on clock_us();
 * struct thread_host's idle. No tick: the timer is set only when it must ring
 * earlier than it would anyway.
 *
 * deadline_us: FOREVER for none.
 */
void machine_idle(uint64_t deadline_us);

#endif
