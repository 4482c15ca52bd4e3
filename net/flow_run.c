/*
 * net/flow_run.c - threads for flows: callbacks, and parked flows that wake.
 *
 * A flow gets a thread when its handshake is complete, or when it was parked
 * and its peer has spoken. Each listener has a bound on its threads. Beyond
 * it, parked flows wait in `ready` and new ones in the core's accept queue;
 * each thread that ends gives its place to the next. When no thread can be
 * made for lack of memory, the same is tried again after FLOW_RETRY_US, so
 * nothing that waits is lost.
 */
#include "net/flow_priv.h"

#include "kernel/clock.h"

/* What a thread of its own needs of a flow, before the flow is active. */
static void begin(struct flow *flow, flow_park_fn **fn, void **context)
{
    *fn = flow->park_fn;
    *context = flow->park_context;
    flow_list_as(flow, &flow->group->tcp->active, FLOW_ACTIVE);
    flow->read_deadline_us = FOREVER;
    flow->write_deadline_us = FOREVER;
}

static void flow_thread(void *arg)
{
    struct flow *flow = arg;
    struct flow_group *group = flow->group;
    enum flow_park_event event = (enum flow_park_event)flow->park_event;
    flow_park_fn *fn;
    void *context;
    uint32_t turn;

    begin(flow, &fn, &context);
    turn = flow->turn;
    if (fn)
        fn(flow, context, event);
    else
        group->listen.callback(flow, group->listen.context);
    /* The same turn: nobody has parked or released it meanwhile. */
    if (flow->turn == turn)
        flow_finish(flow);
    flow_drop(flow);
    group->threads--;
    group->tcp->threads--;
    flow_group_dispatch(group);
    flow_group_put(group);
}

/* Memory is short. The network thread may be asleep for longer: it is told. */
static void retry_later(struct tcpv4 *tcp)
{
    tcp->retry_us = clock_us() + FLOW_RETRY_US;
    tcp->wake_by(tcp->wake_context, tcp->retry_us);
}

/* Start a thread for a ready flow; false: there is none now. */
static bool start(struct flow *flow)
{
    struct flow_group *group = flow->group;
    enum thread_status status;

    status = thread_spawn(NULL, group->name, group->listen.stack_bytes,
                          flow_thread, flow);
    if (status != THREAD_OK)
        return false;
    flow_list_as(flow, &group->tcp->active, FLOW_STARTING);
    flow->refs++; /* the thread's: it looks at `turn` in the end */
    group->threads++;
    group->tcp->threads++;
    return true;
}

/* The next connection that a peer has opened, as a ready flow. */
static struct flow *accept_one(struct flow_group *group)
{
    struct tcp_conn *conn = group->held;
    struct flow *flow;

    if (!conn && group->listener)
        conn = tcp_accept(group->listener);
    if (!conn)
        return NULL;
    flow = flow_new(group, conn);
    group->held = flow ? NULL : conn;
    if (!flow) {
        retry_later(group->tcp);
        return NULL;
    }
    flow->flags |= FLOW_OPENED;
    flow->park_fn = NULL;
    flow->park_context = NULL;
    flow_list_as(flow, &group->ready, FLOW_READY);
    return flow;
}

/* Ready flows and new ones take turns, so that neither starves the other. */
static struct flow *next_flow(struct flow_group *group)
{
    struct flow *flow;

    group->accept_first = !group->accept_first;
    flow = group->accept_first ? accept_one(group) : flow_first(&group->ready);
    if (flow)
        return flow;
    return group->accept_first ? flow_first(&group->ready) : accept_one(group);
}

void flow_group_dispatch(struct flow_group *group)
{
    struct flow *flow;

    while (group->threads < group->listen.threads_max) {
        flow = next_flow(group);
        if (!flow)
            return;
        if (!start(flow)) {
            retry_later(group->tcp);
            return;
        }
    }
}

/* ---- parking ---- */

void flow_ready(struct flow *flow, enum flow_park_event event)
{
    struct flow_group *group = flow->group;

    flow->park_event = event & 1;
    flow_list_as(flow, &group->ready, FLOW_READY);
    flow_group_dispatch(group);
}

void flow_park(struct flow *flow, flow_park_fn *fn, void *context,
               uint64_t deadline_us)
{
    struct tcpv4 *tcp = flow->group->tcp;
    bool ready = flow->flags & FLOW_RELEASED || tcp_readable(flow->conn);

    ASSERT(flow->mode == FLOW_ACTIVE && fn);
    if (!(flow->flags & FLOW_OWNED)) { /* released by somebody else */
        flow->flags |= FLOW_OWNED;
        flow->refs++;
    }
    flow->turn++;
    flow->park_fn = fn;
    flow->park_context = context;
    if (ready || deadline_us <= clock_us()) {
        flow_ready(flow, ready ? FLOW_PARK_READABLE : FLOW_PARK_DEADLINE);
        return;
    }
    flow->park_timed = deadline_us != FOREVER;
    if (flow->park_timed) {
        flow_time_as(flow, deadline_us, FLOW_PARKED);
        tcp->wake_by(tcp->wake_context, deadline_us);
    } else {
        flow_list_as(flow, &tcp->parked, FLOW_PARKED);
    }
    tcp->parked_count++;
}

/* ---- what is due ---- */

static void run_timers(struct tcpv4 *tcp, uint64_t now_us)
{
    struct timer *timer;
    struct flow *flow;

    /* Each round takes one timer that is due; none is armed in the past. */
    while ((timer = timer_wheel_pop(&tcp->wheel, now_us))) {
        flow = CONTAINER_OF(timer, struct flow, timer);
        if (flow->mode == FLOW_LINGERING)
            flow_linger(flow, true);
        else
            flow_ready(flow, FLOW_PARK_DEADLINE);
    }
}

static void retry(struct tcpv4 *tcp)
{
    struct flow_group *group = tcp->groups;

    tcp->retry_us = FOREVER;
    flow_group_dispatch(&tcp->connected);
    for (; group; group = group->next)
        flow_group_dispatch(group);
}

void tcpv4_run(struct tcpv4 *tcp, uint64_t now_us)
{
    struct flow *flow;

    while ((flow = flow_first(&tcp->dead)))
        flow_forget(flow);
    run_timers(tcp, now_us);
    if (tcp->retry_us <= now_us)
        retry(tcp);
}

uint64_t tcpv4_next_deadline(const struct tcpv4 *tcp)
{
    uint64_t timer_us = timer_wheel_next(&tcp->wheel);

    if (flow_first(&tcp->dead))
        return 0;
    return timer_us < tcp->retry_us ? timer_us : tcp->retry_us;
}
