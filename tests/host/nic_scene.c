/*
 * tests/host/nic_scene.c - a virtio-net driver and a device that a test plays.
 */
#include "tests/host/nic_scene.h"

#include <string.h>

#include "tests/host/host.h"
#include "tests/host/page.h"

/* What QEMU offers of what we know. */
const uint64_t OFFER =
    BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_RING_F_EVENT_IDX) |
    BIT(VIRTIO_NET_F_MAC) | BIT(VIRTIO_NET_F_STATUS) | BIT(VIRTIO_NET_F_MTU) |
    BIT(VIRTIO_NET_F_CSUM) | BIT(VIRTIO_NET_F_GUEST_CSUM) |
    BIT(VIRTIO_NET_F_MRG_RXBUF) | BIT(VIRTIO_NET_F_HOST_TSO4) |
    BIT(VIRTIO_NET_F_HOST_ECN) | BIT(VIRTIO_NET_F_GUEST_TSO4) |
    BIT(VIRTIO_NET_F_GUEST_ECN);

struct nic_scene scene;
uint8_t pattern[70000];

/* --- the scene ------------------------------------------------------------ */

size_t chunks(void)
{
    return hostnet_chunks(&scene.host);
}

int scene_fresh(void **state)
{
    (void)state;
    host_now_us = 1000000;
    host_seed(1);
    scene = (struct nic_scene){0};
    scene.pool = hostnet_pool(&scene.host, SCENE_PAGES);
    for (unsigned i = 0; i < sizeof(pattern); i++)
        pattern[i] = (uint8_t)(i * 7 + (i >> 8));
    return 0;
}

/* Nothing may be left: no buffer, no page; ASan sees what is used after. */
int scene_nothing_left(void **state)
{
    (void)state;
    if (scene.dev)
        assert_true(virtio_net_destroy(scene.dev));
    assert_int_equal(chunks(), 0);
    assert_int_equal(scene.host.pages, 0);
    assert_int_equal(host_pages_of(PAGE_DEVICE), 0);
    return 0;
}

struct netdev *try_create(uint64_t features)
{
    const struct virtio_net_options options = {
        .name = "net0", .signal = &scene.signal, .caps = ALL_CAPS};

    fake_virtio_init(&scene.fake, features);
    return virtio_net_create(&scene.fake.device, &options);
}

void create(uint64_t features)
{
    scene.dev = try_create(features);
    assert_non_null(scene.dev);
}

void start(uint64_t features)
{
    create(features);
    scene.dev->ops->start(scene.dev, scene.pool);
    (void)scene.dev->ops->events(scene.dev);
}

/* --- receiving ------------------------------------------------------------ */

struct virtio_net_hdr_v1 plain_header(void)
{
    return (struct virtio_net_hdr_v1){.num_buffers = 1};
}

/* Put header and `bytes` of pattern into the next posted buffer, and use it
 * with a length of `used_bytes`. */
void deliver_as(const struct virtio_net_hdr_v1 *header, uint32_t bytes,
                uint32_t used_bytes)
{
    uint8_t memory[HDR + 2000];
    int head = fake_virtio_take(&scene.fake, RX);

    assert_true(head >= 0);
    assert_true(bytes <= 2000);
    memcpy(memory, header, HDR);
    memcpy(memory + HDR, pattern, bytes);
    (void)fake_virtio_write(&scene.fake, RX, head, memory, HDR + bytes);
    fake_virtio_use(&scene.fake, RX, (uint32_t)head, used_bytes);
}

void deliver(const struct virtio_net_hdr_v1 *header, uint32_t bytes)
{
    deliver_as(header, bytes, HDR + bytes);
}

/* Deliver `bytes` in as many buffers as it takes, `said` of them said. */
void deliver_merged(struct virtio_net_hdr_v1 header, uint32_t bytes, int said)
{
    uint8_t memory[2000];
    uint32_t done = 0;
    unsigned count =
        (bytes + HDR + BUFFER_LARGE_BYTES - 1) / BUFFER_LARGE_BYTES;

    header.num_buffers = (uint16_t)(said >= 0 ? (unsigned)said : count);
    for (unsigned i = 0; i < count; i++) {
        uint32_t start = i == 0 ? HDR : 0;
        uint32_t part = BUFFER_LARGE_BYTES - start;
        int head = fake_virtio_take(&scene.fake, RX);

        assert_true(head >= 0);
        if (part > bytes - done)
            part = bytes - done;
        memcpy(memory, &header, HDR);
        memcpy(memory + start, pattern + done, part);
        (void)fake_virtio_write(&scene.fake, RX, head, memory, start + part);
        fake_virtio_use(&scene.fake, RX, (uint32_t)head, start + part);
        done += part;
    }
}

