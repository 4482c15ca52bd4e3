/*
 * tests/unit/test_stack.c - the network thread: batches, sleep, memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/flow_world.h"
#include "tests/host/host.h"

enum { PORT = 80, FLOWS = 10 };

static unsigned to_a;

static bool count_to_a(const struct world_segment *segment)
{
    to_a += segment->to == 0;
    return true;
}

static void ask(struct flow *flow)
{
    assert_int_equal(flow_write(flow, world_text(flow, "question")), FLOW_OK);
}

static void network__idle_costs_no_rounds_in(void)
{
    struct stack_counters before, after;
    struct flow *flow;

    world_listen(PORT, world_echo, NULL);
    flow = world_connect(PORT);
    world_sleep(10 * WORLD_S);
    stack_counters_get(world.stack[1], &before);
    world_sleep(10000ull * WORLD_S);
    stack_counters_get(world.stack[1], &after);
    /* ARP's ageing may ask once in a while; nobody polls. */
    assert_true(after.rounds - before.rounds < 1000);
    flow_release(flow);
}
WORLD(network__idle_costs_no_rounds)

static void network__an_answer_carries_the_acknowledgement_in(void)
{
    struct stack_counters before, after;
    struct flow *flow;

    world_listen(PORT, world_echo, NULL);
    flow = world_connect(PORT);
    world_sleep(3 * WORLD_S); /* the cards have announced themselves */
    world.watch = count_to_a;
    stack_counters_get(world.stack[1], &before);
    for (unsigned i = 1; i <= 10; i++) {
        to_a = 0;
        ask(flow);
        world_expect_read(flow, "question");
        world_sleep(WORLD_S);
        assert_int_equal(to_a, 1);
    }
    /* Sleeps after the answer, after its ACK, after a timer that was for
     * neither; not before the thread that answers has run. */
    stack_counters_get(world.stack[1], &after);
    assert_true(after.sleeps - before.sleeps <= 30);
    flow_release(flow);
}
WORLD(network__an_answer_carries_the_acknowledgement)

static void network__answers_to_a_batch_leave_with_one_kick_in(void)
{
    struct flow *flows[FLOWS];
    uint64_t kicks;

    world_listen(PORT, world_echo, NULL);
    for (int i = 0; i < FLOWS; i++)
        flows[i] = world_connect(PORT);
    world_sleep(WORLD_S);
    for (int i = 0; i < FLOWS; i++)
        ask(flows[i]); /* one batch: the network thread has not run yet */
    kicks = world.dev[1].dev.count.kicks;
    world_sleep(WORLD_DELAY_US + 1);
    assert_int_equal(world.dev[1].dev.count.kicks, kicks + 1);
    for (int i = 0; i < FLOWS; i++) {
        world_expect_read(flows[i], "question");
        flow_release(flows[i]);
    }
}
WORLD(network__answers_to_a_batch_leave_with_one_kick)

static void network__a_full_card_delays_and_loses_nothing_in(void)
{
    struct flow *flow;

    world_listen(PORT, world_echo, NULL);
    flow = world_connect(PORT);
    world.dev[0].tx_max = 1;
    world.dev[1].tx_max = 1;
    world_write_all(flow, 60000);
    flow_close(flow);
    assert_int_equal(world_read_all(flow), 60000);
    world.dev[0].tx_max = world.dev[1].tx_max = 256;
    flow_release(flow);
}
WORLD(network__a_full_card_delays_and_loses_nothing)

/* ---- a card whose work comes to nothing: frames that it drops itself ---- */

static unsigned claims;

static bool claim_work(struct netdev *dev, bool on)
{
    (void)dev;
    if (!on || claims == 0)
        return false;
    claims--;
    return true;
}

