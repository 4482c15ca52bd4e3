/*
 * tests/unit/test_flow_read.c - flow_read() and flow_receive().
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/buffer_pool.h"
#include "net/flow_priv.h"
#include "tests/host/flow_world.h"
#include "tests/host/host.h"

/* ---- servers ---- */

static void send_hello(struct flow *flow, void *context)
{
    (void)context;
    assert_int_equal(flow_write(flow, world_text(flow, "hello")), FLOW_OK);
}

static void send_hello_then_abort(struct flow *flow, void *context)
{
    (void)context;
    assert_int_equal(flow_write_nodelay(flow, world_text(flow, "hello")),
                     FLOW_OK);
    flow_abort(flow);
}

static void abort_at_once(struct flow *flow, void *context)
{
    (void)context;
    flow_abort(flow);
}

static void send_pattern(struct flow *flow, void *context)
{
    world_write_all(flow, *(uint64_t *)context);
}

/* ---- the row ---- */

static void read__data_before_fin_comes_first_and_eof_is_sticky_in(void)
{
    struct buffer *buffer;
    struct flow *flow;

    world_listen(80, send_hello, NULL);
    flow = world_connect(80);
    world_sleep(WORLD_S); /* data and FIN have both come */

    world_expect_read(flow, "hello");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(flow_read(flow, &buffer), FLOW_EOF);
        assert_null(buffer);
    }
    world_expect_error(flow, FLOW_ERROR_NONE, FLOW_REASON_NONE);
    flow_release(flow);
}
WORLD(read__data_before_fin_comes_first_and_eof_is_sticky)

static void read__data_before_rst_comes_first_and_error_is_sticky_in(void)
{
    struct buffer *buffer;
    struct flow *flow;

    world_listen(80, send_hello_then_abort, NULL);
    flow = world_connect(80);
    world_sleep(WORLD_S);

    world_expect_read(flow, "hello");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(flow_read(flow, &buffer), FLOW_ERROR);
        assert_null(buffer);
    }
    world_expect_error(flow, FLOW_ERROR_UNKNOWN, FLOW_REASON_RESET);
    assert_string_equal(flow_error_message(flow_error(flow)),
                        "connection reset by peer");
    flow_release(flow);
}
WORLD(read__data_before_rst_comes_first_and_error_is_sticky)

static void read__eof_stays_when_the_connection_is_aborted_after_it_in(void)
{
    struct buffer *buffer;
    struct flow *flow;

    world_listen(80, send_hello, NULL);
    flow = world_connect(80);
    world_expect_read(flow, "hello");
    assert_int_equal(flow_read(flow, &buffer), FLOW_EOF);

    flow_abort(flow);

    assert_int_equal(flow_read(flow, &buffer), FLOW_EOF);
    flow_release(flow);
}
WORLD(read__eof_stays_when_the_connection_is_aborted_after_it)

static void read__is_a_view_of_the_packet_and_not_a_copy_in(void)
{
    struct net_memory before, during;
    struct buffer *buffer;
    struct flow *flow;

    world_listen(80, send_hello, NULL);
    flow = world_connect(80);
    world_sleep(WORLD_S);
    net_memory_get(world.net[0], &before);

    assert_int_equal(flow_read(flow, &buffer), FLOW_OK);

    net_memory_get(world.net[0], &during);
    assert_int_equal(before.buffers, during.buffers);
    buffer_release(buffer);
    flow_release(flow);
}
WORLD(read__is_a_view_of_the_packet_and_not_a_copy)

static void read__tells_what_time_it_is_in(void)
{
    struct flow *flow;

    world_listen(80, send_hello, NULL);
    flow = world_connect(80);
    world_sleep(WORLD_S);
    host_now_us += 5;
    world_expect_read(flow, "hello");
    assert_int_equal(flow_now_us(flow), host_now_us);
    flow_release(flow);
}
WORLD(read__tells_what_time_it_is)

static void read__view_outlives_the_flow_in(void)
{
    struct buffer *buffer;
    struct flow *flow;

    world_listen(80, send_hello, NULL);
    flow = world_connect(80);
    assert_int_equal(flow_read(flow, &buffer), FLOW_OK);
    flow_release(flow);
    world_sleep(WORLD_S);

    assert_memory_equal(buffer->data, "hello", 5);
    buffer_release(buffer);
}
WORLD(read__view_outlives_the_flow)

