/*
 * Peers without SACK: three duplicates, and partial acknowledgements (RFC 5681
 * 3.2, RFC 6582); what duplicates may not do.
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
    sender_open_newreno(&peer, false);
    return 0;
}

static void send_and_wait(uint32_t len, unsigned segments)
{
    peer_app_send(&peer, len);
    assert_int_equal(peer_take_all(&peer), segments);
    host_now_us += RTT;
}

/* RFC 3042: a new segment for each of the first two; RFC 5681 3.2 (2). */
static void duplicates__bring_new_text_and_then_the_first_segment(void **state)
{
    (void)state;
    send_and_wait(200000, 20);
    sender_ack(&peer, 0);
    sender_expect(&peer, 20000, 1000);
    sender_ack(&peer, 0);
    sender_expect(&peer, 21000, 1000);
    PEER_QUIET(&peer);
    sender_ack(&peer, 0);
    sender_expect(&peer, 0, 1000);
}

/* RFC 6582 3.2 (3): at once, though more is in flight than ssthresh. */
static void partial_ack__brings_the_next_hole_at_once(void **state)
{
    (void)state;
    send_and_wait(20000, 20);
    for (unsigned i = 0; i < 3; i++)
        sender_ack(&peer, 0);
    sender_expect(&peer, 0, 1000);
    PEER_QUIET(&peer);
    sender_ack(&peer, 1000);
    assert_true(tcp_pipe(peer.conn) > peer_info(&peer).ssthresh_bytes);
    sender_expect(&peer, 1000, 1000);
    PEER_QUIET(&peer);
}

/* RFC 6582 3.2 (3): only the segments that are told of, not all that flies. */
static void partial_ack__takes_nothing_else_for_lost(void **state)
{
    (void)state;
    send_and_wait(8000, 8);
    for (unsigned i = 0; i < 7; i++)
        sender_ack(&peer, 0);
    sender_expect(&peer, 0, 1000);
    host_now_us += RTT;
    sender_ack(&peer, 4000);
    sender_expect(&peer, 4000, 1000);
    PEER_QUIET(&peer);
    sender_ack(&peer, 8000);
    PEER_QUIET(&peer);
}

/* RFC 6582 4: after a time-out duplicates may be of what went before. */
static void duplicates__after_a_time_out_start_no_recovery(void **state)
{
    (void)state;
    send_and_wait(8000, 8);
    peer_wait(&peer, 400 * MS);
    sender_expect(&peer, 0, 1000);
    sender_ack(&peer, 2000);
    peer_take_all(&peer);
    for (unsigned i = 0; i < 10; i++)
        sender_ack(&peer, 2000);
    PEER_QUIET(&peer);
    assert_int_equal(PEER_COUNT(&peer, tcp_fast_retransmit), 0);
}

/* S26: forged ones are no evidence without end. */
static void S26__duplicates_that_start_nothing_send_three_segments(void **state)
{
    (void)state;
    send_and_wait(200000, 20);
    peer_wait(&peer, 400 * MS);
    peer_take_all(&peer);
    sender_ack(&peer, 20000); /* all of what the time-out was about */
    peer_take_all(&peer);
    for (unsigned i = 0; i < 100; i++)
        sender_ack(&peer, 20000);
    assert_int_equal(PEER_COUNT(&peer, tcp_fast_retransmit), 0);
    assert_true(peer_info(&peer).in_flight_bytes <=
                peer_info(&peer).cwnd_bytes + 3000);
}

/* RFC 7323 4.2, Karn: what came long ago, and is acknowledged only now that
 * the hole before it is filled, is not measured. */
static void karn__nor_what_waited_behind_a_hole(void **state)
{
    uint64_t srtt_us = peer_info(&peer).srtt_us;

    (void)state;
    send_and_wait(3000, 3);
    peer_wait(&peer, 400 * MS);
    sender_expect(&peer, 0, 1000);
    sender_ack(&peer, 3000);
    assert_int_equal(peer_info(&peer).srtt_us, srtt_us);
}

#define TEST(name) PEER_TEST(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(duplicates__bring_new_text_and_then_the_first_segment),
        TEST(partial_ack__brings_the_next_hole_at_once),
        TEST(partial_ack__takes_nothing_else_for_lost),
        TEST(duplicates__after_a_time_out_start_no_recovery),
        TEST(S26__duplicates_that_start_nothing_send_three_segments),
        TEST(karn__nor_what_waited_behind_a_hole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
