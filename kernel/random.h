/*
 * kernel/random.h - unpredictable bytes, from one generator.
 *
 * HMAC-DRBG of BearSSL, seeded from RDSEED, RDRAND, virtio-rng and timing
 * jitter: whatever the machine has.
 * Source: NIST SP 800-90A 10.1.2 (HMAC_DRBG).
 */
#ifndef KERNEL_RANDOM_H
#define KERNEL_RANDOM_H

#include "kernel/base.h"

enum random_source {
    RANDOM_SEEDED,    /* the CPU gave enough */
    RANDOM_ABSENT,    /* it has neither RDSEED nor RDRAND */
    RANDOM_DISTRUSTED /* it has, but they fail or repeat themselves */
};

/* Start the generator with what the CPU has. Once, before all others here. */
enum random_source random_init(void);

/*
 * Mix bytes in, at any time.
 *
 * data, bytes:  used during the call only.
 * entropy_bits: how many of them an attacker cannot know; 0 if in doubt.
 */
void random_add(const void *data, size_t bytes, unsigned entropy_bits);

/*
 * Mix in how long some thousand small loops took. The last resort: on a
 * virtual machine nobody can say how unpredictable that is.
 * Blocks: for some milliseconds.
 */
void random_add_jitter(void);

/* Whether enough has been mixed in for random_bytes(). */
bool random_seeded(void);

/*
 * Fill `out` with `bytes` unpredictable bytes.
 *
 * The generator must be seeded (boot/ sees to it before the stack starts);
 * asking earlier is a bug and panics.
 * Blocks: never.
 */
void random_bytes(void *out, size_t bytes);

#endif
