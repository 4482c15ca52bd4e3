/*
 * tests/host/octets.h - numbers and sums of packets that tests write and read
 * by hand.
 *
 * None of it is the stack's, so that both cannot be wrong in the same way.
 */
#ifndef TESTS_HOST_OCTETS_H
#define TESTS_HOST_OCTETS_H

#include "kernel/base.h"

static inline void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline void put32(uint8_t *at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value);
}

static inline uint16_t get16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t get32(const uint8_t *at)
{
    return (uint32_t)get16(at) << 16 | get16(at + 2);
}

/* The sum of bytes in the Internet's way (RFC 1071), added to `sum` and not
 * complemented: sixteen bits at a time, carries added at the end. */
static inline uint16_t internet_sum(const uint8_t *bytes, size_t len,
                                    uint32_t sum)
{
    for (size_t i = 0; i < len; i++)
        sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
    while (sum >> 16)
        sum = (sum >> 16) + (sum & 0xffff);
    return (uint16_t)sum;
}

/* ... of the pseudo header of TCP and UDP, `len` bytes behind it. */
static inline uint32_t pseudo_sum(uint32_t src, uint32_t dst, uint8_t protocol,
                                  uint32_t len)
{
    return (src >> 16) + (src & 0xffff) + (dst >> 16) + (dst & 0xffff) +
           protocol + len;
}

#endif
