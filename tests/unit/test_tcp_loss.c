/*
 * What is sent again: after a time-out, after duplicates, and with which window
 * (RFC 6298, RFC 5681, RFC 6582).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/tcp_conn.h"
#include "tests/host/host.h"
#include "tests/host/tcp_scene.h"
#include "tests/host/tcp_sender.h"

#define MS     1000ull
#define SECOND 1000000ull
#define ISS    PEER_STACK_ISS

/* The least above a round trip that took no time. */
#define RTO_US (200 * MS + 1)

/* ---- retransmission ---- */

static void rto__doubles_and_gives_up_at_r2(void **state)
{
    uint64_t last_us = host_now_us, gap_us = 0;
    unsigned count = 0;

    (void)state;
    peer_app_send(&peer, 100);
    sender_expect(&peer, 0, 100);
    while (tcp_end_reason(peer.conn) == TCP_END_NONE && count < 100) {
        peer_wait(&peer, 10 * MS);
        if (!peer_take(&peer))
            continue;
        assert_int_equal(peer.got.seq, ISS + 1);
        assert_int_equal(peer.got.len, 100);
        if (gap_us && gap_us < 30 * SECOND)
            assert_in_range(host_now_us - last_us, 2 * gap_us - 20 * MS,
                            2 * gap_us + 20 * MS);
        gap_us = host_now_us - last_us;
        last_us = host_now_us;
        count++;
    }
    assert_int_equal(tcp_end_reason(peer.conn), TCP_END_TIMEOUT);
    assert_in_range(count, 15, 25);
    assert_true(peer.changes & TCP_CHANGE_READABLE);
    assert_true(peer.changes & TCP_CHANGE_WRITABLE);
    assert_true(peer.changes & TCP_CHANGE_CLOSED);
}

/* RFC 6298 2.3 with 200 ms for what 2.4 says of the least: more than the
 * average by so much, or a steady long path has no time left for an
 * acknowledgement that is delayed. */
static void rto__is_the_round_trip_and_200_ms_at_least(void **state)
{
    (void)state;
    assert_int_equal(peer_info(&peer).rto_us, RTO_US);
    for (unsigned i = 0; i < 30; i++) {
        peer_app_send(&peer, 100);
        peer_wait(&peer, 150 * MS);
        sender_ack_window(&peer, 100 * (i + 1), 60000);
    }
    assert_in_range(peer_info(&peer).srtt_us, 140 * MS, 155 * MS);
    assert_in_range(peer_info(&peer).rto_us, 340 * MS, 355 * MS);
}

static void karn__a_retransmission_is_not_measured(void **state)
{
    uint64_t srtt_us = peer_info(&peer).srtt_us;

    (void)state;
    peer_app_send(&peer, 100);
    peer_wait(&peer, 300 * MS);
    assert_int_equal(peer_take_all(&peer), 2);
    sender_ack_window(&peer, 100, 60000);
    assert_int_equal(peer_info(&peer).srtt_us, srtt_us);
}

/* A late read that finds no memory asks to be told when there may be some;
 * the timer for that must not wake the dead connection's others. */
static void ended__says_nothing_when_a_late_read_lacks_memory(void **state)
{
    struct buffer *chain;

    (void)state;
    sender_send(&peer, 100);
    peer_text(&peer, 1400, PEER_ACK);
    peer_take_all(&peer);
    peer_send(&peer, (struct peer_seg){.seq = peer.nxt, .flags = PEER_RST});
    assert_int_equal(tcp_end_reason(peer.conn), TCP_END_RESET);
    peer_wait(&peer, SECOND);
    peer.host.fail_at = 1;
    peer.host.fail_after = true;
    assert_int_equal(tcp_recv(peer.conn, 65, host_now_us, &chain), TCP_AGAIN);
    peer.host.fail_at = 0;
    peer_wait(&peer, SECOND);
    PEER_QUIET(&peer);
    assert_true(peer.changes & TCP_CHANGE_READABLE);
}

/* What is held back against a silly window has a timer of its own; the text
 * that a larger window lets go begins a new one. */
static void rto__begins_when_text_leaves_that_waited_for_a_window(void **state)
{
    (void)state;
    sender_ack_window(&peer, 0, 300);
    peer_app_send(&peer, 2000); /* 300 of it are not worth a segment */
    PEER_QUIET(&peer);
    peer_wait(&peer, 150 * MS);
    sender_ack_window(&peer, 0, 60000);
    assert_int_equal(peer_take_all(&peer), 2);
    peer_wait(&peer, 190 * MS);
    PEER_QUIET(&peer);
    peer_wait(&peer, 10 * MS + 1);
    assert_true(peer_take(&peer));
}

static void rto__sends_all_that_was_in_flight_again(void **state)
{
    (void)state;
    sender_send(&peer, 5000);
    peer_wait(&peer, RTO_US);
    sender_expect(&peer, 0, 1000);
    PEER_QUIET(&peer);
    assert_int_equal(peer_info(&peer).cwnd_bytes, 1000);
    sender_ack_window(&peer, 1000, 60000);
    sender_expect(&peer, 1000, 1000);
    sender_expect(&peer, 2000, 1000);
    PEER_QUIET(&peer);
    sender_ack_window(&peer, 5000, 60000);
    PEER_QUIET(&peer);
    assert_int_equal(peer_info(&peer).in_flight_bytes, 0);
}

/* However little was in flight: from now on the window is the limit. */
static void rto__is_followed_by_slow_start(void **state)
{
    (void)state;
    sender_send(&peer, 4000);
    peer_wait(&peer, RTO_US);
    sender_expect(&peer, 0, 1000);
    sender_ack_window(&peer, 1000, 60000);
    sender_expect(&peer, 1000, 1000);
    sender_expect(&peer, 2000, 1000);
    PEER_QUIET(&peer);
}

