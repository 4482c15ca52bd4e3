/*
 * boot/memory.h - all usable memory into the page tables and the allocator.
 */
#ifndef BOOT_MEMORY_H
#define BOOT_MEMORY_H

#include "boot/boot_info.h"

/*
 * Once. Modules stay as they are, mapped, and nobody's.
 * Returns: false when there is too little memory for the page tables.
 */
MUST_CHECK bool memory_start(const struct boot_info *info);

#endif
