/*
 * tests/host/boot_scene.h - memory as a boot loader left it, written by hand.
 *
 * 64 KiB that begin at BOOT_BASE; the kernel's image is their part from
 * BOOT_HOLE_START to BOOT_HOLE_END.
 */
#ifndef TESTS_HOST_BOOT_SCENE_H
#define TESTS_HOST_BOOT_SCENE_H

#include "boot/boot_info.h"

enum {
    BOOT_BASE = 0x10000,
    BOOT_BYTES = 0x10000,
    BOOT_HOLE_START = 0x18000,
    BOOT_HOLE_END = 0x1a000,

    /* Where the tests put things. */
    BOOT_INFO = 0x11000,
    BOOT_MAP = 0x12000,
    BOOT_TEXT = 0x13000,
    BOOT_MODULES = 0x14000,
};

/* What loaders leave in a register. */
enum {
    BOOT_LEFT_1 = 0x2badb002,
    BOOT_LEFT_2 = 0x36d76289,
    BOOT_LEFT_PVH = 0x336ec578
};

struct boot_scene {
    uint8_t *bytes; /* of BOOT_BASE; behind their end the sanitizer looks */
    struct boot_memory memory;
    struct boot_info info; /* what was parsed */
};

extern struct boot_scene boot;

/* cmocka's setup and teardown: nothing has been left. */
int boot_fresh(void **state);
int boot_freed(void **state);

#define BOOT_TEST(name)                                                        \
    cmocka_unit_test_setup_teardown(name, boot_fresh, boot_freed)

/* Write numbers, their lowest byte first, and text at an address. */
void boot_put32(uint32_t at, uint32_t value);
void boot_put64(uint32_t at, uint64_t value);
void boot_put_text(uint32_t at, const char *text);

/* Parse what a loader of this magic left at BOOT_INFO. */
enum boot_status boot_parse(uint32_t magic);

#endif
