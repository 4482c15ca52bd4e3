/*
 * tests/model/canon.c - which states have the same future.
 *
 * A connection counts with every byte but its pointers and its statistics;
 * moments count from now on. A member that is not known here counts as it
 * stands: states then look different that are not, which costs time and hides
 * nothing.
 */
#include <string.h>

#include "net/tcp_conn.h"
#include "tests/model/world.h"

static uint64_t mix(uint64_t hash, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;

    for (; len >= 8; at += 8, len -= 8) {
        uint64_t word;

        memcpy(&word, at, 8);
        hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 32;
    }
    for (; len > 0; at++, len--)
        hash = (hash ^ *at) * 0x100000001b3u;
    return hash;
}

static uint64_t from_now(const struct world *world, uint64_t at_us)
{
    return at_us == FOREVER ? FOREVER : at_us - world->now_us;
}

static uint64_t mix_active(uint64_t hash, const struct world *world,
                           const struct tcp_active *active)
{
    struct tcp_active copy;

    memcpy(&copy, active, sizeof(copy));
    copy.queue.head = copy.queue.tail = copy.cursor = NULL;
    copy.pieces = NULL;
    copy.board.first = copy.board.last = copy.board.spare = NULL;
    copy.rack.sent_us = from_now(world, copy.rack.sent_us);
    copy.rto_at_us = from_now(world, copy.rto_at_us);
    copy.probe_at_us = from_now(world, copy.probe_at_us);
    copy.reorder_at_us = from_now(world, copy.reorder_at_us);
    copy.sampled_us = from_now(world, copy.sampled_us);
    copy.cubic.begin_us = from_now(world, copy.cubic.begin_us);
    copy.stalled_us = from_now(world, copy.stalled_us);
    copy.answered_us = from_now(world, copy.answered_us);
    hash = mix(hash, &copy, sizeof(copy));
    for (const struct tcp_record *at = active->board.first; at; at = at->next) {
        const uint64_t record[] = {at->seq, at->end, at->fate, at->again,
                                   from_now(world, at->sent_us)};

        hash = mix(hash, record, sizeof(record));
    }
    for (const struct tcp_piece *at = active->pieces; at; at = at->next) {
        const uint32_t piece[] = {at->seq, at->queue.bytes};

        hash = mix(hash, piece, sizeof(piece));
    }
    return hash;
}

static uint64_t mix_conn(uint64_t hash, const struct world *world,
                         const struct tcp_conn *conn)
{
    struct tcp_conn copy;
    bool flags[] = {tcp_list_empty(&conn->flush), conn->unaccepted,
                    tcp_list_empty(&conn->group)};

    memcpy(&copy, conn, sizeof(copy));
    copy.hash_next = NULL;
    copy.net = NULL;
    copy.active = NULL;
    copy.config = NULL;
    copy.rcv_queue.head = copy.rcv_queue.tail = NULL;
    copy.flush = copy.events = copy.group = (struct tcp_link){0};
    copy.timer = (struct timer){0}; /* fires early at worst: deadlines count */
    copy.listener = NULL;
    copy.context = NULL;
    copy.heard_us = from_now(world, copy.heard_us);
    copy.sent_us = from_now(world, copy.sent_us);
    for (unsigned i = 0; i < TCP_DEADLINE_COUNT; i++)
        copy.deadline[i] = from_now(world, copy.deadline[i]);
    copy.segments_sent = copy.segments_received = 0;
    copy.retransmissions = 0;
    hash = mix(hash, &copy, sizeof(copy));
    hash = mix(hash, flags, sizeof(flags));
    return conn->active ? mix_active(hash, world, conn->active) : hash;
}

static uint64_t mix_net(uint64_t hash, const struct world *world,
                        const struct net *net)
{
    const struct tcp_buckets *buckets = &net->tcp.by_tuple;
    const struct tcp_link *ended = &net->tcp.ended;
    const uint64_t counts[] = {
        net->tcp.time_waits.count,
        from_now(world, timer_is_armed(&net->tcp.quiet_timer)
                            ? net->tcp.quiet_timer.deadline_us
                            : FOREVER),
    };

    for (uint32_t i = 0; i <= buckets->mask; i++) {
        void **page = buckets->pages[i / TCP_BUCKETS_PER_PAGE];
        const struct tcp_conn *conn =
            page ? page[i % TCP_BUCKETS_PER_PAGE] : NULL;

        for (; conn; conn = conn->hash_next)
            hash = mix_conn(hash, world, conn);
    }
    for (const struct tcp_link *at = ended->next; at != ended; at = at->next)
        hash = mix_conn(hash, world, CONTAINER_OF(at, struct tcp_conn, group));
    return mix(hash, counts, sizeof(counts));
}

uint64_t world_hash(const struct world *world)
{
    uint64_t hash = mix(1, &world->budget, sizeof(world->budget));

    for (unsigned i = 0; i < 2; i++) {
        const struct world_end *end = &world->end[i];
        const uint32_t app[] = {end->wrote,       end->read, end->closed,
                                end->aborted,     end->eof,  end->over,
                                end->conn != NULL};

        hash = mix(hash, app, sizeof(app));
        hash = mix_net(hash, world, end->net);
        for (unsigned n = 0; n < world->to[i].count; n++)
            hash =
                mix(hash, world->to[i].slot[n].bytes, world->to[i].slot[n].len);
        hash = mix(hash, &world->to[i].count, sizeof(world->to[i].count));
    }
    return hash;
}
