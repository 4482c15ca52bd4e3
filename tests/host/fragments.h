/*
 * tests/host/fragments.h - a UDP datagram for a station, cut up by hand.
 */
#ifndef TESTS_HOST_FRAGMENTS_H
#define TESTS_HOST_FRAGMENTS_H

#include "kernel/base.h"
#include "tests/host/station.h"

enum { FRAGMENTS_WHOLE_MAX = 65515, FRAGMENTS_PORT = 4321 };

struct fragments {
    struct station station;

    /* The datagram that is cut up: a UDP header and a pattern. */
    uint8_t whole[FRAGMENTS_WHOLE_MAX + 1000];
    uint32_t whole_bytes;

    /* What every fragment says. */
    uint32_t src;
    uint16_t id;
    uint8_t protocol, tos;

    unsigned heard; /* whole datagrams, as they were sent */
};

/* A station with a socket, that knows its peer; a datagram of 3000 bytes. */
void fragments_init(struct fragments *f);

/* Nothing is left after 31 s. Returns: pages not given back. */
size_t fragments_end(struct fragments *f);

/* Make the datagram anew, for the source that is set. */
void fragments_make(struct fragments *f, uint32_t bytes);

/* Write a fragment into the station's frame, to be changed before it is sent;
 * a frame carries 1480 bytes. */
void fragments_write(struct fragments *f, uint32_t offset, uint32_t bytes,
                     bool more);

/* Write it and send it. */
void fragments_send(struct fragments *f, uint32_t offset, uint32_t bytes,
                    bool more);

/* Send the datagram from `from` on, in fragments of `step`. */
void fragments_rest(struct fragments *f, uint32_t from, uint32_t step);

/* Datagrams under way, and the memory that they hold. */
unsigned fragments_under_way(const struct fragments *f);
uint32_t fragments_held(const struct fragments *f);

#endif
