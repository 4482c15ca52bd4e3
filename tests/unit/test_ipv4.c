/*
 * IPv4 that comes in: rows I (and F, as far as fragments are refused) of the
 * list of bad inputs. What is sent is in test_ipv4_output.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "net/ipv4.h"
#include "tests/host/host.h"
#include "tests/host/station_scene.h"

static void good_ping(void)
{
    write_ping(STATION_PEER, STATION_ADDR);
}

/* The same with `len` bytes of options, a multiple of four. */
static void ping_with_options(const void *options, uint32_t len)
{
    uint8_t icmp[16];

    good_ping();
    memcpy(icmp, station.frame + 34, sizeof(icmp));
    station.len = 34;
    station_bytes(&station, options, len);
    station_bytes(&station, icmp, sizeof(icmp));
    station.frame[14] = (uint8_t)(0x45 + len / 4);
    station_set(&station, 16, (uint16_t)(36 + len));
    station_ip_checksum(&station);
}

/* The frame is a ping that gets its answer. */
static void assert_answered(void)
{
    station_send(&station);
    assert_true(station_take(&station));
    assert_int_equal(station_at8(&station, 34), 0);
    assert_int_equal(station_take_all(&station), 0);
}

/* --- header --------------------------------------------------------------- */

static void header__I1_short_packet_is_dropped(void **state)
{
    (void)state;
    for (uint32_t len = 1; len < 20; len++) {
        good_ping();
        station.len = 14 + len;
        DROPPED_AS(ip_short);
    }
}

static void header__I2_other_versions_are_dropped(void **state)
{
    (void)state;
    for (unsigned version = 0; version < 16; version++) {
        if (version == 4)
            continue;
        good_ping();
        station.frame[14] = (uint8_t)(version << 4 | 5);
        station_ip_checksum(&station);
        DROPPED_AS(ip_version);
    }
}

static void header__I3_fewer_than_five_words_are_dropped(void **state)
{
    (void)state;
    for (unsigned words = 0; words < 5; words++) {
        good_ping();
        station.frame[14] = (uint8_t)(0x40 | words);
        station_ip_checksum(&station);
        DROPPED_AS(ip_header_len);
    }
}

static void header__I4_header_longer_than_the_frame_is_dropped(void **state)
{
    (void)state;
    for (unsigned words = 10; words < 16; words++) {
        good_ping(); /* 36 bytes */
        station.frame[14] = (uint8_t)(0x40 | words);
        DROPPED_AS(ip_header_len);
    }
}

static void header__I5_I7_total_shorter_than_the_header_is_dropped(void **state)
{
    (void)state;
    for (uint16_t total = 0; total < 20; total++) { /* I7: 0 */
        good_ping();
        station_set(&station, 16, total);
        station_ip_checksum(&station);
        DROPPED_AS(ip_total_len);
    }
    ping_with_options("\1\1\1\1\1\1\1\1", 8);
    station_set(&station, 16, 27);
    station_ip_checksum(&station);
    DROPPED_AS(ip_total_len);
}

static void header__I6_total_longer_than_the_frame_is_dropped(void **state)
{
    static const uint16_t totals[] = {37, 38, 1500, 65535};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(totals); i++) {
        good_ping();
        station_set(&station, 16, totals[i]);
        station_ip_checksum(&station);
        DROPPED_AS(ip_total_len);
    }
}

static void header__I8_every_wrong_bit_is_noticed(void **state)
{
    (void)state;
    for (unsigned bit = 8; bit < 160; bit++) { /* not version and length */
        uint64_t answered = STATION_COUNT(&station, icmp_tx);

        good_ping();
        station.frame[14 + bit / 8] ^= (uint8_t)(1 << bit % 8);
        station_send(&station);
        assert_int_equal(STATION_COUNT(&station, icmp_tx), answered);
        assert_int_equal(station_take_all(&station), 0);
    }
    assert_true(STATION_COUNT(&station, ip_checksum) > 100);
}

