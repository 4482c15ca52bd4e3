/*
 * tests/unit/test_boot_info.c - what a boot loader may leave, and lies.
 *
 * Rows M1 to M9 of the list of bad inputs, on a memory of 64 KiB that begins
 * at 0x10000; the kernel's image is its part from 0x18000 to 0x1a000.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "boot/boot_info.h"
#include "boot/memory_map.h"

enum {
    BASE = 0x10000,
    BYTES = 0x10000,
    HOLE_START = 0x18000,
    HOLE_END = 0x1a000,
    INFO = 0x11000,
    MAP = 0x12000,
    TEXT = 0x13000,
    MODULES = 0x14000,
};

enum { LEFT_1 = 0x2badb002, LEFT_2 = 0x36d76289, LEFT_PVH = 0x336ec578 };

static uint8_t *bytes;
static struct boot_memory memory;
static struct boot_info info;

static int set_up(void **state)
{
    (void)state;
    bytes = calloc(1, BYTES); /* its end is where the sanitizer looks */
    memory =
        (struct boot_memory){bytes, BASE, BASE + BYTES, HOLE_START, HOLE_END};
    return bytes ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    free(bytes);
    return 0;
}

static void put32(uint32_t at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        bytes[at - BASE + i] = (uint8_t)(value >> 8 * i);
}

static void put64(uint32_t at, uint64_t value)
{
    put32(at, (uint32_t)value);
    put32(at + 4, (uint32_t)(value >> 32));
}

static void put_text(uint32_t at, const char *text)
{
    memcpy(bytes + (at - BASE), text, strlen(text) + 1);
}

/* One entry of a Multiboot 1 map. */
static void put_entry(uint32_t at, uint32_t size, uint64_t start,
                      uint64_t length, uint32_t type)
{
    put32(at, size);
    put64(at + 4, start);
    put64(at + 12, length);
    put32(at + 20, type);
}

/* Good Multiboot 1 information: a map of two entries, a command line. */
static void put_multiboot1(const char *loader, const char *cmdline)
{
    put32(INFO, 1 << 2 | 1 << 6 | 1 << 9);
    put32(INFO + 16, TEXT);
    put32(INFO + 44, 48);
    put32(INFO + 48, MAP);
    put32(INFO + 64, TEXT + 0x800);
    put_text(TEXT, cmdline);
    put_text(TEXT + 0x800, loader);
    put_entry(MAP, 20, 0, 0x9fc00, 1);
    put_entry(MAP + 24, 20, 0x100000, 0x700000, 1);
}

static enum boot_status parse1(void)
{
    return boot_info_parse(&memory, LEFT_1, INFO, &info);
}

/* --- Multiboot 1 ----------------------------------------------------------*/

static void multiboot1__good_information_is_copied(void **state)
{
    (void)state;
    put_multiboot1("GRUB 2.06", "--ipv4=10.0.0.2/24 a");

    assert_int_equal(parse1(), BOOT_OK);

    memset(bytes, 0xee, BYTES); /* the loader's memory is used by others */
    assert_string_equal(info.protocol, "multiboot");
    assert_string_equal(info.loader, "GRUB 2.06");
    assert_string_equal(info.cmdline, "--ipv4=10.0.0.2/24 a");
    assert_int_equal(info.region_count, 2);
    assert_int_equal(info.regions[1].start, 0x100000);
    assert_int_equal(info.regions[1].end, 0x800000);
    assert_true(info.regions[1].usable);
}

static void multiboot1__qemus_file_name_is_dropped(void **state)
{
    (void)state;
    put_multiboot1("qemu", "build/x.elf  --name=a b");
    assert_int_equal(parse1(), BOOT_OK);
    assert_string_equal(info.cmdline, "--name=a b");
}

static void
multiboot1__qemu_without_command_line_gives_an_empty_one(void **state)
{
    (void)state;
    put_multiboot1("qemu", "build/x.elf");
    assert_int_equal(parse1(), BOOT_OK);
    assert_string_equal(info.cmdline, "");
}

static void m1__unknown_magic_is_refused(void **state)
{
    (void)state;
    put_multiboot1("GRUB", "");
    assert_int_equal(boot_info_parse(&memory, 0x2badb003, INFO, &info),
                     BOOT_BAD_MAGIC);
    assert_int_equal(boot_info_parse(&memory, 0, INFO, &info), BOOT_BAD_MAGIC);
}

