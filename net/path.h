/*
 * net/path.h - what the way to a destination carries.
 *
 * A bounded cache of path MTUs, for destinations whose way carries less than
 * the card does. Who learns of one (net/tcp_path.c) answers for it; here it is
 * only kept, and forgotten after a while, so that a better way is found again.
 *
 * Source: RFC 1191 5, 6.3.
 */
#ifndef NET_PATH_H
#define NET_PATH_H

#include "kernel/base.h"
#include "net/addr.h"

struct net;

enum { PATH_SETS = 64, PATH_WAYS = 4 };

struct path {
    struct ipv4_addr dst;
    uint16_t mtu;      /* 0: unused */
    uint64_t until_us; /* when it is forgotten */
};

struct paths {
    struct path (*sets)[PATH_WAYS]; /* PATH_SETS of these: one page */
    uint64_t key[2];                /* nobody chooses who shares a set */
    uint64_t until_us;              /* nothing is known any more then */
};

_Static_assert(sizeof(struct path) * PATH_SETS * PATH_WAYS <= PAGE_BYTES,
               "one page");

/* Set up / free. init: false when the host has no page. */
MUST_CHECK bool path_init(struct net *net);
void path_destroy(struct net *net);

/* What is known of the way to `dst`, in bytes of an IP packet; 0: nothing. */
uint16_t path_mtu(const struct net *net, struct ipv4_addr dst);

/*
 * The way to `dst` carries packets of `mtu` bytes and no larger ones; holds for
 * config.path_mtu_age_us. The entry that is forgotten soonest makes room.
 */
void path_learn(struct net *net, struct ipv4_addr dst, uint16_t mtu);

#endif
