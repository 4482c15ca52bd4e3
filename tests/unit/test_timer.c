/*
 * The timing wheel against a sorted list, and at its edges.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "net/timer.h"
#include "tests/host/host.h"

static void *slots[TIMER_WHEEL_BYTES / sizeof(void *)];

/* What the wheel has to agree with: every armed timer, looked at in turn. */
struct model {
    struct timer timer;
    bool armed;
    uint64_t due_us; /* its deadline, or when it was armed if that was later */
    uint64_t order;
};

enum { TIMERS = 100 };

static struct model *model_first(struct model *models)
{
    struct model *first = NULL;

    for (int i = 0; i < TIMERS; i++) {
        struct model *m = &models[i];

        if (m->armed &&
            (!first || m->due_us < first->due_us ||
             (m->due_us == first->due_us && m->order < first->order)))
            first = m;
    }
    return first;
}

/* A span of any size: each number of bits is as likely. */
static uint64_t random_span(unsigned bits_max)
{
    unsigned bits = 1 + (unsigned)(host_random() % bits_max);

    return host_random() >> (64 - bits);
}

static void compare(uint64_t start_us, unsigned bits_max, uint64_t seed)
{
    struct model models[TIMERS] = {0};
    struct timer_wheel wheel;
    uint64_t now_us = start_us, order = 0, popped_us = start_us;

    host_seed(seed);
    timer_wheel_init(&wheel, slots, now_us);
    for (int round = 0; round < 20000; round++) {
        struct model *m = &models[host_random() % TIMERS], *first;
        struct timer *timer;

        switch (host_random() % 4) {
        case 0:
        case 1:
            m->due_us =
                now_us + (host_random() % 8 == 0 ? host_random() % 3
                                                 : random_span(bits_max));
            if (host_random() % 16 == 0 && now_us > 100)
                m->due_us = now_us - host_random() % 100;
            timer_arm(&wheel, &m->timer, m->due_us);
            if (m->due_us < popped_us)
                m->due_us = popped_us;
            m->armed = true;
            m->order = order++;
            break;
        case 2:
            timer_cancel(&wheel, &m->timer);
            m->armed = false;
            break;
        case 3:
            now_us += random_span(bits_max);
            break;
        }
        first = model_first(models);
        if (first)
            assert_true(timer_wheel_next(&wheel) <= first->due_us);
        else
            assert_true(timer_wheel_next(&wheel) == FOREVER);
        if (host_random() % 3)
            continue;
        while ((timer = timer_wheel_pop(&wheel, now_us))) {
            first = model_first(models);
            assert_non_null(first);
            assert_ptr_equal(timer, &first->timer);
            assert_true(first->due_us <= now_us);
            assert_false(timer_is_armed(timer));
            popped_us = first->due_us;
            first->armed = false;
        }
        popped_us = now_us;
        first = model_first(models);
        assert_true(!first || first->due_us > now_us);
    }
}

static void wheel__agrees_with_a_sorted_list(void **state)
{
    (void)state;
    compare(0, 12, 1);
    compare(1000000, 20, 2);
    compare(123456789, 30, 3);
}

static void wheel__agrees_across_jumps_of_days_and_years(void **state)
{
    (void)state;
    compare(0, 40, 4);
    compare(5, 50, 5);
}

static void wheel__agrees_where_high_bits_of_the_clock_change(void **state)
{
    (void)state;
    compare((1ull << 42) - 3000, 14, 6);
    compare((1ull << 32) * 1000 - 5000, 14, 7);
    compare((3ull << 42) - 1, 43, 8);
}

static void wheel__fires_at_the_microsecond_not_before(void **state)
{
    struct timer_wheel wheel;

    (void)state;
    for (unsigned bit = 0; bit < 50; bit++) {
        struct timer timer = {0};
        uint64_t deadline_us = 77 + (1ull << bit);

        timer_wheel_init(&wheel, slots, 77);
        timer_arm(&wheel, &timer, deadline_us);
        assert_null(timer_wheel_pop(&wheel, deadline_us - 1));
        assert_true(timer_is_armed(&timer));
        assert_ptr_equal(timer_wheel_pop(&wheel, deadline_us), &timer);
        assert_null(timer_wheel_pop(&wheel, deadline_us));
    }
}

static void wheel__next_is_exact_for_few_timers(void **state)
{
    struct timer_wheel wheel;
    struct timer a = {0}, b = {0};

    (void)state;
    timer_wheel_init(&wheel, slots, 1000000);
    timer_arm(&wheel, &a, 1000000 + 7199999999);
    timer_arm(&wheel, &b, 1000000 + 7199999998);
    assert_int_equal(timer_wheel_next(&wheel), 1000000 + 7199999998);
}

static void wheel__next_is_never_late_for_many_timers(void **state)
{
    static struct timer timers[100];
    struct timer_wheel wheel;

    (void)state;
    timer_wheel_init(&wheel, slots, 0);
    for (uint64_t i = 0; i < ARRAY_LEN(timers); i++)
        timer_arm(&wheel, &timers[i], (1 << 18) + 5000 - i);
    assert_true(timer_wheel_next(&wheel) <= (1 << 18) + 5000 - 99);
    assert_true(timer_wheel_next(&wheel) > 0);
}

static void wheel__clock_that_jumps_back_stands_still(void **state)
{
    struct timer_wheel wheel;
    struct timer timer = {0};

    (void)state;
    timer_wheel_init(&wheel, slots, 1000);
    assert_null(timer_wheel_pop(&wheel, 2000));
    timer_arm(&wheel, &timer, 2005);
    assert_null(timer_wheel_pop(&wheel, 10));
    assert_ptr_equal(timer_wheel_pop(&wheel, 2005), &timer);
}

static void wheel__cancel_of_what_is_not_armed_is_nothing(void **state)
{
    struct timer_wheel wheel;
    struct timer timer = {0};

    (void)state;
    timer_wheel_init(&wheel, slots, 0);
    timer_cancel(&wheel, &timer);
    assert_false(timer_is_armed(&timer));
    assert_true(timer_wheel_next(&wheel) == FOREVER);
}

static void wheel__hour_long_jump_costs_only_the_timers_it_passes(void **state)
{
    static struct timer timers[10000];
    struct timer_wheel wheel;
    unsigned fired = 0;

    (void)state;
    timer_wheel_init(&wheel, slots, 0);
    for (size_t i = 0; i < ARRAY_LEN(timers); i++)
        timer_arm(&wheel, &timers[i], 3600000000ull + i * 7);
    for (uint64_t hour = 1; hour <= 1000000; hour++)
        if (timer_wheel_pop(&wheel, hour * 3600000000ull + 70000))
            fired++;
    assert_int_equal(fired, ARRAY_LEN(timers));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wheel__agrees_with_a_sorted_list),
        cmocka_unit_test(wheel__agrees_across_jumps_of_days_and_years),
        cmocka_unit_test(wheel__agrees_where_high_bits_of_the_clock_change),
        cmocka_unit_test(wheel__fires_at_the_microsecond_not_before),
        cmocka_unit_test(wheel__next_is_exact_for_few_timers),
        cmocka_unit_test(wheel__next_is_never_late_for_many_timers),
        cmocka_unit_test(wheel__clock_that_jumps_back_stands_still),
        cmocka_unit_test(wheel__cancel_of_what_is_not_armed_is_nothing),
        cmocka_unit_test(wheel__hour_long_jump_costs_only_the_timers_it_passes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
