/*
 * virtio-net beside frames: the link, the wish to be announced and its
 * acknowledgement on the control queue, and the end. Rows V24 and V28 of the
 * list of bad inputs. What a command looks like: virtio 1.2 5.1.6.5.
 */
#include "tests/host/nic_scene.h"

#include <string.h>

#include "tests/host/host.h"

enum {
    CTRL = 2,
    CLASS_ANNOUNCE = 3,
    COMMAND_ACK = 0,
    ANSWER_OK = 0,
    STATUS_AT = 6, /* in the configuration */
    SECOND_US = 1000000
};

static const uint64_t CTRL_OFFER =
    BIT(VIRTIO_NET_F_CTRL_VQ) | BIT(VIRTIO_NET_F_GUEST_ANNOUNCE);

static void start_with_control(void)
{
    scene.fake.queue[CTRL].size = 64;
    start(OFFER | CTRL_OFFER);
}

static void wish_announcement(bool on)
{
    scene.fake.config[STATUS_AT] =
        (uint8_t)(on ? VIRTIO_NET_S_LINK_UP | VIRTIO_NET_S_ANNOUNCE
                     : VIRTIO_NET_S_LINK_UP);
    fake_virtio_config_changed(&scene.fake);
}

static unsigned events(void)
{
    return scene.dev->ops->events(scene.dev);
}

/* The command that the device has been sent: its head, or -1. */
static int command(void)
{
    uint8_t bytes[2] = {0xff, 0xff};
    int head = fake_virtio_take(&scene.fake, CTRL);

    if (head < 0)
        return head;
    assert_int_equal(
        fake_virtio_read(&scene.fake, CTRL, head, bytes, sizeof(bytes)), 2);
    assert_int_equal(bytes[0], CLASS_ANNOUNCE);
    assert_int_equal(bytes[1], COMMAND_ACK);
    assert_int_equal(fake_virtio_room(&scene.fake, CTRL, head), 1);
    return head;
}

static void answer(int head)
{
    uint8_t ok = ANSWER_OK;

    (void)fake_virtio_write(&scene.fake, CTRL, head, &ok, 1);
    fake_virtio_use(&scene.fake, CTRL, (uint32_t)head, 1);
}

/* The card still receives and sends. */
static void assert_works(void)
{
    struct virtio_net_hdr_v1 header = plain_header();

    deliver(&header, 60);
    buffer_release(receive_one(60));
    send_and_check(small_frame(60), 60, 1);
}

/* --- announcements -------------------------------------------------------- */

static void announce__is_acknowledged_a_round_after_the_event(void **state)
{
    int head;

    (void)state;
    start_with_control();
    wish_announcement(true);
    assert_int_equal(events(), NETDEV_EV_ANNOUNCE);
    assert_int_equal(command(), -1); /* the stack has not announced yet */
    assert_int_equal(events(), 0);
    head = command();
    assert_true(head >= 0);
    assert_int_equal(scene.fake.queue[CTRL].notified, 1);
    wish_announcement(false);
    answer(head);
    assert_int_equal(events(), 0);
    assert_int_equal(events(), 0);
    assert_int_equal(command(), -1);
}

static void announce__wish_that_stays_is_one_event_until_answered(void **state)
{
    int head;

    (void)state;
    start_with_control();
    wish_announcement(true);
    assert_int_equal(events(), NETDEV_EV_ANNOUNCE);
    for (unsigned i = 0; i < 1000; i++) {
        fake_virtio_config_changed(&scene.fake);
        assert_int_equal(events(), 0);
    }
    head = command();
    answer(head);
    /* Moved again meanwhile: once more. */
    assert_int_equal(events(), NETDEV_EV_ANNOUNCE);
}

static void V24__announce_that_was_not_negotiated_is_ignored(void **state)
{
    (void)state;
    scene.fake.queue[CTRL].size = 64;
    start((OFFER | CTRL_OFFER) & ~BIT(VIRTIO_NET_F_GUEST_ANNOUNCE));
    wish_announcement(true);
    assert_int_equal(events(), 0);
    assert_int_equal(events(), 0);
    assert_int_equal(command(), -1);
}

