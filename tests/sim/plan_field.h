/*
 * tests/sim/plan_field.h - the choices in a plan as a list of numbers.
 *
 * What prints a plan and what makes it smaller walk the same list.
 */
#ifndef TESTS_SIM_PLAN_FIELD_H
#define TESTS_SIM_PLAN_FIELD_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/sim/plan.h"

struct plan_field {
    char name[48];    /* "host 1 up loss_ppm" */
    void *at;         /* in the plan */
    uint8_t bytes;    /* 1, 2, 4 or 8 */
    uint64_t neutral; /* what a perfect network would have */
};

/* The field of that number. Returns: false when there are no more. */
bool plan_field(struct plan *plan, unsigned number, struct plan_field *field);

uint64_t plan_field_get(const struct plan_field *field);
void plan_field_set(const struct plan_field *field, uint64_t value);

#endif
