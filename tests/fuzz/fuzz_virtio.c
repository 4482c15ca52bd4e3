/*
 * tests/fuzz/fuzz_virtio.c - the driver and a stack on a device that lies.
 *
 * The input is a program: each step the device does something honest (takes
 * what is sent, delivers what an honest peer answers), something that it must
 * not (a used ring, a header, a length, an event index, a configuration, a
 * status that cannot be), writes to memory that it still owns, or lets time
 * go by. What the driver has released is poisoned: touching it is seen. At the
 * end the device is honest again: then the card must run, a frame must pass
 * each way, and nothing may be left when it is stopped.
 * Bounds: INPUT_MAX bytes, so at most as many steps.
 */
#include <stdlib.h>
#include <string.h>

#include <linux/virtio_net.h>

#include "drivers/virtio_net.h"
#include "kernel/page.h"
#include "net/net.h"
#include "net/tcp.h"
#include "tests/host/fake_memory.h"
#include "tests/host/fake_virtio.h"
#include "tests/host/host.h"
#include "tests/host/hostnet.h"
#include "tests/host/memdev.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    INPUT_MAX = 2048,
    RX = 0,
    TX = 1,
    CTRL = 2,
    FRAME_MOST = 66000,
    CONNS = 4,
    PAGES = 160, /* of each stack: exhaustion is reached */
    PORT = 7,
    SECOND_US = 1000000,
    RECOVERY_ROUNDS = 200000
};

struct world {
    const uint8_t *at, *end;
    struct fake_virtio fake;
    struct fake_memory memory; /* that the driver has given to it */
    struct thread_signal signal;
    struct hostnet host[2];
    struct netdev *nic; /* A's, on the device */
    struct memdev peer; /* B's, honest */
    struct net *net[2];
    struct tcp_listener *listener;
    struct tcp_conn *conn[CONNS];
    struct tcp_conn *client;
    uint8_t frame[FRAME_MOST];
};

static uint32_t get(struct world *w, unsigned bytes)
{
    uint32_t value = 0;

    while (bytes-- && w->at < w->end)
        value = value << 8 | *w->at++;
    return value;
}

/* The driver's next frame goes to the peer, as its header says. */
static bool transmit(struct world *w)
{
    int head = fake_memory_take(&w->memory, TX);
    struct virtio_net_hdr_v1 header = {0};
    uint32_t len, bytes = fake_memory_header(&w->memory);
    struct buffer *frame;

    if (head < 0)
        return false;
    len = fake_memory_read(&w->memory, TX, head, w->frame, sizeof(w->frame));
    fake_memory_use(&w->memory, TX, (uint32_t)head, 0);
    ASSERT(len >= bytes + 14); /* the driver's part of the bargain */
    memcpy(&header, w->frame, bytes);
    if (w->peer.rx.first ||
        !memdev_inject(&w->peer, w->frame + bytes, len - bytes))
        return true;
    frame = w->peer.rx.first;
    if (header.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
        frame->flags |= BUFFER_CSUM_PARTIAL;
        frame->csum_start = header.csum_start;
        frame->csum_offset = header.csum_offset;
    }
    if (header.gso_type != VIRTIO_NET_HDR_GSO_NONE) {
        frame->flags |= BUFFER_GSO_TCP4;
        frame->gso_bytes = header.gso_size;
    }
    return true;
}

/* The driver's next command is carried out. */
static void obey(struct world *w)
{
    int head = fake_memory_take(&w->memory, CTRL);
    uint8_t ok = VIRTIO_NET_OK;

    if (head < 0)
        return;
    (void)fake_memory_write(&w->memory, CTRL, head, &ok, 1);
    fake_memory_use(&w->memory, CTRL, (uint32_t)head, 1);
    w->fake.config[6] &= (uint8_t)~VIRTIO_NET_S_ANNOUNCE;
}

/* The peer's next frame, into w->frame after a header; 0: none. */
static uint32_t peers_frame(struct world *w)
{
    struct buffer *frame = memdev_take(&w->peer);
    uint32_t len, bytes = fake_memory_header(&w->memory);
    struct virtio_net_hdr_v1 header = {.num_buffers = 1};

    if (!frame)
        return 0;
    len = buffer_copy_out(frame, 0, w->frame + bytes, FRAME_MOST - bytes);
    memcpy(w->frame, &header, bytes);
    buffer_release(frame);
    return bytes + len;
}