static void network__work_that_comes_to_nothing_lets_others_run_in(void)
{
    const struct netdev_ops *ops = world.dev[1].dev.ops;
    struct netdev_ops claiming = *ops;

    world_sleep(WORLD_S);
    claiming.arm = claim_work;
    world.dev[1].dev.ops = &claiming;
    claims = 1000;
    stack_wake(world.stack[1]);
    thread_yield();
    assert_true(claims > 900);
    claims = 0;
    world.dev[1].dev.ops = ops;
}
WORLD(network__work_that_comes_to_nothing_lets_others_run)

static bool claim_frames(const struct netdev *dev)
{
    (void)dev;
    return claims > 0 && claims-- > 0;
}

static struct buffer *drop_all(struct netdev *dev, unsigned max)
{
    (void)dev;
    (void)max;
    return NULL;
}

static void network__frames_that_all_are_dropped_let_others_run_in(void)
{
    const struct netdev_ops *ops = world.dev[1].dev.ops;
    struct netdev_ops dropping = *ops;

    world_sleep(WORLD_S);
    dropping.pending = claim_frames;
    dropping.receive = drop_all;
    world.dev[1].dev.ops = &dropping;
    claims = 1000;
    stack_wake(world.stack[1]);
    thread_yield();
    assert_true(claims > 900);
    claims = 0;
    world.dev[1].dev.ops = ops;
}
WORLD(network__frames_that_all_are_dropped_let_others_run)

/* ---- looking before sleeping: 1 us a look, and the wire goes on ---- */

enum {
    POLL_US = 200,
    SOON_US = 100,
    LATE_US = 1000,
    LOOKS = 64, /* between two at the clock */
    FRAME_BYTES = 60
};

static uint64_t looks;

static bool look_for_a_microsecond(const struct netdev *dev)
{
    looks++;
    host_now_us++;
    (void)wire_deliver(&world.wire, host_now_us);
    return CONTAINER_OF(dev, const struct memdev, dev)->rx.first;
}

/* One CPU for us and the host: while we look, nothing can come. */
static bool look_in_vain(const struct netdev *dev)
{
    looks++;
    host_now_us++;
    return CONTAINER_OF(dev, const struct memdev, dev)->rx.first;
}

static struct netdev_ops looking;

static void poll_up_to(uint32_t most_us)
{
    world_sleep(3 * WORLD_S); /* the cards have announced themselves */
    looking = *world.dev[1].dev.ops;
    looking.pending = look_for_a_microsecond;
    world.dev[1].dev.ops = &looking;
    stack_set_polling(world.stack[1], most_us);
    looks = 0;
}

/* So many frames come to stack 1, one every `every_us`. What they cost it. */
static struct stack_counters frames_come(unsigned count, unsigned every_us)
{
    static const uint8_t frame[FRAME_BYTES] = {2, 0, 0, 0, 0, 2, /* to */
                                               2, 0, 0, 0, 0, 9};
    struct netdev *from = &world.dev[0].dev;
    struct stack_counters before, after;

    world.wire.to[1].bytes_per_s = FRAME_BYTES * 1000000ull / every_us;
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(
            from->ops->enqueue(from, hostnet_chain(net_pool(world.net[0]),
                                                   frame, FRAME_BYTES)),
            NETDEV_OK);
    from->ops->kick(from);
    wire_collect(&world.wire, host_now_us);
    stack_counters_get(world.stack[1], &before);
    world_sleep((uint64_t)count * every_us + WORLD_S);
    stack_counters_get(world.stack[1], &after);
    return (struct stack_counters){.rounds = after.rounds - before.rounds,
                                   .sleeps = after.sleeps - before.sleeps,
                                   .polls = after.polls - before.polls,
                                   .poll_hits =
                                       after.poll_hits - before.poll_hits};
}

static void poll__packets_that_come_soon_cost_no_sleep_in(void)
{
    struct stack_counters used;

    poll_up_to(POLL_US);
    used = frames_come(100, SOON_US);
    assert_true(used.poll_hits >= 90);
    assert_true(used.sleeps <= 10);
}
WORLD(poll__packets_that_come_soon_cost_no_sleep)

