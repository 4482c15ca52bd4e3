/*
 * tests/unit/test_flow_pairs.c - every kind of waiter, every terminal event.
 *
 * Several threads wait on one flow in one way (or it is parked, or they all
 * connect); then the connection ends in one way. Every one of them must wake,
 * with the verdict that net/flow.h gives.
 *
 * The peer reads nothing and its window is small and full, so that writers,
 * acknowledgements and FIN all wait.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/flow_world.h"
#include "tests/host/host.h"

enum { WAITERS = 3, PORT = 80 };

enum waiter_kind {
    WAIT_READ,
    WAIT_WRITE,
    WAIT_WRITE_NODELAY,
    WAIT_CLOSE,
    WAIT_CLOSED,
    WAIT_PARKED,
    WAIT_CONNECT,
    WAITER_KINDS
};

enum end_kind {
    END_RST_FROM_PEER,
    END_LOCAL_ABORT,
    END_RETRANSMISSION,
    END_KEEPALIVE,
    END_USER_TIMEOUT,
    END_RELEASED,
    END_DISCONNECT,
    END_CANCEL,
    END_DEADLINE,
    END_KINDS
};

/* clang-format off */
static const char *const waiter_name[WAITER_KINDS] = {
    "read", "write", "write_nodelay", "close", "wait_closed", "parked",
    "connect"
};

static const struct {
    const char *name;
    enum flow_status status;
    struct flow_error error;
} ending[END_KINDS] = {
    [END_RST_FROM_PEER]  = {"RST from the peer", FLOW_ERROR,
                            {FLOW_ERROR_UNKNOWN, FLOW_REASON_RESET}},
    [END_LOCAL_ABORT]    = {"local abort", FLOW_ERROR,
                            {FLOW_ERROR_UNKNOWN, FLOW_REASON_ABORTED}},
    [END_RETRANSMISSION] = {"retransmission gives up", FLOW_ERROR,
                            {FLOW_ERROR_TIMEOUT, FLOW_REASON_NONE}},
    [END_KEEPALIVE]      = {"keep-alive death", FLOW_ERROR,
                            {FLOW_ERROR_TIMEOUT, FLOW_REASON_NONE}},
    [END_USER_TIMEOUT]   = {"user time-out", FLOW_ERROR,
                            {FLOW_ERROR_TIMEOUT, FLOW_REASON_NONE}},
    [END_RELEASED]       = {"release by another thread", FLOW_ERROR,
                            {FLOW_ERROR_UNKNOWN, FLOW_REASON_RELEASED}},
    [END_DISCONNECT]     = {"disconnect", FLOW_ERROR,
                            {FLOW_ERROR_UNKNOWN, FLOW_REASON_ABORTED}},
    [END_CANCEL]         = {"cancel", FLOW_CANCELLED,
                            {FLOW_ERROR_NONE, FLOW_REASON_NONE}},
    [END_DEADLINE]       = {"deadline", FLOW_DEADLINE,
                            {FLOW_ERROR_NONE, FLOW_REASON_NONE}},
};
/* clang-format on */

static struct {
    enum waiter_kind waiter;
    enum end_kind end;
    struct flow *flow;   /* A's */
    struct flow *server; /* B's, while its callback runs */
    bool server_may_end;
    struct thread *threads[WAITERS];
    int woken;
    enum flow_status status[WAITERS];
    struct flow_error error[WAITERS];
    uint64_t deadline_us;
} pair;

/* ---- the peer ---- */

static void serve(struct flow *flow, void *context)
{
    (void)context;
    pair.server = flow;
    while (!pair.server_may_end)
        world_sleep(WORLD_S);
    pair.server = NULL;
}

static bool lose_syns(const struct world_segment *segment)
{
    return !(segment->flags & WORLD_FLAGS_SYN);
}

/* ---- the waiters ---- */

static enum flow_status wait_write(struct flow *flow)
{
    enum flow_status status = FLOW_OK;

    while (status == FLOW_OK)
        status = flow_write(flow, world_bytes(flow, 0, 60000));
    return status;
}

static enum flow_status wait_close(struct flow *flow)
{
    flow_close(flow); /* says nothing: look for it */
    if (pair.end == END_CANCEL)
        return FLOW_CANCELLED;
    if (pair.end == END_DEADLINE)
        return FLOW_DEADLINE;
    return flow_error(flow).kind == FLOW_ERROR_NONE ? FLOW_OK : FLOW_ERROR;
}

static enum flow_status wait_connect(struct flow_error *error)
{
    struct flow *flow;
    enum flow_status status = tcpv4_create_connection(
        world.tcp[0], WORLD_B, PORT, pair.deadline_us, &flow, error);

