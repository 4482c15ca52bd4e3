/*
 * net/flow_run.c - threads for flows: callbacks, and parked flows that wake.
 *
 * A flow gets a thread when its handshake is complete, or when it was parked
 * and its peer has spoken. A thread whose callback has returned serves the
 * next flow that waits, so a batch that wakes sixty parked flows starts two
 * threads unless their callbacks block. Each listener has a bound on its
 * threads. Beyond it, parked flows wait in `ready` and new ones in the core's
 * accept queue. When no thread can be made for lack of memory, the same is
 * tried again after FLOW_RETRY_US, so nothing that waits is lost.
 */
#include "net/flow_priv.h"

#include "kernel/clock.h"

/* Memory is short. The network thread may be asleep for longer: it is told. */
static void retry_later(struct tcpv4 *tcp)
{
    tcp->retry_us = clock_us() + FLOW_RETRY_US;
    tcp->wake_by(tcp->wake_context, tcp->retry_us);
}

/* Whether a peer has opened a connection that has no flow yet. */
static bool has_new(const struct flow_group *group)
{
    return group->held || (group->listener && tcp_acceptable(group->listener));
}

/* The next such connection, as a ready flow; null: no memory. */
static ASIDE struct flow *open_one(struct flow_group *group)
{
    struct tcp_conn *conn = group->held;
    struct flow *flow;

    if (!conn)
        conn = tcp_accept(group->listener);
    flow = flow_new(group, conn);
    group->held = flow ? NULL : conn;
    if (!flow) {
        retry_later(group->tcp);
        return NULL;
    }
    flow->flags |= FLOW_OPENED;
    flow_note_news(flow, tcp_take_changes(conn)); /* the rest it will find */
    flow->park_fn = NULL;
    flow->park_context = NULL;
    return flow;
}

static struct flow *accept_one(struct flow_group *group)
{
    return has_new(group) ? open_one(group) : NULL;
}

/* The flow that has been ready for longest. */
static struct flow *take_ready(struct flow_group *group)
{
    struct flow *flow = group->ready;

    if (!flow)
        return NULL;
    group->ready = flow->after;
    if (!group->ready)
        group->ready_end = &group->ready;
    flow->mode = FLOW_ACTIVE;
    return flow;
}

/* Ready flows and new ones take turns, so that neither starves the other. */
static struct flow *next_flow(struct flow_group *group)
{
    struct flow *flow;

    group->accept_first = !group->accept_first;
    flow = group->accept_first ? accept_one(group) : take_ready(group);
    if (flow)
        return flow;
    return group->accept_first ? take_ready(group) : accept_one(group);
}

/*
 * The callback has returned. Its flow is closed, and the core takes (and drops)
 * for a moment what the peer still sends: a RST for unread data (RFC 9293
 * SHLD-3) could overtake the last answer in the peer's own receive queue. That
 * costs no thread and no handle, and is bounded in time and in number.
 */
static void finish(struct flow *flow)
{
    if (flow->flags & FLOW_RELEASED)
        flow_disown(flow);
    else
        flow_end(flow, FLOW_LINGER_US);
}

/* One callback, from its beginning to its end, for a flow in no state. */
static void run(struct flow *flow)
{
    struct flow_group *group = flow->group;
    enum flow_park_event event = (enum flow_park_event)flow->park_event;
    flow_park_fn *fn = flow->park_fn;
    void *context = flow->park_context;
    uint32_t turn = flow->turn;

    flow->refs++; /* for a look at `turn` in the end */
    flow->read_deadline_us = FOREVER;
    flow->write_deadline_us = FOREVER;
    if (fn)
        fn(flow, context, event);
    else
        group->listen.callback(flow, group->listen.context);
    /* The same turn: nobody has parked or released it meanwhile. */
    if (flow->turn == turn)
        finish(flow);
    flow_drop_now(flow);
    thread_uncancel(); /* it was meant for this callback */
}

/*
 * Serves one flow after another, until none waits. It may block in any of
 * them, so before each it sees to it that another thread is on its way when
 * more flows wait: that one goes on where this one stops.
 */
static void flow_thread(void *arg)
{
    struct flow_group *group = arg;
    struct flow *flow;

    group->coming = false;
    while ((flow = next_flow(group))) {
        flow_group_dispatch(group);
        run(flow);
    }
    group->threads--;
    group->tcp->threads--;
    flow_group_put(group);
}

static bool has_work(const struct flow_group *group)
{
    return group->ready || has_new(group);
}

void flow_group_dispatch(struct flow_group *group)
{
    if (group->coming || group->threads >= group->listen.threads_max ||
        !has_work(group))
        return;
    if (thread_spawn(NULL, group->name, group->listen.stack_bytes, flow_thread,
                     group) != THREAD_OK) {
        retry_later(group->tcp);
        return;
    }
    group->coming = true;
    group->threads++;
    group->tcp->threads++;
}

/* ---- parking ---- */

void flow_ready(struct flow *flow, enum flow_park_event event)
{
    struct flow_group *group = flow->group;

    if (flow->mode == FLOW_PARKED)
        group->tcp->parked_count--;
    flow->mode = FLOW_READY;
    flow->park_event = event & 1;
    flow->after = NULL;
    *group->ready_end = flow;
    group->ready_end = &flow->after;
    flow_group_dispatch(group);
}

/* It need not wait: there is something to read already. */
static ASIDE void park_ready(struct flow *flow)
{
    flow_ready(flow, FLOW_PARK_READABLE);
}

void flow_park(struct flow *flow, flow_park_fn *fn, void *context,
               uint64_t deadline_us)
{
    struct tcpv4 *tcp = flow->group->tcp;

    ASSERT(flow->mode == FLOW_ACTIVE && fn);
    if (!(flow->flags & FLOW_OWNED)) { /* released by somebody else */
        flow->flags |= FLOW_OWNED;
        flow->refs++;
    }
    flow->turn++;
    flow->park_fn = fn;
    flow->park_context = context;
    if (flow->flags & FLOW_RELEASED || tcp_readable(flow->conn)) {
        park_ready(flow);
        return;
    }
    flow->mode = FLOW_PARKED;
    tcp->parked_count++;
    if (deadline_us != FOREVER) { /* has it passed: in the next round */
        flow_time(flow, deadline_us);
        if (!tcp->net_awake)
            tcp->wake_by(tcp->wake_context, deadline_us);
    } else if (flow->timed) {
        flow_untime(flow);
    }
}

/* ---- what is due ---- */

/* The timer of a flow has fired, perhaps too early: see flow_time(). */
static void timer_over(struct flow *flow, uint64_t now_us)
{
    flow_untime(flow);
    if (flow->mode != FLOW_PARKED)
        return;
    if (flow->until_us > now_us)
        flow_time(flow, flow->until_us);
    else
        flow_ready(flow, FLOW_PARK_DEADLINE);
}

static void run_timers(struct tcpv4 *tcp, uint64_t now_us)
{
    struct timer *timer;

    /* Each round takes one timer that is due, and none becomes so. */
    while ((timer = timer_wheel_pop(&tcp->wheel, now_us)))
        timer_over(CONTAINER_OF(timer, struct flow, timer), now_us);
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
    if (flow_all_closed(tcp))
        wait_queue_wake_all(&tcp->closers);
}

uint64_t tcpv4_next_deadline(const struct tcpv4 *tcp)
{
    uint64_t timer_us = timer_wheel_next(&tcp->wheel);

    if (flow_first(&tcp->dead) || (tcp->closers.head && flow_all_closed(tcp)))
        return 0;
    return timer_us < tcp->retry_us ? timer_us : tcp->retry_us;
}
