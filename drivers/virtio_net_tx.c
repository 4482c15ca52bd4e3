/*
 * drivers/virtio_net_tx.c - frames for virtio-net to send.
 *
 * The virtio header goes into the headroom before the frame, so that a small
 * packet is one descriptor (two for a legacy device that wants it apart). What
 * was sent is taken back when the stack calls anyway; only when the ring was
 * full is there an interrupt for it.
 * Source: virtio 1.2 5.1.6.2.
 */
#include "drivers/virtio_net_parts.h"

enum {
    PARTS_MAX = 64,       /* descriptors of one frame */
    TCP_FIXED_BYTES = 20, /* TCP's header without options */
    TCP_OFFSET_AT = 12,   /* the byte with the header's length */
};

/* What has to be known of a frame before it may go out. */
struct shape {
    unsigned parts; /* descriptors, that of the header alone among them */
    uint32_t bytes;
};

static struct shape shape_of(const struct virtio_net *nic,
                             const struct buffer *chain)
{
    struct shape shape = {0};

    shape.parts = nic->header_apart || chain->len == 0 ||
                  buffer_headroom(chain) < nic->header_bytes;
    for (const struct buffer *buf = chain; buf; buf = buf->next) {
        shape.parts += buf->len > 0;
        shape.bytes += buf->len;
    }
    return shape;
}

/* The length of all headers of a TCP segment. To the device it is a hint, but
 * it has to be right: virtio 1.2 5.1.6.2.1. */
static uint16_t headers_bytes(const struct buffer *chain)
{
    uint32_t tcp = TCP_FIXED_BYTES;
    uint8_t offset;

    if (buffer_copy_out(chain, chain->csum_start + (uint32_t)TCP_OFFSET_AT,
                        &offset, 1) == 1)
        tcp = (uint32_t)(offset >> 4) * 4;
    return (uint16_t)(chain->csum_start + tcp);
}

/* A frame may begin anywhere, and so may the header before it. */
typedef struct virtio_net_hdr loose_header __attribute__((aligned(1)));
typedef struct virtio_net_hdr_v1 loose_header_v1 __attribute__((aligned(1)));

/* Put a header before `front`, which has the room, that says what the stack
 * wishes for a packet that is one segment, in the device's words. */
static loose_header *header_put(const struct virtio_net *nic,
                                struct buffer *front,
                                const struct buffer *packet)
{
    loose_header *header;

    front->data -= nic->header_bytes;
    front->len += nic->header_bytes;
    header = (loose_header *)front->data;
    *header = (loose_header){0};
    if (nic->header_bytes == sizeof(loose_header_v1))
        ((loose_header_v1 *)front->data)->num_buffers = 0;
    if (packet->flags & BUFFER_CSUM_PARTIAL) {
        ASSERT(nic->dev.caps & NETDEV_CAP_TX_CSUM);
        header->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
        header->csum_start = packet->csum_start;
        header->csum_offset = packet->csum_offset;
    }
    return header;
}

/* The same of one that is to be cut to segments. `headers`: headers_bytes(). */
static void header_put_gso(const struct virtio_net *nic, struct buffer *front,
                           const struct buffer *packet, uint16_t headers)
{
    loose_header *header = header_put(nic, front, packet);

    ASSERT(nic->dev.caps & NETDEV_CAP_TX_GSO_TCP4);
    ASSERT(packet->flags & BUFFER_CSUM_PARTIAL);
    header->gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
    header->gso_size = packet->gso_bytes;
    header->hdr_len = headers;
    if (packet->flags & BUFFER_GSO_ECN) {
        ASSERT(nic->dev.caps & NETDEV_CAP_TX_GSO_ECN);
        header->gso_type |= VIRTIO_NET_HDR_GSO_ECN;
    }
}

/* Give what the first view of a packet says to another that takes its place. */
static void wishes_copy(struct buffer *to, const struct buffer *from)
{
    to->flags = from->flags;
    to->csum_start = from->csum_start;
    to->csum_offset = from->csum_offset;
    to->gso_bytes = from->gso_bytes;
}

