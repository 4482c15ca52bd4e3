/*
 * Buffers that grow with what the path carries, each way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/tcp_conn.h"
#include "tests/host/host.h"
#include "tests/host/pair_tcp.h"
#include "tests/host/tcp_scene.h"

#define MS     1000ull
#define SECOND 1000000ull
#define RTT_US (100 * MS)

enum { MIB = 1 << 20 };

/* A connection whose handshake took a round trip of 100 ms. */
static void open_slowly(void)
{
    peer_start(&peer);
    peer_listen(&peer, 8, 8);
    peer_syn(&peer);
    peer_take_all(&peer);
    peer_wait(&peer, RTT_US);
    peer.rcv = PEER_STACK_ISS + 1;
    peer_accept(&peer);
    assert_int_equal(peer_info(&peer).srtt_us, RTT_US);
}

static void prepare(void)
{
    peer_prepare(&peer);
    peer.shift = 7;
    peer.mss = 1000;
    peer.config.pages_max = 16384;
}

static int setup(void **state)
{
    (void)state;
    prepare();
    open_slowly();
    return 0;
}

/* The window that the last packet of the stack offers, in bytes. */
static uint32_t offered(void)
{
    uint32_t window = 0;

    while (peer_take(&peer))
        window = (uint32_t)peer.got.window << peer_info(&peer).rcv_wnd_shift;
    return window;
}

/* The peer sends `bytes` in a round trip; the application reads them. */
static void round_trip(uint32_t bytes, bool read)
{
    for (uint32_t sent = 0; sent < bytes; sent += 1000)
        peer_text(&peer, 1000, 0);
    if (read)
        while (peer_app_recv(&peer, UINT32_MAX) > 0)
            ;
    peer_wait(&peer, RTT_US);
}

/* ---- receiving ---- */

static void window__begins_at_64_kib_with_a_scale_for_the_most(void **state)
{
    (void)state;
    peer_text(&peer, 1000, 0);
    peer_wait(&peer, 1 * SECOND);
    assert_in_range(offered(), 60000, 65536);
    assert_int_equal(peer_info(&peer).rcv_wnd_shift, 7); /* 4 MiB */
}

static void window__doubles_with_what_is_read_in_a_round_trip(void **state)
{
    uint32_t sent = 60000, window;

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        round_trip(sent, true);
        round_trip(1000, true);
        window = offered();
        assert_true(window + 1000 > 2 * sent);
        sent *= 2;
    }
}

static void window__grows_to_its_bound(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 8; i++)
        round_trip((60000u << i) > 2 * MIB ? 2 * MIB : 60000u << i, true);
    assert_int_equal(peer_info(&peer).rcv_buf_bytes, 4 * MIB);
    assert_true(offered() <= 4 * MIB);
}

static void window__does_not_grow_for_a_slow_peer(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20; i++)
        round_trip(16000, true);
    assert_int_equal(peer_info(&peer).rcv_buf_bytes, 65536);
}

static void
window__does_not_grow_for_an_application_that_reads_not(void **state)
{
    (void)state;
    round_trip(60000, false);
    for (unsigned i = 0; i < 10; i++) {
        peer_app_recv(&peer, 1000);
        round_trip(0, false);
    }
    assert_int_equal(peer_info(&peer).rcv_buf_bytes, 65536);
}

/* SHLD-14: whatever it does meanwhile. */
static void window__its_edge_never_moves_left(void **state)
{
    uint32_t edge = peer.conn->rcv.edge;

    (void)state;
    for (unsigned i = 0; i < 40; i++) {
        round_trip((i * 7919) % 120000 < 60000 ? 60000 : 1000, i % 3 > 0);
        assert_true(seq_leq(edge, peer.conn->rcv.edge));
        edge = peer.conn->rcv.edge;
        if (i % 3 == 0)
            round_trip(0, true);
    }
}

static void window__of_exactly_65535_stays(void **state)
{
    (void)state;
    prepare();
    peer.config.tcp.rcv_buf_bytes = 65535;
    open_slowly();
    assert_int_equal(peer_info(&peer).rcv_wnd_shift, 0);
    for (unsigned i = 0; i < 8; i++)
        round_trip(65000, true);
    assert_int_equal(offered(), 65535);
}

