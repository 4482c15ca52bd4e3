/*
 * kernel/paging.h - the page tables: every address is its own translation.
 *
 * Usable memory is mapped at its physical address, writable and never
 * executable; the kernel's sections are W^X; page 0 is not mapped at all.
 * Source: Intel SDM vol. 3, 4.5 (4-level paging).
 */
#ifndef KERNEL_PAGING_H
#define KERNEL_PAGING_H

#include "kernel/base.h"

/* A part of physical memory; end is exclusive. */
struct memory_range {
    uint64_t start;
    uint64_t end;
};

/* Memory at this address and above is not mapped: the CPU cannot reach it. */
uint64_t paging_limit(void);

/*
 * Build the page tables and go over to them.
 *
 * ranges:  memory, in whole pages, without the kernel's image.
 * Blocks:  never.
 * Returns: false when there is no memory for page tables.
 */
MUST_CHECK bool paging_init(const struct memory_range *ranges, size_t count);

/* Whether `address` is in a page that paging_unmap_page() took out. */
bool paging_is_guard(uint64_t address);

/* Whether the page of `address` can be read. */
bool paging_is_readable(uint64_t address);

/*
 * Map registers of a device, uncached, at their physical address.
 *
 * phys:    any address; the pages around the range are mapped with it.
 * bytes:   1 or more.
 * Blocks:  never.
 * Returns: `phys` as a pointer, valid for ever; null when the range wraps,
 *          overlaps memory, lies above what the CPU can address, or when there
 *          is no memory left for page tables. Mapping twice is fine.
 */
MUST_CHECK void *paging_map_device(uint64_t phys, size_t bytes);

/*
 * Take one page of memory out of the map: touching it is then a page fault.
 *
 * page:    aligned to a page; memory that page_alloc() gave.
 * Returns: false when there is no memory left for page tables.
 */
MUST_CHECK bool paging_unmap_page(void *page);

/* Undo paging_unmap_page(): readable and writable again. */
void paging_map_page(void *page);

#endif