static void read__deadline_is_not_sticky_in(void)
{
    uint64_t begin_us = host_now_us;
    struct buffer *buffer;
    struct flow *flow;

    world_listen(80, world_discard, NULL);
    flow = world_connect(80);
    begin_us = host_now_us;
    flow_set_read_deadline(flow, begin_us + 5 * WORLD_S);

    assert_int_equal(flow_read(flow, &buffer), FLOW_DEADLINE);
    assert_null(buffer);
    assert_int_equal(host_now_us, begin_us + 5 * WORLD_S);
    world_expect_error(flow, FLOW_ERROR_NONE, FLOW_REASON_NONE);

    /* used on: the peer sees our FIN and closes too */
    flow_set_read_deadline(flow, FOREVER);
    flow_close(flow);
    assert_int_equal(flow_read(flow, &buffer), FLOW_EOF);
    flow_release(flow);
}
WORLD(read__deadline_is_not_sticky)

static void read__passed_deadline_still_gives_what_is_there_in(void)
{
    struct flow *flow;

    world_listen(80, send_hello, NULL);
    flow = world_connect(80);
    world_sleep(WORLD_S);
    flow_set_read_deadline(flow, 1);

    world_expect_read(flow, "hello");
    flow_release(flow);
}
WORLD(read__passed_deadline_still_gives_what_is_there)

/* ---- several readers ---- */

struct reader {
    struct flow *flow;
    uint8_t seen[300];
    size_t bytes;
};

static uint8_t all_seen[300];
static size_t all_count;

static void read_bytewise(void *arg)
{
    struct reader *reader = arg;
    size_t got;

    while (flow_receive(reader->flow, reader->seen + reader->bytes, 1, &got) ==
           FLOW_OK) {
        assert_int_equal(got, 1);
        all_seen[all_count++] = reader->seen[reader->bytes];
        reader->bytes++;
        thread_yield();
    }
    assert_int_equal(got, 0);
}

static void read__two_readers_get_each_byte_once_in_order_in(void)
{
    static uint64_t bytes = 250;
    struct reader readers[2] = {0};
    struct thread *threads[2];

    all_count = 0;
    world_listen(80, send_pattern, &bytes);
    readers[0].flow = readers[1].flow = world_connect(80);
    for (int i = 0; i < 2; i++)
        threads[i] = world_spawn(read_bytewise, &readers[i]);
    for (int i = 0; i < 2; i++)
        world_join(threads[i]);

    assert_int_equal(all_count, bytes);
    for (size_t i = 0; i < bytes; i++)
        assert_int_equal(all_seen[i], world_byte(i));
    assert_true(readers[0].bytes > 0 && readers[1].bytes > 0);
    flow_release(readers[0].flow);
}
WORLD(read__two_readers_get_each_byte_once_in_order)

static void wait_for_end(void *arg)
{
    struct buffer *buffer;
    enum flow_status status = flow_read(arg, &buffer);

    assert_int_equal(status, FLOW_ERROR);
    world_expect_error(arg, FLOW_ERROR_UNKNOWN, FLOW_REASON_RESET);
}

static void read__rst_wakes_every_reader_in(void)
{
    struct thread *threads[4];
    struct flow *flow;

    world.wire.to[0].delay_us = 50 * WORLD_MS;
    world_listen(80, abort_at_once, NULL);
    flow = world_connect(80);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        threads[i] = world_spawn(wait_for_end, flow);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        world_join(threads[i]);
    flow_release(flow);
}
WORLD(read__rst_wakes_every_reader)

/* ---- bulk, into plain memory ---- */

static void receive__a_megabyte_arrives_whole_through_a_small_window_in(void)
{
    static uint64_t bytes = 1000000;
    struct flow *flow;

    world_listen(80, send_pattern, &bytes);
    flow = world_connect(80);

    assert_int_equal(world_read_all(flow), bytes);
    flow_release(flow);
}
WORLD(receive__a_megabyte_arrives_whole_through_a_small_window)

static void receive__takes_what_fits_and_leaves_the_rest_in(void)
{
    struct flow *flow;
    char text[8];
    size_t got;

    world_listen(80, send_hello, NULL);
    flow = world_connect(80);

    assert_int_equal(flow_receive(flow, text, 2, &got), FLOW_OK);
    assert_int_equal(got, 2);
    assert_memory_equal(text, "he", 2);
    assert_int_equal(flow_receive(flow, text, sizeof text, &got), FLOW_OK);
    assert_int_equal(got, 3);
    assert_memory_equal(text, "llo", 3);
    assert_int_equal(flow_receive(flow, text, sizeof text, &got), FLOW_EOF);
    assert_int_equal(got, 0);
    flow_release(flow);
}
WORLD(receive__takes_what_fits_and_leaves_the_rest)

static void memory_soon(void *arg)
{
    struct buffer_pool *pool = arg;

    world_sleep(50 * WORLD_MS);
    pool->views.max = SIZE_MAX;
}

