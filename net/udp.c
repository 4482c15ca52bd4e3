/*
 * net/udp.c - UDP datagrams in and out.
 */
#include "net/udp.h"

#include <string.h>

#include "net/checksum.h"
#include "net/net_priv.h"
#include "net/udp_priv.h"
#include "net/wire.h"

/* As on the wire: RFC 768. */
struct wire_udp {
    be16 src_port, dst_port;
    be16 bytes; /* of header and data */
    be16 checksum;
};

_Static_assert(sizeof(struct wire_udp) == UDP_HEADER_BYTES, "as on the wire");

struct udp_header {
    uint16_t src_port, dst_port, bytes;
    bool has_checksum;
};

enum { PORT_ECHO = 7, PORT_CHARGEN = 19 };

/* What this layer and those below put before a datagram. */
enum { UDP_HEADROOM = 12 + 14 + IPV4_HEADER_BYTES + UDP_HEADER_BYTES };

static void header_parse(const uint8_t bytes[UDP_HEADER_BYTES],
                         struct udp_header *header)
{
    struct wire_udp wire;

    memcpy(&wire, bytes, sizeof(wire));
    *header = (struct udp_header){
        .src_port = be16_get(wire.src_port),
        .dst_port = be16_get(wire.dst_port),
        .bytes = be16_get(wire.bytes),
        .has_checksum = be16_get(wire.checksum) != 0,
    };
}

static void header_emit(uint8_t bytes[UDP_HEADER_BYTES],
                        const struct udp_header *header, be16 checksum)
{
    const struct wire_udp wire = {
        be16_make(header->src_port),
        be16_make(header->dst_port),
        be16_make(header->bytes),
        checksum,
    };

    memcpy(bytes, &wire, sizeof(wire));
}

/* --- in ------------------------------------------------------------------- */

/* Check the header and the checksum, and cut what follows the datagram. */
static bool datagram_ok(struct net *net, const struct ipv4_packet *ip,
                        struct buffer *segment, struct udp_header *header)
{
    struct net_counters *counters = &net->counters;
    uint32_t bytes = buffer_chain_len(segment);

    if (bytes < UDP_HEADER_BYTES) {
        net_count(counters, udp_short);
        return false;
    }
    header_parse(segment->data, header);
    if (header->bytes < UDP_HEADER_BYTES || header->bytes > bytes) {
        net_count(counters, udp_length);
        return false;
    }
    buffer_chain_truncate(segment, header->bytes);
    if (header->has_checksum &&
        !checksum_transport_ok(ip->header.src, ip->header.dst, IPV4_PROTO_UDP,
                               segment)) {
        net_count(counters, udp_checksum);
        return false;
    }
    if (header->dst_port == 0 || header->src_port == 0) {
        net_count(counters, udp_port);
        return false;
    }
    return true;
}

/* Services that answer anything: two of them would talk for ever. Only who has
 * connected to one hears it. */
static bool may_loop(const struct udp_header *header,
                     const struct udp_socket *socket)
{
    return (header->src_port == PORT_ECHO ||
            header->src_port == PORT_CHARGEN) &&
           (!socket || socket->info.peer_port == 0);
}

void udp_input(struct net *net, const struct ipv4_packet *ip,
               struct buffer *segment)
{
    struct udp_socket *socket;
    struct udp_datagram from;
    struct udp_header header;

    net_count(&net->counters, udp_rx);
    if (!datagram_ok(net, ip, segment, &header)) {
        buffer_release(segment);
        return;
    }
    from = (struct udp_datagram){ip->header.src, ip->header.dst,
                                 header.src_port, header.dst_port};
    socket = udp_find(net, &from);
    if (may_loop(&header, socket)) {
        net_count(&net->counters, udp_port);
        buffer_release(segment);
        return;
    }
    if (!socket) {
        net_count(&net->counters, udp_no_listener);
        icmp_unreachable(net, ip, segment, ICMP_UNREACHABLE_PORT);
        buffer_release(segment);
        return;
    }
    buffer_pull(segment, UDP_HEADER_BYTES);
    segment->flags = 0;
    if (header.bytes == UDP_HEADER_BYTES) {
        buffer_release(segment);
        segment = NULL;
    }
    udp_deliver(socket, &from, segment);
}

/* --- out ------------------------------------------------------------------ */

/* Undo the header of a datagram that was not taken. */
static void undo_header(struct buffer *segment, const struct buffer *data)
{
    if (segment == data) {
        buffer_pull(segment, UDP_HEADER_BYTES);
        segment->flags = 0;
        return;
    }
    segment->next = NULL;
    buffer_release(segment);
}

/* Put the header before a datagram: into the headroom that a segment has. sum:
 * of the data, or 0: the checksum is to be completed. */
static void put_header(struct buffer *segment, const struct udp_datagram *to,
                       uint32_t sum)
{
    uint32_t bytes = UDP_HEADER_BYTES + buffer_chain_len(segment);
    const struct udp_header header = {to->src_port, to->dst_port,
                                      (uint16_t)bytes, true};

    sum = checksum_add_pseudo(sum, to->src, to->dst, IPV4_PROTO_UDP, bytes);
    header_emit(buffer_push(segment, UDP_HEADER_BYTES), &header,
                checksum_unfinished(sum));
    segment->flags = BUFFER_CSUM_PARTIAL;
    segment->csum_start = 0;
    segment->csum_offset = offsetof(struct wire_udp, checksum);
}

