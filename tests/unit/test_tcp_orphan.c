/*
 * What an application leaves behind: resets, orphans; and events whose
 * callbacks call back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/host/host.h"
#include "tests/host/tcp_scene.h"

#define SECOND 1000000ull
#define ISS    PEER_STACK_ISS

static void abort__resets_and_is_sticky(void **state)
{
    struct buffer *chain;

    (void)state;
    tcp_abort(peer.conn, host_now_us);
    peer_settle(&peer);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.flags, PEER_RST | PEER_ACK);
    assert_int_equal(peer.got.seq, ISS + 1);
    assert_int_equal(tcp_recv(peer.conn, 1, host_now_us, &chain), TCP_ENDED);
    assert_int_equal(tcp_end_reason(peer.conn), TCP_END_ABORTED);
    tcp_abort(peer.conn, host_now_us);
    PEER_QUIET(&peer);
}

/* SHLD-3. */
static void S37__release_with_unread_data_resets(void **state)
{
    (void)state;
    peer_text(&peer, 10, 0);
    peer_app_release(&peer);
    assert_true(peer_take(&peer));
    assert_true(peer.got.flags & PEER_RST);
    assert_int_equal(peer_memory(&peer).conns, 0);
}

static void release__text_afterwards_is_reset(void **state)
{
    (void)state;
    peer_app_release(&peer);
    assert_true(peer_take(&peer));
    assert_true(peer.got.flags & PEER_FIN);
    peer_text(&peer, 10, 0);
    assert_true(peer_take(&peer));
    assert_true(peer.got.flags & PEER_RST);
    assert_int_equal(peer_memory(&peer).conns, 0);
}

static void shutdown_read__text_afterwards_is_reset(void **state)
{
    struct buffer *chain;

    (void)state;
    tcp_shutdown_read(peer.conn, host_now_us);
    assert_int_equal(tcp_recv(peer.conn, 1, host_now_us, &chain), TCP_EOF);
    peer_text(&peer, 10, 0);
    assert_true(peer_take(&peer));
    assert_true(peer.got.flags & PEER_RST);
}

static void orphan__in_fin_wait_2_goes_after_its_time(void **state)
{
    (void)state;
    peer_app_release(&peer);
    assert_true(peer_take(&peer));
    peer_ack(&peer, peer.rcv);
    peer_wait(&peer, 59 * SECOND);
    assert_int_equal(peer_memory(&peer).conns, 1);
    peer_wait(&peer, 2 * SECOND);
    assert_int_equal(peer_memory(&peer).conns, 0);
}

static void orphan__whose_peer_is_gone_goes_at_r2(void **state)
{
    (void)state;
    peer_app_send(&peer, 100);
    peer_app_release(&peer);
    peer_wait(&peer, 1000 * SECOND);
    assert_int_equal(peer_memory(&peer).conns, 0);
}

static void orphan__with_a_closed_window_is_bounded_too(void **state)
{
    uint8_t packet[64];

    (void)state;
    peer_app_send(&peer, 100);
    peer_take_all(&peer);
    peer_app_release(&peer);
    peer.window = 0;
    for (unsigned i = 0; i < 1000 && peer_memory(&peer).conns; i++) {
        uint32_t len = peer_build(
            &peer,
            (struct peer_seg){.seq = peer.nxt, .ack = ISS + 1, .flags = 16},
            packet);

        peer_send_raw(&peer, packet, len);
        peer_wait(&peer, SECOND);
    }
    assert_int_equal(peer_memory(&peer).conns, 0);
}

static void orphans__are_bounded_in_number(void **state)
{
    struct tcp_conn *conn;

    (void)state;
    peer_end(&peer);
    peer_prepare(&peer);
    peer.config.tcp.orphans_max = 1;
    peer_start(&peer);
    peer_open_passive(&peer);
    peer_open_from(&peer, 3000);
    conn = tcp_accept(peer.listener);
    peer_app_release(&peer);
    tcp_release(conn, host_now_us);
    assert_int_equal(peer_memory(&peer).conns, 1);
    assert_int_equal(PEER_COUNT(&peer, tcp_orphan_killed), 1);
}

/* RFC 9293 figures 9 to 11. */
static void S31__a_peer_that_has_forgotten_ends_it(void **state)
{
    (void)state;
    peer_send(&peer, (struct peer_seg){.seq = 777, .flags = PEER_SYN});
    peer_expect_acked(&peer);
    peer_send(&peer, (struct peer_seg){.seq = peer.got.ack, .flags = PEER_RST});
    assert_int_equal(tcp_end_reason(peer.conn), TCP_END_RESET);
}

/* ---- callbacks ---- */

static struct tcp_conn *victims[2];

static void release_both(void *context, struct tcp_conn *conn, unsigned changes)
{
    (void)context;
    (void)changes;
    (void)conn;
    for (unsigned i = 0; i < 2; i++) {
        if (victims[i])
            tcp_release(victims[i], host_now_us);
        victims[i] = NULL;
    }
}

static void event__may_release_this_and_another(void **state)
{
    (void)state;
    peer_end(&peer);
    peer_prepare(&peer);
    peer.config.host.tcp_event = release_both;
    peer_start(&peer);
    peer_open_passive(&peer);
    victims[0] = peer.conn;
    peer.conn = NULL;
    peer_open_from(&peer, 3000);
    victims[1] = tcp_accept(peer.listener);
    assert_non_null(victims[1]);
    peer_input(&peer, (struct peer_seg){.seq = 6,
                                        .ack = peer.rcv,
                                        .flags = PEER_ACK | PEER_RST,
                                        .src_port = 3000});
    peer_input(&peer, (struct peer_seg){
                          .seq = peer.nxt, .ack = ISS + 1, .flags = PEER_RST});
    peer_settle(&peer);
    assert_int_equal(peer_memory(&peer).conns, 0);
}

#define TEST(name) PEER_TEST(name, peer_opened)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(abort__resets_and_is_sticky),
        TEST(S37__release_with_unread_data_resets),
        TEST(release__text_afterwards_is_reset),
        TEST(shutdown_read__text_afterwards_is_reset),
        TEST(orphan__in_fin_wait_2_goes_after_its_time),
        TEST(orphan__whose_peer_is_gone_goes_at_r2),
        TEST(orphan__with_a_closed_window_is_bounded_too),
        TEST(orphans__are_bounded_in_number),
        TEST(S31__a_peer_that_has_forgotten_ends_it),
        TEST(event__may_release_this_and_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
