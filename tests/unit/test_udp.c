/*
 * UDP: rows U of the list of bad inputs; ports; two stacks on a cable.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "net/udp.h"
#include "tests/host/host.h"
#include "tests/host/pair.h"
#include "tests/host/station_scene.h"

enum { PORT = 4321 };

/* What the bound port has heard. */
static struct {
    unsigned count;
    struct udp_datagram from;
    uint8_t bytes[2048];
    uint32_t len;
} heard;

static void hear(void *context, struct net *net,
                 const struct udp_datagram *from, struct buffer *data)
{
    assert_ptr_equal(context, &heard);
    assert_non_null(net);
    heard.count++;
    heard.from = *from;
    heard.len = buffer_copy_out(data, 0, heard.bytes, sizeof(heard.bytes));
    buffer_release(data);
}

static int setup(void **state)
{
    station_met(state);
    memset(&heard, 0, sizeof(heard));
    return udp_bind(station.net, PORT, hear, &heard) == UDP_OK ? 0 : -1;
}

/* Set the checksum of the datagram in the frame, which ends with it. */
static void sum_up(uint32_t dst)
{
    uint32_t bytes = station.len - 34;

    station_checksum(&station, 34, 40,
                     pseudo_sum(STATION_PEER, dst, 17, bytes));
}

/* A datagram of `bytes` counting up, from port 1234. */
static void datagram(uint32_t dst, uint16_t port, uint32_t bytes)
{
    station_ethernet(&station, station_mac, station_peer_mac, 0x0800);
    station_ip(&station, STATION_PEER, dst, 17, 8 + bytes);
    station_word(&station, 1234);
    station_word(&station, port);
    station_word(&station, (uint16_t)(8 + bytes));
    station_word(&station, 0);
    for (uint32_t i = 0; i < bytes; i++)
        station_byte(&station, (uint8_t)i);
    sum_up(dst);
}

/* ... and nobody hears of it. */
#define UNHEARD_AS(name)                                                       \
    do {                                                                       \
        unsigned heard_before = heard.count;                                   \
        DROPPED_AS(name);                                                      \
        assert_int_equal(heard.count, heard_before);                           \
    } while (0)

/* --- in ------------------------------------------------------------------- */

static void input__datagram_is_heard_whole(void **state)
{
    (void)state;
    for (uint32_t bytes = 0; bytes <= 1472; bytes += bytes < 20 ? 1 : 121) {
        datagram(STATION_ADDR, PORT, bytes);
        station_send(&station);
        assert_int_equal(heard.len, bytes);
        assert_memory_equal(heard.bytes, station.frame + 42, bytes);
        assert_int_equal(ipv4_addr_host(heard.from.src), STATION_PEER);
        assert_int_equal(ipv4_addr_host(heard.from.dst), STATION_ADDR);
        assert_int_equal(heard.from.src_port, 1234);
        assert_int_equal(heard.from.dst_port, PORT);
    }
    assert_int_equal(station_take_all(&station), 0);
}

static void input__pieces_of_any_size_are_understood(void **state)
{
    (void)state;
    for (uint32_t piece = 1; piece < 90; piece++) {
        unsigned before = heard.count;

        datagram(STATION_ADDR, PORT, 50);
        station_send_pieces(&station, piece);
        assert_int_equal(heard.count, before + 1);
        assert_int_equal(heard.len, 50);
        assert_memory_equal(heard.bytes, station.frame + 42, 50);
    }
}

static void input__U1_short_datagram_is_dropped(void **state)
{
    (void)state;
    for (uint32_t bytes = 0; bytes < 8; bytes++) {
        datagram(STATION_ADDR, PORT, 0);
        station.len = 34 + bytes;
        station_set(&station, 16, (uint16_t)(20 + bytes));
        station_ip_checksum(&station);
        UNHEARD_AS(udp_short);
    }
}

static void input__U2_U3_length_that_lies_is_dropped(void **state)
{
    static const uint16_t lengths[] = {0,  1,  7,           /* U2 */
                                       19, 20, 100, 65535}; /* U3 */

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        datagram(STATION_ADDR, PORT, 10);
        station_set(&station, 38, lengths[i]);
        station_set(&station, 40, 0);
        UNHEARD_AS(udp_length);
    }
}

