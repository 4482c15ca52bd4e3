/*
 * net/tcp_input.c - whose segment is it?
 *
 * Checks what does not need a connection, then finds who takes the segment:
 * a connection, an entry in TIME-WAIT, a listener, or nobody. What only a
 * stranger to every connection can get wrong (addresses, ports, LAND) is looked
 * at last, so that it costs the others nothing.
 *
 * Source: RFC 9293 3.10.7.1, 3.10.7.2, 3.9.2.3.
 */
#include "net/checksum.h"
#include "net/tcp_conn.h"
#include "net/tcp_predict.h"

/* What can be told of a segment by itself. False: counted, to be dropped. */
static bool check(struct net *net, struct ipv4_addr src, struct ipv4_addr dst,
                  const struct buffer *segment)
{
    switch (tcp_header_status(segment->data, segment->len)) {
    case TCP_PARSE_SHORT:
        net_count(&net->counters, tcp_short);
        return false;
    case TCP_PARSE_HEADER_LEN:
        net_count(&net->counters, tcp_header_len);
        return false;
    case TCP_PARSE_OK:
        break;
    }
    if (!checksum_transport_ok(src, dst, IPV4_PROTO_TCP, segment)) {
        net_count(&net->counters, tcp_checksum);
        return false;
    }
    return true;
}

/* MUST-57, MUST-63, and LAND: a segment that we would send ourselves. */
static bool check_addresses(struct net *net, const struct tcp_tuple *tuple)
{
    if (tuple->local_port == 0 || tuple->peer_port == 0) {
        net_count(&net->counters, tcp_port);
        return false;
    }
    if (ipv4_addr_equal(tuple->local, tuple->peer) &&
        tuple->local_port == tuple->peer_port) {
        net_count(&net->counters, tcp_land);
        return false;
    }
    if (ipv4_addr_is_zero(tuple->peer) ||
        route_is_to_many(route_of(net, tuple->local)) ||
        route_is_to_many(route_of(net, tuple->peer))) {
        net_count(&net->counters, tcp_bad_address);
        return false;
    }
    return true;
}

/* RFC 9293 3.10.7.2. SYN with FIN is no way to begin; scanners send it. */
static void in_listen(struct tcp_listener *listener, struct tcp_arrival *in)
{
    struct net *net = listener->net;
    uint8_t flags = in->seg.flags;

    if (flags & TCP_RST)
        return;
    if (flags & TCP_ACK) {
        if (flags & TCP_SYN || !tcp_cookie_take(listener, in))
            tcp_reset_reply(net, in);
    } else if ((flags & (TCP_SYN | TCP_FIN)) == TCP_SYN) {
        tcp_open_passive(listener, in);
    } else {
        net_count(&net->counters, tcp_bad_flags);
    }
}

/* The segment belongs to no connection. */
static ASIDE void in_stranger(struct net *net, struct tcp_arrival *in)
{
    struct tcp_listener *listener;

    if (!check_addresses(net, &in->tuple) || tcp_time_wait_in(net, in))
        return;
    listener = tcp_listener_find(net, &in->tuple);
    if (listener) {
        in_listen(listener, in);
    } else {
        net_count(&net->counters, tcp_no_conn);
        tcp_reset_reply(net, in);
    }
}

/* Whose a segment is (null: nobody's), and what the tables know it by;
 * of a connection, that is not asked. */
struct owner {
    struct tcp_conn *conn;
    uint32_t hash;
};

/* A segment that was checked. Taken. */
static ASIDE void in_any(struct net *net, struct owner owner,
                         struct ipv4_addr src, struct ipv4_addr dst,
                         uint8_t tos, struct buffer *segment)
{
    struct tcp_arrival in; /* zeroed by tcp_parse(), and once is enough */
    enum tcp_parse_status status =
        tcp_parse(segment->data, segment->len, &in.seg);

    ASSERT(status == TCP_PARSE_OK); /* check() has looked */
    in.tuple = (struct tcp_tuple){
        .local = dst,
        .peer = src,
        .local_port = in.seg.dst_port,
        .peer_port = in.seg.src_port,
    };
    in.hash = owner.hash;
    in.ecn = tos & IPV4_ECN_MASK;
    in.dscp = tos >> 2;
    in.text = segment;
    in.gso_bytes =
        segment->flags & BUFFER_GSO_TCP4 ? segment->gso_bytes : (uint16_t)0;
    if (in.seg.bad_option)
        net_count(&net->counters, tcp_bad_option);
    in.up = in.seg.seq + in.seg.urgent;
    in.seg.text_bytes = buffer_chain_len(segment) - in.seg.header_bytes;
    buffer_pull(segment, in.seg.header_bytes);
    if (owner.conn)
        tcp_in_conn(owner.conn, &in);
    else
        in_stranger(net, &in);
    buffer_release(in.text);
}

/* The owner of a segment that is of none of the recent connections. */
static ASIDE struct owner find_owner(const struct net *net,
                                     struct ipv4_addr src, struct ipv4_addr dst,
                                     uint32_t ports)
{
    struct tcp_tuple tuple = {.local = dst, .peer = src, .ports = ports};
    uint32_t hash = tcp_table_hash(net, &tuple);
    struct tcp_conn *conn = tcp_table_find(net, &tuple, hash);

    if (conn)
        tcp_table_remember(conn);
    return (struct owner){conn, hash};
}

void tcp_input(struct net *net, struct ipv4_addr src, struct ipv4_addr dst,
               uint8_t tos, struct buffer *segment)
{
    const struct tcp_header *header = (const struct tcp_header *)segment->data;
    struct owner owner = {0};
    uint32_t ports;

    net_count(&net->counters, tcp_rx);
    if (!check(net, src, dst, segment)) {
        buffer_release(segment);
        return;
    }
    ports = tcp_header_ports(header);
    owner.conn = tcp_table_recent(net, dst, src, ports);
    if (!owner.conn)
        owner = find_owner(net, src, dst, ports);
    if (!owner.conn || !tcp_predicted(owner.conn, tos, segment))
        in_any(net, owner, src, dst, tos, segment);
}
