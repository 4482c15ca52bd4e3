/*
 * tests/host/boot_scene.c - see boot_scene.h.
 */
#include "tests/host/boot_scene.h"

#include <stdlib.h>
#include <string.h>

struct boot_scene boot;

int boot_fresh(void **state)
{
    (void)state;
    boot.bytes = calloc(1, BOOT_BYTES);
    boot.memory =
        (struct boot_memory){boot.bytes, BOOT_BASE, BOOT_BASE + BOOT_BYTES,
                             BOOT_HOLE_START, BOOT_HOLE_END};
    return boot.bytes ? 0 : -1;
}

int boot_freed(void **state)
{
    (void)state;
    free(boot.bytes);
    return 0;
}

void boot_put32(uint32_t at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        boot.bytes[at - BOOT_BASE + i] = (uint8_t)(value >> 8 * i);
}

void boot_put64(uint32_t at, uint64_t value)
{
    boot_put32(at, (uint32_t)value);
    boot_put32(at + 4, (uint32_t)(value >> 32));
}

void boot_put_text(uint32_t at, const char *text)
{
    memcpy(boot.bytes + (at - BOOT_BASE), text, strlen(text) + 1);
}

enum boot_status boot_parse(uint32_t magic)
{
    return boot_info_parse(&boot.memory, magic, BOOT_INFO, &boot.info);
}
