/*
 * net/ipv4_fragment.h - packets cut to what a link carries, and their numbers.
 *
 * Source: RFC 791 3.2, RFC 6864, RFC 7739 (why nobody may guess the number).
 */
#ifndef NET_IPV4_FRAGMENT_H
#define NET_IPV4_FRAGMENT_H

#include "kernel/base.h"
#include "net/buffer.h"
#include "net/ipv4.h"

struct net;

/* Packets so small cross every link whole: they are sent as atomic ones, and
 * need no number (RFC 6864 4). RFC 1122 3.3.2. */
enum { IPV4_ATOMIC_BYTES = 576 };

/*
 * A number for a packet that may be cut. Unpredictable; it does not come again
 * between two hosts before 65536 others have been used in a group of
 * destinations. A departure from RFC 6864 4.3, which would have us send no more
 * than that in two minutes.
 */
uint16_t ipv4_next_id(struct net *net, const struct ipv4_header *header);

/*
 * Cut a segment.
 *
 * header:    of every packet, but for its length, offset and flags.
 * mtu_bytes: no packet is longer; INTERFACE_MTU_MIN or more.
 * segment:   longer than one packet. Not taken: the packets hold its bytes by
 *            reference.
 * Returns:   the packets, a queue through link, with headroom for Ethernet;
 *            null when the pool is exhausted.
 */
MUST_CHECK struct buffer *ipv4_fragment(struct net *net,
                                        const struct ipv4_header *header,
                                        uint16_t mtu_bytes,
                                        struct buffer *segment);

#endif
