/*
 * tests/sim/run.c - one plan, run to its end, with every check on.
 *
 * After every turn of a host its stack's invariants hold, no application
 * misses an event, and every segment keeps the rules of the wire. At the end
 * every stream is whole, everything is released, and nothing is left.
 */
#include "tests/sim/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/host/host.h"
#include "tests/sim/check.h"
#include "tests/sim/fault.h"
#include "tests/sim/internet.h"
#include "tests/sim/observer.h"

enum {
    PORT = 80,
    ENDS = 128,
    BACKLOG = 64,
    ROUNDS_MAX = 65536,   /* of the applications, at one moment */
    EVENTS_MAX = 8000000, /* of one plan; a bound, never reached */
};

#define SECOND 1000000ull

/*
 * All is over so long after the last fault: a retransmission may be backed off
 * to rto_max, 60 s; its answer may be another's loss in a queue, once or
 * twice; then what is left flows.
 */
#define END_US (PLAN_FAULTS_US + 5 * 60 * SECOND)

struct run {
    const struct plan *plan;
    struct run_result *result;
    struct internet internet;
    struct observer observer;
    struct observer_end end[ENDS];
    struct check check[HOSTS_MAX];
    struct tcp_listener *listener[HOSTS_MAX];
    bool acceptable[HOSTS_MAX];
    struct session session[PLAN_SESSIONS_MAX];
    bool begun[PLAN_SESSIONS_MAX];
    uint64_t start_us;
    bool trace;
};

static void broken(struct run *run, const char *what, const char *detail)
{
    struct run_result *result = run->result;

    if (result->broken)
        return;
    result->broken = what;
    result->event = run->internet.turns;
    result->at_us = host_now_us - run->start_us;
    snprintf(result->detail, sizeof(result->detail), "%s", detail);
}

/* --- what is seen --------------------------------------------------------- */

static void mix(struct run *run, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    uint64_t hash = run->result->hash;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ at[i]) * 0x100000001b3u;
    run->result->hash = hash;
}

static void print(struct run *run, unsigned host, bool in,
                  const struct packet *packet)
{
    struct segment seg;
    char text[160];

    if (!packet_read(packet, &seg))
        return;
    observer_print(&run->observer, host, &seg, text, sizeof(text));
    snprintf(run->result->last, sizeof(run->result->last), "%.6f host %u %s %s",
             (double)(host_now_us - run->start_us) / 1e6, host,
             in ? "in " : "out", text);
    if (run->trace)
        printf("%s\n", run->result->last);
}

static void seen(void *context, unsigned host, bool in,
                 const struct packet *packet)
{
    struct run *run = context;
    uint64_t head[2] = {host_now_us, host * 2u + in};

    mix(run, head, sizeof(head));
    mix(run, packet->bytes, packet->len);
    run->result->segments++;
    if (run->result->broken)
        return;
    observer_packet(&run->observer, host, in, packet, host_now_us);
    if (run->trace || run->observer.broken)
        print(run, host, in, packet);
    if (run->observer.broken)
        broken(run, run->observer.broken, run->observer.detail);
}

static struct session *session_of(struct run *run, unsigned client,
                                  unsigned server, uint16_t port)
{
    for (unsigned i = 0; i < run->plan->sessions; i++) {
        struct session *session = &run->session[i];

        if (session->client_port == port && session->plan.host[0] == client &&
            session->plan.host[1] == server)
            return session;
    }
    return NULL;
}

/* Whose segment it is; *from: which side sent it. */
static struct session *session_at(struct run *run, const struct segment *seg,
                                  unsigned *from)
{
    uint8_t src = (uint8_t)(seg->src >> 8), dst = (uint8_t)(seg->dst >> 8);

    *from = seg->src_port == PORT ? 1 : 0;
    return *from ? session_of(run, dst, src, seg->dst_port)
                 : session_of(run, src, dst, seg->src_port);
}

static bool has_nagle(void *context, const struct segment *seg)
{
    unsigned from;
    const struct session *session = session_at(context, seg, &from);

    return session && !session->plan.nodelay;
}

