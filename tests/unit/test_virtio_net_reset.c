/*
 * virtio-net with a device that goes silent, storms, or asks for a reset: rows
 * V12 to V16, V18, V24, V25 and V27 of the list of bad inputs. Every test ends
 * with a card that works, or is known to be lost, and with nothing leaked.
 */
#include "tests/host/nic_scene.h"

#include <string.h>

#include "tests/host/host.h"

enum { SECOND_US = 1000000 };

/* --- it goes silent ------------------------------------------------------- */

/* The stack as it sleeps: wakes when the card says, for so long. */
static void idle_for(uint64_t us)
{
    uint64_t end_us = host_now_us + us;

    while (host_now_us < end_us) {
        assert_null(receive());
        (void)scene.dev->ops->events(scene.dev);
        (void)scene.dev->ops->arm(scene.dev, true);
        assert_true(scene.dev->wake_us > 0);
        host_now_us = scene.dev->wake_us > host_now_us ? scene.dev->wake_us
                                                       : host_now_us + 1;
        (void)scene.dev->ops->arm(scene.dev, false);
    }
}

static void V12__transmission_that_never_completes_resets(void **state)
{
    (void)state;
    start(OFFER);
    assert_int_equal(scene.dev->ops->enqueue(scene.dev, small_frame(60)),
                     NETDEV_OK);
    scene.dev->ops->kick(scene.dev);
    idle_for(4 * SECOND_US);
    assert_int_equal(scene.dev->count.resets, 0);
    idle_for(5 * SECOND_US);
    assert_int_equal(scene.dev->count.resets, 1);
    assert_int_equal(chunks(), 256); /* the frame is released, the ring full */
    assert_int_equal(scene.dev->ops->enqueue(scene.dev, small_frame(60)),
                     NETDEV_OK);
}

static void V13__starved_ring_is_filled_when_there_is_memory(void **state)
{
    struct virtio_net_hdr_v1 header = plain_header();
    struct buffer *all = NULL, **end = &all;

    (void)state;
    start(OFFER);
    scene.host.pool_pages.max = scene.host.pool_pages.count;
    for (unsigned i = 0; i < 256; i++) {
        deliver(&header, 60);
        *end = receive_one(60);
        end = &(*end)->next;
    }
    assert_int_equal(fake_virtio_take(&scene.fake, RX), -1);
    assert_true(scene.dev->count.rx_no_buffer > 0);
    assert_false(scene.dev->ops->arm(scene.dev, true));
    assert_in_range(scene.dev->wake_us, host_now_us, host_now_us + 10000);
    buffer_release(all);
    assert_null(receive());
    deliver(&header, 60);
    buffer_release(receive_one(60));
}

static void V13__small_pool_is_not_swallowed_by_the_ring(void **state)
{
    (void)state;
    scene.host.pool_pages.max = 40;
    start(OFFER);
    assert_int_equal(virtq_chains(scene.fake.queue[RX].driver), 10);
}

static void V14__storm_of_interrupts_is_switched_off(void **state)
{
    struct virtio_net_hdr_v1 header = plain_header();

    (void)state;
    start(OFFER);
    for (unsigned i = 0; i < 100000 && scene.fake.interrupts_on; i++)
        scene.fake.interrupts.queue[RX](scene.fake.interrupts.arg);
    assert_false(scene.fake.interrupts_on);
    deliver(&header, 60);
    buffer_release(receive_one(60));
    assert_false(scene.dev->ops->arm(scene.dev, true));
    assert_in_range(scene.dev->wake_us, host_now_us, host_now_us + 1000);
}

/* The device has come to its senses, or is masked again at once. */
static void V14__after_a_storm_interrupts_are_tried_again(void **state)
{
    (void)state;
    start(OFFER);
    for (unsigned i = 0; i < 100000 && scene.fake.interrupts_on; i++)
        scene.fake.interrupts.queue[RX](scene.fake.interrupts.arg);
    idle_for(SECOND_US / 2);
    assert_false(scene.fake.interrupts_on);
    idle_for(2 * SECOND_US);
    assert_true(scene.fake.interrupts_on);
    assert_false(scene.dev->ops->arm(scene.dev, true));
    assert_true(scene.dev->wake_us - host_now_us > SECOND_US / 2);
    for (unsigned i = 0; i < 100000 && scene.fake.interrupts_on; i++)
        scene.fake.interrupts.queue[TX](scene.fake.interrupts.arg);
    assert_false(scene.fake.interrupts_on);
    assert_int_equal(scene.dev->count.resets, 0);
}

