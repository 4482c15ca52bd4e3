/*
 * tests/sim/observer_priv.h - between the observer's files.
 */
#ifndef TESTS_SIM_OBSERVER_PRIV_H
#define TESTS_SIM_OBSERVER_PRIV_H

#include "tests/sim/observer.h"

/* A segment under the eyes of the rules. */
struct look {
    struct observer *observer;
    const struct observer_host *host;
    struct observer_end *end;
    const struct packet *packet;
    const struct segment *seg;
    uint64_t now_us;
};

/* Its end has broken a rule. */
void observer_broken(struct look *look, const char *rule);

/* Numbers after it that this segment takes. */
static inline uint32_t look_end(const struct look *look)
{
    return look->seg->seq + seg_numbers(look->seg);
}

/* The first number that has not come yet. */
uint32_t observer_frontier(const struct observer_end *end);

/* Whether every number of [from, to) has come. */
bool observer_has_come(const struct observer_end *end, uint32_t from,
                       uint32_t to);

/* Whether both have asked for a thing in their SYNs. */
static inline bool observer_both_sack(const struct observer_end *end)
{
    return end->said.sack_ok && end->heard.sack_ok;
}

static inline bool observer_both_ts(const struct observer_end *end)
{
    return end->said.ts && end->heard.ts;
}

/* RFC 3168 6.1.1: ECE and CWR on the SYN, ECE alone on the SYN-ACK. */
bool observer_both_ecn(const struct observer_end *end);

/* Text that fits a segment of its peer's MSS. */
uint32_t observer_text_max(const struct look *look);

/* observer_rules.c: what may be sent; before the end's memory is updated. */
void observer_rules(struct look *look);
/* observer_time.c: when it may, and what must be. */
void observer_time_out(struct look *look);
void observer_time_in(struct look *look);
void observer_time_turned(struct look *look);
/* After the end's memory is updated. */
void observer_time_sent(struct look *look);

#endif
