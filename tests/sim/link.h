/*
 * tests/sim/link.h - one direction of one hop, in virtual time.
 *
 * Loses, bursts, repeats, delays, reorders, damages, queues and marks as it is
 * told, from a stream of random numbers of its own.
 */
#ifndef TESTS_SIM_LINK_H
#define TESTS_SIM_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/sim/packet.h"
#include "tests/sim/rng.h"

/* Chances are in parts per million; all zero is a perfect link. */
struct link_quality {
    uint64_t delay_us;
    uint64_t jitter_us; /* up to so much more, order kept */
    uint32_t loss_ppm;
    /* Gilbert and Elliott: bursts, in which so many are lost. */
    uint32_t burst_begin_ppm, burst_end_ppm, burst_loss_ppm;
    uint32_t duplicate_ppm;
    uint32_t reorder_ppm; /* such a packet takes reorder_us longer */
    uint64_t reorder_us;
    uint32_t corrupt_ppm; /* one bit is turned over, checksums stay */
    uint32_t forge_ppm;   /* a header field is changed that TCP must survive,
                             and checksums are repaired: see link_forge() */
    uint64_t bytes_per_s; /* 0: no limit, no queue */
    uint32_t queue_bytes; /* of a limited link; beyond them packets are lost */
    uint32_t mark_bytes;  /* CE from here on, rarely; above 3 times, always;
                             0: never */
    uint16_t mtu_bytes;   /* 0: any; what is larger is lost */
    bool mtu_silent;      /* ... without ICMP: a black hole */
};

struct link_counters {
    uint64_t sent, lost, full, too_big, duplicated, reordered, spoiled, forged;
    uint64_t marked, bytes;
    uint64_t queue_us_sum, queue_us_max; /* waited for those before */
};

struct link {
    struct link_quality quality;
    struct rng rng;
    bool cut; /* everything is lost */
    bool in_burst;
    uint64_t busy_until_us, last_us;
    struct link_counters count;
};

enum link_fate {
    LINK_PASSES, /* packet->due_us is set */
    LINK_TWICE,  /* the same, and a copy arrives then too */
    LINK_LOST,
    LINK_TOO_BIG /* lost; the sender is to be told */
};

/* What becomes of a packet that leaves now. May change its bytes. */
enum link_fate link_send(struct link *link, struct packet *packet,
                         uint64_t now_us);

#endif
