/*
 * tests/unit/test_flow_close.c - FLOW.md's rows "close" and "disconnect", and
 * its lifetime rules.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/flow_world.h"
#include "tests/host/host.h"

enum { PORT = 80 };

static struct {
    unsigned fin[2], rst[2]; /* by direction: to A, to B */
    uint64_t last_fin_us;
} seen;

static bool watch_ends(const struct world_segment *segment)
{
    if (segment->flags & WORLD_FLAGS_FIN) {
        seen.fin[segment->to]++;
        seen.last_fin_us = segment->sent_us;
    }
    if (segment->flags & WORLD_FLAGS_RST)
        seen.rst[segment->to]++;
    return true;
}

static struct flow *connect_to(flow_callback *callback, void *context)
{
    memset(&seen, 0, sizeof seen);
    world_listen(PORT, callback, context);
    world.watch = watch_ends;
    return world_connect(PORT);
}

/* ---- close ---- */

static void close__fin_follows_what_was_written_in(void)
{
    struct flow *flow = connect_to(world_discard, NULL);

    world_write_all(flow, 60000);
    assert_int_equal(seen.fin[1], 0);
    flow_close(flow);
    /* on the wire: the watcher sees it when time moves on */
    world_sleep(1);
    assert_int_equal(seen.fin[1], 1);
    flow_release(flow);
}
WORLD(close__fin_follows_what_was_written)

static void send_after_eof(struct flow *flow, void *context)
{
    world_discard(flow, NULL);
    world_write_all(flow, *(uint64_t *)context);
}

static void close__reading_goes_on_in(void)
{
    static uint64_t bytes = 200000;
    struct flow *flow = connect_to(send_after_eof, &bytes);

    flow_close(flow);
    assert_int_equal(world_read_all(flow), bytes);
    assert_int_equal(flow_wait_closed(flow, FOREVER), FLOW_OK);
    flow_release(flow);
}
WORLD(close__reading_goes_on)

static void close__is_idempotent_in(void)
{
    struct flow *flow = connect_to(world_discard, NULL);

    for (int i = 0; i < 3; i++)
        flow_close(flow);
    assert_int_equal(flow_wait_closed(flow, FOREVER), FLOW_OK);
    assert_int_equal(flow_wait_closed(flow, FOREVER), FLOW_OK);
    flow_close(flow);
    assert_int_equal(seen.fin[1], 1);
    flow_release(flow);
}
WORLD(close__is_idempotent)

static void stall(struct flow *flow, void *context)
{
    (void)flow;
    world_sleep(*(uint64_t *)context);
}

static void close__ends_with_the_write_deadline_and_fin_follows_in(void)
{
    static uint64_t stall_us = 20 * WORLD_S;
    struct flow *flow = connect_to(stall, &stall_us);
    uint64_t deadline_us = world_in(5 * WORLD_S);

    flow_set_write_deadline(flow, deadline_us);
    assert_int_equal(flow_write(flow, world_bytes(flow, 0, 65536)), FLOW_OK);
    assert_int_equal(flow_write(flow, world_bytes(flow, 0, 60000)), FLOW_OK);
    flow_close(flow);

    assert_int_equal(host_now_us, deadline_us);
    assert_int_equal(seen.fin[1], 0);
    world_sleep(20 * WORLD_S); /* the server drains, and closes */
    assert_int_equal(seen.fin[1], 1);
    flow_release(flow);
}
WORLD(close__ends_with_the_write_deadline_and_fin_follows)

static void wait_closed__deadline_is_a_status_of_its_own_in(void)
{
    static uint64_t stall_us = 20 * WORLD_S;
    struct flow *flow = connect_to(stall, &stall_us);
    uint64_t deadline_us = world_in(3 * WORLD_S);

    flow_close(flow);
    assert_int_equal(flow_wait_closed(flow, deadline_us), FLOW_DEADLINE);
    assert_int_equal(host_now_us, deadline_us);
    assert_int_equal(flow_wait_closed(flow, FOREVER), FLOW_OK);
    assert_int_equal(flow_wait_closed(flow, 1), FLOW_OK);
    flow_release(flow);
}
WORLD(wait_closed__deadline_is_a_status_of_its_own)

