/*
 * drivers/virtio_net.c - virtio-net: its states, and what the stack calls.
 *
 * Source: virtio 1.2 2.1.2 (DEVICE_NEEDS_RESET), 5.1.5 (set-up).
 */
#include "drivers/virtio_net.h"

#include "drivers/virtio_net_parts.h"
#include "kernel/clock.h"
#include "kernel/log.h"
#include "kernel/page.h"

/* Times in microseconds. */
enum {
    PAUSE_LEAST_US = 10000,
    PAUSE_MOST_US = 10000000,
    SANE_US = 60000000 /* after so long the next pause is short again */
};

_Static_assert(sizeof(struct virtio_net) <= PAGE_BYTES, "a page each");

static struct virtio_net *self(struct netdev *dev)
{
    return CONTAINER_OF(dev, struct virtio_net, dev);
}

static void state_set(struct virtio_net *nic, enum virtio_net_state state)
{
    nic->state = state;
    nic->state_us = clock_us();
    nic->tx_simple = virtio_net_tx_simple(nic);
}

/* --- set-up -------------------------------------------------------------- */

/* Give the device its queues, which are empty, and let it work. */
static enum virtio_status run(struct virtio_net *nic)
{
    const struct virtio_transport_ops *ops = nic->virtio->ops;

    virtio_net_interrupts_on(nic);
    if (!ops->queue_enable(nic->virtio, VIRTIO_NET_RX, &nic->rx) ||
        !ops->queue_enable(nic->virtio, VIRTIO_NET_TX, &nic->tx))
        return VIRTIO_BAD_QUEUE;
    virtio_net_ctrl_enable(nic);
    virtio_ready(nic->virtio);
    state_set(nic, VIRTIO_NET_RUNNING);
    nic->config_changed = true; /* look at the link as it is now */
    nic->look_us = nic->state_us;
    nic->tx_looks_in_vain = 0;
    nic->rx_starved = true; /* fill the ring, however little is missing */
    virtio_net_rx_refill(nic);
    return VIRTIO_OK;
}

/* The whole of a second set-up, in the memory of the first. */
static enum virtio_status set_up_again(struct virtio_net *nic)
{
    struct virtio_net_settings settings;
    enum virtio_status status = virtio_net_negotiate(nic, true, &settings);

    if (status != VIRTIO_OK)
        return status;
    if (virtio_net_has(nic, VIRTIO_NET_F_MTU) &&
        settings.mtu < nic->dev.mtu_bytes)
        nic->dev.mtu_bytes = settings.mtu;
    return run(nic);
}

/* --- reset --------------------------------------------------------------- */

/* Ask for a reset; what the device holds is its own until that is done. */
static void reset_begin(struct virtio_net *nic, const char *why)
{
    log_at(LOG_WARNING, "virtio", "%s: reset: %s", nic->dev.name, why);
    nic->dev.count.resets++;
    nic->virtio->ops->interrupts_mask(nic->virtio, true);
    virtio_reset_begin(nic->virtio);
    state_set(nic, VIRTIO_NET_RESETTING);
}

void virtio_net_broken(struct virtio_net *nic, const char *why)
{
    if (nic->state != VIRTIO_NET_RUNNING)
        return;
    if (clock_us() - nic->state_us >= SANE_US)
        nic->pause_us = PAUSE_LEAST_US;
    reset_begin(nic, why);
}

/* Release all that the device held: it has been reset and cannot reach it. */
static void release_all(struct virtio_net *nic)
{
    struct virtq *const queues[] = {&nic->rx, &nic->tx};

    for (unsigned i = 0; i < ARRAY_LEN(queues); i++) {
        unsigned cursor = 0;
        void *cookie;

        while ((cookie = virtq_take_back(queues[i], &cursor)))
            buffer_release(cookie);
        virtq_reset(queues[i]);
    }
    virtio_net_ctrl_reset(nic);
    nic->lost = false;
}

/* The pause before the next attempt, twice as long each time. */
static void pause_begin(struct virtio_net *nic)
{
    state_set(nic, VIRTIO_NET_PAUSING);
    nic->retry_us = nic->state_us + nic->pause_us;
    nic->pause_us *= 2;
    if (nic->pause_us > PAUSE_MOST_US)
        nic->pause_us = PAUSE_MOST_US;
}

