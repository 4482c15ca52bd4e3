/*
 * tests/unit/test_thread_wait.c - what threads wait for: time, each other,
 * signals; and what ends a wait.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/host.h"
#include "tests/host/thread_scene.h"

/* --- time -----------------------------------------------------------------*/

struct sleeper {
    uint64_t deadline_us;
    char letter;
    uint64_t woke_us;
    enum wait_status status;
};

static void sleep_and_note(void *arg)
{
    struct sleeper *sleeper = arg;

    sleeper->status = thread_sleep_until(sleeper->deadline_us);
    sleeper->woke_us = host_now_us;
    threads_note(sleeper->letter);
}

static void sleep__wakes_in_order_and_at_the_exact_time(void **state)
{
    struct sleeper sleepers[] = {
        {3000, 'd', 0, WAIT_OK}, {2000, 'b', 0, WAIT_OK},
        {1001, 'a', 0, WAIT_OK}, {2000, 'c', 0, WAIT_OK},
        {3001, 'e', 0, WAIT_OK},
    };
    struct thread *all[ARRAY_LEN(sleepers)];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sleepers); i++)
        all[i] = threads_start(sleep_and_note, &sleepers[i]);
    for (size_t i = 0; i < ARRAY_LEN(sleepers); i++) {
        threads_join(all[i]);
        assert_int_equal(sleepers[i].woke_us, sleepers[i].deadline_us);
        assert_int_equal(sleepers[i].status, WAIT_DEADLINE);
    }
    assert_string_equal(threads.trace, "abcde");
}

static void sleep__into_the_past_lets_others_run_once(void **state)
{
    struct thread *t = threads_start(threads_note_three_times, "a");

    (void)state;
    assert_int_equal(thread_sleep_until(0), WAIT_DEADLINE);
    threads_note('m');
    assert_int_equal(host_now_us, 1000);
    threads_join(t);
    assert_string_equal(threads.trace, "amaa");
}

static void work_until_2000(void *arg)
{
    int *turns = arg;

    while (host_now_us < 2000) {
        host_now_us += 10;
        ++*turns;
        thread_yield();
    }
}

static void yield__busy_threads_do_not_hold_up_deadlines(void **state)
{
    int turns[2] = {0, 0};
    struct thread *a = threads_start(work_until_2000, &turns[0]);
    struct thread *b = threads_start(work_until_2000, &turns[1]);

    (void)state;
    assert_int_equal(thread_sleep_until(1500), WAIT_DEADLINE);
    assert_in_range(host_now_us, 1500, 1520);
    threads_join(a);
    threads_join(b);
    assert_int_equal(turns[0], turns[1]);
}

/* --- wait queues ----------------------------------------------------------*/

static struct wait_queue queue;
static enum wait_status last_status;

static void wait_and_note(void *letter)
{
    last_status = wait_queue_wait(&queue, "test", FOREVER);
    threads_note(*(const char *)letter);
}

static void wait_until_2000(void *letter)
{
    last_status = wait_queue_wait(&queue, "test", 2000);
    threads_note(*(const char *)letter);
}

static void wake_one__takes_who_waits_longest(void **state)
{
    struct thread *a = threads_start(wait_and_note, "a");
    struct thread *b = threads_start(wait_and_note, "b");
    struct thread *c = threads_start(wait_and_note, "c");

    (void)state;
    assert_false(wait_queue_wake_one(&queue));
    thread_yield();
    assert_true(wait_queue_wake_one(&queue));
    thread_yield();
    assert_string_equal(threads.trace, "a");
    assert_int_equal(last_status, WAIT_OK);
    wait_queue_wake_all(&queue);
    assert_false(wait_queue_wake_one(&queue));
    threads_join(a);
    threads_join(b);
    threads_join(c);
    assert_string_equal(threads.trace, "abc");
}

