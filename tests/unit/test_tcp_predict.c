/*
 * Header prediction changes nothing: the same conversation, once as it is and
 * once with a reserved bit in every header of the peer's, which means nothing
 * (RFC 9293 3.1) and is not predicted. All that can be seen after each step
 * must be the same.
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

enum { STEPS = 200, SEEDS = 400, RESERVED = 1, MS = 1000 };

/* What was seen after each step, as sums. */
struct story {
    uint64_t seen[STEPS];
    unsigned steps;
    uint64_t predicted; /* segments that took the short way */
};

struct talk {
    struct rng rng;
    uint8_t reserved;
    uint32_t acked; /* what the peer has acknowledged last */
};

/* ---- steps ---- */

static void say(struct talk *talk, uint32_t seq, uint32_t len)
{
    uint32_t window = peer_info(&peer).rcv_wnd_bytes;
    struct peer_seg seg = {
        .seq = seq,
        .ack = talk->acked,
        .flags = rng_below(&talk->rng, 2) ? PEER_ACK : PEER_ACK | PEER_PSH,
        .reserved = talk->reserved,
        .len = len,
        .tos = rng_below(&talk->rng, 8) ? 0 : 0xb8,
    };

    peer_send(&peer, seg);
    if (seq == peer.nxt) /* what does not fit is said again */
        peer.nxt += len < window ? len : window;
}

/* All of what the stack has sent, nothing new of it, or a part. */
static void choose_ack(struct talk *talk)
{
    switch (rng_below(&talk->rng, 8)) {
    case 0:
        break;
    case 1:
        talk->acked += (uint32_t)rng_below(&talk->rng, peer.rcv - talk->acked);
        break;
    default:
        talk->acked = peer.rcv;
        break;
    }
}

/* Some milliseconds; seldom long enough for a time-out. */
static void wait_a_while(struct rng *rng)
{
    peer_wait(&peer, rng_below(rng, rng_below(rng, 4) ? 50 * MS : 900 * MS));
}

static void step(struct talk *talk)
{
    static const uint16_t windows[] = {60000, 60000, 60000, 60000, 1200, 0};
    struct rng *rng = &talk->rng;
    uint32_t len = 1 + (uint32_t)rng_below(rng, rng_below(rng, 3) ? 60 : 1000);

    choose_ack(talk);
    switch (rng_below(rng, 16)) {
    case 0: /* as a window that is not kept to may bring */
    case 1:
    case 2:
    case 3:
        say(talk, peer.nxt, len);
        break;
    case 4:
    case 5:
    case 6:
        say(talk, peer.nxt, 0);
        break;
    case 7:
    case 8:
    case 9:
        peer_app_send(&peer, 1 + (uint32_t)rng_below(
                                     rng, rng_below(rng, 3) ? 200 : 2500));
        break;
    case 10:
    case 11:
        peer_app_recv(&peer, 1 + (uint32_t)rng_below(rng, 8000));
        break;
    case 12:
        wait_a_while(rng);
        break;
    case 13:
        peer.window = windows[rng_below(rng, ARRAY_LEN(windows))];
        break;
    case 14: /* out of order: text, or an acknowledgement that overtook it */
        say(talk, peer.nxt + (uint32_t)rng_below(rng, 100),
            rng_below(rng, 2) ? len : 0);
        break;
    default: /* it comes twice */
        say(talk, peer.nxt - (uint32_t)rng_below(rng, 50), len);
        break;
    }
    peer.ts += (uint32_t)rng_below(rng, 4) - (rng_below(rng, 20) ? 0 : 3);
}

static void tell(uint64_t seed, uint8_t reserved, struct story *story)
{
    struct talk talk = {rng_stream(seed, 1), reserved, 0};
    void *state = NULL;
    uint64_t begun;

    peer_prepared(&state);
    peer.config.tcp.rcv_buf_bytes = 4096;
    peer.config.tcp.keepalive_idle_us = 300 * MS;
    peer.timestamps = seed & 1;
    peer.sack = seed & 2;
    peer_start(&peer);
    peer_open_passive(&peer);
    begun = PEER_COUNT(&peer, tcp_predicted);
    talk.acked = peer.rcv;
    *story = (struct story){0};
    for (; story->steps < STEPS; story->steps++) {
        step(&talk);
        story->seen[story->steps] = peer_seen(&peer);
        if (peer_info(&peer).end != TCP_END_NONE)
            break;
    }
    story->predicted = PEER_COUNT(&peer, tcp_predicted) - begun;
    peer_ended(&state);
}

