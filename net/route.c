/*
 * net/route.c - which way to an address, and which addresses are ours.
 */
#include "net/route.h"

#include "net/ipv4.h"
#include "net/net_priv.h"

/* --- addresses of ours ---------------------------------------------------- */

bool ipv4_is_ours(const struct net *net, struct ipv4_addr addr)
{
    if (ipv4_addr_is_loopback(addr))
        return true;
    for (unsigned i = 0; i < net->if_count; i++)
        if (ipv4_addr_equal(net->ifs[i].addr, addr))
            return !ipv4_addr_is_zero(addr);
    return false;
}

/* All ones, or all zeros, behind the prefix; networks of one or two addresses
 * have no broadcast address (RFC 3021). */
static bool is_directed(const struct net_if *nif, struct ipv4_addr addr)
{
    uint32_t rest = ipv4_addr_host(addr) & ~nif->mask;

    return ~nif->mask > 1 && interface_on_network(nif, addr) &&
           (rest == 0 || rest == ~nif->mask);
}

static const struct net_if *directed_if(const struct net *net,
                                        struct ipv4_addr addr)
{
    for (unsigned i = 0; i < net->if_count; i++)
        if (is_directed(&net->ifs[i], addr))
            return &net->ifs[i];
    return NULL;
}

bool ipv4_is_broadcast(const struct net *net, struct ipv4_addr addr)
{
    return ipv4_addr_host(addr) == UINT32_MAX || directed_if(net, addr);
}

/* --- the table ------------------------------------------------------------ */

static bool matches(struct ipv4_addr dst, uint8_t prefix_bits,
                    struct ipv4_addr addr)
{
    return ((ipv4_addr_host(dst) ^ ipv4_addr_host(addr)) &
            interface_mask(prefix_bits)) == 0;
}

static struct route_static *find(struct net *net, struct ipv4_addr dst,
                                 uint8_t prefix_bits, unsigned index)
{
    struct route_table *table = net->routes;

    for (unsigned i = 0; i < table->count; i++)
        if (ipv4_addr_equal(table->entry[i].dst, dst) &&
            table->entry[i].prefix_bits == prefix_bits &&
            table->entry[i].interface == index)
            return &table->entry[i];
    return NULL;
}

static bool makes_sense(const struct net *net, const struct route_static *route)
{
    return route->prefix_bits <= 32 &&
           !(ipv4_addr_host(route->dst) &
             ~interface_mask(route->prefix_bits)) &&
           (route->prefix_bits == 0 || interface_is_host(route->dst)) &&
           (ipv4_addr_is_zero(route->gateway) ||
            interface_is_host(route->gateway)) &&
           !ipv4_is_ours(net, route->gateway);
}

/* A new entry behind those of the same and of lower interfaces. */
static struct route_static *make_room(struct route_table *table, unsigned index)
{
    unsigned at = table->count++;

    for (; at > 0 && table->entry[at - 1].interface > index; at--)
        table->entry[at] = table->entry[at - 1];
    return &table->entry[at];
}

/* Take an entry out; the order of the others stays. */
static void take_out(struct route_table *table, unsigned at)
{
    table->count--;
    for (; at < table->count; at++)
        table->entry[at] = table->entry[at + 1];
}

/* Where the table is full, a server's route makes room for one by hand.
 * Returns: whether there is room now. */
static bool has_room(struct route_table *table, bool leased)
{
    unsigned at = table->count;

    if (at < ROUTES_STATIC_MAX)
        return true;
    while (!leased && at-- > 0)
        if (table->entry[at].leased) {
            take_out(table, at);
            return true;
        }
    return false;
}

static enum net_status put(struct net *net, const struct route_static *route)
{
    struct route_table *table = net->routes;
    struct route_static *entry =
        find(net, route->dst, route->prefix_bits, route->interface);

    ASSERT(route->interface < net->if_count);
    if (!makes_sense(net, route))
        return NET_BAD_ADDRESS;
    if (!entry) {
        if (!has_room(table, route->leased))
            return NET_FULL;
        entry = make_room(table, route->interface);
    }
    *entry = *route;
    route_changed(net);
    return NET_OK;
}

enum net_status route_add(struct net *net, struct ipv4_addr dst,
                          uint8_t prefix_bits, struct ipv4_addr gateway,
                          unsigned index)
{
    return put(net, &(struct route_static){dst, gateway, prefix_bits,
                                           (uint8_t)index, false});
}

enum net_status route_lease(struct net *net, const struct route_static *route)
{
    struct route_static leased = *route;
    const struct route_static *entry =
        find(net, route->dst, route->prefix_bits, route->interface);