static void wait__deadline_takes_the_thread_out_of_the_queue(void **state)
{
    struct thread *a = threads_start(wait_until_2000, "a");
    struct thread *b = threads_start(wait_and_note, "b");

    (void)state;
    threads_join(a);
    assert_int_equal(host_now_us, 2000);
    assert_int_equal(last_status, WAIT_DEADLINE);
    assert_true(wait_queue_wake_one(&queue));
    assert_false(wait_queue_wake_one(&queue));
    threads_join(b);
    assert_int_equal(last_status, WAIT_OK);
}

static void wait__woken_before_the_deadline_forgets_it(void **state)
{
    struct thread *a = threads_start(wait_until_2000, "a");

    (void)state;
    thread_yield();
    wait_queue_wake_all(&queue);
    threads_join(a);
    assert_int_equal(last_status, WAIT_OK);
    assert_int_equal(thread_sleep_until(5000), WAIT_DEADLINE);
    assert_int_equal(host_now_us, 5000);
}

/* --- cancelling -----------------------------------------------------------*/

static void wait_twice(void *arg)
{
    enum wait_status *statuses = arg;

    statuses[0] = wait_queue_wait(&queue, "test", FOREVER);
    statuses[1] = wait_queue_wait(&queue, "test", 2000);
}

static void cancel__ends_the_wait_and_only_that(void **state)
{
    enum wait_status statuses[2];
    struct thread *t = threads_start(wait_twice, statuses);

    (void)state;
    thread_yield();
    thread_cancel(t);
    threads_join(t);
    assert_int_equal(statuses[0], WAIT_CANCELLED);
    assert_int_equal(statuses[1], WAIT_DEADLINE);
    assert_false(wait_queue_wake_one(&queue));
}

static void cancel__before_the_wait_ends_the_next_one(void **state)
{
    enum wait_status statuses[2];
    struct thread *t = threads_start(wait_twice, statuses);

    (void)state;
    thread_cancel(t);
    threads_join(t);
    assert_int_equal(statuses[0], WAIT_CANCELLED);
    assert_int_equal(statuses[1], WAIT_DEADLINE);
}

static void cancel__of_a_sleeper_ends_its_sleep(void **state)
{
    struct sleeper sleeper = {9000, 's', 0, WAIT_OK};
    struct thread *t = threads_start(sleep_and_note, &sleeper);

    (void)state;
    thread_yield();
    thread_cancel(t);
    threads_join(t);
    assert_int_equal(sleeper.status, WAIT_CANCELLED);
    assert_int_equal(host_now_us, 1000);
}

/* --- signals --------------------------------------------------------------*/

static struct thread_signal signal_a, signal_b;

static void raise_a_at_1500(uint64_t deadline_us)
{
    (void)deadline_us;
    threads.during_idle = NULL;
    host_now_us = 1500;
    thread_signal_raise(&signal_a);
}

static void signal__raised_while_idle_ends_the_wait(void **state)
{
    (void)state;
    threads.during_idle = raise_a_at_1500;
    assert_int_equal(thread_signal_wait(&signal_a, "irq", FOREVER), WAIT_OK);
    assert_int_equal(host_now_us, 1500);
    assert_false(signal_a.raised);
    assert_int_equal(thread_signal_wait(&signal_a, "irq", 1600), WAIT_DEADLINE);
    assert_int_equal(host_now_us, 1600);
}

static void signal__raised_before_the_wait_is_not_lost(void **state)
{
    struct thread_stats stats;

    (void)state;
    thread_signal_raise(&signal_a);
    thread_signal_raise(&signal_a);
    assert_true(thread_signal_pending());
    thread_yield(); /* the scheduler looks, and finds nobody waiting */
    assert_false(thread_signal_pending());
    assert_int_equal(thread_signal_wait(&signal_a, "irq", FOREVER), WAIT_OK);
    assert_int_equal(thread_signal_wait(&signal_a, "irq", 2000), WAIT_DEADLINE);
    assert_false(thread_signal_pending());
    thread_stats_get(&stats);
    assert_int_equal(stats.switches, 0);
}

