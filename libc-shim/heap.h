/*
 * libc-shim/heap.h - memory for applications: what malloc() is made of.
 *
 * Over the page allocator and nothing else, so it runs on the host too. Not
 * for the packet path, which has pools, and not for interrupt handlers.
 */
#ifndef LIBC_SHIM_HEAP_H
#define LIBC_SHIM_HEAP_H

#include "kernel/base.h"

/* What memory is aligned to when nothing more is asked for. */
enum { HEAP_ALIGNMENT = 16 };

/*
 * Take memory.
 *
 * bytes:     0 counts as 1.
 * alignment: a power of two; below HEAP_ALIGNMENT it counts as that.
 * Blocks:    never.
 * Returns:   the memory, contents undefined; null when there is none.
 */
MUST_CHECK void *heap_alloc(size_t bytes, size_t alignment);

/* Give it back. Memory that is not out panics. Blocks: never. */
void heap_free(void *memory);

/* The bytes that `memory` really has: as many as asked for, or more. */
size_t heap_room(const void *memory);

#endif
