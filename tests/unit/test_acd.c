/*
 * Address conflict detection: probes, announcements, defence (RFC 5227).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "net/acd.h"
#include "net/interface.h"
#include "tests/host/host.h"
#include "tests/host/station_scene.h"

enum { SECOND = 1000000 };

static unsigned told; /* every change of the host's address event */

static void address_event(void *context, unsigned interface, unsigned changes)
{
    (void)context;
    assert_int_equal(interface, 0);
    told |= changes;
}

static void prepare(void)
{
    station_prepare(&station);
    station.config.host.address_event = address_event;
    told = 0;
}

static int setup(void **state)
{
    (void)state;
    prepare();
    station.net = net_create(&station.config, host_now_us);
    return net_attach(station.net, &station.dev.dev, NULL) == NET_OK ? 0 : -1;
}

static int setup_with_address(void **state)
{
    (void)state;
    prepare();
    station_start(&station, 24, STATION_GATEWAY);
    station_wait(&station, 3 * SECOND);
    station_take_all(&station);
    told = 0;
    return 0;
}

static void probe(uint32_t addr)
{
    acd_probe(station.net, 0, ipv4_addr_make(addr), host_now_us);
}

static void arp_from_peer(uint16_t operation, uint32_t sender, uint32_t target)
{
    write_arp(station_all_mac, operation, station_peer_mac, sender, target);
    station_send(&station);
}

/* Wait for the next frame; returns when it came. */
static uint64_t next_frame_us(uint64_t within_us)
{
    uint64_t until_us = host_now_us + within_us;

    while (!station_take(&station)) {
        if (host_now_us >= until_us)
            return 0;
        station_wait(&station, 1000);
    }
    return host_now_us;
}

/* --- probing -------------------------------------------------------------- */

/* RFC 5227 2.1.1: after 0 to 1 s, three, 1 to 2 s apart, then 2 s of silence;
 * the sender's address is zero, so that no cache is spoilt. */
static void probe__asks_three_times_and_finds_it_free(void **state)
{
    uint64_t last_us = host_now_us, now_us;

    (void)state;
    probe(STATION_ADDR);
    for (int i = 0; i < 3; i++) {
        now_us = next_frame_us(3 * SECOND);
        assert_arp_request(station_all_mac, 0, STATION_ADDR);
        if (i == 0) {
            assert_in_range(now_us - last_us, 0, SECOND);
        } else {
            assert_in_range(now_us - last_us, SECOND, 2 * SECOND + 1000);
        }
        last_us = now_us;
    }
    assert_int_equal(told, 0);
    station_wait(&station, 2 * SECOND - 2000);
    assert_int_equal(told, 0);
    station_wait(&station, 3000);
    assert_int_equal(told, NET_ADDRESS_FREE);
    assert_int_equal(station_take_all(&station), 0);
    assert_true(net_next_deadline(station.net) == FOREVER);
}

static void probe__times_differ_from_one_to_the_next(void **state)
{
    uint64_t first_us = 0;
    unsigned different = 0;

    (void)state;
    for (int i = 0; i < 8; i++) {
        uint64_t start_us = host_now_us, took_us;

        probe(STATION_ADDR);
        took_us = next_frame_us(2 * SECOND) - start_us;
        different += i > 0 && took_us != first_us;
        first_us = took_us;
    }
    assert_in_range(different, 4, 7);
}

/* Any ARP packet from the address is an answer: 2.1.1. */
static void probe__A8_finds_who_has_it(void **state)
{
    (void)state;
    for (uint16_t operation = 1; operation <= 2; operation++) {
        told = 0;
        probe(STATION_ADDR);
        station_wait(&station, 3 * SECOND / 2);
        arp_from_peer(operation, STATION_ADDR, STATION_PEER);
        assert_int_equal(told, NET_ADDRESS_IN_USE);
        station_take_all(&station);
        station_wait(&station, 20 * SECOND);
        assert_int_equal(station_take_all(&station), 0);
        assert_int_equal(told, NET_ADDRESS_IN_USE);
    }
}

/* Two who probe at once: both see it, neither gets it. */
static void probe__finds_a_rival_who_probes_too(void **state)
{
    (void)state;
    probe(STATION_ADDR);
    arp_from_peer(1, 0, STATION_ADDR + 5);
    assert_int_equal(told, 0);
    arp_from_peer(1, 0, STATION_ADDR);
    assert_int_equal(told, NET_ADDRESS_IN_USE);
}

static void probe__others_are_no_conflict(void **state)
{
    (void)state;
    probe(STATION_ADDR);
    arp_from_peer(1, STATION_PEER, STATION_ADDR);
    arp_from_peer(2, STATION_PEER, STATION_PEER);
    station_wait(&station, 8 * SECOND);
    assert_int_equal(told, NET_ADDRESS_FREE);
}

static void probe__can_be_cancelled(void **state)
{
    (void)state;
    probe(STATION_ADDR);
    acd_cancel(station.net, 0);
    station_wait(&station, 10 * SECOND);
    assert_int_equal(told, 0);
    assert_int_equal(station_take_all(&station), 0);
}

/* RFC 5227 2.1.1: MAX_CONFLICTS 10, then one attempt a minute. */
static void probe__after_ten_conflicts_waits_a_minute(void **state)
{
    uint64_t start_us;

    (void)state;
    for (int i = 0; i < 10; i++) {
        probe(STATION_ADDR);
        arp_from_peer(1, STATION_ADDR, STATION_ADDR);
    }
    start_us = host_now_us;
    probe(STATION_ADDR);
    station_wait(&station, 60 * SECOND - 1);
    assert_int_equal(station_take_all(&station), 0);
    assert_true(next_frame_us(2000) >= start_us + 60 * (uint64_t)SECOND);
}

