/*
 * net/tcp_body.h - a chunk for a segment's header, with the text behind it.
 * Private to net/tcp_body.c and net/tcp_segment.c.
 *
 * Text is copied behind the header, or slices of the views in the send queue
 * are attached: no byte of them moves. Copied is what is short, and what we
 * have to sum anyway.
 */
#ifndef NET_TCP_BODY_H
#define NET_TCP_BODY_H

#include <string.h>

#include "net/buffer_pool.h"
#include "net/checksum.h"
#include "net/net_priv.h"

enum {
    /* virtio-net 12, Ethernet 14, IPv4 20, rounded up. */
    TCP_BODY_LOWER_BYTES = 64,
    TCP_BODY_SHORT_BYTES = BUFFER_SMALL_BYTES - TCP_BODY_LOWER_BYTES
};

struct tcp_body {
    struct buffer *segment; /* null: no memory */
    uint32_t sum;           /* of what is copied, if that is summed */
    uint16_t copied;        /* bytes of text in the chunk; others in slices */
    bool summed;
};

_Static_assert(sizeof(struct tcp_body) <= 16, "returned in registers");

/* Private: a chunk with a copy of text behind the header's place; text lies in
 * one view nearly always. */
static INLINE struct tcp_body
tcp_body_copied(struct buffer *segment, uint32_t header, struct buffer *view,
                uint32_t offset, uint32_t bytes, bool sums)
{
    const uint8_t *from = view->data + offset;
    uint8_t *to = segment->data + header;
    bool whole = bytes <= view->len - offset;
    struct tcp_body body = {.segment = segment, .copied = (uint16_t)bytes};

    if (sums) {
        body.summed = true;
        body.sum = whole ? checksum_copy(0, to, from, bytes)
                         : checksum_copy_out(0, view, offset, to, bytes);
    } else if (whole) {
        memcpy(to, from, bytes);
    } else {
        buffer_copy_out(view, offset, to, bytes);
    }
    return body;
}

/* Whether a segment fits a small chunk. */
static INLINE bool tcp_body_is_short(uint32_t header, uint32_t bytes)
{
    return header + bytes <= TCP_BODY_SHORT_BYTES;
}

/*
 * Take a chunk, its data where the header goes, its len 0.
 *
 * header: bytes of it.
 * view:   where the text is, from `offset` on; null: bytes is 0.
 * bytes:  of text. The first is for what is short, the second for all else.
 * sums:   we have to sum it. Where memory is short, long text is not copied all
 *         the same.
 */
static INLINE struct tcp_body tcp_body_short(struct net *net, uint32_t header,
                                             struct buffer *view,
                                             uint32_t offset, uint32_t bytes,
                                             bool sums)
{
    struct buffer *segment =
        buffer_alloc_here(net->pool, BUFFER_SMALL, TCP_BODY_LOWER_BYTES, false);

    if (!segment || bytes == 0)
        return (struct tcp_body){.segment = segment};
    return tcp_body_copied(segment, header, view, offset, bytes, sums);
}
struct tcp_body tcp_body_long(struct net *net, uint32_t header,
                              struct buffer *view, uint32_t offset,
                              uint32_t bytes, bool sums);

/* See struct ipv4_send. */
static INLINE uint16_t tcp_body_summed(const struct tcp_body *body)
{
    return body->summed ? body->copied : 0;
}

#endif
