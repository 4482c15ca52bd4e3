/*
 * Text cut to segments by the stack, for cards that do not cut, and joined
 * again where it arrives. Frames are read byte by byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/host/host.h"
#include "tests/host/pair_tcp.h"
#include "tests/host/station.h"

#define SECOND 1000000ull

enum {
    HEADERS = 14 + 20 + 32,
    MSS = 1448,
    CWR = 128,
    URG = 32,
    FLAGS = 4,
    PSH = 8,
    FIN = 1,
    WARM = 300000,
    TEXT = 40000
};

static struct pair pair;
static struct tcp_listener *listener;
static struct tcp_conn *client, *server;

static void make(enum tcp_ecn ecn)
{
    struct net_config config[2] = {net_config_default(), net_config_default()};

    host_seed(3);
    host_now_us = SECOND;
    config[0].tcp.ecn = config[1].tcp.ecn = ecn;
    pair_init(&pair, config);
    pair.wire.to[0].delay_us = pair.wire.to[1].delay_us = 1000;
    listener = pair_listen(&pair);
    client = pair_connect(&pair, 0, listener, &server);
}

static int setup(void **state)
{
    (void)state;
    make(TCP_ECN_OFF);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return pair_destroy(&pair) == 0 ? 0 : -1;
}

/* --- text ----------------------------------------------------------------- */

static void arrives(uint32_t from, uint32_t len)
{
    pair_run_until(&pair, host_now_us + SECOND);
    assert_int_equal(pair_take(server, from), len);
}

/* So that windows are open, and nothing is in flight. */
static void warm_up(void)
{
    pair_stream(&pair, client, server, 0, WARM);
    pair_run_until(&pair, host_now_us + SECOND / 10);
}

/* --- frames --------------------------------------------------------------- */

struct cut {
    unsigned frames, flagged[FLAGS]; /* with CWR, PSH, FIN, URG */
    uint32_t text, next;             /* sequence number behind the last */
    bool last_flagged[FLAGS];
};

static void look(struct cut *cut, const uint8_t *frame, uint32_t len)
{
    static const uint8_t flags[] = {CWR, PSH, FIN, URG};
    const uint8_t *seq = frame + 38;
    uint32_t at = (uint32_t)seq[0] << 24 | (uint32_t)seq[1] << 16 |
                  (uint32_t)seq[2] << 8 | seq[3];

    assert_int_equal(internet_sum(frame + 14, 20, 0), 0xffff);
    assert_int_equal(
        internet_sum(frame + 34, len - 34,
                     pseudo_sum(0x0a000001, 0x0a000002, 6, len - 34)),
        0xffff);
    assert_int_equal(frame[16] << 8 | frame[17], len - 14);
    if (cut->frames++ > 0)
        assert_int_equal(at, cut->next);
    for (unsigned i = 0; i < FLAGS; i++) {
        cut->last_flagged[i] = frame[47] & flags[i];
        cut->flagged[i] += cut->last_flagged[i];
    }
    cut->text += len - HEADERS;
    cut->next = at + len - HEADERS;
}

/* Flush, and look at every frame on its way to the wire, which it reaches. */
static struct cut flush(void)
{
    static uint8_t bytes[1514];
    struct memdev *dev = &pair.dev[0];
    struct cut cut = {0};

    net_flush(pair.net[0], host_now_us);
    for (const struct buffer *at = dev->tx.first; at; at = at->link) {
        uint32_t len = buffer_copy_out(at, 0, bytes, sizeof(bytes));

        assert_int_equal(len, buffer_chain_len(at));
        assert_int_equal(at->flags & (BUFFER_GSO_TCP4 | BUFFER_CSUM_PARTIAL),
                         0);
        look(&cut, bytes, len);
    }
    return cut;
}

/* --- what must be so ------------------------------------------------------ */

/* Nobody else can move the pointer along. */
static void gso__every_segment_of_urgent_text_says_so(void **state)
{
    static uint8_t text[TEXT / 4];
    struct cut cut;

    (void)state;
    warm_up();
    assert_int_equal(tcp_send_urgent(client,
                                     hostnet_chain(net_pool(pair.net[0]), text,
                                                   sizeof(text)),
                                     host_now_us),
                     TCP_OK);
    cut = flush();
    assert_true(cut.frames > 1);
    assert_int_equal(cut.flagged[3], cut.frames);
}

