/*
 * Two stacks on a cable, or one with itself: what a scripted peer cannot show.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/host/host.h"
#include "tests/host/pair_tcp.h"

#define SECOND 1000000ull

static struct pair pair;
static struct tcp_listener *listener;
static struct tcp_conn *client, *server;

static int setup(void **state)
{
    (void)state;
    host_seed(3);
    host_now_us = SECOND;
    pair_init(&pair, NULL);
    listener = pair_listen(&pair);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    assert_int_equal(pair_destroy(&pair), 0);
    return 0;
}

static void stream__a_mebibyte_arrives_and_leaves_nothing(void **state)
{
    struct net_memory before, after;

    (void)state;
    client = pair_connect(&pair, 0, listener, &server);
    net_memory_get(pair.net[1], &before);
    pair_stream(&pair, client, server, 0, 1 << 20);
    pair_run_until(&pair, host_now_us + SECOND);
    net_memory_get(pair.net[1], &after);
    assert_int_equal(after.buffers, before.buffers);
    net_memory_get(pair.net[0], &after);
    assert_int_equal(after.buffers, 0);
}

static void stream__survives_loss_in_both_directions(void **state)
{
    (void)state;
    client = pair_connect(&pair, 0, listener, &server);
    for (unsigned i = 0; i < 2; i++)
        pair.wire.to[i] = (struct wire_quality){.delay_us = 5000,
                                                .loss_ppm = 30000,
                                                .reorder_ppm = 20000,
                                                .reorder_us = 9000,
                                                .duplicate_ppm = 10000};
    pair_stream(&pair, client, server, 0, 1 << 19);
}

/* No 40 ms between a header and a body flushed apart. */
static void header_and_body__do_not_wait_for_a_delayed_ack(void **state)
{
    uint64_t start_us;
    uint32_t got = 0;

    (void)state;
    client = pair_connect(&pair, 0, listener, &server);
    pair.wire.to[0].delay_us = pair.wire.to[1].delay_us = 100;
    start_us = host_now_us;
    pair_put(pair.net[0], client, 0, 50);
    pair_step(&pair);
    pair_put(pair.net[0], client, 50, 50);
    while (got < 100 && host_now_us < start_us + SECOND) {
        pair_step(&pair);
        host_now_us = pair_next(&pair);
        pair_step(&pair);
        got += pair_take(server, got);
    }
    assert_int_equal(got, 100);
    assert_true(host_now_us - start_us < 1000);
}

static void ack_of_an_exchange__rides_on_the_answer(void **state)
{
    struct tcp_info info;
    uint64_t before;

    (void)state;
    client = pair_connect(&pair, 0, listener, &server);
    tcp_info_get(server, &info);
    before = info.segments_sent;
    for (uint32_t i = 0; i < 10; i++) {
        pair_put(pair.net[0], client, i * 100, 100);
        pair_step(&pair);
        pair_step(&pair);
        assert_int_equal(pair_take(server, i * 100), 100);
        pair_put(pair.net[1], server, i * 200, 200);
        pair_step(&pair);
        pair_step(&pair);
        assert_int_equal(pair_take(client, i * 200), 200);
    }
    tcp_info_get(server, &info);
    assert_int_equal(info.segments_sent - before, 10);
}

/* One header for many segments, when the card cuts them. */
static void gso__one_header_serves_up_to_64_kib(void **state)
{
    struct buffer *frame;
    uint32_t longest = 0, text = 0;

    (void)state;
    pair.dev[0].dev.caps = NETDEV_CAP_TX_CSUM | NETDEV_CAP_TX_GSO_TCP4;
    pair.dev[1].dev.caps = NETDEV_CAP_RX_CSUM | NETDEV_CAP_RX_GSO_TCP4;
    client = pair_connect(&pair, 0, listener, &server);
    pair_stream(&pair, client, server, 0,
                200000); /* the window is open by now */
    pair_run_until(&pair, host_now_us + SECOND / 10);
    pair_put(pair.net[0], client, 200000, 100000);
    net_flush(pair.net[0], host_now_us);
    while ((frame = memdev_take(&pair.dev[0]))) {
        uint32_t len = buffer_chain_len(frame);

        if (len > 1514) {
            assert_true(frame->flags & BUFFER_GSO_TCP4);
            assert_int_equal(frame->gso_bytes, 1448);
            assert_true(frame->flags & BUFFER_CSUM_PARTIAL);
        }
        longest = len > longest ? len : longest;
        text += len - 66;
        buffer_release(frame);
    }
    assert_true(longest > 20000 && longest <= 65535 + 14);
    assert_true(text >= 50000);
}

/* RFC 5681 4.1, RFC 6928 2: ten segments, also where one header serves more. */
static void
gso__after_idleness_no_more_than_an_initial_window_goes(void **state)
{
    struct buffer *frame;
    uint32_t text = 0;

    (void)state;
    pair.dev[0].dev.caps = NETDEV_CAP_TX_CSUM | NETDEV_CAP_TX_GSO_TCP4;
    pair.dev[1].dev.caps = NETDEV_CAP_RX_CSUM | NETDEV_CAP_RX_GSO_TCP4;
    client = pair_connect(&pair, 0, listener, &server);
    pair_stream(&pair, client, server, 0, 200000);
    pair_run_until(&pair, host_now_us + 10 * SECOND);
    pair_put(pair.net[0], client, 200000, 100000);
    net_flush(pair.net[0], host_now_us);
    while ((frame = memdev_take(&pair.dev[0]))) {
        text += buffer_chain_len(frame) - 66;
        buffer_release(frame);
    }
    assert_int_equal(text, 10 * 1448);
}

