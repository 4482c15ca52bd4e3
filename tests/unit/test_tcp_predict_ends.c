/*
 * Header prediction where a connection begins and ends: as test_tcp_predict.c,
 * the same conversation once as it is, and once with a reserved bit in every
 * header but those of SYNs, so that nothing is predicted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/tcp_conn.h"
#include "tests/host/host.h"
#include "tests/host/peer_seen.h"
#include "tests/host/tcp_scene.h"
#include "tests/sim/rng.h"

#define TEST(name) cmocka_unit_test(name)

enum { STEPS = 40, SEEDS = 3000, RESERVED = 1, MS = 1000, RCV_BYTES = 1500 };
enum { OTHER_PORT = 2001 };

/* What was seen after each step, as sums. */
struct story {
    uint64_t seen[STEPS];
    uint64_t predicted; /* segments that took the short way */
    uint64_t time_waits;
};

static struct rng rng;
static uint8_t reserved;
static bool closing; /* the application has closed */

static uint32_t below(uint32_t bound)
{
    return (uint32_t)rng_below(&rng, bound);
}

/* ---- steps ---- */

/* What completes a handshake or ends a connection, or nearly that. */
static struct peer_seg any_segment(void)
{
    static const uint8_t odd_flags[] = {PEER_RST, PEER_FIN, PEER_ACK | PEER_SYN,
                                        PEER_ACK | PEER_FIN | PEER_ECE,
                                        PEER_ACK | PEER_URG};
    struct peer_seg seg = {
        .seq = peer.nxt,
        .ack = peer.rcv,
        .flags = below(4) ? PEER_ACK : PEER_ACK | PEER_PSH,
        .reserved = reserved,
    };

    if (below(closing ? 2 : 20) == 0)
        seg.flags |= PEER_FIN;
    switch (below(40)) {
    case 0:
        seg.seq += below(7) - 3;
        break;
    case 1:
        seg.ack += below(7) - 3;
        break;
    case 2:
    case 3:
    case 4:
        seg.len = 1 + below(below(2) ? 40 : RCV_BYTES);
        break;
    case 5:
        seg.tos = below(2) ? 3 : 0xb8;
        break;
    case 6:
        seg.window = (uint16_t)(1 + below(2000));
        break;
    case 7:
        seg.flags = odd_flags[below(ARRAY_LEN(odd_flags))];
        break;
    case 8:
        peer.ts -= 3;
        break;
    case 9:
        peer.window = below(3) ? 60000 : 0;
        break;
    case 10:
        seg.bare = true;
        break;
    default:
        break;
    }
    return seg;
}

static void say(void)
{
    struct peer_seg seg = any_segment();

    if (below(4))
        peer_send(&peer, seg);
    else
        peer_input(&peer, seg);
    if (seg.seq == peer.nxt && !(seg.flags & PEER_RST))
        peer.nxt += seg.len + (seg.flags & PEER_FIN);
}

/* The other connection was only in the way. */
static void accept_one(void)
{
    struct tcp_conn *conn = tcp_accept(peer.listener);

    if (!conn)
        return;
    if (tcp_endpoints(conn).peer_port == PEER_PORT)
        peer.conn = conn;
    else
        tcp_release(conn, host_now_us);
}

static void release(void)
{
    closing = true;
    switch (below(4)) {
    case 0:
        tcp_shutdown(peer.conn, host_now_us);
        break;
    case 1:
        tcp_release(peer.conn, host_now_us);
        peer.conn = NULL;
        break;
    default:
        tcp_release_lingering(peer.conn, 2000 * MS, host_now_us);
        peer.conn = NULL;
        break;
    }
    if (below(4))
        peer_settle(&peer);
}

static void app_sends(void)
{
    if (tcp_fin_sent(peer.conn) || tcp_end_reason(peer.conn) != TCP_END_NONE ||
        tcp_send_room(peer.conn) == 0)
        return;
    peer_app_send(&peer, 1 + below(below(2) ? 500 : 2500));
}

static void step(void)
{
    uint32_t what = below(16);

    if (what == 0)
        peer_wait(&peer, below(below(4) ? 50 : 3000) * MS);
    else if (what < 4 && !peer.conn)
        accept_one();
    else if (what < 4)
        app_sends();
    else if (what < 6 && peer.conn)
        release();
    else
        say();
    peer.ts += below(3);
}

/* One connection may stand in the accept queue, which has room for no other.
 */
static void begin(void)
{
    uint32_t backlog = 1 + below(2);

    peer_listen(&peer, backlog, 8);
    if (below(4) == 0)
        peer_open_from(&peer, OTHER_PORT);
    peer_syn_with(&peer, below(4) ? 0 : PEER_ECE | PEER_CWR, 0);
    assert_true(peer_take(&peer));
}

static void tell(uint64_t seed, uint8_t mark, struct story *story)
{
    void *state = NULL;

    rng = rng_stream(seed, 1);
    reserved = mark;
    closing = false;
    peer_prepared(&state);
    peer.config.tcp.rcv_buf_bytes = RCV_BYTES;
    peer.timestamps = seed & 1;
    peer.sack = seed & 2;
    peer.ts = 1000;
    peer_start(&peer);
    begin();
    story->predicted = 0u - PEER_COUNT(&peer, tcp_predicted);
    for (unsigned i = 0; i < STEPS; i++) {
        step();
        story->seen[i] = peer_seen(&peer);
    }
    story->predicted += PEER_COUNT(&peer, tcp_predicted);
    story->time_waits = PEER_COUNT(&peer, tcp_time_wait);
    peer_ended(&state);
}

