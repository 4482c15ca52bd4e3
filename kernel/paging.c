/*
 * kernel/paging.c - the page tables: every address is its own translation.
 *
 * Memory is mapped with the largest pages that fit; one of them is split when
 * a part of it is to become different (a guard page). A page that was taken
 * out carries a mark in its entry, so that a fault on it has a name.
 * Source: Intel SDM vol. 3, 4.5 to 4.10.
 */
#include "kernel/paging.h"

#include "kernel/cpu.h"
#include "kernel/page.h"

enum {
    ENTRY_PRESENT = 1 << 0,
    ENTRY_WRITE = 1 << 1,
    ENTRY_WRITE_THROUGH = 1 << 3,
    ENTRY_CACHE_DISABLE = 1 << 4,
    ENTRY_LARGE = 1 << 7,
    ENTRY_GUARD = 1 << 9 /* ours; the CPU ignores it */
};

#define ENTRY_NO_EXECUTE (UINT64_C(1) << 63)
#define ENTRY_ADDRESS    UINT64_C(0x000ffffffffff000)

/* What kinds of memory may be done with it. */
#define RIGHTS_TEXT   ((uint64_t)ENTRY_PRESENT)
#define RIGHTS_RODATA (RIGHTS_TEXT | ENTRY_NO_EXECUTE)
#define RIGHTS_DATA   (RIGHTS_RODATA | ENTRY_WRITE)
#define RIGHTS_DEVICE (RIGHTS_DATA | ENTRY_CACHE_DISABLE | ENTRY_WRITE_THROUGH)

enum {
    LEVEL_4K = 1,
    LEVEL_2M = 2,
    LEVEL_1G = 3,
    LEVEL_ROOT = 4,
    ENTRIES = 512
};

/* Half of what four levels reach: no address here is negative. */
static const uint64_t ADDRESS_MAX = UINT64_C(1) << 47;

static struct {
    uint64_t *root;
    unsigned level_max; /* of a page: LEVEL_2M, or LEVEL_1G if the CPU can */
} paging;

extern uint8_t image_start[];
extern uint8_t rodata_start[];
extern uint8_t data_start[];
extern uint8_t image_end[];
extern uint8_t boot_stack_guard[];

static uint64_t level_bytes(unsigned level)
{
    return UINT64_C(1) << (12 + 9 * (level - 1));
}

static unsigned index_at(uint64_t address, unsigned level)
{
    return (unsigned)(address >> (12 + 9 * (level - 1))) % ENTRIES;
}

/*
 * Put a table in place of an empty entry or of a large page, which it then
 * describes with smaller ones.
 */
static uint64_t *make_table(uint64_t *entry, unsigned level)
{
    uint64_t *table = page_alloc(1, PAGE_TABLE);
    uint64_t old = *entry;
    uint64_t step = level_bytes(level - 1);

    if (!table)
        return NULL;
    if (level - 1 == LEVEL_4K)
        old &= ~(uint64_t)ENTRY_LARGE;
    for (uint64_t i = 0; i < ENTRIES; i++)
        table[i] = *entry & ENTRY_PRESENT ? old + i * step : 0;
    *entry = (uintptr_t)table | ENTRY_PRESENT | ENTRY_WRITE;
    return table;
}

/*
 * The entry of `address` in the table of `level`.
 * Returns: null when a table is missing and there is no memory for it.
 */
static uint64_t *entry_make(uint64_t address, unsigned level)
{
    uint64_t *table = paging.root;

    for (unsigned at = LEVEL_ROOT; at > level; at--) {
        uint64_t *entry = &table[index_at(address, at)];

        if ((*entry & ENTRY_PRESENT) && !(*entry & ENTRY_LARGE))
            table = (uint64_t *)(*entry & ENTRY_ADDRESS);
        else
            table = make_table(entry, at);
        if (!table)
            return NULL;
    }
    return &table[index_at(address, level)];
}

/* The entry that says what `address` is, of whatever level; changes nothing. */
static uint64_t entry_find(uint64_t address)
{
    const uint64_t *table = paging.root;

    if (address >= ADDRESS_MAX)
        return 0;
    for (unsigned at = LEVEL_ROOT; at > LEVEL_4K; at--) {
        uint64_t entry = table[index_at(address, at)];

        if (!(entry & ENTRY_PRESENT) || (entry & ENTRY_LARGE))
            return entry;
        table = (const uint64_t *)(entry & ENTRY_ADDRESS);
    }
    return table[index_at(address, LEVEL_4K)];
}

