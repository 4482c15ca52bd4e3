/*
 * tests/host/tcp_peer_talk.c - handshakes of a scripted peer, and what the
 * application does at the other end.
 */
#include "tests/host/tcp_peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/host.h"
#include "tests/host/octets.h"

/* ---- opening ---- */

static void on_acceptable(void *context, struct tcp_listener *listener)
{
    struct tcp_peer *peer = context;

    (void)listener;
    peer->acceptables++;
}

static struct peer_seg syn_of(struct tcp_peer *peer, uint8_t *options)
{
    struct peer_seg seg = {.seq = PEER_ISS, .flags = PEER_SYN};

    seg.options = options;
    if (peer->mss) {
        memcpy(options, (uint8_t[]){2, 4}, 2);
        put16(options + 2, peer->mss);
        seg.options_len = 4;
    }
    if (peer->shift >= 0) {
        memcpy(options + seg.options_len,
               (uint8_t[]){1, 3, 3, (uint8_t)peer->shift}, 4);
        seg.options_len += 4;
    }
    if (peer->sack) {
        memcpy(options + seg.options_len, (uint8_t[]){1, 1, 4, 2}, 4);
        seg.options_len += 4;
    }
    peer->nxt = PEER_ISS + 1;
    return seg;
}

void peer_listen(struct tcp_peer *peer, uint32_t backlog, uint32_t syn_backlog)
{
    struct tcp_listen_options options = {.backlog = backlog,
                                         .syn_backlog = syn_backlog,
                                         .acceptable = on_acceptable,
                                         .context = peer};

    assert_int_equal(
        tcp_listen(peer->net, PEER_OUR_PORT, &options, &peer->listener),
        TCP_LISTEN_OK);
}

void peer_syn_with(struct tcp_peer *peer, uint8_t flags, uint8_t tos)
{
    uint8_t options[12];
    struct peer_seg seg = syn_of(peer, options);

    seg.flags |= flags;
    seg.tos = tos;
    peer_send(peer, seg);
}

void peer_syn(struct tcp_peer *peer)
{
    peer_syn_with(peer, 0, 0);
}

void peer_accept(struct tcp_peer *peer)
{
    peer_ack(peer, peer->rcv);
    peer->conn = tcp_accept(peer->listener);
    assert_non_null(peer->conn);
}

void peer_open_passive(struct tcp_peer *peer)
{
    peer_listen(peer, 8, 8);
    peer_syn(peer);
    assert_true(peer_take(peer));
    assert_int_equal(peer->got.flags, PEER_SYN | PEER_ACK);
    assert_int_equal(peer->got.seq, PEER_STACK_ISS);
    assert_int_equal(peer->got.ack, peer->nxt);
    peer_accept(peer);
    PEER_QUIET(peer);
}

void peer_connect(struct tcp_peer *peer)
{
    enum tcp_end why;

    assert_int_equal(tcp_connect(peer->net, ipv4_addr_make(PEER_ADDR),
                                 PEER_PORT, PEER_OUR_PORT, host_now_us,
                                 &peer->conn, &why),
                     TCP_OK);
    peer_settle(peer);
    assert_true(peer_take(peer));
    assert_int_equal(peer->got.flags & ~(PEER_ECE | PEER_CWR), PEER_SYN);
}

void peer_open_active(struct tcp_peer *peer)
{
    uint8_t options[12];
    struct peer_seg seg;

    peer_connect(peer);
    seg = syn_of(peer, options);
    seg.flags |= PEER_ACK;
    seg.ack = peer->rcv;
    peer_send(peer, seg);
    assert_true(peer_take(peer));
    assert_int_equal(peer->got.flags, PEER_ACK);
    PEER_QUIET(peer);
}

void peer_open_from(struct tcp_peer *peer, uint16_t port)
{
    peer_send(peer, (struct peer_seg){.seq = PEER_OTHER_ISS,
                                      .flags = PEER_SYN,
                                      .src_port = port});
    assert_true(peer_take(peer));
    peer_send(peer, (struct peer_seg){.seq = PEER_OTHER_ISS + 1,
                                      .ack = peer->rcv,
                                      .flags = PEER_ACK,
                                      .src_port = port});
}

/* ---- the application ---- */

void peer_app_close(struct tcp_peer *peer)
{
    tcp_shutdown(peer->conn, host_now_us);
    peer_settle(peer);
    assert_true(peer_take(peer));
    assert_int_equal(peer->got.flags, PEER_FIN | PEER_ACK);
}

void peer_app_release(struct tcp_peer *peer)
{
    tcp_release(peer->conn, host_now_us);
    peer->conn = NULL;
    peer_settle(peer);
}

void peer_app_send(struct tcp_peer *peer, uint32_t len)
{
    static uint8_t text[1 << 20];
    struct tcp_info info = peer_info(peer);
    uint32_t from = (uint32_t)info.bytes_sent;
    struct buffer *chain;

    from += tcp_send_pending(peer->conn) - info.in_flight_bytes;
    for (uint32_t i = 0; i < len; i++)
        text[i] = peer_byte(from + i);
    chain = hostnet_chain(net_pool(peer->net), text, len);
    assert_int_equal(tcp_send(peer->conn, chain, host_now_us), TCP_OK);
    peer_settle(peer);
}

uint32_t peer_app_recv(struct tcp_peer *peer, uint32_t max)
{
    uint32_t from =
        (uint32_t)peer_info(peer).bytes_received - tcp_recv_ready(peer->conn);
    struct buffer *chain;
    uint32_t len = 0;

    if (tcp_recv(peer->conn, max, host_now_us, &chain) != TCP_OK)
        return 0;
    for (struct buffer *buf = chain; buf; buf = buf->next)
        for (uint32_t i = 0; i < buf->len; i++, len++)
            assert_int_equal(buf->data[i], peer_byte(from + len));
    buffer_release(chain);
    peer_settle(peer);
    return len;
}

struct net_memory peer_memory(const struct tcp_peer *peer)
{
    struct net_memory memory;

    net_memory_get(peer->net, &memory);
    return memory;
}

struct tcp_info peer_info(const struct tcp_peer *peer)
{
    struct tcp_info info;

    tcp_info_get(peer->conn, &info);
    return info;
}

bool peer_state_is(const struct tcp_peer *peer, const char *name)
{
    return strcmp(peer_info(peer).state, name) == 0;
}
