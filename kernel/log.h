/*
 * kernel/log.h - one line per event: `[seconds.micros] level module: text`.
 *
 * Not for the packet path: what happens per packet is counted, not logged.
 * Formatting is our own (kernel/format.h), so it works before and after libc.
 */
#ifndef KERNEL_LOG_H
#define KERNEL_LOG_H

#include "kernel/base.h"

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG, LOG_LEVEL_COUNT };

enum { LOG_MODULES_MAX = 16, LOG_MODULE_BYTES = 16 };

/* Who is heard, and down to what. */
struct log_levels {
    enum log_level others; /* of modules that are not named */
    size_t count;
    struct {
        char module[LOG_MODULE_BYTES];
        enum log_level level;
    } named[LOG_MODULES_MAX];
};

/*
 * Read "info" or "tcp:debug,arp:info" or both; a cmdline_parse_fn.
 *
 * out:     a struct log_levels; what the text does not name stays.
 * Returns: false for an unknown level, an empty, long or unprintable name, too
 *          many names.
 */
MUST_CHECK bool log_levels_parse(const char *text, void *out);

/* From now on these hold; copied. Before: LOG_INFO for all. */
void log_set_levels(const struct log_levels *levels);

/*
 * Write one line, when `module` is heard at `level`.
 *
 * module: a word such as "tcp"; the text of `--logs=tcp:debug`.
 * format: as printf's; see kernel/format.h for what is supported. No newline.
 * Blocks: never; the console's own speed is all that it costs.
 */
void log_at(enum log_level level, const char *module, const char *format, ...)
    PRINTF_LIKE(3, 4);

#endif
