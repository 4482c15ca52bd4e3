/*
 * Congestion control: CUBIC against the formulas of RFC 9438, which are
 * computed here in floating point; NewReno; what both share.
 *
 * The control is called as the loss detector calls it, with a window of data
 * really in flight, and time is set by hand, so that nothing but the control
 * moves cwnd.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/tcp_cc.h"
#include "net/tcp_conn.h"
#include "tests/host/host.h"
#include "tests/host/tcp_scene.h"

#define MS     1000ull
#define SECOND 1000000ull
#define MSS    1000.0
#define C      0.4 /* RFC 9438 5.1 */
#define BETA   0.7 /* RFC 9438 4.6 */
#define ALPHA  (3 * (1 - BETA) / (1 + BETA))

static struct tcp_conn *conn;

/* A connection with `segments` of 1000 bytes in flight, its window full. */
static void fly(enum tcp_congestion congestion, uint32_t segments)
{
    peer_prepare(&peer);
    peer.config.tcp.congestion = congestion;
    peer.config.tcp.snd_buf_begin_bytes = 1 << 20;
    peer.shift = 8;
    peer_start(&peer);
    peer_open_passive(&peer);
    conn = peer.conn;
    conn->cwnd = segments * 1000;
    peer_app_send(&peer, 1 << 20);
    peer_take_all(&peer);
    assert_int_equal(tcp_flight(conn), segments * 1000);
    conn->srtt_us = 100 * MS;
}

static int setup(void **state)
{
    (void)state;
    fly(TCP_CONGESTION_CUBIC, 1000);
    return 0;
}

static int setup_small(void **state)
{
    (void)state;
    fly(TCP_CONGESTION_CUBIC, 20);
    return 0;
}

static int setup_newreno(void **state)
{
    (void)state;
    fly(TCP_CONGESTION_NEWRENO, 20);
    return 0;
}

/* Congestion, and recovery from it is over. */
static void congest(void)
{
    tcp_cc_lost(conn);
    conn->cwnd = conn->ssthresh;
}

/* A whole window is acknowledged, `us` later. */
static void window_acked(uint64_t us)
{
    conn->net->now_us += us;
    conn->cwnd_limited = true;
    tcp_cc_acked(conn, conn->cwnd);
}

/* ... and everything that follows. */
static void ack_all(void)
{
    for (unsigned i = 0; i < 1000 && tcp_queued(conn); i++)
        peer_ack(&peer, conn->snd.nxt);
    peer_take_all(&peer);
    assert_int_equal(tcp_queued(conn), 0);
}

static void assert_near(double segments, double off)
{
    double cwnd = conn->cwnd / MSS;

    if (fabs(cwnd - segments) > off)
        fail_msg("cwnd is %.2f segments, not %.2f", cwnd, segments);
}

/* ---- CUBIC ---- */

static void cubic__keeps_seven_tenths_of_what_is_in_flight(void **state)
{
    (void)state;
    tcp_cc_lost(conn);
    assert_int_equal(conn->ssthresh, 700000);
    assert_int_equal(conn->w_max, 1000000);
}

/* Figures 1 and 2: concave up to W_max at K, convex after it. */
static void cubic__follows_its_curve_through_w_max(void **state)
{
    double k = cbrt((1000 - 700) / C), t = 0;

    (void)state;
    congest();
    window_acked(0); /* the epoch begins */
    for (unsigned i = 0; i < 300; i++) {
        double w;

        window_acked(50 * MS);
        t += 0.05;
        w = C * pow(t + 0.1 - k, 3) + 1000; /* a round trip ahead */
        assert_near(w, 1 + w / 500);
    }
    assert_true(t > k + 5);
}

/* Each acknowledged segment adds (target - cwnd) / cwnd of a segment: 4.4. */
static void cubic__small_acks_add_up_to_the_same(void **state)
{
    double cwnd, target, k = cbrt((1000 - 700) / C);

    (void)state;
    congest();
    window_acked(0);
    conn->net->now_us += 500 * MS;
    cwnd = conn->cwnd / MSS;
    target = C * pow(0.6 - k, 3) + 1000;
    for (unsigned i = 0; i < 700; i++) {
        tcp_cc_acked(conn, 1000);
        cwnd += (target - cwnd) / cwnd;
    }
    assert_near(cwnd, 1.5);
}

/* 4.4: however long ago the last acknowledgement was. */
static void cubic__grows_by_half_in_a_round_trip_at_most(void **state)
{
    uint32_t before;

    (void)state;
    congest();
    window_acked(0);
    before = conn->cwnd;
    window_acked(600 * SECOND);
    assert_in_range(conn->cwnd, before + before / 2 - 1000,
                    before + before / 2 + 1000);
}

