/*
 * tests/host/tcp_receiver.h - conversations about text that the stack receives.
 *
 * The peer of tests/host/tcp_peer.h. Places in its stream count from its first
 * byte, so that the numbers behind them cross the wrap at byte 31.
 */
#ifndef TESTS_HOST_TCP_RECEIVER_H
#define TESTS_HOST_TCP_RECEIVER_H

#include "tests/host/tcp_peer.h"

/* Prepare, start and open a connection whose receive buffer has `bytes`, and
 * does not grow; whether it delays its acknowledgements. */
void receiver_open(struct tcp_peer *peer, uint32_t bytes, bool delayed);

/* A segment of `len` pattern bytes from `at` on; and the same, input only. */
void receiver_text(struct tcp_peer *peer, uint32_t at, uint32_t len,
                   uint8_t flags);
void receiver_input(struct tcp_peer *peer, uint32_t at, uint32_t len);

/* The stack sends a bare ACK of all before `at`. */
void receiver_expect_ack(struct tcp_peer *peer, uint32_t at);

#endif
