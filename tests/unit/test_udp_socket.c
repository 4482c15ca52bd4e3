/*
 * UDP sockets: ports, peers, bounded queues, and errors of ICMP.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "net/udp.h"
#include "tests/host/host.h"
#include "tests/host/station_scene.h"

enum { PORT = 4321, PEER_PORT = 1234 };

static struct udp_socket *udp;
static unsigned events;

static void note(void *context)
{
    assert_ptr_equal(context, &station);
    events++;
}

static int setup(void **state)
{
    const struct udp_options options = {
        .port = PORT, .event = note, .context = &station};

    station_met(state);
    events = 0;
    return udp_open(station.net, &options, &udp) == UDP_OK ? 0 : -1;
}

static int teardown(void **state)
{
    if (udp)
        udp_close(udp);
    return station_ended(state);
}

/* A datagram of `bytes` times `value`, from `src`:`src_port`. */
static void comes(uint32_t src, uint16_t src_port, uint32_t dst, uint8_t value,
                  uint32_t bytes)
{
    station_ethernet(&station, station_mac, station_peer_mac, 0x0800);
    station_ip(&station, src, dst, 17, 8 + bytes);
    station_word(&station, src_port);
    station_word(&station, PORT);
    station_word(&station, (uint16_t)(8 + bytes));
    station_word(&station, 0);
    station_fill(&station, value, bytes);
    station_send(&station);
}

static void expect(uint8_t value, uint32_t bytes)
{
    struct udp_datagram from;
    struct buffer *data;
    uint8_t first;

    assert_int_equal(udp_receive(udp, &from, &data), UDP_OK);
    assert_int_equal(buffer_chain_len(data), bytes);
    if (bytes > 0) {
        buffer_copy_out(data, 0, &first, 1);
        assert_int_equal(first, value);
    } else {
        assert_null(data);
    }
    assert_int_equal(ipv4_addr_host(from.dst), STATION_ADDR);
    assert_int_equal(from.dst_port, PORT);
    buffer_release(data);
}

static void expect_status(enum udp_status wanted)
{
    struct udp_datagram from;
    struct buffer *data;

    assert_int_equal(udp_receive(udp, &from, &data), wanted);
    assert_null(data);
}

static struct udp_info info(void)
{
    struct udp_info now;

    udp_info_get(udp, &now);
    return now;
}

static enum udp_status send_to(uint32_t dst, uint16_t port)
{
    struct buffer *data = hostnet_chain(net_pool(station.net), "word", 4);
    enum udp_status status = udp_send_to(udp, ipv4_addr_make(dst), port, data);

    if (status == UDP_AGAIN)
        buffer_release(data);
    net_flush(station.net, host_now_us);
    return status;
}

/* ICMP says something about a datagram from PORT to `dst`:PEER_PORT. */
static void icmp_about(uint8_t type, uint8_t code, uint32_t dst)
{
    station_ethernet(&station, station_mac, station_peer_mac, 0x0800);
    station_ip(&station, STATION_GATEWAY, STATION_ADDR, 1, 8 + 28);
    station_byte(&station, type);
    station_byte(&station, code);
    station_word(&station, 0);
    station_long(&station, 0);
    station_byte(&station, 0x45);
    station_byte(&station, 0);
    station_word(&station, 20 + 12);
    station_long(&station, 0);
    station_byte(&station, 63);
    station_byte(&station, 17);
    station_word(&station, 0);
    station_long(&station, STATION_ADDR);
    station_long(&station, dst);
    station_word(&station, PORT);
    station_word(&station, PEER_PORT);
    station_word(&station, 12);
    station_word(&station, 0);
    station_checksum(&station, 34, 36, 0);
    station_send(&station);
}

static void connect_to_peer(void)
{
    assert_int_equal(udp_connect(udp, ipv4_addr_make(STATION_PEER), PEER_PORT),
                     UDP_OK);
}

/* --- queues --------------------------------------------------------------- */

