/*
 * kernel/machine.c - doing nothing, until there is something to do.
 *
 * Setting the timer costs a virtual machine an exit, and deadlines mostly move
 * away: so a timer that is set too early is left to ring, and set again then.
 * Source: Intel SDM vol. 3, 10.5.4 (the APIC's timer, TSC-deadline mode).
 */
#include "kernel/machine.h"

#include "kernel/clock.h"
#include "kernel/cpu.h"
#include "kernel/interrupt.h"
#include "kernel/lapic.h"

enum { CPUID_TSC_DEADLINE = 1 << 24, MEASURE_US = 1000 };

static struct {
    bool by_tsc;
    uint64_t ticks_per_us;         /* of the APIC's timer; 32.32 fixed point */
    volatile uint64_t rings_at_us; /* FOREVER: it is not set */
} machine;

static void timer_rang(void *arg)
{
    (void)arg;
    machine.rings_at_us = FOREVER;
}

/* Let it count for a while; it runs at the bus's rate, which no CPU tells. */
static bool measure(void)
{
    uint64_t start_us;
    uint64_t us;
    uint32_t counted;

    lapic_timer_start(UINT32_MAX);
    start_us = clock_us();
    while (clock_us() - start_us < MEASURE_US)
        cpu_pause();
    counted = UINT32_MAX - lapic_timer_left();
    us = clock_us() - start_us;
    lapic_timer_start(0);
    machine.ticks_per_us = ((uint64_t)counted << 32) / us;
    return counted > 0;
}

bool machine_timer_init(void)
{
    int vector = interrupt_alloc(timer_rang, NULL);

    if (vector < 0)
        return false;
    machine.rings_at_us = FOREVER;
    machine.by_tsc = cpu_id(1, 0).ecx & CPUID_TSC_DEADLINE;
    lapic_timer_set((uint8_t)vector, machine.by_tsc);
    return machine.by_tsc || measure();
}

/* Cut at what 32 bits hold; ringing early is allowed. */
static uint32_t ticks_of(uint64_t us)
{
    unsigned __int128 ticks =
        ((unsigned __int128)us * machine.ticks_per_us >> 32) + 1;

    return ticks < UINT32_MAX ? (uint32_t)ticks : UINT32_MAX;
}

static void set_timer(uint64_t now_us, uint64_t deadline_us)
{
    machine.rings_at_us = deadline_us;
    if (machine.by_tsc)
        cpu_msr_write(MSR_TSC_DEADLINE,
                      cpu_tsc() + clock_tsc_ticks(deadline_us - now_us));
    else
        lapic_timer_start(ticks_of(deadline_us - now_us));
}

void machine_idle(uint64_t deadline_us)
{
    uint64_t now_us;

    cpu_interrupts_off();
    now_us = clock_us();
    if (interrupt_take_seen() || deadline_us <= now_us) {
        cpu_interrupts_on();
        return;
    }
    if (deadline_us < machine.rings_at_us)
        set_timer(now_us, deadline_us);
    cpu_interrupts_on_and_halt();
    /* What woke us has run; the caller now looks at what it raised. */
    cpu_interrupts_off();
    (void)interrupt_take_seen();
    cpu_interrupts_on();
}
