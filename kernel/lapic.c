/*
 * kernel/lapic.c - the CPU's own interrupt controller, and its timer.
 */
#include "kernel/lapic.h"

#include "kernel/cpu.h"
#include "kernel/paging.h"
#include "kernel/port.h"

/* Offsets of the registers; in x2APIC mode, MSRs at a sixteenth of them. */
enum {
    REGISTER_ID = 0x20,
    REGISTER_TASK_PRIORITY = 0x80,
    REGISTER_END = 0xb0,
    REGISTER_SPURIOUS = 0xf0,
    REGISTER_TIMER = 0x320,
    REGISTER_LINT0 = 0x350,
    REGISTER_LINT1 = 0x360,
    REGISTER_ERROR = 0x370,
    REGISTER_INITIAL = 0x380,
    REGISTER_CURRENT = 0x390,
    REGISTER_DIVIDE = 0x3e0,
    REGISTER_BYTES = 0x400
};

enum {
    ENABLE = 1 << 8,
    MASKED = 1 << 16,
    TIMER_DEADLINE = 2 << 17,
    DIVIDE_BY_1 = 0xb,
    BASE_ENABLE = 1 << 11,
    BASE_X2APIC = 1 << 10,
    CPUID_X2APIC = 1 << 21
};

static struct {
    uint8_t *registers; /* null in x2APIC mode */
} lapic;

static void set(unsigned offset, uint32_t value)
{
    if (lapic.registers)
        mmio_write32(lapic.registers + offset, value);
    else
        cpu_msr_write(MSR_X2APIC_FIRST + offset / 16, value);
}

static uint32_t get(unsigned offset)
{
    if (lapic.registers)
        return mmio_read32(lapic.registers + offset);
    return (uint32_t)cpu_msr_read(MSR_X2APIC_FIRST + offset / 16);
}

bool lapic_init(uint8_t spurious_vector)
{
    uint64_t base = cpu_msr_read(MSR_APIC_BASE);

    if (cpu_id(1, 0).ecx & CPUID_X2APIC) {
        cpu_msr_write(MSR_APIC_BASE, base | BASE_ENABLE);
        cpu_msr_write(MSR_APIC_BASE, base | BASE_ENABLE | BASE_X2APIC);
    } else {
        cpu_msr_write(MSR_APIC_BASE, base | BASE_ENABLE);
        lapic.registers = paging_map_device(base & ~(uint64_t)(PAGE_BYTES - 1) &
                                                (paging_limit() - 1),
                                            REGISTER_BYTES);
        if (!lapic.registers)
            return false;
    }
    set(REGISTER_SPURIOUS, ENABLE | spurious_vector);
    set(REGISTER_TASK_PRIORITY, 0);
    set(REGISTER_TIMER, MASKED);
    set(REGISTER_LINT0, MASKED);
    set(REGISTER_LINT1, MASKED);
    set(REGISTER_ERROR, MASKED);
    return true;
}

uint32_t lapic_id(void)
{
    return lapic.registers ? get(REGISTER_ID) >> 24 : get(REGISTER_ID);
}

void lapic_end_of_interrupt(void)
{
    set(REGISTER_END, 0);
}

void lapic_timer_set(uint8_t vector, bool tsc_deadline)
{
    set(REGISTER_DIVIDE, DIVIDE_BY_1);
    set(REGISTER_TIMER, vector | (tsc_deadline ? TIMER_DEADLINE : 0));
    /* Intel SDM vol. 3, 10.5.4.1: the mode must hold before the first
       deadline is written. */
    __asm__ volatile("mfence" : : : "memory");
}

void lapic_timer_start(uint32_t ticks)
{
    set(REGISTER_INITIAL, ticks);
}

uint32_t lapic_timer_left(void)
{
    return get(REGISTER_CURRENT);
}
