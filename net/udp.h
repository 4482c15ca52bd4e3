/*
 * net/udp.h - UDP: datagrams to and from ports, by callback.
 *
 * Nothing is queued here: who binds a port bounds what it keeps.
 *
 * Source: RFC 768, RFC 1122 4.1.
 */
#ifndef NET_UDP_H
#define NET_UDP_H

#include "kernel/base.h"
#include "net/addr.h"
#include "net/buffer.h"
#include "net/ipv4.h"
#include "net/pool.h"

struct net;

enum { UDP_HEADER_BYTES = 8, UDP_PORTS_MAX = 256, UDP_BUCKETS = 16 };

struct udp_datagram {
    struct ipv4_addr src, dst; /* dst may be a broadcast address */
    uint16_t src_port, dst_port;
};

/*
 * A datagram has come.
 * data: its bytes, which the callee takes; null when it has none. The callee
 *       may call anything of net/, udp_unbind() included.
 */
typedef void udp_receive_fn(void *context, struct net *net,
                            const struct udp_datagram *from,
                            struct buffer *data);

enum udp_status { UDP_OK, UDP_IN_USE, UDP_NO_MEMORY };

/*
 * Receive what comes for `port`, 1 to 65535, on any of our addresses, and
 * broadcasts.
 */
MUST_CHECK enum udp_status udp_bind(struct net *net, uint16_t port,
                                    udp_receive_fn *receive, void *context);

/* Stop; a port that is not bound is left alone. */
void udp_unbind(struct net *net, uint16_t port);

/*
 * Send one datagram, at once; it leaves at net_flush().
 *
 * data:    its bytes, up to the MTU less 28; null: none. Taken, except on
 *          IPV4_FULL.
 * Returns: every enum ipv4_status.
 */
MUST_CHECK enum ipv4_status udp_send(struct net *net, uint16_t src_port,
                                     struct ipv4_addr dst, uint16_t dst_port,
                                     struct buffer *data);

/* ---- for net.c and ipv4.c ---- */

struct udp_port;

struct udp {
    struct pool pool;
    struct udp_port *bucket[UDP_BUCKETS];
};

void udp_init(struct net *net);
void udp_destroy(struct net *net);

/* A datagram has come; data at the UDP header. Taken. */
void udp_input(struct net *net, const struct ipv4_packet *ip,
               struct buffer *segment);

#endif
