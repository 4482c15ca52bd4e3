/*
 * tests/unit/test_flow_stream.c - a stream over a wire that loses, repeats,
 * reorders and damages: what arrives is what was written.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/host.h"
#include "tests/host/world_seen.h"

#define RST WORLD_FLAGS_RST
#define ACK WORLD_FLAGS_ACK

static uint64_t received;

/* Everything of the pattern arrives, and both sides end normally. */
static void transfer(struct flow *flow, uint64_t bytes)
{
    received = 0;
    seen.pattern = true;
    world_write_all(flow, bytes);
    flow_close(flow);
    assert_int_equal(flow_wait_closed(flow, FOREVER), FLOW_OK);
    world_sleep(WORLD_S);
    assert_int_equal(received, bytes);
}

/* ---- what is sent again ---- */

static void send_one_segment(struct flow *flow, void *context)
{
    (void)context;
    world_sleep(2 * WORLD_S);
    assert_int_equal(flow_write(flow, world_bytes(flow, 0, 1000)), FLOW_OK);
    world_discard(flow, NULL);
}

static void stream__data_segments_are_no_duplicate_acknowledgements_in(void)
{
    struct flow *flow;

    world.wire.to[0].delay_us = 150 * WORLD_MS;
    flow = seen_connect(send_one_segment, NULL);
    flow_set_nodelay(flow, true);
    world_sleep(2 * WORLD_S - 140 * WORLD_MS);
    for (int i = 0; i < 30; i++) { /* all with the same acknowledgement */
        assert_int_equal(flow_write(flow, world_bytes(flow, 0, 100)), FLOW_OK);
        world_sleep(5 * WORLD_MS);
    }
    world_sleep(2 * WORLD_S);
    assert_true(seen.texts[1] >= 20);
    assert_int_equal(seen.texts[0], 1);
    assert_int_equal(
        net_counters(world.net[1])->value[NET_COUNT_tcp_fast_retransmit], 0);
    flow_abort(flow);
    flow_release(flow);
}
WORLD(stream__data_segments_are_no_duplicate_acknowledgements)

static struct {
    uint32_t seq, bytes;
    unsigned count;
} first_after;

static bool note_first(const struct world_segment *segment)
{
    if (segment->to == 1 && segment->bytes > 0 && first_after.count++ == 0) {
        first_after.seq = segment->seq;
        first_after.bytes = segment->bytes;
    }
    return segment->to == 1; /* B hears nothing of it */
}

static void
stream__fast_retransmit_after_a_partial_ack_sends_right_bytes_in(void)
{
    struct world_segment ack;
    struct flow *flow;

    seen_begin();
    world_listen(SEEN_PORT, world_discard, NULL);
    seen.pattern = true;
    flow = world_connect(SEEN_PORT);
    world_sleep(WORLD_S);
    memset(&first_after, 0, sizeof first_after);
    world.wire.to[1].loss_ppm = 1000000;
    assert_int_equal(flow_write(flow, world_bytes(flow, 0, 8 * 1460)), FLOW_OK);
    world_sleep(WORLD_MS);
    assert_int_equal(seen.texts[1], 8);

    ack = (struct world_segment){.to = 0,
                                 .flags = ACK,
                                 .src_port = SEEN_PORT,
                                 .dst_port = seen.port,
                                 .seq = seen.next[0],
                                 .ack = seen.iss[1] + 1 + 700,
                                 .window = 65535};
    seen.lose = note_first;
    for (int i = 0; i < 4; i++)
        world_forge(&ack, false);
    world_sleep(WORLD_MS);
    assert_true(first_after.count > 0);
    assert_int_equal(first_after.seq, seen.iss[1] + 1 + 700);
    seen.lose = NULL;
    world.wire.to[1].loss_ppm = 0;
    /* B never had the first 700 bytes, so this one can only be given up */
    flow_abort(flow);
    flow_release(flow);
    tcpv4_disconnect(world.tcp[1], world_in(WORLD_S));
}
WORLD(stream__fast_retransmit_after_a_partial_ack_sends_right_bytes)

/* ---- numbers that wrap ---- */

static uint32_t wished_iss;

static void transfer_over_a_bad_wire(void)
{
    struct flow *flow;

    flow = seen_connect(world_take_pattern, &received);
    world.wire.to[1].loss_ppm = 30000;
    world.wire.to[1].reorder_ppm = 100000;
    world.wire.to[1].reorder_us = 3 * WORLD_MS;
    world.wire.to[1].duplicate_ppm = 30000;
    transfer(flow, 300000);
    flow_release(flow);
    if (wished_iss)
        assert_true(seen.iss[1] - wished_iss < 200000);
}

/* The ISN follows a clock of 4 us (RFC 6528): the same seed at another time
 * has the number that is wanted. */
static void run_with_iss(uint32_t iss)
{
    uint32_t had;

    wished_iss = 0;
    world_run(NULL, NULL, transfer_over_a_bad_wire);
    had = seen.iss[1];
    wished_iss = iss;
    world.start_us = 1000000 + (uint64_t)(iss - had) * 4;
    world_run(NULL, NULL, transfer_over_a_bad_wire);
}

