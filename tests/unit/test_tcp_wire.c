/*
 * Headers and options that no honest peer sends: rows T of the bad inputs, and
 * what we emit ourselves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/tcp_wire.h"
#include "tests/host/tcp_scene.h"

/* ---- the parser alone ---- */

/* A header with these option bytes, padded to whole words with `pad`. */
static struct tcp_seg parse_options(const uint8_t *options, uint32_t len)
{
    uint8_t *bytes = calloc(1, 20 + len); /* exact: a read beyond is seen */
    struct tcp_seg seg;

    assert_int_equal(len % 4, 0);
    bytes[12] = (uint8_t)((20 + len) / 4 << 4);
    memcpy(bytes + 20, options, len);
    assert_int_equal(tcp_parse(bytes, 20 + len, &seg), TCP_PARSE_OK);
    free(bytes);
    return seg;
}

#define PARSE(...)                                                             \
    parse_options((const uint8_t[]){__VA_ARGS__},                              \
                  sizeof((const uint8_t[]){__VA_ARGS__}))

static void T1__fewer_than_20_bytes_are_short(void **state)
{
    uint8_t bytes[20] = {[12] = 5 << 4};
    struct tcp_seg seg;

    (void)state;
    for (uint32_t len = 0; len < 20; len++)
        assert_int_equal(tcp_parse(bytes, len, &seg), TCP_PARSE_SHORT);
    assert_int_equal(tcp_parse(bytes, 20, &seg), TCP_PARSE_OK);
}

static void T2_T3__data_offset_out_of_the_segment_is_refused(void **state)
{
    uint8_t bytes[64] = {0};
    struct tcp_seg seg;

    (void)state;
    for (unsigned words = 0; words < 16; words++) {
        bytes[12] = (uint8_t)(words << 4);
        for (uint32_t len = 20; len <= 60; len++)
            assert_int_equal(tcp_parse(bytes, len, &seg),
                             words >= 5 && words * 4 <= len
                                 ? TCP_PARSE_OK
                                 : TCP_PARSE_HEADER_LEN);
    }
}

static void T14__kind_at_the_last_byte_has_no_length(void **state)
{
    struct tcp_seg seg = PARSE(1, 1, 1, 2);

    (void)state;
    assert_true(seg.bad_option);
    assert_false(seg.has_mss);
}

static void T15_T16__length_0_and_1_end_the_options(void **state)
{
    (void)state;
    assert_true(PARSE(200, 0, 1, 1).bad_option);
    assert_true(PARSE(200, 1, 1, 1).bad_option);
    assert_false(PARSE(2, 0, 5, 180, 3, 3, 7, 0).has_shift);
}

static void T17__length_past_the_header_ends_the_options(void **state)
{
    struct tcp_seg seg = PARSE(1, 2, 4, 5);

    (void)state;
    assert_true(seg.bad_option);
    assert_false(seg.has_mss);
    assert_true(PARSE(2, 255, 0, 0).bad_option);
}

static void T18__forty_nops_are_fine(void **state)
{
    uint8_t options[40];

    (void)state;
    memset(options, 1, sizeof(options));
    assert_false(parse_options(options, sizeof(options)).bad_option);
}

static void T19__what_follows_the_end_is_not_read(void **state)
{
    struct tcp_seg seg = PARSE(0, 2, 0, 9, 2, 4, 5, 180);

    (void)state;
    assert_false(seg.bad_option);
    assert_false(seg.has_mss);
}

static void T20__of_an_option_twice_the_first_counts(void **state)
{
    struct tcp_seg seg =
        PARSE(2, 4, 5, 180, 2, 4, 1, 0, 3, 3, 7, 3, 3, 2, 1, 1);

    (void)state;
    assert_int_equal(seg.mss, 1460);
    assert_int_equal(seg.shift, 7);
}

static void T21_T22__a_wrong_length_makes_an_option_unread(void **state)
{
    (void)state;
    for (uint8_t len = 2; len <= 8; len++) {
        uint8_t mss[8] = {2, len}, shift[8] = {3, len}, sack[8] = {4, len};

        assert_int_equal(parse_options(mss, 8).has_mss, len == 4);
        assert_int_equal(parse_options(shift, 8).has_shift, len == 3);
        assert_int_equal(parse_options(sack, 8).sack_permitted, len == 2);
    }
}

