/*
 * RFC 8985 6: what is lost, by time; and blocks that lie.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/tcp_conn.h"
#include "tests/host/host.h"
#include "tests/host/tcp_scene.h"
#include "tests/host/tcp_sender.h"

#define MS  SENDER_MS
#define RTT SENDER_RTT

static int setup(void **state)
{
    (void)state;
    peer_prepare(&peer);
    sender_open(&peer, true, false);
    return 0;
}

/* ---- 6.2 ---- */

/* Step 4: a quarter of the shortest round trip, when few are out of order. */
static void rack__one_block_and_a_quarter_round_trip_tell_of_a_loss(void **s)
{
    (void)s;
    sender_fly(&peer, 3000);
    sender_sack(&peer, 0, 1000, 2000);
    PEER_QUIET(&peer);
    peer_wait(&peer, RTT / 4 - 1);
    PEER_QUIET(&peer);
    peer_wait(&peer, 1);
    sender_expect(&peer, 0, 1000);
    PEER_QUIET(&peer); /* what was sent behind the block is not lost */
}

/* Step 4: no window once three segments are out of order. */
static void rack__three_segments_out_of_order_tell_at_once(void **state)
{
    (void)state;
    sender_fly(&peer, 5000);
    sender_sack(&peer, 0, 1000, 4000);
    sender_expect(&peer, 0, 1000);
    PEER_QUIET(&peer);
}

/* Step 5: segments of one moment are told apart by their numbers. */
static void rack__what_lies_behind_the_last_block_is_not_lost(void **state)
{
    (void)state;
    sender_fly(&peer, 10000);
    sender_sack2(&peer, 0, 6000, 8000, 1000, 3000);
    sender_expect(&peer, 0, 1000);
    for (uint32_t at = 3000; at < 6000; at += 1000)
        sender_expect(&peer, at, 1000);
    PEER_QUIET(&peer);
    assert_int_equal(peer.conn->active->board.lost_bytes, 0);
}

/* Step 5: a retransmission is lost like anything else, without a time-out. */
static void rack__a_lost_retransmission_is_sent_again(void **state)
{
    (void)state;
    sender_fly(&peer, 10000);
    sender_sack(&peer, 0, 1000, 9000);
    sender_expect(&peer, 0, 1000);
    peer_app_send(&peer, 1000); /* new text, later than the retransmission */
    sender_expect(&peer, 10000, 1000);
    host_now_us += RTT;
    sender_sack2(&peer, 0, 10000, 11000, 1000, 9000);
    sender_expect(&peer, 0, 1000);
    assert_int_equal(PEER_COUNT(&peer, tcp_timeout), 0);
}

/* Steps 3 and 4: an original that comes late is reordering, and from then on
 * three segments out of order are no sign of loss before a window is over. */
static void rack__a_path_that_reorders_is_given_its_time(void **state)
{
    (void)state;
    sender_fly(&peer, 3000);
    sender_sack(&peer, 0, 1000, 2000);
    sender_ack(&peer, 2000);
    PEER_QUIET(&peer);
    sender_ack(&peer, 3000);
    sender_fly(&peer, 5000);
    sender_sack(&peer, 3000, 4000, 7000);
    PEER_QUIET(&peer);
    peer_wait(&peer, RTT / 4);
    sender_expect(&peer, 3000, 1000);
}

/* Step 4: a D-SACK says that the window was too short: one quarter more. */
static void rack__a_dsack_widens_the_window(void **state)
{
    (void)state;
    sender_fly(&peer, 10000);
    sender_sack(&peer, 0, 1000, 2000);
    peer_wait(&peer, RTT / 4);
    sender_expect(&peer, 0, 1000);
    sender_ack(&peer, 10000); /* the original had been late, ... */
    sender_fly(&peer, 5000);
    sender_sack(&peer, 11000, 0, 1000); /* ... so the other came twice */
    sender_sack(&peer, 11000, 12000, 13000);
    peer_wait(&peer, RTT / 2 - 1);
    PEER_QUIET(&peer);
    peer_wait(&peer, 1);
    sender_expect(&peer, 11000, 1000);
}

