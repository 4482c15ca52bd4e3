/*
 * tests/sim/rng.h - seeded random numbers, as many streams as one likes.
 *
 * Every part of a simulation draws from a stream of its own, so that taking
 * one part away leaves what the others draw as it was: that is what makes a
 * failing seed shrink.
 */
#ifndef TESTS_SIM_RNG_H
#define TESTS_SIM_RNG_H

#include <stdbool.h>
#include <stdint.h>

struct rng {
    uint64_t state;
};

/* Vigna's splitmix64. */
static inline uint64_t rng_next(struct rng *rng)
{
    uint64_t z = rng->state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* The stream `number` of a seed. */
static inline struct rng rng_stream(uint64_t seed, uint64_t number)
{
    struct rng rng = {seed * 0xd1342543de82ef95u + number};

    rng.state = rng_next(&rng);
    return rng;
}

/* 0 to below - 1; 0 when below is 0. */
static inline uint64_t rng_below(struct rng *rng, uint64_t below)
{
    return below ? rng_next(rng) % below : 0;
}

static inline bool rng_one_in(struct rng *rng, uint64_t n)
{
    return rng_below(rng, n) == 0;
}

/* True so many times in a million. Draws nothing for 0. */
static inline bool rng_ppm(struct rng *rng, uint32_t ppm)
{
    return ppm > 0 && rng_below(rng, 1000000) < ppm;
}

#endif
