/*
 * tests/host/flow_world.c - see flow_world.h.
 */
#include "tests/host/flow_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/clock.h"
#include "tests/host/host.h"
#include "tests/host/octets.h"

enum { STACK_SLACK = 65536, PATTERN_BYTES = 65536 + 251 };

struct world world = {.stacks_max = SIZE_MAX, .start_us = 1000000, .seed = 1};

static uint8_t pattern[PATTERN_BYTES]; /* period 251 */

/* ---- the machine ---- */

static void *stack_alloc(size_t bytes)
{
    char *memory;

    if (world.stacks_out >= world.stacks_max)
        return NULL;
    memory = aligned_alloc(PAGE_BYTES, bytes + STACK_SLACK);
    if (!memory)
        abort();
    world.stacks_out++;
    return memory + STACK_SLACK; /* sanitizers' frames reach below */
}

static void stack_free(void *stack, size_t bytes)
{
    (void)bytes;
    world.stacks_out--;
    free((char *)stack - STACK_SLACK);
}

static void idle(uint64_t deadline_us)
{
    uint64_t next_us;

    wire_collect(&world.wire, host_now_us);
    (void)wire_deliver(&world.wire, host_now_us);
    if (thread_signal_pending())
        return;
    next_us = wire_next(&world.wire);
    if (deadline_us < next_us)
        next_us = deadline_us;
    if (next_us == FOREVER) {
        fprintf(stderr, "world: everybody waits, for ever\n");
        abort();
    }
    if (next_us > host_now_us)
        host_now_us = next_us;
    (void)wire_deliver(&world.wire, host_now_us);
}

static const struct thread_host thread_host = {
    .now_us = clock_us,
    .idle = idle,
    .stack_alloc = stack_alloc,
    .stack_free = stack_free,
};

static void raise(void *context)
{
    thread_signal_raise(context);
}

/* ---- the wire, watched ---- */

static bool observe(void *context, const struct wire_frame *frame)
{
    const uint8_t *ip = frame->bytes + 14;
    const uint8_t *tcp = ip + 20;
    struct world_segment segment;
    uint32_t header_bytes;

    (void)context;
    if (!world.watch || frame->len < 54 || get16(frame->bytes + 12) != 0x800 ||
        ip[9] != 6)
        return true;
    header_bytes = (uint32_t)(tcp[12] >> 4) * 4;
    segment = (struct world_segment){
        .to = frame->to,
        .flags = tcp[13] & 31,
        .src_port = get16(tcp),
        .dst_port = get16(tcp + 2),
        .seq = get32(tcp + 4),
        .ack = get32(tcp + 8),
        .window = get16(tcp + 14),
        .bytes = get16(ip + 2) - 20u - header_bytes,
        .text = tcp + header_bytes,
        .options = tcp + 20,
        .option_bytes = header_bytes - 20,
        .sent_us = frame->sent_us,
    };
    return world.watch(&segment);
}

/* ---- made and ended ---- */

struct net_config world_config(void)
{
    struct net_config config = net_config_default();

    config.tcp.timestamps = false; /* what world_forge() makes has none, */
    config.tcp.sack = false;       /* and counts as duplicates */
    config.tcp.rcv_buf_bytes = 65535;
    config.tcp.snd_buf_bytes = 65536;
    config.tcp.conns_max = 1024;
    config.tcp.time_wait_max = 1024;
    return config;
}

static void make(unsigned i, const struct net_config *config)
{
    struct stack_config stack = {.net = config ? *config : world_config()};
    struct net_address address = {.addr = i == 0 ? WORLD_A : WORLD_B,
                                  .prefix_bits = 24};

    stack.net.host = hostnet_host(&world.host[i]);
    memdev_init(&world.dev[i],
                (struct mac_addr){{2, 0, 0, 0, 0, (uint8_t)(i + 1)}});
    world.dev[i].signal = raise;
    world.dev[i].signal_context = &world.signal[i];
    world.stack[i] = stack_create(&stack, &world.signal[i]);
    assert_non_null(world.stack[i]);
    assert_int_equal(stack_attach(world.stack[i], &world.dev[i].dev, &address),
                     NET_OK);
    world.tcp[i] = stack_tcp(world.stack[i]);
    world.net[i] = stack_net(world.stack[i]);
}

