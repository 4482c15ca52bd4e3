/*
 * Interfaces: addresses that come, change and go; routes; a card without one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "net/interface.h"
#include "net/ipv4.h"
#include "net/netdev.h"
#include "net/route.h"
#include "net/udp.h"
#include "tests/host/host.h"
#include "tests/host/station.h"

enum { SECOND = 1000000, PORT = 68 };

static struct station station;

/* What the host was told. */
static struct {
    unsigned count, interface, changes;
} told;

static void address_event(void *context, unsigned interface, unsigned changes)
{
    assert_ptr_equal(context, &station.host);
    told.count++;
    told.interface = interface;
    told.changes = changes;
}

static int setup_without_address(void **state)
{
    (void)state;
    memset(&told, 0, sizeof(told));
    station_prepare(&station);
    station.config.host.address_event = address_event;
    station.net = net_create(&station.config, host_now_us);
    assert_int_equal(net_attach(station.net, &station.dev.dev, NULL), NET_OK);
    net_flush(station.net, host_now_us);
    return 0;
}

static int setup(void **state)
{
    (void)state;
    memset(&told, 0, sizeof(told));
    station_prepare(&station);
    station.config.host.address_event = address_event;
    station_start(&station, 24, STATION_GATEWAY);
    station_wait(&station, 3 * SECOND);
    station_take_all(&station);
    memset(&told, 0, sizeof(told));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return station_end(&station) == 0 ? 0 : -1;
}

static struct net_address address_of(uint32_t addr, uint8_t bits,
                                     uint32_t gateway)
{
    return (struct net_address){ipv4_addr_make(addr), bits,
                                ipv4_addr_make(gateway)};
}

static enum net_status give(unsigned index, uint32_t addr, uint8_t bits,
                            uint32_t gateway)
{
    const struct net_address address = address_of(addr, bits, gateway);
    enum net_status status =
        interface_set_address(station.net, index, &address, host_now_us);

    net_flush(station.net, host_now_us);
    return status;
}

/* Who is asked for, by ARP, when the station sends to `dst`; 0: nobody. */
static uint32_t asked_for(uint32_t dst)
{
    struct buffer *data =
        buffer_alloc(net_pool(station.net), BUFFER_SMALL, BUFFER_HEADROOM);
    enum ipv4_status status;

    station_take_all(&station);
    data->len = 1;
    status = udp_send(station.net, 5000, ipv4_addr_make(dst), 6000, data);
    net_flush(station.net, host_now_us);
    if (status != IPV4_OK || !station_take(&station) ||
        station_at16(&station, 12) != 0x0806)
        return 0;
    return station_at32(&station, 38);
}

static void ping(uint32_t dst)
{
    station_ethernet(&station, station_mac, station_peer_mac, 0x0800);
    station_ip(&station, STATION_PEER, dst, 1, 8);
    station_long(&station, 0x08000000);
    station_long(&station, 0x00010001);
    station_checksum(&station, 34, 36, 0);
}

/* --- without an address --------------------------------------------------- */

static void bare__card_says_and_answers_nothing(void **state)
{
    struct interface_info info;

    (void)state;
    assert_true(interface_get(station.net, 0, &info));
    assert_false(info.has_address);
    assert_string_equal(info.name, "mem");
    assert_int_equal(info.mtu_bytes, 1500);
    assert_false(interface_get(station.net, 1, &info));
    assert_int_equal(ipv4_addr_host(net_address(station.net)), 0);

    station_ethernet(&station, station_all_mac, station_peer_mac, 0x0806);
    station_arp(&station, 1, station_peer_mac, STATION_PEER, station_mac, 0);
    station_send(&station);
    ping(STATION_ADDR);
    station_send(&station);
    ping(0);
    station_send(&station);
    net_device_event(station.net, &station.dev.dev, NETDEV_EV_ANNOUNCE,
                     host_now_us);
    net_flush(station.net, host_now_us);
    assert_int_equal(station_take_all(&station), 0);
    assert_int_equal(asked_for(STATION_PEER), 0);
    assert_false(ipv4_is_ours(station.net, ipv4_addr_make(0)));
}

static void mtu__card_that_carries_less_after_a_reset_is_heeded(void **state)
{
    static const uint16_t says[] = {1400, 1500}, is[] = {1400, 1400};
    struct interface_info info;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(says); i++) {
        station.dev.dev.mtu_bytes = says[i];
        net_device_event(station.net, &station.dev.dev, NETDEV_EV_RESET,
                         host_now_us);
        assert_true(interface_get(station.net, 0, &info));
        assert_int_equal(info.mtu_bytes, is[i]);
    }
}

