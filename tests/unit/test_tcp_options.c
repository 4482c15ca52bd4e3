/*
 * Timestamps, SACK-permitted and SACK as options: how they are written, when
 * they are agreed upon, and what they cost.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/host.h"
#include "tests/host/tcp_scene.h"

#define MS 1000ull

static int setup(void **state)
{
    (void)state;
    peer_prepare(&peer);
    peer.config.tcp.rcv_buf_bytes = 65536; /* so a shift of 1 is offered */
    return 0;
}

/* ---- the handshake ---- */

/* The options of the stack's SYN-ACK are these; 0xee stands for any byte. */
static void assert_options(const uint8_t *want, uint32_t len)
{
    assert_int_equal(peer.got.options_len, len);
    for (uint32_t i = 0; i < len; i++)
        if (want[i] != 0xee)
            assert_int_equal(peer.got.options[i], want[i]);
}

#define ASSERT_OPTIONS(...)                                                    \
    assert_options((const uint8_t[]){__VA_ARGS__},                             \
                   sizeof((const uint8_t[]){__VA_ARGS__}))

static void answer_to_syn(bool sack, bool timestamps, int shift)
{
    peer.sack = sack;
    peer.timestamps = timestamps;
    peer.ts = 0x01020304;
    peer.shift = shift;
    peer_start(&peer);
    peer_listen(&peer, 8, 8);
    peer_syn(&peer);
    assert_true(peer_take(&peer));
}

static void syn_ack__has_the_options_in_the_order_of_linux(void **state)
{
    (void)state;
    answer_to_syn(true, true, 7);
    ASSERT_OPTIONS(2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0xee, 0xee, 0xee, 0xee, 1, 2,
                   3, 4, 1, 3, 3, 1);
}

static void syn_ack__without_timestamps_pads_sack_permitted(void **state)
{
    (void)state;
    answer_to_syn(true, false, 7);
    ASSERT_OPTIONS(2, 4, 0x05, 0xb4, 1, 1, 4, 2, 1, 3, 3, 1);
}

static void syn_ack__without_sack_pads_timestamps(void **state)
{
    (void)state;
    answer_to_syn(false, true, 7);
    ASSERT_OPTIONS(2, 4, 0x05, 0xb4, 1, 1, 8, 10, 0xee, 0xee, 0xee, 0xee, 1, 2,
                   3, 4, 1, 3, 3, 1);
}

/* RFC 7323 3.2, RFC 2018 2: only in answer to one. */
static void syn_ack__offers_nothing_that_the_syn_did_not(void **state)
{
    (void)state;
    answer_to_syn(false, false, -1);
    ASSERT_OPTIONS(2, 4, 0x05, 0xb4);
}

static void syn_ack__offers_nothing_that_is_switched_off(void **state)
{
    (void)state;
    peer.config.tcp.sack = false;
    peer.config.tcp.timestamps = false;
    peer.config.tcp.window_scaling = false;
    answer_to_syn(true, true, 7);
    ASSERT_OPTIONS(2, 4, 0x05, 0xb4);
}

static void syn_ack__sent_again_has_the_same_options(void **state)
{
    uint8_t first[40];
    uint32_t len;

    (void)state;
    answer_to_syn(true, true, 7);
    len = peer.got.options_len;
    memcpy(first, peer.got.options, len);
    memset(first + 8, 0xee, 4); /* the clock has moved */
    peer_wait(&peer, 1000 * MS);
    assert_true(peer_take(&peer));
    assert_options(first, len);
}

static void syn__offers_everything_and_echoes_nothing(void **state)
{
    (void)state;
    peer_start(&peer);
    peer_connect(&peer);
    ASSERT_OPTIONS(2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0xee, 0xee, 0xee, 0xee, 0, 0,
                   0, 0, 1, 3, 3, 1);
}

static void connect__a_peer_without_timestamps_gets_none(void **state)
{
    (void)state;
    peer_start(&peer);
    peer_open_active(&peer);
    peer_app_send(&peer, 10);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.options_len, 0);
}

/* ---- afterwards ---- */

