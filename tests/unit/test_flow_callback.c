/*
 * tests/unit/test_flow_callback.c - the function that serves a flow: what its
 * return leaves behind, on how many threads it runs, and where none is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/flow_priv.h"
#include "tests/host/host.h"
#include "tests/host/world_seen.h"

/* ---- the callback's return ---- */

static void answer_at_once(struct flow *flow, void *context)
{
    (void)context; /* whatever was asked */
    assert_int_equal(flow_write(flow, world_text(flow, "answer")), FLOW_OK);
}

static void callback__last_answer_arrives_although_data_is_unread_in(void)
{
    struct flow *flow = seen_connect(answer_at_once, NULL);
    struct buffer *buffer;

    world_write_all(flow, 200000); /* far more than the server's window */
    world_expect_read(flow, "answer");
    assert_int_equal(flow_read(flow, &buffer), FLOW_EOF);
    flow_close(flow);
    assert_int_equal(flow_wait_closed(flow, FOREVER), FLOW_OK);
    assert_int_equal(seen.resets[0], 0);
    assert_int_equal(seen.fins[0], 1);
    flow_release(flow);
}
WORLD(callback__last_answer_arrives_although_data_is_unread)

static void callback__lingers_without_a_thread_and_not_for_ever_in(void)
{
    struct flow *flow = seen_connect(answer_at_once, NULL);
    struct net_memory memory;

    world_sleep(WORLD_S);
    assert_int_equal(world_stats(1).lingering, 1);
    assert_int_equal(world_stats(1).threads, 0);
    world_sleep(2 * WORLD_S); /* FLOW_LINGER_US is over */
    assert_int_equal(world_stats(1).lingering, 0);
    assert_int_equal(world_stats(1).flows, 0);
    net_memory_get(world.net[1], &memory);
    assert_int_equal(memory.conns, 1); /* FIN-WAIT-2, as an orphan */
    world_sleep(61 * WORLD_S);
    net_memory_get(world.net[1], &memory);
    assert_int_equal(memory.conns, 0);
    flow_release(flow);
}
WORLD(callback__lingers_without_a_thread_and_not_for_ever)

static void callback__is_released_at_once_when_the_peer_has_closed_in(void)
{
    struct flow *flow = seen_connect(world_discard, NULL);

    flow_close(flow);
    assert_int_equal(flow_wait_closed(flow, FOREVER), FLOW_OK);
    world_sleep(100 * WORLD_MS);
    assert_int_equal(world_stats(1).flows, 0);
    assert_int_equal(world_stats(1).lingering, 0);
    flow_release(flow);
}
WORLD(callback__is_released_at_once_when_the_peer_has_closed)

static struct net_config few_orphans(void)
{
    struct net_config config = world_config();

    config.tcp.orphans_max = 2;
    return config;
}

static void callback__lingering_flows_are_bounded_in_number_in(void)
{
    struct flow *flows[5];

    flows[0] = seen_connect(answer_at_once, NULL);
    for (size_t i = 1; i < ARRAY_LEN(flows); i++)
        flows[i] = world_connect(SEEN_PORT);
    world_sleep(100 * WORLD_MS);
    assert_int_equal(world_stats(1).lingering, 2);
    for (size_t i = 0; i < ARRAY_LEN(flows); i++)
        flow_release(flows[i]);
}
WORLD_OF(callback__lingering_flows_are_bounded_in_number, world_config,
         few_orphans)

/* ---- others wait while it ends ---- */

static enum flow_status late_status;
static struct flow_error late_error;

static void read_late(void *arg)
{
    struct buffer *buffer;

    late_status = flow_read(arg, &buffer);
    late_error = flow_error(arg);
}

static struct thread *late_reader;

static void leave_a_reader_behind(struct flow *flow, void *context)
{
    (void)context;
    late_reader = world_spawn(read_late, flow);
    world_sleep(WORLD_S);
}

static void callback__return_wakes_others_with_released_in(void)
{
    struct flow *flow;

    late_status = FLOW_OK;
    flow = seen_connect(leave_a_reader_behind, NULL);
    world_sleep(WORLD_S + 100 * WORLD_MS); /* it lingers on */
    assert_int_equal(world_stats(1).lingering, 1);
    assert_int_equal(late_status, FLOW_ERROR);
    world_join(late_reader);
    assert_int_equal(late_error.reason, FLOW_REASON_RELEASED);
    assert_string_equal(flow_error_message(late_error), "released");
    flow_release(flow);
}
WORLD(callback__return_wakes_others_with_released)

static void release_it(struct flow *flow, void *context)
{
    (void)context;
    flow_release(flow);
}

static void callback__may_release_its_flow_itself_in(void)
{
    struct flow *flow = seen_connect(release_it, NULL);
    struct buffer *buffer;

    assert_int_equal(flow_read(flow, &buffer), FLOW_EOF);
    flow_release(flow);
}
WORLD(callback__may_release_its_flow_itself)

/* ---- bounds on threads ---- */

