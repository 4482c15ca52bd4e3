/*
 * kernel/deadline.c - points in time, the earliest first.
 */
#include "kernel/deadline.h"

static bool is_before(const struct deadline *a, const struct deadline *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

/* Make the later of two roots the leftmost child of the other. */
static struct deadline *meld(struct deadline *a, struct deadline *b)
{
    struct deadline *winner = is_before(a, b) ? a : b;
    struct deadline *loser = winner == a ? b : a;

    loser->prev = winner;
    loser->next = winner->child;
    if (winner->child)
        winner->child->prev = loser;
    winner->child = loser;
    winner->next = NULL;
    winner->prev = NULL;
    return winner;
}

/*
 * Make one tree of siblings: in pairs from left to right, then the pairs from
 * right to left. These two passes are what makes it O(log n) amortised.
 */
static struct deadline *meld_siblings(struct deadline *leftmost)
{
    struct deadline *pairs = NULL; /* the rightmost first */
    struct deadline *root;

    while (leftmost) {
        struct deadline *a = leftmost;
        struct deadline *b = a->next;

        leftmost = b ? b->next : NULL;
        if (b)
            a = meld(a, b);
        a->next = pairs;
        pairs = a;
    }
    root = pairs;
    if (!root)
        return NULL;
    pairs = root->next;
    root->next = NULL;
    root->prev = NULL;
    while (pairs) {
        struct deadline *tree = pairs;

        pairs = tree->next;
        root = meld(root, tree);
    }
    return root;
}

static void cut_from_siblings(struct deadline *node)
{
    if (node->prev->child == node)
        node->prev->child = node->next;
    else
        node->prev->next = node->next;
    if (node->next)
        node->next->prev = node->prev;
}

void deadline_add(struct deadline_heap *heap, struct deadline *node,
                  uint64_t at_us)
{
    *node = (struct deadline){.at_us = at_us, .order = heap->order++};
    heap->first = heap->first ? meld(heap->first, node) : node;
}

void deadline_remove(struct deadline_heap *heap, struct deadline *node)
{
    struct deadline *orphans;

    if (node == heap->first) {
        heap->first = meld_siblings(node->child);
        return;
    }
    cut_from_siblings(node);
    orphans = meld_siblings(node->child);
    if (orphans)
        heap->first = meld(heap->first, orphans);
}
