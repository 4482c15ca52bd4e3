/*
 * ICMP errors about what we sent, true and false: rows C6 to C13 of the list of
 * bad inputs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "net/tcp.h"
#include "tests/host/host.h"
#include "tests/host/station_scene.h"

/*
 * An error about a TCP segment from the station's port 5000 to the peer's 80.
 * The quoted packet begins at 42, its TCP header at 62.
 */
static void error_about_us(uint8_t type, uint8_t code, uint16_t mtu,
                           uint16_t port, uint32_t seq)
{
    station_ethernet(&station, station_mac, station_peer_mac, 0x0800);
    station_ip(&station, STATION_PEER, STATION_ADDR, 1, 8 + 20 + 8);
    station_byte(&station, type);
    station_byte(&station, code);
    station_word(&station, 0);
    station_word(&station, 0);
    station_word(&station, mtu);
    station_byte(&station, 0x45);
    station_byte(&station, 0);
    station_word(&station, 60);
    station_long(&station, 0x00004000);
    station_byte(&station, 63);
    station_byte(&station, 6);
    station_word(&station, 0); /* routers change it; nobody checks */
    station_long(&station, STATION_ADDR);
    station_long(&station, STATION_PEER);
    station_word(&station, port);
    station_word(&station, 80);
    station_long(&station, seq);
    station_checksum(&station, 34, 36, 0);
}

/* A connection in SYN-SENT; the station's segment stays in station.frame. */
static struct tcp_conn *connecting(void)
{
    struct tcp_conn *conn;
    enum tcp_end why;

    assert_int_equal(tcp_connect(station.net, ipv4_addr_make(STATION_PEER), 80,
                                 5000, host_now_us, &conn, &why),
                     TCP_OK);
    net_flush(station.net, host_now_us);
    assert_true(station_take(&station));
    return conn;
}

static void finish(struct tcp_conn *conn)
{
    tcp_abort(conn, host_now_us);
    tcp_release(conn, host_now_us);
    net_flush(station.net, host_now_us);
    station_take_all(&station);
}

static void error__about_our_syn_reaches_its_connection(void **state)
{
    struct tcp_conn *conn = connecting();
    uint32_t seq = station_at32(&station, 38);

    (void)state;
    error_about_us(3, 3, 0, 5000, seq);
    station_send(&station);
    assert_int_not_equal(tcp_end_reason(conn), TCP_END_NONE);
    finish(conn);
}

static void error__in_pieces_reaches_its_connection(void **state)
{
    struct tcp_conn *conn = connecting();
    uint32_t seq = station_at32(&station, 38);

    (void)state;
    error_about_us(3, 3, 0, 5000, seq);
    station_send_pieces(&station, 7);
    assert_int_not_equal(tcp_end_reason(conn), TCP_END_NONE);
    finish(conn);
}

static void error__C6_cut_quote_is_dropped(void **state)
{
    struct tcp_conn *conn = connecting();
    uint32_t seq = station_at32(&station, 38);
    static const uint8_t types[] = {3, 11, 12};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        for (uint32_t quote = 0; quote < 28; quote++) {
            error_about_us(types[i], 3, 0, 5000, seq);
            station.len = 42 + quote;
            station_set(&station, 16, (uint16_t)(28 + quote));
            station_ip_checksum(&station);
            station_checksum(&station, 34, 36, 0);
            DROPPED_AS(icmp_embedded);
        }
    assert_int_equal(tcp_end_reason(conn), TCP_END_NONE);
    finish(conn);
}

static void error__C7_quoted_header_that_lies_is_dropped(void **state)
{
    struct tcp_conn *conn = connecting();
    uint32_t seq = station_at32(&station, 38);
    static const struct {
        uint32_t at;
        uint8_t value;
    } lies[] = {
        {42, 0x40}, {42, 0x44}, {42, 0x46}, {42, 0x4f},
        {42, 0x65}, {42, 0},    {45, 19}, /* total shorter than the header */
        {45, 27},                         /* ... than what TCP needs */
        {49, 1}, /* a later fragment: no TCP header there */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
        error_about_us(3, 3, 0, 5000, seq);
        station.frame[lies[i].at] = lies[i].value;
        station_checksum(&station, 34, 36, 0);
        DROPPED_AS(icmp_embedded);
    }
    assert_int_equal(tcp_end_reason(conn), TCP_END_NONE);
    finish(conn);
}

