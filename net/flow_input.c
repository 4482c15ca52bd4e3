/*
 * net/flow_input.c - TCP segments from an IP layer that is not ours.
 *
 * tcpv4_input() gives the function that such a layer calls. It puts an IPv4
 * header before the segment and hands the packet to the stack's own IP layer,
 * so what it checks is checked here too, and in one place.
 *
 * Source: MirageOS V1.TCPV4 input; RFC 791 3.1.
 */
#include "net/flow_priv.h"

#include <string.h>

#include "kernel/clock.h"
#include "net/ipv4.h"

enum { TCP_HEADER_BYTES_MAX = 60 };

static void put_header(uint8_t *bytes, struct ipv4_addr src,
                       struct ipv4_addr dst, uint32_t segment_bytes)
{
    struct ipv4_header header = {
        .src = src,
        .dst = dst,
        .header_bytes = IPV4_HEADER_BYTES,
        .total_bytes = (uint16_t)(IPV4_HEADER_BYTES + segment_bytes),
        .dont_fragment = true,
        .ttl = IPV4_TTL,
        .protocol = IPV4_PROTO_TCP,
    };

    ipv4_header_emit(bytes, &header);
}

/*
 * A first view with room for the IP header that holds the TCP header too, and
 * the rest of the segment behind it; null when there is no memory. Takes the
 * segment.
 */
static struct buffer *with_headroom(struct buffer_pool *pool,
                                    struct buffer *segment)
{
    struct buffer *first = buffer_alloc(pool, BUFFER_SMALL, IPV4_HEADER_BYTES);
    uint32_t bytes = segment->len;

    if (!first) {
        buffer_release(segment);
        return NULL;
    }
    if (bytes > TCP_HEADER_BYTES_MAX)
        bytes = TCP_HEADER_BYTES_MAX;
    memcpy(first->data, segment->data, bytes);
    first->len = bytes;
    first->flags = segment->flags;
    first->csum_start = segment->csum_start;
    first->csum_offset = segment->csum_offset;
    first->gso_bytes = segment->gso_bytes;
    buffer_pull(segment, bytes);
    first->next = segment;
    return first;
}

static void input(void *context, struct ipv4_addr src, struct ipv4_addr dst,
                  struct buffer *buffer)
{
    struct tcpv4 *tcp = context;
    uint32_t bytes = buffer_chain_len(buffer);
    struct buffer *packet = buffer;

    if (bytes > UINT16_MAX - IPV4_HEADER_BYTES) {
        buffer_release(buffer);
        return;
    }
    if (buffer_headroom(packet) < IPV4_HEADER_BYTES)
        packet = with_headroom(net_pool(tcp->net), buffer);
    if (!packet)
        return;
    put_header(buffer_push(packet, IPV4_HEADER_BYTES), src, dst, bytes);
    packet->csum_start += IPV4_HEADER_BYTES;
    net_input_packet(tcp->net, packet, clock_us());
    tcp->wake(tcp->wake_context);
}

struct ipinput tcpv4_input(struct tcpv4 *tcp, tcpv4_listeners *listeners,
                           void *context)
{
    flow_set_listeners(tcp, listeners, context);
    return (struct ipinput){.fn = input, .context = tcp};
}
