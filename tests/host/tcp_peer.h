/*
 * tests/host/tcp_peer.h - a scripted TCP peer of one stack, packet by packet.
 *
 * The peer builds and reads raw IP packets with code of its own, none of it
 * the stack's, so that a mistake made on both sides shows. It decides nothing:
 * a test says what it sends, and looks at what came back. What leaves goes by a
 * card, on which the peer is a neighbour who is known: the way of nearly every
 * segment (net/ipv4_output.h). What comes is given to IP. Virtual time is
 * host_now_us; peer_wait() stops at every deadline of the stack on the way.
 *
 * Sequence numbers stand beside the wrap on both sides. The peer chooses its
 * own. The stack's is RFC 6528's, F(tuple, key) plus a clock of 4 us: with a
 * fixed seed F is fixed, so peer_start() asks a first stack for one number and
 * sets the clock of the real one such that it begins at PEER_STACK_ISS. No
 * hook in the stack is needed. Both kinds of opening use the same four-tuple:
 * 10.0.0.1:80 is the stack, 10.0.0.2:2000 the peer.
 */
#ifndef TESTS_HOST_TCP_PEER_H
#define TESTS_HOST_TCP_PEER_H

#include "kernel/base.h"
#include "net/net.h"
#include "tests/host/hostnet.h"
#include "tests/host/memdev.h"

enum {
    PEER_FIN = 1,
    PEER_SYN = 2,
    PEER_RST = 4,
    PEER_PSH = 8,
    PEER_ACK = 16,
    PEER_URG = 32,
    PEER_ECE = 64,
    PEER_CWR = 128
};

#define PEER_ADDR      0x0a000002u
#define PEER_ISS       0xffffffe0u
#define PEER_STACK_ISS 0xfffffff0u
#define PEER_OTHER_ISS 5u
#define PEER_PORT      2000
#define PEER_OUR_PORT  80

/* One segment, to be sent or as it was taken. */
struct peer_seg {
    uint32_t seq, ack;
    uint32_t src, dst; /* addresses; sending: 0 is peer and stack */
    uint16_t src_port, dst_port;
    uint16_t window, urgent;
    uint8_t flags;
    uint8_t reserved;       /* low four bits beside the data offset */
    const uint8_t *options; /* sending: 4 * n bytes */
    uint32_t options_len;
    bool bare;           /* sending: without the peer's timestamps */
    const uint8_t *text; /* null when sending: a pattern, see peer_byte() */
    uint32_t len;
    uint32_t ts_val; /* sending: 0 is the peer's clock */
    /* Taken only: */
    bool has_mss, has_shift, has_timestamps, sack_permitted;
    uint16_t mss;
    uint8_t shift;
    uint8_t sack_count;
    uint32_t ts_ecr;
    uint32_t sack[4][2]; /* blocks, each from and to */
    uint32_t ip_bytes;
    uint8_t tos, ttl;
};

struct tcp_peer {
    struct hostnet host;
    struct memdev card;       /* of the stack, on which the peer is known; */
    bool without_card;        /* ... or IP's packets alone, to anybody */
    struct net_config config; /* for peer_start() */
    struct net *net;
    struct tcp_listener *listener;
    struct tcp_conn *conn; /* the stack's end, once there is one */
    unsigned changes;      /* of enum tcp_change, gathered from events */
    unsigned acceptables;  /* calls of the listener's callback */
    uint32_t nxt;          /* the peer's next number */
    uint32_t rcv;          /* the next number expected of the stack */
    uint16_t window;       /* that the peer advertises */
    uint16_t mss;          /* in its SYN; 0: no option */
    int shift;             /* in its SYN; below 0: no option */
    bool sack;             /* SACK permitted in its SYN */
    bool timestamps;       /* in its SYN, and from then on in what it sends */
    uint32_t ts;           /* its clock; the test moves it */
    uint32_t ts_ecr;       /* what it echoes: that of the segment last taken */
    struct peer_seg got;   /* the segment last taken */
    uint8_t bytes[66000];  /* its packet */
};

