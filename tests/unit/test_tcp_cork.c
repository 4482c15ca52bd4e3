/*
 * Small segments that wait on purpose, and acknowledgements that do not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/host/host.h"
#include "tests/host/tcp_scene.h"
#include "tests/host/tcp_sender.h"

#define MS     1000ull
#define SECOND 1000000ull
#define ISS    PEER_STACK_ISS

/* ---- cork ---- */

static void cork__holds_what_does_not_fill_a_segment(void **state)
{
    (void)state;
    tcp_set_cork(peer.conn, true, host_now_us);
    peer_app_send(&peer, 300);
    PEER_QUIET(&peer);
    peer_app_send(&peer, 1200);
    sender_expect(&peer, 0, 1000);
    PEER_QUIET(&peer);
    tcp_set_cork(peer.conn, false, host_now_us);
    peer_settle(&peer);
    sender_expect(&peer, 1000, 500);
}

static void cork__is_stronger_than_nodelay(void **state)
{
    (void)state;
    tcp_set_nodelay(peer.conn, true, host_now_us);
    tcp_set_cork(peer.conn, true, host_now_us);
    peer_app_send(&peer, 300);
    PEER_QUIET(&peer);
}

static void cork__is_out_after_200_ms(void **state)
{
    (void)state;
    tcp_set_cork(peer.conn, true, host_now_us);
    peer_app_send(&peer, 300);
    peer_wait(&peer, 199 * MS);
    PEER_QUIET(&peer);
    peer_wait(&peer, 1 * MS);
    sender_expect(&peer, 0, 300);
    assert_int_equal(PEER_COUNT(&peer, tcp_zero_window_probe), 0);
    peer_ack(&peer, ISS + 1 + 300);
    peer_app_send(&peer, 10); /* and in again for what comes next */
    PEER_QUIET(&peer);
    peer_wait(&peer, 200 * MS);
    sender_expect(&peer, 300, 10);
}

/* More that comes meanwhile does not make it wait longer. */
static void cork__does_not_start_its_time_again(void **state)
{
    (void)state;
    tcp_set_cork(peer.conn, true, host_now_us);
    for (unsigned i = 0; i < 4; i++) {
        peer_app_send(&peer, 10);
        PEER_QUIET(&peer);
        peer_wait(&peer, 50 * MS);
    }
    sender_expect(&peer, 0, 40);
}

/* The rest of a long write: from when all before it has arrived. */
static void cork__waits_behind_what_is_in_flight(void **state)
{
    (void)state;
    tcp_set_cork(peer.conn, true, host_now_us);
    peer_app_send(&peer, 1300);
    sender_expect(&peer, 0, 1000);
    peer_wait(&peer, 100 * MS);
    peer_ack(&peer, ISS + 1 + 1000);
    peer_wait(&peer, 199 * MS);
    PEER_QUIET(&peer);
    peer_wait(&peer, 1 * MS);
    sender_expect(&peer, 1000, 300);
}

static void cork__lets_the_end_pass(void **state)
{
    (void)state;
    tcp_set_cork(peer.conn, true, host_now_us);
    peer_app_send(&peer, 300);
    tcp_shutdown(peer.conn, host_now_us);
    peer_settle(&peer);
    sender_expect(&peer, 0, 300);
    assert_true(peer.got.flags & PEER_FIN);
}

static void cork__of_a_closed_window_is_probed_as_ever(void **state)
{
    uint8_t packet[64];

    (void)state;
    peer.window = 0;
    peer_send_raw(&peer, packet,
                  peer_build(&peer,
                             (struct peer_seg){.seq = peer.nxt,
                                               .ack = peer.rcv,
                                               .flags = PEER_ACK},
                             packet));
    tcp_set_cork(peer.conn, true, host_now_us);
    peer_app_send(&peer, 300);
    peer_wait(&peer, 250 * MS); /* the least time-out is 200 */
    sender_expect(&peer, 0, 1);
    assert_int_equal(PEER_COUNT(&peer, tcp_zero_window_probe), 1);
}

/* ---- quick acknowledgements ---- */

/* How many of `segments` full ones, one at a time, are answered at once. */
static unsigned answered(unsigned segments)
{
    unsigned count = 0;

    for (unsigned i = 0; i < segments; i++) {
        peer_text(&peer, 1000, 0);
        count += peer_take_all(&peer);
    }
    return count;
}

/* A peer in slow start gets one for each full segment. */
static void quick__at_the_start_and_after_idleness(void **state)
{
    (void)state;
    assert_int_equal(answered(16), 16);
    while (peer_app_recv(&peer, UINT32_MAX) > 0)
        ;
    peer_take_all(&peer);
    assert_int_equal(answered(16), 8); /* SHLD-19: every second one */
    peer_wait(&peer, 100 * MS);
    peer_take_all(&peer);
    assert_int_equal(answered(2), 1); /* no idleness yet */
    while (peer_app_recv(&peer, UINT32_MAX) > 0)
        ;
    peer_wait(&peer, 2 * SECOND);
    peer_take_all(&peer);
    assert_int_equal(answered(16), 16);
}

#define TEST(name) PEER_TEST(name, peer_opened)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(cork__holds_what_does_not_fill_a_segment),
        TEST(cork__is_stronger_than_nodelay),
        TEST(cork__is_out_after_200_ms),
        TEST(cork__does_not_start_its_time_again),
        TEST(cork__waits_behind_what_is_in_flight),
        TEST(cork__lets_the_end_pass),
        TEST(cork__of_a_closed_window_is_probed_as_ever),
        TEST(quick__at_the_start_and_after_idleness),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
