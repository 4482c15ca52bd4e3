/*
 * drivers/virtio.c - the steps that every virtio driver goes through.
 *
 * Source: virtio 1.2 3.1.1 (the order), 2.1.2 (a status bit is never cleared
 * but by reset), 2.7 (sizes of split queues).
 */
#include "drivers/virtio.h"

#include "kernel/clock.h"

enum {
    STATUS_GONE = 0xff, /* what a read of absent registers gives */
    RESET_READS_MAX =
        4000000, /* beside the time, should the clock stand still */
    SPLIT_SIZE_MAX = 32768
};

uint64_t virtio_features_common(void)
{
    /* ACCESS_PLATFORM: no IOMMU is ever switched on here, so the platform's
     * addresses are physical ones. ORDER_PLATFORM: this CPU's barriers, as
     * virtq.c uses them, order its accesses for devices too. */
    return VIRTIO_BIT(VIRTIO_F_VERSION_1) |
           VIRTIO_BIT(VIRTIO_F_ACCESS_PLATFORM) |
           VIRTIO_BIT(VIRTIO_F_ORDER_PLATFORM) |
           VIRTIO_BIT(VIRTIO_RING_F_EVENT_IDX);
}

/* Add `bits` to the status: what is there stays. */
static void status_add(struct virtio_device *device, uint8_t bits)
{
    uint8_t now = device->ops->status(device);

    device->ops->set_status(device, now | bits);
}

void virtio_reset_begin(struct virtio_device *device)
{
    device->features = 0;
    device->ops->set_status(device, 0);
}

bool virtio_reset_done(struct virtio_device *device)
{
    return device->ops->status(device) == 0;
}

enum virtio_status virtio_reset(struct virtio_device *device)
{
    uint64_t end_us = clock_us() + VIRTIO_RESET_US;

    virtio_reset_begin(device);
    for (unsigned i = 0; i < RESET_READS_MAX; i++) {
        if (virtio_reset_done(device))
            return VIRTIO_OK;
        if (clock_us() >= end_us)
            break;
    }
    return VIRTIO_GONE;
}

enum virtio_status virtio_begin(struct virtio_device *device, uint64_t *offered)
{
    uint8_t status;

    *offered = 0;
    status_add(device, VIRTIO_CONFIG_S_ACKNOWLEDGE);
    status_add(device, VIRTIO_CONFIG_S_DRIVER);
    status = device->ops->status(device);
    if (status == STATUS_GONE || !(status & VIRTIO_CONFIG_S_DRIVER))
        return VIRTIO_GONE;
    *offered = device->ops->offered(device) & ~device->off;
    return VIRTIO_OK;
}

enum virtio_status virtio_accept(struct virtio_device *device,
                                 uint64_t features)
{
    uint8_t status;

    if (!device->ops->legacy && !(features & VIRTIO_BIT(VIRTIO_F_VERSION_1)))
        return VIRTIO_REFUSED;
    device->ops->accept(device, features);
    device->features = features;
    if (device->ops->legacy)
        return VIRTIO_OK;
    status_add(device, VIRTIO_CONFIG_S_FEATURES_OK);
    status = device->ops->status(device);
    if (status == STATUS_GONE || !(status & VIRTIO_CONFIG_S_FEATURES_OK))
        return VIRTIO_REFUSED;
    return VIRTIO_OK;
}

enum virtio_status virtio_queue_size(struct virtio_device *device,
                                     unsigned index, unsigned most,
                                     unsigned *size)
{
    unsigned can = device->ops->queue_size(device, index);

    *size = 0;
    if (can == 0 || can > SPLIT_SIZE_MAX || (can & (can - 1)) != 0)
        return VIRTIO_BAD_QUEUE;
    if (device->ops->legacy) {
        if (can > VIRTQ_SIZE_MAX)
            return VIRTIO_BAD_QUEUE;
        most = can;
    }
    *size = can < most ? can : most;
    return VIRTIO_OK;
}

void virtio_ready(struct virtio_device *device)
{
    status_add(device, VIRTIO_CONFIG_S_DRIVER_OK);
}

void virtio_fail(struct virtio_device *device)
{
    status_add(device, VIRTIO_CONFIG_S_FAILED);
}

bool virtio_needs_reset(struct virtio_device *device)
{
    uint8_t status = device->ops->status(device);

    /* A device that is gone reads as all ones, this bit among them. */
    return status & VIRTIO_CONFIG_S_NEEDS_RESET ||
           !(status & VIRTIO_CONFIG_S_DRIVER_OK);
}

const char *virtio_status_text(enum virtio_status status)
{
    switch (status) {
    case VIRTIO_OK:
        return "fine";
    case VIRTIO_GONE:
        return "the device does not answer";
    case VIRTIO_REFUSED:
        return "the device refuses the features that it offered";
    case VIRTIO_BAD_QUEUE:
        return "the device has no usable queue";
    }
    return "?";
}
