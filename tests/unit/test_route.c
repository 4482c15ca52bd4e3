/*
 * Routes: by which gateway, out of which card, how many.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "net/interface.h"
#include "net/ipv4.h"
#include "net/route.h"
#include "tests/host/station_scene.h"

static enum net_status add(uint32_t dst, uint8_t bits, uint32_t gateway)
{
    return route_add(station.net, ipv4_addr_make(dst), bits,
                     ipv4_addr_make(gateway), 0);
}

static void route__longest_prefix_wins(void **state)
{
    (void)state;
    assert_int_equal(add(0xc0a80000, 16, 0x0a000010), NET_OK);
    assert_int_equal(add(0xc0a80500, 24, 0x0a000011), NET_OK);
    assert_int_equal(add(0xc0a80507, 32, 0x0a000012), NET_OK);
    assert_int_equal(asked_for(0xc0a80507), 0x0a000012);
    assert_int_equal(asked_for(0xc0a80508), 0x0a000011);
    assert_int_equal(asked_for(0xc0a80601), 0x0a000010);
    assert_int_equal(asked_for(0xc0a90601), STATION_GATEWAY);
}

static void route__static_default_precedes_the_gateway(void **state)
{
    (void)state;
    assert_int_equal(add(0, 0, 0x0a000010), NET_OK);
    assert_int_equal(asked_for(STATION_FAR), 0x0a000010);
    assert_true(route_delete(station.net, ipv4_addr_make(0), 0, 0));
    assert_false(route_delete(station.net, ipv4_addr_make(0), 0, 0));
    assert_int_equal(asked_for(STATION_FAR), STATION_GATEWAY);
}

/* RFC 3442: a router of 0.0.0.0 means that the destination is on the link. */
static void route__without_gateway_is_on_the_link(void **state)
{
    (void)state;
    assert_int_equal(add(0xc0a80500, 24, 0), NET_OK);
    assert_int_equal(asked_for(STATION_FAR), STATION_FAR);
    /* ... and who asks us from there is a neighbour. */
    station_ethernet(&station, station_all_mac, station_peer_mac, 0x0806);
    station_arp(&station, 1, station_peer_mac, STATION_FAR, station_mac,
                STATION_ADDR);
    station_send(&station);
    assert_int_equal(station_take_all(&station), 2); /* it, and what waited */
}

static void route__gateway_off_the_network_is_on_the_link(void **state)
{
    (void)state;
    assert_int_equal(give_address(0, STATION_ADDR, 32, 0xac100001), NET_OK);
    assert_int_equal(add(0xc0a80500, 24, 0xac100002), NET_OK);
    assert_int_equal(asked_for(0x08080808), 0xac100001);
    assert_int_equal(asked_for(STATION_FAR), 0xac100002);
    assert_int_equal(add(0xc0a80600, 24, 0xac100003), NET_OK);
    assert_int_equal(asked_for(0xac100003), 0xac100003);
}

static void route__impossible_ones_are_refused(void **state)
{
    (void)state;
    assert_int_equal(add(0xc0a80001, 16, 0x0a000010), NET_BAD_ADDRESS);
    assert_int_equal(add(0xc0a80000, 33, 0x0a000010), NET_BAD_ADDRESS);
    assert_int_equal(add(0xe0000000, 8, 0x0a000010), NET_BAD_ADDRESS);
    assert_int_equal(add(0x7f000000, 8, 0x0a000010), NET_BAD_ADDRESS);
    assert_int_equal(add(0xc0a80000, 16, 0xffffffff), NET_BAD_ADDRESS);
    assert_int_equal(add(0xc0a80000, 16, STATION_ADDR), NET_BAD_ADDRESS);
}

static void route__table_is_bounded_and_replaces(void **state)
{
    struct route_info info;
    unsigned count = 0;

    (void)state;
    for (uint32_t i = 0; i < ROUTES_STATIC_MAX; i++)
        assert_int_equal(add(0xc0a80000 + (i << 8), 24, 0x0a000010), NET_OK);
    assert_int_equal(add(0xac100000, 24, 0x0a000010), NET_FULL);
    assert_int_equal(add(0xc0a80500, 24, 0x0a000011), NET_OK);
    assert_int_equal(asked_for(STATION_FAR), 0x0a000011);
    while (route_get(station.net, count, &info))
        count++;
    assert_int_equal(count, 2 + ROUTES_STATIC_MAX);
    assert_true(route_get(station.net, 0, &info));
    assert_int_equal(ipv4_addr_host(info.dst), 0x0a000000);
    assert_int_equal(info.prefix_bits, 24);
    assert_int_equal(info.origin, ROUTE_NETWORK);
    assert_true(route_get(station.net, 1, &info));
    assert_int_equal(info.origin, ROUTE_GATEWAY);
    assert_int_equal(ipv4_addr_host(info.gateway), STATION_GATEWAY);
    assert_true(route_get(station.net, 2 + 5, &info));
    assert_int_equal(info.origin, ROUTE_STATIC);
    assert_int_equal(ipv4_addr_host(info.dst), 0xc0a80500);
}

/* Two servers may say as many as there is room for. */
static void route__one_by_hand_finds_room_among_those_of_servers(void **state)
{
    struct route_static leased = {.gateway = ipv4_addr_make(0x0a000010),
                                  .prefix_bits = 24};

    (void)state;
    for (uint32_t i = 0; i < ROUTES_STATIC_MAX; i++) {
        leased.dst = ipv4_addr_make(0xc0a80000 + (i << 8));
        assert_int_equal(route_lease(station.net, &leased), NET_OK);
    }
    leased.dst = ipv4_addr_make(0xac100000);
    assert_int_equal(route_lease(station.net, &leased), NET_FULL);
    assert_int_equal(add(0xac100000, 24, 0x0a000011), NET_OK);
    assert_int_equal(route_lease(station.net, &leased), NET_OK); /* below it */
    assert_int_equal(asked_for(0xac100007), 0x0a000011);
    assert_int_equal(asked_for(STATION_FAR), 0x0a000010);
}

static void output__source_that_is_not_ours_is_refused(void **state)
{
    static const uint32_t sources[] = {0, STATION_PEER, 0x08080808};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
        const struct ipv4_send how = {.src = ipv4_addr_make(sources[i]),
                                      .dst = ipv4_addr_make(STATION_PEER),
                                      .protocol = 17};
        struct buffer *segment =
            buffer_alloc(net_pool(station.net), BUFFER_SMALL, BUFFER_HEADROOM);

        segment->len = 8;
        assert_int_equal(ipv4_output(station.net, &how, segment),
                         IPV4_NO_ROUTE);
    }
}

#define TEST(name) STATION_TEST(name, station_fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(route__longest_prefix_wins),
        TEST(route__static_default_precedes_the_gateway),
        TEST(route__without_gateway_is_on_the_link),
        TEST(route__gateway_off_the_network_is_on_the_link),
        TEST(route__impossible_ones_are_refused),
        TEST(route__table_is_bounded_and_replaces),
        TEST(route__one_by_hand_finds_room_among_those_of_servers),
        TEST(output__source_that_is_not_ours_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
