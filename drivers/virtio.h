/*
 * drivers/virtio.h - a virtio device, whatever bus it is on.
 *
 * A transport (drivers/virtio_pci.c; on the host, a test) fills in a table of
 * functions; the steps that every device driver goes through are here. The
 * order is virtio's: virtio_reset(), virtio_begin(), virtio_accept(), queues,
 * virtio_ready().
 * Source: virtio 1.2 2.1, 2.2, 2.4, 3.1.
 */
#ifndef DRIVERS_VIRTIO_H
#define DRIVERS_VIRTIO_H

#include <linux/virtio_config.h>

#include "drivers/virtq.h"
#include "kernel/base.h"
#include "kernel/interrupt.h"

/* How a feature's number becomes its bit. */
#define VIRTIO_BIT(feature) (UINT64_C(1) << (feature))

/* In virtio_device.off only: no MSI-X. No feature has this number. */
#define VIRTIO_OFF_MSIX VIRTIO_BIT(63)

struct virtio_device;

enum {
    VIRTIO_QUEUES_MAX = 3 /* of one device, as our drivers use it */
};

/* Who is called in an interrupt, and with what. See kernel/interrupt.h. */
struct virtio_interrupts {
    /* Something may have come back in queue `index`; null: it is polled. */
    interrupt_fn *queue[VIRTIO_QUEUES_MAX];
    interrupt_fn *config; /* the configuration or the status has changed */
    void *arg;
};

/* What a transport does. No call blocks; all numbers come from the device and
 * are to be checked by the caller. */
struct virtio_transport_ops {
    /* The status byte: VIRTIO_CONFIG_S_*; 0xff when the device is gone. */
    uint8_t (*status)(struct virtio_device *device);
    /* Write it. 0 asks for a reset, which is done once status() is 0. */
    void (*set_status)(struct virtio_device *device, uint8_t status);

    uint64_t (*offered)(struct virtio_device *device);
    void (*accept)(struct virtio_device *device, uint64_t features);

    /* Read a field of the device's own configuration: 1, 2 or 4 `bytes`,
     * naturally aligned. All ones when there is no such field. */
    uint32_t (*config_read)(struct virtio_device *device, unsigned offset,
                            unsigned bytes);
    /* Another value than before: what was read in between may not fit
     * together. Constant where there is no such thing (legacy). */
    uint8_t (*config_generation)(struct virtio_device *device);

    /* The most descriptors that queue `index` can have; 0: no such queue. */
    unsigned (*queue_size)(struct virtio_device *device, unsigned index);
    /* Give it memory and start it. False: the device refuses, or says
     * something impossible of it. */
    bool (*queue_enable)(struct virtio_device *device, unsigned index,
                         const struct virtq *queue);
    /* Tell the device that queue `index`, which is enabled, has more. */
    void (*notify)(struct virtio_device *device, unsigned index);

    /* Have interrupts delivered; after each reset, before queue_enable().
     * False: there will be none, the caller has to poll. */
    bool (*interrupts_on)(struct virtio_device *device,
                          const struct virtio_interrupts *interrupts);
    /* Stop them at their source, or go on; interrupts_on() goes on too. Safe
     * in a handler. */
    void (*interrupts_mask)(struct virtio_device *device, bool masked);

    /* The interface before 1.0: no VERSION_1, hence no FEATURES_OK, and the
     * device dictates the size of a queue. */
    bool legacy;
};

/* A transport's own struct begins with this. */
struct virtio_device {
    const struct virtio_transport_ops *ops;
    const char *name;  /* for the log: "00:03.0" */
    uint64_t off;      /* features that are not to be used; VIRTIO_OFF_MSIX */
    uint64_t features; /* accepted */
};

enum virtio_status {
    VIRTIO_OK,
    VIRTIO_GONE,     /* no reset within its time, or the device is not there */
    VIRTIO_REFUSED,  /* it does not accept what was negotiated */
    VIRTIO_BAD_QUEUE /* no such queue, of an impossible size, or refused */
};

enum {
    VIRTIO_RESET_US = 1000000 /* a reset that takes longer has failed */
};

/* Features that mean the same to every device: what drivers/virtq.c can do,
 * and what holds on this machine by itself. */
uint64_t virtio_features_common(void);

/* Ask for a reset; virtio_reset_done() says when it has been done. */
void virtio_reset_begin(struct virtio_device *device);
bool virtio_reset_done(struct virtio_device *device);

/*
 * Reset the device, and wait until it has done so.
 *
 * Blocks:  the whole machine, VIRTIO_RESET_US at most: for boot only.
 * Returns: VIRTIO_OK or VIRTIO_GONE (it may still touch the memory it knows).
 */
MUST_CHECK enum virtio_status virtio_reset(struct virtio_device *device);

/*
 * Say that there is a driver, and read what the device offers.
 *
 * offered: set in every case; without what is in device->off.
 * Returns: VIRTIO_OK or VIRTIO_GONE.
 */
MUST_CHECK enum virtio_status virtio_begin(struct virtio_device *device,
                                           uint64_t *offered);

/*
 * Accept `features`, a subset of what was offered, and see that the device
 * agrees (which a legacy one cannot say; any other must have VERSION_1).
 *
 * Returns: VIRTIO_OK, and device->features is set; VIRTIO_REFUSED.
 */
MUST_CHECK enum virtio_status virtio_accept(struct virtio_device *device,
                                            uint64_t features);

/*
 * How many descriptors to give queue `index`.
 *
 * most:    what the driver has use for: a power of two.
 * size:    set on VIRTIO_OK: at most `most`, unless the device dictates it.
 * Returns: VIRTIO_OK; VIRTIO_BAD_QUEUE for 0, more than a ring can have
 *          (32768), no power of two, or more than VIRTQ_SIZE_MAX dictated.
 */
MUST_CHECK enum virtio_status virtio_queue_size(struct virtio_device *device,
                                                unsigned index, unsigned most,
                                                unsigned *size);

/* Everything is set up: the device may work from now on. */
void virtio_ready(struct virtio_device *device);

/* Tell the device that we have given it up. Its queues are as they were. */
void virtio_fail(struct virtio_device *device);

/* After virtio_ready(): whether the device asks for a reset, has gone, or was
 * reset behind our back. */
bool virtio_needs_reset(struct virtio_device *device);

/* "the device refuses the features", for the log. */
const char *virtio_status_text(enum virtio_status status);

#endif
