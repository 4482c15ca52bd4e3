/*
 * net/tcp.c - TCP of one stack: set up, flush, tell, tear down.
 *
 * Flushing and telling take their list away first and walk it to its end, so
 * that a connection that is queued anew meanwhile waits for the next time,
 * and one that disappears leaves the list by itself.
 */
#include "net/tcp.h"

#include <string.h>

#include "net/tcp_conn.h"

enum { EVENT_ROUNDS = 16 }; /* of callbacks that cause events, per call */

struct tcp_config tcp_config_default(void)
{
    return (struct tcp_config){
        .conns_max = 16384,
        .time_wait_max = 16384,
        .orphans_max = 2048,
        .rcv_buf_bytes = 4 * 1024 * 1024,
        .rcv_buf_begin_bytes = 64 * 1024,
        .snd_buf_bytes = 4 * 1024 * 1024,
        .snd_buf_begin_bytes = 256 * 1024,
        .window_scaling = true,
        .timestamps = true,
        .sack = true,
        .timestamp_tick_us = 1000,
        .ttl = IPV4_TTL,
        .initial_cwnd_segments = 10,
        .congestion = TCP_CONGESTION_CUBIC,
        .ecn = TCP_ECN_PASSIVE,
        .rto_initial_us = 1000000,
        .rto_min_us = 200000,
        .rto_max_us = 60000000,
        .delayed_ack_us = 40000,
        .msl_us = 30000000,
        .fin_wait_2_us = 60000000,
        .syn_timeout_us = 180000000,
        .synack_timeout_us = 60000000,
        .r1_retransmissions = 3,
        .r2_us = 900000000,
        .keepalive_idle_us = 7200000000,
        .keepalive_interval_us = 75000000,
        .keepalive_probes = 9,
        .challenge_acks_per_second = 10,
        .ooo_pieces_max = 256,
        .soft_errors = true,
        .ephemeral_first = 49152,
        .ephemeral_last = 65535,
    };
}

enum { RECORDS_PART = 16 }; /* of the queues' memory */

static COLD void pools_init(struct net *net)
{
    const struct tcp_config *config = &net->config.tcp;
    struct tcp *tcp = &net->tcp;

    pool_init(&tcp->conns, &net->pages, sizeof(struct tcp_conn),
              config->conns_max);
    pool_init(&tcp->actives, &net->pages, sizeof(struct tcp_active),
              config->conns_max);
    pool_init(&tcp->records, &net->pages, sizeof(struct tcp_record),
              tcp->budget.held_bytes_max / RECORDS_PART /
                  sizeof(struct tcp_record));
    tcp->records.to_the_last = true; /* what is queued has to get away */
    pool_init(&tcp->pieces, &net->pages, sizeof(struct tcp_piece), SIZE_MAX);
    pool_init(&tcp->listeners, &net->pages, sizeof(struct tcp_listener),
              UINT16_MAX);
    tcp_options_init(net);
    tcp_cookies_init(net);
    tcp_time_wait_init(net);
}

COLD bool tcp_init(struct net *net)
{
    struct tcp *tcp = &net->tcp;
    size_t pages = net->config.flow_pages_max;

    *tcp = (struct tcp){
        .table_key = {net_random64(net), net_random64(net)},
        .secret_key = {net_random64(net), net_random64(net)},
    };
    tcp->budget.pages = &net->pages;
    tcp->budget.held_bytes_max =
        (pages ? pages : net->config.pages_max / 4 * 3) * PAGE_BYTES;
    for (unsigned i = 0; i < TCP_PORT_COUNTERS; i++)
        tcp->port_next[i] = (uint16_t)net_random64(net);
    if (net->config.tcp.ttl == 0)
        net->config.tcp.ttl = IPV4_TTL;
    tcp_list_init(&tcp->flush);
    tcp_list_init(&tcp->events);
    tcp_list_init(&tcp->connecting);
    tcp_list_init(&tcp->orphans);
    tcp_list_init(&tcp->ended);
    tcp_list_init(&tcp->holders);
    tcp_list_init(&tcp->listening);
    tcp_list_init(&tcp->acceptable);
    pools_init(net);
    tcp->recent = pages_take(&net->pages);
    if (!tcp->recent)
        return false;
    memset(tcp->recent, 0, PAGE_BYTES);
    return tcp_buckets_init(net, &tcp->by_tuple, net->config.tcp.conns_max) &&
           tcp_buckets_init(net, &tcp->waiting, net->config.tcp.time_wait_max);
}

static COLD void conns_free(struct net *net)
{
    struct tcp_buckets *buckets = &net->tcp.by_tuple;
    struct tcp_link *ended = &net->tcp.ended;

    for (uint32_t i = 0; buckets->pages && i <= buckets->mask; i++) {
        void **page = buckets->pages[i / TCP_BUCKETS_PER_PAGE];

        while (page && page[i % TCP_BUCKETS_PER_PAGE])
            tcp_conn_free(page[i % TCP_BUCKETS_PER_PAGE]);
    }
    while (!tcp_list_empty(ended))
        tcp_conn_free(CONTAINER_OF(ended->next, struct tcp_conn, group));
}

COLD void tcp_destroy(struct net *net)
{
    struct tcp_link *listening = &net->tcp.listening, *at;

    conns_free(net);
    while ((at = tcp_list_pop(listening)))
        tcp_listener_free(CONTAINER_OF(at, struct tcp_listener, link));
    if (net->tcp.waiting.pages)
        tcp_time_wait_destroy(net);
    tcp_buckets_free(net, &net->tcp.by_tuple);
    tcp_buckets_free(net, &net->tcp.waiting);
    if (net->tcp.recent)
        pages_give(&net->pages, net->tcp.recent);
}

bool tcp_flush(struct net *net)
{
    struct tcp_link walk, *at;
    bool blocked = false;

    if (net->tcp.ways_seen != net->routes->changes)
        tcp_check_links(net);
    tcp_list_init(&walk);
    tcp_list_splice(&walk, &net->tcp.flush);
    while (!blocked && (at = tcp_list_pop(&walk))) {
        struct tcp_conn *conn = CONTAINER_OF(at, struct tcp_conn, flush);

        blocked = tcp_out(conn);
        if (blocked)
            tcp_conn_wants_flush(conn);
    }
    tcp_list_splice(&net->tcp.flush, &walk);
    return blocked;
}

bool tcp_needs_flush(const struct net *net)
{
    return !tcp_list_empty(&net->tcp.flush) ||
           !tcp_list_empty(&net->tcp.events) ||
           !tcp_list_empty(&net->tcp.acceptable);
}

static void dispatch_round(struct net *net)
{
    struct tcp_link walk, *at;

    tcp_list_init(&walk);
    tcp_list_splice(&walk, &net->tcp.events);
    while ((at = tcp_list_pop(&walk))) {
        struct tcp_conn *conn = CONTAINER_OF(at, struct tcp_conn, events);
        unsigned changes = conn->changes;

        conn->changes = 0;
        if (net->config.host.tcp_event)
            net->config.host.tcp_event(net->config.host.context, conn, changes);
    }
}

void tcp_dispatch_events(struct net *net)
{
    for (unsigned i = 0; i < EVENT_ROUNDS; i++) {
        if (tcp_list_empty(&net->tcp.events) &&
            tcp_list_empty(&net->tcp.acceptable))
            return;
        tcp_listeners_dispatch(net);
        dispatch_round(net);
    }
}