/*
 * Put the header before a datagram. Data is taken when there is no memory.
 * Returns: the segment, its checksum to be completed; or null.
 */
static struct buffer *make_segment(struct net *net,
                                   const struct udp_datagram *to,
                                   struct buffer *data)
{
    struct buffer *segment =
        data ? buffer_with_headroom(net->pool, data, UDP_HEADROOM)
             : buffer_alloc(net->pool, BUFFER_SMALL, BUFFER_HEADROOM);

    if (!segment) {
        buffer_release(data);
        return NULL;
    }
    put_header(segment, to, 0);
    return segment;
}

/* A copy of the bytes as a chain with headroom; with their sum, unless null.
 * Null when there is no memory. All pieces but the last are even. */
static struct buffer *copy_of(struct buffer_pool *pool, const uint8_t *data,
                              size_t bytes, uint32_t *sum)
{
    struct buffer *chain = NULL, **end = &chain;
    uint32_t room = BUFFER_HEADROOM;

    for (; !chain || bytes > 0; room = 0) {
        struct buffer *buf = buffer_alloc_last(pool, BUFFER_LARGE, room);
        size_t part = BUFFER_LARGE_BYTES - room;

        if (!buf) {
            buffer_release(chain);
            return NULL;
        }
        if (part > bytes)
            part = bytes;
        *end = buf;
        end = &buf->next;
        if (part == 0)
            break; /* and `data` may be null */
        if (sum)
            *sum = checksum_copy(*sum, buf->data, data, part);
        else
            memcpy(buf->data, data, part);
        buf->len = (uint32_t)part;
        data += part;
        bytes -= part;
    }
    return chain;
}

static struct ipv4_send how_to_send(const struct udp_datagram *to)
{
    return (struct ipv4_send){.src = to->src,
                              .dst = to->dst,
                              .protocol = IPV4_PROTO_UDP,
                              .may_fragment = true};
}

/* The layer below has had the segment. */
static enum ipv4_status sent(struct net *net, enum ipv4_status status,
                             struct buffer *segment, const struct buffer *data)
{
    if (status == IPV4_FULL)
        undo_header(segment, data);
    else if (status == IPV4_OK)
        net_count(&net->counters, udp_tx);
    return status;
}

/* Whether a datagram of so many bytes may go; fills in where from. */
static enum ipv4_status address(struct net *net, struct udp_datagram *to,
                                size_t bytes)
{
    if (bytes > UDP_DATA_BYTES_MAX)
        return IPV4_TOO_BIG;
    return ipv4_addr_is_zero(to->src) &&
                   !ipv4_source_for(net, to->dst, &to->src)
               ? IPV4_NO_ROUTE
               : IPV4_OK;
}

enum ipv4_status udp_output(struct net *net, const struct udp_datagram *to,
                            struct buffer *data)
{
    struct udp_datagram whole = *to;
    enum ipv4_status status = address(net, &whole, buffer_chain_len(data));
    struct buffer *segment;
    struct ipv4_send how;

    if (status != IPV4_OK) {
        buffer_release(data);
        return status;
    }
    segment = make_segment(net, &whole, data);
    if (!segment)
        return IPV4_NO_MEMORY;
    how = how_to_send(&whole);
    return sent(net, ipv4_output(net, &how, segment), segment, data);
}

enum ipv4_status udp_output_bytes(struct net *net,
                                  const struct udp_datagram *to,
                                  const void *data, size_t bytes)
{
    struct udp_datagram whole = *to;
    enum ipv4_status status = address(net, &whole, bytes);
    struct ipv4_send how = how_to_send(&whole);
    struct buffer *segment;
    uint32_t sum = 0;

    if (status != IPV4_OK)
        return status;
    if (ipv4_sums_towards(net, to->dst))
        how.summed_bytes = (uint16_t)bytes;
    segment = copy_of(net->pool, data, bytes, how.summed_bytes ? &sum : NULL);
    if (!segment)
        return IPV4_NO_MEMORY;
    put_header(segment, &whole, sum);
    status = sent(net, ipv4_output(net, &how, segment), segment, segment);
    if (status == IPV4_FULL)
        buffer_release(segment);
    return status;
}

enum ipv4_status udp_output_on(struct net *net, unsigned interface,
                               const struct udp_datagram *to,
                               struct buffer *data)
{
    struct buffer *segment = make_segment(net, to, data);
    const struct ipv4_send how = how_to_send(to);

    if (!segment)
        return IPV4_NO_MEMORY;
    return sent(net, ipv4_output_on(net, interface, &how, segment), segment,
                data);
}

enum ipv4_status udp_send(struct net *net, uint16_t src_port,
                          struct ipv4_addr dst, uint16_t dst_port,
                          struct buffer *data)
{
    const struct udp_datagram to = {IPV4_ADDR(0, 0, 0, 0), dst, src_port,
                                    dst_port};

    return udp_output(net, &to, data);
}
