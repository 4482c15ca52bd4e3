/*
 * drivers/virtio_net_watch.c - virtio-net: interrupts, and what to do when
 * they, or the device, fail.
 *
 * A device may lose interrupts, raise them without end, or take nothing that is
 * to be sent. So there is always a time at which the ring is looked at without
 * one, and once a second a look at how the device does.
 * Source: virtio 1.2 2.1.2 (DEVICE_NEEDS_RESET), 2.7.7 (suppression).
 */
#include "drivers/virtio_net_parts.h"
#include "kernel/clock.h"

enum {
    STORM_INTERRUPTS = 5000, /* that the network thread has not answered */
    TX_LOOKS_MAX = 5         /* so many looks in vain: the device is stuck */
};

/* Times in microseconds. */
enum {
    POLL_MOST_US = 1000000, /* a lost interrupt costs this much once */
    POLL_LEAST_US = 1000,
    RECLAIM_US = 100000, /* what was sent is taken back when idle */
    STARVED_US = 10000,
    CTRL_POLL_US = 10000,
    RESET_POLL_US = 1000,
    STORM_PAUSE_US = 1000000,
    LOOK_US = 1000000
};

/* --- interrupts ---------------------------------------------------------- */

/* In an interrupt: count, and wake the network thread. So many that it has not
 * answered, and it does not get to run any more: then no more for a while. */
static void interrupt_take(struct virtio_net *nic)
{
    nic->dev.count.interrupts++;
    if (++nic->unserved == STORM_INTERRUPTS) {
        nic->virtio->ops->interrupts_mask(nic->virtio, true);
        nic->storm_us = clock_us();
        nic->stormy = true;
    }
    thread_signal_raise(nic->options.signal);
}

/* In an interrupt: something was received. */
static void handle_rx(void *arg)
{
    struct virtio_net *nic = arg;

    nic->interrupted = true;
    virtq_interrupt_off(&nic->rx);
    interrupt_take(nic);
}

/* In an interrupt: there is room to send again. */
static void handle_tx(void *arg)
{
    struct virtio_net *nic = arg;

    nic->interrupted = true;
    virtq_interrupt_off(&nic->tx);
    interrupt_take(nic);
}

/* In an interrupt. What has changed is looked up by events(). */
static void handle_config(void *arg)
{
    struct virtio_net *nic = arg;

    nic->config_changed = true;
    interrupt_take(nic);
}

/* Before the queues are enabled. The control queue is polled: its answers are
 * few, and nobody waits for them. */
void virtio_net_interrupts_on(struct virtio_net *nic)
{
    const struct virtio_interrupts interrupts = {
        .queue = {[VIRTIO_NET_RX] = handle_rx, [VIRTIO_NET_TX] = handle_tx},
        .config = handle_config,
        .arg = nic,
    };

    nic->polled = !nic->virtio->ops->interrupts_on(nic->virtio, &interrupts);
    nic->poll_us = nic->polled ? POLL_LEAST_US : POLL_MOST_US;
    nic->stormy = false;
    nic->unserved = 0;
}

/* --- watchdogs ----------------------------------------------------------- */

/*
 * Does the device take what it is to send? After the first look in vain it is
 * notified once more, should it have missed one; after the last it is reset.
 */
static void watch_transmit(struct virtio_net *nic)
{
    if (virtq_chains(&nic->tx) == 0 || nic->tx.used_seen != nic->tx_look_seen) {
        nic->tx_look_seen = nic->tx.used_seen;
        nic->tx_looks_in_vain = 0;
        return;
    }
    if (++nic->tx_looks_in_vain >= TX_LOOKS_MAX) {
        virtio_net_broken(nic, "it sends nothing any more");
        return;
    }
    nic->dev.count.kicks++;
    nic->virtio->ops->notify(nic->virtio, VIRTIO_NET_TX);
}

/*
 * After a storm, and while interrupts are missed, as on a line that was masked
 * because of a neighbour's storm: another try.
 */
static void watch_masks(struct virtio_net *nic, uint64_t now_us)
{
    if (nic->stormy) {
        if (now_us - nic->storm_us < STORM_PAUSE_US)
            return;
        nic->stormy = false;
        nic->config_changed = true; /* it may have, unheard */
        nic->poll_us = nic->polled ? POLL_LEAST_US : POLL_MOST_US;
    } else if (nic->poll_us == POLL_MOST_US) {
        return;
    }
    nic->virtio->ops->interrupts_mask(nic->virtio, false);
}

/* At most once a second: is the device well? */
void virtio_net_watch(struct virtio_net *nic, uint64_t now_us)
{
    if (now_us - nic->look_us < LOOK_US)
        return;
    nic->look_us = now_us;
    watch_masks(nic, now_us);
    if (virtio_needs_reset(nic->virtio))
        virtio_net_broken(nic, "it asks for it, is gone, or was reset");
    else
        watch_transmit(nic);
}

/*
 * Is there work that no interrupt has told of, although one was asked for?
 * Then sleep less long; as soon as one comes, as long as before.
 */
void virtio_net_watch_interrupts(struct virtio_net *nic, bool found)
{
    nic->unserved = 0;
    if (nic->polled || nic->stormy) {
        nic->poll_us = POLL_LEAST_US;
    } else if (nic->interrupted) {
        nic->poll_us = POLL_MOST_US;
    } else if (found && nic->armed && clock_us() >= nic->dev.wake_us) {
        nic->poll_us /= 2;
        if (nic->poll_us < POLL_LEAST_US)
            nic->poll_us = POLL_LEAST_US;
    }
    nic->interrupted = false;
    nic->armed = false;
}

/* When to be called at the latest, now that the stack goes to sleep. */
uint64_t virtio_net_wake_time(const struct virtio_net *nic, uint64_t now_us)
{
    uint64_t sleep_us = nic->poll_us;

    if (nic->state == VIRTIO_NET_IDLE || nic->state == VIRTIO_NET_DEAD)
        return 0;
    if (nic->state == VIRTIO_NET_PAUSING)
        return nic->retry_us;
    if (nic->state == VIRTIO_NET_RESETTING)
        return now_us + (nic->lost ? VIRTIO_RESET_US : RESET_POLL_US);
    if (virtq_chains(&nic->tx) > 0 && sleep_us > RECLAIM_US)
        sleep_us = RECLAIM_US;
    if (virtio_net_ctrl_waits(nic) && sleep_us > CTRL_POLL_US)
        sleep_us = CTRL_POLL_US;
    if ((nic->rx_starved || nic->tx_starved) && sleep_us > STARVED_US)
        sleep_us = STARVED_US;
    return now_us + sleep_us;
}