/* ---- loss ---- */

static void karn__nor_after_a_fast_retransmission(void **state)
{
    uint64_t srtt_us = peer_info(&peer).srtt_us;

    (void)state;
    peer_app_send(&peer, 8000);
    peer_take_all(&peer);
    for (unsigned i = 0; i < 3; i++)
        sender_ack_window(&peer, 0, 60000);
    peer_wait(&peer, 50 * MS);
    sender_ack_window(&peer, 1000, 60000);
    assert_int_equal(peer_info(&peer).srtt_us, srtt_us);
}

static void three_duplicates__bring_the_first_segment_again(void **state)
{
    (void)state;
    sender_send(&peer, 8000);
    sender_ack_window(&peer, 0, 60000);
    sender_ack_window(&peer, 0, 60000);
    PEER_QUIET(&peer);
    sender_ack_window(&peer, 0, 60000);
    sender_expect(&peer, 0, 1000);
    assert_int_equal(peer_info(&peer).ssthresh_bytes, 4000);
    sender_ack_window(&peer, 8000, 60000);
    assert_true(peer_info(&peer).cwnd_bytes <= 4000);
}

/* What was last recovered from lies 2 GiB back, in a stream that never ran
 * dry: it must not look as if it lay ahead. */
static void three_duplicates__count_after_gigabytes_without_a_loss(void **state)
{
    struct tcp_active *active;

    (void)state;
    peer_app_send(&peer, 8000);
    peer_take_all(&peer);
    active = peer.conn->active;
    active->recover = peer.conn->snd.una - 0x80000000u + 1500;
    sender_ack_window(&peer, 1000, 60000);
    sender_ack_window(&peer, 2000, 60000);
    peer_take_all(&peer);
    for (unsigned i = 0; i < 3; i++)
        sender_ack_window(&peer, 2000, 60000);
    sender_expect(&peer, 2000, 1000);
}

/* RFC 6582: a hole after a hole. */
static void partial_ack__brings_the_next_hole(void **state)
{
    (void)state;
    peer_app_send(&peer, 8000);
    peer_take_all(&peer);
    for (unsigned i = 0; i < 3; i++)
        sender_ack_window(&peer, 0, 60000);
    sender_expect(&peer, 0, 1000);
    sender_ack_window(&peer, 3000, 60000);
    sender_expect(&peer, 3000, 1000);
    sender_ack_window(&peer, 8000, 60000);
    PEER_QUIET(&peer);
}

static void ack_in_a_segment__then_the_right_bytes_come_again(void **state)
{
    (void)state;
    peer_app_send(&peer, 8000);
    peer_take_all(&peer);
    sender_ack_window(&peer, 1234, 60000);
    for (unsigned i = 0; i < 3; i++)
        sender_ack_window(&peer, 1234, 60000);
    sender_expect(&peer, 1234, 1000);
}

/* S25. */
static void duplicates__with_text_or_another_window_do_not_count(void **state)
{
    (void)state;
    peer_app_send(&peer, 8000);
    peer_take_all(&peer);
    for (uint32_t i = 0; i < 6; i++)
        peer_text(&peer, 10, 0);
    for (uint16_t i = 0; i < 6; i++)
        sender_ack_window(&peer, 0, (uint16_t)(50000 + i));
    while (peer_take(&peer))
        assert_int_equal(peer.got.len, 0);
    assert_int_equal(peer_info(&peer).retransmissions, 0);
}

static void S26__forged_duplicates_inflate_little(void **state)
{
    (void)state;
    peer_app_send(&peer, 100000);
    peer_take_all(&peer);
    for (unsigned i = 0; i < 1000; i++)
        sender_ack_window(&peer, 0, 60000);
    assert_true(peer_info(&peer).cwnd_bytes <= 19000);
    assert_true(peer_info(&peer).in_flight_bytes <= 19000);
}

static void S27__splitting_an_ack_gains_nothing(void **state)
{
    (void)state;
    peer_app_send(&peer, 200000);
    peer_take_all(&peer);
    for (uint32_t i = 1; i <= 1000; i++)
        sender_ack_window(&peer, i, 60000);
    assert_true(peer_info(&peer).cwnd_bytes <= 11000);
}

static void slow_start__begins_with_ten_segments(void **state)
{
    (void)state;
    peer_app_send(&peer, 200000);
    assert_int_equal(peer_take_all(&peer), 10);
    sender_ack_window(&peer, 2000, 60000);
    assert_int_equal(peer_take_all(&peer), 4);
}

#define TEST(name) PEER_TEST(name, peer_opened_newreno)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rto__doubles_and_gives_up_at_r2),
        TEST(rto__is_the_round_trip_and_200_ms_at_least),
        TEST(karn__a_retransmission_is_not_measured),
        TEST(ended__says_nothing_when_a_late_read_lacks_memory),
        TEST(rto__begins_when_text_leaves_that_waited_for_a_window),
        TEST(rto__sends_all_that_was_in_flight_again),
        TEST(rto__is_followed_by_slow_start),
        TEST(karn__nor_after_a_fast_retransmission),
        TEST(three_duplicates__bring_the_first_segment_again),
        TEST(three_duplicates__count_after_gigabytes_without_a_loss),
        TEST(partial_ack__brings_the_next_hole),
        TEST(ack_in_a_segment__then_the_right_bytes_come_again),
        TEST(duplicates__with_text_or_another_window_do_not_count),
        TEST(S26__forged_duplicates_inflate_little),
        TEST(S27__splitting_an_ack_gains_nothing),
        TEST(slow_start__begins_with_ten_segments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
