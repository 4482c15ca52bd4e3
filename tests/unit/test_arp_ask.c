/*
 * ARP of the station's own: whom it asks and how often, the life of an entry,
 * announcements, and what becomes of packets meanwhile.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "net/arp.h"
#include "net/tcp.h"
#include "net/udp.h"
#include "tests/host/host.h"
#include "tests/host/station_scene.h"

#define SECOND 1000000ull

/* --- questions of ours ---------------------------------------------------- */

static void arp__packets_wait_for_the_answer_in_order(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(talk_to(STATION_PEER), IPV4_OK);
    assert_true(station_take(&station));
    assert_arp_request(station_all_mac, STATION_ADDR, STATION_PEER);
    assert_false(station_take(&station));

    answer_arp(STATION_PEER, station_peer_mac);

    for (int i = 0; i < 3; i++) {
        assert_true(station_take(&station));
        assert_memory_equal(station.frame, station_peer_mac, 6);
        assert_int_equal(station_at16(&station, 12), 0x0800);
    }
    assert_false(station_take(&station));
}

static void arp__A18_silent_neighbour_fails_after_three_requests(void **state)
{
    struct net_memory before, after;

    (void)state;
    net_memory_get(station.net, &before);
    for (int i = 0; i < 20; i++)
        assert_int_equal(talk_to(STATION_PEER), IPV4_OK);
    assert_int_equal(STATION_COUNT(&station, arp_pending_full),
                     20 - ARP_PENDING_MAX);
    net_memory_get(station.net, &after);
    assert_int_equal(after.buffers, before.buffers + ARP_PENDING_MAX + 1);

    assert_int_equal(station_take_all(&station), 1); /* at once */
    station_wait(&station, SECOND - 1);
    assert_int_equal(station_take_all(&station), 0);
    station_wait(&station, 1);
    assert_int_equal(station_take_all(&station), 1); /* after 1 s */
    station_wait(&station, 2 * SECOND - 1);
    assert_int_equal(station_take_all(&station), 0);
    station_wait(&station, 1);
    assert_int_equal(station_take_all(&station), 1); /* after 3 s */
    assert_int_equal(STATION_COUNT(&station, arp_failed), 0);
    station_wait(&station, 2 * SECOND);
    assert_int_equal(STATION_COUNT(&station, arp_failed), ARP_PENDING_MAX);
    assert_int_equal(station_take_all(&station), 0);
    station_wait(&station, 10 * SECOND);
    net_memory_get(station.net, &after);
    assert_int_equal(after.buffers, before.buffers);
    assert_int_equal(after.pages, before.pages);
    assert_true(net_next_deadline(station.net) == FOREVER);
}

/* A18: a failed address is asked again, but not sooner than after a second. */
static void arp__failed_address_is_left_alone_for_a_second(void **state)
{
    (void)state;
    talk_to(STATION_PEER);
    station_wait(&station, 5 * SECOND);
    station_take_all(&station);
    assert_int_equal(STATION_COUNT(&station, arp_failed), 1);
    for (int i = 0; i < 9; i++) {
        talk_to(STATION_PEER);
        assert_int_equal(station_take_all(&station), 0);
        station_wait(&station, SECOND / 10);
    }
    station_wait(&station, SECOND / 10);
    assert_true(station_take(&station));
    assert_arp_request(station_all_mac, STATION_ADDR, STATION_PEER);
    answer_arp(STATION_PEER, station_peer_mac);
    assert_int_equal(station_take_all(&station), 9);
}

/* RFC 6928: ten segments leave at once, also towards an address that has been
 * forgotten in the meantime. */
static void arp__an_initial_window_waits_for_its_address(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++)
        assert_int_equal(talk_to(STATION_PEER), IPV4_OK);
    assert_int_equal(station_take_all(&station), 1); /* the question */
    answer_arp(STATION_PEER, station_peer_mac);
    assert_int_equal(station_take_all(&station), 10);
    assert_int_equal(STATION_COUNT(&station, arp_pending_full), 0);
}

/* A18, through TCP: the connection that is being opened learns of it. */
static void arp__silent_neighbour_ends_a_connect(void **state)
{
    struct tcp_conn *conn;
    enum tcp_end why;

    (void)state;
    assert_int_equal(tcp_connect(station.net, ipv4_addr_make(STATION_PEER), 80,
                                 0, host_now_us, &conn, &why),
                     TCP_OK);
    net_flush(station.net, host_now_us);
    station_wait(&station, 5 * SECOND - 1);
    assert_int_equal(tcp_end_reason(conn), TCP_END_NONE);
    station_wait(&station, 1);
    assert_int_equal(tcp_end_reason(conn), TCP_END_UNREACHABLE);
    tcp_release(conn, host_now_us);
    station_wait(&station, 10 * SECOND);
}

