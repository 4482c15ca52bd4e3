/*
 * SYN cookies (RFC 4987 3.6; row S34 of the bad inputs): what is kept, for how
 * long, and what is no cookie.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/host.h"
#include "tests/host/tcp_scene.h"

#define SECOND 1000000ull

static void listen_when(enum tcp_cookies_when when, uint32_t backlog,
                        uint32_t syn_backlog)
{
    peer_listen(&peer, backlog, syn_backlog);
    assert_int_equal(
        tcp_listener_set(peer.listener, TCP_OPTION_SYN_COOKIES, when),
        TCP_SET_OK);
}

/* A SYN with the peer's options; its answer is a cookie. */
static void get_cookie(void)
{
    uint64_t before = PEER_COUNT(&peer, tcp_cookie_sent);

    peer_syn(&peer);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.flags, PEER_SYN | PEER_ACK);
    assert_int_equal(peer.got.ack, PEER_ISS + 1);
    assert_int_equal(PEER_COUNT(&peer, tcp_cookie_sent), before + 1);
}

static void accept_one(void)
{
    peer.conn = tcp_accept(peer.listener);
    assert_non_null(peer.conn);
    assert_true(peer_state_is(&peer, "ESTABLISHED"));
}

/* ---- what they are for ---- */

static void always__a_syn_leaves_nothing_behind(void **state)
{
    struct net_memory before, after;

    (void)state;
    listen_when(TCP_COOKIES_ALWAYS, 8, 8);
    net_memory_get(peer.net, &before);
    get_cookie();
    net_memory_get(peer.net, &after);
    assert_int_equal(after.conns, 0);
    assert_int_equal(after.pages, before.pages);
    PEER_QUIET(&peer);
    peer_wait(&peer, 10 * SECOND); /* nothing to repeat */
    PEER_QUIET(&peer);
    peer_ack(&peer, peer.rcv);
    accept_one();
    assert_int_equal(peer.acceptables, 1);
    PEER_QUIET(&peer);
}

static void auto__only_when_the_queue_is_full(void **state)
{
    (void)state;
    listen_when(TCP_COOKIES_AUTO, 8, 1);
    peer_send(&peer,
              (struct peer_seg){.seq = 5, .flags = PEER_SYN, .src_port = 3000});
    assert_int_equal(peer_take_all(&peer), 1);
    assert_int_equal(PEER_COUNT(&peer, tcp_cookie_sent), 0);
    assert_int_equal(peer_memory(&peer).conns, 1);
    get_cookie();
    assert_int_equal(peer_memory(&peer).conns, 1);
    peer_ack(&peer, peer.rcv);
    accept_one();
}

static void auto__also_when_there_is_no_control_block(void **state)
{
    (void)state;
    peer_end(&peer);
    peer_prepare(&peer);
    peer.config.tcp.conns_max = 1;
    peer_start(&peer);
    listen_when(TCP_COOKIES_AUTO, 8, 8);
    peer_send(&peer,
              (struct peer_seg){.seq = 5, .flags = PEER_SYN, .src_port = 3000});
    assert_int_equal(peer_take_all(&peer), 1);
    get_cookie();
    peer_ack(&peer, peer.rcv); /* still none: as if it were lost */
    PEER_QUIET(&peer);
    peer_send(&peer,
              (struct peer_seg){.seq = 6, .flags = PEER_RST, .src_port = 3000});
    peer_ack(&peer, peer.rcv);
    accept_one();
}

static void never__beyond_the_queue_a_syn_is_dropped(void **state)
{
    (void)state;
    listen_when(TCP_COOKIES_NEVER, 8, 0);
    peer_syn(&peer);
    PEER_QUIET(&peer);
    assert_int_equal(PEER_COUNT(&peer, tcp_syn_full), 1);
}

/* ---- what is kept ---- */

static void mss__the_largest_of_eight_that_the_peer_can_take(void **state)
{
    static const uint16_t rows[][2] = {
        {1, 64},      {255, 64},    {256, 256},   {536, 536},   {1219, 536},
        {1220, 1220}, {1400, 1360}, {1448, 1440}, {1460, 1460}, {9000, 1460}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        peer_end(&peer);
        peer_prepare(&peer);
        peer_start(&peer);
        peer.mss = rows[i][0];
        listen_when(TCP_COOKIES_ALWAYS, 8, 8);
        get_cookie();
        peer_ack(&peer, peer.rcv);
        accept_one();
        assert_int_equal(peer_info(&peer).mss_bytes, rows[i][1]);
    }
}

