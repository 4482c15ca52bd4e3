/*
 * tests/unit/test_multiboot1.c - what a Multiboot 1 loader may leave, and lies:
 * rows M1 to M9 of the list of bad inputs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/boot_scene.h"

/* One entry of a Multiboot 1 map. */
static void put_entry(uint32_t at, uint32_t size, uint64_t start,
                      uint64_t length, uint32_t type)
{
    boot_put32(at, size);
    boot_put64(at + 4, start);
    boot_put64(at + 12, length);
    boot_put32(at + 20, type);
}

/* Good Multiboot 1 information: a map of two entries, a command line. */
static void put_multiboot1(const char *loader, const char *cmdline)
{
    boot_put32(BOOT_INFO, 1 << 2 | 1 << 6 | 1 << 9);
    boot_put32(BOOT_INFO + 16, BOOT_TEXT);
    boot_put32(BOOT_INFO + 44, 48);
    boot_put32(BOOT_INFO + 48, BOOT_MAP);
    boot_put32(BOOT_INFO + 64, BOOT_TEXT + 0x800);
    boot_put_text(BOOT_TEXT, cmdline);
    boot_put_text(BOOT_TEXT + 0x800, loader);
    put_entry(BOOT_MAP, 20, 0, 0x9fc00, 1);
    put_entry(BOOT_MAP + 24, 20, 0x100000, 0x700000, 1);
}

static enum boot_status parse1(void)
{
    return boot_parse(BOOT_LEFT_1);
}

static void multiboot1__good_information_is_copied(void **state)
{
    (void)state;
    put_multiboot1("GRUB 2.06", "--ipv4=10.0.0.2/24 a");

    assert_int_equal(parse1(), BOOT_OK);

    memset(boot.bytes, 0xee,
           BOOT_BYTES); /* the loader's memory is used by others */
    assert_string_equal(boot.info.protocol, "multiboot");
    assert_string_equal(boot.info.loader, "GRUB 2.06");
    assert_string_equal(boot.info.cmdline, "--ipv4=10.0.0.2/24 a");
    assert_int_equal(boot.info.region_count, 2);
    assert_int_equal(boot.info.regions[1].start, 0x100000);
    assert_int_equal(boot.info.regions[1].end, 0x800000);
    assert_true(boot.info.regions[1].usable);
}

static void multiboot1__qemus_file_name_is_dropped(void **state)
{
    (void)state;
    put_multiboot1("qemu", "build/x.elf  --name=a b");
    assert_int_equal(parse1(), BOOT_OK);
    assert_string_equal(boot.info.cmdline, "--name=a b");
}

static void
multiboot1__qemu_without_command_line_gives_an_empty_one(void **state)
{
    (void)state;
    put_multiboot1("qemu", "build/x.elf");
    assert_int_equal(parse1(), BOOT_OK);
    assert_string_equal(boot.info.cmdline, "");
}

static void m1__unknown_magic_is_refused(void **state)
{
    (void)state;
    put_multiboot1("GRUB", "");
    assert_int_equal(
        boot_info_parse(&boot.memory, 0x2badb003, BOOT_INFO, &boot.info),
        BOOT_BAD_MAGIC);
    assert_int_equal(boot_info_parse(&boot.memory, 0, BOOT_INFO, &boot.info),
                     BOOT_BAD_MAGIC);
}

static void m2__information_at_a_bad_address_is_refused(void **state)
{
    static const uint32_t magics[] = {BOOT_LEFT_1, BOOT_LEFT_2, BOOT_LEFT_PVH};
    static const uint64_t addresses[] = {0,
                                         1,
                                         BOOT_INFO + 1,
                                         BOOT_BASE - 4,
                                         BOOT_BASE + BOOT_BYTES - 4,
                                         BOOT_BASE + BOOT_BYTES,
                                         BOOT_HOLE_START,
                                         BOOT_HOLE_START - 8,
                                         BOOT_HOLE_END - 4,
                                         0xfffffff8,
                                         UINT64_MAX - 7};

    (void)state;
    memset(boot.bytes, 0xff, BOOT_BYTES);
    for (size_t m = 0; m < ARRAY_LEN(magics); m++) {
        for (size_t i = 0; i < ARRAY_LEN(addresses); i++)
            assert_int_not_equal(boot_info_parse(&boot.memory, magics[m],
                                                 addresses[i], &boot.info),
                                 BOOT_OK);
    }
}

static void m2__null_is_refused_where_memory_begins_at_0(void **state)
{
    (void)state;
    put_multiboot1("GRUB", "");
    boot.memory.base = 0;
    boot.memory.end = BOOT_BYTES;
    assert_null(boot_memory_at(&boot.memory, 0, 1));
    assert_non_null(boot_memory_at(&boot.memory, 1, 1));
}

static void m3__flags_with_null_pointers_are_refused(void **state)
{
    static const uint32_t fields[] = {BOOT_INFO + 16, BOOT_INFO + 48,
                                      BOOT_INFO + 64};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        put_multiboot1("GRUB", "x");
        boot_put32(fields[i], 0);
        assert_int_equal(parse1(), BOOT_BAD_POINTER);
    }
}

