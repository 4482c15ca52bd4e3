/*
 * Ways that swallow large packets without a word: RFC 4821 7.
 *
 * Two stacks on a wire that loses every segment above a size.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/path.h"
#include "tests/host/host.h"
#include "tests/host/pair_tcp.h"

#define MS     1000ull
#define SECOND 1000000ull

enum { ETHERNET = 14, HEADERS_MAX = 40 + 12, BYTES = 200000 };

static struct pair pair;
static struct tcp_listener *listener;
static struct tcp_conn *client, *server;
static uint32_t limit;   /* of an IP packet that arrives */
static uint32_t largest; /* that did, towards the server */
static uint32_t received;

/* What the card would make of it. */
static uint32_t packet_bytes(const struct wire_frame *frame)
{
    return frame->flags & BUFFER_GSO_TCP4
               ? frame->gso_bytes + (uint32_t)HEADERS_MAX
               : frame->len - ETHERNET;
}

static bool swallow(void *context, const struct wire_frame *frame)
{
    uint32_t bytes = packet_bytes(frame);

    (void)context;
    if (frame->to != 1)
        return true;
    if (bytes > limit)
        return false;
    largest = bytes > largest ? bytes : largest;
    return true;
}

static void make(unsigned caps)
{
    host_seed(3);
    host_now_us = SECOND;
    pair_init(&pair, NULL);
    pair.dev[0].dev.caps = (uint16_t)caps;
    pair.dev[1].dev.caps = NETDEV_CAP_RX_CSUM | NETDEV_CAP_RX_GSO_TCP4;
    pair.wire.to[0].delay_us = pair.wire.to[1].delay_us = 10 * MS;
    pair.wire.observe = swallow;
    limit = 1500;
    listener = pair_listen(&pair);
}

static int setup(void **state)
{
    (void)state;
    make(0);
    return 0;
}

static int setup_gso(void **state)
{
    (void)state;
    make(NETDEV_CAP_TX_CSUM | NETDEV_CAP_TX_GSO_TCP4);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    assert_int_equal(pair_destroy(&pair), 0);
    return 0;
}

static void open_pair(void)
{
    client = pair_connect(&pair, 0, listener, &server);
    largest = 0;
}

static void close_pair(void)
{
    tcp_release(client, host_now_us);
    tcp_release(server, host_now_us);
    pair_run_until(&pair, host_now_us + SECOND);
}

static bool all_received(void *context)
{
    const uint32_t *bytes = context;
    struct buffer *chain;

    while (tcp_recv(server, UINT32_MAX, host_now_us, &chain) == TCP_OK) {
        received += buffer_chain_len(chain);
        buffer_release(chain);
    }
    return received >= *bytes;
}

static uint64_t counted(enum net_counter counter)
{
    return net_counters(pair.net[0])->value[counter];
}

static uint32_t path_now(void)
{
    struct tcp_info info;

    tcp_info_get(client, &info);
    return info.path_mtu_bytes;
}

/* Send `bytes` to the server; how long that took, at most a minute. */
static uint64_t transfer(uint32_t bytes)
{
    static uint8_t text[BYTES];
    uint64_t start_us = host_now_us;

    received = 0;
    assert_int_equal(tcp_send(client,
                              hostnet_chain(net_pool(pair.net[0]), text, bytes),
                              host_now_us),
                     TCP_OK);
    assert_true(
        pair_run_while(&pair, all_received, &bytes, host_now_us + 60 * SECOND));
    return host_now_us - start_us;
}

/* ---- tests ---- */

static void hole__text_arrives_after_some_time_outs(void **state)
{
    (void)state;
    open_pair();
    limit = 1300;
    assert_true(transfer(BYTES) < 10 * SECOND);
    assert_int_equal(counted(NET_COUNT_tcp_mtu_black_hole), 1);
    assert_true(largest <= 1300);
    close_pair();
}

static void hole__that_takes_little_too(void **state)
{
    (void)state;
    open_pair();
    limit = 600;
    assert_true(transfer(BYTES) < 20 * SECOND);
    assert_int_equal(counted(NET_COUNT_tcp_mtu_black_hole), 2);
    close_pair();
}

/* A probe found out how large: 1280, by way of the plateaus; the next one,
 * 1400, was lost, and what is known is kept. */
static void hole__is_measured_and_remembered(void **state)
{
    (void)state;
    open_pair();
    limit = 1300;
    transfer(BYTES);
    pair_run_until(&pair, host_now_us + 5 * SECOND);
    assert_int_equal(path_now(), 1280);
    assert_int_equal(counted(NET_COUNT_tcp_mtu_probe_lost), 1);
    close_pair();
    open_pair();
    assert_int_equal(path_now(), 1280);
    assert_true(transfer(BYTES) < 1 * SECOND);
    assert_int_equal(counted(NET_COUNT_tcp_mtu_black_hole), 1);
    close_pair();
}

static void hole__that_is_gone_is_found_to_be(void **state)
{
    (void)state;
    open_pair();
    limit = 1300;
    transfer(BYTES);
    limit = 1500;
    pair_run_until(&pair, host_now_us + 601 * SECOND);
    transfer(1); /* ARP has to ask again */
    for (unsigned i = 0; i < 4; i++)
        transfer(BYTES);
    assert_int_equal(path_now(), 1500);
    assert_int_equal(largest, 1500);
    close_pair();
}

/* Where the card cuts segments, a probe is one all the same. */
static void hole__under_a_card_that_segments(void **state)
{
    (void)state;
    hole__text_arrives_after_some_time_outs(state);
    hole__that_is_gone_is_found_to_be(state);
}

/* An outage looks the same; it costs small segments for a moment. */
static void outage__does_not_leave_small_segments(void **state)
{
    (void)state;
    open_pair();
    transfer(10000);
    pair.wire.cut = true;
    received = 0;
    assert_int_equal(tcp_send(client,
                              hostnet_chain(net_pool(pair.net[0]),
                                            (uint8_t[20000]){0}, 20000),
                              host_now_us),
                     TCP_OK);
    pair_run_until(&pair, host_now_us + 5 * SECOND);
    assert_int_equal(path_now(), 1500); /* larger ones have arrived before */
    pair_run_until(&pair, host_now_us + 20 * SECOND);
    assert_true(path_now() < 1500);
    pair.wire.cut = false;
    pair_run_until(&pair, host_now_us + 60 * SECOND);
    all_received(&(uint32_t){0});
    for (unsigned i = 0; i < 4; i++)
        transfer(BYTES);
    assert_int_equal(path_now(), 1500);
    close_pair();
}

/* Small segments say nothing about large ones. */
static void outage__of_small_segments_changes_nothing(void **state)
{
    (void)state;
    open_pair();
    pair.wire.cut = true;
    assert_int_equal(
        tcp_send(client,
                 hostnet_chain(net_pool(pair.net[0]), (uint8_t[100]){0}, 100),
                 host_now_us),
        TCP_OK);
    pair_run_until(&pair, host_now_us + 10 * SECOND);
    assert_int_equal(path_now(), 1500);
    pair.wire.cut = false;
    pair_run_until(&pair, host_now_us + 20 * SECOND);
    all_received(&(uint32_t){0});
    close_pair();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(hole__text_arrives_after_some_time_outs),
        TEST(hole__that_takes_little_too),
        TEST(hole__is_measured_and_remembered),
        TEST(hole__that_is_gone_is_found_to_be),
        cmocka_unit_test_setup_teardown(hole__under_a_card_that_segments,
                                        setup_gso, teardown),
        TEST(outage__does_not_leave_small_segments),
        TEST(outage__of_small_segments_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
