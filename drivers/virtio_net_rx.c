/*
 * drivers/virtio_net_rx.c - frames that virtio-net has received.
 *
 * A buffer begins with the virtio header, the frame follows: one descriptor.
 * The header is copied out once and checked; a frame whose header makes no
 * sense is dropped and counted, a ring that makes none is reset.
 * Source: virtio 1.2 5.1.6.3, 5.1.6.4.
 */
#include <string.h>

#include "drivers/virtio_net_parts.h"

/* --- the header ---------------------------------------------------------- */

/* Which frame lengths can be: more is not ours, or a lie. */
static bool length_is_possible(const struct virtio_net *nic, uint32_t bytes,
                               bool gso)
{
    if (gso)
        return bytes <= VIRTIO_NET_GSO_MAX;
    return bytes <=
           nic->dev.mtu_bytes + (uint32_t)ETH_HLEN + VIRTIO_NET_VLAN_BYTES;
}

/* See NEEDS_CSUM and DATA_VALID. False: the frame is to be dropped. */
static bool take_csum(const struct virtio_net *nic,
                      const struct virtio_net_hdr_v1 *header,
                      struct buffer *frame, uint32_t bytes)
{
    uint32_t end = (uint32_t)header->csum_start + header->csum_offset + 2;
    bool partial = header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM;

    if (!virtio_net_has(nic, VIRTIO_NET_F_GUEST_CSUM))
        return !partial; /* the claim that it is good is not asked for */
    if (partial) {
        if (header->csum_start < ETH_HLEN || end > bytes)
            return false;
        frame->csum_start = header->csum_start;
        frame->csum_offset = header->csum_offset;
        frame->flags |= BUFFER_CSUM_PARTIAL;
    } else if (header->flags & VIRTIO_NET_HDR_F_DATA_VALID) {
        frame->flags |= BUFFER_CSUM_GOOD;
    }
    return true;
}

/* See gso_type; hdr_len is a hint that nobody needs. False: to be dropped. */
static bool take_gso(const struct virtio_net *nic,
                     const struct virtio_net_hdr_v1 *header,
                     struct buffer *frame, uint32_t bytes)
{
    bool ecn = header->gso_type & VIRTIO_NET_HDR_GSO_ECN;
    unsigned type = header->gso_type & ~VIRTIO_NET_HDR_GSO_ECN;

    if (header->gso_type == VIRTIO_NET_HDR_GSO_NONE)
        return true;
    if (type != VIRTIO_NET_HDR_GSO_TCPV4 || header->gso_size == 0 ||
        !virtio_net_has(nic, VIRTIO_NET_F_GUEST_TSO4) ||
        (ecn && !virtio_net_has(nic, VIRTIO_NET_F_GUEST_ECN)))
        return false;
    if (header->gso_size >= bytes)
        return true; /* one segment: an ordinary frame */
    frame->gso_bytes = header->gso_size;
    frame->flags |= BUFFER_GSO_TCP4;
    if (ecn)
        frame->flags |= BUFFER_GSO_ECN;
    return true;
}

/* Judge a whole frame of `bytes`, and note on it what its header says. */
static bool take_header(const struct virtio_net *nic,
                        const struct virtio_net_hdr_v1 *header,
                        struct buffer *frame, uint32_t bytes)
{
    return take_csum(nic, header, frame, bytes) &&
           take_gso(nic, header, frame, bytes) &&
           length_is_possible(nic, bytes, frame->flags & BUFFER_GSO_TCP4);
}

/* --- taking -------------------------------------------------------------- */

/*
 * Chain the buffers after the first of a frame that lies in `count`.
 *
 * Returns: VIRTQ_OK; VIRTQ_EMPTY when one of them has no bytes: the frame is
 *          to be dropped; VIRTQ_BROKEN when there are fewer than `count`.
 */
static enum virtq_status take_rest(struct virtio_net *nic, struct buffer *first,
                                   unsigned count, uint32_t *bytes)
{
    struct buffer *last = first;
    bool good = true;

    for (unsigned i = 1; i < count; i++) {
        struct virtq_done done;

        if (virtq_pop(&nic->rx, &done) != VIRTQ_OK)
            return VIRTQ_BROKEN;
        last->next = done.cookie;
        last = done.cookie;
        last->len = done.bytes;
        *bytes += done.bytes;
        good = good && done.bytes > 0;
    }
    return good ? VIRTQ_OK : VIRTQ_EMPTY;
}