static void header__I8_checksum_of_all_ones_is_zero(void **state)
{
    (void)state;
    /* A header whose checksum is 0: 0xffff in its place sums up as well. */
    good_ping();
    for (uint32_t id = 0; id < 65536; id++) {
        station_set(&station, 18, (uint16_t)id);
        station_ip_checksum(&station);
        if (station_at16(&station, 24) == 0)
            break;
    }
    assert_int_equal(station_at16(&station, 24), 0);
    station_set(&station, 24, 0xffff);
    assert_answered();
}

static void header__I9_ttl_0_is_accepted(void **state)
{
    (void)state;
    good_ping();
    station.frame[22] = 0;
    station_ip_checksum(&station);
    assert_answered();
}

static void header__I10_reserved_flag_is_ignored(void **state)
{
    (void)state;
    good_ping();
    station.frame[20] |= 0x80;
    station_ip_checksum(&station);
    assert_answered();
}

/* --- addresses ------------------------------------------------------------ */

static void addresses__I11_impossible_sources_are_dropped(void **state)
{
    static const uint32_t sources[] = {
        0,          0x00000001,  0x7f000001, 0x7fffffff, 0xe0000001,
        0xefffffff, 0xf0000001,  0xffffffff, 0x0a0000ff, /* directed */
        0x0a000000, STATION_ADDR                         /* LAND */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
        write_ping(sources[i], STATION_ADDR);
        DROPPED_AS(ip_bad_source);
    }
}

static void addresses__I12_destinations_not_ours_are_dropped(void **state)
{
    static const uint32_t destinations[] = {STATION_PEER, STATION_FAR, 0,
                                            0x7f000001, 0x0a000100};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(destinations); i++) {
        write_ping(STATION_PEER, destinations[i]);
        DROPPED_AS(ip_not_ours);
    }
}

static void addresses__I12_tcp_to_many_is_dropped_silently(void **state)
{
    static const uint32_t many[] = {0xffffffff, 0x0a0000ff, 0x0a000000,
                                    0xe0000001};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(many); i++) {
        station_ethernet(&station, station_all_mac, station_peer_mac, 0x0800);
        station_ip(&station, STATION_PEER, many[i], 6, 20);
        station_long(&station, 1000 << 16 | 80);
        station_long(&station, 77);
        station_long(&station, 0);
        station_long(&station, 0x50021000);
        station_long(&station, 0);
        station_checksum(&station, 34, 50,
                         pseudo_sum(STATION_PEER, many[i], 6, 20));
        DROPPED_AS(tcp_bad_address);
    }
}

static void
addresses__I19_ours_in_a_frame_to_everybody_gets_no_reply(void **state)
{
    (void)state;
    good_ping();
    memcpy(station.frame, station_all_mac, 6);
    DROPPED_AS(ip_not_ours);
}

/* --- options -------------------------------------------------------------- */

static void options__I13_source_routes_are_dropped(void **state)
{
    (void)state;
    ping_with_options("\x83\x07\x04\x0a\x00\x00\x07\x00", 8);
    DROPPED_AS(ip_options);
    ping_with_options("\x89\x07\x04\x0a\x00\x00\x07\x00", 8);
    DROPPED_AS(ip_options);
    ping_with_options("\x01\x01\x01\x83\x03\x04\x00\x00", 8);
    DROPPED_AS(ip_options);
}

static void options__I14_malformed_options_are_dropped(void **state)
{
    static const char *const bad[] = {
        "\x07\x00\x04\x00", "\x07\x01\x04\x00", /* length 0, 1 */
        "\x07\x05\x04\x00", "\xff\xff\x00\x00", /* beyond the header */
        "\x01\x01\x01\x07",                     /* no room for a length */
        "\x94\x00\x00\x00", "\x94\x01\x00\x00", /* of an unknown kind */
        "\x07\x03\x03\x00", "\x07\x03\x00\x00", /* pointer < 4 */
        "\x07\x03\x05\x00", "\x07\x03\xff\x00", /* pointer > length */
        "\x07\x02\x01\x00",                     /* no room for a pointer */
        "\x44\x04\x04\x00", "\x44\x04\x06\x00", /* timestamp: 5 to 5 */
        "\x44\x03\x05\x00", "\x44\x04\xff\x00",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        ping_with_options(bad[i], 4);
        DROPPED_AS(ip_options);
    }
}

