/*
 * tests/sim/golden.c - measured tables whose every digit is reproducible.
 *
 * `make golden` writes them to tests/sim/golden/, `make test` compares. A
 * change of congestion control or loss recovery is then a diff to look at.
 */
#include "tests/sim/golden.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "tests/sim/bulk.h"

#define MS     1000ull
#define SECOND 1000000ull

enum { SEEDS = 12 };

static const uint64_t rtts_ms[] = {1, 20, 100, 300};

/* --- one flow, a bad path ------------------------------------------------- */

static void goodput_cell(uint32_t loss_ppm, uint64_t rtt_us, uint32_t bytes)
{
    uint64_t sum = 0, us = 0, segments = 0, again = 0;

    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct bulk_plan plan = {
            .seed = seed,
            .flows = 1,
            .buffer_bytes = bytes,
            .rtt_us = rtt_us,
            .loss_ppm = loss_ppm,
            .bytes_per_s = 12500000,
            .queue_bytes = 500000,
            .run_us = 60 * SECOND,
            .bytes_max = 8 << 20,
        };
        struct bulk_result result;

        bulk_run(&plan, &result);
        sum += result.bytes[0];
        us += result.us;
        segments += result.segments;
        again += result.retransmissions;
    }
    printf(" %8.1f %5.1f%%", (double)sum * 1e3 / (double)us,
           100.0 * (double)again / (double)segments);
}

static void goodput(void)
{
    static const uint32_t losses_ppm[] = {0,     1000,   10000,
                                          30000, 100000, 300000};
    static const uint32_t buffers[] = {64 << 10, 256 << 10, 1 << 20};

    printf("Goodput of one flow in kB/s, and how much of what was sent was\n"
           "sent again. 100 Mbit/s with a queue of 500 kB, loss independent\n"
           "and both ways; 8 MiB or 60 s, twelve seeds; RTT without the "
           "queue.\n\n");
    for (size_t b = 0; b < sizeof(buffers) / sizeof(buffers[0]); b++) {
        printf("buffers of %u KiB\n%9s", buffers[b] >> 10, "loss");
        for (size_t r = 0; r < sizeof(rtts_ms) / sizeof(rtts_ms[0]); r++)
            printf(" %9u ms   ", (unsigned)rtts_ms[r]);
        printf("\n");
        for (size_t l = 0; l < sizeof(losses_ppm) / sizeof(losses_ppm[0]);
             l++) {
            printf("%8.1f%%", losses_ppm[l] / 1e4);
            for (size_t r = 0; r < sizeof(rtts_ms) / sizeof(rtts_ms[0]); r++)
                goodput_cell(losses_ppm[l], rtts_ms[r] * MS, buffers[b]);
            printf("\n");
        }
        printf("\n");
    }
}

/* --- many flows, one bottleneck ------------------------------------------- */

/* Jain, Chiu and Hawe, DEC-TR-301, 1984. */
static double jain(const struct bulk_result *result, unsigned flows)
{
    double sum = 0, squares = 0;

    for (unsigned i = 0; i < flows; i++) {
        double one = (double)result->bytes[i];

        sum += one;
        squares += one * one;
    }
    return squares > 0 ? sum * sum / (flows * squares) : 0;
}

/* 32 flows at 1 ms have a third of a packet of queue each: who gets through is
 * luck, and one packet more of queue moves Jain between 0.53 and 0.94. */
static void fairness_row(unsigned flows, uint64_t rtt_us)
{
    uint64_t rate = 2500000, sum = 0;
    struct bulk_plan plan = {
        .seed = flows,
        .flows = flows,
        .buffer_bytes = 1 << 20,
        .rtt_us = rtt_us,
        .bytes_per_s = rate,
        .queue_bytes = (uint32_t)(rate * rtt_us / SECOND) + 15140,
        .warm_up_us = 5 * SECOND,
        .run_us = 30 * SECOND,
    };
    struct bulk_result result;

    bulk_run(&plan, &result);
    for (unsigned i = 0; i < flows; i++)
        sum += result.bytes[i];
    printf("%6u %5u ms %10.1f %7.1f%% %7.3f %9.1f ms %9.1f ms %8.2f%% %9u\n",
           flows, (unsigned)(rtt_us / MS),
           (double)sum * 1e3 / (double)result.us,
           100.0 * (double)sum / (double)result.us * 1e6 / (double)rate,
           jain(&result, flows), (double)result.queue_us_mean / 1e3,
           (double)result.queue_us_max / 1e3,
           100.0 * (double)result.retransmissions / (double)result.segments,
           (unsigned)result.timeouts);
}

static void fairness(void)
{
    printf("Flows that share 20 Mbit/s with a queue of one round trip (and ten "
           "packets).\nBuffers of 1 MiB, 30 s after 5 s of warming up, no "
           "other loss.\n\n%6s %8s %10s %8s %7s %12s %12s %9s %9s\n",
           "flows", "RTT", "kB/s", "of link", "Jain", "queue mean", "queue max",
           "again", "time-outs");
    for (size_t r = 0; r < 3; r++)
        for (unsigned flows = 1; flows <= BULK_FLOWS_MAX; flows *= 2)
            fairness_row(flows, rtts_ms[r] * MS);
}

bool golden_print(const char *name)
{
    static const struct {
        const char *name;
        void (*print)(void);
    } tables[] = {{"goodput", goodput}, {"fairness", fairness}};

    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        if (strcmp(tables[i].name, name))
            continue;
        tables[i].print();
        return true;
    }
    return false;
}
