/*
 * Headers and options that no honest peer sends, at a stack: rows T of the bad
 * inputs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/tcp_scene.h"

/* The IP packet of a SYN, for tests that spoil it. */
static uint32_t build_syn(uint8_t *packet)
{
    return peer_build(
        &peer, (struct peer_seg){.seq = PEER_ISS, .flags = PEER_SYN}, packet);
}

static void resum(uint8_t *packet, uint32_t len)
{
    uint32_t sum = 6 + (len - 20);

    packet[36] = packet[37] = 0;
    for (uint32_t i = 12; i < len; i += 2)
        sum += (uint32_t)packet[i] << 8 | packet[i + 1];
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    packet[36] = (uint8_t)(~sum >> 8);
    packet[37] = (uint8_t)~sum;
}

static void T2__bad_offset_is_counted_and_unanswered(void **state)
{
    uint8_t packet[64];
    uint32_t len;

    (void)state;
    peer_listen(&peer, 8, 8);
    len = build_syn(packet);
    packet[32] = 4 << 4;
    resum(packet, len);
    peer_send_raw(&peer, packet, len);
    packet[32] = 15 << 4;
    resum(packet, len);
    peer_send_raw(&peer, packet, len);

    assert_int_equal(PEER_COUNT(&peer, tcp_header_len), 2);
    PEER_QUIET(&peer);
}

static void T4__bad_checksum_is_counted_and_unanswered(void **state)
{
    uint8_t packet[64];
    uint32_t len;

    (void)state;
    peer_listen(&peer, 8, 8);
    len = build_syn(packet);
    packet[37] ^= 1;
    peer_send_raw(&peer, packet, len);

    assert_int_equal(PEER_COUNT(&peer, tcp_checksum), 1);
    PEER_QUIET(&peer);
}

static void T5__port_0_is_counted_and_unanswered(void **state)
{
    uint8_t packet[64];
    uint32_t len;

    (void)state;
    for (unsigned at = 20; at <= 22; at += 2) {
        len = build_syn(packet);
        packet[at] = packet[at + 1] = 0;
        resum(packet, len);
        peer_send_raw(&peer, packet, len);
    }
    assert_int_equal(PEER_COUNT(&peer, tcp_port), 2);
    PEER_QUIET(&peer);
}

static void T6__land_is_unanswered(void **state)
{
    (void)state;
    peer_listen(&peer, 8, 8);
    peer_send(&peer, (struct peer_seg){.seq = 5,
                                       .flags = PEER_SYN,
                                       .src = 0x0a000001,
                                       .src_port = PEER_OUR_PORT});
    PEER_QUIET(&peer);
}

static void T7_T8_T9_T10__odd_flags_open_nothing(void **state)
{
    static const uint8_t odd[] = {0,
                                  63,
                                  PEER_SYN | PEER_FIN,
                                  PEER_SYN | PEER_RST,
                                  PEER_FIN,
                                  PEER_FIN | PEER_PSH | PEER_URG,
                                  PEER_PSH,
                                  PEER_URG};

    (void)state;
    peer_listen(&peer, 8, 8);
    for (size_t i = 0; i < sizeof(odd); i++) {
        peer_send(&peer, (struct peer_seg){.seq = 9, .flags = odd[i]});
        PEER_QUIET(&peer);
        assert_int_equal(peer_memory(&peer).conns, 0);
    }
}

static void T11__fin_without_ack_is_ignored(void **state)
{
    (void)state;
    peer_open_passive(&peer);
    peer_send(&peer, (struct peer_seg){.seq = peer.nxt, .flags = PEER_FIN});

    assert_true(peer_state_is(&peer, "ESTABLISHED"));
    assert_int_equal(PEER_COUNT(&peer, tcp_no_ack), 1);
    PEER_QUIET(&peer);
}

static void T12__text_with_a_syn_is_neither_kept_nor_acknowledged(void **state)
{
    (void)state;
    peer_listen(&peer, 8, 8);
    peer_send(&peer, (struct peer_seg){
                         .seq = PEER_ISS, .flags = PEER_SYN, .len = 100});
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.ack, PEER_ISS + 1);
    peer.nxt = PEER_ISS + 1;
    peer_accept(&peer);

    assert_int_equal(tcp_recv_ready(peer.conn), 0);
}

static void T13__reserved_bits_are_ignored(void **state)
{
    (void)state;
    peer_listen(&peer, 8, 8);
    peer_send(&peer, (struct peer_seg){
                         .seq = PEER_ISS, .flags = PEER_SYN, .reserved = 15});
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.flags, PEER_SYN | PEER_ACK);
    assert_int_equal(peer.got.reserved, 0);
}

