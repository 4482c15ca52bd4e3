/*
 * tests/unit/test_flow_send.c - flow_send(), which copies; and writers who have
 * little memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/host.h"
#include "tests/host/world_seen.h"

static uint64_t received;

static void send__copies_before_it_returns_in(void)
{
    struct flow *flow = seen_connect(world_take_pattern, &received);
    static uint8_t memory[150000];
    size_t sent = 0;

    received = 0;
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
    uint64_t hold_us = 30 * WORLD_S;
    struct flow *flow = seen_connect(world_hold, &hold_us);
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
    received = 0;
    flow = seen_connect(world_take_pattern, &received);
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
    struct flow *flow = world_connect(SEEN_PORT);

    world_sleep(WORLD_S);
    flow_set_write_deadline(flow, world_in(120ull * WORLD_S));
    *(enum flow_status *)arg = flow_send(flow, memory, sizeof memory, NULL);
    flow_release(flow);
}

static void all_get_done(thread_fn *writer)
{
    static enum flow_status status[WRITERS];
    struct thread *thread[WRITERS];

    world_listen(SEEN_PORT, world_discard, NULL);
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
    struct flow *flow = world_connect(SEEN_PORT);
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
        WORLD_TEST(send__copies_before_it_returns),
        WORLD_TEST(send__deadline_says_how_much_was_queued),
        WORLD_TEST(send__goes_on_when_memory_comes_back),
        WORLD_TEST(send__many_with_little_memory_all_get_done),
        WORLD_TEST(writev__many_with_little_memory_all_get_done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