/* The first large frame is lost; what brings it again. */
struct lost_frame {
    uint32_t seq, len;   /* text; 0: none is lost yet */
    uint32_t again, max; /* frames, and the longest text of one */
};

static bool lose_one(void *context, const struct wire_frame *frame)
{
    struct lost_frame *lost = context;
    const uint8_t *seq = frame->bytes + 38;
    uint32_t at = (uint32_t)seq[0] << 24 | (uint32_t)seq[1] << 16 |
                  (uint32_t)seq[2] << 8 | seq[3];

    if (frame->to != 1 || frame->len < 1000)
        return true;
    if (lost->len == 0) {
        lost->seq = at;
        lost->len = frame->len - 66;
        return false;
    }
    if (at - lost->seq < lost->len) {
        lost->again++;
        if (lost->max < frame->len - 66)
            lost->max = frame->len - 66;
    }
    return true;
}

/* As much at once as has arrived meanwhile: RFC 9937. */
static void gso__what_was_lost_goes_again_in_few_headers(void **state)
{
    struct lost_frame lost = {0};
    uint32_t got = 0;

    (void)state;
    pair.dev[0].dev.caps = NETDEV_CAP_TX_CSUM | NETDEV_CAP_TX_GSO_TCP4;
    pair.dev[1].dev.caps = NETDEV_CAP_RX_CSUM | NETDEV_CAP_RX_GSO_TCP4;
    pair.wire.to[0].delay_us = pair.wire.to[1].delay_us = 1000;
    client = pair_connect(&pair, 0, listener, &server);
    pair_stream(&pair, client, server, 0, 300000);
    pair_run_until(&pair, host_now_us + SECOND / 10);
    pair.wire.observe = lose_one;
    pair.wire.observe_context = &lost;
    pair_put(pair.net[0], client, 300000, 100000);
    pair_run_until(&pair, host_now_us + SECOND / 10);
    while (got < 100000) {
        uint32_t part = pair_take(server, 300000 + got);

        assert_true(part > 0);
        got += part;
    }
    assert_true(lost.len > 20000);
    assert_true(lost.max > 2 * 1448);
    assert_true(lost.again < lost.len / 1448 / 2);
}

static void full_card__is_waited_for_and_nothing_is_lost(void **state)
{
    uint32_t got = 0;
    struct tcp_info info;

    (void)state;
    client = pair_connect(&pair, 0, listener, &server);
    pair.dev[0].tx_max = 3;
    pair_put(pair.net[0], client, 0, 10000);
    assert_true(net_flush(pair.net[0], host_now_us));
    assert_true(net_needs_flush(pair.net[0]));
    for (unsigned i = 0; i < 100 && got < 10000; i++) {
        pair_step(&pair);
        got += pair_take(server, got);
    }
    assert_int_equal(got, 10000);
    tcp_info_get(client, &info);
    assert_int_equal(info.retransmissions, 0);
}

static void S30__connecting_to_oneself_works(void **state)
{
    uint32_t got = 0;

    (void)state;
    client = pair_connect(&pair, 1, listener, &server);
    pair_put(pair.net[1], client, 0, 50000);
    for (unsigned i = 0; i < 200 && got < 50000; i++) {
        pair_step(&pair);
        host_now_us += 1000;
        got += pair_take(server, got);
    }
    assert_int_equal(got, 50000);
    tcp_release(client, host_now_us);
    tcp_release(server, host_now_us);
    pair_run_until(&pair, host_now_us + 200 * SECOND);
}

static void S30__not_from_the_very_same_port(void **state)
{
    enum tcp_end why;

    (void)state;
    assert_int_equal(tcp_connect(pair.net[1], PAIR_B_ADDR, PAIR_PORT, PAIR_PORT,
                                 host_now_us, &client, &why),
                     TCP_ENDED);
    assert_int_equal(why, TCP_END_NO_PORT);
}

static void unreachable__ends_a_connect(void **state)
{
    enum tcp_end why;

    (void)state;
    assert_int_equal(tcp_connect(pair.net[0], IPV4_ADDR(10, 0, 0, 77),
                                 PAIR_PORT, 0, host_now_us, &client, &why),
                     TCP_OK);
    pair_run_until(&pair, host_now_us + 20 * SECOND);
    assert_int_equal(tcp_end_reason(client), TCP_END_UNREACHABLE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(stream__a_mebibyte_arrives_and_leaves_nothing),
        TEST(stream__survives_loss_in_both_directions),
        TEST(header_and_body__do_not_wait_for_a_delayed_ack),
        TEST(ack_of_an_exchange__rides_on_the_answer),
        TEST(gso__one_header_serves_up_to_64_kib),
        TEST(gso__after_idleness_no_more_than_an_initial_window_goes),
        TEST(gso__what_was_lost_goes_again_in_few_headers),
        TEST(full_card__is_waited_for_and_nothing_is_lost),
        TEST(S30__connecting_to_oneself_works),
        TEST(S30__not_from_the_very_same_port),
        TEST(unreachable__ends_a_connect),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
