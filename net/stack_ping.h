/*
 * net/stack_ping.h - net/ping.h for a green thread.
 */
#ifndef NET_STACK_PING_H
#define NET_STACK_PING_H

#include "kernel/base.h"
#include "net/ping.h"

struct stack;

/*
 * Ask a host, and wait for what comes of it.
 *
 * answer:  set on every path; its status is what is returned.
 * Blocks:  until there is an answer, for request->timeout_us at most, or
 *          until thread_cancel().
 * Returns: every ping_status.
 */
MUST_CHECK enum ping_status stack_ping(struct stack *stack,
                                       const struct ping_request *request,
                                       struct ping_answer *answer);

#endif