static void poll__where_it_keeps_packets_away_it_sleeps_in(void)
{
    unsigned polls = 0;

    poll_up_to(POLL_US);
    looking.pending = look_in_vain;
    for (unsigned i = 0; i < 10; i++)
        polls += (unsigned)frames_come(100, SOON_US).polls;
    assert_true(polls > 0);
    assert_true(polls < 50);
}
WORLD(poll__where_it_keeps_packets_away_it_sleeps)

/* They would make sleeping look like the faster way by far. */
static void poll__sleeps_that_were_none_teach_nothing_in(void)
{
    poll_up_to(POLL_US);
    looking.arm = claim_work;
    claims = 100;
    stack_wake(world.stack[1]);
    while (claims > 0)
        thread_yield();
    looking.arm = world.dev[0].dev.ops->arm;
    assert_true(frames_come(100, SOON_US).poll_hits >= 90);
}
WORLD(poll__sleeps_that_were_none_teach_nothing)

static void poll__is_tried_again_when_it_was_in_vain_in(void)
{
    poll_up_to(POLL_US);
    looking.pending = look_in_vain;
    for (unsigned i = 0; i < 10; i++)
        (void)frames_come(100, SOON_US);
    looking.pending = look_for_a_microsecond;
    for (unsigned i = 0; i < 10; i++)
        (void)frames_come(100, SOON_US);
    assert_true(frames_come(100, SOON_US).poll_hits >= 90);
}
WORLD(poll__is_tried_again_when_it_was_in_vain)

static void poll__packets_that_come_late_are_not_looked_for_in(void)
{
    struct stack_counters used;

    poll_up_to(POLL_US);
    used = frames_come(100, LATE_US);
    assert_int_equal(used.polls, 0);
    assert_true(used.sleeps >= 100);
    assert_true(used.rounds <= 110); /* one finds all that there is to do */
}
WORLD(poll__packets_that_come_late_are_not_looked_for)

static void poll__an_idle_stack_soon_stops_looking_in(void)
{
    poll_up_to(POLL_US);
    (void)frames_come(100, SOON_US);
    looks = 0;
    for (unsigned i = 0; i < 100; i++) /* now and then one */
        (void)frames_come(1, LATE_US);
    assert_true(looks < 3 * POLL_US);
    world_sleep(10000ull * WORLD_S);
    assert_true(looks < 3 * POLL_US);
}
WORLD(poll__an_idle_stack_soon_stops_looking)

static void poll__off_means_never_in(void)
{
    struct stack_counters used;

    poll_up_to(0);
    used = frames_come(100, SOON_US);
    assert_true(looks <= used.rounds); /* is there something already? */
    assert_int_equal(used.polls, 0);
    assert_true(used.sleeps >= 100);
}
WORLD(poll__off_means_never)

static void sleep_in_small_steps(void *late_us)
{
    for (unsigned i = 0; i < 1000; i++) {
        uint64_t at_us = host_now_us + 30;

        assert_int_equal(thread_sleep_until(at_us), WAIT_DEADLINE);
        if (host_now_us - at_us > *(uint64_t *)late_us)
            *(uint64_t *)late_us = host_now_us - at_us;
    }
}

static void poll__keeps_no_thread_from_its_deadline_in(void)
{
    uint64_t late_us = 0;
    struct thread *other;

    poll_up_to(POLL_US);
    (void)frames_come(20, SOON_US);
    looks = 0;
    assert_int_equal(
        thread_spawn(&other, "steps", 0, sleep_in_small_steps, &late_us),
        THREAD_OK);
    (void)frames_come(100, SOON_US);
    assert_true(looks > 0);
    assert_int_equal(thread_join(other, FOREVER), WAIT_OK);
    assert_true(late_us <= LOOKS);
}
WORLD(poll__keeps_no_thread_from_its_deadline)

