/*
 * net/tcp_timer.c - the deadlines of a connection, on one struct timer.
 *
 * Deadlines are set and cleared with every segment, the timer hardly ever: it
 * stays armed for an earlier time, finds nothing due then, and is armed anew.
 *
 * Source: RFC 6298 5 (retransmission); RFC 9293 3.8.3 (R2), 3.8.4
 * (keep-alive), 3.8.6.1 (persist); RFC 5482 (user timeout).
 */
#include "net/tcp_timer.h"

#include "net/tcp_conn.h"
#include "net/tcp_loss.h"
#include "net/tcp_path.h"

enum {
    BACKOFF_MAX = 16,
    CORK_US = 200000
}; /* at least what TCP_OPTION_R1 may be */

void tcp_deadline_set(struct tcp_conn *conn, enum tcp_deadline which,
                      uint64_t at_us)
{
    tcp_deadline_put(conn, which, at_us);
}

uint64_t tcp_timer_rto_at(const struct tcp_conn *conn)
{
    uint64_t rto_us = (uint64_t)conn->rto_us << conn->backoff;
    uint64_t most_us = tcp_config_of(conn)->rto_max_us;

    return conn->net->now_us + (rto_us < most_us ? rto_us : most_us);
}

void tcp_timer_rtx(struct tcp_conn *conn)
{
    uint64_t at_us = tcp_timer_rto_at(conn);

    if (conn->active) {
        conn->active->rto_at_us = at_us;
        tcp_timer_loss(conn);
    } else {
        tcp_deadline_set(conn, TCP_DEADLINE_RTX, at_us);
    }
}

void tcp_timer_rtx_off(struct tcp_conn *conn)
{
    if (conn->active) {
        conn->active->rto_at_us = FOREVER;
        conn->active->probe_at_us = FOREVER;
        conn->active->reorder_at_us = FOREVER;
    }
    tcp_deadline_clear(conn, TCP_DEADLINE_RTX);
}

void tcp_timer_loss(struct tcp_conn *conn)
{
    uint64_t at_us = tcp_loss_deadline(conn->active);

    if (at_us == FOREVER)
        tcp_deadline_clear(conn, TCP_DEADLINE_RTX);
    else
        tcp_deadline_set(conn, TCP_DEADLINE_RTX, at_us);
}

/* Back-off stays above 0: it is the same loss, which has reduced cwnd. */
void tcp_timer_hurry(struct tcp_conn *conn)
{
    uint64_t now_us = conn->net->now_us;

    if (conn->backoff == 0 || conn->deadline[TCP_DEADLINE_RTX] == FOREVER)
        return;
    conn->backoff = 1;
    if (conn->active)
        conn->active->rto_at_us = now_us;
    tcp_deadline_set(conn, TCP_DEADLINE_RTX, now_us);
}

/* A cork in an open window is out after 200 ms, as Linux's. */
void tcp_timer_persist(struct tcp_conn *conn)
{
    if (conn->corked && conn->snd.wnd)
        tcp_deadline_set(conn, TCP_DEADLINE_RTX, conn->net->now_us + CORK_US);
    else
        tcp_timer_rtx(conn);
}

static void back_off(struct tcp_conn *conn)
{
    if (conn->backoff < BACKOFF_MAX)
        conn->backoff++;
    tcp_timer_rtx(conn);
    tcp_conn_wants_flush(conn);
}

/* R1: the way may be dead, which IP finds out; the owner may know a better
 * one, or give up before R2. */
static void check_r1(struct tcp_conn *conn)
{
    if (conn->backoff != tcp_config_of(conn)->r1_retransmissions)
        return;
    ipv4_doubt(conn->net, conn->tuple.peer);
    tcp_soft_error(conn, TCP_SOFT_NO_ANSWER);
}

/* R2: so long without what we wait for, and it was asked for again: a machine
 * that was paused for an hour has not tried yet. */
static bool gave_up(struct tcp_conn *conn, uint64_t since_us)
{
    if (conn->backoff == 0 ||
        conn->net->now_us - since_us < tcp_config_of(conn)->r2_us)
        return false;
    tcp_count(conn, tcp_gave_up);
    tcp_conn_end(conn, TCP_END_TIMEOUT);
    return true;
}

/* Nothing is in flight: a probe, if something waits for the window; or what
 * found no memory is tried again. */
static bool persist(struct tcp_conn *conn)
{
    if (!tcp_unsent(conn) && !(conn->fin_queued && !conn->fin_sent)) {
        tcp_conn_wants_flush(conn); /* an ACK that found no memory */
        return true;
    }
    if (conn->corked && conn->snd.wnd) { /* it has waited long enough */
        conn->probe_now = true;
        tcp_conn_wants_flush(conn);
        return true;
    }
    if (tcp_conn_activate(conn) && gave_up(conn, conn->active->answered_us))
        return false;
    conn->probe_now = true;
    if (conn->snd.wnd == 0)
        tcp_count(conn, tcp_zero_window_probe);
    back_off(conn);
    return true;
}