/* Callbacks that have run; that run now, and the most ever. */
static struct {
    unsigned runs, at_once, at_once_max;
} record;

static void work(struct flow *flow, void *context)
{
    (void)context;
    record.at_once++;
    if (record.at_once > record.at_once_max)
        record.at_once_max = record.at_once;
    record.runs++;
    assert_int_equal(
        flow_write(flow, world_text(flow, thread_name(thread_self()))),
        FLOW_OK);
    world_sleep(WORLD_S);
    record.at_once--;
}

static void listen_with(const struct flow_listener *listener)
{
    memset(&record, 0, sizeof record);
    assert_true(tcpv4_listen(world.tcp[1], SEEN_PORT, listener));
}

static void callback__runs_on_a_thread_named_after_its_port_in(void)
{
    struct flow *flow;

    listen_with(&(struct flow_listener){.callback = work});
    flow = world_connect(SEEN_PORT);
    world_expect_read(flow, "tcp:80");
    flow_release(flow);
}
WORLD(callback__runs_on_a_thread_named_after_its_port)

static void callback__threads_are_bounded_and_others_wait_in(void)
{
    struct flow *flows[7];

    listen_with(&(struct flow_listener){.callback = work, .threads_max = 2});
    for (size_t i = 0; i < ARRAY_LEN(flows); i++)
        flows[i] = world_connect(SEEN_PORT);
    world_sleep(500 * WORLD_MS);
    assert_int_equal(world_stats(1).threads, 2);
    assert_int_equal(record.runs, 2);
    world_sleep(5 * WORLD_S);
    assert_int_equal(record.runs, 7);
    assert_int_equal(record.at_once_max, 2);
    for (size_t i = 0; i < ARRAY_LEN(flows); i++) {
        world_expect_read(flows[i], "tcp:80");
        flow_release(flows[i]);
    }
}
WORLD(callback__threads_are_bounded_and_others_wait)

static void callback__beyond_the_backlog_no_handshake_completes_in(void)
{
    struct flow *flows[3];
    struct flow_error error;
    struct flow *late;
    enum flow_status status;

    listen_with(&(struct flow_listener){
        .callback = work, .threads_max = 1, .backlog = 2});
    for (size_t i = 0; i < ARRAY_LEN(flows); i++)
        flows[i] = world_connect(SEEN_PORT); /* one runs, two wait */
    /* The SYN-ACK is ours to hear; the ACK of it is not taken by the peer,
     * and nothing of ours is read or answered until there is room. */
    status = tcpv4_create_connection(world.tcp[0], WORLD_B, SEEN_PORT, FOREVER,
                                     &late, &error);
    assert_int_equal(status, FLOW_OK);
    world_sleep(100 * WORLD_MS);
    assert_true(net_counters(world.net[1])->value[NET_COUNT_tcp_backlog_full] >
                0);
    assert_int_equal(record.runs, 1);
    world_sleep(20 * WORLD_S); /* and then it completes after all */
    assert_int_equal(record.runs, 4);
    world_expect_read(late, "tcp:80");
    flow_release(late);
    for (size_t i = 0; i < ARRAY_LEN(flows); i++)
        flow_release(flows[i]);
}
WORLD(callback__beyond_the_backlog_no_handshake_completes)

static void callback__waits_when_no_thread_can_be_made_in(void)
{
    struct flow *flow;

    listen_with(&(struct flow_listener){.callback = work});
    world.stacks_max = world.stacks_out;
    flow = world_connect(SEEN_PORT);
    world_sleep(5 * WORLD_S);
    assert_int_equal(record.runs, 0);
    world.stacks_max = SIZE_MAX;
    world_sleep(FLOW_RETRY_US + WORLD_DELAY_US);
    assert_int_equal(record.runs, 1);
    world_expect_read(flow, "tcp:80");
    flow_release(flow);
}
WORLD(callback__waits_when_no_thread_can_be_made)

static void callback__waits_when_no_handle_can_be_made_in(void)
{
    struct flow *flow;

    listen_with(&(struct flow_listener){.callback = work});
    flow_release(world_connect(SEEN_PORT)); /* what needs a page has it now */
    world_sleep(10 * WORLD_S);
    assert_int_equal(record.runs, 1);
    world.tcp[1]->flow_pool.max = 0;
    flow = world_connect(SEEN_PORT);
    world_sleep(5 * WORLD_S);
    assert_int_equal(record.runs, 1);
    world.tcp[1]->flow_pool.max = SIZE_MAX;
    world_expect_read(flow, "tcp:80");
    flow_release(flow);
}
WORLD(callback__waits_when_no_handle_can_be_made)

static void let_go(struct flow *flow, void *context, enum flow_park_event event)
{
    (void)flow;
    (void)context;
    (void)event;
}

static void park_late(struct flow *flow, void *context)
{
    world_sleep(5 * WORLD_S); /* until no timer of TCP is armed */
    record.at_once++;
    flow_park(flow, let_go, context, FOREVER);
}

/* The first one parks, so nothing wakes the network thread; its stack is the
 * only one, and free only after the next thread was asked for. */
