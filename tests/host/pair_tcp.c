/*
 * tests/host/pair_tcp.c - see pair_tcp.h.
 */
#include "tests/host/pair_tcp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/host/host.h"

#define SECOND 1000000ull

struct tcp_listener *pair_listen(struct pair *pair)
{
    struct tcp_listen_options options = {.backlog = 4, .syn_backlog = 4};
    struct tcp_listener *listener;

    assert_int_equal(tcp_listen(pair->net[1], PAIR_PORT, &options, &listener),
                     TCP_LISTEN_OK);
    return listener;
}

struct tcp_conn *pair_connect(struct pair *pair, unsigned from,
                              struct tcp_listener *listener,
                              struct tcp_conn **server)
{
    struct tcp_conn *client;
    enum tcp_end why;

    assert_int_equal(tcp_connect(pair->net[from], PAIR_B_ADDR, PAIR_PORT, 0,
                                 host_now_us, &client, &why),
                     TCP_OK);
    pair_run_until(pair, host_now_us + SECOND);
    *server = tcp_accept(listener);
    assert_non_null(*server);
    return client;
}

uint8_t pair_byte(uint32_t at)
{
    return (uint8_t)(at * 13 + (at >> 9));
}

void pair_put(struct net *net, struct tcp_conn *conn, uint32_t from,
              uint32_t len)
{
    static uint8_t text[1 << 20];

    for (uint32_t i = 0; i < len; i++)
        text[i] = pair_byte(from + i);
    assert_int_equal(
        tcp_send(conn, hostnet_chain(net_pool(net), text, len), host_now_us),
        TCP_OK);
}

uint32_t pair_take(struct tcp_conn *conn, uint32_t from)
{
    struct buffer *chain;
    uint32_t at = from;

    if (tcp_recv(conn, UINT32_MAX, host_now_us, &chain) != TCP_OK)
        return 0;
    for (struct buffer *buf = chain; buf; buf = buf->next)
        for (uint32_t i = 0; i < buf->len; i++, at++)
            assert_int_equal(buf->data[i], pair_byte(at));
    buffer_release(chain);
    return at - from;
}

void pair_stream(struct pair *pair, struct tcp_conn *client,
                 struct tcp_conn *server, uint32_t from, uint32_t to)
{
    uint32_t sent = from, got = from;
    uint64_t end_us = host_now_us + 600 * SECOND;

    while (got < to && host_now_us < end_us) {
        uint32_t room = tcp_send_room(client);
        uint32_t len = room < to - sent ? room : to - sent;

        if (len > 0)
            pair_put(pair->net[0], client, sent, len);
        sent += len;
        pair_step(pair);
        host_now_us = pair_next(pair);
        got += pair_take(server, got);
    }
    assert_int_equal(got, to);
}
