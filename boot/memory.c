/*
 * boot/memory.c - all usable memory into the page tables and the allocator.
 *
 * boot/entry.S maps the lowest 4 GiB only; so the allocator gets what lies
 * there first, makes the page tables out of it, and gets the rest once that
 * is mapped.
 */
#include "boot/memory.h"

#include "boot/memory_map.h"
#include "kernel/page.h"

static const uint64_t BOOT_MAPPED = UINT64_C(1) << 32;

extern uint8_t image_start[];
extern uint8_t image_end[];

/* The parts of `map` in [from, to) go to the allocator. */
static void add_pages(const struct memory_map *map, uint64_t from, uint64_t to)
{
    for (size_t i = 0; i < map->count; i++) {
        uint64_t start = map->ranges[i].start;
        uint64_t end = map->ranges[i].end;

        if (start < from)
            start = from;
        if (end > to)
            end = to;
        if (start < end)
            page_add(start, end);
    }
}

bool memory_start(const struct boot_info *info)
{
    static struct memory_map mapped;
    static struct memory_map unused;
    struct memory_range keep[1 + BOOT_MODULES_MAX];
    uint64_t limit = paging_limit();

    keep[0] =
        (struct memory_range){(uintptr_t)image_start, (uintptr_t)image_end};
    for (size_t i = 0; i < info->module_count; i++)
        keep[1 + i] =
            (struct memory_range){info->modules[i].start, info->modules[i].end};
    memory_map_build(info, keep, 1, limit, &mapped);
    memory_map_build(info, keep, 1 + info->module_count, limit, &unused);
    add_pages(&unused, 0, BOOT_MAPPED);
    if (!paging_init(mapped.ranges, mapped.count))
        return false;
    add_pages(&unused, BOOT_MAPPED, UINT64_MAX);
    return true;
}
