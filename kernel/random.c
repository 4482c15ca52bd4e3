/*
 * kernel/random.c - unpredictable bytes, from one generator.
 *
 * The generator makes a buffer full at a time, so that the few bytes of a port
 * number are cheap; what has been handed out is wiped from the buffer.
 */
#include "kernel/random.h"

#include <bearssl.h>

#include "kernel/cpu.h"

enum {
    BUFFER_BYTES = 512,
    SEED_BITS = 128, /* enough for every use here */
    CPU_WORDS = 8,   /* 512 bits, credited with half of them */
    CPU_BITS = 256,
    CPU_TRIES = 100, /* RDSEED may run dry; Intel SDM vol. 1, 7.3.17 */
    JITTER_ROUNDS = 4096,
    JITTER_BATCH = 64
};

static struct {
    br_hmac_drbg_context drbg;
    unsigned bits;
    bool started;
    size_t left; /* unused bytes at the end of buffer */
    uint8_t buffer[BUFFER_BYTES];
} random;

static bool read_rdseed(uint64_t *word)
{
    uint8_t ok;

    __asm__ volatile("rdseed %0; setc %1" : "=r"(*word), "=qm"(ok) : : "cc");
    return ok;
}

static bool read_rdrand(uint64_t *word)
{
    uint8_t ok;

    __asm__ volatile("rdrand %0; setc %1" : "=r"(*word), "=qm"(ok) : : "cc");
    return ok;
}

static bool read_word(bool (*read)(uint64_t *word), uint64_t *word)
{
    for (unsigned i = 0; i < CPU_TRIES; i++) {
        if (read(word))
            return true;
        cpu_pause();
    }
    return false;
}

/*
 * Take words of the CPU; some CPUs give the same one for ever after a resume,
 * which counts for nothing.
 */
static bool add_from_cpu(bool (*read)(uint64_t *word))
{
    uint64_t words[CPU_WORDS];
    bool trusted = true;

    for (unsigned i = 0; i < CPU_WORDS; i++) {
        if (!read_word(read, &words[i]))
            return false;
        for (unsigned before = 0; before < i; before++)
            trusted = trusted && words[before] != words[i];
    }
    random_add(words, sizeof(words), trusted ? CPU_BITS : 0);
    return trusted;
}

enum random_source random_init(void)
{
    bool has_rdseed = cpu_id(7, 0).ebx & 1u << 18;
    bool has_rdrand = cpu_id(1, 0).ecx & 1u << 30;
    uint64_t start = cpu_tsc();

    br_hmac_drbg_init(&random.drbg, &br_sha256_vtable, &start, sizeof(start));
    random.started = true;
    if (has_rdseed && add_from_cpu(read_rdseed))
        return RANDOM_SEEDED;
    if (has_rdrand && add_from_cpu(read_rdrand))
        return RANDOM_SEEDED;
    return has_rdseed || has_rdrand ? RANDOM_DISTRUSTED : RANDOM_ABSENT;
}

void random_add(const void *data, size_t bytes, unsigned entropy_bits)
{
    ASSERT(random.started);
    br_hmac_drbg_update(&random.drbg, data, bytes);
    random.left = 0;
    random.bits += entropy_bits < SEED_BITS ? entropy_bits : SEED_BITS;
}

void random_add_jitter(void)
{
    uint64_t deltas[JITTER_BATCH];
    uint64_t before = cpu_tsc();

    for (unsigned round = 0; round < JITTER_ROUNDS; round += JITTER_BATCH) {
        for (unsigned i = 0; i < JITTER_BATCH; i++) {
            uint64_t now = cpu_tsc();

            deltas[i] = now - before;
            before = now;
        }
        /* The hashing in between takes long enough to be disturbed. */
        random_add(deltas, sizeof(deltas), 0);
    }
    random_add(deltas, sizeof(deltas), SEED_BITS);
}

bool random_seeded(void)
{
    return random.bits >= SEED_BITS;
}

static void fill(uint8_t *out, size_t bytes)
{
    br_hmac_drbg_generate(&random.drbg, out, bytes);
}

/* BearSSL makes at most 64 KiB a call (SP 800-90A table 2). */
static void fill_long(uint8_t *out, size_t bytes)
{
    const size_t max = 65536;

    while (bytes > max) {
        fill(out, max);
        out += max;
        bytes -= max;
    }
    fill(out, bytes);
}

void random_bytes(void *out, size_t bytes)
{
    uint8_t *from;

    ASSERT(random_seeded());
    if (bytes > sizeof(random.buffer) / 2) {
        fill_long(out, bytes);
        return;
    }
    if (bytes > random.left) {
        fill(random.buffer, sizeof(random.buffer));
        random.left = sizeof(random.buffer);
    }
    from = random.buffer + sizeof(random.buffer) - random.left;
    __builtin_memcpy(out, from, bytes);
    __builtin_memset(from, 0, bytes);
    random.left -= bytes;
}
