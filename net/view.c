/*
 * net/view.c - what a stack is set to and busy with, as text.
 *
 * Asks only what any host of the stack could ask.
 */
#include "net/view.h"

#include "kernel/format.h"
#include "net/arp.h"
#include "net/dhcp.h"
#include "net/dns.h"
#include "net/interface.h"
#include "net/route.h"
#include "net/tcp.h"
#include "net/udp.h"

enum { PREFIX_TEXT_BYTES = IPV4_TEXT_BYTES + 3 };

void view_line(struct view *view, const char *format, ...)
{
    size_t room = view->size - view->used;
    va_list args;
    size_t len;

    va_start(args, format);
    len = format_text_va(view->out + view->used, room, format, args);
    va_end(args);
    if (len + 1 < room) /* else it was cut */
        view->used += len;
    else if (room > 0)
        view->out[view->used] = '\0';
}

/* "10.0.0.1:80"; "*:80" where any address counts, "*" where nothing does. */
static char *endpoint_text(struct ipv4_addr addr, uint16_t port,
                           char text[IPV4_PORT_TEXT_BYTES])
{
    char host[IPV4_TEXT_BYTES] = "*";

    if (!ipv4_addr_is_zero(addr))
        ipv4_addr_text(addr, host);
    if (port == 0)
        format_text(text, IPV4_PORT_TEXT_BYTES, "%s", host);
    else
        format_text(text, IPV4_PORT_TEXT_BYTES, "%s:%u", host, port);
    return text;
}

static char *prefix_text(struct ipv4_addr addr, unsigned bits,
                         char text[PREFIX_TEXT_BYTES])
{
    char host[IPV4_TEXT_BYTES];

    format_text(text, PREFIX_TEXT_BYTES, "%s/%u", ipv4_addr_text(addr, host),
                bits);
    return text;
}

static const char *interface_name(const struct net *net, unsigned index)
{
    struct interface_info info;

    return interface_get(net, index, &info) ? info.name : "-";
}

/* --- interfaces ----------------------------------------------------------- */

/* "in 43200 s", or "never". */
static void seconds_text(uint64_t at_us, uint64_t now_us, char *text,
                         size_t size)
{
    if (at_us == FOREVER)
        format_text(text, size, "never");
    else
        format_text(text, size, "in %llu s",
                    (unsigned long long)(at_us > now_us ? at_us - now_us : 0) /
                        1000000);
}

static void write_lease(struct view *view, const struct net *net,
                        unsigned index, uint64_t now_us)
{
    char server[IPV4_TEXT_BYTES], renewed[24], over[24];
    struct dhcp_lease lease;

    if (!dhcp_lease_get(net, index, &lease)) {
        view_line(view, "      DHCP %s, no lease\n", dhcp_state(net, index));
        return;
    }
    seconds_text(lease.renew_us, now_us, renewed, sizeof(renewed));
    seconds_text(lease.expires_us, now_us, over, sizeof(over));
    view_line(view, "      DHCP %s, lease of %s, renewed %s, over %s\n",
              dhcp_state(net, index), ipv4_addr_text(lease.server, server),
              renewed, over);
}

void view_interfaces(struct view *view, const struct net *net, uint64_t now_us)
{
    char prefix[PREFIX_TEXT_BYTES], mac[MAC_TEXT_BYTES];
    struct interface_info info;

    view_line(view, "\nInterfaces\n");
    for (unsigned i = 0; interface_get(net, i, &info); i++) {
        const struct net_address *address = &info.address;

        view_line(view, "%-5s %s  %-4s  MTU %u  %s%s\n", info.name,
                  mac_addr_text(info.mac, mac), info.link_up ? "up" : "down",
                  info.mtu_bytes,
                  info.has_address
                      ? prefix_text(address->addr, address->prefix_bits, prefix)
                      : "no address",
                  info.has_address && !dhcp_state(net, i) ? "  static" : "");
        if (dhcp_state(net, i))
            write_lease(view, net, i, now_us);
    }
}

/* --- routes and neighbours ------------------------------------------------ */

void view_routes(struct view *view, const struct net *net)
{
    static const char *const origins[] = {
        [ROUTE_NETWORK] = "network",
        [ROUTE_STATIC] = "static",
        [ROUTE_GATEWAY] = "gateway",
    };
    char dst[PREFIX_TEXT_BYTES], gateway[IPV4_TEXT_BYTES];
    struct route_info route;

    view_line(view, "\nRoutes\n%-18s  %-15s  %-5s  origin\n", "to", "by", "on");
    for (unsigned i = 0; route_get(net, i, &route); i++)
        view_line(view, "%-18s  %-15s  %-5s  %s\n",
                  prefix_text(route.dst, route.prefix_bits, dst),
                  ipv4_addr_is_zero(route.gateway)
                      ? "-"
                      : ipv4_addr_text(route.gateway, gateway),
                  interface_name(net, route.interface), origins[route.origin]);
}