/* How many buffers the frame takes: one, unless they may be merged. */
static unsigned buffers_of(const struct virtio_net *nic,
                           const struct virtio_net_hdr_v1 *header)
{
    return virtio_net_has(nic, VIRTIO_NET_F_MRG_RXBUF) ? header->num_buffers
                                                       : 1;
}

/*
 * Take one frame off the ring.
 *
 * frame:   set on VIRTQ_OK: the frame, or null when it was dropped.
 * Returns: as virtq_pop().
 */
static enum virtq_status take_frame(struct virtio_net *nic,
                                    struct buffer **frame)
{
    struct virtio_net_hdr_v1 header = {0};
    enum virtq_status status;
    struct virtq_done done;
    struct buffer *first;
    unsigned count;
    uint32_t bytes;

    *frame = NULL;
    status = virtq_pop(&nic->rx, &done);
    if (status != VIRTQ_OK)
        return status;
    first = done.cookie;
    if (done.bytes < nic->header_bytes + (uint32_t)ETH_HLEN)
        goto drop;
    virtio_net_header_copy(nic, &header, first->data);
    first->len = done.bytes;
    buffer_pull(first, nic->header_bytes);

    bytes = first->len;
    count = buffers_of(nic, &header);
    status = take_rest(nic, first, count, &bytes);
    if (status == VIRTQ_BROKEN) {
        buffer_release(first);
        return VIRTQ_BROKEN;
    }
    if (status != VIRTQ_OK || count == 0 ||
        !take_header(nic, &header, first, bytes))
        goto drop;
    nic->dev.count.rx_frames++;
    nic->dev.count.rx_bytes += bytes;
    *frame = first;
    return VIRTQ_OK;

drop:
    nic->dev.count.rx_malformed++;
    buffer_release(first);
    return VIRTQ_OK;
}

/* Up to `max` frames as a queue through link, oldest first. */
struct buffer *virtio_net_rx_take(struct virtio_net *nic, unsigned max)
{
    struct buffer *queue = NULL;
    struct buffer **end = &queue;

    for (unsigned i = 0; i < max; i++) {
        struct buffer *frame;
        enum virtq_status status = take_frame(nic, &frame);

        if (status == VIRTQ_BROKEN) {
            nic->dev.count.rx_malformed++;
            virtio_net_broken(nic, "receive ring");
        }
        if (status != VIRTQ_OK)
            break;
        if (frame) {
            *end = frame;
            end = &frame->link;
        }
    }
    return queue;
}

/* --- giving -------------------------------------------------------------- */

/* Post one empty buffer. False when the pool has none. */
static bool post_one(struct virtio_net *nic)
{
    struct buffer *buf = buffer_alloc_last(nic->pool, nic->rx_size, 0);
    uint32_t header = nic->header_bytes;
    struct virtq_part part[2];
    bool pushed;

    if (!buf)
        return false;
    if (nic->header_apart) {
        part[0] = (struct virtq_part){buf->data, header};
        part[1] = (struct virtq_part){buf->data + header,
                                      buffer_tailroom(buf) - header};
        pushed = virtq_push(&nic->rx, part, 0, 2, buf);
    } else {
        pushed = virtq_push_room(&nic->rx, buf->data,
                                 (uint16_t)buffer_tailroom(buf), buf);
    }
    ASSERT(pushed); /* no more are posted than the ring can hold */
    return true;
}

/* Fill the ring up when a quarter of it is free: a batch costs one store. */
void virtio_net_rx_refill(struct virtio_net *nic)
{
    unsigned room = (unsigned)(nic->rx_most - nic->rx.chains);

    if (room < (nic->rx_most + 3u) / 4 && !nic->rx_starved)
        return;
    nic->rx_starved = false;
    for (; room > 0; room--) {
        if (!post_one(nic)) {
            nic->rx_starved = true;
            nic->dev.count.rx_no_buffer += room;
            break;
        }
    }
    if (virtq_publish(&nic->rx)) {
        nic->dev.count.kicks++;
        nic->virtio->ops->notify(nic->virtio, VIRTIO_NET_RX);
    }
}
