/*
 * net/tcp_seq.h - arithmetic on sequence numbers.
 *
 * Sequence space is a circle of 2^32 (RFC 9293 3.4), so `<` on the raw
 * numbers is wrong once per 4 GiB. Compare only with these functions; they are
 * meaningful while two numbers are less than 2^31 apart.
 */
#ifndef NET_TCP_SEQ_H
#define NET_TCP_SEQ_H

#include <stdbool.h>
#include <stdint.h>

/* a comes before b. */
static inline bool seq_lt(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

/* a comes before b, or is b. */
static inline bool seq_leq(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) <= 0;
}

static inline uint32_t seq_max(uint32_t a, uint32_t b)
{
    return seq_lt(a, b) ? b : a;
}

static inline uint32_t seq_min(uint32_t a, uint32_t b)
{
    return seq_lt(a, b) ? a : b;
}

/* How far `to` lies after `from`; 0 when it does not. */
static inline uint32_t seq_after(uint32_t from, uint32_t to)
{
    return seq_lt(from, to) ? to - from : 0;
}

#endif
