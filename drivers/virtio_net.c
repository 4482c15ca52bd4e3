/*
 * drivers/virtio_net.c - virtio-net: resets, watchdogs, what the stack calls.
 *
 * Source: virtio 1.2 2.1.2 (DEVICE_NEEDS_RESET), 5.1.5 (set-up).
 */
#include "drivers/virtio_net.h"

#include "drivers/virtio_net_parts.h"
#include "kernel/clock.h"
#include "kernel/log.h"
#include "kernel/page.h"

enum {
    STORM_INTERRUPTS = 5000 /* that the network thread has not answered */
};

/* Times in microseconds. */
enum {
    POLL_MOST_US = 1000000, /* a lost interrupt costs this much once */
    POLL_LEAST_US = 1000,
    RECLAIM_US = 100000, /* what was sent is taken back when idle */
    STARVED_US = 10000,
    RESET_POLL_US = 1000,
    PAUSE_LEAST_US = 10000,
    PAUSE_MOST_US = 10000000,
    SANE_US = 60000000, /* after so long the next pause is short again */
    LOOK_US = 1000000,
    TX_LOOKS_MAX = 5 /* so many looks in vain: the device is stuck */
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
}

/* --- set-up -------------------------------------------------------------- */

static void handle_queue(void *arg);
static void handle_config(void *arg);

/* Give the device its queues, which are empty, and let it work. */
static enum virtio_status run(struct virtio_net *nic)
{
    const struct virtio_transport_ops *ops = nic->virtio->ops;
    const struct virtio_interrupts interrupts = {
        .queue = handle_queue, .config = handle_config, .arg = nic};

    nic->polled = !ops->interrupts_on(nic->virtio, &interrupts);
    nic->poll_us = nic->polled ? POLL_LEAST_US : POLL_MOST_US;
    if (!ops->queue_enable(nic->virtio, VIRTIO_NET_RX, &nic->rx) ||
        !ops->queue_enable(nic->virtio, VIRTIO_NET_TX, &nic->tx))
        return VIRTIO_BAD_QUEUE;
    virtio_ready(nic->virtio);
    state_set(nic, VIRTIO_NET_RUNNING);
    nic->config_changed = true; /* look at the link as it is now */
    nic->look_us = nic->state_us;
    nic->tx_looks_in_vain = 0;
    nic->unserved = 0;
    nic->rx_starved = true; /* fill the ring, however little is missing */
    virtio_net_rx_refill(nic);
    return VIRTIO_OK;
}