/* RFC 6675 4: five are lost, four have arrived, one flies on; RFC 9937: what
 * has arrived may be replaced. */
static void rack__what_is_lost_does_not_count_as_in_flight(void **state)
{
    (void)state;
    sender_fly(&peer, 10000);
    sender_sack(&peer, 0, 5000, 9000);
    assert_int_equal(peer_take_all(&peer), 4);
    assert_int_equal(tcp_pipe(peer.conn), 1000 + 4000);
}

/* ---- 6.3 ---- */

/* What left less than a round trip ago is not taken for lost. */
static void rto__spares_what_was_sent_just_now(void **state)
{
    (void)state;
    peer.conn->sack = false; /* no probe, which would put the time-out off */
    tcp_set_nodelay(peer.conn, true, host_now_us);
    peer_app_send(&peer, 1000);
    peer.conn->sack = true;
    peer_take_all(&peer);
    peer_wait(&peer, 290 * MS); /* RTO: 100 ms + 4 * 50 ms */
    peer_app_send(&peer, 1000);
    peer_take_all(&peer);
    peer.conn->active->probe_at_us = FOREVER;
    peer_wait(&peer, 10 * MS);
    sender_expect(&peer, 0, 1000);
    assert_int_equal(PEER_COUNT(&peer, tcp_timeout), 1);
    sender_ack(&peer, 1000);
    PEER_QUIET(&peer);
}

/* RFC 5681 3.1: the loss window is a segment. One that shares its packet with
 * SACK blocks of ours is shorter, and what is left of the window lets no other
 * go. */
static void rto__sends_one_segment_however_short_it_is(void **state)
{
    (void)state;
    peer_send(&peer, (struct peer_seg){.seq = peer.nxt + 100,
                                       .ack = peer.rcv,
                                       .flags = PEER_ACK,
                                       .len = 50});
    peer_take_all(&peer);
    peer_app_send(&peer, 4 * 988);
    assert_int_equal(peer_take_all(&peer), 4);
    peer.conn->active->probe_at_us = FOREVER;
    peer_wait(&peer, peer_info(&peer).rto_us);
    sender_expect(&peer, 0, 988);
    PEER_QUIET(&peer);
    assert_int_equal(PEER_COUNT(&peer, tcp_timeout), 1);
    assert_int_equal(peer_info(&peer).cwnd_bytes, 1000);
}

/* RFC 2018 8, RFC 6675 5.1: a peer that drops what it had. */
static void rto__believes_no_peer_that_has_reneged(void **state)
{
    (void)state;
    sender_fly(&peer, 4000);
    sender_sack(&peer, 0, 1000, 4000);
    sender_expect(&peer, 0, 1000);
    sender_ack(&peer, 1000); /* and no more: it has thrown them away */
    PEER_QUIET(&peer);
    peer_wait(&peer, 400 * MS);
    sender_expect(&peer, 1000, 1000);
    assert_int_equal(PEER_COUNT(&peer, tcp_reneged), 1);
    sender_ack(&peer, 2000);
    sender_expect(&peer, 2000, 1000);
    sender_expect(&peer, 3000, 1000);
}

static void rto__sends_nothing_again_that_the_peer_has(void **state)
{
    (void)state;
    sender_fly(&peer, 4000);
    sender_sack(&peer, 0, 1000, 4000);
    sender_expect(&peer, 0, 1000);
    peer_wait(&peer, 400 * MS);
    sender_expect(&peer, 0, 1000); /* lost, and nothing told of it */
    sender_ack(&peer, 4000);
    PEER_QUIET(&peer);
    assert_int_equal(peer_info(&peer).in_flight_bytes, 0);
}

/* ---- T25: blocks that lie ---- */

