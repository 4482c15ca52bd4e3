/*
 * tests/host/dhcp_peer.h - a station that looks for an address, and a server
 * that says what the test wants, byte by byte.
 *
 * Shares no code with the client, so that both cannot be wrong in the same way.
 */
#ifndef TESTS_HOST_DHCP_PEER_H
#define TESTS_HOST_DHCP_PEER_H

#include "kernel/base.h"
#include "net/dhcp.h"
#include "tests/host/station.h"

#define DHCP_PEER_SERVER  0x0a000002u /* 10.0.0.2, STATION_PEER */
#define DHCP_PEER_OFFERED 0x0a000032u /* 10.0.0.50 */

struct dhcp_peer {
    struct station station;
    uint8_t message[2048]; /* that the server is writing */
    uint32_t len;

    /* The client's last message. */
    uint8_t seen[1500]; /* from op on */
    uint32_t seen_len;
    uint32_t xid;
    uint8_t type;
    bool broadcast_flag, to_all; /* BOOTP's flag; the frame's destination */
    uint16_t secs;
    uint32_t src, dst;                  /* of IP */
    uint32_t ciaddr, requested, server; /* 0: not there */
    uint64_t at_us;
};

/* A stack without an address, its client started. config: may be null. */
void dhcp_peer_init(struct dhcp_peer *peer, const struct dhcp_config *config);

/* End it. Returns: pages that were not given back. */
size_t dhcp_peer_end(struct dhcp_peer *peer);

/* Let time go by until the client has said something, at most `us`, and read
 * it. Returns: false when it said nothing. */
bool dhcp_peer_hear(struct dhcp_peer *peer, uint64_t us);

/* An option of the client's last message. Returns: its length, or -1. */
int dhcp_peer_seen_option(const struct dhcp_peer *peer, uint8_t code,
                          const uint8_t **data);

/* --- writing a reply ------------------------------------------------------ */

/* The fixed part, type and server identifier. */
void dhcp_peer_reply(struct dhcp_peer *peer, uint8_t type, uint32_t yiaddr);
void dhcp_peer_option(struct dhcp_peer *peer, uint8_t code, const void *data,
                      uint8_t len);
void dhcp_peer_option32(struct dhcp_peer *peer, uint8_t code, uint32_t value);

/* The same, with mask 255.255.255.0, router 10.0.0.254 and a lease. */
void dhcp_peer_full(struct dhcp_peer *peer, uint8_t type, uint32_t yiaddr,
                    uint32_t lease_s);

/* End the options, and send it to everybody. */
void dhcp_peer_send(struct dhcp_peer *peer);

/* Send what stands there as it is, to an Ethernet and an IP address. */
void dhcp_peer_send_raw(struct dhcp_peer *peer, const uint8_t mac[6],
                        uint32_t dst);

/* OFFER, REQUEST and ACK of DHCP_PEER_OFFERED for so long. */
void dhcp_peer_bind(struct dhcp_peer *peer, uint32_t lease_s);

/* The station's address, 0: none; its lease, which must be there. */
uint32_t dhcp_peer_address(const struct dhcp_peer *peer);
struct dhcp_lease dhcp_peer_lease(const struct dhcp_peer *peer);

#endif
