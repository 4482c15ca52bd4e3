/*
 * tests/unit/test_flow_park.c - parking, and the threads of callbacks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/flow_priv.h"
#include "tests/host/flow_world.h"
#include "tests/host/host.h"

enum { PORT = 80, MANY = 500 };

static struct {
    unsigned runs;
    unsigned deadlines;
    uint64_t park_us; /* how long to park; 0: for ever */
    uint64_t last_run_us;
    enum flow_status last_status;
} record;

static uint64_t park_deadline(void)
{
    return record.park_us ? world_in(record.park_us) : FOREVER;
}

/* ---- a keep-alive server: one question, one answer, and back ---- */

static void answer(struct flow *flow, void *context, enum flow_park_event event)
{
    struct buffer *buffer;

    record.runs++;
    record.last_run_us = host_now_us;
    if (event == FLOW_PARK_DEADLINE) {
        record.deadlines++;
        return;
    }
    record.last_status = flow_read(flow, &buffer);
    if (record.last_status != FLOW_OK)
        return;
    if (flow_write(flow, buffer) == FLOW_OK)
        flow_park(flow, answer, context, park_deadline());
}

static void park_at_once(struct flow *flow, void *context)
{
    flow_park(flow, answer, context, park_deadline());
}

static struct flow *connect_to(flow_callback *callback)
{
    memset(&record, 0, sizeof record);
    world_listen(PORT, callback, NULL);
    return world_connect(PORT);
}

static void park__owns_no_thread_and_answers_when_asked_in(void)
{
    struct flow *flow = connect_to(park_at_once);

    for (unsigned i = 1; i <= 100; i++) {
        world_sleep(WORLD_S);
        assert_int_equal(world_stats(1).parked, 1);
        assert_int_equal(world_stats(1).threads, 0);
        world_exchange(flow);
        assert_int_equal(record.runs, i);
    }
    flow_close(flow);
    assert_int_equal(flow_wait_closed(flow, FOREVER), FLOW_OK);
    assert_int_equal(record.runs, 101);
    assert_int_equal(record.last_status, FLOW_EOF);
    flow_release(flow);
}
WORLD(park__owns_no_thread_and_answers_when_asked)

static void sleep_then_park(struct flow *flow, void *context)
{
    world_sleep(WORLD_S);
    flow_park(flow, answer, context, FOREVER);
}

static void park__runs_at_once_when_data_is_there_in(void)
{
    struct flow *flow = connect_to(sleep_then_park);
    uint64_t begin_us = host_now_us;

    assert_int_equal(flow_write(flow, world_text(flow, "question")), FLOW_OK);
    world_sleep(2 * WORLD_S);
    assert_int_equal(record.runs, 1);
    assert_true(record.last_run_us - begin_us <= WORLD_S + WORLD_DELAY_US);
    world_expect_read(flow, "question");
    flow_release(flow);
}
WORLD(park__runs_at_once_when_data_is_there)

static void park__runs_at_once_when_the_stream_has_ended_in(void)
{
    struct flow *flow = connect_to(sleep_then_park);

    flow_close(flow);
    assert_int_equal(flow_wait_closed(flow, FOREVER), FLOW_OK);
    assert_int_equal(record.runs, 1);
    assert_int_equal(record.last_status, FLOW_EOF);
    flow_release(flow);
}
WORLD(park__runs_at_once_when_the_stream_has_ended)

static void park__runs_at_once_when_it_was_reset_in(void)
{
    struct flow *flow = connect_to(sleep_then_park);

    world_sleep(100 * WORLD_MS);
    flow_abort(flow);
    world_sleep(2 * WORLD_S);
    assert_int_equal(record.runs, 1);
    assert_int_equal(record.last_status, FLOW_ERROR);
    flow_release(flow);
}
WORLD(park__runs_at_once_when_it_was_reset)

static void park_for_three_seconds(struct flow *flow, void *context)
{
    record.park_us = 3 * WORLD_S;
    park_at_once(flow, context);
}