/* Copy a chain of too many pieces into few. Null when the pool is exhausted. */
static COLD struct buffer *gather(struct virtio_net *nic,
                                  const struct buffer *chain, uint32_t bytes)
{
    struct buffer *copy = NULL;
    struct buffer **end = &copy;
    uint32_t done = 0;

    while (done < bytes) {
        uint32_t headroom = done == 0 ? nic->header_bytes : 0;
        struct buffer *buf =
            buffer_alloc_last(nic->pool, BUFFER_LARGE, headroom);
        uint32_t room = BUFFER_LARGE_BYTES - headroom;

        if (!buf) {
            buffer_release(copy);
            return NULL;
        }
        buf->len = buffer_copy_out(chain, done, buf->data, room);
        done += buf->len;
        *end = buf;
        end = &buf->next;
    }
    wishes_copy(copy, chain);
    return copy;
}

/* The view that the header goes before: the first, or one for it alone. Null
 * when the pool is exhausted. */
static struct buffer *with_headroom(struct virtio_net *nic,
                                    struct buffer *chain)
{
    struct buffer *front;

    if (buffer_headroom(chain) >= nic->header_bytes)
        return chain;
    front = buffer_alloc(nic->pool, BUFFER_SMALL, nic->header_bytes);
    if (front)
        front->next = chain;
    return front;
}

/* Push a frame behind its header as one chain of descriptors, of which there
 * are enough. The device owns it then. */
static void push(struct virtio_net *nic, struct buffer *front)
{
    struct virtq_part part[PARTS_MAX];
    unsigned count = 0;
    bool pushed;

    /* Zero bytes are an error to some devices: such views are left out. */
    for (struct buffer *buf = front; buf; buf = buf->next) {
        uint32_t done =
            buf == front && nic->header_apart ? nic->header_bytes : 0;

        if (done > 0)
            part[count++] = (struct virtq_part){buf->data, done};
        if (buf->len == done)
            continue;
        ASSERT(count < PARTS_MAX);
        part[count++] = (struct virtq_part){buf->data + done, buf->len - done};
    }
    pushed = virtq_push(&nic->tx, part, count, 0, front);
    ASSERT(pushed); /* the caller has counted */
}

/* The ring is full, or (`starved`) the pool empty. */
static COLD enum netdev_status refuse(struct virtio_net *nic, bool starved)
{
    nic->tx_starved = nic->tx_starved || starved;
    nic->tx_full = nic->tx_full || !starved;
    nic->dev.count.tx_full++;
    return NETDEV_FULL;
}

static COLD enum netdev_status lose(struct buffer *chain)
{
    buffer_release(chain);
    return NETDEV_DOWN;
}

/* Enqueue a frame that fits into the ring, some time. */
static enum netdev_status
enqueue_parts(struct virtio_net *nic, struct buffer *chain, struct shape shape)
{
    struct buffer *front;

    if (shape.parts > nic->tx.free_count) {
        virtio_net_tx_reclaim(nic);
        if (nic->state != VIRTIO_NET_RUNNING)
            return lose(chain);
        if (shape.parts > nic->tx.free_count)
            return refuse(nic, false);
    }
    front = with_headroom(nic, chain);
    if (!front)
        return refuse(nic, true);
    if (chain->flags & BUFFER_GSO_TCP4)
        header_put_gso(nic, front, chain, headers_bytes(chain));
    else
        header_put(nic, front, chain);
    push(nic, front);
    nic->dev.count.tx_frames++;
    nic->dev.count.tx_bytes += shape.bytes;
    return NETDEV_OK;
}

/* What nic->tx_simple is in this state of the device. */
uint32_t virtio_net_tx_simple(const struct virtio_net *nic)
{
    return nic->state == VIRTIO_NET_RUNNING && !nic->header_apart &&
                   nic->header_bytes == sizeof(loose_header_v1)
               ? nic->dev.mtu_bytes + 1u
               : 0;
}

