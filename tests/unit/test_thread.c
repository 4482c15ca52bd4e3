/*
 * tests/unit/test_thread.c - threads begin, take turns, are joined and end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/host/host.h"
#include "tests/host/thread_scene.h"

/* --- starting, yielding, ending -------------------------------------------*/

static void spawn__runs_at_its_turn_and_not_at_once(void **state)
{
    struct thread *t = threads_start(threads_note_letter, "a");

    (void)state;
    threads_note('m');
    threads_join(t);
    assert_string_equal(threads.trace, "ma");
}

static void yield__ready_threads_take_turns_in_order(void **state)
{
    struct thread *a = threads_start(threads_note_three_times, "a");
    struct thread *b = threads_start(threads_note_three_times, "b");
    struct thread *c = threads_start(threads_note_three_times, "c");

    (void)state;
    threads_join(b);
    threads_join(a);
    threads_join(c);
    assert_string_equal(threads.trace, "abcabcabc");
}

static void yield__alone_returns_at_once(void **state)
{
    struct thread_stats stats;

    (void)state;
    thread_yield();
    thread_stats_get(&stats);
    assert_int_equal(stats.switches, 0);
}

static void spawn__without_a_stack_is_refused(void **state)
{
    struct thread *t = thread_self();

    (void)state;
    threads.stacks_allowed = 0;
    assert_int_equal(thread_spawn(&t, "x", 0, threads_note_letter, "a"),
                     THREAD_NO_MEMORY);
    assert_null(t);
    assert_int_equal(
        thread_spawn(NULL, "x", SIZE_MAX, threads_note_letter, "a"),
        THREAD_NO_MEMORY);
    threads.stacks_allowed = 1;
    t = threads_start(threads_note_letter, "b");
    threads_join(t);
    assert_string_equal(threads.trace, "b");
}

static void exit_from_below(void *letter)
{
    threads_note_letter(letter);
    thread_exit();
}

static void exit__from_within_a_call_ends_the_thread(void **state)
{
    struct thread *t = threads_start(exit_from_below, "a");

    (void)state;
    threads_start_detached(exit_from_below, "b");
    threads_join(t);
    thread_yield();
    assert_string_equal(threads.trace, "ab");
}

static void spawn__name_is_cut_to_what_fits(void **state)
{
    struct thread *t;

    (void)state;
    assert_int_equal(thread_spawn(&t, "0123456789abcdefgh", THREADS_STACK,
                                  threads_note_letter, "a"),
                     THREAD_OK);
    assert_string_equal(thread_name(t), "0123456789abcde");
    assert_string_equal(thread_name(thread_self()), "main");
    threads_join(t);
}

static void need_alignment(void *out)
{
    double values[2] = {1.5, 2.5};
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);

    /* After `push rbp`, a frame address is a multiple of 16. */
    *(bool *)out = here % 16 == 0 && values[0] + values[1] == 4.0;
}

static void spawn__stack_is_aligned_as_the_abi_says(void **state)
{
    bool aligned = false;

    (void)state;
    threads_join(threads_start(need_alignment, &aligned));
    assert_true(aligned);
}

/* --- joining --------------------------------------------------------------*/

static void cancel_main(void *main_thread)
{
    thread_cancel(main_thread);
    assert_int_equal(thread_sleep_until(3000), WAIT_DEADLINE);
}

static void join__ends_by_deadline_or_cancel_and_keeps_the_handle(void **state)
{
    struct thread *t = threads_start(cancel_main, thread_self());

    (void)state;
    assert_int_equal(thread_join(t, FOREVER), WAIT_CANCELLED);
    assert_int_equal(thread_join(t, 2000), WAIT_DEADLINE);
    assert_int_equal(host_now_us, 2000);
    threads_join(t);
    assert_int_equal(host_now_us, 3000);
}

static void join__of_an_ended_thread_returns_at_once(void **state)
{
    struct thread *t = threads_start(threads_note_letter, "a");

    (void)state;
    thread_yield();
    assert_int_equal(thread_join(t, 0), WAIT_OK);
    assert_string_equal(threads.trace, "a");
}

/* --- many -----------------------------------------------------------------*/

enum { MANY = 10000 };

static uint64_t last_woken_us;
static size_t woken;

static void sleep_in_a_crowd(void *arg)
{
    uint64_t deadline_us = 2000 + (uintptr_t)arg * 7919 % MANY;

    if (thread_sleep_until(deadline_us) != WAIT_DEADLINE ||
        host_now_us != deadline_us || host_now_us < last_woken_us)
        return;
    last_woken_us = host_now_us;
    woken++;
}

static void spawn__ten_thousand_threads_each_wake_in_time(void **state)
{
    struct thread_stats stats;

    (void)state;
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(thread_spawn(NULL, "crowd", THREAD_STACK_BYTES,
                                      sleep_in_a_crowd, (void *)i),
                         THREAD_OK);
    thread_stats_get(&stats);
    assert_int_equal(stats.threads, MANY + 1);
    assert_int_equal(thread_sleep_until(2000 + MANY), WAIT_DEADLINE);
    assert_int_equal(woken, MANY);
}

static void spawn_next(void *arg)
{
    int *left = arg;

    if (--*left > 0)
        threads_start_detached(spawn_next, left);
}

static void exit__frees_the_stack_before_the_next_thread_needs_it(void **state)
{
    int left = 1000;

    (void)state;
    threads.stacks_allowed =
        2; /* the one that ends, and the one that it started */
    threads_start_detached(spawn_next, &left);
    assert_int_equal(thread_sleep_until(2000), WAIT_DEADLINE);
    assert_int_equal(left, 0);
    assert_int_equal(threads.stacks_out, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        THREAD_TEST(spawn__runs_at_its_turn_and_not_at_once),
        THREAD_TEST(yield__ready_threads_take_turns_in_order),
        THREAD_TEST(yield__alone_returns_at_once),
        THREAD_TEST(spawn__without_a_stack_is_refused),
        THREAD_TEST(exit__from_within_a_call_ends_the_thread),
        THREAD_TEST(spawn__name_is_cut_to_what_fits),
        THREAD_TEST(spawn__stack_is_aligned_as_the_abi_says),
        THREAD_TEST(join__ends_by_deadline_or_cancel_and_keeps_the_handle),
        THREAD_TEST(join__of_an_ended_thread_returns_at_once),
        THREAD_TEST(spawn__ten_thousand_threads_each_wake_in_time),
        THREAD_TEST(exit__frees_the_stack_before_the_next_thread_needs_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
