/*
 * net/buffer.c - chains of views: looked at, copied, cut and gathered.
 */
#include "net/buffer.h"

#include <string.h>

uint32_t buffer_chain_len(const struct buffer *chain)
{
    uint32_t bytes = 0;

    for (const struct buffer *buf = chain; buf; buf = buf->next)
        bytes += buf->len;
    return bytes;
}

void buffer_chain_truncate(struct buffer *chain, uint32_t bytes)
{
    struct buffer *last = chain;

    while (last && bytes > last->len) {
        bytes -= last->len;
        last = last->next;
    }
    if (!last)
        return;
    last->len = bytes;
    buffer_release(last->next);
    last->next = NULL;
}

/* From more than one view, or fewer bytes. */
static ASIDE uint32_t copy_out_many(const struct buffer *chain, uint32_t offset,
                                    void *out, uint32_t bytes)
{
    uint8_t *to = out;
    uint32_t done = 0;

    for (const struct buffer *buf = chain; buf && done < bytes;
         buf = buf->next) {
        uint32_t part;

        if (offset >= buf->len) {
            offset -= buf->len;
            continue;
        }
        part = buf->len - offset;
        if (part > bytes - done)
            part = bytes - done;
        memcpy(to + done, buf->data + offset, part);
        done += part;
        offset = 0;
    }
    return done;
}

uint32_t buffer_copy_out(const struct buffer *chain, uint32_t offset, void *out,
                         uint32_t bytes)
{
    if (!chain || (uint64_t)offset + bytes > chain->len)
        return copy_out_many(chain, offset, out, bytes);
    memcpy(out, chain->data + offset, bytes);
    return bytes;
}

/* What the first view of a packet says about all of it. */
static COLD void copy_packet_members(struct buffer *to,
                                     const struct buffer *from)
{
    to->link = from->link;
    to->flags = from->flags;
    to->csum_start = from->csum_start;
    to->csum_offset = from->csum_offset;
    to->gso_bytes = from->gso_bytes;
}

struct buffer *buffer_with_headroom(struct buffer_pool *pool,
                                    struct buffer *chain, uint32_t bytes)
{
    struct buffer *head;

    if (buffer_headroom(chain) >= bytes)
        return chain;
    ASSERT(bytes <= BUFFER_HEADROOM);
    head = buffer_alloc(pool, BUFFER_SMALL, BUFFER_HEADROOM);
    if (!head)
        return NULL;
    copy_packet_members(head, chain);
    head->next = chain;
    return head;
}

struct buffer *buffer_gather(struct buffer_pool *pool, struct buffer *chain,
                             uint32_t bytes)
{
    struct buffer *first;

    if (chain->len >= bytes || !chain->next)
        return chain;
    first = buffer_alloc(pool, BUFFER_SMALL, 0);
    if (!first) {
        buffer_release(chain);
        return NULL;
    }
    copy_packet_members(first, chain);
    first->len = buffer_copy_out(chain, 0, first->data, bytes);
    bytes = first->len;
    while (chain && bytes >= chain->len) {
        struct buffer *next = chain->next;

        bytes -= chain->len;
        chain->next = NULL;
        buffer_release(chain);
        chain = next;
    }
    if (chain)
        buffer_pull(chain, bytes);
    first->next = chain;
    return first;
}

uint32_t buffer_held_bytes(const struct buffer *buf)
{
    uint32_t head = sizeof(struct buffer);

    if (buf->root->kind != BUFFER_KIND_FOREIGN)
        return buffer_chunk_held_bytes(buf);
    return buf->len + (buf == buf->root ? head : 2 * head);
}

uint32_t buffer_chain_held_bytes(const struct buffer *chain)
{
    uint32_t bytes = 0;

    for (; chain; chain = chain->next)
        bytes += buffer_held_bytes(chain);
    return bytes;
}
