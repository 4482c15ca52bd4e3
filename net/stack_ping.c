/*
 * net/stack_ping.c - net/ping.h for a green thread.
 */
#include "net/stack_ping.h"

#include "kernel/clock.h"
#include "kernel/thread.h"
#include "net/stack.h"

/* A full card tells nobody when it has room again. */
enum { FULL_RETRY_US = 200 };

/* Who waits, and for what; on the waiting thread's stack. */
struct waiter {
    struct wait_queue queue;
    struct ping_answer answer;
    bool done;
};

static void done(void *context, const struct ping_answer *answer)
{
    struct waiter *waiter = context;

    waiter->answer = *answer;
    waiter->done = true;
    wait_queue_wake_all(&waiter->queue);
}

/* Ask as soon as the card has room. */
static enum ping_status start(struct stack *stack,
                              const struct ping_request *request,
                              struct waiter *waiter, struct ping **ping)
{
    uint64_t deadline_us = clock_us() + request->timeout_us;

    for (;;) {
        uint64_t now_us = clock_us();
        enum ping_status status =
            ping_start(stack_net(stack), request, done, waiter, now_us, ping);

        stack_wake(stack);
        if (status != PING_FULL)
            return status;
        if (now_us >= deadline_us)
            return PING_TIMEOUT;
        if (thread_sleep_until(now_us + FULL_RETRY_US) == WAIT_CANCELLED)
            return PING_CANCELLED;
    }
}

enum ping_status stack_ping(struct stack *stack,
                            const struct ping_request *request,
                            struct ping_answer *answer)
{
    struct waiter waiter = {0};
    enum wait_status waited = WAIT_OK;
    struct ping *ping;

    *answer =
        (struct ping_answer){.status = start(stack, request, &waiter, &ping)};
    if (answer->status != PING_OK)
        return answer->status;
    while (!waiter.done && waited != WAIT_CANCELLED)
        waited = wait_queue_wait(&waiter.queue, "ping", FOREVER);
    if (waiter.done) {
        *answer = waiter.answer;
    } else {
        ping_cancel(ping);
        answer->status = PING_CANCELLED;
    }
    return answer->status;
}