static void T25__blocks_that_cannot_be_are_ignored(void **state)
{
    static const uint32_t lies[][2] = {
        {1000, 1000},  {2000, 1000},      /* empty, backwards */
        {9000, 11000}, {10000, 11000},    /* never sent */
        {0, 2000},     {0x80000000, 2000} /* would be acknowledged; far */
    };

    (void)state;
    sender_fly(&peer, 10000);
    for (size_t i = 0; i < ARRAY_LEN(lies); i++)
        sender_sack(&peer, 0, lies[i][0], lies[i][1]);
    peer_wait(&peer, RTT / 2);
    PEER_QUIET(&peer);
    assert_int_equal(peer.conn->active->board.sacked_bytes, 0);
    assert_int_equal(PEER_COUNT(&peer, tcp_sack_invalid), ARRAY_LEN(lies));
}

static void T25__overlapping_blocks_count_once(void **state)
{
    (void)state;
    sender_fly(&peer, 10000);
    sender_sack2(&peer, 0, 3000, 6000, 5000, 8000);
    assert_int_equal(peer.conn->active->board.sacked_bytes, 5000);
    sender_sack2(&peer, 0, 2000, 9000, 3000, 6000);
    assert_int_equal(peer.conn->active->board.sacked_bytes, 7000);
}

/* CVE-2019-11478: every other byte, so that each block splits a record. */
static void S20__a_storm_of_blocks_splits_so_often_only(void **state)
{
    (void)state;
    peer_app_send(&peer, 10000);
    peer_take_all(&peer);
    host_now_us += RTT;
    for (uint32_t at = 1; at < 9990; at += 4)
        sender_sack2(&peer, 0, at, at + 1, at + 2, at + 3);
    assert_in_range(peer.conn->active->board.count, 500, 1024);
    peer_take_all(&peer);
    sender_ack(&peer, 10000);
    assert_int_equal(peer_info(&peer).in_flight_bytes, 0);
    assert_null(peer.conn->active);
}

/* A record that was kept for the next burst counts as one of them. */
static void S20__a_full_board_has_no_room_for_a_burst(void **state)
{
    struct tcp_board *board;

    (void)state;
    peer_app_send(&peer, 1000);
    peer_take_all(&peer);
    peer_wait(&peer, MS);
    peer_app_send(&peer, 4000);
    peer_take_all(&peer);
    sender_ack(&peer, 1000);
    board = &peer.conn->active->board;
    assert_non_null(board->spare);
    while (tcp_board_split(peer.conn, board->first, board->first->end - 1))
        ;
    for (int n = 0; n < 3; n++) {
        peer_wait(&peer, MS);
        peer_app_send(&peer, 1000);
        assert_in_range(board->count, 1020, 1024);
    }
    peer_take_all(&peer);
    sender_ack(&peer, 5000);
    peer_wait(&peer, RTT);
    peer_take_all(&peer);
    sender_ack(&peer, 8000);
    assert_int_equal(peer_info(&peer).in_flight_bytes, 0);
}

#define TEST(name) PEER_TEST(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rack__one_block_and_a_quarter_round_trip_tell_of_a_loss),
        TEST(rack__three_segments_out_of_order_tell_at_once),
        TEST(rack__what_lies_behind_the_last_block_is_not_lost),
        TEST(rack__a_lost_retransmission_is_sent_again),
        TEST(rack__a_path_that_reorders_is_given_its_time),
        TEST(rack__a_dsack_widens_the_window),
        TEST(rack__what_is_lost_does_not_count_as_in_flight),
        TEST(rto__spares_what_was_sent_just_now),
        TEST(rto__sends_one_segment_however_short_it_is),
        TEST(rto__believes_no_peer_that_has_reneged),
        TEST(rto__sends_nothing_again_that_the_peer_has),
        TEST(T25__blocks_that_cannot_be_are_ignored),
        TEST(T25__overlapping_blocks_count_once),
        TEST(S20__a_storm_of_blocks_splits_so_often_only),
        TEST(S20__a_full_board_has_no_room_for_a_burst),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
