/*
 * net/interface.h - network cards and the addresses that they have.
 *
 * Interfaces are numbered from 0 in the order of net_attach(). One without an
 * address receives broadcasts only, and what interface_hear_all() opens for a
 * DHCP client; the stack behaves as if it were not there otherwise. Values are
 * plain: where they came from is the caller's to remember.
 *
 * A stack answers to each of its addresses on every interface (RFC 1122
 * 3.3.4.2, the weak model). One address for an interface.
 */
#ifndef NET_INTERFACE_H
#define NET_INTERFACE_H

#include "kernel/base.h"
#include "net/acd.h"
#include "net/addr.h"
#include "net/net.h"
#include "net/netdev.h"

struct net_if;

enum {
    INTERFACES_MAX = 4,
    INTERFACE_MTU_MIN = NETDEV_MTU_MIN,
    INTERFACE_MTU_NO_CARD = 1500
};

/*
 * Give an interface an address, or another.
 *
 * The gateway or the prefix alone may change: connections do not notice.
 * Another address than before (interface_clear_address() in between or not)
 * ends the connections of the old one with TCP_END_ADDRESS, and takes the
 * static routes and neighbours of the interface with it. The address is
 * announced on the link, twice (RFC 5227 2.3), and the host is told by
 * NET_ADDRESS_CHANGED.
 *
 * index:   below the number of interfaces.
 * address: copied.
 * Returns: NET_OK; NET_BAD_ADDRESS: not a host's unicast address on that
 *          network, or another interface's; nothing has changed then.
 */
MUST_CHECK enum net_status
interface_set_address(struct net *net, unsigned index,
                      const struct net_address *address, uint64_t now_us);

/*
 * Take an interface's address away, with its gateway, static routes and
 * neighbours. Connections of the address wait as if a cable had been pulled:
 * they go on at once when it is set again, and end by their own time-outs (R2,
 * the user's) when it is not. The host is told by NET_ADDRESS_CHANGED.
 */
void interface_clear_address(struct net *net, unsigned index, uint64_t now_us);

/*
 * Send no larger packets than these; for DHCP's option 26. Connections send
 * what is in flight again, in smaller segments, when it is less than before.
 *
 * mtu_bytes: INTERFACE_MTU_MIN or more; more than the card's own: the card's.
 *            0: the card's own.
 * Returns:   NET_OK; NET_BAD_ADDRESS: too small, nothing has changed.
 */
MUST_CHECK enum net_status interface_set_mtu(struct net *net, unsigned index,
                                             uint16_t mtu_bytes);

/*
 * Deliver datagrams for this UDP port whatever their destination address, as
 * long as the frame was for us or for everybody; 0: none. A DHCP client on port
 * 68 is answered by unicast to an address that it does not have yet.
 * Source: RFC 2131 4.1; RFC 1122 3.2.1.3 (f).
 */
void interface_hear_all(struct net *net, unsigned index, uint16_t udp_port);

struct interface_info {
    const char *name; /* of the card; "ip" where there is none */
    struct mac_addr mac;
    bool link_up;
    bool has_address;
    struct net_address address; /* zero without one */
    uint16_t mtu_bytes;
};

/* Look at an interface. Returns: false when there is none of that number. */
MUST_CHECK bool interface_get(const struct net *net, unsigned index,
                              struct interface_info *info);

/* ---- for net/ alone ---- */

struct dhcp;

/* A network card and its address. */
struct net_if {
    struct netdev *dev;       /* null: packets go to host.packet_out */
    struct ipv4_addr addr;    /* 0.0.0.0: none */
    struct ipv4_addr owned;   /* the latest that was not: connections have it */
    struct ipv4_addr gateway; /* 0.0.0.0: none */
    uint32_t mask;            /* host order */
    uint16_t mtu_bytes;
    uint16_t hear_all_port; /* see interface_hear_all() */
    uint8_t changes;        /* enum net_address_change, to be told */
    bool kick;              /* frames are enqueued that the card has not seen */
    struct acd acd;
    struct dhcp *dhcp; /* null: no client */
};

static inline bool interface_has_address(const struct net_if *nif)
{
    return !ipv4_addr_is_zero(nif->addr);
}

static inline uint8_t interface_prefix_bits(const struct net_if *nif)
{
    return (uint8_t)__builtin_popcount(nif->mask);
}

/* Whether an address lies on the network of an interface. */
static inline bool interface_on_network(const struct net_if *nif,
                                        struct ipv4_addr addr)
{
    return interface_has_address(nif) &&
           ((ipv4_addr_host(addr) ^ ipv4_addr_host(nif->addr)) & nif->mask) ==
               0;
}

/* The mask of a prefix of 0 to 32 bits, in the host's order. */
static inline uint32_t interface_mask(uint8_t prefix_bits)
{
    return prefix_bits == 0 ? 0 : UINT32_MAX << (32 - prefix_bits);
}

/* Whether an address can be one host's: RFC 1122 3.2.1.3. */
static inline bool interface_is_host(struct ipv4_addr addr)
{
    return addr.byte[0] != 0 && addr.byte[0] < 224 &&
           !ipv4_addr_is_loopback(addr);
}

/* Take / give back the page for interfaces and routes. init: false when the
 * host has none. */
MUST_CHECK bool interface_init(struct net *net);
void interface_destroy(struct net *net);

/* As net_attach(), which starts the card. */
MUST_CHECK enum net_status interface_add(struct net *net, struct netdev *dev,
                                         const struct net_address *address);

/* The interface of a number, which there must be. */
struct net_if *interface_at(struct net *net, unsigned index);

/* The interface of a card, or null. */
struct net_if *interface_of(struct net *net, const struct netdev *dev);

/* What the card said: enum netdev_event. */
void interface_device_event(struct net *net, struct net_if *nif,
                            unsigned events);

/* Tell the host something about an interface, when the stack is at rest. */
void interface_post(struct net_if *nif, enum net_address_change change);
bool interface_has_news(const struct net *net);
void interface_dispatch_events(struct net *net);

#endif
