/*
 * tests/model/world_apps.c - the applications at both ends of a world.
 */
#include "tests/model/world_priv.h"

#include "net/buffer.h"
#include "tests/sim/packet.h"

static uint8_t byte_of(unsigned from, uint32_t offset)
{
    return (uint8_t)(offset * 7 + offset / 251 + from * 101);
}

bool world_text_is_right(void *context, const struct segment *seg,
                         uint32_t offset)
{
    unsigned from = (seg->src & 255) - 1;

    (void)context;
    for (uint32_t i = 0; i < seg->len; i++)
        if (seg->text[i] != byte_of(from, offset + i))
            return false;
    return true;
}

void world_app_write(struct world *world, unsigned me)
{
    struct world_end *end = &world->end[me];
    struct buffer *buf = buffer_alloc(net_pool(end->net), BUFFER_LARGE, 0);

    ASSERT(buf);
    world->budget.writes[me]--;
    for (unsigned i = 0; i < WORLD_MSS; i++)
        buf->data[i] = byte_of(me, end->wrote + i);
    buf->len = WORLD_MSS;
    if (tcp_send(end->conn, buf, world->now_us) == TCP_OK)
        end->wrote += WORLD_MSS;
    else
        buffer_release(buf);
}

static void take_text(struct world *world, unsigned me, struct buffer *chain)
{
    struct world_end *end = &world->end[me];

    for (const struct buffer *at = chain; at; at = at->next)
        for (uint32_t i = 0; i < at->len; i++)
            if (at->data[i] != byte_of(!me, end->read++))
                world_broken(world, "what is read was written");
    buffer_release(chain);
    if (end->read > world->end[!me].wrote)
        world_broken(world, "no more is read than was written");
}

void world_app_read(struct world *world, unsigned me)
{
    struct world_end *end = &world->end[me];
    struct buffer *chain;
    enum tcp_status status;

    while ((status = tcp_recv(end->conn, UINT32_MAX, world->now_us, &chain)) ==
           TCP_OK)
        take_text(world, me, chain);
    if (status == TCP_EOF && !end->eof) {
        end->eof = true;
        if (end->read != world->end[!me].wrote &&
            tcp_end_reason(end->conn) != TCP_END_ABORTED)
            world_broken(world, "end of stream comes after all of it");
    }
    if (status == TCP_ENDED)
        end->over = true;
}
