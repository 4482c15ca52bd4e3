/*
 * tests/host/nic_scene.h - a virtio-net driver and a device that a test plays.
 *
 * For tests only: every call asserts what it expects, with cmocka.
 */
#ifndef TESTS_HOST_NIC_SCENE_H
#define TESTS_HOST_NIC_SCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <linux/virtio_net.h>

#include "drivers/virtio_net.h"
#include "kernel/thread.h"
#include "tests/host/fake_virtio.h"
#include "tests/host/hostnet.h"

enum {
    RX = 0,
    TX = 1,
    HDR = 12,
    SCENE_PAGES = 1200, /* of the pool: more than both rings need */
    ALL_CAPS = NETDEV_CAP_TX_CSUM | NETDEV_CAP_TX_GSO_TCP4 |
               NETDEV_CAP_TX_GSO_ECN | NETDEV_CAP_RX_CSUM |
               NETDEV_CAP_RX_GSO_TCP4,
};

#define BIT(name) VIRTIO_BIT(name)

/* What QEMU offers, of what the driver knows. */
extern const uint64_t OFFER;

struct nic_scene {
    struct fake_virtio fake;
    struct hostnet host;
    struct buffer_pool *pool;
    struct thread_signal signal;
    struct netdev *dev; /* null until create() or start() */
};

extern struct nic_scene scene;
extern uint8_t pattern[70000]; /* what every frame consists of */

/* cmocka's setup and teardown: a new scene; nothing may be left of it. */
int scene_fresh(void **state);
int scene_nothing_left(void **state);

size_t chunks(void); /* buffers that are not released */

/* Try to set the driver up, on a device that offers `features`. */
struct netdev *try_create(uint64_t features);
/* ... which must work. */
void create(uint64_t features);
/* ... and the device runs. */
void start(uint64_t features);

struct virtio_net_hdr_v1 plain_header(void);

/* Put header and `bytes` of pattern into the next posted buffer, and say that
 * `used_bytes` were written, or as many as were. */
void deliver_as(const struct virtio_net_hdr_v1 *header, uint32_t bytes,
                uint32_t used_bytes);
void deliver(const struct virtio_net_hdr_v1 *header, uint32_t bytes);

/* Deliver `bytes` in as many buffers as it takes; the header says `said`, or
 * as many as it is when that is negative. */
void deliver_merged(struct virtio_net_hdr_v1 header, uint32_t bytes, int said);

struct buffer *receive(void);

/* The one frame that is there: `bytes` of pattern. The caller releases it. */
struct buffer *receive_one(uint32_t bytes);

/* A frame with this header is dropped and counted; the next one comes. */
void assert_dropped(const struct virtio_net_hdr_v1 *header, uint32_t bytes);

/* A frame of full buffers without headroom; one of one view with headroom. */
struct buffer *frame_of(uint32_t bytes);
struct buffer *small_frame(uint32_t bytes);

/* The device takes the next frame. Returns its head, or -1. */
int sent(struct virtio_net_hdr_v1 *header, uint32_t *bytes);

/* A frame goes out in so many descriptors, and comes back. */
void send_and_check(struct buffer *chain, uint32_t bytes, unsigned descriptors);

/* Let the driver go through its reset, until it runs again. */
void let_recover(void);

/* The device was reset, once, because of what it did, and works afterwards. */
void assert_recovers(void);

#endif
