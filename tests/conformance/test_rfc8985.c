/*
 * RFC 8985: what RACK does not believe, and what nothing waits for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/tcp_conn.h"
#include "tests/host/host.h"
#include "tests/host/tcp_scene.h"
#include "tests/host/tcp_sender.h"

/* Step 2: an acknowledgement sooner than the shortest round trip is that of
 * the first transmission, and tells nothing of when the second arrived; or all
 * that left before the second would be taken for lost. */
static void update__by_what_came_too_soon_is_ignored(void **state)
{
    (void)state;
    sender_open(&peer, true, false);
    sender_fly(&peer, 10000);
    sender_sack(&peer, 0, 1000, 4000);
    sender_expect(&peer, 0, 1000);
    peer_wait(&peer, 2 * SENDER_MS);
    sender_ack(&peer, 4000);
    PEER_QUIET(&peer);
    sender_sack(&peer, 4000, 4000 + 1000, 6000);
    peer_wait(&peer, SENDER_MS);
    assert_int_equal(peer_info(&peer).retransmissions, 2);
}

/* ... likewise by the timestamp that it echoes. */
static void update__by_the_echo_of_the_first_is_ignored(void **state)
{
    uint32_t first_ts;

    (void)state;
    sender_open(&peer, true, true);
    peer_app_send(&peer, 10000);
    sender_expect(&peer, 0, 1000);
    first_ts = peer.got.ts_val;
    assert_int_equal(peer_take_all(&peer), 9);
    host_now_us += SENDER_RTT;
    sender_sack(&peer, 0, 1000, 4000);
    sender_expect(&peer, 0, 1000);
    peer_wait(&peer, SENDER_RTT + SENDER_RTT / 2);
    peer.ts_ecr = first_ts;
    sender_ack(&peer, 4000);
    PEER_QUIET(&peer);
    assert_int_equal(peer_info(&peer).retransmissions, 1);
}

/* Step 4: however often it was too short, a smoothed round trip is the most.
 */
static void window__is_a_round_trip_at_most(void **state)
{
    (void)state;
    sender_open(&peer, true, false);
    peer.conn->reo_steps = 200;
    sender_fly(&peer, 3000);
    sender_sack(&peer, 0, 1000, 2000);
    peer_wait(&peer, SENDER_RTT - 1);
    PEER_QUIET(&peer);
    peer_wait(&peer, 1);
    sender_expect(&peer, 0, 1000);
    assert_int_equal(PEER_COUNT(&peer, tcp_timeout), 0);
}

/* 7.2: a single segment's probe is due 400 ms after it, and RTO is 300. */
static void probe__is_not_later_than_the_time_out(void **state)
{
    (void)state;
    sender_open(&peer, true, false);
    peer_app_send(&peer, 1000);
    sender_expect(&peer, 0, 1000);
    peer_wait(&peer, 300 * SENDER_MS - 1);
    PEER_QUIET(&peer);
    peer_wait(&peer, 1);
    sender_expect(&peer, 0, 1000);
    assert_int_equal(PEER_COUNT(&peer, tcp_loss_probe), 1);
    assert_int_equal(PEER_COUNT(&peer, tcp_timeout), 0);
}

/* 7.3: what the probe itself sends for the first time brings no second one. */
static void probe__is_one_until_it_is_answered(void **state)
{
    (void)state;
    sender_open(&peer, true, false);
    peer_app_send(&peer, 30000);
    assert_int_equal(peer_take_all(&peer), 10);
    while (PEER_COUNT(&peer, tcp_loss_probe) == 0)
        peer_wait(&peer, SENDER_MS);
    sender_expect(&peer, 10000, 1000);
    peer_wait(&peer, 299 * SENDER_MS);
    PEER_QUIET(&peer);
    assert_int_equal(PEER_COUNT(&peer, tcp_loss_probe), 1);
}

#define TEST(name) PEER_TEST(name, peer_prepared)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(update__by_what_came_too_soon_is_ignored),
        TEST(update__by_the_echo_of_the_first_is_ignored),
        TEST(window__is_a_round_trip_at_most),
        TEST(probe__is_not_later_than_the_time_out),
        TEST(probe__is_one_until_it_is_answered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