/* A18: likewise behind a gateway that is gone. */
static void arp__silent_gateway_ends_a_connect_to_behind_it(void **state)
{
    struct tcp_conn *conn;
    enum tcp_end why;

    (void)state;
    assert_int_equal(tcp_connect(station.net, ipv4_addr_make(STATION_FAR), 80,
                                 0, host_now_us, &conn, &why),
                     TCP_OK);
    net_flush(station.net, host_now_us);
    assert_true(station_take(&station));
    assert_arp_request(station_all_mac, STATION_ADDR, STATION_GATEWAY);
    station_wait(&station, 5 * SECOND);
    assert_int_equal(tcp_end_reason(conn), TCP_END_UNREACHABLE);
    tcp_release(conn, host_now_us);
    station_wait(&station, 10 * SECOND);
}

static void arp__A19_gateway_off_the_network_is_on_the_link(void **state)
{
    (void)state;
    station_end(&station);
    station_prepare(&station);
    station_start(&station, 32, STATION_FAR);
    station_take_all(&station);

    assert_int_equal(talk_to(0x08080808), IPV4_OK);
    assert_true(station_take(&station));
    assert_arp_request(station_all_mac, STATION_ADDR, STATION_FAR);
    answer_arp(STATION_FAR, station_peer_mac);
    assert_true(station_take(&station));
    assert_memory_equal(station.frame, station_peer_mac, 6);
    assert_int_equal(station_at32(&station, 30), 0x08080808);
}

/* --- the life of an entry ------------------------------------------------- */

static void cache__unused_entry_is_forgotten(void **state)
{
    struct net_memory memory, before;

    (void)state;
    net_memory_get(station.net, &before);
    station_meet(&station, STATION_PEER, station_peer_mac);
    station_wait(&station, 61 * SECOND);
    assert_int_equal(station_take_all(&station), 0);
    net_memory_get(station.net, &memory);
    assert_int_equal(memory.pages, before.pages);
}

static void cache__used_entry_is_asked_before_it_is_forgotten(void **state)
{
    (void)state;
    station_meet(&station, STATION_PEER, station_peer_mac);
    assert_true(knows(STATION_PEER, station_peer_mac));
    station_wait(&station, 60 * SECOND);
    assert_true(station_take(&station));
    assert_arp_request(station_peer_mac, STATION_ADDR, STATION_PEER);
    assert_true(knows(STATION_PEER, station_peer_mac)); /* meanwhile */

    answer_arp(STATION_PEER, station_peer_mac);
    station_wait(&station, 59 * SECOND);
    assert_int_equal(station_take_all(&station), 0);
    assert_true(knows(STATION_PEER, station_peer_mac));

    station_wait(&station, 10 * SECOND); /* asked three times, in vain */
    assert_int_equal(station_take_all(&station), 3);
    assert_false(knows(STATION_PEER, station_peer_mac));
}

/* ... by who has no route cached, too: RFC 1122 2.3.2.1 holds up nothing. */
static void
cache__gateway_that_is_asked_serves_new_hosts_meanwhile(void **state)
{
    (void)state;
    assert_int_equal(talk_to(STATION_FAR), IPV4_OK);
    answer_arp(STATION_GATEWAY, station_peer_mac);
    assert_true(knows(STATION_FAR, station_peer_mac));
    station_wait(&station, 60 * SECOND);
    assert_true(station_take(&station));
    assert_arp_request(station_peer_mac, STATION_ADDR, STATION_GATEWAY);
    assert_true(knows(STATION_FAR + 1, station_peer_mac));
    answer_arp(STATION_GATEWAY, station_peer_mac);
}

static void cache__age_is_a_knob(void **state)
{
    (void)state;
    station_end(&station);
    station_prepare(&station);
    station.config.arp_age_us = 5 * SECOND;
    station_start(&station, 24, STATION_GATEWAY);
    station_meet(&station, STATION_PEER, station_peer_mac);
    station_wait(&station, 6 * SECOND);
    assert_false(knows(STATION_PEER, station_peer_mac));
}

/* --- doubt: connections to a known one, or through it, get no answer ------ */

/* Returns: how many requests the one who is asked has answered. */
static unsigned answer_requests(uint32_t target)
{
    unsigned asked = 0;

    for (; station_take(&station); asked++) {
        assert_arp_request(station_peer_mac, STATION_ADDR, target);
        answer_arp(target, station_peer_mac);
    }
    return asked;
}

