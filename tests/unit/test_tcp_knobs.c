/*
 * What can be chosen for TCP, for the stack, a listener and one connection:
 * each option does what it says (RFC 9293 MUST-21, 27, 48, 49, SHLD-21, 22).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/host.h"
#include "tests/host/tcp_scene.h"

#define SECOND 1000000ull

static void set(enum tcp_option which, uint64_t value)
{
    assert_int_equal(tcp_set(peer.conn, which, value, host_now_us), TCP_SET_OK);
    assert_true(tcp_get(peer.conn, which) == value);
}

/* tcp_connect() without the flush, so that the SYN can still be shaped. */
static void connect_only(void)
{
    enum tcp_end why;

    assert_int_equal(tcp_connect(peer.net, IPV4_ADDR(10, 0, 0, 2), PEER_PORT,
                                 PEER_OUR_PORT, host_now_us, &peer.conn, &why),
                     TCP_OK);
}

/* ---- ranges ---- */

static const struct {
    enum tcp_option which;
    uint64_t least, most, too_much;
} ranges[] = {
    {TCP_OPTION_TTL, 1, 255, 256},
    {TCP_OPTION_DSCP, 0, 63, 64},
    {TCP_OPTION_MSS, 0, 65495, 65496},
    {TCP_OPTION_RCV_BUF, 1, 1 << 30, (1 << 30) + 1},
    {TCP_OPTION_SND_BUF, 1, 1 << 30, (1 << 30) + 1},
    {TCP_OPTION_INITIAL_WINDOW, 1, 100, 101},
    {TCP_OPTION_RTO_INITIAL, 1000, 60 * SECOND, 60 * SECOND + 1},
    {TCP_OPTION_RTO_MIN, 1000, 60 * SECOND, 60 * SECOND + 1},
    {TCP_OPTION_RTO_MAX, SECOND, 600 * SECOND, 600 * SECOND + 1},
    {TCP_OPTION_R1, 1, 16, 17},
    {TCP_OPTION_R2, SECOND, 604800 * SECOND, UINT64_MAX},
    {TCP_OPTION_SYN_R2, SECOND, 604800 * SECOND, UINT64_MAX},
    {TCP_OPTION_SYN_ACK_R2, SECOND, 604800 * SECOND, UINT64_MAX},
    {TCP_OPTION_DELAYED_ACK, 0, 499000, 500000},
    {TCP_OPTION_KEEPALIVE_IDLE, 1000, 604800 * SECOND, UINT64_MAX},
    {TCP_OPTION_KEEPALIVE_INTERVAL, 1000, 604800 * SECOND, 1ull << 60},
    {TCP_OPTION_KEEPALIVE_PROBES, 2, 255, 256},
    {TCP_OPTION_FIN_WAIT_2, 1000, 604800 * SECOND, UINT64_MAX},
    {TCP_OPTION_CHALLENGE_ACKS, 1, 120, 121},
    {TCP_OPTION_OOO_PIECES, 1, 65535, 65536},
    {TCP_OPTION_CONGESTION, 0, 1, 2},
    {TCP_OPTION_ECN, 0, 2, 3},
    {TCP_OPTION_WINDOW_SCALING, 0, 1, 2},
    {TCP_OPTION_TIMESTAMPS, 0, 1, 2},
    {TCP_OPTION_SACK, 0, 1, 2},
    {TCP_OPTION_SYN_COOKIES, 0, 2, 3},
    {TCP_OPTION_SOFT_ERRORS, 0, 1, 2}};

static void set__takes_its_range_and_nothing_else(void **state)
{
    (void)state;
    assert_int_equal(ARRAY_LEN(ranges), TCP_OPTION_COUNT);
    connect_only();
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        set(ranges[i].which, ranges[i].least);
        set(ranges[i].which, ranges[i].most);
        assert_int_equal(tcp_set(peer.conn, ranges[i].which, ranges[i].too_much,
                                 host_now_us),
                         TCP_SET_RANGE);
        assert_true(tcp_get(peer.conn, ranges[i].which) == ranges[i].most);
        if (ranges[i].least > 0)
            assert_int_equal(tcp_set(peer.conn, ranges[i].which,
                                     ranges[i].least - 1, host_now_us),
                             TCP_SET_RANGE);
    }
}

