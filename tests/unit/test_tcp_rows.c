/*
 * Rows S of the bad inputs that belong to no other file: odd resets, jumps of
 * the clock, numbers and ports that nobody can foresee, counts that nobody
 * else can watch.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/host.h"
#include "tests/host/tcp_scene.h"

#define SECOND 1000000ull
#define HOUR   (3600 * SECOND)

/* ---- S: resets ---- */

/* RFC 9293 SHLD-2: "a RST may carry data". RFC 5961 3.2: the exact number. */
static void
S8__rst_with_text_fin_or_syn_ends_it_at_the_exact_number(void **state)
{
    static const struct peer_seg rows[] = {
        {.flags = PEER_RST, .len = 9},
        {.flags = PEER_RST | PEER_FIN},
        {.flags = PEER_RST | PEER_SYN},
        {.flags = PEER_RST | PEER_ACK | PEER_FIN | PEER_SYN}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct peer_seg seg = rows[i];

        peer_end(&peer);
        peer_prepare(&peer);
        peer_start(&peer);
        peer_open_passive(&peer);
        seg.ack = peer.rcv;
        seg.seq = peer.nxt + 1;
        peer_send(&peer, seg);
        assert_true(peer_state_is(&peer, "ESTABLISHED"));
        assert_true(peer_take(&peer)); /* a challenge */
        assert_int_equal(peer.got.flags, PEER_ACK);
        seg.seq = peer.nxt;
        peer_send(&peer, seg);
        assert_int_equal(tcp_end_reason(peer.conn), TCP_END_RESET);
        assert_int_equal(tcp_recv_ready(peer.conn), 0);
        PEER_QUIET(&peer);
    }
}

/* ---- S: a peer that asks for tiny segments ---- */

/* CVE-2019-11477, 11479: MSS 48, and acknowledgements of every other one. */
static void S21__a_tiny_mss_has_a_floor_and_nothing_overflows(void **state)
{
    uint32_t end = PEER_STACK_ISS + 1 + 60000;

    (void)state;
    peer.mss = 48;
    peer.sack = true;
    peer_open_passive(&peer);
    assert_int_equal(peer_info(&peer).mss_bytes, 64);
    peer_app_send(&peer, 60000);
    for (unsigned i = 0; i < 5000 && peer.rcv != end; i++) {
        bool any = peer_take(&peer);

        if (any && i % 2 == 0) {
            uint32_t block[1][2] = {
                {peer.got.seq, peer.got.seq + peer.got.len}};

            peer_sack(&peer, peer.rcv - peer.got.len, block, 1);
        }
        if (!any)
            peer_ack(&peer, peer.rcv);
    }
    peer_ack(&peer, peer.rcv);
    assert_true(peer.rcv == end);
    assert_int_equal(tcp_send_pending(peer.conn), 0);
}

/* ---- S: duplicates that are none ---- */

/* RFC 5681 2: text, or another window, makes it no duplicate. */
static void S25__acks_with_text_or_another_window_repeat_nothing(void **state)
{
    (void)state;
    peer_open_passive(&peer);
    peer_app_send(&peer, 5000);
    assert_int_equal(peer_take_all(&peer), 5);
    for (unsigned i = 0; i < 5; i++)
        peer_text(&peer, 1, 0);
    for (unsigned i = 1; i <= 5; i++) {
        peer.window = (uint16_t)(60000 - i);
        peer_ack(&peer, PEER_STACK_ISS + 1);
    }
    while (peer_take(&peer))
        assert_int_equal(peer.got.len, 0);
    assert_int_equal(PEER_COUNT(&peer, tcp_retransmit), 0);
}

/* ---- S: time ---- */

/* A machine that was paused has sent nothing again: no reason to give up. */
static void S40__an_hours_jump_ends_nothing(void **state)
{
    (void)state;
    peer_open_passive(&peer);
    peer_app_send(&peer, 100);
    peer_take_all(&peer);
    host_now_us += HOUR;
    peer_settle(&peer);
    assert_int_equal(tcp_end_reason(peer.conn), TCP_END_NONE);
    assert_true(peer_take(&peer)); /* again */
    assert_int_equal(peer.got.len, 100);
    peer_ack(&peer, PEER_STACK_ISS + 101);
    assert_int_equal(tcp_send_pending(peer.conn), 0);
    peer_text(&peer, 7, 0);
    assert_int_equal(peer_app_recv(&peer, 10), 7);
}