static void window__leaves_the_budget_to_others(void **state)
{
    (void)state;
    prepare();
    peer.config.flow_pages_max = 256; /* 1 MiB */
    open_slowly();
    for (unsigned i = 0; i < 8; i++)
        round_trip(i < 2 ? 60000u << i : 200000, true);
    assert_int_equal(peer_info(&peer).rcv_buf_bytes, MIB / 4);
    peer.net->tcp.budget.held_bytes_max = MIB / 2; /* others came */
    round_trip(200000, true);
    assert_int_equal(peer_info(&peer).rcv_buf_bytes, MIB / 4);
}

/* ---- sending ---- */

static void sending__room_grows_with_the_window(void **state)
{
    (void)state;
    assert_int_equal(tcp_send_room(peer.conn), 256 * 1024);
    peer.conn->cwnd = 600000;
    assert_int_equal(tcp_send_room(peer.conn), 1200000);
    peer.conn->cwnd = 60000000;
    assert_int_equal(tcp_send_room(peer.conn), 4 * MIB);
    peer.net->tcp.budget.held_bytes_max = 8 * MIB;
    assert_int_equal(tcp_send_room(peer.conn), 2 * MIB);
    peer.net->config.tcp.snd_buf_bytes = 100000;
    assert_int_equal(tcp_send_room(peer.conn), 100000);
}

/* ---- both, on a long fat path ---- */

struct stream {
    struct pair *pair;
    struct tcp_conn *from, *to;
    uint64_t received, enough;
};

static bool pump(void *context)
{
    static uint8_t text[65536];
    struct stream *stream = context;
    struct buffer *chain;

    while (tcp_send_room(stream->from) >= sizeof(text)) {
        chain =
            hostnet_chain(net_pool(stream->pair->net[0]), text, sizeof(text));
        if (tcp_send(stream->from, chain, host_now_us) != TCP_OK) {
            buffer_release(chain);
            break;
        }
    }
    while (tcp_recv(stream->to, UINT32_MAX, host_now_us, &chain) == TCP_OK) {
        stream->received += buffer_chain_len(chain);
        buffer_release(chain);
    }
    return stream->received >= stream->enough;
}

/* 100 Mbit/s and 100 ms: 1.25 MB fill it. */
static void path__that_is_long_and_fat_is_filled(void **state)
{
    struct net_config config[2] = {net_config_default(), net_config_default()};
    struct pair pair;
    struct stream stream = {.pair = &pair};
    uint64_t start_us;

    (void)state;
    host_now_us = 1 * SECOND;
    host_seed(3);
    pair_init(&pair, config);
    for (unsigned i = 0; i < 2; i++) {
        pair.wire.to[i].delay_us = RTT_US / 2;
        pair.wire.to[i].bytes_per_s = 12500000;
    }
    stream.from = pair_connect(&pair, 0, pair_listen(&pair), &stream.to);
    stream.enough = 5000000; /* slow start */
    assert_true(pair_run_while(&pair, pump, &stream, 10 * SECOND));
    start_us = host_now_us;
    stream.enough += 12500000;
    assert_true(pair_run_while(&pair, pump, &stream, 20 * SECOND));
    assert_true(host_now_us - start_us < 1100 * MS); /* 90 % of the link */
    pair_destroy(&pair);
}

#define TEST(name) PEER_TEST(name, setup)
#define OWN(name)  cmocka_unit_test_teardown(name, peer_ended)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(window__begins_at_64_kib_with_a_scale_for_the_most),
        TEST(window__doubles_with_what_is_read_in_a_round_trip),
        TEST(window__grows_to_its_bound),
        TEST(window__does_not_grow_for_a_slow_peer),
        TEST(window__does_not_grow_for_an_application_that_reads_not),
        TEST(window__its_edge_never_moves_left),
        OWN(window__of_exactly_65535_stays),
        OWN(window__leaves_the_budget_to_others),
        TEST(sending__room_grows_with_the_window),
        cmocka_unit_test(path__that_is_long_and_fat_is_filled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
