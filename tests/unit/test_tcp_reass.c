/*
 * Text that came before its turn: what it holds once it is in order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/host/host.h"
#include "tests/host/tcp_scene.h"

enum { BUFFER_BYTES = 16384, SMALL_BYTES = 100 };

/* A receive buffer that does not grow. */
static int setup(void **state)
{
    (void)state;
    peer_prepare(&peer);
    peer.config.tcp.rcv_buf_bytes = BUFFER_BYTES;
    peer.config.tcp.rcv_buf_begin_bytes = BUFFER_BYTES;
    peer_start(&peer);
    peer_open_passive(&peer);
    return 0;
}

/* A segment of `len` pattern bytes at stream offset `at`. */
static void text_at(uint32_t at, uint32_t len)
{
    peer_send(&peer, (struct peer_seg){.seq = PEER_ISS + 1 + at,
                                       .ack = peer.rcv,
                                       .flags = PEER_ACK,
                                       .len = len});
    peer_take_all(&peer);
}

/* Backwards, so that each comes in a chunk of its own; then the first. */
static void small_ones(uint32_t at, unsigned count)
{
    while (count-- > 0)
        text_at(at + count * SMALL_BYTES, SMALL_BYTES);
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
        text_at(at, 649);
    assert_int_equal(PEER_COUNT(&peer, tcp_rcv_memory), 0);
    assert_int_equal(PEER_COUNT(&peer, tcp_ooo_full), 0);
    assert_int_equal(peer_app_recv(&peer, 2 * BUFFER_BYTES), BUFFER_BYTES);
}

/* What fills its chunks is not copied. */
static void large_segments__stay_where_they_are(void **state)
{
    struct net_memory before, after;

    (void)state;
    text_at(1000, 1000);
    text_at(3000, 1000);
    net_memory_get(peer.net, &before);
    text_at(2000, 1000);
    text_at(0, 1000);
    net_memory_get(peer.net, &after);
    assert_int_equal(after.buffers, before.buffers + 2);
    assert_int_equal(peer_app_recv(&peer, BUFFER_BYTES), 4000);
}

#define TEST(name) PEER_TEST(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(small_segments__share_chunks_once_they_are_in_order),
        TEST(small_segments__leave_room_for_the_window),
        TEST(large_segments__stay_where_they_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
