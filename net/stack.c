/*
 * net/stack.c - the network thread of a stack.
 *
 * One round: take what the cards have, run the timers, let the threads that
 * were woken run, then send all that came of it with one kick per card. So
 * the answers to a batch leave together, acknowledgements ride on them, and
 * what a thread writes in several calls before it blocks shares segments.
 *
 * When a round leaves nothing to do, the cards' interrupts are turned on, the
 * rings are looked at once more, and the thread sleeps; where packets have
 * been near before, it looks at the rings for a while first. Threads that write
 * meanwhile wake it through stack_wake(); it runs when they block. An
 * application that computes for long without blocking delays the network for
 * as long: green threads are cooperative, thread_yield() is the remedy.
 */
#include "net/stack.h"

#include "kernel/clock.h"
#include "net/dns_flow_priv.h"
#include "net/flow_priv.h"
#include "net/netdev.h"
#include "net/udp_flow_priv.h"

enum {
    DEVS_MAX = 8,
    BATCH_FRAMES = 64,
    FULL_RETRY_US = 200, /* a full card tells nobody when it has room again */
    LOOKS = 64,          /* between two looks at the clock */
    LOOKS_MAX = 1 << 16, /* the clock may stand still */
};

/* How to wait for a card. */
enum way { ASLEEP, LOOKING, WAYS };

/* How a sleep has ended. */
enum woken {
    NOT_SLEPT, /* a card says that it has work */
    BY_SIGNAL,
    BY_DEADLINE
};

/* Whether to look at the cards before sleeping: see stack_set_polling(). */
struct polling {
    uint64_t most_us;
    bool soon; /* the last sleep was short: the next packet may be near */
    int64_t waits_ns[WAYS]; /* how long they are of late, either way */
};

struct stack {
    struct net *net;
    struct tcpv4 tcp;
    struct udpv4 udp;
    struct dns dns;
    struct thread_signal *signal;
    struct thread *thread;
    struct netdev *devs[DEVS_MAX];
    size_t dev_count;
    struct wait_queue link_waiters;
    uint64_t sleeps_until_us; /* while asleep */
    struct polling polling;
    bool stopping;
    struct stack_counters count;
    void (*page_free)(void *context, void *page);
    void *page_context;
};

_Static_assert(sizeof(struct stack) <= PAGE_BYTES, "stands on one page");

/* ---- waking ---- */

void stack_wake(struct stack *stack)
{
    /* Awake, it looks again by itself before it sleeps. */
    if (stack->tcp.net_awake)
        return;
    stack->tcp.net_awake = true;
    thread_signal_raise(stack->signal);
}

static void wake(void *context)
{
    stack_wake(context);
}

static void wake_by(void *context, uint64_t deadline_us)
{
    struct stack *stack = context;

    if (deadline_us < stack->sleeps_until_us)
        stack_wake(stack);
}

static void tcp_event(void *context, struct tcp_conn *conn, unsigned changes)
{
    (void)context;
    flow_tcp_event(conn, changes);
}

/* ---- the thread ---- */

/* Take what the cards have: events, and a batch of frames of each. */
static bool take_input(struct stack *stack, uint64_t now_us)
{
    bool found = false;

    for (size_t i = 0; i < stack->dev_count; i++) {
        struct netdev *dev = stack->devs[i];
        unsigned events = dev->ops->events(dev);
        struct buffer *frames = dev->ops->receive(dev, BATCH_FRAMES);

        if (events) {
            net_device_event(stack->net, dev, events, now_us);
            wait_queue_wake_all(&stack->link_waiters);
        }
        if (frames)
            net_input(stack->net, dev, frames, now_us);
        found |= events || frames;
    }
    return found;
}

static uint64_t next_deadline(const struct stack *stack)
{
    uint64_t net_us = net_next_deadline(stack->net);
    uint64_t tcp_us = tcpv4_next_deadline(&stack->tcp);

    return net_us < tcp_us ? net_us : tcp_us;
}

/* Has a card something? Asked between rounds: a round of its own costs more. */
static bool look(const struct stack *stack)
{
    for (size_t i = 0; i < stack->dev_count; i++)
        if (stack->devs[i]->ops->pending(stack->devs[i]))
            return true;
    return false;
}

/* Interrupts on (true) or off. Returns: whether a card has work already. */
static bool arm(struct stack *stack, bool on)
{
    bool work = false;

    for (size_t i = 0; i < stack->dev_count; i++)
        work |= stack->devs[i]->ops->arm(stack->devs[i], on);
    return work;
}

