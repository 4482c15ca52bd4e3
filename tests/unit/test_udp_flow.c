/*
 * The blocking UDP calls: two stacks with threads, on a wire in virtual time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/clock.h"
#include "net/udp_flow.h"
#include "tests/host/flow_world.h"
#include "tests/host/host.h"

enum { PORT = 7 };

static struct udp_flow *bind_on(unsigned which, uint16_t port)
{
    struct udp_flow *flow;

    assert_int_equal(udpv4_bind(stack_udp(world.stack[which]),
                                IPV4_ADDR(0, 0, 0, 0), port, &flow),
                     UDP_OK);
    return flow;
}

static struct udp_flow *connect_to(uint16_t port)
{
    struct udp_flow *flow;

    assert_int_equal(
        udpv4_connect(stack_udp(world.stack[0]), WORLD_B, port, &flow), UDP_OK);
    return flow;
}

/* Echoes until its flow is closed. */
static void echo(void *arg)
{
    struct udp_flow *flow = arg;
    enum udp_status status;
    struct udp_datagram from;
    struct buffer *data;

    while ((status = udp_flow_receive(flow, &from, &data, FOREVER)) == UDP_OK)
        assert_int_equal(udp_flow_reply(flow, &from, data, FOREVER), UDP_OK);
    assert_int_equal(status, UDP_CLOSED);
}

static void echo__every_size_comes_back_in(void)
{
    static uint8_t sent[UDP_DATA_BYTES_MAX], received[UDP_DATA_BYTES_MAX];
    struct udp_flow *server = bind_on(1, PORT);
    struct thread *thread = world_spawn(echo, server);
    struct udp_flow *client = connect_to(PORT);
    struct udp_datagram from;
    size_t bytes;

    for (size_t i = 0; i < sizeof(sent); i++)
        sent[i] = world_byte(i);
    /* Beyond 1472 bytes in fragments. */
    for (size_t size = 0; size <= sizeof(sent); size += size < 40     ? 1
                                                        : size < 1400 ? 179
                                                                      : 5827) {
        assert_int_equal(udp_flow_send(client, sent, size, FOREVER), UDP_OK);
        assert_int_equal(udp_flow_receive_into(client, &from, received,
                                               sizeof(received), &bytes,
                                               world_in(WORLD_S)),
                         UDP_OK);
        assert_int_equal(bytes, size);
        assert_memory_equal(received, sent, size);
        assert_true(ipv4_addr_equal(from.src, WORLD_B));
        assert_int_equal(from.src_port, PORT);
    }
    udp_flow_close(server);
    world_join(thread);
    udp_flow_close(client);
}
WORLD(echo__every_size_comes_back)

static void receive__ends_with_its_deadline_in(void)
{
    struct udp_flow *flow = bind_on(0, 0);
    uint64_t begin_us = clock_us();
    struct udp_datagram from;
    struct buffer *data;

    assert_int_equal(
        udp_flow_receive(flow, &from, &data, begin_us + 5 * WORLD_MS),
        UDP_DEADLINE);
    assert_int_equal(clock_us(), begin_us + 5 * WORLD_MS);
    udp_flow_close(flow);
}
WORLD(receive__ends_with_its_deadline)

static void wait_cancelled(void *arg)
{
    struct udp_datagram from;
    struct buffer *data;

    assert_int_equal(udp_flow_receive(arg, &from, &data, FOREVER),
                     UDP_CANCELLED);
}

static void receive__can_be_cancelled_in(void)
{
    struct udp_flow *flow = bind_on(0, 0);
    struct thread *thread = world_spawn(wait_cancelled, flow);

    world_sleep(WORLD_MS);
    thread_cancel(thread);
    world_join(thread);
    udp_flow_close(flow);
}
WORLD(receive__can_be_cancelled)

static void wait_closed(void *arg)
{
    struct udp_datagram from;
    struct buffer *data;

    assert_int_equal(udp_flow_receive(arg, &from, &data, FOREVER), UDP_CLOSED);
}

static void close__wakes_every_reader_in(void)
{
    struct udp_flow *flow = bind_on(0, 0);
    struct thread *threads[4];

    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        threads[i] = world_spawn(wait_closed, flow);
    world_sleep(WORLD_MS);
    udp_flow_close(flow);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        world_join(threads[i]);
}
WORLD(close__wakes_every_reader)

