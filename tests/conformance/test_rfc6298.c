/*
 * RFC 6298: the averages, the time-out, and when its timer runs. No SACK, so
 * that no loss probe comes first.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/tcp_conn.h"
#include "tests/host/host.h"
#include "tests/host/tcp_scene.h"
#include "tests/host/tcp_sender.h"

#define MS SENDER_MS

/* 2.1: a second, before anything is known. */
static void rto__is_one_second_at_first(void **state)
{
    (void)state;
    peer_start(&peer);
    peer_connect(&peer);
    peer_wait(&peer, 1000 * MS - 1);
    PEER_QUIET(&peer);
    peer_wait(&peer, 1);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.flags, PEER_SYN);
}

/* 2.2, by the handshake's R of 100 ms: SRTT R, RTTVAR R / 2; 2.3, by one of
 * 200 ms: RTTVAR 3/4 * 50 + 1/4 * |100 - 200|, SRTT 7/8 * 100 + 1/8 * 200; and
 * by one of 100 ms. */
static void averages__are_those_of_the_text(void **state)
{
    struct tcp_info info;

    (void)state;
    sender_open(&peer, false, false);
    info = peer_info(&peer);
    assert_int_equal(info.srtt_us, 100 * MS);
    assert_int_equal(info.rttvar_us, 50 * MS);
    assert_int_equal(info.rto_us, 300 * MS);
    peer_app_send(&peer, 1000);
    sender_expect(&peer, 0, 1000);
    host_now_us += 200 * MS;
    sender_ack(&peer, 1000);
    info = peer_info(&peer);
    assert_int_equal(info.srtt_us, 112500);
    assert_int_equal(info.rttvar_us, 62500);
    assert_int_equal(info.rto_us, 112500 + 4 * 62500);
    peer_app_send(&peer, 1000);
    sender_expect(&peer, 1000, 1000);
    host_now_us += 100 * MS;
    sender_ack(&peer, 2000);
    info = peer_info(&peer);
    assert_in_range(info.srtt_us, 110937, 110938);
    assert_int_equal(info.rttvar_us, 50000);
}

/* 5.1, 5.3: begun by the first segment, anew by what is acknowledged. */
static void timer__runs_while_something_flies(void **state)
{
    (void)state;
    sender_open(&peer, false, false);
    sender_send(&peer, 2000);
    peer_wait(&peer, 100 * MS);
    sender_ack(&peer, 1000);
    /* R 100 ms: RTTVAR 37.5 ms, RTO 100 ms and the least, 200. */
    peer_wait(&peer, 300 * MS - 1);
    PEER_QUIET(&peer);
    peer_wait(&peer, 1);
    sender_expect(&peer, 1000, 1000);
}

/* 5.2 */
static void timer__is_off_when_nothing_flies(void **state)
{
    (void)state;
    sender_open(&peer, false, false);
    peer_app_send(&peer, 1000);
    sender_expect(&peer, 0, 1000);
    assert_true(peer.conn->deadline[TCP_DEADLINE_RTX] != FOREVER);
    sender_ack(&peer, 1000);
    assert_true(peer.conn->deadline[TCP_DEADLINE_RTX] == FOREVER);
    peer_wait(&peer, 3600 * 1000 * MS);
    PEER_QUIET(&peer);
}

/* 5.7: the first text after a lost SYN has three seconds. */
static void rto__after_a_lost_syn_is_three_seconds(void **state)
{
    (void)state;
    peer_start(&peer);
    peer_connect(&peer);
    peer_wait(&peer, 1000 * MS);
    assert_true(peer_take(&peer));
    peer_send(&peer, (struct peer_seg){.seq = PEER_ISS,
                                       .ack = peer.rcv,
                                       .flags = PEER_SYN | PEER_ACK});
    peer.nxt = PEER_ISS + 1;
    assert_true(peer_take(&peer));
    peer_app_send(&peer, 100);
    sender_expect(&peer, 0, 100);
    peer_wait(&peer, 3000 * MS - 1);
    PEER_QUIET(&peer);
    peer_wait(&peer, 1);
    sender_expect(&peer, 0, 100);
}

#define TEST(name) PEER_TEST(name, peer_prepared)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rto__is_one_second_at_first),
        TEST(averages__are_those_of_the_text),
        TEST(timer__runs_while_something_flies),
        TEST(timer__is_off_when_nothing_flies),
        TEST(rto__after_a_lost_syn_is_three_seconds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
