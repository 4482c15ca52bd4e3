/*
 * boot/boot_info.c - what the three boot protocols have in common.
 */
#include "boot/boot_info.h"

static const uint32_t MULTIBOOT1_LEFT = 0x2badb002;
static const uint32_t MULTIBOOT2_LEFT = 0x36d76289;
static const uint32_t PVH_LEFT = 0x336ec578;

const char *boot_status_text(enum boot_status status)
{
    static const char *const texts[] = {
        [BOOT_OK] = "fine",
        [BOOT_BAD_MAGIC] = "it is neither multiboot, multiboot2 nor PVH",
        [BOOT_BAD_POINTER] = "an address is null, misaligned, outside memory "
                             "or inside the kernel",
        [BOOT_BAD_LENGTH] = "a length or count cannot be right",
        [BOOT_BAD_MAP] = "the memory map cannot be read",
        [BOOT_NO_MAP] = "there is no memory map",
        [BOOT_BAD_CMDLINE] = "the command line is longer than 4095 bytes",
        [BOOT_BAD_MODULE] = "a module overlaps the kernel or another module, "
                            "or ends before it starts",
    };

    return texts[status];
}

static bool overlaps(uint64_t start, uint64_t end, uint64_t from, uint64_t to)
{
    return start < to && from < end;
}

const uint8_t *boot_memory_at(const struct boot_memory *memory,
                              uint64_t address, uint64_t length)
{
    if (address == 0 || address < memory->base || address > memory->end ||
        length > memory->end - address ||
        overlaps(address, address + length, memory->hole_start,
                 memory->hole_end))
        return NULL;
    return memory->bytes + (address - memory->base);
}

uint32_t boot_read32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
           (uint32_t)at[3] << 24;
}

uint64_t boot_read64(const uint8_t *at)
{
    return boot_read32(at) | (uint64_t)boot_read32(at + 4) << 32;
}

/* Returns: whether the text ended before `out_bytes` or the window did. */
static bool copy_text(const struct boot_memory *memory, uint64_t address,
                      char *out, size_t out_bytes)
{
    for (size_t i = 0; i < out_bytes; i++) {
        const uint8_t *at = boot_memory_at(memory, address + i, 1);

        if (!at)
            return false;
        out[i] = (char)*at;
        if (*at == 0)
            return true;
    }
    return false;
}

bool boot_copy_text(const struct boot_memory *memory, uint64_t address,
                    char *out, size_t out_bytes)
{
    if (copy_text(memory, address, out, out_bytes))
        return true;
    out[0] = 0;
    return false;
}

bool boot_copy_text_cut(const struct boot_memory *memory, uint64_t address,
                        char *out, size_t out_bytes)
{
    if (!boot_memory_at(memory, address, 1)) {
        out[0] = 0;
        return false;
    }
    if (!copy_text(memory, address, out, out_bytes))
        out[out_bytes - 1] = 0;
    return true;
}

void boot_add_region(struct boot_info *info, uint64_t start, uint64_t bytes,
                     bool usable)
{
    struct boot_region *region;

    if (bytes == 0)
        return;
    if (info->region_count == BOOT_REGIONS_MAX) {
        info->regions_dropped++;
        return;
    }
    region = &info->regions[info->region_count++];
    region->start = start;
    region->end = bytes > UINT64_MAX - start ? UINT64_MAX : start + bytes;
    region->usable = usable;
}

enum boot_status boot_add_module(const struct boot_memory *memory,
                                 struct boot_info *info, uint64_t start,
                                 uint64_t end, uint64_t name_address)
{
    struct boot_module *module;

    if (start > end ||
        overlaps(start, end, memory->hole_start, memory->hole_end))
        return BOOT_BAD_MODULE;
    for (size_t i = 0; i < info->module_count; i++) {
        if (overlaps(start, end, info->modules[i].start, info->modules[i].end))
            return BOOT_BAD_MODULE;
    }
    if (info->module_count == BOOT_MODULES_MAX)
        return BOOT_BAD_LENGTH;
    module = &info->modules[info->module_count++];
    module->start = start;
    module->end = end;
    module->name[0] = 0;
    if (name_address != 0 &&
        !boot_copy_text_cut(memory, name_address, module->name,
                            sizeof(module->name)))
        return BOOT_BAD_POINTER;
    return BOOT_OK;
}

enum boot_status boot_info_parse(const struct boot_memory *memory,
                                 uint32_t magic, uint64_t address,
                                 struct boot_info *info)
{
    *info = (struct boot_info){.protocol = "unknown"};
    if (magic == MULTIBOOT1_LEFT)
        return multiboot1_parse(memory, address, info);
    if (magic == MULTIBOOT2_LEFT)
        return multiboot2_parse(memory, address, info);
    if (magic == PVH_LEFT)
        return pvh_parse(memory, address, info);
    return BOOT_BAD_MAGIC;
}
