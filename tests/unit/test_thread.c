/*
 * tests/unit/test_thread.c - green threads under a clock that the test owns.
 *
 * Idling moves the clock to the deadline, so time costs nothing and a replay
 * is exact. What threads do is written down as letters in `trace`.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/thread.h"
#include "tests/host/host.h"

static char trace[256];
static size_t trace_length;
static size_t stacks_out;
static size_t stacks_allowed;
static void (*during_idle)(uint64_t deadline_us); /* the "interrupt" */

static void note(char letter)
{
    if (trace_length + 1 < sizeof trace)
        trace[trace_length++] = letter;
}

static uint64_t now_us(void)
{
    return host_now_us;
}

static void idle(uint64_t deadline_us)
{
    if (during_idle)
        during_idle(deadline_us);
    if (thread_signal_pending())
        return;
    assert_true(deadline_us != FOREVER); /* else nothing would ever happen */
    assert_true(deadline_us > host_now_us);
    host_now_us = deadline_us;
}

static void *stack_alloc(size_t bytes)
{
    assert_int_equal(bytes % PAGE_BYTES, 0);
    if (stacks_out == stacks_allowed)
        return NULL;
    stacks_out++;
    return aligned_alloc(64, bytes);
}

static void stack_free(void *stack, size_t bytes)
{
    (void)bytes;
    stacks_out--;
    free(stack);
}

static const struct thread_host host = {
    .now_us = now_us,
    .idle = idle,
    .stack_alloc = stack_alloc,
    .stack_free = stack_free,
};

/* Stacks are ASan's to watch here, and its frames are large. */
enum { TEST_STACK = 65536 };

static int setup(void **state)
{
    (void)state;
    host_now_us = 1000;
    memset(trace, 0, sizeof trace);
    trace_length = 0;
    stacks_out = 0;
    stacks_allowed = SIZE_MAX;
    during_idle = NULL;
    thread_init(&host);
    return 0;
}

/* No test leaves a thread or a stack behind. */
static int teardown(void **state)
{
    struct thread_stats stats;

    (void)state;
    thread_stats_get(&stats);
    return stats.threads == 1 && stacks_out == 0 ? 0 : -1;
}

static struct thread *start(thread_fn *fn, void *arg)
{
    struct thread *t;

    assert_int_equal(thread_spawn(&t, "test", TEST_STACK, fn, arg), THREAD_OK);
    return t;
}

static void start_detached(thread_fn *fn, void *arg)
{
    assert_int_equal(thread_spawn(NULL, "test", TEST_STACK, fn, arg),
                     THREAD_OK);
}

static void join(struct thread *t)
{
    assert_int_equal(thread_join(t, FOREVER), WAIT_OK);
}

static void note_letter(void *letter)
{
    note(*(const char *)letter);
}

static void note_three_times(void *letter)
{
    for (int i = 0; i < 3; i++) {
        note(*(const char *)letter);
        thread_yield();
    }
}

/* --- starting, yielding, ending -------------------------------------------*/

static void spawn__runs_at_its_turn_and_not_at_once(void **state)
{
    struct thread *t = start(note_letter, "a");

    (void)state;
    note('m');
    join(t);
    assert_string_equal(trace, "ma");
}

static void yield__ready_threads_take_turns_in_order(void **state)
{
    struct thread *a = start(note_three_times, "a");
    struct thread *b = start(note_three_times, "b");
    struct thread *c = start(note_three_times, "c");

    (void)state;
    join(b);
    join(a);
    join(c);
    assert_string_equal(trace, "abcabcabc");
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
    stacks_allowed = 0;
    assert_int_equal(thread_spawn(&t, "x", 0, note_letter, "a"),
                     THREAD_NO_MEMORY);
    assert_null(t);
    assert_int_equal(thread_spawn(NULL, "x", SIZE_MAX, note_letter, "a"),
                     THREAD_NO_MEMORY);
    stacks_allowed = 1;
    t = start(note_letter, "b");
    join(t);
    assert_string_equal(trace, "b");
}

static void exit_from_below(void *letter)
{
    note_letter(letter);
    thread_exit();
}

static void exit__from_within_a_call_ends_the_thread(void **state)
{
    struct thread *t = start(exit_from_below, "a");

    (void)state;
    start_detached(exit_from_below, "b");
    join(t);
    thread_yield();
    assert_string_equal(trace, "ab");
}

static void spawn__name_is_cut_to_what_fits(void **state)
{
    struct thread *t;

    (void)state;
    assert_int_equal(
        thread_spawn(&t, "0123456789abcdefgh", TEST_STACK, note_letter, "a"),
        THREAD_OK);
    assert_string_equal(thread_name(t), "0123456789abcde");
    assert_string_equal(thread_name(thread_self()), "main");
    join(t);
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
    join(start(need_alignment, &aligned));
    assert_true(aligned);
}

