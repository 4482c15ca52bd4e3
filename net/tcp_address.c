/*
 * net/tcp_address.c - connections whose own address changes.
 *
 * An interface without an address stalls its connections, as a pulled cable
 * does. One that gets another address ends them at once, without a word to the
 * peer: nothing can be sent from an address that is not ours, and a reader
 * should not wait a quarter of an hour to learn so.
 *
 * Source: RFC 9293 has nothing on it; RFC 5227 2.4 (a) says that connections
 * of an address that was given up are to be ended.
 */
#include "net/tcp_conn.h"

/* The connections of one bucket; ending one may take it out and free it. */
static void end_all(struct tcp_conn *conn, struct ipv4_addr addr)
{
    while (conn) {
        struct tcp_conn *next = conn->hash_next;

        if (ipv4_addr_equal(conn->tuple.local, addr) &&
            conn->end == TCP_END_NONE)
            tcp_conn_end(conn, TCP_END_ADDRESS);
        conn = next;
    }
}

void tcp_address_gone(struct net *net, struct ipv4_addr addr)
{
    const struct tcp_buckets *buckets = &net->tcp.by_tuple;

    for (uint32_t i = 0; i < TCP_BUCKETS_PER_PAGE; i++) {
        void **page = buckets->pages[i];

        for (uint32_t j = 0; page && j < TCP_BUCKETS_PER_PAGE; j++)
            end_all(page[j], addr);
    }
}
