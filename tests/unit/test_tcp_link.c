/*
 * Connections whose own link changes: it carries less than before, or its
 * address was gone and is back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "net/interface.h"
#include "net/net_priv.h"
#include "net/tcp.h"
#include "tests/host/host.h"
#include "tests/host/station.h"
#include "tests/host/tcp_scene.h"
#include "tests/host/tcp_sender.h"

#define MS     1000ull
#define SECOND 1000000ull
#define ISS    PEER_STACK_ISS

enum { HEADERS = 40 };

static void set_mtu(uint16_t bytes)
{
    assert_int_equal(interface_set_mtu(peer.net, 0, bytes), NET_OK);
    peer_settle(&peer);
}

/* The address goes; `us` later it is back. */
static void go_away(uint64_t us)
{
    const struct net_address address = {.addr = IPV4_ADDR(10, 0, 0, 1),
                                        .prefix_bits = 24};

    interface_clear_address(peer.net, 0, host_now_us);
    peer_wait(&peer, us);
    PEER_QUIET(&peer);
    assert_int_equal(interface_set_address(peer.net, 0, &address, host_now_us),
                     NET_OK);
    peer_settle(&peer);
}

static void syn_ack(void)
{
    const uint8_t options[] = {2, 4, 1460 >> 8, 1460 & 255};

    peer_send(&peer, (struct peer_seg){.seq = PEER_ISS,
                                       .ack = peer.rcv,
                                       .flags = PEER_SYN | PEER_ACK,
                                       .options = options,
                                       .options_len = 4});
    peer_take_all(&peer);
}

/* ---- it carries less ---- */

static void mtu__what_is_in_flight_is_cut_anew_at_once(void **state)
{
    struct tcp_info before;

    (void)state;
    peer_fly(5000);
    before = peer_info(&peer);
    set_mtu(1200);
    for (uint32_t at = 0; at < 4 * 1160; at += 1160)
        sender_expect(&peer, at, 1160);
    sender_expect(&peer, 4640, 360);
    PEER_QUIET(&peer);
    /* It is no sign of congestion: RFC 1191 6.5. */
    assert_int_equal(peer_info(&peer).cwnd_bytes, before.cwnd_bytes);
    assert_int_equal(peer_info(&peer).path_mtu_bytes, 1200);
    assert_int_equal(PEER_COUNT(&peer, tcp_timeout), 0);
    assert_int_equal(PEER_COUNT(&peer, ip_too_big), 0);
}

static void mtu__a_quiet_connection_cuts_what_it_sends_next(void **state)
{
    (void)state;
    peer_open_active(&peer);
    set_mtu(1200);
    PEER_QUIET(&peer);
    peer_app_send(&peer, 3000);
    sender_expect(&peer, 0, 1160);
    sender_expect(&peer, 1160, 1160);
    assert_int_equal(PEER_COUNT(&peer, tcp_retransmit), 0);
}

static void mtu__smaller_segments_than_that_stay_as_they_are(void **state)
{
    (void)state;
    peer.mss = 500;
    peer_fly(2000);
    set_mtu(1200);
    PEER_QUIET(&peer);
    set_mtu(540);
    PEER_QUIET(&peer);
    set_mtu(539);
    sender_expect(&peer, 0, 499);
}

/* No probe goes out that the link would refuse. */
static void mtu__larger_ones_are_not_tried(void **state)
{
    (void)state;
    peer_fly(5000);
    set_mtu(1200);
    peer_take_all(&peer);
    peer_ack(&peer, ISS + 1 + 5000);
    peer_wait(&peer, 700 * SECOND);
    for (uint32_t at = 5000; at < 50000; at += 5000) {
        peer_app_send(&peer, 5000);
        while (peer_take(&peer))
            assert_true(peer.got.ip_bytes <= 1200);
        peer_ack(&peer, ISS + 1 + at + 5000);
    }
    assert_int_equal(PEER_COUNT(&peer, tcp_mtu_probe), 0);
}

static void mtu__our_syn_is_out_already(void **state)
{
    (void)state;
    peer_connect(&peer);
    assert_int_equal(peer.got.mss, 1460);
    set_mtu(1200);
    PEER_QUIET(&peer);
    peer_wait(&peer, 1 * SECOND);
    assert_true(peer_take(&peer)); /* the SYN again offers what it is now */
    assert_int_equal(peer.got.mss, 1160);
    syn_ack();
    peer_app_send(&peer, 5000);
    sender_expect(&peer, 0, 1160);
}

/* The smallest link that there may be: 64 bytes of options and text. */
static void mtu__the_smallest_link_carries_tcp(void **state)
{
    (void)state;
    peer_fly(64 * 100);
    assert_int_equal(interface_set_mtu(peer.net, 0, HEADERS + 63),
                     NET_BAD_ADDRESS);
    PEER_QUIET(&peer);
    set_mtu(HEADERS + 64);
    assert_int_equal(peer_info(&peer).path_mtu_bytes, HEADERS + 64);
    sender_expect(&peer, 0, 64);
    assert_int_equal(PEER_COUNT(&peer, ip_too_big), 0);
}

/* Nobody has told the connections: IP asks the link itself, whichever way a
 * segment goes to it. */