static void park__deadline_is_exact_and_then_it_is_closed_in(void)
{
    struct flow *flow = connect_to(park_for_three_seconds);
    struct buffer *buffer;
    uint64_t parked_us;

    /* it was parked one way of the wire after our connect returned */
    parked_us = host_now_us + WORLD_DELAY_US;
    assert_int_equal(flow_read(flow, &buffer), FLOW_EOF);
    assert_int_equal(record.deadlines, 1);
    assert_int_equal(record.last_run_us, parked_us + 3 * WORLD_S);
    assert_int_equal(world_stats(1).parked, 0);
    flow_release(flow);
}
WORLD(park__deadline_is_exact_and_then_it_is_closed)

static void park__passed_deadline_runs_at_once_in(void)
{
    struct flow *flow = connect_to(world_discard);
    uint64_t begin_us = host_now_us;

    flow_park(flow, answer, NULL, 1);
    world_sleep(1);
    assert_int_equal(record.deadlines, 1);
    assert_int_equal(record.last_run_us, begin_us);
}
WORLD(park__passed_deadline_runs_at_once)

static void park__deadline_is_kept_when_the_network_sleeps_in(void)
{
    struct flow *flow = connect_to(world_discard);
    uint64_t deadline_us;

    world_sleep(10 * WORLD_S); /* no timer is near */
    deadline_us = world_in(3 * WORLD_S);
    flow_park(flow, answer, NULL, deadline_us);
    world_sleep(10 * WORLD_S);
    assert_int_equal(record.deadlines, 1);
    assert_int_equal(record.last_run_us, deadline_us);
}
WORLD(park__deadline_is_kept_when_the_network_sleeps)

static void answer_without_deadlines(struct flow *flow, void *context,
                                     enum flow_park_event event)
{
    world_sleep(10 * WORLD_S); /* past what was set before parking */
    answer(flow, context, event);
}

/* Nothing more is asked, and the deadline comes when it must. */
static void expect_deadline_after(struct flow *flow, uint64_t after_us)
{
    uint64_t answered_us = record.last_run_us;
    struct buffer *buffer;

    assert_int_equal(record.deadlines, 0);
    assert_int_equal(flow_read(flow, &buffer), FLOW_EOF);
    assert_int_equal(record.deadlines, 1);
    assert_int_equal(record.last_run_us, answered_us + after_us);
    flow_release(flow);
}

static void park__later_deadline_takes_the_place_of_the_first_in(void)
{
    struct flow *flow = connect_to(park_for_three_seconds);

    for (unsigned i = 0; i < 3; i++) {
        world_sleep(2 * WORLD_S);
        world_exchange(flow);
    }
    expect_deadline_after(flow, 3 * WORLD_S);
}
WORLD(park__later_deadline_takes_the_place_of_the_first)

static void park__earlier_deadline_takes_the_place_of_the_first_in(void)
{
    struct flow *flow = connect_to(park_for_three_seconds);

    world_sleep(WORLD_S);
    record.park_us = WORLD_S;
    world_exchange(flow);
    expect_deadline_after(flow, WORLD_S);
}
WORLD(park__earlier_deadline_takes_the_place_of_the_first)

static void park__for_ever_takes_the_place_of_a_deadline_in(void)
{
    struct flow *flow = connect_to(park_for_three_seconds);

    world_sleep(WORLD_S);
    record.park_us = 0;
    world_exchange(flow);
    world_sleep(100 * WORLD_S);
    assert_int_equal(record.deadlines, 0);
    record.park_us = WORLD_S;
    world_exchange(flow);
    expect_deadline_after(flow, WORLD_S);
}
WORLD(park__for_ever_takes_the_place_of_a_deadline)

static void answer_slowly(struct flow *flow, void *context,
                          enum flow_park_event event)
{
    if (event == FLOW_PARK_READABLE)
        world_sleep(10 * WORLD_S);
    answer(flow, context, event);
}

static void park_then_answer_slowly(struct flow *flow, void *context)
{
    record.park_us = 3 * WORLD_S;
    flow_park(flow, answer_slowly, context, park_deadline());
}

static void park__deadline_that_passes_while_the_function_runs_is_void_in(void)
{
    struct flow *flow = connect_to(park_then_answer_slowly);

    world_sleep(WORLD_S);
    world_exchange(flow);
    expect_deadline_after(flow, 3 * WORLD_S);
}
WORLD(park__deadline_that_passes_while_the_function_runs_is_void)

