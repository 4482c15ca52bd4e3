/*
 * tests/unit/test_flow_open.c - connecting, packets of another IP layer, and
 * what errors are called. The wire's side of it is in test_flow_handshake.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/flow_world.h"
#include "tests/host/host.h"

enum { PORT = 80 };

static struct flow_error error;

/* Connect and expect that it fails; leaves `error`. */
static enum flow_status fail_to(struct ipv4_addr addr, uint16_t port,
                                uint64_t deadline_us)
{
    struct flow *flow;
    enum flow_status status = tcpv4_create_connection(
        world.tcp[0], addr, port, deadline_us, &flow, &error);

    assert_int_not_equal(status, FLOW_OK);
    assert_null(flow);
    assert_int_equal(world_stats(0).parked, 0);
    return status;
}

static bool lose_syns(const struct world_segment *segment)
{
    return !(segment->flags & WORLD_FLAGS_SYN);
}

/* ---- create_connection ---- */

static void connect__takes_one_round_trip_in(void)
{
    struct flow *flow;
    uint64_t begin_us;

    world_listen(PORT, world_discard, NULL);
    flow = world_connect(PORT); /* and ARP */
    flow_release(flow);
    begin_us = host_now_us;
    flow = world_connect(PORT);
    assert_int_equal(host_now_us - begin_us, 2 * WORLD_DELAY_US);
    flow_release(flow);
}
WORLD(connect__takes_one_round_trip)

static void connect__rst_is_refused_in(void)
{
    assert_int_equal(fail_to(WORLD_B, 81, FOREVER), FLOW_ERROR);
    assert_int_equal(error.kind, FLOW_ERROR_REFUSED);
    assert_string_equal(flow_error_message(error), "connection refused");
}
WORLD(connect__rst_is_refused)

static void connect__no_answer_is_timeout_after_180_s_in(void)
{
    uint64_t begin_us = host_now_us;

    world.watch = lose_syns;
    assert_int_equal(fail_to(WORLD_B, PORT, FOREVER), FLOW_ERROR);
    assert_int_equal(error.kind, FLOW_ERROR_TIMEOUT);
    assert_int_equal(host_now_us - begin_us, 180ull * WORLD_S);
    assert_string_equal(flow_error_message(error), "connection timed out");
}
WORLD(connect__no_answer_is_timeout_after_180_s)

static struct net_config short_syn_timeout(void)
{
    struct net_config config = world_config();

    config.tcp.syn_timeout_us = 5 * WORLD_S;
    return config;
}

static void connect__syn_timeout_can_be_set_in(void)
{
    uint64_t begin_us = host_now_us;

    world.watch = lose_syns;
    assert_int_equal(fail_to(WORLD_B, PORT, FOREVER), FLOW_ERROR);
    assert_int_equal(error.kind, FLOW_ERROR_TIMEOUT);
    assert_int_equal(host_now_us - begin_us, 5ull * WORLD_S);
}
WORLD_OF(connect__syn_timeout_can_be_set, short_syn_timeout, world_config)

static void connect__deadline_ends_it_and_leaves_nothing_in(void)
{
    uint64_t deadline_us = world_in(7 * WORLD_S);
    struct net_memory memory;

    world.watch = lose_syns;
    assert_int_equal(fail_to(WORLD_B, PORT, deadline_us), FLOW_DEADLINE);
    assert_int_equal(host_now_us, deadline_us);
    world_sleep(1);
    net_memory_get(world.net[0], &memory);
    assert_int_equal(memory.conns, 0);
    assert_int_equal(world_stats(0).flows, 0);
}
WORLD(connect__deadline_ends_it_and_leaves_nothing)

static void connect__no_answer_to_arp_is_unreachable_in(void)
{
    uint64_t begin_us = host_now_us;

    assert_int_equal(fail_to(IPV4_ADDR(10, 0, 0, 99), PORT, FOREVER),
                     FLOW_ERROR);
    assert_int_equal(error.kind, FLOW_ERROR_UNKNOWN);
    assert_int_equal(error.reason, FLOW_REASON_UNREACHABLE);
    assert_true(host_now_us - begin_us < 10 * WORLD_S);
}
WORLD(connect__no_answer_to_arp_is_unreachable)

static void connect__what_cannot_be_is_said_at_once_in(void)
{
    static const struct {
        struct ipv4_addr addr;
        uint16_t port;
        enum flow_reason reason;
    } rows[] = {
        {{.byte = {255, 255, 255, 255}}, PORT, FLOW_REASON_BAD_ADDRESS},
        {{.byte = {10, 0, 0, 255}},
         PORT,
         FLOW_REASON_BAD_ADDRESS}, /* MUST-46 */
        {{.byte = {224, 0, 0, 1}}, PORT, FLOW_REASON_BAD_ADDRESS},
        {{.byte = {0, 0, 0, 0}}, PORT, FLOW_REASON_BAD_ADDRESS},
        {{.byte = {10, 0, 0, 2}}, 0, FLOW_REASON_BAD_ADDRESS},
        {{.byte = {192, 0, 2, 1}}, PORT, FLOW_REASON_NO_ROUTE},
    };
    uint64_t begin_us = host_now_us;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(fail_to(rows[i].addr, rows[i].port, FOREVER),
                         FLOW_ERROR);
        assert_int_equal(error.kind, FLOW_ERROR_UNKNOWN);
        assert_int_equal(error.reason, rows[i].reason);
    }
    assert_int_equal(host_now_us, begin_us);
}
WORLD(connect__what_cannot_be_is_said_at_once)

