/*
 * kernel/page.h - whole pages of memory, and who has them.
 *
 * All usable memory is mapped at its physical address, so a pointer is also
 * what a device is told. Every page has an owner, and the sum over the owners
 * is the number of pages in use: a leak has a name.
 */
#ifndef KERNEL_PAGE_H
#define KERNEL_PAGE_H

#include "kernel/base.h"

enum page_owner {
    PAGE_HEAP,   /* newlib's malloc */
    PAGE_STACK,  /* green threads' stacks */
    PAGE_NET,    /* the stack's pools: buffers, connections */
    PAGE_DEVICE, /* rings and what else devices read and write */
    PAGE_TABLE,  /* page tables */
    PAGE_OWNER_COUNT
};

/*
 * Hand [start, end) over to the allocator, which keeps a little of it for its
 * own notes (a byte per page).
 *
 * start, end: multiples of PAGE_BYTES; memory that is mapped and unused.
 */
void page_add(uintptr_t start, uintptr_t end);

/*
 * Take `pages` pages that follow one another.
 *
 * pages:   1 or more.
 * owner:   who is counted for them until page_free().
 * Blocks:  never.
 * Returns: the first byte, aligned to a page, contents undefined; null when no
 *          such run is free, or what is free is kept for another owner.
 */
MUST_CHECK void *page_alloc(size_t pages, enum page_owner owner);

/*
 * The last free pages are for one owner alone, however many he has already: a
 * program that takes all memory there is does not make the machine deaf. In
 * return he gives back what he merely keeps, before anybody else is refused.
 * A later call replaces an earlier one.
 *
 * owner:     whose they are.
 * pages:     so many; 0: nobody's.
 * give_back: called in page_alloc() of another owner, which is then tried once
 *            more. It calls page_free() alone, and does not block. Null: he
 *            keeps nothing.
 */
void page_reserve(enum page_owner owner, size_t pages, void (*give_back)(void));

/*
 * Give back what page_alloc() gave.
 *
 * first, pages, owner: as they were then. Another count or owner is a bug.
 */
void page_free(void *first, size_t pages, enum page_owner owner);

struct page_stats {
    size_t total;                  /* pages that the allocator manages */
    size_t free;                   /* of these, not given out */
    size_t used[PAGE_OWNER_COUNT]; /* given out, by owner */
};

/* How many pages there are, and who has them. Blocks: never. */
void page_stats_get(struct page_stats *stats);

#endif
