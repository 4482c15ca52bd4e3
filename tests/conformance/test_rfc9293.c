/*
 * Rows of RFC 9293 that no other test shows, each under its number:
 * tests/conformance/rfc9293.md has them all. A scripted peer; what is expected
 * comes from the RFC's text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/host.h"
#include "tests/host/tcp_scene.h"
#include "tests/host/tcp_sender.h"

#define MS     1000ull
#define SECOND 1000000ull
#define ISS    PEER_STACK_ISS

enum { OPT_END = 0, OPT_NOP = 1 };

static void open_after(void (*change)(void))
{
    peer_end(&peer);
    peer_prepare(&peer);
    change();
    peer_start(&peer);
    peer_open_passive(&peer);
}

/* ---- 3.1: the header ---- */

static void many_segments_at_first(void)
{
    peer.config.tcp.initial_cwnd_segments = 70;
    peer.window = 65535;
}

/* MUST-1, REC-1: unsigned, so 65,535 is no negative number. */
static void MUST_1__a_window_of_65535_is_filled(void **state)
{
    (void)state;
    open_after(many_segments_at_first);
    peer_app_send(&peer, 70000);
    assert_int_equal(peer_take_all(&peer), 65); /* 1000 bytes each */
    assert_in_range(peer_info(&peer).in_flight_bytes, 65000, 65535);
}

/* Every byte behind the header is an option, or padding, which is zero. */
static void assert_padding_is_zero(const struct peer_seg *seg)
{
    uint32_t at = 0;

    while (at < seg->options_len && seg->options[at] != OPT_END) {
        if (seg->options[at] == OPT_NOP) {
            at++;
            continue;
        }
        assert_true(at + 1 < seg->options_len); /* MUST-68 */
        assert_in_range(seg->options[at + 1], 2, seg->options_len - at);
        at += seg->options[at + 1];
    }
    for (; at < seg->options_len; at++)
        assert_int_equal(seg->options[at], 0);
}

static void MUST_69__options_have_a_length_and_padding_is_zero(void **state)
{
    (void)state;
    peer_connect(&peer);
    assert_true(peer.got.options_len > 0);
    assert_padding_is_zero(&peer.got);
    tcp_release(peer.conn, host_now_us);
    peer.conn = NULL;
    peer.shift = 3;
    peer_listen(&peer, 8, 8);
    peer_syn(&peer);
    assert_true(peer_take(&peer));
    assert_padding_is_zero(&peer.got);
}

/* ---- 3.4.1: initial sequence numbers ---- */

/* The stack's number for one and the same tuple and time, by its key. */
static uint32_t iss_with_key(uint64_t seed)
{
    struct net_address address = {.addr = IPV4_ADDR(10, 0, 0, 1),
                                  .prefix_bits = 24};

    host_seed(seed);
    peer.net = net_create(&peer.config, host_now_us);
    assert_non_null(peer.net);
    assert_int_equal(net_attach(peer.net, NULL, &address), NET_OK);
    peer_take_all(&peer);
    peer_connect(&peer);
    net_destroy(peer.net);
    peer.conn = NULL;
    return peer.got.seq;
}

/* MUST-9: without the key, which is the host's secret, the number of a tuple
 * tells nothing; and the same key gives the same (RFC 6528 3). */
static void MUST_9__the_number_hangs_on_a_secret(void **state)
{
    uint32_t first, second;

    (void)state;
    net_destroy(peer.net);
    hostnet_packets(&peer.host, &peer.config.host);
    peer.without_card = true;
    first = iss_with_key(11);
    second = iss_with_key(12);
    assert_int_not_equal(first, second);
    assert_int_equal(iss_with_key(11), first);
    peer_prepare(&peer);
    peer_start(&peer);
}

/* ---- 3.5: opening ---- */

/* A listener's half-open connection goes back to LISTEN, unseen by the user;
 * one that we opened is refused. */
static void MUST_11__rst_in_syn_received_goes_by_who_opened(void **state)
{
    (void)state;
    peer_listen(&peer, 8, 8);
    peer_syn(&peer);
    assert_true(peer_take(&peer));
    peer_send(&peer, (struct peer_seg){.seq = peer.nxt, .flags = PEER_RST});
    PEER_QUIET(&peer);
    assert_int_equal(peer.acceptables, 0);
    peer.nxt = PEER_ISS; /* the listener still listens */
    peer_syn(&peer);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.flags, PEER_SYN | PEER_ACK);
    tcp_unlisten(peer.listener, host_now_us);
    peer_take_all(&peer);

    peer_connect(&peer);
    peer_send(&peer, (struct peer_seg){.seq = 500, .flags = PEER_SYN});
    assert_true(peer_state_is(&peer, "SYN-RECEIVED"));
    peer_send(&peer, (struct peer_seg){.seq = 501, .flags = PEER_RST});
    assert_int_equal(tcp_end_reason(peer.conn), TCP_END_REFUSED);
}

