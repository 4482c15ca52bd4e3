/*
 * boot/memory_map.c - from what the loader says to what may be used.
 */
#include "boot/memory_map.h"

static const uint64_t PAGE_MASK = PAGE_BYTES - 1;

/* Past the largest whole page is nothing; rounding up must not wrap. */
static uint64_t round_up(uint64_t address)
{
    return address > UINT64_MAX - PAGE_MASK
               ? ~PAGE_MASK
               : (address + PAGE_MASK) & ~PAGE_MASK;
}

static void remove_at(struct memory_map *map, size_t index)
{
    map->count--;
    for (size_t i = index; i < map->count; i++)
        map->ranges[i] = map->ranges[i + 1];
}

/* Returns: false when the map is full. */
static bool insert_at(struct memory_map *map, size_t index, uint64_t start,
                      uint64_t end)
{
    if (map->count == MEMORY_MAP_MAX)
        return false;
    for (size_t i = map->count; i > index; i--)
        map->ranges[i] = map->ranges[i - 1];
    map->ranges[index] = (struct memory_range){start, end};
    map->count++;
    return true;
}

/* Add [start, end), joined with all that it touches. A full map ignores it. */
static void include(struct memory_map *map, uint64_t start, uint64_t end)
{
    size_t at = 0;

    if (start >= end)
        return;
    while (at < map->count && map->ranges[at].end < start)
        at++;
    while (at < map->count && map->ranges[at].start <= end) {
        if (map->ranges[at].start < start)
            start = map->ranges[at].start;
        if (map->ranges[at].end > end)
            end = map->ranges[at].end;
        remove_at(map, at);
    }
    (void)insert_at(map, at, start, end);
}

/*
 * Take [start, end) out of one range. When it falls into the middle and the
 * map is full, the upper part is lost rather than the hole forgotten.
 * Returns: how many ranges stand where one stood.
 */
static size_t exclude_from(struct memory_map *map, size_t index, uint64_t start,
                           uint64_t end)
{
    struct memory_range *range = &map->ranges[index];
    uint64_t old_end = range->end;

    if (start <= range->start && end >= range->end) {
        remove_at(map, index);
        return 0;
    }
    if (start <= range->start) {
        range->start = end;
        return 1;
    }
    range->end = start;
    if (end >= old_end)
        return 1;
    return insert_at(map, index + 1, end, old_end) ? 2 : 1;
}

static void exclude(struct memory_map *map, uint64_t start, uint64_t end)
{
    size_t at = 0;

    if (start >= end)
        return;
    while (at < map->count) {
        const struct memory_range *range = &map->ranges[at];

        if (range->start < end && start < range->end)
            at += exclude_from(map, at, start, end);
        else
            at++;
    }
}

void memory_map_build(const struct boot_info *info,
                      const struct memory_range *keep, size_t keep_count,
                      uint64_t limit, struct memory_map *map)
{
    map->count = 0;
    for (size_t i = 0; i < info->region_count; i++) {
        const struct boot_region *region = &info->regions[i];

        if (region->usable)
            include(map, round_up(region->start), region->end & ~PAGE_MASK);
    }
    for (size_t i = 0; i < info->region_count; i++) {
        const struct boot_region *region = &info->regions[i];

        if (!region->usable)
            exclude(map, region->start & ~PAGE_MASK, round_up(region->end));
    }
    for (size_t i = 0; i < keep_count; i++)
        exclude(map, keep[i].start & ~PAGE_MASK, round_up(keep[i].end));
    exclude(map, 0, PAGE_BYTES);
    exclude(map, limit & ~PAGE_MASK, UINT64_MAX);
}
