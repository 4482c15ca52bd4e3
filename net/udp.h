/*
 * net/udp.h - UDP: datagrams to and from ports, without blocking.
 *
 * A socket owns one port. What comes for it is handed to a callback at once,
 * or waits in the socket's bounded queue; what finds no room there is dropped
 * and counted. net/udp_flow.h is the blocking form.
 *
 * Source: RFC 768, RFC 1122 4.1, RFC 6056 (ephemeral ports), RFC 8085.
 */
#ifndef NET_UDP_H
#define NET_UDP_H

#include "kernel/base.h"
#include "net/addr.h"
#include "net/buffer.h"
#include "net/ipv4.h"
#include "net/pool.h"

struct net;
struct udp_socket; /* opaque */

enum {
    UDP_HEADER_BYTES = 8,
    UDP_DATA_BYTES_MAX = 65507, /* in one IPv4 packet without options */
    UDP_PORTS_MAX = 256,
    UDP_BUCKETS = 32,
    UDP_QUEUE_BYTES = 256 * 1024, /* of a socket that does not say */
    UDP_EPHEMERAL_FIRST = 32768,  /* RFC 6056 3.2 wants many to choose from */
    UDP_EPHEMERAL_LAST = 65535
};

struct udp_datagram {
    struct ipv4_addr src, dst; /* dst may be a broadcast address */
    uint16_t src_port, dst_port;
};

enum udp_status {
    UDP_OK,
    UDP_AGAIN,         /* nothing to receive; the card is full */
    UDP_IN_USE,        /* somebody has the port */
    UDP_NO_MEMORY,     /* or too many sockets */
    UDP_BAD_ADDRESS,   /* not an address to send to, or not ours */
    UDP_NOT_CONNECTED, /* no address was given, and there is no peer */
    UDP_NO_BROADCAST,  /* a broadcast address, and the socket may not */
    UDP_NO_ROUTE,
    UDP_TOO_BIG,     /* more than fits in a packet */
    UDP_REFUSED,     /* ICMP: nobody listens at the peer's port */
    UDP_UNREACHABLE, /* ICMP: the peer cannot be reached */
    UDP_DEADLINE,    /* net/udp_flow.h: the deadline passed */
    UDP_CANCELLED,   /* net/udp_flow.h: thread_cancel() */
    UDP_CLOSED,      /* net/udp_flow.h: closed while others waited */
    UDP_STATUS_COUNT
};

/* A message for a person, for every value there is. Never null. */
const char *udp_status_text(enum udp_status status);

/*
 * A datagram has come.
 * data: its bytes, which the callee takes; null when it has none. The callee
 *       may call anything of net/, udp_close() included.
 */
typedef void udp_receive_fn(void *context, struct net *net,
                            const struct udp_datagram *from,
                            struct buffer *data);

struct udp_options {
    struct ipv4_addr local;   /* 0.0.0.0: any of ours, and broadcasts */
    uint16_t port;            /* 0: an ephemeral one, by chance */
    bool broadcast;           /* may send to broadcast addresses */
    uint32_t queue_bytes_max; /* the memory that waits; 0: UDP_QUEUE_BYTES */
    udp_receive_fn *receive;  /* null: the queue */
    /*
     * There is something to receive, or an error to take; may be null. Called
     * from within net_input() and net_run(): it may take note, and no more.
     */
    void (*event)(void *context);
    void *context; /* of both */
};

/*
 * Take a port.
 *
 * options: copied.
 * socket:  set on UDP_OK; the caller's until udp_close(). Null otherwise.
 * Returns: UDP_OK, UDP_IN_USE, UDP_NO_MEMORY, UDP_BAD_ADDRESS (`local` is not
 *          one of our addresses).
 */
MUST_CHECK enum udp_status udp_open(struct net *net,
                                    const struct udp_options *options,
                                    struct udp_socket **socket);

/* Give the port back, and drop what waits in the queue. */
void udp_close(struct udp_socket *socket);

/* Allow or forbid sending to broadcast addresses. */
void udp_set_broadcast(struct udp_socket *socket, bool on);

/*
 * From now on only this peer is heard, and ICMP errors about it come as
 * statuses. Datagrams of others find no listener. What waits is dropped.
 *
 * Returns: UDP_OK; UDP_BAD_ADDRESS (0.0.0.0, port 0); UDP_NO_ROUTE;
 *          UDP_NO_BROADCAST.
 */
MUST_CHECK enum udp_status udp_connect(struct udp_socket *socket,
                                       struct ipv4_addr peer, uint16_t port);

