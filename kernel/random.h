/*
 * kernel/random.h - unpredictable bytes, from one generator.
 *
 * HMAC-DRBG of BearSSL, seeded from RDSEED, RDRAND, virtio-rng and timing
 * jitter: whatever the machine has.
 * Source: NIST SP 800-90A 10.1.2 (HMAC_DRBG).
 */
#ifndef KERNEL_RANDOM_H
#define KERNEL_RANDOM_H

#include <stddef.h>

/*
 * Fill `out` with `bytes` unpredictable bytes.
 *
 * The generator must be seeded (boot/ sees to it before the stack starts);
 * asking earlier is a bug and panics.
 * Blocks: never.
 */
void random_bytes(void *out, size_t bytes);

#endif
