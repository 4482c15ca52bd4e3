/*
 * tests/unit/test_pvh.c - what a loader that boots by PVH may leave, and lies:
 * rows M1 and M4 of the list of bad inputs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/boot_scene.h"

static void put_pvh(void)
{
    boot_put32(BOOT_INFO, 0x336ec578);
    boot_put32(BOOT_INFO + 4, 1);
    boot_put32(BOOT_INFO + 12, 1);
    boot_put64(BOOT_INFO + 16, BOOT_MODULES);
    boot_put64(BOOT_INFO + 24, BOOT_TEXT);
    boot_put64(BOOT_INFO + 32, 0xf5000);
    boot_put64(BOOT_INFO + 40, BOOT_MAP);
    boot_put32(BOOT_INFO + 48, 1);
    boot_put64(BOOT_MAP, 0x100000);
    boot_put64(BOOT_MAP + 8, 0x100000);
    boot_put32(BOOT_MAP + 16, 1);
    boot_put64(BOOT_MODULES, 0x50000);
    boot_put64(BOOT_MODULES + 8, 0x100);
    boot_put64(BOOT_MODULES + 16, 0);
    boot_put_text(BOOT_TEXT, "x y");
}

static enum boot_status parse_pvh(void)
{
    return boot_parse(BOOT_LEFT_PVH);
}

static void pvh__good_information_is_copied(void **state)
{
    (void)state;
    put_pvh();
    assert_int_equal(parse_pvh(), BOOT_OK);
    assert_string_equal(boot.info.cmdline, "x y");
    assert_int_equal(boot.info.regions[0].end, 0x200000);
    assert_int_equal(boot.info.modules[0].end, 0x50100);
    assert_string_equal(boot.info.modules[0].name, "");
    assert_int_equal(boot.info.rsdp_address, 0xf5000);
}

static void m1__pvh_without_its_own_magic_is_refused(void **state)
{
    (void)state;
    put_pvh();
    boot_put32(BOOT_INFO, 0x336ec579);
    assert_int_equal(parse_pvh(), BOOT_BAD_MAGIC);
}

static void m4__impossible_pvh_counts_are_refused(void **state)
{
    (void)state;
    put_pvh();
    boot_put32(BOOT_INFO + 48, 0xffffffff);
    assert_int_equal(parse_pvh(), BOOT_BAD_MAP);
    boot_put32(BOOT_INFO + 48, 4096); /* leaves the window */
    assert_int_equal(parse_pvh(), BOOT_BAD_POINTER);
    boot_put32(BOOT_INFO + 48, 0);
    assert_int_equal(parse_pvh(), BOOT_NO_MAP);
    put_pvh();
    boot_put32(BOOT_INFO + 12, 0xffffffff);
    assert_int_equal(parse_pvh(), BOOT_BAD_LENGTH);
    put_pvh();
    boot_put64(BOOT_MODULES + 8, UINT64_MAX);
    assert_int_equal(parse_pvh(), BOOT_BAD_MODULE);
    put_pvh();
    boot_put32(BOOT_INFO + 4, 0);
    assert_int_equal(parse_pvh(), BOOT_NO_MAP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOOT_TEST(pvh__good_information_is_copied),
        BOOT_TEST(m1__pvh_without_its_own_magic_is_refused),
        BOOT_TEST(m4__impossible_pvh_counts_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
