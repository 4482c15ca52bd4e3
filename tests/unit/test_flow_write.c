/*
 * tests/unit/test_flow_write.c - flow_write(), flow_writev() and
 * flow_write_nodelay(): whose the bytes are, and in which order they leave.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/host.h"
#include "tests/host/world_seen.h"

static int released;
static uint64_t received;

static void count_release(struct buffer *root, void *context)
{
    (void)root;
    (void)context;
    released++;
}

/* A buffer whose release is counted. */
static struct buffer *counted(struct flow *flow, uint32_t bytes)
{
    static uint8_t memory[200000];
    struct buffer *buffer =
        buffer_wrap(flow_pool(flow), memory, bytes, count_release, NULL);

    assert_non_null(buffer);
    return buffer;
}

static void hold(struct flow *flow, void *context)
{
    uint64_t hold_us = 30 * WORLD_S;

    (void)context;
    world_hold(flow, &hold_us);
}

static struct flow *connect_to(flow_callback *callback)
{
    released = 0;
    received = 0;
    world_listen(SEEN_PORT, callback, &received);
    return world_connect(SEEN_PORT);
}

/* ---- write ---- */

static void write__bytes_are_held_until_they_are_acknowledged_in(void)
{
    struct flow *flow = connect_to(world_discard);

    assert_int_equal(flow_write(flow, counted(flow, 1000)), FLOW_OK);
    world_sleep(WORLD_DELAY_US / 2);
    assert_int_equal(released, 0);
    world_sleep(WORLD_S);
    assert_int_equal(released, 1);
    flow_release(flow);
}
WORLD(write__bytes_are_held_until_they_are_acknowledged)

static void write__takes_the_reference_whatever_the_result_in(void)
{
    struct flow *flow = connect_to(hold);

    flow_set_write_deadline(flow, world_in(WORLD_S));
    assert_int_equal(flow_write(flow, counted(flow, 200000)), FLOW_DEADLINE);
    assert_true(flow_written(flow) > 0 && flow_written(flow) < 200000);
    thread_cancel(thread_self());
    flow_set_write_deadline(flow, FOREVER);
    assert_int_equal(flow_write(flow, counted(flow, 200000)), FLOW_CANCELLED);
    flow_abort(flow);
    assert_int_equal(flow_write(flow, counted(flow, 10)), FLOW_ERROR);
    assert_int_equal(flow_written(flow), 0);
    world_sleep(WORLD_S);
    assert_int_equal(released, 3);
    flow_release(flow);

    flow = world_connect(SEEN_PORT);
    flow_close(flow);
    assert_int_equal(flow_write(flow, counted(flow, 10)), FLOW_EOF);
    assert_int_equal(released, 4);
    flow_release(flow);
}
WORLD(write__takes_the_reference_whatever_the_result)

static void close_then_read(struct flow *flow, void *context)
{
    (void)context;
    flow_close(flow);
    received = world_read_all(flow);
}

static void write__peers_fin_does_not_end_writing_in(void)
{
    struct flow *flow = connect_to(close_then_read);
    struct buffer *buffer;

    assert_int_equal(flow_read(flow, &buffer), FLOW_EOF);

    world_write_all(flow, 300000);
    flow_close(flow);

    assert_int_equal(flow_wait_closed(flow, FOREVER), FLOW_OK);
    world_sleep(WORLD_S);
    assert_int_equal(received, 300000);
    assert_int_equal(flow_write(flow, world_text(flow, "x")), FLOW_EOF);
    flow_release(flow);
}
WORLD(write__peers_fin_does_not_end_writing)

static void abort_later(struct flow *flow, void *context)
{
    (void)context;
    world_sleep(WORLD_S);
    flow_abort(flow);
}

static void write__after_a_reset_is_the_sticky_error_in(void)
{
    struct flow *flow = connect_to(abort_later);

    world_sleep(2 * WORLD_S);
    for (int i = 0; i < 3; i++)
        assert_int_equal(flow_write(flow, world_text(flow, "x")), FLOW_ERROR);
    world_expect_error(flow, FLOW_ERROR_UNKNOWN, FLOW_REASON_RESET);
    flow_release(flow);
}
WORLD(write__after_a_reset_is_the_sticky_error)

