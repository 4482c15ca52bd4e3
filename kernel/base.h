/*
 * kernel/base.h - the handful of macros that every file may use.
 *
 * Includes nothing of ours and needs no library, so it serves the kernel, the
 * stack and the host's tests alike.
 */
#ifndef KERNEL_BASE_H
#define KERNEL_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

/* The struct of type `type` whose member `member` stands at `pointer`. */
#define CONTAINER_OF(pointer, type, member)                                    \
    ((type *)((char *)(pointer)-offsetof(type, member)))

/* The result says whether the call worked: ignoring it does not compile. */
#define MUST_CHECK __attribute__((warn_unused_result))

/* What runs seldom: kept out of the functions that call it, and small, so that
 * these need few registers and little of the cache. */
#define COLD __attribute__((cold, noinline))

/* What does not run for nearly every packet (once for a connection, or for
 * another kind of packet): kept out of what does, and fast all the same. */
#define ASIDE __attribute__((noinline))

/* On the way of every packet: becomes part of who calls it, seldom or not. */
#define INLINE inline __attribute__((always_inline))

#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))

/* A deadline that never comes, wherever a deadline in microseconds is asked. */
#define FOREVER UINT64_MAX

/* One page: the unit of the page allocator and of the stack's pools. */
#define PAGE_BYTES 4096u

/*
 * Never returns: says where and `what`, with a backtrace, and ends.
 *
 * file: null where the backtrace alone tells whose bug it is: what a library
 *       asks for, such as abort().
 */
_Noreturn void panic_at(const char *file, int line, const char *what);

/*
 * A broken ASSERT is a bug in our own code, so it stays on in every build.
 * Input from the wire or from the device is never asserted: it is checked.
 * The condition must have no side effect.
 */
#define ASSERT(cond) ((cond) ? (void)0 : panic_at(__FILE__, __LINE__, #cond))

#endif
