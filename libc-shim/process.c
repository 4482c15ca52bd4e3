/*
 * libc-shim/process.c - the one process that there is, and its end.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/base.h"
#include "kernel/log.h"
#include "kernel/power.h"
#include "kernel/random.h"

/* newlib calls these; not all of its headers say so. */
int kill(pid_t pid, int number);
int getentropy(void *out, size_t bytes);
int sigprocmask(int how, const sigset_t *set, sigset_t *old);
pid_t wait(int *status);

enum { PID = 1, ENTROPY_MAX = 256, STATUS_MASK = 0xff, STATUS_MAX = 127 };

/* The low eight bits, as POSIX says; of these the machine can tell seven. */
_Noreturn void _exit(int status)
{
    status &= STATUS_MASK;
    if (status > STATUS_MAX) {
        log_at(LOG_ERROR, "app", "exit status %d: told as %d, the highest",
               status, STATUS_MAX);
        status = STATUS_MAX;
    }
    power_exit(status);
}

pid_t getpid(void)
{
    return PID;
}

/* A signal that newlib sends is one that ends us: abort(), an assertion. */
int kill(pid_t pid, int number)
{
    if (pid != PID) {
        errno = ESRCH;
        return -1;
    }
    if (number == 0)
        return 0;
    if (number == SIGABRT)
        panic_at(NULL, 0, "abort()");
    _exit(128 + number);
}

int sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
    (void)how;
    (void)set;
    if (old)
        *old = 0;
    return 0;
}

int getentropy(void *out, size_t bytes)
{
    if (bytes > ENTROPY_MAX) {
        errno = EIO;
        return -1;
    }
    random_bytes(out, bytes);
    return 0;
}

pid_t fork(void)
{
    errno = ENOSYS;
    return -1;
}

int execve(const char *path, char *const argv[], char *const envp[])
{
    (void)path;
    (void)argv;
    (void)envp;
    errno = ENOSYS;
    return -1;
}

pid_t wait(int *status)
{
    (void)status;
    errno = ECHILD;
    return -1;
}
