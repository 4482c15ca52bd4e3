/*
 * Active opens: answered, refused, crossed by the peer's own, never answered;
 * ports and initial numbers. Passive ones: test_tcp_open.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/host/host.h"
#include "tests/host/tcp_scene.h"

#define SECOND 1000000ull

static void connect__opens_and_tells(void **state)
{
    (void)state;
    peer.shift = 2;
    peer_connect(&peer);
    assert_true(peer.got.has_mss && peer.got.has_shift);
    PEER_QUIET(&peer);
    peer_send(&peer, (struct peer_seg){.seq = PEER_ISS,
                                       .ack = peer.rcv,
                                       .flags = PEER_SYN | PEER_ACK,
                                       .window = 1000,
                                       .options = (uint8_t[]){3, 3, 2, 0},
                                       .options_len = 4});
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.flags, PEER_ACK);
    assert_int_equal(peer.got.ack, PEER_ISS + 1);
    assert_true(peer.changes & TCP_CHANGE_OPEN);
    assert_int_equal(peer_info(&peer).snd_wnd_shift, 2);
    assert_int_equal(peer_info(&peer).snd_wnd_bytes, 1000);
    assert_int_equal(peer_info(&peer).mss_bytes, 536); /* MUST-15 */
}

static void connect__rst_with_our_number_is_a_refusal(void **state)
{
    (void)state;
    peer_connect(&peer);
    peer_send(&peer,
              (struct peer_seg){.ack = peer.rcv, .flags = PEER_RST | PEER_ACK});
    assert_int_equal(tcp_end_reason(peer.conn), TCP_END_REFUSED);
    assert_true(peer.changes & TCP_CHANGE_OPEN);
    PEER_QUIET(&peer);
}

static void S9__rst_with_another_number_or_none_is_ignored(void **state)
{
    (void)state;
    peer_connect(&peer);
    peer_send(&peer, (struct peer_seg){.ack = peer.rcv + 1,
                                       .flags = PEER_RST | PEER_ACK});
    peer_send(&peer, (struct peer_seg){.flags = PEER_RST});
    assert_true(peer_state_is(&peer, "SYN-SENT"));
    PEER_QUIET(&peer);
}

static void connect__unanswered_ends_after_three_minutes(void **state)
{
    (void)state;
    peer_connect(&peer);
    peer_wait(&peer, 179 * SECOND);
    assert_int_equal(tcp_end_reason(peer.conn), TCP_END_NONE);
    assert_in_range(peer_take_all(&peer), 6, 9); /* 1, 3, 7, 15, 31, 63 ... */
    peer_wait(&peer, 2 * SECOND);
    assert_int_equal(tcp_end_reason(peer.conn), TCP_END_SYN_TIMEOUT);
    assert_true(peer.changes & TCP_CHANGE_OPEN);
}

static void S13__both_connect_at_once(void **state)
{
    (void)state;
    peer_connect(&peer);
    peer_syn(&peer);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.flags, PEER_SYN | PEER_ACK);
    assert_int_equal(peer.got.seq, PEER_STACK_ISS);
    assert_true(peer_state_is(&peer, "SYN-RECEIVED"));
    peer_send(&peer, (struct peer_seg){.seq = PEER_ISS,
                                       .ack = peer.rcv,
                                       .flags = PEER_SYN | PEER_ACK});
    peer_ack(&peer, peer.rcv);
    assert_true(peer_state_is(&peer, "ESTABLISHED"));
    peer_take_all(&peer);
    peer_app_send(&peer, 10);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.len, 10);
}

static void connect__to_no_host_says_why(void **state)
{
    static const struct {
        struct ipv4_addr to;
        enum tcp_end why;
    } rows[] = {{{.byte = {255, 255, 255, 255}}, TCP_END_BAD_ADDRESS},
                {{.byte = {10, 0, 0, 255}}, TCP_END_BAD_ADDRESS},
                {{.byte = {224, 0, 0, 1}}, TCP_END_BAD_ADDRESS},
                {{.byte = {0, 0, 0, 0}}, TCP_END_BAD_ADDRESS},
                {{.byte = {192, 168, 7, 7}}, TCP_END_NO_ROUTE}};

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        enum tcp_end why;
        struct tcp_conn *conn;

        assert_int_equal(
            tcp_connect(peer.net, rows[i].to, 80, 0, host_now_us, &conn, &why),
            TCP_ENDED);
        assert_int_equal(why, rows[i].why);
    }
}

static void S36__when_every_port_is_in_use_connect_says_so(void **state)
{
    struct tcp_conn *conn[9];
    enum tcp_end why;
    unsigned seen = 0;

    (void)state;
    peer_end(&peer);
    peer_prepare(&peer);
    peer.config.tcp.ephemeral_first = 50000;
    peer.config.tcp.ephemeral_last = 50007;
    peer_start(&peer);
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(tcp_connect(peer.net, IPV4_ADDR(10, 0, 0, 2), 80, 0,
                                     host_now_us, &conn[i], &why),
                         TCP_OK);
        seen |= 1u << (tcp_endpoints(conn[i]).local_port - 50000);
    }
    assert_int_equal(seen, 0xff);
    assert_int_equal(tcp_connect(peer.net, IPV4_ADDR(10, 0, 0, 2), 80, 0,
                                 host_now_us, &conn[8], &why),
                     TCP_ENDED);
    assert_int_equal(why, TCP_END_NO_PORT);
    tcp_release(conn[3], host_now_us);
    assert_int_equal(tcp_connect(peer.net, IPV4_ADDR(10, 0, 0, 2), 80, 0,
                                 host_now_us, &conn[3], &why),
                     TCP_OK);
    for (unsigned i = 0; i < 8; i++)
        tcp_release(conn[i], host_now_us);
}

/* MUST-8: the number's clock ticks every 4 us. */
static void isn__follows_the_clock_and_differs_by_port(void **state)
{
    uint32_t first;

    (void)state;
    peer_connect(&peer);
    first = peer.got.seq;
    tcp_release(peer.conn, host_now_us);
    host_now_us += 4000;
    peer_connect(&peer);
    assert_int_equal(peer.got.seq - first, 1000);
    tcp_release(peer.conn, host_now_us);
    peer.conn = NULL;
    peer_listen(&peer, 8, 8);
    peer_send(&peer,
              (struct peer_seg){.seq = 5, .flags = PEER_SYN, .src_port = 2001});
    assert_true(peer_take(&peer));
    assert_true(peer.got.seq - first > 100000);
}

#define TEST(name) PEER_TEST(name, peer_started)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(connect__opens_and_tells),
        TEST(connect__rst_with_our_number_is_a_refusal),
        TEST(S9__rst_with_another_number_or_none_is_ignored),
        TEST(connect__unanswered_ends_after_three_minutes),
        TEST(S13__both_connect_at_once),
        TEST(connect__to_no_host_says_why),
        TEST(S36__when_every_port_is_in_use_connect_says_so),
        TEST(isn__follows_the_clock_and_differs_by_port),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