static void V22__announce_without_what_it_needs_is_not_accepted(void **state)
{
    (void)state;
    create((OFFER | CTRL_OFFER) & ~BIT(VIRTIO_NET_F_CTRL_VQ));
    assert_false(scene.fake.accepted & BIT(VIRTIO_NET_F_GUEST_ANNOUNCE));
    assert_true(virtio_net_destroy(scene.dev));
    create((OFFER | CTRL_OFFER) & ~BIT(VIRTIO_NET_F_STATUS));
    assert_false(scene.fake.accepted & BIT(VIRTIO_NET_F_GUEST_ANNOUNCE));
}

/* --- a control queue that lies -------------------------------------------- */

static void V28__command_without_an_answer_stops_nothing(void **state)
{
    int head;

    (void)state;
    start_with_control();
    wish_announcement(true);
    (void)events();
    (void)events();
    head = command();
    for (unsigned i = 0; i < 300; i++) {
        host_now_us += 100000;
        (void)events();
        assert_null(receive());
        assert_false(scene.dev->ops->arm(scene.dev, true));
    }
    /* It is not looked for ever more often than once a second. */
    assert_true(scene.dev->wake_us - host_now_us > SECOND_US / 2);
    assert_int_equal(scene.dev->count.resets, 0);
    assert_int_equal(command(), -1); /* and no other is sent */
    assert_works();

    answer(head); /* half a minute late: from now on as ever */
    assert_int_equal(events(), NETDEV_EV_ANNOUNCE);
    assert_int_equal(events(), 0);
    assert_true(command() >= 0);
}

static void V28__answer_is_looked_for_soon(void **state)
{
    (void)state;
    start_with_control();
    wish_announcement(true);
    (void)events();
    (void)events();
    (void)receive();
    assert_false(scene.dev->ops->arm(scene.dev, true));
    assert_in_range(scene.dev->wake_us - host_now_us, 1, 10000);
}

static void V1_V5__broken_control_ring_resets(void **state)
{
    (void)state;
    start_with_control();
    wish_announcement(true);
    (void)events();
    (void)events();
    fake_virtio_use(&scene.fake, CTRL, 99, 1);
    wish_announcement(false);
    (void)events();
    assert_recovers();
}

static void V28__reset_with_a_command_out_forgets_it(void **state)
{
    (void)state;
    start_with_control();
    wish_announcement(true);
    (void)events();
    (void)events();
    assert_true(command() >= 0);
    scene.fake.status |= VIRTIO_CONFIG_S_NEEDS_RESET;
    fake_virtio_config_changed(&scene.fake);
    (void)events();
    assert_int_equal(scene.dev->count.resets, 1);
    let_recover();
    /* It says so again to the driver that it has now. */
    assert_int_equal(events(), NETDEV_EV_RESET | NETDEV_EV_ANNOUNCE);
    assert_int_equal(events(), 0);
    assert_true(command() >= 0);
}

static void V19__control_queue_that_is_not_there_is_done_without(void **state)
{
    static const unsigned sizes[] = {0, 1, 3, 65535};

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
        scene.fake.queue[CTRL].size = sizes[i];
        start(OFFER | CTRL_OFFER);
        wish_announcement(true);
        assert_int_equal(events(), NETDEV_EV_ANNOUNCE);
        assert_int_equal(events(), 0);
        assert_works();
        assert_true(virtio_net_destroy(scene.dev));
    }
    scene.dev = NULL;
}

static void V20__control_queue_that_is_refused_is_done_without(void **state)
{
    (void)state;
    scene.fake.queue[CTRL].refused = true;
    start_with_control();
    wish_announcement(true);
    assert_int_equal(events(), NETDEV_EV_ANNOUNCE);
    assert_int_equal(events(), 0);
    assert_int_equal(scene.fake.queue[CTRL].notified, 0);
    assert_works();
}

/* --- the end -------------------------------------------------------------- */

