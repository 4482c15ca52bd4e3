/*
 * tests/unit/test_flow_close.c - closing, releasing, aborting, disconnecting.
 * What a callback leaves behind is in test_flow_callback.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/host.h"
#include "tests/host/world_seen.h"

#define FIN WORLD_FLAGS_FIN
#define ACK WORLD_FLAGS_ACK

/* ---- close ---- */

static void close__fin_follows_what_was_written_in(void)
{
    struct flow *flow = seen_connect(world_discard, NULL);

    world_write_all(flow, 60000);
    assert_int_equal(seen.fins[1], 0);
    flow_close(flow);
    /* on the wire: the watcher sees it when time moves on */
    world_sleep(1);
    assert_int_equal(seen.fins[1], 1);
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
    struct flow *flow = seen_connect(send_after_eof, &bytes);

    flow_close(flow);
    assert_int_equal(world_read_all(flow), bytes);
    assert_int_equal(flow_wait_closed(flow, FOREVER), FLOW_OK);
    flow_release(flow);
}
WORLD(close__reading_goes_on)

static void close__is_idempotent_in(void)
{
    struct flow *flow = seen_connect(world_discard, NULL);

    for (int i = 0; i < 3; i++)
        flow_close(flow);
    assert_int_equal(flow_wait_closed(flow, FOREVER), FLOW_OK);
    assert_int_equal(flow_wait_closed(flow, FOREVER), FLOW_OK);
    flow_close(flow);
    assert_int_equal(seen.fins[1], 1);
    flow_release(flow);
}
WORLD(close__is_idempotent)

static void close__ends_with_the_write_deadline_and_fin_follows_in(void)
{
    static uint64_t hold_us = 20 * WORLD_S;
    struct flow *flow = seen_connect(world_hold, &hold_us);
    uint64_t deadline_us = world_in(5 * WORLD_S);

    flow_set_write_deadline(flow, deadline_us);
    assert_int_equal(flow_write(flow, world_bytes(flow, 0, 65536)), FLOW_OK);
    assert_int_equal(flow_write(flow, world_bytes(flow, 0, 60000)), FLOW_OK);
    flow_close(flow);

    assert_int_equal(host_now_us, deadline_us);
    assert_int_equal(seen.fins[1], 0);
    world_sleep(20 * WORLD_S); /* the server drains, and closes */
    assert_int_equal(seen.fins[1], 1);
    flow_release(flow);
}
WORLD(close__ends_with_the_write_deadline_and_fin_follows)

static void wait_closed__deadline_is_a_status_of_its_own_in(void)
{
    static uint64_t hold_us = 20 * WORLD_S;
    struct flow *flow = seen_connect(world_hold, &hold_us);
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
    struct flow *flow = seen_connect(abort_at_once, NULL);

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
    struct flow *flow = seen_connect(world_discard, NULL);

    assert_int_equal(flow_write(flow, world_bytes(flow, 0, 5000)), FLOW_OK);
    flow_release(flow);
    world_sleep(WORLD_S);

    assert_int_equal(seen.fins[1], 1);
    assert_int_equal(seen.resets[1], 0);
    assert_int_equal(world_stats(0).flows, 0);
}
WORLD(release__closes_when_nobody_did)

static void release__with_unread_data_is_a_reset_in(void)
{
    struct flow *flow = seen_connect(send_text, "unread");

    world_sleep(WORLD_S);
    flow_release(flow);
    world_sleep(WORLD_S);

    assert_int_equal(seen.resets[1], 1);
    assert_int_equal(seen.fins[1], 0);
}
WORLD(release__with_unread_data_is_a_reset)

static void close__with_unread_data_is_no_reset_in(void)
{
    struct flow *flow = seen_connect(send_text, "unread");

    world_sleep(WORLD_S);
    flow_close(flow);
    world_sleep(WORLD_S);
    assert_int_equal(seen.resets[1], 0);
    assert_int_equal(seen.fins[1], 1);
    world_expect_read(flow, "unread");
    flow_release(flow);
    world_sleep(WORLD_S);
    assert_int_equal(seen.resets[1], 0);
}
WORLD(close__with_unread_data_is_no_reset)

