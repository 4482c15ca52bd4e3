/*
 * Text that comes before its turn: how it is put in order, and what it holds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/host/host.h"
#include "tests/host/tcp_receiver.h"
#include "tests/host/tcp_scene.h"

static int setup(void **state)
{
    (void)state;
    receiver_open(&peer, 256 * 1024, true);
    return 0;
}

/* ---- order ---- */

static void order__a_hole_is_told_by_duplicates_and_filled(void **state)
{
    (void)state;
    receiver_text(&peer, 100, 50, 0);
    receiver_expect_ack(&peer, 0);
    receiver_text(&peer, 200, 50, 0);
    receiver_expect_ack(&peer, 0);
    receiver_text(&peer, 150, 50, 0);
    receiver_expect_ack(&peer, 0);
    receiver_text(&peer, 0, 100, 0);
    receiver_expect_ack(&peer, 250);
    assert_int_equal(peer_app_recv(&peer, 1000), 250);
}

static void order__each_early_segment_has_its_duplicate(void **state)
{
    (void)state;
    for (uint32_t i = 1; i < 5; i++)
        receiver_input(&peer, i * 100, 100);
    peer_settle(&peer);
    assert_int_equal(peer_take_all(&peer), 4);
}

/* S3: PEER_ISS is 32 before the wrap. */
static void S3__the_queue_crosses_the_wrap(void **state)
{
    (void)state;
    receiver_text(&peer, 20, 10, 0);
    receiver_text(&peer, 40, 30, 0);
    receiver_text(&peer, 10, 60, 0);
    peer_take_all(&peer);
    receiver_text(&peer, 0, 11, 0);
    receiver_expect_ack(&peer, 70);
    assert_int_equal(peer_app_recv(&peer, 1000), 70);
}

static void S17__of_two_versions_the_first_counts(void **state)
{
    static const uint8_t other[40] = {0};

    (void)state;
    receiver_text(&peer, 10, 20, 0);
    peer_send(&peer, (struct peer_seg){.seq = PEER_ISS + 1 + 5,
                                       .ack = peer.rcv,
                                       .flags = PEER_ACK,
                                       .text = other,
                                       .len = 5});
    peer_send(&peer, (struct peer_seg){.seq = PEER_ISS + 1 + 10,
                                       .ack = peer.rcv,
                                       .flags = PEER_ACK,
                                       .text = other,
                                       .len = 20});
    receiver_text(&peer, 0, 5, 0);
    {
        uint8_t got[64];

        assert_int_equal(tcp_peek(peer.conn, got, 64), 30);
        for (uint32_t i = 0; i < 30; i++)
            assert_int_equal(got[i], i >= 5 && i < 10 ? 0 : peer_byte(i));
    }
}

static void S18_S43__overlaps_are_trimmed(void **state)
{
    (void)state;
    receiver_text(&peer, 0, 100, 0);
    receiver_text(&peer, 50, 100, 0);
    receiver_text(&peer, 0, 120, 0);
    assert_int_equal(tcp_recv_ready(peer.conn), 150);
    assert_int_equal(peer_app_recv(&peer, 1000), 150);
}

/* Part of it comes again: its sender waits for an acknowledgement. */
static void text__that_is_old_in_part_is_acknowledged_at_once(void **state)
{
    (void)state;
    receiver_text(&peer, 0, 100, 0);
    peer_wait(&peer, 1000000); /* the delayed one has gone */
    peer_take_all(&peer);
    receiver_text(&peer, 50, 100, 0);
    receiver_expect_ack(&peer, 150);
}

static void S18__text_past_the_window_is_cut_off(void **state)
{
    (void)state;
    peer_end(&peer);
    receiver_open(&peer, 1500, false);
    receiver_text(&peer, 0, 1000, 0);
    peer_take_all(&peer);
    receiver_text(&peer, 900, 1000, PEER_FIN);
    receiver_expect_ack(&peer, 1500);
    assert_int_equal(peer.got.window, 0);
    assert_true(peer_state_is(&peer, "ESTABLISHED"));
    assert_int_equal(peer_app_recv(&peer, 5000), 1500);
}

/* CVE-2018-5390. */
static void S19__many_tiny_pieces_are_bounded(void **state)
{
    struct net_memory memory;

    (void)state;
    for (uint32_t i = 1; i < 20000; i += 2) {
        receiver_input(&peer, i, 1);
        if (i % 500 == 1)
            peer_settle(&peer), peer_take_all(&peer);
    }
    net_memory_get(peer.net, &memory);
    assert_true(memory.pages < 160); /* twice the buffer, and a little */
    assert_true(PEER_COUNT(&peer, tcp_ooo_full) > 9000);
    receiver_text(&peer, 0, 1, 0);
    assert_int_equal(tcp_recv_ready(peer.conn), 2);
}

