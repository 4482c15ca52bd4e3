/*
 * kernel/page.c - whole pages of memory: a buddy allocator per zone.
 *
 * A zone is memory without a hole. A free block is 2^order pages, aligned to
 * its size, and noted in the list of its order; a run of any length is cut
 * from the smallest block that holds it, and what is over goes back. So every
 * call is bounded by the number of orders, whatever the memory. Single pages,
 * the common case, pass through a small stack of hot ones.
 *
 * One byte of state per page catches a run that is freed twice, with another
 * length, or by another owner.
 * Source: Knuth, The Art of Computer Programming, 2.5.
 */
#include "kernel/page.h"

enum {
    ORDERS = 25, /* the largest block: 64 GiB */
    ZONES_MAX = 64,
    HOT_MAX = 64
};

/* The state of a page; 0 is a page inside a free block. */
enum {
    STATE_FREE_HEAD = 0x80, /* with the order: the first page of a block */
    STATE_USED = 0x40,      /* with the owner */
    STATE_USED_HEAD = 0x20, /* and this: the first page of a run */
    STATE_HOT = 0x10
};

struct free_block {
    struct free_block *next;
    struct free_block *previous;
};

struct zone {
    uintptr_t first; /* a page's number: its address by PAGE_BYTES */
    uintptr_t end;
    uint8_t *state;
};

static struct {
    struct zone zones[ZONES_MAX];
    size_t zone_count;
    struct free_block *free[ORDERS];
    uint32_t orders_free; /* bit n: free[n] has a block */
    void *hot[HOT_MAX];
    size_t hot_count;
    size_t reserve; /* the last so many are for this owner alone: */
    enum page_owner reserve_owner;
    void (*give_back)(void); /* ... who gives what he keeps; may be null */
    struct page_stats stats;
} page;

static void *to_pointer(uintptr_t number)
{
    return (void *)(number * PAGE_BYTES);
}

static uintptr_t to_number(const void *pointer)
{
    return (uintptr_t)pointer / PAGE_BYTES;
}

static struct zone *zone_of(uintptr_t number)
{
    for (size_t i = 0; i < page.zone_count; i++) {
        if (number >= page.zones[i].first && number < page.zones[i].end)
            return &page.zones[i];
    }
    panic_at(__FILE__, __LINE__, "a page that the allocator does not manage");
}

static uint8_t *state_of(struct zone *zone, uintptr_t number)
{
    return &zone->state[number - zone->first];
}

static void list_push(uintptr_t number, unsigned order)
{
    struct free_block *block = to_pointer(number);

    block->previous = NULL;
    block->next = page.free[order];
    if (block->next)
        block->next->previous = block;
    page.free[order] = block;
    page.orders_free |= UINT32_C(1) << order;
}

static void list_remove(uintptr_t number, unsigned order)
{
    struct free_block *block = to_pointer(number);

    if (block->next)
        block->next->previous = block->previous;
    if (block->previous)
        block->previous->next = block->next;
    else
        page.free[order] = block->next;
    if (!page.free[order])
        page.orders_free &= ~(UINT32_C(1) << order);
}

/* Join a block with its free buddy, and the result with its own, and so on. */
static void release_block(struct zone *zone, uintptr_t number, unsigned order)
{
    for (; order + 1 < ORDERS; order++) {
        uintptr_t buddy = number ^ (uintptr_t)1 << order;

        if (buddy < zone->first || buddy >= zone->end ||
            *state_of(zone, buddy) != (STATE_FREE_HEAD | order))
            break;
        list_remove(buddy, order);
        *state_of(zone, buddy) = 0;
        number &= ~((uintptr_t)1 << order);
    }
    *state_of(zone, number) = (uint8_t)(STATE_FREE_HEAD | order);
    list_push(number, order);
}

/* The largest order of a block that begins at `number` and ends by `end`. */
static unsigned order_at(uintptr_t number, uintptr_t end)
{
    unsigned by_length = 63 - (unsigned)__builtin_clzll(end - number);
    unsigned by_place =
        number == 0 ? ORDERS - 1 : (unsigned)__builtin_ctzll(number);
    unsigned order = by_place < by_length ? by_place : by_length;

    return order < ORDERS ? order : ORDERS - 1;
}

/* Cut a run into aligned blocks: at most two of each order, largest aside. */
static void release_run(struct zone *zone, uintptr_t number, uintptr_t end)
{
    while (number < end) {
        unsigned order = order_at(number, end);

        release_block(zone, number, order);
        number += (uintptr_t)1 << order;
    }
}

