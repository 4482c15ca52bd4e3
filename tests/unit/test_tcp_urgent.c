/*
 * Urgent data, both ways: RFC 9293 3.8.5 (MUST-30 to 33, 62, 66), RFC 6093;
 * row T32 of the bad inputs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/host.h"
#include "tests/host/tcp_scene.h"

/* ---- in ---- */

static void urgent_text(uint32_t len, uint16_t pointer)
{
    peer_send(&peer, (struct peer_seg){.seq = peer.nxt,
                                       .ack = peer.rcv,
                                       .flags = PEER_ACK | PEER_URG,
                                       .urgent = pointer,
                                       .len = len});
    peer.nxt += len;
}

/* MUST-32, MUST-33, MUST-62: the pointer is the octet behind. */
static void urgent__is_told_and_its_amount_can_be_learnt(void **state)
{
    (void)state;
    peer_open_passive(&peer);
    peer_text(&peer, 10, 0);
    peer.changes = 0;
    urgent_text(5, 3);
    assert_true(peer.changes & TCP_CHANGE_URGENT);
    assert_int_equal(tcp_urgent_bytes(peer.conn), 13);
    assert_int_equal(peer_app_recv(&peer, 11), 11); /* in the stream */
    assert_int_equal(tcp_urgent_bytes(peer.conn), 2);
    assert_int_equal(peer_app_recv(&peer, 3), 3);
    assert_int_equal(tcp_urgent_bytes(peer.conn), 0);
    assert_int_equal(peer_app_recv(&peer, 9), 1);
}

/* RFC 9293 3.10.7.4: told once for each advance of the pointer. */
static void urgent__the_same_pointer_again_is_no_news(void **state)
{
    (void)state;
    peer_open_passive(&peer);
    urgent_text(5, 8);
    peer.changes = 0;
    urgent_text(1, 3); /* the same end */
    assert_false(peer.changes & TCP_CHANGE_URGENT);
    urgent_text(1, 3); /* one more */
    assert_true(peer.changes & TCP_CHANGE_URGENT);
    assert_int_equal(tcp_urgent_bytes(peer.conn), 9);
}

static void T32__a_pointer_beyond_the_segment_waits_for_its_bytes(void **state)
{
    (void)state;
    peer_open_passive(&peer);
    urgent_text(4, 65535);
    assert_int_equal(tcp_urgent_bytes(peer.conn), 65535);
    assert_int_equal(tcp_recv_ready(peer.conn), 4);
    assert_int_equal(peer_app_recv(&peer, 100), 4);
    assert_int_equal(tcp_urgent_bytes(peer.conn), 65531);
    peer_text(&peer, 4, 0);
    assert_int_equal(peer_app_recv(&peer, 100), 4);
}

/* CVE-2019-12255. */
static void T32__a_pointer_of_zero_is_no_urgent_data(void **state)
{
    (void)state;
    peer_open_passive(&peer);
    peer.changes = 0;
    urgent_text(4, 0);
    assert_int_equal(tcp_urgent_bytes(peer.conn), 0);
    assert_false(peer.changes & TCP_CHANGE_URGENT);
    assert_int_equal(PEER_COUNT(&peer, tcp_urgent_stale), 1);
    assert_int_equal(peer_app_recv(&peer, 100), 4);
}

/* MUST-66. */
static void T32__urg_counts_while_our_window_is_closed(void **state)
{
    (void)state;
    peer_end(&peer);
    peer_prepare(&peer);
    peer.config.tcp.rcv_buf_bytes = 1000;
    peer_start(&peer);
    peer_open_passive(&peer);
    peer_text(&peer, 1000, 0);
    peer.changes = 0;
    peer_send(&peer, (struct peer_seg){.seq = peer.nxt,
                                       .ack = peer.rcv,
                                       .flags = PEER_ACK | PEER_URG,
                                       .urgent = 7});
    assert_true(peer.changes & TCP_CHANGE_URGENT);
    assert_int_equal(tcp_urgent_bytes(peer.conn), 1007);
    assert_int_equal(tcp_recv_ready(peer.conn), 1000);
}

static void T32__urg_on_a_syn_means_nothing(void **state)
{
    (void)state;
    peer_listen(&peer, 8, 8);
    peer_send(&peer, (struct peer_seg){.seq = PEER_ISS,
                                       .flags = PEER_SYN | PEER_URG,
                                       .urgent = 99});
    assert_true(peer_take(&peer));
    peer.nxt = PEER_ISS + 1;
    peer_accept(&peer);
    assert_int_equal(tcp_urgent_bytes(peer.conn), 0);
}

/* CVE-2019-12261, 12263: nothing of it stays from before. */
static void T32__urg_in_syn_sent_is_dropped(void **state)
{
    (void)state;
    peer_connect(&peer);
    peer_send(&peer, (struct peer_seg){.seq = PEER_ISS,
                                       .ack = peer.rcv,
                                       .flags = PEER_ACK | PEER_URG,
                                       .urgent = 99});
    assert_true(peer_state_is(&peer, "SYN-SENT"));
    assert_int_equal(tcp_urgent_bytes(peer.conn), 0);
    peer_send(&peer, (struct peer_seg){.seq = PEER_ISS,
                                       .ack = peer.rcv,
                                       .flags = PEER_ACK | PEER_SYN});
    assert_true(peer_state_is(&peer, "ESTABLISHED"));
    assert_int_equal(tcp_urgent_bytes(peer.conn), 0);
}

