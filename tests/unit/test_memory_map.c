/*
 * tests/unit/test_memory_map.c - the map that is built of what a loader says:
 * rows M5 and M7 of the list of bad inputs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "boot/boot_info.h"
#include "boot/memory_map.h"

static struct boot_info info;

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(m5__entries_in_any_order_are_joined_and_sorted),
        cmocka_unit_test(m5__what_is_reserved_wins),
        cmocka_unit_test(m5__parts_of_pages_and_empty_entries_are_left_out),
        cmocka_unit_test(m5__an_entry_past_2_to_the_64_is_cut),
        cmocka_unit_test(m5__kernel_modules_and_page_0_are_left_out),
        cmocka_unit_test(m7__a_full_map_loses_memory_but_no_reserved_hole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
