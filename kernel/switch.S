/*
 * kernel/switch.S - from one green thread's stack to another's.
 *
 * Called as a function, so the ABI says what to keep: rbx, rbp, r12-r15, the
 * control bits of MXCSR and the x87 control word. All other registers are the
 * caller's, and have been saved by it when it needs them.
 *
 * Source: System V ABI, AMD64 supplement 1.0, 3.2.1 and figure 3.4.
 */

/*
 * void thread_switch(void **save, void *load)
 *
 * Store the stack pointer of the caller in *save, and go on where `load` was
 * stored by an earlier call. kernel/thread.c builds the first frame of a new
 * thread: struct first_frame there has the layout of what is pushed here.
 */
    .section .text.thread_switch, "ax", @progbits
    .globl thread_switch
    .type thread_switch, @function
thread_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    subq $8, %rsp
    stmxcsr (%rsp)
    fnstcw 4(%rsp)

    movq %rsp, (%rdi)
    movq %rsi, %rsp

    ldmxcsr (%rsp)
    fldcw 4(%rsp)
    addq $8, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .size thread_switch, . - thread_switch

    .section .note.GNU-stack, "", @progbits