static void predict__changes_nothing_that_can_be_seen(void **state)
{
    static struct story plain, marked;
    uint64_t predicted = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        tell(seed, 0, &plain);
        tell(seed, RESERVED, &marked);
        assert_int_equal(plain.steps, marked.steps);
        for (unsigned i = 0; i < plain.steps; i++)
            if (plain.seen[i] != marked.seen[i])
                fail_msg("seed %u, step %u", (unsigned)seed, i);
        assert_int_equal(marked.predicted, 0);
        predicted += plain.predicted;
    }
    assert_true(predicted > SEEDS * STEPS / 30);
}

/* ---- what is predicted ---- */

static uint64_t begun; /* what was predicted when the connection was open */

static uint64_t predicted(void)
{
    return PEER_COUNT(&peer, tcp_predicted) - begun;
}

static void opened(void)
{
    void *state = NULL;

    peer_prepared(&state);
    peer.timestamps = true;
    peer.sack = true;
    peer_start(&peer);
    peer_open_passive(&peer);
    begun = PEER_COUNT(&peer, tcp_predicted);
}

static void predict__requests_and_answers(void **state)
{
    (void)state;
    opened();
    for (unsigned i = 1; i <= 10; i++) {
        peer_text(&peer, 40, PEER_PSH);
        assert_int_equal(peer_app_recv(&peer, 100), 40);
        peer_app_send(&peer, 200);
        while (peer_take(&peer)) {
        }
        assert_int_equal(predicted(), i);
    }
    peer_ended(state);
}

static void predict__a_sender_that_hears_of_all_of_it(void **state)
{
    (void)state;
    opened();
    peer_app_send(&peer, 900);
    assert_true(peer_take(&peer));
    peer_ack(&peer, peer.rcv);
    assert_int_equal(predicted(), 1);
    peer_settle(&peer);
    assert_int_equal(peer_memory(&peer).buffers, 0);
    assert_null(peer.conn->active); /* nothing keeps it from resting */
    peer_ended(state);
}

/* Each is dealt with by the steps of RFC 9293 3.10.7.4. */
static void predict__nothing_else(void **state)
{
    static const uint8_t flags[] = {
        PEER_ACK | PEER_FIN, PEER_ACK | PEER_URG, PEER_RST,
        PEER_ACK | PEER_SYN, PEER_ACK | PEER_ECE, 0};

    for (size_t i = 0; i < sizeof(flags); i++) {
        opened();
        peer_send(&peer, (struct peer_seg){.seq = peer.nxt,
                                           .ack = peer.rcv,
                                           .flags = flags[i]});
        assert_int_equal(predicted(), 0);
        peer_ended(state);
    }
    opened();
    peer_send(&peer, (struct peer_seg){
                         .seq = peer.nxt, .ack = peer.rcv + 1, .flags = 16});
    peer_send(&peer, (struct peer_seg){
                         .seq = peer.nxt, .ack = peer.rcv - 1, .flags = 16});
    peer_send(&peer, (struct peer_seg){
                         .seq = peer.nxt - 1, .ack = peer.rcv, .flags = 16});
    peer_send(&peer, (struct peer_seg){
                         .seq = peer.nxt + 1, .ack = peer.rcv, .flags = 16});
    peer.timestamps = false;
    peer_text(&peer, 10, 0);
    assert_int_equal(predicted(), 0);
    peer_ended(state);
}

