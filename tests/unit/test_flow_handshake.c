/*
 * tests/unit/test_flow_handshake.c - SYNs, resets and options on the wire: what
 * opens a connection, and what must not end one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/world_seen.h"

enum { STRANGER = 5555 };

#define SYN WORLD_FLAGS_SYN
#define RST WORLD_FLAGS_RST
#define ACK WORLD_FLAGS_ACK

static void handshake__duplicate_syn_makes_no_second_half_open_state_in(void)
{
    struct world_segment syn;
    struct flow *flow;

    seen_begin();
    world_listen(SEEN_PORT, world_echo, NULL);
    world.wire.to[1].duplicate_ppm = 1000000;
    flow = world_connect(SEEN_PORT);
    world.wire.to[1].duplicate_ppm = 0;
    world_sleep(WORLD_S);
    assert_int_equal(world_conns(1), 1);

    syn = (struct world_segment){.to = 1,
                                 .flags = SYN,
                                 .src_port = seen.port,
                                 .dst_port = SEEN_PORT,
                                 .seq = seen.iss[1],
                                 .window = 1000};
    world_forge(&syn, false);
    world_sleep(WORLD_S);
    assert_int_equal(world_conns(1), 1);
    world_sleep(200 * WORLD_S); /* any half-open state would time out */
    world_exchange(flow);
    assert_int_equal(seen.resets[0], 0);
    flow_release(flow);
}
WORLD(handshake__duplicate_syn_makes_no_second_half_open_state)

static struct {
    unsigned count;
    uint32_t seq, option_bytes;
    uint16_t window;
    uint8_t options[40];
} synack;

static bool lose_two_synacks(const struct world_segment *segment)
{
    if (segment->to != 0 || !(segment->flags & SYN))
        return false;
    if (synack.count++ == 0) {
        synack.seq = segment->seq;
        synack.window = segment->window;
        synack.option_bytes = segment->option_bytes;
        memcpy(synack.options, segment->options, segment->option_bytes);
    }
    assert_int_equal(segment->seq, synack.seq);
    assert_int_equal(segment->window, synack.window);
    assert_int_equal(segment->option_bytes, synack.option_bytes);
    assert_memory_equal(segment->options, synack.options, synack.option_bytes);
    return synack.count <= 2;
}

static void handshake__retransmitted_syn_ack_is_the_same_in(void)
{
    struct flow *flow;

    seen_begin();
    world_listen(SEEN_PORT, world_echo, NULL);
    memset(&synack, 0, sizeof synack);
    seen.lose = lose_two_synacks;
    flow = world_connect(SEEN_PORT);
    assert_true(synack.count >= 3);
    assert_true(synack.option_bytes > 0);
    world_exchange(flow);
    flow_release(flow);
}
WORLD(handshake__retransmitted_syn_ack_is_the_same)

static uint16_t syn_window[2];

static bool note_syn_window(const struct world_segment *segment)
{
    if (segment->flags & SYN)
        syn_window[segment->to] = segment->window;
    return false;
}

static struct net_config large_window(void)
{
    struct net_config config = world_config();

    config.tcp.rcv_buf_bytes = 4 * 1024 * 1024;
    config.tcp.rcv_buf_begin_bytes = 4 * 1024 * 1024;
    return config;
}

static void handshake__window_of_a_syn_is_not_scaled_in(void)
{
    struct tcp_info info;
    struct flow *flow;

    seen_begin();
    world_listen(SEEN_PORT, world_discard, NULL);
    seen.lose = note_syn_window;
    flow = world_connect(SEEN_PORT);
    flow_info(flow, &info);
    assert_int_equal(syn_window[0], 65535);
    assert_int_equal(syn_window[1], 65535);
    assert_int_equal(info.snd_wnd_bytes, 65535); /* as the SYN-ACK says */
    assert_true(info.snd_wnd_shift > 0);
    world_sleep(WORLD_S);
    assert_int_equal(flow_write(flow, world_bytes(flow, 0, 1000)), FLOW_OK);
    world_sleep(WORLD_S);
    flow_info(flow, &info);
    assert_true(info.snd_wnd_bytes > 65535); /* as any later segment says */
    flow_release(flow);
}
WORLD_OF(handshake__window_of_a_syn_is_not_scaled, large_window, large_window)

static bool lose_for_stranger(const struct world_segment *segment)
{
    return segment->to == 0 && segment->dst_port == STRANGER;
}

static void forge_to_b(uint8_t flags, uint32_t seq, uint32_t ack)
{
    world_forge(&(struct world_segment){.to = 1,
                                        .flags = flags,
                                        .src_port = STRANGER,
                                        .dst_port = SEEN_PORT,
                                        .seq = seq,
                                        .ack = ack,
                                        .window = 1000},
                false);
    world_sleep(10 * WORLD_MS);
}

