/*
 * virtio-net with a device that keeps the rules: receiving, sending,
 * offloads, interrupts, and the little that has to happen by itself.
 */
#include "tests/host/nic_scene.h"

#include <string.h>

#include "kernel/page.h"
#include "tests/host/host.h"
#include "tests/host/page.h"

static const uint64_t PLAIN =
    BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_NET_F_MAC) | BIT(VIRTIO_NET_F_STATUS);

/* --- receiving ------------------------------------------------------------ */

static void rx__frame_comes_without_its_header(void **state)
{
    struct virtio_net_hdr_v1 header = plain_header();

    (void)state;
    start(OFFER);
    deliver(&header, 60);
    buffer_release(receive_one(60));
    deliver(&header, 1514);
    buffer_release(receive_one(1514));
    assert_int_equal(scene.dev->count.rx_frames, 2);
    assert_int_equal(scene.dev->count.rx_bytes, 1574);
    assert_null(receive());
}

static void rx__frames_come_in_order_and_no_more_than_asked(void **state)
{
    struct virtio_net_hdr_v1 header = plain_header();
    struct buffer *queue;

    (void)state;
    start(OFFER);
    for (unsigned i = 0; i < 5; i++)
        deliver(&header, 60 + i);
    queue = scene.dev->ops->receive(scene.dev, 3);
    for (unsigned i = 0; i < 3; i++) {
        struct buffer *next = queue->link;

        assert_int_equal(queue->len, 60 + i);
        buffer_release(queue);
        queue = next;
    }
    assert_null(queue);
    queue = receive();
    assert_int_equal(queue->len, 63);
    buffer_release(queue->link);
    buffer_release(queue);
}

static void rx__what_is_pending_is_seen_without_taking_it(void **state)
{
    struct virtio_net_hdr_v1 header = plain_header();

    (void)state;
    start(OFFER);
    (void)scene.dev->ops->events(scene.dev);
    assert_false(scene.dev->ops->pending(scene.dev));
    deliver(&header, 60);
    assert_true(scene.dev->ops->pending(scene.dev));
    assert_true(scene.dev->ops->pending(scene.dev));
    buffer_release(receive_one(60));
    assert_false(scene.dev->ops->pending(scene.dev));
}

static void rx__ring_is_refilled_a_quarter_at_a_time(void **state)
{
    struct virtio_net_hdr_v1 header = plain_header();
    const struct virtq *rx;

    (void)state;
    start(OFFER);
    rx = scene.fake.queue[RX].driver;
    for (unsigned i = 0; i < 63; i++) {
        deliver(&header, 60);
        buffer_release(receive_one(60));
        assert_int_equal(rx->published, 256);
    }
    deliver(&header, 60);
    buffer_release(receive_one(60));
    assert_int_equal(rx->published, 320);
    assert_int_equal(virtq_chains(rx), 256);
}

static void rx__merged_buffers_become_one_chain(void **state)
{
    (void)state;
    start(OFFER);
    scene.dev->mtu_bytes = 9000;
    deliver_merged(plain_header(), 9014, -1);
    buffer_release(receive_one(9014));
}

static void rx__num_buffers_counts_only_with_merged_buffers(void **state)
{
    struct virtio_net_hdr_v1 header = plain_header();

    (void)state;
    start(PLAIN);
    header.num_buffers = 999;
    deliver(&header, 60);
    buffer_release(receive_one(60));
}

static void rx__checksum_claims_reach_the_stack(void **state)
{
    struct virtio_net_hdr_v1 header = plain_header();
    struct buffer *frame;

    (void)state;
    start(OFFER);
    header.flags = VIRTIO_NET_HDR_F_DATA_VALID;
    deliver(&header, 60);
    frame = receive_one(60);
    assert_int_equal(frame->flags, BUFFER_CSUM_GOOD);
    buffer_release(frame);

    header.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
    header.csum_start = 34;
    header.csum_offset = 16;
    deliver(&header, 60);
    frame = receive_one(60);
    assert_int_equal(frame->flags, BUFFER_CSUM_PARTIAL);
    assert_int_equal(frame->csum_start, 34);
    assert_int_equal(frame->csum_offset, 16);
    buffer_release(frame);
}