static void set__after_the_end_is_too_late(void **state)
{
    (void)state;
    peer_open_active(&peer);
    tcp_abort(peer.conn, host_now_us);
    assert_int_equal(tcp_set(peer.conn, TCP_OPTION_TTL, 9, host_now_us),
                     TCP_SET_LATE);
}

static void set__without_memory_says_so_and_changes_nothing(void **state)
{
    (void)state;
    peer_open_active(&peer);
    peer.host.fail_at = peer.host.asked + 1;
    assert_int_equal(tcp_set(peer.conn, TCP_OPTION_TTL, 9, host_now_us),
                     TCP_SET_NO_MEMORY);
    assert_true(tcp_get(peer.conn, TCP_OPTION_TTL) == 64);
}

/* ---- for whom ---- */

static void default_set__is_for_all_of_which_nothing_was_set(void **state)
{
    (void)state;
    peer_open_passive(&peer);
    assert_int_equal(tcp_default_set(peer.net, TCP_OPTION_TTL, 9), TCP_SET_OK);
    assert_true(tcp_get(peer.conn, TCP_OPTION_TTL) == 9);
    set(TCP_OPTION_TTL, 10);
    assert_int_equal(tcp_default_set(peer.net, TCP_OPTION_TTL, 11), TCP_SET_OK);
    assert_true(tcp_get(peer.conn, TCP_OPTION_TTL) == 10);
    assert_int_equal(tcp_default_set(peer.net, TCP_OPTION_TTL, 256),
                     TCP_SET_RANGE);
}

static void listener_set__is_for_what_comes_of_it(void **state)
{
    struct tcp_conn *second;

    (void)state;
    peer_listen(&peer, 8, 8);
    assert_int_equal(tcp_listener_set(peer.listener, TCP_OPTION_DSCP, 7),
                     TCP_SET_OK);
    assert_int_equal(tcp_listener_set(peer.listener, TCP_OPTION_MSS, 700),
                     TCP_SET_OK);
    for (uint16_t i = 0; i < 2; i++) {
        peer_send(&peer, (struct peer_seg){.seq = PEER_ISS,
                                           .flags = PEER_SYN,
                                           .src_port = (uint16_t)(3000 + i)});
        assert_true(peer_take(&peer));
        assert_int_equal(peer.got.mss, 700);
        assert_int_equal(peer.got.tos, 7 << 2);
        peer_send(&peer, (struct peer_seg){.seq = PEER_ISS + 1,
                                           .ack = peer.rcv,
                                           .flags = PEER_ACK,
                                           .src_port = (uint16_t)(3000 + i)});
    }
    peer.conn = tcp_accept(peer.listener);
    second = tcp_accept(peer.listener);
    set(TCP_OPTION_DSCP, 9); /* its own from now on */
    assert_true(tcp_get(second, TCP_OPTION_DSCP) == 7);
    assert_true(tcp_get(peer.conn, TCP_OPTION_MSS) == 700);
    tcp_release(second, host_now_us);
}

/* What the two share goes when the last of them goes: peer_end() looks. */
static void listener_set__outlives_the_listener(void **state)
{
    (void)state;
    peer_listen(&peer, 8, 8);
    assert_int_equal(tcp_listener_set(peer.listener, TCP_OPTION_TTL, 5),
                     TCP_SET_OK);
    peer_syn(&peer);
    assert_true(peer_take(&peer));
    peer_accept(&peer);
    tcp_unlisten(peer.listener, host_now_us);
    peer_app_send(&peer, 1);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.ttl, 5);
}

/* ---- IP: MUST-48, MUST-49, SHLD-21, SHLD-22 ---- */

