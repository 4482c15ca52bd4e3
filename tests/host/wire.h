/*
 * tests/host/wire.h - a cable between two cards in memory, in virtual time.
 *
 * Loses, repeats, delays, reorders and damages frames as it is told, with the
 * seeded generator of tests/host/host.h: a seed replays exactly.
 */
#ifndef TESTS_HOST_WIRE_H
#define TESTS_HOST_WIRE_H

#include "kernel/base.h"
#include "tests/host/memdev.h"

/* One direction. Chances are in parts per million. */
struct wire_quality {
    uint64_t delay_us;
    uint64_t jitter_us; /* up to so much more, order kept */
    uint32_t loss_ppm;
    uint32_t duplicate_ppm;
    uint32_t reorder_ppm; /* such a frame takes reorder_us longer */
    uint64_t reorder_us;
    uint32_t corrupt_ppm; /* one bit is turned over */
    uint64_t bytes_per_s; /* 0: no limit */
    unsigned frames_max;  /* in the queue of a limited wire; 0: no bound */
};

struct wire_frame {
    struct wire_frame *next;
    uint64_t arrival_us;
    uint64_t sent_us;
    uint32_t len;
    uint16_t csum_start, csum_offset, gso_bytes;
    uint8_t flags;
    uint8_t to; /* which end */
    uint8_t bytes[];
};

struct wire_counters {
    uint64_t sent, lost, duplicated, reordered, corrupted, delivered;
    uint64_t no_buffer; /* the receiver's pool was exhausted */
    uint64_t bytes;
};

struct wire {
    struct memdev *end[2];
    struct wire_quality to[2]; /* quality[i]: of what goes to end[i] */
    struct wire_counters count[2];
    bool cut; /* everything is lost */
    uint64_t last_arrival_us[2];
    uint64_t busy_until_us[2];
    unsigned queued[2];
    struct wire_frame *flying; /* by arrival, then by departure */

    /* Sees every frame that is sent; false: it is lost. May be null. */
    bool (*observe)(void *context, const struct wire_frame *frame);
    void *observe_context;
};

/* Join two cards by a perfect cable. */
void wire_init(struct wire *wire, struct memdev *a, struct memdev *b);

/* Take what both cards have sent. */
void wire_collect(struct wire *wire, uint64_t now_us);

/* Hand over what has arrived. Returns: whether there was any. */
bool wire_deliver(struct wire *wire, uint64_t now_us);

/* When the next frame arrives; FOREVER: none is under way. */
uint64_t wire_next(const struct wire *wire);

/* Frames under way. */
unsigned wire_flying(const struct wire *wire);

/* Drop what is under way. */
void wire_clear(struct wire *wire);

#endif
