/*
 * Two stacks on a cable while what is below TCP goes wrong: ARP is lost,
 * addresses change, gateways go and come back, a stranger has our address.
 *
 * A sends a stream to B and nothing else; whatever happens, the bytes that
 * arrive are those that were sent, and at the end nothing is left.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "net/interface.h"
#include "net/tcp.h"
#include "tests/host/host.h"
#include "tests/host/pair.h"

enum { SECOND = 1000000, PORT = 80, STREAM_BYTES = 300000, PIECE = 1000 };

/* A host behind B, which is its gateway: B itself, on a second card. */
#define FAR IPV4_ADDR(192, 168, 5, 7)

static struct sim {
    struct pair pair;
    struct memdev far;
    struct tcp_listener *listener;
    struct tcp_conn *out, *in;
    uint32_t limit; /* of what A sends */
    uint32_t sent, got;
    unsigned arp_seen;   /* frames of ARP on the cable */
    unsigned arp_losses; /* the first so many of them are lost */
    unsigned told[2];    /* address events of A and of B */
} sim;

static uint8_t byte_at(uint32_t at)
{
    return (uint8_t)(at * 31 + (at >> 8));
}

static bool lose_arp(void *context, const struct wire_frame *frame)
{
    (void)context;
    if (frame->bytes[12] != 8 || frame->bytes[13] != 6)
        return true;
    return sim.arp_seen++ >= sim.arp_losses;
}

static void address_event(void *context, unsigned interface, unsigned changes)
{
    (void)interface;
    sim.told[context == &sim.pair.host[1]] |= changes;
}

static int setup(void **state)
{
    struct net_config config[2];
    const struct net_address far = {FAR, 24, IPV4_ADDR(0, 0, 0, 0)};
    const struct tcp_listen_options options = {.backlog = 4, .syn_backlog = 4};

    (void)state;
    host_seed(3);
    memset(&sim, 0, sizeof(sim));
    sim.limit = STREAM_BYTES;
    for (int i = 0; i < 2; i++) {
        config[i] = net_config_default();
        config[i].host.address_event = address_event;
    }
    pair_init(&sim.pair, config);
    sim.pair.wire.observe = lose_arp;
    for (int i = 0; i < 2; i++)
        sim.pair.wire.to[i] =
            (struct wire_quality){.delay_us = 5000, .bytes_per_s = 100000};
    memdev_init(&sim.far, (struct mac_addr){{2, 0, 0, 0, 0, 9}});
    assert_int_equal(net_attach(sim.pair.net[1], &sim.far.dev, &far), NET_OK);
    assert_int_equal(tcp_listen(sim.pair.net[1], PORT, &options, &sim.listener),
                     TCP_LISTEN_OK);
    return 0;
}

static int teardown(void **state)
{
    size_t pages;

    (void)state;
    if (sim.out)
        tcp_release(sim.out, host_now_us);
    if (sim.in)
        tcp_release(sim.in, host_now_us);
    tcp_unlisten(sim.listener, host_now_us);
    memdev_clear(&sim.far);
    pages = pair_destroy(&sim.pair);
    return pages == 0 ? 0 : -1;
}

/* --- the stream ----------------------------------------------------------- */

static void connect_to(struct ipv4_addr dst)
{
    enum tcp_end why;

    assert_int_equal(
        tcp_connect(sim.pair.net[0], dst, PORT, 0, host_now_us, &sim.out, &why),
        TCP_OK);
}

static void write_some(void)
{
    while (sim.sent < sim.limit && tcp_send_room(sim.out) >= PIECE) {
        struct buffer *piece =
            buffer_alloc(net_pool(sim.pair.net[0]), BUFFER_LARGE, 0);

        piece->len = PIECE;
        for (uint32_t i = 0; i < PIECE; i++)
            piece->data[i] = byte_at(sim.sent + i);
        if (tcp_send(sim.out, piece, host_now_us) != TCP_OK) {
            buffer_release(piece);
            return;
        }
        sim.sent += PIECE;
    }
}