static void gso__without_the_card_text_is_cut_to_whole_segments(void **state)
{
    struct tcp_info before, after;
    struct cut cut;

    (void)state;
    warm_up();
    tcp_info_get(client, &before);
    pair_put(pair.net[0], client, WARM, TEXT);
    cut = flush();
    tcp_info_get(client, &after);
    assert_int_equal(cut.text, TEXT);
    assert_int_equal(cut.frames, (TEXT + MSS - 1) / MSS);
    assert_int_equal(after.segments_sent - before.segments_sent, cut.frames);
    arrives(WARM, TEXT);
}

static void gso__push_and_fin_are_in_the_last_segment_alone(void **state)
{
    struct cut cut;

    (void)state;
    warm_up();
    pair_put(pair.net[0], client, WARM, TEXT);
    tcp_shutdown(client, host_now_us);
    cut = flush();
    assert_int_equal(cut.text, TEXT);
    for (unsigned i = 1; i < 3; i++) {
        assert_int_equal(cut.flagged[i], 1);
        assert_true(cut.last_flagged[i]);
    }
}

/* RFC 3168 6.1.2: the first segment after the reduction. */
static void gso__cwr_is_in_the_first_segment_alone(void **state)
{
    static const uint8_t mark = 3;
    struct buffer *frame;
    struct cut cut;

    pair_destroy(&pair);
    make(TCP_ECN_ON);
    (void)state;
    warm_up();
    pair_put(pair.net[0], client, WARM, TEXT);
    flush();
    frame = pair.dev[0].tx.first; /* a router marks one */
    frame->data[15] |= mark;
    frame->data[25] = (uint8_t)(frame->data[25] - 1);
    arrives(WARM, TEXT);
    pair_put(pair.net[0], client, WARM + TEXT, TEXT / 4);
    cut = flush();
    assert_true(cut.frames > 1);
    assert_int_equal(cut.flagged[0], 1);
    arrives(WARM + TEXT, TEXT / 4);
    pair_put(pair.net[0], client, WARM + TEXT + TEXT / 4, TEXT / 4);
    assert_int_equal(flush().flagged[0], 0);
}

/* A card that finishes checksums is left to do so, for every segment. */
static void gso__card_that_sums_is_asked_for_each_segment(void **state)
{
    unsigned frames = 0;

    (void)state;
    warm_up();
    pair.dev[0].dev.caps = NETDEV_CAP_TX_CSUM;
    pair_put(pair.net[0], client, WARM, TEXT);
    net_flush(pair.net[0], host_now_us);
    for (const struct buffer *at = pair.dev[0].tx.first; at; at = at->link) {
        assert_int_equal(at->flags, BUFFER_CSUM_PARTIAL);
        assert_true(buffer_chain_len(at) <= 1514);
        frames++;
    }
    assert_int_equal(frames, (TEXT + MSS - 1) / MSS);
    arrives(WARM, TEXT);
}

/* How many of the frames that leave are copies, in one piece. */
static unsigned copies(uint32_t from)
{
    unsigned count = 0;

    pair_put(pair.net[0], client, from, TEXT);
    net_flush(pair.net[0], host_now_us);
    for (const struct buffer *at = pair.dev[0].tx.first; at; at = at->link)
        count += !at->next;
    arrives(from, TEXT);
    return count;
}

/* The sum comes with the copy; where a card makes it, nothing is copied. */
static void gso__text_is_copied_only_to_be_summed(void **state)
{
    (void)state;
    warm_up();
    assert_int_equal(copies(WARM), (TEXT + MSS - 1) / MSS);
    pair.dev[0].dev.caps = NETDEV_CAP_TX_CSUM;
    assert_int_equal(copies(WARM + TEXT), 0);
}