/* Whether the frame is one segment in one view with room for the header before
 * it, for which there is a descriptor: what nearly every one is. */
static INLINE bool is_simple(const struct virtio_net *nic,
                             const struct buffer *chain)
{
    return chain->len - ETH_HLEN < nic->tx_simple && !chain->next &&
           !(chain->flags & BUFFER_GSO_TCP4) &&
           buffer_headroom(chain) >= sizeof(loose_header_v1) &&
           nic->tx.free_count > 0;
}

static INLINE enum netdev_status enqueue_simple(struct virtio_net *nic,
                                                struct buffer *frame)
{
    uint8_t *data = frame->data - sizeof(loose_header_v1);
    uint32_t bytes = frame->len;
    bool pushed;

    if (frame->flags & BUFFER_CSUM_PARTIAL) {
        ASSERT(nic->dev.caps & NETDEV_CAP_TX_CSUM);
        *(loose_header_v1 *)data = (loose_header_v1){
            .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
            .csum_start = frame->csum_start,
            .csum_offset = frame->csum_offset,
        };
    } else {
        *(loose_header_v1 *)data = (loose_header_v1){0};
    }
    frame->data = data;
    frame->len = bytes + (uint32_t)sizeof(loose_header_v1);
    pushed = virtq_push_bytes(&nic->tx, data, frame->len, frame);
    ASSERT(pushed); /* there was a descriptor */
    nic->dev.count.tx_frames++;
    nic->dev.count.tx_bytes += bytes;
    return NETDEV_OK;
}

/* Any other frame. */
static COLD enum netdev_status enqueue(struct virtio_net *nic,
                                       struct buffer *chain)
{
    struct shape shape = shape_of(nic, chain);
    uint32_t most = chain->flags & BUFFER_GSO_TCP4
                        ? (uint32_t)VIRTIO_NET_GSO_MAX
                        : nic->dev.mtu_bytes + (uint32_t)ETH_HLEN;
    unsigned parts = nic->tx.size < PARTS_MAX ? nic->tx.size : PARTS_MAX;
    enum netdev_status status;
    struct buffer *copy;

    /* The MTU may have shrunk in a reset since the frame was built. */
    if (nic->state != VIRTIO_NET_RUNNING || shape.bytes < ETH_HLEN ||
        shape.bytes > most)
        return lose(chain);
    if (shape.parts <= parts)
        return enqueue_parts(nic, chain, shape);

    copy = gather(nic, chain, shape.bytes);
    if (!copy)
        return refuse(nic, true);
    shape = shape_of(nic, copy);
    if (shape.parts > parts) {
        buffer_release(copy);
        return lose(chain); /* a ring that is too small for such a frame */
    }
    status = enqueue_parts(nic, copy, shape);
    if (status == NETDEV_FULL)
        buffer_release(copy);
    else
        buffer_release(chain);
    return status;
}

/* See netdev_ops.enqueue. */
enum netdev_status virtio_net_tx_enqueue(struct virtio_net *nic,
                                         struct buffer *chain)
{
    return is_simple(nic, chain) ? enqueue_simple(nic, chain)
                                 : enqueue(nic, chain);
}

/* Release what the device has sent: no more than was in flight. */
void virtio_net_tx_reclaim(struct virtio_net *nic)
{
    enum virtq_status status;
    struct virtq_done done;

    while ((status = virtq_pop(&nic->tx, &done)) == VIRTQ_OK)
        buffer_release(done.cookie);
    if (status == VIRTQ_BROKEN)
        virtio_net_broken(nic, "transmit ring");
}

/* See netdev_ops.kick. */
void virtio_net_tx_kick(struct virtio_net *nic)
{
    if (nic->state != VIRTIO_NET_RUNNING || !virtq_publish(&nic->tx))
        return;
    nic->dev.count.kicks++;
    nic->virtio->ops->notify(nic->virtio, VIRTIO_NET_TX);
}
