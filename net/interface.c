/*
 * net/interface.c - network cards and the addresses that they have.
 *
 * Which packet goes where is asked in net/route.c.
 */
#include "net/interface.h"

#include "net/net_priv.h"

/* What stands on the page. */
struct interfaces {
    struct net_if ifs[INTERFACES_MAX];
    struct route_table routes;
};

_Static_assert(sizeof(struct interfaces) <= PAGE_BYTES, "one page");

bool interface_init(struct net *net)
{
    struct interfaces *interfaces = pages_take(&net->pages);

    if (!interfaces)
        return false;
    *interfaces = (struct interfaces){0};
    net->ifs = interfaces->ifs;
    net->routes = &interfaces->routes;
    return true;
}

void interface_destroy(struct net *net)
{
    if (net->ifs)
        pages_give(&net->pages, net->ifs);
}

struct net_if *interface_at(struct net *net, unsigned index)
{
    ASSERT(index < net->if_count);
    return &net->ifs[index];
}

struct net_if *interface_of(struct net *net, const struct netdev *dev)
{
    for (unsigned i = 0; i < net->if_count; i++)
        if (net->ifs[i].dev == dev)
            return &net->ifs[i];
    return NULL;
}

/* Whether it is an address and a way out for one host. */
static bool address_ok(const struct net_address *address)
{
    uint32_t rest;

    if (address->prefix_bits > 32 || !interface_is_host(address->addr))
        return false;
    if (!ipv4_addr_is_zero(address->gateway) &&
        (!interface_is_host(address->gateway) ||
         ipv4_addr_equal(address->gateway, address->addr)))
        return false;
    if (address->prefix_bits > 30) /* RFC 3021 */
        return true;
    rest =
        ipv4_addr_host(address->addr) & ~interface_mask(address->prefix_bits);
    return rest != 0 && rest != ~interface_mask(address->prefix_bits);
}

static bool used_by_another(const struct net *net, const struct net_if *nif,
                            struct ipv4_addr addr)
{
    for (unsigned i = 0; i < net->if_count; i++)
        if (&net->ifs[i] != nif && ipv4_addr_equal(net->ifs[i].addr, addr))
            return true;
    return false;
}

/* What hangs on the network that an interface is on. */
static void forget_network(struct net *net, struct net_if *nif)
{
    route_forget(net, (unsigned)(nif - net->ifs));
    arp_forget(net, nif);
}

/* What hangs on its address as well. */
static void forget_address(struct net *net, struct net_if *nif)
{
    forget_network(net, nif);
    acd_forget(net, nif);
    ipv4_reass_forget(net, nif);
}

/* Another address than that of before: its connections end, unless it has
 * moved to another interface. Those of the new one are there if it was ours
 * already. */
static void own(struct net *net, struct net_if *nif)
{
    struct ipv4_addr before = nif->owned;

    nif->owned = nif->addr;
    if (!ipv4_addr_is_zero(before) && !ipv4_is_ours(net, before))
        tcp_address_gone(net, before);
    tcp_address_back(net, nif->addr);
}

enum net_status interface_set_address(struct net *net, unsigned index,
                                      const struct net_address *address,
                                      uint64_t now_us)
{
    struct net_if *nif = interface_at(net, index);
    bool moved = !ipv4_addr_equal(nif->addr, address->addr);
    bool resized;
    uint32_t mask;

    net_set_now(net, now_us);
    if (!address_ok(address) || used_by_another(net, nif, address->addr))
        return NET_BAD_ADDRESS;
    mask = interface_mask(address->prefix_bits);
    resized = nif->mask != mask;
    if (!moved && !resized && ipv4_addr_equal(nif->gateway, address->gateway))
        return NET_OK;
    if (moved)
        forget_address(net, nif);
    else if (resized)
        forget_network(net, nif);
    nif->addr = address->addr;
    nif->gateway = address->gateway;
    nif->mask = mask;
    route_changed(net);
    own(net, nif);
    if (moved)
        acd_announce(net, nif);
    interface_post(nif, NET_ADDRESS_CHANGED);
    return NET_OK;
}

void interface_clear_address(struct net *net, unsigned index, uint64_t now_us)
{
    struct net_if *nif = interface_at(net, index);

    net_set_now(net, now_us);
    if (!interface_has_address(nif))
        return;
    forget_address(net, nif);
    nif->addr = IPV4_ADDR(0, 0, 0, 0);
    nif->gateway = IPV4_ADDR(0, 0, 0, 0);
    nif->mask = UINT32_MAX;
    route_changed(net);
    interface_post(nif, NET_ADDRESS_CHANGED);
}