/* A card may want to be called although it does not interrupt. */
static uint64_t cards_deadline(const struct stack *stack, uint64_t deadline_us)
{
    for (size_t i = 0; i < stack->dev_count; i++) {
        uint64_t wake_us = stack->devs[i]->wake_us;

        if (wake_us && wake_us < deadline_us)
            deadline_us = wake_us;
    }
    return deadline_us;
}

/* Nothing is left: wait for a card, a flow, or the next deadline. */
static enum woken sleep_until(struct stack *stack, uint64_t deadline_us)
{
    enum wait_status status = WAIT_OK;
    bool work = arm(stack, true);

    if (!work) {
        deadline_us = cards_deadline(stack, deadline_us);
        stack->sleeps_until_us = deadline_us;
        stack->tcp.net_awake = false;
        stack->count.sleeps++;
        /* However the wait ends, the next round finds out why. */
        status = thread_signal_wait(stack->signal, "network", deadline_us);
        stack->tcp.net_awake = true;
    }
    (void)arm(stack, false);
    if (work) {
        thread_yield(); /* it may come to nothing, time and again */
        return NOT_SLEPT;
    }
    return status == WAIT_OK ? BY_SIGNAL : BY_DEADLINE;
}

/* ---- looking before sleeping ---- */

/*
 * Look at the cards until something is there or `until_us`. Not inlined: the
 * bench tells what is spent here from work by the function's name. Without
 * PAUSE, which makes a virtual CPU stop running now and then: an emulated one
 * every time, and take its emulator's lock, which whom we wait for needs.
 */
static ASIDE bool poll_cards(const struct stack *stack, uint64_t until_us)
{
    for (unsigned i = 1; i <= LOOKS_MAX; i++) {
        if (look(stack))
            return true;
        if (thread_signal_pending() ||
            (i % LOOKS == 0 && clock_us() >= until_us))
            return false;
    }
    return false;
}

/*
 * Whether looking is no slower than sleeping, but for an eighth: what an
 * interrupt costs us is not part of the wait. Where there is no CPU to spare,
 * it is slower by far, for it keeps whom we wait for from running.
 */
static bool is_worth_a_look(const struct polling *polling)
{
    const int64_t *waits_ns = polling->waits_ns;

    return polling->soon &&
           waits_ns[LOOKING] <= waits_ns[ASLEEP] + waits_ns[ASLEEP] / 8;
}

/* Learn from one wait. What is known of the other way grows old: in the end
 * that is tried again. */
static void learn(struct polling *polling, enum way way, uint64_t waited_us)
{
    int64_t *this_ns = &polling->waits_ns[way];
    int64_t *other_ns = &polling->waits_ns[WAYS - 1 - way];

    *this_ns += ((int64_t)waited_us * 1000 - *this_ns) / 8;
    *other_ns += (*this_ns - *other_ns) / 64;
}

/* The same, of a sleep that something other than a deadline has ended, or that
 * was long. Much longer, and it tells of the peers, not of the ways to wait. */
static void learn_from_sleep(struct polling *polling, enum way way,
                             uint64_t begin_us, uint64_t sleep_us)
{
    uint64_t now_us = clock_us();

    polling->soon = now_us - sleep_us <= polling->most_us;
    if (now_us - begin_us <= 2 * polling->most_us)
        learn(polling, way, now_us - begin_us);
}

/* As sleep_until(), looking first where that is worth it. */
static void wait_until(struct stack *stack, uint64_t deadline_us)
{
    struct polling *polling = &stack->polling;
    uint64_t begin_us = clock_us();
    uint64_t sleep_us = begin_us;
    uint64_t until_us = begin_us + polling->most_us;
    uint64_t alone_us = thread_alone_until();
    enum way way = ASLEEP;
    enum woken woken;

    if (deadline_us < until_us)
        until_us = deadline_us;
    if (alone_us < until_us)
        until_us = alone_us;
    if (until_us > begin_us && is_worth_a_look(polling)) {
        way = LOOKING;
        stack->count.polls++;
        if (poll_cards(stack, until_us)) {
            stack->count.poll_hits++;
            learn(polling, way, clock_us() - begin_us);
            return;
        }
        sleep_us = clock_us();
    }
    woken = sleep_until(stack, deadline_us);
    if (woken == BY_SIGNAL ||
        (woken == BY_DEADLINE && clock_us() > sleep_us + polling->most_us))
        learn_from_sleep(polling, way, begin_us, sleep_us);
}

