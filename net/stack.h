/*
 * net/stack.h - a stack (net/net.h) with a network thread and a flow API.
 *
 * This and net/flow*.c are the only files of net/ that know threads. The
 * network thread drains the cards in batches, runs timers, flushes once per
 * batch, and sleeps until a card's signal, a flow's wish to send, or the next
 * deadline.
 */
#ifndef NET_STACK_H
#define NET_STACK_H

#include "kernel/base.h"
#include "kernel/thread.h"
#include "net/net.h"

struct stack; /* opaque */
struct tcpv4;
struct udpv4;
struct dns;

struct stack_config {
    struct net_config net; /* host.tcp_event is set by the stack itself */
};

/*
 * Make a stack and start its network thread.
 *
 * signal:  raised by the drivers' interrupt handlers; outlives the stack.
 * Returns: null when there is no memory.
 */
MUST_CHECK struct stack *stack_create(const struct stack_config *config,
                                      struct thread_signal *signal);

/* As net_attach(), and the network thread serves the card from now on. */
MUST_CHECK enum net_status stack_attach(struct stack *stack, struct netdev *dev,
                                        const struct net_address *address);

struct net *stack_net(struct stack *stack);
struct tcpv4 *stack_tcp(struct stack *stack);
struct udpv4 *stack_udp(struct stack *stack);
struct dns *stack_dns(struct stack *stack);

/*
 * A thread has called something of net/ that may send or arm a timer: the
 * network thread looks again. The flow API does this by itself.
 * Blocks: never; the network thread runs when the caller blocks or yields.
 */
void stack_wake(struct stack *stack);

/* Whether a card has a link. False when there is no card. */
bool stack_link_up(const struct stack *stack);

/*
 * Wait until stack_link_up() is other than `up`.
 * Blocks:  the calling thread, until then.
 * Returns: false when `deadline_us` passed first, or the wait was cancelled. A
 *          change that was undone before the network thread saw it, or before
 *          the waiter ran, is none.
 */
bool stack_wait_link(struct stack *stack, bool up, uint64_t deadline_us);

/*
 * Stop the network thread and free everything. tcpv4_disconnect() comes first;
 * no flow may be in use, and nobody wait for the link.
 * Blocks: until the network thread has ended.
 */
void stack_destroy(struct stack *stack);

/*
 * Before it sleeps, the network thread may look at the cards for a while with
 * their interrupts off: under load from few peers the next packet is near, and
 * an interrupt costs a virtual machine more than the wait. It does where the
 * last sleep was no longer than `most_us`, so that an idle machine sleeps, and
 * where packets have come no later than while it slept: on a host without a
 * CPU to spare they do.
 *
 * most_us: how long at most; 0: never, as after stack_create().
 */
void stack_set_polling(struct stack *stack, uint32_t most_us);

struct stack_counters {
    uint64_t rounds; /* of the network thread */
    uint64_t sleeps;
    uint64_t polls;     /* times that it looked before sleeping */
    uint64_t poll_hits; /* ... and found something */
};
void stack_counters_get(const struct stack *stack,
                        struct stack_counters *counters);

#endif