/* Nothing of the tests may be left; and then nothing of the stacks. */
static void end(void)
{
    struct net_memory memory;
    struct thread_stats threads;

    world.watch = NULL;
    world.wire.cut = false;
    for (unsigned i = 0; i < 2; i++)
        tcpv4_disconnect(world.tcp[i], world_in(10 * WORLD_S));
    world_sleep(60 * WORLD_S);        /* callbacks that sleep end too */
    world_sleep(10 * WORLD_DELAY_US); /* what was just sent arrives */
    for (unsigned i = 0; i < 2; i++) {
        memdev_clear(&world.dev[i]);
        net_memory_get(world.net[i], &memory);
        assert_int_equal(memory.buffers, 0);
        assert_int_equal(world_stats(i).flows, 0);
        assert_int_equal(world_stats(i).parked, 0);
        assert_int_equal(world_stats(i).lingering, 0);
        assert_int_equal(world_stats(i).threads, 0);
    }
    for (unsigned i = 0; i < 2; i++) {
        stack_destroy(world.stack[i]);
        memdev_clear(&world.dev[i]);
    }
    wire_clear(&world.wire);
    thread_yield();
    thread_stats_get(&threads);
    assert_int_equal(threads.threads, 1);
    assert_int_equal(world.stacks_out, 0);
    assert_int_equal(world.host[0].pages, 0);
    assert_int_equal(world.host[1].pages, 0);
}

void world_run(const struct net_config *a, const struct net_config *b,
               void (*test)(void))
{
    struct world fresh = {
        .stacks_max = SIZE_MAX, .start_us = world.start_us, .seed = world.seed};

    world = fresh;
    for (size_t i = 0; i < PATTERN_BYTES; i++)
        pattern[i] = (uint8_t)(i % 251);
    host_now_us = world.start_us;
    host_seed(world.seed);
    thread_init(&thread_host);
    wire_init(&world.wire, &world.dev[0], &world.dev[1]);
    world.wire.to[0].delay_us = world.wire.to[1].delay_us = WORLD_DELAY_US;
    world.wire.observe = observe;
    make(0, a);
    make(1, b);
    test();
    end();
    world.start_us = 1000000;
    world.seed = 1;
}

/* ---- what tests do ---- */

void world_sleep(uint64_t us)
{
    (void)thread_sleep_until(host_now_us + us);
}

uint64_t world_in(uint64_t us)
{
    return host_now_us + us;
}

struct thread *world_spawn(thread_fn *fn, void *arg)
{
    struct thread *thread = NULL;

    assert_int_equal(thread_spawn(&thread, "test", 0, fn, arg), THREAD_OK);
    return thread;
}

void world_join(struct thread *thread)
{
    assert_int_equal(thread_join(thread, FOREVER), WAIT_OK);
}

void world_listen(uint16_t port, flow_callback *callback, void *context)
{
    struct flow_listener listener = {.callback = callback, .context = context};

    assert_true(tcpv4_listen(world.tcp[1], port, &listener));
}

struct flow *world_connect(uint16_t port)
{
    struct flow_error error;
    struct flow *flow;

    assert_int_equal(tcpv4_create_connection(world.tcp[0], WORLD_B, port,
                                             FOREVER, &flow, &error),
                     FLOW_OK);
    assert_non_null(flow);
    return flow;
}

struct buffer *world_text(struct flow *flow, const char *text)
{
    struct buffer *buffer =
        buffer_wrap(flow_pool(flow), text, (uint32_t)strlen(text), NULL, NULL);

    assert_non_null(buffer);
    return buffer;
}

uint8_t world_byte(uint64_t offset)
{
    return (uint8_t)(offset % 251);
}

struct buffer *world_bytes(struct flow *flow, uint32_t offset, uint32_t bytes)
{
    struct buffer *buffer;

    assert_true(bytes <= 65536);
    buffer =
        buffer_wrap(flow_pool(flow), pattern + offset % 251, bytes, NULL, NULL);
    assert_non_null(buffer);
    return buffer;
}

uint64_t world_read_all(struct flow *flow)
{
    enum flow_status status;
    struct buffer *buffer;
    uint64_t bytes = 0;

    while ((status = flow_read(flow, &buffer)) == FLOW_OK) {
        assert_true(buffer->len > 0);
        assert_null(buffer->next);
        for (uint32_t i = 0; i < buffer->len; i++)
            assert_int_equal(buffer->data[i], world_byte(bytes + i));
        bytes += buffer->len;
        buffer_release(buffer);
    }
    assert_int_equal(status, FLOW_EOF);
    assert_null(buffer);
    return bytes;
}

