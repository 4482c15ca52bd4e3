/*
 * tests/sim/bulk.h - flows that send all they can through one bottleneck.
 *
 * What golden tables are measured with: the same arguments give the same
 * result to the last byte.
 */
#ifndef TESTS_SIM_BULK_H
#define TESTS_SIM_BULK_H

#include <stdint.h>

enum { BULK_FLOWS_MAX = 32 };

struct bulk_plan {
    uint64_t seed;
    unsigned flows; /* 1 to BULK_FLOWS_MAX, over up to four pairs of hosts */
    uint32_t buffer_bytes;
    uint64_t rtt_us; /* without any queue */
    uint32_t loss_ppm;
    uint64_t bytes_per_s;
    uint32_t queue_bytes;
    uint64_t warm_up_us; /* not counted */
    uint64_t run_us;     /* at most, after that */
    uint64_t bytes_max;  /* ends earlier when so many have come; 0: not */
};

struct bulk_result {
    uint64_t us;                    /* counted */
    uint64_t bytes[BULK_FLOWS_MAX]; /* that each receiver read in it */
    uint64_t queue_us_mean, queue_us_max;
    uint64_t segments, retransmissions; /* of the senders */
    uint64_t timeouts;
};

void bulk_run(const struct bulk_plan *plan, struct bulk_result *result);

#endif
