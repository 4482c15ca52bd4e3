/*
 * net/tcp_icmp.c - what the network says about our segments.
 *
 * Only what quotes a number that we have in flight is looked at, and only an
 * opening connection ends by it: anybody can send an ICMP message. Everything
 * else is a soft error: it is noted, the owner may be told, and time decides.
 * A departure from RFC 9293 SHLD-26 (codes 2 to 4 abort), as RFC 5927 6
 * advises. Code 4 goes to path MTU discovery (net/tcp_path.c); source quench
 * never comes here (MUST-55).
 *
 * Source: RFC 9293 3.9.2.2 (MUST-54, MUST-56, SHLD-25); RFC 5927 4.1, 6;
 * RFC 1122 3.2.2.1, RFC 1812 5.2.7.1 (codes).
 */
#include "net/tcp_conn.h"
#include "net/tcp_path.h"

#include <string.h>

enum { CODE_TOO_BIG = 4, CODES = 16 };

/* Of "destination unreachable"; none: not about reaching it. */
static const uint8_t unreachable[CODES] = {
    [0] = TCP_SOFT_NET,         [1] = TCP_SOFT_HOST,
    [2] = TCP_SOFT_PROTOCOL,    [3] = TCP_SOFT_PORT,
    [CODE_TOO_BIG] = 0,         [5] = TCP_SOFT_ROUTE,
    [6] = TCP_SOFT_NET,         [7] = TCP_SOFT_HOST,
    [8] = TCP_SOFT_HOST,        [9] = TCP_SOFT_NET,
    [10] = TCP_SOFT_HOST,       [11] = TCP_SOFT_NET,
    [12] = TCP_SOFT_HOST,       [13] = TCP_SOFT_PROHIBITED,
    [14] = TCP_SOFT_PROHIBITED, [15] = TCP_SOFT_PROHIBITED,
};

static enum tcp_soft_error meaning(uint8_t type, uint8_t code)
{
    switch (type) {
    case ICMP_UNREACHABLE:
        return code < CODES ? (enum tcp_soft_error)unreachable[code]
                            : TCP_SOFT_NONE;
    case ICMP_TIME_EXCEEDED:
        return TCP_SOFT_TIME_EXCEEDED;
    case ICMP_PARAMETER:
        return TCP_SOFT_PARAMETER;
    default:
        return TCP_SOFT_NONE;
    }
}

/* The connection that has sent what is quoted, and waits for an answer to
 * it; or null. */
static struct tcp_conn *find(const struct net *net, struct ipv4_addr src,
                             struct ipv4_addr dst, const uint8_t *tcp_header8)
{
    struct {
        be16 src_port, dst_port;
        be32 seq;
    } quoted;
    struct tcp_tuple tuple;
    struct tcp_conn *conn;

    memcpy(&quoted, tcp_header8, sizeof(quoted));
    tuple = (struct tcp_tuple){
        .local = src,
        .peer = dst,
        .local_port = be16_get(quoted.src_port),
        .peer_port = be16_get(quoted.dst_port),
    };
    conn = tcp_table_find(net, &tuple, tcp_table_hash(net, &tuple));
    if (!conn || be32_get(quoted.seq) - conn->snd.una >= tcp_flight(conn))
        return NULL;
    return conn;
}

void tcp_soft_error(struct tcp_conn *conn, enum tcp_soft_error error)
{
    tcp_count(conn, tcp_soft_error);
    conn->soft_error = (uint8_t)error;
    if (tcp_config_of(conn)->soft_errors)
        tcp_conn_post(conn, TCP_CHANGE_SOFT_ERROR);
}

void tcp_icmp_error(struct net *net, struct ipv4_addr src, struct ipv4_addr dst,
                    const uint8_t *tcp_header8, uint8_t type, uint8_t code,
                    uint16_t mtu)
{
    struct tcp_conn *conn = find(net, src, dst, tcp_header8);
    enum tcp_soft_error error = meaning(type, code);

    if (!conn)
        net_count(&net->counters, tcp_icmp_stale);
    else if (type == ICMP_UNREACHABLE && code == CODE_TOO_BIG)
        tcp_path_too_big(conn, mtu);
    else if (error == TCP_SOFT_NONE)
        net_count(&net->counters, tcp_icmp_ignored);
    else if (tcp_opening(conn) &&
             (error == TCP_SOFT_PROTOCOL || error == TCP_SOFT_PORT))
        tcp_conn_end(conn, TCP_END_UNREACHABLE);
    else
        tcp_soft_error(conn, error);
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
