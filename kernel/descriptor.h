/*
 * kernel/descriptor.h - the CPU's tables: segments, the task state with the
 * stacks of interrupts, and the gates.
 *
 * Source: Intel SDM vol. 3, 3.4, 6.14, 7.7.
 */
#ifndef KERNEL_DESCRIPTOR_H
#define KERNEL_DESCRIPTOR_H

#include "kernel/base.h"

enum {
    VECTOR_EXCEPTIONS = 32,
    VECTOR_STUBS = 96,     /* of kernel/vectors.S; exceptions are the first */
    VECTOR_OLD_PIC = 0xe0, /* 16 vectors that are ignored */
    VECTOR_SPURIOUS = 0xff
};

/* What kernel/vectors.S pushes for an exception, lowest address first. */
struct exception_frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
    uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
    uint64_t vector;
    uint64_t error;
    uint64_t rip, cs, rflags, rsp, ss; /* by the CPU */
};

/* Load them all. From here on an exception is reported. */
void descriptor_init(void);

#endif
