/*
 * Passive opens: handshakes told, repeated and given up; backlogs; memory that
 * is missing. Active ones: test_tcp_connect.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/host.h"
#include "tests/host/tcp_scene.h"

#define SECOND 1000000ull

static void listen__a_handshake_is_told_and_accepted(void **state)
{
    (void)state;
    peer_open_passive(&peer);
    assert_int_equal(peer.acceptables, 1);
    assert_true(peer_state_is(&peer, "ESTABLISHED"));
    assert_int_equal(tcp_endpoints(peer.conn).peer_port, PEER_PORT);
    assert_null(tcp_accept(peer.listener));
}

static void accept__what_is_taken_then_no_event_tells(void **state)
{
    const unsigned expected =
        TCP_CHANGE_OPEN | TCP_CHANGE_WRITABLE | TCP_CHANGE_READABLE;

    (void)state;
    peer_listen(&peer, 8, 8);
    peer_syn(&peer);
    assert_true(peer_take(&peer));
    peer_text(&peer, 10, 0);
    peer.conn = tcp_accept(peer.listener);
    assert_int_equal(tcp_take_changes(peer.conn), expected);
    assert_int_equal(tcp_take_changes(peer.conn), 0);
    peer_settle(&peer);
    assert_int_equal(peer.changes, 0);
    peer_text(&peer, 10, 0);
    assert_int_equal(peer.changes, TCP_CHANGE_READABLE);
}

static void accept__what_is_not_taken_an_event_tells(void **state)
{
    (void)state;
    peer_listen(&peer, 8, 8);
    peer_syn(&peer);
    assert_true(peer_take(&peer));
    peer_text(&peer, 10, 0);
    peer.conn = tcp_accept(peer.listener);
    peer_settle(&peer);
    assert_true(peer.changes & TCP_CHANGE_READABLE);
}

static void syn_ack__offers_mss_and_scale_only_to_who_scales(void **state)
{
    (void)state;
    peer_listen(&peer, 8, 8);
    peer_syn(&peer);
    assert_true(peer_take(&peer));
    assert_true(peer.got.has_mss);
    assert_int_equal(peer.got.mss, 1460);
    assert_false(peer.got.has_shift);
}

static void syn__its_window_is_never_scaled(void **state)
{
    (void)state;
    peer.shift = 7;
    peer.window = 1000;
    peer_listen(&peer, 8, 8);
    peer_syn(&peer);
    assert_true(peer_take(&peer));
    assert_true(peer.got.has_shift);
    assert_int_equal(peer.got.window, 65535);
    peer_accept(&peer);

    assert_int_equal(peer_info(&peer).snd_wnd_bytes, 128000);
    peer_text(&peer, 2000, 0);
    assert_true(peer_take(&peer));
    assert_true((uint32_t)peer.got.window << peer_info(&peer).rcv_wnd_shift >
                65535 - 2000 - 8);
}

static void S12__a_repeated_syn_makes_no_second_half(void **state)
{
    (void)state;
    peer_listen(&peer, 8, 8);
    peer_syn(&peer);
    assert_int_equal(peer_take_all(&peer), 1);
    peer_syn(&peer);
    assert_int_equal(peer_memory(&peer).conns, 1);
    peer_take_all(&peer);
    peer_ack(&peer, PEER_STACK_ISS + 1);
    peer.conn = tcp_accept(peer.listener);
    assert_non_null(peer.conn);

    peer_wait(&peer, 200 * SECOND);
    assert_true(peer_state_is(&peer, "ESTABLISHED"));
}

static void syn_ack__again_is_the_same(void **state)
{
    struct peer_seg first;
    uint8_t options[40];

    (void)state;
    peer.shift = 3;
    peer_listen(&peer, 8, 8);
    peer_syn(&peer);
    assert_true(peer_take(&peer));
    first = peer.got;
    memcpy(options, first.options, first.options_len);

    peer_wait(&peer, 1 * SECOND);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.seq, first.seq);
    assert_int_equal(peer.got.ack, first.ack);
    assert_int_equal(peer.got.window, first.window);
    assert_int_equal(peer.got.options_len, first.options_len);
    assert_memory_equal(peer.got.options, options, first.options_len);
}

static void syn_received__is_given_up_after_its_time(void **state)
{
    (void)state;
    peer_listen(&peer, 8, 8);
    peer_syn(&peer);
    peer_wait(&peer, 61 * SECOND);
    assert_int_equal(peer_memory(&peer).conns, 0);
    assert_in_range(peer_take_all(&peer), 5, 8);
}

static void S11__an_ack_to_a_listener_is_reset(void **state)
{
    (void)state;
    peer_listen(&peer, 8, 8);
    peer_send(&peer, (struct peer_seg){
                         .seq = 1, .ack = 77, .flags = PEER_SYN | PEER_ACK});
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.flags, PEER_RST);
    assert_int_equal(peer.got.seq, 77);
}

static void closed_port__is_reset(void **state)
{
    (void)state;
    peer_send(&peer,
              (struct peer_seg){.seq = 100, .flags = PEER_SYN, .len = 10});
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.flags, PEER_RST | PEER_ACK);
    assert_int_equal(peer.got.ack, 111);
}

static void S7__rst_against_a_half_open_one_must_be_exact(void **state)
{
    (void)state;
    peer_listen(&peer, 8, 8);
    peer_syn(&peer);
    peer_take_all(&peer);
    peer_send(&peer, (struct peer_seg){.seq = peer.nxt + 1, .flags = PEER_RST});
    assert_int_equal(peer_memory(&peer).conns, 1);
    peer_send(&peer, (struct peer_seg){.seq = peer.nxt, .flags = PEER_RST});
    assert_int_equal(peer_memory(&peer).conns, 0);
}

static void listen_without_cookies(uint32_t backlog, uint32_t syn_backlog)
{
    peer_listen(&peer, backlog, syn_backlog);
    assert_int_equal(tcp_listener_set(peer.listener, TCP_OPTION_SYN_COOKIES,
                                      TCP_COOKIES_NEVER),
                     TCP_SET_OK);
}

static void syn_backlog__beyond_it_a_syn_is_dropped(void **state)
{
    (void)state;
    listen_without_cookies(8, 2);
    for (uint16_t i = 0; i < 3; i++)
        peer_send(&peer, (struct peer_seg){.seq = 5,
                                           .flags = PEER_SYN,
                                           .src_port = (uint16_t)(3000 + i)});
    assert_int_equal(peer_take_all(&peer), 2);
    assert_int_equal(PEER_COUNT(&peer, tcp_syn_full), 1);
}

/* Who has not answered a first SYN-ACK makes room, so a flood of SYNs that
 * nobody goes on with has to go on itself to keep others out. */
