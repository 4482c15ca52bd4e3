/*
 * virtio-net's set-up: what is negotiated, what the configuration is taken for,
 * and what is refused. Rows V15, V17, V19, V20 and V22 of the list of bad
 * inputs.
 */
#include "tests/host/nic_scene.h"

#include <string.h>

#include "tests/host/host.h"
#include "tests/host/page.h"

static const uint64_t PLAIN =
    BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_NET_F_MAC) | BIT(VIRTIO_NET_F_STATUS);

static void setup__steps_are_those_of_the_text(void **state)
{
    (void)state;
    create(OFFER);
    assert_int_equal(scene.fake.resets, 1);
    assert_int_equal(scene.fake.accepted, OFFER);
    assert_int_equal(scene.fake.status, VIRTIO_CONFIG_S_ACKNOWLEDGE |
                                            VIRTIO_CONFIG_S_DRIVER |
                                            VIRTIO_CONFIG_S_FEATURES_OK);
    scene.dev->ops->start(scene.dev, scene.pool);
    assert_true(scene.fake.status & VIRTIO_CONFIG_S_DRIVER_OK);
    assert_int_equal(virtq_chains(scene.fake.queue[RX].driver), 256);
}

static void setup__only_what_is_known_is_accepted(void **state)
{
    (void)state;
    create(UINT64_MAX);
    assert_int_equal(
        scene.fake.accepted,
        OFFER | BIT(VIRTIO_F_ACCESS_PLATFORM) | BIT(VIRTIO_F_ORDER_PLATFORM) |
            BIT(VIRTIO_NET_F_CTRL_VQ) | BIT(VIRTIO_NET_F_GUEST_ANNOUNCE));
}

static void setup__address_mtu_link_and_caps_are_the_devices(void **state)
{
    static const uint8_t mac[] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};

    (void)state;
    create(OFFER);
    assert_memory_equal(scene.dev->mac.byte, mac, 6);
    assert_int_equal(scene.dev->mtu_bytes, 1500);
    assert_true(scene.dev->link_up);
    assert_int_equal(scene.dev->caps, ALL_CAPS);
}

static void setup__plain_device_has_no_caps(void **state)
{
    (void)state;
    create(PLAIN);
    assert_int_equal(scene.dev->caps, 0);
    assert_int_equal(scene.dev->mtu_bytes, 1500);
}

static void setup__more_descriptors_than_needed_are_not_taken(void **state)
{
    (void)state;
    scene.fake.queue[RX].size = 1024;
    scene.fake.queue[TX].size = 32768;
    start(OFFER);
    assert_int_equal(scene.fake.queue[RX].driver->size, 256);
    assert_int_equal(scene.fake.queue[TX].driver->size, 256);
}

static void setup__no_memory_is_a_refusal_without_a_leak(void **state)
{
    (void)state;
    for (size_t pages = 0; pages < 9; pages++) {
        host_pages_max = pages;
        assert_null(try_create(OFFER));
        assert_int_equal(host_pages_of(PAGE_DEVICE), 0);
    }
    host_pages_max = SIZE_MAX;
    assert_int_equal(scene.fake.status, 0);
}

static void legacy__header_is_10_bytes_without_merged_buffers(void **state)
{
    struct virtio_net_hdr_v1 header = plain_header();
    uint8_t memory[80];
    int head;

    (void)state;
    scene.fake.legacy = true;
    start(BIT(VIRTIO_NET_F_MAC));
    assert_int_equal(scene.fake.accepted, BIT(VIRTIO_NET_F_MAC));
    assert_int_equal(scene.dev->ops->enqueue(scene.dev, small_frame(60)),
                     NETDEV_OK);
    scene.dev->ops->kick(scene.dev);
    head = fake_virtio_take(&scene.fake, TX);
    assert_int_equal(
        fake_virtio_read(&scene.fake, TX, head, memory, sizeof(memory)), 70);

    head = fake_virtio_take(&scene.fake, RX);
    memcpy(memory, &header, 10);
    memcpy(memory + 10, pattern, 60);
    (void)fake_virtio_write(&scene.fake, RX, head, memory, 70);
    fake_virtio_use(&scene.fake, RX, (uint32_t)head, 70);
    buffer_release(receive_one(60));
}

/* Without ANY_LAYOUT the header has a descriptor of its own, both ways: virtio
 * 1.2 5.1.6.6. */
static void legacy__header_is_apart_without_any_layout(void **state)
{
    struct virtio_net_hdr_v1 header = plain_header();

    (void)state;
    scene.fake.legacy = true;
    start(OFFER & ~BIT(VIRTIO_F_VERSION_1));
    assert_int_equal(virtq_chains(scene.fake.queue[RX].driver), 128);
    assert_int_equal(fake_virtio_descriptors(&scene.fake, RX, 0), 2);
    assert_int_equal(scene.fake.queue[RX].driver->ring.desc[0].len, HDR);
    deliver(&header, 60);
    buffer_release(receive_one(60));
    send_and_check(small_frame(60), 60, 2);
    send_and_check(frame_of(1514), 1514, 2);
    deliver_merged(header, 1514, -1);
    buffer_release(receive_one(1514));
}

