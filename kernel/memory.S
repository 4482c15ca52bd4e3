/*
 * kernel/memory.S - memcpy, memmove, memset, memcmp, memchr, strlen.
 *
 * Sixteen bytes at a time, unaligned; no streaming stores, for what is copied
 * here is read again soon (newlib's evict it), and no `rep`, which is slow to
 * start and slower still under an emulator. In assembly because a compiler
 * turns such loops in C into calls of themselves.
 */
    .text
    .balign 16
    .globl memcpy, memmove
    .type memcpy, @function
    .type memmove, @function
memcpy: /* memmove costs one comparison more, and cannot go wrong */
memmove: /* rdi: to, rsi: from, rdx: bytes */
    movq %rdi, %rax
    cmpq $16, %rdx
    jb .Lcopy_below_16
    cmpq $32, %rdx
    ja .Lcopy_above_32
    movups (%rsi), %xmm0
    movups -16(%rsi, %rdx), %xmm1
    movups %xmm0, (%rdi)
    movups %xmm1, -16(%rdi, %rdx)
    ret

.Lcopy_below_16:
    cmpl $8, %edx
    jb 1f
    movq (%rsi), %rcx
    movq -8(%rsi, %rdx), %r8
    movq %rcx, (%rdi)
    movq %r8, -8(%rdi, %rdx)
    ret
1:  cmpl $4, %edx
    jb 2f
    movl (%rsi), %ecx
    movl -4(%rsi, %rdx), %r8d
    movl %ecx, (%rdi)
    movl %r8d, -4(%rdi, %rdx)
    ret
2:  testl %edx, %edx
    jz 4f
    movzbl (%rsi), %ecx
    cmpl $1, %edx
    je 3f
    movzwl -2(%rsi, %rdx), %r8d
    movw %r8w, -2(%rdi, %rdx)
3:  movb %cl, (%rdi)
4:  ret

.Lcopy_above_32:
    movups (%rsi), %xmm4
    movups 16(%rsi), %xmm5
    movups -32(%rsi, %rdx), %xmm6
    movups -16(%rsi, %rdx), %xmm7
    cmpq $64, %rdx
    ja 1f
    movups %xmm4, (%rdi)
    movups %xmm5, 16(%rdi)
    movups %xmm6, -32(%rdi, %rdx)
    movups %xmm7, -16(%rdi, %rdx)
    ret

    /*
     * Both ends are in registers already; the loops do 32 bytes a step and
     * leave the last step to them, so overlapping ranges are safe.
     */
1:  movq %rdi, %rcx
    subq %rsi, %rcx
    cmpq %rdx, %rcx
    jb .Lcopy_backwards
    leaq -32(%rdi, %rdx), %r8 /* where the last 32 bytes go */
    .balign 16
2:  movups (%rsi), %xmm0
    movups 16(%rsi), %xmm1
    movups %xmm0, (%rdi)
    movups %xmm1, 16(%rdi)
    addq $32, %rsi
    addq $32, %rdi
    cmpq %r8, %rdi
    jb 2b
    movups %xmm6, (%r8)
    movups %xmm7, 16(%r8)
    ret

.Lcopy_backwards:
    leaq -32(%rsi, %rdx), %rsi
    leaq -32(%rdi, %rdx), %rdi
    .balign 16
1:  movups (%rsi), %xmm0
    movups 16(%rsi), %xmm1
    movups %xmm0, (%rdi)
    movups %xmm1, 16(%rdi)
    subq $32, %rsi
    subq $32, %rdi
    cmpq %rax, %rdi
    ja 1b
    movups %xmm4, (%rax)
    movups %xmm5, 16(%rax)
    ret
    .size memmove, . - memmove

    .balign 16
    .globl memset
    .type memset, @function
memset: /* rdi: to, esi: the byte, rdx: bytes */
    movq %rdi, %rax
    movzbl %sil, %ecx
    movabsq $0x0101010101010101, %r8
    imulq %r8, %rcx
    cmpq $16, %rdx
    jb .Lset_below_16
    movq %rcx, %xmm0
    punpcklqdq %xmm0, %xmm0
    leaq -16(%rdi, %rdx), %r8
    .balign 16
1:  movups %xmm0, (%rdi)
    addq $16, %rdi
    cmpq %r8, %rdi
    jb 1b
    movups %xmm0, (%r8)
    ret

.Lset_below_16:
    cmpl $8, %edx
    jb 1f
    movq %rcx, (%rdi)
    movq %rcx, -8(%rdi, %rdx)
    ret