static void mtu__is_not_exceeded_before_connections_know(void **state)
{
    (void)state;
    peer_open_active(&peer);
    peer.net->ifs[0].mtu_bytes = 1200;
    peer_app_send(&peer, 1460);
    PEER_QUIET(&peer);
    assert_int_equal(PEER_COUNT(&peer, ip_too_big), 1);
    peer_app_send(&peer, 1160);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.ip_bytes, 1200);
}

/* ---- the address is back ---- */

static void back__what_was_in_flight_goes_at_once(void **state)
{
    (void)state;
    peer_fly(3000);
    go_away(100 * SECOND);
    sender_expect(&peer, 0, 1460);
    peer_take_all(&peer);
    peer_ack(&peer, ISS + 1 + 1460);
    sender_expect(&peer, 1460, 1460);
    sender_expect(&peer, 2920, 80);
}

/* RFC 6298 5.5 doubles anew, from where the first retransmission was. */
static void back__the_timer_begins_anew(void **state)
{
    (void)state;
    peer_fly(3000);
    go_away(300 * SECOND);
    sender_expect(&peer, 0, 1460);
    PEER_QUIET(&peer);
    peer_wait(&peer, 2 * SECOND); /* it was lost, too */
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.seq, ISS + 1);
}

static void back__a_syn_goes_at_once(void **state)
{
    (void)state;
    peer_connect(&peer);
    go_away(40 * SECOND);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.flags & PEER_SYN, PEER_SYN);
    assert_int_equal(peer.got.seq, ISS);
    PEER_QUIET(&peer);
}

static void back__a_closed_window_is_probed_at_once(void **state)
{
    (void)state;
    peer_open_active(&peer);
    peer.window = 0;
    peer_ack(&peer, peer.rcv);
    peer_app_send(&peer, 3000);
    PEER_QUIET(&peer);
    go_away(100 * SECOND);
    sender_expect(&peer, 0, 1);
    PEER_QUIET(&peer);
}

static void back__a_quiet_connection_says_nothing(void **state)
{
    (void)state;
    peer_open_active(&peer);
    go_away(100 * SECOND);
    PEER_QUIET(&peer);
    assert_int_equal(peer_info(&peer).cwnd_bytes, 10 * 1460);
}

/* What was just sent may have arrived: its own timer is short enough. */
static void back__after_a_moment_nothing_is_sent_twice(void **state)
{
    (void)state;
    peer_fly(3000);
    go_away(10 * MS);
    PEER_QUIET(&peer);
    peer_ack(&peer, ISS + 1 + 3000);
    peer_wait(&peer, 10 * SECOND);
    PEER_QUIET(&peer);
    assert_int_equal(PEER_COUNT(&peer, tcp_timeout), 0);
}

static void back__a_lower_mtu_meanwhile_is_heeded(void **state)
{
    (void)state;
    peer_fly(3000);
    interface_clear_address(peer.net, 0, host_now_us);
    assert_int_equal(interface_set_mtu(peer.net, 0, 1200), NET_OK);
    go_away(100 * SECOND);
    sender_expect(&peer, 0, 1160);
}

/* A cable that is plugged in again. */
static void link__is_up_again_and_a_syn_goes_at_once(void **state)
{
    static struct station station;
    struct tcp_conn *conn;
    enum tcp_end why;

    (void)state;
    station_init(&station);
    station_meet(&station, STATION_PEER, station_peer_mac);
    assert_int_equal(tcp_connect(station.net, ipv4_addr_make(STATION_PEER), 80,
                                 0, host_now_us, &conn, &why),
                     TCP_OK);
    station_wait(&station, 3500 * MS); /* sent after 0, 1 and 3 s */
    station_take_all(&station);
    net_device_event(station.net, &station.dev.dev, NETDEV_EV_LINK_UP,
                     host_now_us);
    station_wait(&station, 0);
    while (station_take(&station) && station_at16(&station, 12) != 0x0800)
        ; /* it announces itself */
    assert_true(station.len > 0);
    assert_int_equal(station_at16(&station, 12), 0x0800);
    assert_int_equal(station_at8(&station, 14 + 20 + 13), PEER_SYN);
    tcp_release(conn, host_now_us);
    assert_int_equal(station_end(&station), 0);
}

#define TEST(name) PEER_TEST(name, peer_started_wide)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(mtu__what_is_in_flight_is_cut_anew_at_once),
        TEST(mtu__a_quiet_connection_cuts_what_it_sends_next),
        TEST(mtu__smaller_segments_than_that_stay_as_they_are),
        TEST(mtu__larger_ones_are_not_tried),
        TEST(mtu__our_syn_is_out_already),
        TEST(mtu__the_smallest_link_carries_tcp),
        TEST(mtu__is_not_exceeded_before_connections_know),
        TEST(back__what_was_in_flight_goes_at_once),
        TEST(back__the_timer_begins_anew),
        TEST(back__a_syn_goes_at_once),
        TEST(back__a_closed_window_is_probed_at_once),
        TEST(back__a_quiet_connection_says_nothing),
        TEST(back__after_a_moment_nothing_is_sent_twice),
        TEST(back__a_lower_mtu_meanwhile_is_heeded),
        cmocka_unit_test(link__is_up_again_and_a_syn_goes_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
