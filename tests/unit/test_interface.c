/*
 * Interfaces: addresses that come, change and go, and what becomes of the
 * connections; MTU. A card without an address is in test_attach.c.
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
#include "tests/host/station_scene.h"

enum { SECOND = 1000000 };

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

/* --- an address that comes, changes and goes ------------------------------ */

static void address__set_later_is_announced_and_used(void **state)
{
    (void)state;
    assert_int_equal(give_address(0, STATION_ADDR, 24, STATION_GATEWAY),
                     NET_OK);
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
    assert_int_equal(give_address(0, 0xe0000001, 24, 0), NET_BAD_ADDRESS);
    assert_int_equal(give_address(0, 0x0a0000ff, 24, 0), NET_BAD_ADDRESS);
    assert_int_equal(give_address(0, STATION_ADDR, 33, 0), NET_BAD_ADDRESS);
    assert_int_equal(told.count, 0);
    assert_int_equal(ipv4_addr_host(net_address(station.net)), STATION_ADDR);
}

static void address__of_another_interface_is_refused(void **state)
{
    static struct memdev other; /* outlives the stack */

    (void)state;
    memdev_init(&other, (struct mac_addr){{2, 0, 0, 0, 0, 9}});
    assert_int_equal(net_attach(station.net, &other.dev, NULL), NET_OK);
    assert_int_equal(give_address(1, STATION_ADDR, 24, 0), NET_BAD_ADDRESS);
    assert_int_equal(give_address(1, 0x0a010001, 24, 0), NET_OK);
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
    assert_int_equal(give_address(0, STATION_ADDR + 0x10, 24, 0), NET_OK);
    assert_true(route_get(station.net, 0, &info));
    assert_false(route_get(station.net, 1, &info));
    assert_int_equal(asked_for(STATION_PEER), STATION_PEER);
    write_ping(STATION_PEER, STATION_ADDR); /* no longer ours */
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
    assert_int_equal(give_address(0, STATION_ADDR, 24, STATION_GATEWAY),
                     NET_OK);
    assert_int_equal(told.count, 0);
    assert_int_equal(give_address(0, STATION_ADDR, 24, STATION_PEER), NET_OK);
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
    write_ping(STATION_PEER, STATION_ADDR);
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
    assert_int_equal(give_address(0, STATION_ADDR + 1 + 0x10, 24, 0), NET_OK);
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

    assert_int_equal(give_address(0, STATION_ADDR, 24, STATION_GATEWAY),
                     NET_OK);
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
    assert_int_equal(give_address(0, STATION_ADDR + 0x10, 24, 0), NET_OK);
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
    assert_int_equal(give_address(1, STATION_ADDR, 24, 0), NET_OK);
    assert_int_equal(give_address(0, 0x0a010001, 24, 0), NET_OK);
    assert_int_equal(tcp_end_reason(conn), TCP_END_NONE);
    assert_int_equal(give_address(1, STATION_ADDR + 0x10, 24, 0), NET_OK);
    assert_int_equal(tcp_end_reason(conn), TCP_END_ADDRESS);
    tcp_release(conn, host_now_us);
    memdev_clear(&other);
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

#define BARE(name) STATION_TEST(name, setup_without_address)
#define TEST(name) STATION_TEST(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
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
        TEST(mtu__is_lowered_and_given_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