void view_neighbours(struct view *view, const struct net *net)
{
    static const char *const states[] = {
        [ARP_WAITING] = "waiting", [ARP_HOLD] = "hold",
        [ARP_KNOWN] = "known",     [ARP_PROBING] = "probing",
        [ARP_STATIC] = "static",
    };
    char addr[IPV4_TEXT_BYTES], mac[MAC_TEXT_BYTES];
    struct arp_info info;

    view_line(view, "\nNeighbours\n%-15s  %-17s  %-5s  %-7s  waiting\n",
              "address", "MAC", "on", "state");
    for (unsigned i = 0; arp_get(net, i, &info); i++)
        view_line(view, "%-15s  %-17s  %-5s  %-7s  %u\n",
                  ipv4_addr_text(info.addr, addr), mac_addr_text(info.mac, mac),
                  interface_name(net, info.interface), states[info.state],
                  info.pending);
}

/* --- sockets and connections ---------------------------------------------- */

static void write_udp(void *context, const struct udp_info *info)
{
    char local[IPV4_PORT_TEXT_BYTES], peer[IPV4_PORT_TEXT_BYTES];

    view_line(context, "%-21s  %-21s  %6u  %9llu  %9llu  %7llu\n",
              endpoint_text(info->local, info->port, local),
              endpoint_text(info->peer, info->peer_port, peer), info->queued,
              (unsigned long long)info->received,
              (unsigned long long)info->sent,
              (unsigned long long)info->dropped);
}

void view_udp(struct view *view, const struct net *net)
{
    view_line(view,
              "\nUDP\n%-21s  %-21s  queued   received       sent  dropped\n",
              "local", "peer");
    udp_for_each(net, write_udp, view);
}

static void write_tcp(void *context, const struct tcp_conn *conn)
{
    const struct tcp_endpoints ends = tcp_endpoints(conn);
    char local[IPV4_PORT_TEXT_BYTES], peer[IPV4_PORT_TEXT_BYTES];
    struct tcp_info info;

    tcp_info_get(conn, &info);
    view_line(context, "%-21s  %-21s  %-12s  %6u  %6u  %7llu  %llu\n",
              endpoint_text(ends.local, ends.local_port, local),
              endpoint_text(ends.peer, ends.peer_port, peer), info.state,
              tcp_send_pending(conn), tcp_recv_ready(conn),
              (unsigned long long)info.srtt_us,
              (unsigned long long)info.retransmissions);
}

void view_tcp(struct view *view, const struct net *net, uint32_t max)
{
    struct net_memory memory;

    net_memory_get(net, &memory);
    view_line(
        view,
        "\nTCP: %llu connections, %llu in TIME-WAIT\n%-21s  %-21s  %-12s  "
        "unsent  unread  rtt(us)  retransmitted\n",
        (unsigned long long)memory.conns, (unsigned long long)memory.time_waits,
        "local", "peer", "state");
    tcp_for_each(net, max, write_tcp, view);
    if (memory.conns > max)
        view_line(view, "... and %llu more\n",
                  (unsigned long long)memory.conns - max);
}

/* --- names ---------------------------------------------------------------- */

static void write_name(void *context, const struct dns_name *name,
                       const struct dns_result *result, uint64_t seconds)
{
    char host[DNS_NAME_TEXT_BYTES], answer[DNS_NAME_TEXT_BYTES];

    if (!dns_name_text(name, host))
        return;
    if (result->status != DNS_OK)
        format_text(answer, sizeof(answer), "%s",
                    dns_status_text(result->status));
    else if (result->addr_count > 0)
        ipv4_addr_text(result->addrs[0], answer);
    else if (!dns_name_text(&result->name, answer))
        return;
    view_line(context, "%-40s  %7llu  %s%s\n", host,
              (unsigned long long)seconds, answer,
              result->addr_count > 1 ? ", ..." : "");
}

void view_names(struct view *view, const struct dns *dns)
{
    char addr[IPV4_TEXT_BYTES];
    struct dns_info info;

    dns_info_get(dns, &info);
    view_line(view, "\nNames: %u known of at most %u, asked of", info.entries,
              info.entries_max);
    for (uint32_t i = 0; i < info.servers.count; i++)
        view_line(view, " %s", ipv4_addr_text(info.servers.addr[i], addr));
    view_line(view, info.servers.count ? "\n" : " nobody\n");
    if (info.entries > 0)
        view_line(view, "%-40s  seconds  answer\n", "name");
    dns_for_each(dns, write_name, view);
}