static void V14__interrupts_without_work_are_harmless(void **state)
{
    (void)state;
    start(OFFER);
    for (unsigned i = 0; i < 20000; i++) {
        scene.fake.interrupts.queue[RX](scene.fake.interrupts.arg);
        assert_null(receive());
        assert_false(scene.dev->ops->arm(scene.dev, true));
    }
    assert_true(scene.fake.interrupts_on);
}

/* The first frame after the loss waits a second, later ones ever less. */
static void V14__lost_interrupts_turn_into_polling(void **state)
{
    struct virtio_net_hdr_v1 header = plain_header();
    uint64_t slept_us = 0;

    (void)state;
    start(OFFER);
    scene.fake.lose_interrupts = true;
    for (unsigned i = 0; i < 20; i++) {
        assert_false(scene.dev->ops->arm(scene.dev, true));
        deliver(&header, 60);
        assert_false(fake_virtio_signal(&scene.fake, RX));
        slept_us = scene.dev->wake_us - host_now_us;
        assert_true(slept_us <= SECOND_US);
        host_now_us = scene.dev->wake_us;
        (void)scene.dev->ops->arm(scene.dev, false);
        buffer_release(receive_one(60));
    }
    assert_true(slept_us <= 1000);
    scene.fake.lose_interrupts = false;
    assert_false(scene.dev->ops->arm(scene.dev, true));
    deliver(&header, 60);
    assert_true(fake_virtio_signal(&scene.fake, RX));
    buffer_release(receive_one(60));
    assert_false(scene.dev->ops->arm(scene.dev, true));
    assert_int_equal(scene.dev->wake_us - host_now_us, SECOND_US);
}

/* As a line that was masked because of a neighbour. */
static void V14__interrupts_that_stay_away_are_unmasked_again(void **state)
{
    struct virtio_net_hdr_v1 header = plain_header();

    (void)state;
    start(OFFER);
    scene.fake.interrupts_on = false;
    for (unsigned i = 0; i < 3; i++) {
        assert_false(scene.dev->ops->arm(scene.dev, true));
        deliver(&header, 60);
        host_now_us = scene.dev->wake_us;
        buffer_release(receive_one(60));
    }
    idle_for(2 * SECOND_US);
    assert_true(scene.fake.interrupts_on);
    assert_int_equal(scene.dev->count.resets, 0);
}

static void V14__device_without_any_interrupt_is_polled(void **state)
{
    (void)state;
    scene.fake.no_interrupts = true;
    start(OFFER);
    assert_false(scene.dev->ops->arm(scene.dev, true));
    assert_in_range(scene.dev->wake_us, host_now_us, host_now_us + 1000);
}

static void V25__missed_notification_is_repeated(void **state)
{
    (void)state;
    start(OFFER);
    vring_avail_event(&scene.fake.queue[TX].driver->ring) = 0x8000;
    assert_int_equal(scene.dev->ops->enqueue(scene.dev, small_frame(60)),
                     NETDEV_OK);
    scene.dev->ops->kick(scene.dev);
    assert_int_equal(scene.fake.queue[TX].notified, 0);
    idle_for(SECOND_US + SECOND_US / 2);
    assert_int_equal(scene.fake.queue[TX].notified, 1);
    assert_int_equal(scene.dev->count.resets, 0);
}

/* --- status and configuration --------------------------------------------- */

static void V15__storm_of_configuration_changes_is_switched_off(void **state)
{
    (void)state;
    start(OFFER);
    for (unsigned i = 0; i < 100000 && scene.fake.interrupts_on; i++)
        fake_virtio_config_changed(&scene.fake);
    assert_false(scene.fake.interrupts_on);
}

static void V16__device_that_is_gone_is_refused_in_time(void **state)
{
    uint64_t before_us = host_now_us;

    (void)state;
    scene.fake.gone = true;
    assert_null(try_create(OFFER));
    assert_in_range(host_now_us - before_us, SECOND_US, 2 * SECOND_US);
}

static void V16__device_that_never_resets_is_refused_in_time(void **state)
{
    uint64_t before_us = host_now_us;

    (void)state;
    scene.fake.never_resets = true;
    scene.fake.status = VIRTIO_CONFIG_S_DRIVER_OK;
    assert_null(try_create(OFFER));
    assert_in_range(host_now_us - before_us, SECOND_US, 2 * SECOND_US);
}

