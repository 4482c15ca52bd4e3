/*
 * tests/unit/test_flow_write.c - FLOW.md's rows "write", "writev" and
 * "write_nodelay", and the copying write.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/flow_world.h"
#include "tests/host/host.h"

enum { PORT = 80 };

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

static void read_pattern(struct flow *flow, void *context)
{
    (void)context;
    received = world_read_all(flow);
}

/* Holds its flow and reads nothing. */
static void stall(struct flow *flow, void *context)
{
    (void)flow;
    (void)context;
    world_sleep(30 * WORLD_S);
}

static struct flow *connect_to(flow_callback *callback)
{
    released = 0;
    received = 0;
    world_listen(PORT, callback, NULL);
    return world_connect(PORT);
}

/* ---- the segments that were sent to B with text ---- */

static struct {
    unsigned segments;
    uint32_t bytes[16];
    uint64_t sent_us[16];
} seen;

static bool watch_text(const struct world_segment *segment)
{
    if (segment->to == 1 && segment->bytes > 0 && seen.segments < 16) {
        seen.bytes[seen.segments] = segment->bytes;
        seen.sent_us[seen.segments] = segment->sent_us;
        seen.segments++;
    }
    return true;
}

static void watch(void)
{
    memset(&seen, 0, sizeof seen);
    world.watch = watch_text;
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
    struct flow *flow = connect_to(stall);

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

    flow = world_connect(PORT);
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
    struct flow *flow = connect_to(stall);
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
    world_listen(PORT, count_changes, &changes);
    flow = world_connect(PORT);
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
    world_listen(PORT, count_and_poke, &changes);
    flow = world_connect(PORT);
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
    watch();
    assert_int_equal(flow_writev(flow, chain), FLOW_OK);
    assert_int_equal(flow_written(flow), 13);
    world_sleep(WORLD_S);

    assert_int_equal(seen.segments, 1);
    assert_int_equal(seen.bytes[0], 13);
    flow_release(flow);
}
WORLD(writev__small_pieces_share_one_segment)

static void write__header_and_body_share_one_segment_in(void)
{
    struct flow *flow = connect_to(world_discard);

    watch();
    assert_int_equal(flow_write(flow, world_text(flow, "header")), FLOW_OK);
    assert_int_equal(flow_write(flow, world_text(flow, "body")), FLOW_OK);
    world_sleep(WORLD_S);

    assert_int_equal(seen.segments, 1);
    assert_int_equal(seen.bytes[0], 10);
    flow_release(flow);
}
WORLD(write__header_and_body_share_one_segment)

