/*
 * ICMP: rows C of the list of bad inputs; what is answered and how often.
 * Errors about what we sent: test_icmp_error.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "net/icmp.h"
#include "tests/host/fragments.h"
#include "tests/host/host.h"
#include "tests/host/station_scene.h"

#define SECOND 1000000ull

/* The frame up to the ICMP header, for `bytes` from there on. */
static void headers(uint32_t dst, uint32_t bytes)
{
    station_ethernet(&station, station_mac, station_peer_mac, 0x0800);
    station_ip(&station, STATION_PEER, dst, 1, bytes);
}

/* A message of `bytes`, filled with a pattern behind its header. */
static void message(uint8_t type, uint8_t code, uint32_t dst, uint32_t bytes)
{
    headers(dst, bytes);
    station_byte(&station, type);
    station_byte(&station, code);
    station_word(&station, 0);
    station_long(&station, 0xbeef0007);
    for (uint32_t i = 8; i < bytes; i++)
        station_byte(&station, (uint8_t)(i * 7));
    station_checksum(&station, 34, 36, 0);
}

/* --- echo ----------------------------------------------------------------- */

static void echo__every_length_is_returned_as_it_came(void **state)
{
    (void)state;
    for (uint32_t bytes = 8; bytes <= 1480; bytes += bytes < 80 ? 1 : 100) {
        uint8_t sent[1480];

        message(8, 0, STATION_ADDR, bytes);
        memcpy(sent, station.frame + 38, bytes - 4);
        station_send(&station);
        assert_true(station_take(&station));
        assert_int_equal(station.len, 34 + bytes);
        assert_int_equal(station_at32(&station, 26), STATION_ADDR);
        assert_int_equal(station_at32(&station, 30), STATION_PEER);
        assert_true(station_sums(&station, 14, 20, 0));
        assert_int_equal(station_at16(&station, 34), 0);
        assert_true(station_sums(&station, 34, bytes, 0));
        assert_memory_equal(station.frame + 38, sent, bytes - 4);
    }
}

static void echo__C1_short_message_is_dropped(void **state)
{
    (void)state;
    for (uint32_t bytes = 0; bytes < 8; bytes++) {
        headers(STATION_ADDR, bytes);
        station_fill(&station, 8, bytes);
        DROPPED_AS(icmp_short);
    }
}

static void echo__C2_bad_checksum_is_dropped(void **state)
{
    (void)state;
    for (uint32_t at = 34; at < 34 + 16; at++) {
        message(8, 0, STATION_ADDR, 16);
        station.frame[at] ^= 0x10;
        DROPPED_AS(icmp_checksum);
    }
}

static void echo__C3_to_many_gets_no_reply(void **state)
{
    static const uint32_t many[] = {0xffffffff, 0x0a0000ff, 0x0a000000,
                                    0xe0000001};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(many); i++) {
        message(8, 0, many[i], 16);
        memcpy(station.frame, station_all_mac, 6);
        DROPPED_AS(icmp_broadcast);
    }
}

/* The largest that there is, in fragments there and back. */
static void echo__C4_65507_bytes_are_returned_as_they_came(void **state)
{
    static struct fragments f;
    static uint8_t back[65515];
    uint32_t got = 0;
    uint16_t sum;

    (void)state;
    fragments_init(&f);
    fragments_make(&f, 65515);
    f.protocol = 1;
    memcpy(f.whole, "\x08\x00\x00\x00\xbe\xef\x00\x07", 8);
    sum = (uint16_t)~internet_sum(f.whole, 65515, 0);
    f.whole[2] = (uint8_t)(sum >> 8);
    f.whole[3] = (uint8_t)sum;
    fragments_rest(&f, 0, 1480);
    while (station_take(&f.station)) {
        uint32_t at = (station_at16(&f.station, 20) & 0x1fff) * 8u;

        assert_int_equal(station_at16(&f.station, 20) & 0x4000, 0);
        memcpy(back + at, f.station.frame + 34, f.station.len - 34);
        got += f.station.len - 34;
    }
    assert_int_equal(got, 65515);
    assert_int_equal(back[0], 0);
    assert_memory_equal(back + 4, f.whole + 4, 65515 - 4);
    assert_int_equal(internet_sum(back, 65515, 0), 0xffff);
    assert_int_equal(fragments_end(&f), 0);
}

static void echo__C5_flood_is_answered_a_random_number_of_times(void **state)
{
    unsigned answers[6];
    bool differ = false;

    (void)state;
    station.dev.tx_max = 10000;
    for (size_t round = 0; round < ARRAY_LEN(answers); round++) {
        for (int i = 0; i < 5000; i++) {
            message(8, 0, STATION_ADDR, 16);
            station_send(&station);
        }
        answers[round] = station_take_all(&station);
        assert_in_range(answers[round], 1000, 2000);
        differ |= answers[round] != answers[0];
        station_wait(&station, 2 * SECOND);
    }
    assert_true(differ);
    assert_true(STATION_COUNT(&station, icmp_limited) > 0);
}

