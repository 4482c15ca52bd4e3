/*
 * Rows T26 to T31 of the bad inputs: options that nobody asked for, of any
 * length, change nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/host.h"
#include "tests/host/tcp_scene.h"

/* ---- T: options ---- */

struct option_row {
    uint8_t bytes[40];
    uint32_t len;
};

/* Each of them, on a SYN and in the middle, changes nothing. */
static void assert_ignored(const struct option_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        peer_end(&peer);
        peer_prepare(&peer);
        peer_start(&peer);
        peer_listen(&peer, 8, 8);
        peer_send(&peer, (struct peer_seg){.seq = PEER_ISS,
                                           .flags = PEER_SYN,
                                           .options = rows[i].bytes,
                                           .options_len = rows[i].len});
        assert_true(peer_take(&peer));
        assert_int_equal(peer.got.flags, PEER_SYN | PEER_ACK);
        peer.nxt = PEER_ISS + 1;
        peer_accept(&peer);
        peer_send(&peer, (struct peer_seg){.seq = peer.nxt,
                                           .ack = peer.rcv,
                                           .flags = PEER_ACK,
                                           .options = rows[i].bytes,
                                           .options_len = rows[i].len,
                                           .len = 5});
        assert_int_equal(peer_app_recv(&peer, 10), 5);
        assert_true(peer_state_is(&peer, "ESTABLISHED"));
    }
}

/* CVE-2019-12260: a short one in a SYN. */
static void T26__md5_and_ao_are_ignored_however_long(void **state)
{
    static const struct option_row rows[] = {
        {{19, 18, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}, 20},
        {{19, 2}, 4},
        {{29, 2}, 4},
        {{29, 3, 7}, 4},
        {{29, 4, 1, 2}, 4},
        {{29, 16, 1, 2}, 16},
        {{29, 1, 0, 0}, 4},
        {{29, 40}, 4}};

    (void)state;
    assert_ignored(rows, ARRAY_LEN(rows));
}

static void T27__fast_open_cookies_are_ignored_however_long(void **state)
{
    static const struct option_row rows[] = {
        {{34, 2}, 4}, {{34, 3, 9}, 4}, {{34, 18, 1}, 20}, {{34, 255}, 4}};

    (void)state;
    assert_ignored(rows, ARRAY_LEN(rows));
}

static void T28__unknown_kinds_are_skipped(void **state)
{
    static const struct option_row rows[] = {
        {{6, 6, 1, 2, 3, 4}, 8}, {{77, 2, 200, 2}, 4}, {{255, 40}, 40}};

    (void)state;
    assert_ignored(rows, ARRAY_LEN(rows));
}

/* RFC 6994: kinds 253 and 254, shorter than an experiment's name. */
static void T30__experiments_without_a_name_are_ignored(void **state)
{
    static const struct option_row rows[] = {
        {{253, 2}, 4}, {{253, 3, 0xf9}, 4}, {{254, 2}, 4}, {{254, 3, 1}, 4}};

    (void)state;
    assert_ignored(rows, ARRAY_LEN(rows));
}

static void T31__accurate_ecn_of_any_length_is_ignored(void **state)
{
    struct option_row rows[13] = {{{0}, 0}};

    (void)state;
    for (uint8_t len = 2; len <= 12; len++) {
        rows[len].bytes[0] = len & 1 ? 172 : 174;
        rows[len].bytes[1] = len;
        rows[len].len = 12;
    }
    assert_ignored(rows + 2, 11);
}

#define TEST(name) PEER_TEST(name, peer_started)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(T26__md5_and_ao_are_ignored_however_long),
        TEST(T27__fast_open_cookies_are_ignored_however_long),
        TEST(T28__unknown_kinds_are_skipped),
        TEST(T30__experiments_without_a_name_are_ignored),
        TEST(T31__accurate_ecn_of_any_length_is_ignored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