static void syn_backlog__the_silent_make_room_after_a_second(void **state)
{
    (void)state;
    listen_without_cookies(8, 2);
    for (uint16_t i = 0; i < 2; i++)
        peer_send(&peer, (struct peer_seg){.seq = 5,
                                           .flags = PEER_SYN,
                                           .src_port = (uint16_t)(3000 + i)});
    peer_wait(&peer, SECOND + SECOND / 2);
    peer_take_all(&peer);
    peer_syn(&peer);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.flags, PEER_SYN | PEER_ACK);
    assert_int_equal(PEER_COUNT(&peer, tcp_syn_full), 1);
    peer_accept(&peer);
}

/* ... but not who has, and waits for the application. */
static void syn_backlog__who_waits_to_be_accepted_keeps_the_place(void **state)
{
    (void)state;
    listen_without_cookies(0, 1);
    peer_syn(&peer);
    assert_true(peer_take(&peer));
    peer_ack(&peer, peer.rcv);
    assert_int_equal(PEER_COUNT(&peer, tcp_backlog_full), 1);
    peer_wait(&peer, SECOND + SECOND / 2);
    peer_take_all(&peer);
    peer_send(&peer,
              (struct peer_seg){.seq = 5, .flags = PEER_SYN, .src_port = 3000});
    PEER_QUIET(&peer);
    assert_int_equal(PEER_COUNT(&peer, tcp_syn_full), 1);
}

static void S33__beyond_the_backlog_the_last_ack_is_dropped(void **state)
{
    (void)state;
    peer_listen(&peer, 1, 8);
    peer_syn(&peer);
    assert_true(peer_take(&peer));
    peer_ack(&peer, peer.rcv);
    peer_open_from(&peer, 3000);
    PEER_QUIET(&peer);
    assert_int_equal(PEER_COUNT(&peer, tcp_backlog_full), 1);

    /* Room again: what the peer repeats completes it. */
    peer.conn = tcp_accept(peer.listener);
    peer_send(&peer, (struct peer_seg){.seq = 6,
                                       .ack = peer.rcv,
                                       .flags = PEER_ACK,
                                       .src_port = 3000,
                                       .len = 3});
    tcp_release(peer.conn, host_now_us);
    peer.conn = tcp_accept(peer.listener);
    assert_non_null(peer.conn);
    assert_int_equal(tcp_recv_ready(peer.conn), 3);
}