static void abort__is_a_reset_and_the_handle_stays_in(void)
{
    struct flow *flow = seen_connect(world_discard, NULL);
    struct ipv4_addr addr;
    uint16_t port;

    flow_abort(flow);
    world_sleep(WORLD_S);
    assert_int_equal(seen.resets[1], 1);
    world_expect_error(flow, FLOW_ERROR_UNKNOWN, FLOW_REASON_ABORTED);
    flow_get_dest(flow, &addr, &port);
    assert_true(ipv4_addr_equal(addr, WORLD_B));
    assert_int_equal(port, SEEN_PORT);
    flow_abort(flow);
    flow_release(flow);
}
WORLD(abort__is_a_reset_and_the_handle_stays)

/* ---- a FIN that comes again ---- */

static unsigned lose_left;

/* Acknowledgements of B's FIN, sent by A. */
static bool lose_ack_of_fin(const struct world_segment *segment)
{
    return segment->to == 1 && seen.fins[0] > 0 &&
           segment->ack == seen.next[0] && lose_left > 0 && lose_left--;
}

static void close_at_once(struct flow *flow, void *context)
{
    (void)context;
    flow_close(flow);
    world_discard(flow, NULL);
}

static void close__retransmitted_fin_is_acknowledged_in_close_wait_in(void)
{
    struct flow *flow;
    unsigned before;

    seen_begin();
    world_listen(SEEN_PORT, close_at_once, NULL);
    lose_left = 1;
    seen.lose = lose_ack_of_fin;
    flow = world_connect(SEEN_PORT);
    world_sleep(100 * WORLD_MS);
    assert_int_equal(seen.fins[0], 1);
    before = seen.segments[1];
    world_sleep(5 * WORLD_S);
    assert_int_equal(seen.fins[0], 2); /* once again, and then acknowledged */
    assert_int_equal(seen.segments[1], before + 1);
    flow_close(flow);
    assert_int_equal(flow_wait_closed(flow, FOREVER), FLOW_OK);
    flow_release(flow);
}
WORLD(close__retransmitted_fin_is_acknowledged_in_close_wait)

/* ACK of A's FIN, sent by B, which is in TIME-WAIT by then. */
static bool lose_last_ack(const struct world_segment *segment)
{
    return segment->to == 0 && seen.fins[1] > 0 && lose_left > 0 && lose_left--;
}

static void close__retransmitted_fin_is_acknowledged_in_time_wait_in(void)
{
    struct net_memory memory;
    struct flow *flow;

    seen_begin();
    world_listen(SEEN_PORT, close_at_once, NULL);
    lose_left = 2;
    flow = world_connect(SEEN_PORT);
    world_sleep(WORLD_S);
    seen.lose = lose_last_ack;
    flow_close(flow);
    assert_int_equal(flow_wait_closed(flow, FOREVER), FLOW_OK);
    assert_int_equal(seen.fins[1], 3);
    assert_int_equal(seen.lost, 2);
    net_memory_get(world.net[1], &memory);
    assert_int_equal(memory.time_waits, 1);
    flow_release(flow);
}
WORLD(close__retransmitted_fin_is_acknowledged_in_time_wait)

static void close__retransmitted_fin_is_acknowledged_in_last_ack_in(void)
{
    struct flow *flow;

    flow = seen_connect(close_at_once, NULL);
    world_sleep(WORLD_S);
    world.wire.to[1].loss_ppm = 1000000;
    flow_set_write_deadline(flow, world_in(WORLD_S));
    flow_close(flow); /* CLOSE-WAIT to LAST-ACK */
    world_sleep(100 * WORLD_MS);
    seen.segments[1] = 0;
    world_forge(&(struct world_segment){.to = 0,
                                        .flags = FIN | ACK,
                                        .src_port = SEEN_PORT,
                                        .dst_port = seen.port,
                                        .seq = seen.next[0] - 1,
                                        .ack = seen.ack[0],
                                        .window = 65535},
                false);
    world_sleep(1 * WORLD_MS);
    assert_int_equal(seen.segments[1], 1);
    assert_int_equal(seen.ack[1], seen.next[0]);
    world.wire.to[1].loss_ppm = 0;
    assert_int_equal(flow_wait_closed(flow, FOREVER), FLOW_OK);
    flow_release(flow);
}
WORLD(close__retransmitted_fin_is_acknowledged_in_last_ack)

/* ---- addresses ---- */

