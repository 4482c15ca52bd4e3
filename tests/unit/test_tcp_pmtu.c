/*
 * Path MTU discovery by ICMP: RFC 1191, and RFC 5927 7 on whom to believe; the
 * cache of path MTUs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/net_priv.h"
#include "net/path.h"
#include "tests/host/host.h"
#include "tests/host/tcp_scene.h"
#include "tests/host/tcp_sender.h"

#define MS     1000ull
#define SECOND 1000000ull
#define ISS    PEER_STACK_ISS
#define PEER   IPV4_ADDR(10, 0, 0, 2)

enum { HEADERS = 40 };

/* The next packet has `len` bytes of the stream at offset `at`, and DF. */
static void assert_text(uint32_t at, uint32_t len)
{
    sender_expect(&peer, at, len);
    assert_true(peer.bytes[6] & 0x40);
}

/* Acknowledge what comes, until the stream has come up to `bytes`; the largest
 * segment on the way. */
static uint32_t deliver(uint32_t bytes)
{
    uint32_t largest = 0;

    for (unsigned i = 0; i < 100 && peer.rcv != ISS + 1 + bytes; i++) {
        while (peer_take(&peer))
            largest = peer.got.len > largest ? peer.got.len : largest;
        peer_ack(&peer, peer.rcv);
        if (i % 4 == 3)
            peer_wait(&peer, 1 * SECOND);
    }
    assert_int_equal(peer.rcv, ISS + 1 + bytes);
    return largest;
}

/* ---- our own link ---- */

/* A DHCP server gives another MTU, or a card comes back with one. */
static void link__that_takes_less_than_before_is_believed_at_once(void **state)
{
    (void)state;
    peer_fly(20000);
    assert_int_equal(interface_set_mtu(peer.net, 0, 1400), NET_OK);
    peer_wait(&peer, 300 * MS); /* what is sent again is cut anew */
    assert_text(0, 1360);
    peer_take_all(&peer);
    peer_ack(&peer, ISS + 1 + 14600);
    assert_text(14600, 1360);
    peer.rcv = ISS + 1 + 14600 + 1360;
    assert_int_equal(deliver(20000), 1360);
    assert_int_equal(PEER_COUNT(&peer, ip_too_big), 0);
    assert_int_equal(peer_info(&peer).path_mtu_bytes, 1400);
}

/* ---- RFC 1191 ---- */

static void too_big__what_is_in_flight_is_cut_anew(void **state)
{
    (void)state;
    peer_fly(20000);
    peer_too_big(&peer, 1200, ISS + 1);
    assert_text(0, 1160);
    assert_text(1160, 1160);
    assert_int_equal(peer_info(&peer).path_mtu_bytes, 1200);
    peer_take_all(&peer);
    peer.rcv = ISS + 1;
    peer_ack(&peer, peer.rcv);
    assert_true(deliver(20000) <= 1160);
}

/* RFC 1191 6.5: "... not ... should congestion be assumed." */
static void too_big__is_no_sign_of_congestion(void **state)
{
    struct tcp_info before;

    (void)state;
    peer_fly(20000);
    before = peer_info(&peer);
    peer_too_big(&peer, 1200, ISS + 1);
    assert_int_equal(peer_info(&peer).cwnd_bytes, before.cwnd_bytes);
    assert_int_equal(peer_info(&peer).ssthresh_bytes, before.ssthresh_bytes);
}

/* 3.1: what we can receive is another matter. */
static void too_big__does_not_change_the_mss_that_we_offer(void **state)
{
    (void)state;
    peer_fly(10000);
    peer_too_big(&peer, 1200, ISS + 1);
    peer_send(&peer, (struct peer_seg){.seq = peer.nxt, .flags = PEER_RST});
    tcp_release(peer.conn, host_now_us);
    peer_take_all(&peer);
    peer_connect(&peer);
    assert_int_equal(peer.got.mss, 1460);
}

/* 5: kept for the destination, not for the connection. */
static void too_big__the_next_connection_knows(void **state)
{
    uint8_t options[] = {2, 4, 1460 >> 8, 1460 & 255};

    (void)state;
    peer_fly(10000);
    peer_too_big(&peer, 1200, ISS + 1);
    peer_send(&peer, (struct peer_seg){.seq = peer.nxt, .flags = PEER_RST});
    tcp_release(peer.conn, host_now_us);
    peer_take_all(&peer);
    peer_connect(&peer);
    peer_send(&peer, (struct peer_seg){.seq = PEER_ISS,
                                       .ack = peer.rcv,
                                       .flags = PEER_SYN | PEER_ACK,
                                       .options = options,
                                       .options_len = 4});
    peer_take_all(&peer);
    peer_app_send(&peer, 5000);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.len, 1160);
}

