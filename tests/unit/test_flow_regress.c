/*
 * tests/unit/test_flow_regress.c - the defects of Mirage's TCP that must not
 * come back, by their numbers in FLOW.md.
 *
 * Every segment with text is compared with the pattern that was written, by
 * its sequence number. Number 2 is test_flow_pairs.c, 12 and 17 are in
 * test_flow_open.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/flow_world.h"
#include "tests/host/host.h"

enum { PORT = 80, STRANGER = 5555 };

#define FIN WORLD_FLAGS_FIN
#define SYN WORLD_FLAGS_SYN
#define RST WORLD_FLAGS_RST
#define ACK WORLD_FLAGS_ACK

/* What the watcher knows, by direction: to A, to B. */
static struct {
    uint32_t iss[2];
    uint32_t next[2]; /* after the last segment */
    uint32_t ack[2];  /* of the last segment */
    uint16_t port;    /* A's */
    unsigned segments[2], text_segments[2], fins[2], resets[2];
    uint64_t text_us[2]; /* when the last text was sent */
    bool pattern;        /* text to B is the pattern from 0 */
    bool (*lose)(const struct world_segment *segment);
    unsigned lost;
} seen;

static bool watch(const struct world_segment *segment)
{
    uint8_t to = segment->to;

    if (segment->flags & SYN)
        seen.iss[to] = segment->seq;
    if (to == 1 && segment->flags & SYN)
        seen.port = segment->src_port;
    seen.segments[to]++;
    seen.fins[to] += (segment->flags & FIN) != 0;
    seen.resets[to] += (segment->flags & RST) != 0;
    seen.ack[to] = segment->ack;
    if (!(segment->flags & RST))
        seen.next[to] = segment->seq + segment->bytes +
                        (segment->flags & (SYN | FIN) ? 1 : 0);
    if (segment->bytes > 0) {
        seen.text_segments[to]++;
        seen.text_us[to] = segment->sent_us;
    }
    if (seen.pattern && to == 1)
        for (uint32_t i = 0; i < segment->bytes; i++)
            assert_int_equal(
                segment->text[i],
                world_byte((uint32_t)(segment->seq + i - seen.iss[1] - 1)));
    if (seen.lose && seen.lose(segment)) {
        seen.lost++;
        return false;
    }
    return true;
}

static void begin(flow_callback *callback, void *context)
{
    memset(&seen, 0, sizeof seen);
    world.watch = watch;
    if (callback)
        world_listen(PORT, callback, context);
}

static uint64_t received;

static void read_pattern(struct flow *flow, void *context)
{
    (void)context;
    received = world_read_all(flow);
}

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

static unsigned conns(unsigned which)
{
    struct net_memory memory;

    net_memory_get(world.net[which], &memory);
    return (unsigned)memory.conns;
}

static void exchange(struct flow *flow)
{
    assert_int_equal(flow_write(flow, world_text(flow, "hello")), FLOW_OK);
    world_expect_read(flow, "hello");
}

/* ---- 1 ---- */

static void r01__reader_after_close_is_woken_when_the_peer_is_dead_in(void)
{
    struct buffer *buffer;
    struct flow *flow;

    begin(world_discard, NULL);
    flow = world_connect(PORT);
    world_sleep(WORLD_S);
    world.wire.cut = true;
    flow_set_user_timeout(flow, 60 * WORLD_S);
    flow_set_write_deadline(flow, world_in(WORLD_S));
    flow_close(flow);
    for (int i = 0; i < 2; i++)
        assert_int_equal(flow_read(flow, &buffer), FLOW_ERROR);
    world_expect_error(flow, FLOW_ERROR_TIMEOUT, FLOW_REASON_NONE);
    flow_release(flow);
    world_sleep(8000ull * WORLD_S); /* the server's side gives up as well */
}
WORLD(r01__reader_after_close_is_woken_when_the_peer_is_dead)

static void hold_open(struct flow *flow, void *context)
{
    (void)flow;
    (void)context;
    world_sleep(20000ull * WORLD_S);
}

