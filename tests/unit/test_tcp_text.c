/*
 * Text that arrives: order, window, acknowledgements, memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/host.h"
#include "tests/host/tcp_scene.h"

#define MS 1000ull

/* A receive buffer that does not grow. */
static void set_buffer(uint32_t bytes)
{
    peer.config.tcp.rcv_buf_bytes = bytes;
    peer.config.tcp.rcv_buf_begin_bytes = bytes;
}

static int setup(void **state)
{
    (void)state;
    peer_prepare(&peer);
    set_buffer(256 * 1024);
    peer_start(&peer);
    peer_open_passive(&peer);
    return 0;
}

/* The same with a receive buffer of `bytes`. */
static void restart(uint32_t bytes, bool delayed)
{
    peer_end(&peer);
    peer_prepare(&peer);
    set_buffer(bytes);
    if (!delayed)
        peer.config.tcp.delayed_ack_us = 0;
    peer_start(&peer);
    peer_open_passive(&peer);
}

/* A segment of `len` pattern bytes at stream offset `at`, from 0. */
static void text_at(uint32_t at, uint32_t len, uint8_t flags)
{
    peer_send(&peer, (struct peer_seg){.seq = PEER_ISS + 1 + at,
                                       .ack = peer.rcv,
                                       .flags = flags | PEER_ACK,
                                       .len = len});
}

/* The stack sends one bare ACK of stream offset `at`. */
static void assert_ack(uint32_t at)
{
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.flags, PEER_ACK);
    assert_int_equal(peer.got.len, 0);
    assert_int_equal(peer.got.ack, PEER_ISS + 1 + at);
}

/* ---- acknowledgements ---- */

static void text__is_told_and_read(void **state)
{
    (void)state;
    text_at(0, 100, PEER_PSH);
    assert_true(peer.changes & TCP_CHANGE_READABLE);
    assert_int_equal(tcp_recv_ready(peer.conn), 100);
    assert_int_equal(peer_app_recv(&peer, 40), 40);
    assert_int_equal(peer_app_recv(&peer, 1000), 60);
}

static void ack__of_a_small_request_rides_on_the_answer(void **state)
{
    (void)state;
    text_at(0, 100, PEER_PSH);
    PEER_QUIET(&peer);
    peer.nxt += 100;
    peer_app_send(&peer, 50);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.len, 50);
    assert_int_equal(peer.got.ack, peer.nxt);
    peer_wait(&peer, 100 * MS);
    PEER_QUIET(&peer);
}

static void ack__is_late_by_40_ms_at_most(void **state)
{
    (void)state;
    text_at(0, 100, PEER_PSH);
    peer_wait(&peer, 39 * MS);
    PEER_QUIET(&peer);
    peer_wait(&peer, 1 * MS);
    assert_ack(100);
}

/* Who waits for the rest of a request need not wait 40 ms. */
static void ack__goes_at_once_when_the_application_waits_for_more(void **state)
{
    (void)state;
    text_at(0, 100, PEER_PSH);
    PEER_QUIET(&peer);
    peer_app_recv(&peer, 1000);
    assert_ack(100);
}

static void ack__of_every_second_full_segment_goes_at_once(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 40; i++)
        text_at(i * 1000, 1000, 0);
    peer_take_all(&peer);
    text_at(40000, 1000, 0);
    PEER_QUIET(&peer);
    text_at(41000, 1000, 0);
    assert_ack(42000);
}

static void ack__of_full_segments_is_quick_at_the_start(void **state)
{
    (void)state;
    text_at(0, 1000, 0);
    assert_ack(1000);
    text_at(1000, 1000, 0);
    assert_ack(2000);
}

static void ack__of_a_batch_is_one(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 10; i++)
        peer_input(&peer, (struct peer_seg){.seq = PEER_ISS + 1 + i * 1000,
                                            .ack = peer.rcv,
                                            .flags = PEER_ACK,
                                            .len = 1000});
    peer_settle(&peer);
    assert_ack(10000);
    PEER_QUIET(&peer);
}