static void T15__malformed_options_do_not_end_a_connection(void **state)
{
    static const uint8_t bad[][4] = {
        {2, 0, 0, 0}, {3, 1, 0, 0}, {8, 200, 1, 1}, {1, 1, 1, 5}, {29, 3, 1, 0},
    };

    (void)state;
    peer_open_passive(&peer);
    for (size_t i = 0; i < 5; i++) {
        peer_send(&peer, (struct peer_seg){.seq = peer.nxt,
                                           .ack = peer.rcv,
                                           .flags = PEER_ACK | PEER_PSH,
                                           .len = 10,
                                           .options = bad[i],
                                           .options_len = 4});
        peer.nxt += 10;
    }
    assert_true(peer_state_is(&peer, "ESTABLISHED"));
    assert_int_equal(peer_app_recv(&peer, 1000), 50);
    assert_true(PEER_COUNT(&peer, tcp_bad_option) >= 4);
}

static void T21__the_send_mss_has_a_floor_and_our_link_a_ceiling(void **state)
{
    static const struct {
        uint16_t asked, used;
    } rows[] = {{0, 536}, {1, 64}, {8, 64}, {48, 64}, {65535, 1460}};

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        peer.mss = rows[i].asked; /* 0: no option at all: MUST-15 */
        peer_open_passive(&peer);
        assert_int_equal(peer_info(&peer).mss_bytes, rows[i].used);
        if (i + 1 < 5) {
            peer_end(&peer);
            peer_prepare(&peer);
            peer_start(&peer);
        }
    }
}

static void T23__scale_and_mss_after_the_syn_change_nothing(void **state)
{
    static const uint8_t options[8] = {2, 4, 0, 100, 3, 3, 9, 0};

    (void)state;
    peer_open_passive(&peer);
    peer_send(&peer, (struct peer_seg){.seq = peer.nxt,
                                       .ack = peer.rcv,
                                       .flags = PEER_ACK,
                                       .window = 500,
                                       .options = options,
                                       .options_len = 8});
    assert_int_equal(peer_info(&peer).mss_bytes, 1000);
    assert_int_equal(peer_info(&peer).snd_wnd_bytes, 500);
}

static void T32__urgent_data_stays_in_the_stream(void **state)
{
    static const uint16_t pointers[] = {0, 1, 11, 65535};

    (void)state;
    peer_open_passive(&peer);
    for (size_t i = 0; i < 4; i++) {
        peer_send(&peer, (struct peer_seg){.seq = peer.nxt,
                                           .ack = peer.rcv,
                                           .flags = PEER_ACK | PEER_URG,
                                           .urgent = pointers[i],
                                           .len = 10});
        peer.nxt += 10;
    }
    assert_int_equal(peer_app_recv(&peer, 1000), 40);
    assert_true(peer_state_is(&peer, "ESTABLISHED"));
}

static void T32__urg_on_a_syn_is_ignored(void **state)
{
    (void)state;
    peer_listen(&peer, 8, 8);
    peer_send(&peer, (struct peer_seg){.seq = PEER_ISS,
                                       .flags = PEER_SYN | PEER_URG,
                                       .urgent = 65535});
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.flags, PEER_SYN | PEER_ACK);
}

static void broadcast_and_multicast__get_no_answer(void **state)
{
    (void)state;
    peer_listen(&peer, 8, 8);
    for (unsigned i = 0; i < 3; i++) {
        static const uint32_t to[] = {0xffffffff, 0x0a0000ff, 0xe0000001};

        peer_send(&peer,
                  (struct peer_seg){.seq = 5, .flags = PEER_SYN, .dst = to[i]});
        PEER_QUIET(&peer);
    }
    assert_int_equal(PEER_COUNT(&peer, tcp_rx), 0);
}

#define STACK_TEST(name) PEER_TEST(name, peer_started)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STACK_TEST(T2__bad_offset_is_counted_and_unanswered),
        STACK_TEST(T4__bad_checksum_is_counted_and_unanswered),
        STACK_TEST(T5__port_0_is_counted_and_unanswered),
        STACK_TEST(T6__land_is_unanswered),
        STACK_TEST(T7_T8_T9_T10__odd_flags_open_nothing),
        STACK_TEST(T11__fin_without_ack_is_ignored),
        STACK_TEST(T12__text_with_a_syn_is_neither_kept_nor_acknowledged),
        STACK_TEST(T13__reserved_bits_are_ignored),
        STACK_TEST(T15__malformed_options_do_not_end_a_connection),
        STACK_TEST(T21__the_send_mss_has_a_floor_and_our_link_a_ceiling),
        STACK_TEST(T23__scale_and_mss_after_the_syn_change_nothing),
        STACK_TEST(T32__urgent_data_stays_in_the_stream),
        STACK_TEST(T32__urg_on_a_syn_is_ignored),
        STACK_TEST(broadcast_and_multicast__get_no_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
