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
