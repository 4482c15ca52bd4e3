/*
 * kernel/thread.h - green threads: cooperative, on one CPU.
 *
 * A thread runs until it calls something that blocks, so between two such
 * calls it is alone with all data. An interrupt never runs a thread; it raises
 * a signal (thread_signal_raise), and the thread goes on at its turn. Ready
 * threads run in the order in which they became ready.
 *
 * Plain System V code: the same file runs on the host, where the tests give it
 * a virtual clock and an idle function of their own.
 */
#ifndef KERNEL_THREAD_H
#define KERNEL_THREAD_H

#include "kernel/base.h"

struct thread; /* opaque; valid until joined, or until it ends if detached */

typedef void thread_fn(void *arg);

enum { THREAD_STACK_BYTES = 16384, THREAD_NAME_BYTES = 16 };

/* What threads need of the machine, or of a test. All are required. */
struct thread_host {
    uint64_t (*now_us)(void);
    /*
     * Nothing is ready: wait for an interrupt, at the latest until
     * `deadline_us` (FOREVER: no deadline). May return early. Called with the
     * promise that thread_signal_raise() in an interrupt ends it.
     */
    void (*idle)(uint64_t deadline_us);
    /*
     * A stack of `bytes` (a multiple of the page), aligned to 16, above a
     * guard; or null. The thread's own struct lies in its topmost bytes.
     */
    void *(*stack_alloc)(size_t bytes);
    void (*stack_free)(void *stack, size_t bytes);
};

/*
 * Make the caller the first thread, named "main". Before anything else here;
 * again only (in tests) when no other thread is left. Forgets the hook.
 *
 * host: is not copied and must stay.
 */
void thread_init(const struct thread_host *host);

/*
 * Called at each switch with the thread that leaves and the one that comes:
 * libc-shim swaps errno there. Null: nothing is called.
 */
void thread_set_switch_hook(void (*hook)(struct thread *from,
                                         struct thread *to));

/* A word of storage per thread for that hook; zero in a new thread. */
uintptr_t *thread_hook_word(struct thread *thread);

enum thread_status { THREAD_OK, THREAD_NO_MEMORY };

/*
 * Start `fn(arg)` on a thread of its own; it runs at its turn, not at once.
 *
 * thread:      set on THREAD_OK; null to detach: it then cleans up by itself,
 *              otherwise the caller must thread_join() it.
 * name:        copied, cut to THREAD_NAME_BYTES - 1.
 * stack_bytes: 0 for THREAD_STACK_BYTES; rounded up to a page.
 * Blocks:      never.
 * Returns:     THREAD_OK, or THREAD_NO_MEMORY (an ordinary refusal).
 */
MUST_CHECK enum thread_status thread_spawn(struct thread **thread,
                                           const char *name, size_t stack_bytes,
                                           thread_fn *fn, void *arg);

/* The running thread; never null after thread_init(). */
struct thread *thread_self(void);

/* Its name, for the log. */
const char *thread_name(const struct thread *thread);

/* Let every thread that is ready now run once. */
void thread_yield(void);

/* End the running thread, as returning from its function does. */
_Noreturn void thread_exit(void);

enum wait_status {
    WAIT_OK,
    WAIT_DEADLINE, /* the deadline passed first */
    WAIT_CANCELLED /* somebody called thread_cancel() on the waiting thread */
};

/*
 * Wait until `deadline_us` on the host's clock.
 * Returns: WAIT_DEADLINE, or WAIT_CANCELLED.
 */
enum wait_status thread_sleep_until(uint64_t deadline_us);

/*
 * Wait until `thread` has ended, and free it. One caller at a time.
 * Returns: WAIT_OK (the handle is gone), WAIT_DEADLINE, WAIT_CANCELLED (it
 *          is the caller that was cancelled); the handle stays in both.
 */
MUST_CHECK enum wait_status thread_join(struct thread *thread,
                                        uint64_t deadline_us);

/*
 * End the wait that `thread` is in, or the next one that it begins, with
 * WAIT_CANCELLED. Once per call: later waits are as before.
 */
void thread_cancel(struct thread *thread);

/* Forget a thread_cancel() of the running thread that no wait has seen: it was
 * meant for work that is over. */
void thread_uncancel(void);

/* Threads that wait for the same thing. All zero is an empty queue. */
struct wait_queue {
    struct thread *head;
};

/*
 * Wait in `queue` until woken. Conditions are checked again by the caller.
 *
 * reason:  a constant string, shown by a panic: "flow read".
 * Returns: every wait_status; the thread is no longer in the queue.
 */
MUST_CHECK enum wait_status wait_queue_wait(struct wait_queue *queue,
                                            const char *reason,
                                            uint64_t deadline_us);

/* Wake the thread that waits longest. Returns: whether there was one. */
bool wait_queue_wake_one(struct wait_queue *queue);

/* Wake all that wait now. */
void wait_queue_wake_all(struct wait_queue *queue);

/* What an interrupt can set and one thread can wait for. All zero: clear. */
struct thread_signal {
    volatile bool raised;
    struct thread *waiter;
};

/* Set the signal and make its waiter ready. Safe in an interrupt handler. */
void thread_signal_raise(struct thread_signal *signal);

/*
 * Whether a signal was raised that the scheduler has not yet looked at. The
 * host's idle function must not halt then: it asks with interrupts disabled.
 * Blocks: never.
 */
bool thread_signal_pending(void);

/*
 * Until when the running thread keeps nobody waiting when it does not block,
 * unless an interrupt raises a signal (thread_signal_pending).
 * Blocks:  never.
 * Returns: 0 when another thread can run now; else the next deadline of one
 *          that waits; FOREVER.
 */
uint64_t thread_alone_until(void);

/*
 * Wait until the signal is raised, and clear it. One waiter at a time.
 * Returns: WAIT_OK (it was raised), WAIT_DEADLINE, WAIT_CANCELLED.
 */
MUST_CHECK enum wait_status thread_signal_wait(struct thread_signal *signal,
                                               const char *reason,
                                               uint64_t deadline_us);

/* One thread as a panic or a status page shows it. */
struct thread_view {
    const char *name;
    const char *reason; /* what it waits for; null when it can run */
    uint64_t deadline_us;
    const void *stack_pointer; /* saved; null for the running thread */
};

/* Call `fn` for each thread, the running one included. No blocking inside. */
void thread_for_each(void (*fn)(const struct thread_view *view, void *context),
                     void *context);

/* How many threads exist, and how many switches have been made. */
struct thread_stats {
    size_t threads;
    uint64_t switches;
};
void thread_stats_get(struct thread_stats *stats);

#endif