struct buffer *receive(void)
{
    return scene.dev->ops->receive(scene.dev, 64);
}

/* The one frame that is there: `bytes` of pattern. The caller releases it. */
struct buffer *receive_one(uint32_t bytes)
{
    struct buffer *frame = receive();
    uint8_t *copy;

    assert_non_null(frame);
    assert_null(frame->link);
    assert_int_equal(buffer_chain_len(frame), bytes);
    copy = test_malloc(bytes);
    (void)buffer_copy_out(frame, 0, copy, bytes);
    assert_memory_equal(copy, pattern, bytes);
    test_free(copy);
    return frame;
}

/* A frame with `header` is dropped and counted; the next one comes. */
void assert_dropped(const struct virtio_net_hdr_v1 *header, uint32_t bytes)
{
    struct virtio_net_hdr_v1 good = plain_header();
    uint64_t malformed = scene.dev->count.rx_malformed;
    uint64_t resets = scene.dev->count.resets;

    deliver(header, bytes);
    assert_null(receive());
    assert_int_equal(scene.dev->count.rx_malformed, malformed + 1);
    assert_int_equal(scene.dev->count.resets, resets);
    deliver(&good, 60);
    buffer_release(receive_one(60));
}

/* --- sending -------------------------------------------------------------- */

struct buffer *frame_of(uint32_t bytes)
{
    return hostnet_chain(scene.pool, pattern, bytes);
}

/* A frame with room for the header before it: one view. */
struct buffer *small_frame(uint32_t bytes)
{
    struct buffer *buf =
        buffer_alloc(scene.pool, BUFFER_LARGE, BUFFER_HEADROOM);

    assert_non_null(buf);
    memcpy(buf->data, pattern, bytes);
    buf->len = bytes;
    return buf;
}

/* The device takes the next frame: header and text; returns the head. */
int sent(struct virtio_net_hdr_v1 *header, uint32_t *bytes)
{
    static uint8_t memory[HDR + sizeof(pattern)];
    int head = fake_virtio_take(&scene.fake, TX);
    uint32_t all;

    if (head < 0)
        return head;
    all = fake_virtio_read(&scene.fake, TX, head, memory, sizeof(memory));
    assert_true(all >= HDR);
    memcpy(header, memory, HDR);
    *bytes = all - HDR;
    assert_memory_equal(memory + HDR, pattern, *bytes);
    return head;
}

void send_and_check(struct buffer *chain, uint32_t bytes, unsigned descriptors)
{
    struct virtio_net_hdr_v1 header;
    uint32_t got = 0;
    int head;

    assert_int_equal(scene.dev->ops->enqueue(scene.dev, chain), NETDEV_OK);
    scene.dev->ops->kick(scene.dev);
    head = sent(&header, &got);
    assert_true(head >= 0);
    assert_int_equal(got, bytes);
    assert_int_equal(fake_virtio_descriptors(&scene.fake, TX, head),
                     descriptors);
    assert_int_equal(header.num_buffers, 0);
    fake_virtio_use(&scene.fake, TX, (uint32_t)head, 0);
}

/* --- reset ---------------------------------------------------------------- */

/* Let the driver go through its reset, until it runs again. */
void let_recover(void)
{
    for (unsigned i = 0; i < 200000; i++) {
        assert_null(receive());
        (void)scene.dev->ops->arm(scene.dev, true);
        if (scene.fake.status & VIRTIO_CONFIG_S_DRIVER_OK)
            return;
        assert_true(scene.dev->wake_us > 0);
        if (host_now_us < scene.dev->wake_us)
            host_now_us = scene.dev->wake_us;
    }
    fail_msg("the device never ran again");
}

/* The device was reset because of what it did; it works again afterwards. */
void assert_recovers(void)
{
    struct virtio_net_hdr_v1 header = plain_header();

    assert_int_equal(scene.dev->count.resets, 1);
    let_recover();
    assert_true(scene.dev->ops->events(scene.dev) & NETDEV_EV_RESET);
    deliver(&header, 60);
    buffer_release(receive_one(60));
    send_and_check(small_frame(60), 60, 1);
}