static void error__C8_about_a_packet_not_ours_is_dropped(void **state)
{
    struct tcp_conn *conn = connecting();
    uint32_t seq = station_at32(&station, 38);

    (void)state;
    error_about_us(3, 3, 0, 5000, seq);
    station_set(&station, 56, 0x0009); /* quoted source 10.0.0.9 */
    station_checksum(&station, 34, 36, 0);
    DROPPED_AS(icmp_embedded);
    error_about_us(3, 3, 0, 5000, seq);
    station_set(&station, 54, 0x7f00); /* 127.0.0.1 */
    station_checksum(&station, 34, 36, 0);
    DROPPED_AS(icmp_embedded);
    assert_int_equal(tcp_end_reason(conn), TCP_END_NONE);
    finish(conn);
}

static void error__C9_sequence_number_never_sent_is_ignored(void **state)
{
    struct tcp_conn *conn = connecting();
    uint32_t seq = station_at32(&station, 38);
    static const uint32_t off[] = {1, 2, 0xffffffff, 0x80000000, 1000};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(off); i++) {
        error_about_us(3, 3, 0, 5000, seq + off[i]);
        station_send(&station);
        assert_int_equal(tcp_end_reason(conn), TCP_END_NONE);
    }
    finish(conn);
}

/* C10: whatever the MTU says, nothing ends and nothing divides by it. C13. */
static void error__C10_C13_soft_errors_end_nothing(void **state)
{
    struct tcp_conn *conn = connecting();
    uint32_t seq = station_at32(&station, 38);
    static const uint16_t mtus[] = {0, 1, 67, 68, 551, 1499, 1500, 65535};
    static const uint8_t codes[] = {0, 1, 5};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(mtus); i++) {
        error_about_us(3, 4, mtus[i], 5000, seq);
        station_send(&station);
        assert_int_equal(tcp_end_reason(conn), TCP_END_NONE);
    }
    finish(conn);
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        error_about_us(3, codes[i], 0, 5001, seq);
        station_send(&station);
        assert_int_equal(station_take_all(&station), 0);
    }
}

static void error__about_a_segment_of_nobody_is_ignored(void **state)
{
    (void)state;
    error_about_us(3, 3, 0, 5000, 1);
    station_send(&station);
    assert_int_equal(station_take_all(&station), 0);
}

static void error__C11_about_udp_never_sent_is_ignored(void **state)
{
    (void)state;
    error_about_us(3, 4, 100, 5000, 1);
    station.frame[51] = 17;
    station_checksum(&station, 34, 36, 0);
    station_send(&station);
    assert_int_equal(station_take_all(&station), 0);
}

static void error__to_many_is_dropped(void **state)
{
    struct tcp_conn *conn = connecting();
    uint32_t seq = station_at32(&station, 38);

    (void)state;
    error_about_us(3, 3, 0, 5000, seq);
    memcpy(station.frame, station_all_mac, 6);
    station_set(&station, 32, 0x00ff);
    station_ip_checksum(&station);
    DROPPED_AS(icmp_embedded);
    assert_int_equal(tcp_end_reason(conn), TCP_END_NONE);
    finish(conn);
}

#define TEST(name) STATION_TEST(name, station_met)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(error__about_our_syn_reaches_its_connection),
        TEST(error__in_pieces_reaches_its_connection),
        TEST(error__C6_cut_quote_is_dropped),
        TEST(error__C7_quoted_header_that_lies_is_dropped),
        TEST(error__C8_about_a_packet_not_ours_is_dropped),
        TEST(error__C9_sequence_number_never_sent_is_ignored),
        TEST(error__C10_C13_soft_errors_end_nothing),
        TEST(error__about_a_segment_of_nobody_is_ignored),
        TEST(error__C11_about_udp_never_sent_is_ignored),
        TEST(error__to_many_is_dropped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