static void legacy__header_is_inline_with_any_layout(void **state)
{
    (void)state;
    scene.fake.legacy = true;
    start((OFFER & ~BIT(VIRTIO_F_VERSION_1)) | BIT(VIRTIO_F_ANY_LAYOUT));
    assert_true(scene.fake.accepted & BIT(VIRTIO_F_ANY_LAYOUT));
    assert_int_equal(fake_virtio_descriptors(&scene.fake, RX, 0), 1);
    send_and_check(small_frame(60), 60, 1);
}

static void off__what_is_forbidden_is_not_accepted(void **state)
{
    (void)state;
    scene.fake.device.off = BIT(VIRTIO_NET_F_MRG_RXBUF) | VIRTIO_OFF_MSIX;
    create(OFFER);
    assert_int_equal(scene.fake.accepted,
                     OFFER & ~(BIT(VIRTIO_NET_F_MRG_RXBUF) |
                               BIT(VIRTIO_NET_F_GUEST_TSO4) |
                               BIT(VIRTIO_NET_F_GUEST_ECN)));
}

/* --- what cannot be ------------------------------------------------------- */

static void V15__configuration_that_never_settles_is_refused(void **state)
{
    (void)state;
    scene.fake.never_settles = true;
    assert_null(try_create(OFFER));
}

static void V15__configuration_that_never_settles_keeps_the_link(void **state)
{
    (void)state;
    start(OFFER);
    scene.fake.never_settles = true;
    scene.fake.config[6] = 0;
    for (unsigned i = 0; i < 1000; i++) {
        fake_virtio_config_changed(&scene.fake);
        assert_int_equal(scene.dev->ops->events(scene.dev), 0);
        assert_null(receive());
    }
    assert_true(scene.dev->link_up);
}

static void V17__features_refused_is_a_refusal(void **state)
{
    (void)state;
    scene.fake.refuse_features = true;
    assert_null(try_create(OFFER));
}

static void V17__modern_device_without_version_1_is_refused(void **state)
{
    (void)state;
    assert_null(try_create(OFFER & ~BIT(VIRTIO_F_VERSION_1)));
}

static void V19__queue_sizes_that_cannot_be_are_refused(void **state)
{
    static const unsigned bad[] = {3, 255, 257, 65535, 65536};

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++)
        for (unsigned queue = 0; queue < 2; queue++) {
            scene.fake.queue[RX].size = scene.fake.queue[TX].size = 256;
            scene.fake.queue[queue].size = bad[i];
            assert_null(try_create(OFFER));
        }
    scene.fake.queue[RX] = (struct fake_queue){.absent = true};
    assert_null(try_create(OFFER));
}

static void V19__rings_of_one_descriptor_work(void **state)
{
    struct virtio_net_hdr_v1 header = plain_header();

    (void)state;
    scene.fake.queue[RX].size = scene.fake.queue[TX].size = 1;
    start(OFFER);
    for (unsigned i = 0; i < 5; i++) {
        deliver(&header, 60);
        buffer_release(receive_one(60));
        send_and_check(small_frame(60), 60, 1);
    }
    assert_int_equal(scene.dev->caps & NETDEV_CAP_TX_GSO_TCP4, 0);
}

static void V19__largest_ring_is_cut_down_and_legacys_refused(void **state)
{
    (void)state;
    scene.fake.queue[RX].size = 32768;
    start(OFFER);
    assert_int_equal(scene.fake.queue[RX].driver->size, 256);
    assert_true(virtio_net_destroy(scene.dev));
    scene.dev = NULL;
    scene.fake.legacy = true;
    assert_null(try_create(BIT(VIRTIO_NET_F_MAC)));
}

static void V20__queue_that_cannot_be_enabled_is_tried_again(void **state)
{
    (void)state;
    scene.fake.queue[TX].refused = true;
    start(OFFER);
    assert_int_equal(scene.dev->count.resets, 1);
    scene.fake.queue[TX].refused = false;
    let_recover();
    send_and_check(small_frame(60), 60, 1);
}

static void V22__features_without_what_they_need_are_dropped(void **state)
{
    static const struct {
        uint64_t missing, also;
    } rows[] = {
        {BIT(VIRTIO_NET_F_CSUM),
         BIT(VIRTIO_NET_F_HOST_TSO4) | BIT(VIRTIO_NET_F_HOST_ECN)},
        {BIT(VIRTIO_NET_F_HOST_TSO4), BIT(VIRTIO_NET_F_HOST_ECN)},
        {BIT(VIRTIO_NET_F_GUEST_CSUM),
         BIT(VIRTIO_NET_F_GUEST_TSO4) | BIT(VIRTIO_NET_F_GUEST_ECN)},
        {BIT(VIRTIO_NET_F_MRG_RXBUF),
         BIT(VIRTIO_NET_F_GUEST_TSO4) | BIT(VIRTIO_NET_F_GUEST_ECN)},
        {BIT(VIRTIO_NET_F_GUEST_TSO4), BIT(VIRTIO_NET_F_GUEST_ECN)},
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        create(OFFER & ~rows[i].missing);
        assert_int_equal(scene.fake.accepted,
                         OFFER & ~rows[i].missing & ~rows[i].also);
        assert_true(virtio_net_destroy(scene.dev));
        scene.dev = NULL;
    }
}

