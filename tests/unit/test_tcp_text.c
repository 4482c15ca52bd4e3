/*
 * Text that arrives: order, window, acknowledgements, memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/host/host.h"
#include "tests/host/tcp_receiver.h"
#include "tests/host/tcp_scene.h"

#define MS 1000ull

static int setup(void **state)
{
    (void)state;
    receiver_open(&peer, 256 * 1024, true);
    return 0;
}

/* ---- acknowledgements ---- */

static void text__is_told_and_read(void **state)
{
    (void)state;
    receiver_text(&peer, 0, 100, PEER_PSH);
    assert_true(peer.changes & TCP_CHANGE_READABLE);
    assert_int_equal(tcp_recv_ready(peer.conn), 100);
    assert_int_equal(peer_app_recv(&peer, 40), 40);
    assert_int_equal(peer_app_recv(&peer, 1000), 60);
}

static void ack__of_a_small_request_rides_on_the_answer(void **state)
{
    (void)state;
    receiver_text(&peer, 0, 100, PEER_PSH);
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
    receiver_text(&peer, 0, 100, PEER_PSH);
    peer_wait(&peer, 39 * MS);
    PEER_QUIET(&peer);
    peer_wait(&peer, 1 * MS);
    receiver_expect_ack(&peer, 100);
}

/* Who waits for the rest of a request need not wait 40 ms. */
static void ack__goes_at_once_when_the_application_waits_for_more(void **state)
{
    (void)state;
    receiver_text(&peer, 0, 100, PEER_PSH);
    PEER_QUIET(&peer);
    peer_app_recv(&peer, 1000);
    receiver_expect_ack(&peer, 100);
}

static void ack__of_every_second_full_segment_goes_at_once(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 40; i++)
        receiver_text(&peer, i * 1000, 1000, 0);
    peer_take_all(&peer);
    receiver_text(&peer, 40000, 1000, 0);
    PEER_QUIET(&peer);
    receiver_text(&peer, 41000, 1000, 0);
    receiver_expect_ack(&peer, 42000);
}

static void ack__of_full_segments_is_quick_at_the_start(void **state)
{
    (void)state;
    receiver_text(&peer, 0, 1000, 0);
    receiver_expect_ack(&peer, 1000);
    receiver_text(&peer, 1000, 1000, 0);
    receiver_expect_ack(&peer, 2000);
}

static void ack__of_a_batch_is_one(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 10; i++)
        receiver_input(&peer, i * 1000, 1000);
    peer_settle(&peer);
    receiver_expect_ack(&peer, 10000);
    PEER_QUIET(&peer);
}

/* ---- window ---- */

/* SHLD-14. */
static void window__closes_and_reopens_when_the_application_reads(void **state)
{
    (void)state;
    peer_end(&peer);
    receiver_open(&peer, 4000, false);
    for (uint32_t at = 0; at < 4000; at += 1000)
        receiver_text(&peer, at, 1000, 0);
    for (unsigned i = 0; i < 4; i++)
        receiver_expect_ack(&peer, 1000 * (i + 1));
    assert_int_equal(peer.got.window, 0);
    peer_app_recv(&peer, 100); /* too little to tell: MUST-39 */
    PEER_QUIET(&peer);
    receiver_text(&peer, 4000, 1,
                  0); /* nor is it told when something else is said */
    receiver_expect_ack(&peer, 4000);
    assert_int_equal(peer.got.window, 0);
    peer_app_recv(&peer, 1900);
    receiver_expect_ack(&peer, 4000);
    assert_int_equal(peer.got.window, 2000);
}

static void S4__a_probe_of_a_closed_window_is_answered(void **state)
{
    (void)state;
    peer_end(&peer);
    receiver_open(&peer, 1000, false);
    receiver_text(&peer, 0, 1000, 0);
    receiver_expect_ack(&peer, 1000);
    receiver_text(&peer, 1000, 1, 0);
    receiver_expect_ack(&peer, 1000);
    assert_int_equal(peer.got.window, 0);
    assert_int_equal(tcp_recv_ready(peer.conn), 1000);
}

/* MUST-66. */
static void S4__a_closed_window_takes_ack_and_rst(void **state)
{
    (void)state;
    peer_end(&peer);
    receiver_open(&peer, 1000, false);
    peer_app_send(&peer, 10);
    peer_take_all(&peer);
    receiver_text(&peer, 0, 1000, 0);
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
    peer_end(&peer);
    receiver_open(&peer, 65535, false);
    receiver_text(&peer, 0, 1, 0);
    receiver_expect_ack(&peer, 1);
    assert_int_equal(peer.got.window, 65535 - 1);
}

/* ---- what is not acceptable ---- */

static void S2__text_outside_the_window_is_answered_and_not_taken(void **state)
{
    uint32_t wnd;

    (void)state;
    wnd = peer_info(&peer).rcv_wnd_bytes;
    receiver_text(&peer, wnd, 1, 0);
    receiver_expect_ack(&peer, 0);
    receiver_text(&peer, 1u << 31, 1, 0);
    receiver_expect_ack(&peer, 0);
    receiver_text(&peer, (uint32_t)-1, 1, 0);
    receiver_expect_ack(&peer, 0);
    receiver_text(&peer, wnd - 1, 1, 0);
    receiver_expect_ack(&peer, 0);
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
    receiver_expect_ack(&peer, 0);
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
    receiver_expect_ack(&peer, 0);
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
        receiver_text(&peer, at, 1400, 0);
    peer_take_all(&peer);
    assert_true(PEER_COUNT(&peer, tcp_rcv_memory) > 0);
    for (uint32_t at = 0, got = 0; at < 50000; at = got) {
        receiver_text(&peer, at, 1400, 0);
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
    receiver_text(&peer, 0, 1000, 0);
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