static void S40__a_clock_that_stands_or_goes_back_stands(void **state)
{
    uint64_t now_us;

    (void)state;
    peer_open_passive(&peer);
    now_us = host_now_us;
    host_now_us -= 5 * SECOND;
    peer_app_send(&peer, 100);
    assert_int_equal(peer_take_all(&peer), 1);
    peer_settle(&peer);
    PEER_QUIET(&peer);
    host_now_us = now_us;
    peer_ack(&peer, PEER_STACK_ISS + 101);
    assert_int_equal(tcp_send_pending(peer.conn), 0);
}

/* TIME-WAIT, delayed ACK and retransmission across 2^32 milliseconds. */
static void S40__two_to_the_32_milliseconds_go_by(void **state)
{
    uint64_t wrap_us = (1ull << 32) * 1000;

    (void)state;
    peer_listen(&peer, 8, 8);
    host_now_us = wrap_us - SECOND / 10;
    peer_syn(&peer);
    assert_true(peer_take(&peer));
    peer_accept(&peer);
    peer_app_send(&peer, 100);
    peer_take_all(&peer);
    peer_wait(&peer, SECOND);
    assert_true(peer_take(&peer)); /* the retransmission */
    peer.rcv = peer.got.seq + 100;
    peer_take_all(&peer);
    peer_ack(&peer, peer.rcv);
    peer_text(&peer, 1, 0);
    peer_wait(&peer, SECOND);
    assert_int_equal(peer_take_all(&peer), 1); /* the delayed ACK */
    assert_int_equal(peer_app_recv(&peer, 10), 1);

    tcp_shutdown(peer.conn, host_now_us);
    peer_settle(&peer);
    assert_true(peer_take(&peer));
    peer_ack(&peer, peer.rcv);
    host_now_us = 2 * wrap_us - SECOND; /* TIME-WAIT across the next one */
    peer_send(&peer, (struct peer_seg){.seq = peer.nxt,
                                       .ack = peer.rcv,
                                       .flags = PEER_FIN | PEER_ACK});
    peer_wait(&peer, 59 * SECOND);
    assert_int_equal(peer_memory(&peer).time_waits, 1);
    peer_wait(&peer, 2 * SECOND);
    assert_int_equal(peer_memory(&peer).time_waits, 0);
}

/* ---- S: numbers and ports ---- */

static uint32_t isn_of(uint16_t port)
{
    uint32_t isn;

    peer_send(&peer,
              (struct peer_seg){.seq = 5, .flags = PEER_SYN, .src_port = port});
    assert_true(peer_take(&peer));
    isn = peer.got.seq;
    peer_send(&peer,
              (struct peer_seg){.seq = 6, .flags = PEER_RST, .src_port = port});
    return isn;
}

/* RFC 6528 3, RFC 9293 SHLD-1. */
static void S41__isns_of_one_tuple_follow_the_clock_alone(void **state)
{
    uint64_t from_us = host_now_us;
    uint32_t first;

    (void)state;
    peer_listen(&peer, 8, 8);
    first = isn_of(3000);
    for (unsigned i = 1; i < 10000; i++) {
        host_now_us += 4000 + i % 7 * 4;
        assert_int_equal(isn_of(3000) - first, (host_now_us - from_us) / 4);
    }
}

/* The upper half of what is expected of a uniform choice, by more than six
 * deviations, would be a pattern: chi-square of 256 bins has mean 255 and
 * deviation 22.6. */
static void assert_uniform(const unsigned *bins, unsigned count,
                           unsigned samples)
{
    double expected = (double)samples / count, sum = 0;

    for (unsigned i = 0; i < count; i++)
        sum += (bins[i] - expected) * (bins[i] - expected) / expected;
    assert_true(sum < count + 140);
}

static void S41__isns_of_different_tuples_have_no_pattern(void **state)
{
    static unsigned high[256], low[256], steps[256];
    uint32_t last = 0;

    (void)state;
    peer_listen(&peer, 8, 8);
    for (unsigned i = 0; i < 20000; i++) {
        uint32_t isn = isn_of((uint16_t)(3000 + i));

        high[isn >> 24]++;
        low[isn & 255]++;
        steps[(isn - last) >> 24]++;
        last = isn;
    }
    assert_uniform(high, 256, 20000);
    assert_uniform(low, 256, 20000);
    assert_uniform(steps, 256, 20000);
}

