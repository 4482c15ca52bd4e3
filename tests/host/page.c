/*
 * tests/host/page.c - kernel/page.h on the host: pages of aligned_alloc().
 *
 * Counts owners as the kernel does, so that a test can show that nothing is
 * left; hosts' sanitizers watch the bounds.
 */
#include "kernel/page.h"

#include <stdlib.h>
#include <string.h>

#include "tests/host/page.h"

size_t host_pages_max = SIZE_MAX;

static struct page_stats stats;

static size_t used_pages(void)
{
    size_t sum = 0;

    for (unsigned i = 0; i < PAGE_OWNER_COUNT; i++)
        sum += stats.used[i];
    return sum;
}

void *page_alloc(size_t pages, enum page_owner owner)
{
    void *first;

    ASSERT(pages > 0 && owner < PAGE_OWNER_COUNT);
    if (pages > host_pages_max || used_pages() > host_pages_max - pages)
        return NULL;
    first = aligned_alloc(PAGE_BYTES, pages * PAGE_BYTES);
    if (!first)
        return NULL;
    memset(first, 0xa5, pages * PAGE_BYTES); /* contents are undefined */
    stats.used[owner] += pages;
    return first;
}

void page_free(void *first, size_t pages, enum page_owner owner)
{
    ASSERT(first && owner < PAGE_OWNER_COUNT);
    ASSERT(pages > 0 && pages <= stats.used[owner]);
    stats.used[owner] -= pages;
    free(first);
}

void page_stats_get(struct page_stats *out)
{
    *out = stats;
    out->total = host_pages_max;
    out->free = host_pages_max - used_pages();
}

size_t host_pages_of(enum page_owner owner)
{
    return stats.used[owner];
}
