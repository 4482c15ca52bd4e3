/*
 * net/route.h - which way to an address.
 *
 * A destination is ourselves, on the network of an interface, behind a static
 * route, or behind a default gateway; the longest prefix wins, and of equal
 * ones the network, then the static route, then the gateway, and of these the
 * lower interface. A gateway is always on the link of its interface, also
 * where its address lies off the network (clouds that hand out /32). Nothing
 * is learnt from the network.
 *
 * Source: RFC 1122 3.3.1; RFC 3442 (on-link routes and gateways).
 */
#ifndef NET_ROUTE_H
#define NET_ROUTE_H

#include "kernel/base.h"
#include "net/addr.h"
#include "net/net.h"

struct arp_entry;
struct net_if;

enum { ROUTES_STATIC_MAX = 16 };

/*
 * Add a static route; one to the same destination by the same interface is
 * replaced.
 *
 * dst:     bits behind the prefix must be zero. 0.0.0.0/0 is a default route.
 * gateway: a host's address; 0.0.0.0: the destination is on the link itself.
 * index:   the interface; the route is used while that has an address.
 * Returns: NET_OK, NET_BAD_ADDRESS, NET_FULL (ROUTES_STATIC_MAX, of which none
 *          is a DHCP server's: one of those would make room).
 */
MUST_CHECK enum net_status route_add(struct net *net, struct ipv4_addr dst,
                                     uint8_t prefix_bits,
                                     struct ipv4_addr gateway, unsigned index);

/* Returns: false when there is no such static route by that interface. */
bool route_delete(struct net *net, struct ipv4_addr dst, uint8_t prefix_bits,
                  unsigned index);

enum route_origin { ROUTE_NETWORK, ROUTE_STATIC, ROUTE_GATEWAY };

struct route_info {
    struct ipv4_addr dst;
    uint8_t prefix_bits;
    uint8_t interface;
    enum route_origin origin;
    struct ipv4_addr gateway; /* 0.0.0.0: on the link */
};

/* Look at the routes, from number 0 on; loopback is not among them.
 * Returns: false behind the last one. */
MUST_CHECK bool route_get(const struct net *net, unsigned number,
                          struct route_info *info);

/* ---- for net/ alone ---- */

struct route_static {
    struct ipv4_addr dst, gateway;
    uint8_t prefix_bits;
    uint8_t interface;
    bool leased; /* said by a DHCP server */
};

enum route_kind { ROUTE_NONE, ROUTE_OURSELVES, ROUTE_HOST, ROUTE_MANY };

struct route {
    uint8_t kind;              /* enum route_kind */
    uint8_t interface;         /* whose address is ours towards there */
    struct ipv4_addr next_hop; /* dst, or the gateway before it */
};

/* The way to `dst`. */
struct route route_to(const struct net *net, struct ipv4_addr dst);

/*
 * A way that was asked for lately, in the place that its address names; what
 * kind of address somebody has is part of it. Whatever route_to() looks at may
 * only be changed by who then calls route_changed().
 */
struct route_slot {
    _Alignas(32) struct ipv4_addr dst; /* so that a shift finds the slot */
    bool known;                        /* false: an empty slot */
    bool may_be_source; /* of a packet from a link: RFC 1122 3.2.1.3 */
    struct route route;
    /* Of what was sent there last: the source; if that is ours, and the next
     * hop's MAC address known, the next hop. */
    struct ipv4_addr src;
    struct arp_entry *neighbour;
};

enum { ROUTE_SLOT_BITS = 6, ROUTE_SLOTS = 1 << ROUTE_SLOT_BITS };

struct route_table {
    struct route_slot slot[ROUTE_SLOTS];
    struct route_static entry[ROUTES_STATIC_MAX]; /* lower interfaces first */
    unsigned count;
    uint32_t changes; /* calls of route_changed() */
};

/* Fill a slot anew; route_of() in net/net_priv.h looks there first. */
void route_ask(struct net *net, struct route_slot *slot, struct ipv4_addr dst);

/* An address, a gateway or a route is not what it was. */
void route_changed(struct net *net);

/* A neighbour is forgotten. */
void route_neighbour_gone(struct net *net, const struct arp_entry *neighbour);

/* Whether the address is one of many hosts: broadcast or multicast. */
static inline bool route_is_to_many(const struct route *route)
{
    return route->kind == ROUTE_MANY;
}

/* What the device behind a route does for us: enum netdev_cap. */
unsigned route_caps(const struct net *net, const struct route *route);

/* Whether somebody goes through `addr` on an interface. */
bool route_is_gateway(const struct net *net, const struct net_if *nif,
                      struct ipv4_addr addr);

/* Whether `addr` is a neighbour on the link of an interface. */
bool route_on_link(const struct net *net, const struct net_if *nif,
                   struct ipv4_addr addr);

/* As route_add(), for a server's: it gives way to one that was added by hand,
 * and is dropped with the others of the interface by route_unlease(). */
MUST_CHECK enum net_status route_lease(struct net *net,
                                       const struct route_static *route);
void route_unlease(struct net *net, unsigned index);

/* Drop the static routes of an interface. */
void route_forget(struct net *net, unsigned index);

#endif