static struct net_config one_port(void)
{
    struct net_config config = world_config();

    config.tcp.ephemeral_first = 50000;
    config.tcp.ephemeral_last = 50001;
    return config;
}

static void connect__exhausted_ports_are_an_error_at_once_in(void)
{
    struct flow *flows[2];
    uint64_t begin_us;

    world_listen(PORT, world_discard, NULL);
    flows[0] = world_connect(PORT);
    flows[1] = world_connect(PORT);
    begin_us = host_now_us;
    assert_int_equal(fail_to(WORLD_B, PORT, FOREVER), FLOW_ERROR);
    assert_int_equal(error.reason, FLOW_REASON_NO_PORT);
    assert_int_equal(host_now_us, begin_us);
    flow_release(flows[0]);
    flow_release(flows[1]);
}
/* Regression 12. */
WORLD_OF(connect__exhausted_ports_are_an_error_at_once, one_port, world_config)

static struct net_config one_conn(void)
{
    struct net_config config = world_config();

    config.tcp.conns_max = 1;
    return config;
}

static void connect__no_control_block_is_out_of_memory_in(void)
{
    struct flow *flow;

    world_listen(PORT, world_discard, NULL);
    flow = world_connect(PORT);
    assert_int_equal(fail_to(WORLD_B, PORT, FOREVER), FLOW_ERROR);
    assert_int_equal(error.reason, FLOW_REASON_NO_MEMORY);
    flow_release(flow);
}
WORLD_OF(connect__no_control_block_is_out_of_memory, one_conn, world_config)

static void connect_refused(void *arg)
{
    struct flow_error *why = arg;
    struct flow *flow;

    assert_int_equal(
        tcpv4_create_connection(world.tcp[0], WORLD_B, 81, FOREVER, &flow, why),
        FLOW_ERROR);
}

static void connect__many_at_once_each_hear_their_own_end_in(void)
{
    struct flow_error errors[20];
    struct thread *threads[20];

    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        threads[i] = world_spawn(connect_refused, &errors[i]);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        world_join(threads[i]);
        assert_int_equal(errors[i].kind, FLOW_ERROR_REFUSED);
    }
}
WORLD(connect__many_at_once_each_hear_their_own_end)

/* Regression 17. */
static void connect_to_self(struct ipv4_addr addr)
{
    struct flow_listener echo = {.callback = world_echo};
    struct flow *flow;

    assert_true(tcpv4_listen(world.tcp[0], PORT, &echo));
    assert_int_equal(tcpv4_create_connection(world.tcp[0], addr, PORT, FOREVER,
                                             &flow, &error),
                     FLOW_OK);
    world_write_all(flow, 30000);
    flow_close(flow);
    assert_int_equal(world_read_all(flow), 30000);
    flow_release(flow);
    tcpv4_unlisten(world.tcp[0], PORT);
}

static void connect__own_address_works_in(void)
{
    connect_to_self(WORLD_A);
    connect_to_self(IPV4_ADDR(127, 0, 0, 1));
}
WORLD(connect__own_address_works)

/* ---- input: the mapping of ports, and segments from elsewhere ---- */

static struct {
    unsigned asked;
    uint16_t port;
    bool refuse;
} mapping;

static struct flow_listener map(void *context, uint16_t port)
{
    assert_ptr_equal(context, &mapping);
    mapping.asked++;
    mapping.port = port;
    if (mapping.refuse || port == 81)
        return (struct flow_listener){0};
    return (struct flow_listener){.callback = world_echo};
}

static void input__mapping_is_asked_for_every_syn_in(void)
{
    struct flow *flow;

    memset(&mapping, 0, sizeof mapping);
    (void)tcpv4_input(world.tcp[1], map, &mapping);
    for (unsigned i = 1; i <= 3; i++) {
        flow = world_connect(4000);
        assert_int_equal(mapping.asked, i);
        assert_int_equal(mapping.port, 4000);
        flow_close(flow);
        assert_int_equal(world_read_all(flow), 0);
        flow_release(flow);
    }
    mapping.refuse = true;
    assert_int_equal(fail_to(WORLD_B, 4000, FOREVER), FLOW_ERROR);
    assert_int_equal(error.kind, FLOW_ERROR_REFUSED);
    mapping.refuse = false;
    flow_release(world_connect(4000));
}
WORLD(input__mapping_is_asked_for_every_syn)

static void input__null_callback_is_a_reset_in(void)
{
    memset(&mapping, 0, sizeof mapping);
    (void)tcpv4_input(world.tcp[1], map, &mapping);
    assert_int_equal(fail_to(WORLD_B, 81, FOREVER), FLOW_ERROR);
    assert_int_equal(error.kind, FLOW_ERROR_REFUSED);
}
WORLD(input__null_callback_is_a_reset)

