/*
 * kernel/console.h - where text for people goes; boot/ says where that is.
 */
#ifndef KERNEL_CONSOLE_H
#define KERNEL_CONSOLE_H

#include "kernel/base.h"

/*
 * From now on text goes to `write`; before, it is lost.
 *
 * write: must work at any time, in a panic and with interrupts off too.
 */
void console_set(void (*write)(const char *text, size_t bytes));

/* Write `bytes` of `text` as they are. Blocks: never. */
void console_write(const char *text, size_t bytes);

/* Write a zero-terminated text. */
void console_print(const char *text);

#endif