/* --- what a switch keeps --------------------------------------------------*/

static uint32_t mxcsr_get(void)
{
    uint32_t value;

    __asm__ volatile("stmxcsr %0" : "=m"(value));
    return value;
}

static void mxcsr_set(uint32_t value)
{
    __asm__ volatile("ldmxcsr %0" : : "m"(value));
}

static uint16_t x87_get(void)
{
    uint16_t value;

    __asm__ volatile("fnstcw %0" : "=m"(value));
    return value;
}

static void x87_set(uint16_t value)
{
    __asm__ volatile("fldcw %0" : : "m"(value));
}

/*
 * Fill every callee-saved register from `in`, call `fn`, write them to `out`.
 * An ordinary function of the ABI, which C cannot express.
 */
void call_with_registers(const uint64_t in[6], uint64_t out[6],
                         void (*fn)(void));
__asm__(".text\n"
        "call_with_registers:\n"
        "    pushq %rbp; pushq %rbx; pushq %r12\n"
        "    pushq %r13; pushq %r14; pushq %r15\n"
        "    pushq %rsi\n"
        "    movq 0(%rdi), %rbx; movq 8(%rdi), %rbp; movq 16(%rdi), %r12\n"
        "    movq 24(%rdi), %r13; movq 32(%rdi), %r14; movq 40(%rdi), %r15\n"
        "    callq *%rdx\n"
        "    popq %rsi\n"
        "    movq %rbx, 0(%rsi); movq %rbp, 8(%rsi); movq %r12, 16(%rsi)\n"
        "    movq %r13, 24(%rsi); movq %r14, 32(%rsi); movq %r15, 40(%rsi)\n"
        "    popq %r15; popq %r14; popq %r13\n"
        "    popq %r12; popq %rbx; popq %rbp\n"
        "    ret\n");

static bool registers_survive_yield(uint64_t seed)
{
    uint64_t in[6] = {seed, seed + 1, seed + 2, seed + 3, seed + 4, seed + 5};
    uint64_t out[6] = {0};

    call_with_registers(in, out, thread_yield);
    return memcmp(in, out, sizeof in) == 0;
}

struct keeper {
    uint64_t seed;
    uint32_t mxcsr;
    uint16_t x87_control;
    bool kept;
};

static void keep_registers(void *arg)
{
    struct keeper *keeper = arg;

    keeper->kept = mxcsr_get() == 0x1f80 && x87_get() == 0x037f;
    mxcsr_set(keeper->mxcsr);
    x87_set(keeper->x87_control);
    for (int i = 0; i < 4; i++)
        keeper->kept &= registers_survive_yield(keeper->seed + i) &&
                        mxcsr_get() == keeper->mxcsr &&
                        x87_get() == keeper->x87_control;
}

static void switch__keeps_what_the_abi_says(void **state)
{
    /* Rounding down and up, single precision: not what a thread starts with. */
    struct keeper a = {0x1111, 0x3f80, 0x007f, false};
    struct keeper b = {0x2222, 0x5f80, 0x0b7f, false};
    struct thread *ta = start(keep_registers, &a);
    struct thread *tb = start(keep_registers, &b);

    (void)state;
    join(ta);
    join(tb);
    assert_true(a.kept);
    assert_true(b.kept);
}

static struct thread *hook_from, *hook_to;
static uintptr_t shared_word = 7;

static void swap_word(struct thread *from, struct thread *to)
{
    hook_from = from;
    hook_to = to;
    *thread_hook_word(from) = shared_word;
    shared_word = *thread_hook_word(to);
}

static void change_word(void *arg)
{
    *(uintptr_t *)arg = shared_word;
    shared_word = 99;
    thread_yield();
    if (shared_word != 99)
        *(uintptr_t *)arg = 1;
}

static void switch_hook__gives_each_thread_its_word(void **state)
{
    uintptr_t seen = 1;
    struct thread *t = start(change_word, &seen);

    (void)state;
    thread_set_switch_hook(swap_word);
    thread_yield();
    assert_ptr_equal(hook_from, t);
    assert_ptr_equal(hook_to, thread_self());
    assert_int_equal(shared_word, 7);
    join(t);
    assert_int_equal(seen, 0);
    assert_int_equal(shared_word, 7);
}

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
    note(sleeper->letter);
}

