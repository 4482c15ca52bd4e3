/*
 * Asking a host whether it is there: net/ping.h, and net/stack_ping.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "net/ping.h"
#include "tests/host/host.h"
#include "tests/host/pair.h"
#include "tests/host/station_scene.h"

enum { SECOND = 1000000 };

static struct {
    unsigned count;
    struct ping_answer answer;
} told;

static void done(void *context, const struct ping_answer *answer)
{
    assert_ptr_equal(context, &told);
    told.count++;
    told.answer = *answer;
}

static int setup(void **state)
{
    memset(&told, 0, sizeof(told));
    return station_met(state);
}

static enum ping_status ask(struct net *net, uint32_t dst, uint32_t bytes,
                            struct ping **ping)
{
    const struct ping_request request = {.dst = ipv4_addr_make(dst),
                                         .bytes = bytes,
                                         .sequence = 7,
                                         .ttl = 9,
                                         .timeout_us = 2 * SECOND};
    enum ping_status status =
        ping_start(net, &request, done, &told, host_now_us, ping);

    net_flush(net, host_now_us);
    return status;
}

/* The question, as it stands in the station's frame. */
static void ask_peer(uint32_t bytes)
{
    struct ping *ping;

    assert_int_equal(ask(station.net, STATION_PEER, bytes, &ping), PING_OK);
    assert_non_null(ping);
    assert_true(station_take(&station));
}

/* Make the frame the peer's reply. */
static void turn_around(void)
{
    memcpy(station.frame, station_mac, 6);
    memcpy(station.frame + 6, station_peer_mac, 6);
    station_set(&station, 26, STATION_PEER >> 16);
    station_set(&station, 28, STATION_PEER & 0xffff);
    station_set(&station, 30, STATION_ADDR >> 16);
    station_set(&station, 32, STATION_ADDR & 0xffff);
    station.frame[22] = 61;
    station.frame[34] = 0;
    station_ip_checksum(&station);
    station_checksum(&station, 34, 36, 0);
}

static void question__is_an_echo_request(void **state)
{
    (void)state;
    ask_peer(56);
    assert_int_equal(station.len, 14 + 20 + 8 + 56);
    assert_int_equal(station_at8(&station, 22), 9);
    assert_int_equal(station_at16(&station, 34), 0x0800);
    assert_int_equal(station_at16(&station, 40), 7);
    assert_true(station_sums(&station, 34, 8 + 56, 0));
    assert_int_equal(told.count, 0);
}

static void answer__is_told_with_its_time_and_ttl(void **state)
{
    (void)state;
    ask_peer(56);
    host_now_us += 1234;
    turn_around();
    station_send(&station);
    assert_int_equal(told.count, 1);
    assert_int_equal(told.answer.status, PING_OK);
    assert_int_equal(ipv4_addr_host(told.answer.from), STATION_PEER);
    assert_int_equal(told.answer.rtt_us, 1234);
    assert_int_equal(told.answer.ttl, 61);
    station_send(&station); /* twice: C20 */
    assert_int_equal(told.count, 1);
    assert_int_equal(STATION_COUNT(&station, icmp_unasked), 1);
}

/* Each byte of the reply is looked at: number, sequence, and data. */
static void answer__C20_that_differs_in_a_bit_is_not_one(void **state)
{
    (void)state;
    ask_peer(56);
    turn_around();
    for (uint32_t at = 35; at < station.len; at++) {
        if (at == 36 || at == 37)
            continue; /* the checksum */
        station.frame[at] ^= 0x10;
        station_checksum(&station, 34, 36, 0);
        station_send(&station);
        station.frame[at] ^= 0x10;
    }
    assert_int_equal(told.count, 0);
    assert_int_equal(STATION_COUNT(&station, icmp_unasked), 8 + 56 - 3);
    station_checksum(&station, 34, 36, 0);
    station_set(&station, 28, (STATION_PEER + 1) & 0xffff); /* of another */
    station_ip_checksum(&station);
    station_send(&station);
    assert_int_equal(told.count, 0);
}

static void answer__C20_of_another_length_is_not_one(void **state)
{
    (void)state;
    ask_peer(56);
    turn_around();
    station_byte(&station, 0);
    station_set(&station, 16, 20 + 8 + 57);
    station_ip_checksum(&station);
    station_checksum(&station, 34, 36, 0);
    station_send(&station);
    station.len -= 2;
    station_set(&station, 16, 20 + 8 + 55);
    station_ip_checksum(&station);
    station_checksum(&station, 34, 36, 0);
    station_send(&station);
    assert_int_equal(told.count, 0);
    assert_int_equal(STATION_COUNT(&station, icmp_unasked), 2);
}

static void answer__that_does_not_come_is_told_in_time(void **state)
{
    (void)state;
    ask_peer(0);
    station_wait(&station, 2 * SECOND - 1);
    assert_int_equal(told.count, 0);
    station_wait(&station, 1);
    assert_int_equal(told.count, 1);
    assert_int_equal(told.answer.status, PING_TIMEOUT);
    assert_string_equal(ping_status_text(told.answer.status), "no answer");
}

/* An ICMP error of a router, quoting the question. */
static void error_from(uint32_t router, uint8_t type, uint8_t code)
{
    uint8_t quote[28];

    memcpy(quote, station.frame + 14, sizeof(quote));
    station_ethernet(&station, station_mac, station_peer_mac, 0x0800);
    station_ip(&station, router, STATION_ADDR, 1, 8 + 28);
    station_byte(&station, type);
    station_byte(&station, code);
    station_word(&station, 0);
    station_long(&station, 0);
    station_bytes(&station, quote, 28);
    station_checksum(&station, 34, 36, 0);
}