/* 7.1: a router that does not say; the next lower plateau. */
static void too_big__without_an_mtu_goes_down_by_plateaus(void **state)
{
    static const uint16_t plateaus[] = {1492, 1400, 1280, 1006, 552, 552};

    (void)state;
    peer_fly(10000);
    for (unsigned i = 0; i < ARRAY_LEN(plateaus); i++) {
        peer_too_big(&peer, 0, ISS + 1);
        assert_int_equal(peer_info(&peer).path_mtu_bytes, plateaus[i]);
    }
}

/* ---- RFC 5927 7: whom to believe ---- */

static void too_big__never_raises(void **state)
{
    static const uint16_t mtu[] = {1200, 1201, 1500, 1501, 9000, 65535};

    (void)state;
    peer_fly(10000);
    peer_too_big(&peer, 1200, ISS + 1);
    peer_take_all(&peer);
    for (unsigned i = 0; i < ARRAY_LEN(mtu); i++)
        peer_too_big(&peer, mtu[i], ISS + 1);
    assert_int_equal(peer_info(&peer).path_mtu_bytes, 1200);
    assert_int_equal(PEER_COUNT(&peer, tcp_mtu_ignored), ARRAY_LEN(mtu));
    PEER_QUIET(&peer); /* and makes us send nothing again */
}

static void too_big__about_what_is_not_in_flight_is_ignored(void **state)
{
    (void)state;
    peer_fly(5000);
    peer_ack(&peer, ISS + 1 + 2000);
    peer_too_big(&peer, 1200, ISS + 1 + 1999);
    peer_too_big(&peer, 1200, ISS + 1 + 5000);
    assert_int_equal(peer_info(&peer).path_mtu_bytes, 1500);
    assert_int_equal(PEER_COUNT(&peer, tcp_icmp_stale), 2);
    peer_too_big(&peer, 1200, ISS + 1 + 4999);
    assert_int_equal(peer_info(&peer).path_mtu_bytes, 1200);
}

static void too_big__about_our_syn_is_ignored(void **state)
{
    (void)state;
    peer_connect(&peer);
    peer_app_send(&peer, 1000);
    peer_too_big(&peer, 560, ISS);
    assert_int_equal(PEER_COUNT(&peer, tcp_mtu_ignored), 1);
    assert_int_equal(path_mtu(peer.net, PEER), 0);
}

static void too_big__there_is_a_floor(void **state)
{
    (void)state;
    peer_fly(5000);
    peer_too_big(&peer, 68, ISS + 1);
    assert_text(0, 552 - HEADERS);
    assert_int_equal(peer_info(&peer).path_mtu_bytes, 552);
}

static void too_big__the_floor_can_be_another(void **state)
{
    (void)state;
    peer.net->config.path_mtu_min = 296;
    peer_fly(5000);
    peer_too_big(&peer, 1, ISS + 1);
    assert_text(0, 296 - HEADERS);
}

/* Never less than a segment of 64 bytes, whatever is configured. */
static void too_big__the_floor_has_a_floor(void **state)
{
    (void)state;
    peer.net->config.path_mtu_min = 0;
    peer_fly(5000);
    peer_too_big(&peer, 41, ISS + 1);
    assert_text(0, 64);
}

static void too_big__a_small_peer_stays_below_the_floor(void **state)
{
    (void)state;
    peer.mss = 100;
    peer_fly(1000);
    peer_too_big(&peer, 100, ISS + 1);
    assert_int_equal(peer_info(&peer).path_mtu_bytes, 140);
}

/* ---- RFC 1191 6.3: larger again ---- */

static void age__after_ten_minutes_larger_ones_are_tried(void **state)
{
    static const uint32_t probes[] = {1240, 1360, 1452, 1460};
    uint32_t at = 5000;

    (void)state;
    peer_fly(at);
    peer_too_big(&peer, 1200, ISS + 1);
    peer.rcv = ISS + 1;
    assert_true(deliver(at) <= 1160);
    peer_wait(&peer, 590 * SECOND);
    peer_app_send(&peer, 5000);
    assert_text(at, 1160);
    at += 5000;
    deliver(at);
    peer_wait(&peer, 10 * SECOND);
    for (unsigned i = 0; i < ARRAY_LEN(probes); i++) {
        peer_app_send(&peer, 10000);
        assert_text(at, probes[i]);
        assert_true(peer_take(&peer)); /* one alone is at risk */
        assert_true(peer.got.len < probes[i]);
        at += 10000;
        deliver(at);
    }
    assert_int_equal(peer_info(&peer).path_mtu_bytes, 1500);
    assert_int_equal(PEER_COUNT(&peer, tcp_mtu_probe), ARRAY_LEN(probes));
    assert_int_equal(PEER_COUNT(&peer, tcp_retransmit), 5000 / 1160 + 1);
}

