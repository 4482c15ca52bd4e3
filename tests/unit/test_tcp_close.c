/*
 * Closing: every order, repeated FINs, TIME-WAIT. What is left behind is in
 * test_tcp_orphan.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/host/host.h"
#include "tests/host/tcp_scene.h"

#define SECOND 1000000ull
#define ISS    PEER_STACK_ISS

/* ---- orders of closing ---- */

static void close__we_first(void **state)
{
    struct buffer *chain;

    (void)state;
    peer_app_close(&peer);
    assert_true(tcp_fin_sent(peer.conn));
    assert_true(peer_state_is(&peer, "FIN-WAIT-1"));
    peer_ack(&peer, peer.rcv);
    assert_true(peer_state_is(&peer, "FIN-WAIT-2"));
    peer_text(&peer, 10, PEER_PSH); /* a half close: reading goes on */
    assert_int_equal(peer_app_recv(&peer, 100), 10);
    peer_take_all(&peer);
    peer_fin(&peer, peer.rcv);
    peer_expect_acked(&peer);
    assert_true(peer_state_is(&peer, "TIME-WAIT"));
    assert_true(tcp_closed(peer.conn));
    assert_int_equal(tcp_end_reason(peer.conn), TCP_END_CLOSED);
    for (unsigned i = 0; i < 2; i++) /* sticky */
        assert_int_equal(tcp_recv(peer.conn, 100, host_now_us, &chain),
                         TCP_EOF);
}

static void close__the_peer_first(void **state)
{
    (void)state;
    peer_fin(&peer, peer.rcv);
    assert_true(peer_state_is(&peer, "CLOSE-WAIT"));
    peer_expect_acked(&peer);
    peer_app_send(&peer, 20); /* the peer's FIN does not end writing */
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.len, 20);
    peer_ack(&peer, peer.rcv);
    peer_app_close(&peer);
    assert_true(peer_state_is(&peer, "LAST-ACK"));
    peer_ack(&peer, peer.rcv);
    assert_true(peer_state_is(&peer, "CLOSED"));
    assert_int_equal(tcp_end_reason(peer.conn), TCP_END_CLOSED);
    assert_int_equal(peer_memory(&peer).time_waits, 0);
}

static void S13__both_at_once(void **state)
{
    (void)state;
    peer_app_close(&peer);
    peer_fin(&peer, ISS + 1);
    assert_true(peer_state_is(&peer, "CLOSING"));
    peer_expect_acked(&peer);
    peer_ack(&peer, peer.rcv);
    assert_true(peer_state_is(&peer, "TIME-WAIT"));
}

static void close__fin_rides_on_the_last_text(void **state)
{
    (void)state;
    assert_int_equal(tcp_send(peer.conn,
                              hostnet_chain(net_pool(peer.net), "bye", 3),
                              host_now_us),
                     TCP_OK);
    tcp_shutdown(peer.conn, host_now_us);
    peer_settle(&peer);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.len, 3);
    assert_int_equal(peer.got.flags, PEER_FIN | PEER_PSH | PEER_ACK);
    PEER_QUIET(&peer);
    assert_true(peer.changes & TCP_CHANGE_FIN_SENT);
}

static void close__writing_afterwards_is_the_end_of_file(void **state)
{
    struct buffer *chain = hostnet_chain(net_pool(peer.net), "late", 4);

    (void)state;
    peer_app_close(&peer);
    assert_int_equal(tcp_send(peer.conn, chain, host_now_us), TCP_EOF);
    buffer_release(chain);
    tcp_shutdown(peer.conn, host_now_us); /* idempotent */
    peer_settle(&peer);
    PEER_QUIET(&peer);
}

static void close__a_lost_fin_comes_again(void **state)
{
    (void)state;
    peer_app_close(&peer);
    peer_wait(&peer, SECOND / 5 + 1);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.flags, PEER_FIN | PEER_ACK);
    assert_int_equal(peer.got.seq, ISS + 1);
    peer_ack(&peer, ISS + 2);
    assert_true(peer_state_is(&peer, "FIN-WAIT-2"));
    peer_wait(&peer, 100 * SECOND);
    PEER_QUIET(&peer);
}

static void close__text_and_fin_lost_come_again(void **state)
{
    (void)state;
    peer_app_send(&peer, 1500);
    tcp_shutdown(peer.conn, host_now_us);
    peer_settle(&peer);
    peer_take_all(&peer);
    peer_wait(&peer, SECOND / 5 + 1);
    peer_take_all(&peer);
    peer_ack(&peer, ISS + 1001);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.seq, ISS + 1001);
    assert_int_equal(peer.got.len, 500);
    assert_true(peer.got.flags & PEER_FIN);
}

/* ---- FINs that come in odd ways ---- */

static void S14__a_fin_again_is_acknowledged_again(void **state)
{
    struct peer_seg fin = {.seq = PEER_ISS + 1, .flags = PEER_FIN | PEER_ACK};

    (void)state;
    fin.ack = ISS + 1;
    peer_fin(&peer, ISS + 1);
    peer_expect_acked(&peer);
    peer_send(&peer, fin); /* CLOSE-WAIT */
    peer_expect_acked(&peer);
    peer_app_close(&peer);
    peer_send(&peer, fin); /* LAST-ACK */
    peer_expect_acked(&peer);
}