/* ---- order ---- */

static void order__a_hole_is_told_by_duplicates_and_filled(void **state)
{
    (void)state;
    text_at(100, 50, 0);
    assert_ack(0);
    text_at(200, 50, 0);
    assert_ack(0);
    text_at(150, 50, 0);
    assert_ack(0);
    text_at(0, 100, 0);
    assert_ack(250);
    assert_int_equal(peer_app_recv(&peer, 1000), 250);
}

static void order__each_early_segment_has_its_duplicate(void **state)
{
    (void)state;
    for (uint32_t i = 1; i < 5; i++)
        peer_input(&peer, (struct peer_seg){.seq = PEER_ISS + 1 + i * 100,
                                            .ack = peer.rcv,
                                            .flags = PEER_ACK,
                                            .len = 100});
    peer_settle(&peer);
    assert_int_equal(peer_take_all(&peer), 4);
}

/* S3: PEER_ISS is 32 before the wrap. */
static void S3__the_queue_crosses_the_wrap(void **state)
{
    (void)state;
    text_at(20, 10, 0);
    text_at(40, 30, 0);
    text_at(10, 60, 0);
    peer_take_all(&peer);
    text_at(0, 11, 0);
    assert_ack(70);
    assert_int_equal(peer_app_recv(&peer, 1000), 70);
}

static void S17__of_two_versions_the_first_counts(void **state)
{
    static const uint8_t other[40] = {0};

    (void)state;
    text_at(10, 20, 0);
    peer_send(&peer, (struct peer_seg){.seq = PEER_ISS + 1 + 5,
                                       .ack = peer.rcv,
                                       .flags = PEER_ACK,
                                       .text = other,
                                       .len = 5});
    peer_send(&peer, (struct peer_seg){.seq = PEER_ISS + 1 + 10,
                                       .ack = peer.rcv,
                                       .flags = PEER_ACK,
                                       .text = other,
                                       .len = 20});
    text_at(0, 5, 0);
    {
        uint8_t got[64];

        assert_int_equal(tcp_peek(peer.conn, got, 64), 30);
        for (uint32_t i = 0; i < 30; i++)
            assert_int_equal(got[i], i >= 5 && i < 10 ? 0 : peer_byte(i));
    }
}

static void S18_S43__overlaps_are_trimmed(void **state)
{
    (void)state;
    text_at(0, 100, 0);
    text_at(50, 100, 0);
    text_at(0, 120, 0);
    assert_int_equal(tcp_recv_ready(peer.conn), 150);
    assert_int_equal(peer_app_recv(&peer, 1000), 150);
}

/* Part of it comes again: its sender waits for an acknowledgement. */
static void text__that_is_old_in_part_is_acknowledged_at_once(void **state)
{
    (void)state;
    text_at(0, 100, 0);
    peer_wait(&peer, 1000000); /* the delayed one has gone */
    peer_take_all(&peer);
    text_at(50, 100, 0);
    assert_ack(150);
}

static void S18__text_past_the_window_is_cut_off(void **state)
{
    (void)state;
    restart(1500, false);
    text_at(0, 1000, 0);
    peer_take_all(&peer);
    text_at(900, 1000, PEER_FIN);
    assert_ack(1500);
    assert_int_equal(peer.got.window, 0);
    assert_true(peer_state_is(&peer, "ESTABLISHED"));
    assert_int_equal(peer_app_recv(&peer, 5000), 1500);
}

/* CVE-2018-5390. */
static void S19__many_tiny_pieces_are_bounded(void **state)
{
    struct net_memory memory;

    (void)state;
    for (uint32_t i = 1; i < 20000; i += 2) {
        peer_input(&peer, (struct peer_seg){.seq = PEER_ISS + 1 + i,
                                            .ack = peer.rcv,
                                            .flags = PEER_ACK,
                                            .len = 1});
        if (i % 500 == 1)
            peer_settle(&peer), peer_take_all(&peer);
    }
    net_memory_get(peer.net, &memory);
    assert_true(memory.pages < 160); /* twice the buffer, and a little */
    assert_true(PEER_COUNT(&peer, tcp_ooo_full) > 9000);
    text_at(0, 1, 0);
    assert_int_equal(tcp_recv_ready(peer.conn), 2);
}

