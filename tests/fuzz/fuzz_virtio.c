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

#include "net/tcp.h"
#include "tests/host/fuzz_input.h"
#include "tests/host/host.h"
#include "tests/host/nic_pair.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    INPUT_MAX = 2048,
    RX = 0,
    CONNS = 4,
    PAGES = 160, /* of each stack: exhaustion is reached */
    PORT = 7,
    SECOND_US = 1000000,
    RECOVERY_ROUNDS = 200000
};

struct world {
    struct fuzz_input input;
    struct nic_pair pair;
    struct tcp_listener *listener;
    struct tcp_conn *conn[CONNS];
    struct tcp_conn *client;
};

static uint32_t get(struct world *w, unsigned bytes)
{
    return fuzz_number(&w->input, bytes);
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

static void run_both(struct world *w)
{
    struct buffer *chain;

    nic_pair_turn(&w->pair, 0);
    echo(w);
    nic_pair_turn(&w->pair, 0);
    nic_pair_turn(&w->pair, 1);
    if (tcp_recv(w->client, 65536, host_now_us, &chain) == TCP_OK)
        buffer_release(chain);
}

static void client_send(struct world *w, uint32_t bytes)
{
    static const uint8_t text[65536];
    struct buffer *chain =
        buffer_wrap(net_pool(w->pair.net[1]), text, bytes, NULL, NULL);

    if (chain && tcp_send(w->client, chain, host_now_us) != TCP_OK)
        buffer_release(chain);
}

/* --- lies ----------------------------------------------------------------- */

/* Something into a ring that the device should not write there. */
static void lie_in_ring(struct world *w)
{
    uint32_t what = get(w, 1), where = get(w, 1);
    struct fake_queue *queue = &w->pair.fake.queue[what >> 4 & 3];
    const struct vring *ring;

    if ((what >> 4 & 3) >= FAKE_QUEUES || !queue->driver)
        return;
    ring = &queue->driver->ring;
    switch (what & 7) {
    case 0:
        fake_memory_use(&w->pair.memory, what >> 4 & 3, where, get(w, 2));
        return;
    case 1:
        fake_memory_use(&w->pair.memory, what >> 4 & 3, get(w, 4), get(w, 4));
        return;
    case 2:
        queue->used_idx = (uint16_t)(queue->used_idx + (int8_t)where);
        ring->used->idx = queue->used_idx;
        fake_memory_disown(&w->pair.memory, what >> 4 & 3);
        return;
    case 3:
        ring->used->idx = (uint16_t)get(w, 2);
        fake_memory_disown(&w->pair.memory, what >> 4 & 3);
        return;
    case 4:
        ring->used->ring[where % ring->num].len = get(w, 4);
        return;
    case 5: /* the driver never reads these; we have noted what they said */
        if (fake_memory_holds(&w->pair.memory, what >> 4 & 3,
                              where % ring->num))
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
    if (fake_virtio_runs(&w->pair.fake) &&
        fake_memory_holds(&w->pair.memory, RX, head))
        (void)fake_memory_write(&w->pair.memory, RX, (int)head, bytes,
                                sizeof(bytes));
}

/* A header of the input's, before a frame of the peer's or bytes. */
static void lie_in_header(struct world *w, bool honest_frame)
{
    uint32_t bytes = fake_memory_header(&w->pair.memory);
    uint32_t len = honest_frame ? nic_pair_answer(&w->pair) : 0;
    int32_t more;

    if (len == 0) {
        len = bytes + get(w, 1) * 8;
        memset(w->pair.frame, 0, len);
        memcpy(w->pair.frame + bytes, w->pair.nic->mac.byte, 6);
        w->pair.frame[bytes + 12] = 8; /* IPv4 */
        for (uint32_t i = 14; i < 80; i++)
            w->pair.frame[bytes + i] = (uint8_t)get(w, 1);
    }
    for (uint32_t i = 0; i < bytes; i++)
        w->pair.frame[i] = (uint8_t)get(w, 1);
    more = (int8_t)get(w, 1);
    fake_memory_deliver(&w->pair.memory, w->pair.frame, len,
                        more & 1 ? more : 0);
}

static void lie_in_config(struct world *w)
{
    uint32_t value = get(w, 2);

    w->pair.fake.config[(value >> 8) % FAKE_CONFIG_BYTES] = (uint8_t)value;
    fake_virtio_config_changed(&w->pair.fake);
}

static void turn_knob(struct world *w)
{
    uint32_t what = get(w, 1);
    bool on = what & 128;

    switch (what % 9) {
    case 0:
        w->pair.fake.gone = on;
        break;
    case 1:
        w->pair.fake.never_resets = on;
        break;
    case 2:
        w->pair.fake.refuse_features = on;
        break;
    case 3:
        w->pair.fake.never_settles = on;
        break;
    case 4:
        w->pair.fake.lose_interrupts = on;
        break;
    case 5:
        w->pair.fake.status |= VIRTIO_CONFIG_S_NEEDS_RESET;
        break;
    case 6:
        w->pair.fake.queue[(what >> 4 & 7) % FAKE_QUEUES].refused = on;
        break;
    case 7:
        w->pair.fake.offered ^= VIRTIO_BIT(what >> 3 & 31);
        break;
    case 8:
        w->pair.fake.no_interrupts = on;
        break;
    }
}

static void interrupt(struct world *w, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        for (unsigned q = 0; q < 2; q++)
            if (w->pair.fake.interrupts_on)
                w->pair.fake.interrupts.queue[q](w->pair.fake.interrupts.arg);
}

/* --- one input ------------------------------------------------------------ */

static void step(struct world *w)
{
    uint32_t what = get(w, 1), len;

    switch (what >> 4) {
    case 0:
    case 1:
    case 2:
        while (nic_pair_transmit(&w->pair))
            nic_pair_turn(&w->pair, 1);
        nic_pair_obey(&w->pair);
        break;
    case 3:
    case 4:
    case 5:
        while ((len = nic_pair_answer(&w->pair)))
            fake_memory_deliver(&w->pair.memory, w->pair.frame, len, 0);
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
    struct fake_virtio *fake = &w->pair.fake;

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
    if (fake_virtio_runs(&w->pair.fake))
        fake->status |= VIRTIO_CONFIG_S_NEEDS_RESET;
}

/* The device is honest now, and has asked for a reset if it runs: the card
 * recovers ... */
static void assert_recovers(struct world *w)
{
    struct fake_virtio *fake = &w->pair.fake;
    unsigned resets = fake->resets + fake_virtio_runs(fake);

    for (unsigned i = 0; i < RECOVERY_ROUNDS; i++) {
        run_both(w);
        if (fake->resets >= resets && fake_virtio_runs(fake))
            break;
        if (host_now_us < w->pair.nic->wake_us)
            host_now_us = w->pair.nic->wake_us;
    }
    ASSERT(fake->resets >= resets && fake_virtio_runs(fake));
}

/* ... and passes a frame each way. */
static void assert_works(struct world *w)
{
    struct netdev *nic = w->pair.nic;
    struct buffer *frame;
    uint64_t before;

    while (nic_pair_transmit(&w->pair))
        continue;
    run_both(w);
    before = nic->count.rx_frames;
    memset(w->pair.frame, 0, 100);
    w->pair.frame[10] = 1; /* num_buffers */
    fake_memory_deliver(&w->pair.memory, w->pair.frame,
                        fake_memory_header(&w->pair.memory) + 60, 0);
    run_both(w);
    ASSERT(nic->count.rx_frames == before + 1);

    before = nic->count.tx_frames;
    frame = buffer_alloc(net_pool(w->pair.net[0]), BUFFER_SMALL, 64);
    if (!frame)
        return; /* the stack holds all that there is */
    memset(frame->data, 0, 60);
    frame->len = 60;
    ASSERT(nic->ops->enqueue(nic, frame) == NETDEV_OK);
    ASSERT(nic->count.tx_frames == before + 1);
}

/* Make both sides; what the device offers is the input's choice. False: it is
 * so bad that the driver refuses it. */
static bool world_make(struct world *w, uint64_t *offered)
{
    struct tcp_listen_options listen = {.backlog = CONNS, .syn_backlog = CONNS};
    struct net_config config = net_config_default();
    uint32_t shape = get(w, 1);
    enum tcp_end why;

    w->pair.fake.legacy = shape & 1;
    *offered = get(w, 4) | (uint64_t) !(shape & 1) << VIRTIO_F_VERSION_1;
    for (unsigned q = 0; q < FAKE_QUEUES; q++)
        w->pair.fake.queue[q].size = 1u << (2 + (shape >> (1 + q * 2) & 3));
    config.pages_max = PAGES;
    config.pages_keep = PAGES / 16;
    config.tcp.conns_max = config.tcp.time_wait_max = 2 * CONNS;
    if (!nic_pair_make(&w->pair, *offered, &config))
        return false;
    ASSERT(tcp_listen(w->pair.net[0], PORT, &listen, &w->listener) ==
           TCP_LISTEN_OK);
    ASSERT(tcp_connect(w->pair.net[1], NIC_PAIR_ADDR, PORT, 0, host_now_us,
                       &w->client, &why) == TCP_OK);
    return true;
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
    w.input = (struct fuzz_input){data, size};
    if (!world_make(&w, &offered))
        return 0;
    while (w.input.len > 0)
        step(&w);
    knobs_honest(&w, offered);
    assert_recovers(&w);
    assert_works(&w);
    ASSERT(nic_pair_end(&w.pair) == 0);
    return 0;
}
