/*
 * net/tcp_table.c - finding connections, and numbers that nobody can guess.
 *
 * The tables are keyed with SipHash, so that a stranger cannot choose ports
 * that fall into one bucket. Their pages are taken when a bucket is first
 * used: an idle stack holds none.
 *
 * Before it, those that were found or added lately are looked at, one for each
 * value of a few bits that cost next to nothing. Whoever chooses ports that
 * meet there only brings about a look into the table, as for everybody else,
 * and may learn, if he can tell so short a time, that whom he met was active.
 *
 * Source: RFC 6528 (initial sequence numbers), RFC 6056 3.3.4 (ports),
 * RFC 7323 7.1 (timestamps).
 */
#include "net/tcp_conn.h"

#include <string.h>

#include "net/siphash.h"

enum {
    SLOTS = TCP_BUCKETS_PER_PAGE,
    RECENT_BITS = 9 /* a page of them */
};

_Static_assert((sizeof(void *) << RECENT_BITS) == PAGE_BYTES, "a page");

bool tcp_buckets_init(struct net *net, struct tcp_buckets *buckets,
                      uint32_t entries)
{
    uint32_t count = SLOTS;

    /* One or two to a bucket when all are there, four at the very most: a page
     * that each tenth connection is the first to use costs more than steps. */
    while (count < entries / 2 && count < SLOTS * SLOTS)
        count *= 2;
    buckets->mask = count - 1;
    buckets->pages = pages_take(&net->pages);
    if (!buckets->pages)
        return false;
    memset(buckets->pages, 0, PAGE_BYTES);
    return true;
}

void tcp_buckets_free(struct net *net, struct tcp_buckets *buckets)
{
    if (!buckets->pages)
        return;
    for (uint32_t i = 0; i < SLOTS; i++) {
        if (buckets->pages[i])
            pages_give(&net->pages, buckets->pages[i]);
    }
    pages_give(&net->pages, buckets->pages);
    buckets->pages = NULL;
}

uint32_t tcp_table_hash(const struct net *net, const struct tcp_tuple *tuple)
{
    return (uint32_t)siphash_1_3_of_12(net->tcp.table_key, tuple);
}

void **tcp_bucket(const struct tcp_buckets *buckets, uint32_t hash)
{
    uint32_t index = hash & buckets->mask;
    void **page = buckets->pages[index / SLOTS];

    return page ? &page[index % SLOTS] : NULL;
}

static COLD void **first_of_page(struct net *net, struct tcp_buckets *buckets,
                                 uint32_t hash)
{
    void **page = pages_take(&net->pages);

    if (!page) {
        net_count(&net->counters, tcp_no_memory);
        return NULL;
    }
    memset(page, 0, PAGE_BYTES);
    buckets->pages[(hash & buckets->mask) / SLOTS] = page;
    return tcp_bucket(buckets, hash);
}

void **tcp_bucket_make(struct net *net, struct tcp_buckets *buckets,
                       uint32_t hash)
{
    void **bucket = tcp_bucket(buckets, hash);

    return bucket ? bucket : first_of_page(net, buckets, hash);
}

struct tcp_conn *tcp_table_find(const struct net *net,
                                const struct tcp_tuple *tuple, uint32_t hash)
{
    void **bucket = tcp_bucket(&net->tcp.by_tuple, hash);
    struct tcp_conn *conn = bucket ? *bucket : NULL;

    while (conn && !tcp_tuple_equal(&conn->tuple, tuple))
        conn = conn->hash_next;
    return conn;
}

/* Fibonacci hashing: ports that follow one another lie far apart. */
static INLINE struct tcp_conn **
recent_slot(const struct net *net, struct ipv4_addr peer, uint32_t ports)
{
    return &net->tcp.recent[(peer.word ^ ports) * 0x9e3779b1u >>
                            (32 - RECENT_BITS)];
}

