/*
 * kernel/vectors.S - where the CPU enters on an exception or an interrupt.
 *
 * Every gate switches to a stack of its own (kernel/descriptor.c), so the red
 * zone of code compiled for the host stays as it is. An exception saves all
 * registers for the report and never returns. An interrupt saves what a C
 * function may change, the SSE registers too: the handlers' callees are
 * ordinary code, compiled with SSE.
 */
    .text
    .balign 16
    .globl vector_stubs
vector_stubs: /* 16 bytes each; VECTOR_STUBS of them (kernel/descriptor.h) */
vector = 0
    .rept 32
    .balign 16
    .if vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || \
        vector == 21 || vector == 29 || vector == 30
    /* the CPU pushes an error code */
    .else
    pushq $0
    .endif
    pushq $vector
    jmp exception_entry
    vector = vector + 1
    .endr
    .rept 64
    .balign 16
    pushq $0
    pushq $vector
    jmp interrupt_entry
    vector = vector + 1
    .endr

    .balign 16
    .globl vector_ignore
vector_ignore: /* the APIC's spurious vector and the old controller's */
    iretq

    .balign 16
exception_entry:
    pushq %rax
    pushq %rbx
    pushq %rcx
    pushq %rdx
    pushq %rsi
    pushq %rdi
    pushq %rbp
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    cld
    movq %rsp, %rdi
    andq $-16, %rsp
    call exception_handle
    ud2

    .balign 16
interrupt_entry:
    pushq %rbp
    movq %rsp, %rbp
    pushq %rax
    pushq %rcx
    pushq %rdx
    pushq %rsi
    pushq %rdi
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    movl 8(%rbp), %edi
    subq $512, %rsp
    andq $-16, %rsp
    fxsave64 (%rsp)
    cld
    call interrupt_dispatch
    fxrstor64 (%rsp)
    leaq -72(%rbp), %rsp
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rdi
    popq %rsi
    popq %rdx
    popq %rcx
    popq %rax
    popq %rbp
    addq $16, %rsp
    iretq

    .section .note.GNU-stack, "", @progbits
