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