static void input__a_listener_is_not_asked_about_in(void)
{
    memset(&mapping, 0, sizeof mapping);
    (void)tcpv4_input(world.tcp[1], map, &mapping);
    world_listen(81, world_discard, NULL);
    flow_release(world_connect(81));
    assert_int_equal(mapping.asked, 0);
}
WORLD(input__a_listener_is_not_asked_about)

static struct {
    struct ipinput input; /* of B */
    unsigned taken;
} outer;

/* Another IP layer: takes A's segments off the wire, and feeds them to B. */
static bool carry(const struct world_segment *segment)
{
    struct buffer *buffer;
    uint32_t header = 20 + segment->option_bytes;
    uint32_t room;

    if (segment->to != 1)
        return true;
    buffer = buffer_alloc(net_pool(world.net[1]), BUFFER_LARGE,
                          outer.taken % 2 ? BUFFER_HEADROOM : 0);
    assert_non_null(buffer);
    room = buffer_tailroom(buffer);
    assert_true(header + segment->bytes <= room);
    buffer->len = header + segment->bytes;
    memcpy(buffer->data, segment->options - 20, buffer->len);
    outer.taken++;
    outer.input.fn(outer.input.context, WORLD_A, WORLD_B, buffer);
    return false;
}

static void input__function_takes_segments_of_another_ip_layer_in(void)
{
    struct flow *flow;

    memset(&mapping, 0, sizeof mapping);
    outer.taken = 0;
    outer.input = tcpv4_input(world.tcp[1], map, &mapping);
    world.watch = carry;
    flow = world_connect(4000);
    world_write_all(flow, 20000);
    flow_close(flow);
    assert_int_equal(world_read_all(flow), 20000);
    assert_true(outer.taken > 10);
    flow_release(flow);
    world_sleep(WORLD_S);
}
WORLD(input__function_takes_segments_of_another_ip_layer)

static void input__rubbish_is_dropped_in(void)
{
    struct buffer_pool *pool = net_pool(world.net[1]);
    struct ipinput input = tcpv4_input(world.tcp[1], NULL, NULL);
    static uint8_t bytes[1500];

    for (uint32_t len = 1; len < sizeof bytes; len += 37) {
        for (uint32_t i = 0; i < len; i++)
            bytes[i] = (uint8_t)host_random();
        input.fn(input.context, WORLD_A, WORLD_B,
                 hostnet_chain(pool, bytes, len));
    }
    input.fn(input.context, WORLD_A, WORLD_B, hostnet_chain(pool, bytes, 0));
    input.fn(input.context, IPV4_ADDR(224, 0, 0, 1), WORLD_B,
             hostnet_chain(pool, bytes, 40));
}
WORLD(input__rubbish_is_dropped)

/* ---- error_message ---- */

static void error_message__is_there_and_different_for_each(void **state)
{
    const char *text[FLOW_REASON_COUNT + 3];
    size_t count = 0;

    (void)state;
    text[count++] = flow_error_message((struct flow_error){FLOW_ERROR_NONE, 0});
    text[count++] =
        flow_error_message((struct flow_error){FLOW_ERROR_TIMEOUT, 0});
    text[count++] =
        flow_error_message((struct flow_error){FLOW_ERROR_REFUSED, 0});
    for (int i = 0; i < FLOW_REASON_COUNT; i++)
        text[count++] = flow_error_message(
            (struct flow_error){FLOW_ERROR_UNKNOWN, (enum flow_reason)i});
    for (size_t i = 0; i < count; i++) {
        assert_non_null(text[i]);
        assert_true(strlen(text[i]) > 0);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(text[i], text[k]);
    }
    assert_non_null(flow_error_message(
        (struct flow_error){FLOW_ERROR_UNKNOWN, FLOW_REASON_COUNT}));
    assert_non_null(flow_error_message(
        (struct flow_error){(enum flow_error_kind)77, FLOW_REASON_COUNT}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(connect__takes_one_round_trip),
        WORLD_TEST(connect__rst_is_refused),
        WORLD_TEST(connect__no_answer_is_timeout_after_180_s),
        WORLD_TEST(connect__syn_timeout_can_be_set),
        WORLD_TEST(connect__deadline_ends_it_and_leaves_nothing),
        WORLD_TEST(connect__no_answer_to_arp_is_unreachable),
        WORLD_TEST(connect__what_cannot_be_is_said_at_once),
        WORLD_TEST(connect__exhausted_ports_are_an_error_at_once),
        WORLD_TEST(connect__no_control_block_is_out_of_memory),
        WORLD_TEST(connect__many_at_once_each_hear_their_own_end),
        WORLD_TEST(connect__own_address_works),
        WORLD_TEST(input__mapping_is_asked_for_every_syn),
        WORLD_TEST(input__null_callback_is_a_reset),
        WORLD_TEST(input__a_listener_is_not_asked_about),
        WORLD_TEST(input__function_takes_segments_of_another_ip_layer),
        WORLD_TEST(input__rubbish_is_dropped),
        cmocka_unit_test(error_message__is_there_and_different_for_each),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