static void queue__keeps_order_and_empty_datagrams(void **state)
{
    (void)state;
    for (uint8_t i = 0; i < 5; i++)
        comes(STATION_PEER, PEER_PORT, STATION_ADDR, i, i);
    assert_int_equal(events, 5);
    assert_int_equal(info().queued, 5);
    for (uint8_t i = 0; i < 5; i++)
        expect(i, i);
    expect_status(UDP_AGAIN);
    assert_int_equal(info().queued_bytes, 0);
}

static void queue__U12_full_drops_the_newest_and_counts_it(void **state)
{
    uint64_t kept;

    (void)state;
    for (unsigned i = 0; i < 5000; i++)
        comes(STATION_PEER, PEER_PORT, STATION_ADDR, (uint8_t)i, 1);
    kept = info().queued;
    assert_true(info().queued_bytes <= UDP_QUEUE_BYTES);
    assert_true(kept < 5000);
    assert_int_equal(info().dropped, 5000 - kept);
    assert_int_equal(STATION_COUNT(&station, udp_full), 5000 - kept);
    assert_int_equal(info().received, 5000);
    for (unsigned i = 0; i < kept; i++)
        expect((uint8_t)i, 1);
    expect_status(UDP_AGAIN);
    comes(STATION_PEER, PEER_PORT, STATION_ADDR, 7, 1);
    expect(7, 1);
}

static void queue__all_sockets_together_are_bounded(void **state)
{
    struct udp_socket *more[64];
    uint64_t dropped = 0, held = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(more); i++)
        assert_int_equal(
            udp_open(station.net,
                     &(struct udp_options){.port = (uint16_t)(PORT + 1 + i)},
                     &more[i]),
            UDP_OK);
    for (size_t i = 0; i < ARRAY_LEN(more); i++)
        for (unsigned k = 0; k < 100; k++) {
            comes(STATION_PEER, PEER_PORT, STATION_ADDR, 1, 1400);
            station_set(&station, 36, (uint16_t)(PORT + 1 + i));
            station_send(&station);
        }
    for (size_t i = 0; i < ARRAY_LEN(more); i++) {
        struct udp_info one;

        udp_info_get(more[i], &one);
        dropped += one.dropped;
        held += one.queued_bytes;
        udp_close(more[i]);
    }
    assert_true(dropped > 0);
    assert_true(held <= 16u * 1024 * 1024 / 8);
}

static void queue__close_drops_what_waits(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 10; i++)
        comes(STATION_PEER, PEER_PORT, STATION_ADDR, 1, 100);
    udp_close(udp);
    udp = NULL; /* teardown finds every page given back */
}

/* --- peers ---------------------------------------------------------------- */

static void connect__only_the_peer_is_heard(void **state)
{
    (void)state;
    comes(STATION_PEER, PEER_PORT, STATION_ADDR, 9, 1);
    connect_to_peer(); /* what waited may have been anybody's */
    expect_status(UDP_AGAIN);
    comes(STATION_PEER, PEER_PORT, STATION_ADDR, 1, 1);
    expect(1, 1);
    assert_int_equal(station_take_all(&station), 0);
    comes(STATION_PEER, PEER_PORT + 1, STATION_ADDR, 2, 1);
    comes(STATION_PEER + 1, PEER_PORT, STATION_ADDR, 3, 1);
    expect_status(UDP_AGAIN);
    assert_int_equal(STATION_COUNT(&station, udp_no_listener), 2);
}

static void connect__echo_ports_are_heard_by_who_connected(void **state)
{
    (void)state;
    comes(STATION_PEER, 7, STATION_ADDR, 1, 1); /* U13 */
    expect_status(UDP_AGAIN);
    assert_int_equal(udp_connect(udp, ipv4_addr_make(STATION_PEER), 7), UDP_OK);
    comes(STATION_PEER, 7, STATION_ADDR, 1, 1);
    expect(1, 1);
}

static void connect__bad_peers_are_refused(void **state)
{
    (void)state;
    assert_int_equal(udp_connect(udp, ipv4_addr_make(0), 1), UDP_BAD_ADDRESS);
    assert_int_equal(udp_connect(udp, ipv4_addr_make(STATION_PEER), 0),
                     UDP_BAD_ADDRESS);
    assert_int_equal(udp_connect(udp, ipv4_addr_make(0xf0000001), 1),
                     UDP_NO_ROUTE);
    assert_int_equal(udp_connect(udp, ipv4_addr_make(0xffffffff), 1),
                     UDP_NO_BROADCAST);
}