static void writev__a_chain_larger_than_the_queue_arrives_whole_in(void)
{
    struct flow *flow = connect_to(read_pattern);
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

/* ---- write_nodelay ---- */

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

static void write_nodelay__is_not_held_back_by_nagle_in(void)
{
    struct flow *flow = connect_to(world_discard);
    uint64_t begin_us;

    world.wire.to[0].delay_us = 500 * WORLD_MS; /* acknowledgements are slow */
    watch();
    begin_us = host_now_us;
    assert_int_equal(flow_write(flow, world_text(flow, "first")), FLOW_OK);
    world_sleep(10 * WORLD_MS);
    assert_int_equal(flow_write_nodelay(flow, world_text(flow, "second")),
                     FLOW_OK);

    assert_true(seen.segments >= 2);
    assert_int_equal(seen.sent_us[0], begin_us);
    assert_int_equal(seen.sent_us[1], begin_us + 10 * WORLD_MS);
    flow_release(flow);
}
WORLD(write_nodelay__is_not_held_back_by_nagle)

static void third_small_write(struct flow *flow, uint64_t *begin_us)
{
    world.wire.to[0].delay_us = 150 * WORLD_MS;
    watch();
    for (int i = 0; i < 3; i++) {
        *begin_us = host_now_us;
        assert_int_equal(flow_write(flow, world_text(flow, "x")), FLOW_OK);
        world_sleep(10 * WORLD_MS);
    }
    world_sleep(WORLD_S);
}

static void set_nodelay__small_writes_leave_at_once_in(void)
{
    struct flow *flow = connect_to(world_discard);
    uint64_t begin_us;

    flow_set_nodelay(flow, true);
    third_small_write(flow, &begin_us);

    assert_true(seen.segments >= 3);
    assert_int_equal(seen.sent_us[2], begin_us);
    flow_release(flow);
}
WORLD(set_nodelay__small_writes_leave_at_once)

static void nagle__is_on_by_default_and_again_after_write_nodelay_in(void)
{
    struct flow *flow = connect_to(world_discard);
    uint64_t begin_us;

    assert_int_equal(flow_write_nodelay(flow, world_text(flow, "x")), FLOW_OK);
    third_small_write(flow, &begin_us);

    assert_int_equal(seen.segments, 2);
    assert_int_equal(seen.bytes[1], 2); /* the second and the third together */
    flow_release(flow);
}
WORLD(nagle__is_on_by_default_and_again_after_write_nodelay)

static void cork__holds_small_writes_until_it_is_out_in(void)
{
    struct flow *flow = connect_to(world_discard);

    watch();
    flow_set_cork(flow, true);
    for (int i = 0; i < 3; i++)
        assert_int_equal(flow_write(flow, world_text(flow, "x")), FLOW_OK);
    world_sleep(100 * WORLD_MS);
    assert_int_equal(seen.segments, 0);
    flow_set_cork(flow, false);
    world_sleep(10 * WORLD_MS);
    assert_int_equal(seen.segments, 1);
    assert_int_equal(seen.bytes[0], 3);
    flow_release(flow);
}
WORLD(cork__holds_small_writes_until_it_is_out)

/* ---- send ---- */

static void send__copies_before_it_returns_in(void)
{
    struct flow *flow = connect_to(read_pattern);
    static uint8_t memory[150000];
    size_t sent = 0;

    for (size_t i = 0; i < sizeof memory; i++)
        memory[i] = world_byte(i);
    assert_int_equal(flow_send(flow, memory, sizeof memory, &sent), FLOW_OK);
    memset(memory, 0xff, sizeof memory);
    assert_int_equal(sent, sizeof memory);
    flow_close(flow);
    assert_int_equal(flow_wait_closed(flow, FOREVER), FLOW_OK);
    world_sleep(WORLD_S);
    assert_int_equal(received, sizeof memory);
    flow_release(flow);
}
WORLD(send__copies_before_it_returns)

static void send__deadline_says_how_much_was_queued_in(void)
{
    struct flow *flow = connect_to(stall);
    static uint8_t memory[300000];
    size_t sent = 0;

    flow_set_write_deadline(flow, world_in(WORLD_S));
    assert_int_equal(flow_send(flow, memory, sizeof memory, &sent),
                     FLOW_DEADLINE);
    assert_true(sent >= 65536 && sent < sizeof memory);
    assert_int_equal(flow_written(flow), sent);
    flow_abort(flow);
    flow_release(flow);
}
WORLD(send__deadline_says_how_much_was_queued)

static struct buffer *hoard;

/* Take every buffer that there is; the chain through `next`. */
static void hoard_all(struct buffer_pool *pool)
{
    static const enum buffer_size sizes[] = {BUFFER_LARGE, BUFFER_SMALL};
    struct buffer *buffer;

    for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
        while ((buffer = buffer_alloc(pool, sizes[i], 0))) {
            buffer->next = hoard;
            hoard = buffer;
        }
}

static void give_up_hoard(void *arg)
{
    (void)arg;
    world_sleep(5 * WORLD_S);
    buffer_release(hoard);
    hoard = NULL;
}

static void send__goes_on_when_memory_comes_back_in(void)
{
    static uint8_t memory[20000];
    struct thread *thread;
    struct flow *flow;
    uint64_t begin_us;
    size_t sent = 0;

    for (size_t i = 0; i < sizeof memory; i++)
        memory[i] = world_byte(i);
    flow = connect_to(read_pattern);
    world_sleep(WORLD_S);
    hoard_all(flow_pool(flow));
    flow_set_write_deadline(flow, world_in(WORLD_S));
    assert_int_equal(flow_send(flow, memory, sizeof memory, &sent),
                     FLOW_DEADLINE);
    assert_int_equal(sent, 0);

    flow_set_write_deadline(flow, FOREVER);
    begin_us = host_now_us;
    thread = world_spawn(give_up_hoard, NULL);
    assert_int_equal(flow_send(flow, memory, sizeof memory, NULL), FLOW_OK);
    assert_true(host_now_us - begin_us < 6ull * WORLD_S);
    world_join(thread);
    flow_close(flow);
    assert_int_equal(flow_wait_closed(flow, FOREVER), FLOW_OK);
    world_sleep(WORLD_S);
    assert_int_equal(received, sizeof memory);
    flow_release(flow);
}
WORLD(send__goes_on_when_memory_comes_back)

/* ---- little memory ---- */

enum { WRITERS = 100, EACH_BYTES = 400000, LITTLE_PAGES = 320 };

static struct net_config little_memory(void)
{
    struct net_config config = world_config();

    config.pages_max = LITTLE_PAGES;
    config.tcp.snd_buf_begin_bytes = config.tcp.snd_buf_bytes = 65536;
    return config;
}

static void send_much(void *arg)
{
    static uint8_t memory[EACH_BYTES];
    struct flow *flow = world_connect(PORT);

    world_sleep(WORLD_S);
    flow_set_write_deadline(flow, world_in(120ull * WORLD_S));
    *(enum flow_status *)arg = flow_send(flow, memory, sizeof memory, NULL);
    flow_release(flow);
}

static void all_get_done(thread_fn *writer)
{
    static enum flow_status status[WRITERS];
    struct thread *thread[WRITERS];

    world_listen(PORT, world_discard, NULL);
    for (int i = 0; i < WRITERS; i++)
        thread[i] = world_spawn(writer, &status[i]);
    for (int i = 0; i < WRITERS; i++)
        world_join(thread[i]);
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(status[i], FLOW_OK);
    assert_true(
        net_counters(world.net[0])->value[NET_COUNT_tcp_pressure_ended] == 0);
}

/* What those who wait have copied must not be the memory they wait for, nor
 * leave none for the acknowledgements that would set some free. */
static void send__many_with_little_memory_all_get_done_in(void)
{
    all_get_done(send_much);
}
WORLD_OF(send__many_with_little_memory_all_get_done, little_memory,
         world_config)

/* A chain of the application's own, or null: it holds none while it waits. */
static struct buffer *own_chain(struct flow *flow)
{
    struct buffer *chain = NULL, *buf;

    for (int i = 0; i < 8; i++) {
        buf = buffer_alloc(flow_pool(flow), BUFFER_LARGE, 0);
        if (!buf) {
            buffer_release(chain);
            return NULL;
        }
        buf->len = BUFFER_LARGE_BYTES;
        memset(buf->data, 0, buf->len);
        buf->next = chain;
        chain = buf;
    }
    return chain;
}

static void write_much(void *arg)
{
    struct flow *flow = world_connect(PORT);
    enum flow_status *status = arg;

    world_sleep(WORLD_S);
    flow_set_write_deadline(flow, world_in(120ull * WORLD_S));
    *status = FLOW_OK;
    for (int i = 0; i < 20 && *status == FLOW_OK; i++) {
        struct buffer *chain;

        while (!(chain = own_chain(flow)))
            world_sleep(10 * WORLD_MS);
        *status = flow_writev(flow, chain);
    }
    flow_release(flow);
}

/* An application's own buffers leave the last pages to packets, too. */
static void writev__many_with_little_memory_all_get_done_in(void)
{
    all_get_done(write_much);
}
WORLD_OF(writev__many_with_little_memory_all_get_done, little_memory,
         world_config)

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
        WORLD_TEST(write_nodelay__is_not_held_back_by_nagle),
        WORLD_TEST(set_nodelay__small_writes_leave_at_once),
        WORLD_TEST(nagle__is_on_by_default_and_again_after_write_nodelay),
        WORLD_TEST(cork__holds_small_writes_until_it_is_out),
        WORLD_TEST(send__copies_before_it_returns),
        WORLD_TEST(send__deadline_says_how_much_was_queued),
        WORLD_TEST(send__goes_on_when_memory_comes_back),
        WORLD_TEST(send__many_with_little_memory_all_get_done),
        WORLD_TEST(writev__many_with_little_memory_all_get_done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