static void m2__information_at_a_bad_address_is_refused(void **state)
{
    static const uint32_t magics[] = {LEFT_1, LEFT_2, LEFT_PVH};
    static const uint64_t addresses[] = {0,
                                         1,
                                         INFO + 1,
                                         BASE - 4,
                                         BASE + BYTES - 4,
                                         BASE + BYTES,
                                         HOLE_START,
                                         HOLE_START - 8,
                                         HOLE_END - 4,
                                         0xfffffff8,
                                         UINT64_MAX - 7};

    (void)state;
    memset(bytes, 0xff, BYTES);
    for (size_t m = 0; m < ARRAY_LEN(magics); m++) {
        for (size_t i = 0; i < ARRAY_LEN(addresses); i++)
            assert_int_not_equal(
                boot_info_parse(&memory, magics[m], addresses[i], &info),
                BOOT_OK);
    }
}

static void m2__null_is_refused_where_memory_begins_at_0(void **state)
{
    (void)state;
    put_multiboot1("GRUB", "");
    memory.base = 0;
    memory.end = BYTES;
    assert_null(boot_memory_at(&memory, 0, 1));
    assert_non_null(boot_memory_at(&memory, 1, 1));
}

static void m3__flags_with_null_pointers_are_refused(void **state)
{
    static const uint32_t fields[] = {INFO + 16, INFO + 48, INFO + 64};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        put_multiboot1("GRUB", "x");
        put32(fields[i], 0);
        assert_int_equal(parse1(), BOOT_BAD_POINTER);
    }
}

static void m3__no_modules_need_no_pointer(void **state)
{
    (void)state;
    put_multiboot1("GRUB", "x");
    put32(INFO, 1 << 2 | 1 << 3 | 1 << 6 | 1 << 9);
    assert_int_equal(parse1(), BOOT_OK);
    assert_int_equal(info.module_count, 0);
}

static void m4__impossible_entry_sizes_are_refused(void **state)
{
    static const uint32_t sizes[] = {0,  4,          19,         21,
                                     45, 0x7fffffff, 0xfffffffc, 0xffffffff};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        put_multiboot1("GRUB", "");
        put32(MAP, sizes[i]);
        assert_int_equal(parse1(), BOOT_BAD_MAP);
    }
}

static void
m4__a_map_that_is_no_whole_number_of_entries_is_refused(void **state)
{
    (void)state;
    for (uint32_t length = 25; length < 48; length++) {
        put_multiboot1("GRUB", "");
        put32(INFO + 44, length);
        assert_int_equal(parse1(), BOOT_BAD_MAP);
    }
    put32(INFO + 44, 0xffffffff);
    assert_int_equal(parse1(), BOOT_BAD_MAP);
    put32(INFO + 44, 0x8000); /* leaves the window */
    put32(INFO + 48, BASE + 0x9000);
    assert_int_equal(parse1(), BOOT_BAD_POINTER);
}

static void m4__a_short_entry_before_a_good_one_is_refused(void **state)
{
    (void)state;
    put_multiboot1("GRUB", "");
    put32(MAP, 8);
    put_entry(MAP + 12, 20, 0x100000, 0x100000, 1);
    put32(INFO + 44, 12 + 24);
    assert_int_equal(parse1(), BOOT_BAD_MAP);
}

static void m4__longer_entries_are_stepped_over(void **state)
{
    (void)state;
    put_multiboot1("GRUB", "");
    put_entry(MAP, 24, 0x1000, 0x1000, 1);
    put_entry(MAP + 28, 20, 0x100000, 0x100000, 2);
    put32(INFO + 44, 28 + 24);
    assert_int_equal(parse1(), BOOT_OK);
    assert_int_equal(info.region_count, 2);
    assert_int_equal(info.regions[1].start, 0x100000);
    assert_false(info.regions[1].usable);
}

static void m6__without_a_map_the_two_sizes_count(void **state)
{
    (void)state;
    put32(INFO, 1 << 0);
    put32(INFO + 4, 639);
    put32(INFO + 8, 15 * 1024);
    assert_int_equal(parse1(), BOOT_OK);
    assert_int_equal(info.region_count, 2);
    assert_int_equal(info.regions[0].end, 639 * 1024);
    assert_int_equal(info.regions[1].start, 0x100000);
    assert_int_equal(info.regions[1].end, 0x1000000);
}

