/*
 * tests/sim/plan.h - all that a seed chooses, before anything runs.
 *
 * A recipe that can be printed, and made smaller: see tests/sim/shrink.c.
 */
#ifndef TESTS_SIM_PLAN_H
#define TESTS_SIM_PLAN_H

#include <stdint.h>

#include "net/net.h"
#include "tests/sim/internet.h"
#include "tests/sim/link.h"
#include "tests/sim/middlebox.h"
#include "tests/sim/session.h"

enum { PLAN_SESSIONS_MAX = 24 };

struct plan_host {
    struct net_config config;
    unsigned caps;      /* of its card */
    unsigned tx_max;    /* frames in its card's queue */
    uint64_t doze_us;   /* takes turns so far apart at least */
    uint64_t sleep_us;  /* is not run for so long ... */
    uint64_t sleep_at;  /* ... from then on */
    uint64_t fail_at;   /* the host refuses this page; 0: none */
    uint64_t starve_us; /* ... and every page for so long ... */
    uint64_t starve_at; /* ... from then on */
    struct link_quality up, down;
};

struct plan {
    uint64_t seed;
    unsigned hosts, sessions;
    struct plan_host host[HOSTS_MAX];
    struct link_quality trunk[2];
    struct middlebox_plan box;
    uint64_t cut_at, cut_us; /* the trunk is cut */
    struct session_plan session[PLAN_SESSIONS_MAX];
};

/* Every fault is over so long after the beginning. */
#define PLAN_FAULTS_US (60 * 1000000ull)

/* What a seed chooses. */
void plan_make(struct plan *plan, uint64_t seed);

/* Say on stdout what is in it that a perfect network would not have. */
void plan_print(const struct plan *plan);

/* Whether memory may be refused at a host. */
bool plan_host_starves(const struct plan_host *host);

#endif
