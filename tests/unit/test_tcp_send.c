/*
 * Text that we send: segments, Nagle, windows, probes, keep-alive. What is sent
 * again is in test_tcp_loss.c.
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

/* ---- segments ---- */

static void send__cuts_at_the_mss_and_pushes_the_last(void **state)
{
    (void)state;
    peer_app_send(&peer, 2500);
    sender_expect(&peer, 0, 1000);
    assert_int_equal(peer.got.flags, PEER_ACK);
    sender_expect(&peer, 1000, 1000);
    sender_expect(&peer, 2000, 500);
    assert_int_equal(peer.got.flags, PEER_ACK | PEER_PSH); /* MUST-61 */
    PEER_QUIET(&peer);
}

static void send__writes_of_one_flush_share_a_segment(void **state)
{
    static const char header[] = "header", body[] = "body";

    (void)state;
    assert_int_equal(
        tcp_send(peer.conn,
                 hostnet_chain(net_pool(peer.net), header, sizeof(header)),
                 host_now_us),
        TCP_OK);
    assert_int_equal(
        tcp_send(peer.conn,
                 hostnet_chain(net_pool(peer.net), body, sizeof(body)),
                 host_now_us),
        TCP_OK);
    peer_settle(&peer);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.len, sizeof(header) + sizeof(body));
    PEER_QUIET(&peer);
}

static void send__stays_inside_the_peers_window(void **state)
{
    (void)state;
    sender_ack_window(&peer, 0, 2000);
    peer_app_send(&peer, 5000);
    assert_int_equal(peer_take_all(&peer), 2);
    sender_ack_window(&peer, 2000, 2000);
    assert_int_equal(peer_take_all(&peer), 2);
    assert_int_equal(peer_info(&peer).in_flight_bytes, 2000);
}

static void send__more_than_the_room_is_refused(void **state)
{
    static uint8_t text[300000];
    struct buffer *chain;

    (void)state;
    chain = hostnet_chain(net_pool(peer.net), text, sizeof(text));
    assert_int_equal(tcp_send(peer.conn, chain, host_now_us), TCP_AGAIN);
    buffer_release(chain);
    assert_int_equal(tcp_send_room(peer.conn), 256 * 1024);
}

static void released_by(struct buffer *root, void *context)
{
    (void)root;
    (*(unsigned *)context)++;
}

static void send__keeps_the_bytes_until_they_are_acknowledged(void **state)
{
    static uint8_t text[500];
    unsigned released = 0;
    struct buffer *buf = buffer_wrap(net_pool(peer.net), text, sizeof(text),
                                     released_by, &released);

    (void)state;
    assert_int_equal(tcp_send(peer.conn, buf, host_now_us), TCP_OK);
    peer_settle(&peer);
    peer_take_all(&peer);
    assert_int_equal(released, 0);
    sender_ack_window(&peer, 499, 60000);
    assert_int_equal(released, 0);
    sender_ack_window(&peer, 500, 60000);
    assert_int_equal(released, 1);
    assert_true(peer.changes & TCP_CHANGE_ACKED);
}

/* ---- Nagle ---- */

static void nagle__one_small_segment_is_out_at_a_time(void **state)
{
    (void)state;
    peer_app_send(&peer, 10);
    sender_expect(&peer, 0, 10);
    peer_app_send(&peer, 10);
    PEER_QUIET(&peer);
    peer_app_send(&peer, 10);
    PEER_QUIET(&peer);
    sender_ack_window(&peer, 10, 60000);
    sender_expect(&peer, 10, 20);
}

/* Minshall: full segments in flight do not hold back a last small one. */
static void nagle__full_segments_hold_nothing_back(void **state)
{
    (void)state;
    peer_app_send(&peer, 1000);
    peer_app_send(&peer, 10);
    assert_int_equal(peer_take_all(&peer), 2);
}

static void nagle__can_be_switched_off(void **state)
{
    (void)state;
    tcp_set_nodelay(peer.conn, true, host_now_us);
    peer_app_send(&peer, 10);
    peer_app_send(&peer, 10);
    assert_int_equal(peer_take_all(&peer), 2);
}

