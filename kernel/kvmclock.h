/*
 * kernel/kvmclock.h - the clock that KVM keeps in a page of ours.
 *
 * Source: Linux Documentation/virt/kvm/x86/msr.rst (MSR_KVM_SYSTEM_TIME_NEW,
 * MSR_KVM_WALL_CLOCK_NEW), cpuid.rst; include/asm/pvclock-abi.h.
 */
#ifndef KERNEL_KVMCLOCK_H
#define KERNEL_KVMCLOCK_H

#include "kernel/base.h"

/*
 * Ask for it.
 * Returns: the TSC's rate in Hz, or 0 when the machine has no such clock.
 */
uint64_t kvmclock_init(void);

/* Nanoseconds since the machine was started; after kvmclock_init() only. */
uint64_t kvmclock_ns(void);

/* Nanoseconds from 1970-01-01 to the moment where kvmclock_ns() was zero. */
uint64_t kvmclock_epoch_ns(void);

#endif
