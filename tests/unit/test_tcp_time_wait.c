/*
 * A SYN for a connection in TIME-WAIT: taken when it can be no old duplicate,
 * by its timestamp or else by its number (RFC 6191; RFC 9293 MAY-2, SHLD-4;
 * row S15 of the bad inputs); and an RST after it (RFC 1337, row S16).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/host.h"
#include "tests/host/tcp_scene.h"

/* A listener, and a connection to it in TIME-WAIT whose last timestamp was
 * 1000, if there are any; peer.nxt is the next number. */
static void go_time_wait(bool timestamps)
{
    peer_prepare(&peer);
    peer.timestamps = timestamps;
    peer.ts = 1000;
    peer_start(&peer);
    peer_open_passive(&peer);
    peer_app_release(&peer);
    assert_true(peer_take(&peer));
    peer_fin(&peer, peer.rcv);
    assert_int_equal(peer_take_all(&peer), 1);
    assert_int_equal(peer_memory(&peer).time_waits, 1);
    assert_int_equal(peer_memory(&peer).conns, 0);
}

/* A SYN so far from the next number, with that timestamp (0: none). */
static void syn(int32_t ahead, uint32_t ts_val)
{
    uint8_t options[12] = {1,
                           1,
                           8,
                           10,
                           (uint8_t)(ts_val >> 24),
                           (uint8_t)(ts_val >> 16),
                           (uint8_t)(ts_val >> 8),
                           (uint8_t)ts_val};

    peer_send(&peer, (struct peer_seg){.seq = peer.nxt + (uint32_t)ahead,
                                       .flags = PEER_SYN,
                                       .bare = true,
                                       .options = options,
                                       .options_len = ts_val ? 12 : 0});
}

static void assert_taken(void)
{
    uint32_t old = PEER_STACK_ISS;

    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.flags, PEER_SYN | PEER_ACK);
    assert_true((int32_t)(peer.got.seq - old) > 2); /* MAY-2 (1) */
    assert_int_equal(peer_memory(&peer).time_waits, 0);
    assert_int_equal(peer_memory(&peer).conns, 1);
}

/* Answered with what was received, as any SYN in a synchronized state. */
static void assert_refused(void)
{
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.flags, PEER_ACK);
    assert_int_equal(peer.got.ack, peer.nxt);
    assert_int_equal(peer_memory(&peer).time_waits, 1);
    assert_int_equal(peer_memory(&peer).conns, 0);
}

static void S15__a_later_timestamp_is_taken_whatever_the_number(void **state)
{
    (void)state;
    go_time_wait(true);
    syn(-100000, 1001);
    assert_taken();
}

static void
S15__an_earlier_timestamp_is_refused_whatever_the_number(void **state)
{
    (void)state;
    go_time_wait(true);
    syn(100000, 999);
    assert_refused();
}

static void S15__of_two_equal_timestamps_the_number_decides(void **state)
{
    (void)state;
    go_time_wait(true);
    syn(-1, 1000);
    assert_refused();
    syn(1, 1000);
    assert_taken();
}

static void S3_S15__timestamps_are_compared_across_the_wrap(void **state)
{
    (void)state;
    go_time_wait(true);
    syn(100000, 1000 + 0x80000001u); /* 2^31 - 1 before */
    assert_refused();
    syn(-100000, 1000 + 0x7fffffffu);
    assert_taken();
}

static void S15__no_timestamp_any_more_the_number_decides(void **state)
{
    (void)state;
    go_time_wait(true);
    syn(-1, 0);
    assert_refused();
    syn(1, 0);
    assert_taken();
}

static void S15__timestamps_anew_are_no_old_duplicate(void **state)
{
    (void)state;
    go_time_wait(false);
    syn(-100000, 0x90000000u);
    assert_taken();
}

static void S15__no_timestamps_at_all_the_number_decides(void **state)
{
    (void)state;
    go_time_wait(false);
    syn(-1, 0);
    assert_refused();
    syn(1, 0);
    assert_taken();
}

/* RFC 9293 MAY-2 (1) asks for a number beyond the old ones: no cookie can
 * promise that. */
static void S15__with_a_full_syn_queue_it_waits_and_gets_no_cookie(void **state)
{
    (void)state;
    go_time_wait(false);
    for (uint16_t port = 3000; port < 3008; port++)
        peer_send(&peer, (struct peer_seg){
                             .seq = 5, .flags = PEER_SYN, .src_port = port});
    assert_int_equal(peer_take_all(&peer), 8);
    syn(1, 0);
    PEER_QUIET(&peer);
    assert_int_equal(peer_memory(&peer).time_waits, 1);
    assert_int_equal(PEER_COUNT(&peer, tcp_cookie_sent), 0);
}

static void S15__nobody_listens_any_more(void **state)
{
    (void)state;
    go_time_wait(false);
    tcp_unlisten(peer.listener, host_now_us);
    syn(1, 0);
    assert_refused();
}

/* ---- RST (row S16; when there was no SYN: test_tcp_close.c) ---- */

static void rst(int32_t ahead)
{
    peer_send(&peer, (struct peer_seg){.seq = peer.nxt + (uint32_t)ahead,
                                       .flags = PEER_RST});
    PEER_QUIET(&peer);
}

/* The peer's sequence number says that the SYN may be old, and it has forgotten
 * the connection: RFC 9293 3.5.1 makes it answer our acknowledgement with RST,
 * and 3.10.7.4 ends TIME-WAIT then. Its next SYN opens. */
static void S16__who_has_forgotten_the_connection_opens_a_new_one(void **state)
{
    (void)state;
    go_time_wait(false);
    syn(-100000, 0);
    assert_refused();
    rst(0);
    assert_int_equal(peer_memory(&peer).time_waits, 0);
    assert_int_equal(PEER_COUNT(&peer, tcp_time_wait_reset), 1);
    syn(-100000, 0);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.flags, PEER_SYN | PEER_ACK);
    assert_int_equal(peer_memory(&peer).conns, 1);
}

/* Nobody who has not seen our acknowledgement can end it. */
static void S16__after_a_syn_only_the_number_that_we_told_counts(void **state)
{
    (void)state;
    go_time_wait(false);
    syn(-100000, 0);
    assert_refused();
    rst(-1);
    rst(1);
    assert_int_equal(peer_memory(&peer).time_waits, 1);
}

#define TEST(name) cmocka_unit_test_teardown(name, peer_ended)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(S15__a_later_timestamp_is_taken_whatever_the_number),
        TEST(S15__an_earlier_timestamp_is_refused_whatever_the_number),
        TEST(S15__of_two_equal_timestamps_the_number_decides),
        TEST(S3_S15__timestamps_are_compared_across_the_wrap),
        TEST(S15__no_timestamp_any_more_the_number_decides),
        TEST(S15__timestamps_anew_are_no_old_duplicate),
        TEST(S15__no_timestamps_at_all_the_number_decides),
        TEST(S15__with_a_full_syn_queue_it_waits_and_gets_no_cookie),
        TEST(S15__nobody_listens_any_more),
        TEST(S16__who_has_forgotten_the_connection_opens_a_new_one),
        TEST(S16__after_a_syn_only_the_number_that_we_told_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