static void options__well_formed_ones_are_accepted(void **state)
{
    static const char *const good[] = {
        "\x07\x03\x04\x00", /* a list that is full */
        "\x44\x04\x05\x00", "\x94\x04\x00\x00",
        "\x94\x02\x01\x00", "\x01\x07\x03\x04",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        ping_with_options(good[i], 4);
        assert_answered();
    }
    ping_with_options("\x07\x07\x04\x00\x00\x00\x00\x00", 8);
    assert_answered();
}

static void options__I15_40_bytes_of_nothing_are_accepted(void **state)
{
    uint8_t options[40];

    (void)state;
    memset(options, 1, sizeof(options));
    ping_with_options(options, sizeof(options));
    assert_answered();
    memset(options, 0, sizeof(options));
    ping_with_options(options, sizeof(options));
    assert_answered();
}

static void options__I16_what_follows_the_end_is_ignored(void **state)
{
    (void)state;
    ping_with_options("\x00\x83\x07\x04\xff\xff\xff\xff", 8);
    assert_answered();
}

/* --- protocols and fragments ---------------------------------------------- */

static void protocol__I17_unknown_one_is_reported_to_the_sender(void **state)
{
    (void)state;
    good_ping();
    station.frame[23] = 99;
    station_ip_checksum(&station);
    station_send(&station);

    assert_true(station_take(&station));
    assert_int_equal(station_at16(&station, 34), 0x0302);
    assert_int_equal(station_at32(&station, 30), STATION_PEER);
    assert_int_equal(station_at8(&station, 42 + 9), 99);
    assert_true(station_sums(&station, 34, station.len - 34, 0));
}

static void protocol__I17_not_about_broadcasts_and_fragments(void **state)
{
    (void)state;
    good_ping();
    station.frame[23] = 99;
    memcpy(station.frame, station_all_mac, 6);
    station_set(&station, 32, 0x00ff);
    station_ip_checksum(&station);
    DROPPED_AS(ip_protocol);
    good_ping();
    station.frame[23] = 99;
    station_set(&station, 20, 0x2000);
    station_ip_checksum(&station);
    DROPPED_AS(ip_fragment_refused);
}

static void protocol__I18_tunnels_are_dropped_silently(void **state)
{
    static const uint8_t tunnels[] = {4, 41, 47};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(tunnels); i++) {
        good_ping();
        station.frame[23] = tunnels[i];
        station_ip_checksum(&station);
        DROPPED_AS(ip_protocol);
    }
}

static void fragment__F21_atomic_one_is_an_ordinary_packet(void **state)
{
    (void)state;
    good_ping();
    station_set(&station, 20, 0);
    station_ip_checksum(&station);
    assert_answered();
}

#define TEST(name) STATION_TEST(name, station_met)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(header__I1_short_packet_is_dropped),
        TEST(header__I2_other_versions_are_dropped),
        TEST(header__I3_fewer_than_five_words_are_dropped),
        TEST(header__I4_header_longer_than_the_frame_is_dropped),
        TEST(header__I5_I7_total_shorter_than_the_header_is_dropped),
        TEST(header__I6_total_longer_than_the_frame_is_dropped),
        TEST(header__I8_every_wrong_bit_is_noticed),
        TEST(header__I8_checksum_of_all_ones_is_zero),
        TEST(header__I9_ttl_0_is_accepted),
        TEST(header__I10_reserved_flag_is_ignored),
        TEST(addresses__I11_impossible_sources_are_dropped),
        TEST(addresses__I12_destinations_not_ours_are_dropped),
        TEST(addresses__I12_tcp_to_many_is_dropped_silently),
        TEST(addresses__I19_ours_in_a_frame_to_everybody_gets_no_reply),
        TEST(options__I13_source_routes_are_dropped),
        TEST(options__I14_malformed_options_are_dropped),
        TEST(options__well_formed_ones_are_accepted),
        TEST(options__I15_40_bytes_of_nothing_are_accepted),
        TEST(options__I16_what_follows_the_end_is_ignored),
        TEST(protocol__I17_unknown_one_is_reported_to_the_sender),
        TEST(protocol__I17_not_about_broadcasts_and_fragments),
        TEST(protocol__I18_tunnels_are_dropped_silently),
        TEST(fragment__F21_atomic_one_is_an_ordinary_packet),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
