/*
 * kernel/format.h - printf's formats, the part that log lines need.
 *
 * Needs no library, no memory but the caller's and no floating point, so it
 * works in a panic. Supported: %s %c %d %i %u %x %p %%, with l, ll and z, the
 * flags - and 0, a width, and a precision for %s; both may be `*`. Anything
 * else ends the text with the rest of the format as it stands, so that a
 * mistake can be seen; the compiler warns of most of them.
 */
#ifndef KERNEL_FORMAT_H
#define KERNEL_FORMAT_H

#include <stdarg.h>

#include "kernel/base.h"

/*
 * Write a zero-terminated text to `out`, cut to what fits.
 *
 * out:     `bytes` bytes, the final zero among them; 0 is allowed.
 * format:  as printf's, see above; a null pointer for %s is "(null)".
 * Blocks:  never.
 * Returns: the bytes written, without the final zero: less than `bytes`.
 */
size_t format_text(char *out, size_t bytes, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* The same with a va_list, which is consumed. */
size_t format_text_va(char *out, size_t bytes, const char *format, va_list args)
    PRINTF_LIKE(3, 0);

#endif
