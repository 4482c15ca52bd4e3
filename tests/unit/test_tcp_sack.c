/*
 * RFC 2018 and RFC 2883 as a receiver: which blocks go with which segment.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/tcp_conn.h"
#include "tests/host/host.h"
#include "tests/host/tcp_receiver.h"
#include "tests/host/tcp_scene.h"

#define MS 1000ull

/* The number of byte `at` of the peer's stream. The wrap is at byte 31. */
#define AT(at) (PEER_ISS + 1 + (at))

static void open_with(bool sack, bool timestamps)
{
    peer.sack = sack;
    peer.timestamps = timestamps;
    peer.ts = 1;
    peer_start(&peer);
    peer_open_passive(&peer);
}

/* The next packet acknowledges `ack` with these blocks, and no others. */
static void assert_blocks(uint32_t ack, const uint32_t (*want)[2],
                          uint32_t count)
{
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.ack - AT(0), ack);
    assert_int_equal(peer.got.sack_count, count);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(peer.got.sack[i][0] - AT(0), want[i][0]);
        assert_int_equal(peer.got.sack[i][1] - AT(0), want[i][1]);
    }
}

#define ASSERT_BLOCKS(ack, ...)                                                \
    assert_blocks(ack, (const uint32_t[][2]){__VA_ARGS__},                     \
                  sizeof((const uint32_t[][2]){__VA_ARGS__}) / 8)

/* RFC 2018 4: the first block is the one with the segment that came last. */
static void sack__the_newest_block_comes_first(void **state)
{
    (void)state;
    open_with(true, false);
    receiver_text(&peer, 10, 10, 0);
    ASSERT_BLOCKS(0, {10, 20});
    receiver_text(&peer, 30, 10, 0);
    ASSERT_BLOCKS(0, {30, 40}, {10, 20});
    receiver_text(&peer, 50, 10, 0);
    ASSERT_BLOCKS(0, {50, 60}, {30, 40}, {10, 20});
    receiver_text(&peer, 20, 5, 0);
    ASSERT_BLOCKS(0, {10, 25}, {50, 60}, {30, 40});
    receiver_text(&peer, 25, 5, 0);
    ASSERT_BLOCKS(0, {10, 40}, {50, 60});
    PEER_QUIET(&peer);
}

static void sack__goes_when_the_holes_are_filled(void **state)
{
    (void)state;
    open_with(true, false);
    receiver_text(&peer, 10, 10, 0);
    ASSERT_BLOCKS(0, {10, 20});
    receiver_text(&peer, 0, 10, 0);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.ack, AT(20));
    assert_int_equal(peer.got.sack_count, 0);
}

/* RFC 2018 3: four blocks fit, three beside timestamps. */
static void sack__has_as_many_blocks_as_fit(void **state)
{
    (void)state;
    open_with(true, false);
    for (uint32_t at = 10; at < 130; at += 20) {
        receiver_text(&peer, at, 10, 0);
        assert_true(peer_take(&peer));
    }
    assert_int_equal(peer.got.sack_count, 4);
    assert_int_equal(peer.got.sack[0][0], AT(110));
    assert_int_equal(peer.got.sack[3][0], AT(50));
}

static void sack__has_three_blocks_beside_timestamps(void **state)
{
    (void)state;
    open_with(true, true);
    for (uint32_t at = 10; at < 130; at += 20) {
        receiver_text(&peer, at, 10, 0);
        assert_true(peer_take(&peer));
    }
    assert_int_equal(peer.got.sack_count, 3);
    assert_int_equal(peer.got.options_len, 40);
}

/* RFC 2018 2: never without its permission. */
static void sack__is_not_sent_to_who_did_not_ask(void **state)
{
    (void)state;
    open_with(false, false);
    receiver_text(&peer, 10, 10, 0);
    assert_blocks(0, NULL, 0);
}

/* What one option cannot hold is told by a further acknowledgement. */
static void sack__every_block_of_a_batch_is_told(void **state)
{
    bool told[7] = {false};

    (void)state;
    open_with(true, true);
    for (uint32_t i = 0; i < 7; i++)
        receiver_input(&peer, 10 + 20 * i, 10);
    peer_settle(&peer);
    while (peer_take(&peer))
        for (uint32_t i = 0; i < peer.got.sack_count; i++)
            told[(peer.got.sack[i][0] - AT(10)) / 20] = true;
    for (uint32_t i = 0; i < 7; i++)
        assert_true(told[i]);
}

/* ... and a batch that makes one block is told by one. */
static void sack__one_acknowledgement_tells_of_a_whole_batch(void **state)
{
    (void)state;
    open_with(true, true);
    for (uint32_t i = 0; i < 7; i++)
        receiver_input(&peer, 10 + 10 * i, 10);
    peer_settle(&peer);
    ASSERT_BLOCKS(0, {10, 80});
    PEER_QUIET(&peer);
}