/* Counter `name` of the peer's stack. */
#define PEER_COUNT(peer, name)                                                 \
    (net_counters((peer)->net)->value[NET_COUNT_##name])

/* Defaults, to be changed in peer->config; then start the stack. Delayed ACKs
 * are as configured by default; window 60000, MSS 1000, no scaling. */
void peer_prepare(struct tcp_peer *peer);
void peer_start(struct tcp_peer *peer);

/* Release the handle, destroy the stack; asserts that no page is left. */
void peer_end(struct tcp_peer *peer);

/* Send a segment; input only. Zero ports and addresses: the usual ones. */
void peer_input(struct tcp_peer *peer, struct peer_seg seg);

/* The same, run timers, flush. */
void peer_send(struct tcp_peer *peer, struct peer_seg seg);

/* Raw bytes of an IP packet, from outside. */
void peer_send_raw(struct tcp_peer *peer, const void *packet, uint32_t len);

/* An ICMP error about a segment that the stack has sent from PEER_OUR_PORT to
 * PEER_PORT with number `seq`. */
void peer_icmp(struct tcp_peer *peer, uint8_t type, uint8_t code, uint32_t seq);

/* The one that says that it was too big for the next hop's MTU. */
void peer_too_big(struct tcp_peer *peer, uint16_t mtu, uint32_t seq);

/* The packet that peer_input() would send, into `out`; returns its length. */
uint32_t peer_build(const struct tcp_peer *peer, struct peer_seg seg,
                    uint8_t *out);

/* Send `len` bytes of the pattern at peer->nxt with ACK of peer->rcv, and
 * advance peer->nxt. */
void peer_text(struct tcp_peer *peer, uint32_t len, uint8_t flags);

/* Send a FIN behind it, with an ACK up to `ack`; it counts as sent. */
void peer_fin(struct tcp_peer *peer, uint32_t ack);

/* Acknowledge everything up to `ack`. */
void peer_ack(struct tcp_peer *peer, uint32_t ack);

/* ... with `count` SACK blocks, each from and to. */
void peer_sack(struct tcp_peer *peer, uint32_t ack, const uint32_t (*blocks)[2],
               uint32_t count);

/* Run timers and flush, at the present time. */
void peer_settle(struct tcp_peer *peer);

/* Let time go by, stopping at each deadline of the stack. */
void peer_wait(struct tcp_peer *peer, uint64_t us);

/* Take the oldest packet of the stack into peer->got, asserting that its
 * checksums are right; false: none. Advances peer->rcv over text in order. */
bool peer_take(struct tcp_peer *peer);

/* Assert that the stack has sent nothing (more). */
#define PEER_QUIET(peer) assert_false(peer_take(peer))

/* Assert that it has sent a bare ACK of everything that the peer sent. */
void peer_expect_acked(struct tcp_peer *peer);

/* Take all packets; returns how many. */
unsigned peer_take_all(struct tcp_peer *peer);

/* Byte `offset` of the pattern that the peer sends, from peer's ISS + 1. */
uint8_t peer_byte(uint32_t offset);

/* Listen on PEER_OUR_PORT with these bounds. */
void peer_listen(struct tcp_peer *peer, uint32_t backlog, uint32_t syn_backlog);

/* A whole handshake: to a listener, or of a tcp_connect(). */
void peer_open_passive(struct tcp_peer *peer);
void peer_open_active(struct tcp_peer *peer);

/* The last ACK of a handshake; the application accepts the connection. */
void peer_accept(struct tcp_peer *peer);

/* The SYN alone, in both directions; with more flags and bits of IP's. */
void peer_syn(struct tcp_peer *peer);
void peer_syn_with(struct tcp_peer *peer, uint8_t flags, uint8_t tos);
void peer_connect(struct tcp_peer *peer);

/* The stack's application sends `len` bytes of the pattern; then flush. */
void peer_app_send(struct tcp_peer *peer, uint32_t len);

/* ... reads up to `max` bytes and checks the pattern; returns how many. */
uint32_t peer_app_recv(struct tcp_peer *peer, uint32_t max);

/* ... closes, and a FIN leaves; ... releases its handle. */
void peer_app_close(struct tcp_peer *peer);
void peer_app_release(struct tcp_peer *peer);

/* Another peer, at `port`, opens a connection; its ISS is PEER_OTHER_ISS. */
void peer_open_from(struct tcp_peer *peer, uint16_t port);

/* What net_memory_get() and tcp_info say. */
struct net_memory peer_memory(const struct tcp_peer *peer);
struct tcp_info peer_info(const struct tcp_peer *peer);
bool peer_state_is(const struct tcp_peer *peer, const char *name);

#endif