static void input__U4_bytes_behind_the_datagram_are_ignored(void **state)
{
    (void)state;
    datagram(STATION_ADDR, PORT, 10);
    station_fill(&station, 0xee, 33);
    station_set(&station, 16, 20 + 18 + 33);
    station_ip_checksum(&station);
    station_send(&station);
    assert_int_equal(heard.count, 1);
    assert_int_equal(heard.len, 10);
}

static void input__U5_checksum_0_is_none(void **state)
{
    (void)state;
    datagram(STATION_ADDR, PORT, 10);
    station_set(&station, 40, 0);
    station_send(&station);
    assert_int_equal(heard.count, 1);
}

static void input__U6_every_wrong_byte_is_noticed(void **state)
{
    (void)state;
    for (uint32_t at = 42; at < 52; at++) {
        datagram(STATION_ADDR, PORT, 10);
        station.frame[at] ^= 1;
        UNHEARD_AS(udp_checksum);
    }
    datagram(STATION_ADDR, PORT, 10);
    station_set(&station, 40, (uint16_t)(station_at16(&station, 40) + 1));
    UNHEARD_AS(udp_checksum);
}

static void input__U8_U9_port_0_is_dropped(void **state)
{
    (void)state;
    datagram(STATION_ADDR, PORT, 10);
    station_set(&station, 34, 0); /* U8 */
    sum_up(STATION_ADDR);
    UNHEARD_AS(udp_port);
    datagram(STATION_ADDR, 0, 10); /* U9 */
    UNHEARD_AS(udp_port);
}

static void
input__U10_no_listener_is_reported_but_not_about_broadcasts(void **state)
{
    (void)state;
    datagram(STATION_ADDR, PORT + 1, 10);
    station_send(&station);
    assert_true(station_take(&station));
    assert_int_equal(station_at16(&station, 34), 0x0303);
    assert_int_equal(STATION_COUNT(&station, udp_no_listener), 1);
    datagram(0x0a0000ff, PORT + 1, 10);
    memcpy(station.frame, station_all_mac, 6);
    UNHEARD_AS(udp_no_listener);
}

/* I12: a broadcast is heard where a port is bound. */
static void input__I12_broadcast_is_heard_by_the_bound_port(void **state)
{
    (void)state;
    datagram(0xffffffff, PORT, 10);
    memcpy(station.frame, station_all_mac, 6);
    station_send(&station);
    assert_int_equal(heard.count, 1);
    assert_int_equal(ipv4_addr_host(heard.from.dst), 0xffffffff);
}

static void input__U13_echo_and_chargen_are_not_answered(void **state)
{
    static const uint16_t ports[] = {7, 19};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ports); i++) {
        datagram(STATION_ADDR, PORT, 10);
        station_set(&station, 34, ports[i]);
        sum_up(STATION_ADDR);
        UNHEARD_AS(udp_port);
    }
}

static void input__U14_spoofed_source_that_is_us_is_dropped(void **state)
{
    (void)state;
    datagram(STATION_ADDR, PORT, 10);
    station_set(&station, 28, STATION_ADDR & 0xffff);
    station_ip_checksum(&station);
    station_set(&station, 40, 0);
    UNHEARD_AS(ip_bad_source);
}

/* --- out ------------------------------------------------------------------ */

static enum ipv4_status send_bytes(const void *bytes, uint32_t len)
{
    struct buffer *data = hostnet_chain(net_pool(station.net), bytes, len);
    enum ipv4_status status =
        udp_send(station.net, PORT, ipv4_addr_make(STATION_PEER), 1234, data);

    if (status == IPV4_FULL)
        buffer_release(data);
    net_flush(station.net, host_now_us);
    return status;
}

static void output__U7_checksum_of_0_is_sent_as_all_ones(void **state)
{
    unsigned seen = 0;

    (void)state;
    for (uint32_t value = 0; value < 65536; value++) {
        const uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};

        assert_int_equal(send_bytes(bytes, 2), IPV4_OK);
        assert_true(station_take(&station));
        assert_int_not_equal(station_at16(&station, 40), 0);
        if (station_at16(&station, 40) == 0xffff)
            seen++;
    }
    assert_int_equal(seen, 1);
}