/* RFC 2131 4.1: DISCOVER goes from 0.0.0.0 to everybody. */
static void bare__broadcast_from_nobody_leaves(void **state)
{
    const struct ipv4_send how = {.src = ipv4_addr_make(0),
                                  .dst = ipv4_addr_make(0xffffffff),
                                  .protocol = 17,
                                  .ttl = 7,
                                  .tos = 0x10};
    struct buffer *segment =
        buffer_alloc(net_pool(station.net), BUFFER_SMALL, BUFFER_HEADROOM);

    (void)state;
    segment->len = 8;
    memset(segment->data, 0, 8);
    assert_int_equal(ipv4_output_on(station.net, 0, &how, segment), IPV4_OK);
    net_flush(station.net, host_now_us);
    assert_true(station_take(&station));
    assert_memory_equal(station.frame, station_all_mac, 6);
    assert_int_equal(station_at32(&station, 26), 0);
    assert_int_equal(station_at32(&station, 30), 0xffffffff);
    assert_int_equal(station_at8(&station, 22), 7);
    assert_int_equal(station_at8(&station, 15), 0x10);
}

static void bare__single_host_is_not_reached_past_the_routes(void **state)
{
    const struct ipv4_send how = {.src = ipv4_addr_make(0),
                                  .dst = ipv4_addr_make(STATION_PEER),
                                  .protocol = 17};
    struct buffer *segment =
        buffer_alloc(net_pool(station.net), BUFFER_SMALL, BUFFER_HEADROOM);

    (void)state;
    segment->len = 8;
    assert_int_equal(ipv4_output_on(station.net, 0, &how, segment),
                     IPV4_NO_ROUTE);
}

static unsigned heard;

static void hear(void *context, struct net *net,
                 const struct udp_datagram *from, struct buffer *data)
{
    (void)context;
    (void)net;
    (void)from;
    heard++;
    buffer_release(data);
}

/* A datagram from a server to port `port` of `dst`. */
static void offer(const uint8_t mac[6], uint32_t dst, uint16_t port)
{
    station_ethernet(&station, mac, station_peer_mac, 0x0800);
    station_ip(&station, STATION_PEER, dst, 17, 8);
    station_word(&station, 67);
    station_word(&station, port);
    station_word(&station, 8);
    station_word(&station, 0);
    station_send(&station);
}

static void bare__answer_to_an_address_not_yet_ours_is_heard(void **state)
{
    (void)state;
    heard = 0;
    assert_int_equal(udp_bind(station.net, PORT, hear, NULL), UDP_OK);
    offer(station_mac, STATION_ADDR, PORT);
    assert_int_equal(heard, 0);
    offer(station_all_mac, 0xffffffff, PORT);
    assert_int_equal(heard, 1);

    interface_hear_all(station.net, 0, PORT);
    offer(station_mac, STATION_ADDR, PORT);
    assert_int_equal(heard, 2);
    offer(station_mac, STATION_ADDR, PORT + 1);
    assert_int_equal(STATION_COUNT(&station, udp_rx), 2);
    offer(station_peer_mac, STATION_ADDR, PORT); /* a frame for another */
    assert_int_equal(heard, 2);

    interface_hear_all(station.net, 0, 0);
    offer(station_mac, STATION_ADDR, PORT);
    assert_int_equal(heard, 2);
    assert_int_equal(station_take_all(&station), 0);
}

/* A header cut before the port: nothing is read past the end. */
static void bare__short_datagram_is_not_heard(void **state)
{
    (void)state;
    interface_hear_all(station.net, 0, PORT);
    for (uint32_t bytes = 0; bytes < 4; bytes++) {
        station_ethernet(&station, station_mac, station_peer_mac, 0x0800);
        station_ip(&station, STATION_PEER, STATION_ADDR, 17, bytes);
        station_fill(&station, 0, bytes);
        station_send(&station);
    }
    assert_int_equal(STATION_COUNT(&station, ip_not_ours), 4);
    assert_int_equal(STATION_COUNT(&station, udp_rx), 0);
}

/* --- an address that comes, changes and goes ------------------------------ */

static void address__set_later_is_announced_and_used(void **state)
{
    (void)state;
    assert_int_equal(give(0, STATION_ADDR, 24, STATION_GATEWAY), NET_OK);
    assert_true(station_take(&station));
    assert_int_equal(station_at16(&station, 12), 0x0806);
    assert_int_equal(station_at32(&station, 28), STATION_ADDR);
    assert_int_equal(station_at32(&station, 38), STATION_ADDR);
    assert_int_equal(told.count, 1);
    assert_int_equal(told.interface, 0);
    assert_int_equal(told.changes, NET_ADDRESS_CHANGED);
    assert_int_equal(asked_for(STATION_PEER), STATION_PEER);
    assert_int_equal(asked_for(STATION_FAR), STATION_GATEWAY);
}

