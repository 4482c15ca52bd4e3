/*
 * virtio-net with a device that breaks the rules of its rings and headers: rows
 * V1 to V11 and E12 of the list of bad inputs. Every test ends with a card that
 * works, and with nothing leaked.
 */
#include "tests/host/nic_scene.h"

#include <string.h>

/* --- receive ring --------------------------------------------------------- */

static void V5__length_shorter_than_header_and_frame_is_dropped(void **state)
{
    struct virtio_net_hdr_v1 header = plain_header();

    (void)state;
    start(OFFER);
    for (uint32_t used = 0; used < HDR + 14; used++) {
        deliver_as(&header, 60, used);
        assert_null(receive());
        assert_int_equal(scene.dev->count.rx_malformed, used + 1);
    }
    assert_int_equal(scene.dev->count.resets, 0);
    deliver(&header, 14);
    buffer_release(receive_one(14));
}

static void V5__length_above_what_was_posted_resets(void **state)
{
    struct virtio_net_hdr_v1 header = plain_header();

    (void)state;
    start(OFFER);
    deliver_as(&header, 60, BUFFER_PAGE_BYTES + 1);
    assert_null(receive());
    assert_recovers();
}

static void V1_V2_V3_V4__broken_receive_ring_resets(void **state)
{
    (void)state;
    start(OFFER);
    fake_virtio_use(&scene.fake, RX, 256, 100);
    assert_null(receive());
    assert_recovers();
}

static void V3__broken_transmit_ring_resets_and_releases(void **state)
{
    struct virtio_net_hdr_v1 header;
    uint32_t bytes;
    int head;

    (void)state;
    start(OFFER);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(scene.dev->ops->enqueue(scene.dev, small_frame(60)),
                         NETDEV_OK);
    scene.dev->ops->kick(scene.dev);
    head = sent(&header, &bytes);
    fake_virtio_use(&scene.fake, TX, (uint32_t)head, 0);
    fake_virtio_use(&scene.fake, TX, (uint32_t)head, 0);
    assert_null(receive());
    assert_recovers();
}

static void V6__header_rewritten_after_the_look_changes_nothing(void **state)
{
    struct virtio_net_hdr_v1 header = plain_header();
    struct buffer *frame;

    (void)state;
    start(OFFER);
    deliver(&header, 60);
    frame = receive_one(60);
    memset(frame->data - HDR, 0xff, HDR);
    assert_int_equal(frame->len, 60);
    assert_int_equal(frame->flags, 0);
    assert_null(frame->next);
    buffer_release(frame);
}

static void V8__no_buffers_is_dropped(void **state)
{
    struct virtio_net_hdr_v1 header = plain_header();

    (void)state;
    start(OFFER);
    header.num_buffers = 0;
    assert_dropped(&header, 60);
}

static void V8__more_buffers_than_there_are_resets(void **state)
{
    (void)state;
    start(OFFER);
    deliver_merged(plain_header(), 5000, 65535);
    assert_null(receive());
    assert_recovers();
}

static void V8__merged_buffer_without_bytes_is_dropped(void **state)
{
    struct virtio_net_hdr_v1 header = plain_header();
    int head;

    (void)state;
    start(OFFER);
    header.num_buffers = 2;
    deliver(&header, 60);
    head = fake_virtio_take(&scene.fake, RX);
    fake_virtio_use(&scene.fake, RX, (uint32_t)head, 0);
    assert_null(receive());
    assert_int_equal(scene.dev->count.rx_malformed, 1);
    header.num_buffers = 1;
    deliver(&header, 60);
    buffer_release(receive_one(60));
}

static void E12__frame_beyond_the_mtu_is_dropped(void **state)
{
    struct virtio_net_hdr_v1 header = plain_header();

    (void)state;
    start(OFFER);
    assert_dropped(&header, 1500 + 14 + 5);
    deliver_merged(header, 65535, -1); /* and it is no segment of 64 KiB */
    assert_null(receive());
    deliver(&header, 1518);
    buffer_release(receive_one(1518));
}

