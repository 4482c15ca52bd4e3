/*
 * drivers/virtio_net_parts.h - private to drivers/virtio_net*.c: one device.
 */
#ifndef DRIVERS_VIRTIO_NET_PARTS_H
#define DRIVERS_VIRTIO_NET_PARTS_H

#include <linux/virtio_net.h>

#include "drivers/virtio.h"
#include "drivers/virtio_net.h"
#include "drivers/virtq.h"
#include "kernel/base.h"
#include "net/netdev.h"

enum {
    VIRTIO_NET_RX = 0, /* queue numbers: virtio 1.2 5.1.2 */
    VIRTIO_NET_TX = 1,
    VIRTIO_NET_CTRL = 2, /* as there is one pair of the others */

    VIRTIO_NET_VLAN_BYTES = 4,
    VIRTIO_NET_GSO_MAX = 65535 + ETH_HLEN, /* a segmented frame */
};

enum virtio_net_state {
    VIRTIO_NET_IDLE,      /* before start() */
    VIRTIO_NET_RUNNING,   /* DRIVER_OK */
    VIRTIO_NET_RESETTING, /* asked for; the device may still touch memory */
    VIRTIO_NET_PAUSING,   /* reset; set up again at retry_us */
    VIRTIO_NET_DEAD       /* stop() was in vain: the memory is its own */
};

/* One command to the device, and its answer; the device sees both. */
struct virtio_net_command {
    struct virtio_net_ctrl_hdr header;
    uint8_t answer; /* VIRTIO_NET_OK or _ERR */
};

struct virtio_net_ctrl {
    struct virtq queue; /* of size 0: there is none */
    struct virtio_net_command command;
    bool enabled;    /* since the last reset */
    uint64_t end_us; /* when its answer is due */
    bool late;       /* it was not there */
    bool ack_due;    /* acknowledge the announcement that the stack makes */
};

struct virtio_net {
    struct netdev dev; /* first: a netdev is a virtio_net */
    struct virtio_device *virtio;
    struct virtio_net_options options;
    struct buffer_pool *pool; /* from start() on */
    struct virtq rx, tx;
    struct virtio_net_ctrl ctrl;
    uint64_t features;
    uint16_t header_bytes; /* 12; 10 for a legacy device without MRG_RXBUF */
    uint16_t rx_most;      /* buffers that the receive ring gets */
    enum buffer_size rx_size;
    uint16_t rx_bytes;  /* of each of them */
    bool header_apart;  /* a descriptor of its own: no ANY_LAYOUT, legacy */
    uint32_t tx_simple; /* packets of fewer bytes are sent as they are, behind
                           a header of 12 bytes; 0 unless RUNNING */
    bool stopped;       /* since it was negotiated with */
    enum virtio_net_state state;
    bool tx_full;    /* enqueue() has refused: wake up when there is room */
    bool rx_starved; /* the pool gave nothing: try again soon */
    bool tx_starved; /* nor for a frame to send */
    unsigned events; /* enum netdev_event, not yet taken */

    /* Written by interrupt handlers, cleared by the network thread. */
    volatile bool interrupted;    /* a queue's interrupt has come */
    volatile bool config_changed; /* so has the configuration's */
    volatile unsigned unserved;   /* interrupts since the thread ran */
    volatile bool stormy;         /* too many: masked ... */
    volatile uint64_t storm_us;   /* ... since then */

    /* For the watchdogs: kernel/clock.h's time. */
    bool polled;           /* there are no interrupts */
    bool armed;            /* arm(true) was called since the last receive() */
    uint64_t poll_us;      /* how long to sleep without an interrupt */
    uint64_t state_us;     /* since when `state` is what it is */
    uint64_t retry_us;     /* PAUSING: end of the pause */
    uint64_t pause_us;     /* the next pause */
    bool lost;             /* RESETTING: it has not answered for long */
    uint64_t look_us;      /* the watchdog's last look */
    uint16_t tx_look_seen; /* tx.used_seen then */
    uint8_t tx_looks_in_vain; /* looks without progress */
};

/* Whether `feature` (its number) is negotiated. */
static inline bool virtio_net_has(const struct virtio_net *nic,
                                  unsigned feature)
{
    return nic->features & VIRTIO_BIT(feature);
}

/* Something is wrong with the device: count, log, begin a reset. Once. */
void virtio_net_broken(struct virtio_net *nic, const char *why);

/* What the device's configuration says; nothing of it is checked. */
struct virtio_net_settings {
    struct mac_addr mac;
    uint16_t status; /* VIRTIO_NET_S_* */
    uint16_t mtu;
};

/* drivers/virtio_net_setup.c: see there. */
bool virtio_net_settings_read(struct virtio_device *virtio,
                              struct virtio_net_settings *out);
bool virtio_net_link_of(const struct virtio_net *nic,
                        const struct virtio_net_settings *read);
enum virtio_status virtio_net_negotiate(struct virtio_net *nic, bool again,
                                        struct virtio_net_settings *settings);
const char *virtio_net_make_rings(struct virtio_net *nic);
void virtio_net_describe(struct virtio_net *nic,
                         const struct virtio_net_settings *settings);

/* drivers/virtio_net_watch.c: see there. */
void virtio_net_interrupts_on(struct virtio_net *nic);
void virtio_net_watch(struct virtio_net *nic, uint64_t now_us);
void virtio_net_watch_interrupts(struct virtio_net *nic, bool found);
uint64_t virtio_net_wake_time(const struct virtio_net *nic, uint64_t now_us);

/* drivers/virtio_net_ctrl.c: see there. */
void virtio_net_ctrl_make(struct virtio_net *nic);
void virtio_net_ctrl_enable(struct virtio_net *nic);
void virtio_net_ctrl_look(struct virtio_net *nic);
bool virtio_net_ctrl_waits(const struct virtio_net *nic);
void virtio_net_ctrl_reset(struct virtio_net *nic);
void virtio_net_ctrl_destroy(struct virtio_net *nic);

/* drivers/virtio_net_rx.c: see there. */
struct buffer *virtio_net_rx_take(struct virtio_net *nic, unsigned max);
void virtio_net_rx_refill(struct virtio_net *nic);

/* drivers/virtio_net_tx.c: see there. */
uint32_t virtio_net_tx_simple(const struct virtio_net *nic);
enum netdev_status virtio_net_tx_enqueue(struct virtio_net *nic,
                                         struct buffer *chain);
void virtio_net_tx_reclaim(struct virtio_net *nic);
void virtio_net_tx_kick(struct virtio_net *nic);

#endif