/* Ten minutes have passed; a probe of 1280 bytes is in flight. */
static void fly_probe(void)
{
    peer_fly(5000);
    peer_too_big(&peer, 1200, ISS + 1);
    peer.rcv = ISS + 1;
    deliver(5000);
    peer_wait(&peer, 601 * SECOND);
    peer_app_send(&peer, 10000);
    assert_text(5000, 1240);
    peer_take_all(&peer);
}

static void assert_quiet_for_ten_minutes(uint32_t at)
{
    assert_true(deliver(at) <= 1240);
    peer_wait(&peer, 500 * SECOND);
    peer_app_send(&peer, 10000);
    assert_text(at, 1160);
    assert_int_equal(PEER_COUNT(&peer, tcp_mtu_probe), 1);
}

static void age__a_probe_that_is_lost_ends_it_for_ten_minutes(void **state)
{
    (void)state;
    fly_probe();
    peer.rcv = ISS + 1 + 5000;
    peer_wait(&peer, 1 * SECOND); /* the timer */
    assert_text(5000, 1160);
    assert_int_equal(PEER_COUNT(&peer, tcp_mtu_probe_lost), 1);
    assert_quiet_for_ten_minutes(15000);
}

static void age__a_probe_that_is_refused_ends_it_for_ten_minutes(void **state)
{
    (void)state;
    fly_probe();
    peer.rcv = ISS + 1 + 5000;
    peer_too_big(&peer, 1200, ISS + 1 + 5000);
    assert_text(5000, 1160);
    assert_quiet_for_ten_minutes(15000);
}

/* ---- the cache ---- */

static void cache__forgets_after_its_time(void **state)
{
    (void)state;
    path_learn(peer.net, PEER, 1000);
    assert_int_equal(path_mtu(peer.net, PEER), 1000);
    path_learn(peer.net, PEER, 900);
    assert_int_equal(path_mtu(peer.net, PEER), 900);
    net_run(peer.net, peer.net->now_us + 600 * SECOND - 1);
    assert_int_equal(path_mtu(peer.net, PEER), 900);
    net_run(peer.net, peer.net->now_us + 1);
    assert_int_equal(path_mtu(peer.net, PEER), 0);
    host_now_us = peer.net->now_us;
}

static void cache__is_bounded_and_keeps_the_latest(void **state)
{
    size_t pages = peer.host.pages;

    (void)state;
    for (uint32_t i = 0; i < 10000; i++) {
        struct ipv4_addr dst = ipv4_addr_make(0x0b000000 + i);

        net_run(peer.net, ++host_now_us);
        path_learn(peer.net, dst, (uint16_t)(600 + i % 800));
        assert_int_equal(path_mtu(peer.net, dst), 600 + i % 800);
    }
    assert_int_equal(peer.host.pages, pages);
}

#define TEST(name) PEER_TEST(name, peer_started_wide)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(too_big__what_is_in_flight_is_cut_anew),
        TEST(too_big__is_no_sign_of_congestion),
        TEST(too_big__does_not_change_the_mss_that_we_offer),
        TEST(too_big__the_next_connection_knows),
        TEST(too_big__without_an_mtu_goes_down_by_plateaus),
        TEST(too_big__never_raises),
        TEST(too_big__about_what_is_not_in_flight_is_ignored),
        TEST(too_big__about_our_syn_is_ignored),
        TEST(too_big__there_is_a_floor),
        TEST(too_big__the_floor_can_be_another),
        TEST(too_big__the_floor_has_a_floor),
        TEST(too_big__a_small_peer_stays_below_the_floor),
        TEST(age__after_ten_minutes_larger_ones_are_tried),
        TEST(age__a_probe_that_is_lost_ends_it_for_ten_minutes),
        TEST(age__a_probe_that_is_refused_ends_it_for_ten_minutes),
        TEST(link__that_takes_less_than_before_is_believed_at_once),
        TEST(cache__forgets_after_its_time),
        TEST(cache__is_bounded_and_keeps_the_latest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
