/*
 * net/tcp_timer.h - parts of net/tcp_timer.c, for who does it with every
 * segment. Private to net/tcp_*.c.
 */
#ifndef NET_TCP_TIMER_H
#define NET_TCP_TIMER_H

#include "net/tcp_conn.h"

/* tcp_deadline_set(). */
static INLINE void tcp_deadline_put(struct tcp_conn *conn,
                                    enum tcp_deadline which, uint64_t at_us)
{
    conn->deadline[which] = at_us;
    if (!timer_is_armed(&conn->timer) || conn->timer.deadline_us > at_us)
        timer_arm(&conn->net->timers, &conn->timer, at_us);
}

/* What tcp_timer_loss() arms the timer for; FOREVER: it does not. */
static INLINE uint64_t tcp_loss_deadline(const struct tcp_active *active)
{
    uint64_t at_us = active->rto_at_us;

    if (active->probe_at_us < at_us)
        at_us = active->probe_at_us;
    return active->reorder_at_us < at_us ? active->reorder_at_us : at_us;
}

#endif
