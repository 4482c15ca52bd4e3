/*
 * net/icmp.h - ICMP: answers echo requests, hears errors, reports what cannot
 * be delivered or put together. Our own questions are net/ping.h's.
 *
 * Everything else (redirects, source quench, router adverts, timestamps,
 * address masks) is counted and ignored: a stranger must not steer us.
 *
 * Source: RFC 792, RFC 1122 3.2.2, RFC 5927.
 */
#ifndef NET_ICMP_H
#define NET_ICMP_H

#include "kernel/base.h"
#include "net/addr.h"
#include "net/buffer.h"
#include "net/ipv4.h"

struct net;

enum {
    ICMP_ECHO_REPLY = 0,
    ICMP_UNREACHABLE = 3,
    ICMP_ECHO = 8,
    ICMP_TIME_EXCEEDED = 11,
    ICMP_PARAMETER = 12,
    ICMP_HEADER_BYTES = 8
};

enum icmp_unreachable_code {
    ICMP_UNREACHABLE_HOST = 1,
    ICMP_UNREACHABLE_PROTOCOL = 2,
    ICMP_UNREACHABLE_PORT = 3,
    ICMP_UNREACHABLE_TOO_BIG = 4
};

enum { ICMP_BUCKETS = 16 };

/* What may still be sent to the destinations that share a bucket. */
struct icmp_bucket {
    uint64_t until_us; /* then it is filled anew */
    uint32_t left;
};

/* A limit per destination; which of them share a bucket, nobody can know. */
struct icmp_limit {
    struct icmp_bucket bucket[ICMP_BUCKETS];
};

struct icmp {
    uint64_t key[2]; /* of the buckets */
    struct icmp_limit echo, errors;
};

void icmp_init(struct net *net);

/* A message has come; data at the ICMP header. Taken. */
void icmp_input(struct net *net, const struct ipv4_packet *ip,
                struct buffer *message);

/*
 * Tell a packet's sender that it cannot be delivered, if that is allowed: not
 * about broadcasts, fragments and ICMP errors, and not too often.
 *
 * segment: what the packet carries, from the transport's header on. Only read.
 * Source: RFC 1122 3.2.2; the limit per destination and its jitter: CVE-2020-
 *         25705, where a limit for all told an attacker which ports are open.
 */
void icmp_unreachable(struct net *net, const struct ipv4_packet *ip,
                      const struct buffer *segment,
                      enum icmp_unreachable_code code);

/*
 * The same when the rest of a datagram has not come in time.
 * ip, segment: of its first fragment; nothing is sent if that is not the one at
 *              offset 0.
 */
void icmp_time_exceeded(struct net *net, const struct ipv4_packet *ip,
                        const struct buffer *segment);

#endif
