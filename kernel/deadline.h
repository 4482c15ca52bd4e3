/*
 * kernel/deadline.h - points in time, the earliest first.
 *
 * A pairing heap whose nodes live in what waits for them: nothing is ever
 * allocated, a node costs O(1) to add and O(log n) amortised to take out, and
 * equal points come in the order in which they were added.
 *
 * Source: Fredman, Sedgewick, Sleator, Tarjan: "The pairing heap: a new form
 *         of self-adjusting heap", Algorithmica 1 (1986).
 */
#ifndef KERNEL_DEADLINE_H
#define KERNEL_DEADLINE_H

#include "kernel/base.h"

struct deadline {
    uint64_t at_us;
    uint64_t order; /* tells equal times apart: first come, first served */
    struct deadline *child;
    struct deadline *next; /* sibling to the right */
    struct deadline *prev; /* sibling to the left; of the leftmost: parent */
};

/* All zero is an empty heap. `first` is the earliest, null when empty. */
struct deadline_heap {
    struct deadline *first;
    uint64_t order;
};

/*
 * Add `node`, which is in no heap, for the time `at_us`.
 *
 * node:    stays the caller's, and must stay in place until removed.
 * Blocks:  never.
 */
void deadline_add(struct deadline_heap *heap, struct deadline *node,
                  uint64_t at_us);

/* Take out `node`, which is in `heap`, wherever it stands. Blocks: never. */
void deadline_remove(struct deadline_heap *heap, struct deadline *node);

#endif
