/*
 * tests/unit/test_deadline.c - the earliest point in time comes first.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/deadline.h"
#include "tests/host/host.h"

enum { NODES = 3000 };

static struct deadline nodes[NODES];
static bool queued[NODES];

/* What a plain search says is first. */
static struct deadline *first_by_search(void)
{
    struct deadline *first = NULL;

    for (size_t i = 0; i < NODES; i++)
        if (queued[i] &&
            (!first || nodes[i].at_us < first->at_us ||
             (nodes[i].at_us == first->at_us && nodes[i].order < first->order)))
            first = &nodes[i];
    return first;
}

static void deadline__empty_heap_has_no_first(void **state)
{
    struct deadline_heap heap = {0};

    (void)state;
    deadline_add(&heap, &nodes[0], 7);
    assert_ptr_equal(heap.first, &nodes[0]);
    deadline_remove(&heap, &nodes[0]);
    assert_null(heap.first);
}

static void deadline__equal_times_come_in_the_order_of_adding(void **state)
{
    struct deadline_heap heap = {0};

    (void)state;
    for (size_t i = 0; i < NODES; i++)
        deadline_add(&heap, &nodes[i], 5 + i % 2);
    for (size_t i = 0; i < NODES; i++) {
        size_t expected =
            i < NODES / 2 ? 2 * i : 2 * (i - (size_t)NODES / 2) + 1;

        assert_ptr_equal(heap.first, &nodes[expected]);
        deadline_remove(&heap, heap.first);
    }
    assert_null(heap.first);
}

static void deadline__first_is_right_after_any_adding_and_removing(void **state)
{
    struct deadline_heap heap = {0};

    (void)state;
    host_seed(1);
    memset(queued, 0, sizeof queued);
    for (int step = 0; step < 20000; step++) {
        size_t i = host_random() % NODES;

        if (queued[i])
            deadline_remove(&heap, &nodes[i]);
        else
            deadline_add(&heap, &nodes[i], host_random() % 1000);
        queued[i] = !queued[i];
        if (step % 16 == 0)
            assert_ptr_equal(heap.first, first_by_search());
    }
    for (struct deadline *first; (first = first_by_search());) {
        assert_ptr_equal(heap.first, first);
        deadline_remove(&heap, first);
        queued[first - nodes] = false;
    }
    assert_null(heap.first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deadline__empty_heap_has_no_first),
        cmocka_unit_test(deadline__equal_times_come_in_the_order_of_adding),
        cmocka_unit_test(
            deadline__first_is_right_after_any_adding_and_removing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
