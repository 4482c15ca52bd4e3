/*
 * Reassembly: rows F of the list of bad inputs, as far as they are about what
 * fits together and what does not. Time and bounds: test_ipv4_reass_bounds.c.
 *
 * Expected results are those of RFC 791 3.2 for fragments that fit together,
 * and of RFC 5722 (nothing is delivered) for those that do not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "net/net_priv.h"
#include "tests/host/fragments.h"
#include "tests/host/host.h"

static struct fragments f;

static int setup(void **state)
{
    (void)state;
    fragments_init(&f);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return fragments_end(&f) == 0 ? 0 : -1;
}

/* Whatever comes of this datagram is dropped. */
static void assert_spoilt(void)
{
    fragments_rest(&f, 0, 1000);
    assert_int_equal(f.heard, 0);
    assert_int_equal(fragments_held(&f), 0);
    assert_int_equal(station_take_all(&f.station), 0);
}

/* --- what fits together --------------------------------------------------- */

static void fits__every_order_gives_the_datagram(void **state)
{
    static const uint8_t order[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                       {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(order); i++) {
        f.id++;
        for (unsigned j = 0; j < 3; j++) {
            assert_int_equal(f.heard, i);
            fragments_send(&f, order[i][j] * 1000u, 1000, order[i][j] < 2);
        }
        assert_int_equal(f.heard, i + 1);
        assert_int_equal(fragments_under_way(&f), 0);
    }
    assert_int_equal(STATION_COUNT(&f.station, ip_reassembled), 6);
}

static void fits__U11_largest_datagram_there_is(void **state)
{
    (void)state;
    fragments_make(&f, FRAGMENTS_WHOLE_MAX); /* 65535 less a header of 20 */
    fragments_rest(&f, 0, 1480);
    assert_int_equal(f.heard, 1);
}

static void fits__F4_what_comes_twice_is_ignored(void **state)
{
    (void)state;
    fragments_send(&f, 0, 1000, true);
    fragments_send(&f, 0, 1000, true);
    fragments_send(&f, 2000, 1000, false);
    fragments_send(&f, 2000, 1000, false);
    fragments_send(&f, 0, 1000, true);
    fragments_send(&f, 1000, 1000, true);
    assert_int_equal(f.heard, 1);
    assert_int_equal(STATION_COUNT(&f.station, ip_fragment_conflict), 0);
    fragments_send(&f, 1000, 1000, true); /* late: the beginning of another */
    assert_int_equal(fragments_under_way(&f), 1);
}

static void
fits__F14_other_numbers_sources_and_protocols_are_apart(void **state)
{
    (void)state;
    fragments_send(&f, 0, 1000, true);
    f.id = 78;
    fragments_send(&f, 1000, 1000, true);
    f.id = 77;
    f.protocol = 1;
    fragments_send(&f, 1000, 1000, true);
    f.protocol = 17;
    f.src = STATION_PEER + 1;
    fragments_send(&f, 1000, 1000, true);
    f.src = STATION_PEER;
    assert_int_equal(fragments_under_way(&f), 4);
    fragments_send(&f, 2000, 1000, false);
    assert_int_equal(f.heard, 0);
    fragments_send(&f, 1000, 1000, true);
    assert_int_equal(f.heard, 1);
    assert_int_equal(fragments_under_way(&f), 3);
}

/* F15: the second fragment has options, which nobody asked for. */
static void fits__F15_header_of_the_first_counts(void **state)
{
    (void)state;
    fragments_make(&f, 2000);
    fragments_send(&f, 0, 1000, true);
    station_ethernet(&f.station, station_mac, station_peer_mac, 0x0800);
    station_ip(&f.station, f.src, STATION_ADDR, 17, 1004);
    f.station.frame[14] = 0x46;
    station_long(&f.station, 0x01010100);
    station_bytes(&f.station, f.whole + 1000, 1000);
    station_set(&f.station, 18, f.id);
    station_set(&f.station, 20, 1000 / 8);
    station_ip_checksum(&f.station);
    station_send(&f.station);
    assert_int_equal(f.heard, 1);
}

static void fits__I20_both_flags_make_a_fragment(void **state)
{
    (void)state;
    fragments_write(&f, 0, 1000, true);
    station_set(&f.station, 20, 0x6000);
    station_ip_checksum(&f.station);
    station_send(&f.station);
    fragments_rest(&f, 1000, 1000);
    assert_int_equal(f.heard, 1);
}

static void fits__E9_padding_is_no_part_of_it(void **state)
{
    (void)state;
    fragments_make(&f, 1401);
    fragments_send(&f, 0, 1400, true);
    fragments_write(&f, 1400, 1, false);
    station_fill(&f.station, 0xee, 25);
    station_send(&f.station);
    assert_int_equal(f.heard, 1);
}

/* What the device says of a checksum is about the fragment. */
static void fits__wrong_checksum_of_the_whole_is_noticed(void **state)
{
    (void)state;
    f.whole[2500] ^= 1;
    fragments_rest(&f, 0, 1000);
    assert_int_equal(f.heard, 0);
    assert_int_equal(STATION_COUNT(&f.station, udp_checksum), 1);
}

/* --- what does not -------------------------------------------------------- */

static void bad__F1_ping_of_death_drops_the_whole(void **state)
{
    (void)state;
    fragments_send(&f, 0, 1000, true);
    fragments_send(&f, 8189 * 8, 1000, false);
    assert_int_equal(STATION_COUNT(&f.station, ip_fragment_bad), 1);
    assert_spoilt();
}

static void bad__F16_one_byte_more_than_65535_is_dropped(void **state)
{
    (void)state;
    fragments_make(&f, FRAGMENTS_WHOLE_MAX + 1);
    fragments_send(&f, 65512, 4, false);
    assert_int_equal(STATION_COUNT(&f.station, ip_fragment_bad), 1);
    assert_int_equal(fragments_under_way(&f), 0);
    fragments_send(&f, 65512, 3, false);
    assert_int_equal(STATION_COUNT(&f.station, ip_fragment_bad), 1);
    assert_int_equal(fragments_under_way(&f), 1);
}

/* ... also when it is the options of the first fragment that are too much. */
static void bad__F16_options_of_the_first_count_too(void **state)
{
    struct station *station = &f.station;

    (void)state;
    fragments_make(&f, FRAGMENTS_WHOLE_MAX);
    fragments_rest(&f, 1400, 1400);
    station_ethernet(station, station_mac, station_peer_mac, 0x0800);
    station_ip(station, f.src, STATION_ADDR, 17, 4 + 1400);
    station->frame[14] = 0x46;
    station_long(station, 0x01010100);
    station_bytes(station, f.whole, 1400);
    station_set(station, 18, f.id);
    station_set(station, 20, 0x2000);
    station_ip_checksum(station);
    station_send(station);
    assert_int_equal(f.heard, 0);
    assert_int_equal(STATION_COUNT(station, ip_reassembled), 0);
    assert_int_equal(fragments_held(&f), 0);
}

static void bad__F2_empty_fragment_is_dropped(void **state)
{
    (void)state;
    fragments_send(&f, 0, 0, true);
    fragments_send(&f, 1000, 0, true);
    fragments_send(&f, 1000, 0, false);
    assert_int_equal(STATION_COUNT(&f.station, ip_fragment_bad), 3);
    assert_int_equal(fragments_under_way(&f), 0);
}

static void bad__F3_odd_length_before_the_last_is_dropped(void **state)
{
    (void)state;
    for (uint32_t bytes = 1001; bytes < 1008; bytes++)
        fragments_send(&f, 0, bytes, true);
    assert_int_equal(STATION_COUNT(&f.station, ip_fragment_bad), 7);
    assert_int_equal(fragments_under_way(&f), 0);
}

static void bad__F5_overlap_drops_the_whole(void **state)
{
    static const struct {
        uint32_t offset, bytes;
    } second[] = {{992, 1000},  {1992, 1000}, {1000, 992},
                  {1000, 1008}, {1008, 992},  {992, 1016},
                  {800, 1400},  {1496, 8},    {0, 1008}};

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(second); i++) {
        f.id++;
        fragments_send(&f, 1000, 1000, true);
        fragments_send(&f, second[i].offset, second[i].bytes, true);
        assert_int_equal(STATION_COUNT(&f.station, ip_fragment_conflict),
                         i + 1);
        assert_spoilt();
    }
}