/* RFC 2018 4: on data too, which makes room for them (RFC 6691). */
static void sack__stands_on_text_and_shortens_it(void **state)
{
    (void)state;
    open_with(true, true);
    receiver_text(&peer, 10, 10, 0);
    receiver_text(&peer, 30, 10, 0);
    peer_take_all(&peer);
    peer_app_send(&peer, 3000);
    ASSERT_BLOCKS(0, {30, 40}, {10, 20});
    assert_int_equal(peer.got.options_len, 32);
    assert_int_equal(peer.got.len, 968); /* of an MSS of 1000 */
}

/* CVE-2019-11477: the smallest MSS, and as many options as there are. */
static void S21__the_smallest_segment_has_room_for_text(void **state)
{
    (void)state;
    peer.mss = 1; /* counts as 64 */
    open_with(true, true);
    for (uint32_t at = 10; at < 130; at += 20)
        receiver_text(&peer, at, 10, 0);
    peer_take_all(&peer);
    peer_app_send(&peer, 100);
    assert_true(peer_take(&peer));
    assert_int_equal(peer.got.sack_count, 3);
    assert_int_equal(peer.got.len, 64 - 40);
}

/* ---- RFC 2883 ---- */

/* 4.1.1: below the acknowledgement. */
static void dsack__of_text_that_was_acknowledged(void **state)
{
    (void)state;
    open_with(true, false);
    peer_text(&peer, 20, 0);
    peer_wait(&peer, 50 * MS);
    peer_take_all(&peer);
    receiver_text(&peer, 5, 10, 0);
    ASSERT_BLOCKS(20, {5, 15});
    receiver_text(&peer, 40, 10, 0); /* once only */
    ASSERT_BLOCKS(20, {40, 50});
}

/* 4.1.2: and of the rest of the queue behind it. */
static void dsack__comes_before_the_blocks(void **state)
{
    (void)state;
    open_with(true, false);
    peer_text(&peer, 20, 0);
    receiver_text(&peer, 30, 10, 0);
    peer_take_all(&peer);
    receiver_text(&peer, 0, 20, 0);
    ASSERT_BLOCKS(20, {0, 20}, {30, 40});
}

/* 4.2.1: a part of a block, which stands behind it. */
static void dsack__inside_a_block_is_followed_by_that_block(void **state)
{
    (void)state;
    open_with(true, false);
    receiver_text(&peer, 10, 20, 0);
    receiver_text(&peer, 50, 10, 0);
    peer_take_all(&peer);
    receiver_text(&peer, 15, 5, 0);
    ASSERT_BLOCKS(0, {15, 20}, {10, 30}, {50, 60});
}

static void dsack__of_a_whole_block_is_followed_by_the_same(void **state)
{
    (void)state;
    open_with(true, false);
    receiver_text(&peer, 10, 20, 0);
    peer_take_all(&peer);
    receiver_text(&peer, 10, 20, 0);
    ASSERT_BLOCKS(0, {10, 30}, {10, 30});
}

/* 4.1.3: of a segment that is old in part, that part. */
static void dsack__of_a_segment_that_is_partly_new(void **state)
{
    (void)state;
    open_with(true, false);
    peer_text(&peer, 20, 0);
    peer_wait(&peer, 50 * MS);
    peer_take_all(&peer);
    receiver_text(&peer, 10, 20, 0);
    peer_wait(&peer, 50 * MS);
    ASSERT_BLOCKS(30, {10, 20});
}

static void dsack__leaves_nothing_behind_on_an_idle_connection(void **state)
{
    (void)state;
    open_with(true, false);
    peer_text(&peer, 20, 0);
    peer_wait(&peer, 50 * MS);
    assert_int_equal(peer_app_recv(&peer, 100), 20);
    peer_take_all(&peer);
    receiver_text(&peer, 0, 20, 0);
    assert_true(peer_take(&peer));
    assert_null(peer.conn->active);
}

#define TEST(name) PEER_TEST(name, peer_prepared)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sack__the_newest_block_comes_first),
        TEST(sack__goes_when_the_holes_are_filled),
        TEST(sack__has_as_many_blocks_as_fit),
        TEST(sack__has_three_blocks_beside_timestamps),
        TEST(sack__is_not_sent_to_who_did_not_ask),
        TEST(sack__every_block_of_a_batch_is_told),
        TEST(sack__one_acknowledgement_tells_of_a_whole_batch),
        TEST(sack__stands_on_text_and_shortens_it),
        TEST(S21__the_smallest_segment_has_room_for_text),
        TEST(dsack__of_text_that_was_acknowledged),
        TEST(dsack__comes_before_the_blocks),
        TEST(dsack__inside_a_block_is_followed_by_that_block),
        TEST(dsack__of_a_whole_block_is_followed_by_the_same),
        TEST(dsack__of_a_segment_that_is_partly_new),
        TEST(dsack__leaves_nothing_behind_on_an_idle_connection),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