/* The whole of a second set-up, in the memory of the first. */
static enum virtio_status set_up_again(struct virtio_net *nic)
{
    struct virtio_net_settings settings;
    enum virtio_status status =
        virtio_net_negotiate(nic, nic->features, &settings);

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
    nic->virtio->ops->interrupts_off(nic->virtio);
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

/* RESETTING: has the device done it, or will it never? */
static void step_resetting(struct virtio_net *nic)
{
    if (virtio_reset_done(nic->virtio)) {
        release_all(nic);
        pause_begin(nic);
        return;
    }
    if (clock_us() - nic->state_us < VIRTIO_RESET_US)
        return;
    log_at(LOG_ERROR, "virtio", "%s: lost: it does not answer a reset",
           nic->dev.name);
    state_set(nic, VIRTIO_NET_DEAD);
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
static void step(struct virtio_net *nic)
{
    if (nic->state == VIRTIO_NET_RESETTING)
        step_resetting(nic);
    if (nic->state == VIRTIO_NET_PAUSING)
        step_pausing(nic);
}

/* --- interrupts ---------------------------------------------------------- */

/* Interrupts that nobody answers: the thread does not get to run any more. */
static void storm_check(struct virtio_net *nic)
{
    if (++nic->unserved < STORM_INTERRUPTS)
        return;
    nic->virtio->ops->interrupts_off(nic->virtio);
    nic->polled = true;
}

/* In an interrupt: mask, and wake the network thread; nothing more. */
static void handle_queue(void *arg)
{
    struct virtio_net *nic = arg;

    nic->dev.count.interrupts++;
    nic->interrupted = true;
    virtq_interrupt_off(&nic->rx);
    virtq_interrupt_off(&nic->tx);
    storm_check(nic);
    thread_signal_raise(nic->options.signal);
}

/* In an interrupt. What has changed is looked up by events(). */
static void handle_config(void *arg)
{
    struct virtio_net *nic = arg;

    nic->dev.count.interrupts++;
    nic->config_changed = true;
    storm_check(nic);
    thread_signal_raise(nic->options.signal);
}

/* --- watchdogs ----------------------------------------------------------- */

/*
 * Does the device take what it is to send? After the first look in vain it is
 * notified once more, should it have missed one; after the last it is reset.
 */
static void watch_transmit(struct virtio_net *nic)
{
    if (nic->tx.chains == 0 || nic->tx.used_seen != nic->tx_look_seen) {
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

/* At most once a second: is the device well? */
static void watch(struct virtio_net *nic, uint64_t now_us)
{
    if (now_us - nic->look_us < LOOK_US)
        return;
    nic->look_us = now_us;
    if (virtio_needs_reset(nic->virtio))
        virtio_net_broken(nic, "it asks for it, or is gone");
    else
        watch_transmit(nic);
}

/*
 * Is there work that no interrupt has told of, although one was asked for?
 * Then sleep less long; as soon as one comes, as long as before.
 */
static void watch_interrupts(struct virtio_net *nic, bool found)
{
    if (nic->polled) {
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
static uint64_t wake_time(const struct virtio_net *nic, uint64_t now_us)
{
    uint64_t sleep_us = nic->poll_us;

    if (nic->state == VIRTIO_NET_IDLE || nic->state == VIRTIO_NET_DEAD)
        return 0;
    if (nic->state == VIRTIO_NET_PAUSING)
        return nic->retry_us;
    if (nic->state == VIRTIO_NET_RESETTING)
        return now_us + RESET_POLL_US;
    if (nic->tx.chains > 0 && sleep_us > RECLAIM_US)
        sleep_us = RECLAIM_US;
    if ((nic->rx_starved || nic->tx_starved) && sleep_us > STARVED_US)
        sleep_us = STARVED_US;
    return now_us + sleep_us;
}

/* --- what the stack calls ------------------------------------------------ */

static void net_start(struct netdev *dev, struct buffer_pool *pool)
{
    struct virtio_net *nic = self(dev);
    struct buffer_pool_stats stats;
    enum virtio_status status;
    size_t most;

    ASSERT(nic->state == VIRTIO_NET_IDLE);
    nic->pool = pool;
    /* Two large buffers a page: a quarter of the pool at most lies here. */
    buffer_pool_stats_get(pool, &stats);
    most = stats.pages_max / 2;
    nic->rx_most = nic->rx.size;
    if (nic->rx_most > most)
        nic->rx_most = most > 0 ? (uint16_t)most : 1;
    status = run(nic);
    if (status != VIRTIO_OK)
        reset_begin(nic, virtio_status_text(status));
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

    nic->unserved = 0;
    nic->tx_starved = false;
    if (nic->state != VIRTIO_NET_RUNNING) {
        step(nic);
        return NULL;
    }
    frames = virtio_net_rx_take(nic, max);
    watch_interrupts(nic, frames);
    virtio_net_tx_reclaim(nic);
    if (nic->state == VIRTIO_NET_RUNNING)
        virtio_net_rx_refill(nic);
    return frames;
}

/* The link, as the device has it now. */
static void look_at_link(struct virtio_net *nic)
{
    struct virtio_net_settings settings;
    bool up;

    if (!virtio_net_settings_read(nic->virtio, &settings))
        return; /* it goes on changing, and will say so */
    up = virtio_net_link_of(nic, &settings);
    if (up == nic->dev.link_up)
        return;
    nic->dev.link_up = up;
    nic->events &= ~(unsigned)(NETDEV_EV_LINK_UP | NETDEV_EV_LINK_DOWN);
    nic->events |= up ? NETDEV_EV_LINK_UP : NETDEV_EV_LINK_DOWN;
}

static unsigned net_events(struct netdev *dev)
{
    struct virtio_net *nic = self(dev);
    unsigned events;

    if (nic->config_changed && nic->state == VIRTIO_NET_RUNNING) {
        nic->config_changed = false; /* before looking: it may change again */
        if (virtio_needs_reset(nic->virtio))
            virtio_net_broken(nic, "it asks for it");
        else
            look_at_link(nic);
    }
    events = nic->events;
    nic->events = 0;
    return events;
}

/* Look once more, then let the device interrupt. True: there is work. */
static bool arm_running(struct virtio_net *nic, uint64_t now_us)
{
    bool was_full = nic->tx_full;
    bool work;

    virtio_net_tx_reclaim(nic);
    watch(nic, now_us);
    if (nic->state != VIRTIO_NET_RUNNING)
        return false;
    work = virtq_interrupt_on(&nic->rx, 1);
    if (was_full && nic->tx.chains > 0) {
        /* Not at the first that is sent: an interrupt for many. */
        work |= virtq_interrupt_on(&nic->tx, nic->tx.chains / 2u + 1);
        work |= nic->tx.free_count > nic->tx.size / 2;
    }
    if (was_full && nic->tx.chains == 0)
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
        dev->wake_us = wake_time(nic, now_us);
    }
    if ((!on || work) && nic->state == VIRTIO_NET_RUNNING) {
        virtq_interrupt_off(&nic->rx);
        virtq_interrupt_off(&nic->tx);
    }
    return work;
}

static const struct netdev_ops net_ops = {
    .start = net_start,
    .enqueue = net_enqueue,
    .kick = net_kick,
    .receive = net_receive,
    .events = net_events,
    .arm = net_arm,
};

/* --- making and ending --------------------------------------------------- */

/* Everything of virtio_net_create() but the page. Null: it works. */
static const char *create_steps(struct virtio_net *nic)
{
    struct virtio_net_settings settings;
    enum virtio_status status = virtio_reset(nic->virtio);
    const char *why;

    if (status == VIRTIO_OK)
        status = virtio_net_negotiate(nic, 0, &settings);
    if (status != VIRTIO_OK)
        return virtio_status_text(status);
    why = virtio_net_make_rings(nic);
    if (why)
        return why;
    virtio_net_describe(nic, &settings);
    return NULL;
}

struct netdev *virtio_net_create(struct virtio_device *virtio,
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

bool virtio_net_destroy(struct netdev *dev)
{
    struct virtio_net *nic = self(dev);

    nic->virtio->ops->interrupts_off(nic->virtio);
    if (virtio_reset(nic->virtio) != VIRTIO_OK) {
        state_set(nic, VIRTIO_NET_DEAD);
        return false;
    }
    release_all(nic);
    virtq_destroy(&nic->rx);
    virtq_destroy(&nic->tx);
    page_free(nic, 1, PAGE_DEVICE);
    return true;
}
