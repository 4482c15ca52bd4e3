/*
 * What is seen at a glance and what is found step by step leave the same
 * frames: nearly every segment goes the short way, and the long one must not
 * drift from it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "net/siphash.h"
#include "net/tcp_conn.h"
#include "tests/host/host.h"
#include "tests/host/pair_tcp.h"
#include "tests/host/tcp_scene.h"

#define TEST(name) PEER_TEST(name, peer_started)

enum { TURNS = 60, MS = 1000, SECOND = 1000000 };

static struct pair pair;
static struct tcp_conn *end[2];

/* Of a run: every frame, and how many have text. */
static struct {
    uint64_t hash;
    unsigned frames, texts;
} seen;

static bool see(void *context, const struct wire_frame *frame)
{
    const uint64_t key[2] = {seen.hash, frame->sent_us};

    (void)context;
    seen.hash = siphash_1_3(key, frame->bytes, frame->len);
    seen.hash += frame->flags * 3u + frame->csum_start * 5u +
                 frame->csum_offset * 7u + frame->gso_bytes * 11u;
    seen.frames++;
    seen.texts += frame->len > 100;
    return true;
}

/* From now on, as far as there is something to send. */
static void set_by_steps(bool on)
{
    for (unsigned i = 0; i < 2; i++)
        if (end[i] && end[i]->active)
            end[i]->active->by_steps = on;
}

static void run_for(uint64_t us, bool by_steps)
{
    uint64_t until_us = host_now_us + us;

    while (host_now_us < until_us) {
        uint64_t next_us = pair_next(&pair);

        set_by_steps(by_steps);
        pair_run_until(&pair, next_us < until_us ? next_us : until_us);
    }
}

static void put(unsigned from, uint32_t bytes, bool by_steps)
{
    if (tcp_send_room(end[from]) >= bytes)
        pair_put(pair.net[from], end[from], 0, bytes);
    set_by_steps(by_steps);
}

static void drop(unsigned from)
{
    struct buffer *chain;

    while (tcp_recv(end[from], UINT32_MAX, host_now_us, &chain) == TCP_OK)
        buffer_release(chain);
}

/* Talk in turns; small texts more often than large ones. */
static void talk(bool by_steps)
{
    for (unsigned i = 0; i < TURNS; i++) {
        unsigned from = (unsigned)(host_random() % 2);
        uint32_t most = host_random() % 4 ? 300 : 6000;

        put(from, 1 + (uint32_t)(host_random() % most), by_steps);
        if (host_random() % 3 == 0)
            put(!from, 1 + (uint32_t)(host_random() % most), by_steps);
        run_for(host_random() % (5 * MS), by_steps);
        drop(0);
        drop(1);
        if (host_random() % 10 == 0) { /* so that cwnd is not believed */
            put(from, 60000, by_steps);
            run_for(SECOND, by_steps);
            drop(!from);
            put(from, 100, by_steps);
            run_for(MS / 2, by_steps);
            put(from, 60000, by_steps);
        }
    }
}

static void run(uint64_t seed, bool by_steps)
{
    struct net_config config[2] = {net_config_default(), net_config_default()};
    struct tcp_listener *listener;

    host_seed(seed);
    host_now_us = SECOND;
    memset(&seen, 0, sizeof(seen));
    config[1].tcp.timestamps = seed % 2;
    config[1].tcp.ecn = seed % 3 ? TCP_ECN_OFF : TCP_ECN_ON;
    config[0].tcp.ecn = config[1].tcp.ecn;
    pair_init(&pair, config);
    pair.dev[0].dev.caps = seed % 4 < 2 ? NETDEV_CAP_TX_CSUM : 0;
    if (seed % 4 == 1)
        pair.dev[0].dev.caps |= NETDEV_CAP_TX_GSO_TCP4;
    pair.wire.observe = see;
    pair.wire.to[0].delay_us = pair.wire.to[1].delay_us = MS;
    pair.wire.to[0].loss_ppm = pair.wire.to[1].loss_ppm = seed % 5 ? 0 : 20000;
    listener = pair_listen(&pair);
    end[0] = pair_connect(&pair, 0, listener, &end[1]);
    talk(by_steps);
    put(1, 200, by_steps);
    tcp_shutdown(end[1], host_now_us);
    run_for(SECOND, by_steps);
    drop(0);
    put(0, 200, by_steps);
    tcp_shutdown(end[0], host_now_us);
    run_for(5 * SECOND, by_steps);
    end[0] = end[1] = NULL;
    assert_int_equal(pair_destroy(&pair), 0);
}

static void glance__leaves_the_frames_that_the_steps_leave(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        uint64_t hash;
        unsigned frames;

        run(seed, false);
        hash = seen.hash;
        frames = seen.frames;
        assert_true(seen.texts > TURNS / 2);
        run(seed, true);
        assert_int_equal(seen.frames, frames);
        assert_true(seen.hash == hash);
    }
}

/* ---- what is not seen at a glance ---- */

/* The application sends; nothing leaves yet. */
static void peer_puts(uint32_t bytes)
{
    static const uint8_t text[1000];
    struct buffer *chain = hostnet_chain(net_pool(peer.net), text, bytes);

    assert_int_equal(tcp_send(peer.conn, chain, host_now_us), TCP_OK);
}

/* RFC 9293 3.4: FIN has a number of its own, which must fit the window. */
static void glance__leaves_a_fin_for_which_the_window_is_shut(void **state)
{
    (void)state;
    peer.window = 100;
    peer_open_passive(&peer);
    peer_puts(100);
    tcp_shutdown(peer.conn, host_now_us);
    peer_settle(&peer);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.len, 100);
    assert_int_equal(peer.got.flags, PEER_ACK | PEER_PSH);
    PEER_QUIET(&peer);
    peer_ack(&peer, peer.rcv);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.flags, PEER_ACK | PEER_FIN);
}

/* RFC 2883 4: the next segment says what came twice. */
static void glance__leaves_a_duplicate_that_is_to_be_told(void **state)
{
    (void)state;
    peer.sack = true;
    peer_open_passive(&peer);
    peer_text(&peer, 10, 0);
    peer_take_all(&peer);
    peer_puts(100);
    peer_input(&peer, (struct peer_seg){.seq = peer.nxt - 10,
                                        .ack = peer.rcv,
                                        .flags = PEER_ACK,
                                        .len = 10});
    peer_settle(&peer);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.len, 100);
    assert_int_equal(peer.got.sack_count, 1);
    assert_int_equal(peer.got.sack[0][0], peer.nxt - 10);
    assert_int_equal(peer.got.sack[0][1], peer.nxt);
}

/* RFC 5681 3.2: a peer without SACK is told of each segment by itself, of
 * which the answer is one. */
static void glance__leaves_duplicates_that_are_owed(void **state)
{
    (void)state;
    peer_open_passive(&peer);
    for (uint32_t i = 3; i > 0; i--)
        peer_input(&peer, (struct peer_seg){.seq = peer.nxt + 10 * (i - 1),
                                            .ack = peer.rcv,
                                            .flags = PEER_ACK,
                                            .len = 10});
    peer.nxt += 30;
    peer_puts(100);
    peer_settle(&peer);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.len, 100);
    peer_expect_acked(&peer);
    PEER_QUIET(&peer);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(glance__leaves_the_frames_that_the_steps_leave),
        TEST(glance__leaves_a_fin_for_which_the_window_is_shut),
        TEST(glance__leaves_a_duplicate_that_is_to_be_told),
        TEST(glance__leaves_duplicates_that_are_owed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
