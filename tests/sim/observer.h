/*
 * tests/sim/observer.h - a stranger on the wire who knows the RFCs.
 *
 * Looks at every frame as it is sent, before the wire spoils it, and checks
 * what each side may say, given what both have said before. Shares no code
 * with the stack: two equal stacks would hide a mistake that both make.
 */
#ifndef TESTS_SIM_OBSERVER_H
#define TESTS_SIM_OBSERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OBSERVER_CONNS = 64 };

/* One direction of one connection, as this side has spoken. */
struct observer_side {
    uint32_t iss;
    uint32_t top;     /* the highest number sent, SYN and FIN included */
    uint32_t ack;     /* the highest acknowledgement sent */
    uint32_t edge;    /* the right edge of its window, the furthest */
    uint32_t fin_end; /* the number after its FIN */
    uint32_t mss;     /* that it asked for; 536 without the option */
    uint32_t sum;     /* of text in order, to compare retransmissions */
    uint8_t shift;
    bool syn, has_shift, acked, fin;
};

struct observer_conn {
    uint32_t addr[2]; /* the lower one first; 0: unused */
    uint16_t port[2];
    struct observer_side side[2];
    uint64_t order; /* when it was opened; the oldest is forgotten first */
};

struct observer {
    struct observer_conn conn[OBSERVER_CONNS];
    uint64_t order;
    uint64_t segments;
    /* Whether the text of the stream that begins at iss + 1 is right; null:
     * not asked. */
    bool (*text_is_right)(void *context, uint16_t src_port, uint16_t dst_port,
                          uint32_t offset, const uint8_t *text, uint32_t len);
    void *context;
    uint16_t trace_port; /* print the segments of this port; 0: none */
    const char *broken;  /* the first rule that was broken, or null */
    char detail[160];
};

/*
 * Look at one Ethernet frame.
 * csum_partial: the device was asked to finish the checksum.
 */
void observer_frame(struct observer *observer, const uint8_t *frame, size_t len,
                    bool csum_partial);

#endif
