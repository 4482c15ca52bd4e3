/*
 * tests/sim/sim.c - two stacks, a bad wire, virtual time, one seed a run.
 *
 *   sim FIRST COUNT [PORT]    runs COUNT seeds from FIRST on; the first that
 *                             fails prints itself and ends the program with 1.
 *                             With PORT, every segment of that port is printed.
 *
 * A seed chooses the wire (loss, reordering, duplication, corruption, delay,
 * rate, partitions), the stacks' configurations, refused allocations, and a
 * few sessions. Every frame is checked by the observer when it is sent; at the
 * end every stream is whole, everything is released, and nothing is left.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/host/host.h"
#include "tests/host/pair.h"
#include "tests/sim/golden.h"
#include "tests/sim/observer.h"
#include "tests/sim/session.h"

enum {
    SESSIONS_MAX = 8,
    PORT = 80,
    ROUNDS_MAX = 65536,   /* of the applications, at one moment */
    EVENTS_MAX = 4000000, /* of one seed; a bound, never reached */
};

#define SECOND        1000000ull
#define FAULTS_END_US (60 * SECOND)
#define END_US        (1200 * SECOND)

struct sim {
    struct pair pair;
    struct observer observer;
    struct tcp_listener *listener;
    struct session session[SESSIONS_MAX];
    unsigned sessions;
    uint64_t cut_from_us, cut_until_us;
    const char *broken;
};

static uint64_t chance(uint64_t below)
{
    return below ? host_random() % below : 0;
}

static bool one_in(uint64_t n)
{
    return chance(n) == 0;
}

/* --- what a seed chooses -------------------------------------------------- */

static void choose_wire(struct wire_quality *quality)
{
    static const uint64_t delays_us[] = {0, 100, 1000, 10000, 50000, 150000};
    static const uint32_t losses_ppm[] = {0,     0,      1000,  10000,
                                          30000, 100000, 300000};

    *quality = (struct wire_quality){
        .delay_us = delays_us[chance(6)],
        .loss_ppm = losses_ppm[chance(7)],
    };
    if (one_in(3))
        quality->jitter_us = chance(20000);
    if (one_in(3))
        quality->duplicate_ppm = (uint32_t)chance(100000);
    if (one_in(3)) {
        quality->reorder_ppm = (uint32_t)chance(200000);
        quality->reorder_us = 1 + chance(30000);
    }
    if (one_in(4))
        quality->corrupt_ppm = (uint32_t)chance(50000);
    if (one_in(4)) {
        quality->bytes_per_s = 20000 + chance(2000000);
        quality->frames_max = (unsigned)(4 + chance(60));
    }
}

static void choose_config(struct net_config *config)
{
    static const uint32_t buffers[] = {4096, 16384, 65535, 131072, 262144};

    *config = net_config_default();
    config->tcp.rcv_buf_bytes = buffers[chance(5)];
    config->tcp.snd_buf_bytes = buffers[chance(5)];
    config->tcp.window_scaling = !one_in(4);
    config->tcp.timestamps = !one_in(4);
    config->tcp.sack = !one_in(4);
    if (one_in(4))
        config->tcp.delayed_ack_us = 0;
    if (one_in(4))
        config->tcp.mss_bytes = (uint16_t)(100 + chance(1360));
    config->tcp.keepalive_idle_us = 30 * SECOND;
    config->tcp.keepalive_interval_us = 5 * SECOND;
    config->tcp.keepalive_probes = 30; /* all lost: no seed's chance */
}

static void choose_plan(struct session *session)
{
    struct session_plan *plan = &session->plan;
    bool big = one_in(3);

    *plan = (struct session_plan){.abort_side = 2, .nodelay = one_in(2)};
    for (unsigned me = 0; me < 2; me++) {
        plan->bytes[me] = (uint32_t)chance(big ? 150000 : 5000);
        plan->piece[me] = (uint32_t)(1 + chance(one_in(2) ? 1900 : 100));
        plan->read[me] = (uint32_t)(1 + chance(one_in(2) ? 65536 : 200));
        if (one_in(4))
            plan->pause_us[me] = chance(20 * SECOND);
    }
    plan->ping_pong = one_in(4);
    if (!plan->ping_pong) /* the server then closes last anyway */
        plan->close_last[one_in(2)] = one_in(2);
    if (one_in(8)) {
        plan->abort_side = (uint8_t)chance(2);
        plan->abort_at = (uint32_t)chance(plan->bytes[!plan->abort_side] + 1);
    }
    session->key = host_random();
}