static void echo__reply_does_not_say_what_the_device_said(void **state)
{
    struct buffer *frame;

    (void)state;
    message(8, 0, STATION_ADDR, 16);
    frame = hostnet_chain(net_pool(station.net), station.frame, station.len);
    frame->flags = BUFFER_CSUM_PARTIAL;
    frame->csum_start = 34;
    frame->csum_offset = 500;
    net_input(station.net, &station.dev.dev, frame, host_now_us);
    net_flush(station.net, host_now_us);
    frame = memdev_take(&station.dev);
    assert_int_equal(frame->flags, 0);
    buffer_release(frame);
}

/* --- what is ignored ------------------------------------------------------ */

/* C14 source quench, C15 redirect, C16 the queries that steer or tell, C18
 * unknown. */
static void ignored__C14_C15_C16_C18_types_do_nothing(void **state)
{
    static const uint8_t types[] = {4,  5,  9,  10,  13,  14, 15,
                                    16, 17, 18, 200, 255, 1};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        message(types[i], 0, STATION_ADDR, 64);
        DROPPED_AS(icmp_type);
    }
}

static void ignored__C20_replies_that_nobody_asked_for(void **state)
{
    (void)state;
    message(0, 0, STATION_ADDR, 8);
    DROPPED_AS(icmp_unasked);
    message(0, 0, STATION_ADDR, 1480);
    DROPPED_AS(icmp_unasked);
}

static void ignored__C16_mask_reply_changes_no_network(void **state)
{
    (void)state;
    message(18, 0, STATION_ADDR, 12);
    station_set(&station, 42, 0xff00);
    station_set(&station, 44, 0);
    station_checksum(&station, 34, 36, 0);
    DROPPED_AS(icmp_type);
    assert_true(ipv4_is_broadcast(station.net, IPV4_ADDR(10, 0, 0, 255)));
}

/* --- what we report ------------------------------------------------------- */

/* A datagram to `port`, from `src`. */
static void datagram(uint32_t src, uint16_t port)
{
    station_ethernet(&station, station_mac, station_peer_mac, 0x0800);
    station_ip(&station, src, STATION_ADDR, 17, 12);
    station_word(&station, 1234);
    station_word(&station, port);
    station_word(&station, 12);
    station_word(&station, 0);
    station_long(&station, 0);
}

static void report__C17_never_about_an_icmp_error(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        if (type == 8)
            continue;
        message((uint8_t)type, 3, STATION_ADDR, 40);
        station_send(&station);
        assert_int_equal(station_take_all(&station), 0);
    }
}

static void report__quotes_the_packet_as_it_came(void **state)
{
    uint8_t packet[32];

    (void)state;
    datagram(STATION_PEER, 9999);
    memcpy(packet, station.frame + 14, sizeof(packet));
    station_send(&station);
    assert_true(station_take(&station));
    assert_int_equal(station.len, 14 + 20 + 8 + 32);
    assert_int_equal(station_at16(&station, 34), 0x0303);
    assert_int_equal(station_at32(&station, 38), 0);
    assert_memory_equal(station.frame + 42, packet, sizeof(packet));
    assert_true(station_sums(&station, 34, 40, 0));
}

static void report__C19_storm_is_limited_for_each_destination(void **state)
{
    unsigned counts[20], other = 0;
    bool differ = false;

    (void)state;
    for (size_t round = 0; round < ARRAY_LEN(counts); round++) {
        for (uint16_t port = 1; port <= 200; port++) {
            datagram(STATION_PEER, (uint16_t)(port + 100));
            station_send(&station);
        }
        counts[round] = station_take_all(&station);
        assert_in_range(counts[round], 6, 11);
        differ |= counts[round] != counts[0];
        for (uint32_t i = 0; i < 20; i++) { /* others are still told */
            station_meet(&station, 0x0a000020 + i, station_peer_mac);
            datagram(0x0a000020 + i, 9999);
            station_send(&station);
            other += station_take_all(&station);
        }
        station_wait(&station, 2 * SECOND);
        station_take_all(&station);
    }
    assert_true(differ);
    assert_true(other > 20 * ARRAY_LEN(counts) / 2);
}

#define TEST(name) STATION_TEST(name, station_met)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(echo__every_length_is_returned_as_it_came),
        TEST(echo__C1_short_message_is_dropped),
        TEST(echo__C2_bad_checksum_is_dropped),
        TEST(echo__C3_to_many_gets_no_reply),
        TEST(echo__C4_65507_bytes_are_returned_as_they_came),
        TEST(echo__C5_flood_is_answered_a_random_number_of_times),
        TEST(echo__reply_does_not_say_what_the_device_said),
        TEST(ignored__C14_C15_C16_C18_types_do_nothing),
        TEST(ignored__C20_replies_that_nobody_asked_for),
        TEST(ignored__C16_mask_reply_changes_no_network),
        TEST(report__C17_never_about_an_icmp_error),
        TEST(report__quotes_the_packet_as_it_came),
        TEST(report__C19_storm_is_limited_for_each_destination),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
