/*
 * Explicit congestion notification, both sides: RFC 3168 6.1.2 to 6.1.6.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/tcp_cc.h"
#include "net/tcp_conn.h"
#include "tests/host/host.h"
#include "tests/host/pair_tcp.h"
#include "tests/host/tcp_scene.h"

#define SECOND 1000000ull
#define ISS    PEER_STACK_ISS

enum { NOT_ECT = 0, ECT_1 = 1, ECT_0 = 2, CE = 3 };

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

static void open_with_ecn(void)
{
    peer_listen(&peer, 8, 8);
    syn(PEER_ECE | PEER_CWR, NOT_ECT);
    assert_int_equal(peer.got.flags, PEER_SYN | PEER_ACK | PEER_ECE);
    assert_int_equal(peer.got.tos, NOT_ECT); /* 6.1.1 */
    accept_it();
    assert_true(peer_info(&peer).ecn);
}

/* An ACK of stream offset `at` with these flags besides. */
static void ack(uint32_t at, uint8_t flags)
{
    peer_send(&peer, (struct peer_seg){.seq = peer.nxt,
                                       .ack = ISS + 1 + at,
                                       .flags = PEER_ACK | flags});
}

/* Text from the peer, 1000 bytes, and the ACK that follows. */
static void text(uint8_t flags, uint8_t tos)
{
    peer_send(&peer, (struct peer_seg){.seq = peer.nxt,
                                       .ack = peer.rcv,
                                       .flags = PEER_ACK | flags,
                                       .tos = tos,
                                       .len = 1000});
    peer.nxt += 1000;
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.len, 0);
    assert_int_equal(peer.got.ack, peer.nxt);
}

/* ---- the receiver: 6.1.3 ---- */

static void receiver__echoes_a_mark_until_cwr(void **state)
{
    (void)state;
    open_with_ecn();
    text(0, ECT_0);
    assert_int_equal(peer.got.flags, PEER_ACK);
    text(0, CE);
    assert_int_equal(peer.got.flags, PEER_ACK | PEER_ECE);
    assert_int_equal(peer.got.tos, NOT_ECT); /* 6.1.4: a pure ACK */
    text(0, ECT_1);
    assert_int_equal(peer.got.flags, PEER_ACK | PEER_ECE);
    text(PEER_CWR, ECT_0);
    assert_int_equal(peer.got.flags, PEER_ACK);
    assert_int_equal(PEER_COUNT(&peer, tcp_ecn_marked), 1);
}

/* "In all the ACK packets it sends": in that of the FIN that leads to TIME-WAIT
 * too. */
static void receiver__echoes_a_mark_in_its_last_ack(void **state)
{
    (void)state;
    open_with_ecn();
    text(0, CE);
    assert_int_equal(peer_app_recv(&peer, 2000), 1000);
    peer_app_release(&peer);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.flags, PEER_ACK | PEER_FIN | PEER_ECE);
    peer_fin(&peer, peer.rcv);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.flags, PEER_ACK | PEER_ECE);
    assert_int_equal(peer_memory(&peer).time_waits, 1);
}

static void receiver__a_mark_beside_cwr_is_a_new_one(void **state)
{
    (void)state;
    open_with_ecn();
    text(0, CE);
    text(PEER_CWR, CE);
    assert_int_equal(peer.got.flags, PEER_ACK | PEER_ECE);
}

static void receiver__a_mark_on_what_is_not_acceptable_is_none(void **state)
{
    (void)state;
    open_with_ecn();
    peer_send(&peer, (struct peer_seg){.seq = peer.nxt - 5000,
                                       .ack = peer.rcv,
                                       .flags = PEER_ACK,
                                       .tos = CE,
                                       .len = 1000});
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.flags, PEER_ACK);
}

/* ---- the sender: 6.1.2 ---- */

static void sender__marks_new_text_as_capable(void **state)
{
    (void)state;
    open_with_ecn();
    peer_app_send(&peer, 2500);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(peer_take(&peer));
        assert_int_equal(peer.got.tos, ECT_0);
        assert_false(peer.got.flags & (PEER_ECE | PEER_CWR));
    }
}

/* 6.1.5: a retransmission may be an attacker's means, and tells nothing. */
static void sender__does_not_mark_what_it_sends_again(void **state)
{
    (void)state;
    open_with_ecn();
    peer_app_send(&peer, 1000);
    peer_take_all(&peer);
    peer_wait(&peer, 1 * SECOND);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.len, 1000);
    assert_int_equal(peer.got.tos, NOT_ECT);
}

/* 6.1.6 */
static void sender__does_not_mark_a_window_probe(void **state)
{
    uint8_t packet[64];

    (void)state;
    open_with_ecn();
    peer.window = 0;
    peer_send_raw(&peer, packet,
                  peer_build(&peer,
                             (struct peer_seg){.seq = peer.nxt,
                                               .ack = peer.rcv,
                                               .flags = PEER_ACK},
                             packet));
    peer_app_send(&peer, 5000);
    PEER_QUIET(&peer);
    peer_wait(&peer, 3 * SECOND);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.len, 1);
    assert_int_equal(peer.got.tos, NOT_ECT);
}

