/*
 * tests/host/world_seen.c - the wire of a world, watched.
 *
 * Text is compared with the pattern that was written by its sequence number,
 * so that what is sent again must be right too.
 */
#include "tests/host/world_seen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct world_seen seen;

static void see_text(const struct world_segment *segment)
{
    unsigned count = seen.texts[segment->to]++;

    if (segment->to != 1)
        return;
    if (count < SEEN_TEXTS) {
        seen.text_bytes[count] = segment->bytes;
        seen.text_us[count] = segment->sent_us;
    }
    for (uint32_t i = 0; seen.pattern && i < segment->bytes; i++)
        assert_int_equal(
            segment->text[i],
            world_byte((uint32_t)(segment->seq + i - seen.iss[1] - 1)));
}

static bool see(const struct world_segment *segment)
{
    uint8_t to = segment->to, flags = segment->flags;

    if (flags & WORLD_FLAGS_SYN)
        seen.iss[to] = segment->seq;
    if (to == 1 && flags & WORLD_FLAGS_SYN)
        seen.port = segment->src_port;
    seen.segments[to]++;
    seen.resets[to] += (flags & WORLD_FLAGS_RST) != 0;
    seen.ack[to] = segment->ack;
    if (!(flags & WORLD_FLAGS_RST))
        seen.next[to] = segment->seq + segment->bytes +
                        (flags & (WORLD_FLAGS_SYN | WORLD_FLAGS_FIN) ? 1 : 0);
    if (flags & WORLD_FLAGS_FIN) {
        seen.fins[to]++;
        seen.fin_us = segment->sent_us;
    }
    if (segment->bytes > 0)
        see_text(segment);
    if (!seen.lose || !seen.lose(segment))
        return true;
    seen.lost++;
    return false;
}

void seen_begin(void)
{
    memset(&seen, 0, sizeof(seen));
    world.watch = see;
}

struct flow *seen_connect(flow_callback *callback, void *context)
{
    seen_begin();
    world_listen(SEEN_PORT, callback, context);
    return world_connect(SEEN_PORT);
}
