/*
 * scripts/kvm_probe.S - the smallest image: it says that it ran, and ends.
 *
 * 32-bit, Multiboot 1. Writes 16 to isa-debug-exit: QEMU ends with 33.
 * Source: Multiboot Specification 0.6.96, 3.1.
 */
    .set FLAGS, 0
    .set MAGIC, 0x1badb002

    .text
    .align 4
    .long MAGIC, FLAGS, -(MAGIC + FLAGS)

    .globl _start
_start:
    mov $0x501, %dx
    mov $16, %al
    out %al, %dx
halt:
    hlt
    jmp halt