void page_add(uintptr_t start, uintptr_t end)
{
    uintptr_t first = start / PAGE_BYTES;
    uintptr_t last = end / PAGE_BYTES;
    struct zone *zone = &page.zones[page.zone_count];
    uintptr_t notes;

    ASSERT(start % PAGE_BYTES == 0 && end % PAGE_BYTES == 0 && start <= end);
    notes = (last - first + PAGE_BYTES - 1) / PAGE_BYTES;
    if (page.zone_count == ZONES_MAX || last - first < notes + 1)
        return;
    page.zone_count++;
    zone->state = to_pointer(first);
    zone->first = first + notes;
    zone->end = last;
    __builtin_memset(zone->state, 0, last - zone->first);
    release_run(zone, zone->first, last);
    page.stats.total += last - zone->first;
    page.stats.free += last - zone->first;
}

/* Returns: the number of the first page, or 0 when no such run is free. */
static uintptr_t take_run(size_t pages)
{
    unsigned order = 0;
    uint32_t candidates;
    uintptr_t number;
    struct zone *zone;

    while (order < ORDERS && (size_t)1 << order < pages)
        order++;
    if (order == ORDERS)
        return 0;
    candidates = page.orders_free >> order << order;
    if (!candidates)
        return 0;
    order = (unsigned)__builtin_ctz(candidates);
    number = to_number(page.free[order]);
    zone = zone_of(number);
    list_remove(number, order);
    *state_of(zone, number) = 0;
    release_run(zone, number + pages, number + ((uintptr_t)1 << order));
    return number;
}

static void hot_flush(void)
{
    while (page.hot_count > 0) {
        uintptr_t number = to_number(page.hot[--page.hot_count]);

        release_block(zone_of(number), number, 0);
    }
}

static uintptr_t take(size_t pages)
{
    uintptr_t number;

    if (pages == 1 && page.hot_count > 0)
        return to_number(page.hot[--page.hot_count]);
    number = take_run(pages);
    if (number == 0 && page.hot_count > 0) {
        hot_flush();
        number = take_run(pages);
    }
    return number;
}

COLD void page_reserve(enum page_owner owner, size_t pages,
                       void (*give_back)(void))
{
    page.reserve_owner = owner;
    page.reserve = pages;
    page.give_back = give_back;
}

static bool leaves_reserve(size_t pages, enum page_owner owner)
{
    size_t kept = owner == page.reserve_owner ? 0 : page.reserve;

    return pages <= page.stats.free && kept <= page.stats.free - pages;
}

/* Returns: as take(). */
static uintptr_t take_for(size_t pages, enum page_owner owner)
{
    return leaves_reserve(pages, owner) ? take(pages) : 0;
}

/* The owner of the reserve is not asked for himself: what he keeps he would
 * have used, and he is amid its use. */
static COLD uintptr_t take_of_kept(size_t pages, enum page_owner owner)
{
    if (!page.give_back || owner == page.reserve_owner)
        return 0;
    page.give_back();
    return take_for(pages, owner);
}

void *page_alloc(size_t pages, enum page_owner owner)
{
    uintptr_t number;
    uint8_t *state;

    ASSERT(pages > 0 && owner < PAGE_OWNER_COUNT);
    number = take_for(pages, owner);
    if (number == 0)
        number = take_of_kept(pages, owner);
    if (number == 0)
        return NULL;
    state = state_of(zone_of(number), number);
    __builtin_memset(state, STATE_USED | (int)owner, pages);
    state[0] |= STATE_USED_HEAD;
    page.stats.free -= pages;
    page.stats.used[owner] += pages;
    return to_pointer(number);
}

/* Panics unless page_alloc() gave just this run to just this owner. */
static void check_run(const struct zone *zone, uintptr_t number, size_t pages,
                      enum page_owner owner)
{
    const uint8_t *state = &zone->state[number - zone->first];
    uint8_t inner = (uint8_t)(STATE_USED | owner);

    ASSERT(pages > 0 && pages <= zone->end - number);
    ASSERT(state[0] == (inner | STATE_USED_HEAD));
    for (size_t i = 1; i < pages; i++)
        ASSERT(state[i] == inner);
    ASSERT(number + pages == zone->end || state[pages] != inner);
}

void page_free(void *first, size_t pages, enum page_owner owner)
{
    uintptr_t number = to_number(first);
    struct zone *zone = zone_of(number);

    check_run(zone, number, pages, owner);
    page.stats.free += pages;
    page.stats.used[owner] -= pages;
    if (pages == 1 && page.hot_count < HOT_MAX) {
        *state_of(zone, number) = STATE_HOT;
        page.hot[page.hot_count++] = first;
        return;
    }
    __builtin_memset(state_of(zone, number), 0, pages);
    release_run(zone, number, number + pages);
}

void page_stats_get(struct page_stats *stats)
{
    *stats = page.stats;
}