/* RFC 9293 3.10.7.4: the window of an older segment is not taken. */
static void predict__no_window_of_a_segment_that_was_overtaken(void **state)
{
    opened();
    peer_send(&peer, (struct peer_seg){.seq = peer.nxt + 100,
                                       .ack = peer.rcv,
                                       .flags = PEER_ACK,
                                       .window = 30000});
    peer_send(&peer, (struct peer_seg){.seq = peer.nxt,
                                       .ack = peer.rcv,
                                       .flags = PEER_ACK,
                                       .len = 100,
                                       .window = 1});
    assert_int_equal(peer_info(&peer).bytes_received, 100);
    assert_int_equal(peer_info(&peer).snd_wnd_bytes, 30000);
    peer_take_all(&peer);
    peer_ended(state);
}

/* An acknowledgement of all that is in flight, of which ... */
static void all_is_acknowledged(void **state)
{
    peer_ack(&peer, peer.rcv);
    assert_int_equal(peer_info(&peer).in_flight_bytes, 0);
    assert_int_equal(predicted(), 0);
    peer_ended(state);
}

/* ... the recovery may have been a mistake. */
static void predict__nothing_of_a_recovery(void **state)
{
    opened();
    peer_app_send(&peer, 900);
    peer_wait(&peer, 5000 * MS);
    assert_true(PEER_COUNT(&peer, tcp_timeout) > 0);
    peer_take_all(&peer);
    peer.rcv += 900;
    all_is_acknowledged(state);
}

/* ... it cannot be told which transmission it is of (Karn): a closed window
 * was probed with it, which is no recovery. */
static void predict__nothing_of_what_went_twice(void **state)
{
    opened();
    peer_app_send(&peer, 900);
    assert_true(peer_take(&peer));
    peer_send(&peer, (struct peer_seg){.seq = peer.nxt,
                                       .ack = peer.rcv - 100,
                                       .flags = PEER_ACK,
                                       .window = 1});
    peer.window = 0;
    peer_ack(&peer, peer.rcv - 99);
    peer_wait(&peer, 5000 * MS);
    assert_true(PEER_COUNT(&peer, tcp_zero_window_probe) > 0);
    peer_take_all(&peer);
    peer.window = 60000;
    all_is_acknowledged(state);
}

/* ... a part, or all, is known to have arrived already. */
static void predict__nothing_of_what_was_sacked(void **state)
{
    opened();
    peer_app_send(&peer, 900);
    assert_true(peer_take(&peer));
    peer_sack(&peer, peer.rcv - 900,
              (const uint32_t[][2]){{peer.rcv - 800, peer.rcv}}, 1);
    peer_ack(&peer, peer.rcv - 800);
    peer_take_all(&peer);
    all_is_acknowledged(state);
}

/* ... the active part has yet to tell the peer of text that came twice. */
static void predict__nothing_while_a_duplicate_is_owed(void **state)
{
    opened();
    peer_text(&peer, 10, 0);
    peer_app_send(&peer, 900);
    assert_true(peer_take(&peer));
    peer_input(&peer, (struct peer_seg){.seq = peer.nxt - 10,
                                        .ack = peer.rcv - 900,
                                        .flags = PEER_ACK,
                                        .len = 10});
    peer_input(&peer, (struct peer_seg){
                          .seq = peer.nxt, .ack = peer.rcv, .flags = PEER_ACK});
    assert_int_equal(predicted(), 1); /* the text */
    peer_settle(&peer);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.sack_count, 1);
    peer_ended(state);
}

/* ... the numbers went again after a router had refused them, which is no
 * congestion and so no recovery (RFC 1191 6.5; Karn all the same). */
static void predict__nothing_of_what_was_too_big(void **state)
{
    opened();
    peer_app_send(&peer, 900);
    assert_true(peer_take(&peer));
    peer_too_big(&peer, 700, peer.rcv - 900);
    assert_true(peer_take_all(&peer) > 0);
    assert_int_equal(peer.conn->active->odd, 0);
    assert_int_equal(peer.conn->active->board.count, 1);
    all_is_acknowledged(state);
}

