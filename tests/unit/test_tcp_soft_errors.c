/*
 * Soft errors: what the network says, and silence, noted and told but never
 * the end; hard ones end an opening connection alone (RFC 9293 3.9.2.2, RFC
 * 5927).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/host.h"
#include "tests/host/station.h"
#include "tests/host/tcp_scene.h"

#define SECOND 1000000ull

enum { UNREACHABLE = 3, QUENCH = 4, EXCEEDED = 11, PARAMETER = 12 };

/* Open, with ten bytes in flight from PEER_STACK_ISS + 1 on. */
static void open_with_flight(void)
{
    peer_open_active(&peer);
    peer_app_send(&peer, 10);
    peer_take_all(&peer);
    peer.changes = 0;
}

/* ---- hard: RFC 5927 6 ---- */

static void C9_C12__a_hard_error_ends_an_opening_with_its_number(void **state)
{
    (void)state;
    peer_connect(&peer);
    peer_icmp(&peer, UNREACHABLE, 3, PEER_STACK_ISS + 1);
    assert_int_equal(tcp_end_reason(peer.conn), TCP_END_NONE);
    assert_int_equal(PEER_COUNT(&peer, tcp_icmp_stale), 1);
    peer_icmp(&peer, UNREACHABLE, 3, PEER_STACK_ISS);
    assert_int_equal(tcp_end_reason(peer.conn), TCP_END_UNREACHABLE);
}

static void C12__codes_2_and_3_are_soft_once_open(void **state)
{
    (void)state;
    open_with_flight();
    peer_icmp(&peer, UNREACHABLE, 2, PEER_STACK_ISS + 1);
    assert_int_equal(tcp_take_soft_error(peer.conn), TCP_SOFT_PROTOCOL);
    peer_icmp(&peer, UNREACHABLE, 3, PEER_STACK_ISS + 10);
    assert_int_equal(tcp_take_soft_error(peer.conn), TCP_SOFT_PORT);
    assert_true(peer_state_is(&peer, "ESTABLISHED"));
}

/* ---- soft: MUST-56 ---- */

/* SHLD-25: reported to the application. */
static void C13__unreachable_0_1_5_exceeded_and_parameter_are_told(void **state)
{
    static const struct {
        uint8_t type, code;
        enum tcp_soft_error error;
    } rows[] = {{UNREACHABLE, 0, TCP_SOFT_NET},
                {UNREACHABLE, 1, TCP_SOFT_HOST},
                {UNREACHABLE, 5, TCP_SOFT_ROUTE},
                {UNREACHABLE, 13, TCP_SOFT_PROHIBITED},
                {EXCEEDED, 0, TCP_SOFT_TIME_EXCEEDED},
                {EXCEEDED, 1, TCP_SOFT_TIME_EXCEEDED},
                {PARAMETER, 0, TCP_SOFT_PARAMETER}};

    (void)state;
    open_with_flight();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        peer.changes = 0;
        peer_icmp(&peer, rows[i].type, rows[i].code, PEER_STACK_ISS + 1);
        assert_true(peer.changes & TCP_CHANGE_SOFT_ERROR);
        assert_int_equal(peer_info(&peer).soft_error, rows[i].error);
        assert_int_equal(tcp_take_soft_error(peer.conn), rows[i].error);
        assert_int_equal(tcp_take_soft_error(peer.conn), TCP_SOFT_NONE);
        assert_true(peer_state_is(&peer, "ESTABLISHED"));
    }
}

static void C13__a_soft_error_does_not_end_an_opening(void **state)
{
    (void)state;
    peer_connect(&peer);
    peer_icmp(&peer, UNREACHABLE, 1, PEER_STACK_ISS);
    assert_int_equal(tcp_end_reason(peer.conn), TCP_END_NONE);
    assert_true(peer.changes & TCP_CHANGE_SOFT_ERROR);
    assert_int_equal(tcp_take_soft_error(peer.conn), TCP_SOFT_HOST);
}

static void C9__a_number_that_is_not_in_flight_is_not_believed(void **state)
{
    (void)state;
    open_with_flight();
    peer_icmp(&peer, UNREACHABLE, 1, PEER_STACK_ISS);
    peer_icmp(&peer, UNREACHABLE, 1, PEER_STACK_ISS + 11);
    assert_int_equal(tcp_take_soft_error(peer.conn), TCP_SOFT_NONE);
    assert_int_equal(PEER_COUNT(&peer, tcp_icmp_stale), 2);
    assert_false(peer.changes & TCP_CHANGE_SOFT_ERROR);
}

/* MUST-55. */
static void C14__source_quench_is_ignored(void **state)
{
    (void)state;
    open_with_flight();
    peer_icmp(&peer, QUENCH, 0, PEER_STACK_ISS + 1);
    assert_int_equal(tcp_take_soft_error(peer.conn), TCP_SOFT_NONE);
    assert_int_equal(peer_info(&peer).cwnd_bytes, 10 * 1000);
    assert_false(peer.changes & TCP_CHANGE_SOFT_ERROR);
}

/* SHLD-20. */
static void soft_error__is_noted_only_when_reports_are_off(void **state)
{
    (void)state;
    open_with_flight();
    assert_int_equal(tcp_set(peer.conn, TCP_OPTION_SOFT_ERRORS, 0, host_now_us),
                     TCP_SET_OK);
    peer_icmp(&peer, UNREACHABLE, 1, PEER_STACK_ISS + 1);
    assert_false(peer.changes & TCP_CHANGE_SOFT_ERROR);
    assert_int_equal(tcp_take_soft_error(peer.conn), TCP_SOFT_HOST);
}

