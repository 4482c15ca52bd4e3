/*
 * tests/sim/middlebox.h - what stands in the middle of a path and meddles.
 *
 * Everything it does is something that real firewalls, load balancers and
 * accelerators do, and that a TCP must survive; both directions agree, as in
 * a box that works.
 *
 * Source: RFC 3135 (accelerators), RFC 2018 and 7323 for what the options
 * mean, Honda et al., "Is it still possible to extend TCP?", 2011.
 */
#ifndef TESTS_SIM_MIDDLEBOX_H
#define TESTS_SIM_MIDDLEBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/sim/packet.h"
#include "tests/sim/rng.h"

struct middlebox_plan {
    uint16_t strip_syn;   /* bit k: option k of a SYN becomes NOPs */
    bool strip_sack;      /* ... and the blocks of every segment */
    bool rewrite;         /* other sequence numbers beyond it */
    uint8_t thin;         /* of bare ACKs only every so many-th; 0: all */
    uint16_t split_bytes; /* longer text is cut in two; 0: never */
    uint64_t join_us;     /* wait so long for text that joins; 0: not */
};

struct middlebox {
    struct middlebox_plan plan;
    uint64_t key;
    struct rng rng;
    struct packet *held[2]; /* of each direction; its owner is the network */
    uint64_t stripped, rewritten, thinned, split, joined;
};

enum { MIDDLEBOX_OUT = 2 };

/*
 * A packet comes to the box.
 *
 * direction: 0 or 1.
 * out:       what goes on now (count returned): the packet itself or what was
 *            made of it. 0: it was dropped or joined to the one that is held.
 * hold:      set when out[0] stays for join_us, and may grow meanwhile.
 */
unsigned middlebox_pass(struct middlebox *box, unsigned direction,
                        struct packet *packet,
                        struct packet *out[MIDDLEBOX_OUT], bool *hold);

/* A held packet goes on. */
void middlebox_let_go(struct middlebox *box, const struct packet *packet);

/* Give a packet beyond the box the numbers it had before, as a box does for
 * the inside of ICMP. */
void middlebox_restore(const struct middlebox *box, struct packet *packet);

#endif