/* --- the header ----------------------------------------------------------- */

static void V9__checksum_field_outside_the_frame_is_dropped(void **state)
{
    static const uint16_t bad[][2] = {{34, 25},       {59, 0},    {60, 0},
                                      {65535, 65535}, {0, 65535}, {65535, 0},
                                      {13, 10}};
    struct virtio_net_hdr_v1 header = plain_header();

    (void)state;
    start(OFFER);
    header.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        header.csum_start = bad[i][0];
        header.csum_offset = bad[i][1];
        assert_dropped(&header, 60);
    }
    header.csum_start = 34;
    header.csum_offset = 24; /* its last byte is the frame's */
    deliver(&header, 60);
    buffer_release(receive_one(60));
}

static void V9__partial_checksum_that_nobody_asked_for_is_dropped(void **state)
{
    struct virtio_net_hdr_v1 header = plain_header();

    (void)state;
    start(OFFER & ~BIT(VIRTIO_NET_F_GUEST_CSUM));
    header.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
    header.csum_start = 34;
    header.csum_offset = 16;
    assert_dropped(&header, 60);
}

static void V10__segmentation_that_makes_no_sense_is_dropped(void **state)
{
    static const uint8_t types[] = {2, 3, 4, 5, 0x7f, 0x80, 0x83, 0xff};
    struct virtio_net_hdr_v1 header = plain_header();

    (void)state;
    start(OFFER);
    header.gso_size = 1000;
    for (unsigned i = 0; i < ARRAY_LEN(types); i++) {
        header.gso_type = types[i];
        assert_dropped(&header, 60);
    }
    header.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
    header.gso_size = 0;
    assert_dropped(&header, 60);
}

static void
V10__segments_larger_than_the_frame_are_an_ordinary_frame(void **state)
{
    struct virtio_net_hdr_v1 header = plain_header();
    struct buffer *frame;

    (void)state;
    start(OFFER);
    header.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
    header.gso_size = 65535;
    deliver(&header, 60);
    frame = receive_one(60);
    assert_int_equal(frame->flags, 0);
    buffer_release(frame);
}

static void V10__segmentation_that_nobody_asked_for_is_dropped(void **state)
{
    struct virtio_net_hdr_v1 header = plain_header();

    (void)state;
    start(OFFER & ~BIT(VIRTIO_NET_F_GUEST_TSO4));
    header.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
    header.gso_size = 20;
    assert_dropped(&header, 60);
}

static void V11__unknown_flags_are_ignored(void **state)
{
    struct virtio_net_hdr_v1 header = plain_header();

    (void)state;
    start(OFFER);
    header.flags = 0xf8 | VIRTIO_NET_HDR_F_RSC_INFO;
    deliver(&header, 60);
    buffer_release(receive_one(60));
}

#define TEST(f)                                                                \
    cmocka_unit_test_setup_teardown(f, scene_fresh, scene_nothing_left)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(V5__length_shorter_than_header_and_frame_is_dropped),
        TEST(V5__length_above_what_was_posted_resets),
        TEST(V1_V2_V3_V4__broken_receive_ring_resets),
        TEST(V3__broken_transmit_ring_resets_and_releases),
        TEST(V6__header_rewritten_after_the_look_changes_nothing),
        TEST(V8__no_buffers_is_dropped),
        TEST(V8__more_buffers_than_there_are_resets),
        TEST(V8__merged_buffer_without_bytes_is_dropped),
        TEST(E12__frame_beyond_the_mtu_is_dropped),
        TEST(V9__checksum_field_outside_the_frame_is_dropped),
        TEST(V9__partial_checksum_that_nobody_asked_for_is_dropped),
        TEST(V10__segmentation_that_makes_no_sense_is_dropped),
        TEST(V10__segments_larger_than_the_frame_are_an_ordinary_frame),
        TEST(V10__segmentation_that_nobody_asked_for_is_dropped),
        TEST(V11__unknown_flags_are_ignored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
