/*
 * kernel/clock.h - what time it is.
 *
 * Time is uint64_t microseconds everywhere. The monotonic clock starts near
 * zero at boot and never goes back, whatever the TSC does.
 */
#ifndef KERNEL_CLOCK_H
#define KERNEL_CLOCK_H

#include "kernel/base.h"

struct acpi_facts;

/*
 * Find out how fast the TSC runs and what day it is. Time begins here.
 *
 * facts:   for ACPI's timer, to measure by.
 * Blocks:  for the 5 ms of the measurement, when the CPU does not say.
 * Returns: by which means, for the log; null when there was none, and a guess
 *          stands in.
 * Source:  Intel SDM vol. 3, 18.7.3; Linux Documentation/virt/kvm/x86/msr.rst,
 *          cpuid.rst; ACPI 6.4 4.8.2.1; Intel 8254.
 */
const char *clock_init(const struct acpi_facts *facts);

/* The TSC's rate as clock_init() found it. */
uint64_t clock_tsc_hz(void);

/* The TSC's ticks in `us` microseconds, rounded up; cut at an hour's. */
uint64_t clock_tsc_ticks(uint64_t us);

/* Monotonic microseconds since boot. Blocks: never. */
uint64_t clock_us(void);

/*
 * Microseconds since 1970-01-01 00:00 UTC, read from the machine at boot and
 * carried on by the monotonic clock. Zero when the machine has no such clock.
 */
uint64_t clock_wall_us(void);

#endif