static void park_with_deadlines_set(struct flow *flow, void *context)
{
    flow_set_read_deadline(flow, world_in(WORLD_S));
    flow_set_write_deadline(flow, world_in(WORLD_S));
    flow_park(flow, answer_without_deadlines, context, FOREVER);
}

static void park__deadlines_of_calls_are_forever_again_in(void)
{
    struct flow *flow = connect_to(park_with_deadlines_set);

    world_exchange(flow);
    assert_int_equal(record.last_status, FLOW_OK);
    flow_release(flow);
}
WORLD(park__deadlines_of_calls_are_forever_again)

static void park__a_connected_flow_then_belongs_to_its_function_in(void)
{
    struct flow *flow;

    memset(&record, 0, sizeof record);
    world_listen(PORT, world_echo, NULL);
    flow = world_connect(PORT);
    assert_int_equal(flow_write(flow, world_text(flow, "question")), FLOW_OK);
    record.park_us = WORLD_S;
    flow_park(flow, answer, NULL, park_deadline());
    assert_int_equal(world_stats(0).parked, 1);
    world_sleep(WORLD_S / 2);
    assert_true(record.runs > 1); /* the echo of the echo of ... */
    assert_int_equal(world_stats(0).flows, 1);
    tcpv4_disconnect(world.tcp[0], world_in(WORLD_S));
    world_sleep(WORLD_S);
    assert_int_equal(world_stats(0).flows, 0);
}
WORLD(park__a_connected_flow_then_belongs_to_its_function)

static void park_and_go_on(struct flow *flow, void *context)
{
    flow_park(flow, answer, context, FOREVER);
    world_sleep(20 * WORLD_S); /* the flow is long gone when this returns */
}

static void park__callback_may_go_on_while_others_have_the_flow_in(void)
{
    struct flow *flow = connect_to(park_and_go_on);

    world_exchange(flow);
    world_exchange(flow);
    flow_close(flow);
    assert_int_equal(flow_wait_closed(flow, FOREVER), FLOW_OK);
    flow_release(flow);
    assert_int_equal(record.runs, 3);
    assert_int_equal(world_stats(1).threads, 1);
    world_sleep(30 * WORLD_S);
    assert_int_equal(world_stats(1).threads, 0);
}
WORLD(park__callback_may_go_on_while_others_have_the_flow)

/* ---- writers beside a parked reader ---- */

static void write_slowly(void *arg)
{
    for (int i = 0; i < 3; i++) {
        world_sleep(WORLD_S);
        if (flow_write(arg, world_text(arg, "tick")) != FLOW_OK)
            return;
    }
}

static struct thread *ticker;

static void tick_and_park(struct flow *flow, void *context)
{
    ticker = world_spawn(write_slowly, flow);
    flow_park(flow, answer, context, FOREVER);
}

static void park__another_thread_may_still_write_in(void)
{
    struct flow *flow = connect_to(tick_and_park);

    for (int i = 0; i < 3; i++)
        world_expect_read(flow, "tick");
    world_join(ticker);
    world_exchange(flow);
    flow_release(flow);
}
WORLD(park__another_thread_may_still_write)

/* ---- another who waits beside a parked reader ---- */

static struct {
    bool for_readers; /* or else for senders */
    struct thread *thread;
    bool told;
} waiter;

static void wait_there(void *arg)
{
    struct flow *flow = arg;

    waiter.told =
        flow_wait(flow, waiter.for_readers ? &flow->readers : &flow->senders,
                  "test", world_in(5 * WORLD_S)) == WAIT_OK;
}

static void greet_and_park(struct flow *flow, void *context)
{
    assert_int_equal(flow_write(flow, world_text(flow, "hello")), FLOW_OK);
    waiter.thread = world_spawn(wait_there, flow);
    flow_park(flow, answer, context, FOREVER);
}

/* The question brings the acknowledgement of the greeting with it; nothing else
 * has come when the answer is there. */
static void tell_waiter(bool for_readers)
{
    struct flow *flow;

    waiter.for_readers = for_readers;
    waiter.told = false;
    flow = connect_to(greet_and_park);
    world_expect_read(flow, "hello");
    world_exchange(flow);
    assert_int_equal(record.runs, 1);
    assert_true(waiter.told);
    world_join(waiter.thread);
    flow_release(flow);
}