static void read_some(void)
{
    struct buffer *chain;

    if (!sim.in)
        sim.in = tcp_accept(sim.listener);
    while (sim.in &&
           tcp_recv(sim.in, UINT32_MAX, host_now_us, &chain) == TCP_OK) {
        for (struct buffer *view = chain; view; view = view->next)
            for (uint32_t i = 0; i < view->len; i++)
                assert_int_equal(view->data[i], byte_at(sim.got++));
        buffer_release(chain);
    }
}

static bool work(void *context)
{
    if (sim.out && tcp_end_reason(sim.out) == TCP_END_NONE)
        write_some();
    read_some();
    return sim.got >= *(const uint32_t *)context;
}

/* Go on until B has so many bytes; returns whether it came to that in time. */
static bool run_to(uint32_t bytes, uint64_t within_us)
{
    return pair_run_while(&sim.pair, work, &bytes, host_now_us + within_us);
}

static void run_for(uint64_t us)
{
    assert_false(run_to(UINT32_MAX, us));
}

/* --- addresses ------------------------------------------------------------ */

static void set_address(unsigned which, struct ipv4_addr addr,
                        struct ipv4_addr gateway)
{
    const struct net_address address = {addr, 24, gateway};

    assert_int_equal(
        interface_set_address(sim.pair.net[which], 0, &address, host_now_us),
        NET_OK);
}

static void arp__every_loss_of_the_first_frames_is_overcome(void **state)
{
    (void)state;
    run_for(3 * SECOND); /* announcements */
    sim.arp_seen = 0;
    sim.arp_losses = 2; /* questions; the third is answered */
    connect_to(PAIR_B_ADDR);
    assert_true(run_to(STREAM_BYTES, 60 * SECOND));
    assert_int_equal(tcp_end_reason(sim.out), TCP_END_NONE);
}

/* Ageing asks again and again; losses there delay nothing for long. */
static void arp__losses_while_it_runs_do_not_end_it(void **state)
{
    (void)state;
    sim.limit = 0;
    connect_to(PAIR_B_ADDR);
    run_for(10 * SECOND);
    sim.arp_seen = 0;
    sim.arp_losses = 5;
    for (uint32_t i = 1; i <= 20; i++) { /* through several ages of an entry */
        sim.limit = STREAM_BYTES / 20 * i;
        assert_true(run_to(sim.limit, 90 * SECOND));
        run_for(15 * SECOND);
    }
    assert_true(sim.arp_seen > 5);
    assert_int_equal(tcp_end_reason(sim.out), TCP_END_NONE);
}

static void
address__change_ends_the_connection_and_another_can_begin(void **state)
{
    (void)state;
    connect_to(PAIR_B_ADDR);
    assert_true(run_to(STREAM_BYTES / 3, 60 * SECOND));
    set_address(0, IPV4_ADDR(10, 0, 0, 77), IPV4_ADDR(0, 0, 0, 0));
    assert_int_equal(tcp_end_reason(sim.out), TCP_END_ADDRESS);
    run_for(SECOND);
    assert_true(sim.told[0] & NET_ADDRESS_CHANGED);
    tcp_release(sim.out, host_now_us);
    tcp_release(sim.in, host_now_us);
    sim.in = NULL;
    sim.sent = sim.got = 0;
    connect_to(PAIR_B_ADDR); /* from the new address, at once */
    assert_true(run_to(STREAM_BYTES, 60 * SECOND));
}

static void address__that_comes_back_carries_the_stream_on(void **state)
{
    (void)state;
    connect_to(PAIR_B_ADDR);
    for (uint32_t third = 1; third <= 2; third++) {
        assert_true(run_to(STREAM_BYTES / 3 * third, 60 * SECOND));
        interface_clear_address(sim.pair.net[third - 1], 0, host_now_us);
        run_for(10 * SECOND);
        assert_int_equal(tcp_end_reason(sim.out), TCP_END_NONE);
        set_address(third - 1, third == 1 ? PAIR_A_ADDR : PAIR_B_ADDR,
                    IPV4_ADDR(0, 0, 0, 0));
    }
    assert_true(run_to(STREAM_BYTES, 120 * SECOND));
}