/* What the device may still write to is not released: then it may not. */
static void V16__device_that_goes_away_is_lost_and_its_memory_kept(void **state)
{
    size_t held;

    (void)state;
    start(OFFER);
    held = chunks();
    scene.fake.gone = true;
    for (unsigned i = 0; i < 5000; i++) {
        assert_null(receive());
        (void)scene.dev->ops->arm(scene.dev, true);
        if (!scene.dev->link_up)
            break;
        if (host_now_us < scene.dev->wake_us)
            host_now_us = scene.dev->wake_us;
    }
    assert_int_equal(scene.dev->ops->events(scene.dev), NETDEV_EV_LINK_DOWN);
    assert_false(scene.dev->link_up);
    (void)scene.dev->ops->arm(scene.dev, true);
    assert_true(scene.dev->wake_us - host_now_us > SECOND_US / 2);
    assert_int_equal(chunks(), held);
    assert_int_equal(scene.dev->ops->enqueue(scene.dev, small_frame(60)),
                     NETDEV_DOWN);
    assert_int_equal(chunks(), held);
    assert_false(virtio_net_destroy(scene.dev));
    scene.fake.gone = false;
}

static void V16__device_that_was_reset_unasked_is_set_up_again(void **state)
{
    (void)state;
    start(OFFER);
    scene.fake.status = 0;
    idle_for(SECOND_US + SECOND_US / 2);
    assert_int_equal(scene.dev->count.resets, 1);
    let_recover();
    send_and_check(small_frame(60), 60, 1);
}

/* A host that was stopped for an hour is no reason to give up. */
static void V16__device_that_comes_back_works_again(void **state)
{
    struct virtio_net_hdr_v1 header = plain_header();

    (void)state;
    start(OFFER);
    scene.fake.gone = true;
    idle_for(5 * SECOND_US);
    assert_false(scene.dev->link_up);
    for (unsigned i = 0; i < 3600; i++)
        idle_for(SECOND_US);
    (void)scene.dev->ops->events(scene.dev);
    scene.fake.gone = false;
    let_recover();
    assert_true(scene.dev->ops->events(scene.dev) & NETDEV_EV_LINK_UP);
    deliver(&header, 60);
    buffer_release(receive_one(60));
    send_and_check(small_frame(60), 60, 1);
}

/* A tiny deterministic traffic, with a reset asked for in the middle of it. */
static void V18__reset_asked_for_amid_traffic_recovers(void **state)
{
    struct virtio_net_hdr_v1 header = plain_header();
    unsigned resets = 0;

    (void)state;
    start(OFFER);
    for (unsigned round = 0; round < 200; round++) {
        unsigned frames = (unsigned)(host_random() % 8);

        for (unsigned i = 0; i < frames; i++) {
            deliver(&header, 60);
            assert_int_equal(
                scene.dev->ops->enqueue(scene.dev, small_frame(60)), NETDEV_OK);
        }
        if (host_random() % 2)
            scene.dev->ops->kick(scene.dev);
        if (host_random() % 8 == 0) {
            scene.fake.status |= VIRTIO_CONFIG_S_NEEDS_RESET;
            fake_virtio_config_changed(&scene.fake);
            (void)scene.dev->ops->events(scene.dev);
            assert_int_equal(scene.dev->count.resets, ++resets);
            let_recover();
            assert_int_equal(scene.dev->ops->events(scene.dev),
                             NETDEV_EV_RESET);
        }
        for (struct buffer *frame = receive(), *next; frame; frame = next) {
            next = frame->link;
            buffer_release(frame);
        }
        let_recover();
        while (scene.fake.queue[TX].driver &&
               scene.fake.queue[TX].avail_seen !=
                   scene.fake.queue[TX].driver->published)
            fake_virtio_use(&scene.fake, TX,
                            (uint32_t)fake_virtio_take(&scene.fake, TX), 0);
        assert_null(receive());
    }
    assert_true(resets > 10);
}

static void V18__reset_asked_for_without_an_interrupt_is_noticed(void **state)
{
    (void)state;
    start(OFFER);
    scene.fake.status |= VIRTIO_CONFIG_S_NEEDS_RESET;
    idle_for(3 * SECOND_US);
    assert_int_equal(scene.dev->count.resets, 1);
    assert_true(scene.fake.status & VIRTIO_CONFIG_S_DRIVER_OK);
}

static void V18__every_further_reset_waits_longer(void **state)
{
    uint64_t before_us, pause_us = 0;

    (void)state;
    start(OFFER);
    for (unsigned i = 0; i < 12; i++) {
        fake_virtio_use(&scene.fake, RX, 999, 0);
        before_us = host_now_us;
        assert_null(receive());
        let_recover();
        assert_true(host_now_us - before_us >= pause_us);
        assert_true(host_now_us - before_us <= 11 * SECOND_US);
        pause_us = host_now_us - before_us - 100;
    }
    assert_true(pause_us > 9 * SECOND_US);
}

