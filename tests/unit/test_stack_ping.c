/*
 * Asking a host from a green thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/clock.h"
#include "net/stack_ping.h"
#include "tests/host/flow_world.h"

static enum ping_status ask(struct ipv4_addr dst, uint32_t bytes,
                            struct ping_answer *answer)
{
    const struct ping_request request = {
        .dst = dst, .bytes = bytes, .timeout_us = 3 * WORLD_S};

    return stack_ping(world.stack[0], &request, answer);
}

static void ping__waits_for_the_answer_in(void)
{
    static const uint32_t sizes[] = {0, 56, 1473, PING_BYTES_MAX};
    struct ping_answer answer;

    assert_int_equal(ask(WORLD_B, 0, &answer), PING_OK); /* ARP */
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(ask(WORLD_B, sizes[i], &answer), PING_OK);
        assert_int_equal(answer.rtt_us, 2 * WORLD_DELAY_US);
        assert_int_equal(answer.ttl, 64);
    }
    assert_int_equal(ask(WORLD_A, 56, &answer), PING_OK);
}
WORLD(ping__waits_for_the_answer)

static void ping__waits_no_longer_than_it_should_in(void)
{
    uint64_t start_us = clock_us();
    struct ping_answer answer;

    world.wire.cut = true;
    assert_int_equal(ask(WORLD_B, 56, &answer), PING_TIMEOUT);
    assert_int_equal(answer.status, PING_TIMEOUT);
    assert_int_equal(clock_us() - start_us, 3 * WORLD_S);
    assert_int_equal(ask(IPV4_ADDR(8, 8, 8, 8), 56, &answer), PING_NO_ROUTE);
    world.wire.cut = false;
}
WORLD(ping__waits_no_longer_than_it_should)

static void ping__waits_for_room_in_the_card_in(void)
{
    struct ping_answer answer;
    uint64_t start_us;

    assert_int_equal(ask(WORLD_B, 0, &answer), PING_OK);
    world.dev[0].tx_max = 0;
    start_us = clock_us();
    assert_int_equal(ask(WORLD_B, 56, &answer), PING_TIMEOUT);
    assert_int_equal(clock_us() - start_us, 3 * WORLD_S);
    world.dev[0].tx_max = 256;
    assert_int_equal(ask(WORLD_B, 56, &answer), PING_OK);
}
WORLD(ping__waits_for_room_in_the_card)

static enum ping_status status;

static void ask_in_vain(void *arg)
{
    struct ping_answer answer;

    (void)arg;
    status = ask(IPV4_ADDR(10, 0, 0, 77), 56, &answer);
}

static void ping__can_be_cancelled_in(void)
{
    struct thread *thread = world_spawn(ask_in_vain, NULL);

    world_sleep(WORLD_S);
    thread_cancel(thread);
    world_join(thread);
    assert_int_equal(status, PING_CANCELLED);
}
WORLD(ping__can_be_cancelled)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(ping__waits_for_the_answer),
        WORLD_TEST(ping__waits_no_longer_than_it_should),
        WORLD_TEST(ping__waits_for_room_in_the_card),
        WORLD_TEST(ping__can_be_cancelled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