/* RFC 9293 3.10.7.3: "continue processing at the sixth step". */
static void urgent__on_a_syn_ack_counts_from_its_number(void **state)
{
    (void)state;
    peer_connect(&peer);
    peer_send(&peer, (struct peer_seg){.seq = PEER_ISS,
                                       .ack = peer.rcv,
                                       .flags = PEER_ACK | PEER_SYN | PEER_URG,
                                       .urgent = 5});
    assert_int_equal(tcp_urgent_bytes(peer.conn), 4); /* SYN is a number */
}

/* 3.10.7.4, sixth: "this should not occur since a FIN has been received". */
static void urgent__behind_fin_means_nothing(void **state)
{
    (void)state;
    peer_open_passive(&peer);
    peer_text(&peer, 0, PEER_FIN);
    peer.nxt++;
    peer.changes = 0;
    urgent_text(0, 9);
    assert_int_equal(tcp_urgent_bytes(peer.conn), 0);
    assert_false(peer.changes & TCP_CHANGE_URGENT);
}

/* ---- out ---- */

static void send_urgent(uint32_t len)
{
    static uint8_t text[1 << 18];
    struct buffer *chain = hostnet_chain(net_pool(peer.net), text, len);

    assert_int_equal(tcp_send_urgent(peer.conn, chain, host_now_us), TCP_OK);
    peer_settle(&peer);
}

/* MUST-62. */
static void send_urgent__points_behind_the_last_byte(void **state)
{
    (void)state;
    peer_open_passive(&peer);
    send_urgent(3);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.len, 3);
    assert_true(peer.got.flags & PEER_URG);
    assert_int_equal(peer.got.urgent, 3);
}

static void send_urgent__what_follows_is_not(void **state)
{
    (void)state;
    peer_open_passive(&peer);
    send_urgent(3);
    peer_take_all(&peer);
    peer_ack(&peer, PEER_STACK_ISS + 4);
    peer_app_send(&peer, 5);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.len, 5);
    assert_false(peer.got.flags & PEER_URG);
    assert_int_equal(peer.got.urgent, 0);
}

/* MUST-31: any length; the pointer moves ahead with the segments. */
static void send_urgent__of_more_than_the_field_can_say(void **state)
{
    uint32_t end = PEER_STACK_ISS + 1 + 100000, seen = PEER_STACK_ISS + 1;

    (void)state;
    peer_open_passive(&peer);
    send_urgent(100000);
    while (seen != end) {
        while (peer_take(&peer)) {
            uint32_t ahead = end - peer.got.seq;

            assert_true(peer.got.flags & PEER_URG);
            assert_int_equal(peer.got.urgent, ahead < 65535 ? ahead : 65535);
        }
        seen = peer.rcv;
        peer_ack(&peer, seen);
    }
    PEER_QUIET(&peer);
}

static void send_urgent__is_told_while_the_window_is_closed(void **state)
{
    (void)state;
    peer_open_passive(&peer);
    peer_app_send(&peer, 1);
    peer_take_all(&peer);
    peer.window = 0;
    peer_input(&peer, (struct peer_seg){.seq = peer.nxt,
                                        .ack = PEER_STACK_ISS + 2,
                                        .flags = PEER_ACK});
    send_urgent(4);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.len, 0);
    assert_true(peer.got.flags & PEER_URG);
    assert_int_equal(peer.got.urgent, 4);
}

/* ... and does not wait for Nagle's algorithm. */
static void send_urgent__goes_although_small_ones_are_in_flight(void **state)
{
    (void)state;
    peer_open_passive(&peer);
    peer_app_send(&peer, 1);
    assert_true(peer_take(&peer));
    send_urgent(2);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.len, 2);
    assert_int_equal(peer.got.urgent, 2);
}

static void send_urgent__a_retransmission_says_it_again(void **state)
{
    (void)state;
    peer_open_passive(&peer);
    send_urgent(3);
    peer_take_all(&peer);
    while (PEER_COUNT(&peer, tcp_retransmit) == 0)
        peer_wait(&peer, 10000);
    while (peer_take(&peer))
        ;
    assert_int_equal(peer.got.seq, PEER_STACK_ISS + 1);
    assert_int_equal(peer.got.urgent, 3);
}

#define TEST(name) PEER_TEST(name, peer_started)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(urgent__is_told_and_its_amount_can_be_learnt),
        TEST(urgent__the_same_pointer_again_is_no_news),
        TEST(T32__a_pointer_beyond_the_segment_waits_for_its_bytes),
        TEST(T32__a_pointer_of_zero_is_no_urgent_data),
        TEST(T32__urg_counts_while_our_window_is_closed),
        TEST(T32__urg_on_a_syn_means_nothing),
        TEST(T32__urg_in_syn_sent_is_dropped),
        TEST(urgent__on_a_syn_ack_counts_from_its_number),
        TEST(urgent__behind_fin_means_nothing),
        TEST(send_urgent__points_behind_the_last_byte),
        TEST(send_urgent__what_follows_is_not),
        TEST(send_urgent__of_more_than_the_field_can_say),
        TEST(send_urgent__is_told_while_the_window_is_closed),
        TEST(send_urgent__goes_although_small_ones_are_in_flight),
        TEST(send_urgent__a_retransmission_says_it_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