static void address__only_a_hosts_address_is_taken(void **state)
{
    (void)state;
    assert_int_equal(give(0, 0xe0000001, 24, 0), NET_BAD_ADDRESS);
    assert_int_equal(give(0, 0x0a0000ff, 24, 0), NET_BAD_ADDRESS);
    assert_int_equal(give(0, STATION_ADDR, 33, 0), NET_BAD_ADDRESS);
    assert_int_equal(told.count, 0);
    assert_int_equal(ipv4_addr_host(net_address(station.net)), STATION_ADDR);
}

static void address__of_another_interface_is_refused(void **state)
{
    static struct memdev other; /* outlives the stack */

    (void)state;
    memdev_init(&other, (struct mac_addr){{2, 0, 0, 0, 0, 9}});
    assert_int_equal(net_attach(station.net, &other.dev, NULL), NET_OK);
    assert_int_equal(give(1, STATION_ADDR, 24, 0), NET_BAD_ADDRESS);
    assert_int_equal(give(1, 0x0a010001, 24, 0), NET_OK);
    assert_int_equal(told.interface, 1);
    memdev_clear(&other);
}

static void address__change_forgets_neighbours_and_routes(void **state)
{
    struct route_info info;

    (void)state;
    station_meet(&station, STATION_PEER, station_peer_mac);
    assert_int_equal(route_add(station.net, ipv4_addr_make(0xc0a80000), 16,
                               ipv4_addr_make(STATION_PEER), 0),
                     NET_OK);
    assert_int_equal(give(0, STATION_ADDR + 0x10, 24, 0), NET_OK);
    assert_true(route_get(station.net, 0, &info));
    assert_false(route_get(station.net, 1, &info));
    assert_int_equal(asked_for(STATION_PEER), STATION_PEER);
    ping(STATION_ADDR); /* no longer ours */
    station_send(&station);
    assert_int_equal(station_take_all(&station), 0);
}

static void address__same_one_again_changes_nothing(void **state)
{
    struct route_info info;

    (void)state;
    assert_int_equal(route_add(station.net, ipv4_addr_make(0xc0a80000), 16,
                               ipv4_addr_make(STATION_PEER), 0),
                     NET_OK);
    assert_int_equal(give(0, STATION_ADDR, 24, STATION_GATEWAY), NET_OK);
    assert_int_equal(told.count, 0);
    assert_int_equal(give(0, STATION_ADDR, 24, STATION_PEER), NET_OK);
    assert_int_equal(told.count, 1);
    assert_int_equal(station_take_all(&station), 0);
    assert_true(route_get(station.net, 2, &info));
    assert_int_equal(asked_for(0x08080808), STATION_PEER);
}

static void address__cleared_is_gone_in_every_way(void **state)
{
    struct ipv4_addr src;

    (void)state;
    interface_clear_address(station.net, 0, host_now_us);
    assert_true(net_needs_flush(station.net));
    net_flush(station.net, host_now_us);
    assert_int_equal(told.count, 1);
    assert_false(net_needs_flush(station.net));
    assert_false(
        ipv4_source_for(station.net, ipv4_addr_make(STATION_PEER), &src));
    assert_false(
        ipv4_source_for(station.net, ipv4_addr_make(STATION_FAR), &src));
    assert_false(ipv4_is_broadcast(station.net, ipv4_addr_make(0x0a0000ff)));
    ping(STATION_ADDR);
    station_send(&station);
    assert_int_equal(station_take_all(&station), 0);
    interface_clear_address(station.net, 0, host_now_us); /* idempotent */
    net_flush(station.net, host_now_us);
    assert_int_equal(told.count, 1);
}

/* --- connections of an address -------------------------------------------- */

static struct tcp_conn *connecting(void)
{
    struct tcp_conn *conn;
    enum tcp_end why;

    assert_int_equal(tcp_connect(station.net, ipv4_addr_make(STATION_PEER), 80,
                                 0, host_now_us, &conn, &why),
                     TCP_OK);
    net_flush(station.net, host_now_us);
    return conn;
}

static void connection__ends_when_another_address_comes(void **state)
{
    struct tcp_conn *conn = connecting();

    (void)state;
    assert_int_equal(give(0, STATION_ADDR + 1 + 0x10, 24, 0), NET_OK);
    assert_int_equal(tcp_end_reason(conn), TCP_END_ADDRESS);
    tcp_release(conn, host_now_us);
}