static void abort_at_once(struct flow *flow, void *context)
{
    (void)context;
    flow_abort(flow);
}

static void wait_closed__error_is_sticky_in(void)
{
    struct flow *flow = connect_to(abort_at_once, NULL);

    for (int i = 0; i < 3; i++)
        assert_int_equal(flow_wait_closed(flow, FOREVER), FLOW_ERROR);
    world_expect_error(flow, FLOW_ERROR_UNKNOWN, FLOW_REASON_RESET);
    flow_release(flow);
}
WORLD(wait_closed__error_is_sticky)

/* ---- release and abort ---- */

static void send_text(struct flow *flow, void *context)
{
    assert_int_equal(flow_write(flow, world_text(flow, context)), FLOW_OK);
    world_discard(flow, NULL);
}

static void release__closes_when_nobody_did_in(void)
{
    struct flow *flow = connect_to(world_discard, NULL);

    assert_int_equal(flow_write(flow, world_bytes(flow, 0, 5000)), FLOW_OK);
    flow_release(flow);
    world_sleep(WORLD_S);

    assert_int_equal(seen.fin[1], 1);
    assert_int_equal(seen.rst[1], 0);
    assert_int_equal(world_stats(0).flows, 0);
}
WORLD(release__closes_when_nobody_did)

static void release__with_unread_data_is_a_reset_in(void)
{
    struct flow *flow = connect_to(send_text, "unread");

    world_sleep(WORLD_S);
    flow_release(flow);
    world_sleep(WORLD_S);

    assert_int_equal(seen.rst[1], 1);
    assert_int_equal(seen.fin[1], 0);
}
WORLD(release__with_unread_data_is_a_reset)

static void close__with_unread_data_is_no_reset_in(void)
{
    struct flow *flow = connect_to(send_text, "unread");

    world_sleep(WORLD_S);
    flow_close(flow);
    world_sleep(WORLD_S);
    assert_int_equal(seen.rst[1], 0);
    assert_int_equal(seen.fin[1], 1);
    world_expect_read(flow, "unread");
    flow_release(flow);
    world_sleep(WORLD_S);
    assert_int_equal(seen.rst[1], 0);
}
WORLD(close__with_unread_data_is_no_reset)

static void abort__is_a_reset_and_the_handle_stays_in(void)
{
    struct flow *flow = connect_to(world_discard, NULL);
    struct ipv4_addr addr;
    uint16_t port;

    flow_abort(flow);
    world_sleep(WORLD_S);
    assert_int_equal(seen.rst[1], 1);
    world_expect_error(flow, FLOW_ERROR_UNKNOWN, FLOW_REASON_ABORTED);
    flow_get_dest(flow, &addr, &port);
    assert_true(ipv4_addr_equal(addr, WORLD_B));
    assert_int_equal(port, PORT);
    flow_abort(flow);
    flow_release(flow);
}
WORLD(abort__is_a_reset_and_the_handle_stays)

/* ---- addresses ---- */

static void check_ends(struct flow *flow)
{
    struct ipv4_addr addr;
    uint16_t port;

    flow_get_dest(flow, &addr, &port);
    assert_true(ipv4_addr_equal(addr, WORLD_B));
    assert_int_equal(port, PORT);
    flow_get_source(flow, &addr, &port);
    assert_true(ipv4_addr_equal(addr, WORLD_A));
    assert_true(port >= 49152);
}

