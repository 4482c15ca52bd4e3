/*
 * The short way of what nearly every frame and packet is changes nothing:
 * whatever comes is answered, counted and released as if it went the long way,
 * which a frame goes whose packet is not in one view.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "net/ethernet.h"
#include "tests/host/host.h"
#include "tests/host/station_scene.h"

enum {
    HEADERS_BYTES = 14 + 20 + 20,
    TEXT_BYTES = 200, /* more than is brought together for the headers */
    CUT_AT = 150,
    ANSWERS_BYTES = 512
};

/* All that can be seen of one frame. */
struct outcome {
    uint64_t count[NET_COUNTER_COUNT];
    struct net_memory memory;
    uint32_t answers_len;
    uint8_t answers[ANSWERS_BYTES];
};

/* A segment to a port that is closed: RFC 9293 3.10.7.1 answers it. */
static void write_segment(void)
{
    station_ethernet(&station, station_mac, station_peer_mac, 0x0800);
    station_ip(&station, STATION_PEER, STATION_ADDR, 6, 20 + TEXT_BYTES);
    station_word(&station, 2000);
    station_word(&station, 80);
    station_long(&station, 0xfffffff0);
    station_long(&station, 5);
    station_long(&station, 0x50180400);
    station_long(&station, 0);
    station_fill(&station, 0x55, TEXT_BYTES);
    /* The pseudo header: addresses, protocol, length (RFC 9293 3.1). */
    station_checksum(&station, 34, 50,
                     0x0a00 + 2 + 0x0a00 + 1 + 6 + 20 + TEXT_BYTES);
}

static void note_answers(struct outcome *outcome)
{
    while (station_take(&station)) {
        assert_true(station.len <= ANSWERS_BYTES - outcome->answers_len);
        memcpy(outcome->answers + outcome->answers_len, station.frame,
               station.len);
        outcome->answers_len += station.len;
    }
}

/* What becomes of `len` bytes of `frame`, in pieces of so many. */
static void run(const uint8_t *frame, uint32_t len, uint32_t piece,
                struct outcome *outcome)
{
    void *state = NULL;

    station_met(&state);
    memcpy(station.frame, frame, len);
    station.len = len;
    memset(outcome, 0, sizeof(*outcome));
    station_send_pieces(&station, piece);
    note_answers(outcome);
    memcpy(outcome->count, net_counters(station.net)->value,
           sizeof(outcome->count));
    net_memory_get(station.net, &outcome->memory);
    station_ended(&state);
}

static void assert_alike(const uint8_t *frame, uint32_t len, uint32_t piece)
{
    static struct outcome in_one, in_pieces;

    run(frame, len, BUFFER_LARGE_BYTES, &in_one);
    run(frame, len, piece, &in_pieces);
    assert_memory_equal(in_one.count, in_pieces.count, sizeof(in_one.count));
    assert_int_equal(in_one.answers_len, in_pieces.answers_len);
    assert_memory_equal(in_one.answers, in_pieces.answers, in_one.answers_len);
    assert_int_equal(in_one.memory.buffers, in_pieces.memory.buffers);
}

/* Write the segment; returns its length. It stays when a station begins. */
static uint32_t write_into(uint8_t *frame)
{
    station.len = 0;
    write_segment();
    memcpy(frame, station.frame, station.len);
    return station.len;
}

static void usual__a_segment_is_answered_on_both_ways(void **state)
{
    struct outcome outcome;
    uint8_t frame[512];
    uint32_t len = write_into(frame);

    (void)state;
    run(frame, len, BUFFER_LARGE_BYTES, &outcome);
    assert_int_equal(outcome.count[NET_COUNT_tcp_no_conn], 1);
    assert_int_equal(outcome.answers_len, HEADERS_BYTES);
    assert_alike(frame, len, CUT_AT);
}

static void assert_alike_with_checksum(uint8_t *frame, uint32_t len)
{
    memcpy(station.frame, frame, len);
    station_ip_checksum(&station);
    memcpy(frame, station.frame, len);
    assert_alike(frame, len, CUT_AT);
}

/* As it is, and with IP's checksum made right again. */
static void
usual__a_header_with_any_bit_turned_goes_both_ways_alike(void **state)
{
    uint8_t frame[512];
    uint32_t len = write_into(frame);

    (void)state;
    for (unsigned bit = 0; bit < HEADERS_BYTES * 8; bit++) {
        frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_alike(frame, len, CUT_AT);
        assert_alike_with_checksum(frame, len);
        write_into(frame);
    }
}

static void usual__any_mac_address_goes_both_ways_alike(void **state)
{
    const uint8_t *const macs[] = {station_mac, station_peer_mac,
                                   station_all_mac};
    uint8_t frame[512];
    uint32_t len = write_into(frame);

    (void)state;
    for (unsigned i = 0; i < 9; i++) {
        memcpy(frame, macs[i % 3], 6);
        memcpy(frame + 6, macs[i / 3], 6);
        assert_alike(frame, len, CUT_AT);
    }
}

static void usual__any_address_goes_both_ways_alike(void **state)
{
    static const uint32_t addrs[] = {0,          0x7f000001, 0x0a000001,
                                     0x0a000002, 0x0a0000ff, 0x0a000000,
                                     0xe0000001, 0xf0000001, 0xffffffff};
    uint8_t frame[512];
    uint32_t len = write_into(frame);

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(addrs) * ARRAY_LEN(addrs); i++) {
        put32(frame + 26, addrs[i % ARRAY_LEN(addrs)]);
        put32(frame + 30, addrs[i / ARRAY_LEN(addrs)]);
        assert_alike_with_checksum(frame, len);
    }
}

static void usual__a_frame_of_any_length_goes_both_ways_alike(void **state)
{
    uint8_t frame[2000] = {0};

    (void)state;
    write_into(frame);
    for (uint32_t len = 15; len < 300; len++)
        assert_alike(frame, len, len > CUT_AT ? CUT_AT : len / 2);
    for (uint32_t len = 1510; len < 1524; len++)
        assert_alike(frame, len, CUT_AT);
}

/* RFC 894: what fills up a frame is no part of the packet, wherever it lies. */
static void usual__padding_goes_both_ways_alike(void **state)
{
    uint8_t frame[512] = {0};
    uint32_t len = write_into(frame) + 46;

    (void)state;
    for (uint32_t piece = CUT_AT; piece < len; piece++)
        assert_alike(frame, len, piece);
}

/* An address of an interface that has none is nobody's. */
static void usual__without_an_address_nothing_is_for_us(void **state)
{
    uint8_t frame[512];
    uint32_t len = write_into(frame);

    station_prepare(&station);
    station.net = net_create(&station.config, host_now_us);
    assert_int_equal(net_attach(station.net, &station.dev.dev, NULL), NET_OK);
    memcpy(station.frame, frame, len);
    station.len = len;
    put32(station.frame + 30, 0);
    station_ip_checksum(&station);
    DROPPED_AS(ip_not_ours);
    station_ended(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usual__a_segment_is_answered_on_both_ways),
        cmocka_unit_test(
            usual__a_header_with_any_bit_turned_goes_both_ways_alike),
        cmocka_unit_test(usual__any_mac_address_goes_both_ways_alike),
        cmocka_unit_test(usual__any_address_goes_both_ways_alike),
        cmocka_unit_test(usual__a_frame_of_any_length_goes_both_ways_alike),
        cmocka_unit_test(usual__padding_goes_both_ways_alike),
        cmocka_unit_test(usual__without_an_address_nothing_is_for_us),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