static void SHLD_2__rst_with_text_is_a_rst(void **state)
{
    (void)state;
    peer_open_passive(&peer);
    peer_send(&peer, (struct peer_seg){.seq = peer.nxt,
                                       .ack = peer.rcv,
                                       .flags = PEER_RST | PEER_ACK,
                                       .len = 20});
    assert_int_equal(tcp_end_reason(peer.conn), TCP_END_RESET);
    PEER_QUIET(&peer);
}

/* ---- 3.7.1: the maximum segment size ---- */

static void no_mss(void)
{
    peer.mss = 0;
}

static void MUST_15__without_the_option_segments_have_536_bytes(void **state)
{
    (void)state;
    open_after(no_mss);
    peer_app_send(&peer, 1200);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.len, 536);
}

/* The largest packet that reaches us, 1500, less 20 of IP and 20 of TCP;
 * SHLD-5, MAY-3: in every SYN. */
static void MUST_67__mss_is_the_mtu_less_40(void **state)
{
    (void)state;
    peer_connect(&peer);
    assert_true(peer.got.has_mss);
    assert_int_equal(peer.got.mss, 1500 - 40);
    tcp_release(peer.conn, host_now_us);
    peer.conn = NULL;
    peer.mss = 0;
    peer_listen(&peer, 8, 8);
    peer_syn(&peer);
    assert_true(peer_take(&peer));
    assert_true(peer.got.has_mss);
    assert_int_equal(peer.got.mss, 1500 - 40);
}

/* ---- 3.8.4: keep-alive ---- */

static void short_keepalive(void)
{
    peer.config.tcp.keepalive_idle_us = 10 * SECOND;
    peer.config.tcp.keepalive_interval_us = 3 * SECOND;
}

static void
MUST_24_27__keepalive_is_switched_and_its_times_are_set(void **state)
{
    (void)state;
    open_after(short_keepalive);
    tcp_set_keepalive(peer.conn, true, host_now_us);
    peer_wait(&peer, 9 * SECOND);
    PEER_QUIET(&peer);
    peer_wait(&peer, 1 * SECOND);
    assert_int_equal(peer_take_all(&peer), 1);
    peer_wait(&peer, 3 * SECOND);
    assert_int_equal(peer_take_all(&peer), 1);
    tcp_set_keepalive(peer.conn, false, host_now_us);
    peer_wait(&peer, 100 * SECOND);
    PEER_QUIET(&peer);
    assert_int_equal(tcp_end_reason(peer.conn), TCP_END_NONE);
}

/* Data is outstanding: its retransmissions are what watches the peer. */
static void MUST_26__no_keepalive_while_data_is_outstanding(void **state)
{
    (void)state;
    open_after(short_keepalive);
    tcp_set_keepalive(peer.conn, true, host_now_us);
    peer_app_send(&peer, 100);
    for (unsigned i = 0; i < 60; i++) {
        peer_wait(&peer, SECOND);
        while (peer_take(&peer)) /* a probe would stand at snd.nxt - 1 */
            assert_int_equal(peer.got.seq, ISS + 1);
    }
}

static void MUST_28__keepalive_waits_two_hours_by_default(void **state)
{
    (void)state;
    peer_open_passive(&peer);
    tcp_set_keepalive(peer.conn, true, host_now_us);
    peer_wait(&peer, 7200 * SECOND - 1);
    PEER_QUIET(&peer);
}

/* ---- 3.8.6: windows ---- */

/* Ten segments are out and ten wait; the new edge lies below SND.NXT, which a
 * subtraction of unsigned numbers would take for a vast window. */
static void MUST_34__a_shrunk_window_lets_nothing_new_out(void **state)
{
    (void)state;
    peer_open_passive(&peer);
    peer_app_send(&peer, 20000);
    assert_int_equal(peer_take_all(&peer), 10);
    sender_ack_window(&peer, 1000, 1000);
    PEER_QUIET(&peer);
    sender_ack_window(&peer, 10000, 3000);
    assert_int_equal(peer_take_all(&peer), 3);
}

static void MUST_35__a_window_shrunk_to_zero_is_probed(void **state)
{
    (void)state;
    peer_open_passive(&peer);
    sender_ack_window(&peer, 0, 2000);
    peer_app_send(&peer, 3000);
    assert_int_equal(peer_take_all(&peer), 2);
    sender_ack_window(&peer, 0, 0);
    peer_wait(&peer, 70 * SECOND);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.seq, ISS + 1);
}