static void connection__waits_while_there_is_no_address(void **state)
{
    struct tcp_conn *conn = connecting();

    (void)state;
    interface_clear_address(station.net, 0, host_now_us);
    station_take_all(&station);
    station_wait(&station, 5 * SECOND);
    assert_int_equal(station_take_all(&station), 0);
    assert_int_equal(tcp_end_reason(conn), TCP_END_NONE);

    assert_int_equal(give(0, STATION_ADDR, 24, STATION_GATEWAY), NET_OK);
    station_ethernet(&station, station_mac, station_peer_mac, 0x0806);
    station_arp(&station, 1, station_peer_mac, STATION_PEER, station_mac,
                STATION_ADDR);
    station_send(&station);
    station_wait(&station, 0);
    while (station_take(&station) && station_at16(&station, 12) == 0x0806)
        ; /* announcements, questions, our answer */
    assert_true(station.len > 0);
    assert_int_equal(station_at16(&station, 12), 0x0800); /* the SYN again */
    assert_int_equal(tcp_end_reason(conn), TCP_END_NONE);
    tcp_release(conn, host_now_us);
}

static void connection__ends_when_another_comes_after_none(void **state)
{
    struct tcp_conn *conn = connecting();

    (void)state;
    interface_clear_address(station.net, 0, host_now_us);
    assert_int_equal(give(0, STATION_ADDR + 0x10, 24, 0), NET_OK);
    assert_int_equal(tcp_end_reason(conn), TCP_END_ADDRESS);
    tcp_release(conn, host_now_us);
}

/* An address that has moved to another card is ours as before. */
static void
connection__goes_on_when_its_address_moves_to_another_card(void **state)
{
    struct tcp_conn *conn = connecting();
    static struct memdev other;

    (void)state;
    memdev_init(&other, (struct mac_addr){{2, 0, 0, 0, 0, 9}});
    assert_int_equal(net_attach(station.net, &other.dev, NULL), NET_OK);
    interface_clear_address(station.net, 0, host_now_us);
    assert_int_equal(give(1, STATION_ADDR, 24, 0), NET_OK);
    assert_int_equal(give(0, 0x0a010001, 24, 0), NET_OK);
    assert_int_equal(tcp_end_reason(conn), TCP_END_NONE);
    assert_int_equal(give(1, STATION_ADDR + 0x10, 24, 0), NET_OK);
    assert_int_equal(tcp_end_reason(conn), TCP_END_ADDRESS);
    tcp_release(conn, host_now_us);
    memdev_clear(&other);
}

/* --- routes --------------------------------------------------------------- */

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
    assert_int_equal(give(0, STATION_ADDR, 32, 0xac100001), NET_OK);
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

/* --- MTU ------------------------------------------------------------------ */

static void mtu__is_lowered_and_given_back(void **state)
{
    struct ipv4_addr peer = ipv4_addr_make(STATION_PEER);

    (void)state;
    assert_int_equal(interface_set_mtu(station.net, 0, 103), NET_BAD_ADDRESS);
    assert_int_equal(ipv4_mtu_for(station.net, peer), 1500);
    assert_int_equal(interface_set_mtu(station.net, 0, 104), NET_OK);
    assert_int_equal(ipv4_mtu_for(station.net, peer), 104);
    assert_int_equal(interface_set_mtu(station.net, 0, 9000), NET_OK);
    assert_int_equal(ipv4_mtu_for(station.net, peer), 1500);
    assert_int_equal(interface_set_mtu(station.net, 0, 1400), NET_OK);
    assert_int_equal(interface_set_mtu(station.net, 0, 0), NET_OK);
    assert_int_equal(ipv4_mtu_for(station.net, peer), 1500);
}

#define BARE(name)                                                             \
    cmocka_unit_test_setup_teardown(name, setup_without_address, teardown)
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BARE(bare__card_says_and_answers_nothing),
        BARE(mtu__card_that_carries_less_after_a_reset_is_heeded),
        BARE(bare__broadcast_from_nobody_leaves),
        BARE(bare__single_host_is_not_reached_past_the_routes),
        BARE(bare__answer_to_an_address_not_yet_ours_is_heard),
        BARE(bare__short_datagram_is_not_heard),
        BARE(address__set_later_is_announced_and_used),
        TEST(address__only_a_hosts_address_is_taken),
        TEST(address__of_another_interface_is_refused),
        TEST(address__change_forgets_neighbours_and_routes),
        TEST(address__same_one_again_changes_nothing),
        TEST(address__cleared_is_gone_in_every_way),
        TEST(connection__ends_when_another_address_comes),
        TEST(connection__waits_while_there_is_no_address),
        TEST(connection__ends_when_another_comes_after_none),
        TEST(connection__goes_on_when_its_address_moves_to_another_card),
        TEST(route__longest_prefix_wins),
        TEST(route__static_default_precedes_the_gateway),
        TEST(route__without_gateway_is_on_the_link),
        TEST(route__gateway_off_the_network_is_on_the_link),
        TEST(route__impossible_ones_are_refused),
        TEST(route__table_is_bounded_and_replaces),
        TEST(route__one_by_hand_finds_room_among_those_of_servers),
        TEST(output__source_that_is_not_ours_is_refused),
        TEST(mtu__is_lowered_and_given_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