    if (entry && !entry->leased)
        return NET_OK;
    leased.leased = true;
    return put(net, &leased);
}

bool route_delete(struct net *net, struct ipv4_addr dst, uint8_t prefix_bits,
                  unsigned index)
{
    struct route_static *entry = find(net, dst, prefix_bits, index);

    if (!entry)
        return false;
    take_out(net->routes, (unsigned)(entry - net->routes->entry));
    route_changed(net);
    return true;
}

/* Those of an interface, by hand or not. */
static void forget(struct net *net, unsigned index, bool by_hand)
{
    for (unsigned i = net->routes->count; i-- > 0;)
        if (net->routes->entry[i].interface == index &&
            (by_hand || net->routes->entry[i].leased))
            take_out(net->routes, i);
    route_changed(net);
}

void route_unlease(struct net *net, unsigned index)
{
    forget(net, index, false);
}

void route_forget(struct net *net, unsigned index)
{
    forget(net, index, true);
}

bool route_get(const struct net *net, unsigned number, struct route_info *info)
{
    unsigned at = 0;

    for (uint8_t i = 0; i < net->if_count; i++) {
        const struct net_if *nif = &net->ifs[i];
        struct ipv4_addr network =
            ipv4_addr_make(ipv4_addr_host(nif->addr) & nif->mask);

        *info = (struct route_info){network, interface_prefix_bits(nif), i,
                                    ROUTE_NETWORK, IPV4_ADDR(0, 0, 0, 0)};
        if (interface_has_address(nif) && at++ == number)
            return true;
        *info = (struct route_info){IPV4_ADDR(0, 0, 0, 0), 0, i, ROUTE_GATEWAY,
                                    nif->gateway};
        if (!ipv4_addr_is_zero(nif->gateway) && at++ == number)
            return true;
    }
    if (number - at >= net->routes->count)
        return false;
    *info = (struct route_info){net->routes->entry[number - at].dst,
                                net->routes->entry[number - at].prefix_bits,
                                net->routes->entry[number - at].interface,
                                ROUTE_STATIC,
                                net->routes->entry[number - at].gateway};
    return true;
}

/* --- the way -------------------------------------------------------------- */

/* The best way found so far. */
struct choice {
    int prefix_bits; /* -1: none */
    const struct net_if *nif;
    struct ipv4_addr next_hop;
};

static void consider(struct choice *best, int prefix_bits,
                     const struct net_if *nif, struct ipv4_addr next_hop)
{
    if (prefix_bits > best->prefix_bits)
        *best = (struct choice){prefix_bits, nif, next_hop};
}

static void consider_networks(const struct net *net, struct ipv4_addr dst,
                              struct choice *best)
{
    for (unsigned i = 0; i < net->if_count; i++) {
        const struct net_if *nif = &net->ifs[i];

        if (interface_on_network(nif, dst))
            consider(best, interface_prefix_bits(nif), nif, dst);
        if (ipv4_addr_equal(nif->gateway, dst))
            consider(best, 32, nif, dst);
    }
}

static void consider_statics(const struct net *net, struct ipv4_addr dst,
                             struct choice *best)
{
    for (unsigned i = 0; i < net->routes->count; i++) {
        const struct route_static *entry = &net->routes->entry[i];
        const struct net_if *nif = &net->ifs[entry->interface];
        bool on_link = ipv4_addr_is_zero(entry->gateway);

        if (!interface_has_address(nif))
            continue;
        if (ipv4_addr_equal(entry->gateway, dst))
            consider(best, 32, nif, dst);
        if (matches(entry->dst, entry->prefix_bits, dst))
            consider(best, entry->prefix_bits, nif,
                     on_link ? dst : entry->gateway);
    }
}

static void consider_gateways(const struct net *net, struct choice *best)
{
    for (unsigned i = 0; i < net->if_count; i++)
        if (!ipv4_addr_is_zero(net->ifs[i].gateway))
            consider(best, 0, &net->ifs[i], net->ifs[i].gateway);
}

/* To a single host that is not us. */
static struct route route_host(const struct net *net, struct ipv4_addr dst)
{
    struct choice best = {.prefix_bits = -1};

    consider_networks(net, dst, &best);
    consider_statics(net, dst, &best);
    consider_gateways(net, &best);
    if (!best.nif)
        return (struct route){.kind = ROUTE_NONE};
    return (struct route){ROUTE_HOST, (uint8_t)(best.nif - net->ifs),
                          best.next_hop};
}