/* RESETTING: has the device done it? One that is lost, or whose host was
 * stopped for a while, may come back: it is asked for ever, but seldom. */
static void step_resetting(struct virtio_net *nic)
{
    if (virtio_reset_done(nic->virtio)) {
        release_all(nic);
        pause_begin(nic);
        return;
    }
    if (clock_us() - nic->state_us < VIRTIO_RESET_US)
        return;
    virtio_reset_begin(nic->virtio); /* it may not have seen the first */
    state_set(nic, VIRTIO_NET_RESETTING);
    if (nic->lost)
        return;
    nic->lost = true;
    log_at(LOG_ERROR, "virtio", "%s: lost: it does not answer a reset",
           nic->dev.name);
    nic->dev.link_up = false;
    nic->events |= NETDEV_EV_LINK_DOWN;
}

/* PAUSING: try to set it up, when it is time. */
static void step_pausing(struct virtio_net *nic)
{
    enum virtio_status status;

    if (clock_us() < nic->retry_us)
        return;
    status = set_up_again(nic);
    if (status == VIRTIO_OK) {
        nic->events |= NETDEV_EV_RESET;
        return;
    }
    reset_begin(nic, virtio_status_text(status));
}

/* What is next to do for a device that does not run. */
static COLD void step(struct virtio_net *nic)
{
    if (nic->state == VIRTIO_NET_RESETTING)
        step_resetting(nic);
    if (nic->state == VIRTIO_NET_PAUSING)
        step_pausing(nic);
}

/* --- what the stack calls ------------------------------------------------ */

static enum buffer_size rx_size_for(const struct virtio_net *nic)
{
    bool merged = virtio_net_has(nic, VIRTIO_NET_F_MRG_RXBUF);

    return merged && virtio_net_has(nic, VIRTIO_NET_F_GUEST_TSO4)
               ? BUFFER_PAGE
               : BUFFER_LARGE;
}

static COLD void net_start(struct netdev *dev, struct buffer_pool *pool)
{
    struct virtio_net *nic = self(dev);
    struct buffer_pool_stats stats;
    enum virtio_status status;
    size_t most;

    ASSERT(nic->state == VIRTIO_NET_IDLE);
    nic->pool = pool;
    /* Where frames of 64 KiB come, a page for each piece of one. A quarter of
     * the pool at most lies here. */
    nic->rx_size = rx_size_for(nic);
    nic->rx_bytes = (uint16_t)buffer_size_bytes(nic->rx_size);
    buffer_pool_stats_get(pool, &stats);
    most = stats.pages_max / (nic->rx_size == BUFFER_PAGE ? 4 : 2);
    nic->rx_most = nic->rx.size;
    if (nic->rx_most > most)
        nic->rx_most = most > 0 ? (uint16_t)most : 1;
    if (nic->header_apart && nic->rx_most > nic->rx.size / 2)
        nic->rx_most = nic->rx.size / 2;
    /* Created, it has been negotiated with; stopped, it has forgotten. */
    status = nic->stopped ? set_up_again(nic) : run(nic);
    if (status != VIRTIO_OK)
        reset_begin(nic, virtio_status_text(status));
}

static COLD bool net_stop(struct netdev *dev)
{
    struct virtio_net *nic = self(dev);

    nic->virtio->ops->interrupts_mask(nic->virtio, true);
    if (virtio_reset(nic->virtio) != VIRTIO_OK) {
        state_set(nic, VIRTIO_NET_DEAD);
        return false;
    }
    release_all(nic);
    state_set(nic, VIRTIO_NET_IDLE);
    nic->stopped = true;
    nic->events = 0;
    dev->wake_us = 0;
    return true;
}

static enum netdev_status net_enqueue(struct netdev *dev, struct buffer *chain)
{
    return virtio_net_tx_enqueue(self(dev), chain);
}

static void net_kick(struct netdev *dev)
{
    virtio_net_tx_kick(self(dev));
}

static struct buffer *net_receive(struct netdev *dev, unsigned max)
{
    struct virtio_net *nic = self(dev);
    struct buffer *frames;

    nic->tx_starved = false;
    if (nic->state != VIRTIO_NET_RUNNING) {
        step(nic);
        return NULL;
    }
    frames = virtio_net_rx_take(nic, max);
    virtio_net_watch_interrupts(nic, frames);
    virtio_net_tx_reclaim(nic);
    if (nic->state == VIRTIO_NET_RUNNING)
        virtio_net_rx_refill(nic);
    return frames;
}

