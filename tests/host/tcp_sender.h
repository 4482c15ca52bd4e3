/*
 * tests/host/tcp_sender.h - conversations about text that the stack sends.
 *
 * The peer of tests/host/tcp_peer.h, 100 ms away, with segments of 1000 bytes
 * of text whatever the options are. Places in the stream count from its first
 * byte, so that the numbers behind them cross the wrap at byte 15.
 */
#ifndef TESTS_HOST_TCP_SENDER_H
#define TESTS_HOST_TCP_SENDER_H

#include "tests/host/tcp_peer.h"

#define SENDER_MS  1000ull
#define SENDER_RTT (100 * SENDER_MS)

/* Open a connection of a peer that has been prepared. */
void sender_open(struct tcp_peer *peer, bool sack, bool timestamps);

/* Prepare and open one whose stack has NewReno and a window of 20 segments. */
void sender_open_newreno(struct tcp_peer *peer, bool sack);

/* The application sends `len` bytes, and all of their segments leave. */
void sender_send(struct tcp_peer *peer, uint32_t len);

/* ... and a round trip passes. */
void sender_fly(struct tcp_peer *peer, uint32_t len);

/* The next packet has `len` pattern bytes from `at` on. */
void sender_expect(struct tcp_peer *peer, uint32_t at, uint32_t len);

/* The peer acknowledges all before `at`. */
void sender_ack(struct tcp_peer *peer, uint32_t at);

/* ... in this window, which may be 0. */
void sender_ack_window(struct tcp_peer *peer, uint32_t at, uint16_t window);

/* ... and says that it has [from, to) and [from2, to2); to2 0: only one. */
void sender_sack(struct tcp_peer *peer, uint32_t at, uint32_t from,
                 uint32_t to);
void sender_sack2(struct tcp_peer *peer, uint32_t at, uint32_t from,
                  uint32_t to, uint32_t from2, uint32_t to2);

#endif
