/*
 * net/tcp_body.c - segments that do not fit a small chunk.
 */
#include "net/tcp_body.h"

enum { LARGE_BYTES = BUFFER_LARGE_BYTES - TCP_BODY_LOWER_BYTES };

/* Append slices of the views from `offset` of `view`. */
static bool attach(struct net *net, struct buffer *segment, struct buffer *view,
                   uint32_t offset, uint32_t bytes)
{
    struct buffer **end = &segment->next;

    while (bytes > 0) {
        uint32_t part = view->len - offset < bytes ? view->len - offset : bytes;

        *end = buffer_slice(net->pool, view, offset, part);
        if (!*end)
            return false;
        end = &(*end)->next;
        bytes -= part;
        view = view->next;
        offset = 0;
    }
    return true;
}

COLD struct tcp_body tcp_body_long(struct net *net, uint32_t header,
                                   struct buffer *view, uint32_t offset,
                                   uint32_t bytes, bool sums)
{
    struct buffer *segment = NULL;

    if (sums && header + bytes <= LARGE_BYTES)
        segment = buffer_alloc(net->pool, BUFFER_LARGE, TCP_BODY_LOWER_BYTES);
    if (segment)
        return tcp_body_copied(segment, header, view, offset, bytes, sums);
    segment = buffer_alloc(net->pool, BUFFER_SMALL, TCP_BODY_LOWER_BYTES);
    if (segment && !attach(net, segment, view, offset, bytes)) {
        buffer_release(segment);
        segment = NULL;
    }
    return (struct tcp_body){.segment = segment};
}
