/*
 * tests/sim/main.c - hosts, a bad network, virtual time, one seed a run.
 *
 *   sim FIRST COUNT      runs COUNT seeds from FIRST on; the first that fails
 *                        prints itself and ends the program with 1
 *   sim --trace SEED     prints every segment
 *   sim --hash SEED      prints a hash of all that was seen
 *   sim --plan SEED      prints what the seed chooses
 *   sim --shrink SEED    prints the smallest recipe that still fails
 *   sim --golden TABLE   prints a table of tests/sim/golden/
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/sim/golden.h"
#include "tests/sim/plan.h"
#include "tests/sim/run.h"
#include "tests/sim/shrink.h"

enum { TWICE = 64 };

static void print_broken(uint64_t seed, const struct run_result *result)
{
    printf("sim: seed %llu: event %llu at %.6f s breaks: %s\n  %s\n  %s\n"
           "  again with: sim --trace %llu, smaller with: sim --shrink %llu\n",
           (unsigned long long)seed, (unsigned long long)result->event,
           (double)result->at_us / 1e6, result->broken, result->detail,
           result->last, (unsigned long long)seed, (unsigned long long)seed);
}

/* What a sanitizer or the processor ends says its seed as well. */
static char seed_line[64];

static void on_death(int number)
{
    (void)!write(STDOUT_FILENO, seed_line, strlen(seed_line));
    signal(number, SIG_DFL);
    raise(number);
}

/* One seed in so many runs twice: the same seed is the same run. */
static bool same_again(const struct plan *plan, uint64_t hash)
{
    struct run_result again;

    if (plan->seed % TWICE)
        return true;
    run_plan(plan, false, &again);
    return again.hash == hash;
}

static int run_seeds(uint64_t first, uint64_t count)
{
    static struct plan plan;
    struct run_result result;
    uint64_t segments = 0, turns = 0;

    signal(SIGABRT, on_death);
    signal(SIGSEGV, on_death);
    for (uint64_t seed = first; seed < first + count; seed++) {
        snprintf(seed_line, sizeof(seed_line), "sim: seed %llu ends here\n",
                 (unsigned long long)seed);
        plan_make(&plan, seed);
        run_plan(&plan, false, &result);
        segments += result.segments;
        turns += result.turns;
        if (!result.broken && !same_again(&plan, result.hash))
            result.broken = "the same seed is the same run, byte for byte";
        if (result.broken) {
            print_broken(seed, &result);
            return 1;
        }
    }
    printf("sim: seeds %llu to %llu, %llu segments, %llu turns, no rule "
           "broken\n",
           (unsigned long long)first, (unsigned long long)(first + count - 1),
           (unsigned long long)segments, (unsigned long long)turns);
    return 0;
}

static int trace_seed(uint64_t seed)
{
    static struct plan plan;
    struct run_result result;

    plan_make(&plan, seed);
    plan_print(&plan);
    run_plan(&plan, true, &result);
    printf("hash %016llx\n", (unsigned long long)result.hash);
    if (result.broken)
        print_broken(seed, &result);
    return result.broken != NULL;
}

static int print_hash(uint64_t seed)
{
    static struct plan plan;
    struct run_result result;

    plan_make(&plan, seed);
    run_plan(&plan, false, &result);
    printf("%016llx\n", (unsigned long long)result.hash);
    return 0;
}

static int print_plan(uint64_t seed)
{
    static struct plan plan;

    plan_make(&plan, seed);
    plan_print(&plan);
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 2 ? argv[1] : "";
    uint64_t number = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;

    if (!strcmp(what, "--golden"))
        return !golden_print(argv[2]);
    if (!strcmp(what, "--trace"))
        return trace_seed(number);
    if (!strcmp(what, "--hash"))
        return print_hash(number);
    if (!strcmp(what, "--plan"))
        return print_plan(number);
    if (!strcmp(what, "--shrink"))
        return shrink_seed(number);
    return run_seeds(argc > 1 ? strtoull(argv[1], NULL, 10) : 1, number);
}