    assert_null(flow);
    if (status != FLOW_ERROR)
        *error = (struct flow_error){FLOW_ERROR_NONE, FLOW_REASON_NONE};
    return status;
}

static enum flow_status wait_once(struct flow *flow)
{
    struct buffer *buffer;

    switch (pair.waiter) {
    case WAIT_READ:
        return flow_read(flow, &buffer);
    case WAIT_WRITE:
        return wait_write(flow);
    case WAIT_WRITE_NODELAY:
        return flow_write_nodelay(flow, world_bytes(flow, 0, 10));
    case WAIT_CLOSE:
        return wait_close(flow);
    case WAIT_CLOSED:
        return flow_wait_closed(flow, pair.deadline_us);
    default:
        return FLOW_OK;
    }
}

static void wait_thread(void *arg)
{
    int i = (int)(intptr_t)arg;

    if (pair.waiter == WAIT_CONNECT) {
        pair.status[i] = wait_connect(&pair.error[i]);
    } else {
        pair.status[i] = wait_once(pair.flow);
        pair.error[i] = flow_error(pair.flow); /* before it blocks again */
    }
    pair.woken++;
}

static void woken_parked(struct flow *flow, void *context,
                         enum flow_park_event event)
{
    struct buffer *buffer;

    assert_ptr_equal(context, &pair);
    if (event == FLOW_PARK_DEADLINE)
        pair.status[0] = FLOW_DEADLINE;
    else
        pair.status[0] = flow_read(flow, &buffer);
    pair.error[0] = flow_error(flow);
    pair.woken++;
}

static int waiters(void)
{
    return pair.waiter == WAIT_PARKED ? 1 : WAITERS;
}

static void start_waiters(void)
{
    if (pair.waiter == WAIT_PARKED) {
        flow_park(pair.flow, woken_parked, &pair, pair.deadline_us);
        return;
    }
    for (int i = 0; i < WAITERS; i++)
        pair.threads[i] = world_spawn(wait_thread, (void *)(intptr_t)i);
}

/* ---- the end ---- */

static bool wants_full_window(void)
{
    return pair.waiter == WAIT_WRITE || pair.waiter == WAIT_WRITE_NODELAY ||
           pair.waiter == WAIT_CLOSE;
}

static void cut_with_data_out(void)
{
    if (pair.waiter == WAIT_CONNECT) /* SYNs are lost already; ARP is not */
        return;
    world.wire.cut = true;
    if (!wants_full_window())
        assert_int_equal(flow_write(pair.flow, world_bytes(pair.flow, 0, 1)),
                         FLOW_OK);
}

static void bring_about(void)
{
    switch (pair.end) {
    case END_RST_FROM_PEER:
        if (pair.waiter == WAIT_CONNECT)
            world.watch = NULL; /* the next SYN meets nobody listening */
        else
            flow_abort(pair.server);
        break;
    case END_LOCAL_ABORT:
        flow_abort(pair.flow);
        break;
    case END_RETRANSMISSION:
        cut_with_data_out();
        break;
    case END_KEEPALIVE:
        flow_set_keepalive(pair.flow, true);
        world.wire.cut = true;
        break;
    case END_USER_TIMEOUT:
        flow_set_user_timeout(pair.flow, 30 * WORLD_S);
        cut_with_data_out();
        break;
    case END_RELEASED:
        flow_release(pair.flow);
        break;
    case END_DISCONNECT:
        tcpv4_disconnect(world.tcp[0], world_in(5 * WORLD_S));
        break;
    case END_CANCEL:
        for (int i = 0; i < WAITERS; i++)
            thread_cancel(pair.threads[i]);
        break;
    default:
        break; /* END_DEADLINE comes by itself */
    }
}

/* How long the end may take: keep-alive 2 h and 9 probes, R2 15 min. */
static uint64_t patience_us(void)
{
    if (pair.end == END_KEEPALIVE)
        return 8000ull * WORLD_S;
    return 1000ull * WORLD_S;
}

static bool makes_sense(void)
{
    if (pair.waiter == WAIT_PARKED)
        return pair.end != END_CANCEL; /* no thread to cancel */
    if (pair.waiter == WAIT_CONNECT)   /* no handle yet */
        return pair.end != END_LOCAL_ABORT && pair.end != END_RELEASED &&
               pair.end != END_KEEPALIVE && pair.end != END_USER_TIMEOUT;
    return true;
}

/* ---- one pair ---- */

