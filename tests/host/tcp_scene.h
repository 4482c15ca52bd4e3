/*
 * tests/host/tcp_scene.h - one stack and one scripted peer, made anew for
 * every test of a program.
 *
 * cmocka's setups and teardown. A program says how far its tests begin:
 *
 *     #define TEST(name) PEER_TEST(name, peer_opened)
 */
#ifndef TESTS_HOST_TCP_SCENE_H
#define TESTS_HOST_TCP_SCENE_H

#include "tests/host/tcp_peer.h"

extern struct tcp_peer peer;

/* Defaults stand in `peer`, for the test to change before it starts. */
int peer_prepared(void **state);

/* ... and the stack runs. */
int peer_started(void **state);

/* ... whose peer takes segments of 1460 bytes, as on Ethernet. */
int peer_started_wide(void **state);

/* ... and the peer has opened a connection, which is accepted. */
int peer_opened(void **state);

/* The same of a stack whose congestion control is NewReno, which halves. */
int peer_opened_newreno(void **state);

/* peer_end(): nothing may be left. */
int peer_ended(void **state);

/* The stack opens a connection, and sends so much; what the first window holds
 * is in flight. */
void peer_fly(uint32_t bytes);

#define PEER_TEST(name, begin)                                                 \
    cmocka_unit_test_setup_teardown(name, begin, peer_ended)

#endif
