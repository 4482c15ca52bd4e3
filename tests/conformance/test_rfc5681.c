/*
 * RFC 5681 3.1: time-outs, of the first segment and of others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/host/host.h"
#include "tests/host/tcp_scene.h"
#include "tests/host/tcp_sender.h"

/* After a lost SYN or SYN-ACK one segment is the most to begin with. */
static void lost_syn__leaves_one_segment_to_begin_with(void **state)
{
    (void)state;
    peer_start(&peer);
    peer_connect(&peer);
    peer_wait(&peer, 1000 * SENDER_MS);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.flags, PEER_SYN);
    peer_send(&peer, (struct peer_seg){.seq = PEER_ISS,
                                       .ack = peer.rcv,
                                       .flags = PEER_SYN | PEER_ACK});
    peer.nxt = PEER_ISS + 1;
    assert_true(peer_take(&peer));
    peer_app_send(&peer, 5000);
    assert_int_equal(peer_take_all(&peer), 1);
}

/* ssthresh is set when a segment is lost for the first time, and stays when
 * what was sent again is lost too; nor is it forgotten what there was before,
 * if all was a mistake (RFC 4015 3.2). */
static void time_out__in_a_row_reduce_once(void **state)
{
    uint32_t cwnd, first_ts;

    (void)state;
    sender_open(&peer, false, true);
    cwnd = peer_info(&peer).cwnd_bytes;
    peer_app_send(&peer, 10000);
    sender_expect(&peer, 0, 1000);
    first_ts = peer.got.ts_val;
    assert_int_equal(peer_take_all(&peer), 9);
    for (unsigned n = 1; n <= 2; n++) {
        while (PEER_COUNT(&peer, tcp_timeout) < n)
            peer_wait(&peer, SENDER_MS);
        sender_expect(&peer, 0, 1000);
        assert_int_equal(peer_info(&peer).ssthresh_bytes, 7000);
        assert_int_equal(peer_info(&peer).cwnd_bytes, 1000);
    }
    peer.ts_ecr = first_ts;
    sender_ack(&peer, 1000);
    assert_true(peer_info(&peer).ssthresh_bytes >= cwnd);
    assert_true(peer_info(&peer).cwnd_bytes >= cwnd);
}

#define TEST(name) PEER_TEST(name, peer_prepared)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lost_syn__leaves_one_segment_to_begin_with),
        TEST(time_out__in_a_row_reduce_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
