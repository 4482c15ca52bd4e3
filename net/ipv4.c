/*
 * net/ipv4.c - the header on the wire, and packets that come.
 *
 * What leaves is in net/ipv4_output.c.
 */
#include "net/ipv4.h"

#include <string.h>

#include "net/checksum.h"
#include "net/net_priv.h"
#include "net/wire.h"

static INLINE enum ipv4_verdict parse(const uint8_t *bytes, uint32_t contiguous,
                                      uint32_t packet_bytes,
                                      struct ipv4_header *header)
{
    const struct ipv4_wire *wire = (const struct ipv4_wire *)bytes;
    uint16_t flags_offset;

    if (contiguous < IPV4_HEADER_BYTES)
        return IPV4_SHORT;
    if (wire->version_words >> 4 != 4)
        return IPV4_VERSION;
    flags_offset = be16_get(wire->flags_offset);
    *header = (struct ipv4_header){
        .src = wire->src,
        .dst = wire->dst,
        .header_bytes = (uint16_t)((wire->version_words & 15) * 4),
        .total_bytes = be16_get(wire->total_bytes),
        .id = be16_get(wire->id),
        .fragment_bytes = (uint16_t)((flags_offset & IPV4_OFFSET_MASK) * 8),
        .more_fragments = flags_offset & IPV4_FLAG_MF,
        .dont_fragment = flags_offset & IPV4_FLAG_DF,
        .tos = wire->tos,
        .ttl = wire->ttl,
        .protocol = wire->protocol,
    };
    if (header->header_bytes < IPV4_HEADER_BYTES ||
        header->header_bytes > contiguous)
        return IPV4_HEADER_LEN;
    if (header->total_bytes < header->header_bytes ||
        header->total_bytes > packet_bytes)
        return IPV4_TOTAL_LEN;
    return IPV4_GOOD;
}

enum ipv4_verdict ipv4_header_parse(const uint8_t *bytes, uint32_t contiguous,
                                    uint32_t packet_bytes,
                                    struct ipv4_header *header)
{
    return parse(bytes, contiguous, packet_bytes, header);
}

void ipv4_header_emit(uint8_t *bytes, const struct ipv4_header *header)
{
    ipv4_header_put(bytes, header);
}

/* --- options -------------------------------------------------------------- */

enum {
    OPTION_END = 0,
    OPTION_NOP = 1,
    OPTION_RECORD_ROUTE = 7,
    OPTION_TIMESTAMP = 68,
    OPTION_LOOSE_ROUTE = 131,
    OPTION_STRICT_ROUTE = 137
};

/* Whether an option's pointer, its third byte, points into it. One past its
 * end is a list that is full: RFC 791 3.1. */
static bool pointer_ok(const uint8_t *option, uint8_t len, uint8_t lowest)
{
    return len >= 3 && option[2] >= lowest && option[2] <= len + 1;
}

static bool option_ok(const uint8_t *option, uint8_t len)
{
    switch (option[0]) {
    case OPTION_RECORD_ROUTE:
        return pointer_ok(option, len, 4);
    case OPTION_TIMESTAMP:
        return len >= 4 && pointer_ok(option, len, 5);
    case OPTION_LOOSE_ROUTE:
    case OPTION_STRICT_ROUTE:
        return false;
    default:
        return true;
    }
}

/*
 * Whether the options are well formed and harmless. Nothing is done for any.
 *
 * Source: RFC 791 3.1. RFC 9293 MUST-51 to 53 want a source route followed and
 * returned; it is dropped here, for it lets a stranger choose the way of our
 * answers (RFC 7126 4.3, 4.4 recommend so).
 */
static COLD bool options_ok(const uint8_t *options, uint32_t bytes)
{
    uint32_t at = 0;

    while (at < bytes && options[at] != OPTION_END) {
        uint8_t len;

        if (options[at] == OPTION_NOP) {
            at++;
            continue;
        }
        if (bytes - at < 2)
            return false;
        len = options[at + 1];
        if (len < 2 || len > bytes - at || !option_ok(options + at, len))
            return false;
        at += len;
    }
    return true;
}