static void r01__reader_in_fin_wait_2_is_woken_by_keepalive_in(void)
{
    struct buffer *buffer;
    struct flow *flow;

    begin(hold_open, NULL);
    flow = world_connect(PORT);
    flow_close(flow);
    world_sleep(WORLD_S);
    flow_set_keepalive(flow, true);
    world.wire.cut = true;
    for (int i = 0; i < 2; i++)
        assert_int_equal(flow_read(flow, &buffer), FLOW_ERROR);
    world_expect_error(flow, FLOW_ERROR_TIMEOUT, FLOW_REASON_NONE);
    flow_release(flow);
    world_sleep(20000ull * WORLD_S);
}
WORLD(r01__reader_in_fin_wait_2_is_woken_by_keepalive)

/* ---- 3 ---- */

static void r03__duplicate_syn_makes_no_second_half_open_state_in(void)
{
    struct world_segment syn;
    struct flow *flow;

    begin(world_echo, NULL);
    world.wire.to[1].duplicate_ppm = 1000000;
    flow = world_connect(PORT);
    world.wire.to[1].duplicate_ppm = 0;
    world_sleep(WORLD_S);
    assert_int_equal(conns(1), 1);

    syn = (struct world_segment){.to = 1,
                                 .flags = SYN,
                                 .src_port = seen.port,
                                 .dst_port = PORT,
                                 .seq = seen.iss[1],
                                 .window = 1000};
    world_forge(&syn, false);
    world_sleep(WORLD_S);
    assert_int_equal(conns(1), 1);
    world_sleep(200 * WORLD_S); /* any half-open state would time out */
    exchange(flow);
    assert_int_equal(seen.resets[0], 0);
    flow_release(flow);
}
WORLD(r03__duplicate_syn_makes_no_second_half_open_state)

/* ---- 4 ---- */

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

