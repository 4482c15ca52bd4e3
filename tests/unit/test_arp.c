/*
 * ARP that comes in: rows A of the list of bad inputs. What the station asks
 * itself is in test_arp_ask.c, what its cache keeps in test_arp_cache.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "net/arp.h"
#include "tests/host/host.h"
#include "tests/host/station_scene.h"

#define SECOND 1000000ull

static void request_from_peer(void)
{
    write_arp(station_all_mac, 1, station_peer_mac, STATION_PEER, STATION_ADDR);
}

/* The frame is dropped, counted as `name`, and taught the station nothing. */
#define IGNORED_AS(name)                                                       \
    do {                                                                       \
        DROPPED_AS(name);                                                      \
        assert_false(knows(STATION_PEER, station_peer_mac));                   \
        station_wait(&station, 60 * SECOND);                                   \
        station_take_all(&station);                                            \
    } while (0)

/* --- questions to us ------------------------------------------------------ */

static void arp__question_for_us_is_answered_and_learnt(void **state)
{
    (void)state;
    request_from_peer();
    station_send(&station);

    assert_true(station_take(&station));
    assert_memory_equal(station.frame, station_peer_mac, 6);
    assert_int_equal(station_at16(&station, 20), 2);
    assert_memory_equal(station.frame + 22, station_mac, 6);
    assert_int_equal(station_at32(&station, 28), STATION_ADDR);
    assert_memory_equal(station.frame + 32, station_peer_mac, 6);
    assert_int_equal(station_at32(&station, 38), STATION_PEER);
    assert_true(knows(STATION_PEER, station_peer_mac));
}

static void arp__A1_short_packet_is_dropped(void **state)
{
    (void)state;
    for (uint32_t len = 15; len < 14 + 28; len++) {
        request_from_peer();
        station.len = len;
        IGNORED_AS(arp_short);
    }
}

static void arp__A2_A3_A4_A5_other_formats_are_dropped(void **state)
{
    static const struct {
        uint32_t at;
        uint16_t value;
    } changes[] = {{14, 0},      {14, 6},      {14, 0x0100},  /* A2 */
                   {16, 0x0806}, {16, 0x86dd}, {16, 0},       /* A3 */
                   {18, 0x0504}, {18, 0x0004}, {18, 0xff04},  /* A4 */
                   {18, 0x0606}, {18, 0x0600}, {18, 0x06ff}}; /* A5 */

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        request_from_peer();
        station_set(&station, changes[i].at, changes[i].value);
        IGNORED_AS(arp_format);
    }
}

static void arp__A6_other_operations_are_dropped(void **state)
{
    static const uint16_t operations[] = {0, 3, 4, 8, 9, 65535, 0x0101};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(operations); i++) {
        request_from_peer();
        station_set(&station, 20, operations[i]);
        IGNORED_AS(arp_format);
    }
}

static void arp__A7_probe_is_answered_and_not_learnt(void **state)
{
    struct net_memory before, after;

    (void)state;
    net_memory_get(station.net, &before);
    write_arp(station_all_mac, 1, station_peer_mac, 0, STATION_ADDR);
    station_send(&station);
    assert_true(station_take(&station));
    assert_int_equal(station_at16(&station, 20), 2);
    assert_int_equal(station_at32(&station, 38), 0);
    net_memory_get(station.net, &after);
    assert_int_equal(after.pages, before.pages);
    write_arp(station_all_mac, 1, station_peer_mac, 0, STATION_PEER);
    station_send(&station);
    assert_int_equal(station_take_all(&station), 0);
}

static void arp__A8_conflict_is_counted_and_defended_every_10_s(void **state)
{
    (void)state;
    for (int second = 0; second < 35; second++) {
        write_arp(station_all_mac, second % 2 ? 2 : 1, station_peer_mac,
                  STATION_ADDR, STATION_ADDR);
        if (second % 2)
            memcpy(station.frame, station_mac, 6);
        station_send(&station);
        station_wait(&station, SECOND);
    }
    assert_int_equal(STATION_COUNT(&station, arp_conflict), 35);
    for (int i = 0; i < 4; i++) { /* at 0, 10, 20 and 30 s */
        assert_true(station_take(&station));
        assert_arp_request(station_all_mac, STATION_ADDR, STATION_ADDR);
    }
    assert_false(station_take(&station));
}

