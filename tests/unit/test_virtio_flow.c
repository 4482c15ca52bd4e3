/*
 * A TCP connection over a virtio card that fails amid the traffic: row V18 of
 * the list of bad inputs, and what else ends in a reset. Every byte arrives, in
 * its place, whatever was lost with the rings.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <linux/virtio_net.h>

#include "net/tcp.h"
#include "tests/host/host.h"
#include "tests/host/nic_pair.h"

enum {
    PORT = 7,
    TOTAL = 1000000,
    PIECE = 20000,
    ROUNDS_MAX = 2000000,
    MS = 1000,
    RX = 0,
    TX = 1
};

static const uint64_t OFFER =
    VIRTIO_BIT(VIRTIO_F_VERSION_1) | VIRTIO_BIT(VIRTIO_RING_F_EVENT_IDX) |
    VIRTIO_BIT(VIRTIO_NET_F_MAC) | VIRTIO_BIT(VIRTIO_NET_F_CSUM) |
    VIRTIO_BIT(VIRTIO_NET_F_GUEST_CSUM) | VIRTIO_BIT(VIRTIO_NET_F_MRG_RXBUF) |
    VIRTIO_BIT(VIRTIO_NET_F_HOST_TSO4);

static struct nic_pair pair;
static struct tcp_listener *listener;
static struct tcp_conn *server, *client;
static uint8_t text[TOTAL];
static uint32_t sent, received;

/* --- the two programs ----------------------------------------------------- */

/* What comes to the server goes back. */
static void serve(void)
{
    struct buffer *chain;

    if (!server)
        server = tcp_accept(listener);
    if (server && tcp_send_room(server) >= PIECE &&
        tcp_recv(server, PIECE, host_now_us, &chain) == TCP_OK)
        assert_int_equal(tcp_send(server, chain, host_now_us), TCP_OK);
}

static void send_more(void)
{
    uint32_t bytes = TOTAL - sent < PIECE ? TOTAL - sent : PIECE;
    struct buffer *chain;

    if (bytes == 0 || tcp_send_room(client) < bytes)
        return;
    chain = buffer_wrap(net_pool(pair.net[1]), text + sent, bytes, NULL, NULL);
    if (chain && tcp_send(client, chain, host_now_us) == TCP_OK)
        sent += bytes;
    else
        buffer_release(chain);
}

static void receive_and_check(void)
{
    static uint8_t copy[PIECE];
    struct buffer *chain;
    uint32_t bytes;

    if (tcp_recv(client, PIECE, host_now_us, &chain) != TCP_OK)
        return;
    bytes = buffer_copy_out(chain, 0, copy, PIECE);
    assert_memory_equal(copy, text + received, bytes);
    received += bytes;
    buffer_release(chain);
}

/* --- the device ----------------------------------------------------------- */

static void pass_frames(void)
{
    uint32_t len;

    while (nic_pair_transmit(&pair))
        nic_pair_turn(&pair, 1);
    while ((len = nic_pair_answer(&pair)))
        fake_memory_deliver(&pair.memory, pair.frame, len, 0);
}

/* It wants to be reset. */
static void fail_by_status(void)
{
    pair.fake.status |= VIRTIO_CONFIG_S_NEEDS_RESET;
    fake_virtio_config_changed(&pair.fake);
}

/* It gives back what it does not have. */
static void fail_in_receive_ring(void)
{
    fake_memory_use(&pair.memory, RX, 9999, 1);
}

static void fail_in_transmit_ring(void)
{
    fake_memory_use(&pair.memory, TX, 9999, 1);
}

/* --- the test ------------------------------------------------------------- */

static int fresh(void **state)
{
    struct tcp_listen_options listen = {.backlog = 1, .syn_backlog = 1};
    struct net_config config = net_config_default();
    enum tcp_end why;

    (void)state;
    host_seed(18);
    host_now_us = 1000000;
    memset(&pair, 0, sizeof(pair));
    server = client = NULL;
    sent = received = 0;
    for (unsigned i = 0; i < TOTAL; i++)
        text[i] = (uint8_t)(i * 7 + (i >> 8) + (i >> 16));
    for (unsigned q = 0; q < 2; q++)
        pair.fake.queue[q].size = 64;
    config.pages_max = 4096;
    assert_true(nic_pair_make(&pair, OFFER, &config));
    assert_int_equal(tcp_listen(pair.net[0], PORT, &listen, &listener),
                     TCP_LISTEN_OK);
    assert_int_equal(tcp_connect(pair.net[1], NIC_PAIR_ADDR, PORT, 0,
                                 host_now_us, &client, &why),
                     TCP_OK);
    return 0;
}

static int nothing_left(void **state)
{
    (void)state;
    assert_int_equal(nic_pair_end(&pair), 0);
    return 0;
}

/* Let a stream go through, while `harm` is done at random places of it. */
static void echo_while(void (*harm)(void))
{
    uint32_t next = 1;

    for (unsigned i = 0; received < TOTAL; i++) {
        assert_true(i < ROUNDS_MAX);
        nic_pair_turn(&pair, 0);
        serve();
        nic_pair_turn(&pair, 0);
        send_more();
        receive_and_check();
        nic_pair_turn(&pair, 1);
        if (received >= next && fake_virtio_runs(&pair.fake)) {
            next = received + 1 + (uint32_t)host_random() % (TOTAL / 10);
            harm();
        }
        pass_frames();
        host_now_us += MS;
    }
    assert_true(pair.nic->count.resets >= 10);
    assert_int_equal(tcp_end_reason(client), TCP_END_NONE);
}

static void V18__reset_at_random_moments_loses_no_byte(void **state)
{
    (void)state;
    echo_while(fail_by_status);
}

static void V1__broken_receive_ring_amid_traffic_loses_no_byte(void **state)
{
    (void)state;
    echo_while(fail_in_receive_ring);
}

static void V1__broken_transmit_ring_amid_traffic_loses_no_byte(void **state)
{
    (void)state;
    echo_while(fail_in_transmit_ring);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, nothing_left)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(V18__reset_at_random_moments_loses_no_byte),
        TEST(V1__broken_receive_ring_amid_traffic_loses_no_byte),
        TEST(V1__broken_transmit_ring_amid_traffic_loses_no_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
