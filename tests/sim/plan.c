/*
 * tests/sim/plan.c - what a seed chooses.
 */
#include "tests/sim/plan.h"

#include "net/netdev.h"
#include "tests/sim/rng.h"

#define MS     1000ull
#define SECOND 1000000ull

static void choose_link(struct rng *rng, struct link_quality *quality)
{
    static const uint64_t delays_us[] = {0, 100, 1000, 10000, 50000, 150000};
    static const uint32_t losses_ppm[] = {0,     0,     0,      1000,
                                          10000, 30000, 100000, 300000};

    *quality = (struct link_quality){
        .delay_us = delays_us[rng_below(rng, 6)],
        .loss_ppm = losses_ppm[rng_below(rng, 8)],
    };
    if (rng_one_in(rng, 4)) {
        quality->burst_begin_ppm = (uint32_t)rng_below(rng, 20000);
        quality->burst_end_ppm = 50000 + (uint32_t)rng_below(rng, 500000);
        quality->burst_loss_ppm = 300000 + (uint32_t)rng_below(rng, 700000);
    }
    if (rng_one_in(rng, 4))
        quality->jitter_us = rng_below(rng, 20000);
    if (rng_one_in(rng, 4))
        quality->duplicate_ppm = (uint32_t)rng_below(rng, 100000);
    if (rng_one_in(rng, 4)) {
        quality->reorder_ppm = (uint32_t)rng_below(rng, 200000);
        quality->reorder_us = 1 + rng_below(rng, 30000);
    }
    if (rng_one_in(rng, 6))
        quality->corrupt_ppm = (uint32_t)rng_below(rng, 50000);
    if (rng_one_in(rng, 6))
        quality->forge_ppm = (uint32_t)rng_below(rng, 50000);
    if (rng_one_in(rng, 4)) {
        quality->bytes_per_s = 20000 + rng_below(rng, 2000000);
        quality->queue_bytes = 4000 + (uint32_t)rng_below(rng, 100000);
        if (rng_one_in(rng, 2))
            quality->mark_bytes = 1 + (uint32_t)rng_below(rng, 20000);
    }
    if (rng_one_in(rng, 12)) {
        quality->mtu_bytes = (uint16_t)(576 + rng_below(rng, 900));
        quality->mtu_silent = rng_one_in(rng, 2);
    }
}

static void choose_box(struct rng *rng, struct middlebox_plan *box)
{
    static const uint16_t kinds[] = {2, 3, 4, 8};

    for (unsigned i = 0; i < 4; i++)
        if (rng_one_in(rng, 3))
            box->strip_syn |= (uint16_t)(1u << kinds[i]);
    box->strip_sack = rng_one_in(rng, 4);
    box->rewrite = rng_one_in(rng, 2);
    if (rng_one_in(rng, 3))
        box->thin = (uint8_t)(2 + rng_below(rng, 6));
    if (rng_one_in(rng, 3))
        box->split_bytes = (uint16_t)(1 + rng_below(rng, 1400));
    if (rng_one_in(rng, 3))
        box->join_us = 1 + rng_below(rng, 5 * MS);
}

static void choose_config(struct rng *rng, struct net_config *config)
{
    static const uint32_t buffers[] = {4096, 16384, 65535, 131072, 262144};

    *config = net_config_default();
    config->tcp.conns_max = 256;
    config->tcp.time_wait_max = 256;
    config->tcp.rcv_buf_bytes = buffers[rng_below(rng, 5)];
    config->tcp.snd_buf_bytes = buffers[rng_below(rng, 5)];
    config->tcp.window_scaling = !rng_one_in(rng, 4);
    config->tcp.timestamps = !rng_one_in(rng, 3);
    config->tcp.sack = !rng_one_in(rng, 3);
    config->tcp.congestion =
        (enum tcp_congestion)rng_below(rng, TCP_CONGESTION_COUNT);
    config->tcp.ecn = (uint32_t)rng_below(rng, 3);
    config->pages_keep = 4 * config->tcp.ecn; /* no draw: seeds stay */
    if (rng_one_in(rng, 4))
        config->tcp.rcv_buf_begin_bytes = config->tcp.rcv_buf_bytes;
    if (rng_one_in(rng, 4))
        config->tcp.delayed_ack_us = 0;
    if (rng_one_in(rng, 4))
        config->tcp.mss_bytes = (uint16_t)(100 + rng_below(rng, 1360));
    if (rng_one_in(rng, 8))
        config->tcp.ooo_pieces_max = 2 + (uint32_t)rng_below(rng, 3);
    config->tcp.keepalive_idle_us = 30 * SECOND;
    config->tcp.keepalive_interval_us = 5 * SECOND;
    config->tcp.keepalive_probes = 30; /* all lost: no seed's chance */
}

