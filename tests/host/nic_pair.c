/*
 * tests/host/nic_pair.c - a stack on a virtio card that the test plays, and an
 * honest peer on a plain one.
 */
#include "tests/host/nic_pair.h"

#include <string.h>

#include <linux/virtio_net.h>

#include "tests/host/host.h"
#include "tests/host/page.h"

enum { TX = 1, CTRL = 2, BATCH = 64, STATUS_AT = 6 /* in the configuration */ };

static void stack_make(struct nic_pair *pair, unsigned i, struct netdev *dev,
                       const struct net_config *config)
{
    const struct net_address address = {i == 0 ? NIC_PAIR_ADDR : NIC_PAIR_PEER,
                                        24, IPV4_ADDR(0, 0, 0, 0)};
    struct net_config own = *config;

    own.host = hostnet_host(&pair->host[i]);
    pair->net[i] = net_create(&own, host_now_us);
    ASSERT(pair->net[i] && net_attach(pair->net[i], dev, &address) == NET_OK);
}

bool nic_pair_make(struct nic_pair *pair, uint64_t offered,
                   const struct net_config *config)
{
    const struct virtio_net_options options = {
        .name = "net0", .signal = &pair->signal, .caps = UINT16_MAX};

    fake_virtio_init(&pair->fake, offered);
    fake_memory_init(&pair->memory, &pair->fake);
    pair->nic = virtio_net_create(&pair->fake.device, &options);
    if (!pair->nic)
        return false;
    memdev_init(&pair->peer, (struct mac_addr){{2, 0, 0, 0, 0, 2}});
    pair->peer.dev.caps = NETDEV_CAP_RX_CSUM | NETDEV_CAP_RX_GSO_TCP4;
    stack_make(pair, 0, pair->nic, config);
    stack_make(pair, 1, &pair->peer.dev, config);
    fake_memory_look(&pair->memory);
    return true;
}

void nic_pair_turn(struct nic_pair *pair, unsigned i)
{
    struct netdev *dev = i == 0 ? pair->nic : &pair->peer.dev;
    unsigned events = dev->ops->events(dev);
    struct buffer *frames = dev->ops->receive(dev, BATCH);

    if (events)
        net_device_event(pair->net[i], dev, events, host_now_us);
    if (frames)
        net_input(pair->net[i], dev, frames, host_now_us);
    net_run(pair->net[i], host_now_us);
    net_flush(pair->net[i], host_now_us);
    (void)dev->ops->arm(dev, true);
    if (i == 0)
        fake_memory_look(&pair->memory);
}

bool nic_pair_transmit(struct nic_pair *pair)
{
    int head = fake_memory_take(&pair->memory, TX);
    struct virtio_net_hdr_v1 header = {0};
    uint32_t len, bytes = fake_memory_header(&pair->memory);
    struct buffer *frame;

    if (head < 0)
        return false;
    len = fake_memory_read(&pair->memory, TX, head, pair->frame,
                           sizeof(pair->frame));
    fake_memory_use(&pair->memory, TX, (uint32_t)head, 0);
    ASSERT(len >= bytes + 14); /* the driver's part of the bargain */
    memcpy(&header, pair->frame, bytes);
    if (pair->peer.rx.first ||
        !memdev_inject(&pair->peer, pair->frame + bytes, len - bytes))
        return true; /* lost */
    frame = pair->peer.rx.first;
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

uint32_t nic_pair_answer(struct nic_pair *pair)
{
    struct virtio_net_hdr_v1 header = {.num_buffers = 1};
    uint32_t len, bytes = fake_memory_header(&pair->memory);
    struct buffer *frame = memdev_take(&pair->peer);

    if (!frame)
        return 0;
    memcpy(pair->frame, &header, bytes);
    len = buffer_copy_out(frame, 0, pair->frame + bytes,
                          NIC_PAIR_FRAME_MOST - bytes);
    buffer_release(frame);
    return bytes + len;
}

void nic_pair_obey(struct nic_pair *pair)
{
    int head = fake_memory_take(&pair->memory, CTRL);
    uint8_t ok = VIRTIO_NET_OK;

    if (head < 0)
        return;
    (void)fake_memory_write(&pair->memory, CTRL, head, &ok, 1);
    fake_memory_use(&pair->memory, CTRL, (uint32_t)head, 1);
    pair->fake.config[STATUS_AT] &= (uint8_t)~VIRTIO_NET_S_ANNOUNCE;
}

size_t nic_pair_end(struct nic_pair *pair)
{
    net_destroy(pair->net[0]);
    net_destroy(pair->net[1]);
    ASSERT(virtio_net_destroy(pair->nic));
    return pair->host[0].pages + pair->host[1].pages +
           host_pages_of(PAGE_DEVICE);
}