static void ttl_and_dscp__are_in_every_packet_and_can_change(void **state)
{
    (void)state;
    connect_only();
    set(TCP_OPTION_TTL, 3);
    set(TCP_OPTION_DSCP, 46);
    peer_settle(&peer);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.flags, PEER_SYN);
    assert_int_equal(peer.got.ttl, 3);
    assert_int_equal(peer.got.tos >> 2, 46);
    peer.nxt = PEER_ISS + 1;
    peer_send(&peer, (struct peer_seg){.seq = PEER_ISS,
                                       .ack = peer.rcv,
                                       .flags = PEER_SYN | PEER_ACK});
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.tos >> 2, 46);
    set(TCP_OPTION_TTL, 200);
    set(TCP_OPTION_DSCP, 10);
    peer_app_send(&peer, 1);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.ttl, 200);
    assert_int_equal(peer.got.tos >> 2, 10);
}

/* RFC 1122 3.2.1.7: none leaves with 0; who sets nothing has the default. */
static void ttl__of_0_is_the_default(void **state)
{
    (void)state;
    peer.config.tcp.ttl = 0;
    peer_start(&peer);
    peer_open_passive(&peer);
    assert_int_equal(peer.got.ttl, 64);
    peer_app_send(&peer, 1);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.ttl, 64);
}

/* ... a RST and the ACK of a FIN too, which are sent from no queue. */
static void ttl_and_dscp__are_in_the_last_packets_too(void **state)
{
    (void)state;
    peer_open_passive(&peer);
    set(TCP_OPTION_TTL, 255);
    set(TCP_OPTION_DSCP, 10);
    tcp_abort(peer.conn, host_now_us);
    assert_true(peer_take(&peer));
    assert_true(peer.got.flags & PEER_RST);
    assert_int_equal(peer.got.ttl, 255);
    assert_int_equal(peer.got.tos >> 2, 10);
}

static void ttl_and_dscp__of_a_listener_are_in_its_cookies(void **state)
{
    (void)state;
    peer_listen(&peer, 8, 0);
    assert_int_equal(tcp_listener_set(peer.listener, TCP_OPTION_TTL, 255),
                     TCP_SET_OK);
    peer_syn(&peer);
    assert_true(peer_take(&peer));
    assert_int_equal(PEER_COUNT(&peer, tcp_cookie_sent), 1);
    assert_int_equal(peer.got.ttl, 255);
}

/* ---- sizes ---- */

static void mss__before_the_syn_bounds_both_sides(void **state)
{
    (void)state;
    connect_only();
    set(TCP_OPTION_MSS, 600);
    peer_settle(&peer);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.mss, 600);
    peer_send(&peer, (struct peer_seg){.seq = PEER_ISS,
                                       .ack = peer.rcv,
                                       .flags = PEER_SYN | PEER_ACK,
                                       .options = (uint8_t[]){2, 4, 4, 0},
                                       .options_len = 4});
    assert_int_equal(peer_info(&peer).mss_bytes, 600);
    assert_int_equal(tcp_set(peer.conn, TCP_OPTION_MSS, 500, host_now_us),
                     TCP_SET_LATE);
}

static void rcv_buf__before_the_syn_sets_window_and_scale(void **state)
{
    (void)state;
    connect_only();
    set(TCP_OPTION_RCV_BUF, 65535);
    peer_settle(&peer);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.window, 65535);
    assert_int_equal(peer.got.shift, 0);
    tcp_release(peer.conn, host_now_us);
    host_now_us += SECOND;
    connect_only();
    set(TCP_OPTION_RCV_BUF, 1 << 20);
    peer_settle(&peer);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.shift, 5); /* 2^20 / 2^16, rounded up */
}

static void snd_buf__bounds_what_is_queued(void **state)
{
    (void)state;
    peer_open_active(&peer);
    set(TCP_OPTION_SND_BUF, 5000);
    assert_int_equal(tcp_send_room(peer.conn), 5000);
}