/* --- the two stacks ------------------------------------------------------- */

static void echo(struct world *w)
{
    for (unsigned i = 0; i < CONNS; i++) {
        struct buffer *chain;

        if (!w->conn[i])
            w->conn[i] = tcp_accept(w->listener);
        if (!w->conn[i] ||
            tcp_recv(w->conn[i], 65536, host_now_us, &chain) != TCP_OK)
            continue;
        if (tcp_send(w->conn[i], chain, host_now_us) != TCP_OK)
            buffer_release(chain);
    }
}

/* A turn of a stack, as the network thread has it. */
static void turn(struct net *net, struct netdev *dev)
{
    unsigned events = dev->ops->events(dev);
    struct buffer *frames = dev->ops->receive(dev, 64);

    if (events)
        net_device_event(net, dev, events, host_now_us);
    if (frames)
        net_input(net, dev, frames, host_now_us);
    net_run(net, host_now_us);
    net_flush(net, host_now_us);
    (void)dev->ops->arm(dev, true);
}

static void run_both(struct world *w)
{
    struct buffer *chain;

    turn(w->net[0], w->nic);
    echo(w);
    net_flush(w->net[0], host_now_us);
    fake_memory_look(&w->memory);
    turn(w->net[1], &w->peer.dev);
    if (tcp_recv(w->client, 65536, host_now_us, &chain) == TCP_OK)
        buffer_release(chain);
}

static void client_send(struct world *w, uint32_t bytes)
{
    static const uint8_t text[65536];
    struct buffer *chain =
        buffer_wrap(net_pool(w->net[1]), text, bytes, NULL, NULL);

    if (chain && tcp_send(w->client, chain, host_now_us) != TCP_OK)
        buffer_release(chain);
}

/* --- lies ----------------------------------------------------------------- */

/* Something into a ring that the device should not write there. */
static void lie_in_ring(struct world *w)
{
    uint32_t what = get(w, 1), where = get(w, 1);
    struct fake_queue *queue = &w->fake.queue[what >> 4 & 3];
    const struct vring *ring;

    if ((what >> 4 & 3) >= FAKE_QUEUES || !queue->driver)
        return;
    ring = &queue->driver->ring;
    switch (what & 7) {
    case 0:
        fake_memory_use(&w->memory, what >> 4 & 3, where, get(w, 2));
        return;
    case 1:
        fake_memory_use(&w->memory, what >> 4 & 3, get(w, 4), get(w, 4));
        return;
    case 2:
        queue->used_idx = (uint16_t)(queue->used_idx + (int8_t)where);
        ring->used->idx = queue->used_idx;
        fake_memory_disown(&w->memory, what >> 4 & 3);
        return;
    case 3:
        ring->used->idx = (uint16_t)get(w, 2);
        fake_memory_disown(&w->memory, what >> 4 & 3);
        return;
    case 4:
        ring->used->ring[where % ring->num].len = get(w, 4);
        return;
    case 5: /* the driver never reads these; we have noted what they said */
        if (fake_memory_holds(&w->memory, what >> 4 & 3, where % ring->num))
            memset(&ring->desc[where % ring->num], (int)get(w, 1),
                   sizeof(ring->desc[0]));
        return;
    case 6:
        vring_avail_event(ring) = (uint16_t)get(w, 2);
        return;
    case 7:
        ring->used->flags = (uint16_t)where;
        return;
    }
}

/* Into memory that the device still owns: it may, at any time. */
static void write_owned(struct world *w)
{
    unsigned head = get(w, 1) % FAKE_MEMORY_RING;
    uint8_t bytes[64];

    memset(bytes, (int)get(w, 1), sizeof(bytes));
    if (fake_virtio_runs(&w->fake) && fake_memory_holds(&w->memory, RX, head))
        (void)fake_memory_write(&w->memory, RX, (int)head, bytes,
                                sizeof(bytes));
}

