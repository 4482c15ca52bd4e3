/*
 * tests/host/pair_tcp.h - a TCP connection between the stacks of a pair, and
 * the pattern that it carries.
 *
 * For tests only: every call asserts what it expects, with cmocka.
 */
#ifndef TESTS_HOST_PAIR_TCP_H
#define TESTS_HOST_PAIR_TCP_H

#include "tests/host/pair.h"

enum { PAIR_PORT = 80 };

/* B listens on PAIR_PORT. */
struct tcp_listener *pair_listen(struct pair *pair);

/* Stack `from` of the pair connects there, and a second goes by; `server` is
 * what the listener accepts. Returns: the other end. */
struct tcp_conn *pair_connect(struct pair *pair, unsigned from,
                              struct tcp_listener *listener,
                              struct tcp_conn **server);

/* Byte `at` of the pattern. */
uint8_t pair_byte(uint32_t at);

/* Hand over `len` bytes of it, in views of 1984; they are not sent yet. */
void pair_put(struct net *net, struct tcp_conn *conn, uint32_t from,
              uint32_t len);

/* Take what is there, and compare. Returns: how many bytes. */
uint32_t pair_take(struct tcp_conn *conn, uint32_t from);

/* Bytes [from, to) go from A's end and come, as fast as they can. */
void pair_stream(struct pair *pair, struct tcp_conn *client,
                 struct tcp_conn *server, uint32_t from, uint32_t to);

#endif