static void bind__local_address_must_be_ours_and_is_kept(void **state)
{
    struct udp_options options = {.local = ipv4_addr_make(STATION_PEER)};
    struct udp_socket *other;

    (void)state;
    assert_int_equal(udp_open(station.net, &options, &other), UDP_BAD_ADDRESS);
    udp_close(udp);
    options.local = ipv4_addr_make(STATION_ADDR);
    options.port = PORT;
    assert_int_equal(udp_open(station.net, &options, &udp), UDP_OK);
    comes(STATION_PEER, PEER_PORT, 0xffffffff, 1, 1);
    expect_status(UDP_AGAIN);
    comes(STATION_PEER, PEER_PORT, STATION_ADDR, 2, 1);
    expect(2, 1);
}

static void bind__port_0_is_any_and_hard_to_guess(void **state)
{
    struct udp_socket *opened[UDP_PORTS_MAX - 1], *one_more;
    unsigned neighbours = 0;
    uint16_t last = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(opened); i++) {
        struct udp_info now;

        assert_int_equal(
            udp_open(station.net, &(struct udp_options){0}, &opened[i]),
            UDP_OK);
        udp_info_get(opened[i], &now);
        assert_in_range(now.port, UDP_EPHEMERAL_FIRST, UDP_EPHEMERAL_LAST);
        neighbours += now.port == last + 1;
        last = now.port;
    }
    assert_true(neighbours < 4); /* of 255, by chance */
    assert_int_equal(udp_open(station.net, &(struct udp_options){0}, &one_more),
                     UDP_NO_MEMORY);
    for (size_t i = 0; i < ARRAY_LEN(opened); i++)
        udp_close(opened[i]);
}

/* --- sending -------------------------------------------------------------- */

static void send__says_why_it_cannot(void **state)
{
    (void)state;
    assert_int_equal(send_to(0, 0), UDP_NOT_CONNECTED);
    assert_int_equal(send_to(STATION_PEER, 0), UDP_BAD_ADDRESS);
    assert_int_equal(send_to(0, 9), UDP_BAD_ADDRESS);
    assert_int_equal(send_to(0xf0000001, 9), UDP_NO_ROUTE);
    assert_int_equal(station_take_all(&station), 0);
    station.dev.tx_max = 0;
    assert_int_equal(send_to(STATION_PEER, 9), UDP_AGAIN);
    assert_int_equal(info().sent, 0);
}

static void send__broadcast_only_when_allowed(void **state)
{
    static const uint32_t many[] = {0xffffffff, 0x0a0000ff};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(many); i++) {
        udp_set_broadcast(udp, false);
        assert_int_equal(send_to(many[i], 9), UDP_NO_BROADCAST);
        assert_int_equal(station_take_all(&station), 0);
        udp_set_broadcast(udp, true);
        assert_int_equal(send_to(many[i], 9), UDP_OK);
        assert_true(station_take(&station));
        assert_memory_equal(station.frame, station_all_mac, 6);
        assert_int_equal(station_at32(&station, 30), many[i]);
    }
}

static void reply__comes_from_the_address_that_was_asked(void **state)
{
    struct udp_datagram from;
    struct buffer *data;

    (void)state;
    comes(STATION_PEER, PEER_PORT, STATION_ADDR, 5, 3);
    assert_int_equal(udp_receive(udp, &from, &data), UDP_OK);
    assert_int_equal(udp_reply(udp, &from, data), UDP_OK);
    net_flush(station.net, host_now_us);
    assert_true(station_take(&station));
    assert_int_equal(station_at32(&station, 26), STATION_ADDR);
    assert_int_equal(station_at32(&station, 30), STATION_PEER);
    assert_int_equal(station_at16(&station, 34), PORT);
    assert_int_equal(station_at16(&station, 36), PEER_PORT);
    assert_int_equal(station_at8(&station, 42), 5);
}