static void mss__without_the_option_is_the_default(void **state)
{
    (void)state;
    peer.mss = 0;
    listen_when(TCP_COOKIES_ALWAYS, 8, 8);
    get_cookie();
    peer_ack(&peer, peer.rcv);
    accept_one();
    assert_int_equal(peer_info(&peer).mss_bytes, 536);
}

static void S34__with_timestamps_scale_and_sack_are_kept(void **state)
{
    (void)state;
    for (int shift = -1; shift <= 14; shift++) {
        peer_end(&peer);
        peer_prepare(&peer);
        peer_start(&peer);
        peer.timestamps = true;
        peer.ts = 77;
        peer.sack = shift & 1;
        peer.shift = shift;
        listen_when(TCP_COOKIES_ALWAYS, 8, 8);
        get_cookie();
        assert_true(peer.got.has_timestamps);
        assert_int_equal(peer.got.ts_ecr, 77);
        assert_int_equal(peer.got.has_shift, shift >= 0);
        assert_int_equal(peer.got.sack_permitted, shift & 1);
        peer.window = 3;
        peer_ack(&peer, peer.rcv);
        accept_one();
        assert_int_equal(peer_info(&peer).snd_wnd_bytes,
                         3u << (shift < 0 ? 0 : shift));
        assert_int_equal(peer_info(&peer).sack, shift & 1);
        assert_true(peer_info(&peer).timestamps);
    }
}

/* RFC 3168 6.1.1: ECE and CWR in the SYN, ECE in its answer. */
static void S34__with_timestamps_ecn_is_kept(void **state)
{
    static const struct {
        bool timestamps;
        uint8_t flags, tos;
        bool ecn;
    } rows[] = {{true, PEER_ECE | PEER_CWR, 0, true},
                {true, PEER_ECE | PEER_CWR, 3, false}, /* marked itself */
                {true, PEER_ECE, 0, false},
                {false, PEER_ECE | PEER_CWR, 0, false}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        peer_end(&peer);
        peer_prepare(&peer);
        peer_start(&peer);
        peer.timestamps = rows[i].timestamps;
        peer.ts = 5;
        listen_when(TCP_COOKIES_ALWAYS, 8, 8);
        peer_send(&peer, (struct peer_seg){.seq = PEER_ISS,
                                           .flags = PEER_SYN | rows[i].flags,
                                           .tos = rows[i].tos});
        assert_true(peer_take(&peer));
        assert_int_equal(peer.got.flags,
                         PEER_SYN | PEER_ACK | (rows[i].ecn ? PEER_ECE : 0));
        peer.nxt = PEER_ISS + 1;
        peer_ack(&peer, peer.rcv);
        accept_one();
        assert_int_equal(peer_info(&peer).ecn, rows[i].ecn);
    }
}

static void S34__without_timestamps_scale_and_sack_are_not_offered(void **state)
{
    (void)state;
    peer.shift = 7;
    peer.sack = true;
    listen_when(TCP_COOKIES_ALWAYS, 8, 8);
    get_cookie();
    assert_true(peer.got.has_mss);
    assert_false(peer.got.has_shift);
    assert_false(peer.got.sack_permitted);
    assert_false(peer.got.has_timestamps);
    peer_ack(&peer, peer.rcv);
    accept_one();
    assert_int_equal(peer_info(&peer).snd_wnd_bytes, peer.window);
    assert_int_equal(peer_info(&peer).rcv_wnd_shift, 0);
}

/* Else PAWS of the peer would drop what follows (RFC 7323 5.3). */
static void timestamp__of_a_cookie_is_not_ahead_of_the_clock(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        uint32_t in_cookie;

        peer_end(&peer);
        peer_prepare(&peer);
        peer_start(&peer);
        host_now_us += i * 1000;
        peer.timestamps = true;
        peer.sack = true;
        peer.shift = 14;
        listen_when(TCP_COOKIES_ALWAYS, 8, 8);
        get_cookie();
        in_cookie = peer.got.ts_val;
        peer_ack(&peer, peer.rcv);
        accept_one();
        peer_app_send(&peer, 1);
        assert_true(peer_take(&peer));
        assert_in_range(peer.got.ts_val - in_cookie, 0, 64);
    }
}

static void listener_options__are_the_childs(void **state)
{
    (void)state;
    listen_when(TCP_COOKIES_ALWAYS, 8, 8);
    assert_int_equal(tcp_listener_set(peer.listener, TCP_OPTION_TTL, 9),
                     TCP_SET_OK);
    get_cookie();
    peer_ack(&peer, peer.rcv);
    accept_one();
    assert_true(tcp_get(peer.conn, TCP_OPTION_TTL) == 9);
}