static void m6__without_map_and_sizes_it_is_refused(void **state)
{
    (void)state;
    put32(INFO, 0);
    assert_int_equal(parse1(), BOOT_NO_MAP);
}

static void m7__regions_beyond_the_table_are_counted(void **state)
{
    const uint32_t count = BOOT_REGIONS_MAX + 10;

    (void)state;
    put_multiboot1("GRUB", "");
    put32(INFO + 44, count * 24);
    put32(INFO + 48, BASE + 0xa000);
    for (uint32_t i = 0; i < count; i++)
        put_entry(BASE + 0xa000 + i * 24, 20, i * 0x10000, 0x8000, 1);
    assert_int_equal(parse1(), BOOT_OK);
    assert_int_equal(info.region_count, BOOT_REGIONS_MAX);
    assert_int_equal(info.regions_dropped, 10);
}

static void m8__a_command_line_may_be_missing_or_empty(void **state)
{
    (void)state;
    put_multiboot1("GRUB", "");
    assert_int_equal(parse1(), BOOT_OK);
    assert_string_equal(info.cmdline, "");
    put32(INFO, 1 << 6);
    assert_int_equal(parse1(), BOOT_OK);
    assert_string_equal(info.cmdline, "");
}

static void
m8__the_longest_command_line_is_taken_and_one_more_refused(void **state)
{
    (void)state;
    put_multiboot1("GRUB", "");
    put32(INFO + 16, BASE + 0xb000);
    memset(bytes + 0xb000, 'x', BOOT_CMDLINE_BYTES - 1);
    assert_int_equal(parse1(), BOOT_OK);
    assert_int_equal(strlen(info.cmdline), BOOT_CMDLINE_BYTES - 1);
    bytes[0xb000 + BOOT_CMDLINE_BYTES - 1] = 'x';
    assert_int_equal(parse1(), BOOT_BAD_CMDLINE);
    assert_string_equal(info.cmdline, "");
}

static void m8__a_command_line_that_leaves_memory_is_refused(void **state)
{
    (void)state;
    put_multiboot1("GRUB", "");
    put32(INFO + 16, BASE + BYTES - 3);
    memset(bytes + BYTES - 3, 'x', 3);
    assert_int_equal(parse1(), BOOT_BAD_CMDLINE);
    put32(INFO + 16, HOLE_START - 2); /* runs into the kernel */
    memset(bytes + HOLE_START - 2 - BASE, 'x', 2);
    assert_int_equal(parse1(), BOOT_BAD_CMDLINE);
}

/* --- modules --------------------------------------------------------------*/

static void put_modules(uint32_t count)
{
    put_multiboot1("GRUB", "");
    put32(INFO, 1 << 2 | 1 << 3 | 1 << 6 | 1 << 9);
    put32(INFO + 20, count);
    put32(INFO + 24, MODULES);
    for (uint32_t i = 0; i < count; i++) {
        put32(MODULES + i * 16, 0x40000 + i * 0x1000);
        put32(MODULES + i * 16 + 4, 0x40800 + i * 0x1000);
        put32(MODULES + i * 16 + 8, TEXT + 0x900);
    }
    put_text(TEXT + 0x900, "page.html");
}

static void m9__modules_are_copied_with_their_names(void **state)
{
    (void)state;
    put_modules(2);
    assert_int_equal(parse1(), BOOT_OK);
    assert_int_equal(info.module_count, 2);
    assert_int_equal(info.modules[1].start, 0x41000);
    assert_int_equal(info.modules[1].end, 0x41800);
    assert_string_equal(info.modules[1].name, "page.html");
}

static void m9__a_count_that_lies_is_refused(void **state)
{
    (void)state;
    put_modules(2);
    put32(INFO + 20, 0xffffffff);
    assert_int_equal(parse1(), BOOT_BAD_LENGTH);
    put32(INFO + 20, 4);
    put32(INFO + 24, BASE + BYTES - 32);
    assert_int_equal(parse1(), BOOT_BAD_POINTER);
}

static void m9__backward_or_overlapping_modules_are_refused(void **state)
{
    (void)state;
    put_modules(2);
    put32(MODULES + 4, 0x3ffff);
    assert_int_equal(parse1(), BOOT_BAD_MODULE);
    put_modules(2);
    put32(MODULES + 4, 0x41001);
    assert_int_equal(parse1(), BOOT_BAD_MODULE);
    put_modules(1);
    put32(MODULES, HOLE_START - 0x1000);
    put32(MODULES + 4, HOLE_START + 1);
    assert_int_equal(parse1(), BOOT_BAD_MODULE);
}