/*
 * Send one datagram; it leaves at net_flush().
 *
 * dst, port: 0.0.0.0 and 0: the peer of udp_connect().
 * data:      up to UDP_DATA_BYTES_MAX bytes; null: none. Taken, except on
 *            UDP_AGAIN.
 * Returns:   UDP_OK (sent, or waiting for ARP); UDP_AGAIN; UDP_BAD_ADDRESS,
 *            UDP_NOT_CONNECTED, UDP_NO_BROADCAST, UDP_NO_ROUTE, UDP_NO_MEMORY,
 *            UDP_TOO_BIG; UDP_REFUSED, UDP_UNREACHABLE and UDP_TOO_BIG also
 *            for an error of ICMP that had come before, once for each.
 */
MUST_CHECK enum udp_status udp_send_to(struct udp_socket *socket,
                                       struct ipv4_addr dst, uint16_t port,
                                       struct buffer *data);

/* The same with plain memory, which is copied. */
MUST_CHECK enum udp_status udp_send_bytes(struct udp_socket *socket,
                                          struct ipv4_addr dst, uint16_t port,
                                          const void *data, size_t bytes);

/*
 * Answer a datagram, from the address that it was sent to (RFC 1122 4.1.3.5).
 *
 * from:    as udp_receive() gave it.
 * data:    as of udp_send_to().
 * Returns: as udp_send_to(); UDP_NO_BROADCAST when it was sent to many: who
 *          answers those helps to flood others.
 */
MUST_CHECK enum udp_status udp_reply(struct udp_socket *socket,
                                     const struct udp_datagram *from,
                                     struct buffer *data);

/*
 * Take the oldest datagram that waits.
 *
 * from, data: set on UDP_OK; data, null for an empty datagram, is the
 *             caller's.
 * Returns:    UDP_OK, UDP_AGAIN; UDP_REFUSED, UDP_UNREACHABLE and
 *             UDP_TOO_BIG, once for each error of ICMP, after the datagrams
 *             that wait.
 */
MUST_CHECK enum udp_status udp_receive(struct udp_socket *socket,
                                       struct udp_datagram *from,
                                       struct buffer **data);

struct udp_info {
    struct ipv4_addr local, peer; /* 0.0.0.0: any; not connected */
    uint16_t port, peer_port;
    uint32_t queued;       /* datagrams that wait */
    uint32_t queued_bytes; /* the memory that they hold */
    uint64_t received, sent;
    uint64_t dropped; /* found no room in the queue */
};
void udp_info_get(const struct udp_socket *socket, struct udp_info *info);

/* Call `fn` for each socket. No call of udp_open() and udp_close() inside. */
void udp_for_each(const struct net *net,
                  void (*fn)(void *context, const struct udp_info *info),
                  void *context);

/* ---- short forms, for protocols that own a well-known port ---- */

/* udp_open() with a callback; udp_close() by port, if it is bound. */
MUST_CHECK enum udp_status udp_bind(struct net *net, uint16_t port,
                                    udp_receive_fn *receive, void *context);
void udp_unbind(struct net *net, uint16_t port);

/*
 * Send one datagram from any port, bound or not. As udp_send_to(), with the
 * words of the layer below.
 *
 * data:    taken, except on IPV4_FULL.
 * Returns: every enum ipv4_status.
 */
MUST_CHECK enum ipv4_status udp_send(struct net *net, uint16_t src_port,
                                     struct ipv4_addr dst, uint16_t dst_port,
                                     struct buffer *data);

/* ---- for net.c, ipv4.c and icmp.c ---- */

struct udp {
    struct pool sockets;
    struct pool packets;   /* what waits in queues */
    uint64_t queued_bytes; /* of all sockets */
    struct udp_socket *bucket[UDP_BUCKETS];
};

void udp_init(struct net *net);
void udp_destroy(struct net *net);

/* A datagram has come; data at the UDP header. Taken. */
void udp_input(struct net *net, const struct ipv4_packet *ip,
               struct buffer *segment);

/*
 * An ICMP error about a datagram of ours, or ARP's word for one.
 * header: the first 8 bytes of what was sent, as it came back.
 * error:  UDP_REFUSED, UDP_UNREACHABLE or UDP_TOO_BIG.
 */
void udp_error(struct net *net, struct ipv4_addr src, struct ipv4_addr dst,
               const uint8_t header[UDP_HEADER_BYTES], enum udp_status error);

#endif
