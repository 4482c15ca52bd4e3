/*
 * kernel/clock.h - what time it is.
 *
 * Time is uint64_t microseconds everywhere. The monotonic clock starts near
 * zero at boot and never goes back, whatever the TSC does.
 */
#ifndef KERNEL_CLOCK_H
#define KERNEL_CLOCK_H

#include <stdint.h>

/* Monotonic microseconds since boot. Blocks: never. */
uint64_t clock_us(void);

/*
 * Microseconds since 1970-01-01 00:00 UTC, read from the machine at boot and
 * carried on by the monotonic clock. Zero when the machine has no such clock.
 */
uint64_t clock_wall_us(void);

#endif
