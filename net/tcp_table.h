/*
 * net/tcp_table.h - finding connections by their two ends, and numbers that
 * nobody can guess. Private to net/tcp_*.c.
 */
#ifndef NET_TCP_TABLE_H
#define NET_TCP_TABLE_H

#include "kernel/base.h"
#include "net/addr.h"
#include "net/tcp_priv.h"

struct net;
struct tcp_conn;

struct tcp_tuple {
    struct ipv4_addr local, peer;
    union {
        struct {
            uint16_t local_port, peer_port;
        };
        uint32_t ports; /* the same, for comparing */
    };
};

_Static_assert(sizeof(struct tcp_tuple) == 12, "hashed as bytes");

/* What nobody else can guess about a connection: tcp_table_numbers(). */
struct tcp_numbers {
    uint32_t iss;
    uint32_t ts_offset; /* what its timestamps are ahead of our clock */
};

MUST_CHECK bool tcp_buckets_init(struct net *net, struct tcp_buckets *buckets,
                                 uint32_t entries);
void tcp_buckets_free(struct net *net, struct tcp_buckets *buckets);
/* What the tables know a tuple by. */
uint32_t tcp_table_hash(const struct net *net, const struct tcp_tuple *tuple);
/* The bucket of a hash; null: its page is not there (make: no memory). */
void **tcp_bucket(const struct tcp_buckets *buckets, uint32_t hash);
void **tcp_bucket_make(struct net *net, struct tcp_buckets *buckets,
                       uint32_t hash);
struct tcp_conn *tcp_table_find(const struct net *net,
                                const struct tcp_tuple *tuple, uint32_t hash);
/* The connection of a tuple, if it is among those that were found or added
 * lately; null: it may be in the table all the same. */
struct tcp_conn *tcp_table_recent(const struct net *net, struct ipv4_addr local,
                                  struct ipv4_addr peer, uint32_t ports);
/* One of the table is sought there first from now on. */
void tcp_table_remember(struct tcp_conn *conn);
MUST_CHECK bool tcp_table_add(struct tcp_conn *conn);
void tcp_table_remove(struct tcp_conn *conn);
/* Whether a new connection may not have this tuple. */
bool tcp_table_in_use(const struct net *net, const struct tcp_tuple *tuple);
struct tcp_numbers tcp_table_numbers(const struct net *net,
                                     const struct tcp_tuple *tuple);
/* Choose an ephemeral port; false: every one is in use. RFC 6056 3.3.4. */
MUST_CHECK bool tcp_table_port(struct net *net, struct tcp_tuple *tuple);
static inline bool tcp_tuple_equal(const struct tcp_tuple *a,
                                   const struct tcp_tuple *b)
{
    return a->local.word == b->local.word && a->peer.word == b->peer.word &&
           a->ports == b->ports;
}

#endif