static void V18__other_features_after_a_reset_are_not_accepted(void **state)
{
    (void)state;
    start(OFFER);
    scene.fake.offered &= ~BIT(VIRTIO_NET_F_CSUM);
    fake_virtio_use(&scene.fake, RX, 999, 0);
    assert_null(receive());
    idle_for(60 * SECOND_US);
    assert_true(scene.dev->count.resets > 3);
    assert_int_equal(scene.dev->ops->enqueue(scene.dev, small_frame(60)),
                     NETDEV_DOWN);
    scene.fake.offered = OFFER;
    let_recover();
    send_and_check(small_frame(60), 60, 1);
}

/* Its header has 10 bytes, and stays so. */
static void V18__card_without_features_gets_none_after_a_reset(void **state)
{
    (void)state;
    scene.fake.legacy = true;
    start(0);
    scene.fake.offered = OFFER;
    fake_virtio_use(&scene.fake, RX, 999, 0);
    assert_null(receive());
    let_recover();
    assert_int_equal(scene.fake.accepted, 0);
}

static void V24__flapping_link_is_at_most_one_event_a_look(void **state)
{
    unsigned looks = 0;

    (void)state;
    start(OFFER);
    for (unsigned i = 0; i < 1000; i++) {
        scene.fake.config[6] ^= 1;
        fake_virtio_config_changed(&scene.fake);
        if (i % 7 == 0) {
            unsigned events = scene.dev->ops->events(scene.dev);

            looks++;
            assert_int_equal(events, scene.dev->link_up ? NETDEV_EV_LINK_UP
                                                        : NETDEV_EV_LINK_DOWN);
        }
        assert_null(receive());
    }
    assert_int_equal(looks, 143);
}

static void V24__announce_without_control_queue_is_ignored(void **state)
{
    (void)state;
    start(OFFER);
    scene.fake.config[6] = VIRTIO_NET_S_LINK_UP | VIRTIO_NET_S_ANNOUNCE;
    fake_virtio_config_changed(&scene.fake);
    assert_int_equal(scene.dev->ops->events(scene.dev), 0);
}

/* What the device has stays as it is until the reset is done: it may write
 * there up to that moment, and ASan would see it. */
static void V27__buffers_are_released_only_after_the_reset(void **state)
{
    struct virtio_net_hdr_v1 header = plain_header();
    int heads[4];
    size_t held;

    (void)state;
    start(OFFER);
    for (unsigned i = 0; i < ARRAY_LEN(heads); i++)
        heads[i] = fake_virtio_take(&scene.fake, RX);
    held = chunks();
    scene.fake.never_resets = true;
    fake_virtio_use(&scene.fake, RX, 999, 0);
    assert_null(receive());
    for (unsigned round = 0; round < 10; round++) {
        assert_null(receive());
        assert_int_equal(chunks(), held);
        for (unsigned i = 0; i < ARRAY_LEN(heads); i++)
            (void)fake_virtio_write(&scene.fake, RX, heads[i], &header, HDR);
    }
    scene.fake.never_resets = false;
    scene.fake.status = 0;
    assert_null(receive());
    assert_int_equal(chunks(), 0);
}

#define TEST(f)                                                                \
    cmocka_unit_test_setup_teardown(f, scene_fresh, scene_nothing_left)
/* A device that keeps memory for ever has no clean end. */
#define LOST(f) cmocka_unit_test_setup(f, scene_fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(V12__transmission_that_never_completes_resets),
        TEST(V13__starved_ring_is_filled_when_there_is_memory),
        TEST(V13__small_pool_is_not_swallowed_by_the_ring),
        TEST(V14__storm_of_interrupts_is_switched_off),
        TEST(V14__after_a_storm_interrupts_are_tried_again),
        TEST(V14__interrupts_without_work_are_harmless),
        TEST(V14__lost_interrupts_turn_into_polling),
        TEST(V14__interrupts_that_stay_away_are_unmasked_again),
        TEST(V14__device_without_any_interrupt_is_polled),
        TEST(V25__missed_notification_is_repeated),
        TEST(V15__storm_of_configuration_changes_is_switched_off),
        TEST(V16__device_that_is_gone_is_refused_in_time),
        TEST(V16__device_that_never_resets_is_refused_in_time),
        TEST(V16__device_that_was_reset_unasked_is_set_up_again),
        TEST(V16__device_that_comes_back_works_again),
        TEST(V18__reset_asked_for_amid_traffic_recovers),
        TEST(V18__reset_asked_for_without_an_interrupt_is_noticed),
        TEST(V18__every_further_reset_waits_longer),
        TEST(V18__other_features_after_a_reset_are_not_accepted),
        TEST(V18__card_without_features_gets_none_after_a_reset),
        TEST(V24__flapping_link_is_at_most_one_event_a_look),
        TEST(V24__announce_without_control_queue_is_ignored),
        TEST(V27__buffers_are_released_only_after_the_reset),
        LOST(V16__device_that_goes_away_is_lost_and_its_memory_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
