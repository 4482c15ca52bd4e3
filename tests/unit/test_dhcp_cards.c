/*
 * Two DHCP clients in one stack, whose cards are on one wire: each hears what
 * is said to the other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "net/interface.h"
#include "net/route.h"
#include "tests/host/dhcp_scene.h"
#include "tests/host/host.h"

enum { HEADERS = 14 + 20 + 8, XID = 4, CHADDR = 28 };

#define FIRST  DHCP_PEER_OFFERED
#define SECOND (DHCP_PEER_OFFERED + 1)

static const uint8_t other_mac[6] = {2, 0, 0, 0, 0, 9};

static struct memdev other; /* the second card */
static uint8_t other_xid[4];

static int setup(void **state)
{
    const struct dhcp_config config = {0};
    struct net *net;

    dhcp_fresh(state);
    net = dhcp.station.net;
    memdev_init(&other, (struct mac_addr){{2, 0, 0, 0, 0, 9}});
    assert_int_equal(net_attach(net, &other.dev, NULL), NET_OK);
    assert_int_equal(dhcp_start(net, 1, &config, host_now_us), NET_OK);
    return 0;
}

static int teardown(void **state)
{
    memdev_clear(&other);
    return dhcp_ended(state);
}

/* The second client's message, which there must be. */
static void hear_other(void)
{
    struct buffer *frame = memdev_take(&other);
    uint8_t chaddr[6];

    assert_non_null(frame);
    assert_int_equal(buffer_copy_out(frame, HEADERS + XID, other_xid, 4), 4);
    assert_int_equal(buffer_copy_out(frame, HEADERS + CHADDR, chaddr, 6), 6);
    assert_memory_equal(chaddr, other_mac, 6);
    buffer_release(frame);
    memdev_clear(&other);
}

/* To the second client, and heard by the first one's card. */
static void say_other(uint8_t type, uint32_t yiaddr, const uint8_t mac[6])
{
    dhcp_peer_full(&dhcp, type, yiaddr, 3600);
    memcpy(dhcp.message + XID, other_xid, 4);
    memcpy(dhcp.message + CHADDR, mac, 6);
    dhcp_peer_send(&dhcp);
}

static uint32_t address_of(unsigned index)
{
    struct interface_info info;

    assert_true(interface_get(dhcp.station.net, index, &info));
    return ipv4_addr_host(info.address.addr);
}

static void cards__each_takes_its_own_of_two_answers(void **state)
{
    uint8_t first[4];

    (void)state;
    assert_true(dhcp_peer_hear(&dhcp, 0));
    hear_other();
    for (int i = 0; i < 4; i++)
        first[i] = (uint8_t)(dhcp.xid >> (24 - 8 * i));
    assert_memory_not_equal(other_xid, first, 4);

    say_other(OFFER, SECOND, other_mac);
    assert_string_equal(dhcp_state(dhcp.station.net, 0), "SELECTING");
    assert_string_equal(dhcp_state(dhcp.station.net, 1), "REQUESTING");
    hear_other();
    say_other(ACK, SECOND, other_mac);
    assert_int_equal(address_of(0), 0);
    assert_int_equal(address_of(1), SECOND);

    dhcp_says(OFFER, FIRST, 3600);
    assert_true(dhcp_peer_hear(&dhcp, 0));
    dhcp_says(ACK, FIRST, 3600);
    assert_int_equal(address_of(0), FIRST);
    assert_int_equal(address_of(1), SECOND);
}

/* D5: the transaction is the second's, the hardware address the first's. */
static void cards__an_answer_that_mixes_them_up_is_dropped(void **state)
{
    (void)state;
    assert_true(dhcp_peer_hear(&dhcp, 0));
    hear_other();
    say_other(OFFER, SECOND, station_mac);
    assert_string_equal(dhcp_state(dhcp.station.net, 0), "SELECTING");
    assert_string_equal(dhcp_state(dhcp.station.net, 1), "SELECTING");
    assert_int_equal(STATION_COUNT(&dhcp.station, dhcp_malformed), 1);
}

/* 192.168.0.0/16 by a router of each card's own: RFC 3442. */
static void say_with_route(uint8_t type, uint32_t yiaddr, uint8_t router,
                           bool to_other)
{
    const uint8_t route[] = {16, 192, 168, 10, 0, 0, router};

    dhcp_peer_full(&dhcp, type, yiaddr, 3600);
    dhcp_peer_option(&dhcp, 121, route, sizeof(route));
    if (to_other) {
        memcpy(dhcp.message + XID, other_xid, 4);
        memcpy(dhcp.message + CHADDR, other_mac, 6);
    }
    dhcp_peer_send(&dhcp);
}

/* The last byte of the router of 192.168.0.0/16 by an interface; 0: none. */
static uint32_t router_of(unsigned index)
{
    struct route_info info;

    for (unsigned i = 0; route_get(dhcp.station.net, i, &info); i++)
        if (info.origin == ROUTE_STATIC && info.interface == index &&
            ipv4_addr_host(info.dst) == 0xc0a80000)
            return info.gateway.byte[3];
    return 0;
}

static void cards__each_keeps_its_own_way_to_one_network(void **state)
{
    (void)state;
    assert_true(dhcp_peer_hear(&dhcp, 0));
    hear_other();
    say_with_route(OFFER, SECOND, 77, true);
    hear_other();
    say_with_route(ACK, SECOND, 77, true);
    say_with_route(OFFER, FIRST, 66, false);
    assert_true(dhcp_peer_hear(&dhcp, 0));
    say_with_route(ACK, FIRST, 66, false);
    assert_int_equal(router_of(0), 66);
    assert_int_equal(router_of(1), 77);
    /* Of equal ones the lower interface's is taken, whoever came first. */
    assert_int_equal(
        route_to(dhcp.station.net, IPV4_ADDR(192, 168, 1, 1)).next_hop.byte[3],
        66);
    interface_clear_address(dhcp.station.net, 0, host_now_us);
    assert_int_equal(router_of(1), 77);
    assert_int_equal(
        route_to(dhcp.station.net, IPV4_ADDR(192, 168, 1, 1)).next_hop.byte[3],
        77);
}

/* What was added by hand stands above what a server says, also of later. */
static void cards__a_servers_route_gives_way_to_one_by_hand(void **state)
{
    struct net *net = dhcp.station.net;

    (void)state;
    assert_true(dhcp_peer_hear(&dhcp, 0));
    say_with_route(OFFER, FIRST, 66, false);
    assert_true(dhcp_peer_hear(&dhcp, 0));
    say_with_route(ACK, FIRST, 66, false);
    assert_int_equal(route_add(net, IPV4_ADDR(192, 168, 0, 0), 16,
                               IPV4_ADDR(10, 0, 0, 9), 0),
                     NET_OK);
    assert_int_equal(router_of(0), 9);
    assert_true(dhcp_peer_hear(&dhcp, 1801 * 1000000ull)); /* renewing */
    say_with_route(ACK, FIRST, 66, false);
    assert_string_equal(dhcp_state(net, 0), "BOUND");
    assert_int_equal(router_of(0), 9);
    assert_true(route_delete(net, IPV4_ADDR(192, 168, 0, 0), 16, 0));
    assert_int_equal(router_of(0), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(cards__each_takes_its_own_of_two_answers),
        TEST(cards__an_answer_that_mixes_them_up_is_dropped),
        TEST(cards__each_keeps_its_own_way_to_one_network),
        TEST(cards__a_servers_route_gives_way_to_one_by_hand),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
