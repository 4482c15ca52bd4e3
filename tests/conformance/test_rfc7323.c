/*
 * RFC 7323: options that one side alone has sent; what a scale applies to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/host/host.h"
#include "tests/host/tcp_scene.h"

/* 2.2: scaling needs the option in both SYNs. */
static void scale__of_one_side_alone_scales_nothing(void **state)
{
    (void)state;
    peer.config.tcp.rcv_buf_bytes = 1 << 20;
    peer_start(&peer);
    peer_connect(&peer);
    assert_true(peer.got.has_shift);
    assert_in_range(peer.got.shift, 1, 14);
    peer_send(&peer, (struct peer_seg){.seq = PEER_ISS,
                                       .ack = peer.rcv,
                                       .flags = PEER_SYN | PEER_ACK});
    peer.nxt = PEER_ISS + 1;
    assert_true(peer_take(&peer));
    assert_in_range(peer.got.window, 60000, 65535);
    assert_int_equal(peer_info(&peer).snd_wnd_shift, 0);
}

/* 2.2: the window in a SYN-ACK is as it stands, the next one is scaled. */
static void scale__is_not_of_the_syn_that_brings_it(void **state)
{
    static const uint8_t options[] = {1, 3, 3, 5};

    (void)state;
    peer_start(&peer);
    peer_connect(&peer);
    peer_send(&peer, (struct peer_seg){.seq = PEER_ISS,
                                       .ack = peer.rcv,
                                       .flags = PEER_SYN | PEER_ACK,
                                       .window = 3000,
                                       .options = options,
                                       .options_len = sizeof(options)});
    assert_int_equal(peer_info(&peer).snd_wnd_bytes, 3000);
    peer.nxt = PEER_ISS + 1;
    peer_send(&peer, (struct peer_seg){.seq = peer.nxt,
                                       .ack = peer.rcv,
                                       .flags = PEER_ACK,
                                       .window = 3000});
    assert_int_equal(peer_info(&peer).snd_wnd_bytes, 3000 << 5);
}

/* 2.3, 2.4: what we offer is shifted right, and a byte that does not fill a
 * unit of the scale does not move the edge to the left. */
static void scale__of_our_window_moves_no_edge_left(void **state)
{
    uint32_t edge = 0;

    (void)state;
    peer.config.tcp.rcv_buf_bytes = 1 << 20;
    peer.config.tcp.delayed_ack_us = 0;
    peer.shift = 0;
    peer_start(&peer);
    peer_listen(&peer, 8, 8);
    peer_syn(&peer);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.shift, 5);
    edge = peer.nxt + peer.got.window;
    peer_accept(&peer);
    for (unsigned i = 0; i < 100; i++) {
        uint32_t window;

        peer_text(&peer, 7, 0);
        assert_true(peer_take(&peer));
        window = (uint32_t)peer.got.window << 5;
        assert_in_range(window, 60000, 1 << 20);
        assert_true((int32_t)(peer.got.ack + window - edge) >= 0);
        edge = peer.got.ack + window;
    }
}

/* 3.2: what was not agreed on is not looked at, and not answered. */
static void timestamps__not_agreed_on_mean_nothing(void **state)
{
    static const uint8_t options[] = {1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 9};

    (void)state;
    peer_start(&peer);
    peer_open_passive(&peer);
    for (unsigned i = 0; i < 2; i++) {
        peer_send(&peer, (struct peer_seg){.seq = peer.nxt,
                                           .ack = peer.rcv,
                                           .flags = PEER_ACK | PEER_PSH,
                                           .options = options,
                                           .options_len = sizeof(options),
                                           .len = 10});
        peer.nxt += 10;
    }
    assert_int_equal(tcp_recv_ready(peer.conn), 20);
    peer_app_send(&peer, 10);
    assert_true(peer_take(&peer));
    assert_false(peer.got.has_timestamps);
    assert_int_equal(peer.got.len, 10);
}

/* 3.2: without ACK there is nothing to echo, and the field is zero; nor does
 * ours say anything: a SYN's echo is no round trip. */
static void timestamps__of_a_syn_echo_nothing(void **state)
{
    (void)state;
    peer.timestamps = true;
    peer.ts = 77;
    peer.ts_ecr = 0x12345678; /* of a connection before */
    peer_start(&peer);
    peer_listen(&peer, 8, 8);
    peer_syn(&peer);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.ts_ecr, 77);
    peer_end(&peer);
    peer_prepare(&peer);
    peer_start(&peer);
    peer_connect(&peer);
    assert_true(peer.got.has_timestamps);
    assert_int_equal(peer.got.ts_ecr, 0);
}

#define TEST(name) PEER_TEST(name, peer_prepared)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(scale__of_one_side_alone_scales_nothing),
        TEST(scale__is_not_of_the_syn_that_brings_it),
        TEST(scale__of_our_window_moves_no_edge_left),
        TEST(timestamps__not_agreed_on_mean_nothing),
        TEST(timestamps__of_a_syn_echo_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