/* ---- the link ---- */

static unsigned link_changes;

static void watch_link(void *arg)
{
    bool up = true;

    (void)arg;
    while (stack_wait_link(world.stack[1], up, host_now_us + WORLD_S)) {
        up = !up;
        link_changes++;
    }
}

static void set_link(bool up)
{
    world.dev[1].dev.link_up = up;
    world.dev[1].pending_events |= up ? NETDEV_EV_LINK_UP : NETDEV_EV_LINK_DOWN;
    stack_wake(world.stack[1]);
    world_sleep(WORLD_MS);
}

static void link__change_wakes_who_waits_for_it_in(void)
{
    struct thread *watcher;

    link_changes = 0;
    assert_true(stack_link_up(world.stack[1]));
    assert_int_equal(thread_spawn(&watcher, "watch", 0, watch_link, NULL),
                     THREAD_OK);
    set_link(true); /* no change */
    assert_int_equal(link_changes, 0);
    set_link(false);
    assert_int_equal(link_changes, 1);
    assert_false(stack_link_up(world.stack[1]));
    set_link(true);
    assert_int_equal(link_changes, 2);
    assert_int_equal(thread_join(watcher, FOREVER), WAIT_OK);
    assert_int_equal(link_changes, 2); /* in time: the deadline */
}
WORLD(link__change_wakes_who_waits_for_it)

static void create__gives_back_everything_when_memory_ends_in(void)
{
    struct stack_config config = {.net = world_config()};
    struct thread_signal signal = {0};
    struct hostnet host;
    struct stack *stack;

    for (uint64_t page = 1;; page++) {
        host = (struct hostnet){.fail_at = page, .fail_after = true};
        config.net.host = hostnet_host(&host);
        stack = stack_create(&config, &signal);
        if (stack)
            break;
        assert_int_equal(host.pages, 0);
        assert_true(page < 100);
    }
    stack_destroy(stack);
    assert_int_equal(host.pages, 0);

    host = (struct hostnet){0};
    world.stacks_max = world.stacks_out; /* pages, but no thread */
    assert_null(stack_create(&config, &signal));
    assert_int_equal(host.pages, 0);
    world.stacks_max = SIZE_MAX;
}
WORLD(create__gives_back_everything_when_memory_ends)

static void attach__a_bad_address_is_refused_in(void)
{
    struct net_address address = {.addr = IPV4_ADDR(224, 0, 0, 1),
                                  .prefix_bits = 24};

    assert_int_equal(stack_attach(world.stack[0], &world.dev[0].dev, &address),
                     NET_BAD_ADDRESS);
}
WORLD(attach__a_bad_address_is_refused)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(network__idle_costs_no_rounds),
        WORLD_TEST(network__an_answer_carries_the_acknowledgement),
        WORLD_TEST(network__answers_to_a_batch_leave_with_one_kick),
        WORLD_TEST(network__a_full_card_delays_and_loses_nothing),
        WORLD_TEST(network__work_that_comes_to_nothing_lets_others_run),
        WORLD_TEST(network__frames_that_all_are_dropped_let_others_run),
        WORLD_TEST(poll__packets_that_come_soon_cost_no_sleep),
        WORLD_TEST(poll__where_it_keeps_packets_away_it_sleeps),
        WORLD_TEST(poll__sleeps_that_were_none_teach_nothing),
        WORLD_TEST(poll__is_tried_again_when_it_was_in_vain),
        WORLD_TEST(poll__an_idle_stack_soon_stops_looking),
        WORLD_TEST(poll__off_means_never),
        WORLD_TEST(poll__packets_that_come_late_are_not_looked_for),
        WORLD_TEST(poll__keeps_no_thread_from_its_deadline),
        WORLD_TEST(link__change_wakes_who_waits_for_it),
        WORLD_TEST(create__gives_back_everything_when_memory_ends),
        WORLD_TEST(attach__a_bad_address_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
