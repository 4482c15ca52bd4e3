/*
 * boot/entry.S - from the boot loader, in 32-bit protected mode without
 * paging, to boot_main() in long mode.
 *
 * Three protocols, one way: each loader leaves a number that names it and the
 * address of what it has to say; both reach boot_main(), which reads them.
 * Here only what C needs is set up: a cleared bss, a stack, an identity map of
 * the lowest 4 GiB (kernel/paging.c replaces it), SSE, and the block at FS in
 * which compiled code looks for its stack canary.
 * Source: Multiboot 0.6.96 3.1; Multiboot2 2.0 3.1; Xen's PVH boot ABI
 * (docs/misc/pvh.pandoc); Intel SDM vol. 3, 9.8.5.
 */
#define MB1_MAGIC  0x1badb002
#define MB1_FLAGS  0x00010003 /* page-aligned modules, memory, address fields */
#define MB2_MAGIC  0xe85250d6
#define PVH_MAGIC  0x336ec578 /* of hvm_start_info; no loader leaves it in eax */
#define NOTE_ENTRY 18         /* XEN_ELFNOTE_PHYS32_ENTRY */

#define CR0_BITS 0x80010033 /* PG WP NE ET MP PE; EM and TS clear */
#define CR4_BITS 0x00000620 /* OSXMMEXCPT OSFXSR PAE */
#define MSR_EFER 0xc0000080
#define EFER_BITS 0x00000900 /* NXE LME */
#define MSR_FS_BASE 0xc0000100
#define NEEDED_CPUID 0x20100000 /* 0x80000001 edx: long mode, no-execute */

#define SELECTOR_CODE 0x08
#define SELECTOR_DATA 0x10

#define STACK_BYTES 16384

    .section .boot.header, "a"
    .balign 8
.Lmb2_header:
    .long MB2_MAGIC
    .long 0 /* i386, protected mode */
    .long .Lmb2_header_end - .Lmb2_header
    .long -(MB2_MAGIC + 0 + (.Lmb2_header_end - .Lmb2_header))
    .balign 8
    .short 6, 1 /* modules aligned to pages, may be ignored */
    .long 8
    .balign 8
    .short 0, 0 /* the end */
    .long 8
.Lmb2_header_end:

    .balign 4
.Lmb1_header:
    .long MB1_MAGIC
    .long MB1_FLAGS
    .long -(MB1_MAGIC + MB1_FLAGS)
    .long .Lmb1_header
    .long image_start
    .long data_end
    .long bss_end
    .long boot_start

    .section .note.pvh, "a", @note
    .balign 4
    .long 4, 8, NOTE_ENTRY
    .asciz "Xen"
    .quad boot_start_pvh

    .section .boot.text, "ax"
    .code32
    .globl boot_start, boot_start_pvh
boot_start_pvh:
    movl $PVH_MAGIC, %eax
boot_start:
    cli
    cld
    movl %eax, %ebp
    xorl %eax, %eax
    movl $bss_start, %edi
    movl $bss_end, %ecx
    subl %edi, %ecx
    shrl $2, %ecx
    rep stosl
    movl $boot_stack_top, %esp

    movl %ebx, %esi
    movl $0x80000000, %eax
    cpuid
    cmpl $0x80000001, %eax
    jb no_long_mode
    movl $0x80000001, %eax
    cpuid
    andl $NEEDED_CPUID, %edx
    cmpl $NEEDED_CPUID, %edx
    jne no_long_mode

    /* 2048 pages of 2 MiB: present, writable, large. */
    movl $boot_directories, %edi
    movl $0x83, %eax
    xorl %ecx, %ecx
1:  movl %eax, (%edi, %ecx, 8)
    addl $0x200000, %eax
    incl %ecx
    cmpl $2048, %ecx
    jne 1b
    movl $boot_directories + 3, %eax
    movl $boot_pointers, %edi
    movl $4, %ecx
1:  movl %eax, (%edi)
    addl $4096, %eax
    addl $8, %edi
    loop 1b
    movl $boot_pointers + 3, boot_level4

    movl $boot_level4, %eax
    movl %eax, %cr3
    movl $CR4_BITS, %eax
    movl %eax, %cr4
    movl $MSR_EFER, %ecx
    rdmsr
    orl $EFER_BITS, %eax
    wrmsr
    movl $CR0_BITS, %eax
    movl %eax, %cr0
    lgdt boot_gdt_pointer
    ljmp $SELECTOR_CODE, $long_mode

    /* Neither a stack frame nor C: say it on the first serial port, halt. */
no_long_mode:
    movl $.Lno_long_mode_text, %esi
1:  movl $0x3fd, %edx
    movl $100000, %ecx
2:  inb %dx, %al
    testb $0x20, %al
    loopz 2b
    movl $0x3f8, %edx
    lodsb
    testb %al, %al
    jz 3f
    outb %al, %dx
    jmp 1b
3:  movl $0x501, %edx /* isa-debug-exit, when it is there */
    movb $126, %al    /* POWER_STATUS_BOOT */
    outb %al, %dx
4:  cli
    hlt
    jmp 4b
.Lno_long_mode_text:
    .asciz "runnel: this CPU has no 64-bit mode with no-execute pages\r\n"

    .code64
long_mode:
    movl $SELECTOR_DATA, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    xorl %eax, %eax
    movl %eax, %fs
    movl %eax, %gs
    fninit
    ldmxcsr boot_mxcsr

    /*
     * A canary that differs from boot to boot, so that early code has one;
     * boot_main() writes a better one. The lowest byte is zero: no string
     * operation carries past it.
     */
    rdtsc
    shlq $32, %rdx
    orq %rdx, %rax
    movabsq $0x9e3779b97f4a7c15, %rdx
    mulq %rdx
    xorq %rdx, %rax
    xorb %al, %al
    movq %rax, boot_fs_block + 0x28
    movl $MSR_FS_BASE, %ecx
    movl $boot_fs_block, %eax
    xorl %edx, %edx
    wrmsr

    movl %ebp, %edi
    movl %esi, %esi
    xorl %ebp, %ebp
    pushq $0 /* the end of every backtrace */
    pushq $0
    call boot_main
    ud2

    .section .rodata.boot, "a"
boot_mxcsr:
    .long 0x1f80
    .balign 8
boot_gdt:
    .quad 0
    .quad 0x00209a0000000000 /* SELECTOR_CODE: 64-bit, ring 0 */
    .quad 0x0000920000000000 /* SELECTOR_DATA */
boot_gdt_pointer:
    .short . - boot_gdt - 1
    .quad boot_gdt

    .section .bss.page_aligned, "aw", @nobits
    .globl boot_stack_guard, boot_stack_top, boot_fs_block
    .balign 4096
boot_level4:
    .skip 4096
boot_pointers:
    .skip 4096
boot_directories:
    .skip 4 * 4096
boot_stack_guard: /* kernel/paging.c takes this page out of the map */
    .skip 4096
    .skip STACK_BYTES
boot_stack_top:
boot_fs_block: /* %fs:0 points at itself; %fs:0x28 is the canary */
    .skip 64

    .section .note.GNU-stack, "", @progbits