/* A header of the input's, before a frame of the peer's or bytes. */
static void lie_in_header(struct world *w, bool honest_frame)
{
    uint32_t bytes = fake_memory_header(&w->memory);
    uint32_t len = honest_frame ? peers_frame(w) : 0;
    int32_t more;

    if (len == 0) {
        len = bytes + get(w, 1) * 8;
        memset(w->frame, 0, len);
        memcpy(w->frame + bytes, w->nic->mac.byte, 6);
        w->frame[bytes + 12] = 8; /* IPv4 */
        for (uint32_t i = 14; i < 80; i++)
            w->frame[bytes + i] = (uint8_t)get(w, 1);
    }
    for (uint32_t i = 0; i < bytes; i++)
        w->frame[i] = (uint8_t)get(w, 1);
    more = (int8_t)get(w, 1);
    fake_memory_deliver(&w->memory, w->frame, len, more & 1 ? more : 0);
}

static void lie_in_config(struct world *w)
{
    uint32_t value = get(w, 2);

    w->fake.config[(value >> 8) % FAKE_CONFIG_BYTES] = (uint8_t)value;
    fake_virtio_config_changed(&w->fake);
}

static void turn_knob(struct world *w)
{
    uint32_t what = get(w, 1);
    bool on = what & 128;

    switch (what % 9) {
    case 0:
        w->fake.gone = on;
        break;
    case 1:
        w->fake.never_resets = on;
        break;
    case 2:
        w->fake.refuse_features = on;
        break;
    case 3:
        w->fake.never_settles = on;
        break;
    case 4:
        w->fake.lose_interrupts = on;
        break;
    case 5:
        w->fake.status |= VIRTIO_CONFIG_S_NEEDS_RESET;
        break;
    case 6:
        w->fake.queue[(what >> 4 & 7) % FAKE_QUEUES].refused = on;
        break;
    case 7:
        w->fake.offered ^= VIRTIO_BIT(what >> 3 & 31);
        break;
    case 8:
        w->fake.no_interrupts = on;
        break;
    }
}

static void interrupt(struct world *w, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        for (unsigned q = 0; q < 2; q++)
            if (w->fake.interrupts_on)
                w->fake.interrupts.queue[q](w->fake.interrupts.arg);
}

/* --- one input ------------------------------------------------------------ */

static void step(struct world *w)
{
    uint32_t what = get(w, 1), len;

    switch (what >> 4) {
    case 0:
    case 1:
    case 2:
        while (transmit(w))
            turn(w->net[1], &w->peer.dev);
        obey(w);
        break;
    case 3:
    case 4:
    case 5:
        while ((len = peers_frame(w)))
            fake_memory_deliver(&w->memory, w->frame, len, 0);
        break;
    case 6:
        client_send(w, 1 + (what & 15) * 4096);
        break;
    case 7:
    case 8:
        lie_in_ring(w);
        break;
    case 9:
    case 10:
        lie_in_header(w, what & 16);
        break;
    case 11:
        write_owned(w);
        break;
    case 12:
        lie_in_config(w);
        break;
    case 13:
        turn_knob(w);
        break;
    case 14:
        interrupt(w, what & 8 ? 5001 : what & 7);
        break;
    case 15:
        host_now_us += UINT64_C(1) << (what & 15) * 2;
        break;
    }
    if (what & 1)
        run_both(w);
}

static void knobs_honest(struct world *w, uint64_t offered)
{
    struct fake_virtio *fake = &w->fake;

    fake->gone = fake->never_resets = fake->refuse_features = false;
    fake->never_settles = fake->lose_interrupts = fake->no_interrupts = false;
    for (unsigned q = 0; q < FAKE_QUEUES; q++)
        fake->queue[q].refused = false;
    fake->offered = offered;
    fake->config[6] = VIRTIO_NET_S_LINK_UP;
    fake->config[7] = 0;
    fake->config[10] = 0xdc; /* 1500, should it be asked for */
    fake->config[11] = 5;
    fake->status &= (uint8_t)~VIRTIO_CONFIG_S_NEEDS_RESET;
    if (fake_virtio_runs(&w->fake))
        fake->status |= VIRTIO_CONFIG_S_NEEDS_RESET;
}

/* The device is honest now: the card recovers ... */
static void assert_recovers(struct world *w)
{
    unsigned resets = w->fake.resets;

    for (unsigned i = 0; i < RECOVERY_ROUNDS; i++) {
        run_both(w);
        if (w->fake.resets > resets && fake_virtio_runs(&w->fake))
            break;
        if (host_now_us < w->nic->wake_us)
            host_now_us = w->nic->wake_us;
    }
    ASSERT(w->fake.resets > resets && fake_virtio_runs(&w->fake));
}