static void get_dest__is_valid_after_close_and_after_reset_in(void)
{
    struct flow *flow = connect_to(world_discard, NULL);

    check_ends(flow);
    flow_close(flow);
    check_ends(flow);
    assert_int_equal(flow_wait_closed(flow, FOREVER), FLOW_OK);
    check_ends(flow);
    flow_release(flow);
    tcpv4_unlisten(world.tcp[1], PORT);

    flow = connect_to(abort_at_once, NULL);
    world_sleep(WORLD_S);
    check_ends(flow);
    flow_release(flow);
}
WORLD(get_dest__is_valid_after_close_and_after_reset)

static void info__tells_state_bytes_and_end_in(void)
{
    struct flow *flow = connect_to(world_discard, NULL);
    struct tcp_info info;

    world_write_all(flow, 10000);
    world_sleep(WORLD_S);
    flow_info(flow, &info);
    assert_string_equal(info.state, "ESTABLISHED");
    assert_int_equal(info.bytes_sent, 10000);
    assert_true(info.srtt_us >= 2 * WORLD_DELAY_US);
    flow_abort(flow);
    flow_info(flow, &info);
    assert_int_equal(info.end, TCP_END_ABORTED);
    flow_release(flow);
}
WORLD(info__tells_state_bytes_and_end)

/* ---- the callback's return ---- */

static void answer_at_once(struct flow *flow, void *context)
{
    (void)context; /* whatever was asked */
    assert_int_equal(flow_write(flow, world_text(flow, "answer")), FLOW_OK);
}

static void callback__last_answer_arrives_although_data_is_unread_in(void)
{
    struct flow *flow = connect_to(answer_at_once, NULL);
    struct buffer *buffer;

    world_write_all(flow, 200000); /* far more than the server's window */
    world_expect_read(flow, "answer");
    assert_int_equal(flow_read(flow, &buffer), FLOW_EOF);
    flow_close(flow);
    assert_int_equal(flow_wait_closed(flow, FOREVER), FLOW_OK);
    assert_int_equal(seen.rst[0], 0);
    assert_int_equal(seen.fin[0], 1);
    flow_release(flow);
}
WORLD(callback__last_answer_arrives_although_data_is_unread)

static void callback__lingers_without_a_thread_and_not_for_ever_in(void)
{
    struct flow *flow = connect_to(answer_at_once, NULL);
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
    struct flow *flow = connect_to(world_discard, NULL);

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

    flows[0] = connect_to(answer_at_once, NULL);
    for (size_t i = 1; i < ARRAY_LEN(flows); i++)
        flows[i] = world_connect(PORT);
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
    flow = connect_to(leave_a_reader_behind, NULL);
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
    struct flow *flow = connect_to(release_it, NULL);
    struct buffer *buffer;

    assert_int_equal(flow_read(flow, &buffer), FLOW_EOF);
    flow_release(flow);
}
WORLD(callback__may_release_its_flow_itself)

/* ---- disconnect ---- */

static void disconnect__ends_as_soon_as_all_are_closed_in(void)
{
    struct flow *flow = connect_to(world_discard, NULL);
    uint64_t begin_us = host_now_us;

    tcpv4_disconnect(world.tcp[0], world_in(100 * WORLD_S));
    assert_true(host_now_us - begin_us < 100 * WORLD_MS);
    assert_int_equal(seen.rst[0] + seen.rst[1], 0);
    assert_int_equal(flow_wait_closed(flow, FOREVER), FLOW_OK);
    flow_release(flow);
}
WORLD(disconnect__ends_as_soon_as_all_are_closed)

static void disconnect__resets_what_is_open_at_the_bound_in(void)
{
    static uint64_t stall_us = 20 * WORLD_S;
    struct flow *flow = connect_to(stall, &stall_us);
    uint64_t bound_us = world_in(5 * WORLD_S);

    tcpv4_disconnect(world.tcp[0], bound_us);
    assert_int_equal(host_now_us, bound_us);
    assert_int_equal(flow_wait_closed(flow, FOREVER), FLOW_ERROR);
    world_expect_error(flow, FLOW_ERROR_UNKNOWN, FLOW_REASON_ABORTED);
    world_sleep(WORLD_S);
    assert_int_equal(seen.rst[1], 1);
    flow_release(flow);
}
WORLD(disconnect__resets_what_is_open_at_the_bound)