/* Each byte lies before the last one, so none shares a chunk. */
static void S19__tiny_pieces_backwards_are_bounded(void **state)
{
    struct net_memory memory;

    (void)state;
    for (uint32_t i = 10000; i > 0; i--) {
        receiver_input(&peer, i, 1);
        if (i % 500 == 1)
            peer_settle(&peer), peer_take_all(&peer);
    }
    net_memory_get(peer.net, &memory);
    assert_true(memory.pages < 200);
    assert_true(PEER_COUNT(&peer, tcp_ooo_full) > 9000);
    for (uint32_t at = 0, got = 0; at < 10001; at = got) {
        receiver_text(&peer, at, 1000, 0);
        got += peer_app_recv(&peer, 100000);
        assert_true(got > at);
    }
}

static void small_segments__share_a_chunk(void **state)
{
    struct net_memory before, after;

    (void)state;
    net_memory_get(peer.net, &before);
    for (uint32_t i = 0; i < 1500; i++)
        receiver_text(&peer, i, 1, 0);
    peer_take_all(&peer);
    net_memory_get(peer.net, &after);
    assert_true(after.buffers <= before.buffers + 2);
    assert_int_equal(peer_app_recv(&peer, 2000), 1500);
}

static void order__an_early_segment_again_holds_no_more(void **state)
{
    struct net_memory once, often;

    (void)state;
    receiver_text(&peer, 100, 1400, 0);
    peer_take_all(&peer);
    net_memory_get(peer.net, &once);
    for (unsigned i = 0; i < 100; i++)
        receiver_text(&peer, 100, 1400, 0);
    peer_take_all(&peer);
    net_memory_get(peer.net, &often);
    assert_int_equal(once.buffers, often.buffers);
}

static void order__backwards_fills_one_hole(void **state)
{
    (void)state;
    for (uint32_t i = 199; i > 0; i--)
        receiver_text(&peer, i * 10, 10, 0);
    peer_take_all(&peer);
    receiver_text(&peer, 0, 10, 0);
    receiver_expect_ack(&peer, 2000);
    assert_int_equal(peer_app_recv(&peer, 5000), 2000);
}

/* ---- what it holds once it is in order ---- */

enum { BUFFER_BYTES = 16384, SMALL_BYTES = 100 };

static int setup_small(void **state)
{
    (void)state;
    receiver_open(&peer, BUFFER_BYTES, true);
    return 0;
}

static void early(uint32_t at, uint32_t len)
{
    receiver_text(&peer, at, len, 0);
    peer_take_all(&peer);
}

/* Backwards, so that each comes in a chunk of its own; then the first. */
static void small_ones(uint32_t at, unsigned count)
{
    while (count-- > 0)
        early(at + count * SMALL_BYTES, SMALL_BYTES);
}

static void small_segments__share_chunks_once_they_are_in_order(void **state)
{
    struct net_memory before, after;

    (void)state;
    net_memory_get(peer.net, &before);
    small_ones(0, 15);
    net_memory_get(peer.net, &after);
    assert_int_equal(tcp_recv_ready(peer.conn), 15 * SMALL_BYTES);
    assert_true(after.buffers <= before.buffers + 2);
    assert_int_equal(peer_app_recv(&peer, BUFFER_BYTES), 15 * SMALL_BYTES);
}

/* RFC 9293 SHLD-14: a window that was offered is not taken back, so what lies
 * in it is not refused for the memory that little text holds. */
static void small_segments__leave_room_for_the_window(void **state)
{
    uint32_t at = 0;

    (void)state;
    for (; at < 6000; at += 20 * SMALL_BYTES)
        small_ones(at, 20);
    for (; at < BUFFER_BYTES; at += 649)
        early(at, 649);
    assert_int_equal(PEER_COUNT(&peer, tcp_rcv_memory), 0);
    assert_int_equal(PEER_COUNT(&peer, tcp_ooo_full), 0);
    assert_int_equal(peer_app_recv(&peer, 2 * BUFFER_BYTES), BUFFER_BYTES);
}

/* What fills its chunks is not copied. */
static void large_segments__stay_where_they_are(void **state)
{
    struct net_memory before, after;

    (void)state;
    early(1000, 1000);
    early(3000, 1000);
    net_memory_get(peer.net, &before);
    early(2000, 1000);
    early(0, 1000);
    net_memory_get(peer.net, &after);
    assert_int_equal(after.buffers, before.buffers + 2);
    assert_int_equal(peer_app_recv(&peer, BUFFER_BYTES), 4000);
}

#define TEST(name)  PEER_TEST(name, setup)
#define SMALL(name) PEER_TEST(name, setup_small)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(order__a_hole_is_told_by_duplicates_and_filled),
        TEST(order__each_early_segment_has_its_duplicate),
        TEST(S3__the_queue_crosses_the_wrap),
        TEST(S17__of_two_versions_the_first_counts),
        TEST(S18_S43__overlaps_are_trimmed),
        TEST(text__that_is_old_in_part_is_acknowledged_at_once),
        TEST(S18__text_past_the_window_is_cut_off),
        TEST(S19__many_tiny_pieces_are_bounded),
        TEST(S19__tiny_pieces_backwards_are_bounded),
        TEST(small_segments__share_a_chunk),
        TEST(order__an_early_segment_again_holds_no_more),
        TEST(order__backwards_fills_one_hole),
        SMALL(small_segments__share_chunks_once_they_are_in_order),
        SMALL(small_segments__leave_room_for_the_window),
        SMALL(large_segments__stay_where_they_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
