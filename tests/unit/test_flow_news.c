/*
 * tests/unit/test_flow_news.c - options of a flow, and news beside its data:
 * urgent bytes and soft errors reach who waits for them, and nobody else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/flow_priv.h"
#include "tests/host/flow_world.h"
#include "tests/host/host.h"

/* ---- urgent ---- */

static void send_urgent(struct flow *flow, void *context)
{
    (void)context;
    assert_int_equal(flow_write(flow, world_text(flow, "calm ")), FLOW_OK);
    world_sleep(WORLD_S);
    assert_int_equal(flow_write_urgent(flow, world_text(flow, "now")), FLOW_OK);
    world_sleep(WORLD_S);
}

static void news__urgent_bytes_are_told_to_who_waits_in(void)
{
    struct flow *flow;
    unsigned news;

    world_listen(80, send_urgent, NULL);
    flow = world_connect(80);
    assert_int_equal(flow_urgent_bytes(flow), 0);

    assert_int_equal(flow_wait_news(flow, FOREVER, &news), FLOW_OK);

    assert_int_equal(news, FLOW_NEWS_URGENT);
    assert_int_equal(flow_urgent_bytes(flow), 8);
    world_expect_read(flow, "calm now"); /* in their place in the stream */
    assert_int_equal(flow_urgent_bytes(flow), 0);
    flow_release(flow);
}
WORLD(news__urgent_bytes_are_told_to_who_waits)

static void news__ends_with_deadline_and_with_the_flow_in(void)
{
    struct flow *flow;
    unsigned news = 77;

    world_listen(80, world_echo, NULL);
    flow = world_connect(80);
    assert_int_equal(flow_wait_news(flow, world_in(WORLD_S), &news),
                     FLOW_DEADLINE);
    assert_int_equal(news, 0);
    flow_abort(flow);
    assert_int_equal(flow_wait_news(flow, FOREVER, &news), FLOW_ERROR);
    flow_release(flow);
}
WORLD(news__ends_with_deadline_and_with_the_flow)

static void look_for_news(struct flow *flow, void *context,
                          enum flow_park_event event)
{
    (void)event;
    assert_int_equal(flow_wait_news(flow, world_in(0), context), FLOW_OK);
}

static void park_for_news(struct flow *flow, void *context)
{
    flow_park(flow, look_for_news, context, FOREVER);
}

/* Nobody waits for it when it comes. */
static void news__urgent_bytes_are_kept_for_a_parked_flow_in(void)
{
    struct flow *flow;
    unsigned news = 0;

    world_listen(80, park_for_news, &news);
    flow = world_connect(80);
    world_sleep(WORLD_S);
    assert_int_equal(flow_write_urgent(flow, world_text(flow, "now")), FLOW_OK);
    world_sleep(WORLD_S);
    assert_int_equal(news, FLOW_NEWS_URGENT);
    flow_release(flow);
}
WORLD(news__urgent_bytes_are_kept_for_a_parked_flow)

/* ---- soft errors ---- */

static bool swallow(const struct world_segment *segment)
{
    return segment->flags & WORLD_FLAGS_SYN || segment->bytes == 0;
}

/* RFC 9293 SHLD-9: between R1 and R2. */
static void news__silence_beyond_r1_is_told_in(void)
{
    struct flow *flow;
    unsigned news;

    world_listen(80, world_discard, NULL);
    flow = world_connect(80);
    world.watch = swallow;
    assert_int_equal(flow_write(flow, world_text(flow, "x")), FLOW_OK);

    assert_int_equal(flow_wait_news(flow, FOREVER, &news), FLOW_OK);

    assert_int_equal(news, FLOW_NEWS_SOFT_ERROR);
    assert_int_equal(flow_take_soft_error(flow), TCP_SOFT_NO_ANSWER);
    assert_int_equal(flow_take_soft_error(flow), TCP_SOFT_NONE);
    assert_int_equal(flow_state(flow), FLOW_OK);
    world.watch = NULL;
    flow_release(flow);
}
WORLD(news__silence_beyond_r1_is_told)

/* ... to who asks later, too. */
static void news__silence_is_kept_while_nobody_waits_in(void)
{
    struct flow *flow;
    unsigned news;

    world_listen(80, world_discard, NULL);
    flow = world_connect(80);
    world.watch = swallow;
    assert_int_equal(flow_write(flow, world_text(flow, "x")), FLOW_OK);
    world_sleep(60 * WORLD_S);
    world.watch = NULL;

    assert_int_equal(flow_wait_news(flow, FOREVER, &news), FLOW_OK);

    assert_int_equal(news, FLOW_NEWS_SOFT_ERROR);
    flow_release(flow);
}
WORLD(news__silence_is_kept_while_nobody_waits)

/* ---- options ---- */

static void set__for_a_flow_a_listener_and_all_in(void)
{
    struct tcpv4 *a = world.tcp[0], *b = world.tcp[1];
    struct flow *flow;

    world_listen(80, world_echo, NULL);
    assert_int_equal(tcpv4_listener_set(b, 80, TCP_OPTION_MSS, 600),
                     TCP_SET_OK);
    assert_int_equal(tcpv4_listener_set(b, 81, TCP_OPTION_MSS, 600),
                     TCP_SET_LATE);
    assert_int_equal(tcpv4_set(a, TCP_OPTION_TTL, 9), TCP_SET_OK);
    assert_int_equal(tcpv4_set(a, TCP_OPTION_TTL, 0), TCP_SET_RANGE);
    flow = world_connect(80);
    assert_int_equal(flow_get(flow, TCP_OPTION_TTL), 9);
    assert_int_equal(flow_set(flow, TCP_OPTION_R2, 5 * WORLD_S), TCP_SET_OK);
    assert_int_equal(flow_get(flow, TCP_OPTION_R2), 5 * WORLD_S);
    world.watch = swallow;
    assert_int_equal(flow_write(flow, world_text(flow, "x")), FLOW_OK);
    assert_int_equal(flow_wait_closed(flow, world_in(60 * WORLD_S)),
                     FLOW_ERROR);
    world_expect_error(flow, FLOW_ERROR_TIMEOUT, FLOW_REASON_NONE);
    assert_int_equal(flow_set(flow, TCP_OPTION_TTL, 5), TCP_SET_LATE);
    world.watch = NULL;
    flow_release(flow);
}
WORLD(set__for_a_flow_a_listener_and_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(news__urgent_bytes_are_told_to_who_waits),
        WORLD_TEST(news__urgent_bytes_are_kept_for_a_parked_flow),
        WORLD_TEST(news__ends_with_deadline_and_with_the_flow),
        WORLD_TEST(news__silence_beyond_r1_is_told),
        WORLD_TEST(news__silence_is_kept_while_nobody_waits),
        WORLD_TEST(set__for_a_flow_a_listener_and_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