static void S34__data_and_fin_on_the_ack_count(void **state)
{
    (void)state;
    listen_when(TCP_COOKIES_ALWAYS, 8, 8);
    get_cookie();
    peer_text(&peer, 100, PEER_FIN);
    peer.conn = tcp_accept(peer.listener);
    assert_true(peer_state_is(&peer, "CLOSE-WAIT"));
    assert_int_equal(peer_app_recv(&peer, 200), 100);
}

/* How long ago the SYN-ACK left, nobody knows. */
static void rtt__is_not_measured(void **state)
{
    (void)state;
    listen_when(TCP_COOKIES_ALWAYS, 8, 8);
    get_cookie();
    host_now_us += 5 * SECOND;
    peer_ack(&peer, peer.rcv);
    accept_one();
    assert_true(peer_info(&peer).srtt_us == 0);
    assert_true(peer_info(&peer).rto_us == SECOND);
}

/* ---- what is no cookie ---- */

static void S34__a_forged_one_is_reset(void **state)
{
    (void)state;
    listen_when(TCP_COOKIES_ALWAYS, 8, 8);
    get_cookie();
    for (unsigned bit = 3; bit < 32; bit++) {
        peer_ack(&peer, ((peer.rcv - 1) ^ 1u << bit) + 1);
        assert_true(peer_take(&peer));
        assert_int_equal(peer.got.flags, PEER_RST);
    }
    assert_int_equal(PEER_COUNT(&peer, tcp_cookie_bad), 29);
    assert_int_equal(peer_memory(&peer).conns, 0);
}

static void S34__it_is_of_one_address_and_one_number(void **state)
{
    (void)state;
    listen_when(TCP_COOKIES_ALWAYS, 8, 8);
    get_cookie();
    peer_send(&peer, (struct peer_seg){.seq = peer.nxt,
                                       .ack = peer.rcv,
                                       .flags = PEER_ACK,
                                       .src_port = PEER_PORT + 1});
    peer_send(&peer, (struct peer_seg){.seq = peer.nxt + 1,
                                       .ack = peer.rcv,
                                       .flags = PEER_ACK});
    assert_int_equal(peer_take_all(&peer), 2);
    assert_int_equal(PEER_COUNT(&peer, tcp_cookie_bad), 2);
    assert_int_equal(peer_memory(&peer).conns, 0);
}

/* At least 64 seconds, at most 128. */
static void S34__it_expires(void **state)
{
    (void)state;
    listen_when(TCP_COOKIES_ALWAYS, 8, 8);
    get_cookie();
    host_now_us += 64 * SECOND;
    peer_ack(&peer, peer.rcv);
    accept_one();
    tcp_abort(peer.conn, host_now_us);
    tcp_release(peer.conn, host_now_us);
    peer.conn = NULL;
    peer_take_all(&peer);

    get_cookie();
    host_now_us += 128 * SECOND;
    peer_ack(&peer, peer.rcv);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.flags, PEER_RST);
}

/* ... although others were sent meanwhile. */
static void S34__it_expires_while_others_do_not(void **state)
{
    uint32_t old;

    (void)state;
    listen_when(TCP_COOKIES_ALWAYS, 8, 8);
    get_cookie();
    old = peer.rcv;
    host_now_us += 128 * SECOND;
    get_cookie();
    assert_int_not_equal(peer.rcv, old);
    peer_ack(&peer, old);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.flags, PEER_RST);
    peer_ack(&peer, peer.rcv);
    accept_one();
}

static void
S34__replayed_while_the_connection_is_there_changes_nothing(void **state)
{
    (void)state;
    listen_when(TCP_COOKIES_ALWAYS, 8, 8);
    get_cookie();
    peer_ack(&peer, peer.rcv);
    accept_one();
    peer_ack(&peer, peer.rcv);
    assert_int_equal(peer_memory(&peer).conns, 1);
    assert_int_equal(PEER_COUNT(&peer, tcp_cookie_taken), 1);
    assert_true(peer_state_is(&peer, "ESTABLISHED"));
}

/* Nobody pays for hashes, nor guesses, while none is on its way. */
static void none_sent__an_ack_is_reset_unseen(void **state)
{
    (void)state;
    listen_when(TCP_COOKIES_AUTO, 8, 8);
    peer_send(&peer, (struct peer_seg){
                         .seq = 5, .ack = 6, .flags = PEER_ACK, .len = 10});
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.flags, PEER_RST);
    assert_int_equal(PEER_COUNT(&peer, tcp_cookie_bad), 0);
}