/* ---- silence: R1 ---- */

/* SHLD-9, SHLD-10: after three retransmissions, long before R2. */
static void R1__three_retransmissions_unanswered_are_told(void **state)
{
    (void)state;
    open_with_flight();
    while (PEER_COUNT(&peer, tcp_timeout) < 2)
        peer_wait(&peer, 10000);
    assert_false(peer.changes & TCP_CHANGE_SOFT_ERROR);
    while (PEER_COUNT(&peer, tcp_timeout) < 3)
        peer_wait(&peer, 10000);
    assert_true(peer.changes & TCP_CHANGE_SOFT_ERROR);
    assert_int_equal(tcp_take_soft_error(peer.conn), TCP_SOFT_NO_ANSWER);
    assert_int_equal(tcp_end_reason(peer.conn), TCP_END_NONE);

    /* Once for each silence. */
    peer.changes = 0;
    peer_wait(&peer, 60 * SECOND);
    assert_false(peer.changes & TCP_CHANGE_SOFT_ERROR);
}

/* MUST-22: the same for a SYN. */
static void R1__of_a_syn_is_told(void **state)
{
    (void)state;
    peer_connect(&peer);
    assert_int_equal(tcp_set(peer.conn, TCP_OPTION_R1, 4, host_now_us),
                     TCP_SET_OK);
    peer_wait(&peer, 14 * SECOND); /* at 1, 3 and 7 */
    assert_false(peer.changes & TCP_CHANGE_SOFT_ERROR);
    peer_wait(&peer, 2 * SECOND); /* at 15 */
    assert_true(peer.changes & TCP_CHANGE_SOFT_ERROR);
    assert_int_equal(tcp_take_soft_error(peer.conn), TCP_SOFT_NO_ANSWER);
}

/* RFC 1122 4.2.3.5 (a): "pass negative advice to the IP layer". */
static void R1__a_next_hop_is_asked_whether_it_is_still_there(void **state)
{
    static struct station station;
    struct tcp_conn *conn;
    unsigned requests = 0;
    enum tcp_end why;

    (void)state;
    station_init(&station);
    assert_int_equal(tcp_connect(station.net, ipv4_addr_make(STATION_FAR), 80,
                                 0, host_now_us, &conn, &why),
                     TCP_OK);
    station_wait(&station, 0);
    station_ethernet(&station, station_mac, station_peer_mac, 0x0806);
    station_arp(&station, 2, station_peer_mac, STATION_GATEWAY, station_mac,
                STATION_ADDR);
    station_send(&station);
    while (station_take(&station)) /* the SYN leaves */
        ;
    station_wait(&station, 6 * SECOND); /* again at 1 and 3 */
    while (station_take(&station))
        assert_int_equal(station.frame[13], 0); /* IP */
    station_wait(&station, 2 * SECOND);         /* and at 7 */
    while (station_take(&station)) {
        if (station.frame[13] != 6)
            continue;
        assert_memory_equal(station.frame, station_peer_mac, 6);
        requests++;
    }
    assert_true(requests > 0);
    tcp_abort(conn, host_now_us);
    tcp_release(conn, host_now_us);
    assert_int_equal(station_end(&station), 0);
}

/* A window that stays shut is no silence while its probes are answered. */
static void R1__answered_probes_are_no_silence(void **state)
{
    (void)state;
    open_with_flight();
    peer.window = 0;
    peer_ack(&peer, PEER_STACK_ISS + 11);
    peer_app_send(&peer, 100);
    for (unsigned i = 0; i < 8; i++) {
        peer_wait(&peer, 10 * SECOND);
        peer_take_all(&peer);
        peer_input(&peer, (struct peer_seg){.seq = peer.nxt,
                                            .ack = PEER_STACK_ISS + 11,
                                            .flags = PEER_ACK});
    }
    assert_true(PEER_COUNT(&peer, tcp_zero_window_probe) >= 4);
    assert_false(peer.changes & TCP_CHANGE_SOFT_ERROR);
}

static void message__every_soft_error_has_one(void **state)
{
    (void)state;
    for (int i = 0; i < TCP_SOFT_COUNT; i++)
        assert_true(strlen(tcp_soft_error_message((enum tcp_soft_error)i)) > 3);
}

#define TEST(name) PEER_TEST(name, peer_started)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(C9_C12__a_hard_error_ends_an_opening_with_its_number),
        TEST(C12__codes_2_and_3_are_soft_once_open),
        TEST(C13__unreachable_0_1_5_exceeded_and_parameter_are_told),
        TEST(C13__a_soft_error_does_not_end_an_opening),
        TEST(C9__a_number_that_is_not_in_flight_is_not_believed),
        TEST(C14__source_quench_is_ignored),
        TEST(soft_error__is_noted_only_when_reports_are_off),
        TEST(R1__three_retransmissions_unanswered_are_told),
        TEST(R1__of_a_syn_is_told),
        TEST(R1__a_next_hop_is_asked_whether_it_is_still_there),
        TEST(R1__answered_probes_are_no_silence),
        cmocka_unit_test(message__every_soft_error_has_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