/* Who has the address; 127/8, and what none has, is the first one's. */
static uint8_t index_of_addr(const struct net *net, struct ipv4_addr addr)
{
    for (uint8_t i = 0; i < net->if_count; i++)
        if (ipv4_addr_equal(net->ifs[i].addr, addr))
            return i;
    return 0;
}

/* Who sends to everybody, where nothing says another. */
static uint8_t first_with_address(const struct net *net)
{
    for (uint8_t i = 0; i < net->if_count; i++)
        if (interface_has_address(&net->ifs[i]))
            return i;
    return 0;
}

struct route route_to(const struct net *net, struct ipv4_addr dst)
{
    const struct net_if *nif;

    if (net->if_count == 0 || dst.byte[0] == 0)
        return (struct route){.kind = ROUTE_NONE};
    if (ipv4_is_ours(net, dst))
        return (struct route){ROUTE_OURSELVES, index_of_addr(net, dst), dst};
    nif = directed_if(net, dst);
    if (nif)
        return (struct route){ROUTE_MANY, (uint8_t)(nif - net->ifs), dst};
    if (ipv4_addr_is_multicast(dst) || ipv4_addr_host(dst) == UINT32_MAX)
        return (struct route){ROUTE_MANY, first_with_address(net), dst};
    if (dst.byte[0] >= 240) /* class E: RFC 1122 3.2.1.3 */
        return (struct route){.kind = ROUTE_NONE};
    return route_host(net, dst);
}

COLD void route_ask(struct net *net, struct route_slot *slot,
                    struct ipv4_addr dst)
{
    struct route way = route_to(net, dst);

    *slot = (struct route_slot){
        .dst = dst,
        .known = true,
        .may_be_source = dst.byte[0] != 0 && dst.byte[0] < 224 &&
                         !route_is_to_many(&way) && way.kind != ROUTE_OURSELVES,
        .route = way,
    };
}

void route_changed(struct net *net)
{
    net->routes->changes++;
    for (unsigned i = 0; i < ROUTE_SLOTS; i++)
        net->routes->slot[i] = (struct route_slot){0};
}

void route_neighbour_gone(struct net *net, const struct arp_entry *neighbour)
{
    for (unsigned i = 0; i < ROUTE_SLOTS; i++)
        if (net->routes->slot[i].neighbour == neighbour)
            net->routes->slot[i].neighbour = NULL;
}

unsigned route_caps(const struct net *net, const struct route *route)
{
    const struct netdev *dev = net->ifs[route->interface].dev;

    if (route->kind == ROUTE_NONE || route->kind == ROUTE_OURSELVES ||
        net->config.host.packet_out || !dev)
        return 0;
    return dev->caps;
}

bool route_is_gateway(const struct net *net, const struct net_if *nif,
                      struct ipv4_addr addr)
{
    if (ipv4_addr_is_zero(addr))
        return false;
    if (ipv4_addr_equal(nif->gateway, addr))
        return true;
    for (unsigned i = 0; i < net->routes->count; i++)
        if (&net->ifs[net->routes->entry[i].interface] == nif &&
            ipv4_addr_equal(net->routes->entry[i].gateway, addr))
            return true;
    return false;
}

bool route_on_link(const struct net *net, const struct net_if *nif,
                   struct ipv4_addr addr)
{
    if (interface_on_network(nif, addr) || route_is_gateway(net, nif, addr))
        return true;
    for (unsigned i = 0; i < net->routes->count; i++) {
        const struct route_static *entry = &net->routes->entry[i];

        if (&net->ifs[entry->interface] == nif &&
            ipv4_addr_is_zero(entry->gateway) &&
            matches(entry->dst, entry->prefix_bits, addr))
            return true;
    }
    return false;
}

/* --- for who sends -------------------------------------------------------- */

bool ipv4_source_for(const struct net *net, struct ipv4_addr dst,
                     struct ipv4_addr *src)
{
    struct route route = route_to(net, dst);

    *src = IPV4_ADDR(0, 0, 0, 0);
    if (route.kind == ROUTE_NONE)
        return false;
    *src = ipv4_addr_is_loopback(dst) ? dst : net->ifs[route.interface].addr;
    return true;
}

uint16_t ipv4_mtu_for(struct net *net, struct ipv4_addr dst)
{
    const struct route *route = route_of(net, dst);

    return route->kind == ROUTE_NONE ? (uint16_t)0
                                     : net->ifs[route->interface].mtu_bytes;
}

unsigned ipv4_caps_for(struct net *net, struct ipv4_addr dst)
{
    return route_caps(net, route_of(net, dst));
}