/* ---- windows that shrink, close and crawl ---- */

/* MUST-35 to 37, SHLD-29, 30. */
static void S32__a_closed_window_is_probed_for_ever_while_answered(void **state)
{
    unsigned probes = 0;
    uint64_t end_us;

    (void)state;
    sender_ack_window(&peer, 0, 0);
    peer_app_send(&peer, 1000);
    PEER_QUIET(&peer);
    end_us = host_now_us + 3600 * SECOND;
    while (host_now_us < end_us) {
        peer_wait(&peer, SECOND);
        while (peer_take(&peer)) {
            assert_int_equal(peer.got.len, 1);
            assert_int_equal(peer.got.seq, ISS + 1);
            probes++;
            sender_ack_window(&peer, 0, 0);
        }
    }
    assert_in_range(probes, 60, 75);
    assert_int_equal(tcp_end_reason(peer.conn), TCP_END_NONE);
    sender_ack_window(&peer, 0, 60000);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.seq, ISS + 1);
    while (peer_take(&peer)) {
    }
    sender_ack_window(&peer, 1000, 60000);
    assert_int_equal(tcp_send_pending(peer.conn), 0);
}

static void S32__unanswered_probes_end_at_r2(void **state)
{
    (void)state;
    sender_ack_window(&peer, 0, 0);
    peer_app_send(&peer, 1000);
    peer_wait(&peer, 1100 * SECOND);
    assert_int_equal(tcp_end_reason(peer.conn), TCP_END_TIMEOUT);
}

static void S32__a_user_timeout_ends_a_closed_window(void **state)
{
    (void)state;
    tcp_set_user_timeout(peer.conn, 30 * SECOND, host_now_us);
    sender_ack_window(&peer, 0, 0);
    peer_app_send(&peer, 1000);
    for (unsigned i = 0; i < 40; i++) {
        peer_wait(&peer, SECOND);
        if (tcp_end_reason(peer.conn) == TCP_END_NONE)
            sender_ack_window(&peer, 0, 0);
    }
    assert_int_equal(tcp_end_reason(peer.conn), TCP_END_USER_TIMEOUT);
}

/* MUST-38: no silly segments, but progress. */
static void S23__a_window_below_the_mss_still_makes_progress(void **state)
{
    uint32_t at = 0;

    (void)state;
    sender_ack_window(&peer, 0, 100);
    peer_app_send(&peer, 500);
    for (unsigned i = 0; i < 100 && at < 500; i++) {
        peer_wait(&peer, 500 * MS);
        while (peer_take(&peer)) {
            assert_true(peer.got.len <= 100);
            at = peer.got.seq - ISS - 1 + peer.got.len;
        }
        sender_ack_window(&peer, at, 100);
    }
    assert_int_equal(at, 500);
}

/* A peer that never offers a whole segment gets half of what it offers. */
static void S23__a_small_window_is_filled_at_once(void **state)
{
    (void)state;
    peer_end(&peer);
    peer_prepare(&peer);
    peer.window = 200;
    peer_start(&peer);
    peer_open_passive(&peer);
    peer_app_send(&peer, 500);
    sender_expect(&peer, 0, 200);
    sender_ack_window(&peer, 200, 200);
    sender_expect(&peer, 200, 200);
}

/* MUST-34, SHLD-15, 17. */
static void S22__a_window_that_shrinks_below_what_is_sent(void **state)
{
    (void)state;
    peer_app_send(&peer, 9000);
    peer_take_all(&peer);
    sender_ack_window(&peer, 1000, 1000);
    PEER_QUIET(&peer);
    sender_ack_window(&peer, 1000, 0);
    PEER_QUIET(&peer);
    peer_wait(&peer, 300 * MS);
    assert_true(peer_take(&peer)); /* a probe */
    assert_int_equal(peer.got.seq, ISS + 1001);
    assert_int_equal(peer.got.len, 1);
    sender_ack_window(&peer, 9000, 60000);
    assert_int_equal(tcp_send_pending(peer.conn), 0);
}

