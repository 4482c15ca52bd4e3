/*
 * kernel/symbols.h - the names of the image's own functions.
 */
#ifndef KERNEL_SYMBOLS_H
#define KERNEL_SYMBOLS_H

#include "kernel/base.h"

enum { SYMBOLS_NAME_BYTES = 64 };

struct symbol {
    char name[SYMBOLS_NAME_BYTES];
    uint64_t offset; /* of the address from where the function begins */
};

/*
 * Find the function in which `address` lies.
 *
 * Blocks:  never; goes through the whole table, for a panic has time.
 * Returns: false when it is not code, or the image has no table.
 */
bool symbols_find(uint64_t address, struct symbol *symbol);

#endif