static void initial_window__is_so_many_segments(void **state)
{
    (void)state;
    connect_only();
    set(TCP_OPTION_INITIAL_WINDOW, 3);
    peer_settle(&peer);
    assert_true(peer_take(&peer));
    peer.nxt = PEER_ISS + 1;
    peer_send(&peer, (struct peer_seg){.seq = PEER_ISS,
                                       .ack = peer.rcv,
                                       .flags = PEER_SYN | PEER_ACK,
                                       .options = (uint8_t[]){2, 4, 3, 232},
                                       .options_len = 4});
    assert_int_equal(peer_info(&peer).cwnd_bytes, 3000);
}

/* ---- time ---- */

static void rto_initial__is_when_the_syn_goes_again(void **state)
{
    (void)state;
    connect_only();
    set(TCP_OPTION_RTO_INITIAL, 3 * SECOND);
    peer_settle(&peer);
    assert_int_equal(peer_take_all(&peer), 1);
    peer_wait(&peer, 3 * SECOND - 1);
    PEER_QUIET(&peer);
    peer_wait(&peer, 1);
    assert_int_equal(peer_take_all(&peer), 1);
}

static void rto_min_and_max__bound_it(void **state)
{
    (void)state;
    peer_open_active(&peer);
    set(TCP_OPTION_RTO_MIN, 5 * SECOND);
    assert_in_range(peer_info(&peer).rto_us, 5 * SECOND, 5 * SECOND + 1);
    set(TCP_OPTION_RTO_MIN, 1000);
    assert_in_range(peer_info(&peer).rto_us, 1000, 1001);
    set(TCP_OPTION_RTO_MIN, SECOND);
    set(TCP_OPTION_RTO_MAX, SECOND);
    assert_true(peer_info(&peer).rto_us == SECOND);
}

/* MUST-21. */
static void r2__ends_what_stays_unanswered(void **state)
{
    (void)state;
    peer_open_active(&peer);
    set(TCP_OPTION_R2, 5 * SECOND);
    peer_app_send(&peer, 10);
    peer_wait(&peer, 4 * SECOND);
    assert_int_equal(tcp_end_reason(peer.conn), TCP_END_NONE);
    peer_wait(&peer, 10 * SECOND);
    assert_int_equal(tcp_end_reason(peer.conn), TCP_END_TIMEOUT);
}

static void syn_r2__ends_an_opening(void **state)
{
    (void)state;
    peer_connect(&peer);
    set(TCP_OPTION_SYN_R2, 10 * SECOND);
    peer_wait(&peer, 10 * SECOND - 1);
    assert_int_equal(tcp_end_reason(peer.conn), TCP_END_NONE);
    peer_wait(&peer, 1);
    assert_int_equal(tcp_end_reason(peer.conn), TCP_END_SYN_TIMEOUT);
}

static void syn_ack_r2__ends_a_half_open_one(void **state)
{
    (void)state;
    peer_listen(&peer, 8, 8);
    assert_int_equal(
        tcp_listener_set(peer.listener, TCP_OPTION_SYN_ACK_R2, 5 * SECOND),
        TCP_SET_OK);
    peer_syn(&peer);
    peer_wait(&peer, 5 * SECOND - 1);
    assert_int_equal(peer_memory(&peer).conns, 1);
    peer_wait(&peer, 1);
    assert_int_equal(peer_memory(&peer).conns, 0);
}

/* Small segments: no full-sized one asks for an ACK at once. */
static void delayed_ack__waits_so_long(void **state)
{
    (void)state;
    peer_open_passive(&peer);
    set(TCP_OPTION_DELAYED_ACK, 300000);
    peer_text(&peer, 1, 0);
    peer_wait(&peer, 299999);
    PEER_QUIET(&peer);
    peer_wait(&peer, 1);
    assert_int_equal(peer_take_all(&peer), 1);
    set(TCP_OPTION_DELAYED_ACK, 0);
    peer_text(&peer, 1, 0);
    assert_int_equal(peer_take_all(&peer), 1);
}