/* A card without ARP has nobody to ask. */
static void probe__without_a_card_is_free_at_once(void **state)
{
    struct hostnet host = {0};
    struct net_config config = hostnet_config(&host);
    struct net *net;

    (void)state;
    hostnet_packets(&host, &config.host);
    config.host.address_event = address_event;
    net = net_create(&config, 5);
    assert_int_equal(net_attach(net, NULL, NULL), NET_OK);
    acd_probe(net, 0, ipv4_addr_make(STATION_ADDR), 5);
    net_run(net, 5);
    assert_int_equal(told, NET_ADDRESS_FREE);
    net_destroy(net);
    assert_int_equal(host.pages, 0);
}

/* --- with the address in use already -------------------------------------- */

static void behind__address_is_used_and_announced_again(void **state)
{
    (void)state;
    probe(STATION_ADDR);
    arp_from_peer(1, STATION_PEER, STATION_ADDR);
    assert_true(station_take(&station)); /* a question to us is answered */
    assert_int_equal(station_at16(&station, 20), 2);
    arp_from_peer(1, 0, STATION_ADDR); /* so is somebody's probe */
    assert_true(station_take(&station));
    assert_int_equal(station_at16(&station, 20), 2);
    assert_int_equal(told, 0);
    for (int i = 0; i < 3; i++) {
        assert_true(next_frame_us(3 * SECOND));
        assert_arp_request(station_all_mac, 0, STATION_ADDR);
    }
    for (int i = 0; i < 2; i++) {
        assert_true(next_frame_us(3 * SECOND));
        assert_arp_request(station_all_mac, STATION_ADDR, STATION_ADDR);
    }
    assert_int_equal(told, NET_ADDRESS_FREE);
    station_wait(&station, 10 * SECOND);
    assert_int_equal(station_take_all(&station), 0);
}

static void behind__conflict_is_told_and_not_fought(void **state)
{
    (void)state;
    probe(STATION_ADDR);
    arp_from_peer(2, STATION_ADDR, STATION_ADDR);
    assert_int_equal(told, NET_ADDRESS_IN_USE);
    assert_int_equal(station_take_all(&station), 0);
}

static void behind__clearing_the_address_stops_it(void **state)
{
    (void)state;
    probe(STATION_ADDR);
    interface_clear_address(station.net, 0, host_now_us);
    station_wait(&station, 10 * SECOND);
    assert_int_equal(told, NET_ADDRESS_CHANGED);
    assert_int_equal(station_take_all(&station), 0);
}

/* --- announcing and defending --------------------------------------------- */

/* RFC 5227 2.3: ANNOUNCE_NUM 2, ANNOUNCE_INTERVAL 2 s. */
static void announce__says_it_twice(void **state)
{
    const struct net_address address = {ipv4_addr_make(STATION_ADDR), 24,
                                        ipv4_addr_make(0)};

    (void)state;
    assert_int_equal(
        interface_set_address(station.net, 0, &address, host_now_us), NET_OK);
    net_flush(station.net, host_now_us);
    assert_true(station_take(&station));
    assert_arp_request(station_all_mac, STATION_ADDR, STATION_ADDR);
    station_wait(&station, 2 * SECOND - 1);
    assert_false(station_take(&station));
    station_wait(&station, 1);
    assert_true(station_take(&station));
    assert_arp_request(station_all_mac, STATION_ADDR, STATION_ADDR);
    station_wait(&station, 60 * SECOND);
    assert_false(station_take(&station));
    assert_true(net_next_deadline(station.net) == FOREVER);
}

/* RFC 5227 2.4 (b): defend once; a second conflict within DEFEND_INTERVAL
 * (10 s) is not answered, and the host is told. */
static void defend__A8_once_in_ten_seconds_then_the_host_decides(void **state)
{
    (void)state;
    arp_from_peer(1, STATION_ADDR, STATION_ADDR);
    assert_true(station_take(&station));
    assert_arp_request(station_all_mac, STATION_ADDR, STATION_ADDR);
    assert_int_equal(told, 0);

    station_wait(&station, 10 * SECOND - 1);
    arp_from_peer(2, STATION_ADDR, STATION_PEER);
    assert_int_equal(station_take_all(&station), 0);
    assert_int_equal(told, NET_ADDRESS_CONFLICT);

    told = 0; /* once: a stranger writes no log by repeating himself */
    arp_from_peer(2, STATION_ADDR, STATION_PEER);
    assert_int_equal(told, 0);
    station_wait(&station, 1);
    arp_from_peer(1, STATION_ADDR, STATION_ADDR);
    assert_int_equal(station_take_all(&station), 1);
    assert_int_equal(told, 0);
}

#define TEST(name) STATION_TEST(name, setup)
#define WITH(name) STATION_TEST(name, setup_with_address)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(probe__asks_three_times_and_finds_it_free),
        TEST(probe__times_differ_from_one_to_the_next),
        TEST(probe__A8_finds_who_has_it),
        TEST(probe__finds_a_rival_who_probes_too),
        TEST(probe__others_are_no_conflict),
        TEST(probe__can_be_cancelled),
        TEST(probe__after_ten_conflicts_waits_a_minute),
        TEST(probe__without_a_card_is_free_at_once),
        WITH(behind__address_is_used_and_announced_again),
        WITH(behind__conflict_is_told_and_not_fought),
        WITH(behind__clearing_the_address_stops_it),
        TEST(announce__says_it_twice),
        WITH(defend__A8_once_in_ten_seconds_then_the_host_decides),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
