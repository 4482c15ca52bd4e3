/*
 * The round trip and the time-out (RFC 6298, RFC 7323 4), and recoveries that
 * were mistakes (RFC 3522, RFC 4015, RFC 3708, RFC 5682).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/tcp_conn.h"
#include "net/tcp_paws.h"
#include "tests/host/host.h"
#include "tests/host/tcp_scene.h"
#include "tests/host/tcp_sender.h"

#define MS  SENDER_MS
#define RTT SENDER_RTT

/* Everything is sent and lost; the retransmission timer runs out. */
static void run_into_timeout(void)
{
    peer_wait(&peer, 2000 * MS);
    assert_true(PEER_COUNT(&peer, tcp_timeout) > 0);
    peer_take_all(&peer);
}

/* ---- spurious time-outs ---- */

/* RFC 3522 3.2: the echo is older than the retransmission. */
static void eifel__an_older_echo_undoes_a_time_out(void **state)
{
    uint32_t first_ts;

    (void)state;
    sender_open(&peer, true, true);
    peer_app_send(&peer, 5000);
    sender_expect(&peer, 0, 1000);
    first_ts = peer.got.ts_val;
    run_into_timeout();
    assert_int_equal(peer_info(&peer).cwnd_bytes, 1000);
    peer.ts_ecr = first_ts;
    sender_ack(&peer, 1000);
    assert_int_equal(PEER_COUNT(&peer, tcp_undone), 1);
    assert_true(peer_info(&peer).cwnd_bytes >= 10000);
    assert_true(peer_info(&peer).ssthresh_bytes >= 10000);
    PEER_QUIET(&peer); /* nothing else goes again */
}

static void eifel__the_retransmissions_own_echo_undoes_nothing(void **state)
{
    (void)state;
    sender_open(&peer, true, true);
    sender_send(&peer, 5000);
    peer_wait(&peer, 2000 * MS);
    while (peer_take(&peer)) {
    } /* ts_ecr is that of the last retransmission */
    sender_ack(&peer, 1000);
    assert_int_equal(PEER_COUNT(&peer, tcp_undone), 0);
    assert_true(peer_info(&peer).cwnd_bytes <= 2000);
}

/* Ten segments fly, more wait, and there are no timestamps; the timer runs out
 * although nothing is lost. */
static void run_into_spurious_timeout(bool sack)
{
    sender_open(&peer, sack, false);
    peer_app_send(&peer, 100000);
    assert_int_equal(peer_take_all(&peer), 10);
    peer.conn->active->probe_at_us = FOREVER; /* nor a probe */
    peer_wait(&peer, peer_info(&peer).rto_us);
    sender_expect(&peer, 0, 1000);
    PEER_QUIET(&peer);
    assert_int_equal(peer_info(&peer).cwnd_bytes, 1000);
}

/* RFC 5682 2.1: (2b) new text after the first acknowledgement, (3b) and the
 * second is of text that did not go again. */
static void frto__two_acknowledgements_undo_a_time_out(void **state)
{
    (void)state;
    for (unsigned sack = 0; sack < 2; sack++) {
        run_into_spurious_timeout(sack);
        sender_ack(&peer, 1000);
        sender_expect(&peer, 10000, 1000);
        sender_expect(&peer, 11000, 1000);
        PEER_QUIET(&peer);
        sender_ack(&peer, 2000);
        assert_int_equal(PEER_COUNT(&peer, tcp_undone), 1);
        assert_true(peer_info(&peer).ssthresh_bytes >= 10000);
        assert_true(peer_info(&peer).cwnd_bytes >= 10000);
        assert_int_equal(peer_info(&peer).retransmissions, 1);
        assert_int_equal(peer_info(&peer).backoff, 0);
        peer_end(&peer);
        peer_prepare(&peer);
    }
    sender_open(&peer, true, false);
}

/* (3a): the second is a duplicate that the new text has brought about. */
static void frto__a_duplicate_shows_that_text_was_lost(void **state)
{
    (void)state;
    for (unsigned sack = 0; sack < 2; sack++) {
        run_into_spurious_timeout(sack);
        sender_ack(&peer, 1000);
        assert_int_equal(peer_take_all(&peer), 2);
        if (sack)
            sender_sack(&peer, 1000, 10000, 11000);
        else
            sender_ack(&peer, 1000);
        sender_expect(&peer, 1000, 1000);
        assert_int_equal(PEER_COUNT(&peer, tcp_undone), 0);
        assert_true(peer_info(&peer).cwnd_bytes <= 3000);
        assert_string_equal(peer_info(&peer).recovery, "loss");
        peer_end(&peer);
        peer_prepare(&peer);
    }
    sender_open(&peer, true, false);
}

/* (2a): all that was in flight is acknowledged; (1): not for the second time
 * in a row. */
static void frto__is_not_tried_when_it_tells_nothing(void **state)
{
    (void)state;
    run_into_spurious_timeout(false);
    sender_ack(&peer, 10000);
    assert_int_equal(peer.conn->active->frto, TCP_FRTO_OFF);
    peer_end(&peer);
    peer_prepare(&peer);
    run_into_spurious_timeout(false);
    peer_wait(&peer, 2 * peer_info(&peer).rto_us);
    sender_expect(&peer, 0, 1000);
    sender_ack(&peer, 3000);
    sender_expect(&peer, 3000, 1000);
}

/* ---- spurious fast retransmissions ---- */

