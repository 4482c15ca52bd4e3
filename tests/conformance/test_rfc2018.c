/*
 * RFC 2018: the right to send blocks is given by a SYN alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/host/host.h"
#include "tests/host/tcp_scene.h"

/* 2: the option is for SYNs. */
static void permitted__after_the_syn_permits_nothing(void **state)
{
    static const uint8_t options[] = {1, 1, 4, 2};

    (void)state;
    peer_start(&peer);
    peer_open_passive(&peer);
    peer_send(&peer, (struct peer_seg){.seq = peer.nxt,
                                       .ack = peer.rcv,
                                       .flags = PEER_ACK,
                                       .options = options,
                                       .options_len = sizeof(options)});
    PEER_QUIET(&peer);
    peer_send(&peer, (struct peer_seg){.seq = peer.nxt + 100,
                                       .ack = peer.rcv,
                                       .flags = PEER_ACK,
                                       .len = 100});
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.ack, peer.nxt);
    assert_int_equal(peer.got.sack_count, 0);
}

#define TEST(name) PEER_TEST(name, peer_prepared)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(permitted__after_the_syn_permits_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