static void arp__A9_sender_that_is_no_host_is_dropped(void **state)
{
    static const uint32_t senders[] = {0xffffffff, 0x0a0000ff, 0x0a000000,
                                       0xe0000001, 0x7f000001, 0x00000001,
                                       0xf0000001};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(senders); i++) {
        write_arp(station_all_mac, 1, station_peer_mac, senders[i],
                  STATION_ADDR);
        IGNORED_AS(arp_bad_sender);
    }
}

/* A9: where the whole world is on the link. */
static void arp__sender_that_is_no_host_is_dropped_on_any_link(void **state)
{
    static const uint32_t senders[] = {0xffffffff, 0xe0000001, 0x7f000001,
                                       0x00000001, 0xf0000001};

    (void)state;
    station_end(&station);
    station_prepare(&station);
    station_start(&station, 0, 0);
    station_take_all(&station);
    for (size_t i = 0; i < ARRAY_LEN(senders); i++) {
        write_arp(station_all_mac, 1, station_peer_mac, senders[i],
                  STATION_ADDR);
        IGNORED_AS(arp_bad_sender);
    }
}

static void arp__A10_sender_mac_of_a_group_or_zero_is_dropped(void **state)
{
    const uint8_t group[6] = {1, 2, 3, 4, 5, 6};

    (void)state;
    request_from_peer();
    memcpy(station.frame + 22, group, 6);
    IGNORED_AS(arp_bad_sender);
    request_from_peer();
    memcpy(station.frame + 22, station_all_mac, 6);
    IGNORED_AS(arp_bad_sender);
    request_from_peer();
    memset(station.frame + 22, 0, 6);
    memset(station.frame + 6, 0, 6);
    IGNORED_AS(arp_bad_sender);
}

static void arp__A11_sender_mac_other_than_the_frames_is_dropped(void **state)
{
    (void)state;
    request_from_peer();
    station.frame[27] ^= 4;
    IGNORED_AS(arp_bad_sender);
}

static void arp__A12_reply_that_nobody_asked_for_is_not_stored(void **state)
{
    (void)state;
    write_arp(station_mac, 2, station_peer_mac, STATION_PEER, STATION_ADDR);
    IGNORED_AS(arp_unsolicited);
}

static void arp__A13_gratuitous_arp_updates_only_what_is_known(void **state)
{
    const uint8_t moved[6] = {2, 0, 0, 0, 0, 0x42};

    (void)state;
    write_arp(station_all_mac, 1, moved, STATION_PEER, STATION_PEER);
    station_send(&station);
    assert_false(knows(STATION_PEER, moved));
    station_wait(&station, 60 * SECOND);

    station_meet(&station, STATION_PEER, station_peer_mac);
    station_wait(&station, 2 * SECOND);
    write_arp(station_all_mac, 1, moved, STATION_PEER, STATION_PEER);
    station_send(&station);
    assert_int_equal(station_take_all(&station), 0);
    assert_true(knows(STATION_PEER, moved));
}

static void
arp__A14_flood_of_strangers_is_bounded_and_spares_the_gateway(void **state)
{
    const uint8_t gateway[6] = {2, 0, 0, 0, 0, 0xfe};
    struct net_memory memory;

    (void)state;
    station_end(&station);
    station_prepare(&station);
    station.dev.tx_max = 10000;
    station_start(&station, 8, STATION_GATEWAY);
    station_meet(&station, STATION_GATEWAY, gateway);
    station_wait(&station, SECOND);
    station_take_all(&station);
    for (uint32_t i = 0; i < 100000; i++) {
        write_arp(station_all_mac, 1, station_peer_mac, 0x0a010000 + i * 3 + 1,
                  STATION_ADDR);
        station_send(&station);
        if (i == 5000) /* of one MAC address, whatever he calls himself */
            assert_int_equal(station_take_all(&station), ARP_REPLIES_PER_S);
    }
    net_memory_get(station.net, &memory);
    assert_true(memory.pages < 20);
    assert_true(STATION_COUNT(&station, arp_evicted) > 99000);
    assert_true(STATION_COUNT(&station, arp_limited) > 98000);
    assert_true(knows(STATION_GATEWAY, gateway));
    assert_true(knows(STATION_FAR, gateway));
}