static void wait_signal_a(void *arg)
{
    *(enum wait_status *)arg = thread_signal_wait(&signal_a, "irq", FOREVER);
    threads_note('a');
}

static void wait_signal_b(void *arg)
{
    *(enum wait_status *)arg = thread_signal_wait(&signal_b, "irq", FOREVER);
    threads_note('b');
}

static void signal__wakes_its_own_waiter_only(void **state)
{
    enum wait_status status_a = WAIT_DEADLINE, status_b = WAIT_DEADLINE;
    struct thread *a = threads_start(wait_signal_a, &status_a);
    struct thread *b = threads_start(wait_signal_b, &status_b);

    (void)state;
    thread_yield();
    thread_signal_raise(&signal_b);
    thread_yield();
    assert_string_equal(threads.trace, "b");
    thread_cancel(a);
    threads_join(a);
    threads_join(b);
    assert_int_equal(status_a, WAIT_CANCELLED);
    assert_int_equal(status_b, WAIT_OK);
}

/* Each idle raises one of the two: 2,000 interrupts, none of them lost. */
static void raise_by_turns(uint64_t deadline_us)
{
    (void)deadline_us;
    host_now_us++;
    thread_signal_raise(host_now_us % 2 ? &signal_a : &signal_b);
}

static void count_signals(void *arg)
{
    struct thread_signal *signal = arg;

    for (int i = 0; i < 1000; i++)
        assert_int_equal(thread_signal_wait(signal, "irq", FOREVER), WAIT_OK);
}

static void signal__none_of_many_is_lost(void **state)
{
    struct thread *a = threads_start(count_signals, &signal_a);
    struct thread *b = threads_start(count_signals, &signal_b);

    (void)state;
    threads.during_idle = raise_by_turns;
    threads_join(a);
    threads_join(b);
    assert_int_equal(host_now_us, 1000 + 2000);
}

/* --- looking at them ------------------------------------------------------*/

static void view_thread(const struct thread_view *view, void *context)
{
    size_t *count = context;

    ++*count;
    if (!strcmp(view->name, "main")) {
        assert_null(view->reason);
        assert_null(view->stack_pointer);
        assert_true(view->deadline_us == FOREVER);
    } else {
        assert_string_equal(view->name, "test");
        assert_string_equal(view->reason, "test");
        assert_non_null(view->stack_pointer);
        assert_int_equal(view->deadline_us, 2000);
    }
}

static void for_each__shows_every_thread_and_its_wait(void **state)
{
    struct thread *t = threads_start(wait_until_2000, "a");
    size_t count = 0;

    (void)state;
    thread_yield();
    thread_for_each(view_thread, &count);
    assert_int_equal(count, 2);
    threads_join(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        THREAD_TEST(yield__busy_threads_do_not_hold_up_deadlines),
        THREAD_TEST(sleep__wakes_in_order_and_at_the_exact_time),
        THREAD_TEST(sleep__into_the_past_lets_others_run_once),
        THREAD_TEST(wake_one__takes_who_waits_longest),
        THREAD_TEST(wait__deadline_takes_the_thread_out_of_the_queue),
        THREAD_TEST(wait__woken_before_the_deadline_forgets_it),
        THREAD_TEST(cancel__ends_the_wait_and_only_that),
        THREAD_TEST(cancel__before_the_wait_ends_the_next_one),
        THREAD_TEST(cancel__of_a_sleeper_ends_its_sleep),
        THREAD_TEST(signal__raised_while_idle_ends_the_wait),
        THREAD_TEST(signal__raised_before_the_wait_is_not_lost),
        THREAD_TEST(signal__wakes_its_own_waiter_only),
        THREAD_TEST(signal__none_of_many_is_lost),
        THREAD_TEST(for_each__shows_every_thread_and_its_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