/* 4.7: congestion below the last W_max. */
static void cubic__gives_way_to_a_newcomer(void **state)
{
    (void)state;
    congest();
    congest();
    assert_int_equal(conn->w_max, 700000 * (1 + BETA) / 2);
    conn->cwnd = 900000;
    congest();
    assert_int_equal(conn->w_max, 900000); /* above it */
}

/* 4.3: W_est, with alpha, and with 1 once it is where cwnd was. */
static void cubic__is_not_slower_than_reno(void **state)
{
    double w_est = 14, cwnd = 14;

    (void)state;
    conn->srtt_us = 1 * MS;
    congest();
    assert_int_equal(conn->cwnd, 14000);
    for (unsigned i = 0; i < 40; i++) {
        w_est += w_est < 20 ? ALPHA : 1;
        cwnd = w_est > cwnd ? w_est : cwnd;
        window_acked(1 * MS);
        assert_near(w_est, 1.5);
    }
    assert_true(w_est > 40);
}

/* 4.8: K is 0, and W_max the window with which avoidance begins. */
static void cubic__begins_flat_after_a_time_out(void **state)
{
    (void)state;
    conn->w_max = 2000000;
    tcp_cc_timed_out(conn);
    assert_int_equal(conn->ssthresh, 700000);
    conn->cwnd = conn->ssthresh;
    window_acked(0);
    assert_int_equal(conn->w_max, 700000);
    for (unsigned i = 1; i <= 100; i++) {
        double t = i * 0.05, w_est = 700 + (i + 1) * ALPHA;

        window_acked(50 * MS);
        assert_near(
            700 + C * pow(t, 3) < w_est ? w_est : 700 + C * pow(t + 0.1, 3), 2);
    }
}

/* 4.2, 5.8: t leaves out the time in which the application had nothing. */
static void cubic__does_not_grow_for_time_that_was_not_used(void **state)
{
    double k = cbrt((1000 - 700) / C), off;
    uint32_t before;

    (void)state;
    congest();
    window_acked(0);
    for (unsigned i = 0; i < 20; i++)
        window_acked(50 * MS);
    before = conn->cwnd;
    conn->cwnd_limited = false;
    conn->net->now_us += 5 * SECOND;
    tcp_cc_acked(conn, 100000);
    assert_int_equal(conn->cwnd, before);
    window_acked(0);
    /* On along the curve from where it stands: W(off) is cwnd. */
    off = k - cbrt((1000 - before / MSS) / C);
    for (unsigned i = 1; i < 20; i++) {
        window_acked(50 * MS);
        assert_near(C * pow(off + i * 0.05 + 0.1 - k, 3) + 1000, 3);
    }
}

static void cubic__a_window_of_one_gigabyte_is_the_most(void **state)
{
    (void)state;
    congest();
    conn->w_max = TCP_CWND_MAX;
    conn->cwnd = conn->ssthresh = TCP_CWND_MAX - TCP_CWND_MAX / 10 * 3;
    window_acked(0);
    for (unsigned i = 0; i < 100; i++)
        window_acked(10 * SECOND);
    assert_in_range(conn->cwnd, TCP_CWND_MAX - 2000, TCP_CWND_MAX + 2000);
    conn->w_max = conn->cwnd = TCP_CWND_MAX + 1000; /* Reno's last step */
    congest();
    conn->cwnd = conn->ssthresh = TCP_CWND_MAX - 5000;
    for (unsigned i = 0; i < 100; i++)
        window_acked(10 * SECOND);
    assert_in_range(conn->cwnd, TCP_CWND_MAX - 6000, TCP_CWND_MAX + 2000);
}

/* ---- NewReno ---- */

static void newreno__halves_and_grows_a_segment_a_window(void **state)
{
    (void)state;
    congest();
    assert_int_equal(conn->cwnd, 10000);
    for (unsigned i = 1; i <= 5; i++) {
        window_acked(1 * MS);
        assert_int_equal(conn->cwnd, 10000 + i * 1000);
    }
}

/* ---- both ---- */

/* RFC 5681 (4). */
static void reduction__leaves_two_segments(void **state)
{
    (void)state;
    ack_all();
    peer_app_send(&peer, 1000);
    tcp_cc_lost(conn);
    assert_int_equal(conn->ssthresh, 2000);
}

/* RFC 4015 3.2 (5): flight and an initial window at once; slow start brings
 * the rest. RFC 9438 4.9.2: W_max comes back. */