/* --- hooks ---------------------------------------------------------------- */

static struct session *session_of(struct sim *sim, uint16_t client_port)
{
    for (unsigned i = 0; i < sim->sessions; i++)
        if (sim->session[i].client_port == client_port)
            return &sim->session[i];
    return NULL;
}

static bool text_is_right(void *context, uint16_t src_port, uint16_t dst_port,
                          uint32_t offset, const uint8_t *text, uint32_t len)
{
    unsigned from = src_port == PORT ? 1 : 0;
    struct session *session =
        session_of(context, from == 0 ? src_port : dst_port);

    for (uint32_t i = 0; session && i < len; i++)
        if (text[i] != session_byte(session, from, offset + i))
            return false;
    return true;
}

static bool observe(void *context, const struct wire_frame *frame)
{
    struct sim *sim = context;

    observer_frame(&sim->observer, frame->bytes, frame->len,
                   frame->flags & BUFFER_CSUM_PARTIAL);
    return true;
}

/* --- a run ---------------------------------------------------------------- */

static void sim_make(struct sim *sim, uint64_t seed)
{
    struct net_config config[2];
    struct tcp_listen_options options = {.backlog = SESSIONS_MAX,
                                         .syn_backlog = SESSIONS_MAX};

    host_seed(seed);
    host_now_us = SECOND + chance(1ull << 40);
    *sim = (struct sim){0};
    choose_config(&config[0]);
    choose_config(&config[1]);
    pair_init(&sim->pair, config);
    choose_wire(&sim->pair.wire.to[0]);
    choose_wire(&sim->pair.wire.to[1]);
    sim->pair.wire.observe = observe;
    sim->pair.wire.observe_context = sim;
    sim->observer.text_is_right = text_is_right;
    sim->observer.context = sim;
    if (one_in(4)) {
        sim->cut_from_us = host_now_us + chance(30 * SECOND);
        sim->cut_until_us = sim->cut_from_us + chance(30 * SECOND);
    }
    if (tcp_listen(sim->pair.net[1], PORT, &options, &sim->listener) !=
        TCP_LISTEN_OK)
        abort();
    for (unsigned i = 0; i < 2; i++)
        if (one_in(4))
            sim->pair.host[i].fail_at =
                sim->pair.host[i].asked + 1 + chance(30);
    sim->sessions = (unsigned)(1 + chance(SESSIONS_MAX));
}

static void open_session(struct sim *sim, struct session *session)
{
    struct tcp_conn *conn;
    enum tcp_end why;

    choose_plan(session);
    session->side[0].net = sim->pair.net[0];
    session->side[1].net = sim->pair.net[1];
    if (tcp_connect(sim->pair.net[0], PAIR_B_ADDR, PORT, 0, host_now_us, &conn,
                    &why) != TCP_OK) {
        session->side[0].over = true;
        if (why != TCP_END_NO_MEMORY)
            sim->broken = "connect failed";
        return;
    }
    session->side[0].conn = conn;
    session->client_port = tcp_endpoints(conn).local_port;
}

static void accept_all(struct sim *sim)
{
    for (unsigned i = 0; i < SESSIONS_MAX; i++) {
        struct tcp_conn *conn = tcp_accept(sim->listener);
        struct session *session;

        if (!conn)
            return;
        session = session_of(sim, tcp_endpoints(conn).peer_port);
        if (!session || session->side[1].conn) {
            sim->broken = "a connection that nobody opened";
            tcp_release(conn, host_now_us);
            continue;
        }
        session->side[1].conn = conn;
    }
}

/* Whether all is over, or something is broken. */
static bool step_all(struct sim *sim)
{
    bool any = true, over = true;

    for (unsigned round = 0; any && round < ROUNDS_MAX; round++) {
        any = false;
        accept_all(sim);
        for (unsigned i = 0; i < sim->sessions; i++)
            any |= session_step(&sim->session[i], host_now_us);
    }
    for (unsigned i = 0; i < sim->sessions; i++) {
        over &= session_over(&sim->session[i]);
        if (sim->session[i].broken)
            sim->broken = sim->session[i].broken;
    }
    if (sim->observer.broken)
        sim->broken = sim->observer.broken;
    return over || sim->broken;
}