/* SHLD-16: what lies between SND.UNA and the new edge is sent again as ever. */
static void SHLD_16__inside_a_shrunk_window_text_comes_again(void **state)
{
    (void)state;
    peer_open_passive(&peer);
    peer_app_send(&peer, 4000);
    peer_take_all(&peer);
    sender_ack_window(&peer, 0, 1000);
    peer_wait(&peer, 3 * SECOND);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.seq, ISS + 1);
    assert_int_equal(peer.got.len, 1000);
    sender_ack_window(&peer, 4000, 1000); /* it had arrived: SHLD-17, no end */
    assert_int_equal(tcp_send_pending(peer.conn), 0);
}

/* The first after one time-out, 1 s before any measurement could say less
 * (RFC 6298 2.1 to 2.4), then twice the pause each time. */
static void SHLD_29_30__probes_begin_after_the_rto_and_double(void **state)
{
    uint64_t at_us[5], pause_us;

    (void)state;
    peer_open_passive(&peer);
    sender_ack_window(&peer, 0, 0);
    peer_app_send(&peer, 100);
    pause_us = host_now_us;
    for (unsigned i = 0; i < 5; i++) {
        for (unsigned ms = 0; ms < 20000 && !peer_take(&peer); ms++)
            peer_wait(&peer, MS);
        at_us[i] = host_now_us;
        sender_ack_window(&peer, 0, 0);
    }
    assert_in_range(at_us[0] - pause_us, 200 * MS, SECOND + MS);
    for (unsigned i = 1; i < 4; i++)
        assert_in_range(at_us[i + 1] - at_us[i],
                        2 * (at_us[i] - at_us[i - 1]) - 3 * MS,
                        2 * (at_us[i] - at_us[i - 1]) + 3 * MS);
}

/* MAX(SND.WND) is 60000; of the usable window neither a whole segment nor half
 * of that is to be had, and not all that waits fits: it waits (3.8.6.2.1). */
static void MUST_38__a_sliver_of_window_is_not_used(void **state)
{
    (void)state;
    peer_open_passive(&peer);
    sender_ack_window(&peer, 0, 500);
    peer_app_send(&peer, 3000);
    PEER_QUIET(&peer);
    sender_ack_window(&peer, 0, 999);
    PEER_QUIET(&peer);
    sender_ack_window(&peer, 0, 1000);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.len, 1000);
    PEER_QUIET(&peer);
}

/* The application reads nothing: the window stays shut as long as it likes,
 * each probe is answered, and nothing ends. */
static void MAY_8__our_window_may_stay_shut(void **state)
{
    (void)state;
    peer_open_passive(&peer);
    for (unsigned i = 0; i < 2000 && peer_info(&peer).rcv_wnd_bytes; i++) {
        uint32_t room = peer_info(&peer).rcv_wnd_bytes;

        peer_text(&peer, room < 1000 ? room : 1000, 0);
        peer_take_all(&peer);
    }
    assert_int_equal(peer_info(&peer).rcv_wnd_bytes, 0);
    for (unsigned hour = 0; hour < 24; hour++) {
        peer_wait(&peer, 3600 * SECOND);
        peer_take_all(&peer);
        peer_send(&peer, (struct peer_seg){.seq = peer.nxt,
                                           .ack = peer.rcv,
                                           .flags = PEER_ACK,
                                           .len = 1});
        assert_true(peer_take(&peer));
        assert_int_equal(peer.got.ack, peer.nxt);
        assert_int_equal(peer.got.window, 0);
    }
    assert_int_equal(tcp_end_reason(peer.conn), TCP_END_NONE);
}

/* ---- 3.9.1: the user's calls ---- */

static enum tcp_listen_status listen_on(uint16_t port, struct ipv4_addr local,
                                        struct tcp_listener **listener)
{
    struct tcp_listen_options options = {
        .local = local, .backlog = 4, .syn_backlog = 4};

    return tcp_listen(peer.net, port, &options, listener);
}

static void MUST_41__listening_leaves_a_connection_alone(void **state)
{
    struct tcp_listener *another;

    (void)state;
    peer_open_passive(&peer);
    assert_int_equal(
        listen_on(PEER_OUR_PORT + 1, (struct ipv4_addr){0}, &another),
        TCP_LISTEN_OK);
    tcp_unlisten(peer.listener, host_now_us);
    assert_int_equal(
        listen_on(PEER_OUR_PORT, (struct ipv4_addr){0}, &peer.listener),
        TCP_LISTEN_OK);
    peer_text(&peer, 100, PEER_PSH);
    assert_int_equal(peer_app_recv(&peer, 200), 100);
    tcp_unlisten(another, host_now_us);
}