static bool text_is_right(void *context, const struct segment *seg,
                          uint32_t offset)
{
    unsigned from;
    const struct session *session = session_at(context, seg, &from);

    for (uint32_t i = 0; session && i < seg->len; i++)
        if (seg->text[i] != session_byte(session, from, offset + i))
            return false;
    return true;
}

/* --- applications --------------------------------------------------------- */

static void turned(void *context, unsigned host)
{
    struct run *run = context;
    struct check *check = &run->check[host];
    const struct net_counters *count =
        net_counters(run->internet.host[host].net);

    if (run->result->broken)
        return;
    /* Text that was refused for what it would hold is owed no ACK. */
    if (count->value[NET_COUNT_tcp_rcv_memory])
        run->observer.host[host].starves = true;
    if (count->value[NET_COUNT_arp_pending_full] ||
        count->value[NET_COUNT_arp_failed])
        run->observer.host[host].drops = true;
    observer_turned(&run->observer, host, host_now_us);
    if (run->observer.broken)
        broken(run, run->observer.broken, run->observer.detail);
    check_net(check, run->internet.host[host].net);
    if (check->broken)
        broken(run, check->broken, check->detail);
}

static void acceptable(void *context, struct tcp_listener *listener)
{
    (void)listener;
    *(bool *)context = true;
}

static void begin(struct run *run, unsigned i)
{
    struct session *session = &run->session[i];
    unsigned client = session->plan.host[0];
    struct net *net = run->internet.host[client].net;
    struct tcp_conn *conn;
    enum tcp_end why;

    run->begun[i] = true;
    if (tcp_connect(net, internet_address(session->plan.host[1]), PORT, 0,
                    host_now_us, &conn, &why) != TCP_OK) {
        session->side[0].over = true;
        if (why != TCP_END_NO_MEMORY)
            broken(run, "connecting fails for want of memory alone", "");
        return;
    }
    session->client_port = tcp_endpoints(conn).local_port;
    session_attach(session, 0, net, conn);
}

/* A cookie is good for a while, though what came of it is over: a late segment
 * of the same peer begins anew, which its own answers then end. */
static bool is_cookies(const struct net *net, const struct session *session)
{
    return session && session->side[1].over && !session->side[1].conn &&
           net_counters(net)->value[NET_COUNT_tcp_cookie_taken] > 0;
}

static void accept_all(struct run *run, unsigned host)
{
    struct net *net = run->internet.host[host].net;
    struct tcp_conn *conn;

    run->acceptable[host] = false;
    while ((conn = tcp_accept(run->listener[host]))) {
        struct tcp_endpoints ends = tcp_endpoints(conn);
        struct session *session =
            session_of(run, ends.peer.byte[2], host, ends.peer_port);

        if (!session || session->side[1].conn || session->side[1].over) {
            if (!is_cookies(net, session))
                broken(run, "a connection that nobody opened", "");
            tcp_release(conn, host_now_us);
            continue;
        }
        session_attach(session, 1, net, conn);
        session->side[1].news |= TCP_CHANGE_OPEN;
    }
}

static bool sleeps(const struct run *run, unsigned host)
{
    const struct plan_host *plan = &run->plan->host[host];
    uint64_t at_us = host_now_us - run->start_us;

    return at_us >= plan->sleep_at && at_us < plan->sleep_at + plan->sleep_us;
}

/* Every application does what it has reason to. Returns: whether one did. */
static bool step_once(struct run *run)
{
    bool any = false;

    for (unsigned i = 0; i < run->plan->hosts; i++)
        if (run->acceptable[i])
            accept_all(run, i);
    for (unsigned i = 0; i < run->plan->sessions; i++) {
        struct session *session = &run->session[i];

        if (!run->begun[i]) {
            if (host_now_us >= run->start_us + session->plan.open_us &&
                !sleeps(run, session->plan.host[0]))
                begin(run, i);
            continue;
        }
        for (unsigned me = 0; me < 2; me++)
            if (!sleeps(run, session->plan.host[me]))
                any |= session_step(session, me, host_now_us);
    }
    return any;
}