static void network_thread(void *arg)
{
    struct stack *stack = arg;
    uint64_t until_us;
    uint64_t now_us;
    bool again = false; /* the last round has left something to do */
    bool found;
    bool full;

    while (!stack->stopping) {
        stack->count.rounds++;
        now_us = clock_us();
        found = take_input(stack, now_us);
        if (next_deadline(stack) <= now_us) {
            net_run(stack->net, now_us);
            tcpv4_run(&stack->tcp, now_us);
            found = true;
        }
        if (found || again)
            thread_yield(); /* those woken read, write, park */
        full = net_flush(stack->net, clock_us());
        /* What a card has may come to nothing: frames that it drops itself.
         * The next round lets others run all the same. */
        again = (net_needs_flush(stack->net) && !full) || look(stack);
        if (again || stack->stopping)
            continue;
        until_us = next_deadline(stack);
        if (full && until_us > now_us + FULL_RETRY_US)
            until_us = now_us + FULL_RETRY_US;
        if (stack->polling.most_us > 0)
            wait_until(stack, until_us);
        else
            (void)sleep_until(stack, until_us);
    }
}

/* ---- making and ending ---- */

/* Its parts, in order; what was made is undone when one cannot be. */
static COLD bool make_parts(struct stack *stack,
                            const struct net_config *config)
{
    struct tcpv4_config tcp_config = {
        .net_config = config,
        .wake = wake,
        .wake_by = wake_by,
        .wake_context = stack,
    };
    uint64_t now_us = clock_us();

    stack->net = net_create(config, now_us);
    if (!stack->net)
        return false;
    tcp_config.net = stack->net;
    if (!tcpv4_init(&stack->tcp, &tcp_config, now_us)) {
        net_destroy(stack->net);
        return false;
    }
    stack->tcp.net_awake = true; /* it has yet to look for the first time */
    udpv4_init(&stack->udp, stack->net, config, wake, stack);
    dns_init(&stack->dns, stack->net, &stack->udp, &stack->tcp, config);
    if (thread_spawn(&stack->thread, "network", 0, network_thread, stack) !=
        THREAD_OK) {
        tcpv4_free(&stack->tcp);
        net_destroy(stack->net);
        return false;
    }
    return true;
}

COLD struct stack *stack_create(const struct stack_config *config,
                                struct thread_signal *signal)
{
    struct net_config net_config = config->net;
    const struct net_host *host = &config->net.host;
    struct stack *stack = host->page_alloc(host->context);

    if (!stack)
        return NULL;
    *stack = (struct stack){
        .signal = signal,
        .page_free = host->page_free,
        .page_context = host->context,
    };
    net_config.host.tcp_event = tcp_event;
    if (!make_parts(stack, &net_config)) {
        host->page_free(host->context, stack);
        return NULL;
    }
    return stack;
}

COLD enum net_status stack_attach(struct stack *stack, struct netdev *dev,
                                  const struct net_address *address)
{
    enum net_status status;

    if (dev && stack->dev_count == DEVS_MAX)
        return NET_FULL;
    status = net_attach(stack->net, dev, address);
    if (status != NET_OK)
        return status;
    if (dev)
        stack->devs[stack->dev_count++] = dev;
    stack_wake(stack);
    return NET_OK;
}

bool stack_link_up(const struct stack *stack)
{
    for (size_t i = 0; i < stack->dev_count; i++)
        if (stack->devs[i]->link_up)
            return true;
    return false;
}

bool stack_wait_link(struct stack *stack, bool up, uint64_t deadline_us)
{
    while (stack_link_up(stack) == up)
        if (wait_queue_wait(&stack->link_waiters, "link", deadline_us) !=
            WAIT_OK)
            return false;
    return true;
}

void stack_set_polling(struct stack *stack, uint32_t most_us)
{
    stack->polling = (struct polling){.most_us = most_us};
    for (unsigned i = 0; i < WAYS; i++)
        stack->polling.waits_ns[i] = (int64_t)most_us * 1000;
}

struct net *stack_net(struct stack *stack)
{
    return stack->net;
}

struct tcpv4 *stack_tcp(struct stack *stack)
{
    return &stack->tcp;
}

struct udpv4 *stack_udp(struct stack *stack)
{
    return &stack->udp;
}

struct dns *stack_dns(struct stack *stack)
{
    return &stack->dns;
}

void stack_counters_get(const struct stack *stack,
                        struct stack_counters *counters)
{
    *counters = stack->count;
}

COLD void stack_destroy(struct stack *stack)
{
    void (*page_free)(void *context, void *page) = stack->page_free;
    void *page_context = stack->page_context;

    stack->stopping = true;
    stack_wake(stack);
    while (thread_join(stack->thread, FOREVER) != WAIT_OK)
        continue; /* cancelled: the thread ends all the same */
    (void)net_flush(stack->net, clock_us());
    dns_free(&stack->dns);
    udpv4_free(&stack->udp);
    tcpv4_free(&stack->tcp);
    net_destroy(stack->net);
    page_free(page_context, stack);
}