static void S38__unlisten_resets_what_waits(void **state)
{
    (void)state;
    peer_listen(&peer, 8, 8);
    peer_syn(&peer);
    assert_true(peer_take(&peer));
    peer_ack(&peer, peer.rcv);
    tcp_unlisten(peer.listener, host_now_us);
    peer_settle(&peer);
    assert_true(peer_take(&peer));
    assert_true(peer.got.flags & PEER_RST);
    assert_int_equal(peer_memory(&peer).conns, 0);
}

static void listen__twice_on_a_port_is_in_use(void **state)
{
    struct tcp_listen_options options = {.backlog = 1, .syn_backlog = 1};
    struct tcp_listener *second;

    (void)state;
    peer_listen(&peer, 8, 8);
    assert_int_equal(tcp_listen(peer.net, PEER_OUR_PORT, &options, &second),
                     TCP_LISTEN_IN_USE);
    options.local = IPV4_ADDR(10, 0, 0, 1); /* MUST-43 */
    assert_int_equal(tcp_listen(peer.net, PEER_OUR_PORT, &options, &second),
                     TCP_LISTEN_OK);
}

static struct tcp_listener *asked(void *context, uint16_t port)
{
    struct tcp_peer *of = context;

    return port == PEER_OUR_PORT ? of->listener : NULL;
}

static void query__is_asked_at_syn_time(void **state)
{
    struct tcp_listen_options options = {.backlog = 1, .syn_backlog = 1};

    (void)state;
    assert_int_equal(tcp_listen(peer.net, 0, &options, &peer.listener),
                     TCP_LISTEN_OK);
    tcp_set_listener_query(peer.net, asked, &peer);
    peer_syn(&peer);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.flags, PEER_SYN | PEER_ACK);
    peer_send(&peer,
              (struct peer_seg){.seq = 1, .flags = PEER_SYN, .dst_port = 81});
    assert_true(peer_take(&peer));
    assert_true(peer.got.flags & PEER_RST);
}

static void S39__any_allocation_may_fail_and_nothing_leaks(void **state)
{
    (void)state;
    peer_end(&peer);
    for (unsigned fail = 1; fail < 24; fail++) {
        struct tcp_listen_options options = {.backlog = 4, .syn_backlog = 4};

        peer_prepare(&peer);
        peer_start(&peer);
        peer.host.fail_at = peer.host.asked + fail;
        peer.host.fail_after = fail & 1;
        if (tcp_listen(peer.net, PEER_OUR_PORT, &options, &peer.listener) ==
            TCP_LISTEN_OK) {
            uint8_t packet[100];
            uint32_t len = peer_build(
                &peer, (struct peer_seg){.seq = PEER_ISS, .flags = PEER_SYN},
                packet);
            struct buffer *buf =
                buffer_alloc(net_pool(peer.net), BUFFER_LARGE, 0);

            if (buf) {
                memcpy(buf->data, packet, len);
                buf->len = len;
                net_input_packet(peer.net, buf, host_now_us);
            }
            peer_settle(&peer);
        }
        peer_end(&peer);
    }
    peer_prepare(&peer);
    peer_start(&peer);
}

#define TEST(name) PEER_TEST(name, peer_started)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(listen__a_handshake_is_told_and_accepted),
        TEST(accept__what_is_taken_then_no_event_tells),
        TEST(accept__what_is_not_taken_an_event_tells),
        TEST(syn_ack__offers_mss_and_scale_only_to_who_scales),
        TEST(syn__its_window_is_never_scaled),
        TEST(S12__a_repeated_syn_makes_no_second_half),
        TEST(syn_ack__again_is_the_same),
        TEST(syn_received__is_given_up_after_its_time),
        TEST(S11__an_ack_to_a_listener_is_reset),
        TEST(closed_port__is_reset),
        TEST(S7__rst_against_a_half_open_one_must_be_exact),
        TEST(syn_backlog__beyond_it_a_syn_is_dropped),
        TEST(syn_backlog__the_silent_make_room_after_a_second),
        TEST(syn_backlog__who_waits_to_be_accepted_keeps_the_place),
        TEST(S33__beyond_the_backlog_the_last_ack_is_dropped),
        TEST(S38__unlisten_resets_what_waits),
        TEST(listen__twice_on_a_port_is_in_use),
        TEST(query__is_asked_at_syn_time),
        TEST(S39__any_allocation_may_fail_and_nothing_leaks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
