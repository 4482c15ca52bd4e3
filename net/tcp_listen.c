/*
 * net/tcp_listen.c - listeners, and connections on their way to an owner.
 *
 * A connection of a listener is half open until its handshake is complete,
 * then ready until it is accepted. Both are bounded: beyond the first bound a
 * SYN gets a cookie (net/tcp_cookie.c), beyond the second the last ACK of the
 * handshake is dropped, so that the peer tries again and is not reset.
 */
#include "net/tcp_conn.h"

enum tcp_listen_status tcp_listen(struct net *net, uint16_t port,
                                  const struct tcp_listen_options *options,
                                  struct tcp_listener **listener)
{
    struct tcp_link *list = &net->tcp.listening;
    struct tcp_listener *made;

    for (struct tcp_link *at = list->next; at != list; at = at->next) {
        const struct tcp_listener *other =
            CONTAINER_OF(at, struct tcp_listener, link);

        if (port && other->port == port &&
            ipv4_addr_equal(other->options.local, options->local))
            return TCP_LISTEN_IN_USE;
    }
    made = pool_alloc(&net->tcp.listeners);
    if (!made)
        return TCP_LISTEN_NO_MEMORY;
    *made = (struct tcp_listener){
        .net = net,
        .config = &net->config.tcp,
        .options = *options,
        .port = port,
    };
    tcp_list_init(&made->link);
    tcp_list_init(&made->acceptable);
    tcp_list_init(&made->half_open);
    tcp_list_init(&made->ready);
    tcp_list_push(list, &made->link);
    *listener = made;
    return TCP_LISTEN_OK;
}

static struct tcp_conn *first_of(const struct tcp_link *list)
{
    return tcp_list_empty(list)
               ? NULL
               : CONTAINER_OF(list->next, struct tcp_conn, group);
}

void tcp_listener_free(struct tcp_listener *listener)
{
    tcp_options_drop(listener->net, listener->config);
    pool_free(listener);
}

void tcp_unlisten(struct tcp_listener *listener, uint64_t now_us)
{
    struct net *net = listener->net;
    struct tcp_conn *conn;

    if (now_us > net->now_us)
        net->now_us = now_us;
    while ((conn = first_of(&listener->half_open)) ||
           (conn = first_of(&listener->ready)))
        tcp_conn_reset(conn, TCP_END_ABORTED);
    tcp_list_remove(&listener->acceptable);
    tcp_list_remove(&listener->link);
    tcp_listener_free(listener);
}

void tcp_set_listener_query(struct net *net,
                            struct tcp_listener *(*find)(void *context,
                                                         uint16_t port),
                            void *context)
{
    net->tcp.find_listener = find;
    net->tcp.find_context = context;
}

/* The listener on the address itself is preferred to the one on any. */
struct tcp_listener *tcp_listener_find(struct net *net,
                                       const struct tcp_tuple *tuple)
{
    struct tcp_link *list = &net->tcp.listening;
    struct tcp_listener *any = NULL;

    for (struct tcp_link *at = list->next; at != list; at = at->next) {
        struct tcp_listener *listener =
            CONTAINER_OF(at, struct tcp_listener, link);

        if (listener->port != tuple->local_port)
            continue;
        if (ipv4_addr_equal(listener->options.local, tuple->local))
            return listener;
        if (ipv4_addr_is_zero(listener->options.local))
            any = listener;
    }
    if (!any && net->tcp.find_listener)
        any = net->tcp.find_listener(net->tcp.find_context, tuple->local_port);
    return any;
}

/* It is its listener's no more. */
static void left(struct tcp_conn *conn)
{
    conn->unaccepted = false;
    conn->context = NULL;
    tcp_list_remove(&conn->group);
}

void tcp_listener_forget(struct tcp_conn *conn)
{
    struct tcp_listener *listener = conn->listener;

    if (!conn->unaccepted)
        return;
    if (conn->ready)
        listener->ready_count--;
    else
        listener->half_open_count--;
    left(conn);
}

bool tcp_listener_is_full(const struct tcp_listener *listener)
{
    if (listener->ready_count < listener->options.backlog)
        return false;
    net_count(&listener->net->counters, tcp_backlog_full);
    return true;
}

bool tcp_listener_ready(struct tcp_conn *conn)
{
    struct tcp_listener *listener = conn->listener;

    if (tcp_listener_is_full(listener))
        return false;
    listener->half_open_count--;
    listener->ready_count++;
    conn->ready = true;
    tcp_list_remove(&conn->group);
    tcp_list_push(&listener->ready, &conn->group);
    if (tcp_list_empty(&listener->acceptable))
        tcp_list_push(&tcp_of(conn)->acceptable, &listener->acceptable);
    return true;
}

struct tcp_conn *tcp_accept(struct tcp_listener *listener)
{
    struct tcp_conn *conn = first_of(&listener->ready);

    if (!conn)
        return NULL;
    listener->ready_count--;
    left(conn);
    conn->owned = true;
    tcp_count(conn, tcp_accept);
    if (conn->changes) /* what has happened so far is news to the owner */
        tcp_conn_post(conn, conn->changes);
    return conn;
}

bool tcp_acceptable(const struct tcp_listener *listener)
{
    return listener->ready_count > 0;
}

void tcp_listeners_dispatch(struct net *net)
{
    struct tcp_link told, *at;

    tcp_list_init(&told);
    tcp_list_splice(&told, &net->tcp.acceptable);
    while ((at = tcp_list_pop(&told))) {
        struct tcp_listener *listener =
            CONTAINER_OF(at, struct tcp_listener, acceptable);

        if (listener->ready_count && listener->options.acceptable)
            listener->options.acceptable(listener->options.context, listener);
    }
}