/* Each handler returns false when the connection is gone. */
static COLD bool rtx_due(struct tcp_conn *conn)
{
    if (tcp_opening(conn)) {
        conn->syn_now = true;
        conn->syn_again = true;
        conn->retransmissions++;
        tcp_count(conn, tcp_retransmit);
        back_off(conn);
        check_r1(conn);
        return true;
    }
    if (tcp_flight(conn) == 0)
        return persist(conn);
    if (conn->active->reorder_at_us <= conn->net->now_us) {
        tcp_loss_reorder_due(conn);
        return true;
    }
    if (conn->active->probe_at_us <= conn->net->now_us) {
        tcp_probe_now(conn);
        return true;
    }
    if (conn->active->rto_at_us > conn->net->now_us) {
        tcp_timer_loss(conn);
        return true;
    }
    if (conn->snd.wnd == 0) { /* probes: MUST-37, while they are answered */
        if (gave_up(conn, conn->active->answered_us))
            return false;
        tcp_count(conn, tcp_zero_window_probe);
        tcp_loss_again(conn);
    } else {
        if (gave_up(conn, conn->active->stalled_us))
            return false;
        tcp_count(conn, tcp_timeout);
        tcp_path_timeout(conn);
        tcp_loss_timeout(conn);
    }
    tcp_timer_user(conn);
    back_off(conn);
    if (conn->snd.wnd)
        check_r1(conn);
    return true;
}

static bool ack_due(struct tcp_conn *conn)
{
    if (conn->ack_delayed) {
        conn->ack_now = true;
        tcp_conn_wants_flush(conn);
    }
    return true;
}

void tcp_timer_keep(struct tcp_conn *conn)
{
    if (conn->released) /* FIN-WAIT-2 has its own limit */
        return;
    if (!conn->keepalive)
        tcp_deadline_clear(conn, TCP_DEADLINE_KEEP);
    else if (tcp_traits(conn->state)->open)
        tcp_deadline_set(conn, TCP_DEADLINE_KEEP,
                         conn->heard_us +
                             tcp_config_of(conn)->keepalive_idle_us);
}

static COLD bool keep_due(struct tcp_conn *conn)
{
    const struct tcp_config *config = tcp_config_of(conn);
    uint64_t now_us = conn->net->now_us;
    uint64_t idle_until_us = conn->heard_us + config->keepalive_idle_us;

    if (conn->released) {
        if (conn->state == TCP_FIN_WAIT_2) { /* an orphan waits no longer */
            tcp_conn_end(conn, TCP_END_CLOSED);
            return false;
        }
        return true;
    }
    if (tcp_flight(conn) || tcp_unsent(conn) || idle_until_us > now_us) {
        /* MUST-26: only when idle, and other timers watch the rest. */
        tcp_deadline_set(conn, TCP_DEADLINE_KEEP,
                         idle_until_us > now_us
                             ? idle_until_us
                             : now_us + config->keepalive_interval_us);
        return true;
    }
    if (conn->keep_probes >= config->keepalive_probes) {
        tcp_conn_reset(conn, TCP_END_KEEPALIVE);
        return false;
    }
    conn->keep_probes++;
    conn->keep_now = true;
    tcp_count(conn, tcp_keepalive_probe);
    tcp_conn_wants_flush(conn);
    tcp_deadline_set(conn, TCP_DEADLINE_KEEP,
                     now_us + config->keepalive_interval_us);
    return true;
}

void tcp_timer_user(struct tcp_conn *conn)
{
    if (tcp_opening(conn))
        return;
    if (!conn->user_timeout_ms || !conn->active)
        tcp_deadline_clear(conn, TCP_DEADLINE_USER);
    else
        tcp_deadline_set(conn, TCP_DEADLINE_USER,
                         conn->active->stalled_us +
                             (uint64_t)conn->user_timeout_ms * 1000);
}

static COLD bool user_due(struct tcp_conn *conn)
{
    if (tcp_opening(conn)) {
        tcp_conn_end(conn, TCP_END_SYN_TIMEOUT);
        return false;
    }
    if (!conn->active || !(tcp_flight(conn) || tcp_unsent(conn)))
        return true;
    if (conn->active->stalled_us + (uint64_t)conn->user_timeout_ms * 1000 >
        conn->net->now_us) {
        tcp_timer_user(conn);
        return true;
    }
    tcp_conn_reset(conn, TCP_END_USER_TIMEOUT);
    return false;
}

static bool room_due(struct tcp_conn *conn)
{
    tcp_linger_over(conn);
    tcp_conn_post(conn, TCP_CHANGE_WRITABLE | TCP_CHANGE_READABLE);
    return true;
}

typedef bool due_fn(struct tcp_conn *conn);

static due_fn *const due[TCP_DEADLINE_COUNT] = {
    [TCP_DEADLINE_RTX] = rtx_due,   [TCP_DEADLINE_ACK] = ack_due,
    [TCP_DEADLINE_KEEP] = keep_due, [TCP_DEADLINE_USER] = user_due,
    [TCP_DEADLINE_ROOM] = room_due,
};

static void fire(struct timer *timer, void *context)
{
    struct tcp_conn *conn = CONTAINER_OF(timer, struct tcp_conn, timer);
    uint64_t next_us = FOREVER;

    (void)context;
    for (unsigned i = 0; i < TCP_DEADLINE_COUNT; i++) {
        if (conn->deadline[i] > conn->net->now_us)
            continue;
        conn->deadline[i] = FOREVER;
        if (!due[i](conn))
            return;
    }
    for (unsigned i = 0; i < TCP_DEADLINE_COUNT; i++) {
        if (conn->deadline[i] < next_us)
            next_us = conn->deadline[i];
    }
    if (next_us != FOREVER)
        timer_arm(&conn->net->timers, timer, next_us);
}

void tcp_timer_init(struct tcp_conn *conn)
{
    conn->timer = (struct timer){.fire = fire};
    for (unsigned i = 0; i < TCP_DEADLINE_COUNT; i++)
        conn->deadline[i] = FOREVER;
}
