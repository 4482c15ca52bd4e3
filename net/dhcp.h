/*
 * net/dhcp.h - a DHCP client for each interface that wants one.
 *
 * It finds an address, keeps it and gives it up, on the stack's own timers;
 * nothing has to be called while it works. The host hears of each change by
 * NET_ADDRESS_CHANGED (net/net.h) and asks here for the rest.
 *
 * Departures from RFC 2131, for the sake of boot time: no pause of 1 to 10
 * seconds before the first message (4.4.1); the address is used at once while
 * conflict detection (RFC 5227) runs behind it, and declined when that finds
 * another owner (3.1 5, 4.4.1).
 *
 * Source: RFC 2131, RFC 2132, RFC 3396, RFC 3442, RFC 6842.
 */
#ifndef NET_DHCP_H
#define NET_DHCP_H

#include "kernel/base.h"
#include "net/addr.h"
#include "net/dhcp_wire.h"
#include "net/net.h"

struct dhcp_config {
    const char *hostname;      /* sent to the server; null: none. Must stay */
    struct ipv4_addr previous; /* asked for again at first; 0.0.0.0: none */
};

/*
 * Look for an address for an interface that has none.
 *
 * index:   of an interface with a card, and without a client yet.
 * config:  copied.
 * Returns: NET_OK; NET_NO_MEMORY; NET_FULL: somebody else has port 68.
 */
MUST_CHECK enum net_status dhcp_start(struct net *net, unsigned index,
                                      const struct dhcp_config *config,
                                      uint64_t now_us);

/* What a server has lent. Times are on the stack's clock; FOREVER: never. */
struct dhcp_lease {
    struct net_address address;
    struct ipv4_addr server;
    uint64_t renew_us, rebind_us, expires_us;
    uint16_t mtu_bytes; /* 0: not said, and so below */
    struct dhcp_addrs dns, ntp;
    struct dhcp_route routes[DHCP_ROUTES_MAX];
    uint32_t route_count;
    char hostname[DHCP_NAME_BYTES];
    char domain[DHCP_NAME_BYTES];
};

/*
 * The lease of an interface.
 * Returns: false when it has none; `lease` is then undefined.
 */
MUST_CHECK bool dhcp_lease_get(const struct net *net, unsigned index,
                               struct dhcp_lease *lease);

/* "BOUND", "SELECTING": the words of RFC 2131; null: there is no client. */
const char *dhcp_state(const struct net *net, unsigned index);

/* ---- for net/ alone ---- */

/* Another host has the address of an interface. */
void dhcp_conflict(struct net *net, unsigned index);

/* The cable is back: perhaps it is another network's. */
void dhcp_link_up(struct net *net, unsigned index);

void dhcp_destroy(struct net *net);

#endif
