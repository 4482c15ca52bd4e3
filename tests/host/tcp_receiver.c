/*
 * tests/host/tcp_receiver.c - what tests of a receiver have in common.
 */
#include "tests/host/tcp_receiver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define AT(at) (PEER_ISS + 1 + (at))

void receiver_open(struct tcp_peer *peer, uint32_t bytes, bool delayed)
{
    peer_prepare(peer);
    peer->config.tcp.rcv_buf_bytes = bytes;
    peer->config.tcp.rcv_buf_begin_bytes = bytes;
    if (!delayed)
        peer->config.tcp.delayed_ack_us = 0;
    peer_start(peer);
    peer_open_passive(peer);
}

void receiver_input(struct tcp_peer *peer, uint32_t at, uint32_t len)
{
    peer_input(peer, (struct peer_seg){.seq = AT(at),
                                       .ack = peer->rcv,
                                       .flags = PEER_ACK,
                                       .len = len});
}

void receiver_text(struct tcp_peer *peer, uint32_t at, uint32_t len,
                   uint8_t flags)
{
    peer_send(peer, (struct peer_seg){.seq = AT(at),
                                      .ack = peer->rcv,
                                      .flags = flags | PEER_ACK,
                                      .len = len});
}

void receiver_expect_ack(struct tcp_peer *peer, uint32_t at)
{
    assert_true(peer_take(peer));
    assert_int_equal(peer->got.flags, PEER_ACK);
    assert_int_equal(peer->got.len, 0);
    assert_int_equal(peer->got.ack, AT(at));
}
