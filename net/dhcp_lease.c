/*
 * net/dhcp_lease.c - what a lease means: an address, routes, times.
 */
#include <string.h>

#include "net/dhcp_priv.h"
#include "net/net_priv.h"

/*
 * When to renew, to rebind and to stop: RFC 2131 4.4.5. A server's own times
 * count where they are in order (D14).
 */
static void set_times(struct dhcp_lease *lease, const struct dhcp_reply *reply,
                      uint64_t asked_us)
{
    uint64_t lease_us = reply->lease_s * UINT64_C(1000000);
    uint64_t t1_us = reply->t1_s * UINT64_C(1000000);
    uint64_t t2_us = reply->t2_s * UINT64_C(1000000);

    if (reply->lease_s == DHCP_LEASE_FOREVER) {
        lease->renew_us = lease->rebind_us = lease->expires_us = FOREVER;
        return;
    }
    if (t1_us == 0 || t1_us >= t2_us || t2_us >= lease_us) {
        t1_us = lease_us / 2;
        t2_us = lease_us / 8 * 7;
    }
    lease->renew_us = asked_us + t1_us;
    lease->rebind_us = asked_us + t2_us;
    lease->expires_us = asked_us + lease_us;
}

/* Whether a route of the reply is the default one of the address. */
static bool is_default(const struct dhcp_route *route)
{
    return route->prefix_bits == 0 && !ipv4_addr_is_zero(route->gateway);
}

static struct dhcp_lease lease_of(const struct dhcp_reply *reply)
{
    struct dhcp_lease lease = {
        .address = {reply->yiaddr, reply->prefix_bits, reply->router},
        .server = reply->server,
        .mtu_bytes = reply->mtu_bytes,
        .dns = reply->dns,
        .ntp = reply->ntp,
    };

    memcpy(lease.hostname, reply->hostname, sizeof(lease.hostname));
    memcpy(lease.domain, reply->domain, sizeof(lease.domain));
    for (uint32_t i = 0; i < reply->route_count; i++) {
        const struct dhcp_route *route = &reply->routes[i];

        if (ipv4_addr_equal(route->gateway, reply->yiaddr))
            continue; /* a way through ourselves: RFC 3442 has none */
        if (is_default(route))
            lease.address.gateway = route->gateway;
        else
            lease.routes[lease.route_count++] = *route;
    }
    return lease;
}

static bool same_address(const struct net_address *a,
                         const struct net_address *b)
{
    return ipv4_addr_equal(a->addr, b->addr) &&
           a->prefix_bits == b->prefix_bits &&
           ipv4_addr_equal(a->gateway, b->gateway);
}

/* A table that is full, or a route that makes no sense, is the server's
 * fault: we do with what there is. */
static void add_routes(struct dhcp *dhcp)
{
    for (uint32_t i = 0; i < dhcp->lease.route_count; i++) {
        const struct dhcp_route *route = &dhcp->lease.routes[i];
        const struct route_static leased = {
            .dst = route->dst,
            .gateway = route->gateway,
            .prefix_bits = route->prefix_bits,
            .interface = (uint8_t)dhcp->index,
        };

        if (route_lease(dhcp->net, &leased) != NET_OK)
            net_count(&dhcp->net->counters, dhcp_route_refused);
    }
}

/* Give the interface its address, and ask behind it whether it is free. */
static bool use_address(struct dhcp *dhcp, const struct net_address *address)
{
    const struct net_address *old = &dhcp->lease.address;
    struct net *net = dhcp->net;

    if (dhcp->has_lease && same_address(address, old))
        return true;
    if (interface_set_address(net, dhcp->index, address, net->now_us) != NET_OK)
        return false;
    if (!dhcp->has_lease || !ipv4_addr_equal(address->addr, old->addr))
        acd_probe(net, dhcp->index, address->addr, net->now_us);
    return true;
}

bool dhcp_lease_take(struct dhcp *dhcp, const struct dhcp_reply *reply)
{
    struct net *net = dhcp->net;
    struct dhcp_lease lease = lease_of(reply);

    if (!use_address(dhcp, &lease.address))
        return false;
    set_times(&lease, reply, dhcp->asked_us);
    route_unlease(net, dhcp->index);
    if (memcmp(&lease.dns, &dhcp->lease.dns, sizeof(lease.dns)) != 0)
        interface_post(&net->ifs[dhcp->index], NET_ADDRESS_CHANGED);
    dhcp->lease = lease;
    dhcp->has_lease = true;
    add_routes(dhcp);
    /* What is too small was dropped by the parser. */
    (void)!interface_set_mtu(net, dhcp->index, lease.mtu_bytes);
    interface_hear_all(net, dhcp->index, 0);
    return true;
}

void dhcp_lease_drop(struct dhcp *dhcp)
{
    if (dhcp->has_lease) {
        route_unlease(dhcp->net, dhcp->index);
        interface_clear_address(dhcp->net, dhcp->index, dhcp->net->now_us);
        (void)!interface_set_mtu(dhcp->net, dhcp->index, 0);
    }
    dhcp->has_lease = false;
    interface_hear_all(dhcp->net, dhcp->index, DHCP_CLIENT_PORT);
}