static void sender__reduces_once_for_a_window_of_data(void **state)
{
    struct tcp_info info;

    (void)state;
    open_with_ecn();
    peer_app_send(&peer, 200000);
    assert_int_equal(peer_take_all(&peer), 10);
    ack(1000, PEER_ECE);
    info = peer_info(&peer);
    assert_int_equal(info.ssthresh_bytes, 7000);
    assert_in_range(info.cwnd_bytes, 7000, 7500);
    assert_int_equal(PEER_COUNT(&peer, tcp_retransmit), 0);
    PEER_QUIET(&peer); /* 9 in flight, and 7 may be */
    for (unsigned i = 2; i <= 10; i++)
        ack(i * 1000, PEER_ECE);
    assert_int_equal(peer_info(&peer).ssthresh_bytes, 7000);
    assert_int_equal(PEER_COUNT(&peer, tcp_ecn_reduced), 1);
}

/* "... CWR in the first new data packet after the window reduction." */
static void sender__says_so_with_cwr_once(void **state)
{
    uint32_t cwr;

    (void)state;
    open_with_ecn();
    peer_app_send(&peer, 200000);
    peer_take_all(&peer);
    ack(5000, PEER_ECE);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.flags, PEER_ACK | PEER_CWR);
    assert_int_equal(peer.got.tos, ECT_0);
    cwr = peer.got.seq - ISS - 1;
    assert_int_equal(cwr, 10000);
    while (peer_take(&peer))
        assert_false(peer.got.flags & PEER_CWR);
    /* Up to it the echo is the old one; beyond it, a new one. */
    ack(cwr, PEER_ECE);
    assert_int_equal(PEER_COUNT(&peer, tcp_ecn_reduced), 1);
    ack(cwr + 1000, PEER_ECE);
    assert_int_equal(PEER_COUNT(&peer, tcp_ecn_reduced), 2);
}

/* A loss in a window that was reduced already, and the reverse. */
static void sender__a_loss_and_a_mark_of_one_window_count_once(void **state)
{
    (void)state;
    open_with_ecn();
    peer_app_send(&peer, 200000);
    peer_take_all(&peer);
    ack(1000, PEER_ECE);
    tcp_cc_lost(peer.conn);
    assert_int_equal(peer_info(&peer).ssthresh_bytes, 7000);
}

static void sender__a_loss_is_told_with_cwr_too(void **state)
{
    (void)state;
    open_with_ecn();
    peer_app_send(&peer, 10000);
    peer_take_all(&peer);
    tcp_cc_lost(peer.conn);
    ack(1000, PEER_ECE);
    assert_int_equal(PEER_COUNT(&peer, tcp_ecn_reduced), 0);
    ack(10000, 0);
    peer_app_send(&peer, 1000);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.flags & PEER_CWR, PEER_CWR);
}

/* The acknowledgement of CWR ends the window, with nothing else to say. */
static void sender__a_loss_in_the_next_window_counts(void **state)
{
    (void)state;
    open_with_ecn();
    peer_app_send(&peer, 200000);
    peer_take_all(&peer);
    ack(10000, PEER_ECE);
    peer_take_all(&peer);
    ack(17000, 0);
    tcp_cc_lost(peer.conn);
    assert_true(peer_info(&peer).ssthresh_bytes < 7000);
}

/* A loss in a window that was marked may turn out to have been none; the mark
 * stays. */
static void sender__a_mark_is_never_undone(void **state)
{
    (void)state;
    open_with_ecn();
    peer_app_send(&peer, 10000);
    peer_take_all(&peer);
    ack(1000, PEER_ECE);
    tcp_cc_lost(peer.conn);
    tcp_cc_undo(peer.conn);
    assert_int_equal(peer_info(&peer).ssthresh_bytes, 7000);
    assert_true(peer_info(&peer).cwnd_bytes < 8000);
}

/* All that was in flight is acknowledged at once: what was counts. */
static void S28__an_echo_for_everything_keeps_seven_tenths(void **state)
{
    (void)state;
    open_with_ecn();
    peer_app_send(&peer, 10000);
    peer_take_all(&peer);
    ack(10000, PEER_ECE);
    assert_int_equal(peer_info(&peer).ssthresh_bytes, 7000);
    assert_in_range(peer_info(&peer).cwnd_bytes, 7000, 7999);
}

static void sender__an_echo_on_an_old_or_impossible_ack_is_ignored(void **state)
{
    (void)state;
    open_with_ecn();
    peer_app_send(&peer, 10000);
    peer_take_all(&peer);
    ack(5000, 0);
    ack(1000, PEER_ECE);
    ack(20000, PEER_ECE);
    assert_int_equal(PEER_COUNT(&peer, tcp_ecn_reduced), 0);
}

