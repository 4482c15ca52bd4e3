/*
 * tests/host/fuzz_net.h - a stack on a card, for fuzzers of frames.
 *
 * The input is a program; each fuzzer says what its bytes mean. What several of
 * them do is here: bytes of the program, frames with sums repaired, time, and
 * an end at which nothing may be left.
 */
#ifndef TESTS_HOST_FUZZ_NET_H
#define TESTS_HOST_FUZZ_NET_H

#include "kernel/base.h"
#include "net/net.h"
#include "tests/host/hostnet.h"
#include "tests/host/memdev.h"

enum { FUZZ_FRAME_MAX = 1518, FUZZ_PAGES = 256 };

struct fuzz {
    const uint8_t *at, *end; /* the program, as far as it is left */
    struct hostnet host;
    struct memdev dev;
    struct net *net; /* 10.0.0.1/24, gateway 10.0.0.254 */
    uint64_t now_us;
    uint8_t frame[FUZZ_FRAME_MAX]; /* being written */
    uint32_t len;
    uint8_t sent[FUZZ_FRAME_MAX]; /* the stack's latest IP frame */
    uint32_t sent_len;
};

void fuzz_init(struct fuzz *f, const uint8_t *data, size_t size);

/* Hours pass; no buffer and no page may be left. */
void fuzz_end(struct fuzz *f);

/* The next `bytes` of the program as a number; zeros behind its end. */
uint32_t fuzz_get(struct fuzz *f, unsigned bytes);

/* One of four neighbours, or another host, or nobody's address, by a byte. */
struct ipv4_addr fuzz_addr(struct fuzz *f);

/* --- writing a frame; what does not fit is left out ----------------------- */

void fuzz_ethernet(struct fuzz *f, bool broadcast, uint8_t from, uint16_t type);
void fuzz_put(struct fuzz *f, uint32_t value, unsigned bytes);
void fuzz_put_addr(struct fuzz *f, struct ipv4_addr addr);

/* An IP header for `payload` bytes that follow, the sum left zero. */
void fuzz_ip(struct fuzz *f, struct ipv4_addr src, uint8_t protocol,
             uint32_t payload, uint16_t id, uint16_t flags_offset);

/* So many bytes of the program. */
void fuzz_put_raw(struct fuzz *f, uint32_t bytes);

/* Turn some bytes of the frame over, as the program says. */
void fuzz_spoil(struct fuzz *f);

/* Make the IP header's sum right, and that of ICMP where there is one. */
void fuzz_repair(struct fuzz *f);

/* The frame comes to the stack, in pieces if the program says so. */
void fuzz_send(struct fuzz *f);

/* Let `us` pass, with timers; and what the stack says is taken away. */
void fuzz_wait(struct fuzz *f, uint64_t us);

#endif
