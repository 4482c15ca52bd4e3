/*
 * libc-shim/heap.c - sbrk() over the page allocator.
 *
 * newlib's malloc grows by sbrk() and copes with gaps between what it is
 * given, so every growth takes a run of pages wherever there is one. It also
 * asks for its last bytes back by a negative number; a run that becomes empty
 * is returned.
 *
 * Source: newlib libc/stdlib/mallocr.c (foreign sbrk).
 */
#include <errno.h>
#include <unistd.h>

#include "kernel/base.h"
#include "kernel/page.h"

enum {
    RUNS_MAX = 256,
    RUN_PAGES = 16 /* taken at once, so that small growths are cheap */
};

struct run {
    char *start;
    size_t pages;
    size_t used; /* bytes */
};

static struct heap {
    struct run run[RUNS_MAX];
    unsigned count;
} heap;

static void *refuse(void)
{
    errno = ENOMEM;
    return (void *)-1;
}

static size_t pages_for(size_t bytes)
{
    return (bytes + PAGE_BYTES - 1) / PAGE_BYTES;
}

/* A new run; joined to the last one when it happens to follow it. */
static bool add_run(size_t bytes)
{
    size_t pages = pages_for(bytes);
    struct run *last = heap.count ? &heap.run[heap.count - 1] : NULL;
    char *start = NULL;

    if (heap.count == RUNS_MAX)
        return false;
    if (pages < RUN_PAGES) {
        start = page_alloc(RUN_PAGES, PAGE_HEAP);
        if (start)
            pages = RUN_PAGES;
    }
    if (!start)
        start = page_alloc(pages, PAGE_HEAP);
    if (!start)
        return false;
    if (last && last->used == last->pages * PAGE_BYTES &&
        last->start + last->used == start) {
        last->pages += pages;
        return true;
    }
    heap.run[heap.count++] = (struct run){.start = start, .pages = pages};
    return true;
}

static void *grow(size_t bytes)
{
    struct run *last = heap.count ? &heap.run[heap.count - 1] : NULL;
    char *at;

    if (bytes > SIZE_MAX / 2)
        return refuse();
    if (!last || last->pages * PAGE_BYTES - last->used < bytes) {
        if (!add_run(bytes))
            return refuse();
        last = &heap.run[heap.count - 1];
    }
    at = last->start + last->used;
    last->used += bytes;
    return at;
}

/* Only what lies in the last run can be taken back. */
static void *shrink(size_t bytes)
{
    struct run *last = heap.count ? &heap.run[heap.count - 1] : NULL;
    char *before;

    if (!last || last->used < bytes)
        return refuse();
    before = last->start + last->used;
    last->used -= bytes;
    if (last->used == 0) {
        page_free(last->start, last->pages, PAGE_HEAP);
        heap.count--;
    }
    return before;
}

static void *current(void)
{
    const struct run *last = heap.count ? &heap.run[heap.count - 1] : NULL;

    return last ? last->start + last->used : NULL;
}

/* See sbrk(2). Returns: the old end, or (void *)-1 with ENOMEM. */
void *sbrk(ptrdiff_t change)
{
    if (change == 0)
        return current();
    return change > 0 ? grow((size_t)change) : shrink((size_t)-change);
}