static void arp__A14_the_longest_unused_goes_first(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < ARP_ENTRIES_MAX; i++) {
        station_meet(&station, 0x0a000010 + i, station_peer_mac);
        station_wait(&station, 1000);
    }
    assert_true(knows(0x0a000010, station_peer_mac)); /* now the latest */
    station_meet(&station, 0x0a000080, station_peer_mac);
    assert_true(knows(0x0a000010, station_peer_mac));
    assert_int_equal(STATION_COUNT(&station, arp_evicted), 1);
    assert_false(knows(0x0a000011, station_peer_mac));
}

static void arp__A15_reply_to_everybody_is_ignored(void **state)
{
    const uint8_t moved[6] = {2, 0, 0, 0, 0, 0x42};

    (void)state;
    station_meet(&station, STATION_PEER, station_peer_mac);
    station_wait(&station, 2 * SECOND);
    write_arp(station_all_mac, 2, moved, STATION_PEER, STATION_ADDR);
    station_send(&station);
    assert_true(knows(STATION_PEER, station_peer_mac));
}

static void arp__A16_question_for_another_gets_no_answer(void **state)
{
    (void)state;
    write_arp(station_all_mac, 1, station_peer_mac, STATION_PEER, 0x0a000009);
    station_send(&station);
    assert_int_equal(station_take_all(&station), 0);
    assert_false(knows(STATION_PEER, station_peer_mac));
}

/* A16 */
static void arp__question_for_another_refreshes_what_is_known(void **state)
{
    (void)state;
    station_meet(&station, STATION_PEER, station_peer_mac);
    for (int i = 0; i < 5; i++) { /* far longer than an entry lives unused */
        station_wait(&station, 50 * SECOND);
        write_arp(station_all_mac, 1, station_peer_mac, STATION_PEER,
                  0x0a000009);
        station_send(&station);
    }
    assert_int_equal(station_take_all(&station), 0);
    assert_true(knows(STATION_PEER, station_peer_mac));
}

static void arp__A17_flapping_address_is_held(void **state)
{
    const uint8_t other[6] = {2, 0, 0, 0, 0, 0x42};
    unsigned changes = 0;
    bool is_other = false;

    (void)state;
    station_meet(&station, STATION_PEER, station_peer_mac);
    for (int ms = 0; ms < 10000; ms++) {
        const uint8_t *mac = ms % 2 ? other : station_peer_mac;

        write_arp(station_all_mac, 1, mac, STATION_PEER, STATION_PEER);
        station_send(&station);
        station_wait(&station, 1000);
        if (ms % 100 == 0 && knows(STATION_PEER, other) != is_other) {
            is_other = !is_other;
            changes++;
        }
    }
    assert_true(changes <= 10);
    assert_true(STATION_COUNT(&station, arp_flap) > 1000);
}

/* A17, S40: a clock that jumps back is taken to stand still. */
static void arp__clock_that_jumps_back_ends_no_hold(void **state)
{
    const uint8_t moved[6] = {2, 0, 0, 0, 0, 0x42};

    (void)state;
    station_meet(&station, STATION_PEER, station_peer_mac);
    host_now_us = 5;
    write_arp(station_all_mac, 1, moved, STATION_PEER, STATION_PEER);
    station_send(&station);
    assert_true(knows(STATION_PEER, station_peer_mac));
}

static void arp__A20_bytes_behind_the_packet_are_ignored(void **state)
{
    (void)state;
    request_from_peer();
    station_fill(&station, 0xee, 18);
    station_send(&station);
    assert_int_equal(station_take_all(&station), 1);
    assert_true(knows(STATION_PEER, station_peer_mac));
    request_from_peer();
    station_fill(&station, 0xee, 1000);
    station_send(&station);
    assert_int_equal(station_take_all(&station), 1);
}

/* --- from off the link ---------------------------------------------------- */

/* A node that hands out single addresses asks from one of its own. */
static void answers_far(void)
{
    write_arp(station_all_mac, 1, station_peer_mac, STATION_FAR, STATION_ADDR);
    station_send(&station);
    assert_true(station_take(&station));
    assert_memory_equal(station.frame, station_peer_mac, 6);
    assert_int_equal(station_at16(&station, 20), 2);
    assert_memory_equal(station.frame + 22, station_mac, 6);
    assert_int_equal(station_at32(&station, 28), STATION_ADDR);
    assert_memory_equal(station.frame + 32, station_peer_mac, 6);
    assert_int_equal(station_at32(&station, 38), STATION_FAR);
    assert_false(station_take(&station));
    assert_int_equal(STATION_COUNT(&station, arp_off_link), 1);
}