static void reply__to_a_broadcast_is_not_sent(void **state)
{
    struct udp_datagram from;
    struct buffer *data;

    (void)state;
    comes(STATION_PEER, PEER_PORT, 0xffffffff, 5, 3);
    assert_int_equal(udp_receive(udp, &from, &data), UDP_OK);
    assert_int_equal(udp_reply(udp, &from, data), UDP_NO_BROADCAST);
    assert_int_equal(station_take_all(&station), 0);
}

/* --- errors --------------------------------------------------------------- */

/* RFC 1122 4.1.3.3: what ICMP says is passed to the application. */
static void error__of_icmp_is_told_once_to_the_connected_socket(void **state)
{
    static const struct {
        uint8_t type, code;
        enum udp_status status;
    } errors[] = {
        {3, 3, UDP_REFUSED},      {3, 2, UDP_REFUSED},
        {3, 1, UDP_UNREACHABLE},  {3, 0, UDP_UNREACHABLE},
        {3, 13, UDP_UNREACHABLE}, {11, 0, UDP_UNREACHABLE},
    };

    (void)state;
    connect_to_peer();
    for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
        events = 0;
        icmp_about(errors[i].type, errors[i].code, STATION_PEER);
        assert_int_equal(events, 1);
        expect_status(errors[i].status);
        expect_status(UDP_AGAIN);
        icmp_about(errors[i].type, errors[i].code, STATION_PEER);
        assert_int_equal(send_to(0, 0), errors[i].status);
        assert_int_equal(send_to(0, 0), UDP_OK);
    }
}

static void error__waits_behind_what_has_come(void **state)
{
    (void)state;
    connect_to_peer();
    comes(STATION_PEER, PEER_PORT, STATION_ADDR, 1, 1);
    icmp_about(3, 3, STATION_PEER);
    expect(1, 1);
    expect_status(UDP_REFUSED);
}

static void error__about_others_is_ignored(void **state)
{
    (void)state;
    icmp_about(3, 3, STATION_PEER); /* not connected: about whom? */
    expect_status(UDP_AGAIN);
    connect_to_peer();
    icmp_about(3, 3, STATION_PEER + 1);
    expect_status(UDP_AGAIN);
    assert_int_equal(events, 0);
    assert_int_equal(STATION_COUNT(&station, icmp_embedded), 2);
}

/* --- asking --------------------------------------------------------------- */

static void status__each_has_a_text_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i < UDP_STATUS_COUNT; i++)
        for (int k = 0; k < i; k++)
            assert_string_not_equal(udp_status_text((enum udp_status)i),
                                    udp_status_text((enum udp_status)k));
    assert_non_null(udp_status_text(UDP_STATUS_COUNT));
}

static void count_port(void *context, const struct udp_info *one)
{
    unsigned *ports = context;

    (*ports)++;
    assert_true(one->port == PORT || one->port == 99);
}

static void for_each__shows_every_socket(void **state)
{
    struct udp_socket *other;
    unsigned ports = 0;

    (void)state;
    assert_int_equal(
        udp_open(station.net, &(struct udp_options){.port = 99}, &other),
        UDP_OK);
    udp_for_each(station.net, count_port, &ports);
    assert_int_equal(ports, 2);
    udp_close(other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(queue__keeps_order_and_empty_datagrams),
        TEST(queue__U12_full_drops_the_newest_and_counts_it),
        TEST(queue__all_sockets_together_are_bounded),
        TEST(queue__close_drops_what_waits),
        TEST(connect__only_the_peer_is_heard),
        TEST(connect__echo_ports_are_heard_by_who_connected),
        TEST(connect__bad_peers_are_refused),
        TEST(bind__local_address_must_be_ours_and_is_kept),
        TEST(bind__port_0_is_any_and_hard_to_guess),
        TEST(send__says_why_it_cannot),
        TEST(send__broadcast_only_when_allowed),
        TEST(reply__comes_from_the_address_that_was_asked),
        TEST(reply__to_a_broadcast_is_not_sent),
        TEST(error__of_icmp_is_told_once_to_the_connected_socket),
        TEST(error__waits_behind_what_has_come),
        TEST(error__about_others_is_ignored),
        TEST(status__each_has_a_text_of_its_own),
        TEST(for_each__shows_every_socket),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
