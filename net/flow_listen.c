/*
 * net/flow_listen.c - listening, by port or by asking.
 *
 * Each listener of the core belongs to a group here: the callback, its bounds
 * and the flows that wait for a thread. A group that was made for an answer of
 * tcpv4_input()'s mapping listens on no port, so the mapping is asked again
 * for every SYN; the group is found again by its port and what was answered.
 */
#include "net/flow_priv.h"

#include <string.h>

#include "kernel/clock.h"

/* "tcp:80". */
static void name_group(struct flow_group *group)
{
    char digits[5];
    size_t count = 0;
    size_t at = 4;
    uint16_t port = group->port;

    memcpy(group->name, "tcp:", 4);
    do { /* five digits at most */
        digits[count++] = (char)('0' + port % 10);
        port /= 10;
    } while (port > 0);
    while (count > 0)
        group->name[at++] = digits[--count];
    group->name[at] = '\0';
}

static struct flow_listener with_defaults(struct flow_listener listen)
{
    if (listen.threads_max == 0)
        listen.threads_max = FLOW_THREADS_MAX;
    if (listen.backlog == 0)
        listen.backlog = FLOW_BACKLOG;
    return listen;
}

static bool listener_equal(const struct flow_listener *a,
                           const struct flow_listener *b)
{
    return a->callback == b->callback && a->context == b->context &&
           a->threads_max == b->threads_max && a->backlog == b->backlog &&
           a->stack_bytes == b->stack_bytes;
}

void flow_group_put(struct flow_group *group)
{
    struct flow_group **at = &group->tcp->groups;

    if (group->listener || group->flows > 0 || group->threads > 0 ||
        group == &group->tcp->connected)
        return;
    while (*at != group) /* as many as there are ports listened on */
        at = &(*at)->next;
    *at = group->next;
    pool_free(group);
}

static void acceptable(void *context, struct tcp_listener *listener)
{
    (void)listener;
    flow_group_dispatch(context);
}

/* A group that listens; null when the port is taken or memory is short. */
static COLD struct flow_group *group_new(struct tcpv4 *tcp, uint16_t port,
                                         const struct flow_listener *listen,
                                         bool queried)
{
    struct flow_group *group = pool_alloc(&tcp->group_pool);
    struct tcp_listen_options options = {
        .backlog = listen->backlog,
        .syn_backlog = listen->backlog,
        .acceptable = acceptable,
        .context = group,
    };

    if (!group)
        return NULL;
    *group = (struct flow_group){
        .tcp = tcp, .listen = *listen, .port = port, .queried = queried};
    group->ready_end = &group->ready;
    name_group(group);
    if (tcp_listen(tcp->net, queried ? 0 : port, &options, &group->listener) !=
        TCP_LISTEN_OK) {
        pool_free(group);
        return NULL;
    }
    group->next = tcp->groups;
    tcp->groups = group;
    return group;
}

static void group_unlisten(struct flow_group *group)
{
    struct tcpv4 *tcp = group->tcp;
    struct tcp_listener *listener = group->listener;

    group->listener = NULL;
    tcp_unlisten(listener, clock_us());
    if (group->held) { /* reset, as those that nobody has accepted */
        tcp_abort(group->held, clock_us());
        tcp_release(group->held, clock_us());
        group->held = NULL;
    }
    tcp->wake(tcp->wake_context);
    flow_group_put(group);
}

/* The group that listens on `port`, by name or as an answer; or null. */
static struct flow_group *find_group(struct tcpv4 *tcp, uint16_t port,
                                     bool queried)
{
    struct flow_group *group = tcp->groups;

    while (group && !(group->port == port && group->queried == queried &&
                      group->listener))
        group = group->next;
    return group;
}

bool tcpv4_listen(struct tcpv4 *tcp, uint16_t port,
                  const struct flow_listener *listener)
{
    struct flow_listener listen = with_defaults(*listener);

    ASSERT(listen.callback);
    if (port == 0 || tcp->disconnected)
        return false;
    return group_new(tcp, port, &listen, false);
}

struct flow_group *flow_group_of_port(struct tcpv4 *tcp, uint16_t port)
{
    return find_group(tcp, port, false);
}

void tcpv4_unlisten(struct tcpv4 *tcp, uint16_t port)
{
    struct flow_group *group = find_group(tcp, port, false);

    if (group)
        group_unlisten(group);
}

void flow_unlisten_all(struct tcpv4 *tcp)
{
    struct flow_group *group = tcp->groups;
    struct flow_group *next;

    tcp_set_listener_query(tcp->net, NULL, NULL);
    for (; group; group = next) {
        next = group->next;
        if (group->listener)
            group_unlisten(group);
    }
}

/* ---- asking ---- */

/*
 * For a SYN to a port on which nobody listens. An answer other than the last
 * one to the same question ends the old group: connections that wait in it
 * would be given to a callback that is not meant any more.
 */
static struct tcp_listener *find(void *context, uint16_t port)
{
    struct tcpv4 *tcp = context;
    struct flow_listener listen =
        with_defaults(tcp->listeners(tcp->listeners_context, port));
    struct flow_group *group = find_group(tcp, port, true);

    if (group && listen.callback && listener_equal(&group->listen, &listen))
        return group->listener;
    if (group)
        group_unlisten(group);
    if (!listen.callback)
        return NULL;
    group = group_new(tcp, port, &listen, true);
    return group ? group->listener : NULL;
}

void flow_set_listeners(struct tcpv4 *tcp, tcpv4_listeners *listeners,
                        void *context)
{
    tcp->listeners = listeners;
    tcp->listeners_context = context;
    if (!tcp->disconnected)
        tcp_set_listener_query(tcp->net, listeners ? find : NULL, tcp);
}
