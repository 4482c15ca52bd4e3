/*
 * Ethernet frames from strangers: rows E of the list of bad inputs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "net/ethernet.h"
#include "tests/host/host.h"
#include "tests/host/station_scene.h"

/* A ping, so that whatever gets through is answered. */
static void ping(const uint8_t dst[6], const uint8_t src[6], uint16_t type)
{
    write_ping(STATION_PEER, STATION_ADDR);
    memcpy(station.frame, dst, 6);
    memcpy(station.frame + 6, src, 6);
    station_set(&station, 12, type);
}

static void good_ping(void)
{
    ping(station_mac, station_peer_mac, 0x0800);
}

static void ethernet__ping_is_answered(void **state)
{
    (void)state;
    good_ping();
    station_send(&station);
    assert_true(station_take(&station));
    assert_memory_equal(station.frame, station_peer_mac, 6);
    assert_memory_equal(station.frame + 6, station_mac, 6);
    assert_int_equal(station_at16(&station, 12), 0x0800);
}

/* E1, E2, E3 */
static void ethernet__E1_E2_E3_frame_without_payload_is_dropped(void **state)
{
    (void)state;
    for (uint32_t len = 0; len <= 14; len++) {
        good_ping();
        station.len = len;
        DROPPED_AS(eth_short);
    }
}

static void ethernet__E4_frame_longer_than_the_mtu_is_dropped(void **state)
{
    (void)state;
    good_ping();
    station_fill(&station, 0, 1500 + 18 - station.len);
    station_send(&station);
    assert_int_equal(station_take_all(&station), 1);
    station_byte(&station, 0);
    DROPPED_AS(eth_long);
}

static void ethernet__E5_frame_to_somebody_else_is_dropped(void **state)
{
    const uint8_t other[6] = {2, 0, 0, 0, 0, 3};
    const uint8_t group[6] = {1, 0, 0x5e, 0, 0, 1};

    (void)state;
    ping(other, station_peer_mac, 0x0800);
    DROPPED_AS(eth_not_ours);
    ping(group, station_peer_mac, 0x0800);
    DROPPED_AS(eth_not_ours);
}

static void ethernet__E6_frame_from_a_group_is_dropped(void **state)
{
    const uint8_t group[6] = {3, 0, 0, 0, 0, 2};

    (void)state;
    ping(station_mac, group, 0x0800);
    DROPPED_AS(eth_bad_source);
    ping(station_mac, station_all_mac, 0x0800);
    DROPPED_AS(eth_bad_source);
}

static void ethernet__E7_length_instead_of_type_is_dropped(void **state)
{
    static const uint16_t types[] = {0, 1, 46, 1500, 0x05ff};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        ping(station_mac, station_peer_mac, types[i]);
        DROPPED_AS(eth_type);
    }
}

static void ethernet__E8_tagged_frame_is_never_misread(void **state)
{
    static const uint16_t tags[] = {0x8100, 0x88a8, 0x9100};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
        uint8_t rest[64];
        uint32_t len;

        good_ping();
        len = station.len - 12;
        memcpy(rest, station.frame + 12, len);
        station.len = 12;
        station_word(&station, tags[i]);
        station_word(&station, 5);
        station_bytes(&station, rest, len);
        DROPPED_AS(eth_type);
        station.len = 16; /* the tag is cut off */
        DROPPED_AS(eth_type);
    }
}

static void ethernet__E9_padding_is_ignored(void **state)
{
    (void)state;
    for (unsigned pad = 0; pad <= 46; pad++) {
        good_ping();
        station_fill(&station, (uint8_t)(0xff - pad), pad);
        station_send(&station);
        assert_true(station_take(&station));
        assert_int_equal(station.len, 14 + 20 + 16);
        assert_true(station_sums(&station, 34, 16, 0));
    }
}

static void ethernet__E10_frame_from_our_own_address_is_dropped(void **state)
{
    (void)state;
    ping(station_mac, station_mac, 0x0800);
    DROPPED_AS(eth_own_source);
}

static void ethernet__E11_version_6_in_an_ipv4_frame_is_dropped(void **state)
{
    (void)state;
    good_ping();
    station.frame[14] = 0x65;
    station_ip_checksum(&station);
    DROPPED_AS(ip_version);
}