static unsigned net_events(struct netdev *dev)
{
    struct virtio_net *nic = self(dev);
    unsigned events;

    if (nic->state == VIRTIO_NET_RUNNING)
        virtio_net_ctrl_look(nic);
    events = nic->events;
    nic->events = 0;
    return events;
}

static bool net_pending(const struct netdev *dev)
{
    const struct virtio_net *nic =
        CONTAINER_OF(dev, const struct virtio_net, dev);

    return nic->events || (nic->state == VIRTIO_NET_RUNNING &&
                           (nic->config_changed || virtq_pending(&nic->rx)));
}

/* Look once more, then let the device interrupt. True: there is work. */
static bool arm_running(struct virtio_net *nic, uint64_t now_us)
{
    bool was_full = nic->tx_full;
    bool work;

    virtio_net_tx_reclaim(nic);
    virtio_net_watch(nic, now_us);
    if (nic->state != VIRTIO_NET_RUNNING)
        return false;
    work = virtq_interrupt_on(&nic->rx, 1);
    if (was_full && virtq_chains(&nic->tx) > 0) {
        /* Not at the first that is sent: an interrupt for many. */
        work |= virtq_interrupt_on(&nic->tx, virtq_chains(&nic->tx) / 2u + 1);
        work |= nic->tx.free_count > nic->tx.size / 2;
    }
    if (was_full && virtq_chains(&nic->tx) == 0)
        work = true;
    if (work)
        nic->tx_full = false;
    return work || nic->config_changed;
}

static bool net_arm(struct netdev *dev, bool on)
{
    struct virtio_net *nic = self(dev);
    uint64_t now_us;
    bool work = false;

    if (on) {
        now_us = clock_us();
        if (nic->state == VIRTIO_NET_RUNNING)
            work = arm_running(nic, now_us);
        nic->armed = true;
        dev->wake_us = virtio_net_wake_time(nic, now_us);
    }
    if ((!on || work) && nic->state == VIRTIO_NET_RUNNING) {
        virtq_interrupt_off(&nic->rx);
        virtq_interrupt_off(&nic->tx);
    }
    return work;
}

static const struct netdev_ops net_ops = {
    .start = net_start,
    .stop = net_stop,
    .enqueue = net_enqueue,
    .kick = net_kick,
    .receive = net_receive,
    .events = net_events,
    .pending = net_pending,
    .arm = net_arm,
};

/* --- making and ending --------------------------------------------------- */

/* Everything of virtio_net_create() but the page. Null: it works. */
static COLD const char *create_steps(struct virtio_net *nic)
{
    struct virtio_net_settings settings;
    enum virtio_status status = virtio_reset(nic->virtio);
    const char *why;

    if (status == VIRTIO_OK)
        status = virtio_net_negotiate(nic, false, &settings);
    if (status != VIRTIO_OK)
        return virtio_status_text(status);
    why = virtio_net_make_rings(nic);
    if (why)
        return why;
    virtio_net_describe(nic, &settings);
    return NULL;
}

COLD struct netdev *virtio_net_create(struct virtio_device *virtio,
                                      const struct virtio_net_options *options)
{
    struct virtio_net *nic = page_alloc(1, PAGE_DEVICE);
    const char *why;

    if (!nic)
        return NULL;
    *nic = (struct virtio_net){.virtio = virtio, .options = *options};
    nic->dev.ops = &net_ops;
    nic->dev.name = options->name;
    nic->pause_us = PAUSE_LEAST_US;
    why = create_steps(nic);
    if (!why)
        return &nic->dev;
    log_at(LOG_ERROR, "virtio", "%s: %s: %s", options->name, virtio->name, why);
    virtio_fail(virtio);
    virtio_reset_begin(virtio);
    page_free(nic, 1, PAGE_DEVICE);
    return NULL;
}

COLD bool virtio_net_destroy(struct netdev *dev)
{
    struct virtio_net *nic = self(dev);

    if (!net_stop(dev))
        return false;
    virtq_destroy(&nic->rx);
    virtq_destroy(&nic->tx);
    virtio_net_ctrl_destroy(nic);
    page_free(nic, 1, PAGE_DEVICE);
    return true;
}
