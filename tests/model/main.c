/*
 * tests/model/main.c - every interleaving of a small world, to a depth.
 *
 *   world DEPTH [STATES [FINISH]]
 *
 * From each scene, every move in every state that is reached in up to DEPTH
 * moves (or until STATES of them were seen); a state that was seen with as
 * many moves left is not looked at again. After each move both stacks'
 * invariants and the observer's rules hold. From one in FINISH of the states
 * (8; 1: every one) the world is brought to its end, which must come. A rule
 * that breaks prints the moves that led there, and ends the program with 1.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/model/world.h"

enum { DEPTH_MAX = 40, MOVES_MAX = 64, SEEN_BITS = 24 };

/* One step on the way to where the search is. */
struct step {
    uint8_t *saved; /* the world before any of its moves */
    struct world_move moves[MOVES_MAX];
    unsigned count, next;
};

struct search {
    struct step step[DEPTH_MAX];
    uint64_t *seen; /* hashes, and in the low 6 bits the moves left */
    uint64_t states, states_max, moves, again, finished;
    unsigned depth_max, finish;
};

static struct world world __attribute__((aligned(PAGE_BYTES)));

static void save(struct step *step)
{
    memcpy(step->saved, &world, world_bytes(&world));
}

static void bring_back(const struct step *step)
{
    memcpy(&world, step->saved, sizeof(world) - sizeof(world.page));
    memcpy(world.page, step->saved + offsetof(struct world, page),
           world.pages_high * PAGE_BYTES);
}

/* Whether this state is worth a look: it is new, or has more moves left. */
static bool is_new(struct search *search, unsigned left)
{
    uint64_t mask = (1ull << SEEN_BITS) - 1, hash = world_hash(&world);
    uint64_t key = hash & ~63ull;

    for (uint64_t i = hash >> 40, n = 0; n <= mask; i++, n++) {
        uint64_t *at = &search->seen[i & mask];

        if (*at == 0) {
            *at = key | left;
            search->states++;
            return true;
        }
        if ((*at & ~63ull) != key)
            continue;
        if ((*at & 63) >= left) {
            search->again++;
            return false;
        }
        *at = key | left;
        return true;
    }
    return false;
}

static bool report(const struct search *search, unsigned depth)
{
    printf("world: breaks: %s\n  %s%s%s\n", world.broken, world.observer.detail,
           world.check[0].detail, world.check[1].detail);
    for (unsigned i = 0; i < depth; i++) {
        const struct step *step = &search->step[i];
        const struct world_move *move = &step->moves[step->next - 1];

        printf("  %u: %s %u %u\n", i + 1,
               world_move_name((enum world_act)move->act), move->end,
               move->slot);
    }
    return false;
}

/* The world goes to its end, and is brought back. */
static bool finishes(struct search *search, const struct step *step,
                     unsigned depth)
{
    bool fine;

    if (world_hash(&world) / 64 % search->finish)
        return true;
    search->finished++;
    world_finish(&world);
    fine = !world.broken;
    if (!fine) {
        report(search, depth);
        printf("  and then to its end\n");
    }
    bring_back(step);
    return fine;
}

static void enter(struct step *step)
{
    save(step);
    step->count = world_moves(&world, step->moves, MOVES_MAX);
    step->next = 0;
}

/* Depth first, without recursion. Returns: whether no rule was broken. */
static bool explore(struct search *search, enum world_scene scene,
                    const struct world_budget *budget)
{
    unsigned depth = 0;

    world_begin(&world, scene, budget);
    if (world.broken)
        return report(search, 0);
    enter(&search->step[0]);
    for (;;) {
        struct step *step = &search->step[depth];
        unsigned left = search->depth_max - depth - 1;

        if (step->next == step->count) {
            if (depth == 0)
                return true;
            depth--;
            bring_back(&search->step[depth]);
            continue;
        }
        world_make(&world, &step->moves[step->next++]);
        search->moves++;
        if (world.broken)
            return report(search, depth + 1);
        if (!is_new(search, left)) {
            bring_back(step);
            continue;
        }
        enter(&search->step[depth + 1]);
        if (!finishes(search, &search->step[depth + 1], depth + 1))
            return false;
        if (search->states >= search->states_max)
            return true;
        if (left > 0)
            depth++;
        else
            bring_back(step);
    }
}

int main(int argc, char **argv)
{
    static const char *const names[WORLD_SCENES] = {"connects", "crosses",
                                                    "established"};
    static struct search search;
    const struct world_budget budget = {
        .losses = 2, .copies = 1, .ticks = 4, .writes = {2, 1}};

    search.depth_max = argc > 1 ? (unsigned)atoi(argv[1]) : 7;
    if (search.depth_max < 1 || search.depth_max >= DEPTH_MAX)
        return 2;
    search.finish = argc > 3 ? (unsigned)atoi(argv[3]) : 8;
    search.seen = malloc(sizeof(uint64_t) << SEEN_BITS);
    for (unsigned i = 0; i < DEPTH_MAX; i++)
        search.step[i].saved = malloc(sizeof(world));
    for (unsigned scene = 0; scene < WORLD_SCENES; scene++) {
        memset(search.seen, 0, sizeof(uint64_t) << SEEN_BITS);
        search.states = search.moves = search.again = search.finished = 0;
        search.states_max = argc > 2 ? strtoull(argv[2], NULL, 10) : UINT64_MAX;
        if (!explore(&search, (enum world_scene)scene, &budget))
            return 1;
        printf("world %s: %llu states in %u moves, %llu moves made, %llu led "
               "to a known one, %llu brought to their end\n",
               names[scene], (unsigned long long)search.states,
               search.depth_max, (unsigned long long)search.moves,
               (unsigned long long)search.again,
               (unsigned long long)search.finished);
    }
    return 0;
}
