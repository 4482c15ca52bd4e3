/*
 * tests/host/pair.c - two stacks on one cable, in virtual time.
 */
#include "tests/host/pair.h"

#include <stdlib.h>

#include "tests/host/host.h"

enum { BATCH = 64 };

void pair_init(struct pair *pair, const struct net_config config[2])
{
    *pair = (struct pair){0};
    wire_init(&pair->wire, &pair->dev[0], &pair->dev[1]);
    for (unsigned i = 0; i < 2; i++) {
        struct net_address address = {
            .addr = i == 0 ? PAIR_A_ADDR : PAIR_B_ADDR, .prefix_bits = 24};
        struct net_config own = config ? config[i] : net_config_default();
        uint8_t number = (uint8_t)(i + 1);

        own.host = hostnet_host(&pair->host[i]);
        if (config) {
            own.host.tcp_event = config[i].host.tcp_event;
            own.host.address_event = config[i].host.address_event;
        }
        memdev_init(&pair->dev[i], (struct mac_addr){{2, 0, 0, 0, 0, number}});
        pair->net[i] = net_create(&own, host_now_us);
        if (!pair->net[i] ||
            net_attach(pair->net[i], &pair->dev[i].dev, &address) != NET_OK)
            abort();
    }
}

size_t pair_destroy(struct pair *pair)
{
    wire_clear(&pair->wire);
    for (unsigned i = 0; i < 2; i++) {
        memdev_clear(&pair->dev[i]);
        net_destroy(pair->net[i]);
    }
    return pair->host[0].pages + pair->host[1].pages;
}

/* One stack's turn, as the network thread takes it. */
static bool turn(struct pair *pair, unsigned i)
{
    struct net *net = pair->net[i];
    struct netdev *dev = &pair->dev[i].dev;
    struct buffer *frames = dev->ops->receive(dev, BATCH);
    bool any =
        frames || net_next_deadline(net) <= host_now_us || net_needs_flush(net);

    if (frames)
        net_input(net, dev, frames, host_now_us);
    net_run(net, host_now_us);
    net_flush(net, host_now_us);
    return any;
}

bool pair_step(struct pair *pair)
{
    bool any = wire_deliver(&pair->wire, host_now_us);

    for (unsigned i = 0; i < 2; i++) {
        any |= turn(pair, i);
        wire_collect(&pair->wire, host_now_us);
    }
    return any;
}

uint64_t pair_next(const struct pair *pair)
{
    uint64_t next_us = wire_next(&pair->wire);

    for (unsigned i = 0; i < 2; i++) {
        uint64_t at_us = net_next_deadline(pair->net[i]);

        if (pair->dev[i].rx.first || net_needs_flush(pair->net[i]))
            at_us = host_now_us;
        if (at_us < next_us)
            next_us = at_us;
    }
    return next_us < host_now_us ? host_now_us : next_us;
}

static bool never(void *context)
{
    (void)context;
    return false;
}

bool pair_run_while(struct pair *pair, bool (*done)(void *context),
                    void *context, uint64_t until_us)
{
    for (;;) {
        uint64_t next_us;

        if (done(context))
            return true;
        next_us = pair_next(pair);
        if (next_us > until_us) {
            host_now_us = until_us;
            return false;
        }
        host_now_us = next_us;
        pair_step(pair);
    }
}

void pair_run_until(struct pair *pair, uint64_t until_us)
{
    pair_run_while(pair, never, NULL, until_us);
}
