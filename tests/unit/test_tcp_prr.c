/*
 * RFC 9937: what is sent while losses are repaired.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/tcp_conn.h"
#include "tests/host/host.h"
#include "tests/host/tcp_scene.h"
#include "tests/host/tcp_sender.h"

#define RTT SENDER_RTT

/* NewReno, so that ssthresh is half; twenty segments are in flight. */
static int setup(void **state)
{
    (void)state;
    sender_open_newreno(&peer, true);
    peer_app_send(&peer, 200000);
    assert_int_equal(peer_take_all(&peer), 20);
    host_now_us += RTT;
    return 0;
}

/* 6.2: in proportion, so that half as much is in flight when it is over. */
static void prr__brings_the_flight_down_to_ssthresh(void **state)
{
    unsigned sent = 0;

    (void)state;
    for (uint32_t to = 2000; to <= 20000; to += 1000) {
        unsigned one;

        sender_sack(&peer, 0, 1000, to);
        one = peer_take_all(&peer);
        assert_true(one <= 2); /* no burst */
        sent += one;
    }
    /* 2 went before the loss was known (a SACKed segment each). */
    assert_in_range(sent, 9, 12);
    assert_int_equal(peer_info(&peer).ssthresh_bytes, 11000); /* of 22 */
    sender_ack(&peer, 22000);
    assert_int_equal(peer_info(&peer).cwnd_bytes, 11000);
}

/* 6.2, conservative bound: below ssthresh as much is sent as arrives. */
static void prr__sends_no_more_than_arrives_after_heavy_loss(void **state)
{
    (void)state;
    sender_sack(&peer, 0, 17000, 20000); /* 17 are lost, 3 arrived */
    assert_int_equal(peer_take_all(&peer), 3);
}

/* ... slow start reduction bound: and one more for each that goes well. */
static void prr__sends_one_more_while_repair_goes_well(void **state)
{
    (void)state;
    sender_sack(&peer, 0, 17000, 20000);
    assert_int_equal(peer_take_all(&peer), 3);
    host_now_us += RTT;
    sender_ack(&peer, 1000);
    assert_int_equal(peer_take_all(&peer), 2);
    sender_ack(&peer, 2000);
    assert_int_equal(peer_take_all(&peer), 2);
}

/* 6.3: at its end cwnd is ssthresh, however little is in flight. */
static void prr__ends_at_ssthresh(void **state)
{
    (void)state;
    sender_sack(&peer, 0, 17000, 20000);
    assert_true(peer_info(&peer).cwnd_bytes < 10000);
    host_now_us += RTT;
    sender_ack(&peer, 20000);
    assert_int_equal(peer_info(&peer).cwnd_bytes, 10000);
}

/* The first retransmission goes whatever the proportion says. */
static void prr__begins_with_a_retransmission(void **state)
{
    (void)state;
    sender_sack(&peer, 0, 1000, 2000);
    peer_take_all(&peer);
    sender_sack(&peer, 0, 1000, 3000);
    peer_take_all(&peer);
    sender_sack(&peer, 0, 1000, 4000);
    sender_expect(&peer, 0, 1000);
}

/* RFC 6675 5: text that is new goes only when nothing lost waits. */
static void prr__repairs_before_it_sends_new_text(void **state)
{
    (void)state;
    sender_sack(&peer, 0, 10000, 20000);
    for (uint32_t at = 0; at < 10000; at += 1000)
        sender_expect(&peer, at, 1000);
    PEER_QUIET(&peer);
    host_now_us += RTT;
    sender_ack(&peer, 1000);
    sender_expect(&peer, 20000, 1000);
}

/* RFC 5681 3.1, the loss window: in the worst case, when twelve bytes are all
 * that is in flight and more was sent than arrived. */
static void prr__leaves_a_segment_at_least(void **state)
{
    struct tcp_board *board = &peer.conn->active->board;
    const struct tcp_news lost = {.lost = 1000};
    struct tcp_record *tail;

    (void)state;
    sender_sack(&peer, 0, 10000, 20000);
    tcp_board_lose_all(peer.conn, false);
    tail = tcp_board_split(peer.conn, board->first, board->first->end - 12);
    assert_non_null(tail);
    tcp_board_sent_again(peer.conn, tail);
    assert_int_equal(peer_info(&peer).pipe_bytes, 12);
    peer.conn->active->prr.out = peer.conn->active->prr.delivered;
    tcp_prr_acked(peer.conn, &lost);
    assert_int_equal(peer_info(&peer).cwnd_bytes, 1000);
}

#define TEST(name) PEER_TEST(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(prr__brings_the_flight_down_to_ssthresh),
        TEST(prr__sends_no_more_than_arrives_after_heavy_loss),
        TEST(prr__sends_one_more_while_repair_goes_well),
        TEST(prr__ends_at_ssthresh),
        TEST(prr__begins_with_a_retransmission),
        TEST(prr__repairs_before_it_sends_new_text),
        TEST(prr__leaves_a_segment_at_least),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