static void park__another_reader_is_told_of_text_in(void)
{
    tell_waiter(true);
}
WORLD(park__another_reader_is_told_of_text)

static void park__a_writer_is_told_of_room_that_comes_with_text_in(void)
{
    tell_waiter(false);
}
WORLD(park__a_writer_is_told_of_room_that_comes_with_text)

/* ---- many ---- */

static void park__many_idle_flows_are_handles_and_nothing_else_in(void)
{
    struct flow *flows[MANY];
    size_t stacks;

    flows[0] = connect_to(park_at_once);
    world_sleep(WORLD_S);
    stacks = world.stacks_out;
    for (int i = 1; i < MANY; i++)
        flows[i] = world_connect(PORT);
    world_sleep(WORLD_S);
    assert_int_equal(world_stats(1).parked, MANY);
    assert_int_equal(world_stats(1).threads, 0);
    assert_int_equal(world.stacks_out, stacks);
    assert_true(world_stats(1).pages <= 2 + MANY / 30 + 1);
    for (int i = MANY - 1; i >= 0; i--)
        world_exchange(flows[i]);
    assert_int_equal(record.runs, MANY);
    for (int i = 0; i < MANY; i++)
        flow_release(flows[i]);
}
WORLD(park__many_idle_flows_are_handles_and_nothing_else)

static void flow__is_small_enough_for_a_million(void **state)
{
    (void)state;
    assert_true(sizeof(struct flow) <= 120);
}

static void park__waits_when_no_thread_can_be_made_in(void)
{
    struct flow *flow = connect_to(park_at_once);

    world_sleep(WORLD_S);
    world.stacks_max = world.stacks_out;
    assert_int_equal(flow_write(flow, world_text(flow, "question")), FLOW_OK);
    world_sleep(5 * WORLD_S);
    assert_int_equal(record.runs, 0);
    world.stacks_max = SIZE_MAX;
    world_expect_read(flow, "question");
    assert_int_equal(record.runs, 1);
    flow_release(flow);
}
WORLD(park__waits_when_no_thread_can_be_made)

static void unlisten__flows_that_run_go_on_in(void)
{
    struct flow_error error;
    struct flow *flow = connect_to(park_at_once);
    struct flow *other;

    world_sleep(WORLD_S);
    tcpv4_unlisten(world.tcp[1], PORT);
    assert_int_equal(tcpv4_create_connection(world.tcp[0], WORLD_B, PORT,
                                             FOREVER, &other, &error),
                     FLOW_ERROR);
    assert_int_equal(error.kind, FLOW_ERROR_REFUSED);
    world_exchange(flow);
    world_exchange(flow);
    flow_release(flow);
}
WORLD(unlisten__flows_that_run_go_on)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(park__owns_no_thread_and_answers_when_asked),
        WORLD_TEST(park__runs_at_once_when_data_is_there),
        WORLD_TEST(park__runs_at_once_when_the_stream_has_ended),
        WORLD_TEST(park__runs_at_once_when_it_was_reset),
        WORLD_TEST(park__deadline_is_exact_and_then_it_is_closed),
        WORLD_TEST(park__passed_deadline_runs_at_once),
        WORLD_TEST(park__deadline_is_kept_when_the_network_sleeps),
        WORLD_TEST(park__later_deadline_takes_the_place_of_the_first),
        WORLD_TEST(park__earlier_deadline_takes_the_place_of_the_first),
        WORLD_TEST(park__for_ever_takes_the_place_of_a_deadline),
        WORLD_TEST(park__deadline_that_passes_while_the_function_runs_is_void),
        WORLD_TEST(park__deadlines_of_calls_are_forever_again),
        WORLD_TEST(park__a_connected_flow_then_belongs_to_its_function),
        WORLD_TEST(park__callback_may_go_on_while_others_have_the_flow),
        WORLD_TEST(park__another_thread_may_still_write),
        WORLD_TEST(park__another_reader_is_told_of_text),
        WORLD_TEST(park__a_writer_is_told_of_room_that_comes_with_text),
        WORLD_TEST(park__many_idle_flows_are_handles_and_nothing_else),
        cmocka_unit_test(flow__is_small_enough_for_a_million),
        WORLD_TEST(park__waits_when_no_thread_can_be_made),
        WORLD_TEST(unlisten__flows_that_run_go_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