static void MUST_42__listening_on_a_port_that_is_opening(void **state)
{
    struct tcp_conn *conn;

    (void)state;
    peer_connect(&peer); /* from port 80, to peer port 2000: SYN-SENT */
    peer_listen(&peer, 8, 8);
    peer_send(&peer, (struct peer_seg){
                         .seq = 77, .flags = PEER_SYN, .src_port = 2001});
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.flags, PEER_SYN | PEER_ACK);
    peer_send(&peer, (struct peer_seg){.seq = 78,
                                       .ack = peer.got.seq + 1,
                                       .flags = PEER_ACK,
                                       .src_port = 2001});
    conn = tcp_accept(peer.listener);
    assert_non_null(conn);
    assert_true(peer_state_is(&peer, "SYN-SENT"));
    tcp_release(conn, host_now_us);
}

static void MUST_43__a_listener_may_name_its_own_address(void **state)
{
    (void)state;
    assert_int_equal(
        listen_on(PEER_OUR_PORT, IPV4_ADDR(127, 0, 0, 1), &peer.listener),
        TCP_LISTEN_OK);
    peer_syn(&peer);
    assert_true(peer_take(&peer));
    assert_true(peer.got.flags & PEER_RST);
    tcp_unlisten(peer.listener, host_now_us);
    assert_int_equal(
        listen_on(PEER_OUR_PORT, IPV4_ADDR(10, 0, 0, 1), &peer.listener),
        TCP_LISTEN_OK);
    peer.nxt = PEER_ISS;
    peer_syn(&peer);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.flags, PEER_SYN | PEER_ACK);
}

static void MUST_44_45__the_source_is_the_interfaces_and_stays(void **state)
{
    (void)state;
    peer_open_active(&peer); /* peer_connect() names no local address */
    assert_int_equal(peer.got.src, 0x0a000001);
    peer_app_send(&peer, 100);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.src, 0x0a000001);
    tcp_abort(peer.conn, host_now_us);
    peer_settle(&peer);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.src, 0x0a000001);
}

/* ---- 3.9.2.3: impossible peers ---- */

static void MUST_63__a_syn_from_an_impossible_source_is_ignored(void **state)
{
    static const uint32_t sources[] = {0xffffffff, 0x0a0000ff, 0xe0000001,
                                       0x7f000001};

    (void)state;
    peer_listen(&peer, 8, 8);
    for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
        uint8_t packet[100];
        uint32_t len = peer_build(&peer,
                                  (struct peer_seg){.seq = 5,
                                                    .flags = PEER_SYN,
                                                    .src = sources[i],
                                                    .dst = 0x0a000001},
                                  packet);

        peer_send_raw(&peer, packet, len);
        PEER_QUIET(&peer);
    }
    assert_int_equal(PEER_COUNT(&peer, tcp_tx),
                     0); /* not to ourselves either */
}

#define TEST(name) PEER_TEST(name, peer_started)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(MUST_1__a_window_of_65535_is_filled),
        TEST(MUST_69__options_have_a_length_and_padding_is_zero),
        TEST(MUST_9__the_number_hangs_on_a_secret),
        TEST(MUST_11__rst_in_syn_received_goes_by_who_opened),
        TEST(SHLD_2__rst_with_text_is_a_rst),
        TEST(MUST_15__without_the_option_segments_have_536_bytes),
        TEST(MUST_67__mss_is_the_mtu_less_40),
        TEST(MUST_24_27__keepalive_is_switched_and_its_times_are_set),
        TEST(MUST_26__no_keepalive_while_data_is_outstanding),
        TEST(MUST_28__keepalive_waits_two_hours_by_default),
        TEST(MUST_34__a_shrunk_window_lets_nothing_new_out),
        TEST(MUST_35__a_window_shrunk_to_zero_is_probed),
        TEST(SHLD_16__inside_a_shrunk_window_text_comes_again),
        TEST(SHLD_29_30__probes_begin_after_the_rto_and_double),
        TEST(MUST_38__a_sliver_of_window_is_not_used),
        TEST(MAY_8__our_window_may_stay_shut),
        TEST(MUST_41__listening_leaves_a_connection_alone),
        TEST(MUST_42__listening_on_a_port_that_is_opening),
        TEST(MUST_43__a_listener_may_name_its_own_address),
        TEST(MUST_44_45__the_source_is_the_interfaces_and_stays),
        TEST(MUST_63__a_syn_from_an_impossible_source_is_ignored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
