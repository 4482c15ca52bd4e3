/*
 * tests/model/world_priv.h - what the files of a world share.
 */
#ifndef TESTS_MODEL_WORLD_PRIV_H
#define TESTS_MODEL_WORLD_PRIV_H

#include "tests/model/world.h"

/* The first thing that does not hold is kept. */
void world_broken(struct world *world, const char *what);

/* One segment's text is written; everything that is there is read. */
void world_app_write(struct world *world, unsigned me);
void world_app_read(struct world *world, unsigned me);

/* For the observer: whether text on the wire is what was written. */
bool world_text_is_right(void *context, const struct segment *seg,
                         uint32_t offset);

#endif