/* --- in ------------------------------------------------------------------- */

/* Check and count the header. Returns: whether the packet goes on. */
static bool header_ok(struct net *net, const struct buffer *packet,
                      struct ipv4_header *header)
{
    struct net_counters *counters = &net->counters;

    switch (
        parse(packet->data, packet->len, buffer_chain_len(packet), header)) {
    case IPV4_GOOD:
        break;
    case IPV4_SHORT:
        net_count(counters, ip_short);
        return false;
    case IPV4_VERSION:
        net_count(counters, ip_version);
        return false;
    case IPV4_HEADER_LEN:
        net_count(counters, ip_header_len);
        return false;
    case IPV4_TOTAL_LEN:
        net_count(counters, ip_total_len);
        return false;
    }
    if (!checksum_is_good(
            checksum_add(0, packet->data, header->header_bytes))) {
        net_count(counters, ip_checksum);
        return false;
    }
    if (header->header_bytes > IPV4_HEADER_BYTES &&
        !options_ok(packet->data + IPV4_HEADER_BYTES,
                    header->header_bytes - IPV4_HEADER_BYTES)) {
        net_count(counters, ip_options);
        return false;
    }
    return true;
}

/* Whether it is for somebody who waits to learn our address by it. */
static COLD bool is_heard(const struct ipv4_packet *ip,
                          const struct buffer *packet)
{
    const uint8_t *udp = packet->data + ip->header.header_bytes;

    return ip->header.protocol == IPV4_PROTO_UDP &&
           ip->header.fragment_bytes == 0 && !ip->header.more_fragments &&
           packet->len >= (uint32_t)ip->header.header_bytes + 4 &&
           (udp[2] << 8 | udp[3]) == ip->nif->hear_all_port;
}

/* Check and count the addresses; `to_us`: the destination is one of ours.
 * Returns: whether the packet goes on. */
static bool addresses_ok(struct net *net, const struct ipv4_packet *ip,
                         bool to_us, const struct buffer *packet)
{
    if (ip->origin == IPV4_FROM_OURSELVES)
        return true;
    if (!route_slot_of(net, ip->header.src)->may_be_source) {
        net_count(&net->counters, ip_bad_source);
        return false;
    }
    if (ip->nif->hear_all_port != 0 && is_heard(ip, packet))
        return true;
    /* To one of us, in a frame to everybody: RFC 1122 3.3.6. */
    if (!ip->to_many && (!to_us || ipv4_addr_is_loopback(ip->header.dst) ||
                         ip->origin == IPV4_FROM_BROADCAST)) {
        net_count(&net->counters, ip_not_ours);
        return false;
    }
    return true;
}

/* Hand the segment to its protocol. */
static void deliver(struct net *net, const struct ipv4_packet *ip,
                    struct buffer *segment)
{
    switch (ip->header.protocol) {
    case IPV4_PROTO_TCP:
        if (ip->to_many) { /* RFC 9293 MUST-57 */
            net_count(&net->counters, tcp_bad_address);
            break;
        }
        tcp_input(net, ip->header.src, ip->header.dst, ip->header.tos, segment);
        return;
    case IPV4_PROTO_UDP:
        udp_input(net, ip, segment);
        return;
    case IPV4_PROTO_ICMP:
        icmp_input(net, ip, segment);
        return;
    case IPV4_PROTO_IPIP:
    case IPV4_PROTO_IPV6:
    case IPV4_PROTO_GRE:
        net_count(&net->counters, ip_protocol);
        break; /* no tunnel ends here, and nobody learns so */
    default:
        net_count(&net->counters, ip_protocol);
        icmp_unreachable(net, ip, segment, ICMP_UNREACHABLE_PROTOCOL);
        break;
    }
    buffer_release(segment);
}