static void
arp__A19_sender_off_the_link_is_answered_and_not_learnt(void **state)
{
    static const uint8_t gateway_mac[6] = {2, 0, 0, 0, 0, 0xfe};

    (void)state;
    answers_far();
    station_meet(&station, STATION_GATEWAY, gateway_mac);
    assert_true(knows(STATION_FAR, gateway_mac));
}

static void arp__A19_single_address_answers_its_node(void **state)
{
    (void)state;
    station_end(&station);
    station_prepare(&station);
    station_start(&station, 32, STATION_GATEWAY);
    station_take_all(&station);
    answers_far();
}

static void arp__A19_sender_that_we_do_not_reach_there_is_dropped(void **state)
{
    static struct memdev other;
    static const struct net_address address = {IPV4_ADDR(172, 16, 0, 1), 16,
                                               IPV4_ADDR(0, 0, 0, 0)};

    (void)state;
    memdev_init(&other, (struct mac_addr){{2, 0, 0, 0, 0, 9}});
    assert_int_equal(net_attach(station.net, &other.dev, &address), NET_OK);
    write_arp(station_all_mac, 1, station_peer_mac, 0xac100002, STATION_ADDR);
    IGNORED_AS(arp_off_link);
    /* Ours, on the other card; no answer to ourselves. */
    write_arp(station_all_mac, 1, station_peer_mac, 0xac100001, STATION_ADDR);
    IGNORED_AS(arp_off_link);
}

static void arp__A19_without_a_way_back_there_is_no_answer(void **state)
{
    (void)state;
    station_end(&station);
    station_prepare(&station);
    station_start(&station, 24, 0);
    station_take_all(&station);
    write_arp(station_all_mac, 1, station_peer_mac, STATION_FAR, STATION_ADDR);
    IGNORED_AS(arp_off_link);
}

/* A question for another, and an answer, are nothing to us. */
static void arp__A19_other_words_from_off_the_link_are_dropped(void **state)
{
    (void)state;
    write_arp(station_all_mac, 1, station_peer_mac, STATION_FAR, STATION_PEER);
    IGNORED_AS(arp_off_link);
    write_arp(station_mac, 2, station_peer_mac, STATION_FAR, STATION_ADDR);
    IGNORED_AS(arp_off_link);
}

#define TEST(name) STATION_TEST(name, station_fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(arp__question_for_us_is_answered_and_learnt),
        TEST(arp__A1_short_packet_is_dropped),
        TEST(arp__A2_A3_A4_A5_other_formats_are_dropped),
        TEST(arp__A6_other_operations_are_dropped),
        TEST(arp__A7_probe_is_answered_and_not_learnt),
        TEST(arp__A8_conflict_is_counted_and_defended_every_10_s),
        TEST(arp__A9_sender_that_is_no_host_is_dropped),
        TEST(arp__sender_that_is_no_host_is_dropped_on_any_link),
        TEST(arp__A10_sender_mac_of_a_group_or_zero_is_dropped),
        TEST(arp__A11_sender_mac_other_than_the_frames_is_dropped),
        TEST(arp__A12_reply_that_nobody_asked_for_is_not_stored),
        TEST(arp__A13_gratuitous_arp_updates_only_what_is_known),
        TEST(arp__A14_flood_of_strangers_is_bounded_and_spares_the_gateway),
        TEST(arp__A14_the_longest_unused_goes_first),
        TEST(arp__A15_reply_to_everybody_is_ignored),
        TEST(arp__A16_question_for_another_gets_no_answer),
        TEST(arp__question_for_another_refreshes_what_is_known),
        TEST(arp__A17_flapping_address_is_held),
        TEST(arp__clock_that_jumps_back_ends_no_hold),
        TEST(arp__A19_sender_off_the_link_is_answered_and_not_learnt),
        TEST(arp__A19_single_address_answers_its_node),
        TEST(arp__A19_sender_that_we_do_not_reach_there_is_dropped),
        TEST(arp__A19_without_a_way_back_there_is_no_answer),
        TEST(arp__A19_other_words_from_off_the_link_are_dropped),
        TEST(arp__A20_bytes_behind_the_packet_are_ignored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