static void disconnect__stops_listening_and_connecting_in(void)
{
    struct flow_error error;
    struct flow *flow;

    world_listen(PORT, world_discard, NULL);
    tcpv4_disconnect(world.tcp[1], FOREVER);
    assert_int_equal(tcpv4_create_connection(world.tcp[0], WORLD_B, PORT,
                                             FOREVER, &flow, &error),
                     FLOW_ERROR);
    assert_int_equal(error.kind, FLOW_ERROR_REFUSED);
    assert_int_equal(tcpv4_create_connection(world.tcp[1], WORLD_A, PORT,
                                             FOREVER, &flow, &error),
                     FLOW_ERROR);
    assert_int_equal(error.reason, FLOW_REASON_ABORTED);
}
WORLD(disconnect__stops_listening_and_connecting)

static int parked_runs;

static void woken(struct flow *flow, void *context, enum flow_park_event event)
{
    struct buffer *buffer;

    (void)context;
    (void)event;
    parked_runs++;
    assert_int_not_equal(flow_read(flow, &buffer), FLOW_OK);
}

static void park_it(struct flow *flow, void *context)
{
    flow_park(flow, woken, NULL, *(uint64_t *)context);
}

static void disconnect__reaches_parked_flows_with_and_without_deadline_in(void)
{
    static uint64_t deadline_us;
    struct flow *flows[4];

    parked_runs = 0;
    deadline_us = FOREVER;
    flows[0] = connect_to(park_it, &deadline_us);
    flows[1] = world_connect(PORT);
    world_sleep(WORLD_S);
    deadline_us = world_in(1000 * WORLD_S);
    flows[2] = world_connect(PORT);
    flows[3] = world_connect(PORT);
    world_sleep(WORLD_S);
    assert_int_equal(world_stats(1).parked, 4);
    assert_int_equal(world_stats(1).threads, 0);

    tcpv4_disconnect(world.tcp[1], world_in(5 * WORLD_S));
    world_sleep(WORLD_S);
    assert_int_equal(parked_runs, 4);
    assert_int_equal(world_stats(1).flows, 0);
    for (int i = 0; i < 4; i++)
        flow_release(flows[i]);
}
WORLD(disconnect__reaches_parked_flows_with_and_without_deadline)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(close__fin_follows_what_was_written),
        WORLD_TEST(close__reading_goes_on),
        WORLD_TEST(close__is_idempotent),
        WORLD_TEST(close__ends_with_the_write_deadline_and_fin_follows),
        WORLD_TEST(wait_closed__deadline_is_a_status_of_its_own),
        WORLD_TEST(wait_closed__error_is_sticky),
        WORLD_TEST(release__closes_when_nobody_did),
        WORLD_TEST(release__with_unread_data_is_a_reset),
        WORLD_TEST(close__with_unread_data_is_no_reset),
        WORLD_TEST(abort__is_a_reset_and_the_handle_stays),
        WORLD_TEST(get_dest__is_valid_after_close_and_after_reset),
        WORLD_TEST(info__tells_state_bytes_and_end),
        WORLD_TEST(callback__last_answer_arrives_although_data_is_unread),
        WORLD_TEST(callback__lingers_without_a_thread_and_not_for_ever),
        WORLD_TEST(callback__is_released_at_once_when_the_peer_has_closed),
        WORLD_TEST(callback__lingering_flows_are_bounded_in_number),
        WORLD_TEST(callback__return_wakes_others_with_released),
        WORLD_TEST(callback__may_release_its_flow_itself),
        WORLD_TEST(disconnect__ends_as_soon_as_all_are_closed),
        WORLD_TEST(disconnect__resets_what_is_open_at_the_bound),
        WORLD_TEST(disconnect__stops_listening_and_connecting),
        WORLD_TEST(disconnect__reaches_parked_flows_with_and_without_deadline),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