static void choose_host(struct rng *rng, struct plan_host *host)
{
    choose_config(rng, &host->config);
    host->tx_max = rng_one_in(rng, 6) ? 1 + (unsigned)rng_below(rng, 8) : 256;
    if (rng_one_in(rng, 3))
        host->caps = NETDEV_CAP_TX_CSUM;
    if (host->caps && rng_one_in(rng, 2))
        host->caps |= NETDEV_CAP_TX_GSO_TCP4 | NETDEV_CAP_TX_GSO_ECN;
    if (rng_one_in(rng, 4))
        host->doze_us = rng_below(rng, 2 * MS);
    if (rng_one_in(rng, 6)) {
        host->sleep_at = rng_below(rng, 30 * SECOND);
        host->sleep_us = rng_below(rng, 8 * SECOND);
    }
    if (rng_one_in(rng, 6))
        host->fail_at = 1 + rng_below(rng, 60);
    if (rng_one_in(rng, 10)) {
        host->starve_at = rng_below(rng, 20 * SECOND);
        host->starve_us = rng_below(rng, 5 * SECOND);
    }
    if (rng_one_in(rng, 10)) /* of memory for text; else of all */
        host->config.flow_pages_max = 8 + (uint32_t)rng_below(rng, 60);
    else if (rng_one_in(rng, 10))
        host->config.pages_max = 60 + rng_below(rng, 100);
    if (rng_one_in(rng, 4))
        choose_link(rng, &host->up);
    if (rng_one_in(rng, 4))
        choose_link(rng, &host->down);
}

static void choose_quit(struct rng *rng, struct session_plan *plan)
{
    plan->quit_side = (uint8_t)rng_below(rng, 2);
    plan->quit = rng_one_in(rng, 2) ? QUIT_ABORT : QUIT_RELEASE;
    plan->quit_at =
        (uint32_t)rng_below(rng, plan->bytes[!plan->quit_side] + 1u);
}

static void choose_session(struct rng *rng, struct session_plan *plan,
                           const struct plan *all)
{
    bool big = rng_one_in(rng, 4);

    *plan = (struct session_plan){.nodelay = rng_one_in(rng, 2)};
    plan->host[0] = (uint8_t)rng_below(rng, all->hosts);
    plan->host[1] = (uint8_t)rng_below(rng, all->hosts - 1);
    if (plan->host[1] >= plan->host[0])
        plan->host[1]++;
    if (rng_one_in(rng, 2))
        plan->open_us = rng_below(rng, 20 * SECOND);
    for (unsigned me = 0; me < 2; me++) {
        plan->bytes[me] = (uint32_t)rng_below(rng, big ? 150000 : 5000);
        plan->piece[me] =
            (uint32_t)(1 + rng_below(rng, rng_one_in(rng, 2) ? 1900 : 100));
        plan->read[me] =
            (uint32_t)(1 + rng_below(rng, rng_one_in(rng, 2) ? 65536 : 200));
        if (rng_one_in(rng, 4)) {
            plan->pause_us[me] = rng_below(rng, 20 * SECOND);
            plan->pause_at[me] = (uint32_t)rng_below(rng, 10000);
        }
        plan->drain[me] = rng_one_in(rng, 3);
    }
    plan->ping_pong = rng_one_in(rng, 4);
    if (!plan->ping_pong) /* the server then closes last anyway */
        plan->close_last[rng_below(rng, 2)] = rng_one_in(rng, 2);
    if (rng_one_in(rng, 6))
        choose_quit(rng, plan);
}

void plan_make(struct plan *plan, uint64_t seed)
{
    struct rng rng = rng_stream(seed, 1);
    bool churn = rng_one_in(&rng, 12); /* many short connections */

    *plan = (struct plan){.seed = seed, .hosts = 2};
    if (rng_one_in(&rng, 3))
        plan->hosts += (unsigned)rng_below(&rng, HOSTS_MAX - 1);
    for (unsigned i = 0; i < plan->hosts; i++)
        choose_host(&rng, &plan->host[i]);
    choose_link(&rng, &plan->trunk[0]);
    choose_link(&rng, &plan->trunk[1]);
    if (rng_one_in(&rng, 4))
        choose_box(&rng, &plan->box);
    if (rng_one_in(&rng, 4)) {
        plan->cut_at = rng_below(&rng, 30 * SECOND);
        plan->cut_us = rng_below(&rng, 30 * SECOND);
    }
    plan->sessions =
        churn ? PLAN_SESSIONS_MAX : 1 + (unsigned)rng_below(&rng, 8);
    for (unsigned i = 0; i < plan->sessions; i++) {
        choose_session(&rng, &plan->session[i], plan);
        for (unsigned me = 0; churn && me < 2; me++)
            plan->session[i].bytes[me] %= 200;
    }
}

bool plan_host_starves(const struct plan_host *host)
{
    return host->fail_at || host->starve_us || host->config.flow_pages_max ||
           host->config.pages_max < net_config_default().pages_max;
}