static void m3__no_modules_need_no_pointer(void **state)
{
    (void)state;
    put_multiboot1("GRUB", "x");
    boot_put32(BOOT_INFO, 1 << 2 | 1 << 3 | 1 << 6 | 1 << 9);
    assert_int_equal(parse1(), BOOT_OK);
    assert_int_equal(boot.info.module_count, 0);
}

static void m4__impossible_entry_sizes_are_refused(void **state)
{
    static const uint32_t sizes[] = {0,  4,          19,         21,
                                     45, 0x7fffffff, 0xfffffffc, 0xffffffff};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        put_multiboot1("GRUB", "");
        boot_put32(BOOT_MAP, sizes[i]);
        assert_int_equal(parse1(), BOOT_BAD_MAP);
    }
}

static void
m4__a_map_that_is_no_whole_number_of_entries_is_refused(void **state)
{
    (void)state;
    for (uint32_t length = 25; length < 48; length++) {
        put_multiboot1("GRUB", "");
        boot_put32(BOOT_INFO + 44, length);
        assert_int_equal(parse1(), BOOT_BAD_MAP);
    }
    boot_put32(BOOT_INFO + 44, 0xffffffff);
    assert_int_equal(parse1(), BOOT_BAD_MAP);
    boot_put32(BOOT_INFO + 44, 0x8000); /* leaves the window */
    boot_put32(BOOT_INFO + 48, BOOT_BASE + 0x9000);
    assert_int_equal(parse1(), BOOT_BAD_POINTER);
}

static void m4__a_short_entry_before_a_good_one_is_refused(void **state)
{
    (void)state;
    put_multiboot1("GRUB", "");
    boot_put32(BOOT_MAP, 8);
    put_entry(BOOT_MAP + 12, 20, 0x100000, 0x100000, 1);
    boot_put32(BOOT_INFO + 44, 12 + 24);
    assert_int_equal(parse1(), BOOT_BAD_MAP);
}

static void m4__longer_entries_are_stepped_over(void **state)
{
    (void)state;
    put_multiboot1("GRUB", "");
    put_entry(BOOT_MAP, 24, 0x1000, 0x1000, 1);
    put_entry(BOOT_MAP + 28, 20, 0x100000, 0x100000, 2);
    boot_put32(BOOT_INFO + 44, 28 + 24);
    assert_int_equal(parse1(), BOOT_OK);
    assert_int_equal(boot.info.region_count, 2);
    assert_int_equal(boot.info.regions[1].start, 0x100000);
    assert_false(boot.info.regions[1].usable);
}

static void m6__without_a_map_the_two_sizes_count(void **state)
{
    (void)state;
    boot_put32(BOOT_INFO, 1 << 0);
    boot_put32(BOOT_INFO + 4, 639);
    boot_put32(BOOT_INFO + 8, 15 * 1024);
    assert_int_equal(parse1(), BOOT_OK);
    assert_int_equal(boot.info.region_count, 2);
    assert_int_equal(boot.info.regions[0].end, 639 * 1024);
    assert_int_equal(boot.info.regions[1].start, 0x100000);
    assert_int_equal(boot.info.regions[1].end, 0x1000000);
}

static void m6__without_map_and_sizes_it_is_refused(void **state)
{
    (void)state;
    boot_put32(BOOT_INFO, 0);
    assert_int_equal(parse1(), BOOT_NO_MAP);
}

static void m7__regions_beyond_the_table_are_counted(void **state)
{
    const uint32_t count = BOOT_REGIONS_MAX + 10;

    (void)state;
    put_multiboot1("GRUB", "");
    boot_put32(BOOT_INFO + 44, count * 24);
    boot_put32(BOOT_INFO + 48, BOOT_BASE + 0xa000);
    for (uint32_t i = 0; i < count; i++)
        put_entry(BOOT_BASE + 0xa000 + i * 24, 20, i * 0x10000, 0x8000, 1);
    assert_int_equal(parse1(), BOOT_OK);
    assert_int_equal(boot.info.region_count, BOOT_REGIONS_MAX);
    assert_int_equal(boot.info.regions_dropped, 10);
}

static void m8__a_command_line_may_be_missing_or_empty(void **state)
{
    (void)state;
    put_multiboot1("GRUB", "");
    assert_int_equal(parse1(), BOOT_OK);
    assert_string_equal(boot.info.cmdline, "");
    boot_put32(BOOT_INFO, 1 << 6);
    assert_int_equal(parse1(), BOOT_OK);
    assert_string_equal(boot.info.cmdline, "");
}

static void
m8__the_longest_command_line_is_taken_and_one_more_refused(void **state)
{
    (void)state;
    put_multiboot1("GRUB", "");
    boot_put32(BOOT_INFO + 16, BOOT_BASE + 0xb000);
    memset(boot.bytes + 0xb000, 'x', BOOT_CMDLINE_BYTES - 1);
    assert_int_equal(parse1(), BOOT_OK);
    assert_int_equal(strlen(boot.info.cmdline), BOOT_CMDLINE_BYTES - 1);
    boot.bytes[0xb000 + BOOT_CMDLINE_BYTES - 1] = 'x';
    assert_int_equal(parse1(), BOOT_BAD_CMDLINE);
    assert_string_equal(boot.info.cmdline, "");
}