static void check_ends(struct flow *flow)
{
    struct ipv4_addr addr;
    uint16_t port;

    flow_get_dest(flow, &addr, &port);
    assert_true(ipv4_addr_equal(addr, WORLD_B));
    assert_int_equal(port, SEEN_PORT);
    flow_get_source(flow, &addr, &port);
    assert_true(ipv4_addr_equal(addr, WORLD_A));
    assert_true(port >= 49152);
}

static void get_dest__is_valid_after_close_and_after_reset_in(void)
{
    struct flow *flow = seen_connect(world_discard, NULL);

    check_ends(flow);
    flow_close(flow);
    check_ends(flow);
    assert_int_equal(flow_wait_closed(flow, FOREVER), FLOW_OK);
    check_ends(flow);
    flow_release(flow);
    tcpv4_unlisten(world.tcp[1], SEEN_PORT);

    flow = seen_connect(abort_at_once, NULL);
    world_sleep(WORLD_S);
    check_ends(flow);
    flow_release(flow);
}
WORLD(get_dest__is_valid_after_close_and_after_reset)

static void info__tells_state_bytes_and_end_in(void)
{
    struct flow *flow = seen_connect(world_discard, NULL);
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

/* ---- disconnect ---- */

static void disconnect__ends_as_soon_as_all_are_closed_in(void)
{
    struct flow *flow = seen_connect(world_discard, NULL);
    uint64_t begin_us = host_now_us;

    tcpv4_disconnect(world.tcp[0], world_in(100 * WORLD_S));
    assert_true(host_now_us - begin_us < 100 * WORLD_MS);
    assert_int_equal(seen.resets[0] + seen.resets[1], 0);
    assert_int_equal(flow_wait_closed(flow, FOREVER), FLOW_OK);
    flow_release(flow);
}
WORLD(disconnect__ends_as_soon_as_all_are_closed)

static void disconnect__resets_what_is_open_at_the_bound_in(void)
{
    static uint64_t hold_us = 20 * WORLD_S;
    struct flow *flow = seen_connect(world_hold, &hold_us);
    uint64_t bound_us = world_in(5 * WORLD_S);

    tcpv4_disconnect(world.tcp[0], bound_us);
    assert_int_equal(host_now_us, bound_us);
    assert_int_equal(flow_wait_closed(flow, FOREVER), FLOW_ERROR);
    world_expect_error(flow, FLOW_ERROR_UNKNOWN, FLOW_REASON_ABORTED);
    world_sleep(WORLD_S);
    assert_int_equal(seen.resets[1], 1);
    flow_release(flow);
}
WORLD(disconnect__resets_what_is_open_at_the_bound)

static void disconnect__stops_listening_and_connecting_in(void)
{
    struct flow_error error;
    struct flow *flow;

    world_listen(SEEN_PORT, world_discard, NULL);
    tcpv4_disconnect(world.tcp[1], FOREVER);
    assert_int_equal(tcpv4_create_connection(world.tcp[0], WORLD_B, SEEN_PORT,
                                             FOREVER, &flow, &error),
                     FLOW_ERROR);
    assert_int_equal(error.kind, FLOW_ERROR_REFUSED);
    assert_int_equal(tcpv4_create_connection(world.tcp[1], WORLD_A, SEEN_PORT,
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
    flows[0] = seen_connect(park_it, &deadline_us);
    flows[1] = world_connect(SEEN_PORT);
    world_sleep(WORLD_S);
    deadline_us = world_in(1000 * WORLD_S);
    flows[2] = world_connect(SEEN_PORT);
    flows[3] = world_connect(SEEN_PORT);
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
        WORLD_TEST(close__retransmitted_fin_is_acknowledged_in_close_wait),
        WORLD_TEST(close__retransmitted_fin_is_acknowledged_in_time_wait),
        WORLD_TEST(close__retransmitted_fin_is_acknowledged_in_last_ack),
        WORLD_TEST(get_dest__is_valid_after_close_and_after_reset),
        WORLD_TEST(info__tells_state_bytes_and_end),
        WORLD_TEST(disconnect__ends_as_soon_as_all_are_closed),
        WORLD_TEST(disconnect__resets_what_is_open_at_the_bound),
        WORLD_TEST(disconnect__stops_listening_and_connecting),
        WORLD_TEST(disconnect__reaches_parked_flows_with_and_without_deadline),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
