/*
 * net/tcp_list.h - doubly linked lists through a member of the element.
 *
 * A list is a link of its own, the sentinel, so an element leaves without
 * knowing which list it stands in. An element that is in no list points at
 * itself.
 */
#ifndef NET_TCP_LIST_H
#define NET_TCP_LIST_H

#include "kernel/base.h"

struct tcp_link {
    struct tcp_link *next, *prev;
};

static inline void tcp_list_init(struct tcp_link *link)
{
    link->next = link->prev = link;
}

/* For a sentinel: no element; for an element: in no list. */
static inline bool tcp_list_empty(const struct tcp_link *link)
{
    return link->next == link;
}

/* Put an element that is in no list at the end. */
static inline void tcp_list_push(struct tcp_link *list, struct tcp_link *link)
{
    link->prev = list->prev;
    link->next = list;
    list->prev->next = link;
    list->prev = link;
}

/* Take an element out of whatever list it is in; none is fine. */
static inline void tcp_list_remove(struct tcp_link *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    tcp_list_init(link);
}

/* The first element, taken out; null when there is none. */
static inline struct tcp_link *tcp_list_pop(struct tcp_link *list)
{
    struct tcp_link *link = list->next;

    if (link == list)
        return NULL;
    tcp_list_remove(link);
    return link;
}

/* Move every element of `from` to the end of `to`. */
static inline void tcp_list_splice(struct tcp_link *to, struct tcp_link *from)
{
    if (tcp_list_empty(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    tcp_list_init(from);
}

#endif
