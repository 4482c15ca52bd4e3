/*
 * HyStart++: leaving slow start before the queue is full. RFC 9406 4.2, 4.3.
 *
 * The control is called as the rest of TCP calls it, with a window of data
 * really in flight, and each round of eight samples told by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/tcp_cc.h"
#include "net/tcp_conn.h"
#include "tests/host/tcp_scene.h"

enum { SEGMENTS = 40, BYTES = 1000, MS = 1000 };

static struct tcp_conn *conn;

static int setup(void **state)
{
    (void)state;
    peer_prepare(&peer);
    peer.shift = 8;
    peer_start(&peer);
    peer_open_passive(&peer);
    conn = peer.conn;
    peer_app_send(&peer, 200000);
    peer_take_all(&peer);
    return 0;
}

/* One round: `samples` measurements, each with a segment acknowledged; by how
 * much cwnd grows in it. The window in flight stays as it is. */
static uint32_t a_round(unsigned samples, uint32_t rtt_us)
{
    uint32_t before = conn->cwnd;

    conn->active->hystart.round_end = conn->snd.una; /* the last one ends */
    conn->cwnd_limited = true;
    tcp_cc_acked(conn, 0);
    for (unsigned i = 0; i < SEGMENTS; i++) {
        conn->cwnd_limited = true;
        if (i < samples)
            tcp_cc_rtt(conn, rtt_us);
        tcp_cc_acked(conn, BYTES);
    }
    return conn->cwnd - before;
}

/* The window doubles as long as the round trip stays. */
static void rtt__that_stays_leaves_slow_start_alone(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(a_round(8, 50 * MS), SEGMENTS * BYTES);
    assert_int_equal(conn->ssthresh, TCP_CWND_MAX);
}

/* RttThresh: an eighth of the last, 4 ms at least, 16 at most. */
static void
rtt__that_rises_by_the_threshold_slows_growth_to_a_quarter(void **state)
{
    static const struct {
        uint32_t before, rise;
    } table[] = {{8, 4}, {80, 10}, {400, 16}};

    for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
        uint32_t before = table[i].before * MS, rise = table[i].rise * MS;

        a_round(8, before);
        assert_int_equal(a_round(8, before + rise - 1), SEGMENTS * BYTES);
        a_round(8, before);
        /* Seven segments at the old pace, until there are eight samples. */
        assert_int_equal(a_round(8, before + rise), 7 * BYTES + 33 * BYTES / 4);
        peer_end(&peer);
        setup(state);
    }
}

/* Fewer samples say nothing: N_RTT_SAMPLE. */
static void rtt__of_few_samples_is_not_believed(void **state)
{
    (void)state;
    a_round(8, 50 * MS);
    assert_int_equal(a_round(7, 200 * MS), SEGMENTS * BYTES);
    a_round(7, 50 * MS);
    assert_int_equal(a_round(8, 200 * MS), SEGMENTS * BYTES);
}

/* CSS_ROUNDS: then the window is found. */
static void rise__that_stays_ends_slow_start_after_five_rounds(void **state)
{
    (void)state;
    a_round(8, 50 * MS);
    a_round(8, 60 * MS);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(a_round(8, 60 * MS), SEGMENTS * BYTES / 4);
        assert_int_equal(conn->ssthresh, TCP_CWND_MAX);
    }
    a_round(8, 60 * MS);
    assert_true(conn->ssthresh <= conn->cwnd);
    assert_int_equal(PEER_COUNT(&peer, tcp_slow_start_left), 1);
}

/* "... the CSS phase ... was spurious": slow start goes on. */
static void rise__that_passes_was_a_mistake(void **state)
{
    (void)state;
    a_round(8, 50 * MS);
    a_round(8, 60 * MS);
    a_round(8, 55 * MS);
    assert_int_equal(a_round(8, 55 * MS), SEGMENTS * BYTES);
    for (unsigned i = 0; i < 10; i++)
        a_round(8, 55 * MS);
    assert_int_equal(conn->ssthresh, TCP_CWND_MAX);
}

/* Later slow starts have a threshold: 4.3. */
static void later__slow_starts_are_left_alone(void **state)
{
    (void)state;
    conn->ssthresh = 1000000;
    a_round(8, 50 * MS);
    assert_int_equal(a_round(8, 200 * MS), SEGMENTS * BYTES);
}

#define TEST(name) PEER_TEST(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rtt__that_stays_leaves_slow_start_alone),
        TEST(rtt__that_rises_by_the_threshold_slows_growth_to_a_quarter),
        TEST(rtt__of_few_samples_is_not_believed),
        TEST(rise__that_stays_ends_slow_start_after_five_rounds),
        TEST(rise__that_passes_was_a_mistake),
        TEST(later__slow_starts_are_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
