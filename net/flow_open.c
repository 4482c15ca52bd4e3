/*
 * net/flow_open.c - the instance, and connecting from it.
 *
 * Source: MirageOS V1.TCPV4 create_connection; RFC 9293 3.10.1.
 */
#include "net/flow_priv.h"

#include "kernel/clock.h"

static void list_init(struct flow_link *list)
{
    list->next = list->prev = list;
}

bool tcpv4_init(struct tcpv4 *tcp, const struct tcpv4_config *config,
                uint64_t now_us)
{
    const struct net_config *net_config = config->net_config;
    void *slots;

    *tcp = (struct tcpv4){
        .net = config->net,
        .wake = config->wake,
        .wake_by = config->wake_by,
        .wake_context = config->wake_context,
        .retry_us = FOREVER,
        .pages = {.alloc = net_config->host.page_alloc,
                  .free = net_config->host.page_free,
                  .scarce = net_config->host.pages_scarce,
                  .context = net_config->host.context,
                  .max = net_config->pages_max},
        .connected = {.tcp = tcp,
                      .listen = {.threads_max = UINT32_MAX},
                      .name = "tcp:flow"},
    };
    slots = pages_take(&tcp->pages);
    if (!slots)
        return false;
    timer_wheel_init(&tcp->wheel, slots, now_us);
    pool_init(&tcp->flow_pool, &tcp->pages, sizeof(struct flow), SIZE_MAX);
    pool_init(&tcp->group_pool, &tcp->pages, sizeof(struct flow_group),
              SIZE_MAX);
    tcp->connected.ready_end = &tcp->connected.ready;
    list_init(&tcp->untimed);
    list_init(&tcp->dead);
    return true;
}

void tcpv4_free(struct tcpv4 *tcp)
{
    tcpv4_run(tcp, 0); /* handles that nobody refers to any more */
    ASSERT(tcp->flows == 0 && tcp->threads == 0);
    flow_unlisten_all(tcp);
    pages_give(&tcp->pages, tcp->wheel.slots);
    ASSERT(tcp->pages.count == 0);
}

void tcpv4_stats_get(const struct tcpv4 *tcp, struct tcpv4_stats *stats)
{
    *stats = (struct tcpv4_stats){
        .flows = tcp->flows,
        .parked = tcp->parked_count,
        .lingering = tcp_lingering(tcp->net),
        .threads = tcp->threads,
        .pages = tcp->pages.count,
    };
}

/* ---- connecting ---- */

/* Why a connection that was to open did not. */
static struct flow_error open_error(const struct flow *flow)
{
    struct flow_error error = flow_error(flow);

    /* Closed while it was opening: tcpv4_disconnect(). */
    if (error.kind == FLOW_ERROR_NONE)
        error = flow_error_of(TCP_END_ABORTED);
    return error;
}

static enum flow_status wait_open(struct flow *flow, uint64_t deadline_us,
                                  struct flow_error *error)
{
    enum wait_status waited = WAIT_OK;

    while (waited == WAIT_OK && !(flow->flags & FLOW_OPENED))
        waited = flow_wait(flow, &flow->senders, "flow connect", deadline_us);
    if (waited == WAIT_CANCELLED) {
        *error = (struct flow_error){FLOW_ERROR_UNKNOWN, FLOW_REASON_CANCELLED};
        return FLOW_CANCELLED;
    }
    if (!(flow->flags & FLOW_OPENED)) {
        *error = (struct flow_error){FLOW_ERROR_TIMEOUT, FLOW_REASON_NONE};
        return FLOW_DEADLINE;
    }
    if (tcp_end_reason(flow->conn) == TCP_END_NONE)
        return FLOW_OK;
    *error = open_error(flow);
    return FLOW_ERROR;
}

static enum flow_status open_flow(struct flow *made, struct ipv4_addr addr,
                                  uint16_t port, uint64_t deadline_us,
                                  struct flow_error *error)
{
    struct tcpv4 *tcp = made->group->tcp;
    enum tcp_end why = TCP_END_NONE;
    struct tcp_conn *conn = NULL;
    enum flow_status status;

    if (tcp_connect(tcp->net, addr, port, 0, clock_us(), &conn, &why) !=
        TCP_OK) {
        *error = flow_error_of(why);
        flow_forget(made);
        return FLOW_ERROR;
    }
    flow_bind(made, conn);
    tcp->wake(tcp->wake_context);
    status = wait_open(made, deadline_us, error);
    if (status == FLOW_OK)
        return FLOW_OK;
    flow_abort(made);
    flow_release(made);
    return status;
}

enum flow_status tcpv4_create_connection(struct tcpv4 *tcp,
                                         struct ipv4_addr addr, uint16_t port,
                                         uint64_t deadline_us,
                                         struct flow **flow,
                                         struct flow_error *error)
{
    enum flow_status status;
    struct flow *made;

    *flow = NULL;
    *error = (struct flow_error){FLOW_ERROR_NONE, FLOW_REASON_NONE};
    if (tcp->disconnected) {
        *error = flow_error_of(TCP_END_ABORTED);
        return FLOW_ERROR;
    }
    made = flow_new(&tcp->connected, NULL);
    if (!made) {
        *error = flow_error_of(TCP_END_NO_MEMORY);
        return FLOW_ERROR;
    }
    status = open_flow(made, addr, port, deadline_us, error);
    if (status == FLOW_OK)
        *flow = made;
    return status;
}
