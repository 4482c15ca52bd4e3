/*
 * libc-shim/lock.c - newlib's locks, as checks that none is needed.
 *
 * Threads are cooperative and nothing in libc blocks, so a lock is never
 * contended. Should that ever change, two threads would share malloc's state:
 * the owner is kept, and a second one panics.
 *
 * Source: newlib libc/misc/lock.c (the names); sys/lock.h.
 */
#include <stdlib.h>
#include <sys/lock.h>

#include "kernel/base.h"
#include "kernel/thread.h"

struct __lock {
    struct thread *owner;
    unsigned depth;
};

/* The locks that newlib has without asking. */
struct __lock __lock___sinit_recursive_mutex;
struct __lock __lock___sfp_recursive_mutex;
struct __lock __lock___atexit_recursive_mutex;
struct __lock __lock___at_quick_exit_mutex;
struct __lock __lock___malloc_recursive_mutex;
struct __lock __lock___env_recursive_mutex;
struct __lock __lock___tz_mutex;
struct __lock __lock___dd_hash_mutex;
struct __lock __lock___arc4random_mutex;

/* For a FILE: stands for all of them where malloc has nothing left. */
static struct __lock spare;

static void take(struct __lock *lock)
{
    struct thread *self = thread_self();

    ASSERT(lock->depth == 0 || lock->owner == self || lock == &spare);
    lock->owner = self;
    lock->depth++;
}

static void give(struct __lock *lock)
{
    ASSERT(lock->depth > 0);
    lock->depth--;
}

static void make(_LOCK_T *lock)
{
    *lock = calloc(1, sizeof(struct __lock));
    if (!*lock)
        *lock = &spare;
}

static void drop(_LOCK_T lock)
{
    if (lock != &spare)
        free(lock);
}

void __retarget_lock_init(_LOCK_T *lock)
{
    make(lock);
}

void __retarget_lock_init_recursive(_LOCK_T *lock)
{
    make(lock);
}

void __retarget_lock_close(_LOCK_T lock)
{
    drop(lock);
}

void __retarget_lock_close_recursive(_LOCK_T lock)
{
    drop(lock);
}

void __retarget_lock_acquire(_LOCK_T lock)
{
    take(lock);
}

void __retarget_lock_acquire_recursive(_LOCK_T lock)
{
    take(lock);
}

int __retarget_lock_try_acquire(_LOCK_T lock)
{
    take(lock);
    return 0;
}

int __retarget_lock_try_acquire_recursive(_LOCK_T lock)
{
    take(lock);
    return 0;
}

void __retarget_lock_release(_LOCK_T lock)
{
    give(lock);
}

void __retarget_lock_release_recursive(_LOCK_T lock)
{
    give(lock);
}