/* The next moment at which an application wants to act by itself. */
static uint64_t next_wish(const struct sim *sim)
{
    uint64_t at_us = FOREVER;

    for (unsigned i = 0; i < sim->sessions; i++)
        for (unsigned me = 0; me < 2; me++) {
            const struct session_side *side = &sim->session[i].side[me];
            uint64_t wish_us =
                side->opened_us + sim->session[i].plan.pause_us[me];

            if (side->open && !side->over && wish_us > host_now_us &&
                wish_us < at_us)
                at_us = wish_us;
        }
    return at_us;
}

static void faults_end(struct sim *sim)
{
    for (unsigned i = 0; i < 2; i++)
        sim->pair.wire.to[i] = (struct wire_quality){.delay_us = 1000};
    sim->pair.wire.cut = false;
}

static void run(struct sim *sim)
{
    uint64_t start_us = host_now_us;
    bool faults = true;

    for (unsigned i = 0; i < sim->sessions; i++)
        open_session(sim, &sim->session[i]);
    for (unsigned event = 0; event < EVENTS_MAX && !step_all(sim); event++) {
        uint64_t next_us = pair_next(&sim->pair), wish_us = next_wish(sim);

        if (wish_us < next_us)
            next_us = wish_us;
        if (next_us > start_us + END_US) {
            sim->broken = "not over in time, long after the last fault";
            return;
        }
        host_now_us = next_us;
        if (faults && host_now_us > start_us + FAULTS_END_US) {
            faults = false;
            faults_end(sim);
        }
        sim->pair.wire.cut = faults && host_now_us >= sim->cut_from_us &&
                             host_now_us < sim->cut_until_us;
        pair_step(&sim->pair);
    }
}

static bool all_gone(void *context)
{
    struct sim *sim = context;

    return pair_next(&sim->pair) == FOREVER;
}

/* Everything is released, hours pass: nothing may be left. */
static void sim_end(struct sim *sim)
{
    for (unsigned i = 0; i < sim->sessions; i++)
        for (unsigned me = 0; me < 2; me++)
            if (sim->session[i].side[me].conn)
                tcp_release(sim->session[i].side[me].conn, host_now_us);
    tcp_unlisten(sim->listener, host_now_us);
    faults_end(sim);
    pair_run_while(&sim->pair, all_gone, sim, host_now_us + 7200 * SECOND);
    for (unsigned i = 0; i < 2; i++) {
        struct net_memory memory;

        net_memory_get(sim->pair.net[i], &memory);
        if (!sim->broken && (memory.conns || memory.time_waits))
            sim->broken = "control blocks are left";
    }
    if (pair_destroy(&sim->pair) && !sim->broken)
        sim->broken = "pages are left";
}

/* Where each session stands, for a person. */
static void print_sessions(const struct sim *sim)
{
    for (unsigned i = 0; i < sim->sessions; i++)
        for (unsigned me = 0; me < 2; me++) {
            const struct session *session = &sim->session[i];
            const struct session_side *side = &session->side[me];
            struct tcp_info info = {.state = "-"};

            if (side->conn)
                tcp_info_get(side->conn, &info);
            printf("  %u%c: sent %u of %u, read %u, %s%s%s%s end %d, %s, in "
                   "flight %u, send window %u\n",
                   session->client_port, me ? 's' : 'c', side->sent,
                   session->plan.bytes[me], side->received,
                   side->open ? "open " : "", side->closed ? "closed " : "",
                   side->eof ? "eof " : "", side->over ? "over" : "", side->end,
                   info.state, info.in_flight_bytes, info.snd_wnd_bytes);
        }
}

int main(int argc, char **argv)
{
    uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    uint64_t segments = 0;
    static struct sim sim;

    if (argc > 2 && !strcmp(argv[1], "golden"))
        return !golden_print(argv[2]);
    for (uint64_t seed = first; seed < first + count; seed++) {
        sim_make(&sim, seed);
        if (argc > 3)
            sim.observer.trace_port = (uint16_t)atoi(argv[3]);
        run(&sim);
        if (sim.broken)
            print_sessions(&sim);
        sim_end(&sim);
        segments += sim.observer.segments;
        if (sim.broken) {
            printf("sim: seed %llu: %s\n%s\nat %llu us; again with: sim %llu "
                   "1\n",
                   (unsigned long long)seed, sim.broken, sim.observer.detail,
                   (unsigned long long)host_now_us, (unsigned long long)seed);
            return 1;
        }
    }
    printf("sim: %llu seeds, %llu segments, no rule broken\n",
           (unsigned long long)count, (unsigned long long)segments);
    return 0;
}
