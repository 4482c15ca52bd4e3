/*
 * tcp_info: what a connection says about itself is what has happened to it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/host.h"
#include "tests/host/tcp_scene.h"
#include "tests/host/tcp_sender.h"

static void info__says_what_was_agreed_upon(void **state)
{
    struct tcp_info info;

    (void)state;
    peer.shift = 3;
    peer.sack = true;
    peer.timestamps = true;
    peer_open_active(&peer);
    info = peer_info(&peer);
    assert_true(info.window_scaling && info.sack && info.timestamps);
    assert_false(info.passive);
    assert_int_equal(info.snd_wnd_shift, 3);
    assert_int_equal(info.rcv_mss_bytes, 1460);
    peer_end(&peer);

    peer_prepare(&peer);
    peer_start(&peer);
    peer_open_passive(&peer);
    info = peer_info(&peer);
    assert_false(info.window_scaling || info.sack || info.timestamps);
    assert_true(info.passive);
    assert_int_equal(info.mss_bytes, 1000);
}

static void info__counts_what_is_sent_and_acknowledged(void **state)
{
    struct tcp_info info;

    (void)state;
    peer_open_passive(&peer);
    assert_true(peer_info(&peer).bytes_acked == 0);
    peer_app_send(&peer, 20000);
    info = peer_info(&peer);
    assert_int_equal(info.in_flight_bytes, 10000); /* ten segments */
    assert_int_equal(info.unsent_bytes, 10000);
    assert_true(info.bytes_sent == 10000 && info.bytes_acked == 0);
    host_now_us += 1000;
    peer_ack(&peer, PEER_STACK_ISS + 1 + 4000);
    info = peer_info(&peer);
    assert_true(info.bytes_acked == 4000);
    assert_true(info.heard_us == 0 && info.sent_us == 0);
    host_now_us += 1000;
    peer_settle(&peer);
    assert_true(peer_info(&peer).heard_us == 1000);
}

/* With FIN, which is a number and no byte. */
static void info__a_fin_is_no_byte(void **state)
{
    (void)state;
    peer_open_passive(&peer);
    peer_app_send(&peer, 100);
    tcp_shutdown(peer.conn, host_now_us);
    peer_settle(&peer);
    peer_ack(&peer, PEER_STACK_ISS + 1 + 60);
    assert_true(peer_info(&peer).bytes_acked == 60);
    peer_ack(&peer, PEER_STACK_ISS + 1 + 101);
    assert_true(peer_info(&peer).bytes_acked == 100);
}

static void info__counts_what_waits_to_be_read(void **state)
{
    struct tcp_info info;

    (void)state;
    peer_open_passive(&peer);
    peer_text(&peer, 300, 0);
    for (unsigned i = 1; i <= 2; i++)
        peer_send(&peer, (struct peer_seg){.seq = peer.nxt + 100 * i,
                                           .ack = peer.rcv,
                                           .flags = PEER_ACK,
                                           .len = 50});
    info = peer_info(&peer);
    assert_int_equal(info.unread_bytes, 300);
    assert_int_equal(info.ooo_pieces, 2);
    assert_int_equal(info.ooo_bytes, 100);
}

static void info__tells_of_silence(void **state)
{
    struct tcp_info info;

    (void)state;
    peer_open_passive(&peer);
    peer_app_send(&peer, 100);
    while (PEER_COUNT(&peer, tcp_timeout) < 2)
        peer_wait(&peer, 10000);
    info = peer_info(&peer);
    assert_int_equal(info.backoff, 2);
    assert_true(info.retransmissions >= 2);
}

/* RFC 9293 MAY-9; of the latest that was acceptable. */
static void info__tells_the_dscp_of_what_came_last(void **state)
{
    (void)state;
    peer_open_passive(&peer);
    peer_send(&peer, (struct peer_seg){.seq = peer.nxt,
                                       .ack = peer.rcv,
                                       .flags = PEER_ACK,
                                       .tos = 46 << 2});
    assert_int_equal(peer_info(&peer).dscp_in, 46);
    peer_send(&peer, (struct peer_seg){.seq = peer.nxt - 99999,
                                       .ack = peer.rcv,
                                       .flags = PEER_ACK,
                                       .tos = 10 << 2});
    assert_int_equal(peer_info(&peer).dscp_in, 46);
}

static void info__of_an_opening_one_has_no_bytes(void **state)
{
    (void)state;
    peer_connect(&peer);
    assert_true(peer_info(&peer).bytes_acked == 0);
    assert_int_equal(peer_info(&peer).unsent_bytes, 0);
}

/* Another stack, whose peer is a round trip away and has SACK. */
static void begin_sending(void)
{
    peer_end(&peer);
    peer_prepare(&peer);
    sender_open(&peer, true, false);
}

/* RFC 2018, RFC 6675 4: of ten segments one is lost, and the peer has four. */
static void info__tells_what_a_loss_has_done(void **state)
{
    struct tcp_info info;

    (void)state;
    begin_sending();
    assert_string_equal(peer_info(&peer).recovery, "open");
    peer_app_send(&peer, 10000);
    host_now_us += SENDER_RTT;
    sender_sack(&peer, 0, 1000, 5000);
    info = peer_info(&peer);
    assert_string_equal(info.recovery, "recovery");
    assert_int_equal(info.in_flight_bytes, 10000);
    assert_int_equal(info.sacked_bytes, 4000);
    assert_int_equal(info.lost_bytes, 0); /* it has gone again */
    assert_int_equal(info.pipe_bytes, 6000);
    assert_true(info.bytes_acked == 0 && info.delivered_bytes == 4000);
    assert_false(info.reordered);

    peer_wait(&peer, info.rto_us);
    info = peer_info(&peer);
    assert_string_equal(info.recovery, "loss");
    assert_int_equal(info.lost_bytes, 5000); /* all but the first */
    assert_int_equal(info.pipe_bytes, 1000);
    sender_ack(&peer, 10000);
    info = peer_info(&peer);
    assert_true(info.delivered_bytes == 10000 && info.sacked_bytes == 0);
    assert_string_equal(info.recovery, "open");
}

/* RFC 8985 6.2: one that had not gone again arrives behind a later one; from
 * then on a quarter of the round trip is waited for. */
static void info__tells_of_reordering(void **state)
{
    (void)state;
    begin_sending();
    peer_app_send(&peer, 10000);
    host_now_us += SENDER_RTT;
    sender_sack(&peer, 0, 2000, 3000);
    assert_false(peer_info(&peer).reordered);
    sender_sack(&peer, 0, 1000, 3000);
    assert_true(peer_info(&peer).reordered);
    assert_int_equal(peer_info(&peer).reorder_window_us, SENDER_RTT / 4);
}

#define TEST(name) PEER_TEST(name, peer_started)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(info__says_what_was_agreed_upon),
        TEST(info__counts_what_is_sent_and_acknowledged),
        TEST(info__a_fin_is_no_byte),
        TEST(info__counts_what_waits_to_be_read),
        TEST(info__tells_of_silence),
        TEST(info__tells_the_dscp_of_what_came_last),
        TEST(info__tells_what_a_loss_has_done),
        TEST(info__tells_of_reordering),
        TEST(info__of_an_opening_one_has_no_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