static void predict__changes_no_beginning_and_no_end(void **state)
{
    static struct story plain, marked;
    uint64_t predicted = 0, time_waits = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        tell(seed, 0, &plain);
        tell(seed, RESERVED, &marked);
        for (unsigned i = 0; i < STEPS; i++)
            if (plain.seen[i] != marked.seen[i])
                fail_msg("seed %u, step %u", (unsigned)seed, i);
        assert_int_equal(marked.predicted, 0);
        predicted += plain.predicted;
        time_waits += plain.time_waits;
    }
    assert_true(predicted > SEEDS);
    assert_true(time_waits > SEEDS / 8);
}

/* ---- what is predicted ---- */

static void opened(void)
{
    void *state = NULL;

    peer_prepared(&state);
    peer.timestamps = true;
    peer.sack = true;
    peer_start(&peer);
    peer_open_passive(&peer);
}

static void predict__a_handshake_and_an_end(void **state)
{
    (void)state;
    opened();
    assert_int_equal(PEER_COUNT(&peer, tcp_predicted), 1);
    peer_app_send(&peer, 900);
    peer_app_release(&peer);
    while (peer_take(&peer)) {
    }
    peer_fin(&peer, peer.rcv);
    assert_int_equal(PEER_COUNT(&peer, tcp_predicted), 2);
    peer_expect_acked(&peer);
    assert_int_equal(peer_memory(&peer).conns, 0);
    assert_int_equal(peer_memory(&peer).time_waits, 1);
    peer_ended(state);
}

/* ... whose owner may ask what it has learned. */
static void predict__no_end_while_there_is_a_handle(void **state)
{
    (void)state;
    opened();
    peer_app_close(&peer);
    peer_fin(&peer, peer.rcv);
    assert_int_equal(PEER_COUNT(&peer, tcp_predicted), 1);
    assert_true(peer_state_is(&peer, "TIME-WAIT"));
    peer_take_all(&peer);
    peer_ended(state);
}

/* ... after a time-out that may have been a mistake, which is counted. */
static void predict__no_end_of_a_recovery(void **state)
{
    (void)state;
    opened();
    peer_app_send(&peer, 900);
    peer_app_release(&peer);
    peer_wait(&peer, 5000 * MS);
    assert_true(PEER_COUNT(&peer, tcp_timeout) > 0);
    peer_take_all(&peer);
    peer.rcv += 901;
    peer_fin(&peer, peer.rcv);
    assert_int_equal(PEER_COUNT(&peer, tcp_predicted), 1);
    assert_int_equal(peer_memory(&peer).time_waits, 1);
    peer_take_all(&peer);
    peer_ended(state);
}

/* ... that may be where slow start ends, which is counted. */
static void predict__no_end_that_may_leave_slow_start(void **state)
{
    struct tcp_conn *conn;

    (void)state;
    opened();
    conn = peer.conn;
    peer_app_send(&peer, 900);
    peer_app_release(&peer);
    peer_take_all(&peer);
    peer.rcv += 901;
    conn->cwnd_limited = true;
    conn->active->hystart.careful_us = 1;
    conn->active->hystart.careful_rounds = 4;
    peer_fin(&peer, peer.rcv);
    assert_int_equal(PEER_COUNT(&peer, tcp_slow_start_left), 1);
    assert_int_equal(peer_memory(&peer).time_waits, 1);
    peer_take_all(&peer);
    peer_ended(state);
}

/* RFC 9293 3.10.7.4, first: nothing but an acknowledgement fits a window that
 * is shut, although there would be room by now. */
static void predict__no_end_beyond_the_window(void **state)
{
    (void)state;
    peer_prepared(state);
    peer.config.tcp.rcv_buf_bytes = RCV_BYTES;
    peer_start(&peer);
    peer_open_passive(&peer);
    peer_app_close(&peer);
    peer_send(&peer, (struct peer_seg){.seq = peer.nxt,
                                       .ack = peer.rcv - 1,
                                       .flags = PEER_ACK,
                                       .len = RCV_BYTES});
    peer.nxt += RCV_BYTES;
    peer_take_all(&peer);
    tcp_release_lingering(peer.conn, 2000 * MS, host_now_us);
    peer.conn = NULL;
    peer_input(&peer, (struct peer_seg){.seq = peer.nxt,
                                        .ack = peer.rcv,
                                        .flags = PEER_ACK | PEER_FIN});
    peer_settle(&peer);
    peer_expect_acked(&peer);
    assert_int_equal(peer_memory(&peer).time_waits, 0);
    peer_ended(state);
}

/* RFC 5961 5.2: an acknowledgement that was sent within the largest window
 * that the peer has offered, its FIN's, is no reason to answer. */
static void predict__an_end_with_the_largest_window(void **state)
{
    (void)state;
    peer_prepared(state);
    peer.window = 100;
    peer_start(&peer);
    peer_open_passive(&peer);
    peer_app_release(&peer);
    assert_true(peer_take(&peer));
    peer.window = 2000;
    peer_fin(&peer, peer.rcv);
    assert_int_equal(PEER_COUNT(&peer, tcp_predicted), 2);
    peer_expect_acked(&peer);
    peer_ack(&peer, peer.rcv - 2000);
    PEER_QUIET(&peer);
    peer_ack(&peer, peer.rcv - 2001);
    peer_expect_acked(&peer);
    peer_ended(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(predict__changes_no_beginning_and_no_end),
        TEST(predict__a_handshake_and_an_end),
        TEST(predict__no_end_while_there_is_a_handle),
        TEST(predict__no_end_of_a_recovery),
        TEST(predict__no_end_that_may_leave_slow_start),
        TEST(predict__no_end_beyond_the_window),
        TEST(predict__an_end_with_the_largest_window),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