static void r04__retransmitted_fin_is_acknowledged_in_close_wait_in(void)
{
    struct flow *flow;
    unsigned before;

    begin(close_at_once, NULL);
    lose_left = 1;
    seen.lose = lose_ack_of_fin;
    flow = world_connect(PORT);
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
WORLD(r04__retransmitted_fin_is_acknowledged_in_close_wait)

/* ACK of A's FIN, sent by B, which is in TIME-WAIT by then. */
static bool lose_last_ack(const struct world_segment *segment)
{
    return segment->to == 0 && seen.fins[1] > 0 && lose_left > 0 && lose_left--;
}

static void r04__retransmitted_fin_is_acknowledged_in_time_wait_in(void)
{
    struct net_memory memory;
    struct flow *flow;

    begin(close_at_once, NULL);
    lose_left = 2;
    flow = world_connect(PORT);
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
WORLD(r04__retransmitted_fin_is_acknowledged_in_time_wait)

static void r04__retransmitted_fin_is_acknowledged_in_last_ack_in(void)
{
    struct flow *flow;

    begin(close_at_once, NULL);
    flow = world_connect(PORT);
    world_sleep(WORLD_S);
    world.wire.to[1].loss_ppm = 1000000;
    flow_set_write_deadline(flow, world_in(WORLD_S));
    flow_close(flow); /* CLOSE-WAIT to LAST-ACK */
    world_sleep(100 * WORLD_MS);
    seen.segments[1] = 0;
    world_forge(&(struct world_segment){.to = 0,
                                        .flags = FIN | ACK,
                                        .src_port = PORT,
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
WORLD(r04__retransmitted_fin_is_acknowledged_in_last_ack)

/* ---- 5 ---- */

static void send_one_segment(struct flow *flow, void *context)
{
    (void)context;
    world_sleep(2 * WORLD_S);
    assert_int_equal(flow_write(flow, world_bytes(flow, 0, 1000)), FLOW_OK);
    world_discard(flow, NULL);
}

static void r05__data_segments_are_no_duplicate_acknowledgements_in(void)
{
    struct flow *flow;

    world.wire.to[0].delay_us = 150 * WORLD_MS;
    begin(send_one_segment, NULL);
    flow = world_connect(PORT);
    flow_set_nodelay(flow, true);
    world_sleep(2 * WORLD_S - 140 * WORLD_MS);
    for (int i = 0; i < 30; i++) { /* all with the same acknowledgement */
        assert_int_equal(flow_write(flow, world_bytes(flow, 0, 100)), FLOW_OK);
        world_sleep(5 * WORLD_MS);
    }
    world_sleep(2 * WORLD_S);
    assert_true(seen.text_segments[1] >= 20);
    assert_int_equal(seen.text_segments[0], 1);
    assert_int_equal(
        net_counters(world.net[1])->value[NET_COUNT_tcp_fast_retransmit], 0);
    flow_abort(flow);
    flow_release(flow);
}
WORLD(r05__data_segments_are_no_duplicate_acknowledgements)

/* ---- 6 ---- */

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

static void r06__fast_retransmit_after_a_partial_ack_sends_right_bytes_in(void)
{
    struct world_segment ack;
    struct flow *flow;

    begin(world_discard, NULL);
    seen.pattern = true;
    flow = world_connect(PORT);
    world_sleep(WORLD_S);
    memset(&first_after, 0, sizeof first_after);
    world.wire.to[1].loss_ppm = 1000000;
    assert_int_equal(flow_write(flow, world_bytes(flow, 0, 8 * 1460)), FLOW_OK);
    world_sleep(WORLD_MS);
    assert_int_equal(seen.text_segments[1], 8);

    ack = (struct world_segment){.to = 0,
                                 .flags = ACK,
                                 .src_port = PORT,
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

WORLD(r06__fast_retransmit_after_a_partial_ack_sends_right_bytes)

/* ---- 7 ---- */

static uint32_t wished_iss;

static void transfer_over_a_bad_wire(void)
{
    struct flow *flow;

    begin(read_pattern, NULL);
    flow = world_connect(PORT);
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

static void r07__stream_crosses_2_to_the_32_on_a_bad_wire(void **state)
{
    (void)state;
    run_with_iss(0u - 250000u);
    assert_true(seen.iss[1] > seen.next[1]);
}

static void r07__stream_crosses_2_to_the_31_on_a_bad_wire(void **state)
{
    (void)state;
    run_with_iss(0x80000000u - 250000u);
    assert_true(seen.iss[1] < 0x80000000u && seen.next[1] > 0x80000000u);
}

/* ---- 8 ---- */

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

static void r08__retransmitted_syn_ack_is_the_same_in(void)
{
    struct flow *flow;

    begin(world_echo, NULL);
    memset(&synack, 0, sizeof synack);
    seen.lose = lose_two_synacks;
    flow = world_connect(PORT);
    assert_true(synack.count >= 3);
    assert_true(synack.option_bytes > 0);
    exchange(flow);
    flow_release(flow);
}
WORLD(r08__retransmitted_syn_ack_is_the_same)

/* ---- 9 ---- */

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

static void r09__window_of_a_syn_is_not_scaled_in(void)
{
    struct tcp_info info;
    struct flow *flow;

    begin(world_discard, NULL);
    seen.lose = note_syn_window;
    flow = world_connect(PORT);
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
WORLD_OF(r09__window_of_a_syn_is_not_scaled, large_window, large_window)

/* ---- 10, 11 ---- */

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

static void r10__window_smaller_than_a_segment_makes_progress_in(void)
{
    uint64_t begin_us;
    struct flow *flow;

    begin(read_slowly, NULL);
    begin_us = host_now_us;
    flow = world_connect(PORT);
    transfer(flow, 20000);
    /* 40 windows; a probe's time-out for each would be 8 s and more */
    assert_true(host_now_us - begin_us < 30ull * WORLD_S);
    flow_release(flow);
}
WORLD_OF(r10__window_smaller_than_a_segment_makes_progress, world_config,
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

static void r11__reading_sends_a_window_update_in(void)
{
    struct flow *flow;

    reads_at_us = 0;
    memset(&first_after, 0, sizeof first_after);
    begin(sleep_then_read, NULL);
    seen.lose = note_first_text;
    flow = world_connect(PORT);
    world_write_all(flow, 200000);
    flow_close(flow);
    assert_int_equal(flow_wait_closed(flow, FOREVER), FLOW_OK);
    assert_true(first_after.count > 0);
    assert_int_equal(first_after.seq, WORLD_DELAY_US); /* us after the read */
    flow_release(flow);
}
WORLD(r11__reading_sends_a_window_update)

/* ---- 13 ---- */

static bool lose_for_stranger(const struct world_segment *segment)
{
    return segment->to == 0 && segment->dst_port == STRANGER;
}

static void forge_to_b(uint8_t flags, uint32_t seq, uint32_t ack)
{
    world_forge(&(struct world_segment){.to = 1,
                                        .flags = flags,
                                        .src_port = STRANGER,
                                        .dst_port = PORT,
                                        .seq = seq,
                                        .ack = ack,
                                        .window = 1000},
                false);
    world_sleep(10 * WORLD_MS);
}

static void r13__rst_for_a_half_open_connection_must_be_exact_in(void)
{
    struct flow *flow;

    begin(world_discard, NULL);
    flow = world_connect(PORT); /* B knows A's MAC address from here on */
    flow_release(flow);
    world_sleep(200 * WORLD_S);
    assert_int_equal(conns(1), 0);
    seen.lose = lose_for_stranger;
    forge_to_b(SYN, 0xffffffffu, 0);
    assert_int_equal(conns(1), 1);
    forge_to_b(RST, 1, 0);
    forge_to_b(RST, 500, 0);
    forge_to_b(RST, 0xffffffffu, 0);
    assert_int_equal(conns(1), 1);
    forge_to_b(RST, 0, 0);
    assert_int_equal(conns(1), 0);
}
WORLD(r13__rst_for_a_half_open_connection_must_be_exact)

static void connect_slowly(void *arg)
{
    struct flow_error error;
    struct flow *flow;

    *(enum flow_status *)arg = tcpv4_create_connection(
        world.tcp[0], WORLD_B, PORT, FOREVER, &flow, &error);
    assert_int_equal(error.kind, FLOW_ERROR_REFUSED);
}

static bool lose_syn(const struct world_segment *segment)
{
    return segment->flags & SYN;
}

static void r13__rst_for_a_syn_must_acknowledge_it_in(void)
{
    enum flow_status status = FLOW_OK;
    struct world_segment rst;
    struct thread *thread;

    begin(NULL, NULL);
    seen.lose = lose_syn;
    thread = world_spawn(connect_slowly, &status);
    world_sleep(100 * WORLD_MS);
    rst = (struct world_segment){.to = 0,
                                 .flags = RST | ACK,
                                 .src_port = PORT,
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
WORLD(r13__rst_for_a_syn_must_acknowledge_it)

/* ---- 14 ---- */

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

static void r14__malformed_options_end_nothing_in(void)
{
    struct flow *flow;

    begin(world_echo, NULL);
    flow = world_connect(PORT);
    exchange(flow);
    seen.lose = lose_for_stranger;
    for (size_t i = 0; i < ARRAY_LEN(malformed); i++) {
        struct world_segment segment = {.to = 1,
                                        .flags = ACK,
                                        .src_port = seen.port,
                                        .dst_port = PORT,
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
        exchange(flow);
    }
    assert_int_equal(seen.resets[1], 0);
    flow_release(flow);
}
WORLD(r14__malformed_options_end_nothing)

/* ---- 15 ---- */

static void write_apart(struct flow *flow, const char *one, const char *two)
{
    assert_int_equal(flow_write(flow, world_text(flow, one)), FLOW_OK);
    world_sleep(100); /* it is on its way: they cannot share a segment */
    assert_int_equal(flow_write(flow, world_text(flow, two)), FLOW_OK);
}

static void read_ten(struct flow *flow)
{
    size_t bytes = 0;
    char text[16];
    size_t got;

    while (bytes < 10) {
        assert_int_equal(flow_receive(flow, text, sizeof text - bytes, &got),
                         FLOW_OK);
        bytes += got;
    }
    assert_int_equal(bytes, 10);
}

static void answer_ten(struct flow *flow, void *context)
{
    for (int i = 0; i < 100; i++) {
        read_ten(flow);
        write_apart(flow, "header", "body");
    }
    world_discard(flow, context);
}

static void r15__header_and_body_do_not_wait_for_each_other_in(void)
{
    struct flow *flow;
    uint64_t begin_us;

    begin(answer_ten, NULL);
    flow = world_connect(PORT);
    for (int i = 0; i < 100; i++) {
        begin_us = host_now_us;
        write_apart(flow, "header", "body");
        read_ten(flow);
        assert_true(host_now_us - begin_us < 40 * WORLD_MS);
    }
    flow_release(flow);
}
WORLD(r15__header_and_body_do_not_wait_for_each_other)

/* ---- 16 ---- */

static void r16__a_bad_checksum_is_dropped_in(void)
{
    struct world_segment segment;
    struct flow *flow;

    begin(world_echo, NULL);
    flow = world_connect(PORT);
    exchange(flow);
    segment = (struct world_segment){.to = 1,
                                     .flags = ACK,
                                     .src_port = seen.port,
                                     .dst_port = PORT,
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
    exchange(flow); /* and nothing but what is asked */
    assert_true(net_counters(world.net[1])->value[NET_COUNT_tcp_checksum] == 2);
    flow_release(flow);
}
WORLD(r16__a_bad_checksum_is_dropped)

static void r16__a_wire_that_turns_bits_corrupts_no_stream_in(void)
{
    struct flow *flow;

    begin(read_pattern, NULL);
    flow = world_connect(PORT);
    world.wire.to[1].corrupt_ppm = world.wire.to[0].corrupt_ppm = 50000;
    received = 0;
    world_write_all(flow, 200000);
    flow_close(flow);
    assert_int_equal(flow_wait_closed(flow, FOREVER), FLOW_OK);
    world_sleep(10 * WORLD_S);
    assert_int_equal(received, 200000);
    flow_release(flow);
}
WORLD(r16__a_wire_that_turns_bits_corrupts_no_stream)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(r01__reader_after_close_is_woken_when_the_peer_is_dead),
        WORLD_TEST(r01__reader_in_fin_wait_2_is_woken_by_keepalive),
        WORLD_TEST(r03__duplicate_syn_makes_no_second_half_open_state),
        WORLD_TEST(r04__retransmitted_fin_is_acknowledged_in_close_wait),
        WORLD_TEST(r04__retransmitted_fin_is_acknowledged_in_time_wait),
        WORLD_TEST(r04__retransmitted_fin_is_acknowledged_in_last_ack),
        WORLD_TEST(r05__data_segments_are_no_duplicate_acknowledgements),
        WORLD_TEST(r06__fast_retransmit_after_a_partial_ack_sends_right_bytes),
        WORLD_TEST(r07__stream_crosses_2_to_the_32_on_a_bad_wire),
        WORLD_TEST(r07__stream_crosses_2_to_the_31_on_a_bad_wire),
        WORLD_TEST(r08__retransmitted_syn_ack_is_the_same),
        WORLD_TEST(r09__window_of_a_syn_is_not_scaled),
        WORLD_TEST(r10__window_smaller_than_a_segment_makes_progress),
        WORLD_TEST(r11__reading_sends_a_window_update),
        WORLD_TEST(r13__rst_for_a_half_open_connection_must_be_exact),
        WORLD_TEST(r13__rst_for_a_syn_must_acknowledge_it),
        WORLD_TEST(r14__malformed_options_end_nothing),
        WORLD_TEST(r15__header_and_body_do_not_wait_for_each_other),
        WORLD_TEST(r16__a_bad_checksum_is_dropped),
        WORLD_TEST(r16__a_wire_that_turns_bits_corrupts_no_stream),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
