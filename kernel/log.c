/*
 * kernel/log.c - one line per event on the console.
 */
#include "kernel/log.h"

#include <stdarg.h>

#include "kernel/clock.h"
#include "kernel/console.h"
#include "kernel/format.h"

enum { LINE_BYTES = 256 };

static struct {
    struct log_levels levels;
} log = {.levels = {.others = LOG_INFO}};

static const char *const level_names[LOG_LEVEL_COUNT] = {
    [LOG_ERROR] = "error",
    [LOG_WARNING] = "warning",
    [LOG_INFO] = "info",
    [LOG_DEBUG] = "debug",
};

void log_set_levels(const struct log_levels *levels)
{
    log.levels = *levels;
}

static enum log_level level_of(const char *module)
{
    for (size_t i = 0; i < log.levels.count; i++) {
        const char *name = log.levels.named[i].module;
        size_t at = 0;

        while (name[at] && name[at] == module[at])
            at++;
        if (name[at] == module[at])
            return log.levels.named[i].level;
    }
    return log.levels.others;
}

void log_at(enum log_level level, const char *module, const char *format, ...)
{
    char line[LINE_BYTES];
    uint64_t now_us;
    size_t length;
    va_list args;

    if (level > level_of(module))
        return;
    now_us = clock_us();
    length = format_text(
        line, sizeof(line),
        "[%llu.%06llu] %s %s: ", (unsigned long long)(now_us / 1000000),
        (unsigned long long)(now_us % 1000000), level_names[level], module);
    va_start(args, format);
    length +=
        format_text_va(line + length, sizeof(line) - 1 - length, format, args);
    va_end(args);
    line[length++] = '\n'; /* in the place that was kept for it */
    console_write(line, length);
}
