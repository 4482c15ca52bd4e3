/*
 * net/ping.h - ask a host whether it is there, and how far away.
 *
 * Without blocking; net/stack_ping.h is the blocking form.
 *
 * Source: RFC 792 (echo), RFC 1122 3.2.2.6.
 */
#ifndef NET_PING_H
#define NET_PING_H

#include "kernel/base.h"
#include "net/addr.h"
#include "net/buffer.h"
#include "net/pool.h"

struct net;
struct ping; /* opaque: one question under way */
struct ipv4_packet;

enum {
    PING_BYTES_MAX = 65507, /* behind the ICMP header, in one packet */
    PINGS_MAX = 64          /* under way, of a stack */
};

enum ping_status {
    PING_OK,
    PING_TIMEOUT,       /* no answer in time */
    PING_UNREACHABLE,   /* ICMP or ARP said so; `code` of the answer */
    PING_TIME_EXCEEDED, /* ICMP said so: the TTL was too small, or fragments
                           were lost */
    PING_NO_ROUTE,
    PING_NO_MEMORY, /* or PINGS_MAX are under way */
    PING_FULL,      /* the card is full: try again later */
    PING_CANCELLED, /* net/stack_ping.h: thread_cancel() */
    PING_STATUS_COUNT
};

/* A message for a person, for every value there is. Never null. */
const char *ping_status_text(enum ping_status status);

struct ping_request {
    struct ipv4_addr dst; /* of one host */
    uint32_t bytes;       /* of data, up to PING_BYTES_MAX */
    uint16_t sequence;    /* what the question says beside a random number */
    uint8_t ttl;          /* 0: IPV4_TTL */
    uint64_t timeout_us;
};

struct ping_answer {
    enum ping_status status; /* OK, TIMEOUT, UNREACHABLE, TIME_EXCEEDED */
    struct ipv4_addr from;   /* who said it; 0.0.0.0: nobody */
    uint64_t rtt_us;
    uint8_t ttl;  /* of the reply */
    uint8_t code; /* of ICMP's error */
};

/* What came of a question. Called once, from within net_input() or net_run();
 * it may take note, and ask again. */
typedef void ping_fn(void *context, const struct ping_answer *answer);

/*
 * Ask. Only a reply from there with the same number, sequence and data counts.
 *
 * request: copied.
 * ping:    set on PING_OK, for ping_cancel(); valid until `done` is called.
 * Returns: PING_OK: `done` will be called; PING_NO_ROUTE (also: not one
 *          host's address), PING_NO_MEMORY, PING_FULL: it will not.
 */
MUST_CHECK enum ping_status ping_start(struct net *net,
                                       const struct ping_request *request,
                                       ping_fn *done, void *context,
                                       uint64_t now_us, struct ping **ping);

/* Wait no longer; `done` is not called. */
void ping_cancel(struct ping *ping);

/* ---- for net/ alone ---- */

struct ping_table {
    struct pool pool;
    struct ping *first;
};

void ping_init(struct net *net);
void ping_destroy(struct net *net);

/* An echo reply has come, data at the ICMP header. Only read. */
void ping_input(struct net *net, const struct ipv4_packet *ip,
                const struct buffer *message);

/*
 * An error about an echo request of ours.
 *
 * from:   who says so.
 * dst:    of the request.
 * header: its first 8 bytes, from the ICMP header on.
 */
void ping_error(struct net *net, struct ipv4_addr from, struct ipv4_addr dst,
                const uint8_t *header, enum ping_status error, uint8_t code);

#endif