/* RFC 6056: to each destination another sequence, none used twice. */
static void S42__ports_have_no_pattern_and_none_is_used_twice(void **state)
{
    static unsigned bins[256];
    static bool used[65536];

    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        enum tcp_end why;
        struct tcp_conn *conn;
        uint16_t port;

        assert_int_equal(tcp_connect(peer.net, IPV4_ADDR(10, 0, 0, 9),
                                     (uint16_t)(1 + i), 0, host_now_us, &conn,
                                     &why),
                         TCP_OK);
        port = tcp_endpoints(conn).local_port;
        assert_true(port >= 49152);
        bins[(port - 49152) / 64]++;
        tcp_abort(conn, host_now_us);
        tcp_release(conn, host_now_us);
    }
    assert_uniform(bins, 256, 20000);
    for (unsigned i = 0; i < 2000; i++) { /* to one: each another */
        enum tcp_end why;
        struct tcp_conn *conn;
        uint16_t port;

        assert_int_equal(tcp_connect(peer.net, IPV4_ADDR(10, 0, 0, 9), 80, 0,
                                     host_now_us, &conn, &why),
                         TCP_OK);
        port = tcp_endpoints(conn).local_port;
        assert_false(used[port]);
        used[port] = true;
        tcp_abort(conn, host_now_us);
        tcp_release(conn, host_now_us);
    }
}

/* ---- S: nothing to watch ---- */

static unsigned challenges_of(uint16_t port, unsigned tries)
{
    for (unsigned i = 0; i < tries; i++)
        peer_send(&peer, (struct peer_seg){.seq = PEER_ISS + 100,
                                           .flags = PEER_SYN,
                                           .src_port = port});
    return peer_take_all(&peer);
}

static void open_from(uint16_t port)
{
    peer_send(&peer, (struct peer_seg){
                         .seq = PEER_ISS, .flags = PEER_SYN, .src_port = port});
    assert_true(peer_take(&peer));
    peer_send(&peer, (struct peer_seg){.seq = PEER_ISS + 1,
                                       .ack = peer.rcv,
                                       .flags = PEER_ACK,
                                       .src_port = port});
    peer_take_all(&peer);
}

/* CVE-2016-5696. */
static void S44__challenges_of_one_do_not_show_at_another(void **state)
{
    unsigned alone, beside;

    (void)state;
    peer_listen(&peer, 8, 8);
    open_from(3000);
    open_from(3001);
    host_now_us += SECOND - host_now_us % SECOND;
    alone = challenges_of(3000, 100);
    assert_in_range(alone, 5, 15);
    peer_end(&peer);

    peer_prepare(&peer); /* the same again, and the other one is hit first */
    peer_start(&peer);
    peer_listen(&peer, 8, 8);
    open_from(3000);
    open_from(3001);
    host_now_us += SECOND - host_now_us % SECOND;
    challenges_of(3001, 1000);
    beside = challenges_of(3000, 100);
    assert_int_equal(alone, beside);
}

/* ... and the limit itself is another in each second. */
static void S44__how_many_challenges_there_are_varies(void **state)
{
    unsigned least = 100, most = 0;

    (void)state;
    peer_listen(&peer, 8, 8);
    open_from(3000);
    for (unsigned i = 0; i < 40; i++) {
        unsigned count;

        host_now_us += SECOND;
        count = challenges_of(3000, 30);
        least = count < least ? count : least;
        most = count > most ? count : most;
    }
    assert_in_range(least, 5, 7);
    assert_in_range(most, 13, 15);
}

/* Two ends that disagree would answer each other for ever: bare ACKs outside
 * the window are answered so often only. Text is, always: it has a timer. */
static void S44__an_ack_storm_dies_out(void **state)
{
    (void)state;
    peer_open_passive(&peer);
    for (unsigned i = 0; i < 1000; i++)
        peer_send(&peer, (struct peer_seg){.seq = peer.nxt - 50000,
                                           .ack = peer.rcv,
                                           .flags = PEER_ACK});
    assert_in_range(peer_take_all(&peer), 1, 15);
    for (unsigned i = 0; i < 100; i++)
        peer_send(&peer, (struct peer_seg){.seq = peer.nxt - 50000,
                                           .ack = peer.rcv,
                                           .flags = PEER_ACK,
                                           .len = 1});
    assert_int_equal(peer_take_all(&peer), 100);
}

#define TEST(name) PEER_TEST(name, peer_started)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(S8__rst_with_text_fin_or_syn_ends_it_at_the_exact_number),
        TEST(S21__a_tiny_mss_has_a_floor_and_nothing_overflows),
        TEST(S25__acks_with_text_or_another_window_repeat_nothing),
        TEST(S40__an_hours_jump_ends_nothing),
        TEST(S40__a_clock_that_stands_or_goes_back_stands),
        TEST(S40__two_to_the_32_milliseconds_go_by),
        TEST(S41__isns_of_one_tuple_follow_the_clock_alone),
        TEST(S41__isns_of_different_tuples_have_no_pattern),
        TEST(S42__ports_have_no_pattern_and_none_is_used_twice),
        TEST(S44__challenges_of_one_do_not_show_at_another),
        TEST(S44__an_ack_storm_dies_out),
        TEST(S44__how_many_challenges_there_are_varies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
