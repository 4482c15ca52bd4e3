/*
 * tests/host/tcp_sender.c - what tests of a sender have in common.
 */
#include "tests/host/tcp_sender.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/host/host.h"

#define AT(at) (PEER_STACK_ISS + 1 + (at))

void sender_open(struct tcp_peer *peer, bool sack, bool timestamps)
{
    peer->sack = sack;
    peer->timestamps = timestamps;
    peer->ts = 1;
    peer->mss = timestamps ? 1012 : 1000;
    peer_start(peer);
    peer_listen(peer, 8, 8);
    peer_syn(peer);
    assert_true(peer_take(peer));
    host_now_us += SENDER_RTT;
    peer_ack(peer, peer->rcv);
    peer->conn = tcp_accept(peer->listener);
    assert_non_null(peer->conn);
}

void sender_open_newreno(struct tcp_peer *peer, bool sack)
{
    peer_prepare(peer);
    peer->config.tcp.congestion = TCP_CONGESTION_NEWRENO;
    peer->config.tcp.initial_cwnd_segments = 20;
    sender_open(peer, sack, false);
    assert_int_equal(peer_info(peer).cwnd_bytes, 20000);
}

void sender_send(struct tcp_peer *peer, uint32_t len)
{
    peer_app_send(peer, len);
    assert_int_equal(peer_take_all(peer), (len + 999) / 1000);
}

void sender_fly(struct tcp_peer *peer, uint32_t len)
{
    sender_send(peer, len);
    host_now_us += SENDER_RTT;
}

void sender_expect(struct tcp_peer *peer, uint32_t at, uint32_t len)
{
    assert_true(peer_take(peer));
    assert_int_equal(peer->got.seq - AT(0), at);
    assert_int_equal(peer->got.len, len);
    for (uint32_t i = 0; i < len; i++)
        assert_int_equal(peer->got.text[i], peer_byte(at + i));
}

void sender_ack(struct tcp_peer *peer, uint32_t at)
{
    peer_ack(peer, AT(at));
}

void sender_ack_window(struct tcp_peer *peer, uint32_t at, uint16_t window)
{
    const struct peer_seg ack = {
        .seq = peer->nxt, .ack = AT(at), .flags = PEER_ACK};
    uint16_t before = peer->window;
    uint8_t packet[80];
    uint32_t len;

    peer->window = window;
    len = peer_build(peer, ack, packet);
    peer_send_raw(peer, packet, len);
    peer->window = before;
}

void sender_sack2(struct tcp_peer *peer, uint32_t at, uint32_t from,
                  uint32_t to, uint32_t from2, uint32_t to2)
{
    const uint32_t blocks[2][2] = {{AT(from), AT(to)}, {AT(from2), AT(to2)}};

    peer_sack(peer, AT(at), blocks, to2 ? 2 : 1);
}

void sender_sack(struct tcp_peer *peer, uint32_t at, uint32_t from, uint32_t to)
{
    sender_sack2(peer, at, from, to, 0, 0);
}