/* ... duplicates of a peer without SACK have said that a part had arrived. */
static void predict__nothing_after_a_duplicate_acknowledgement(void **state)
{
    void *none = NULL;

    peer_prepared(&none);
    peer_start(&peer);
    peer_open_passive(&peer);
    begun = PEER_COUNT(&peer, tcp_predicted);
    peer_app_send(&peer, 3000);
    peer_ack(&peer, peer.rcv);
    peer_take_all(&peer);
    peer.rcv += 3000;
    assert_int_equal(peer.conn->active->odd, 0);
    assert_int_equal(peer.conn->active->dup_bytes, 1000);
    all_is_acknowledged(state);
}

/* ... the round trip after a recovery, in which it may yet be undone, ends. */
static void predict__nothing_while_a_recovery_may_be_undone(void **state)
{
    opened();
    peer_app_send(&peer, 900);
    peer_wait(&peer, 5000 * MS);
    while (peer_take(&peer)) {
    }
    peer_input(&peer, (struct peer_seg){
                          .seq = peer.nxt, .ack = peer.rcv, .flags = PEER_ACK});
    peer_app_send(&peer, 900);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.conn->active->odd, 0);
    assert_true(peer.conn->active->undo.possible);
    all_is_acknowledged(state);
}

/* ... it tells that a larger packet has arrived. */
static void predict__nothing_of_a_probe_of_the_path(void **state)
{
    opened();
    peer_app_send(&peer, 900);
    assert_true(peer_take(&peer));
    peer.conn->active->path.seq = peer.rcv - 900;
    peer.conn->active->path.end = peer.rcv;
    peer.conn->active->path.mtu = 1200;
    all_is_acknowledged(state);
}

/* The active part waits for the answer that what came may bring; without one
 * it is not kept, nor is what it remembers of what was sent. */
static void predict__keeps_the_active_part_for_an_answer_alone(void **state)
{
    for (unsigned answers = 0; answers < 2; answers++) {
        opened();
        peer_app_send(&peer, 900);
        assert_true(peer_take(&peer));
        peer_text(&peer, 10, 0);
        assert_int_equal(predicted(), 1);
        if (answers)
            peer_app_send(&peer, 900);
        peer_settle(&peer);
        assert_int_equal(peer.net->tcp.actives.count, answers);
        assert_int_equal(peer.net->tcp.records.count, answers);
        assert_int_equal(peer_info(&peer).in_flight_bytes, 900 * answers);
        peer_ended(state);
    }
}

/* ---- what it holds ---- */

/* A page that others read too does not stay for ten bytes of it. */
static void predict__copies_small_text_out_of_shared_memory(void **state)
{
    struct buffer *page, *packet;
    struct peer_seg seg = {.flags = PEER_ACK, .len = 10};

    opened();
    seg.seq = peer.nxt;
    seg.ack = peer.rcv;
    page = buffer_alloc(net_pool(peer.net), BUFFER_PAGE, 0);
    assert_non_null(page);
    page->len = peer_build(&peer, seg, page->data);
    packet = buffer_slice(net_pool(peer.net), page, 0, page->len);
    assert_non_null(packet);
    net_input_packet(peer.net, packet, host_now_us);
    buffer_release(page);
    assert_int_equal(predicted(), 1);
    assert_int_equal(tcp_recv_ready(peer.conn), 10);
    assert_true(peer.conn->rcv_queue.held < PAGE_BYTES);
    peer_ended(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(predict__changes_nothing_that_can_be_seen),
        TEST(predict__requests_and_answers),
        TEST(predict__a_sender_that_hears_of_all_of_it),
        TEST(predict__nothing_else),
        TEST(predict__no_window_of_a_segment_that_was_overtaken),
        TEST(predict__nothing_of_a_recovery),
        TEST(predict__nothing_of_what_went_twice),
        TEST(predict__nothing_of_what_was_sacked),
        TEST(predict__nothing_while_a_duplicate_is_owed),
        TEST(predict__nothing_of_what_was_too_big),
        TEST(predict__nothing_after_a_duplicate_acknowledgement),
        TEST(predict__nothing_while_a_recovery_may_be_undone),
        TEST(predict__nothing_of_a_probe_of_the_path),
        TEST(predict__copies_small_text_out_of_shared_memory),
        TEST(predict__keeps_the_active_part_for_an_answer_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
