/*
 * tests/unit/test_flow_thread.c - threads that serve one flow after another.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/flow_priv.h"
#include "tests/host/flow_world.h"
#include "tests/host/host.h"

enum { PORT = 80, FLOWS = 20 };

static struct {
    unsigned runs;
    unsigned cancelled;
    size_t threads_max; /* at once */
    bool block;         /* callbacks do, for a second */
    bool cancel_self;   /* the first one does, as its last act; others block */
} record;

/* ---- a keep-alive server ---- */

static void answer(struct flow *flow, void *context, enum flow_park_event event)
{
    struct buffer *view = NULL;

    (void)event;
    record.runs++;
    if (world_stats(1).threads > record.threads_max)
        record.threads_max = world_stats(1).threads;
    if (flow_read(flow, &view) != FLOW_OK)
        return;
    if (record.block && thread_sleep_until(world_in(WORLD_S)) == WAIT_CANCELLED)
        record.cancelled++;
    if (flow_write(flow, view) != FLOW_OK)
        return;
    flow_park(flow, answer, context, FOREVER);
    if (record.cancel_self) {
        record.cancel_self = false;
        record.block = true;
        thread_cancel(thread_self());
    }
}

static void park_at_once(struct flow *flow, void *context)
{
    flow_park(flow, answer, context, FOREVER);
}

static void connect_all(struct flow *flows[FLOWS])
{
    memset(&record, 0, sizeof record);
    world_listen(PORT, park_at_once, NULL);
    for (int i = 0; i < FLOWS; i++)
        flows[i] = world_connect(PORT);
    world_sleep(WORLD_S);
    assert_int_equal(world_stats(1).parked, FLOWS);
}

/* One question on each, in one batch. */
static void ask_all(struct flow *flows[FLOWS])
{
    for (int i = 0; i < FLOWS; i++)
        assert_int_equal(flow_write(flows[i], world_text(flows[i], "question")),
                         FLOW_OK);
}

static void expect_all(struct flow *flows[FLOWS])
{
    for (int i = 0; i < FLOWS; i++)
        world_expect_read(flows[i], "question");
}

static void release_all(struct flow *flows[FLOWS])
{
    for (int i = 0; i < FLOWS; i++)
        flow_release(flows[i]);
}

/* ---- claims ---- */

static void thread__one_serves_all_that_wake_together_in(void)
{
    struct flow *flows[FLOWS];

    connect_all(flows);
    ask_all(flows);
    expect_all(flows);
    assert_int_equal(record.runs, FLOWS);
    assert_in_range(record.threads_max, 1, 2); /* one, and one that comes */
    assert_int_equal(world_stats(1).threads, 0);
    release_all(flows);
}
WORLD(thread__one_serves_all_that_wake_together)

static void thread__one_that_blocks_keeps_nobody_waiting_in(void)
{
    struct flow *flows[FLOWS];
    uint64_t asked_us;

    connect_all(flows);
    record.block = true;
    asked_us = host_now_us;
    ask_all(flows);
    expect_all(flows);
    assert_int_equal(record.threads_max, FLOWS);
    assert_true(host_now_us - asked_us < 2 * WORLD_S);
    release_all(flows);
}
WORLD(thread__one_that_blocks_keeps_nobody_waiting)

static void thread__cancelled_too_late_spares_the_next_flow_in(void)
{
    struct flow *flows[FLOWS];

    connect_all(flows);
    record.cancel_self = true;
    ask_all(flows);
    expect_all(flows);
    assert_true(record.block);
    assert_int_equal(record.cancelled, 0);
    release_all(flows);
}
WORLD(thread__cancelled_too_late_spares_the_next_flow)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(thread__one_serves_all_that_wake_together),
        WORLD_TEST(thread__one_that_blocks_keeps_nobody_waiting),
        WORLD_TEST(thread__cancelled_too_late_spares_the_next_flow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
