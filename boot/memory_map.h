/*
 * boot/memory_map.h - from what the loader says to what may be used.
 */
#ifndef BOOT_MEMORY_MAP_H
#define BOOT_MEMORY_MAP_H

#include "boot/boot_info.h"
#include "kernel/paging.h"

enum { MEMORY_MAP_MAX = 128 };

/* Whole pages, in order, none touching or overlapping another. */
struct memory_map {
    struct memory_range ranges[MEMORY_MAP_MAX];
    size_t count;
};

/*
 * Reduce the loader's regions, which may come in any order and overlap, to
 * usable whole pages: where usable and not usable overlap, it is not usable.
 * Page 0 is never in it.
 *
 * keep, keep_count: ranges to leave out: the kernel, modules.
 * limit:            memory from there on is left out.
 * Blocks:           never; bounded by the products of the counts.
 */
void memory_map_build(const struct boot_info *info,
                      const struct memory_range *keep, size_t keep_count,
                      uint64_t limit, struct memory_map *map);

#endif