/* Every 10 ms another connection has its doubts. Returns: requests. */
static unsigned doubt_for_three_seconds(uint32_t dst, uint32_t next_hop)
{
    unsigned asked = 0;

    for (unsigned i = 0; i < 300; i++) {
        assert_int_equal(talk_to(dst), IPV4_OK);
        station_take_all(&station);
        ipv4_doubt(station.net, ipv4_addr_make(dst));
        net_flush(station.net, host_now_us);
        asked += answer_requests(next_hop);
        station_wait(&station, SECOND / 100);
        asked += answer_requests(next_hop);
    }
    return asked;
}

/* RFC 1122 2.3.2.1: no flood, however many there are; 1/s for a host. */
static void doubt__of_many_asks_a_neighbour_once_a_second(void **state)
{
    (void)state;
    assert_int_equal(talk_to(STATION_PEER), IPV4_OK);
    answer_arp(STATION_PEER, station_peer_mac);
    assert_in_range(doubt_for_three_seconds(STATION_PEER, STATION_PEER), 2, 3);
}

static void doubt__of_many_asks_a_gateway_once_a_second(void **state)
{
    (void)state;
    assert_int_equal(talk_to(STATION_FAR), IPV4_OK);
    answer_arp(STATION_GATEWAY, station_peer_mac);
    assert_in_range(doubt_for_three_seconds(STATION_FAR, STATION_GATEWAY), 2,
                    3);
}

static void doubt__of_one_long_not_asked_asks_at_once(void **state)
{
    (void)state;
    station_meet(&station, STATION_PEER, station_peer_mac);
    station_wait(&station, SECOND);
    station_take_all(&station);
    ipv4_doubt(station.net, ipv4_addr_make(STATION_PEER));
    net_flush(station.net, host_now_us);
    assert_int_equal(answer_requests(STATION_PEER), 1);
}

/* --- announcements -------------------------------------------------------- */

static void announce__attached_card_says_its_address(void **state)
{
    (void)state;
    station_end(&station);
    station_prepare(&station);
    station_start(&station, 24, STATION_GATEWAY);
    assert_true(station_take(&station));
    assert_arp_request(station_all_mac, STATION_ADDR, STATION_ADDR);
    assert_false(station_take(&station));
}

static void announce__moved_machine_says_it_again(void **state)
{
    (void)state;
    net_device_event(station.net, &station.dev.dev, NETDEV_EV_ANNOUNCE,
                     host_now_us);
    assert_true(net_needs_flush(station.net));
    net_flush(station.net, host_now_us);
    assert_true(station_take(&station));
    assert_arp_request(station_all_mac, STATION_ADDR, STATION_ADDR);
    net_device_event(station.net, &station.dev.dev, NETDEV_EV_LINK_DOWN,
                     host_now_us);
    assert_false(net_needs_flush(station.net));
}

/* Every allocation refused in turn: nothing leaks, nothing crashes. */
static void arp__no_memory_at_any_point_is_survived(void **state)
{
    (void)state;
    for (uint64_t k = 1; k < 8; k++) {
        station.host.fail_at = station.host.asked + k;
        station.host.fail_after = true;
        for (uint32_t i = 0; i < 10; i++) {
            struct buffer *data =
                buffer_alloc(net_pool(station.net), BUFFER_SMALL, 100);

            if (!data)
                continue;
            data->len = 1;
            if (udp_send(station.net, 1, ipv4_addr_make(STATION_PEER + i), 2,
                         data) == IPV4_FULL)
                buffer_release(data);
            net_flush(station.net, host_now_us);
        }
        station_wait(&station, 20 * SECOND);
        station_take_all(&station);
        station.host.fail_at = 0;
        station_wait(&station, 20 * SECOND);
    }
    station_take_all(&station);
    station_meet(&station, STATION_PEER, station_peer_mac);
    assert_true(knows(STATION_PEER, station_peer_mac));
}

#define TEST(name) STATION_TEST(name, station_fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(arp__packets_wait_for_the_answer_in_order),
        TEST(arp__A18_silent_neighbour_fails_after_three_requests),
        TEST(arp__failed_address_is_left_alone_for_a_second),
        TEST(arp__an_initial_window_waits_for_its_address),
        TEST(arp__silent_neighbour_ends_a_connect),
        TEST(arp__silent_gateway_ends_a_connect_to_behind_it),
        TEST(arp__A19_gateway_off_the_network_is_on_the_link),
        TEST(cache__unused_entry_is_forgotten),
        TEST(cache__used_entry_is_asked_before_it_is_forgotten),
        TEST(cache__gateway_that_is_asked_serves_new_hosts_meanwhile),
        TEST(cache__age_is_a_knob),
        TEST(doubt__of_many_asks_a_neighbour_once_a_second),
        TEST(doubt__of_many_asks_a_gateway_once_a_second),
        TEST(doubt__of_one_long_not_asked_asks_at_once),
        TEST(announce__attached_card_says_its_address),
        TEST(announce__moved_machine_says_it_again),
        TEST(arp__no_memory_at_any_point_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