/* A cut needs a view; without one the rest is looked at again, soon. */
static void receive__goes_on_when_there_is_memory_again_in(void)
{
    struct buffer_pool *pool;
    struct flow *flow;
    uint64_t begin_us;
    char text[8];
    size_t got;

    world_listen(80, send_hello, NULL);
    flow = world_connect(80);
    pool = flow_pool(flow);
    world_sleep(5 * WORLD_S);
    begin_us = host_now_us;
    pool->views.max = 0;
    flow_set_read_deadline(flow, world_in(20 * WORLD_MS));
    assert_int_equal(flow_receive(flow, text, 2, &got), FLOW_DEADLINE);
    flow_set_read_deadline(flow, FOREVER);
    assert_int_equal(thread_spawn(NULL, "memory", 0, memory_soon, pool),
                     THREAD_OK);
    assert_int_equal(flow_receive(flow, text, 2, &got), FLOW_OK);
    assert_true(host_now_us - begin_us < 200 * WORLD_MS);
    flow_release(flow);
}
WORLD(receive__goes_on_when_there_is_memory_again)

static void cancel_soon(void *arg)
{
    world_sleep(WORLD_S);
    thread_cancel(arg);
}

static void read__cancelled_flow_can_be_used_on_in(void)
{
    struct thread *canceller;
    struct buffer *buffer;
    struct flow *flow;

    world_listen(80, world_discard, NULL);
    flow = world_connect(80);
    canceller = world_spawn(cancel_soon, thread_self());

    assert_int_equal(flow_read(flow, &buffer), FLOW_CANCELLED);
    assert_null(buffer);

    world_join(canceller);
    flow_close(flow);
    assert_int_equal(flow_read(flow, &buffer), FLOW_EOF);
    flow_release(flow);
}
WORLD(read__cancelled_flow_can_be_used_on)

/* ---- the peer is gone ---- */

static void read__after_close_is_woken_when_the_peer_is_dead_in(void)
{
    struct buffer *buffer;
    struct flow *flow;

    world_listen(80, world_discard, NULL);
    flow = world_connect(80);
    world_sleep(WORLD_S);
    world.wire.cut = true;
    flow_set_user_timeout(flow, 60 * WORLD_S);
    flow_set_write_deadline(flow, world_in(WORLD_S));
    flow_close(flow);
    for (int i = 0; i < 2; i++)
        assert_int_equal(flow_read(flow, &buffer), FLOW_ERROR);
    world_expect_error(flow, FLOW_ERROR_TIMEOUT, FLOW_REASON_NONE);
    flow_release(flow);
    world_sleep(8000ull * WORLD_S); /* the server's side gives up as well */
}
WORLD(read__after_close_is_woken_when_the_peer_is_dead)

static void read__in_fin_wait_2_is_woken_by_keepalive_in(void)
{
    uint64_t hold_us = 20000ull * WORLD_S;
    struct buffer *buffer;
    struct flow *flow;

    world_listen(80, world_hold, &hold_us);
    flow = world_connect(80);
    flow_close(flow);
    world_sleep(WORLD_S);
    flow_set_keepalive(flow, true);
    world.wire.cut = true;
    for (int i = 0; i < 2; i++)
        assert_int_equal(flow_read(flow, &buffer), FLOW_ERROR);
    world_expect_error(flow, FLOW_ERROR_TIMEOUT, FLOW_REASON_NONE);
    flow_release(flow);
    world_sleep(20000ull * WORLD_S);
}
WORLD(read__in_fin_wait_2_is_woken_by_keepalive)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(read__data_before_fin_comes_first_and_eof_is_sticky),
        WORLD_TEST(read__data_before_rst_comes_first_and_error_is_sticky),
        WORLD_TEST(read__eof_stays_when_the_connection_is_aborted_after_it),
        WORLD_TEST(read__tells_what_time_it_is),
        WORLD_TEST(read__is_a_view_of_the_packet_and_not_a_copy),
        WORLD_TEST(read__view_outlives_the_flow),
        WORLD_TEST(read__deadline_is_not_sticky),
        WORLD_TEST(read__passed_deadline_still_gives_what_is_there),
        WORLD_TEST(read__two_readers_get_each_byte_once_in_order),
        WORLD_TEST(read__rst_wakes_every_reader),
        WORLD_TEST(receive__a_megabyte_arrives_whole_through_a_small_window),
        WORLD_TEST(receive__takes_what_fits_and_leaves_the_rest),
        WORLD_TEST(receive__goes_on_when_there_is_memory_again),
        WORLD_TEST(read__cancelled_flow_can_be_used_on),
        WORLD_TEST(read__after_close_is_woken_when_the_peer_is_dead),
        WORLD_TEST(read__in_fin_wait_2_is_woken_by_keepalive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