/* The largest page that may begin at `start` and ends by `end`. */
static unsigned level_at(uint64_t start, uint64_t end)
{
    unsigned level = paging.level_max;

    while (level > LEVEL_4K && (start % level_bytes(level) != 0 ||
                                end - start < level_bytes(level)))
        level--;
    return level;
}

static bool map(uint64_t start, uint64_t end, uint64_t rights)
{
    while (start < end) {
        unsigned level = level_at(start, end);
        uint64_t *entry = entry_make(start, level);

        if (!entry)
            return false;
        *entry = start | rights | (level > LEVEL_4K ? ENTRY_LARGE : 0);
        start += level_bytes(level);
    }
    return true;
}

static bool map_image(void)
{
    uint64_t text = (uintptr_t)image_start;
    uint64_t rodata = (uintptr_t)rodata_start;
    uint64_t data = (uintptr_t)data_start;
    uint64_t end = (uintptr_t)image_end;

    return map(text, rodata, RIGHTS_TEXT) && map(rodata, data, RIGHTS_RODATA) &&
           map(data, end, RIGHTS_DATA);
}

/* What the CPU offers against our own stray accesses. */
static void protect(void)
{
    struct cpuid id = cpu_id(7, 0);
    uint64_t cr4 = cpu_cr4() | CR4_PGE;

    if (id.ebx & 1u << 7)
        cr4 |= CR4_SMEP;
    if (id.ebx & 1u << 20)
        cr4 |= CR4_SMAP;
    if (id.ecx & 1u << 2)
        cr4 |= CR4_UMIP;
    cpu_cr4_write(cr4);
}

uint64_t paging_limit(void)
{
    unsigned bits = cpu_id(0x80000008, 0).eax & 0xff;

    return bits >= 32 && bits < 47 ? UINT64_C(1) << bits : ADDRESS_MAX;
}

bool paging_init(const struct memory_range *ranges, size_t count)
{
    bool has_1g = cpu_id(0x80000001, 0).edx & 1u << 26;

    paging.level_max = has_1g ? LEVEL_1G : LEVEL_2M;
    paging.root = page_alloc(1, PAGE_TABLE);
    if (!paging.root)
        return false;
    __builtin_memset(paging.root, 0, PAGE_BYTES);
    for (size_t i = 0; i < count; i++) {
        if (!map(ranges[i].start, ranges[i].end, RIGHTS_DATA))
            return false;
    }
    if (!map_image() || !paging_unmap_page(boot_stack_guard))
        return false;
    cpu_cr3_write((uintptr_t)paging.root);
    protect();
    return true;
}

bool paging_is_guard(uint64_t address)
{
    uint64_t entry = entry_find(address);

    return !(entry & ENTRY_PRESENT) && (entry & ENTRY_GUARD);
}

bool paging_is_readable(uint64_t address)
{
    return paging.root && (entry_find(address) & ENTRY_PRESENT);
}

/* Whether nothing but device registers is mapped in the range. */
static bool is_free_for_device(uint64_t start, uint64_t end)
{
    for (uint64_t at = start; at < end; at += PAGE_BYTES) {
        uint64_t entry = entry_find(at);

        if ((entry & ENTRY_GUARD) ||
            ((entry & ENTRY_PRESENT) && !(entry & ENTRY_CACHE_DISABLE)))
            return false;
    }
    return true;
}

void *paging_map_device(uint64_t phys, size_t bytes)
{
    uint64_t start = phys & ~(uint64_t)(PAGE_BYTES - 1);
    uint64_t limit = paging_limit();
    uint64_t end;

    if (start == 0 || phys >= limit || bytes == 0 || bytes > limit - phys)
        return NULL;
    end = (phys + bytes + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1);
    if (!is_free_for_device(start, end))
        return NULL;
    for (uint64_t at = start; at < end; at += PAGE_BYTES) {
        uint64_t *entry = entry_make(at, LEVEL_4K);

        if (!entry)
            return NULL;
        *entry = at | RIGHTS_DEVICE;
    }
    return (void *)(uintptr_t)phys;
}

bool paging_unmap_page(void *page)
{
    uint64_t *entry = entry_make((uintptr_t)page, LEVEL_4K);

    if (!entry)
        return false;
    *entry = ENTRY_GUARD;
    cpu_invalidate_page(page);
    return true;
}

void paging_map_page(void *page)
{
    uint64_t *entry = entry_make((uintptr_t)page, LEVEL_4K);

    ASSERT(entry && *entry == ENTRY_GUARD);
    *entry = (uintptr_t)page | RIGHTS_DATA;
}
