/*
 * tests/host/wire.c - a cable between two cards in memory.
 */
#include "tests/host/wire.h"

#include <stdlib.h>
#include <string.h>

#include "net/checksum.h"
#include "tests/host/host.h"

void wire_init(struct wire *wire, struct memdev *a, struct memdev *b)
{
    *wire = (struct wire){.end = {a, b}};
}

static bool chance(uint32_t ppm)
{
    return ppm > 0 && host_random() % 1000000 < ppm;
}

static struct wire_frame *frame_of(const struct buffer *chain, uint8_t to)
{
    uint32_t len = buffer_chain_len(chain);
    struct wire_frame *frame = malloc(sizeof(*frame) + len);

    if (!frame)
        abort();
    *frame = (struct wire_frame){
        .len = len,
        .csum_start = chain->csum_start,
        .csum_offset = chain->csum_offset,
        .gso_bytes = chain->gso_bytes,
        .flags = chain->flags,
        .to = to,
    };
    buffer_copy_out(chain, 0, frame->bytes, len);
    return frame;
}

/* What a card does that computes checksums on the way out. */
static void complete_checksum(struct wire_frame *frame)
{
    uint32_t field = (uint32_t)frame->csum_start + frame->csum_offset;
    uint32_t sum;
    be16 value;

    if (!(frame->flags & BUFFER_CSUM_PARTIAL))
        return;
    ASSERT(field + 2 <= frame->len);
    sum = checksum_add(0, frame->bytes + frame->csum_start,
                       frame->len - frame->csum_start);
    value = checksum_finish(sum);
    memcpy(frame->bytes + field, &value, sizeof(value));
    frame->flags &= (uint8_t)~BUFFER_CSUM_PARTIAL;
}

static void insert(struct wire *wire, struct wire_frame *frame)
{
    struct wire_frame **at = &wire->flying;

    while (*at && (*at)->arrival_us <= frame->arrival_us)
        at = &(*at)->next;
    frame->next = *at;
    *at = frame;
    wire->queued[frame->to]++;
}

/* When a frame that leaves now arrives. */
static uint64_t arrival(struct wire *wire, const struct wire_frame *frame)
{
    const struct wire_quality *quality = &wire->to[frame->to];
    uint64_t *busy_us = &wire->busy_until_us[frame->to];
    uint64_t *last_us = &wire->last_arrival_us[frame->to];
    uint64_t at_us = frame->sent_us;

    if (quality->bytes_per_s > 0) {
        if (*busy_us > at_us)
            at_us = *busy_us;
        at_us += (uint64_t)frame->len * 1000000 / quality->bytes_per_s;
        *busy_us = at_us;
    }
    at_us += quality->delay_us;
    if (quality->jitter_us > 0)
        at_us += host_random() % quality->jitter_us;
    if (at_us < *last_us)
        at_us = *last_us;
    *last_us = at_us;
    return at_us;
}

static void send(struct wire *wire, struct wire_frame *frame)
{
    const struct wire_quality *quality = &wire->to[frame->to];
    struct wire_counters *count = &wire->count[frame->to];

    count->sent++;
    count->bytes += frame->len;
    if ((wire->observe && !wire->observe(wire->observe_context, frame)) ||
        wire->cut || chance(quality->loss_ppm) ||
        (quality->frames_max > 0 &&
         wire->queued[frame->to] >= quality->frames_max)) {
        count->lost++;
        free(frame);
        return;
    }
    if (chance(quality->corrupt_ppm) && frame->len > 0) {
        uint64_t bit = host_random() % ((uint64_t)frame->len * 8);

        complete_checksum(frame);
        frame->bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        count->corrupted++;
    }
    frame->arrival_us = arrival(wire, frame);
    if (chance(quality->reorder_ppm)) {
        frame->arrival_us += quality->reorder_us;
        count->reordered++;
    }
    insert(wire, frame);
    if (chance(quality->duplicate_ppm)) {
        struct wire_frame *copy = malloc(sizeof(*copy) + frame->len);

        if (!copy)
            abort();
        memcpy(copy, frame, sizeof(*copy) + frame->len);
        insert(wire, copy);
        count->duplicated++;
    }
}

void wire_collect(struct wire *wire, uint64_t now_us)
{
    for (uint8_t from = 0; from < 2; from++) {
        struct buffer *chain;

        while ((chain = memdev_take(wire->end[from]))) {
            struct wire_frame *frame = frame_of(chain, !from);

            buffer_release(chain);
            frame->sent_us = now_us;
            send(wire, frame);
        }
    }
}

static void hand_over(struct wire *wire, struct wire_frame *frame)
{
    struct memdev *to = wire->end[frame->to];
    struct memdev_queue before = to->rx;
    struct buffer *chain;

    if (!(to->dev.caps & NETDEV_CAP_RX_CSUM))
        complete_checksum(frame);
    if (!memdev_inject(to, frame->bytes, frame->len)) {
        wire->count[frame->to].no_buffer++;
        return;
    }
    wire->count[frame->to].delivered++;
    chain = before.first ? *before.end : to->rx.first;
    chain->flags = frame->flags;
    chain->csum_start = frame->csum_start;
    chain->csum_offset = frame->csum_offset;
    chain->gso_bytes = frame->gso_bytes;
}

bool wire_deliver(struct wire *wire, uint64_t now_us)
{
    bool any = false;

    while (wire->flying && wire->flying->arrival_us <= now_us) {
        struct wire_frame *frame = wire->flying;

        wire->flying = frame->next;
        wire->queued[frame->to]--;
        hand_over(wire, frame);
        free(frame);
        any = true;
    }
    return any;
}

uint64_t wire_next(const struct wire *wire)
{
    return wire->flying ? wire->flying->arrival_us : FOREVER;
}

unsigned wire_flying(const struct wire *wire)
{
    return wire->queued[0] + wire->queued[1];
}

void wire_clear(struct wire *wire)
{
    while (wire->flying) {
        struct wire_frame *frame = wire->flying;

        wire->flying = frame->next;
        wire->queued[frame->to]--;
        free(frame);
    }
}