/* ... and passes a frame each way. */
static void assert_works(struct world *w)
{
    struct netdev *nic = w->nic;
    struct buffer *frame;
    uint64_t before;

    while (transmit(w))
        continue;
    run_both(w);
    before = nic->count.rx_frames;
    memset(w->frame, 0, 100);
    w->frame[10] = 1; /* num_buffers */
    fake_memory_deliver(&w->memory, w->frame,
                        fake_memory_header(&w->memory) + 60, 0);
    run_both(w);
    ASSERT(nic->count.rx_frames == before + 1);

    before = nic->count.tx_frames;
    frame = buffer_alloc(net_pool(w->net[0]), BUFFER_SMALL, 64);
    if (!frame)
        return; /* the stack holds all that there is */
    memset(frame->data, 0, 60);
    frame->len = 60;
    ASSERT(nic->ops->enqueue(nic, frame) == NETDEV_OK);
    ASSERT(nic->count.tx_frames == before + 1);
}

static struct net *stack_make(struct world *w, unsigned i, struct netdev *dev)
{
    struct net_address address = {IPV4_ADDR(10, 0, 0, 1), 24,
                                  IPV4_ADDR(0, 0, 0, 0)};
    struct net_config config = hostnet_config(&w->host[i]);
    struct net *net;

    address.addr.byte[3] = (uint8_t)(i + 1);
    config.pages_max = PAGES;
    config.tcp.conns_max = config.tcp.time_wait_max = 2 * CONNS;
    net = net_create(&config, host_now_us);
    ASSERT(net && net_attach(net, dev, &address) == NET_OK);
    return net;
}

/* Make both sides; what the device offers is the input's choice. False: it is
 * so bad that the driver refuses it. */
static bool world_make(struct world *w, uint64_t *offered)
{
    const struct virtio_net_options options = {
        .name = "net0", .signal = &w->signal, .caps = UINT16_MAX};
    struct tcp_listen_options listen = {.backlog = CONNS, .syn_backlog = CONNS};
    uint32_t shape = get(w, 1);
    enum tcp_end why;

    w->fake.legacy = shape & 1;
    *offered = get(w, 4) | (uint64_t)!w->fake.legacy << VIRTIO_F_VERSION_1;
    for (unsigned q = 0; q < FAKE_QUEUES; q++)
        w->fake.queue[q].size = 1u << (2 + (shape >> (1 + q * 2) & 3));
    fake_virtio_init(&w->fake, *offered);
    fake_memory_init(&w->memory, &w->fake);
    w->nic = virtio_net_create(&w->fake.device, &options);
    if (!w->nic)
        return false;
    memdev_init(&w->peer, (struct mac_addr){{2, 0, 0, 0, 0, 2}});
    w->peer.dev.caps = NETDEV_CAP_RX_CSUM | NETDEV_CAP_RX_GSO_TCP4;
    w->net[0] = stack_make(w, 0, w->nic);
    w->net[1] = stack_make(w, 1, &w->peer.dev);
    ASSERT(tcp_listen(w->net[0], PORT, &listen, &w->listener) == TCP_LISTEN_OK);
    ASSERT(tcp_connect(w->net[1], IPV4_ADDR(10, 0, 0, 1), PORT, 0, host_now_us,
                       &w->client, &why) == TCP_OK);
    fake_memory_look(&w->memory);
    return true;
}

static void world_end(struct world *w)
{
    struct page_stats stats;

    net_destroy(w->net[0]);
    net_destroy(w->net[1]);
    ASSERT(w->host[0].pages == 0 && w->host[1].pages == 0);
    ASSERT(virtio_net_destroy(w->nic));
    page_stats_get(&stats);
    ASSERT(stats.used[PAGE_DEVICE] == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world w;
    uint64_t offered;

    if (size > INPUT_MAX)
        return 0;
    host_seed(1);
    host_now_us = SECOND_US;
    memset(&w, 0, sizeof(w));
    w.at = data;
    w.end = data + size;
    if (!world_make(&w, &offered))
        return 0;
    while (w.at < w.end)
        step(&w);
    knobs_honest(&w, offered);
    assert_recovers(&w);
    assert_works(&w);
    world_end(&w);
    return 0;
}
