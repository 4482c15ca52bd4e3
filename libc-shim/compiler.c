/*
 * libc-shim/compiler.c - what objects compiled for the host may ask for.
 *
 * Debian's static libraries are built with a stack protector and with
 * _FORTIFY_SOURCE: a failed check is a bug, and panics.
 *
 * Source: LSB 5.0, section 17.1.3.1 (the __*_chk functions).
 */
#include <string.h>

#include "kernel/base.h"

_Noreturn void __stack_chk_fail(void);
_Noreturn void __chk_fail(void);
void *__memcpy_chk(void *to, const void *from, size_t bytes, size_t room);
void *__memmove_chk(void *to, const void *from, size_t bytes, size_t room);
void *__memset_chk(void *to, int value, size_t bytes, size_t room);
char *__strcpy_chk(char *to, const char *from, size_t room);

_Noreturn void __stack_chk_fail(void)
{
    panic_at(NULL, 0, "a stack canary was overwritten");
}

_Noreturn void __chk_fail(void)
{
    panic_at(NULL, 0, "a copy is larger than its buffer");
}

void *__memcpy_chk(void *to, const void *from, size_t bytes, size_t room)
{
    if (bytes > room)
        __chk_fail();
    return memcpy(to, from, bytes);
}

void *__memmove_chk(void *to, const void *from, size_t bytes, size_t room)
{
    if (bytes > room)
        __chk_fail();
    return memmove(to, from, bytes);
}

void *__memset_chk(void *to, int value, size_t bytes, size_t room)
{
    if (bytes > room)
        __chk_fail();
    return memset(to, value, bytes);
}

char *__strcpy_chk(char *to, const char *from, size_t room)
{
    return __memcpy_chk(to, from, strlen(from) + 1, room);
}
