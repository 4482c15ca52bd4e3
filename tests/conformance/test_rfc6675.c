/*
 * RFC 6675 5, 6: what one recovery is, and its timer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/host/host.h"
#include "tests/host/tcp_scene.h"
#include "tests/host/tcp_sender.h"

/* 10000 bytes fly, the first segment is lost. */
static void go_recovering(void)
{
    sender_open(&peer, true, false);
    sender_fly(&peer, 10000);
    sender_sack(&peer, 0, 1000, 5000);
    sender_expect(&peer, 0, 1000);
    PEER_QUIET(&peer);
    assert_int_equal(peer_info(&peer).ssthresh_bytes, 7000);
}

/* Whatever else is lost of the same window is repaired, and no new sign of
 * congestion. */
static void recovery__of_two_losses_reduces_once(void **state)
{
    (void)state;
    go_recovering();
    sender_sack2(&peer, 0, 6000, 9000, 1000, 5000);
    sender_expect(&peer, 5000, 1000);
    assert_int_equal(peer_info(&peer).ssthresh_bytes, 7000);
    assert_int_equal(PEER_COUNT(&peer, tcp_fast_retransmit), 1);
}

/* A partial acknowledgement is not its end: RecoveryPoint is. What was sent
 * before the retransmission and did not arrive before it is lost too. */
static void recovery__lasts_until_its_last_number_is_acknowledged(void **state)
{
    (void)state;
    go_recovering();
    host_now_us += SENDER_RTT;
    sender_ack(&peer, 5000);
    sender_expect(&peer, 5000, 1000);
    peer_take_all(&peer);
    assert_int_equal(peer_info(&peer).ssthresh_bytes, 7000);
    assert_int_equal(PEER_COUNT(&peer, tcp_fast_retransmit), 1);
    host_now_us += SENDER_RTT;
    sender_ack(&peer, 10000);
    assert_int_equal(peer_info(&peer).cwnd_bytes, 7000);
}

/* 6, as RFC 6298 5.1 allows: what has gone again has a whole RTO for its
 * answer, which otherwise came too late whenever repair began late. */
static void timer__begins_anew_when_the_first_segment_goes_again(void **state)
{
    uint64_t rto_us;

    (void)state;
    go_recovering();
    rto_us = peer_info(&peer).rto_us;
    peer_wait(&peer, rto_us - 1);
    PEER_QUIET(&peer);
    peer_wait(&peer, 1);
    assert_int_equal(PEER_COUNT(&peer, tcp_timeout), 1);
    sender_expect(&peer, 0, 1000);
}

#define TEST(name) PEER_TEST(name, peer_prepared)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(recovery__of_two_losses_reduces_once),
        TEST(recovery__lasts_until_its_last_number_is_acknowledged),
        TEST(timer__begins_anew_when_the_first_segment_goes_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
