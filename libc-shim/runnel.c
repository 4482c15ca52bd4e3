/*
 * libc-shim/runnel.c - what a program asks of its machine beyond libc.
 */
#include "libc-shim/runnel.h"

#include "kernel/console.h"
#include "kernel/log.h"
#include "kernel/thread.h"
#include "libc-shim/runnel_setup.h"
#include "net/interface.h"
#include "net/net.h"
#include "net/stack.h"

static struct runnel {
    struct stack *stack;
    struct thread_signal *stop;
    struct wait_queue stop_waiters;
    bool stop_heard; /* one thread waits for the signal, the rest for it */
    bool stopping;
    struct wait_queue address_waiters;
    uint32_t address_changes;
    const char *listener; /* who is ready but for an address; or null */
    uint16_t listener_port;
} runnel;

void runnel_setup(struct stack *stack, struct thread_signal *stop)
{
    runnel = (struct runnel){.stack = stack, .stop = stop};
}

struct tcpv4 *runnel_tcp(void)
{
    ASSERT(runnel.stack);
    return stack_tcp(runnel.stack);
}

struct udpv4 *runnel_udp(void)
{
    ASSERT(runnel.stack);
    return stack_udp(runnel.stack);
}

struct dns *runnel_dns(void)
{
    ASSERT(runnel.stack);
    return stack_dns(runnel.stack);
}

struct stack *runnel_stack(void)
{
    ASSERT(runnel.stack);
    return runnel.stack;
}

struct net *runnel_net(void)
{
    ASSERT(runnel.stack);
    return stack_net(runnel.stack);
}

struct ipv4_addr runnel_address(void)
{
    return net_address(runnel_net());
}

bool runnel_link_up(void)
{
    return stack_link_up(runnel.stack);
}

bool runnel_wait_link(bool up, uint64_t deadline_us)
{
    return stack_wait_link(runnel.stack, up, deadline_us);
}

static void say_ready(const char *name, uint16_t port)
{
    char addr[IPV4_TEXT_BYTES];

    log_at(LOG_INFO, "app", "%s listens on %s:%u", name,
           ipv4_addr_text(runnel_address(), addr), port);
    console_print("runnel: ready\n"); /* whatever --logs says */
}

void runnel_address_changed(void)
{
    if (runnel.listener && !ipv4_addr_is_zero(runnel_address())) {
        say_ready(runnel.listener, runnel.listener_port);
        runnel.listener = NULL;
    }
    runnel.address_changes++;
    wait_queue_wake_all(&runnel.address_waiters);
}

bool runnel_wait_address_change(uint32_t *seen, uint64_t deadline_us)
{
    while (runnel.address_changes == *seen)
        if (wait_queue_wait(&runnel.address_waiters, "address", deadline_us) !=
            WAIT_OK)
            return false;
    *seen = runnel.address_changes;
    return true;
}

static bool has_card(void)
{
    struct interface_info card;

    return interface_get(runnel_net(), 0, &card);
}

bool runnel_wait_online(uint64_t deadline_us)
{
    uint32_t seen = runnel.address_changes;

    if (!has_card())
        return false;
    while (ipv4_addr_is_zero(runnel_address()))
        if (!runnel_wait_address_change(&seen, deadline_us))
            return false;
    return true;
}

void runnel_ready(const char *name, uint16_t port)
{
    /* Without a card no address will come. */
    if (!ipv4_addr_is_zero(runnel_address()) || !has_card()) {
        say_ready(name, port);
        return;
    }
    runnel.listener = name;
    runnel.listener_port = port;
    log_at(LOG_INFO, "app", "%s listens on port %u and waits for an address",
           name, port);
}

/* The button is one signal with one waiter: the first thread that waits. */
static bool hear_stop(uint64_t deadline_us)
{
    enum wait_status status;

    runnel.stop_heard = true;
    status = thread_signal_wait(runnel.stop, "stop event", deadline_us);
    runnel.stop_heard = false;
    if (status == WAIT_OK)
        runnel.stopping = true;
    wait_queue_wake_all(&runnel.stop_waiters);
    return runnel.stopping;
}

bool runnel_wait_stop(uint64_t deadline_us)
{
    while (!runnel.stopping) {
        if (!runnel.stop_heard)
            return hear_stop(deadline_us);
        if (wait_queue_wait(&runnel.stop_waiters, "stop event", deadline_us) !=
            WAIT_OK)
            break;
    }
    return runnel.stopping;
}
