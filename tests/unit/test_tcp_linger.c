/*
 * Lingering: a released connection whose peer may finish what it is sending.
 *
 * Source: RFC 9293 SHLD-3 (text for nobody is reset), from which lingering is
 * a respite: net/tcp.h, tcp_release_lingering().
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/host.h"
#include "tests/host/tcp_scene.h"

#define SECOND 1000000ull
#define ISS    PEER_STACK_ISS

enum { LINGER_US = 2000000 };

/* The application gives its handle up; its FIN is the last thing it says. */
static void linger(void)
{
    tcp_release_lingering(peer.conn, LINGER_US, host_now_us);
    peer.conn = NULL;
    peer_settle(&peer);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.flags, PEER_FIN | PEER_ACK);
}

/* Nothing but ACKs comes, the last one of everything that the peer sent. */
static void assert_acked(void)
{
    uint32_t ack = peer.nxt - 1;

    peer_wait(&peer, SECOND / 10);
    while (peer_take(&peer)) {
        assert_int_equal(peer.got.flags & ~PEER_FIN, PEER_ACK);
        ack = peer.got.ack;
    }
    assert_int_equal(ack, peer.nxt);
}

static void lingering__text_is_taken_and_dropped(void **state)
{
    (void)state;
    linger();
    assert_int_equal(tcp_lingering(peer.net), 1);
    peer_text(&peer, 10, 0);
    assert_acked();
    assert_int_equal(peer_memory(&peer).conns, 1);
    assert_int_equal(peer_memory(&peer).buffers, 0);
}

static void lingering__unread_text_is_dropped_without_a_reset(void **state)
{
    (void)state;
    peer_text(&peer, 10, 0);
    linger();
    assert_int_equal(peer.got.ack, peer.nxt);
    PEER_QUIET(&peer);
    assert_int_equal(peer_memory(&peer).conns, 1);
    assert_int_equal(peer_memory(&peer).buffers, 0);
}

static void lingering__the_window_stays_open(void **state)
{
    (void)state;
    linger();
    peer_ack(&peer, ISS + 2);
    for (unsigned i = 0; i < 200; i++) { /* 200 kB into a window of 64 KiB */
        peer_text(&peer, 1000, 0);
        peer_take_all(&peer);
    }
    peer_text(&peer, 1000, 0);
    assert_acked();
    assert_true(peer.got.window > 60000);
}

static void lingering__text_out_of_order_is_dropped_with_its_hole(void **state)
{
    (void)state;
    linger();
    peer.nxt += 10;
    peer_text(&peer, 10, 0);
    peer.nxt -= 20;
    peer_take_all(&peer);
    peer_text(&peer, 10, 0);
    peer.nxt += 10;
    assert_acked();
    assert_int_equal(peer_memory(&peer).buffers, 0);
}

static void lingering__ends_with_the_peers_fin(void **state)
{
    (void)state;
    linger();
    peer_fin(&peer, ISS + 2);
    assert_acked();
    assert_int_equal(tcp_lingering(peer.net), 0);
    assert_int_equal(peer_memory(&peer).conns, 0);
    assert_int_equal(peer_memory(&peer).time_waits, 1);
}

static void lingering__is_over_in_its_time_and_then_text_is_reset(void **state)
{
    (void)state;
    linger();
    peer_ack(&peer, ISS + 2);
    peer_wait(&peer, LINGER_US - 1);
    assert_int_equal(tcp_lingering(peer.net), 1);
    peer_wait(&peer, 1);
    assert_int_equal(tcp_lingering(peer.net), 0);
    PEER_QUIET(&peer);
    peer_text(&peer, 10, 0);
    assert_true(peer_take(&peer));
    assert_true(peer.got.flags & PEER_RST);
    assert_int_equal(peer_memory(&peer).conns, 0);
}

static void lingering__not_when_the_peer_has_closed(void **state)
{
    (void)state;
    peer_text(&peer, 10, PEER_FIN);
    peer.nxt++;
    peer_take_all(&peer);
    linger(); /* unread text or not */
    assert_int_equal(tcp_lingering(peer.net), 0);
    peer_ack(&peer, ISS + 2);
    assert_int_equal(peer_memory(&peer).conns, 0);
}

static void lingering__not_when_it_is_over(void **state)
{
    (void)state;
    tcp_abort(peer.conn, host_now_us);
    tcp_release_lingering(peer.conn, LINGER_US, host_now_us);
    peer.conn = NULL;
    assert_int_equal(tcp_lingering(peer.net), 0);
    assert_int_equal(peer_memory(&peer).conns, 0);
}

static void abort_lingering__resets_those_that_linger(void **state)
{
    (void)state;
    linger();
    tcp_abort_lingering(peer.net, host_now_us);
    peer_settle(&peer);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.flags, PEER_RST | PEER_ACK);
    assert_int_equal(tcp_lingering(peer.net), 0);
    assert_int_equal(peer_memory(&peer).conns, 0);
}

static void abort_lingering__leaves_other_orphans_alone(void **state)
{
    (void)state;
    tcp_release(peer.conn, host_now_us);
    peer.conn = NULL;
    tcp_abort_lingering(peer.net, host_now_us);
    peer_settle(&peer);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.flags, PEER_FIN | PEER_ACK);
    assert_int_equal(peer_memory(&peer).conns, 1);
}

#define TEST(name) PEER_TEST(name, peer_opened)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lingering__text_is_taken_and_dropped),
        TEST(lingering__unread_text_is_dropped_without_a_reset),
        TEST(lingering__the_window_stays_open),
        TEST(lingering__text_out_of_order_is_dropped_with_its_hole),
        TEST(lingering__ends_with_the_peers_fin),
        TEST(lingering__is_over_in_its_time_and_then_text_is_reset),
        TEST(lingering__not_when_the_peer_has_closed),
        TEST(lingering__not_when_it_is_over),
        TEST(abort_lingering__resets_those_that_linger),
        TEST(abort_lingering__leaves_other_orphans_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