static void write__deadline_is_exact_and_the_flow_goes_on_in(void)
{
    struct flow *flow = connect_to(hold);
    uint64_t deadline_us = world_in(5 * WORLD_S);
    size_t queued;

    flow_set_write_deadline(flow, deadline_us);
    assert_int_equal(flow_write(flow, counted(flow, 200000)), FLOW_DEADLINE);
    assert_int_equal(host_now_us, deadline_us);
    queued = flow_written(flow);
    assert_true(queued >= 65536); /* the send queue, at least */
    world_expect_error(flow, FLOW_ERROR_NONE, FLOW_REASON_NONE);
    flow_abort(flow);
    flow_release(flow);
}
WORLD(write__deadline_is_exact_and_the_flow_goes_on)

/* ---- two writers ---- */

static void write_letter(void *arg)
{
    static char letters[2][100000];
    static int next;
    char *mine = letters[next++ % 2];
    struct flow *flow = arg;

    memset(mine, next % 2 ? 'a' : 'b', 100000);
    assert_int_equal(flow_send(flow, mine, 100000, NULL), FLOW_OK);
}

static void count_changes(struct flow *flow, void *context)
{
    struct buffer *buffer;
    int *changes = context;
    uint8_t last = 0;

    while (flow_read(flow, &buffer) == FLOW_OK) {
        for (uint32_t i = 0; i < buffer->len; i++) {
            *changes += buffer->data[i] != last;
            last = buffer->data[i];
        }
        received += buffer->len;
        buffer_release(buffer);
    }
}

static void write__two_writers_do_not_mix_their_bytes_in(void)
{
    struct thread *threads[2];
    struct flow *flow;
    int changes = 0;

    received = 0;
    world_listen(SEEN_PORT, count_changes, &changes);
    flow = world_connect(SEEN_PORT);
    for (int i = 0; i < 2; i++)
        threads[i] = world_spawn(write_letter, flow);
    for (int i = 0; i < 2; i++)
        world_join(threads[i]);
    flow_close(flow);
    assert_int_equal(flow_wait_closed(flow, FOREVER), FLOW_OK);
    world_sleep(WORLD_S);

    assert_int_equal(received, 200000);
    assert_int_equal(changes, 2); /* from nothing to one, and to the other */
    flow_release(flow);
}
WORLD(write__two_writers_do_not_mix_their_bytes)

/* The server pokes the client each time that it has read. */
static void count_and_poke(struct flow *flow, void *context)
{
    struct buffer *buffer;
    int *changes = context;
    uint8_t last = 0;

    flow_set_nodelay(flow, true);
    while (flow_read(flow, &buffer) == FLOW_OK) {
        for (uint32_t i = 0; i < buffer->len; i++) {
            *changes += buffer->data[i] != last;
            last = buffer->data[i];
        }
        received += buffer->len;
        buffer_release(buffer);
        if (flow_write(flow, world_text(flow, "p")) != FLOW_OK)
            return;
    }
}

/* The client answers each poke: its reader is woken with room in the queue,
 * before the long write is. */
static void answer_pokes(void *arg)
{
    enum flow_status status = FLOW_OK;
    struct buffer *buffer;

    for (unsigned i = 0; status == FLOW_OK; i++) {
        if (flow_read(arg, &buffer) != FLOW_OK)
            return;
        buffer_release(buffer);
        status = i % 2 ? flow_send(arg, "b", 1, NULL)
                       : flow_write(arg, world_text(arg, "b"));
    }
}

static void write__a_long_write_lets_nobody_in_between_in(void)
{
    static char memory[400000];
    struct thread *thread;
    struct flow *flow;
    int changes = 0;

    received = 0;
    memset(memory, 'a', sizeof memory);
    world_listen(SEEN_PORT, count_and_poke, &changes);
    flow = world_connect(SEEN_PORT);
    thread = world_spawn(answer_pokes, flow);
    assert_int_equal(flow_send(flow, memory, sizeof memory, NULL), FLOW_OK);
    flow_close(flow);
    assert_int_equal(flow_wait_closed(flow, FOREVER), FLOW_OK);
    world_join(thread);
    world_sleep(WORLD_S);

    assert_true(received >= sizeof memory);
    assert_true(changes <= 2); /* all of one kind, then what follows */
    flow_release(flow);
}
WORLD(write__a_long_write_lets_nobody_in_between)