static void
rx__claim_of_a_good_checksum_counts_only_when_negotiated(void **state)
{
    struct virtio_net_hdr_v1 header = plain_header();
    struct buffer *frame;

    (void)state;
    start(PLAIN);
    header.flags = VIRTIO_NET_HDR_F_DATA_VALID;
    deliver(&header, 60);
    frame = receive_one(60);
    assert_int_equal(frame->flags, 0);
    buffer_release(frame);
}

static void rx__segments_of_64_kib_come_whole(void **state)
{
    struct virtio_net_hdr_v1 header = {
        .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
        .gso_type = VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN,
        .gso_size = 1448,
        .hdr_len = 1, /* a hint, and a wrong one */
        .csum_start = 34,
        .csum_offset = 16};
    struct buffer *frame;

    (void)state;
    start(OFFER);
    deliver_merged(header, 65535 + 14, -1);
    frame = receive_one(65535 + 14);
    assert_int_equal(frame->gso_bytes, 1448);
    assert_int_equal(frame->flags,
                     BUFFER_CSUM_PARTIAL | BUFFER_GSO_TCP4 | BUFFER_GSO_ECN);
    buffer_release(frame);
}

/* --- sending -------------------------------------------------------------- */

static void tx__small_frame_is_one_descriptor(void **state)
{
    (void)state;
    start(OFFER);
    send_and_check(small_frame(60), 60, 1);
    assert_int_equal(scene.dev->count.tx_frames, 1);
    assert_int_equal(scene.dev->count.tx_bytes, 60);
}

static void tx__shared_memory_gets_a_view_for_the_header(void **state)
{
    struct buffer *root = small_frame(200);
    struct buffer *view = buffer_slice(scene.pool, root, 0, 100);
    uint8_t before = root->data[-1];

    (void)state;
    start(OFFER);
    send_and_check(view, 100, 2);
    assert_int_equal(root->data[-1], before);
    buffer_release(root);
}

static void tx__views_without_bytes_are_left_out(void **state)
{
    struct buffer *chain = small_frame(60);
    struct buffer *empty = small_frame(0);

    (void)state;
    start(OFFER);
    empty->next = chain;
    send_and_check(empty, 60, 2); /* the header in the empty one's place */
    chain = small_frame(60);
    chain->next = small_frame(0);
    send_and_check(chain, 60, 1);
}

static void tx__nothing_is_seen_before_the_kick_and_a_batch_is_one(void **state)
{
    struct virtio_net_hdr_v1 header;
    uint32_t bytes;

    (void)state;
    start(OFFER);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(scene.dev->ops->enqueue(scene.dev, small_frame(60)),
                         NETDEV_OK);
    assert_int_equal(sent(&header, &bytes), -1);
    scene.dev->ops->kick(scene.dev);
    scene.dev->ops->kick(scene.dev);
    assert_int_equal(scene.fake.queue[TX].notified, 1);
    for (unsigned i = 0; i < 10; i++)
        assert_true(sent(&header, &bytes) >= 0);
}

static void tx__full_ring_says_so_and_wakes_when_there_is_room(void **state)
{
    struct virtio_net_hdr_v1 header;
    struct buffer *late;
    uint32_t bytes;

    (void)state;
    start(OFFER);
    for (unsigned i = 0; i < 256; i++)
        assert_int_equal(scene.dev->ops->enqueue(scene.dev, small_frame(60)),
                         NETDEV_OK);
    late = small_frame(60);
    assert_int_equal(scene.dev->ops->enqueue(scene.dev, late), NETDEV_FULL);
    assert_int_equal(scene.dev->count.tx_full, 1);
    assert_int_equal(buffer_headroom(late), BUFFER_HEADROOM);
    scene.dev->ops->kick(scene.dev);
    assert_false(scene.dev->ops->arm(scene.dev, true));
    for (unsigned i = 0; i < 128; i++) {
        fake_virtio_use(&scene.fake, TX, (uint32_t)sent(&header, &bytes), 0);
        assert_false(fake_virtio_signal(&scene.fake, TX));
    }
    fake_virtio_use(&scene.fake, TX, (uint32_t)sent(&header, &bytes), 0);
    assert_true(fake_virtio_signal(&scene.fake, TX));
    assert_null(receive());
    assert_int_equal(scene.dev->ops->enqueue(scene.dev, late), NETDEV_OK);
}