/* MUST-27, MUST-29. */
static void keepalive__idle_interval_and_probes(void **state)
{
    (void)state;
    peer_open_passive(&peer);
    set(TCP_OPTION_KEEPALIVE_IDLE, 10 * SECOND);
    set(TCP_OPTION_KEEPALIVE_INTERVAL, SECOND);
    set(TCP_OPTION_KEEPALIVE_PROBES, 2);
    tcp_set_keepalive(peer.conn, true, host_now_us);
    peer_wait(&peer, 10 * SECOND - 1);
    PEER_QUIET(&peer);
    peer_wait(&peer, 1 + SECOND);
    assert_int_equal(peer_take_all(&peer), 2);
    assert_int_equal(tcp_end_reason(peer.conn), TCP_END_NONE);
    peer_wait(&peer, SECOND);
    assert_int_equal(tcp_end_reason(peer.conn), TCP_END_KEEPALIVE);
}

static void keepalive_idle__can_come_nearer_while_it_runs(void **state)
{
    (void)state;
    peer_open_passive(&peer);
    tcp_set_keepalive(peer.conn, true, host_now_us);
    set(TCP_OPTION_KEEPALIVE_IDLE, SECOND);
    peer_wait(&peer, SECOND);
    assert_int_equal(peer_take_all(&peer), 1);
}

static void fin_wait_2__of_a_released_one_lasts_so_long(void **state)
{
    (void)state;
    peer_open_passive(&peer);
    set(TCP_OPTION_FIN_WAIT_2, 5 * SECOND);
    peer_app_release(&peer);
    assert_true(peer_take(&peer));
    peer_ack(&peer, PEER_STACK_ISS + 2);
    peer_wait(&peer, 5 * SECOND - 1);
    assert_int_equal(peer_memory(&peer).conns, 1);
    peer_wait(&peer, 1);
    assert_int_equal(peer_memory(&peer).conns, 0);
}

/* ---- defence ---- */

static void ooo_pieces__bounds_them(void **state)
{
    (void)state;
    peer_open_passive(&peer);
    set(TCP_OPTION_OOO_PIECES, 2);
    for (uint32_t i = 1; i < 4; i++)
        peer_send(&peer, (struct peer_seg){.seq = peer.nxt + 10 * i,
                                           .ack = peer.rcv,
                                           .flags = PEER_ACK,
                                           .len = 1});
    assert_int_equal(PEER_COUNT(&peer, tcp_ooo_full), 1);
}

#define TEST(name) PEER_TEST(name, peer_started)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(set__takes_its_range_and_nothing_else),
        TEST(set__after_the_end_is_too_late),
        TEST(set__without_memory_says_so_and_changes_nothing),
        TEST(default_set__is_for_all_of_which_nothing_was_set),
        TEST(listener_set__is_for_what_comes_of_it),
        TEST(listener_set__outlives_the_listener),
        TEST(ttl_and_dscp__are_in_every_packet_and_can_change),
        TEST(ttl_and_dscp__are_in_the_last_packets_too),
        PEER_TEST(ttl__of_0_is_the_default, peer_prepared),
        TEST(ttl_and_dscp__of_a_listener_are_in_its_cookies),
        TEST(mss__before_the_syn_bounds_both_sides),
        TEST(rcv_buf__before_the_syn_sets_window_and_scale),
        TEST(snd_buf__bounds_what_is_queued),
        TEST(initial_window__is_so_many_segments),
        TEST(rto_initial__is_when_the_syn_goes_again),
        TEST(rto_min_and_max__bound_it),
        TEST(r2__ends_what_stays_unanswered),
        TEST(syn_r2__ends_an_opening),
        TEST(syn_ack_r2__ends_a_half_open_one),
        TEST(delayed_ack__waits_so_long),
        TEST(keepalive__idle_interval_and_probes),
        TEST(keepalive_idle__can_come_nearer_while_it_runs),
        TEST(fin_wait_2__of_a_released_one_lasts_so_long),
        TEST(ooo_pieces__bounds_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