static void S24__an_old_segment_does_not_bring_its_window(void **state)
{
    (void)state;
    peer_text(&peer, 10, 0);
    sender_ack_window(&peer, 0, 1000);
    peer_send(&peer, (struct peer_seg){.seq = peer.nxt - 10,
                                       .ack = ISS + 1,
                                       .flags = PEER_ACK,
                                       .window = 50000,
                                       .len = 11});
    assert_int_equal(peer_info(&peer).snd_wnd_bytes, 1000);
}

/* ---- keep-alive ---- */

static void keepalive__is_off_unless_asked_for(void **state)
{
    (void)state;
    peer_wait(&peer, 100000 * SECOND);
    PEER_QUIET(&peer);
}

/* MUST-24 to 29. */
static void keepalive__probes_an_idle_peer_and_ends_a_dead_one(void **state)
{
    (void)state;
    tcp_set_keepalive(peer.conn, true, host_now_us);
    peer_wait(&peer, 7199 * SECOND);
    PEER_QUIET(&peer);
    peer_wait(&peer, 1 * SECOND);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.seq, ISS);
    assert_int_equal(peer.got.len, 0);
    sender_ack_window(&peer, 0, 60000); /* alive: all begins anew */
    peer_wait(&peer, 7199 * SECOND);
    PEER_QUIET(&peer);
    peer_wait(&peer, 1 * SECOND + 8 * 75 * SECOND);
    assert_int_equal(peer_take_all(&peer), 9);
    assert_int_equal(tcp_end_reason(peer.conn), TCP_END_NONE);
    peer_wait(&peer, 76 * SECOND);
    assert_int_equal(tcp_end_reason(peer.conn), TCP_END_KEEPALIVE);
}

static void S29__a_probe_of_the_peer_is_answered(void **state)
{
    (void)state;
    for (uint32_t garbage = 0; garbage < 2; garbage++) {
        peer_send(&peer, (struct peer_seg){.seq = peer.nxt - 1,
                                           .ack = peer.rcv,
                                           .flags = PEER_ACK,
                                           .len = garbage});
        assert_true(peer_take(&peer));
        assert_int_equal(peer.got.ack, peer.nxt);
    }
}

static void user_timeout__ends_unacknowledged_data(void **state)
{
    (void)state;
    tcp_set_user_timeout(peer.conn, 5 * SECOND, host_now_us);
    peer_wait(&peer, 60 * SECOND);
    assert_int_equal(tcp_end_reason(peer.conn), TCP_END_NONE);
    peer_app_send(&peer, 10);
    peer_wait(&peer, 4 * SECOND);
    assert_int_equal(tcp_end_reason(peer.conn), TCP_END_NONE);
    peer_wait(&peer, 2 * SECOND);
    assert_int_equal(tcp_end_reason(peer.conn), TCP_END_USER_TIMEOUT);
}

#define TEST(name) PEER_TEST(name, peer_opened_newreno)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(send__cuts_at_the_mss_and_pushes_the_last),
        TEST(send__writes_of_one_flush_share_a_segment),
        TEST(send__stays_inside_the_peers_window),
        TEST(send__more_than_the_room_is_refused),
        TEST(send__keeps_the_bytes_until_they_are_acknowledged),
        TEST(nagle__one_small_segment_is_out_at_a_time),
        TEST(nagle__full_segments_hold_nothing_back),
        TEST(nagle__can_be_switched_off),
        TEST(S32__a_closed_window_is_probed_for_ever_while_answered),
        TEST(S32__unanswered_probes_end_at_r2),
        TEST(S32__a_user_timeout_ends_a_closed_window),
        TEST(S23__a_window_below_the_mss_still_makes_progress),
        TEST(S23__a_small_window_is_filled_at_once),
        TEST(S22__a_window_that_shrinks_below_what_is_sent),
        TEST(S24__an_old_segment_does_not_bring_its_window),
        TEST(keepalive__is_off_unless_asked_for),
        TEST(keepalive__probes_an_idle_peer_and_ends_a_dead_one),
        TEST(S29__a_probe_of_the_peer_is_answered),
        TEST(user_timeout__ends_unacknowledged_data),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
