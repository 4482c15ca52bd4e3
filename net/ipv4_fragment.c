/*
 * net/ipv4_fragment.c - packets cut to what a link carries.
 */
#include "net/ipv4_fragment.h"

#include "net/net_priv.h"
#include "net/siphash.h"

enum {
    ROUNDS = 4,
    HEADROOM = 64 /* Ethernet, and what a driver puts before */
};

/* What decides which numbers a packet gets. */
struct id_input {
    struct ipv4_addr src, dst;
    uint8_t protocol;
    uint8_t round;
    uint8_t half;
};

/* Eight bits of a keyed hash. */
static uint8_t mix(const struct net *net, struct id_input input, uint8_t round,
                   uint8_t half)
{
    input.round = round;
    input.half = half;
    return (uint8_t)siphash_1_3(net->ip.id_key, &input, sizeof(input));
}

/* A count for each group of destinations, and a keyed permutation of it (a
 * Feistel network of two bytes) for each pair of hosts: no number comes twice
 * before the count has gone round, and nobody sees the count. */
uint16_t ipv4_next_id(struct net *net, const struct ipv4_header *header)
{
    const struct id_input input = {
        .src = header->src, .dst = header->dst, .protocol = header->protocol};
    uint16_t count =
        net->ip.id_count[mix(net, input, ROUNDS, 0) % IPV4_ID_COUNTERS]++;
    uint8_t left = (uint8_t)(count >> 8), right = (uint8_t)count;

    for (uint8_t round = 0; round < ROUNDS; round++) {
        uint8_t mixed = left ^ mix(net, input, round, right);

        left = right;
        right = mixed;
    }
    return (uint16_t)(left << 8 | right);
}

/* Where the next byte of a chain is. */
struct cursor {
    struct buffer *view;
    uint32_t offset;
};

/* Views of the next `bytes`, which there are. */
static struct buffer *take(struct net *net, struct cursor *at, uint32_t bytes)
{
    struct buffer *first = NULL, **end = &first;

    while (bytes > 0) {
        uint32_t part = at->view->len - at->offset;

        if (part > bytes)
            part = bytes;
        if (part > 0) {
            *end = buffer_slice(net->pool, at->view, at->offset, part);
            if (!*end) {
                buffer_release(first);
                return NULL;
            }
            end = &(*end)->next;
        }
        bytes -= part;
        at->offset += part;
        if (at->offset == at->view->len) {
            at->view = at->view->next;
            at->offset = 0;
        }
    }
    return first;
}

/* One packet with the next `bytes`. */
static struct buffer *packet(struct net *net, struct ipv4_header *header,
                             struct cursor *at, uint32_t bytes)
{
    struct buffer *first = buffer_alloc(net->pool, BUFFER_SMALL, HEADROOM);

    if (!first)
        return NULL;
    header->total_bytes = (uint16_t)(IPV4_HEADER_BYTES + bytes);
    ipv4_header_emit(first->data, header);
    first->len = IPV4_HEADER_BYTES;
    first->next = take(net, at, bytes);
    if (first->next)
        return first;
    buffer_release(first);
    return NULL;
}

struct buffer *ipv4_fragment(struct net *net, const struct ipv4_header *whole,
                             uint16_t mtu_bytes, struct buffer *segment)
{
    uint32_t step = (mtu_bytes - IPV4_HEADER_BYTES) / 8u * 8u;
    uint32_t left = buffer_chain_len(segment);
    struct cursor at = {segment, 0};
    struct ipv4_header header = *whole;
    struct buffer *first = NULL, **end = &first;

    header.fragment_bytes = 0;
    while (left > 0) {
        uint32_t bytes = left < step ? left : step;

        header.more_fragments = bytes < left;
        *end = packet(net, &header, &at, bytes);
        if (!*end) {
            buffer_release_queue(first);
            return NULL;
        }
        end = &(*end)->link;
        header.fragment_bytes = (uint16_t)(header.fragment_bytes + bytes);
        left -= bytes;
    }
    return first;
}
