/*
 * tests/sim/check.h - what must hold inside a stack whenever it is at rest.
 *
 * Looks at the private state of net/, after every turn of a host; knows what
 * it saw last, so that what must never go back can be watched.
 */
#ifndef TESTS_SIM_CHECK_H
#define TESTS_SIM_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "net/net.h"

enum { CHECK_CONNS = 64 };

/* What a connection showed at its last look. */
struct check_seen {
    const struct tcp_conn *conn;
    uint32_t iss, hash; /* to know it again */
    uint32_t una, nxt, rcv_nxt, edge;
    uint64_t look; /* number of the look */
};

struct check {
    struct check_seen seen[CHECK_CONNS];
    uint64_t looks;
    bool starves;       /* the host refuses memory: some duties wait */
    const char *broken; /* the first invariant that failed, or null */
    char detail[200];
};

void check_net(struct check *check, struct net *net);

#endif
