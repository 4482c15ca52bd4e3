/*
 * tests/model/world.c - a world made, moved and brought to its end.
 */
#include "tests/model/world_priv.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "net/buffer.h"
#include "tests/host/host.h"
#include "tests/sim/packet.h"

enum {
    FINISH_STEPS = 400, /* of what is delivered, or a deadline */
    FLUSHES = 4,
    END_US = 10 /* numbers of what follows must be others (RFC 6528) */
};

#define SECOND 1000000ull

void world_broken(struct world *world, const char *what)
{
    if (!world->broken)
        world->broken = what;
}

static struct ipv4_addr address_of(unsigned end)
{
    return IPV4_ADDR(10, 0, 0, (uint8_t)(1 + end));
}

/* --- what the stacks ask of their host ------------------------------------ */

static void *take_page(void *context)
{
    struct world *world = context;
    unsigned page = world->free_page;

    if (page) {
        world->free_page = world->next_page[page];
    } else {
        if (world->pages_high == WORLD_PAGES)
            return NULL;
        page = ++world->pages_high;
    }
    world->pages_used++;
    return world->page[page - 1];
}

static void give_page(void *context, void *at)
{
    struct world *world = context;
    unsigned page = (unsigned)(((uint8_t *)at - world->page[0]) / PAGE_BYTES);

    ASSERT(page < WORLD_PAGES && world->pages_used > 0);
    world->next_page[page + 1] = (uint16_t)world->free_page;
    world->free_page = page + 1;
    world->pages_used--;
}

static void fill_random(void *context, void *out, size_t bytes)
{
    struct world *world = context;
    uint8_t *to = out;

    for (size_t i = 0; i < bytes; i++)
        to[i] = (uint8_t)rng_next(&world->rng);
}

/* A full wire loses what comes then. */
static void leave(void *context, struct packet *packet)
{
    struct world *world = context;
    const uint8_t *ip = packet_ip(packet);
    unsigned from = ip[15] - 1u;
    struct world_wire *wire = &world->to[!from];

    observer_packet(&world->observer, from, false, packet, world->now_us);
    if (wire->count < WORLD_SLOTS) {
        ASSERT(packet->len <= WORLD_PACKET_BYTES);
        wire->slot[wire->count].len = packet->len;
        memcpy(wire->slot[wire->count++].bytes, packet->bytes, packet->len);
    }
    free(packet);
}

static void packet_out(void *context, struct buffer *chain)
{
    uint32_t len = buffer_chain_len(chain);
    struct packet *packet = packet_new(len + PACKET_ETH);

    memset(packet->bytes, 0, PACKET_ETH);
    seg_put16(packet->bytes + 12, 0x0800);
    buffer_copy_out(chain, 0, packet->bytes + PACKET_ETH, len);
    buffer_release(chain);
    leave(context, packet);
}

/* --- moves ---------------------------------------------------------------- */

static bool is_usable(const struct world_end *end)
{
    return end->conn && tcp_end_reason(end->conn) == TCP_END_NONE;
}

static uint64_t next_deadline(const struct world *world)
{
    uint64_t a_us = net_next_deadline(world->end[0].net);
    uint64_t b_us = net_next_deadline(world->end[1].net);

    return a_us < b_us ? a_us : b_us;
}

struct list {
    struct world_move *moves;
    unsigned count, max;
};

static void add(struct list *list, enum world_act act, unsigned end,
                unsigned slot)
{
    if (list->count < list->max)
        list->moves[list->count++] =
            (struct world_move){(uint8_t)act, (uint8_t)end, (uint8_t)slot};
}

static void add_packets(const struct world *world, struct list *list,
                        unsigned end)
{
    for (unsigned i = 0; i < world->to[end].count; i++) {
        add(list, WORLD_DELIVER, end, i);
        if (world->budget.losses)
            add(list, WORLD_LOSE, end, i);
        if (world->budget.copies)
            add(list, WORLD_COPY, end, i);
    }
}

static void add_calls(const struct world *world, struct list *list, unsigned me)
{
    const struct world_end *end = &world->end[me];

    if (!end->conn || end->over)
        return;
    if (tcp_readable(end->conn) && !end->eof)
        add(list, WORLD_READ, me, 0);
    if (!is_usable(end))
        return;
    if (world->budget.writes[me] && !end->closed &&
        tcp_send_room(end->conn) >= WORLD_MSS)
        add(list, WORLD_WRITE, me, 0);
    if (!end->closed)
        add(list, WORLD_CLOSE, me, 0);
    add(list, WORLD_ABORT, me, 0);
}

unsigned world_moves(const struct world *world, struct world_move *moves,
                     unsigned max)
{
    struct list list = {moves, 0, max};

    for (unsigned end = 0; end < 2; end++) {
        add_packets(world, &list, end);
        add_calls(world, &list, end);
    }
    if (world->budget.ticks && next_deadline(world) != FOREVER)
        add(&list, WORLD_TICK, 0, 0);
    return list.count;
}