/* Nobody listens at B: its ICMP ends the wait. */
static void receive__port_unreachable_is_refused_in(void)
{
    struct udp_flow *flow = connect_to(PORT);
    struct udp_datagram from;
    struct buffer *data;

    assert_int_equal(udp_flow_send(flow, "?", 1, FOREVER), UDP_OK);
    assert_int_equal(udp_flow_receive(flow, &from, &data, FOREVER),
                     UDP_REFUSED);
    assert_int_equal(udp_flow_receive(flow, &from, &data, world_in(WORLD_MS)),
                     UDP_DEADLINE);
    udp_flow_close(flow);
}
WORLD(receive__port_unreachable_is_refused)

static void send__full_card_blocks_until_there_is_room_in(void)
{
    struct udp_flow *flow = connect_to(PORT);
    struct udp_flow *server = bind_on(1, PORT);
    uint64_t begin_us;

    assert_int_equal(udp_flow_send(flow, "1", 1, FOREVER), UDP_OK);
    world_sleep(10 * WORLD_MS); /* B's address is known */
    world.dev[0].tx_max = 0;
    begin_us = clock_us();
    assert_int_equal(udp_flow_send(flow, "2", 1, begin_us + WORLD_MS),
                     UDP_DEADLINE);
    assert_int_equal(clock_us(), begin_us + WORLD_MS);
    world.dev[0].tx_max = 256;
    assert_int_equal(udp_flow_send(flow, "3", 1, begin_us + WORLD_S), UDP_OK);
    world_sleep(10 * WORLD_MS);
    for (const char *wanted = "13"; *wanted; wanted++) {
        struct udp_datagram from;
        size_t bytes;
        char got;

        assert_int_equal(udp_flow_receive_into(server, &from, &got, 1, &bytes,
                                               world_in(WORLD_MS)),
                         UDP_OK);
        assert_int_equal(got, *wanted);
    }
    udp_flow_close(server);
    udp_flow_close(flow);
}
WORLD(send__full_card_blocks_until_there_is_room)

/* Questions to name servers go this way: nothing of one stays. */
static void send__goes_on_when_pages_are_scarce_in(void)
{
    struct udp_flow *server = bind_on(1, PORT), *client = connect_to(PORT);
    struct udp_datagram from;
    uint8_t got = 0;
    size_t bytes;

    world.host[0].scarce = true;
    for (uint8_t i = 1; i <= 3; i++) {
        assert_int_equal(udp_flow_send(client, &i, 1, FOREVER), UDP_OK);
        assert_int_equal(udp_flow_receive_into(server, &from, &got, 1, &bytes,
                                               world_in(WORLD_S)),
                         UDP_OK);
        assert_int_equal(got, i);
    }
    world.host[0].scarce = false;
    udp_flow_close(server);
    udp_flow_close(client);
}
WORLD(send__goes_on_when_pages_are_scarce)

static void connect__fails_without_a_trace_in(void)
{
    struct udp_flow *flow;

    assert_int_equal(udpv4_connect(stack_udp(world.stack[0]),
                                   IPV4_ADDR(255, 255, 255, 255), 1, &flow),
                     UDP_NO_BROADCAST);
    assert_null(flow);
    flow = bind_on(0, PORT);
    udp_flow_set_broadcast(flow, true);
    assert_int_equal(udp_flow_connect(flow, IPV4_ADDR(255, 255, 255, 255), 1),
                     UDP_OK);
    udp_flow_close(flow);
}
WORLD(connect__fails_without_a_trace)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(echo__every_size_comes_back),
        WORLD_TEST(receive__ends_with_its_deadline),
        WORLD_TEST(receive__can_be_cancelled),
        WORLD_TEST(close__wakes_every_reader),
        WORLD_TEST(receive__port_unreachable_is_refused),
        WORLD_TEST(send__full_card_blocks_until_there_is_room),
        WORLD_TEST(send__goes_on_when_pages_are_scarce),
        WORLD_TEST(connect__fails_without_a_trace),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