/* Connections cut their text anew when it is less. */
static void set_mtu(struct net *net, struct net_if *nif, uint16_t mtu_bytes)
{
    bool lowered = mtu_bytes < nif->mtu_bytes;

    nif->mtu_bytes = mtu_bytes;
    if (lowered)
        tcp_check_links(net);
}

/* The largest packet that a card takes. */
static uint16_t own_mtu(const struct netdev *dev)
{
    return dev ? dev->mtu_bytes : (uint16_t)INTERFACE_MTU_NO_CARD;
}

enum net_status interface_set_mtu(struct net *net, unsigned index,
                                  uint16_t mtu_bytes)
{
    struct net_if *nif = interface_at(net, index);
    uint16_t own_bytes = own_mtu(nif->dev);

    if (mtu_bytes != 0 && mtu_bytes < INTERFACE_MTU_MIN)
        return NET_BAD_ADDRESS;
    set_mtu(net, nif,
            mtu_bytes != 0 && mtu_bytes < own_bytes ? mtu_bytes : own_bytes);
    return NET_OK;
}

void interface_hear_all(struct net *net, unsigned index, uint16_t udp_port)
{
    interface_at(net, index)->hear_all_port = udp_port;
}

enum net_status interface_add(struct net *net, struct netdev *dev,
                              const struct net_address *address)
{
    unsigned index = net->if_count;
    struct net_if *nif = &net->ifs[index];

    if (address &&
        (!address_ok(address) || used_by_another(net, NULL, address->addr)))
        return NET_BAD_ADDRESS;
    if (index == INTERFACES_MAX)
        return NET_FULL;
    net->if_count++;
    *nif = (struct net_if){
        .dev = dev,
        .mask = UINT32_MAX,
        .mtu_bytes = own_mtu(dev),
    };
    route_changed(net);
    if (dev)
        dev->ops->start(dev, net->pool);
    return address ? interface_set_address(net, index, address, net->now_us)
                   : NET_OK;
}

bool interface_get(const struct net *net, unsigned index,
                   struct interface_info *info)
{
    const struct net_if *nif;

    if (index >= net->if_count)
        return false;
    nif = &net->ifs[index];
    *info = (struct interface_info){
        .name = nif->dev ? nif->dev->name : "ip",
        .mac = nif->dev ? nif->dev->mac : (struct mac_addr){{0}},
        .link_up = !nif->dev || nif->dev->link_up,
        .has_address = interface_has_address(nif),
        .address = {nif->addr,
                    interface_has_address(nif) ? interface_prefix_bits(nif)
                                               : (uint8_t)0,
                    nif->gateway},
        .mtu_bytes = nif->mtu_bytes,
    };
    return true;
}

/* --- news ----------------------------------------------------------------- */

void interface_device_event(struct net *net, struct net_if *nif,
                            unsigned events)
{
    /* After a reset the card may carry less than before. */
    if (events & NETDEV_EV_RESET && nif->mtu_bytes > nif->dev->mtu_bytes)
        set_mtu(net, nif, nif->dev->mtu_bytes);
    if (events & (NETDEV_EV_LINK_UP | NETDEV_EV_ANNOUNCE | NETDEV_EV_RESET) &&
        interface_has_address(nif))
        acd_announce(net, nif);
    if (events & NETDEV_EV_LINK_UP) {
        if (interface_has_address(nif))
            tcp_address_back(net, nif->addr);
        dhcp_link_up(net, (unsigned)(nif - net->ifs));
    }
}

void interface_post(struct net_if *nif, enum net_address_change change)
{
    nif->changes |= (uint8_t)change;
}

bool interface_has_news(const struct net *net)
{
    for (unsigned i = 0; i < net->if_count; i++)
        if (net->ifs[i].changes)
            return true;
    return false;
}

/* Whether what is to be told means that somebody has its own address; a host
 * may have asked about any other. */
static bool is_contested(const struct net_if *nif)
{
    return nif->changes & NET_ADDRESS_CONFLICT ||
           (nif->changes & NET_ADDRESS_IN_USE &&
            ipv4_addr_equal(nif->acd.addr, nif->addr));
}

void interface_dispatch_events(struct net *net)
{
    for (unsigned i = 0; i < net->if_count; i++) {
        unsigned changes = net->ifs[i].changes;

        if (is_contested(&net->ifs[i]))
            dhcp_conflict(net, i);
        changes |= net->ifs[i].changes;
        net->ifs[i].changes = 0;
        if (changes && net->config.host.address_event)
            net->config.host.address_event(net->config.host.context, i,
                                           changes);
    }
}
