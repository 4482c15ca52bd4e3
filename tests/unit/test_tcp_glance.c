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

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(glance__leaves_the_frames_that_the_steps_leave),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
