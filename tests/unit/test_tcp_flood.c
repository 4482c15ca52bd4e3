/*
 * A flood of SYNs, a million a second, and among them people who mean it: all
 * of these get their connection, with what they offered, and the flood costs
 * no memory beyond the bounded queue (row S35 of the bad inputs).
 *
 * How long: the seconds of the first argument, of virtual time; without one a
 * small part of a second, which is what a test run has time for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/host.h"
#include "tests/host/tcp_scene.h"

enum {
    SYNS_PER_MS = 1000,
    LEGIT_EVERY_MS = 5,
    RTT_MS = 40,
    WAITING_MAX = RTT_MS / LEGIT_EVERY_MS + 1,
    BACKLOG = 128
};

static unsigned flood_ms = 200;

/* One who means it: has sent a SYN, and answers an RTT later. */
struct legit {
    uint16_t port;
    uint32_t ack, ts_ecr;
    uint64_t answers_us;
};

static struct legit waiting[WAITING_MAX];
static unsigned waiting_count;
static unsigned asked, opened;

static const uint8_t syn_options[] = {2, 4,  5, 180, 1, 3, 3, 7, 1, 1,
                                      8, 10, 0, 0,   0, 9, 0, 0, 0, 0};

static void spoofed(uint32_t n)
{
    peer_input(&peer,
               (struct peer_seg){.seq = n * 2654435761u,
                                 .src = 0x0b000000u | (n & 0xffffff),
                                 .src_port = (uint16_t)(1024 + n % 60000),
                                 .flags = PEER_SYN,
                                 .options = syn_options,
                                 .options_len = 4});
}

static void call(void)
{
    struct legit *legit = &waiting[waiting_count++];

    assert_true(waiting_count <= WAITING_MAX);
    *legit = (struct legit){.port = (uint16_t)(2000 + asked++ % 60000),
                            .answers_us = host_now_us + RTT_MS * 1000};
    peer_take_all(&peer);
    peer_input(&peer, (struct peer_seg){.seq = PEER_ISS,
                                        .src_port = legit->port,
                                        .flags = PEER_SYN,
                                        .options = syn_options,
                                        .options_len = sizeof(syn_options)});
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.flags, PEER_SYN | PEER_ACK);
    legit->ack = peer.got.seq + 1;
    legit->ts_ecr = peer.got.ts_val;
}

static void answer(const struct legit *legit)
{
    uint8_t options[12] = {1, 1, 8, 10, 0, 0, 0, 9};
    struct tcp_info info;
    struct tcp_conn *conn;

    for (unsigned i = 0; i < 4; i++)
        options[8 + i] = (uint8_t)(legit->ts_ecr >> (24 - 8 * i));
    peer_input(&peer, (struct peer_seg){.seq = PEER_ISS + 1,
                                        .ack = legit->ack,
                                        .src_port = legit->port,
                                        .flags = PEER_ACK,
                                        .window = 100,
                                        .options = options,
                                        .options_len = sizeof(options),
                                        .len = 5});
    conn = tcp_accept(peer.listener);
    assert_non_null(conn);
    tcp_info_get(conn, &info);
    assert_int_equal(tcp_recv_ready(conn), 5);
    assert_int_equal(info.mss_bytes, 1460 - 12); /* the timestamps' share */
    assert_int_equal(info.snd_wnd_bytes, 100 << 7);
    opened++;
    tcp_abort(conn, host_now_us);
    tcp_release(conn, host_now_us);
}

static void answer_who_is_due(void)
{
    while (waiting_count && waiting[0].answers_us <= host_now_us) {
        answer(&waiting[0]);
        memmove(waiting, waiting + 1, --waiting_count * sizeof(waiting[0]));
    }
}

static void S35__a_million_syns_a_second_keep_nobody_out(void **state)
{
    struct net_memory memory;
    uint32_t n = 0;

    (void)state;
    peer_prepare(&peer);
    peer.without_card = true;
    peer_start(&peer);
    peer_listen(&peer, 64, BACKLOG);
    for (unsigned ms = 0; ms < flood_ms + RTT_MS; ms++) {
        for (unsigned i = 0; i < SYNS_PER_MS && ms < flood_ms; i++)
            spoofed(n++);
        if (ms % LEGIT_EVERY_MS == 0 && ms < flood_ms)
            call();
        host_now_us += 1000;
        answer_who_is_due();
        peer_settle(&peer);
        peer_take_all(&peer);
        net_memory_get(peer.net, &memory);
        assert_true(memory.conns <= BACKLOG + 1);
        assert_true(memory.pages < 100);
    }
    answer_who_is_due();
    print_message("%u SYNs, %u of %u legitimate connections open\n", n, opened,
                  asked);
    assert_int_equal(opened, asked);
    assert_true(PEER_COUNT(&peer, tcp_cookie_sent) >= n - BACKLOG);
    peer_end(&peer);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(S35__a_million_syns_a_second_keep_nobody_out),
    };

    if (argc > 1)
        flood_ms = (unsigned)atoi(argv[1]) * 1000;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