/* Each byte lies before the last one, so none shares a chunk. */
static void S19__tiny_pieces_backwards_are_bounded(void **state)
{
    struct net_memory memory;

    (void)state;
    for (uint32_t i = 10000; i > 0; i--) {
        peer_input(&peer, (struct peer_seg){.seq = PEER_ISS + 1 + i,
                                            .ack = peer.rcv,
                                            .flags = PEER_ACK,
                                            .len = 1});
        if (i % 500 == 1)
            peer_settle(&peer), peer_take_all(&peer);
    }
    net_memory_get(peer.net, &memory);
    assert_true(memory.pages < 200);
    assert_true(PEER_COUNT(&peer, tcp_ooo_full) > 9000);
    for (uint32_t at = 0, got = 0; at < 10001; at = got) {
        text_at(at, 1000, 0);
        got += peer_app_recv(&peer, 100000);
        assert_true(got > at);
    }
}

static void small_segments__share_a_chunk(void **state)
{
    struct net_memory before, after;

    (void)state;
    net_memory_get(peer.net, &before);
    for (uint32_t i = 0; i < 1500; i++)
        text_at(i, 1, 0);
    peer_take_all(&peer);
    net_memory_get(peer.net, &after);
    assert_true(after.buffers <= before.buffers + 2);
    assert_int_equal(peer_app_recv(&peer, 2000), 1500);
}

static void order__an_early_segment_again_holds_no_more(void **state)
{
    struct net_memory once, often;

    (void)state;
    text_at(100, 1400, 0);
    peer_take_all(&peer);
    net_memory_get(peer.net, &once);
    for (unsigned i = 0; i < 100; i++)
        text_at(100, 1400, 0);
    peer_take_all(&peer);
    net_memory_get(peer.net, &often);
    assert_int_equal(once.buffers, often.buffers);
}

static void order__backwards_fills_one_hole(void **state)
{
    (void)state;
    for (uint32_t i = 199; i > 0; i--)
        text_at(i * 10, 10, 0);
    peer_take_all(&peer);
    text_at(0, 10, 0);
    assert_ack(2000);
    assert_int_equal(peer_app_recv(&peer, 5000), 2000);
}

/* ---- window ---- */

/* SHLD-14. */
static void window__closes_and_reopens_when_the_application_reads(void **state)
{
    (void)state;
    restart(4000, false);
    for (uint32_t at = 0; at < 4000; at += 1000)
        text_at(at, 1000, 0);
    for (unsigned i = 0; i < 4; i++)
        assert_ack(1000 * (i + 1));
    assert_int_equal(peer.got.window, 0);
    peer_app_recv(&peer, 100); /* too little to tell: MUST-39 */
    PEER_QUIET(&peer);
    text_at(4000, 1, 0); /* nor is it told when something else is said */
    assert_ack(4000);
    assert_int_equal(peer.got.window, 0);
    peer_app_recv(&peer, 1900);
    assert_ack(4000);
    assert_int_equal(peer.got.window, 2000);
}

static void S4__a_probe_of_a_closed_window_is_answered(void **state)
{
    (void)state;
    restart(1000, false);
    text_at(0, 1000, 0);
    assert_ack(1000);
    text_at(1000, 1, 0);
    assert_ack(1000);
    assert_int_equal(peer.got.window, 0);
    assert_int_equal(tcp_recv_ready(peer.conn), 1000);
}