static void sleep__wakes_in_order_and_at_the_exact_time(void **state)
{
    struct sleeper sleepers[] = {
        {3000, 'd', 0, WAIT_OK}, {2000, 'b', 0, WAIT_OK},
        {1001, 'a', 0, WAIT_OK}, {2000, 'c', 0, WAIT_OK},
        {3001, 'e', 0, WAIT_OK},
    };
    struct thread *threads[ARRAY_LEN(sleepers)];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sleepers); i++)
        threads[i] = start(sleep_and_note, &sleepers[i]);
    for (size_t i = 0; i < ARRAY_LEN(sleepers); i++) {
        join(threads[i]);
        assert_int_equal(sleepers[i].woke_us, sleepers[i].deadline_us);
        assert_int_equal(sleepers[i].status, WAIT_DEADLINE);
    }
    assert_string_equal(trace, "abcde");
}

static void sleep__into_the_past_lets_others_run_once(void **state)
{
    struct thread *t = start(note_three_times, "a");

    (void)state;
    assert_int_equal(thread_sleep_until(0), WAIT_DEADLINE);
    note('m');
    assert_int_equal(host_now_us, 1000);
    join(t);
    assert_string_equal(trace, "amaa");
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
    struct thread *a = start(work_until_2000, &turns[0]);
    struct thread *b = start(work_until_2000, &turns[1]);

    (void)state;
    assert_int_equal(thread_sleep_until(1500), WAIT_DEADLINE);
    assert_in_range(host_now_us, 1500, 1520);
    join(a);
    join(b);
    assert_int_equal(turns[0], turns[1]);
}

/* --- wait queues ----------------------------------------------------------*/

static struct wait_queue queue;
static enum wait_status last_status;

static void wait_and_note(void *letter)
{
    last_status = wait_queue_wait(&queue, "test", FOREVER);
    note(*(const char *)letter);
}

static void wait_until_2000(void *letter)
{
    last_status = wait_queue_wait(&queue, "test", 2000);
    note(*(const char *)letter);
}

static void wake_one__takes_who_waits_longest(void **state)
{
    struct thread *a = start(wait_and_note, "a");
    struct thread *b = start(wait_and_note, "b");
    struct thread *c = start(wait_and_note, "c");

    (void)state;
    assert_false(wait_queue_wake_one(&queue));
    thread_yield();
    assert_true(wait_queue_wake_one(&queue));
    thread_yield();
    assert_string_equal(trace, "a");
    assert_int_equal(last_status, WAIT_OK);
    wait_queue_wake_all(&queue);
    assert_false(wait_queue_wake_one(&queue));
    join(a);
    join(b);
    join(c);
    assert_string_equal(trace, "abc");
}

static void wait__deadline_takes_the_thread_out_of_the_queue(void **state)
{
    struct thread *a = start(wait_until_2000, "a");
    struct thread *b = start(wait_and_note, "b");

    (void)state;
    join(a);
    assert_int_equal(host_now_us, 2000);
    assert_int_equal(last_status, WAIT_DEADLINE);
    assert_true(wait_queue_wake_one(&queue));
    assert_false(wait_queue_wake_one(&queue));
    join(b);
    assert_int_equal(last_status, WAIT_OK);
}

static void wait__woken_before_the_deadline_forgets_it(void **state)
{
    struct thread *a = start(wait_until_2000, "a");

    (void)state;
    thread_yield();
    wait_queue_wake_all(&queue);
    join(a);
    assert_int_equal(last_status, WAIT_OK);
    assert_int_equal(thread_sleep_until(5000), WAIT_DEADLINE);
    assert_int_equal(host_now_us, 5000);
}

/* --- cancel and join ------------------------------------------------------*/

static void wait_twice(void *arg)
{
    enum wait_status *statuses = arg;

    statuses[0] = wait_queue_wait(&queue, "test", FOREVER);
    statuses[1] = wait_queue_wait(&queue, "test", 2000);
}

static void cancel__ends_the_wait_and_only_that(void **state)
{
    enum wait_status statuses[2];
    struct thread *t = start(wait_twice, statuses);

    (void)state;
    thread_yield();
    thread_cancel(t);
    join(t);
    assert_int_equal(statuses[0], WAIT_CANCELLED);
    assert_int_equal(statuses[1], WAIT_DEADLINE);
    assert_false(wait_queue_wake_one(&queue));
}

static void cancel__before_the_wait_ends_the_next_one(void **state)
{
    enum wait_status statuses[2];
    struct thread *t = start(wait_twice, statuses);

    (void)state;
    thread_cancel(t);
    join(t);
    assert_int_equal(statuses[0], WAIT_CANCELLED);
    assert_int_equal(statuses[1], WAIT_DEADLINE);
}

static void cancel__of_a_sleeper_ends_its_sleep(void **state)
{
    struct sleeper sleeper = {9000, 's', 0, WAIT_OK};
    struct thread *t = start(sleep_and_note, &sleeper);

    (void)state;
    thread_yield();
    thread_cancel(t);
    join(t);
    assert_int_equal(sleeper.status, WAIT_CANCELLED);
    assert_int_equal(host_now_us, 1000);
}

