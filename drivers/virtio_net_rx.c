/*
 * drivers/virtio_net_rx.c - frames that virtio-net has received.
 *
 * A buffer begins with the virtio header, the frame follows: one descriptor.
 * Each field of the header is read once, for the device might still write to
 * it. A frame whose header makes no sense is dropped and counted, a ring that
 * makes none is reset.
 * Source: virtio 1.2 5.1.6.3, 5.1.6.4.
 */
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

#define READ(field) __atomic_load_n(&(field), __ATOMIC_RELAXED)

/* See NEEDS_CSUM and DATA_VALID. False: the frame is to be dropped. */
static INLINE bool take_csum(const struct virtio_net *nic,
                             const struct virtio_net_hdr_v1 *header,
                             struct buffer *frame, uint32_t bytes)
{
    uint8_t flags = READ(header->flags);
    uint16_t start, offset;

    if (!virtio_net_has(nic, VIRTIO_NET_F_GUEST_CSUM))
        return !(flags & VIRTIO_NET_HDR_F_NEEDS_CSUM); /* that it is good was
                                                          not asked for */
    if (flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
        start = READ(header->csum_start);
        offset = READ(header->csum_offset);
        if (start < ETH_HLEN || (uint32_t)start + offset + 2 > bytes)
            return false;
        frame->csum_start = start;
        frame->csum_offset = offset;
        frame->flags |= BUFFER_CSUM_PARTIAL;
    } else if (flags & VIRTIO_NET_HDR_F_DATA_VALID) {
        frame->flags |= BUFFER_CSUM_GOOD;
    }
    return true;
}

/* A gso_type that is not NONE; hdr_len is a hint that nobody needs. False: to
 * be dropped. */
static ASIDE bool take_gso(const struct virtio_net *nic,
                           const struct virtio_net_hdr_v1 *header,
                           uint8_t gso_type, struct buffer *frame,
                           uint32_t bytes)
{
    bool ecn = gso_type & VIRTIO_NET_HDR_GSO_ECN;
    unsigned type = gso_type & ~VIRTIO_NET_HDR_GSO_ECN;
    uint16_t gso_size = READ(header->gso_size);

    if (type != VIRTIO_NET_HDR_GSO_TCPV4 || gso_size == 0 ||
        !virtio_net_has(nic, VIRTIO_NET_F_GUEST_TSO4) ||
        (ecn && !virtio_net_has(nic, VIRTIO_NET_F_GUEST_ECN)))
        return false;
    if (gso_size >= bytes) /* one segment: an ordinary frame */
        return length_is_possible(nic, bytes, false);
    frame->gso_bytes = gso_size;
    frame->flags |= BUFFER_GSO_TCP4;
    if (ecn)
        frame->flags |= BUFFER_GSO_ECN;
    return length_is_possible(nic, bytes, true);
}

/* Judge a whole frame of `bytes`, and note on it what its header says. */
static INLINE bool take_header(const struct virtio_net *nic,
                               const struct virtio_net_hdr_v1 *header,
                               struct buffer *frame, uint32_t bytes)
{
    uint8_t gso_type = READ(header->gso_type);

    if (!take_csum(nic, header, frame, bytes))
        return false;
    if (gso_type == VIRTIO_NET_HDR_GSO_NONE)
        return length_is_possible(nic, bytes, false);
    return take_gso(nic, header, gso_type, frame, bytes);
}

/* --- taking -------------------------------------------------------------- */

/*
 * Chain the buffers after the first of a frame that lies in `count`, and is not
 * to lie in none.
 *
 * Returns: the bytes of all, `bytes` of which are in the first; 0: the frame is
 *          to be dropped, for one has no bytes, or (the ring is broken) there
 *          are fewer.
 */
static ASIDE uint32_t take_rest(struct virtio_net *nic, struct buffer *first,
                                unsigned count, uint32_t bytes)
{
    struct buffer *last = first;
    bool good = count > 0;

    for (unsigned i = 1; i < count; i++) {
        struct virtq_done done;

        if (virtq_pop(&nic->rx, &done) != VIRTQ_OK) {
            virtq_break(&nic->rx);
            return 0;
        }
        last->next = done.cookie;
        last = done.cookie;
        last->len = done.bytes;
        bytes += done.bytes;
        good = good && done.bytes > 0;
    }
    return good ? bytes : 0;
}

/* How many buffers the frame takes: one, unless they may be merged. */
static INLINE unsigned buffers_of(const struct virtio_net *nic,
                                  const struct virtio_net_hdr_v1 *header)
{
    return virtio_net_has(nic, VIRTIO_NET_F_MRG_RXBUF)
               ? READ(header->num_buffers)
               : 1;
}

static COLD enum virtq_status drop(struct virtio_net *nic, struct buffer *first)
{
    buffer_release(first);
    if (nic->rx.broken)
        return VIRTQ_BROKEN;
    nic->dev.count.rx_malformed++;
    return VIRTQ_OK;
}

/*
 * Take one frame off the ring.
 *
 * frame:   set on VIRTQ_OK: the frame, or null when it was dropped.
 * Returns: as virtq_pop().
 */
static INLINE enum virtq_status take_frame(struct virtio_net *nic,
                                           struct buffer **frame)
{
    const struct virtio_net_hdr_v1 *header;
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
        return drop(nic, first);
    header = (const struct virtio_net_hdr_v1 *)first->data;
    bytes = done.bytes - nic->header_bytes;
    first->data += nic->header_bytes;
    first->len = bytes;

    count = buffers_of(nic, header);
    if (count != 1) {
        bytes = take_rest(nic, first, count, bytes);
        if (bytes == 0)
            return drop(nic, first);
    }
    if (!take_header(nic, header, first, bytes))
        return drop(nic, first);
    nic->dev.count.rx_frames++;
    nic->dev.count.rx_bytes += bytes;
    *frame = first;
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

/* Post one empty buffer. */
static INLINE void post(struct virtio_net *nic, struct buffer *buf)
{
    uint32_t header = nic->header_bytes;
    struct virtq_part part[2];
    bool pushed;

    if (nic->header_apart) {
        part[0] = (struct virtq_part){buf->data, header};
        part[1] =
            (struct virtq_part){buf->data + header, nic->rx_bytes - header};
        pushed = virtq_push(&nic->rx, part, 0, 2, buf);
    } else {
        pushed = virtq_push_room(&nic->rx, buf->data, nic->rx_bytes, buf);
    }
    ASSERT(pushed); /* no more are posted than the ring can hold */
}

/* Fill the ring up when a quarter of it is free: a batch costs one store. */
void virtio_net_rx_refill(struct virtio_net *nic)
{
    unsigned room = (unsigned)(nic->rx_most - virtq_chains(&nic->rx));
    struct buffer *queue, *buf;

    if (room < (nic->rx_most + 3u) / 4 && !nic->rx_starved)
        return;
    queue = buffer_alloc_queue(nic->pool, nic->rx_size, room);
    for (; (buf = queue); room--) {
        queue = buf->link;
        buf->link = NULL;
        post(nic, buf);
    }
    nic->rx_starved = room > 0;
    nic->dev.count.rx_no_buffer += room;
    if (virtq_publish(&nic->rx)) {
        nic->dev.count.kicks++;
        nic->virtio->ops->notify(nic->virtio, VIRTIO_NET_RX);
    }
}
