/*
 * kernel/stack.h - stacks for green threads, each above an unmapped page.
 */
#ifndef KERNEL_STACK_H
#define KERNEL_STACK_H

#include "kernel/base.h"

/*
 * Take a stack; struct thread_host's stack_alloc.
 *
 * bytes:   a multiple of PAGE_BYTES, 1 page or more.
 * Blocks:  never.
 * Returns: its lowest byte; the page below is unmapped. Null: no memory.
 */
MUST_CHECK void *stack_alloc(size_t bytes);

/* Give it back; `bytes` as then. Stacks of the usual size are kept ready. */
void stack_free(void *stack, size_t bytes);

#endif
