/*
 * tests/host/world_seen.h - what has been on the wire of a world, and what may
 * not arrive.
 *
 * For tests only: every call asserts what it expects, with cmocka.
 */
#ifndef TESTS_HOST_WORLD_SEEN_H
#define TESTS_HOST_WORLD_SEEN_H

#include "tests/host/flow_world.h"

enum { SEEN_PORT = 80, SEEN_TEXTS = 16 };

/* By direction: to A, to B. */
struct world_seen {
    uint32_t iss[2];
    uint32_t next[2]; /* after the last segment */
    uint32_t ack[2];  /* of the last segment */
    uint16_t port;    /* A's */
    unsigned segments[2], fins[2], resets[2];
    uint64_t fin_us; /* when the last FIN was sent */

    unsigned texts[2]; /* segments with text, and the first of them to B */
    uint32_t text_bytes[SEEN_TEXTS];
    uint64_t text_us[SEEN_TEXTS];

    /* Set by the test: whether text to B must be the pattern from 0, and which
     * segments are lost. */
    bool pattern;
    bool (*lose)(const struct world_segment *segment);
    unsigned lost;
};

extern struct world_seen seen;

/* Forget everything, and watch from now on. */
void seen_begin(void);

/* The same; B listens on SEEN_PORT, and A connects to it. */
struct flow *seen_connect(flow_callback *callback, void *context);

#endif
