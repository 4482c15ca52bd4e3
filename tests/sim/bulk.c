/*
 * tests/sim/bulk.c - senders with endless data, readers that read at once.
 */
#include "tests/sim/bulk.h"

#include <stdlib.h>

#include "tests/host/host.h"
#include "tests/sim/internet.h"

enum { PORT = 80, PIECE_BYTES = 16384, PAIRS = 4, PAGES = 65536 };

struct flow {
    struct tcp_conn *sender, *receiver;
    unsigned from, to;
    uint64_t received;
};

struct bulk {
    struct internet internet;
    struct tcp_listener *listener[HOSTS_MAX];
    struct flow flow[BULK_FLOWS_MAX];
    unsigned flows;
};

static const uint8_t text[PIECE_BYTES];

static void make_hosts(struct bulk *bulk, const struct bulk_plan *plan)
{
    struct net_config config = net_config_default();
    unsigned pairs = plan->flows < PAIRS ? plan->flows : PAIRS;

    config.pages_max = PAGES;
    config.tcp.rcv_buf_bytes = plan->buffer_bytes;
    config.tcp.snd_buf_bytes = plan->buffer_bytes;
    for (unsigned i = 0; i < 2 * pairs; i++)
        internet_add(&bulk->internet, &config, 0);
    for (unsigned i = 0; i < 2; i++)
        bulk->internet.trunk[i].quality = (struct link_quality){
            .delay_us = plan->rtt_us / 2,
            .loss_ppm = plan->loss_ppm,
            .bytes_per_s = plan->bytes_per_s,
            .queue_bytes = plan->queue_bytes,
        };
}

static void open_flows(struct bulk *bulk, const struct bulk_plan *plan)
{
    struct tcp_listen_options options = {.backlog = BULK_FLOWS_MAX,
                                         .syn_backlog = BULK_FLOWS_MAX};
    enum tcp_end why;

    for (unsigned i = 1; i < bulk->internet.hosts; i += 2)
        if (tcp_listen(bulk->internet.host[i].net, PORT, &options,
                       &bulk->listener[i]) != TCP_LISTEN_OK)
            abort();
    bulk->flows = plan->flows;
    for (unsigned i = 0; i < plan->flows; i++) {
        struct flow *flow = &bulk->flow[i];

        flow->from = 2 * i % bulk->internet.hosts;
        flow->to = flow->from + 1;
        if (tcp_connect(bulk->internet.host[flow->from].net,
                        internet_address(flow->to), PORT, 0, host_now_us,
                        &flow->sender, &why) != TCP_OK)
            abort();
    }
}

static void accept_all(struct bulk *bulk)
{
    for (unsigned i = 1; i < bulk->internet.hosts; i += 2) {
        struct tcp_conn *conn;

        while ((conn = tcp_accept(bulk->listener[i]))) {
            struct tcp_endpoints far = tcp_endpoints(conn);

            for (unsigned n = 0; n < bulk->flows; n++) {
                struct flow *flow = &bulk->flow[n];

                if (flow->to == i &&
                    tcp_endpoints(flow->sender).local_port == far.peer_port)
                    flow->receiver = conn;
            }
        }
    }
}

static void send_all(struct bulk *bulk, struct flow *flow, uint32_t low)
{
    struct net *net = bulk->internet.host[flow->from].net;
    uint32_t room;

    while ((room = tcp_send_room(flow->sender)) >= low) {
        struct buffer *buf =
            buffer_wrap(net_pool(net), text,
                        room < PIECE_BYTES ? room : PIECE_BYTES, NULL, NULL);

        if (!buf || tcp_send(flow->sender, buf, host_now_us) != TCP_OK)
            abort();
    }
}

static void read_all(struct flow *flow)
{
    struct buffer *chain;

    while (flow->receiver && tcp_recv(flow->receiver, UINT32_MAX, host_now_us,
                                      &chain) == TCP_OK) {
        flow->received += buffer_chain_len(chain);
        buffer_release(chain);
    }
}

static uint64_t received(const struct bulk *bulk)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < bulk->flows; i++)
        sum += bulk->flow[i].received;
    return sum;
}

/* Until then, or until so many bytes have come. */
static void run_until(struct bulk *bulk, const struct bulk_plan *plan,
                      uint64_t until_us, uint64_t bytes_max)
{
    uint32_t low = plan->buffer_bytes / 8 < PIECE_BYTES ? plan->buffer_bytes / 8
                                                        : PIECE_BYTES;

    while (!bytes_max || received(bulk) < bytes_max) {
        uint64_t next_us;

        accept_all(bulk);
        for (unsigned i = 0; i < bulk->flows; i++) {
            send_all(bulk, &bulk->flow[i], low);
            read_all(&bulk->flow[i]);
        }
        next_us = internet_next(&bulk->internet);
        if (next_us > until_us)
            break;
        host_now_us = next_us;
        internet_step(&bulk->internet);
    }
    if (!bytes_max || received(bulk) < bytes_max)
        host_now_us = until_us;
}

static void count(const struct bulk *bulk, struct bulk_result *result)
{
    for (unsigned i = 0; i < bulk->internet.hosts; i += 2) {
        const struct net_counters *counters =
            net_counters(bulk->internet.host[i].net);

        result->segments += counters->value[NET_COUNT_tcp_tx];
        result->retransmissions += counters->value[NET_COUNT_tcp_retransmit];
        result->timeouts += counters->value[NET_COUNT_tcp_timeout];
    }
}

void bulk_run(const struct bulk_plan *plan, struct bulk_result *result)
{
    static struct bulk bulk;
    uint64_t start_us, before[BULK_FLOWS_MAX];
    struct link_counters *queue = &bulk.internet.trunk[0].count;

    bulk = (struct bulk){0};
    *result = (struct bulk_result){0};
    host_seed(plan->seed);
    host_now_us = 1000000;
    internet_init(&bulk.internet, plan->seed);
    make_hosts(&bulk, plan);
    open_flows(&bulk, plan);
    run_until(&bulk, plan, host_now_us + plan->warm_up_us, 0);
    *queue = (struct link_counters){0};
    start_us = host_now_us;
    for (unsigned i = 0; i < plan->flows; i++)
        before[i] = bulk.flow[i].received;
    run_until(&bulk, plan, start_us + plan->run_us, plan->bytes_max);
    result->us = host_now_us - start_us;
    for (unsigned i = 0; i < plan->flows; i++)
        result->bytes[i] = bulk.flow[i].received - before[i];
    result->queue_us_mean = queue->sent ? queue->queue_us_sum / queue->sent : 0;
    result->queue_us_max = queue->queue_us_max;
    count(&bulk, result);
    internet_destroy(&bulk.internet);
}
