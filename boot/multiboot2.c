/*
 * boot/multiboot2.c - what a Multiboot 2 loader says (GRUB).
 *
 * A list of tags, each with a type and a length, aligned to 8 bytes. Not read:
 * the framebuffer, symbols, EFI and network tags.
 * Source: Multiboot2 Specification 2.0, 3.6.
 */
#include "boot/boot_info.h"

enum tag_type {
    TAG_END = 0,
    TAG_CMDLINE = 1,
    TAG_LOADER = 2,
    TAG_MODULE = 3,
    TAG_BASIC_MEMORY = 4,
    TAG_MAP = 6,
    TAG_ACPI_OLD = 14,
    TAG_ACPI_NEW = 15
};

enum {
    HEADER_BYTES = 8,
    TAG_HEADER_BYTES = 8,
    MAP_HEADER_BYTES = 16,
    MAP_ENTRY_MIN = 24,
    MODULE_HEADER_BYTES = 16,
    INFO_BYTES_MAX = 1 << 24
};

struct tag {
    uint32_t type;
    uint32_t bytes;   /* with the header */
    uint64_t address; /* physical */
    const uint8_t *at;
};

/* The tag's own end bounds its text. */
static struct boot_memory inside(const struct boot_memory *memory,
                                 const struct tag *tag)
{
    struct boot_memory window = *memory;

    window.end = tag->address + tag->bytes;
    return window;
}

static enum boot_status parse_cmdline(const struct boot_memory *memory,
                                      const struct tag *tag,
                                      struct boot_info *info)
{
    struct boot_memory window = inside(memory, tag);

    if (!boot_copy_text(&window, tag->address + TAG_HEADER_BYTES, info->cmdline,
                        sizeof(info->cmdline)))
        return BOOT_BAD_CMDLINE;
    return BOOT_OK;
}

static enum boot_status parse_loader(const struct boot_memory *memory,
                                     const struct tag *tag,
                                     struct boot_info *info)
{
    struct boot_memory window = inside(memory, tag);

    if (!boot_copy_text_cut(&window, tag->address + TAG_HEADER_BYTES,
                            info->loader, sizeof(info->loader)))
        return BOOT_BAD_LENGTH;
    return BOOT_OK;
}

static enum boot_status parse_module(const struct boot_memory *memory,
                                     const struct tag *tag,
                                     struct boot_info *info)
{
    struct boot_memory window = inside(memory, tag);

    if (tag->bytes <= MODULE_HEADER_BYTES)
        return BOOT_BAD_LENGTH;
    return boot_add_module(&window, info, boot_read32(tag->at + 8),
                           boot_read32(tag->at + 12),
                           tag->address + MODULE_HEADER_BYTES);
}

static enum boot_status parse_map(const struct tag *tag, struct boot_info *info)
{
    uint32_t entry_bytes;
    uint32_t left;

    if (tag->bytes < MAP_HEADER_BYTES)
        return BOOT_BAD_MAP;
    entry_bytes = boot_read32(tag->at + 8);
    left = tag->bytes - MAP_HEADER_BYTES;
    if (entry_bytes < MAP_ENTRY_MIN || left % entry_bytes != 0)
        return BOOT_BAD_MAP;
    for (uint32_t at = MAP_HEADER_BYTES; at < tag->bytes; at += entry_bytes)
        boot_add_region(info, boot_read64(tag->at + at),
                        boot_read64(tag->at + at + 8),
                        boot_read32(tag->at + at + 16) == 1);
    return BOOT_OK;
}

/* The newer table holds more, and replaces the older one. */
static enum boot_status parse_rsdp(const struct tag *tag,
                                   struct boot_info *info)
{
    size_t bytes = tag->bytes - TAG_HEADER_BYTES;

    if (bytes > sizeof(info->rsdp))
        bytes = sizeof(info->rsdp);
    if (bytes < info->rsdp_bytes)
        return BOOT_OK;
    info->rsdp_bytes = bytes;
    for (size_t i = 0; i < bytes; i++)
        info->rsdp[i] = tag->at[TAG_HEADER_BYTES + i];
    return BOOT_OK;
}

static enum boot_status parse_tag(const struct boot_memory *memory,
                                  const struct tag *tag, struct boot_info *info)
{
    switch (tag->type) {
    case TAG_CMDLINE:
        return parse_cmdline(memory, tag, info);
    case TAG_LOADER:
        return parse_loader(memory, tag, info);
    case TAG_MODULE:
        return parse_module(memory, tag, info);
    case TAG_MAP:
        return parse_map(tag, info);
    case TAG_ACPI_OLD:
    case TAG_ACPI_NEW:
        return parse_rsdp(tag, info);
    default:
        return BOOT_OK;
    }
}

/* Without a map: the size of memory below 640 KiB and above 1 MiB. */
static void parse_basic_memory(const struct tag *tag, struct boot_info *info)
{
    boot_add_region(info, 0, (uint64_t)boot_read32(tag->at + 8) << 10, true);
    boot_add_region(info, 1 << 20, (uint64_t)boot_read32(tag->at + 12) << 10,
                    true);
}

/* Every tag is at least 8 bytes long, so the loop ends. */
static enum boot_status parse_tags(const struct boot_memory *memory,
                                   uint64_t address, uint32_t total,
                                   struct boot_info *info)
{
    struct tag basic = {.type = TAG_END};
    uint32_t offset = HEADER_BYTES;

    while (total - offset >= TAG_HEADER_BYTES) {
        struct tag tag = {.address = address + offset};
        enum boot_status status;

        tag.at = boot_memory_at(memory, tag.address, TAG_HEADER_BYTES);
        tag.type = boot_read32(tag.at);
        tag.bytes = boot_read32(tag.at + 4);
        if (tag.bytes < TAG_HEADER_BYTES || tag.bytes > total - offset)
            return BOOT_BAD_LENGTH;
        if (tag.type == TAG_END)
            break;
        if (tag.type == TAG_BASIC_MEMORY && tag.bytes >= 16)
            basic = tag;
        status = parse_tag(memory, &tag, info);
        if (status != BOOT_OK)
            return status;
        if (total - offset < ((tag.bytes + 7u) & ~7u))
            break;
        offset += (tag.bytes + 7u) & ~7u;
    }
    if (info->region_count == 0 && basic.type == TAG_BASIC_MEMORY)
        parse_basic_memory(&basic, info);
    return info->region_count == 0 ? BOOT_NO_MAP : BOOT_OK;
}

enum boot_status multiboot2_parse(const struct boot_memory *memory,
                                  uint64_t address, struct boot_info *info)
{
    const uint8_t *at = boot_memory_at(memory, address, HEADER_BYTES);
    uint32_t total;

    info->protocol = "multiboot2";
    if (!at || address % 8 != 0)
        return BOOT_BAD_POINTER;
    total = boot_read32(at);
    if (total < HEADER_BYTES || total > INFO_BYTES_MAX)
        return BOOT_BAD_LENGTH;
    if (!boot_memory_at(memory, address, total))
        return BOOT_BAD_POINTER;
    return parse_tags(memory, address, total, info);
}
