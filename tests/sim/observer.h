/*
 * tests/sim/observer.h - a stranger at every host's card who knows the RFCs.
 *
 * Sees each segment as a host sends it and as it comes to a host, after the
 * network has spoiled it, and checks what this host may and must say, given
 * what it has said and heard. Nothing of it depends on what lies between the
 * hosts, so it holds behind any middlebox. Shares no code with the stack: two
 * equal stacks would hide a mistake that both make.
 */
#ifndef TESTS_SIM_OBSERVER_H
#define TESTS_SIM_OBSERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/sim/packet.h"

enum {
    OBSERVER_HOSTS = 8,
    OBSERVER_RANGES = 64,
    OBSERVER_SENT = 128,
    OBSERVER_STAMPS = 64
};

/* What one SYN has asked for. */
struct observer_syn {
    bool there;
    uint32_t number;
    uint16_t mss; /* 536 without the option */
    uint8_t shift, flags;
    bool has_shift, sack_ok, ts;
};

/* A stretch of numbers that was sent in one piece, and when last. */
struct observer_sent {
    uint32_t seq, end;
    uint64_t us;
};

/* One end of one connection, at its host. */
struct observer_end {
    uint32_t addr, peer; /* addr 0: unused */
    uint16_t port, peer_port;
    unsigned host;
    uint64_t order; /* when it was opened; the oldest is forgotten first */

    /* what it has said */
    struct observer_syn said;
    uint32_t top;     /* the highest number sent, SYN and FIN included */
    uint32_t ack;     /* the highest acknowledgement sent */
    uint32_t edge;    /* the right edge of its window */
    uint32_t fin_end; /* the number after its FIN */
    uint32_t ts_val;
    uint32_t small_end; /* of the last small segment: Nagle, Minshall */
    bool acked, fin, has_ts_val;
    struct observer_sent sent[OBSERVER_SENT];
    unsigned sent_count;

    /* what it has heard */
    struct observer_syn heard, asked; /* asked: a SYN without ACK, the last */
    uint32_t una;                     /* the highest acknowledgement */
    uint32_t limit;                   /* the right edge, the furthest */
    uint32_t wnd_max;
    uint32_t range[OBSERVER_RANGES][2]; /* numbers that have come, ordered */
    unsigned ranges;
    uint32_t stamp[OBSERVER_STAMPS]; /* timestamps that have come */
    unsigned stamps;
    bool open; /* its SYN was acknowledged */
    bool syn_again;
    bool heard_fin;
    bool dead; /* a RST was sent, or came */
    bool ce_owed, ce_seen, ece_seen;

    /* what it owes */
    unsigned full_segments; /* in order, since its last ACK */
    bool ack_now;
    uint64_t ack_by_us; /* FOREVER: no */

    /* timers */
    uint64_t doubt_us; /* when it last heard what shows a loss, perhaps */
    uint64_t una_us;   /* when una moved, or the first was sent */
    uint64_t again_us; /* its last time-out of una */
    uint64_t gap_us;   /* between the last two, nothing heard; 0: none */
    uint32_t again_seq;
    uint64_t sent_us; /* when it last sent any numbers */
    uint64_t syn_us, rtt_min_us;
    bool quiet; /* nothing was heard since again_us */
};

struct observer_host {
    bool starves; /* memory is refused: what it owes it may not be able to */
    bool sleeps;
    bool drops;      /* it has lost packets that waited for an answer to ARP */
    bool asks;       /* it has asked by ARP, and heard nothing yet */
    uint64_t ask_us; /* ... the last time */
    uint64_t answer_us; /* what had waited leaves all at once */
    uint32_t rcv_buf_bytes;
    uint64_t rto_min_us, rto_max_us;
};

struct observer {
    struct observer_host host[OBSERVER_HOSTS];
    struct observer_end *end; /* room for them, zeroed, by its owner */
    unsigned ends;
    uint64_t order;
    /* Whether the text of the stream that begins at iss + 1 is right; whether
     * its sender goes by Nagle's algorithm. Null: not asked. */
    bool (*text_is_right)(void *context, const struct segment *seg,
                          uint32_t offset);
    bool (*has_nagle)(void *context, const struct segment *seg);
    void *context;
    const char *broken; /* the first rule that was broken, or null */
    char detail[320];
};

/* A packet at the card of `host`: what its stack will see, or has sent. */
void observer_packet(struct observer *observer, unsigned host, bool in,
                     const struct packet *packet, uint64_t now_us);

/* The host has had its turn: what it had to say at once has been said. */
void observer_turned(struct observer *observer, unsigned host, uint64_t now_us);

/* A segment for a person, its numbers relative to the connection's. */
void observer_print(const struct observer *observer, unsigned host,
                    const struct segment *seg, char *out, size_t out_bytes);

#endif
