/*
 * tests/sim/shrink.c - whatever is not needed to fail is taken away.
 */
#include "tests/sim/shrink.h"

#include <stdio.h>
#include <string.h>

#include "tests/sim/plan.h"
#include "tests/sim/plan_field.h"
#include "tests/sim/run.h"

enum { ROUNDS_MAX = 16 };

struct shrink {
    struct plan plan; /* the smallest that fails */
    struct plan attempt;
    struct run_result result;
    unsigned runs;
};

/* Take the attempt, if it still fails. */
static bool take(struct shrink *shrink)
{
    struct run_result result;

    shrink->runs++;
    run_plan(&shrink->attempt, false, &result);
    if (!result.broken)
        return false;
    shrink->plan = shrink->attempt;
    shrink->result = result;
    return true;
}

static bool drop_sessions(struct shrink *shrink)
{
    bool any = false;

    for (unsigned i = shrink->plan.sessions; i-- > 0;) {
        struct plan *attempt = &shrink->attempt;

        if (shrink->plan.sessions == 1)
            break;
        *attempt = shrink->plan;
        attempt->sessions--;
        memmove(&attempt->session[i], &attempt->session[i + 1],
                (attempt->sessions - i) * sizeof(attempt->session[0]));
        any |= take(shrink);
    }
    return any;
}

/* The last host goes, when nobody calls it. */
static bool drop_hosts(struct shrink *shrink)
{
    bool any = false, used = false;

    while (shrink->plan.hosts > 2 && !used) {
        for (unsigned i = 0; i < shrink->plan.sessions; i++)
            for (unsigned me = 0; me < 2; me++)
                used |=
                    shrink->plan.session[i].host[me] == shrink->plan.hosts - 1;
        shrink->attempt = shrink->plan;
        shrink->attempt.hosts--;
        if (used || !take(shrink))
            break;
        any = true;
    }
    return any;
}

/* Every number: neutral, or half of it. */
static bool calm_fields(struct shrink *shrink)
{
    struct plan_field field;
    bool any = false;

    for (unsigned i = 0; plan_field(&shrink->plan, i, &field); i++) {
        uint64_t value = plan_field_get(&field);

        if (value == field.neutral)
            continue;
        shrink->attempt = shrink->plan;
        plan_field(&shrink->attempt, i, &field);
        plan_field_set(&field, field.neutral);
        if (take(shrink)) {
            any = true;
            continue;
        }
        if (field.neutral != 0 || value < 2)
            continue;
        plan_field_set(&field, value / 2);
        any |= take(shrink);
    }
    return any;
}

int shrink_seed(uint64_t seed)
{
    static struct shrink shrink;
    bool any = true;

    shrink.runs = 0;
    plan_make(&shrink.attempt, seed);
    if (!take(&shrink)) {
        printf("sim: seed %llu does not fail\n", (unsigned long long)seed);
        return 1;
    }
    for (unsigned round = 0; any && round < ROUNDS_MAX; round++) {
        any = drop_sessions(&shrink);
        any |= drop_hosts(&shrink);
        any |= calm_fields(&shrink);
    }
    run_plan(&shrink.plan, true, &shrink.result);
    plan_print(&shrink.plan);
    printf("after %u runs, event %llu at %.6f s breaks: %s\n  %s\n  %s\n",
           shrink.runs, (unsigned long long)shrink.result.event,
           (double)shrink.result.at_us / 1e6, shrink.result.broken,
           shrink.result.detail, shrink.result.last);
    return 0;
}