/* --- gateways ------------------------------------------------------------- */

static void gateway__that_goes_and_returns_carries_the_stream_on(void **state)
{
    (void)state;
    set_address(0, PAIR_A_ADDR, PAIR_B_ADDR);
    connect_to(FAR);
    assert_true(run_to(STREAM_BYTES / 3, 60 * SECOND));
    sim.pair.wire.cut = true;
    run_for(120 * SECOND); /* its entry has failed several times */
    assert_int_equal(tcp_end_reason(sim.out), TCP_END_NONE);
    sim.pair.wire.cut = false;
    assert_true(run_to(STREAM_BYTES, 180 * SECOND));
}

/* Another machine takes the gateway's place, and says so. */
static void gateway__with_another_card_is_found_at_once(void **state)
{
    (void)state;
    set_address(0, PAIR_A_ADDR, PAIR_B_ADDR);
    connect_to(FAR);
    assert_true(run_to(STREAM_BYTES / 3, 60 * SECOND));
    run_for(0);
    sim.pair.dev[1].dev.mac.byte[5] = 0x55;
    net_device_event(sim.pair.net[1], &sim.pair.dev[1].dev, NETDEV_EV_LINK_UP,
                     host_now_us);
    assert_true(run_to(STREAM_BYTES, 60 * SECOND));
}

/* --- a stranger with our address ------------------------------------------ */

/* He says to everybody that A's address is his. */
static void claim(uint16_t operation)
{
    uint8_t frame[42] = {255,  255, 255, 255, 255, 255,  2,  0, 0, 0, 0,
                         0x66, 8,   6,   0,   1,   8,    0,  6, 4, 0, 0,
                         2,    0,   0,   0,   0,   0x66, 10, 0, 0, 1, 0,
                         0,    0,   0,   0,   0,   10,   0,  0, 1};

    frame[21] = (uint8_t)operation;
    for (int i = 0; i < 2; i++)
        assert_true(memdev_inject(&sim.pair.dev[i], frame, sizeof(frame)));
}

static void duplicate__is_contradicted_and_the_stream_goes_on(void **state)
{
    (void)state;
    sim.limit = STREAM_BYTES / 3;
    connect_to(PAIR_B_ADDR);
    run_for(10 * SECOND); /* B knows A for so long that it may change */
    sim.limit = STREAM_BYTES;
    claim(1);
    /* 2 s without him; B asks everybody, not him whom it believes. */
    assert_true(run_to(STREAM_BYTES, 5 * SECOND));
    assert_false(sim.told[0] & NET_ADDRESS_CONFLICT);
}

static void duplicate__that_does_not_stop_is_told_to_the_host(void **state)
{
    (void)state;
    connect_to(PAIR_B_ADDR);
    assert_true(run_to(STREAM_BYTES / 3, 60 * SECOND));
    for (int i = 0; i < 5; i++) {
        claim(1);
        run_for(SECOND);
    }
    assert_true(sim.told[0] & NET_ADDRESS_CONFLICT);
    assert_false(sim.told[1] & NET_ADDRESS_CONFLICT);
    assert_true(run_to(STREAM_BYTES, 120 * SECOND)); /* he has gone */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(arp__every_loss_of_the_first_frames_is_overcome),
        TEST(arp__losses_while_it_runs_do_not_end_it),
        TEST(address__change_ends_the_connection_and_another_can_begin),
        TEST(address__that_comes_back_carries_the_stream_on),
        TEST(gateway__that_goes_and_returns_carries_the_stream_on),
        TEST(gateway__with_another_card_is_found_at_once),
        TEST(duplicate__is_contradicted_and_the_stream_goes_on),
        TEST(duplicate__that_does_not_stop_is_told_to_the_host),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
