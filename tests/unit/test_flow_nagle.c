/*
 * tests/unit/test_flow_nagle.c - when small writes leave: Nagle, and what
 * switches it off.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/host/host.h"
#include "tests/host/world_seen.h"

static void write_nodelay__is_not_held_back_by_nagle_in(void)
{
    struct flow *flow = seen_connect(world_discard, NULL);
    uint64_t begin_us;

    world.wire.to[0].delay_us = 500 * WORLD_MS; /* acknowledgements are slow */
    seen_begin();
    begin_us = host_now_us;
    assert_int_equal(flow_write(flow, world_text(flow, "first")), FLOW_OK);
    world_sleep(10 * WORLD_MS);
    assert_int_equal(flow_write_nodelay(flow, world_text(flow, "second")),
                     FLOW_OK);

    assert_true(seen.texts[1] >= 2);
    assert_int_equal(seen.text_us[0], begin_us);
    assert_int_equal(seen.text_us[1], begin_us + 10 * WORLD_MS);
    flow_release(flow);
}
WORLD(write_nodelay__is_not_held_back_by_nagle)

static void third_small_write(struct flow *flow, uint64_t *begin_us)
{
    world.wire.to[0].delay_us = 150 * WORLD_MS;
    seen_begin();
    for (int i = 0; i < 3; i++) {
        *begin_us = host_now_us;
        assert_int_equal(flow_write(flow, world_text(flow, "x")), FLOW_OK);
        world_sleep(10 * WORLD_MS);
    }
    world_sleep(WORLD_S);
}

static void set_nodelay__small_writes_leave_at_once_in(void)
{
    struct flow *flow = seen_connect(world_discard, NULL);
    uint64_t begin_us;

    flow_set_nodelay(flow, true);
    third_small_write(flow, &begin_us);

    assert_true(seen.texts[1] >= 3);
    assert_int_equal(seen.text_us[2], begin_us);
    flow_release(flow);
}
WORLD(set_nodelay__small_writes_leave_at_once)

static void nagle__is_on_by_default_and_again_after_write_nodelay_in(void)
{
    struct flow *flow = seen_connect(world_discard, NULL);
    uint64_t begin_us;

    assert_int_equal(flow_write_nodelay(flow, world_text(flow, "x")), FLOW_OK);
    third_small_write(flow, &begin_us);

    assert_int_equal(seen.texts[1], 2);
    assert_int_equal(seen.text_bytes[1],
                     2); /* the second and the third together */
    flow_release(flow);
}
WORLD(nagle__is_on_by_default_and_again_after_write_nodelay)

static void cork__holds_small_writes_until_it_is_out_in(void)
{
    struct flow *flow = seen_connect(world_discard, NULL);

    seen_begin();
    flow_set_cork(flow, true);
    for (int i = 0; i < 3; i++)
        assert_int_equal(flow_write(flow, world_text(flow, "x")), FLOW_OK);
    world_sleep(100 * WORLD_MS);
    assert_int_equal(seen.texts[1], 0);
    flow_set_cork(flow, false);
    world_sleep(10 * WORLD_MS);
    assert_int_equal(seen.texts[1], 1);
    assert_int_equal(seen.text_bytes[0], 3);
    flow_release(flow);
}
WORLD(cork__holds_small_writes_until_it_is_out)

/* ---- two answers at once ---- */

static void write_apart(struct flow *flow, const char *one, const char *two)
{
    assert_int_equal(flow_write(flow, world_text(flow, one)), FLOW_OK);
    world_sleep(100); /* it is on its way: they cannot share a segment */
    assert_int_equal(flow_write(flow, world_text(flow, two)), FLOW_OK);
}

static void read_ten(struct flow *flow)
{
    size_t bytes = 0;
    char text[16];
    size_t got;

    while (bytes < 10) {
        assert_int_equal(flow_receive(flow, text, sizeof text - bytes, &got),
                         FLOW_OK);
        bytes += got;
    }
    assert_int_equal(bytes, 10);
}

static void answer_ten(struct flow *flow, void *context)
{
    for (int i = 0; i < 100; i++) {
        read_ten(flow);
        write_apart(flow, "header", "body");
    }
    world_discard(flow, context);
}

static void nagle__header_and_body_do_not_wait_for_each_other_in(void)
{
    struct flow *flow;
    uint64_t begin_us;

    flow = seen_connect(answer_ten, NULL);
    for (int i = 0; i < 100; i++) {
        begin_us = host_now_us;
        write_apart(flow, "header", "body");
        read_ten(flow);
        assert_true(host_now_us - begin_us < 40 * WORLD_MS);
    }
    flow_release(flow);
}
WORLD(nagle__header_and_body_do_not_wait_for_each_other)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(write_nodelay__is_not_held_back_by_nagle),
        WORLD_TEST(set_nodelay__small_writes_leave_at_once),
        WORLD_TEST(nagle__is_on_by_default_and_again_after_write_nodelay),
        WORLD_TEST(cork__holds_small_writes_until_it_is_out),
        WORLD_TEST(nagle__header_and_body_do_not_wait_for_each_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
