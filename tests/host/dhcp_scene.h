/*
 * tests/host/dhcp_scene.h - a client that has just begun to look for an
 * address, made anew for every test of a program, and its server's words.
 *
 * For tests only: every call asserts what it expects, with cmocka.
 */
#ifndef TESTS_HOST_DHCP_SCENE_H
#define TESTS_HOST_DHCP_SCENE_H

#include "tests/host/dhcp_peer.h"

/* Types of messages: RFC 2132 9.6. */
enum { DISCOVER = 1, OFFER, REQUEST, DECLINE, ACK, NAK };

extern struct dhcp_peer dhcp;

/* cmocka's setup and teardown; nothing may be left. */
int dhcp_fresh(void **state);
int dhcp_ended(void **state);

#define DHCP_TEST(name, begin)                                                 \
    cmocka_unit_test_setup_teardown(name, begin, dhcp_ended)

/* Within so long the client says this. */
void dhcp_hears(uint8_t type, uint64_t within_us);

/* The server says this to everybody, with all that a lease needs. */
void dhcp_says(uint8_t type, uint32_t yiaddr, uint32_t lease_s);

/* RFC 2131 4.4: the state that the client is in. */
const char *dhcp_now_in(void);

#endif