/* The second lies within the first: CVE-1999-0015. */
static void bad__F6_teardrop_drops_the_whole(void **state)
{
    (void)state;
    fragments_send(&f, 0, 40, true);
    fragments_send(&f, 24, 4, false);
    assert_int_equal(STATION_COUNT(&f.station, ip_fragment_conflict), 1);
    assert_spoilt();
}

static void bad__F7_two_ends_drop_the_whole(void **state)
{
    (void)state;
    fragments_send(&f, 2000, 1000, false);
    fragments_send(&f, 1000, 500, false);
    assert_int_equal(STATION_COUNT(&f.station, ip_fragment_conflict), 1);
    assert_spoilt();
    f.id++;
    fragments_send(&f, 2000, 1000, false);
    fragments_send(&f, 3000, 500, false);
    assert_int_equal(STATION_COUNT(&f.station, ip_fragment_conflict), 2);
    assert_spoilt();
    f.id++;
    fragments_send(&f, 2000, 1000, false);
    fragments_send(&f, 2000, 992, true); /* no longer the last? */
    assert_int_equal(STATION_COUNT(&f.station, ip_fragment_conflict), 3);
    assert_spoilt();
}

static void bad__F8_fragment_behind_the_end_drops_the_whole(void **state)
{
    (void)state;
    fragments_send(&f, 1000, 1000, false);
    fragments_send(&f, 2000, 1000, true);
    assert_int_equal(STATION_COUNT(&f.station, ip_fragment_conflict), 1);
    assert_spoilt();
    f.id++;
    fragments_send(&f, 2000, 1000, true);
    fragments_send(&f, 1000, 1000, false);
    assert_int_equal(STATION_COUNT(&f.station, ip_fragment_conflict), 2);
    assert_spoilt();
}

