/*
 * tests/sim/fault.c - cuts, sleep and hunger, from when to when.
 */
#include "tests/sim/fault.h"

#include "tests/host/host.h"

/* Whether a fault of [at, at + us) is there now; *next_us: its next edge. */
static bool lasts(uint64_t start_us, uint64_t at, uint64_t us,
                  uint64_t *next_us)
{
    uint64_t now_us = host_now_us - start_us;

    if (us == 0 || now_us >= at + us)
        return false;
    if (now_us < at) {
        if (start_us + at < *next_us)
            *next_us = start_us + at;
        return false;
    }
    if (start_us + at + us < *next_us)
        *next_us = start_us + at + us;
    return true;
}

static void set_of_host(const struct plan_host *plan,
                        struct internet_host *host, uint64_t start_us,
                        uint64_t *next_us)
{
    struct hostnet *hostnet = &host->hostnet;

    if (lasts(start_us, plan->sleep_at, plan->sleep_us, next_us))
        host->sleeps_until_us = start_us + plan->sleep_at + plan->sleep_us;
    if (lasts(start_us, plan->starve_at, plan->starve_us, next_us)) {
        if (!hostnet->fail_after)
            hostnet->fail_at = 1;
        hostnet->fail_after = true;
    } else if (hostnet->fail_after) {
        hostnet->fail_after = false;
        hostnet->fail_at = 0;
    }
}

static void perfect(struct link *link)
{
    link->quality = (struct link_quality){.delay_us = 1000};
    link->cut = false;
}

void faults_end(struct internet *internet)
{
    for (unsigned i = 0; i < 2; i++)
        perfect(&internet->trunk[i]);
    for (unsigned i = 0; i < internet->hosts; i++) {
        perfect(&internet->host[i].up);
        perfect(&internet->host[i].down);
        internet->host[i].hostnet.fail_at = 0;
        internet->host[i].hostnet.fail_after = false;
    }
    internet->box.plan.thin = 0;
}

uint64_t faults_set(const struct plan *plan, struct internet *internet,
                    uint64_t start_us)
{
    uint64_t next_us = FOREVER;
    bool cut;

    if (host_now_us >= start_us + PLAN_FAULTS_US) {
        faults_end(internet);
        return FOREVER;
    }
    cut = lasts(start_us, plan->cut_at, plan->cut_us, &next_us);
    internet->trunk[0].cut = internet->trunk[1].cut = cut;
    for (unsigned i = 0; i < plan->hosts; i++)
        set_of_host(&plan->host[i], &internet->host[i], start_us, &next_us);
    if (start_us + PLAN_FAULTS_US < next_us)
        next_us = start_us + PLAN_FAULTS_US;
    return next_us;
}
