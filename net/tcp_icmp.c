/*
 * net/tcp_icmp.c - what the network says about our segments.
 *
 * Only an opening connection ends by it, and only when the error quotes a
 * number that we have in flight: anybody can send an ICMP message. Everything
 * else is soft, and time decides. A departure from RFC 9293 SHLD-26 (codes 2
 * to 4 abort), as RFC 5927 6 advises. Code 4 is left to path MTU discovery.
 *
 * Source: RFC 9293 3.9.2.2 (MUST-54 to 56); RFC 5927 4.1, 6.
 */
#include "net/tcp_conn.h"

#include <string.h>

enum { TYPE_UNREACHABLE = 3, CODE_PROTOCOL = 2, CODE_PORT = 3 };

void tcp_icmp_error(struct net *net, struct ipv4_addr src, struct ipv4_addr dst,
                    const uint8_t *tcp_header8, uint8_t type, uint8_t code,
                    uint16_t mtu)
{
    struct {
        be16 src_port, dst_port;
        be32 seq;
    } quoted;
    struct tcp_tuple tuple;
    struct tcp_conn *conn;
    uint32_t offset;

    (void)mtu;
    if (type != TYPE_UNREACHABLE ||
        (code != CODE_PROTOCOL && code != CODE_PORT))
        return;
    memcpy(&quoted, tcp_header8, sizeof(quoted));
    tuple = (struct tcp_tuple){
        .local = src,
        .peer = dst,
        .local_port = be16_get(quoted.src_port),
        .peer_port = be16_get(quoted.dst_port),
    };
    conn = tcp_table_find(net, &tuple);
    if (!conn || !tcp_opening(conn))
        return;
    offset = be32_get(quoted.seq) - conn->snd.una;
    if (offset < tcp_flight(conn))
        tcp_conn_end(conn, TCP_END_UNREACHABLE);
}

void tcp_host_unreachable(struct net *net, struct ipv4_addr dst)
{
    struct tcp_link *list = &net->tcp.connecting, *next;

    for (struct tcp_link *at = list->next; at != list; at = next) {
        struct tcp_conn *conn = CONTAINER_OF(at, struct tcp_conn, group);

        next = at->next;
        if (ipv4_addr_equal(conn->tuple.peer, dst))
            tcp_conn_end(conn, TCP_END_UNREACHABLE);
    }
}
