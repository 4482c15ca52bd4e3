/*
 * tests/host/states.h - a stack as a black box, brought into each TCP state by
 * packets and user calls alone.
 *
 * The peer is this file: it builds and reads packets with code of its own, so
 * that a mistake on both sides does not cancel out. Sequence numbers of the
 * peer stand beside the wrap; those of the stack do when the clock starts at
 * states_start_us().
 */
#ifndef TESTS_HOST_STATES_H
#define TESTS_HOST_STATES_H

#include "net/net.h"
#include "net/tcp.h"
#include "tests/host/hostnet.h"

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32 };

enum state {
    S_CLOSED,
    S_LISTEN,
    S_SYN_SENT,
    S_SYN_RCVD_PASSIVE,
    S_SYN_RCVD_ACTIVE,
    S_ESTABLISHED, /* with SENT_BYTES in flight, and so on up to LAST-ACK */
    S_FIN_WAIT_1,
    S_FIN_WAIT_2,
    S_CLOSE_WAIT,
    S_CLOSING,
    S_LAST_ACK,
    S_TIME_WAIT,
    S_COUNT
};

/* As tcp_info_get() calls it. */
extern const char *const state_name[S_COUNT];

enum {
    OUR_PORT = 80,
    PEER_PORT = 2000,
    PEER_WINDOW = 8000,
    RCV_BUF = 20000,
    SENT_BYTES = 100,
    PACKETS_MAX = 8
};

#define PEER_ISS 0xfffffff8u /* so that the tests cross the wrap */

/* A segment, as the peer sends or sees it. */
struct seg {
    uint32_t seq, ack;
    uint16_t src_port, dst_port, wnd;
    uint8_t flags;
    uint16_t len; /* text bytes */
    /* Sending only: */
    uint16_t urgent;
    uint8_t options_len; /* a multiple of 4, at most 40 */
    const uint8_t *options;
};

struct world {
    struct hostnet host;
    struct net *net;
    uint64_t now_us;
    struct tcp_conn *conn;
    struct tcp_listener *listener;
    struct seg out[PACKETS_MAX]; /* what the stack has sent */
    unsigned out_count;
    uint16_t our_port;
    uint32_t iss;
    uint32_t una, nxt; /* the stack's, as RFC 9293 3.3.1 */
    uint32_t rcv_nxt;
    uint32_t rcv_wnd; /* as last advertised */
};

/* A stack at 10.0.0.1 whose clock begins at `now_us`. */
void world_make(struct world *w, uint64_t now_us);

/* Release and destroy; asserts that every page has come back. */
void world_end(struct world *w);

/* Bring the stack into a state; w->out is empty then. */
void world_go(struct world *w, enum state state);

/* A segment comes from the peer; ports and window are filled in. What the
 * stack answers at once stands in w->out. */
void world_arrive(struct world *w, struct seg seg);

/* The same with the segment's own window. */
void world_arrive_exact(struct world *w, struct seg seg);

/* The state now, as far as it shows from outside. */
const char *world_state(struct world *w, enum state before);

/* The clock at which the stack's first sequence number in `state` stands 50
 * before the wrap: it moves by one every 4 us (RFC 9293 3.4.1), so one look
 * tells when. */
uint64_t states_start_us(enum state state);

#endif