static void T9__a_syn_ack_or_rst_carries_none(void **state)
{
    (void)state;
    listen_when(TCP_COOKIES_ALWAYS, 8, 8);
    get_cookie();
    peer_send(&peer, (struct peer_seg){.seq = peer.nxt,
                                       .ack = peer.rcv,
                                       .flags = PEER_ACK | PEER_SYN});
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.flags, PEER_RST);
    peer_send(&peer, (struct peer_seg){.seq = peer.nxt,
                                       .ack = peer.rcv,
                                       .flags = PEER_ACK | PEER_RST});
    PEER_QUIET(&peer);
    assert_int_equal(peer_memory(&peer).conns, 0);
}

/* ---- the rest of the world ---- */

static void
S33__a_full_accept_queue_drops_it_and_it_may_come_again(void **state)
{
    (void)state;
    listen_when(TCP_COOKIES_ALWAYS, 0, 8);
    get_cookie();
    peer_ack(&peer, peer.rcv);
    PEER_QUIET(&peer);
    assert_int_equal(PEER_COUNT(&peer, tcp_backlog_full), 1);
    assert_int_equal(peer_memory(&peer).conns, 0);
}

/* The last ACK and the first text were lost: what comes next fits no cookie,
 * and must not end what the peer believes to be open. */
static void S34__text_that_fits_none_is_dropped_not_reset(void **state)
{
    (void)state;
    listen_when(TCP_COOKIES_ALWAYS, 8, 8);
    get_cookie();
    peer_send(&peer, (struct peer_seg){.seq = peer.nxt + 100,
                                       .ack = peer.rcv,
                                       .flags = PEER_ACK,
                                       .len = 100});
    PEER_QUIET(&peer);
    peer_text(&peer, 100, 0);
    accept_one();
    assert_int_equal(peer_app_recv(&peer, 200), 100);
}

static void S38__whose_listener_is_gone_is_reset(void **state)
{
    (void)state;
    listen_when(TCP_COOKIES_ALWAYS, 8, 8);
    get_cookie();
    tcp_unlisten(peer.listener, host_now_us);
    peer_ack(&peer, peer.rcv);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.flags, PEER_RST);
}

static struct tcp_listener *asked(void *context, uint16_t port)
{
    struct tcp_peer *of = context;

    (void)port;
    of->acceptables += 100;
    return of->listener;
}

/* The mapping of ports is asked again when the last ACK arrives. */
static void query__is_asked_again_for_the_last_ack(void **state)
{
    struct tcp_listen_options options = {.backlog = 1, .syn_backlog = 0};

    (void)state;
    assert_int_equal(tcp_listen(peer.net, 0, &options, &peer.listener),
                     TCP_LISTEN_OK);
    tcp_set_listener_query(peer.net, asked, &peer);
    get_cookie();
    assert_int_equal(peer.acceptables, 100);
    peer_ack(&peer, peer.rcv);
    assert_int_equal(peer.acceptables, 200);
    accept_one();
}

#define TEST(name) PEER_TEST(name, peer_started)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(always__a_syn_leaves_nothing_behind),
        TEST(auto__only_when_the_queue_is_full),
        TEST(auto__also_when_there_is_no_control_block),
        TEST(never__beyond_the_queue_a_syn_is_dropped),
        TEST(mss__the_largest_of_eight_that_the_peer_can_take),
        TEST(mss__without_the_option_is_the_default),
        TEST(S34__with_timestamps_scale_and_sack_are_kept),
        TEST(S34__with_timestamps_ecn_is_kept),
        TEST(S34__without_timestamps_scale_and_sack_are_not_offered),
        TEST(timestamp__of_a_cookie_is_not_ahead_of_the_clock),
        TEST(listener_options__are_the_childs),
        TEST(S34__data_and_fin_on_the_ack_count),
        TEST(rtt__is_not_measured),
        TEST(S34__a_forged_one_is_reset),
        TEST(S34__it_is_of_one_address_and_one_number),
        TEST(S34__it_expires),
        TEST(S34__it_expires_while_others_do_not),
        TEST(S34__replayed_while_the_connection_is_there_changes_nothing),
        TEST(none_sent__an_ack_is_reset_unseen),
        TEST(T9__a_syn_ack_or_rst_carries_none),
        TEST(S33__a_full_accept_queue_drops_it_and_it_may_come_again),
        TEST(S34__text_that_fits_none_is_dropped_not_reset),
        TEST(S38__whose_listener_is_gone_is_reset),
        TEST(query__is_asked_again_for_the_last_ack),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
