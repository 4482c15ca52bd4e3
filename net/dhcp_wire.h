/*
 * net/dhcp_wire.h - DHCP messages: read with distrust, written.
 *
 * No state and no decision: net/dhcp.c has both.
 *
 * Source: RFC 2131 2 and 4.1, RFC 2132, RFC 3396 (long options), RFC 3442
 *         (classless routes), RFC 6842 (client identifier).
 */
#ifndef NET_DHCP_WIRE_H
#define NET_DHCP_WIRE_H

#include "kernel/base.h"
#include "net/addr.h"

enum {
    DHCP_SERVER_PORT = 67,
    DHCP_CLIENT_PORT = 68,
    DHCP_FIXED_BYTES = 240,    /* up to the options, cookie included */
    DHCP_MESSAGE_BYTES = 548,  /* of ours, at most: all relays carry it */
    DHCP_RECEIVE_BYTES = 1472, /* of a server's: a frame without fragments */
    DHCP_PADDED_BYTES = 300, /* ... at least: BOOTP relays want it, RFC 1542 */
    DHCP_ADDRS_MAX = 4,      /* of a list that are kept */
    DHCP_ROUTES_MAX = 8,
    DHCP_NAME_BYTES = 64, /* a label or a short domain, zero-terminated */
    DHCP_LEASE_FOREVER = 0xffffffff
};

enum dhcp_type {
    DHCP_DISCOVER = 1,
    DHCP_OFFER = 2,
    DHCP_REQUEST = 3,
    DHCP_DECLINE = 4,
    DHCP_ACK = 5,
    DHCP_NAK = 6
};

struct dhcp_addrs {
    struct ipv4_addr addr[DHCP_ADDRS_MAX];
    uint32_t count;
};

struct dhcp_route {
    struct ipv4_addr dst;
    uint8_t prefix_bits;
    struct ipv4_addr gateway; /* 0.0.0.0: on the link */
};

/* What a server says. Options that are absent, or make no sense and are not
 * essential, are zero. */
struct dhcp_reply {
    enum dhcp_type type; /* DHCP_OFFER, DHCP_ACK or DHCP_NAK */
    uint32_t xid;
    struct mac_addr client;
    struct ipv4_addr yiaddr;
    struct ipv4_addr server; /* its identifier, never zero */
    uint32_t lease_s, t1_s, t2_s;
    uint8_t prefix_bits;
    struct ipv4_addr router; /* RFC 3442: none where routes were given */
    uint16_t mtu_bytes;
    struct dhcp_addrs dns, ntp;
    struct dhcp_route routes[DHCP_ROUTES_MAX];
    uint32_t route_count;
    char hostname[DHCP_NAME_BYTES];
    char domain[DHCP_NAME_BYTES];
};

/*
 * Read a message from a server.
 *
 * reply:   set when the answer is true, undefined otherwise.
 * Returns: false for what is no reply of a server to an Ethernet client: too
 *          short, a request, another hardware, no magic cookie, options that
 *          run past their field, no message type, no server identifier, a
 *          client identifier that is not `client`'s, an address that no host
 *          can have, a mask with holes, no lease time.
 */
MUST_CHECK bool dhcp_parse(const uint8_t *bytes, size_t len,
                           struct dhcp_reply *reply);

/* The transaction of a message, for a first look at 8 bytes; 0 when it is too
 * short or no reply. */
uint32_t dhcp_peek_xid(const uint8_t *bytes, size_t len);

/* What a client says. Zero addresses are not sent. */
struct dhcp_request {
    enum dhcp_type type; /* DHCP_DISCOVER, DHCP_REQUEST or DHCP_DECLINE */
    uint32_t xid;
    uint16_t secs;
    bool broadcast; /* the answer cannot come to an address of ours yet */
    struct mac_addr client;
    struct ipv4_addr ciaddr;    /* which we have */
    struct ipv4_addr requested; /* option 50 */
    struct ipv4_addr server;    /* option 54 */
    uint16_t message_bytes_max; /* option 57 */
    const char *hostname;       /* option 12; null: none */
};

/*
 * Write a message.
 * out:     DHCP_MESSAGE_BYTES.
 * Returns: the bytes written, DHCP_PADDED_BYTES at least.
 */
size_t dhcp_emit(uint8_t out[DHCP_MESSAGE_BYTES],
                 const struct dhcp_request *request);

#endif
