/*
 * tests/unit/test_multiboot2.c - what a Multiboot 2 loader may leave, and lies:
 * rows M4 to M8 of the list of bad inputs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/boot_scene.h"

static uint32_t tag_at;

static void tag(uint32_t type, uint32_t length)
{
    boot_put32(tag_at, type);
    boot_put32(tag_at + 4, length);
}

static void end_tag(uint32_t length)
{
    tag_at += (length + 7) & ~7u;
}

static void put_multiboot2(void)
{
    tag_at = BOOT_INFO + 8;
    tag(1, 8 + 4);
    boot_put_text(tag_at + 8, "a=b");
    end_tag(12);
    tag(2, 8 + 5);
    boot_put_text(tag_at + 8, "GRUB");
    end_tag(13);
    tag(6, 16 + 24);
    boot_put32(tag_at + 8, 24);
    boot_put32(tag_at + 12, 0);
    boot_put64(tag_at + 16, 0x100000);
    boot_put64(tag_at + 24, 0x200000);
    boot_put32(tag_at + 32, 1);
    end_tag(40);
    tag(14, 8 + 20);
    memset(boot.bytes + (tag_at + 8 - BOOT_BASE), 0x52, 20);
    end_tag(28);
    tag(0, 8);
    end_tag(8);
    boot_put32(BOOT_INFO, tag_at - BOOT_INFO);
}

static enum boot_status parse2(void)
{
    return boot_parse(BOOT_LEFT_2);
}

static void multiboot2__good_information_is_copied(void **state)
{
    (void)state;
    put_multiboot2();
    assert_int_equal(parse2(), BOOT_OK);
    assert_string_equal(boot.info.cmdline, "a=b");
    assert_string_equal(boot.info.loader, "GRUB");
    assert_int_equal(boot.info.region_count, 1);
    assert_int_equal(boot.info.regions[0].end, 0x300000);
    assert_int_equal(boot.info.rsdp_bytes, 20);
    assert_int_equal(boot.info.rsdp[19], 0x52);
}

static void m4__impossible_tags_are_refused(void **state)
{
    static const uint32_t lengths[] = {0, 7, 0x1000, 0x7fffffff, 0xffffffff};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        put_multiboot2();
        boot_put32(BOOT_INFO + 8 + 4, lengths[i]);
        assert_int_equal(parse2(), BOOT_BAD_LENGTH);
    }
}

static void m4__impossible_total_sizes_are_refused(void **state)
{
    static const uint32_t totals[] = {0, 7, 0xf001, 0x2000000, 0xffffffff};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(totals); i++) {
        put_multiboot2();
        boot_put32(BOOT_INFO, totals[i]);
        assert_int_not_equal(parse2(), BOOT_OK);
    }
}

static void m4__impossible_map_entries_of_multiboot2_are_refused(void **state)
{
    static const uint32_t sizes[] = {0, 8, 20, 23, 25, 0xffffffff};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        put_multiboot2();
        boot_put32(BOOT_INFO + 8 + 16 + 16 + 8, sizes[i]);
        assert_int_equal(parse2(), BOOT_BAD_MAP);
    }
}

static void m6__multiboot2_without_a_map_is_refused(void **state)
{
    (void)state;
    put_multiboot2();
    boot_put32(BOOT_INFO + 8 + 16 + 16, 21);
    assert_int_equal(parse2(), BOOT_NO_MAP);
}

static void m8__a_command_line_ends_with_its_tag(void **state)
{
    (void)state;
    put_multiboot2();
    boot.bytes[BOOT_INFO + 8 + 8 + 3 - BOOT_BASE] =
        'c'; /* where its zero was */
    assert_int_equal(parse2(), BOOT_BAD_CMDLINE);
}

static void m4__multiboot2_cut_anywhere_reads_nothing_outside(void **state)
{
    uint8_t *whole = boot.bytes;

    (void)state;
    put_multiboot2();
    for (uint32_t length = 8; length <= tag_at - BOOT_INFO; length++) {
        boot.bytes = malloc(length); /* the sanitizer guards its end */
        assert_non_null(boot.bytes);
        memcpy(boot.bytes, whole + (BOOT_INFO - BOOT_BASE), length);
        boot.memory = (struct boot_memory){boot.bytes, BOOT_INFO,
                                           BOOT_INFO + length, 0, 0};
        memcpy(boot.bytes, &length, sizeof(length));
        (void)parse2();
        free(boot.bytes);
    }
    boot.bytes = whole;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOOT_TEST(multiboot2__good_information_is_copied),
        BOOT_TEST(m4__impossible_tags_are_refused),
        BOOT_TEST(m4__impossible_total_sizes_are_refused),
        BOOT_TEST(m4__impossible_map_entries_of_multiboot2_are_refused),
        BOOT_TEST(m6__multiboot2_without_a_map_is_refused),
        BOOT_TEST(m8__a_command_line_ends_with_its_tag),
        BOOT_TEST(m4__multiboot2_cut_anywhere_reads_nothing_outside),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