static void gso__full_card_takes_what_it_can_and_the_rest_follows(void **state)
{
    const uint64_t *value = net_counters(pair.net[0])->value;
    struct cut cut;
    uint64_t sent;

    (void)state;
    warm_up();
    sent = value[NET_COUNT_tcp_tx];
    pair.dev[0].tx_max = 5;
    pair_put(pair.net[0], client, WARM, TEXT);
    tcp_shutdown(client, host_now_us);
    assert_true(net_flush(pair.net[0], host_now_us));
    cut = flush();
    assert_int_equal(cut.frames, 5);
    assert_int_equal(cut.flagged[1] + cut.flagged[2], 0);
    arrives(WARM, TEXT);
    /* Nothing was lost, and nothing went twice. */
    assert_int_equal(value[NET_COUNT_tcp_tx] - sent, (TEXT + MSS - 1) / MSS);
}

/* What did not leave is no small segment in flight: Nagle waits for none. */
static void gso__rest_that_found_no_room_waits_for_no_ack(void **state)
{
    const uint64_t *value = net_counters(pair.net[0])->value;
    uint64_t sent;

    (void)state;
    warm_up();
    sent = value[NET_COUNT_tcp_tx];
    pair.dev[0].tx_max = 5;
    pair_put(pair.net[0], client, WARM, TEXT);
    for (unsigned i = 0; i < 10; i++) /* the clock stands still */
        pair_step(&pair);
    assert_int_equal(value[NET_COUNT_tcp_tx] - sent, (TEXT + MSS - 1) / MSS);
}

/* Each allocation in turn fails; what has left is known, the rest goes. */
static void gso__lack_of_memory_in_the_middle_loses_nothing(void **state)
{
    (void)state;
    warm_up();
    for (uint32_t i = 0; i < 12; i++) {
        pair_put(pair.net[0], client, WARM + i * TEXT, TEXT);
        pair.host[0].fail_at = pair.host[0].asked + 1 + i / 2;
        net_flush(pair.net[0], host_now_us);
        pair.host[0].fail_at = 0;
        pair_run_until(&pair, host_now_us + 3 * SECOND);
        assert_int_equal(pair_take(server, WARM + i * TEXT), TEXT);
    }
}

/* GRO at the other end: IP and TCP are entered less often than frames come. */
static void gro__stream_is_joined_where_it_arrives(void **state)
{
    const uint64_t *value = net_counters(pair.net[1])->value;
    uint64_t frames, packets, joined;

    (void)state;
    warm_up();
    frames = value[NET_COUNT_eth_rx];
    packets = value[NET_COUNT_ip_rx];
    joined = value[NET_COUNT_eth_joined];
    pair_stream(&pair, client, server, WARM, 3 * WARM);
    frames = value[NET_COUNT_eth_rx] - frames;
    packets = value[NET_COUNT_ip_rx] - packets;
    joined = value[NET_COUNT_eth_joined] - joined;
    assert_true(frames >= 2 * WARM / MSS);
    assert_int_equal(frames, packets + joined);
    assert_true(joined > frames / 2);
}

/* A card that says it delivers large packets is left to do so. */
static void gro__card_that_joins_is_left_to_do_so(void **state)
{
    (void)state;
    pair.dev[1].dev.caps = NETDEV_CAP_RX_GSO_TCP4;
    warm_up();
    assert_int_equal(net_counters(pair.net[1])->value[NET_COUNT_eth_joined], 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(gso__without_the_card_text_is_cut_to_whole_segments),
        TEST(gso__push_and_fin_are_in_the_last_segment_alone),
        TEST(gso__cwr_is_in_the_first_segment_alone),
        TEST(gso__card_that_sums_is_asked_for_each_segment),
        TEST(gso__text_is_copied_only_to_be_summed),
        TEST(gso__full_card_takes_what_it_can_and_the_rest_follows),
        TEST(gso__rest_that_found_no_room_waits_for_no_ack),
        TEST(gso__every_segment_of_urgent_text_says_so),
        TEST(gso__lack_of_memory_in_the_middle_loses_nothing),
        TEST(gro__stream_is_joined_where_it_arrives),
        TEST(gro__card_that_joins_is_left_to_do_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
