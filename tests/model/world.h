/*
 * tests/model/world.h - two stacks, their wire and their applications in one
 * piece of memory, so that a state is saved and brought back by copying.
 *
 * Everything of a world, the stacks' pages included, stands in one struct at
 * one address. Time, randomness and loss are choices of whoever explores it.
 */
#ifndef TESTS_MODEL_WORLD_H
#define TESTS_MODEL_WORLD_H

#include "kernel/base.h"
#include "net/net.h"
#include "tests/sim/check.h"
#include "tests/sim/observer.h"
#include "tests/sim/rng.h"

enum {
    WORLD_PAGES = 96,
    WORLD_SLOTS = 6, /* packets under way, in each direction */
    WORLD_PACKET_BYTES = 224,
    WORLD_ENDS = 8, /* that the observer remembers */
    WORLD_MSS = 100,
    WORLD_WINDOW = 300,
    WORLD_PORT = 80
};

enum world_scene {
    WORLD_CONNECTS,    /* one has called, the other listens */
    WORLD_CROSSES,     /* both have called at once */
    WORLD_ESTABLISHED, /* nothing under way */
    WORLD_SCENES
};

/* What may still happen. */
struct world_budget {
    uint8_t losses, copies, ticks;
    uint8_t writes[2];
};

struct world_end {
    struct net *net;
    struct tcp_listener *listener;
    struct tcp_conn *conn;
    uint32_t wrote, read;
    bool closed, aborted, eof, over, gone;
};

struct world_wire {
    unsigned count;
    struct {
        uint32_t len;
        uint8_t bytes[WORLD_PACKET_BYTES]; /* with an Ethernet header */
    } slot[WORLD_SLOTS];
};

struct world {
    uint64_t now_us;
    struct rng rng;
    struct world_budget budget;
    struct world_end end[2];
    struct world_wire to[2]; /* to[i]: what goes to end i */
    struct check check[2];
    struct observer observer;
    struct observer_end seen[WORLD_ENDS];
    const char *broken; /* the first rule that was broken, or null */
    unsigned free_page, pages_used, pages_high; /* free_page: 0: none */
    uint16_t next_page[WORLD_PAGES + 1];
    uint8_t page[WORLD_PAGES][PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));
};

/* What can be done to a world. `which`: an end, and for packets a slot. */
enum world_act {
    WORLD_DELIVER,
    WORLD_LOSE,
    WORLD_COPY, /* a packet is delivered, and stays under way */
    WORLD_TICK, /* the clock goes on to the next deadline */
    WORLD_WRITE,
    WORLD_READ,
    WORLD_CLOSE,
    WORLD_ABORT,
    WORLD_ACTS
};

struct world_move {
    uint8_t act, end, slot;
};

/* Begin. The world must always be at the same address. */
void world_begin(struct world *world, enum world_scene scene,
                 const struct world_budget *budget);

/* The moves that are possible now, at most `max`; returns how many. */
unsigned world_moves(const struct world *world, struct world_move *moves,
                     unsigned max);

/* Make a move, let both stacks come to rest, and check everything. */
void world_make(struct world *world, const struct world_move *move);

/* Nothing is lost any more and both close: whether all comes to its end, which
 * leaves world->broken null. */
void world_finish(struct world *world);

/* A number that two states with the same future share. */
uint64_t world_hash(const struct world *world);

/* The bytes that a copy must have. */
size_t world_bytes(const struct world *world);

/* A move for a person. */
const char *world_move_name(enum world_act act);

#endif