static void stop__gives_every_buffer_back_and_start_works_again(void **state)
{
    struct virtio_net_hdr_v1 header = plain_header();

    (void)state;
    start_with_control();
    deliver(&header, 60); /* received, and not taken */
    assert_int_equal(scene.dev->ops->enqueue(scene.dev, small_frame(60)),
                     NETDEV_OK);
    scene.dev->ops->kick(scene.dev);
    wish_announcement(true);
    (void)events();
    (void)events(); /* a command is out */
    assert_true(scene.dev->ops->stop(scene.dev));
    assert_int_equal(chunks(), 0);
    assert_int_equal(scene.fake.status, 0);
    assert_false(scene.fake.interrupts_on);
    assert_null(receive());
    assert_int_equal(scene.dev->ops->enqueue(scene.dev, small_frame(60)),
                     NETDEV_DOWN);
    assert_false(scene.dev->ops->arm(scene.dev, true));
    assert_int_equal(scene.dev->wake_us, 0);

    scene.dev->ops->start(scene.dev, scene.pool);
    assert_int_equal(scene.fake.accepted, OFFER | CTRL_OFFER);
    assert_true(scene.fake.interrupts_on);
    assert_works();
}

static void stop__amid_a_reset_or_its_pause_works(void **state)
{
    (void)state;
    start(OFFER);
    scene.fake.status |= VIRTIO_CONFIG_S_NEEDS_RESET;
    fake_virtio_config_changed(&scene.fake);
    (void)events();
    assert_true(scene.dev->ops->stop(scene.dev));
    assert_int_equal(chunks(), 0);
    scene.dev->ops->start(scene.dev, scene.pool);
    scene.fake.status |= VIRTIO_CONFIG_S_NEEDS_RESET;
    fake_virtio_config_changed(&scene.fake);
    (void)events();
    assert_null(receive()); /* the reset is done: the pause */
    assert_true(scene.dev->ops->stop(scene.dev));
    assert_int_equal(chunks(), 0);
    scene.dev->ops->start(scene.dev, scene.pool);
    assert_works();
}

/* It could write to its buffers at any time: they are not ours to release. */
static void stop__device_that_never_resets_keeps_what_it_has(void **state)
{
    size_t held;

    (void)state;
    start(OFFER);
    held = chunks();
    scene.fake.never_resets = true;
    assert_false(scene.dev->ops->stop(scene.dev));
    assert_int_equal(chunks(), held);
    assert_null(receive());
    scene.fake.never_resets = false;
}

static void stop__stack_that_is_destroyed_stops_its_card(void **state)
{
    struct net_address address = {.addr = IPV4_ADDR(10, 0, 0, 2),
                                  .prefix_bits = 24};
    struct net_config config = hostnet_config(&scene.host);
    struct net *net;

    (void)state;
    config.pages_max = SCENE_PAGES;
    create(OFFER);
    net = net_create(&config, host_now_us);
    assert_non_null(net);
    assert_int_equal(net_attach(net, scene.dev, &address), NET_OK);
    assert_true(virtq_chains(scene.fake.queue[RX].driver) > 0);
    net_destroy(net);
    assert_int_equal(scene.fake.status, 0);
    assert_int_equal(scene.host.pages, 0);
}

#define TEST(f)                                                                \
    cmocka_unit_test_setup_teardown(f, scene_fresh, scene_nothing_left)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(announce__is_acknowledged_a_round_after_the_event),
        TEST(announce__wish_that_stays_is_one_event_until_answered),
        TEST(V24__announce_that_was_not_negotiated_is_ignored),
        TEST(V22__announce_without_what_it_needs_is_not_accepted),
        TEST(V28__command_without_an_answer_stops_nothing),
        TEST(V28__answer_is_looked_for_soon),
        TEST(V1_V5__broken_control_ring_resets),
        TEST(V28__reset_with_a_command_out_forgets_it),
        TEST(V19__control_queue_that_is_not_there_is_done_without),
        TEST(V20__control_queue_that_is_refused_is_done_without),
        TEST(stop__gives_every_buffer_back_and_start_works_again),
        TEST(stop__amid_a_reset_or_its_pause_works),
        TEST(stop__device_that_never_resets_keeps_what_it_has),
        TEST(stop__stack_that_is_destroyed_stops_its_card),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