/*
 * A fragment: only UDP and ICMP have a use for it, from one to one. TCP cuts
 * its text itself, and fragments of it hide flags from filters (RFC 1858, RFC
 * 3128).
 * Returns: the datagram that it completes, or null. Taken.
 */
static COLD struct buffer *reassemble(struct net *net, struct ipv4_packet *ip,
                                      struct buffer *fragment)
{
    bool wanted = ip->header.protocol == IPV4_PROTO_UDP ||
                  ip->header.protocol == IPV4_PROTO_ICMP;

    if (wanted && !ip->to_many)
        return ipv4_reass_input(net, ip, fragment);
    net_count(&net->counters, ip_fragment_refused);
    buffer_release(fragment);
    return NULL;
}

/*
 * Whether it is what nearly every packet is: a TCP segment for the address of
 * the interface that it came by, in one view, to which none of the checks that
 * input_any() makes would object.
 */
static INLINE bool is_usual(struct net *net, const struct net_if *nif,
                            const struct buffer *packet,
                            enum ipv4_origin origin)
{
    const struct ipv4_wire *wire = (const struct ipv4_wire *)packet->data;
    const be16 fragment = be16_make(IPV4_FLAG_MF | IPV4_OFFSET_MASK);

    return !packet->next && packet->len >= IPV4_HEADER_BYTES &&
           origin == IPV4_FROM_LINK && wire->protocol == IPV4_PROTO_TCP &&
           wire->version_words == (4 << 4 | IPV4_HEADER_BYTES / 4) &&
           !(wire->flags_offset.swapped & fragment.swapped) &&
           be16_get(wire->total_bytes) >= IPV4_HEADER_BYTES &&
           be16_get(wire->total_bytes) <= packet->len &&
           checksum_ipv4_header_is_good(wire) && interface_has_address(nif) &&
           ipv4_addr_equal(wire->dst, nif->addr) &&
           route_slot_of(net, wire->src)->may_be_source;
}

static void input_usual(struct net *net, struct buffer *packet)
{
    const struct ipv4_wire *wire = (const struct ipv4_wire *)packet->data;

    packet->len = be16_get(wire->total_bytes); /* without padding */
    buffer_pull(packet, IPV4_HEADER_BYTES);
    tcp_input(net, wire->src, wire->dst, wire->tos, packet);
}

static ASIDE void input_any(struct net *net, const struct net_if *nif,
                            struct buffer *packet, enum ipv4_origin origin)
{
    struct ipv4_packet ip = {.nif = nif, .origin = origin};
    const struct route *way;
    bool to_us;

    packet = buffer_gather(net->pool, packet, IPV4_HEADERS_MAX);
    if (!packet) {
        net_count(&net->counters, ip_no_memory);
        return;
    }
    if (!header_ok(net, packet, &ip.header)) {
        buffer_release(packet);
        return;
    }
    ip.bytes = packet->data;
    way = route_of(net, ip.header.dst);
    to_us = way->kind == ROUTE_OURSELVES;
    ip.to_many = route_is_to_many(way);
    if (!addresses_ok(net, &ip, to_us, packet)) {
        buffer_release(packet);
        return;
    }
    buffer_chain_truncate(packet, ip.header.total_bytes); /* padding */
    buffer_pull(packet, ip.header.header_bytes);
    if (ip.header.more_fragments || ip.header.fragment_bytes > 0)
        packet = reassemble(net, &ip, packet);
    if (packet)
        deliver(net, &ip, packet);
}

void ipv4_input(struct net *net, const struct net_if *nif,
                struct buffer *packet, enum ipv4_origin origin)
{
    net_count(&net->counters, ip_rx);
    if (is_usual(net, nif, packet, origin))
        input_usual(net, packet);
    else
        input_any(net, nif, packet, origin);
}
