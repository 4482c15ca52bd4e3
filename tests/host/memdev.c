/*
 * tests/host/memdev.c - a network card that is two queues in memory.
 */
#include "tests/host/memdev.h"

#include <string.h>

static struct memdev *memdev_of(struct netdev *dev)
{
    return CONTAINER_OF(dev, struct memdev, dev);
}

static void put(struct memdev_queue *queue, struct buffer *frame)
{
    if (!queue->first)
        queue->end = &queue->first;
    frame->link = NULL;
    *queue->end = frame;
    queue->end = &frame->link;
    queue->count++;
}

static struct buffer *take(struct memdev_queue *queue)
{
    struct buffer *frame = queue->first;

    if (!frame)
        return NULL;
    queue->first = frame->link;
    queue->count--;
    frame->link = NULL;
    return frame;
}

static void start(struct netdev *dev, struct buffer_pool *pool)
{
    memdev_of(dev)->pool = pool;
}

static bool stop(struct netdev *dev)
{
    memdev_clear(memdev_of(dev));
    return true;
}

static enum netdev_status enqueue(struct netdev *dev, struct buffer *chain)
{
    struct memdev *memdev = memdev_of(dev);

    if (memdev->down) {
        buffer_release(chain);
        return NETDEV_DOWN;
    }
    if (memdev->pending.count + memdev->tx.count >= memdev->tx_max) {
        dev->count.tx_full++;
        return NETDEV_FULL;
    }
    dev->count.tx_frames++;
    dev->count.tx_bytes += buffer_chain_len(chain);
    put(&memdev->pending, chain);
    return NETDEV_OK;
}

static void kick(struct netdev *dev)
{
    struct memdev *memdev = memdev_of(dev);
    struct buffer *frame;

    dev->count.kicks++;
    while ((frame = take(&memdev->pending)))
        put(&memdev->tx, frame);
}

static struct buffer *receive(struct netdev *dev, unsigned max)
{
    struct memdev *memdev = memdev_of(dev);
    struct memdev_queue batch = {0};

    while (batch.count < max && memdev->rx.first)
        put(&batch, take(&memdev->rx));
    return batch.first;
}

static unsigned events(struct netdev *dev)
{
    unsigned set = memdev_of(dev)->pending_events;

    memdev_of(dev)->pending_events = 0;
    return set;
}

static bool arm(struct netdev *dev, bool on)
{
    struct memdev *memdev = memdev_of(dev);

    memdev->armed = on;
    return on && (memdev->rx.first || memdev->pending_events);
}

static bool pending(const struct netdev *dev)
{
    const struct memdev *memdev = CONTAINER_OF(dev, const struct memdev, dev);

    return memdev->rx.first || memdev->pending_events;
}

static const struct netdev_ops ops = {
    .start = start,
    .stop = stop,
    .enqueue = enqueue,
    .kick = kick,
    .receive = receive,
    .events = events,
    .pending = pending,
    .arm = arm,
};

void memdev_init(struct memdev *memdev, struct mac_addr mac)
{
    *memdev = (struct memdev){
        .dev = {.ops = &ops,
                .name = "mem",
                .mac = mac,
                .mtu_bytes = 1500,
                .link_up = true},
        .tx_max = 256,
    };
}

void memdev_inject_chain(struct memdev *memdev, struct buffer *frame)
{
    memdev->dev.count.rx_frames++;
    memdev->dev.count.rx_bytes += buffer_chain_len(frame);
    put(&memdev->rx, frame);
    if (memdev->armed && memdev->signal)
        memdev->signal(memdev->signal_context);
}

bool memdev_inject(struct memdev *memdev, const void *frame, uint32_t len)
{
    const uint8_t *from = frame;
    struct buffer *first = NULL, **end = &first;

    do {
        uint32_t part = len < BUFFER_LARGE_BYTES ? len : BUFFER_LARGE_BYTES;
        struct buffer *buf = buffer_alloc_last(memdev->pool, BUFFER_LARGE, 0);

        if (!buf) {
            memdev->dev.count.rx_no_buffer++;
            buffer_release(first);
            return false;
        }
        if (part > 0)
            memcpy(buf->data, from, part);
        buf->len = part;
        from += part;
        len -= part;
        *end = buf;
        end = &buf->next;
    } while (len > 0);
    memdev_inject_chain(memdev, first);
    return true;
}

struct buffer *memdev_take(struct memdev *memdev)
{
    return take(&memdev->tx);
}

void memdev_clear(struct memdev *memdev)
{
    struct memdev_queue *const queues[] = {&memdev->rx, &memdev->pending,
                                           &memdev->tx};

    for (size_t i = 0; i < ARRAY_LEN(queues); i++) {
        struct buffer *frame;

        while ((frame = take(queues[i])))
            buffer_release(frame);
    }
}