static void tx__sent_frames_are_released_at_the_next_look(void **state)
{
    (void)state;
    start(OFFER);
    send_and_check(small_frame(60), 60, 1);
    assert_int_equal(chunks(), 257);
    assert_null(receive());
    assert_int_equal(chunks(), 256);
}

/* An idle guest takes back what it sent, without an interrupt. */
static void tx__idle_stack_is_woken_to_release(void **state)
{
    (void)state;
    start(OFFER);
    assert_int_equal(scene.dev->ops->enqueue(scene.dev, small_frame(60)),
                     NETDEV_OK);
    scene.dev->ops->kick(scene.dev);
    assert_false(scene.dev->ops->arm(scene.dev, true));
    assert_in_range(scene.dev->wake_us, host_now_us, host_now_us + 100000);
}

static void tx__wishes_become_header_fields(void **state)
{
    struct virtio_net_hdr_v1 header;
    struct buffer *chain = frame_of(14 + 20 + 20 + 20000);
    uint32_t bytes;

    (void)state;
    start(OFFER);
    chain->flags = BUFFER_CSUM_PARTIAL | BUFFER_GSO_TCP4 | BUFFER_GSO_ECN;
    chain->csum_start = 34;
    chain->csum_offset = 16;
    chain->gso_bytes = 1448;
    pattern[34 + 12] = 0x80; /* TCP's header: 32 bytes */
    chain->data[34 + 12] = 0x80;
    assert_int_equal(scene.dev->ops->enqueue(scene.dev, chain), NETDEV_OK);
    scene.dev->ops->kick(scene.dev);
    assert_true(sent(&header, &bytes) >= 0);
    assert_int_equal(header.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
    assert_int_equal(header.csum_start, 34);
    assert_int_equal(header.csum_offset, 16);
    assert_int_equal(header.gso_type,
                     VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN);
    assert_int_equal(header.gso_size, 1448);
    assert_int_equal(header.hdr_len, 34 + 32);
}

/* A chain of `views` pieces of `each` bytes. */
static struct buffer *in_pieces(unsigned views, uint32_t each)
{
    struct buffer *first = NULL, **end = &first;

    for (unsigned i = 0; i < views; i++) {
        *end = hostnet_chain(scene.pool, pattern + i * each, each);
        end = &(*end)->next;
    }
    return first;
}

static void tx__chain_of_too_many_pieces_is_gathered(void **state)
{
    (void)state;
    start(OFFER);
    send_and_check(in_pieces(140, 10), 1400, 1);
    send_and_check(in_pieces(63, 10), 630, 64);
}

static void tx__frame_beyond_the_mtu_is_lost_not_sent(void **state)
{
    (void)state;
    start(OFFER);
    assert_int_equal(scene.dev->ops->enqueue(scene.dev, small_frame(1515)),
                     NETDEV_DOWN);
    assert_int_equal(scene.dev->ops->enqueue(scene.dev, small_frame(13)),
                     NETDEV_DOWN);
    send_and_check(small_frame(1514), 1514, 1);
}

static void tx__empty_pool_is_full_and_tried_again_soon(void **state)
{
    struct buffer *root = small_frame(100);
    struct buffer *view = buffer_slice(scene.pool, root, 0, 100);
    struct buffer *hold[2 * SCENE_PAGES];
    unsigned count = 0;

    (void)state;
    start(OFFER);
    scene.host.pool_pages.max = scene.host.pool_pages.count;
    for (; count < ARRAY_LEN(hold); count++)
        if (!(hold[count] = buffer_alloc(scene.pool, BUFFER_SMALL, 0)))
            break;
    assert_int_equal(scene.dev->ops->enqueue(scene.dev, view), NETDEV_FULL);
    assert_false(scene.dev->ops->arm(scene.dev, true)); /* or it would spin */
    assert_in_range(scene.dev->wake_us, host_now_us, host_now_us + 10000);
    while (count > 0)
        buffer_release(hold[--count]);
    scene.host.pool_pages.max = SCENE_PAGES;
    send_and_check(view, 100, 2);
    buffer_release(root);
}

/* --- interrupts ----------------------------------------------------------- */

/* Both kinds of event suppression. */
static void interrupts_of(uint64_t features)
{
    struct virtio_net_hdr_v1 header = plain_header();

    start(features);
    deliver(&header, 60);
    assert_false(fake_virtio_signal(&scene.fake, RX)); /* not asked for */
    buffer_release(receive_one(60));

    assert_false(scene.dev->ops->arm(scene.dev, true));
    deliver(&header, 60);
    assert_true(fake_virtio_signal(&scene.fake, RX));
    assert_true(scene.signal.raised);
    assert_int_equal(scene.dev->count.interrupts, 1);
    deliver(&header, 60);
    assert_false(fake_virtio_signal(&scene.fake, RX)); /* it masks itself */
    buffer_release(scene.dev->ops->receive(scene.dev, 1));
    buffer_release(receive_one(60));

    deliver(&header, 60);
    assert_true(scene.dev->ops->arm(scene.dev, true)); /* no sleep now */
    buffer_release(receive_one(60));
    assert_false(scene.dev->ops->arm(scene.dev, true));
    (void)scene.dev->ops->arm(scene.dev, false);
    deliver(&header, 60);
    assert_false(fake_virtio_signal(&scene.fake, RX));
    buffer_release(receive_one(60));
}

static void interrupts__come_when_armed_and_once(void **state)
{
    (void)state;
    interrupts_of(OFFER);
}

static void interrupts__come_when_armed_and_once_without_event_idx(void **state)
{
    (void)state;
    interrupts_of(PLAIN);
}

static void interrupts__sending_causes_none(void **state)
{
    (void)state;
    start(OFFER);
    assert_false(scene.dev->ops->arm(scene.dev, true));
    send_and_check(small_frame(60), 60, 1);
    assert_false(fake_virtio_signal(&scene.fake, TX));
}

/* --- link ----------------------------------------------------------------- */

static void link__change_is_an_event_once(void **state)
{
    (void)state;
    start(OFFER);
    scene.fake.config[6] = 0;
    fake_virtio_config_changed(&scene.fake);
    assert_true(scene.signal.raised);
    assert_true(scene.dev->ops->arm(scene.dev, true));
    assert_int_equal(scene.dev->ops->events(scene.dev), NETDEV_EV_LINK_DOWN);
    assert_false(scene.dev->link_up);
    assert_int_equal(scene.dev->ops->events(scene.dev), 0);
    scene.fake.config[6] = 1;
    fake_virtio_config_changed(&scene.fake);
    assert_int_equal(scene.dev->ops->events(scene.dev), NETDEV_EV_LINK_UP);
}

#define TEST(f)                                                                \
    cmocka_unit_test_setup_teardown(f, scene_fresh, scene_nothing_left)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rx__frame_comes_without_its_header),
        TEST(rx__frames_come_in_order_and_no_more_than_asked),
        TEST(rx__what_is_pending_is_seen_without_taking_it),
        TEST(rx__ring_is_refilled_a_quarter_at_a_time),
        TEST(rx__merged_buffers_become_one_chain),
        TEST(rx__num_buffers_counts_only_with_merged_buffers),
        TEST(rx__checksum_claims_reach_the_stack),
        TEST(rx__claim_of_a_good_checksum_counts_only_when_negotiated),
        TEST(rx__segments_of_64_kib_come_whole),
        TEST(tx__small_frame_is_one_descriptor),
        TEST(tx__shared_memory_gets_a_view_for_the_header),
        TEST(tx__views_without_bytes_are_left_out),
        TEST(tx__nothing_is_seen_before_the_kick_and_a_batch_is_one),
        TEST(tx__full_ring_says_so_and_wakes_when_there_is_room),
        TEST(tx__sent_frames_are_released_at_the_next_look),
        TEST(tx__idle_stack_is_woken_to_release),
        TEST(tx__wishes_become_header_fields),
        TEST(tx__chain_of_too_many_pieces_is_gathered),
        TEST(tx__frame_beyond_the_mtu_is_lost_not_sent),
        TEST(tx__empty_pool_is_full_and_tried_again_soon),
        TEST(interrupts__come_when_armed_and_once),
        TEST(interrupts__come_when_armed_and_once_without_event_idx),
        TEST(interrupts__sending_causes_none),
        TEST(link__change_is_an_event_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
