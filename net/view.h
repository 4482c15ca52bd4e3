/*
 * net/view.h - what a stack is set to and busy with, as text for a person.
 *
 * Each function adds a heading and a table to a text of the caller's, who may
 * add lines of its own; a line that does not fit any more is left out. As
 * `ip address`, `ip route`, `ip neighbour`, `ss -u`, `ss -t` and `resolvectl`
 * would show it.
 */
#ifndef NET_VIEW_H
#define NET_VIEW_H

#include "kernel/base.h"

struct net;
struct dns;

struct view {
    char *out;
    size_t size; /* of `out`, a final zero among it */
    size_t used; /* without that zero: begin with 0 */
};

/* Add a line, newline and all, formatted as kernel/format.h does. */
void view_line(struct view *view, const char *format, ...) PRINTF_LIKE(2, 3);

/* Cards, their addresses, and where those come from. now_us: for leases. */
void view_interfaces(struct view *view, const struct net *net, uint64_t now_us);

/* The ways to elsewhere, the network's own among them. */
void view_routes(struct view *view, const struct net *net);

/* Who on the link has which address. */
void view_neighbours(struct view *view, const struct net *net);

/* UDP sockets: what waits, and what found no room. */
void view_udp(struct view *view, const struct net *net);

/* TCP connections, `max` at most; the heading says how many there are. */
void view_tcp(struct view *view, const struct net *net, uint32_t max);

/* Name servers, and the names that are known. */
void view_names(struct view *view, const struct dns *dns);

#endif
