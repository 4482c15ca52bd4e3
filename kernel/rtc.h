/*
 * kernel/rtc.h - the battery-backed clock of a PC.
 */
#ifndef KERNEL_RTC_H
#define KERNEL_RTC_H

#include "kernel/base.h"

/*
 * Read it; it is taken to be UTC.
 *
 * Blocks:  for some milliseconds at most, while it counts up.
 * Returns: seconds since 1970-01-01, or 0 when there is none or it is absurd.
 * Source:  Motorola MC146818A.
 */
uint64_t rtc_seconds(void);

#endif