static void undo__brings_the_window_back(void **state)
{
    (void)state;
    conn->w_max = 1500000;
    tcp_cc_timed_out(conn);
    conn->cwnd = 1000;
    peer_ack(&peer, conn->snd.una + 600000);
    peer_take_all(&peer);
    conn->cwnd = 1000;
    tcp_cc_undo(conn);
    assert_int_equal(conn->cwnd, tcp_flight(conn) + 10000);
    assert_int_equal(conn->ssthresh, TCP_CWND_MAX);
    assert_int_equal(conn->w_max, 1500000);
    conn->cwnd = 1000; /* once */
    tcp_cc_undo(conn);
    assert_int_equal(conn->cwnd, 1000);
}

static void undo__does_not_go_beyond_what_there_was(void **state)
{
    (void)state;
    conn->ssthresh = 500000;
    congest();
    tcp_cc_undo(conn);
    assert_int_equal(conn->cwnd, 1000000);
    assert_int_equal(conn->ssthresh, 1000000);
}

/* RFC 7661 4.3. */
static void growth__needs_a_window_that_was_used(void **state)
{
    (void)state;
    conn->cwnd_limited = false;
    tcp_cc_acked(conn, 20000);
    assert_int_equal(conn->cwnd, 20000);
}

/* Slow start ends at ssthresh, and avoidance has the rest. */
static void growth__slow_start_ends_at_ssthresh(void **state)
{
    (void)state;
    conn->ssthresh = 25000;
    window_acked(1 * MS);
    assert_in_range(conn->cwnd, 25000, 26000);
}

/* RFC 6928 2: min(10 * MSS, max(2 * MSS, 14600)). */
static void initial_window__is_that_of_rfc_6928(void **state)
{
    static const struct {
        uint16_t mss;
        uint32_t window;
    } table[] = {{536, 5360}, {1460, 14600}, {5000, 14600}, {8960, 17920}};

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
        conn->mss = table[i].mss;
        tcp_cc_opened(conn);
        assert_int_equal(conn->cwnd, table[i].window);
        assert_true(conn->ssthresh >= 1u << 30); /* RFC 5681 3.1: high */
    }
    conn->syn_again = true; /* RFC 5681 3.1: one segment */
    tcp_cc_opened(conn);
    assert_int_equal(conn->cwnd, 8960);
    conn->mss = 1000;
}

/* RFC 5681 4.1: more than a time-out without sending. */
static void idle__begins_again_with_an_initial_window(void **state)
{
    (void)state;
    ack_all();
    conn->cwnd = 100000;
    peer_wait(&peer, 1 * SECOND);
    peer_app_send(&peer, 50000);
    assert_int_equal(peer_take_all(&peer), 10);
}

static void choice__is_of_the_stack_and_of_the_connection(void **state)
{
    (void)state;
    assert_string_equal(peer_info(&peer).congestion, "newreno");
    assert_int_equal(
        tcp_set(conn, TCP_OPTION_CONGESTION, TCP_CONGESTION_CUBIC, host_now_us),
        TCP_SET_OK);
    assert_string_equal(peer_info(&peer).congestion, "cubic");
    tcp_cc_lost(conn);
    assert_int_equal(conn->ssthresh, 14000);
}

#define TEST(name)  PEER_TEST(name, setup)
#define SMALL(name) PEER_TEST(name, setup_small)
#define RENO(name)  PEER_TEST(name, setup_newreno)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(cubic__keeps_seven_tenths_of_what_is_in_flight),
        TEST(cubic__follows_its_curve_through_w_max),
        TEST(cubic__small_acks_add_up_to_the_same),
        TEST(cubic__grows_by_half_in_a_round_trip_at_most),
        TEST(cubic__gives_way_to_a_newcomer),
        SMALL(cubic__is_not_slower_than_reno),
        TEST(cubic__begins_flat_after_a_time_out),
        TEST(cubic__does_not_grow_for_time_that_was_not_used),
        TEST(cubic__a_window_of_one_gigabyte_is_the_most),
        RENO(newreno__halves_and_grows_a_segment_a_window),
        SMALL(reduction__leaves_two_segments),
        TEST(undo__brings_the_window_back),
        TEST(undo__does_not_go_beyond_what_there_was),
        SMALL(growth__needs_a_window_that_was_used),
        SMALL(growth__slow_start_ends_at_ssthresh),
        SMALL(initial_window__is_that_of_rfc_6928),
        SMALL(idle__begins_again_with_an_initial_window),
        RENO(choice__is_of_the_stack_and_of_the_connection),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