/* --- Multiboot 2 ----------------------------------------------------------*/

static uint32_t tag_at;

static void tag(uint32_t type, uint32_t length)
{
    put32(tag_at, type);
    put32(tag_at + 4, length);
}

static void end_tag(uint32_t length)
{
    tag_at += (length + 7) & ~7u;
}

static void put_multiboot2(void)
{
    tag_at = INFO + 8;
    tag(1, 8 + 4);
    put_text(tag_at + 8, "a=b");
    end_tag(12);
    tag(2, 8 + 5);
    put_text(tag_at + 8, "GRUB");
    end_tag(13);
    tag(6, 16 + 24);
    put32(tag_at + 8, 24);
    put32(tag_at + 12, 0);
    put64(tag_at + 16, 0x100000);
    put64(tag_at + 24, 0x200000);
    put32(tag_at + 32, 1);
    end_tag(40);
    tag(14, 8 + 20);
    memset(bytes + (tag_at + 8 - BASE), 0x52, 20);
    end_tag(28);
    tag(0, 8);
    end_tag(8);
    put32(INFO, tag_at - INFO);
}

static enum boot_status parse2(void)
{
    return boot_info_parse(&memory, LEFT_2, INFO, &info);
}

static void multiboot2__good_information_is_copied(void **state)
{
    (void)state;
    put_multiboot2();
    assert_int_equal(parse2(), BOOT_OK);
    assert_string_equal(info.cmdline, "a=b");
    assert_string_equal(info.loader, "GRUB");
    assert_int_equal(info.region_count, 1);
    assert_int_equal(info.regions[0].end, 0x300000);
    assert_int_equal(info.rsdp_bytes, 20);
    assert_int_equal(info.rsdp[19], 0x52);
}

static void m4__impossible_tags_are_refused(void **state)
{
    static const uint32_t lengths[] = {0, 7, 0x1000, 0x7fffffff, 0xffffffff};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        put_multiboot2();
        put32(INFO + 8 + 4, lengths[i]);
        assert_int_equal(parse2(), BOOT_BAD_LENGTH);
    }
}

static void m4__impossible_total_sizes_are_refused(void **state)
{
    static const uint32_t totals[] = {0, 7, 0xf001, 0x2000000, 0xffffffff};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(totals); i++) {
        put_multiboot2();
        put32(INFO, totals[i]);
        assert_int_not_equal(parse2(), BOOT_OK);
    }
}

static void m4__impossible_map_entries_of_multiboot2_are_refused(void **state)
{
    static const uint32_t sizes[] = {0, 8, 20, 23, 25, 0xffffffff};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        put_multiboot2();
        put32(INFO + 8 + 16 + 16 + 8, sizes[i]);
        assert_int_equal(parse2(), BOOT_BAD_MAP);
    }
}

static void m6__multiboot2_without_a_map_is_refused(void **state)
{
    (void)state;
    put_multiboot2();
    put32(INFO + 8 + 16 + 16, 21);
    assert_int_equal(parse2(), BOOT_NO_MAP);
}

static void m8__a_command_line_ends_with_its_tag(void **state)
{
    (void)state;
    put_multiboot2();
    bytes[INFO + 8 + 8 + 3 - BASE] = 'c'; /* where its zero was */
    assert_int_equal(parse2(), BOOT_BAD_CMDLINE);
}

static void m4__multiboot2_cut_anywhere_reads_nothing_outside(void **state)
{
    uint8_t *whole = bytes;

    (void)state;
    put_multiboot2();
    for (uint32_t length = 8; length <= tag_at - INFO; length++) {
        bytes = malloc(length); /* the sanitizer guards its end */
        assert_non_null(bytes);
        memcpy(bytes, whole + (INFO - BASE), length);
        memory = (struct boot_memory){bytes, INFO, INFO + length, 0, 0};
        memcpy(bytes, &length, sizeof(length));
        (void)parse2();
        free(bytes);
    }
    bytes = whole;
}

/* --- PVH ------------------------------------------------------------------*/

