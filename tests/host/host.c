/*
 * tests/host/host.c - panic, log, clock and randomness for tests on the host.
 */
#include "tests/host/host.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/clock.h"
#include "kernel/log.h"
#include "kernel/random.h"

uint64_t host_now_us;
uint64_t host_wall_us;
bool host_panic_caught;
const char *host_panic_what;
void *host_panic_jump[5];

static uint64_t random_state = 1;

_Noreturn void panic_at(const char *file, int line, const char *what)
{
    if (host_panic_caught) {
        host_panic_caught = false;
        host_panic_what = what;
        __builtin_longjmp(host_panic_jump, 1);
    }
    fprintf(stderr, "%s:%d: panic: %s\n", file, line, what);
    abort();
}

void log_at(enum log_level level, const char *module, const char *format, ...)
{
    va_list args;

    if (!getenv("HOST_LOG") || level > (enum log_level)atoi(getenv("HOST_LOG")))
        return;
    va_start(args, format);
    fprintf(stderr, "[%llu] %s: ", (unsigned long long)host_now_us, module);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}

uint64_t clock_us(void)
{
    return host_now_us;
}

uint64_t clock_wall_us(void)
{
    return host_wall_us;
}

void host_seed(uint64_t seed)
{
    random_state = seed ? seed : 1;
}

/* Vigna's splitmix64: every seed is a good seed. */
uint64_t host_random(void)
{
    uint64_t z = random_state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

void random_bytes(void *out, size_t bytes)
{
    uint8_t *to = out;

    for (size_t i = 0; i < bytes; i++)
        to[i] = (uint8_t)host_random();
}
