/*
 * tests/host/thread_scene.h - green threads under a clock that the test owns.
 *
 * Idling moves the clock to the deadline, so time costs nothing and a replay
 * is exact. What threads do is written down as letters in threads.trace.
 *
 * For tests only: every call asserts what it expects, with cmocka.
 */
#ifndef TESTS_HOST_THREAD_SCENE_H
#define TESTS_HOST_THREAD_SCENE_H

#include "kernel/thread.h"

/* Stacks are ASan's to watch here, and its frames are large. */
enum { THREADS_STACK = 65536 };

struct thread_scene {
    char trace[256];
    size_t trace_length;
    size_t stacks_out, stacks_allowed;
    void (*during_idle)(uint64_t deadline_us); /* the "interrupt" */
};

extern struct thread_scene threads;

/* cmocka's setup and teardown: the clock is 1000; no test leaves a thread or a
 * stack behind. */
int threads_fresh(void **state);
int threads_gone(void **state);

#define THREAD_TEST(name)                                                      \
    cmocka_unit_test_setup_teardown(name, threads_fresh, threads_gone)

/* Write a letter into the trace. */
void threads_note(char letter);

/* A thread, to be joined; one that nobody joins. */
struct thread *threads_start(thread_fn *fn, void *arg);
void threads_start_detached(thread_fn *fn, void *arg);
void threads_join(struct thread *thread);

/* What a thread may do: note its letter, a const char *; three times, with a
 * yield after each. */
void threads_note_letter(void *letter);
void threads_note_three_times(void *letter);

#endif
