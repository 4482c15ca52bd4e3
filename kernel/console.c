/*
 * kernel/console.c - where text for people goes.
 */
#include "kernel/console.h"

static struct {
    void (*write)(const char *text, size_t bytes);
} console;

void console_set(void (*write)(const char *text, size_t bytes))
{
    console.write = write;
}

void console_write(const char *text, size_t bytes)
{
    if (console.write)
        console.write(text, bytes);
}

void console_print(const char *text)
{
    size_t bytes = 0;

    while (text[bytes])
        bytes++;
    console_write(text, bytes);
}