static void output__U11_65507_bytes_leave_in_fragments(void **state)
{
    static uint8_t bytes[65508];

    (void)state;
    assert_int_equal(send_bytes(bytes, 65508), IPV4_TOO_BIG);
    assert_int_equal(station_take_all(&station), 0);
    assert_int_equal(send_bytes(bytes, 65507), IPV4_OK);
    assert_int_equal(station_take_all(&station), 45); /* of 1480 bytes */
}

static void output__empty_datagram_is_sent(void **state)
{
    (void)state;
    assert_int_equal(
        udp_send(station.net, PORT, ipv4_addr_make(STATION_PEER), 1, NULL),
        IPV4_OK);
    net_flush(station.net, host_now_us);
    assert_true(station_take(&station));
    assert_int_equal(station_at16(&station, 38), 8);
    assert_true(station_sums(&station, 34, 8,
                             pseudo_sum(STATION_ADDR, STATION_PEER, 17, 8)));
}

static void output__full_card_leaves_the_data_as_it_was(void **state)
{
    struct buffer_pool *pool = net_pool(station.net);

    (void)state;
    for (uint32_t headroom = 0; headroom < 180; headroom += 20) {
        struct buffer *data = buffer_alloc(pool, BUFFER_SMALL, headroom);

        station.dev.dev.caps = headroom > 80 ? NETDEV_CAP_TX_CSUM : 0;

        memset(data->data, 9, 12);
        data->len = 12;
        station.dev.tx_max = 0;
        for (int i = 0; i < 2; i++)
            assert_int_equal(udp_send(station.net, PORT,
                                      ipv4_addr_make(STATION_PEER), 1, data),
                             IPV4_FULL);
        assert_int_equal(data->len, 12);
        assert_int_equal(data->flags, 0);
        assert_null(data->next);
        station.dev.tx_max = 10;
        assert_int_equal(
            udp_send(station.net, PORT, ipv4_addr_make(STATION_PEER), 1, data),
            IPV4_OK);
        net_flush(station.net, host_now_us);
        assert_true(station_take(&station));
        assert_int_equal(station.len, 42 + 12);
        assert_int_equal(station_at8(&station, 42), 9);
    }
}

/* --- ports ---------------------------------------------------------------- */

static void ports__are_bound_once_and_bounded(void **state)
{
    (void)state;
    assert_int_equal(udp_bind(station.net, PORT, hear, &heard), UDP_IN_USE);
    for (uint16_t port = 1; port < UDP_PORTS_MAX; port++)
        assert_int_equal(udp_bind(station.net, port, hear, &heard), UDP_OK);
    assert_int_equal(udp_bind(station.net, 5000, hear, &heard), UDP_NO_MEMORY);
    udp_unbind(station.net, 17);
    udp_unbind(station.net, 17);
    assert_int_equal(udp_bind(station.net, 5000, hear, &heard), UDP_OK);
    datagram(STATION_ADDR, 5000, 3);
    station_send(&station);
    assert_int_equal(heard.count, 1);
}

static void unbind_itself(void *context, struct net *net,
                          const struct udp_datagram *from, struct buffer *data)
{
    (void)context;
    udp_unbind(net, from->dst_port);
    buffer_release(data);
}

static void ports__may_be_unbound_while_they_hear(void **state)
{
    (void)state;
    assert_int_equal(udp_bind(station.net, 5000, unbind_itself, NULL), UDP_OK);
    datagram(STATION_ADDR, 5000, 3);
    station_send(&station);
    assert_int_equal(station_take_all(&station), 0);
    station_send(&station);
    assert_int_equal(station_take_all(&station), 1); /* unreachable */
}

/* --- two stacks ----------------------------------------------------------- */

static void answer(void *context, struct net *net,
                   const struct udp_datagram *from, struct buffer *data)
{
    (void)context;
    if (udp_send(net, from->dst_port, from->src, from->src_port, data) ==
        IPV4_FULL)
        buffer_release(data);
}

