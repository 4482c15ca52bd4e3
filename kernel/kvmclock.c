/*
 * kernel/kvmclock.c - the clock that KVM keeps in a page of ours.
 *
 * The host rewrites the page when the TSC's rate or offset changes (another
 * host after a migration), so it is read anew for each reading of the clock.
 */
#include "kernel/kvmclock.h"

#include "kernel/cpu.h"

enum {
    CPUID_SIGNATURE = 0x40000000,
    CPUID_FEATURES = 0x40000001,
    FEATURE_CLOCK = 1 << 3,
    ENABLE = 1,
    TRIES_MAX = 1000 /* the host writes for nanoseconds */
};

enum { MSR_WALL_CLOCK = 0x4b564d00, MSR_SYSTEM_TIME = 0x4b564d01 };

/* Written by the host while `version` is odd. */
struct time_info {
    uint32_t version;
    uint32_t reserved0;
    uint64_t tsc;
    uint64_t ns;
    uint32_t multiplier; /* 32.32 fixed point, after the shift */
    int8_t shift;
    uint8_t flags;
    uint8_t reserved1[2];
};

struct wall_clock {
    uint32_t version;
    uint32_t seconds;
    uint32_t nanoseconds;
};

static struct {
    volatile struct time_info time __attribute__((aligned(64)));
    volatile struct wall_clock wall __attribute__((aligned(64)));
} kvmclock;

static bool kvm_is_below(void)
{
    struct cpuid id = cpu_id_raw(CPUID_SIGNATURE, 0);

    return (cpu_id_raw(1, 0).ecx & 1u << 31) && id.ebx == 0x4b4d564b &&
           id.ecx == 0x564b4d56 && id.edx == 0x4d;
}

static bool is_offered(void)
{
    return kvm_is_below() &&
           (cpu_id_raw(CPUID_FEATURES, 0).eax & FEATURE_CLOCK);
}

static uint64_t shifted(uint64_t value, int shift)
{
    return shift < 0 ? value >> -shift : value << shift;
}

uint64_t kvmclock_init(void)
{
    if (!is_offered())
        return 0;
    cpu_msr_write(MSR_SYSTEM_TIME, (uintptr_t)&kvmclock.time | ENABLE);
    if (kvmclock.time.version == 0 || kvmclock.time.multiplier == 0 ||
        kvmclock.time.shift < -31 || kvmclock.time.shift > 31)
        return 0;
    return shifted((UINT64_C(1000000000) << 32) / kvmclock.time.multiplier,
                   -kvmclock.time.shift);
}

uint64_t kvmclock_ns(void)
{
    uint64_t ns = 0;

    for (unsigned i = 0; i < TRIES_MAX; i++) {
        uint32_t version = kvmclock.time.version;
        uint64_t delta;

        __asm__ volatile("lfence" : : : "memory");
        delta = shifted(cpu_tsc() - kvmclock.time.tsc, kvmclock.time.shift);
        ns = kvmclock.time.ns +
             (uint64_t)((unsigned __int128)delta * kvmclock.time.multiplier >>
                        32);
        __asm__ volatile("" : : : "memory");
        if (!(version & 1) && version == kvmclock.time.version)
            break;
    }
    return ns;
}

uint64_t kvmclock_epoch_ns(void)
{
    cpu_msr_write(MSR_WALL_CLOCK, (uintptr_t)&kvmclock.wall);
    return (uint64_t)kvmclock.wall.seconds * 1000000000 +
           kvmclock.wall.nanoseconds;
}
