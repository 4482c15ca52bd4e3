/*
 * tests/host/thread_scene.c - see thread_scene.h.
 */
#include "tests/host/thread_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/host/host.h"

struct thread_scene threads;

static uint64_t now_us(void)
{
    return host_now_us;
}

static void idle(uint64_t deadline_us)
{
    if (threads.during_idle)
        threads.during_idle(deadline_us);
    if (thread_signal_pending())
        return;
    assert_true(deadline_us != FOREVER); /* else nothing would ever happen */
    assert_true(deadline_us > host_now_us);
    host_now_us = deadline_us;
}

static void *stack_alloc(size_t bytes)
{
    assert_int_equal(bytes % PAGE_BYTES, 0);
    if (threads.stacks_out == threads.stacks_allowed)
        return NULL;
    threads.stacks_out++;
    return aligned_alloc(64, bytes);
}

static void stack_free(void *stack, size_t bytes)
{
    (void)bytes;
    threads.stacks_out--;
    free(stack);
}

static const struct thread_host host = {
    .now_us = now_us,
    .idle = idle,
    .stack_alloc = stack_alloc,
    .stack_free = stack_free,
};

int threads_fresh(void **state)
{
    (void)state;
    host_now_us = 1000;
    threads = (struct thread_scene){.stacks_allowed = SIZE_MAX};
    thread_init(&host);
    return 0;
}

int threads_gone(void **state)
{
    struct thread_stats stats;

    (void)state;
    thread_stats_get(&stats);
    assert_int_equal(stats.threads, 1);
    assert_int_equal(threads.stacks_out, 0);
    return 0;
}

void threads_note(char letter)
{
    if (threads.trace_length + 1 < sizeof threads.trace)
        threads.trace[threads.trace_length++] = letter;
}

struct thread *threads_start(thread_fn *fn, void *arg)
{
    struct thread *t;

    assert_int_equal(thread_spawn(&t, "test", THREADS_STACK, fn, arg),
                     THREAD_OK);
    return t;
}

void threads_start_detached(thread_fn *fn, void *arg)
{
    assert_int_equal(thread_spawn(NULL, "test", THREADS_STACK, fn, arg),
                     THREAD_OK);
}

void threads_join(struct thread *t)
{
    assert_int_equal(thread_join(t, FOREVER), WAIT_OK);
}

void threads_note_letter(void *letter)
{
    threads_note(*(const char *)letter);
}

void threads_note_three_times(void *letter)
{
    for (int i = 0; i < 3; i++) {
        threads_note(*(const char *)letter);
        thread_yield();
    }
}
