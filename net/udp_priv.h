/*
 * net/udp_priv.h - what the files of UDP share.
 */
#ifndef NET_UDP_PRIV_H
#define NET_UDP_PRIV_H

#include "net/udp.h"

/* A datagram that waits. */
struct udp_packet {
    struct udp_packet *next;
    struct buffer *data; /* null: empty */
    struct udp_datagram from;
    uint32_t held_bytes;
};

struct udp_socket {
    struct udp_socket *next; /* of the bucket */
    struct net *net;
    udp_receive_fn *receive;
    void (*event)(void *context);
    void *context;
    struct udp_packet *first, *last; /* the queue */
    uint32_t queue_bytes_max;
    struct udp_info info;
    bool broadcast;
    uint8_t error; /* enum udp_status; UDP_OK: none waits */
};

/* Who hears what comes to dst:port from src:port; null: nobody. */
struct udp_socket *udp_find(struct net *net, const struct udp_datagram *from);

/* A datagram for a socket; data null when it is empty. Taken. */
void udp_deliver(struct udp_socket *socket, const struct udp_datagram *from,
                 struct buffer *data);

/*
 * Send a datagram.
 * to:      src 0.0.0.0: our address towards dst.
 * data:    taken, except on IPV4_FULL.
 */
MUST_CHECK enum ipv4_status
udp_output(struct net *net, const struct udp_datagram *to, struct buffer *data);

/* The same of plain memory, which is copied, and summed on the way where no
 * device does that. */
MUST_CHECK enum ipv4_status udp_output_bytes(struct net *net,
                                             const struct udp_datagram *to,
                                             const void *data, size_t bytes);

/* The same to a broadcast address, out of one interface, with src as it
 * stands: ipv4_output_on(). */
MUST_CHECK enum ipv4_status udp_output_on(struct net *net, unsigned interface,
                                          const struct udp_datagram *to,
                                          struct buffer *data);

#endif