struct tcp_conn *tcp_table_recent(const struct net *net, struct ipv4_addr local,
                                  struct ipv4_addr peer, uint32_t ports)
{
    struct tcp_conn *conn = *recent_slot(net, peer, ports);

    return conn && conn->tuple.ports == ports &&
                   ipv4_addr_equal(conn->tuple.peer, peer) &&
                   ipv4_addr_equal(conn->tuple.local, local)
               ? conn
               : NULL;
}

void tcp_table_remember(struct tcp_conn *conn)
{
    *recent_slot(conn->net, conn->tuple.peer, conn->tuple.ports) = conn;
}

static void forget(const struct tcp_conn *conn)
{
    struct tcp_conn **slot =
        recent_slot(conn->net, conn->tuple.peer, conn->tuple.ports);

    if (*slot == conn)
        *slot = NULL;
}

bool tcp_table_add(struct tcp_conn *conn)
{
    void **bucket =
        tcp_bucket_make(conn->net, &tcp_of(conn)->by_tuple, conn->hash);

    if (!bucket)
        return false;
    conn->hash_next = *bucket;
    *bucket = conn;
    conn->hashed = true;
    tcp_table_remember(conn);
    return true;
}

void tcp_table_remove(struct tcp_conn *conn)
{
    struct tcp_conn *at;
    void **bucket;

    if (!conn->hashed)
        return;
    conn->hashed = false;
    forget(conn);
    bucket = tcp_bucket(&tcp_of(conn)->by_tuple, conn->hash);
    at = *bucket;
    if (at == conn) {
        *bucket = conn->hash_next;
        return;
    }
    while (at->hash_next != conn)
        at = at->hash_next;
    at->hash_next = conn->hash_next;
}

/*
 * RFC 6528's F, and an offset that is a connection's own (RFC 7323 7.1), are
 * the two halves of one value. SipHash is a pseudo-random function: whoever
 * lacks the key cannot tell its 64 bits from drawn ones, of which one half
 * says nothing about the other. Both depend on nothing but the two ends, so
 * the numbers of a connection that comes again at once go on where the last
 * one's were, as both RFCs want.
 */
struct tcp_numbers tcp_table_numbers(const struct net *net,
                                     const struct tcp_tuple *tuple)
{
    uint64_t f = siphash_of_12(net->tcp.secret_key, tuple);

    return (struct tcp_numbers){
        .iss = (uint32_t)(f + net->now_us / 4), /* one number every 4 us */
        .ts_offset = (uint32_t)(f >> 32),
    };
}

bool tcp_table_in_use(const struct net *net, const struct tcp_tuple *tuple)
{
    uint32_t hash = tcp_table_hash(net, tuple);

    /* A connection whose two ends are one would look like LAND. */
    if (tuple->local_port == tuple->peer_port &&
        ipv4_addr_equal(tuple->local, tuple->peer))
        return true;
    return tcp_table_find(net, tuple, hash) ||
           tcp_time_wait_has(net, tuple, hash);
}

/* The double-hash port selection: one sequence per destination, so that ports
 * are not soon reused, and none that another destination could foresee. */
bool tcp_table_port(struct net *net, struct tcp_tuple *tuple)
{
    const struct tcp_config *config = &net->config.tcp;
    uint32_t count =
        (uint32_t)config->ephemeral_last - config->ephemeral_first + 1;
    uint64_t f;
    uint32_t offset;
    uint16_t *next;

    tuple->local_port = 0;
    f = siphash_of_12(net->tcp.secret_key, tuple);
    offset = (uint32_t)f;
    next = &net->tcp.port_next[(f >> 32) % TCP_PORT_COUNTERS];
    for (uint32_t i = 0; i < count; i++) {
        tuple->local_port =
            (uint16_t)(config->ephemeral_first + (offset + (*next)++) % count);
        if (!tcp_table_in_use(net, tuple))
            return true;
    }
    return false;
}
