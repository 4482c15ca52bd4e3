/*
 * boot/multiboot1.c - what a Multiboot 1 loader says (GRUB, qemu -kernel).
 *
 * Not read: the symbol table, drives, APM, VBE and framebuffer fields.
 * Source: Multiboot Specification 0.6.96, 3.3.
 */
#include "boot/boot_info.h"

enum {
    FLAG_MEMORY = 1 << 0,
    FLAG_CMDLINE = 1 << 2,
    FLAG_MODULES = 1 << 3,
    FLAG_MAP = 1 << 6,
    FLAG_LOADER = 1 << 9
};

/* Byte offsets in the information structure. */
enum {
    INFO_FLAGS = 0,
    INFO_MEM_LOWER = 4, /* KiB from 0 */
    INFO_MEM_UPPER = 8, /* KiB from 1 MiB */
    INFO_CMDLINE = 16,
    INFO_MODULE_COUNT = 20,
    INFO_MODULES = 24,
    INFO_MAP_BYTES = 44,
    INFO_MAP = 48,
    INFO_LOADER = 64,
    INFO_BYTES = 68
};

enum { MODULE_BYTES = 16, MAP_ENTRY_MIN = 20, MAP_BYTES_MAX = 1 << 20 };

/*
 * Each entry says how long it is, not counting the four bytes that say so.
 * Every step moves at least 24 bytes on, so the loop ends.
 */
static enum boot_status parse_map(const struct boot_memory *memory,
                                  uint64_t address, uint32_t bytes,
                                  struct boot_info *info)
{
    const uint8_t *map;
    uint32_t at = 0;

    if (bytes > MAP_BYTES_MAX)
        return BOOT_BAD_MAP;
    map = boot_memory_at(memory, address, bytes);
    if (!map)
        return BOOT_BAD_POINTER;
    while (at < bytes) {
        uint32_t size;

        if (bytes - at < 4 + MAP_ENTRY_MIN)
            return BOOT_BAD_MAP;
        size = boot_read32(map + at);
        if (size < MAP_ENTRY_MIN || size > bytes - at - 4)
            return BOOT_BAD_MAP;
        boot_add_region(info, boot_read64(map + at + 4),
                        boot_read64(map + at + 12),
                        boot_read32(map + at + 20) == 1);
        at += 4 + size;
    }
    return BOOT_OK;
}

static enum boot_status parse_memory(const struct boot_memory *memory,
                                     const uint8_t *at, uint32_t flags,
                                     struct boot_info *info)
{
    if (flags & FLAG_MAP)
        return parse_map(memory, boot_read32(at + INFO_MAP),
                         boot_read32(at + INFO_MAP_BYTES), info);
    if (!(flags & FLAG_MEMORY))
        return BOOT_NO_MAP;
    boot_add_region(info, 0, (uint64_t)boot_read32(at + INFO_MEM_LOWER) << 10,
                    true);
    boot_add_region(info, 1 << 20,
                    (uint64_t)boot_read32(at + INFO_MEM_UPPER) << 10, true);
    return BOOT_OK;
}

static enum boot_status parse_modules(const struct boot_memory *memory,
                                      const uint8_t *at, struct boot_info *info)
{
    uint32_t count = boot_read32(at + INFO_MODULE_COUNT);
    uint32_t address = boot_read32(at + INFO_MODULES);

    if (count > BOOT_MODULES_MAX)
        return BOOT_BAD_LENGTH;
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *module = boot_memory_at(
            memory, (uint64_t)address + i * MODULE_BYTES, MODULE_BYTES);
        enum boot_status status;

        if (!module)
            return BOOT_BAD_POINTER;
        status =
            boot_add_module(memory, info, boot_read32(module),
                            boot_read32(module + 4), boot_read32(module + 8));
        if (status != BOOT_OK)
            return status;
    }
    return BOOT_OK;
}

static bool same_text(const char *left, const char *right)
{
    size_t i = 0;

    while (left[i] && left[i] == right[i])
        i++;
    return left[i] == right[i];
}

/* Take the first word, and the spaces after it, off the command line. */
static void drop_first_word(char *text)
{
    size_t from = 0;
    size_t to = 0;

    while (text[from] && text[from] != ' ')
        from++;
    while (text[from] == ' ')
        from++;
    while (text[from])
        text[to++] = text[from++];
    text[to] = 0;
}

/* QEMU puts the kernel's file name before the command line; GRUB does not. */
static enum boot_status parse_texts(const struct boot_memory *memory,
                                    const uint8_t *at, uint32_t flags,
                                    struct boot_info *info)
{
    if ((flags & FLAG_LOADER) &&
        !boot_copy_text_cut(memory, boot_read32(at + INFO_LOADER), info->loader,
                            sizeof(info->loader)))
        return BOOT_BAD_POINTER;
    if (!(flags & FLAG_CMDLINE))
        return BOOT_OK;
    if (!boot_memory_at(memory, boot_read32(at + INFO_CMDLINE), 1))
        return BOOT_BAD_POINTER;
    if (!boot_copy_text(memory, boot_read32(at + INFO_CMDLINE), info->cmdline,
                        sizeof(info->cmdline)))
        return BOOT_BAD_CMDLINE;
    if (same_text(info->loader, "qemu"))
        drop_first_word(info->cmdline);
    return BOOT_OK;
}

enum boot_status multiboot1_parse(const struct boot_memory *memory,
                                  uint64_t address, struct boot_info *info)
{
    const uint8_t *at = boot_memory_at(memory, address, INFO_BYTES);
    enum boot_status status;
    uint32_t flags;

    info->protocol = "multiboot";
    if (!at || address % 4 != 0)
        return BOOT_BAD_POINTER;
    flags = boot_read32(at + INFO_FLAGS);
    status = parse_texts(memory, at, flags, info);
    if (status == BOOT_OK)
        status = parse_memory(memory, at, flags, info);
    if (status == BOOT_OK && (flags & FLAG_MODULES))
        status = parse_modules(memory, at, info);
    return status;
}