1:  cmpl $4, %edx
    jb 2f
    movl %ecx, (%rdi)
    movl %ecx, -4(%rdi, %rdx)
    ret
2:  testl %edx, %edx
    jz 3f
    movb %cl, (%rdi)
    cmpl $1, %edx
    je 3f
    movw %cx, -2(%rdi, %rdx)
3:  ret
    .size memset, . - memset

    .balign 16
    .globl memcmp
    .type memcmp, @function
memcmp: /* rdi, rsi: what to compare, rdx: bytes */
    cmpq $16, %rdx
    jb 2f
1:  movups (%rdi), %xmm0
    movups (%rsi), %xmm1
    pcmpeqb %xmm1, %xmm0
    pmovmskb %xmm0, %ecx
    xorl $0xffff, %ecx
    jnz .Lcompare_differ
    addq $16, %rdi
    addq $16, %rsi
    subq $16, %rdx
    cmpq $16, %rdx
    jae 1b
2:  cmpl $8, %edx
    jb .Lcompare_below_8
    movq (%rdi), %rax
    movq (%rsi), %rcx
    cmpq %rcx, %rax
    jne .Lcompare_words
    movq -8(%rdi, %rdx), %rax
    movq -8(%rsi, %rdx), %rcx
    cmpq %rcx, %rax
    jne .Lcompare_words
    xorl %eax, %eax
    ret

.Lcompare_words: /* the byte that comes first in memory decides */
    bswapq %rax
    bswapq %rcx
    cmpq %rcx, %rax
    sbbl %eax, %eax
    orl $1, %eax
    ret

.Lcompare_below_8:
    testq %rdx, %rdx
    jz 4f
3:  movzbl (%rdi), %eax
    movzbl (%rsi), %ecx
    subl %ecx, %eax
    jnz 5f
    incq %rdi
    incq %rsi
    decq %rdx
    jnz 3b
4:  xorl %eax, %eax
5:  ret
.Lcompare_differ:
    bsfl %ecx, %ecx
    movzbl (%rdi, %rcx), %eax
    movzbl (%rsi, %rcx), %ecx
    subl %ecx, %eax
    ret
    .size memcmp, . - memcmp

    /*
     * Aligned loads never cross into a page that the object is not in; what
     * they find before its first byte is shifted out.
     */
    .balign 16
    .globl memchr
    .type memchr, @function
memchr: /* rdi: where, esi: the byte, rdx: bytes */
    testq %rdx, %rdx
    jz 3f
    movd %esi, %xmm1
    punpcklbw %xmm1, %xmm1
    punpcklwd %xmm1, %xmm1
    pshufd $0, %xmm1, %xmm1
    movq %rdi, %r8
    andq $-16, %r8
    movl %edi, %ecx
    andl $15, %ecx
    movdqa (%r8), %xmm0
    pcmpeqb %xmm1, %xmm0
    pmovmskb %xmm0, %eax
    shrl %cl, %eax
    testl %eax, %eax
    jnz 2f
    addq %rdi, %rdx /* the end */
    jc 4f
1:  addq $16, %r8
    cmpq %rdx, %r8
    jae 3f
    movdqa (%r8), %xmm0
    pcmpeqb %xmm1, %xmm0
    pmovmskb %xmm0, %eax
    testl %eax, %eax
    jz 1b
    bsfl %eax, %eax
    addq %r8, %rax
    cmpq %rdx, %rax
    jae 3f
    ret
2:  bsfl %eax, %eax
    cmpq %rdx, %rax
    jae 3f
    addq %rdi, %rax
    ret
3:  xorl %eax, %eax
    ret
4:  movq $-1, %rdx /* a length that says: as far as it takes */
    jmp 1b
    .size memchr, . - memchr

    .balign 16
    .globl strlen
    .type strlen, @function
strlen: /* rdi: the text */
    pxor %xmm1, %xmm1
    movq %rdi, %r8
    andq $-16, %r8
    movl %edi, %ecx
    andl $15, %ecx
    movdqa (%r8), %xmm0
    pcmpeqb %xmm1, %xmm0
    pmovmskb %xmm0, %eax
    shrl %cl, %eax
    testl %eax, %eax
    jnz 2f
1:  addq $16, %r8
    movdqa (%r8), %xmm0
    pcmpeqb %xmm1, %xmm0
    pmovmskb %xmm0, %eax
    testl %eax, %eax
    jz 1b
    bsfl %eax, %eax
    addq %r8, %rax
    subq %rdi, %rax
    ret
2:  bsfl %eax, %eax
    ret
    .size strlen, . - strlen

    .section .note.GNU-stack, "", @progbits