static void S14__a_fin_out_of_order_waits_for_the_hole(void **state)
{
    (void)state;
    peer_send(&peer, (struct peer_seg){.seq = peer.nxt + 10,
                                       .ack = peer.rcv,
                                       .flags = PEER_FIN | PEER_ACK,
                                       .len = 5});
    assert_true(peer_state_is(&peer, "ESTABLISHED"));
    peer_take_all(&peer);
    peer_text(&peer, 10, 0);
    peer.nxt += 6;
    assert_true(peer_state_is(&peer, "CLOSE-WAIT"));
    peer_expect_acked(&peer);
    assert_int_equal(peer_app_recv(&peer, 100), 15);
}

static void S14__a_fin_alone_behind_a_hole_is_remembered(void **state)
{
    (void)state;
    peer_send(&peer, (struct peer_seg){.seq = peer.nxt + 10,
                                       .ack = peer.rcv,
                                       .flags = PEER_FIN | PEER_ACK});
    peer_take_all(&peer);
    peer_text(&peer, 10, 0);
    assert_true(peer_state_is(&peer, "CLOSE-WAIT"));
}

static void S14_S15__text_after_fin_is_ignored(void **state)
{
    (void)state;
    peer_fin(&peer, peer.rcv);
    peer_take_all(&peer);
    peer_text(&peer, 10, 0);
    assert_int_equal(tcp_recv_ready(peer.conn), 0);
    assert_int_equal(PEER_COUNT(&peer, tcp_after_fin), 1);
}

/* ---- TIME-WAIT ---- */

static void go_time_wait(void)
{
    peer_app_close(&peer);
    peer_ack(&peer, peer.rcv);
    peer_fin(&peer, peer.rcv);
    peer_expect_acked(&peer);
    peer_app_release(&peer);
    assert_int_equal(peer_memory(&peer).conns, 0);
    assert_int_equal(peer_memory(&peer).time_waits, 1);
}

static void time_wait__lasts_two_msl(void **state)
{
    (void)state;
    go_time_wait();
    peer_wait(&peer, 60 * SECOND - 1);
    assert_int_equal(peer_memory(&peer).time_waits, 1);
    peer_wait(&peer, 1);
    assert_int_equal(peer_memory(&peer).time_waits, 0);
}

static void time_wait__a_fin_again_is_answered_and_waits_anew(void **state)
{
    (void)state;
    go_time_wait();
    peer_wait(&peer, 50 * SECOND);
    peer.nxt--;
    peer_fin(&peer, peer.rcv);
    peer_expect_acked(&peer);
    peer_wait(&peer, 59 * SECOND);
    assert_int_equal(peer_memory(&peer).time_waits, 1);
    peer_wait(&peer, 2 * SECOND);
    assert_int_equal(peer_memory(&peer).time_waits, 0);
}

/* RFC 1337. */
static void S16__time_wait_ignores_rst(void **state)
{
    (void)state;
    go_time_wait();
    peer_send(&peer, (struct peer_seg){.seq = peer.nxt, .flags = PEER_RST});
    PEER_QUIET(&peer);
    assert_int_equal(peer_memory(&peer).time_waits, 1);
}

static void S15__time_wait_gives_way_to_a_newer_syn_alone(void **state)
{
    (void)state;
    go_time_wait();
    peer_send(&peer, (struct peer_seg){.seq = peer.nxt - 5, .flags = PEER_SYN});
    peer_expect_acked(&peer);
    peer_send(&peer, (struct peer_seg){.seq = peer.nxt + 5, .flags = PEER_SYN});
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.flags, PEER_SYN | PEER_ACK);
    assert_true((int32_t)(peer.got.seq - ISS) > 2); /* MAY-2 (1) */
    assert_int_equal(peer_memory(&peer).time_waits, 0);
}

static void time_wait__is_bounded_and_the_oldest_goes(void **state)
{
    (void)state;
    peer_end(&peer);
    peer_prepare(&peer);
    peer.config.tcp.time_wait_max = 2;
    peer_start(&peer);
    peer_listen(&peer, 8, 8);
    for (uint16_t port = 3000; port < 3004; port++) {
        struct peer_seg seg = {.seq = 5, .flags = PEER_SYN, .src_port = port};

        peer_send(&peer, seg);
        assert_true(peer_take(&peer));
        seg.seq = 6;
        seg.ack = peer.rcv;
        seg.flags = PEER_ACK;
        peer_send(&peer, seg);
        peer.conn = tcp_accept(peer.listener);
        peer_app_release(&peer);
        assert_true(peer_take(&peer));
        seg.ack = peer.rcv;
        seg.flags = PEER_ACK | PEER_FIN;
        peer_send(&peer, seg);
        peer_take_all(&peer);
    }
    assert_int_equal(peer_memory(&peer).time_waits, 2);
    assert_int_equal(PEER_COUNT(&peer, tcp_time_wait_evicted), 2);
}

#define TEST(name) PEER_TEST(name, peer_opened)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(close__we_first),
        TEST(close__the_peer_first),
        TEST(S13__both_at_once),
        TEST(close__fin_rides_on_the_last_text),
        TEST(close__writing_afterwards_is_the_end_of_file),
        TEST(close__a_lost_fin_comes_again),
        TEST(close__text_and_fin_lost_come_again),
        TEST(S14__a_fin_again_is_acknowledged_again),
        TEST(S14__a_fin_out_of_order_waits_for_the_hole),
        TEST(S14__a_fin_alone_behind_a_hole_is_remembered),
        TEST(S14_S15__text_after_fin_is_ignored),
        TEST(time_wait__lasts_two_msl),
        TEST(time_wait__a_fin_again_is_answered_and_waits_anew),
        TEST(S16__time_wait_ignores_rst),
        TEST(S15__time_wait_gives_way_to_a_newer_syn_alone),
        TEST(time_wait__is_bounded_and_the_oldest_goes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