/* RFC 1858, RFC 3128: a filter sees no flags, or others than we do. */
static void bad__F9_F10_F20_fragments_of_tcp_are_dropped(void **state)
{
    (void)state;
    f.protocol = 6;
    fragments_send(&f, 0, 8, true);
    fragments_send(&f, 8, 1000, true);
    fragments_send(&f, 0, 1000, true);
    fragments_send(&f, 1000, 1000, false);
    assert_int_equal(STATION_COUNT(&f.station, ip_fragment_refused), 4);
    assert_int_equal(fragments_under_way(&f), 0);
    assert_int_equal(STATION_COUNT(&f.station, tcp_rx), 0);
    f.protocol = 99; /* nor of what nobody here speaks */
    fragments_send(&f, 0, 1000, true);
    assert_int_equal(STATION_COUNT(&f.station, ip_fragment_refused), 5);
    assert_int_equal(station_take_all(&f.station), 0);
}

static void bad__F18_fragments_to_many_are_dropped(void **state)
{
    static const uint32_t many[] = {0x0a0000ff, 0xffffffff, 0xe0000001};

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(many); i++) {
        fragments_write(&f, 0, 1000, true);
        station_set(&f.station, 30, (uint16_t)(many[i] >> 16));
        station_set(&f.station, 32, (uint16_t)many[i]);
        station_ip_checksum(&f.station);
        station_send(&f.station);
        assert_int_equal(STATION_COUNT(&f.station, ip_fragment_refused), i + 1);
        assert_int_equal(fragments_under_way(&f), 0);
    }
}

/* RFC 3168 5.3. ECN: 0 Not-ECT, 1 and 2 ECT, 3 CE. */
static void bad__F19_ecn_of_the_whole_follows_from_all(void **state)
{
    static const struct {
        uint8_t first, second;
        bool good;
    } cases[] = {{0, 0, true},  {2, 2, true},  {2, 3, true},  {3, 1, true},
                 {1, 2, true},  {0, 2, false}, {1, 0, false}, {0, 3, false},
                 {3, 0, false}, {3, 3, true}};

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        unsigned before = f.heard;

        f.id++;
        f.tos = cases[i].first;
        fragments_send(&f, 0, 1000, true);
        f.tos = cases[i].second;
        fragments_rest(&f, 1000, 1000);
        assert_int_equal(f.heard - before, cases[i].good);
    }
}

/* The header that the layer above gets, when either fragment met congestion. */
static void bad__F19_congestion_of_any_is_that_of_the_whole(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct ipv4_packet ip = {.header = {.src = ipv4_addr_make(f.src),
                                            .header_bytes = 20,
                                            .more_fragments = true,
                                            .tos = i == 0 ? 0xb9 : 0xbb}};
        struct buffer *chain;

        assert_null(ipv4_reass_input(
            f.station.net, &ip,
            hostnet_chain(net_pool(f.station.net), f.whole, 16)));
        ip.header.fragment_bytes = 16;
        ip.header.more_fragments = false;
        ip.header.tos = i == 0 ? 0xbb : 0xb9;
        chain = ipv4_reass_input(
            f.station.net, &ip,
            hostnet_chain(net_pool(f.station.net), f.whole, 5));
        assert_int_equal(buffer_chain_len(chain), 21);
        assert_int_equal(ip.header.tos, 0xbb);
        assert_int_equal(ip.header.total_bytes, 41);
        assert_false(ip.header.more_fragments);
        buffer_release(chain);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(fits__every_order_gives_the_datagram),
        TEST(fits__U11_largest_datagram_there_is),
        TEST(fits__F4_what_comes_twice_is_ignored),
        TEST(fits__F14_other_numbers_sources_and_protocols_are_apart),
        TEST(fits__F15_header_of_the_first_counts),
        TEST(fits__I20_both_flags_make_a_fragment),
        TEST(fits__E9_padding_is_no_part_of_it),
        TEST(fits__wrong_checksum_of_the_whole_is_noticed),
        TEST(bad__F1_ping_of_death_drops_the_whole),
        TEST(bad__F16_one_byte_more_than_65535_is_dropped),
        TEST(bad__F16_options_of_the_first_count_too),
        TEST(bad__F2_empty_fragment_is_dropped),
        TEST(bad__F3_odd_length_before_the_last_is_dropped),
        TEST(bad__F5_overlap_drops_the_whole),
        TEST(bad__F6_teardrop_drops_the_whole),
        TEST(bad__F7_two_ends_drop_the_whole),
        TEST(bad__F8_fragment_behind_the_end_drops_the_whole),
        TEST(bad__F9_F10_F20_fragments_of_tcp_are_dropped),
        TEST(bad__F18_fragments_to_many_are_dropped),
        TEST(bad__F19_ecn_of_the_whole_follows_from_all),
        TEST(bad__F19_congestion_of_any_is_that_of_the_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