static void put_pvh(void)
{
    put32(INFO, 0x336ec578);
    put32(INFO + 4, 1);
    put32(INFO + 12, 1);
    put64(INFO + 16, MODULES);
    put64(INFO + 24, TEXT);
    put64(INFO + 32, 0xf5000);
    put64(INFO + 40, MAP);
    put32(INFO + 48, 1);
    put64(MAP, 0x100000);
    put64(MAP + 8, 0x100000);
    put32(MAP + 16, 1);
    put64(MODULES, 0x50000);
    put64(MODULES + 8, 0x100);
    put64(MODULES + 16, 0);
    put_text(TEXT, "x y");
}

static enum boot_status parse_pvh(void)
{
    return boot_info_parse(&memory, LEFT_PVH, INFO, &info);
}

static void pvh__good_information_is_copied(void **state)
{
    (void)state;
    put_pvh();
    assert_int_equal(parse_pvh(), BOOT_OK);
    assert_string_equal(info.cmdline, "x y");
    assert_int_equal(info.regions[0].end, 0x200000);
    assert_int_equal(info.modules[0].end, 0x50100);
    assert_string_equal(info.modules[0].name, "");
    assert_int_equal(info.rsdp_address, 0xf5000);
}

static void m1__pvh_without_its_own_magic_is_refused(void **state)
{
    (void)state;
    put_pvh();
    put32(INFO, 0x336ec579);
    assert_int_equal(parse_pvh(), BOOT_BAD_MAGIC);
}

static void m4__impossible_pvh_counts_are_refused(void **state)
{
    (void)state;
    put_pvh();
    put32(INFO + 48, 0xffffffff);
    assert_int_equal(parse_pvh(), BOOT_BAD_MAP);
    put32(INFO + 48, 4096); /* leaves the window */
    assert_int_equal(parse_pvh(), BOOT_BAD_POINTER);
    put32(INFO + 48, 0);
    assert_int_equal(parse_pvh(), BOOT_NO_MAP);
    put_pvh();
    put32(INFO + 12, 0xffffffff);
    assert_int_equal(parse_pvh(), BOOT_BAD_LENGTH);
    put_pvh();
    put64(MODULES + 8, UINT64_MAX);
    assert_int_equal(parse_pvh(), BOOT_BAD_MODULE);
    put_pvh();
    put32(INFO + 4, 0);
    assert_int_equal(parse_pvh(), BOOT_NO_MAP);
}

/* --- the memory map -------------------------------------------------------*/

static struct memory_map map;

static void add(uint64_t start, uint64_t end, bool usable)
{
    boot_add_region(&info, start, end - start, usable);
}

static void build(const struct memory_range *keep, size_t count)
{
    memory_map_build(&info, keep, count, UINT64_C(1) << 40, &map);
}

static void assert_range(size_t index, uint64_t start, uint64_t end)
{
    assert_int_equal(map.ranges[index].start, start);
    assert_int_equal(map.ranges[index].end, end);
}

static void m5__entries_in_any_order_are_joined_and_sorted(void **state)
{
    (void)state;
    memset(&info, 0, sizeof(info));
    add(0x300000, 0x400000, true);
    add(0x100000, 0x200000, true);
    add(0x180000, 0x300000, true);
    add(0x800000, 0x900000, true);
    build(NULL, 0);
    assert_int_equal(map.count, 2);
    assert_range(0, 0x100000, 0x400000);
    assert_range(1, 0x800000, 0x900000);
}

static void m5__what_is_reserved_wins(void **state)
{
    (void)state;
    memset(&info, 0, sizeof(info));
    add(0x200000, 0x201001, false); /* before the usable one it lies in */
    add(0x100000, 0x400000, true);
    add(0x3fffff, 0x500000, false);
    build(NULL, 0);
    assert_int_equal(map.count, 2);
    assert_range(0, 0x100000, 0x200000);
    assert_range(1, 0x202000, 0x3ff000);
}

static void m5__parts_of_pages_and_empty_entries_are_left_out(void **state)
{
    (void)state;
    memset(&info, 0, sizeof(info));
    add(0x100001, 0x103fff, true);
    add(0x200001, 0x200fff, true);
    boot_add_region(&info, 0x300000, 0, true);
    build(NULL, 0);
    assert_int_equal(map.count, 1);
    assert_range(0, 0x101000, 0x103000);
}

