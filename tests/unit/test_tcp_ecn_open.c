/*
 * Explicit congestion notification: whether both sides know it. RFC 3168
 * 6.1.1. What they do then is in test_tcp_ecn.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/host/host.h"
#include "tests/host/tcp_scene.h"

#define MS     1000ull
#define SECOND 1000000ull

enum { NOT_ECT = 0, CE = 3 };

static int setup_on(void **state)
{
    (void)state;
    peer_prepare(&peer);
    peer.config.tcp.ecn = TCP_ECN_ON;
    peer_start(&peer);
    return 0;
}

static int setup_off(void **state)
{
    (void)state;
    peer_prepare(&peer);
    peer.config.tcp.ecn = TCP_ECN_OFF;
    peer_start(&peer);
    return 0;
}

/* ---- steps ---- */

/* A SYN with these flags and bits; what answers it. */
static void syn(uint8_t flags, uint8_t tos)
{
    peer_syn_with(&peer, flags, tos);
    assert_true(peer_take(&peer));
}

static void accept_it(void)
{
    peer_accept(&peer);
    PEER_QUIET(&peer);
}

/* Our SYN is answered with these flags besides. */
static void syn_ack(uint8_t flags)
{
    peer_send(&peer, (struct peer_seg){.seq = PEER_ISS,
                                       .ack = peer.rcv,
                                       .flags = PEER_SYN | PEER_ACK | flags});
    peer.nxt = PEER_ISS + 1;
    assert_true(peer_take(&peer));
}

/* ---- tests ---- */

static void passive__a_syn_that_does_not_ask_is_not_answered(void **state)
{
    static const uint8_t flags[] = {0, PEER_ECE, PEER_CWR};

    (void)state;
    peer_listen(&peer, 8, 8);
    for (unsigned i = 0; i < ARRAY_LEN(flags); i++) {
        syn(flags[i], NOT_ECT);
        assert_int_equal(peer.got.flags, PEER_SYN | PEER_ACK);
        peer_send(&peer, (struct peer_seg){.seq = peer.nxt,
                                           .ack = peer.rcv,
                                           .flags = PEER_RST});
        peer_wait(&peer, 100 * MS);
    }
}

static void passive__a_syn_that_asks_is_answered(void **state)
{
    (void)state;
    peer_listen(&peer, 8, 8);
    syn(PEER_ECE | PEER_CWR, NOT_ECT);
    assert_int_equal(peer.got.flags, PEER_SYN | PEER_ACK | PEER_ECE);
    assert_int_equal(peer.got.tos, NOT_ECT);
    accept_it();
    assert_true(peer_info(&peer).ecn);
}

/* A path that marks even a SYN tells nothing by its marks. */
static void passive__a_marked_syn_is_not_believed(void **state)
{
    (void)state;
    peer_listen(&peer, 8, 8);
    syn(PEER_ECE | PEER_CWR, CE);
    assert_int_equal(peer.got.flags, PEER_SYN | PEER_ACK);
}

/* "... MUST NOT set ECT" after one SYN without. */
static void passive__a_second_syn_without_rules_it_out(void **state)
{
    (void)state;
    peer_listen(&peer, 8, 8);
    syn(PEER_ECE | PEER_CWR, NOT_ECT);
    peer_syn(&peer);
    peer_take_all(&peer);
    accept_it();
    assert_false(peer_info(&peer).ecn);
}

static void passive__a_second_syn_that_asks_leaves_it(void **state)
{
    (void)state;
    peer_listen(&peer, 8, 8);
    syn(PEER_ECE | PEER_CWR, NOT_ECT);
    syn(PEER_ECE | PEER_CWR, NOT_ECT);
    peer_take_all(&peer);
    accept_it();
    assert_true(peer_info(&peer).ecn);
}

static void active__by_default_it_does_not_ask(void **state)
{
    (void)state;
    peer_connect(&peer);
    assert_int_equal(peer.got.flags, PEER_SYN);
    syn_ack(PEER_ECE); /* an answer to no question */
    assert_false(peer_info(&peer).ecn);
}

static void ask(void)
{
    peer_connect(&peer);
    assert_int_equal(peer.got.flags, PEER_SYN | PEER_ECE | PEER_CWR);
    assert_int_equal(peer.got.tos, NOT_ECT);
}

static void active__asks_when_it_is_on(void **state)
{
    (void)state;
    ask();
    syn_ack(PEER_ECE);
    assert_int_equal(peer.got.flags, PEER_ACK);
    assert_int_equal(peer.got.tos, NOT_ECT);
    assert_true(peer_info(&peer).ecn);
}

static void active__an_answer_that_reflects_all_flags_is_none(void **state)
{
    (void)state;
    ask();
    syn_ack(PEER_ECE | PEER_CWR);
    assert_false(peer_info(&peer).ecn);
}

/* 6.1.1.1: the network may have dropped it for its flags. */
static void active__a_lost_syn_comes_again_without(void **state)
{
    (void)state;
    ask();
    peer_wait(&peer, 1 * SECOND);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.flags, PEER_SYN);
    syn_ack(PEER_ECE); /* to the first, perhaps; one without was sent */
    assert_false(peer_info(&peer).ecn);
}

static void off__nothing_is_ever_said(void **state)
{
    (void)state;
    peer_listen(&peer, 8, 8);
    syn(PEER_ECE | PEER_CWR, NOT_ECT);
    assert_int_equal(peer.got.flags, PEER_SYN | PEER_ACK);
    accept_it();
    peer_send(&peer, (struct peer_seg){.seq = peer.nxt,
                                       .ack = peer.rcv,
                                       .flags = PEER_ACK,
                                       .tos = CE,
                                       .len = 1000});
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.flags, PEER_ACK);
    peer_app_send(&peer, 1000);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.tos, NOT_ECT);
}

#define TEST(name)    PEER_TEST(name, peer_started)
#define TEST_ON(name) PEER_TEST(name, setup_on)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(passive__a_syn_that_does_not_ask_is_not_answered),
        TEST(passive__a_syn_that_asks_is_answered),
        TEST(passive__a_marked_syn_is_not_believed),
        TEST(passive__a_second_syn_without_rules_it_out),
        TEST(passive__a_second_syn_that_asks_leaves_it),
        TEST(active__by_default_it_does_not_ask),
        TEST_ON(active__asks_when_it_is_on),
        TEST_ON(active__an_answer_that_reflects_all_flags_is_none),
        TEST_ON(active__a_lost_syn_comes_again_without),
        PEER_TEST(off__nothing_is_ever_said, setup_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
