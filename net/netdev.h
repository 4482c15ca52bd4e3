/*
 * net/netdev.h - what the stack asks of a network card.
 *
 * This header belongs to the stack; drivers implement it, and on the host a
 * test implements it with two queues in memory. A driver never calls into the
 * stack: the stack pulls, and the driver raises a signal in between.
 */
#ifndef NET_NETDEV_H
#define NET_NETDEV_H

#include "kernel/base.h"
#include "net/addr.h"
#include "net/buffer.h"

struct netdev;

/*
 * The smallest packet that every protocol here can work with: the headers of
 * IPv4 and TCP, 20 bytes each, and 64 of options and text. RFC 791 3.2 lets a
 * link have 68, RFC 2132 5.1 a server say so, and RFC 9293 3.7.1 sets no least
 * MSS; but 28 bytes are less than TCP's options alone may need.
 */
enum { NETDEV_MTU_MIN = 104 };

enum netdev_status {
    NETDEV_OK,
    NETDEV_FULL, /* no free slot now: try again after the next reclaim */
    NETDEV_DOWN  /* the device is being reset or is gone: the frame is lost */
};

/* What a device can do for us; without it the stack does it in software. */
enum netdev_cap {
    NETDEV_CAP_TX_CSUM = 1 << 0,     /* takes BUFFER_CSUM_PARTIAL */
    NETDEV_CAP_TX_GSO_TCP4 = 1 << 1, /* takes BUFFER_GSO_TCP4 */
    NETDEV_CAP_TX_GSO_ECN = 1 << 2,
    NETDEV_CAP_RX_CSUM = 1 << 3,     /* may say BUFFER_CSUM_GOOD, _PARTIAL */
    NETDEV_CAP_RX_GSO_TCP4 = 1 << 4, /* may deliver BUFFER_GSO_TCP4 */
};

/* What a device tells besides frames; taken by ops->events(). */
enum netdev_event {
    NETDEV_EV_LINK_UP = 1 << 0,
    NETDEV_EV_LINK_DOWN = 1 << 1,
    NETDEV_EV_ANNOUNCE = 1 << 2, /* send a gratuitous ARP: we were moved */
    NETDEV_EV_RESET = 1 << 3     /* the device was reset: frames were lost */
};

struct netdev_ops {
    /*
     * Start to receive. The pool is where receive buffers come from; it
     * stays until stop(). Before anything else.
     */
    void (*start)(struct netdev *dev, struct buffer_pool *pool);

    /*
     * Be silent, and give every buffer back to the pool: those to be sent are
     * lost. start() may be called again.
     *
     * Blocks:  the whole machine, a second at most.
     * Returns: false when the device cannot be stopped: it may write to the
     *          buffers that it has at any time, so the pool must stay for ever.
     */
    bool (*stop)(struct netdev *dev);

    /*
     * Queue one Ethernet frame, without FCS; it goes out at kick().
     *
     * chain: the frame, with BUFFER_HEADROOM-like room before its first view
     *        when the caller can. On NETDEV_OK and NETDEV_DOWN the device owns
     *        it (and releases it when done); on NETDEV_FULL it stays the
     *        caller's.
     * Blocks: never.
     */
    enum netdev_status (*enqueue)(struct netdev *dev, struct buffer *chain);

    /* Let the device see what has been enqueued: one notification at most. */
    void (*kick)(struct netdev *dev);

    /*
     * Take received frames, oldest first, as a queue through `link`.
     *
     * max:     at most so many frames.
     * Returns: the queue, which the caller owns, or null. Every frame has at
     *          least 14 bytes, all else is whatever a stranger sent. Takes
     *          back what was sent, and refills the ring, on the way.
     * Blocks:  never.
     */
    struct buffer *(*receive)(struct netdev *dev, unsigned max);

    /*
     * Whether receive() or events() would find something. For who looks again
     * and again before the CPU sleeps: reads, and changes nothing.
     * Blocks: never.
     */
    bool (*pending)(const struct netdev *dev);

    /* Take the events since the last call: a set of enum netdev_event. */
    unsigned (*events)(struct netdev *dev);

    /*
     * Ask for an interrupt at the next frame (true), or for none (false).
     *
     * Returns: true when there is work already, so that the caller must look
     *          again instead of sleeping.
     */
    bool (*arm)(struct netdev *dev, bool on);
};

struct netdev_counters {
    uint64_t rx_frames, rx_bytes;
    uint64_t tx_frames, tx_bytes;
    uint64_t tx_full;      /* enqueue said NETDEV_FULL */
    uint64_t rx_malformed; /* dropped: a length or header made no sense */
    uint64_t rx_no_buffer; /* ring slots that could not be refilled at once */
    uint64_t kicks;        /* notifications written to the device */
    uint64_t interrupts;
    uint64_t resets; /* the device broke the rules, or asked for it */
};

struct netdev {
    const struct netdev_ops *ops;
    const char *name; /* "net0" */
    struct mac_addr mac;
    uint16_t mtu_bytes; /* largest IP packet in one frame */
    uint16_t caps;      /* enum netdev_cap */
    bool link_up;
    /*
     * When receive() must be called at the latest, on kernel/clock.h's clock;
     * 0: only when there is an interrupt. Set by arm(): a driver's watchdog,
     * the retry of a starved ring, and the steps of a reset hang on it.
     */
    uint64_t wake_us;
    struct netdev_counters count;
};

#endif