static void open_with_timestamps(void)
{
    peer.timestamps = true;
    peer.sack = true;
    peer.ts = 1000;
    peer_start(&peer);
    peer_open_passive(&peer);
}

/* RFC 7323 3.2: once agreed, in every segment; in a RST too. */
static void timestamps__stand_on_every_segment(void **state)
{
    (void)state;
    open_with_timestamps();
    peer_app_send(&peer, 10);
    assert_true(peer_take(&peer));
    assert_true(peer.got.has_timestamps);
    peer_text(&peer, 10, PEER_PSH);
    peer_wait(&peer, 50 * MS);
    assert_true(peer_take(&peer));
    assert_true(peer.got.has_timestamps);
    tcp_shutdown(peer.conn, host_now_us);
    peer_settle(&peer);
    assert_true(peer_take(&peer));
    assert_true(peer.got.flags & PEER_FIN && peer.got.has_timestamps);
    tcp_abort(peer.conn, host_now_us);
    assert_true(peer_take(&peer));
    assert_true(peer.got.flags & PEER_RST && peer.got.has_timestamps);
    assert_int_equal(peer.got.ts_ecr, 1000);
}

static void timestamps__advance_by_one_a_millisecond(void **state)
{
    uint32_t first;

    (void)state;
    open_with_timestamps();
    tcp_set_nodelay(peer.conn, true, host_now_us);
    peer_app_send(&peer, 10);
    assert_true(peer_take(&peer));
    first = peer.got.ts_val;
    host_now_us += 7 * MS;
    peer_app_send(&peer, 10);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.ts_val - first, 7);
}

/* RFC 7323 5.4 lets the clock be finer. */
static void timestamps__tick_as_configured(void **state)
{
    uint32_t first;

    (void)state;
    peer.config.tcp.timestamp_tick_us = 10;
    open_with_timestamps();
    tcp_set_nodelay(peer.conn, true, host_now_us);
    peer_app_send(&peer, 10);
    assert_true(peer_take(&peer));
    first = peer.got.ts_val;
    host_now_us += 7 * MS;
    peer_app_send(&peer, 10);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.ts_val - first, 700);
}

/* RFC 7323 7.1: nobody reads from them how long the machine has been up. */
static void timestamps__begin_elsewhere_on_each_connection(void **state)
{
    uint32_t first;

    (void)state;
    answer_to_syn(true, true, 7);
    first = peer.got.ts_val;
    peer_send(&peer, (struct peer_seg){.seq = PEER_ISS,
                                       .src_port = PEER_PORT + 1,
                                       .flags = PEER_SYN});
    assert_true(peer_take(&peer));
    assert_true(peer.got.has_timestamps);
    assert_true(peer.got.ts_val - first > 1000000 &&
                first - peer.got.ts_val > 1000000);
    assert_true(first - (uint32_t)(host_now_us / 1000) > 1000000);
}

/* RFC 6691: the MSS counts no options, so the text makes room for them. */
static void timestamps__take_their_bytes_from_the_text(void **state)
{
    (void)state;
    open_with_timestamps(); /* MSS 1000 */
    peer_app_send(&peer, 3000);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.len, 988);
    assert_int_equal(peer.got.options_len, 12);
    assert_int_equal(peer_info(&peer).mss_bytes, 988);
}

#define TEST(name) PEER_TEST(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(syn_ack__has_the_options_in_the_order_of_linux),
        TEST(syn_ack__without_timestamps_pads_sack_permitted),
        TEST(syn_ack__without_sack_pads_timestamps),
        TEST(syn_ack__offers_nothing_that_the_syn_did_not),
        TEST(syn_ack__offers_nothing_that_is_switched_off),
        TEST(syn_ack__sent_again_has_the_same_options),
        TEST(syn__offers_everything_and_echoes_nothing),
        TEST(connect__a_peer_without_timestamps_gets_none),
        TEST(timestamps__stand_on_every_segment),
        TEST(timestamps__advance_by_one_a_millisecond),
        TEST(timestamps__tick_as_configured),
        TEST(timestamps__begin_elsewhere_on_each_connection),
        TEST(timestamps__take_their_bytes_from_the_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