/* MUST-66. */
static void S4__a_closed_window_takes_ack_and_rst(void **state)
{
    (void)state;
    restart(1000, false);
    peer_app_send(&peer, 10);
    peer_take_all(&peer);
    text_at(0, 1000, 0);
    peer_take_all(&peer);
    peer_send(&peer, (struct peer_seg){.seq = PEER_ISS + 1001,
                                       .ack = PEER_STACK_ISS + 11,
                                       .flags = PEER_ACK,
                                       .len = 1});
    assert_int_equal(tcp_send_pending(peer.conn), 0);
    peer_send(&peer,
              (struct peer_seg){.seq = PEER_ISS + 1001, .flags = PEER_RST});
    assert_int_equal(tcp_end_reason(peer.conn), TCP_END_RESET);
}

static void window__exactly_65535_is_possible(void **state)
{
    (void)state;
    restart(65535, false);
    text_at(0, 1, 0);
    assert_ack(1);
    assert_int_equal(peer.got.window, 65535 - 1);
}

/* ---- what is not acceptable ---- */

static void S2__text_outside_the_window_is_answered_and_not_taken(void **state)
{
    uint32_t wnd;

    (void)state;
    wnd = peer_info(&peer).rcv_wnd_bytes;
    text_at(wnd, 1, 0);
    assert_ack(0);
    text_at(1u << 31, 1, 0);
    assert_ack(0);
    text_at((uint32_t)-1, 1, 0);
    assert_ack(0);
    text_at(wnd - 1, 1, 0);
    assert_ack(0);
    assert_int_equal(tcp_recv_ready(peer.conn), 0);
    assert_int_equal(PEER_COUNT(&peer, tcp_out_of_order), 1);
}

static void S7__rst_exact_inside_and_outside(void **state)
{
    (void)state;
    peer_send(&peer, (struct peer_seg){
                         .seq = peer.nxt - 1, .flags = PEER_RST, .len = 5});
    PEER_QUIET(&peer);
    peer_send(&peer,
              (struct peer_seg){.seq = peer.nxt + 10, .flags = PEER_RST});
    assert_ack(0);
    assert_true(peer_state_is(&peer, "ESTABLISHED"));
    peer_send(&peer, (struct peer_seg){.seq = peer.nxt, .flags = PEER_RST});
    assert_int_equal(tcp_end_reason(peer.conn), TCP_END_RESET);
    assert_true(peer.changes & TCP_CHANGE_READABLE);
}

static void S7__text_before_a_rst_is_read_first(void **state)
{
    struct buffer *chain;

    (void)state;
    peer_text(&peer, 30, 0);
    peer_send(&peer, (struct peer_seg){.seq = peer.nxt, .flags = PEER_RST});
    assert_int_equal(peer_app_recv(&peer, 100), 30);
    assert_int_equal(tcp_recv(peer.conn, 100, host_now_us, &chain), TCP_ENDED);
    assert_int_equal(tcp_recv(peer.conn, 100, host_now_us, &chain), TCP_ENDED);
}

static void S10__syn_in_the_window_is_challenged(void **state)
{
    (void)state;
    peer_send(&peer, (struct peer_seg){.seq = peer.nxt + 7, .flags = PEER_SYN});
    assert_ack(0);
    assert_true(peer_state_is(&peer, "ESTABLISHED"));
}

/* Per connection and second: no count that another could watch (S44). */
static void challenges__are_limited_for_each_connection(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 100; i++)
        peer_send(&peer,
                  (struct peer_seg){.seq = peer.nxt + 7, .flags = PEER_SYN});
    assert_in_range(peer_take_all(&peer), 5, 15); /* about ten */
    host_now_us += 1000 * MS;
    peer_send(&peer, (struct peer_seg){.seq = peer.nxt + 7, .flags = PEER_SYN});
    assert_int_equal(peer_take_all(&peer), 1);
}