static void T22__shift_above_14_counts_as_14(void **state)
{
    (void)state;
    assert_int_equal(PARSE(3, 3, 14, 0).shift, 14);
    assert_int_equal(PARSE(3, 3, 15, 0).shift, 14);
    assert_int_equal(PARSE(3, 3, 255, 0).shift, 14);
}

static void T24_to_T31__unknown_kinds_are_stepped_over(void **state)
{
    static const uint8_t kinds[] = {19, 28, 29, 34, 172, 174, 253, 254, 255};

    (void)state;
    for (size_t i = 0; i < sizeof(kinds); i++)
        for (uint8_t len = 2; len <= 34; len++) {
            uint8_t options[40] = {kinds[i], len};
            struct tcp_seg seg;

            memcpy(options + len, (uint8_t[]){2, 4, 2, 24}, 4);
            seg = parse_options(options, sizeof(options));
            assert_int_equal(seg.mss, 536);
            assert_false(seg.bad_option);
        }
}

static void T29__options_need_no_alignment(void **state)
{
    struct tcp_seg seg = PARSE(3, 3, 6, 2, 4, 5, 180, 1);

    (void)state;
    assert_int_equal(seg.mss, 1460);
    assert_int_equal(seg.shift, 6);
}

static void emit__parses_back_to_the_same(void **state)
{
    struct tcp_seg in = {.seq = 0xfffffffe,
                         .ack = 0x80000000,
                         .src_port = 80,
                         .dst_port = 65535,
                         .window = 65535,
                         .flags = TCP_SYN | TCP_ACK,
                         .has_mss = true,
                         .mss = 1460,
                         .has_shift = true,
                         .shift = 14};
    uint8_t bytes[60];
    struct tcp_seg out;

    (void)state;
    assert_int_equal(tcp_emit_bytes(&in), 28);
    in.header_bytes = tcp_emit_bytes(&in);
    tcp_emit(bytes, &in);
    assert_int_equal(tcp_parse(bytes, 28, &out), TCP_PARSE_OK);
    assert_int_equal(out.seq, in.seq);
    assert_int_equal(out.ack, in.ack);
    assert_int_equal(out.src_port, in.src_port);
    assert_int_equal(out.dst_port, in.dst_port);
    assert_int_equal(out.window, in.window);
    assert_int_equal(out.flags, in.flags);
    assert_int_equal(out.mss, in.mss);
    assert_int_equal(out.shift, in.shift);
    assert_int_equal(out.header_bytes, 28);
}

/* ---- through the stack ---- */

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
        struct net_memory memory;

        peer_send(&peer, (struct peer_seg){.seq = 9, .flags = odd[i]});
        PEER_QUIET(&peer);
        net_memory_get(peer.net, &memory);
        assert_int_equal(memory.conns, 0);
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
    peer_ack(&peer, peer.rcv);
    peer.conn = tcp_accept(peer.listener);

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
        cmocka_unit_test(T1__fewer_than_20_bytes_are_short),
        cmocka_unit_test(T2_T3__data_offset_out_of_the_segment_is_refused),
        cmocka_unit_test(T14__kind_at_the_last_byte_has_no_length),
        cmocka_unit_test(T15_T16__length_0_and_1_end_the_options),
        cmocka_unit_test(T17__length_past_the_header_ends_the_options),
        cmocka_unit_test(T18__forty_nops_are_fine),
        cmocka_unit_test(T19__what_follows_the_end_is_not_read),
        cmocka_unit_test(T20__of_an_option_twice_the_first_counts),
        cmocka_unit_test(T21_T22__a_wrong_length_makes_an_option_unread),
        cmocka_unit_test(T22__shift_above_14_counts_as_14),
        cmocka_unit_test(T24_to_T31__unknown_kinds_are_stepped_over),
        cmocka_unit_test(T29__options_need_no_alignment),
        cmocka_unit_test(emit__parses_back_to_the_same),
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