static void
ethernet__E12_large_frame_that_was_not_asked_for_is_dropped(void **state)
{
    uint64_t before = STATION_COUNT(&station, eth_long);
    struct buffer *frame;

    (void)state;
    good_ping();
    frame = hostnet_chain(net_pool(station.net), station.frame, station.len);
    frame->flags = BUFFER_GSO_TCP4;
    net_input(station.net, &station.dev.dev, frame, host_now_us);
    assert_int_equal(STATION_COUNT(&station, eth_long), before + 1);
    assert_int_equal(station_take_all(&station), 0);
}

/* E12 */
static void ethernet__E12_64_kib_frame_is_dropped(void **state)
{
    static uint8_t frame[65536];
    uint64_t before = STATION_COUNT(&station, eth_long);

    (void)state;
    good_ping();
    memcpy(frame, station.frame, station.len);
    assert_true(memdev_inject(&station.dev, frame, sizeof(frame)));
    net_input(station.net, &station.dev.dev,
              station.dev.dev.ops->receive(&station.dev.dev, 1), host_now_us);
    assert_int_equal(STATION_COUNT(&station, eth_long), before + 1);
}

static void ethernet__frame_in_pieces_of_any_size_is_understood(void **state)
{
    (void)state;
    for (uint32_t piece = 1; piece <= 51; piece++) {
        good_ping();
        station_send_pieces(&station, piece);
        assert_true(station_take(&station));
        assert_int_equal(station.len, 14 + 20 + 16);
        assert_int_equal(station_at8(&station, 34), 0);
        assert_true(station_sums(&station, 34, 16, 0));
    }
}

static void ethernet__unknown_type_is_dropped(void **state)
{
    (void)state;
    ping(station_mac, station_peer_mac, 0x86dd);
    DROPPED_AS(eth_type);
}

static void ethernet__full_card_loses_an_answer_not_memory(void **state)
{
    uint64_t kicks;

    (void)state;
    station.dev.tx_max = 0;
    good_ping();
    kicks = station.dev.dev.count.kicks;
    DROPPED_AS(eth_no_room);
    assert_int_equal(station.dev.dev.count.kicks, kicks + 1); /* look! */
    station.dev.tx_max = 10;
    station.dev.down = true;
    station_send(&station);
    station.dev.down = false;
    good_ping();
    station_send(&station);
    assert_int_equal(station_take_all(&station), 1);
}

static void ethernet__batch_costs_one_kick(void **state)
{
    struct buffer *first = NULL, **end = &first;
    uint64_t kicks = station.dev.dev.count.kicks;

    (void)state;
    good_ping();
    for (int i = 0; i < 20; i++) {
        *end = hostnet_chain(net_pool(station.net), station.frame, station.len);
        end = &(*end)->link;
    }
    net_input(station.net, &station.dev.dev, first, host_now_us);
    net_run(station.net, host_now_us);
    net_flush(station.net, host_now_us);
    assert_int_equal(station_take_all(&station), 20);
    assert_int_equal(station.dev.dev.count.kicks, kicks + 1);
    assert_false(net_needs_flush(station.net));
}

#define TEST(name) STATION_TEST(name, station_met)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ethernet__ping_is_answered),
        TEST(ethernet__E1_E2_E3_frame_without_payload_is_dropped),
        TEST(ethernet__E4_frame_longer_than_the_mtu_is_dropped),
        TEST(ethernet__E5_frame_to_somebody_else_is_dropped),
        TEST(ethernet__E6_frame_from_a_group_is_dropped),
        TEST(ethernet__E7_length_instead_of_type_is_dropped),
        TEST(ethernet__E8_tagged_frame_is_never_misread),
        TEST(ethernet__E9_padding_is_ignored),
        TEST(ethernet__E10_frame_from_our_own_address_is_dropped),
        TEST(ethernet__E11_version_6_in_an_ipv4_frame_is_dropped),
        TEST(ethernet__E12_large_frame_that_was_not_asked_for_is_dropped),
        TEST(ethernet__E12_64_kib_frame_is_dropped),
        TEST(ethernet__frame_in_pieces_of_any_size_is_understood),
        TEST(ethernet__unknown_type_is_dropped),
        TEST(ethernet__full_card_loses_an_answer_not_memory),
        TEST(ethernet__batch_costs_one_kick),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