/* A stack's turn, and what must hold after it. */
static void settle(struct world *world, unsigned me)
{
    struct world_end *end = &world->end[me];

    net_run(end->net, world->now_us);
    for (unsigned i = 0; i < FLUSHES && net_needs_flush(end->net); i++)
        net_flush(end->net, world->now_us);
    if (!end->conn && !end->gone && end->listener)
        end->conn = tcp_accept(end->listener);
    observer_turned(&world->observer, me, world->now_us);
    check_net(&world->check[me], end->net);
    if (world->observer.broken)
        world_broken(world, world->observer.broken);
    if (world->check[me].broken)
        world_broken(world, world->check[me].broken);
}

/* Hand over a packet; it stays where it is. */
static void deliver(struct world *world, unsigned to, unsigned slot)
{
    struct world_wire *wire = &world->to[to];
    uint32_t len = wire->slot[slot].len;
    struct packet *packet = packet_new(len);
    struct buffer *buf =
        buffer_alloc(net_pool(world->end[to].net), BUFFER_LARGE, 0);

    ASSERT(buf);
    memcpy(packet->bytes, wire->slot[slot].bytes, len);
    observer_packet(&world->observer, to, true, packet, world->now_us);
    free(packet);
    buf->len = len - PACKET_ETH;
    memcpy(buf->data, wire->slot[slot].bytes + PACKET_ETH, buf->len);
    net_input_packet(world->end[to].net, buf, world->now_us);
}

static void remove_slot(struct world *world, unsigned to, unsigned slot)
{
    struct world_wire *wire = &world->to[to];

    wire->count--;
    memmove(&wire->slot[slot], &wire->slot[slot + 1],
            (wire->count - slot) * sizeof(wire->slot[0]));
}

/* Deliver and take off the wire; answers go behind what is there. */
static void deliver_once(struct world *world, unsigned to, unsigned slot)
{
    deliver(world, to, slot);
    remove_slot(world, to, slot);
    settle(world, to);
}

static void tick(struct world *world)
{
    uint64_t at_us = next_deadline(world);

    if (at_us > world->now_us && at_us != FOREVER)
        world->now_us = at_us;
    host_now_us = world->now_us;
    settle(world, 0);
    settle(world, 1);
}

void world_make(struct world *world, const struct world_move *move)
{
    struct world_end *end = &world->end[move->end];

    if (move->act == WORLD_ABORT || move->act == WORLD_CLOSE)
        world->now_us += END_US;
    host_now_us = world->now_us;
    switch ((enum world_act)move->act) {
    case WORLD_DELIVER:
        deliver_once(world, move->end, move->slot);
        return;
    case WORLD_COPY:
        world->budget.copies--;
        deliver(world, move->end, move->slot);
        break;
    case WORLD_LOSE:
        world->budget.losses--;
        remove_slot(world, move->end, move->slot);
        return;
    case WORLD_TICK:
        world->budget.ticks--;
        tick(world);
        return;
    case WORLD_WRITE:
        world_app_write(world, move->end);
        break;
    case WORLD_READ:
        world_app_read(world, move->end);
        break;
    case WORLD_CLOSE:
        end->closed = true;
        tcp_shutdown(end->conn, world->now_us);
        break;
    case WORLD_ABORT:
        end->aborted = true;
        tcp_abort(end->conn, world->now_us);
        break;
    case WORLD_ACTS:
        break;
    }
    settle(world, move->end);
}

/* --- to the end ----------------------------------------------------------- */

/* Read, close, and let go of what is over. */
static void wind_up(struct world *world, unsigned me)
{
    struct world_end *end = &world->end[me];

    if (end->gone && end->listener) {
        struct tcp_conn *late = tcp_accept(end->listener);

        if (late) /* of an old SYN that came again */
            tcp_release(late, world->now_us);
    }
    if (!end->conn) {
        settle(world, me);
        return;
    }
    if (!end->eof && !end->over)
        world_app_read(world, me);
    if (is_usable(end) && !end->closed) {
        end->closed = true;
        tcp_shutdown(end->conn, world->now_us);
    }
    if (tcp_end_reason(end->conn) != TCP_END_NONE &&
        tcp_recv_ready(end->conn) == 0) {
        tcp_release(end->conn, world->now_us);
        end->conn = NULL;
        end->gone = true;
    }
    settle(world, me);
}

/* Whoever waits for one who has aborted, and whose RST was lost, has no timer
 * while his handle is held: he lets go of it. */
static bool give_up(struct world *world)
{
    bool any = false;

    for (unsigned me = 0; me < 2; me++) {
        struct world_end *end = &world->end[me];

        if (!world->end[!me].aborted || !end->conn)
            continue;
        tcp_release(end->conn, world->now_us);
        end->conn = NULL;
        end->gone = any = true;
    }
    return any;
}

