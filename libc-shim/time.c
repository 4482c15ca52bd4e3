/*
 * libc-shim/time.c - libc's clocks and sleeps, on the kernel's.
 */
#include <errno.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

#include "kernel/clock.h"
#include "kernel/thread.h"

enum { MICROS = 1000000, NANOS_PER_MICRO = 1000 };

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    uint64_t now_us = clock_wall_us();

    (void)zone;
    out->tv_sec = (time_t)(now_us / MICROS);
    out->tv_usec = (suseconds_t)(now_us % MICROS);
    return 0;
}

/* Declared by <time.h> because of _POSIX_TIMERS in the Makefile. */
int clock_gettime(clockid_t clock, struct timespec *out)
{
    uint64_t now_us;

    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC) {
        errno = EINVAL;
        return -1;
    }
    now_us = clock == CLOCK_REALTIME ? clock_wall_us() : clock_us();
    out->tv_sec = (time_t)(now_us / MICROS);
    out->tv_nsec = (long)(now_us % MICROS * NANOS_PER_MICRO);
    return 0;
}

clock_t times(struct tms *out)
{
    clock_t ticks = (clock_t)(clock_us() / (MICROS / CLOCKS_PER_SEC));

    *out = (struct tms){.tms_utime = ticks};
    return ticks;
}

int nanosleep(const struct timespec *length, struct timespec *rest)
{
    uint64_t until_us = clock_us(), now_us;

    if (length->tv_sec < 0 || length->tv_nsec < 0 ||
        length->tv_nsec >= 1000000000) {
        errno = EINVAL;
        return -1;
    }
    until_us +=
        (uint64_t)length->tv_sec * MICROS +
        ((uint64_t)length->tv_nsec + NANOS_PER_MICRO - 1) / NANOS_PER_MICRO;
    if (thread_sleep_until(until_us) == WAIT_DEADLINE)
        return 0;
    now_us = clock_us();
    if (rest) {
        uint64_t left_us = until_us > now_us ? until_us - now_us : 0;

        rest->tv_sec = (time_t)(left_us / MICROS);
        rest->tv_nsec = (long)(left_us % MICROS * NANOS_PER_MICRO);
    }
    errno = EINTR;
    return -1;
}

int usleep(useconds_t micros)
{
    struct timespec length = {
        .tv_sec = (time_t)(micros / MICROS),
        .tv_nsec = (long)(micros % MICROS) * NANOS_PER_MICRO,
    };

    return nanosleep(&length, NULL);
}

unsigned sleep(unsigned seconds)
{
    struct timespec length = {.tv_sec = (time_t)seconds}, rest = {0};

    return nanosleep(&length, &rest) == 0 ? 0 : (unsigned)rest.tv_sec;
}
