/*
 * boot/pvh.c - what a PVH loader says (qemu microvm, Cloud Hypervisor,
 * Firecracker, Xen).
 *
 * Source: Xen, public/arch-x86/hvm/start_info.h, version 1.
 */
#include "boot/boot_info.h"

static const uint32_t PVH_MAGIC = 0x336ec578;

/* Byte offsets in hvm_start_info. */
enum {
    INFO_MAGIC = 0,
    INFO_VERSION = 4,
    INFO_MODULE_COUNT = 12,
    INFO_MODULES = 16,
    INFO_CMDLINE = 24,
    INFO_RSDP = 32,
    INFO_MAP = 40,
    INFO_MAP_COUNT = 48,
    INFO_BYTES_V0 = 40,
    INFO_BYTES = 56
};

enum { MODULE_BYTES = 32, MAP_ENTRY_BYTES = 24, MAP_COUNT_MAX = 4096 };

static enum boot_status parse_map(const struct boot_memory *memory,
                                  const uint8_t *at, struct boot_info *info)
{
    uint32_t count = boot_read32(at + INFO_MAP_COUNT);
    const uint8_t *map;

    if (count == 0)
        return BOOT_NO_MAP;
    if (count > MAP_COUNT_MAX)
        return BOOT_BAD_MAP;
    map = boot_memory_at(memory, boot_read64(at + INFO_MAP),
                         (uint64_t)count * MAP_ENTRY_BYTES);
    if (!map)
        return BOOT_BAD_POINTER;
    for (uint32_t i = 0; i < count; i++, map += MAP_ENTRY_BYTES)
        boot_add_region(info, boot_read64(map), boot_read64(map + 8),
                        boot_read32(map + 16) == 1);
    return BOOT_OK;
}

static enum boot_status parse_modules(const struct boot_memory *memory,
                                      const uint8_t *at, struct boot_info *info)
{
    uint32_t count = boot_read32(at + INFO_MODULE_COUNT);
    const uint8_t *module;

    if (count == 0)
        return BOOT_OK;
    if (count > BOOT_MODULES_MAX)
        return BOOT_BAD_LENGTH;
    module = boot_memory_at(memory, boot_read64(at + INFO_MODULES),
                            (uint64_t)count * MODULE_BYTES);
    if (!module)
        return BOOT_BAD_POINTER;
    for (uint32_t i = 0; i < count; i++, module += MODULE_BYTES) {
        uint64_t start = boot_read64(module);
        uint64_t bytes = boot_read64(module + 8);
        enum boot_status status;

        if (bytes > UINT64_MAX - start)
            return BOOT_BAD_MODULE;
        status = boot_add_module(memory, info, start, start + bytes,
                                 boot_read64(module + 16));
        if (status != BOOT_OK)
            return status;
    }
    return BOOT_OK;
}

enum boot_status pvh_parse(const struct boot_memory *memory, uint64_t address,
                           struct boot_info *info)
{
    const uint8_t *at = boot_memory_at(memory, address, INFO_BYTES_V0);
    enum boot_status status;
    uint64_t cmdline;

    info->protocol = "pvh";
    if (!at || address % 4 != 0)
        return BOOT_BAD_POINTER;
    if (boot_read32(at + INFO_MAGIC) != PVH_MAGIC)
        return BOOT_BAD_MAGIC;
    if (boot_read32(at + INFO_VERSION) == 0)
        return BOOT_NO_MAP; /* version 0 has none */
    if (!boot_memory_at(memory, address, INFO_BYTES))
        return BOOT_BAD_POINTER;

    info->rsdp_address = boot_read64(at + INFO_RSDP);
    cmdline = boot_read64(at + INFO_CMDLINE);
    if (cmdline != 0) {
        if (!boot_memory_at(memory, cmdline, 1))
            return BOOT_BAD_POINTER;
        if (!boot_copy_text(memory, cmdline, info->cmdline,
                            sizeof(info->cmdline)))
            return BOOT_BAD_CMDLINE;
    }
    status = parse_map(memory, at, info);
    return status == BOOT_OK ? parse_modules(memory, at, info) : status;
}