static void cancel_main(void *main_thread)
{
    thread_cancel(main_thread);
    assert_int_equal(thread_sleep_until(3000), WAIT_DEADLINE);
}

static void join__ends_by_deadline_or_cancel_and_keeps_the_handle(void **state)
{
    struct thread *t = start(cancel_main, thread_self());

    (void)state;
    assert_int_equal(thread_join(t, FOREVER), WAIT_CANCELLED);
    assert_int_equal(thread_join(t, 2000), WAIT_DEADLINE);
    assert_int_equal(host_now_us, 2000);
    join(t);
    assert_int_equal(host_now_us, 3000);
}

static void join__of_an_ended_thread_returns_at_once(void **state)
{
    struct thread *t = start(note_letter, "a");

    (void)state;
    thread_yield();
    assert_int_equal(thread_join(t, 0), WAIT_OK);
    assert_string_equal(trace, "a");
}

/* --- signals --------------------------------------------------------------*/

static struct thread_signal signal_a, signal_b;

static void raise_a_at_1500(uint64_t deadline_us)
{
    (void)deadline_us;
    during_idle = NULL;
    host_now_us = 1500;
    thread_signal_raise(&signal_a);
}

static void signal__raised_while_idle_ends_the_wait(void **state)
{
    (void)state;
    during_idle = raise_a_at_1500;
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
    note('a');
}

static void wait_signal_b(void *arg)
{
    *(enum wait_status *)arg = thread_signal_wait(&signal_b, "irq", FOREVER);
    note('b');
}

static void signal__wakes_its_own_waiter_only(void **state)
{
    enum wait_status status_a = WAIT_DEADLINE, status_b = WAIT_DEADLINE;
    struct thread *a = start(wait_signal_a, &status_a);
    struct thread *b = start(wait_signal_b, &status_b);

    (void)state;
    thread_yield();
    thread_signal_raise(&signal_b);
    thread_yield();
    assert_string_equal(trace, "b");
    thread_cancel(a);
    join(a);
    join(b);
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
    struct thread *a = start(count_signals, &signal_a);
    struct thread *b = start(count_signals, &signal_b);

    (void)state;
    during_idle = raise_by_turns;
    join(a);
    join(b);
    assert_int_equal(host_now_us, 1000 + 2000);
}

/* --- many, and looking at them --------------------------------------------*/

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
        start_detached(spawn_next, left);
}

static void exit__frees_the_stack_before_the_next_thread_needs_it(void **state)
{
    int left = 1000;

    (void)state;
    stacks_allowed = 2; /* the one that ends, and the one that it started */
    start_detached(spawn_next, &left);
    assert_int_equal(thread_sleep_until(2000), WAIT_DEADLINE);
    assert_int_equal(left, 0);
    assert_int_equal(stacks_out, 0);
}

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
    struct thread *t = start(wait_until_2000, "a");
    size_t count = 0;

    (void)state;
    thread_yield();
    thread_for_each(view_thread, &count);
    assert_int_equal(count, 2);
    join(t);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(spawn__runs_at_its_turn_and_not_at_once),
        CASE(yield__ready_threads_take_turns_in_order),
        CASE(yield__alone_returns_at_once),
        CASE(yield__busy_threads_do_not_hold_up_deadlines),
        CASE(spawn__without_a_stack_is_refused),
        CASE(exit__from_within_a_call_ends_the_thread),
        CASE(spawn__name_is_cut_to_what_fits),
        CASE(spawn__stack_is_aligned_as_the_abi_says),
        CASE(switch__keeps_what_the_abi_says),
        CASE(switch_hook__gives_each_thread_its_word),
        CASE(sleep__wakes_in_order_and_at_the_exact_time),
        CASE(sleep__into_the_past_lets_others_run_once),
        CASE(wake_one__takes_who_waits_longest),
        CASE(wait__deadline_takes_the_thread_out_of_the_queue),
        CASE(wait__woken_before_the_deadline_forgets_it),
        CASE(cancel__ends_the_wait_and_only_that),
        CASE(cancel__before_the_wait_ends_the_next_one),
        CASE(cancel__of_a_sleeper_ends_its_sleep),
        CASE(join__ends_by_deadline_or_cancel_and_keeps_the_handle),
        CASE(join__of_an_ended_thread_returns_at_once),
        CASE(signal__raised_while_idle_ends_the_wait),
        CASE(signal__raised_before_the_wait_is_not_lost),
        CASE(signal__wakes_its_own_waiter_only),
        CASE(signal__none_of_many_is_lost),
        CASE(spawn__ten_thousand_threads_each_wake_in_time),
        CASE(exit__frees_the_stack_before_the_next_thread_needs_it),
        CASE(for_each__shows_every_thread_and_its_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
