/*
 * kernel/stack.c - stacks for green threads, each above an unmapped page.
 *
 * The usual size is pooled with its guard in place, so that a thread costs no
 * change of the page tables.
 */
#include "kernel/stack.h"

#include "kernel/page.h"
#include "kernel/paging.h"
#include "kernel/thread.h"

enum { POOL_MAX = 64 };

static struct {
    void *pool[POOL_MAX];
    size_t pooled;
} stack;

void *stack_alloc(size_t bytes)
{
    size_t pages = bytes / PAGE_BYTES + 1;
    uint8_t *guard;

    ASSERT(bytes > 0 && bytes % PAGE_BYTES == 0);
    if (bytes == THREAD_STACK_BYTES && stack.pooled > 0)
        return stack.pool[--stack.pooled];
    guard = page_alloc(pages, PAGE_STACK);
    if (!guard)
        return NULL;
    if (!paging_unmap_page(guard)) {
        page_free(guard, pages, PAGE_STACK);
        return NULL;
    }
    return guard + PAGE_BYTES;
}

void stack_free(void *lowest, size_t bytes)
{
    uint8_t *guard = (uint8_t *)lowest - PAGE_BYTES;

    if (bytes == THREAD_STACK_BYTES && stack.pooled < POOL_MAX) {
        stack.pool[stack.pooled++] = lowest;
        return;
    }
    paging_map_page(guard);
    page_free(guard, bytes / PAGE_BYTES + 1, PAGE_STACK);
}
