/*
 * RFC 7323: which timestamp is echoed, and which segments are too old.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/host/host.h"
#include "tests/host/tcp_scene.h"

#define MS     1000ull
#define SECOND 1000000ull
#define DAY    (24 * 3600 * SECOND)

/* The peer's clock stands beside its wrap. */
#define TS 0xfffffffeu

static int setup(void **state)
{
    (void)state;
    peer_prepare(&peer);
    peer.timestamps = true;
    peer.ts = TS;
    peer_start(&peer);
    peer_open_passive(&peer);
    return 0;
}

static void text_at(uint32_t seq, uint32_t len, uint32_t ts_val)
{
    peer_send(&peer, (struct peer_seg){.seq = seq,
                                       .ack = peer.rcv,
                                       .flags = PEER_ACK,
                                       .len = len,
                                       .ts_val = ts_val});
}

static void assert_echo(uint32_t ts_val)
{
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.ts_ecr, ts_val);
}

/* 5.3 R1. */
static void paws__an_older_timestamp_is_acknowledged_and_dropped(void **state)
{
    (void)state;
    text_at(peer.nxt, 10, TS - 1);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.ack, peer.nxt);
    assert_int_equal(tcp_recv_ready(peer.conn), 0);
    assert_int_equal(PEER_COUNT(&peer, tcp_paws), 1);
    text_at(peer.nxt, 10, TS);
    assert_int_equal(tcp_recv_ready(peer.conn), 10);
}

/* 5.2: timestamps are compared modulo 2^32. */
static void paws__a_clock_that_goes_round_is_newer(void **state)
{
    (void)state;
    peer.ts = 1;
    peer_text(&peer, 10, 0);
    assert_int_equal(tcp_recv_ready(peer.conn), 10);
    text_at(peer.nxt, 10, 0xffffffff);
    assert_int_equal(tcp_recv_ready(peer.conn), 10);
}

/* 5.2: "It is recommended that RST segments NOT be tested". */
static void paws__does_not_look_at_a_rst(void **state)
{
    (void)state;
    peer_send(&peer, (struct peer_seg){
                         .seq = peer.nxt, .flags = PEER_RST, .ts_val = TS - 1});
    assert_int_equal(tcp_end_reason(peer.conn), TCP_END_RESET);
}

static void paws__a_rst_needs_no_timestamp(void **state)
{
    (void)state;
    peer_send(&peer, (struct peer_seg){
                         .seq = peer.nxt, .flags = PEER_RST, .bare = true});
    assert_int_equal(tcp_end_reason(peer.conn), TCP_END_RESET);
}

/* 3.2: silently, and the connection goes on. */
static void T24__a_segment_without_timestamp_is_dropped_silently(void **state)
{
    (void)state;
    peer_send(&peer, (struct peer_seg){.seq = peer.nxt,
                                       .ack = peer.rcv,
                                       .flags = PEER_ACK,
                                       .bare = true,
                                       .len = 10});
    peer_wait(&peer, SECOND);
    PEER_QUIET(&peer);
    assert_int_equal(PEER_COUNT(&peer, tcp_no_timestamp), 1);
    peer_text(&peer, 10, 0);
    assert_int_equal(tcp_recv_ready(peer.conn), 10);
}

/* 5.5: after 24 days the peer's clock may have gone half round. */
static void paws__is_off_after_24_days_of_silence(void **state)
{
    (void)state;
    peer_wait(&peer, 24 * DAY - SECOND);
    text_at(peer.nxt, 10, TS - 1);
    assert_int_equal(tcp_recv_ready(peer.conn), 0);
    peer_wait(&peer, 2 * SECOND);
    text_at(peer.nxt, 10, TS - 1);
    assert_int_equal(tcp_recv_ready(peer.conn), 10);
    peer.nxt += 10;
    peer_take_all(&peer);
    text_at(peer.nxt, 10, TS - 2); /* the new one counts from now on */
    assert_int_equal(tcp_recv_ready(peer.conn), 10);
}

/* A forged bare ACK per packet would make two ends talk for ever. */
static void paws__bare_acks_are_answered_so_often_only(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 100; i++)
        text_at(peer.nxt, 0, TS - 1);
    assert_true(peer_take_all(&peer) <= 10);
}

/* 4.3 (1): a delayed ACK echoes the earliest segment that it is for. */
static void echo__of_a_delayed_ack_is_the_first_segments(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        peer.ts = TS + 5 + i;
        peer_text(&peer, 10, 0);
    }
    PEER_QUIET(&peer);
    peer_wait(&peer, 40 * MS);
    assert_echo(TS + 5);
}

/* 4.3 (2): a segment behind a hole does not count. */
static void echo__is_not_moved_by_text_out_of_order(void **state)
{
    (void)state;
    text_at(peer.nxt + 10, 10, TS + 9);
    assert_echo(TS);
}

/* 4.3 (3): the segment that fills the hole does, whatever came meanwhile. */
static void echo__is_that_of_the_segment_that_fills_the_hole(void **state)
{
    (void)state;
    text_at(peer.nxt + 10, 10, TS + 9);
    assert_echo(TS);
    text_at(peer.nxt, 10, TS + 3);
    assert_echo(TS + 3);
}

/* One that is not acceptable tells nothing: 5.3 R2 comes before R3. */
static void echo__is_not_moved_by_what_lies_left_of_the_window(void **state)
{
    (void)state;
    text_at(peer.nxt - 10, 5, TS + 9);
    assert_echo(TS);
}

static void time_wait__answers_with_timestamps(void **state)
{
    (void)state;
    tcp_shutdown(peer.conn, host_now_us);
    peer_settle(&peer);
    assert_true(peer_take(&peer));
    peer_text(&peer, 0, PEER_FIN);
    assert_true(peer_take(&peer));
    assert_true(peer.got.has_timestamps);
    host_now_us += 500 * MS;
    peer.ts = TS + 500;
    peer_text(&peer, 0, PEER_FIN); /* again */
    assert_true(peer_take(&peer));
    assert_true(peer.got.has_timestamps);
    assert_int_equal(peer.got.ack, PEER_ISS + 2);
    assert_int_equal(PEER_COUNT(&peer, tcp_time_wait), 1);
}

#define TEST(name) PEER_TEST(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(paws__an_older_timestamp_is_acknowledged_and_dropped),
        TEST(paws__a_clock_that_goes_round_is_newer),
        TEST(paws__does_not_look_at_a_rst),
        TEST(paws__a_rst_needs_no_timestamp),
        TEST(T24__a_segment_without_timestamp_is_dropped_silently),
        TEST(paws__is_off_after_24_days_of_silence),
        TEST(paws__bare_acks_are_answered_so_often_only),
        TEST(echo__of_a_delayed_ack_is_the_first_segments),
        TEST(echo__is_not_moved_by_text_out_of_order),
        TEST(echo__is_that_of_the_segment_that_fills_the_hole),
        TEST(echo__is_not_moved_by_what_lies_left_of_the_window),
        TEST(time_wait__answers_with_timestamps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
