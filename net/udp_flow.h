/*
 * net/udp_flow.h - UDP as an application sees it: blocking calls on sockets.
 *
 * In the style of net/flow.h: a call that has to wait blocks the calling green
 * thread and lets the others run; it ends at the latest with its deadline or
 * with thread_cancel(). Several threads may use one flow; each datagram goes
 * to one of them. For threads only, never for interrupt handlers.
 */
#ifndef NET_UDP_FLOW_H
#define NET_UDP_FLOW_H

#include "kernel/base.h"
#include "net/addr.h"
#include "net/buffer.h"
#include "net/udp.h"

struct udpv4;    /* opaque: one UDP instance; stack_udp() */
struct udp_flow; /* opaque: one socket, and who waits on it */

/*
 * Take a port.
 *
 * local:   one of our addresses, or 0.0.0.0 for all, and for broadcasts.
 * port:    0: an ephemeral one, by chance (RFC 6056).
 * flow:    set on UDP_OK; the caller's until udp_flow_close(). Null otherwise.
 * Blocks:  never.
 * Returns: UDP_OK, UDP_IN_USE, UDP_NO_MEMORY, UDP_BAD_ADDRESS.
 */
MUST_CHECK enum udp_status udpv4_bind(struct udpv4 *udp, struct ipv4_addr local,
                                      uint16_t port, struct udp_flow **flow);

/* udpv4_bind() with an ephemeral port, then udp_flow_connect(). Returns: what
 * either of them does. */
MUST_CHECK enum udp_status udpv4_connect(struct udpv4 *udp,
                                         struct ipv4_addr peer, uint16_t port,
                                         struct udp_flow **flow);

/*
 * From now on only this peer is heard, and ICMP errors about it are told.
 * Blocks:  never.
 * Returns: as udp_connect().
 */
MUST_CHECK enum udp_status
udp_flow_connect(struct udp_flow *flow, struct ipv4_addr peer, uint16_t port);

/*
 * Allow (true) or forbid (false, the default) sending to broadcast addresses.
 */
void udp_flow_set_broadcast(struct udp_flow *flow, bool on);

/*
 * Send one datagram without copying it.
 *
 * dst, port:   0.0.0.0 and 0: the peer of udp_flow_connect().
 * data:        taken, whatever the result; unchanged until released. Null:
 *              an empty datagram.
 * deadline_us: on clock_us(), or FOREVER.
 * Blocks:      while the card is full.
 * Returns:     as udp_send_to(), but for UDP_AGAIN; UDP_DEADLINE,
 *              UDP_CANCELLED, UDP_CLOSED.
 */
MUST_CHECK enum udp_status udp_flow_send_to(struct udp_flow *flow,
                                            struct ipv4_addr dst, uint16_t port,
                                            struct buffer *data,
                                            uint64_t deadline_us);

/* The same in answer to a datagram, from the address that it was sent to;
 * UDP_NO_BROADCAST when that is not ours alone. */
MUST_CHECK enum udp_status udp_flow_reply(struct udp_flow *flow,
                                          const struct udp_datagram *from,
                                          struct buffer *data,
                                          uint64_t deadline_us);

/* The same with plain memory, which is copied, to the peer of
 * udp_flow_connect(). Null: no bytes. */
MUST_CHECK enum udp_status udp_flow_send(struct udp_flow *flow,
                                         const void *data, size_t bytes,
                                         uint64_t deadline_us);

/*
 * The next datagram, without copying.
 *
 * from:        who sent it, and to which address of ours; set on UDP_OK.
 * data:        set on UDP_OK: a chain that the caller releases, null for an
 *              empty datagram; to null otherwise.
 * deadline_us: on clock_us(), or FOREVER.
 * Blocks:      until there is one, or an ICMP error about the peer.
 * Returns:     UDP_OK, UDP_REFUSED, UDP_UNREACHABLE, UDP_TOO_BIG (the flow can
 *              be used on after each), UDP_DEADLINE, UDP_CANCELLED, UDP_CLOSED.
 */
MUST_CHECK enum udp_status udp_flow_receive(struct udp_flow *flow,
                                            struct udp_datagram *from,
                                            struct buffer **data,
                                            uint64_t deadline_us);

/*
 * The same into plain memory.
 *
 * out, bytes:     what does not fit of the datagram is lost.
 * received_bytes: the datagram's whole size, even when that is more; set to 0
 *                 unless the answer is UDP_OK.
 */
MUST_CHECK enum udp_status udp_flow_receive_into(struct udp_flow *flow,
                                                 struct udp_datagram *from,
                                                 void *out, size_t bytes,
                                                 size_t *received_bytes,
                                                 uint64_t deadline_us);

/* Give the port back. Others that wait are woken with UDP_CLOSED; the handle
 * is gone when they have returned. */
void udp_flow_close(struct udp_flow *flow);

/* Addresses, ports, what waits, and what found no room. */
void udp_flow_info(const struct udp_flow *flow, struct udp_info *info);

/* A pool to allocate and wrap buffers from, for udp_flow_send_to(). */
struct buffer_pool *udp_flow_pool(const struct udp_flow *flow);

#endif
