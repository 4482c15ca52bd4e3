/*
 * RFC 8985 7: tail loss probes.
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
/* Two round trips, and our slack for batches. */
#define PTO (2 * RTT + 2 * MS)

/* 7.3: the last segment, when there is no new text. */
static void tlp__sends_the_last_segment_after_two_round_trips(void **state)
{
    (void)state;
    sender_open(&peer, true, false);
    sender_send(&peer, 3500);
    peer_wait(&peer, PTO - 1);
    PEER_QUIET(&peer);
    peer_wait(&peer, 1);
    sender_expect(&peer, 2500, 1000);
    PEER_QUIET(&peer);
}

/* 7.3: new text before old, one segment beyond cwnd. */
static void tlp__prefers_new_text_beyond_cwnd(void **state)
{
    (void)state;
    sender_open(&peer, true, false);
    peer_app_send(&peer, 30000);
    assert_int_equal(peer_take_all(&peer), 10);
    peer_wait(&peer, PTO);
    sender_expect(&peer, 10000, 1000);
    PEER_QUIET(&peer);
}

/* 7.2: the peer may delay its acknowledgement of a single segment. */
static void tlp__of_one_segment_waits_for_a_delayed_ack(void **state)
{
    (void)state;
    sender_open(&peer, true, false);
    peer_app_send(&peer, 4000); /* the RTO comes nearer to the RTT */
    peer_take_all(&peer);
    for (uint32_t at = 1000; at <= 4000; at += 1000) {
        host_now_us += RTT;
        sender_ack(&peer, at);
    }
    peer.conn->rto_us = 800 * MS;
    peer_app_send(&peer, 500);
    peer_take_all(&peer);
    peer_wait(&peer, PTO + 190 * MS);
    PEER_QUIET(&peer);
    peer_wait(&peer, 400 * MS);
    sender_expect(&peer, 4000, 500);
    assert_int_equal(PEER_COUNT(&peer, tcp_timeout), 0);
}

/* 7.3: one probe, and then the retransmission timer. */
static void tlp__is_followed_by_the_retransmission_timer(void **state)
{
    (void)state;
    sender_open(&peer, true, false);
    sender_send(&peer, 3000);
    peer_wait(&peer, PTO);
    sender_expect(&peer, 2000, 1000);
    peer_wait(&peer, 300 * MS - 1); /* RTO: 100 ms + 4 * 50 ms */
    PEER_QUIET(&peer);
    assert_int_equal(PEER_COUNT(&peer, tcp_timeout), 0);
    peer_wait(&peer, 1);
    sender_expect(&peer, 0, 1000);
    assert_int_equal(PEER_COUNT(&peer, tcp_loss_probe), 1);
}

/* The purpose of it all: a lost tail without a time-out. */
static void tlp__makes_rack_see_a_lost_tail(void **state)
{
    (void)state;
    sender_open(&peer, true, false);
    sender_send(&peer, 5000);
    host_now_us += RTT;
    sender_ack(&peer, 2000);
    peer_wait(&peer, PTO);
    sender_expect(&peer, 4000, 1000);
    host_now_us += RTT;
    sender_sack(&peer, 2000, 4000, 5000);
    sender_expect(&peer, 2000, 1000); /* PRR: one has arrived */
    PEER_QUIET(&peer);
    host_now_us += RTT;
    sender_ack(&peer, 3000);
    sender_expect(&peer, 3000, 1000);
    assert_int_equal(PEER_COUNT(&peer, tcp_timeout), 0);
}

/* 7.2: only with SACK, which brings the answer. */
static void tlp__needs_sack(void **state)
{
    (void)state;
    sender_open(&peer, false, false);
    sender_send(&peer, 3000);
    peer_wait(&peer, 300 * MS - 1);
    PEER_QUIET(&peer);
    assert_int_equal(PEER_COUNT(&peer, tcp_loss_probe), 0);
}

