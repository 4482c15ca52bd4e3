/*
 * boot/boot_info.h - what a boot loader says, copied and checked.
 *
 * Three protocols (multiboot1.c, multiboot2.c, pvh.c) fill in the same struct.
 * The parsers are pure: they see memory only through a bounded window and
 * write only their output, so the tests run them on the host with every lie a
 * loader can tell. Nothing in struct boot_info points into the loader's
 * memory, which is ordinary free memory from then on.
 */
#ifndef BOOT_BOOT_INFO_H
#define BOOT_BOOT_INFO_H

#include "kernel/base.h"

enum {
    BOOT_CMDLINE_BYTES = 4096, /* with the zero at the end */
    BOOT_TEXT_BYTES = 64,
    BOOT_REGIONS_MAX = 128,
    BOOT_MODULES_MAX = 16,
    BOOT_RSDP_BYTES = 36
};

/* A part of physical memory, as the loader classes it; end is exclusive. */
struct boot_region {
    uint64_t start;
    uint64_t end;
    bool usable;
};

/* A file that the loader put into memory for us. */
struct boot_module {
    uint64_t start;
    uint64_t end;
    char name[BOOT_TEXT_BYTES]; /* cut if longer */
};

struct boot_info {
    const char *protocol; /* "multiboot", "multiboot2", "pvh" */
    char loader[BOOT_TEXT_BYTES];
    char cmdline[BOOT_CMDLINE_BYTES];
    struct boot_region regions[BOOT_REGIONS_MAX];
    size_t region_count;
    size_t regions_dropped; /* beyond BOOT_REGIONS_MAX */
    struct boot_module modules[BOOT_MODULES_MAX];
    size_t module_count;
    uint64_t rsdp_address; /* ACPI's root, where the loader says; 0: unknown */
    uint8_t rsdp[BOOT_RSDP_BYTES]; /* or its copy, handed over by value */
    size_t rsdp_bytes;             /* 0: no copy */
};

enum boot_status {
    BOOT_OK,
    BOOT_BAD_MAGIC,   /* the number of no protocol that we know */
    BOOT_BAD_POINTER, /* null, misaligned, outside memory, or inside us */
    BOOT_BAD_LENGTH,  /* a length or count that cannot be */
    BOOT_BAD_MAP,     /* entries of the memory map that cannot be read */
    BOOT_NO_MAP,      /* no memory map at all */
    BOOT_BAD_CMDLINE, /* longer than BOOT_CMDLINE_BYTES, or without end */
    BOOT_BAD_MODULE   /* overlaps the kernel or another, or ends too early */
};

/* One sentence for the console. Never null. */
const char *boot_status_text(enum boot_status status);

/*
 * The window through which parsers read: physical [base, end) stands at
 * `bytes`; [hole_start, hole_end) is the kernel's own image, where no loader
 * may leave anything.
 */
struct boot_memory {
    const uint8_t *bytes;
    uint64_t base;
    uint64_t end;
    uint64_t hole_start;
    uint64_t hole_end;
};

/*
 * The bytes [address, address + length) of the window.
 * Returns: null when they are not all inside it, or address is 0.
 */
const uint8_t *boot_memory_at(const struct boot_memory *memory,
                              uint64_t address, uint64_t length);

/* Unaligned little-endian numbers of a loader's structs. */
uint32_t boot_read32(const uint8_t *at);
uint64_t boot_read64(const uint8_t *at);

/*
 * Copy a zero-terminated text of at most `out_bytes` - 1 characters.
 * Returns: false when it is longer or leaves the window; out is then empty.
 */
MUST_CHECK bool boot_copy_text(const struct boot_memory *memory,
                               uint64_t address, char *out, size_t out_bytes);

/* As boot_copy_text(), but a longer text is cut. */
MUST_CHECK bool boot_copy_text_cut(const struct boot_memory *memory,
                                   uint64_t address, char *out,
                                   size_t out_bytes);

/*
 * Note a region; an empty one is ignored, one past 2^64 is cut there, one
 * beyond BOOT_REGIONS_MAX is counted.
 */
void boot_add_region(struct boot_info *info, uint64_t start, uint64_t bytes,
                     bool usable);

/* Note a module, checked against the kernel's image and other modules. */
MUST_CHECK enum boot_status boot_add_module(const struct boot_memory *memory,
                                            struct boot_info *info,
                                            uint64_t start, uint64_t end,
                                            uint64_t name_address);

/*
 * Read what the loader left.
 *
 * magic:   what it left in eax (boot/entry.S puts PVH's own there).
 * address: what it left in ebx.
 * memory:  the window.
 * info:    all of it is written; valid only on BOOT_OK.
 * Blocks:  never.
 * Returns: BOOT_OK, or what is wrong.
 * Source:  Multiboot 0.6.96, Multiboot2 2.0, Xen hvm/start_info.h.
 */
MUST_CHECK enum boot_status boot_info_parse(const struct boot_memory *memory,
                                            uint32_t magic, uint64_t address,
                                            struct boot_info *info);

/* The three parsers behind boot_info_parse(); the same contract. */
MUST_CHECK enum boot_status multiboot1_parse(const struct boot_memory *memory,
                                             uint64_t address,
                                             struct boot_info *info);
MUST_CHECK enum boot_status multiboot2_parse(const struct boot_memory *memory,
                                             uint64_t address,
                                             struct boot_info *info);
MUST_CHECK enum boot_status pvh_parse(const struct boot_memory *memory,
                                      uint64_t address, struct boot_info *info);

#endif