static void handshake__rst_for_a_half_open_connection_must_be_exact_in(void)
{
    struct flow *flow;

    flow = seen_connect(world_discard,
                        NULL); /* B knows A's MAC address from here on */
    flow_release(flow);
    world_sleep(200 * WORLD_S);
    assert_int_equal(world_conns(1), 0);
    seen.lose = lose_for_stranger;
    forge_to_b(SYN, 0xffffffffu, 0);
    assert_int_equal(world_conns(1), 1);
    forge_to_b(RST, 1, 0);
    forge_to_b(RST, 500, 0);
    forge_to_b(RST, 0xffffffffu, 0);
    assert_int_equal(world_conns(1), 1);
    forge_to_b(RST, 0, 0);
    assert_int_equal(world_conns(1), 0);
}
WORLD(handshake__rst_for_a_half_open_connection_must_be_exact)

static void connect_slowly(void *arg)
{
    struct flow_error error;
    struct flow *flow;

    *(enum flow_status *)arg = tcpv4_create_connection(
        world.tcp[0], WORLD_B, SEEN_PORT, FOREVER, &flow, &error);
    assert_int_equal(error.kind, FLOW_ERROR_REFUSED);
}

static bool lose_syn(const struct world_segment *segment)
{
    return segment->flags & SYN;
}

static void handshake__rst_for_a_syn_must_acknowledge_it_in(void)
{
    enum flow_status status = FLOW_OK;
    struct world_segment rst;
    struct thread *thread;

    seen_begin();
    seen.lose = lose_syn;
    thread = world_spawn(connect_slowly, &status);
    world_sleep(100 * WORLD_MS);
    rst = (struct world_segment){.to = 0,
                                 .flags = RST | ACK,
                                 .src_port = SEEN_PORT,
                                 .dst_port = seen.port,
                                 .ack = seen.iss[1]};
    world_forge(&rst, false);
    rst.ack = seen.iss[1] + 2;
    world_forge(&rst, false);
    rst.flags = RST;
    rst.ack = seen.iss[1] + 1;
    world_forge(&rst, false);
    world_sleep(100 * WORLD_MS);
    assert_int_equal(status, FLOW_OK);
    rst.flags = RST | ACK;
    world_forge(&rst, false);
    world_join(thread);
    assert_int_equal(status, FLOW_ERROR);
}
WORLD(handshake__rst_for_a_syn_must_acknowledge_it)

/* clang-format off */
static const struct {
    uint32_t bytes;
    uint8_t option[40];
} malformed[] = {
    {4, {2, 0, 5, 180}},         /* MSS of length 0 */
    {4, {2, 1, 5, 180}},         /* ... 1 */
    {4, {2, 3, 5, 0}},           /* ... 3 */
    {4, {2, 4, 0, 0}},           /* MSS 0 */
    {4, {1, 1, 1, 2}},           /* a kind without a length */
    {4, {2, 40, 5, 180}},        /* longer than what is there */
    {4, {3, 255, 7, 0}},
    {4, {3, 3, 255, 0}},         /* a shift of 255 */
    {8, {8, 10, 0, 0, 0, 0, 0, 0}},
    {8, {5, 3, 1, 1, 1, 1, 1, 1}},
    {8, {254, 0, 0, 0, 0, 0, 0, 0}},
    {40, {254, 255}},
    {40, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
          1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 3}},
};
/* clang-format on */

static void options__malformed_ones_end_nothing_in(void)
{
    struct flow *flow;

    flow = seen_connect(world_echo, NULL);
    world_exchange(flow);
    seen.lose = lose_for_stranger;
    for (size_t i = 0; i < ARRAY_LEN(malformed); i++) {
        struct world_segment segment = {.to = 1,
                                        .flags = ACK,
                                        .src_port = seen.port,
                                        .dst_port = SEEN_PORT,
                                        .seq = seen.next[1],
                                        .ack = seen.ack[1],
                                        .window = 65535,
                                        .options = malformed[i].option,
                                        .option_bytes = malformed[i].bytes};

        world_forge(&segment, false); /* in the connection */
        segment.src_port = STRANGER;
        segment.flags = SYN;
        segment.seq = (uint32_t)i * 100000;
        world_forge(&segment, false); /* and before there is one */
        world_sleep(10 * WORLD_MS);
        segment.flags = RST;
        segment.seq++;
        segment.option_bytes = 0;
        world_forge(&segment, false);
        world_exchange(flow);
    }
    assert_int_equal(seen.resets[1], 0);
    flow_release(flow);
}
WORLD(options__malformed_ones_end_nothing)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(handshake__duplicate_syn_makes_no_second_half_open_state),
        WORLD_TEST(handshake__retransmitted_syn_ack_is_the_same),
        WORLD_TEST(handshake__window_of_a_syn_is_not_scaled),
        WORLD_TEST(handshake__rst_for_a_half_open_connection_must_be_exact),
        WORLD_TEST(handshake__rst_for_a_syn_must_acknowledge_it),
        WORLD_TEST(options__malformed_ones_end_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