/* Without negotiation the flags mean nothing. */
static void sender__an_echo_that_was_not_agreed_on_is_ignored(void **state)
{
    (void)state;
    peer_open_passive(&peer);
    peer_app_send(&peer, 10000);
    peer_take_all(&peer);
    ack(1000, PEER_ECE);
    assert_true(peer_info(&peer).cwnd_bytes >= 10000);
    assert_int_equal(PEER_COUNT(&peer, tcp_ecn_reduced), 0);
}

/* A path that marks everything slows us down, and does not stop us. */
static void S28__a_path_that_marks_everything_still_delivers(void **state)
{
    uint32_t at = 0;

    (void)state;
    open_with_ecn();
    peer_app_send(&peer, 100000);
    for (unsigned i = 0; i < 1000 && at < 100000; i++) {
        while (peer_take(&peer))
            ;
        assert_true(peer.rcv - ISS - 1 > at);
        at = peer.rcv - ISS - 1;
        ack(at, PEER_ECE);
    }
    assert_int_equal(at, 100000);
}

/* ---- segmentation by the device ---- */

struct cwr_frames {
    unsigned frames;
    uint32_t bytes;
    uint8_t flags; /* enum buffer_flag */
};

static bool watch(void *context, const struct wire_frame *frame)
{
    struct cwr_frames *seen = context;

    if (frame->to == 1 && frame->len > 54 && frame->bytes[47] & PEER_CWR &&
        !(frame->bytes[47] & PEER_SYN)) {
        seen->frames++;
        seen->bytes = frame->len;
        seen->flags = frame->flags;
    }
    return true;
}

/* After a reduction, with a card that cuts segments. */
static struct cwr_frames send_after_reduction(unsigned caps)
{
    static uint8_t text[10000];
    struct net_config config[2] = {net_config_default(), net_config_default()};
    struct cwr_frames seen = {0};
    struct pair pair;
    struct tcp_conn *made, *server;

    host_now_us = 1 * SECOND;
    host_seed(3);
    config[0].tcp.ecn = TCP_ECN_ON;
    pair_init(&pair, config);
    pair.dev[0].dev.caps = (uint16_t)caps;
    pair.dev[1].dev.caps = NETDEV_CAP_RX_CSUM | NETDEV_CAP_RX_GSO_TCP4;
    pair.wire.observe = watch;
    pair.wire.observe_context = &seen;
    made = pair_connect(&pair, 0, pair_listen(&pair), &server);
    tcp_cc_lost(made);
    assert_int_equal(
        tcp_send(made, hostnet_chain(net_pool(pair.net[0]), text, sizeof(text)),
                 host_now_us),
        TCP_OK);
    pair_run_until(&pair, host_now_us + 1 * SECOND);
    assert_int_equal(tcp_send_pending(made), 0);
    pair_destroy(&pair);
    return seen;
}

static void gso__cwr_is_on_the_first_segment_alone(void **state)
{
    unsigned caps = NETDEV_CAP_TX_CSUM | NETDEV_CAP_TX_GSO_TCP4;
    struct cwr_frames seen = send_after_reduction(caps);

    (void)state;
    assert_int_equal(seen.frames, 1); /* and the card had none to cut */
    assert_true(seen.bytes <= 1514);
    seen = send_after_reduction(caps | NETDEV_CAP_TX_GSO_ECN);
    assert_int_equal(seen.frames, 1);
    assert_true(seen.bytes > 1514);
    assert_true(seen.flags & BUFFER_GSO_ECN);
}

#define TEST(name) PEER_TEST(name, peer_started)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(receiver__echoes_a_mark_until_cwr),
        TEST(receiver__echoes_a_mark_in_its_last_ack),
        TEST(receiver__a_mark_beside_cwr_is_a_new_one),
        TEST(receiver__a_mark_on_what_is_not_acceptable_is_none),
        TEST(sender__marks_new_text_as_capable),
        TEST(sender__does_not_mark_what_it_sends_again),
        TEST(sender__does_not_mark_a_window_probe),
        TEST(sender__reduces_once_for_a_window_of_data),
        TEST(sender__says_so_with_cwr_once),
        TEST(sender__a_loss_and_a_mark_of_one_window_count_once),
        TEST(sender__a_loss_is_told_with_cwr_too),
        TEST(sender__a_loss_in_the_next_window_counts),
        TEST(sender__a_mark_is_never_undone),
        TEST(S28__an_echo_for_everything_keeps_seven_tenths),
        TEST(sender__an_echo_on_an_old_or_impossible_ack_is_ignored),
        TEST(sender__an_echo_that_was_not_agreed_on_is_ignored),
        cmocka_unit_test(gso__cwr_is_on_the_first_segment_alone),
        TEST(S28__a_path_that_marks_everything_still_delivers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