static void stream__crosses_2_to_the_32_on_a_bad_wire(void **state)
{
    (void)state;
    run_with_iss(0u - 250000u);
    assert_true(seen.iss[1] > seen.next[1]);
}

static void stream__crosses_2_to_the_31_on_a_bad_wire(void **state)
{
    (void)state;
    run_with_iss(0x80000000u - 250000u);
    assert_true(seen.iss[1] < 0x80000000u && seen.next[1] > 0x80000000u);
}

/* ---- windows ---- */

static struct net_config tiny_window(void)
{
    struct net_config config = world_config();

    config.tcp.rcv_buf_bytes = 500;
    return config;
}

static void read_slowly(struct flow *flow, void *context)
{
    struct buffer *buffer;

    (void)context;
    received = 0;
    while (flow_read(flow, &buffer) == FLOW_OK) {
        for (uint32_t i = 0; i < buffer->len; i++)
            assert_int_equal(buffer->data[i], world_byte(received + i));
        received += buffer->len;
        buffer_release(buffer);
        world_sleep(10 * WORLD_MS);
    }
}

static void stream__window_smaller_than_a_segment_makes_progress_in(void)
{
    uint64_t begin_us;
    struct flow *flow;

    seen_begin();
    world_listen(SEEN_PORT, read_slowly, NULL);
    begin_us = host_now_us;
    flow = world_connect(SEEN_PORT);
    transfer(flow, 20000);
    /* 40 windows; a probe's time-out for each would be 8 s and more */
    assert_true(host_now_us - begin_us < 30ull * WORLD_S);
    flow_release(flow);
}
WORLD_OF(stream__window_smaller_than_a_segment_makes_progress, world_config,
         tiny_window)

static uint64_t reads_at_us;

static void sleep_then_read(struct flow *flow, void *context)
{
    world_sleep(20 * WORLD_S + 12345);
    reads_at_us = host_now_us;
    world_discard(flow, context);
}

static bool note_first_text(const struct world_segment *segment)
{
    if (reads_at_us && segment->to == 1 && segment->bytes > 1 &&
        first_after.count++ == 0)
        first_after.seq = (uint32_t)(segment->sent_us - reads_at_us);
    return false;
}

static void stream__reading_sends_a_window_update_in(void)
{
    struct flow *flow;

    reads_at_us = 0;
    memset(&first_after, 0, sizeof first_after);
    seen_begin();
    world_listen(SEEN_PORT, sleep_then_read, NULL);
    seen.lose = note_first_text;
    flow = world_connect(SEEN_PORT);
    world_write_all(flow, 200000);
    flow_close(flow);
    assert_int_equal(flow_wait_closed(flow, FOREVER), FLOW_OK);
    assert_true(first_after.count > 0);
    assert_int_equal(first_after.seq, WORLD_DELAY_US); /* us after the read */
    flow_release(flow);
}
WORLD(stream__reading_sends_a_window_update)

/* ---- bytes that are not the peer's ---- */

static void stream__a_bad_checksum_is_dropped_in(void)
{
    struct world_segment segment;
    struct flow *flow;

    flow = seen_connect(world_echo, NULL);
    world_exchange(flow);
    segment = (struct world_segment){.to = 1,
                                     .flags = ACK,
                                     .src_port = seen.port,
                                     .dst_port = SEEN_PORT,
                                     .seq = seen.next[1],
                                     .ack = seen.ack[1],
                                     .window = 65535,
                                     .text = (const uint8_t *)"forged",
                                     .bytes = 6};
    world_forge(&segment, true);
    segment.flags = RST;
    segment.bytes = 0;
    world_forge(&segment, true);
    world_sleep(WORLD_S);
    world_exchange(flow); /* and nothing but what is asked */
    assert_true(net_counters(world.net[1])->value[NET_COUNT_tcp_checksum] == 2);
    flow_release(flow);
}
WORLD(stream__a_bad_checksum_is_dropped)

static void stream__a_wire_that_turns_bits_corrupts_nothing_in(void)
{
    struct flow *flow;

    flow = seen_connect(world_take_pattern, &received);
    world.wire.to[1].corrupt_ppm = world.wire.to[0].corrupt_ppm = 50000;
    received = 0;
    world_write_all(flow, 200000);
    flow_close(flow);
    assert_int_equal(flow_wait_closed(flow, FOREVER), FLOW_OK);
    world_sleep(10 * WORLD_S);
    assert_int_equal(received, 200000);
    flow_release(flow);
}
WORLD(stream__a_wire_that_turns_bits_corrupts_nothing)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(stream__data_segments_are_no_duplicate_acknowledgements),
        WORLD_TEST(
            stream__fast_retransmit_after_a_partial_ack_sends_right_bytes),
        WORLD_TEST(stream__crosses_2_to_the_32_on_a_bad_wire),
        WORLD_TEST(stream__crosses_2_to_the_31_on_a_bad_wire),
        WORLD_TEST(stream__window_smaller_than_a_segment_makes_progress),
        WORLD_TEST(stream__reading_sends_a_window_update),
        WORLD_TEST(stream__a_bad_checksum_is_dropped),
        WORLD_TEST(stream__a_wire_that_turns_bits_corrupts_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