static void error__says_who_and_what(void **state)
{
    (void)state;
    ask_peer(56);
    error_from(STATION_GATEWAY, 11, 0);
    station_send(&station);
    assert_int_equal(told.answer.status, PING_TIME_EXCEEDED);
    assert_int_equal(ipv4_addr_host(told.answer.from), STATION_GATEWAY);
    ask_peer(56);
    error_from(STATION_GATEWAY, 3, 13);
    station_send(&station);
    assert_int_equal(told.count, 2);
    assert_int_equal(told.answer.status, PING_UNREACHABLE);
    assert_int_equal(told.answer.code, 13);
}

static void error__about_another_question_is_ignored(void **state)
{
    (void)state;
    ask_peer(56);
    error_from(STATION_GATEWAY, 11, 0);
    for (uint32_t at = 62; at < 70; at++) {
        if (at == 63 || at == 64 || at == 65)
            continue; /* the quoted code and checksum say nothing */
        station.frame[at] ^= 0x10;
        station_checksum(&station, 34, 36, 0);
        station_send(&station);
        station.frame[at] ^= 0x10;
    }
    assert_int_equal(told.count, 0);
    assert_int_equal(STATION_COUNT(&station, icmp_embedded), 5);
}

static void error__of_arp_is_told(void **state)
{
    struct ping *ping;
    struct ping_request request = {.dst = ipv4_addr_make(STATION_PEER + 1),
                                   .timeout_us = 60 * SECOND};

    (void)state;
    assert_int_equal(
        ping_start(station.net, &request, done, &told, host_now_us, &ping),
        PING_OK);
    station_wait(&station, 5 * SECOND);
    assert_int_equal(told.count, 1);
    assert_int_equal(told.answer.status, PING_UNREACHABLE);
    assert_int_equal(told.answer.code, 1); /* host unreachable */
    station_take_all(&station);
}

static void start__only_to_one_host_with_a_route(void **state)
{
    static const uint32_t bad[] = {0, 0xffffffff, 0x0a0000ff, 0xe0000001,
                                   0xf0000001};
    struct ping *ping;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(ask(station.net, bad[i], 0, &ping), PING_NO_ROUTE);
        assert_null(ping);
    }
    assert_int_equal(station_take_all(&station), 0);
}

static void start__is_bounded_and_can_be_cancelled(void **state)
{
    struct ping *ping[PINGS_MAX + 1];

    (void)state;
    for (int i = 0; i < PINGS_MAX; i++)
        assert_int_equal(ask(station.net, STATION_PEER, 8, &ping[i]), PING_OK);
    assert_int_equal(ask(station.net, STATION_PEER, 8, &ping[PINGS_MAX]),
                     PING_NO_MEMORY);
    for (int i = 0; i < PINGS_MAX; i++)
        ping_cancel(ping[i]);
    station_wait(&station, 5 * SECOND);
    assert_int_equal(told.count, 0);
    station_take_all(&station);
    station.dev.tx_max = 0;
    assert_int_equal(ask(station.net, STATION_PEER, 8, &ping[0]), PING_FULL);
}

static void ourselves__answer_without_a_card(void **state)
{
    static const uint32_t own[] = {STATION_ADDR, 0x7f000001, 0x7f123456};
    struct ping *ping;

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(own); i++) {
        assert_int_equal(ask(station.net, own[i], PING_BYTES_MAX, &ping),
                         PING_OK);
        assert_int_equal(told.count, i + 1);
        assert_int_equal(told.answer.status, PING_OK);
        assert_int_equal(ipv4_addr_host(told.answer.from), own[i]);
    }
    assert_int_equal(station_take_all(&station), 0);
}

/* Two stacks: cut and put together on both sides. */
static void pair__C4_every_size_is_answered(void **state)
{
    static const uint32_t sizes[] = {0, 1, 8, 1472, 1473, 9000, PING_BYTES_MAX};
    struct pair pair;
    struct ping *ping;

    (void)state;
    memset(&told, 0, sizeof(told));
    pair_init(&pair, NULL);
    for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
        assert_int_equal(ask(pair.net[0], 0x0a000002, sizes[i], &ping),
                         PING_OK);
        pair_step(&pair); /* what was flushed is on the wire */
        pair_run_until(&pair, host_now_us + 3 * SECOND);
        assert_int_equal(told.count, i + 1);
        assert_int_equal(told.answer.status, PING_OK);
    }
    assert_int_equal(pair_destroy(&pair), 0);
}

#define TEST(name) STATION_TEST(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(question__is_an_echo_request),
        TEST(answer__is_told_with_its_time_and_ttl),
        TEST(answer__C20_that_differs_in_a_bit_is_not_one),
        TEST(answer__C20_of_another_length_is_not_one),
        TEST(answer__that_does_not_come_is_told_in_time),
        TEST(error__says_who_and_what),
        TEST(error__about_another_question_is_ignored),
        TEST(error__of_arp_is_told),
        TEST(start__only_to_one_host_with_a_route),
        TEST(start__is_bounded_and_can_be_cancelled),
        TEST(ourselves__answer_without_a_card),
        cmocka_unit_test(pair__C4_every_size_is_answered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
