/*
 * net/tcp_address.c - connections whose own address, or link, changes.
 *
 * An interface without an address stalls its connections, as a pulled cable
 * does. When the address is back they go on at once: what had been sent is
 * lost, and their timers may have backed off to a minute. One that gets
 * another address ends them at once, without a word to the peer: nothing can
 * be sent from an address that is not ours, and a reader should not wait a
 * quarter of an hour to learn so.
 *
 * Source: RFC 9293 has nothing on it; RFC 5227 2.4 (a) says that connections
 * of an address that was given up are to be ended.
 */
#include "net/tcp_conn.h"
#include "net/tcp_path.h"

/* What is done about one connection; it may be freed. */
typedef void each_fn(struct tcp_conn *conn);

/* Those of one bucket; `addr` null: whatever their address. */
static void do_bucket(struct tcp_conn *conn, const struct ipv4_addr *addr,
                      each_fn *each)
{
    while (conn) {
        struct tcp_conn *next = conn->hash_next;

        if (conn->end == TCP_END_NONE &&
            (!addr || ipv4_addr_equal(conn->tuple.local, *addr)))
            each(conn);
        conn = next;
    }
}

static void do_all(struct net *net, const struct ipv4_addr *addr, each_fn *each)
{
    const struct tcp_buckets *buckets = &net->tcp.by_tuple;

    for (uint32_t i = 0; i < TCP_BUCKETS_PER_PAGE; i++) {
        void **page = buckets->pages[i];

        for (uint32_t j = 0; page && j < TCP_BUCKETS_PER_PAGE; j++)
            do_bucket(page[j], addr, each);
    }
}

static void end(struct tcp_conn *conn)
{
    tcp_conn_end(conn, TCP_END_ADDRESS);
}

void tcp_address_gone(struct net *net, struct ipv4_addr addr)
{
    do_all(net, &addr, end);
}

static void go_on(struct tcp_conn *conn)
{
    tcp_path_check_link(conn);
    tcp_timer_hurry(conn);
}

void tcp_address_back(struct net *net, struct ipv4_addr addr)
{
    do_all(net, &addr, go_on);
}

void tcp_check_links(struct net *net)
{
    net->tcp.ways_seen = net->routes->changes;
    do_all(net, NULL, tcp_path_check_link);
}