void world_write_all(struct flow *flow, uint64_t bytes)
{
    uint64_t done = 0;
    uint32_t part;

    while (done < bytes) {
        part = bytes - done < 65536 ? (uint32_t)(bytes - done) : 65536;
        assert_int_equal(
            flow_write(flow, world_bytes(flow, (uint32_t)(done % 251), part)),
            FLOW_OK);
        assert_int_equal(flow_written(flow), part);
        done += part;
    }
}

void world_expect_error(struct flow *flow, enum flow_error_kind kind,
                        enum flow_reason reason)
{
    assert_int_equal(flow_error(flow).kind, kind);
    assert_int_equal(flow_error(flow).reason, reason);
}

struct tcpv4_stats world_stats(unsigned which)
{
    struct tcpv4_stats stats;

    tcpv4_stats_get(world.tcp[which], &stats);
    return stats;
}

/* ---- callbacks ---- */

void world_discard(struct flow *flow, void *context)
{
    struct buffer *buffer;

    (void)context;
    while (flow_read(flow, &buffer) == FLOW_OK)
        buffer_release(buffer);
}

void world_echo(struct flow *flow, void *context)
{
    struct buffer *buffer;

    (void)context;
    while (flow_read(flow, &buffer) == FLOW_OK)
        if (flow_write(flow, buffer) != FLOW_OK)
            return;
}

void world_hold(struct flow *flow, void *context)
{
    (void)flow;
    world_sleep(*(uint64_t *)context);
}

void world_take_pattern(struct flow *flow, void *context)
{
    *(uint64_t *)context = world_read_all(flow);
}

void world_exchange(struct flow *flow)
{
    assert_int_equal(flow_write(flow, world_text(flow, "hello")), FLOW_OK);
    world_expect_read(flow, "hello");
}

unsigned world_conns(unsigned which)
{
    struct net_memory memory;

    net_memory_get(world.net[which], &memory);
    return (unsigned)memory.conns;
}

void world_expect_read(struct flow *flow, const char *text)
{
    struct buffer *buffer;

    assert_int_equal(flow_read(flow, &buffer), FLOW_OK);
    assert_int_equal(buffer->len, strlen(text));
    assert_memory_equal(buffer->data, text, buffer->len);
    buffer_release(buffer);
}

/* ---- forged segments ---- */

static void put_ip(uint8_t *ip, uint8_t to, uint32_t segment_bytes)
{
    ip[0] = 0x45;
    put16(ip + 2, 20 + segment_bytes);
    ip[6] = 0x40;
    ip[8] = 64;
    ip[9] = 6;
    memcpy(ip + 12, (uint8_t[]){10, 0, 0, to == 0 ? 2 : 1}, 4);
    memcpy(ip + 16, (uint8_t[]){10, 0, 0, to == 0 ? 1 : 2}, 4);
    put16(ip + 10, ~internet_sum(ip, 20, 0));
}

void world_forge(const struct world_segment *segment, bool bad_checksum)
{
    uint32_t header_bytes = 20 + (segment->option_bytes + 3) / 4 * 4;
    uint32_t bytes = header_bytes + segment->bytes;
    uint8_t frame[14 + 20 + 60 + 1460] = {2, 0, 0, 0, 0, 0, 2};
    uint8_t *tcp = frame + 34;
    uint32_t sum = pseudo_sum(0x0a000001, 0x0a000002, 6, bytes);

    assert_true(bytes <= 1480);
    frame[5] = (uint8_t)(segment->to + 1);
    frame[11] = (uint8_t)(2 - segment->to);
    put16(frame + 12, 0x800);
    put_ip(frame + 14, segment->to, bytes);
    put16(tcp, segment->src_port);
    put16(tcp + 2, segment->dst_port);
    put32(tcp + 4, segment->seq);
    put32(tcp + 8, segment->ack);
    tcp[12] = (uint8_t)(header_bytes / 4 << 4);
    tcp[13] = segment->flags;
    put16(tcp + 14, segment->window);
    if (segment->option_bytes)
        memcpy(tcp + 20, segment->options, segment->option_bytes);
    if (segment->bytes)
        memcpy(tcp + header_bytes, segment->text, segment->bytes);
    put16(tcp + 16,
          ~internet_sum(tcp, bytes, sum) ^ (bad_checksum ? 0x100 : 0));
    assert_true(memdev_inject(&world.dev[segment->to], frame, 34 + bytes));
}
