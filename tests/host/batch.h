/*
 * tests/host/batch.h - a batch of frames with TCP in them, and what becomes of
 * it in net/gro.c.
 *
 * Frames are written and compared byte by byte, with nothing of the stack's.
 */
#ifndef TESTS_HOST_BATCH_H
#define TESTS_HOST_BATCH_H

#include "kernel/base.h"
#include "net/interface.h"
#include "tests/host/hostnet.h"
#include "tests/host/memdev.h"

enum { BATCH_FRAMES = 96, BATCH_FRAME_BYTES = 1600, BATCH_HEADERS = 14 + 20 };

/* A segment from 10.0.0.2 to 10.0.0.1, and what may be odd about it. */
struct batch_segment {
    uint32_t seq, ack;
    uint32_t ts_val; /* 0: no timestamps */
    uint32_t text_bytes;
    uint16_t port; /* of the sender; a connection is known by it */
    uint16_t window;
    uint16_t ip_flags; /* and fragment offset, as on the wire */
    uint8_t flags, tos, ttl;
    uint8_t ip_options;   /* words of them */
    uint8_t padding;      /* bytes behind the packet */
    uint8_t buffer_flags; /* what the device says: enum buffer_flag */
    uint16_t first_view;  /* bytes; 0: the frame is in one piece */
    uint16_t flip;        /* the byte there is spoiled at last; 0: none */
};

struct batch {
    struct hostnet host;
    struct buffer_pool *pool;
    struct memdev dev;
    struct net_if nif;
    struct buffer *frames, *last; /* through link */
    unsigned count;
    unsigned left; /* after batch_join() */
    struct {
        uint32_t len;
        uint8_t bytes[BATCH_FRAME_BYTES];
        bool trusted; /* the device says so */
        bool seen;
    } in[BATCH_FRAMES]; /* as they were put */
};

void batch_init(struct batch *batch);

/* Put a frame behind those that are there. */
void batch_put(struct batch *batch, struct batch_segment segment);

/* Put any bytes. */
void batch_put_raw(struct batch *batch, const void *bytes, uint32_t len,
                   uint32_t first_view, uint8_t buffer_flags);

/*
 * Let them be joined, and assert what must be true of every batch: cut again,
 * the packets are the frames that were put, byte for byte; each packet stands
 * in the place of its first frame; no frame has overtaken another of its
 * connection; headers say what the packet is; what was joined was right.
 */
void batch_join(struct batch *batch);

/* The text of a packet that is left, from 0; 0 when it is not there. And how
 * long each segment of it is; 0 when it was not joined. */
uint32_t batch_text(const struct batch *batch, unsigned index);
uint32_t batch_segment_bytes(const struct batch *batch, unsigned index);

/* Release everything. Returns: pages that are still lent. */
size_t batch_end(struct batch *batch);

#endif