static bool is_over(const struct world *world)
{
    for (unsigned i = 0; i < 2; i++) {
        struct net_memory memory;

        net_memory_get(world->end[i].net, &memory);
        if (memory.conns)
            return false;
    }
    return true;
}

void world_finish(struct world *world)
{
    const struct world_end *end = world->end;
    bool aborted = end[0].aborted || end[1].aborted;
    unsigned step = 0;

    host_now_us = world->now_us;
    for (; step < FINISH_STEPS && !world->broken && !is_over(world); step++) {
        bool any = world->to[0].count || world->to[1].count;

        for (unsigned me = 0; me < 2; me++)
            for (unsigned n = world->to[me].count; n > 0; n--)
                deliver_once(world, me, 0);
        for (unsigned me = 0; me < 2; me++)
            wind_up(world, me);
        if (!any && !world->to[0].count && !world->to[1].count &&
            !is_over(world)) {
            if (next_deadline(world) == FOREVER && !give_up(world))
                world_broken(world,
                             "who is not at the end waits for something");
            tick(world);
        }
    }
    if (!is_over(world))
        world_broken(world, "all comes to its end once nothing is lost");
    if (!aborted && end[0].eof && end[1].eof &&
        (end[0].read != end[1].wrote || end[1].read != end[0].wrote))
        world_broken(world, "what was written was read");
}

/* --- the beginning -------------------------------------------------------- */

static void make_end(struct world *world, unsigned me)
{
    struct net_config config = net_config_default();
    struct net_address address = {.addr = address_of(me), .prefix_bits = 24};
    struct world_end *end = &world->end[me];

    config.host = (struct net_host){
        .context = world,
        .page_alloc = take_page,
        .page_free = give_page,
        .random = fill_random,
        .packet_out = packet_out,
    };
    config.pages_max = WORLD_PAGES / 2;
    config.tcp.conns_max = 4;
    config.tcp.time_wait_max = 4;
    config.tcp.rcv_buf_bytes = WORLD_WINDOW;
    config.tcp.snd_buf_bytes = WORLD_WINDOW;
    config.tcp.mss_bytes = WORLD_MSS;
    end->net = net_create(&config, world->now_us);
    if (!end->net || net_attach(end->net, NULL, &address) != NET_OK)
        abort();
    world->observer.host[me] = (struct observer_host){
        .rcv_buf_bytes = WORLD_WINDOW,
        .rto_min_us = config.tcp.rto_min_us,
        .rto_max_us = config.tcp.rto_max_us,
    };
}

static void call(struct world *world, unsigned me, uint16_t own_port)
{
    enum tcp_end why;

    if (tcp_connect(world->end[me].net, address_of(!me), WORLD_PORT, own_port,
                    world->now_us, &world->end[me].conn, &why) != TCP_OK)
        abort();
}

static void answer(struct world *world, unsigned me)
{
    const struct tcp_listen_options options = {.backlog = 2, .syn_backlog = 2};

    if (tcp_listen(world->end[me].net, WORLD_PORT, &options,
                   &world->end[me].listener) != TCP_LISTEN_OK)
        abort();
}

void world_begin(struct world *world, enum world_scene scene,
                 const struct world_budget *budget)
{
    memset(world, 0, sizeof(*world));
    world->now_us = 1000 * SECOND;
    world->rng = rng_stream(scene, 1);
    world->budget = *budget;
    host_now_us = world->now_us;
    world->observer.end = world->seen;
    world->observer.ends = WORLD_ENDS;
    world->observer.text_is_right = world_text_is_right;
    world->observer.context = world;
    make_end(world, 0);
    make_end(world, 1);
    if (scene == WORLD_CROSSES)
        call(world, 1, WORLD_PORT);
    else
        answer(world, 1);
    call(world, 0, scene == WORLD_CROSSES ? WORLD_PORT : 0);
    settle(world, 0);
    settle(world, 1);
    if (scene != WORLD_ESTABLISHED)
        return;
    for (unsigned i = 0; i < 3; i++)
        deliver_once(world, i % 2 == 0, 0);
}

size_t world_bytes(const struct world *world)
{
    return offsetof(struct world, page) + world->pages_high * PAGE_BYTES;
}

const char *world_move_name(enum world_act act)
{
    static const char *const names[WORLD_ACTS] = {
        [WORLD_DELIVER] = "deliver", [WORLD_LOSE] = "lose",
        [WORLD_COPY] = "copy",       [WORLD_TICK] = "tick",
        [WORLD_WRITE] = "write",     [WORLD_READ] = "read",
        [WORLD_CLOSE] = "close",     [WORLD_ABORT] = "abort",
    };

    return names[act];
}