/* 7.2: not while RACK has something to go by, nor in recovery. */
static void tlp__does_not_probe_what_rack_sees(void **state)
{
    (void)state;
    sender_open(&peer, true, false);
    sender_send(&peer, 5000);
    host_now_us += RTT;
    sender_sack(&peer, 0, 2000, 5000);
    assert_int_equal(peer_take_all(&peer), 2); /* both that were lost */
    peer_wait(&peer, PTO);
    assert_int_equal(PEER_COUNT(&peer, tcp_loss_probe), 0);
}

/* 7.2: nor because of new text, while SACKed bytes are out and nothing is held
 * lost yet. */
static void tlp__is_not_armed_by_text_behind_what_is_sacked(void **state)
{
    (void)state;
    sender_open(&peer, true, false);
    sender_send(&peer, 3000);
    host_now_us += RTT;
    sender_sack(&peer, 0, 2000, 3000);
    PEER_QUIET(&peer);
    assert_int_equal(peer.conn->active->board.lost_bytes, 0);
    sender_send(&peer, 100);
    assert_true(peer.conn->active->probe_at_us == FOREVER);
    assert_true(peer.conn->active->reorder_at_us != FOREVER);
}

/* An acknowledgement between the timer and the flush: nothing is in flight any
 * more, and text that waits for the window keeps the connection active. */
static void tlp__has_nothing_to_send_when_all_has_arrived(void **state)
{
    (void)state;
    sender_open(&peer, true, false);
    peer.window = 3000;
    sender_ack(&peer, 0);
    peer_app_send(&peer, 5000);
    assert_int_equal(peer_take_all(&peer), 3);
    host_now_us += PTO;
    net_run(peer.net, host_now_us);
    assert_true(peer.conn->active->probe_due);
    peer_input(&peer, (struct peer_seg){.seq = peer.nxt,
                                        .ack = peer.conn->snd.nxt,
                                        .flags = PEER_ACK,
                                        .window = 1});
    peer_settle(&peer);
    PEER_QUIET(&peer);
}

/* ---- 7.4: was anything lost? ---- */

/* 7.4.2: what lies behind it is acknowledged without D-SACK: one of the two
 * was lost, and the network is congested. */
static void tlp__beyond_its_end_without_dsack_is_congestion(void **state)
{
    (void)state;
    sender_open(&peer, true, false);
    sender_send(&peer, 5000);
    host_now_us += RTT;
    peer_wait(&peer, PTO - RTT);
    sender_expect(&peer, 4000, 1000);
    sender_send(&peer, 1000);
    host_now_us += RTT;
    sender_ack(&peer, 6000);
    assert_true(peer_info(&peer).ssthresh_bytes < 10000);
    assert_true(peer_info(&peer).cwnd_bytes < 10000);
}

/* 7.4.1: the D-SACK of the probe: both arrived. */
static void tlp__that_arrives_twice_is_no_congestion(void **state)
{
    (void)state;
    sender_open(&peer, true, false);
    sender_send(&peer, 5000);
    host_now_us += RTT;
    peer_wait(&peer, PTO - RTT);
    sender_expect(&peer, 4000, 1000);
    sender_send(&peer, 1000);
    sender_ack(&peer, 5000);
    sender_sack(&peer, 5000, 4000, 5000);
    host_now_us += RTT;
    sender_ack(&peer, 6000);
    assert_true(peer_info(&peer).cwnd_bytes >= 10000);
}

#define TEST(name) PEER_TEST(name, peer_prepared)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(tlp__sends_the_last_segment_after_two_round_trips),
        TEST(tlp__prefers_new_text_beyond_cwnd),
        TEST(tlp__of_one_segment_waits_for_a_delayed_ack),
        TEST(tlp__is_followed_by_the_retransmission_timer),
        TEST(tlp__makes_rack_see_a_lost_tail),
        TEST(tlp__needs_sack),
        TEST(tlp__does_not_probe_what_rack_sees),
        TEST(tlp__is_not_armed_by_text_behind_what_is_sacked),
        TEST(tlp__has_nothing_to_send_when_all_has_arrived),
        TEST(tlp__beyond_its_end_without_dsack_is_congestion),
        TEST(tlp__that_arrives_twice_is_no_congestion),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