static void set_mtu(uint16_t mtu)
{
    memcpy(scene.fake.config + offsetof(struct virtio_net_config, mtu), &mtu,
           2);
}

/* The device as it is, with another setting; fake_virtio_init() was called. */
static struct netdev *create_as_is(void)
{
    const struct virtio_net_options options = {
        .name = "net0", .signal = &scene.signal, .caps = ALL_CAPS};

    scene.dev = virtio_net_create(&scene.fake.device, &options);
    assert_non_null(scene.dev);
    return scene.dev;
}

static void V22__mtu_that_cannot_be_is_1500(void **state)
{
    static const uint16_t bad[] = {0, 1, 67};

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        fake_virtio_init(&scene.fake, OFFER);
        set_mtu(bad[i]);
        assert_int_equal(create_as_is()->mtu_bytes, 1500);
        assert_false(scene.fake.accepted & BIT(VIRTIO_NET_F_MTU));
        assert_true(virtio_net_destroy(scene.dev));
    }
    scene.dev = NULL;
}

static void
V22__mtu_that_no_buffer_holds_is_1500_unless_they_merge(void **state)
{
    (void)state;
    fake_virtio_init(&scene.fake, OFFER & ~BIT(VIRTIO_NET_F_MRG_RXBUF));
    set_mtu(9000);
    assert_int_equal(create_as_is()->mtu_bytes, 1500);
    assert_true(virtio_net_destroy(scene.dev));
    fake_virtio_init(&scene.fake, OFFER);
    set_mtu(9000);
    assert_int_equal(create_as_is()->mtu_bytes, 9000);
}

static void V22__address_that_cannot_be_is_a_random_local_one(void **state)
{
    static const uint8_t bad[][6] = {
        {0, 0, 0, 0, 0, 0}, {1, 2, 3, 4, 5, 6}, {255, 255, 255, 255, 255, 255}};

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        fake_virtio_init(&scene.fake, OFFER);
        memcpy(scene.fake.config, bad[i], 6);
        assert_int_equal(create_as_is()->mac.byte[0] & 3, 2);
        assert_memory_not_equal(scene.dev->mac.byte, bad[i], 6);
        assert_true(virtio_net_destroy(scene.dev));
    }
    scene.dev = NULL;
}

/* There is one pair of queues without MQ, whatever is said of more: virtio 1.2
 * 5.1.4. */
static void V22__number_of_queue_pairs_means_nothing(void **state)
{
    static const uint16_t pairs[] = {0, 40000, 65535};

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(pairs); i++) {
        memcpy(scene.fake.config + 8, &pairs[i], 2);
        create(OFFER | BIT(VIRTIO_NET_F_MQ));
        assert_false(scene.fake.accepted & BIT(VIRTIO_NET_F_MQ));
        assert_true(virtio_net_destroy(scene.dev));
    }
    scene.dev = NULL;
}

#define TEST(f)                                                                \
    cmocka_unit_test_setup_teardown(f, scene_fresh, scene_nothing_left)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(setup__steps_are_those_of_the_text),
        TEST(setup__only_what_is_known_is_accepted),
        TEST(setup__address_mtu_link_and_caps_are_the_devices),
        TEST(setup__plain_device_has_no_caps),
        TEST(setup__more_descriptors_than_needed_are_not_taken),
        TEST(setup__no_memory_is_a_refusal_without_a_leak),
        TEST(legacy__header_is_10_bytes_without_merged_buffers),
        TEST(legacy__header_is_apart_without_any_layout),
        TEST(legacy__header_is_inline_with_any_layout),
        TEST(off__what_is_forbidden_is_not_accepted),
        TEST(V15__configuration_that_never_settles_is_refused),
        TEST(V15__configuration_that_never_settles_keeps_the_link),
        TEST(V17__features_refused_is_a_refusal),
        TEST(V17__modern_device_without_version_1_is_refused),
        TEST(V19__queue_sizes_that_cannot_be_are_refused),
        TEST(V19__rings_of_one_descriptor_work),
        TEST(V19__largest_ring_is_cut_down_and_legacys_refused),
        TEST(V20__queue_that_cannot_be_enabled_is_tried_again),
        TEST(V22__features_without_what_they_need_are_dropped),
        TEST(V22__mtu_that_cannot_be_is_1500),
        TEST(V22__mtu_that_no_buffer_holds_is_1500_unless_they_merge),
        TEST(V22__address_that_cannot_be_is_a_random_local_one),
        TEST(V22__number_of_queue_pairs_means_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