static void m8__a_command_line_that_leaves_memory_is_refused(void **state)
{
    (void)state;
    put_multiboot1("GRUB", "");
    boot_put32(BOOT_INFO + 16, BOOT_BASE + BOOT_BYTES - 3);
    memset(boot.bytes + BOOT_BYTES - 3, 'x', 3);
    assert_int_equal(parse1(), BOOT_BAD_CMDLINE);
    boot_put32(BOOT_INFO + 16, BOOT_HOLE_START - 2); /* runs into the kernel */
    memset(boot.bytes + BOOT_HOLE_START - 2 - BOOT_BASE, 'x', 2);
    assert_int_equal(parse1(), BOOT_BAD_CMDLINE);
}

/* --- modules --------------------------------------------------------------*/

static void put_modules(uint32_t count)
{
    put_multiboot1("GRUB", "");
    boot_put32(BOOT_INFO, 1 << 2 | 1 << 3 | 1 << 6 | 1 << 9);
    boot_put32(BOOT_INFO + 20, count);
    boot_put32(BOOT_INFO + 24, BOOT_MODULES);
    for (uint32_t i = 0; i < count; i++) {
        boot_put32(BOOT_MODULES + i * 16, 0x40000 + i * 0x1000);
        boot_put32(BOOT_MODULES + i * 16 + 4, 0x40800 + i * 0x1000);
        boot_put32(BOOT_MODULES + i * 16 + 8, BOOT_TEXT + 0x900);
    }
    boot_put_text(BOOT_TEXT + 0x900, "page.html");
}

static void m9__modules_are_copied_with_their_names(void **state)
{
    (void)state;
    put_modules(2);
    assert_int_equal(parse1(), BOOT_OK);
    assert_int_equal(boot.info.module_count, 2);
    assert_int_equal(boot.info.modules[1].start, 0x41000);
    assert_int_equal(boot.info.modules[1].end, 0x41800);
    assert_string_equal(boot.info.modules[1].name, "page.html");
}

static void m9__a_count_that_lies_is_refused(void **state)
{
    (void)state;
    put_modules(2);
    boot_put32(BOOT_INFO + 20, 0xffffffff);
    assert_int_equal(parse1(), BOOT_BAD_LENGTH);
    boot_put32(BOOT_INFO + 20, 4);
    boot_put32(BOOT_INFO + 24, BOOT_BASE + BOOT_BYTES - 32);
    assert_int_equal(parse1(), BOOT_BAD_POINTER);
}

static void m9__backward_or_overlapping_modules_are_refused(void **state)
{
    (void)state;
    put_modules(2);
    boot_put32(BOOT_MODULES + 4, 0x3ffff);
    assert_int_equal(parse1(), BOOT_BAD_MODULE);
    put_modules(2);
    boot_put32(BOOT_MODULES + 4, 0x41001);
    assert_int_equal(parse1(), BOOT_BAD_MODULE);
    put_modules(1);
    boot_put32(BOOT_MODULES, BOOT_HOLE_START - 0x1000);
    boot_put32(BOOT_MODULES + 4, BOOT_HOLE_START + 1);
    assert_int_equal(parse1(), BOOT_BAD_MODULE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOOT_TEST(multiboot1__good_information_is_copied),
        BOOT_TEST(multiboot1__qemus_file_name_is_dropped),
        BOOT_TEST(multiboot1__qemu_without_command_line_gives_an_empty_one),
        BOOT_TEST(m1__unknown_magic_is_refused),
        BOOT_TEST(m2__information_at_a_bad_address_is_refused),
        BOOT_TEST(m2__null_is_refused_where_memory_begins_at_0),
        BOOT_TEST(m3__flags_with_null_pointers_are_refused),
        BOOT_TEST(m3__no_modules_need_no_pointer),
        BOOT_TEST(m4__impossible_entry_sizes_are_refused),
        BOOT_TEST(m4__a_short_entry_before_a_good_one_is_refused),
        BOOT_TEST(m4__a_map_that_is_no_whole_number_of_entries_is_refused),
        BOOT_TEST(m4__longer_entries_are_stepped_over),
        BOOT_TEST(m6__without_a_map_the_two_sizes_count),
        BOOT_TEST(m6__without_map_and_sizes_it_is_refused),
        BOOT_TEST(m7__regions_beyond_the_table_are_counted),
        BOOT_TEST(m8__a_command_line_may_be_missing_or_empty),
        BOOT_TEST(m8__the_longest_command_line_is_taken_and_one_more_refused),
        BOOT_TEST(m8__a_command_line_that_leaves_memory_is_refused),
        BOOT_TEST(m9__modules_are_copied_with_their_names),
        BOOT_TEST(m9__a_count_that_lies_is_refused),
        BOOT_TEST(m9__backward_or_overlapping_modules_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