static void S5_S6__acks_of_nothing_are_challenged(void **state)
{
    (void)state;
    peer_app_send(&peer, 10);
    peer_take_all(&peer);
    peer_ack(&peer, PEER_STACK_ISS + 12);
    assert_true(peer_take(&peer));
    peer_ack(&peer, PEER_STACK_ISS + 1 - 60001);
    assert_true(peer_take(&peer));
    peer_ack(&peer, PEER_STACK_ISS + 1 - 60000);
    PEER_QUIET(&peer);
    assert_int_equal(peer_info(&peer).in_flight_bytes, 10);
}

/* ---- memory ---- */

static void S39__text_without_memory_is_dropped_and_comes_again(void **state)
{
    (void)state;
    peer_end(&peer);
    peer_prepare(&peer);
    peer.config.flow_pages_max = 4;
    peer.config.tcp.delayed_ack_us = 0;
    peer_start(&peer);
    peer_open_passive(&peer);
    for (uint32_t at = 0; at < 50000; at += 1400)
        text_at(at, 1400, 0);
    peer_take_all(&peer);
    assert_true(PEER_COUNT(&peer, tcp_rcv_memory) > 0);
    for (uint32_t at = 0, got = 0; at < 50000; at = got) {
        text_at(at, 1400, 0);
        while (tcp_recv_ready(peer.conn))
            got += peer_app_recv(&peer, 100000);
        assert_true(got > at);
    }
}

/* Nor does its end keep from a reader that there is memory again, however
 * often he asked meanwhile. */
static void
S39__a_late_reader_without_memory_is_told_when_there_is(void **state)
{
    struct buffer *chain;

    (void)state;
    text_at(0, 1000, 0);
    tcp_abort(peer.conn, host_now_us);
    peer.host.fail_at = peer.host.asked + 1;
    peer.host.fail_after = true;
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(tcp_recv(peer.conn, 10, host_now_us, &chain),
                         TCP_AGAIN);
        peer_wait(&peer, 1000);
    }
    peer.host.fail_at = 0;
    peer.changes = 0;
    peer_wait(&peer, 20000);
    assert_true(peer.changes & TCP_CHANGE_READABLE);
    assert_int_equal(peer_app_recv(&peer, 10), 10);
}

#define TEST(name) PEER_TEST(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(text__is_told_and_read),
        TEST(ack__of_a_small_request_rides_on_the_answer),
        TEST(ack__is_late_by_40_ms_at_most),
        TEST(ack__goes_at_once_when_the_application_waits_for_more),
        TEST(ack__of_every_second_full_segment_goes_at_once),
        TEST(ack__of_full_segments_is_quick_at_the_start),
        TEST(ack__of_a_batch_is_one),
        TEST(order__a_hole_is_told_by_duplicates_and_filled),
        TEST(order__each_early_segment_has_its_duplicate),
        TEST(S3__the_queue_crosses_the_wrap),
        TEST(S17__of_two_versions_the_first_counts),
        TEST(S18_S43__overlaps_are_trimmed),
        TEST(text__that_is_old_in_part_is_acknowledged_at_once),
        TEST(S18__text_past_the_window_is_cut_off),
        TEST(S19__many_tiny_pieces_are_bounded),
        TEST(S19__tiny_pieces_backwards_are_bounded),
        TEST(small_segments__share_a_chunk),
        TEST(order__an_early_segment_again_holds_no_more),
        TEST(order__backwards_fills_one_hole),
        TEST(window__closes_and_reopens_when_the_application_reads),
        TEST(S4__a_probe_of_a_closed_window_is_answered),
        TEST(S4__a_closed_window_takes_ack_and_rst),
        TEST(window__exactly_65535_is_possible),
        TEST(S2__text_outside_the_window_is_answered_and_not_taken),
        TEST(S7__rst_exact_inside_and_outside),
        TEST(S7__text_before_a_rst_is_read_first),
        TEST(S10__syn_in_the_window_is_challenged),
        TEST(challenges__are_limited_for_each_connection),
        TEST(S5_S6__acks_of_nothing_are_challenged),
        TEST(S39__text_without_memory_is_dropped_and_comes_again),
        TEST(S39__a_late_reader_without_memory_is_told_when_there_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
