/*
 * The parser of TCP headers and options, and their emitter: rows T of the bad
 * inputs. What a stack makes of them is in test_tcp_wire.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/tcp_wire.h"
#include "tests/host/tcp_peer.h"

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

static void assert_same_options(const struct tcp_seg *a,
                                const struct tcp_seg *b)
{
    assert_int_equal(a->has_mss, b->has_mss);
    assert_int_equal(a->has_shift, b->has_shift);
    assert_int_equal(a->has_timestamps, b->has_timestamps);
    assert_int_equal(a->sack_permitted, b->sack_permitted);
    assert_int_equal(a->bad_option, b->bad_option);
    assert_int_equal(a->mss, b->mss);
    assert_int_equal(a->shift, b->shift);
    assert_int_equal(a->ts_val, b->ts_val);
    assert_int_equal(a->ts_ecr, b->ts_ecr);
    assert_int_equal(a->sack_count, b->sack_count);
    assert_memory_equal(a->sack, b->sack, sizeof(a->sack));
}

/* What nearly every SYN has is read at a glance; behind NOPs, one by one. Any
 * byte may be another, some may lack, and others follow. */
static void T__the_options_of_a_usual_syn_are_read_both_ways_alike(void **state)
{
    uint8_t options[32] = {1, 1, 1, 1, 2, 4, 5, 0xb4, 4, 2, 8, 10, 1, 0x82,
                           3, 4, 5, 6, 7, 8, 1, 3,    3, 7, 2, 9,  0, 0};
    uint8_t *usual = options + 4;
    struct tcp_seg seg = parse_options(usual, 20), other;

    (void)state;
    assert_true(seg.has_mss && seg.has_shift && seg.has_timestamps &&
                seg.sack_permitted && !seg.bad_option);
    assert_int_equal(seg.mss, 1460);
    assert_int_equal(seg.shift, 7);
    assert_int_equal(seg.ts_val, 0x01820304);
    assert_int_equal(seg.ts_ecr, 0x05060708);
    for (unsigned at = 0; at < 20; at++) {
        uint8_t was = usual[at];

        for (unsigned value = 0; value <= UINT8_MAX; value++) {
            usual[at] = (uint8_t)value;
            seg = parse_options(usual, 20);
            other = parse_options(options, 24);
            assert_same_options(&seg, &other);
        }
        usual[at] = was;
    }
    for (uint32_t len = 0; len <= 28; len += 4) {
        seg = parse_options(usual, len);
        other = parse_options(options, len + 4);
        assert_same_options(&seg, &other);
    }
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

/* RFC 2018 3: kind 5, and 8 bytes for each block. */
static void T25__sack_has_one_to_four_whole_blocks(void **state)
{
    (void)state;
    for (uint8_t len = 2; len <= 40; len++) {
        uint8_t options[40] = {5, len};
        struct tcp_seg seg = parse_options(options, sizeof(options));
        bool right = len == 10 || len == 18 || len == 26 || len == 34;

        assert_int_equal(seg.sack_count, right ? len / 8 : 0);
        assert_int_equal(seg.bad_option, !right);
    }
}

static void T25__a_malformed_sack_ends_nothing_behind_it(void **state)
{
    static const uint8_t options[] = {5, 6, 1, 2, 3, 4, 8, 10, 0, 0,
                                      0, 1, 0, 0, 0, 2, 1, 1,  1, 1};
    struct tcp_seg seg = parse_options(options, sizeof(options));

    (void)state;
    assert_int_equal(seg.sack_count, 0);
    assert_true(seg.has_timestamps);
    assert_int_equal(seg.ts_val, 1);
    assert_int_equal(seg.ts_ecr, 2);
}

static void T25__blocks_are_read_in_their_order(void **state)
{
    static const uint8_t options[] = {1,    1, 5, 18, 0xff, 0xff, 0xff,
                                      0xf0, 0, 0, 0,  16,   0x80, 0,
                                      0,    0, 0, 0,  0,    7};
    struct tcp_seg seg = parse_options(options, sizeof(options));

    (void)state;
    assert_int_equal(seg.sack_count, 2);
    assert_int_equal(seg.sack[0].start, 0xfffffff0u);
    assert_int_equal(seg.sack[0].end, 16);
    assert_int_equal(seg.sack[1].start, 0x80000000u);
    assert_int_equal(seg.sack[1].end, 7);
}

static void T24__timestamps_have_ten_bytes(void **state)
{
    (void)state;
    for (uint8_t len = 2; len <= 40; len++) {
        uint8_t options[40] = {8, len};

        assert_int_equal(parse_options(options, sizeof(options)).has_timestamps,
                         len == 10);
    }
}

static void emit__of_three_blocks_and_timestamps_fills_forty_bytes(void **state)
{
    struct tcp_seg in = {.flags = TCP_ACK,
                         .has_timestamps = true,
                         .ts_val = 0xfffffffe,
                         .ts_ecr = 3,
                         .sack_count = 3,
                         .sack = {{1, 2}, {0x80000000, 5}, {6, 0xffffffff}}};
    uint8_t bytes[60];
    struct tcp_seg out;

    (void)state;
    assert_int_equal(tcp_emit_bytes(&in), 60);
    in.header_bytes = tcp_emit_bytes(&in);
    tcp_emit(bytes, &in);
    assert_int_equal(tcp_parse(bytes, 60, &out), TCP_PARSE_OK);
    assert_int_equal(out.header_bytes, 60);
    assert_int_equal(out.ts_val, in.ts_val);
    assert_int_equal(out.ts_ecr, in.ts_ecr);
    assert_int_equal(out.sack_count, 3);
    assert_memory_equal(out.sack, in.sack, 3 * sizeof(in.sack[0]));
}

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
        cmocka_unit_test(
            T__the_options_of_a_usual_syn_are_read_both_ways_alike),
        cmocka_unit_test(emit__parses_back_to_the_same),
        cmocka_unit_test(T25__sack_has_one_to_four_whole_blocks),
        cmocka_unit_test(T25__a_malformed_sack_ends_nothing_behind_it),
        cmocka_unit_test(T25__blocks_are_read_in_their_order),
        cmocka_unit_test(T24__timestamps_have_ten_bytes),
        cmocka_unit_test(
            emit__of_three_blocks_and_timestamps_fills_forty_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
