/*
 * Closing: every order, repeated FINs, TIME-WAIT, orphans, resets; and events
 * whose callbacks call back.
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

static void send_fin(uint32_t ack)
{
    peer_send(&peer, (struct peer_seg){.seq = peer.nxt,
                                       .ack = ack,
                                       .flags = PEER_FIN | PEER_ACK});
    peer.nxt++;
}

static void app_close(void)
{
    tcp_shutdown(peer.conn, host_now_us);
    peer_settle(&peer);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.flags, PEER_FIN | PEER_ACK);
}

static void app_release(void)
{
    tcp_release(peer.conn, host_now_us);
    peer.conn = NULL;
    peer_settle(&peer);
}

/* The stack answers with one bare ACK of everything that the peer sent. */
static void assert_acked(void)
{
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.flags, PEER_ACK);
    assert_int_equal(peer.got.ack, peer.nxt);
}

/* ---- orders of closing ---- */

static void close__we_first(void **state)
{
    struct buffer *chain;

    (void)state;
    app_close();
    assert_true(tcp_fin_sent(peer.conn));
    assert_true(peer_state_is(&peer, "FIN-WAIT-1"));
    peer_ack(&peer, peer.rcv);
    assert_true(peer_state_is(&peer, "FIN-WAIT-2"));
    peer_text(&peer, 10, PEER_PSH); /* a half close: reading goes on */
    assert_int_equal(peer_app_recv(&peer, 100), 10);
    peer_take_all(&peer);
    send_fin(peer.rcv);
    assert_acked();
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
    send_fin(peer.rcv);
    assert_true(peer_state_is(&peer, "CLOSE-WAIT"));
    assert_acked();
    peer_app_send(&peer, 20); /* the peer's FIN does not end writing */
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.len, 20);
    peer_ack(&peer, peer.rcv);
    app_close();
    assert_true(peer_state_is(&peer, "LAST-ACK"));
    peer_ack(&peer, peer.rcv);
    assert_true(peer_state_is(&peer, "CLOSED"));
    assert_int_equal(tcp_end_reason(peer.conn), TCP_END_CLOSED);
    assert_int_equal(peer_memory(&peer).time_waits, 0);
}

static void S13__both_at_once(void **state)
{
    (void)state;
    app_close();
    send_fin(ISS + 1);
    assert_true(peer_state_is(&peer, "CLOSING"));
    assert_acked();
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
    app_close();
    assert_int_equal(tcp_send(peer.conn, chain, host_now_us), TCP_EOF);
    buffer_release(chain);
    tcp_shutdown(peer.conn, host_now_us); /* idempotent */
    peer_settle(&peer);
    PEER_QUIET(&peer);
}

static void close__a_lost_fin_comes_again(void **state)
{
    (void)state;
    app_close();
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
    send_fin(ISS + 1);
    assert_acked();
    peer_send(&peer, fin); /* CLOSE-WAIT */
    assert_acked();
    app_close();
    peer_send(&peer, fin); /* LAST-ACK */
    assert_acked();
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
    assert_acked();
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
    send_fin(peer.rcv);
    peer_take_all(&peer);
    peer_text(&peer, 10, 0);
    assert_int_equal(tcp_recv_ready(peer.conn), 0);
    assert_int_equal(PEER_COUNT(&peer, tcp_after_fin), 1);
}

/* ---- TIME-WAIT ---- */

static void go_time_wait(void)
{
    app_close();
    peer_ack(&peer, peer.rcv);
    send_fin(peer.rcv);
    assert_acked();
    app_release();
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
    send_fin(peer.rcv);
    assert_acked();
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
    assert_acked();
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
        app_release();
        assert_true(peer_take(&peer));
        seg.ack = peer.rcv;
        seg.flags = PEER_ACK | PEER_FIN;
        peer_send(&peer, seg);
        peer_take_all(&peer);
    }
    assert_int_equal(peer_memory(&peer).time_waits, 2);
    assert_int_equal(PEER_COUNT(&peer, tcp_time_wait_evicted), 2);
}

/* ---- resets and orphans ---- */

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
    app_release();
    assert_true(peer_take(&peer));
    assert_true(peer.got.flags & PEER_RST);
    assert_int_equal(peer_memory(&peer).conns, 0);
}

static void release__text_afterwards_is_reset(void **state)
{
    (void)state;
    app_release();
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
    app_release();
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
    app_release();
    peer_wait(&peer, 1000 * SECOND);
    assert_int_equal(peer_memory(&peer).conns, 0);
}

static void orphan__with_a_closed_window_is_bounded_too(void **state)
{
    uint8_t packet[64];

    (void)state;
    peer_app_send(&peer, 100);
    peer_take_all(&peer);
    app_release();
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
    peer_send(&peer,
              (struct peer_seg){.seq = 5, .flags = PEER_SYN, .src_port = 3000});
    assert_true(peer_take(&peer));
    peer_send(&peer, (struct peer_seg){.seq = 6,
                                       .ack = peer.rcv,
                                       .flags = PEER_ACK,
                                       .src_port = 3000});
    conn = tcp_accept(peer.listener);
    app_release();
    tcp_release(conn, host_now_us);
    assert_int_equal(peer_memory(&peer).conns, 1);
    assert_int_equal(PEER_COUNT(&peer, tcp_orphan_killed), 1);
}

/* RFC 9293 figures 9 to 11. */
static void S31__a_peer_that_has_forgotten_ends_it(void **state)
{
    (void)state;
    peer_send(&peer, (struct peer_seg){.seq = 777, .flags = PEER_SYN});
    assert_acked();
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
    peer_send(&peer,
              (struct peer_seg){.seq = 5, .flags = PEER_SYN, .src_port = 3000});
    assert_true(peer_take(&peer));
    peer_send(&peer, (struct peer_seg){.seq = 6,
                                       .ack = peer.rcv,
                                       .flags = PEER_ACK,
                                       .src_port = 3000});
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