static void m5__an_entry_past_2_to_the_64_is_cut(void **state)
{
    (void)state;
    memset(&info, 0, sizeof(info));
    boot_add_region(&info, 0xfffff000, UINT64_MAX, true);
    boot_add_region(&info, UINT64_MAX - 10, 100, false);
    build(NULL, 0);
    assert_int_equal(map.count, 1);
    assert_range(0, 0xfffff000, UINT64_C(1) << 40);
    boot_add_region(&info, UINT64_C(1) << 36, UINT64_MAX, false);
    build(NULL, 0);
    assert_range(0, 0xfffff000, UINT64_C(1) << 36);
}

static void m5__kernel_modules_and_page_0_are_left_out(void **state)
{
    static const struct memory_range keep[] = {{0x100000, 0x128000},
                                               {0x150800, 0x151800}};

    (void)state;
    memset(&info, 0, sizeof(info));
    add(0, 0x9fc00, true);
    add(0x100000, 0x200000, true);
    build(keep, ARRAY_LEN(keep));
    assert_int_equal(map.count, 3);
    assert_range(0, 0x1000, 0x9f000);
    assert_range(1, 0x128000, 0x150000);
    assert_range(2, 0x152000, 0x200000);
}

static void m7__a_full_map_loses_memory_but_no_reserved_hole(void **state)
{
    struct memory_range keep[MEMORY_MAP_MAX + 20];

    (void)state;
    memset(&info, 0, sizeof(info));
    add(0x1000, UINT64_C(1) << 39, true);
    for (size_t i = 0; i < ARRAY_LEN(keep); i++)
        keep[i] = (struct memory_range){0x10000 * (i + 1),
                                        0x10000 * (i + 1) + 0x1000};
    build(keep, ARRAY_LEN(keep));
    assert_int_equal(map.count, MEMORY_MAP_MAX);
    for (size_t i = 0; i < map.count; i++) {
        for (size_t k = 0; k < ARRAY_LEN(keep); k++)
            assert_true(map.ranges[i].end <= keep[k].start ||
                        map.ranges[i].start >= keep[k].end);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    /* clang-format off */
    const struct CMUnitTest tests[] = {
        TEST(multiboot1__good_information_is_copied),
        TEST(multiboot1__qemus_file_name_is_dropped),
        TEST(multiboot1__qemu_without_command_line_gives_an_empty_one),
        TEST(m1__unknown_magic_is_refused),
        TEST(m2__information_at_a_bad_address_is_refused),
        TEST(m2__null_is_refused_where_memory_begins_at_0),
        TEST(m3__flags_with_null_pointers_are_refused),
        TEST(m3__no_modules_need_no_pointer),
        TEST(m4__impossible_entry_sizes_are_refused),
        TEST(m4__a_short_entry_before_a_good_one_is_refused),
        TEST(m4__a_map_that_is_no_whole_number_of_entries_is_refused),
        TEST(m4__longer_entries_are_stepped_over),
        TEST(m6__without_a_map_the_two_sizes_count),
        TEST(m6__without_map_and_sizes_it_is_refused),
        TEST(m7__regions_beyond_the_table_are_counted),
        TEST(m8__a_command_line_may_be_missing_or_empty),
        TEST(m8__the_longest_command_line_is_taken_and_one_more_refused),
        TEST(m8__a_command_line_that_leaves_memory_is_refused),
        TEST(m9__modules_are_copied_with_their_names),
        TEST(m9__a_count_that_lies_is_refused),
        TEST(m9__backward_or_overlapping_modules_are_refused),
        TEST(multiboot2__good_information_is_copied),
        TEST(m4__impossible_tags_are_refused),
        TEST(m4__impossible_total_sizes_are_refused),
        TEST(m4__impossible_map_entries_of_multiboot2_are_refused),
        TEST(m6__multiboot2_without_a_map_is_refused),
        TEST(m8__a_command_line_ends_with_its_tag),
        TEST(m4__multiboot2_cut_anywhere_reads_nothing_outside),
        TEST(pvh__good_information_is_copied),
        TEST(m1__pvh_without_its_own_magic_is_refused),
        TEST(m4__impossible_pvh_counts_are_refused),
        TEST(m5__entries_in_any_order_are_joined_and_sorted),
        TEST(m5__what_is_reserved_wins),
        TEST(m5__parts_of_pages_and_empty_entries_are_left_out),
        TEST(m5__an_entry_past_2_to_the_64_is_cut),
        TEST(m5__kernel_modules_and_page_0_are_left_out),
        TEST(m7__a_full_map_loses_memory_but_no_reserved_hole),
    };
    /* clang-format on */

    return cmocka_run_group_tests(tests, NULL, NULL);
}