static void open_flow(void)
{
    pair.deadline_us = FOREVER;
    if (pair.end == END_DEADLINE)
        pair.deadline_us = world_in(20 * WORLD_S);
    if (pair.waiter == WAIT_CONNECT) {
        world.watch = lose_syns;
        return;
    }
    world_listen(PORT, serve, NULL);
    pair.flow = world_connect(PORT);
    flow_set_read_deadline(pair.flow, pair.deadline_us);
    flow_set_write_deadline(pair.flow, pair.deadline_us);
    if (wants_full_window())
        assert_int_equal(
            flow_write(pair.flow, world_bytes(pair.flow, 0, 10000)), FLOW_OK);
    world_sleep(WORLD_S);
    assert_non_null(pair.server);
}

/* Disconnecting closes first: a write is then too late, as after any close. */
static bool too_late(void)
{
    return pair.waiter == WAIT_WRITE && pair.end == END_DISCONNECT;
}

static enum flow_status expected_status(void)
{
    return too_late() ? FLOW_EOF : ending[pair.end].status;
}

static struct flow_error expected_error(void)
{
    if (too_late())
        return (struct flow_error){FLOW_ERROR_NONE, FLOW_REASON_NONE};
    if (pair.waiter == WAIT_CONNECT && pair.end == END_RST_FROM_PEER)
        return (struct flow_error){FLOW_ERROR_REFUSED, FLOW_REASON_NONE};
    return ending[pair.end].error;
}

static void close_up(void)
{
    bool handle_is_ours =
        pair.waiter != WAIT_CONNECT && pair.waiter != WAIT_PARKED;

    world.wire.cut = false;
    world.watch = NULL;
    pair.server_may_end = true;
    if (handle_is_ours)
        for (int i = 0; i < WAITERS; i++)
            world_join(pair.threads[i]);
    if (pair.waiter == WAIT_CONNECT)
        for (int i = 0; i < WAITERS; i++)
            world_join(pair.threads[i]);
    if (handle_is_ours && pair.end != END_RELEASED)
        flow_release(pair.flow);
    if (pair.server)
        flow_abort(pair.server);
    world_sleep(2 * WORLD_S);
}

static void run_pair(void)
{
    open_flow();
    start_waiters();
    world_sleep(WORLD_S);
    assert_int_equal(pair.woken, 0);

    bring_about();
    for (uint64_t left = patience_us(); left > 0 && pair.woken < waiters();
         left -= WORLD_S)
        world_sleep(WORLD_S);

    if (pair.woken != waiters())
        print_error("%s x %s: %d of %d woken\n", waiter_name[pair.waiter],
                    ending[pair.end].name, pair.woken, waiters());
    assert_int_equal(pair.woken, waiters());
    for (int i = 0; i < waiters(); i++) {
        assert_int_equal(pair.status[i], expected_status());
        assert_int_equal(pair.error[i].kind, expected_error().kind);
        assert_int_equal(pair.error[i].reason, expected_error().reason);
    }
    close_up();
}

static void run_kind(enum waiter_kind waiter)
{
    struct net_config server = world_config();

    server.tcp.rcv_buf_bytes = 4096;
    for (int end = 0; end < END_KINDS; end++) {
        memset(&pair, 0, sizeof pair);
        pair.waiter = waiter;
        pair.end = (enum end_kind)end;
        if (!makes_sense())
            continue;
        print_message("    %s x %s\n", waiter_name[waiter], ending[end].name);
        world_run(NULL, &server, run_pair);
    }
}

#define KIND(name, waiter)                                                     \
    static void name(void **state)                                             \
    {                                                                          \
        (void)state;                                                           \
        run_kind(waiter);                                                      \
    }

KIND(readers__are_all_woken_by_every_end, WAIT_READ)
KIND(writers__are_all_woken_by_every_end, WAIT_WRITE)
KIND(nodelay_writers__are_all_woken_by_every_end, WAIT_WRITE_NODELAY)
KIND(closers__are_all_woken_by_every_end, WAIT_CLOSE)
KIND(waiters_for_closed__are_all_woken_by_every_end, WAIT_CLOSED)
KIND(parked_flow__runs_its_function_at_every_end, WAIT_PARKED)
KIND(connecting_threads__are_all_woken_by_every_end, WAIT_CONNECT)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers__are_all_woken_by_every_end),
        cmocka_unit_test(writers__are_all_woken_by_every_end),
        cmocka_unit_test(nodelay_writers__are_all_woken_by_every_end),
        cmocka_unit_test(closers__are_all_woken_by_every_end),
        cmocka_unit_test(waiters_for_closed__are_all_woken_by_every_end),
        cmocka_unit_test(parked_flow__runs_its_function_at_every_end),
        cmocka_unit_test(connecting_threads__are_all_woken_by_every_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
