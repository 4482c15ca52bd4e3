/*
 * net/siphash.h - a keyed hash that a stranger cannot steer.
 *
 * Sequence numbers and ports come from SipHash-2-4; hash tables whose keys a
 * peer chooses use SipHash-1-3, as Linux does: faster, and enough where only
 * an even spread is at stake.
 *
 * Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012.
 */
#ifndef NET_SIPHASH_H
#define NET_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

/*
 * SipHash-2-4 of `len` bytes.
 * key: 128 bits that nobody else knows; word 0 holds the key's first 8 bytes,
 *      little-endian.
 */
uint64_t siphash(const uint64_t key[2], const void *data, size_t len);

/* SipHash-1-3, for tables. */
uint64_t siphash_1_3(const uint64_t key[2], const void *data, size_t len);

/* Both of 12 bytes, the two ends of a connection, in less time. */
uint64_t siphash_of_12(const uint64_t key[2], const void *data);
uint64_t siphash_1_3_of_12(const uint64_t key[2], const void *data);

#endif