/* ---- writev, and writes that share segments ---- */

static void writev__small_pieces_share_one_segment_in(void)
{
    struct flow *flow = connect_to(world_discard);
    struct buffer *chain = world_text(flow, "one ");

    chain->next = world_text(flow, "two ");
    chain->next->next = world_text(flow, "three");
    seen_begin();
    assert_int_equal(flow_writev(flow, chain), FLOW_OK);
    assert_int_equal(flow_written(flow), 13);
    world_sleep(WORLD_S);

    assert_int_equal(seen.texts[1], 1);
    assert_int_equal(seen.text_bytes[0], 13);
    flow_release(flow);
}
WORLD(writev__small_pieces_share_one_segment)

static void write__header_and_body_share_one_segment_in(void)
{
    struct flow *flow = connect_to(world_discard);

    seen_begin();
    assert_int_equal(flow_write(flow, world_text(flow, "header")), FLOW_OK);
    assert_int_equal(flow_write(flow, world_text(flow, "body")), FLOW_OK);
    world_sleep(WORLD_S);

    assert_int_equal(seen.texts[1], 1);
    assert_int_equal(seen.text_bytes[0], 10);
    flow_release(flow);
}
WORLD(write__header_and_body_share_one_segment)

static void writev__a_chain_larger_than_the_queue_arrives_whole_in(void)
{
    struct flow *flow = connect_to(world_take_pattern);
    struct buffer *chain = NULL;
    struct buffer **end = &chain;
    uint32_t offset = 0;

    for (int i = 0; i < 100; i++) {
        *end = world_bytes(flow, offset, 3001);
        end = &(*end)->next;
        offset += 3001;
    }
    assert_int_equal(flow_writev(flow, chain), FLOW_OK);
    assert_int_equal(flow_written(flow), 300100);
    flow_close(flow);
    assert_int_equal(flow_wait_closed(flow, FOREVER), FLOW_OK);
    world_sleep(WORLD_S);
    assert_int_equal(received, 300100);
    flow_release(flow);
}
WORLD(writev__a_chain_larger_than_the_queue_arrives_whole)

static struct net_config no_delayed_ack(void)
{
    struct net_config config = world_config();

    config.tcp.delayed_ack_us = 0;
    return config;
}

static void write_nodelay__returns_when_the_peer_has_acknowledged_in(void)
{
    struct flow *flow = connect_to(world_discard);
    uint64_t begin_us;

    world_sleep(WORLD_S);
    begin_us = host_now_us;
    assert_int_equal(flow_write_nodelay(flow, counted(flow, 100)), FLOW_OK);
    assert_int_equal(host_now_us - begin_us, 2 * WORLD_DELAY_US);
    assert_int_equal(released, 1);
    flow_release(flow);
}
WORLD_OF(write_nodelay__returns_when_the_peer_has_acknowledged, world_config,
         no_delayed_ack)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(write__bytes_are_held_until_they_are_acknowledged),
        WORLD_TEST(write__takes_the_reference_whatever_the_result),
        WORLD_TEST(write__peers_fin_does_not_end_writing),
        WORLD_TEST(write__after_a_reset_is_the_sticky_error),
        WORLD_TEST(write__deadline_is_exact_and_the_flow_goes_on),
        WORLD_TEST(write__two_writers_do_not_mix_their_bytes),
        WORLD_TEST(write__a_long_write_lets_nobody_in_between),
        WORLD_TEST(writev__small_pieces_share_one_segment),
        WORLD_TEST(write__header_and_body_share_one_segment),
        WORLD_TEST(writev__a_chain_larger_than_the_queue_arrives_whole),
        WORLD_TEST(write_nodelay__returns_when_the_peer_has_acknowledged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
