/*
 * drivers/virtio_net.h - virtio-net as a net/netdev.h device.
 *
 * Pure memory and a transport's table (drivers/virtio.h): a test on the host
 * plays a device that lies. When the device breaks a rule of the ring, asks
 * for it, or takes no frame for seconds, it is reset and set up again, with a
 * growing pause; what it holds is released only after the reset is done.
 * Does not: use more than one pair of queues, filters or promiscuous mode.
 * Source: virtio 1.2 5.1.
 */
#ifndef DRIVERS_VIRTIO_NET_H
#define DRIVERS_VIRTIO_NET_H

#include "drivers/virtio.h"
#include "kernel/thread.h"
#include "net/netdev.h"

struct virtio_net_options {
    const char *name;             /* "net0"; must stay */
    struct thread_signal *signal; /* raised when there is work; must stay */
    uint16_t caps; /* enum netdev_cap: what the stack is ready for; of these
                      the device's own are used */
};

/*
 * Reset a virtio-net device, negotiate, and set up its queues. It works from
 * netdev_ops.start() on.
 *
 * virtio:  stays the caller's; must outlive the device.
 * Blocks:  the whole machine, VIRTIO_RESET_US at most.
 * Returns: the device, with mac, mtu_bytes, caps and link_up set; null, and why
 *          is logged, when it cannot be used. The virtio device is then reset,
 *          unless it does not even do that.
 */
MUST_CHECK struct netdev *
virtio_net_create(struct virtio_device *virtio,
                  const struct virtio_net_options *options);

/*
 * Reset the device, release all that it holds, and free it.
 *
 * Blocks:  the whole machine, VIRTIO_RESET_US at most.
 * Returns: false when the device does not do the reset: its memory is then
 *          left to it for ever, because it may still write there.
 */
bool virtio_net_destroy(struct netdev *dev);

#endif