/* Nobody may wait for what is there already. */
static void check_missed(struct run *run)
{
    for (unsigned i = 0; i < run->plan->sessions; i++)
        for (unsigned me = 0; me < 2; me++) {
            struct session *session = &run->session[i];
            const char *what;

            if (!session->side[me].conn ||
                net_needs_flush(session->side[me].net))
                continue;
            what = session_missed(session, me, host_now_us);
            if (what)
                broken(run, what, "");
        }
}

/* Returns: whether all is over, or something broken. */
static bool step_all(struct run *run)
{
    bool over = true;

    for (unsigned round = 0; round < ROUNDS_MAX && step_once(run); round++)
        continue;
    check_missed(run);
    for (unsigned i = 0; i < run->plan->sessions; i++) {
        over &= run->begun[i] && session_over(&run->session[i]);
        if (run->session[i].broken)
            broken(run, run->session[i].broken, "");
    }
    return over || run->result->broken;
}

/* The next moment at which an application wants to act by itself. */
static uint64_t next_wish(const struct run *run)
{
    uint64_t at_us = FOREVER;

    for (unsigned i = 0; i < run->plan->sessions; i++) {
        const struct session *session = &run->session[i];

        if (!run->begun[i] && !sleeps(run, session->plan.host[0]) &&
            run->start_us + session->plan.open_us < at_us)
            at_us = run->start_us + session->plan.open_us;
        for (unsigned me = 0; me < 2; me++)
            if (session->side[me].conn &&
                !sleeps(run, session->plan.host[me]) &&
                session->side[me].wish_us < at_us)
                at_us = session->side[me].wish_us;
    }
    return at_us;
}

/* --- a run ---------------------------------------------------------------- */

static void make_host(struct run *run, unsigned i)
{
    const struct plan_host *plan = &run->plan->host[i];
    struct internet_host *host = &run->internet.host[i];
    struct net_config config = plan->config;
    struct tcp_listen_options options = {
        .backlog = BACKLOG,
        .syn_backlog = BACKLOG,
        .acceptable = acceptable,
        .context = &run->acceptable[i],
    };

    config.host.tcp_event = session_event;
    internet_add(&run->internet, &config, plan->caps);
    host->dev.tx_max = plan->tx_max;
    host->doze_us = plan->doze_us;
    host->up.quality = plan->up;
    host->down.quality = plan->down;
    if (tcp_listen(host->net, PORT, &options, &run->listener[i]) !=
        TCP_LISTEN_OK)
        abort();
    if (plan->fail_at)
        host->hostnet.fail_at = host->hostnet.asked + plan->fail_at;
    run->check[i].starves = plan_host_starves(plan);
    run->observer.host[i] = (struct observer_host){
        .starves = run->check[i].starves,
        .sleeps = plan->sleep_us > 0,
        .rcv_buf_bytes = config.tcp.rcv_buf_bytes,
        .rto_min_us = config.tcp.rto_min_us,
        .rto_max_us = config.tcp.rto_max_us,
    };
}

static void make(struct run *run)
{
    const struct plan *plan = run->plan;

    host_seed(plan->seed);
    host_now_us = SECOND + plan->seed * 0x9e3779b97f4a7c15u % (1ull << 40);
    run->start_us = host_now_us;
    internet_init(&run->internet, plan->seed);
    for (unsigned i = 0; i < plan->hosts; i++)
        make_host(run, i);
    run->internet.trunk[0].quality = plan->trunk[0];
    run->internet.trunk[1].quality = plan->trunk[1];
    run->internet.box.plan = plan->box;
    run->internet.context = run;
    run->internet.seen = seen;
    run->internet.turned = turned;
    run->observer.end = run->end;
    run->observer.ends = ENDS;
    run->observer.text_is_right = text_is_right;
    run->observer.has_nagle = has_nagle;
    run->observer.context = run;
    for (unsigned i = 0; i < plan->sessions; i++) {
        const struct session_plan *session = &plan->session[i];

        session_init(&run->session[i], session, host_random());
        run->session[i].starves =
            plan_host_starves(&plan->host[session->host[0]]) ||
            plan_host_starves(&plan->host[session->host[1]]);
    }
}