/* A datagram there and back over a cable, the cards summing or not. */
static void pair__echo_goes_there_and_back(void **state)
{
    static const uint16_t caps[] = {0, NETDEV_CAP_TX_CSUM, NETDEV_CAP_RX_CSUM,
                                    NETDEV_CAP_TX_CSUM | NETDEV_CAP_RX_CSUM};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(caps) * ARRAY_LEN(caps); i++) {
        uint64_t begin_us;
        struct buffer *data;
        struct pair pair;

        pair_init(&pair, NULL);
        pair.dev[0].dev.caps = caps[i % 4];
        pair.dev[1].dev.caps = caps[i / 4];
        pair.wire.to[0].delay_us = pair.wire.to[1].delay_us = 1000;
        pair_run_until(&pair, host_now_us + 2000); /* announcements */
        memset(&heard, 0, sizeof(heard));
        assert_int_equal(udp_bind(pair.net[0], 99, hear, &heard), UDP_OK);
        assert_int_equal(udp_bind(pair.net[1], 77, answer, NULL), UDP_OK);
        data = hostnet_chain(net_pool(pair.net[0]), "over and out", 12);
        assert_int_equal(udp_send(pair.net[0], 99, PAIR_B_ADDR, 77, data),
                         IPV4_OK);
        begin_us = host_now_us;
        pair_run_until(&pair, begin_us + 3999); /* ARP there and back first */
        assert_int_equal(heard.count, 0);
        pair_run_until(&pair, begin_us + 4000);
        assert_int_equal(heard.count, 1);
        assert_memory_equal(heard.bytes, "over and out", 12);
        assert_int_equal(pair_destroy(&pair), 0);
    }
}

static void pair__bad_cable_loses_and_damages_but_never_lies(void **state)
{
    uint64_t damaged;
    struct pair pair;

    (void)state;
    host_seed(3);
    pair_init(&pair, NULL);
    memset(&heard, 0, sizeof(heard));
    assert_int_equal(udp_bind(pair.net[0], 99, hear, &heard), UDP_OK);
    assert_int_equal(udp_bind(pair.net[1], 77, answer, NULL), UDP_OK);
    for (int i = 0; i < 2; i++)
        pair.wire.to[i] = (struct wire_quality){.delay_us = 500,
                                                .jitter_us = 500,
                                                .loss_ppm = 50000,
                                                .duplicate_ppm = 50000,
                                                .reorder_ppm = 50000,
                                                .reorder_us = 3000,
                                                .corrupt_ppm = 50000};
    for (int i = 0; i < 3000; i++) {
        struct buffer *data =
            hostnet_chain(net_pool(pair.net[0]), "over and out", 12);

        if (udp_send(pair.net[0], 99, PAIR_B_ADDR, 77, data) == IPV4_FULL)
            buffer_release(data);
        pair_run_until(&pair, host_now_us + 10000);
        if (heard.count > 0) {
            assert_int_equal(heard.len, 12);
            assert_memory_equal(heard.bytes, "over and out", 12);
        }
    }
    damaged = net_counters(pair.net[0])->value[NET_COUNT_udp_checksum] +
              net_counters(pair.net[1])->value[NET_COUNT_udp_checksum];
    assert_true(heard.count > 2400 && heard.count < 3300);
    assert_true(damaged > 10);
    assert_true(pair.wire.count[0].lost > 50);
    assert_true(pair.wire.count[0].duplicated > 50);
    assert_true(pair.wire.count[0].reordered > 50);
    assert_int_equal(pair_destroy(&pair), 0);
}

#define TEST(name) STATION_TEST(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(input__datagram_is_heard_whole),
        TEST(input__pieces_of_any_size_are_understood),
        TEST(input__U1_short_datagram_is_dropped),
        TEST(input__U2_U3_length_that_lies_is_dropped),
        TEST(input__U4_bytes_behind_the_datagram_are_ignored),
        TEST(input__U5_checksum_0_is_none),
        TEST(input__U6_every_wrong_byte_is_noticed),
        TEST(input__U8_U9_port_0_is_dropped),
        TEST(input__U10_no_listener_is_reported_but_not_about_broadcasts),
        TEST(input__I12_broadcast_is_heard_by_the_bound_port),
        TEST(input__U13_echo_and_chargen_are_not_answered),
        TEST(input__U14_spoofed_source_that_is_us_is_dropped),
        TEST(output__U7_checksum_of_0_is_sent_as_all_ones),
        TEST(output__U11_65507_bytes_leave_in_fragments),
        TEST(output__empty_datagram_is_sent),
        TEST(output__full_card_leaves_the_data_as_it_was),
        TEST(ports__are_bound_once_and_bounded),
        TEST(ports__may_be_unbound_while_they_hear),
        cmocka_unit_test(pair__echo_goes_there_and_back),
        cmocka_unit_test(pair__bad_cable_loses_and_damages_but_never_lies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
