/*
 * kernel/symbols.c - the names of the image's own functions.
 *
 * Reads the table that scripts/symbols.py writes and describes.
 */
#include "kernel/symbols.h"

enum { FIRST_CODE = 128, PAIRS = 128, SYMBOLS_DEPTH_MAX = 16 };

/* Where the parts of the table begin. */
enum {
    TABLE_COUNT = 0,
    TABLE_BASE = 4,
    TABLE_PAIRS = 8,
    TABLE_ENTRIES = TABLE_PAIRS + 2 * PAIRS
};

extern const uint8_t symbols_table[];
extern const uint8_t text_start[];
extern const uint8_t text_end[];

static uint32_t read32(unsigned offset)
{
    const uint8_t *at = symbols_table + offset;

    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
           (uint32_t)at[3] << 24;
}

static uint64_t read_distance(const uint8_t **at)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = *(*at)++;

        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            break;
    }
    return value;
}

/* Append what one code stands for; a pair's right half waits its turn. */
static size_t expand(uint8_t code, char *name, size_t length)
{
    uint8_t waiting[SYMBOLS_DEPTH_MAX + 1];
    size_t depth = 0;

    waiting[depth++] = code;
    while (depth > 0 && length < SYMBOLS_NAME_BYTES - 1) {
        uint8_t next = waiting[--depth];

        if (next < FIRST_CODE) {
            name[length++] = (char)next;
        } else if (depth + 2 <= sizeof(waiting)) {
            const uint8_t *pair =
                symbols_table + TABLE_PAIRS + 2 * (next - FIRST_CODE);

            waiting[depth++] = pair[1];
            waiting[depth++] = pair[0];
        }
    }
    return length;
}

static void read_name(const uint8_t *codes, uint8_t count, char *name)
{
    size_t length = 0;

    for (uint8_t i = 0; i < count; i++)
        length = expand(codes[i], name, length);
    name[length] = 0;
}

bool symbols_find(uint64_t address, struct symbol *symbol)
{
    const uint8_t *at = symbols_table + TABLE_ENTRIES;
    const uint8_t *found = NULL;
    uint32_t count = read32(TABLE_COUNT);
    uint64_t start = read32(TABLE_BASE);

    symbol->name[0] = 0;
    symbol->offset = 0;
    if (address < (uintptr_t)text_start || address >= (uintptr_t)text_end)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        start += read_distance(&at);
        if (start > address)
            break;
        found = at;
        symbol->offset = address - start;
        at += 1 + *at;
    }
    if (!found)
        return false;
    read_name(found + 1, *found, symbol->name);
    return true;
}
