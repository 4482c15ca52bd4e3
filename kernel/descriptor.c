/*
 * kernel/descriptor.c - the CPU's tables: segments, the task state with the
 * stacks of interrupts, and the gates.
 */
#include "kernel/descriptor.h"

enum { SELECTOR_CODE = 0x08, SELECTOR_TSS = 0x18, GATES = 256 };

/* Which stack a gate switches to (Intel SDM vol. 3, 6.14.5). */
enum stack {
    STACK_INTERRUPT = 1,
    STACK_EXCEPTION,
    STACK_DOUBLE_FAULT, /* the exception's own stack may be the broken one */
    STACK_NMI,
    STACK_COUNT
};

enum { STACK_BYTES = 8192 };

enum { VECTOR_NMI = 2, VECTOR_DOUBLE_FAULT = 8, VECTOR_MACHINE_CHECK = 18 };

struct gate {
    uint16_t offset_low;
    uint16_t selector;
    uint8_t stack;
    uint8_t type;
    uint16_t offset_middle;
    uint32_t offset_high;
    uint32_t reserved;
};

struct task_state {
    uint32_t reserved0;
    uint32_t rsp[6];
    uint32_t reserved1[2];
    uint32_t ist[14]; /* pairs: low and high half of stacks 1 to 7 */
    uint32_t reserved2[2];
    uint16_t reserved3;
    uint16_t io_map; /* beyond the limit: no map */
};

struct __attribute__((packed)) table_pointer {
    uint16_t limit;
    uint64_t address;
};

static struct {
    uint64_t segments[5];
    struct task_state task;
    struct gate gates[GATES];
    uint8_t stacks[STACK_COUNT][STACK_BYTES] __attribute__((aligned(16)));
} descriptor;

extern const uint8_t vector_stubs[];
extern const uint8_t vector_ignore[];

static void set_gate(unsigned vector, uintptr_t entry, enum stack stack)
{
    descriptor.gates[vector] = (struct gate){
        .offset_low = (uint16_t)entry,
        .selector = SELECTOR_CODE,
        .stack = (uint8_t)stack,
        .type = 0x8e, /* present, interrupt gate */
        .offset_middle = (uint16_t)(entry >> 16),
        .offset_high = (uint32_t)(entry >> 32),
    };
}

static enum stack stack_of(unsigned vector)
{
    if (vector >= VECTOR_EXCEPTIONS)
        return STACK_INTERRUPT;
    if (vector == VECTOR_DOUBLE_FAULT)
        return STACK_DOUBLE_FAULT;
    if (vector == VECTOR_NMI || vector == VECTOR_MACHINE_CHECK)
        return STACK_NMI;
    return STACK_EXCEPTION;
}

static void set_segments(void)
{
    uint64_t base = (uintptr_t)&descriptor.task;
    uint64_t limit = sizeof(descriptor.task) - 1;

    descriptor.segments[1] = UINT64_C(0x00209a0000000000); /* code, 64 bits */
    descriptor.segments[2] = UINT64_C(0x0000920000000000); /* data */
    descriptor.segments[3] = limit | (base & 0xffffff) << 16 |
                             UINT64_C(0x89) << 40 | (base >> 24 & 0xff) << 56;
    descriptor.segments[4] = base >> 32;
}

void descriptor_init(void)
{
    const struct table_pointer segments = {sizeof(descriptor.segments) - 1,
                                           (uintptr_t)descriptor.segments};
    const struct table_pointer gates = {sizeof(descriptor.gates) - 1,
                                        (uintptr_t)descriptor.gates};

    for (unsigned i = STACK_INTERRUPT; i < STACK_COUNT; i++) {
        uintptr_t top = (uintptr_t)descriptor.stacks[i] + STACK_BYTES;

        descriptor.task.ist[2 * (i - 1)] = (uint32_t)top;
        descriptor.task.ist[2 * (i - 1) + 1] = (uint32_t)(top >> 32);
    }
    descriptor.task.io_map = sizeof(descriptor.task);
    for (unsigned i = 0; i < GATES; i++) {
        if (i < VECTOR_STUBS)
            set_gate(i, (uintptr_t)vector_stubs + 16 * i, stack_of(i));
        else
            set_gate(i, (uintptr_t)vector_ignore, STACK_INTERRUPT);
    }
    set_segments();
    __asm__ volatile("lgdt %0" : : "m"(segments));
    __asm__ volatile("ltr %0" : : "r"((uint16_t)SELECTOR_TSS));
    __asm__ volatile("lidt %0" : : "m"(gates));
}