static void go(struct run *run)
{
    for (unsigned event = 0; event < EVENTS_MAX && !step_all(run); event++) {
        uint64_t next_us = internet_next(&run->internet);
        uint64_t wish_us = next_wish(run),
                 fault_us =
                     faults_set(run->plan, &run->internet, run->start_us);

        next_us = wish_us < next_us ? wish_us : next_us;
        next_us = fault_us < next_us ? fault_us : next_us;
        if (next_us > run->start_us + END_US) {
            broken(run, "over in time, after the last fault", "");
            return;
        }
        host_now_us = next_us > host_now_us ? next_us : host_now_us;
        faults_set(run->plan, &run->internet, run->start_us);
        internet_step(&run->internet);
    }
}

/* Everything is released, hours pass: nothing may be left. */
static void finish(struct run *run)
{
    uint64_t until_us = host_now_us + 7200 * SECOND, next_us;

    for (unsigned i = 0; i < run->plan->sessions; i++)
        for (unsigned me = 0; me < 2; me++)
            if (run->session[i].side[me].conn)
                tcp_release(run->session[i].side[me].conn, host_now_us);
    for (unsigned i = 0; i < run->plan->hosts; i++) {
        tcp_unlisten(run->listener[i], host_now_us);
        run->internet.host[i].sleeps_until_us = 0;
    }
    faults_end(&run->internet);
    while ((next_us = internet_next(&run->internet)) < until_us) {
        host_now_us = next_us;
        internet_step(&run->internet);
    }
    for (unsigned i = 0; i < run->plan->hosts; i++) {
        struct net_memory memory;

        net_memory_get(run->internet.host[i].net, &memory);
        if (memory.conns || memory.time_waits)
            broken(run, "no control block is left", "");
        if (memory.buffers)
            broken(run, "no buffer is left", "");
    }
    run->result->turns = run->internet.turns;
    if (internet_destroy(&run->internet))
        broken(run, "no page is left", "");
}

/* Where each session stands, for a person. */
static void print_sessions(const struct run *run)
{
    for (unsigned i = 0; i < run->plan->sessions; i++)
        for (unsigned me = 0; me < 2; me++) {
            const struct session *session = &run->session[i];
            const struct session_side *side = &session->side[me];
            struct tcp_info info = {.state = "-"};

            if (side->conn)
                tcp_info_get(side->conn, &info);
            printf("  session %u %s of host %u, port %u: sent %u of %u, read "
                   "%u%s%s%s%s, end %d, %s, in flight %u, window %u\n",
                   i, me ? "server" : "client", session->plan.host[me],
                   session->client_port, side->sent, session->plan.bytes[me],
                   side->received, side->open ? ", open" : "",
                   side->closed ? ", closed" : "", side->eof ? ", eof" : "",
                   side->over ? ", over" : "", side->end, info.state,
                   info.in_flight_bytes, info.snd_wnd_bytes);
        }
}

static struct run run;

/* A panic of the stack is a broken rule like any other. */
static void panicked(void)
{
    broken(&run, host_panic_what, "an assertion of the stack's own");
    run.result->turns = run.internet.turns;
}

void run_plan(const struct plan *plan, bool trace, struct run_result *result)
{
    run = (struct run){.plan = plan, .result = result, .trace = trace};
    *result = (struct run_result){.hash = 0xcbf29ce484222325u};
    if (__builtin_setjmp(host_panic_jump)) {
        panicked();
        return;
    }
    host_panic_caught = true;
    make(&run);
    go(&run);
    if (trace)
        print_sessions(&run);
    finish(&run);
    host_panic_caught = false;
}