static void callback__waits_no_longer_when_the_network_sleeps_in(void)
{
    struct flow *flows[2];

    listen_with(
        &(struct flow_listener){.callback = park_late, .threads_max = 1});
    world.stacks_max = world.stacks_out + 1;
    for (size_t i = 0; i < ARRAY_LEN(flows); i++)
        flows[i] = world_connect(SEEN_PORT);
    world_sleep(10 * WORLD_S + 2 * FLOW_RETRY_US);
    assert_int_equal(record.at_once, 2);
    world.stacks_max = SIZE_MAX;
    for (size_t i = 0; i < ARRAY_LEN(flows); i++)
        flow_release(flows[i]);
}
WORLD(callback__waits_no_longer_when_the_network_sleeps)

/* ---- listening ---- */

static void listen__a_taken_port_is_refused_in(void)
{
    struct flow_listener listener = {.callback = work};

    assert_true(tcpv4_listen(world.tcp[1], SEEN_PORT, &listener));
    assert_false(tcpv4_listen(world.tcp[1], SEEN_PORT, &listener));
    assert_false(tcpv4_listen(world.tcp[1], 0, &listener));
    tcpv4_unlisten(world.tcp[1], SEEN_PORT);
    tcpv4_unlisten(world.tcp[1], SEEN_PORT);
    assert_true(tcpv4_listen(world.tcp[1], SEEN_PORT, &listener));
}
WORLD(listen__a_taken_port_is_refused)

static void unlisten__resets_what_waits_for_a_thread_in(void)
{
    struct flow *flows[3];
    struct buffer *buffer;

    listen_with(&(struct flow_listener){.callback = work, .threads_max = 1});
    for (size_t i = 0; i < ARRAY_LEN(flows); i++)
        flows[i] = world_connect(SEEN_PORT);
    world_sleep(100 * WORLD_MS);
    tcpv4_unlisten(world.tcp[1], SEEN_PORT);
    world_expect_read(flows[0], "tcp:80");
    assert_int_equal(flow_read(flows[1], &buffer), FLOW_ERROR);
    assert_int_equal(flow_read(flows[2], &buffer), FLOW_ERROR);
    for (size_t i = 0; i < ARRAY_LEN(flows); i++)
        flow_release(flows[i]);
}
WORLD(unlisten__resets_what_waits_for_a_thread)

/* ---- disconnect ---- */

/* Its callback is over, but perhaps not all that it wrote has arrived. */
static void disconnect__waits_for_what_lingers_in(void)
{
    struct flow *flow = seen_connect(answer_at_once, NULL);
    uint64_t bound_us = world_in(WORLD_S);

    world_sleep(100 * WORLD_MS);
    assert_int_equal(world_stats(1).lingering, 1);
    tcpv4_disconnect(world.tcp[1], bound_us);
    assert_int_equal(host_now_us, bound_us);
    assert_int_equal(world_stats(1).lingering, 0);
    world_sleep(100 * WORLD_MS);
    assert_int_equal(seen.resets[0], 1);
    flow_release(flow);
}
WORLD(disconnect__waits_for_what_lingers)

static void close_soon(void *arg)
{
    world_sleep(500 * WORLD_MS);
    flow_close(arg);
}

static void disconnect__is_told_of_the_last_that_lingered_in(void)
{
    struct flow *flow = seen_connect(answer_at_once, NULL);
    uint64_t begin_us = host_now_us;
    struct thread *closer;

    closer = world_spawn(close_soon, flow);
    tcpv4_disconnect(world.tcp[1], world_in(WORLD_S));
    assert_true(host_now_us - begin_us < 600 * WORLD_MS);
    assert_int_equal(seen.resets[0] + seen.resets[1], 0);
    world_join(closer);
    flow_release(flow);
}
WORLD(disconnect__is_told_of_the_last_that_lingered)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(callback__last_answer_arrives_although_data_is_unread),
        WORLD_TEST(callback__lingers_without_a_thread_and_not_for_ever),
        WORLD_TEST(callback__is_released_at_once_when_the_peer_has_closed),
        WORLD_TEST(callback__lingering_flows_are_bounded_in_number),
        WORLD_TEST(callback__return_wakes_others_with_released),
        WORLD_TEST(callback__may_release_its_flow_itself),
        WORLD_TEST(callback__runs_on_a_thread_named_after_its_port),
        WORLD_TEST(callback__threads_are_bounded_and_others_wait),
        WORLD_TEST(callback__beyond_the_backlog_no_handshake_completes),
        WORLD_TEST(callback__waits_when_no_thread_can_be_made),
        WORLD_TEST(callback__waits_when_no_handle_can_be_made),
        WORLD_TEST(callback__waits_no_longer_when_the_network_sleeps),
        WORLD_TEST(listen__a_taken_port_is_refused),
        WORLD_TEST(unlisten__resets_what_waits_for_a_thread),
        WORLD_TEST(disconnect__waits_for_what_lingers),
        WORLD_TEST(disconnect__is_told_of_the_last_that_lingered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
