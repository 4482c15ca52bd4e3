/*
 * boot/settings.c - what the network is set to, and who has said so.
 */
#include "boot/settings.h"

#include "boot/config.h"
#include "kernel/format.h"
#include "kernel/log.h"
#include "net/dhcp.h"
#include "net/dns.h"
#include "net/stack.h"

enum { ORIGIN_BYTES = 32 /* "DHCP server 255.255.255.255" */ };

/* Where a setting comes from. */
struct origin {
    char text[ORIGIN_BYTES];
};

static struct origin by_line(bool given)
{
    struct origin origin;

    format_text(origin.text, sizeof(origin.text), "%s",
                given ? "command line" : "default");
    return origin;
}

static struct origin by_dhcp(const struct dhcp_lease *lease)
{
    struct origin origin;
    char server[IPV4_TEXT_BYTES];

    format_text(origin.text, sizeof(origin.text), "DHCP server %s",
                ipv4_addr_text(lease->server, server));
    return origin;
}

/* "net0: gateway 10.0.0.1 (command line)". */
static void say_addr(const char *what, struct ipv4_addr addr,
                     const struct origin *origin)
{
    char text[IPV4_TEXT_BYTES];

    log_at(LOG_INFO, "net", "%s %s (%s)", what, ipv4_addr_text(addr, text),
           origin->text);
}

static void say_interface(const struct interface_info *info,
                          const struct origin *origin)
{
    const struct net_address *address = &info->address;
    char addr[IPV4_TEXT_BYTES];

    log_at(LOG_INFO, "net", "%s: address %s/%u (%s)", info->name,
           ipv4_addr_text(address->addr, addr), address->prefix_bits,
           origin->text);
    if (!ipv4_addr_is_zero(address->gateway))
        log_at(LOG_INFO, "net", "%s: gateway %s (%s)", info->name,
               ipv4_addr_text(address->gateway, addr), origin->text);
}

/* "net: route 10.0.0.0/8 by 10.0.2.1 (command line)". */
static void say_route(const struct config_route *route,
                      const struct origin *origin)
{
    char dst[IPV4_TEXT_BYTES], gateway[IPV4_TEXT_BYTES];

    log_at(LOG_INFO, "net", "route %s/%u by %s (%s)",
           ipv4_addr_text(route->dst, dst), route->prefix_bits,
           ipv4_addr_text(route->gateway, gateway), origin->text);
}

/* What a server has said besides the address. */
static void say_lease(const struct config *config,
                      const struct dhcp_lease *lease,
                      const struct origin *origin)
{
    for (uint32_t i = 0; !config->dns_given && i < lease->dns.count; i++)
        say_addr("name server", lease->dns.addr[i], origin);
    for (uint32_t i = 0; i < lease->ntp.count; i++)
        say_addr("time server", lease->ntp.addr[i], origin);
    if (lease->mtu_bytes)
        log_at(LOG_INFO, "net", "MTU %u (%s)", lease->mtu_bytes, origin->text);
    if (lease->domain[0])
        log_at(LOG_INFO, "net", "domain %s (%s)", lease->domain, origin->text);
    if (lease->hostname[0] && !config->name_given)
        log_at(LOG_INFO, "net", "name %s (%s)", lease->hostname, origin->text);
}

void settings_say_start(const struct config *config, uint32_t conns_max)
{
    const struct origin given = by_line(true),
                        name = by_line(config->name_given),
                        conns = by_line(config->conns_given),
                        poll = by_line(config->poll_given);

    log_at(LOG_INFO, "net", "name %s (%s)", config->name, name.text);
    log_at(LOG_INFO, "net", "%u connections at most (%s)", conns_max,
           conns.text);
    log_at(LOG_INFO, "net", "looks for packets %u us before it sleeps (%s)",
           config->poll_us, poll.text);
    for (uint32_t i = 0; i < config->dns.count; i++)
        say_addr("name server", config->dns.addr[i], &given);
    for (uint32_t i = 0; i < config->routes.count; i++)
        say_route(&config->routes.route[i], &given);
}

void settings_say(const struct config *config, struct stack *stack,
                  unsigned index)
{
    const struct net *net = stack_net(stack);
    struct interface_info info;
    struct dhcp_lease lease;
    struct origin origin = by_line(true);
    bool leased = dhcp_lease_get(net, index, &lease);

    if (!interface_get(net, index, &info))
        return;
    if (!info.has_address) {
        log_at(LOG_WARNING, "net", "%s: no address any more", info.name);
        return;
    }
    if (leased)
        origin = by_dhcp(&lease);
    say_interface(&info, &origin);
    if (leased)
        say_lease(config, &lease, &origin);
}