/* What is kept of a recovery goes with the active part. */
static void dsack__after_all_is_acknowledged_comes_too_late(void **state)
{
    (void)state;
    sender_open(&peer, true, false);
    sender_send(&peer, 10000);
    host_now_us += RTT;
    sender_sack(&peer, 0, 2000, 5000);
    assert_int_equal(peer_take_all(&peer), 2);
    assert_true(peer_info(&peer).ssthresh_bytes < 10000);
    sender_ack(&peer, 10000);
    sender_sack(&peer, 10000, 0, 1000);
    sender_sack(&peer, 10000, 1000, 2000);
    assert_int_equal(PEER_COUNT(&peer, tcp_undone), 0);
}

/* RFC 3708 2: every retransmission turns out to have arrived twice. */
static void dsack__while_text_flies_undoes_recovery(void **state)
{
    (void)state;
    sender_open(&peer, true, false);
    peer_app_send(&peer, 100000);
    assert_int_equal(peer_take_all(&peer), 10);
    host_now_us += RTT;
    sender_sack(&peer, 0, 2000, 5000);
    assert_true(peer_take_all(&peer) >= 2);
    assert_true(peer_info(&peer).ssthresh_bytes < 10000);
    sender_ack(&peer, 10000);
    sender_sack(&peer, 10000, 0, 1000);
    assert_int_equal(PEER_COUNT(&peer, tcp_undone), 0);
    sender_sack(&peer, 10000, 1000, 2000);
    assert_int_equal(PEER_COUNT(&peer, tcp_undone), 1);
    assert_true(peer_info(&peer).ssthresh_bytes >= 10000);
}

/* ---- the round trip ---- */

/* RFC 6298 3: Karn's rule, when there are no timestamps. */
static void karn__what_was_sent_twice_is_not_measured(void **state)
{
    uint64_t srtt_us;

    (void)state;
    sender_open(&peer, true, false);
    srtt_us = peer_info(&peer).srtt_us;
    sender_send(&peer, 1000);
    run_into_timeout();
    host_now_us += RTT / 2;
    sender_ack(&peer, 1000);
    assert_int_equal(peer_info(&peer).srtt_us, srtt_us);
}

/* ... nor when SACK tells of it: it may be the first that came. */
static void karn__nor_when_a_block_tells_of_it(void **state)
{
    uint64_t srtt_us;

    (void)state;
    sender_open(&peer, true, false);
    sender_send(&peer, 5000);
    host_now_us += RTT;
    sender_sack(&peer, 0, 2000, 5000);
    assert_int_equal(peer_take_all(&peer), 2);
    srtt_us = peer_info(&peer).srtt_us;
    host_now_us += RTT + RTT / 2;
    sender_sack(&peer, 0, 1000, 5000);
    assert_int_equal(peer_info(&peer).srtt_us, srtt_us);
}

/* RFC 7323 4.1: the echo says which transmission it was. */
static void rttm__what_was_sent_twice_is_measured_by_its_echo(void **state)
{
    uint64_t srtt_us;

    (void)state;
    sender_open(&peer, true, true);
    srtt_us = peer_info(&peer).srtt_us;
    sender_send(&peer, 1000);
    peer_wait(&peer, 2000 * MS);
    while (peer_take(&peer)) {
    }
    /* the last of them, 20 ms ago */
    peer.ts_ecr = tcp_ts_at(peer.conn, host_now_us - 20 * MS);
    sender_ack(&peer, 1000);
    assert_in_range(peer_info(&peer).srtt_us, srtt_us - srtt_us / 8,
                    srtt_us - srtt_us / 8 + 3 * MS);
}

/* RFC 7323 4.3 with 5.3: a duplicate leaves TS.Recent, so its echo is old. */
static void rttm__not_by_the_echo_that_a_duplicate_brings(void **state)
{
    uint64_t srtt_us;
    uint32_t first_ts;

    (void)state;
    sender_open(&peer, true, true);
    srtt_us = peer_info(&peer).srtt_us;
    peer_app_send(&peer, 1000);
    sender_expect(&peer, 0, 1000);
    first_ts = peer.got.ts_val;
    run_into_timeout();
    peer.ts_ecr = first_ts;
    sender_sack(&peer, 1000, 0, 1000);
    assert_int_equal(peer_info(&peer).srtt_us, srtt_us);
}

/* RFC 6298 5.7 with RFC 7323 4.2: one sample for each round trip. */
static void rttm__more_acknowledgements_are_no_more_samples(void **state)
{
    uint64_t srtt_us;

    (void)state;
    sender_open(&peer, true, true);
    sender_send(&peer, 10000);
    host_now_us += 200 * MS;
    sender_ack(&peer, 1000);
    srtt_us = peer_info(&peer).srtt_us;
    assert_int_equal(srtt_us, 100 * MS - 100 * MS / 8 + 200 * MS / 8);
    for (uint32_t at = 2000; at <= 9000; at += 1000)
        sender_ack(&peer, at);
    assert_int_equal(peer_info(&peer).srtt_us, srtt_us);
}

#define TEST(name) PEER_TEST(name, peer_prepared)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(eifel__an_older_echo_undoes_a_time_out),
        TEST(eifel__the_retransmissions_own_echo_undoes_nothing),
        TEST(frto__two_acknowledgements_undo_a_time_out),
        TEST(frto__a_duplicate_shows_that_text_was_lost),
        TEST(frto__is_not_tried_when_it_tells_nothing),
        TEST(dsack__after_all_is_acknowledged_comes_too_late),
        TEST(dsack__while_text_flies_undoes_recovery),
        TEST(karn__what_was_sent_twice_is_not_measured),
        TEST(karn__nor_when_a_block_tells_of_it),
        TEST(rttm__what_was_sent_twice_is_measured_by_its_echo),
        TEST(rttm__not_by_the_echo_that_a_duplicate_brings),
        TEST(rttm__more_acknowledgements_are_no_more_samples),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
