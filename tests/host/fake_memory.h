/*
 * tests/host/fake_memory.h - the memory that a driver has given to a device.
 *
 * A device that lies rewrites the shared tables, and may go on writing to what
 * it was given until it was reset. So each chain is noted here as soon as the
 * driver shows it, and the device works from these notes.
 */
#ifndef TESTS_HOST_FAKE_MEMORY_H
#define TESTS_HOST_FAKE_MEMORY_H

#include "tests/host/fake_virtio.h"

enum { FAKE_MEMORY_RING = 64 /* of a queue; its size must not be larger */ };

struct fake_chain {
    bool held; /* by the device */
    unsigned parts;
    uint8_t *at[FAKE_MEMORY_RING];
    uint32_t bytes[FAKE_MEMORY_RING];
    bool writable[FAKE_MEMORY_RING];
};

struct fake_memory {
    struct fake_virtio *fake;
    unsigned resets_seen;
    struct fake_chain chain[FAKE_QUEUES][FAKE_MEMORY_RING];
    uint16_t todo[FAKE_QUEUES][FAKE_MEMORY_RING]; /* heads as they came */
    unsigned todo_first[FAKE_QUEUES], todo_count[FAKE_QUEUES];
    bool lied[FAKE_QUEUES]; /* since the last reset, about what was used */
};

void fake_memory_init(struct fake_memory *memory, struct fake_virtio *fake);

/* Note what has been made available, and ask to be notified of more. After a
 * reset nothing is the device's any more. After each run of the driver. */
void fake_memory_look(struct fake_memory *memory);

/* The oldest chain that was not taken yet and is still held: its head, or -1,
 * as always while the driver has not said DRIVER_OK. */
int fake_memory_take(struct fake_memory *memory, unsigned queue);

bool fake_memory_holds(const struct fake_memory *memory, unsigned queue,
                       unsigned head);

/* Copy from the readable, to the writable parts; returns how many bytes. */
uint32_t fake_memory_read(const struct fake_memory *memory, unsigned queue,
                          int head, uint8_t *out, uint32_t max);
uint32_t fake_memory_write(const struct fake_memory *memory, unsigned queue,
                           int head, const uint8_t *bytes, uint32_t count);

/* Put an element into the used ring; a chain of that id is no longer held. */
void fake_memory_use(struct fake_memory *memory, unsigned queue, uint32_t id,
                     uint32_t bytes);

/* How long the header of a network card's frame is, by what was accepted. */
uint32_t fake_memory_header(const struct fake_memory *memory);

/* Deliver a frame, header first, in as many buffers of queue 0 as it takes and
 * as there are. `more` is added to every length that is told. */
void fake_memory_deliver(struct fake_memory *memory, const uint8_t *frame,
                         uint32_t len, int32_t more);

/* The index of the used ring is a lie: any chain that an element of it names
 * may be given back thereby, and is no longer held. */
void fake_memory_disown(struct fake_memory *memory, unsigned queue);

#endif
