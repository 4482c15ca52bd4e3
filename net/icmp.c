/*
 * net/icmp.c - ICMP in and out.
 */
#include "net/icmp.h"

#include <string.h>

#include "net/checksum.h"
#include "net/net_priv.h"
#include "net/siphash.h"
#include "net/wire.h"

/* As on the wire: RFC 792; `rest` by type. */
struct wire_icmp {
    uint8_t type, code;
    be16 checksum;
    be16 rest[2]; /* of code 4: unused, and the MTU of the next hop */
};

_Static_assert(sizeof(struct wire_icmp) == ICMP_HEADER_BYTES, "as on the wire");

struct icmp_message {
    uint8_t type, code;
    uint16_t mtu; /* of ICMP_UNREACHABLE_TOO_BIG: RFC 1191 4 */
};

enum {
    QUOTE_BYTES_MIN = 8, /* of a segment, in an error about it: RFC 792 */
    QUOTE_BYTES = 60 + 64,
    ECHO_PER_BUCKET = 1000, /* a second, about */
    ERRORS_PER_BUCKET = 6,
    ICMP_REASSEMBLY_TIME = 1 /* the code of a time exceeded */
};

static void message_parse(const uint8_t bytes[ICMP_HEADER_BYTES],
                          struct icmp_message *message)
{
    struct wire_icmp wire;

    memcpy(&wire, bytes, sizeof(wire));
    *message =
        (struct icmp_message){wire.type, wire.code, be16_get(wire.rest[1])};
}

/* Write the first four bytes, the checksum over the whole chain among them. */
static void seal(struct buffer *message, uint8_t type, uint8_t code)
{
    struct wire_icmp wire;

    memcpy(&wire, message->data, sizeof(wire));
    wire.type = type;
    wire.code = code;
    wire.checksum = be16_make(0);
    memcpy(message->data, &wire, sizeof(wire));
    wire.checksum = checksum_finish(checksum_chain(0, message, 0));
    memcpy(message->data, &wire, sizeof(wire));
}

void icmp_init(struct net *net)
{
    net->icmp.key[0] = net_random64(net);
    net->icmp.key[1] = net_random64(net);
}

/* --- the limit ------------------------------------------------------------ */

/*
 * Take one from what may be sent to `dst`: between one and two times
 * `per_bucket`, for between half a second and one and a half.
 */
static bool limit_take(struct net *net, struct icmp_limit *limit,
                       struct ipv4_addr dst, uint32_t per_bucket)
{
    uint64_t hash = siphash_1_3(net->icmp.key, &dst, sizeof(dst));
    struct icmp_bucket *bucket = &limit->bucket[hash % ICMP_BUCKETS];

    if (net->now_us >= bucket->until_us) {
        uint64_t bits = net_random64(net);

        bucket->until_us = net->now_us + 500000 + (uint32_t)bits % 1000000;
        bucket->left = per_bucket + (uint32_t)(bits >> 32) % per_bucket;
    }
    if (bucket->left == 0) {
        net_count(&net->counters, icmp_limited);
        return false;
    }
    bucket->left--;
    return true;
}

/* --- out ------------------------------------------------------------------ */

/* Send a message, or lose it. */
static void send_message(struct net *net, struct ipv4_addr src,
                         struct ipv4_addr dst, struct buffer *message)
{
    const struct ipv4_send how = {.src = src,
                                  .dst = dst,
                                  .protocol = IPV4_PROTO_ICMP,
                                  .may_fragment = true};

    switch (ipv4_output(net, &how, message)) {
    case IPV4_OK:
        net_count(&net->counters, icmp_tx);
        break;
    case IPV4_FULL:
        buffer_release(message);
        break;
    case IPV4_NO_ROUTE:
    case IPV4_NO_MEMORY:
    case IPV4_TOO_BIG:
        break; /* counted there */
    }
}

/* Whether a packet is an ICMP error, or might be one. */
static bool is_error(const struct ipv4_header *header,
                     const struct buffer *segment)
{
    uint8_t type;

    return header->protocol == IPV4_PROTO_ICMP &&
           (buffer_copy_out(segment, 0, &type, 1) == 0 ||
            (type != ICMP_ECHO && type != ICMP_ECHO_REPLY));
}

/* Whether its sender may be told of an error about this packet, and has not
 * been told too often. RFC 1122 3.2.2. */
static bool may_report(struct net *net, const struct ipv4_packet *ip,
                       const struct buffer *segment)
{
    return !ip->to_many && ip->origin != IPV4_FROM_BROADCAST &&
           ip->header.fragment_bytes == 0 && !is_error(&ip->header, segment) &&
           limit_take(net, &net->icmp.errors, ip->header.src,
                      ERRORS_PER_BUCKET);
}

/* Tell a packet's sender of an error, quoting its header and first bytes. */
static void report(struct net *net, const struct ipv4_packet *ip,
                   const struct buffer *segment, uint8_t type, uint8_t code)
{
    const struct ipv4_header *header = &ip->header;
    struct buffer *message;

    if (!may_report(net, ip, segment))
        return;
    message =
        buffer_alloc(net->pool, BUFFER_SMALL,
                     BUFFER_SMALL_BYTES - ICMP_HEADER_BYTES - QUOTE_BYTES);
    if (!message)
        return;
    memset(message->data, 0, ICMP_HEADER_BYTES);
    memcpy(message->data + ICMP_HEADER_BYTES, ip->bytes, header->header_bytes);
    message->len = ICMP_HEADER_BYTES + header->header_bytes;
    message->len += buffer_copy_out(segment, 0, message->data + message->len,
                                    QUOTE_BYTES - header->header_bytes);
    seal(message, type, code);
    send_message(net, header->dst, header->src, message);
}

void icmp_unreachable(struct net *net, const struct ipv4_packet *ip,
                      const struct buffer *segment,
                      enum icmp_unreachable_code code)
{
    report(net, ip, segment, ICMP_UNREACHABLE, (uint8_t)code);
}

void icmp_time_exceeded(struct net *net, const struct ipv4_packet *ip,
                        const struct buffer *segment)
{
    report(net, ip, segment, ICMP_TIME_EXCEEDED, ICMP_REASSEMBLY_TIME);
}

/* --- in ------------------------------------------------------------------- */

/* Send an echo request back as its reply, in the same memory. */
static void echo(struct net *net, const struct ipv4_packet *ip,
                 struct buffer *message)
{
    if (ip->to_many) { /* RFC 1122 3.2.2.6 allows it; a smurf asks for it */
        net_count(&net->counters, icmp_broadcast);
        buffer_release(message);
        return;
    }
    if (!limit_take(net, &net->icmp.echo, ip->header.src, ECHO_PER_BUCKET)) {
        buffer_release(message);
        return;
    }
    message->flags = 0; /* what the device said was about the request */
    seal(message, ICMP_ECHO_REPLY, 0);
    send_message(net, ip->header.dst, ip->header.src, message);
}

/* What an error means to a UDP socket: RFC 1122 4.1.3.3. */
static enum udp_status udp_verdict(const struct icmp_message *message)
{
    if (message->type != ICMP_UNREACHABLE)
        return UDP_UNREACHABLE;
    switch (message->code) {
    case ICMP_UNREACHABLE_PROTOCOL:
    case ICMP_UNREACHABLE_PORT:
        return UDP_REFUSED;
    case ICMP_UNREACHABLE_TOO_BIG:
        return UDP_TOO_BIG;
    default:
        return UDP_UNREACHABLE;
    }
}

/*
 * An error about a packet that we have sent, as its header shows, goes to its
 * protocol, which asks further whether it can be true (RFC 5927 4.1).
 */
static void error(struct net *net, const struct ipv4_packet *ip,
                  const struct icmp_message *message, const uint8_t *quote,
                  uint32_t bytes)
{
    struct ipv4_header quoted;
    enum ipv4_verdict verdict =
        ipv4_header_parse(quote, bytes, UINT32_MAX, &quoted);

    if (ip->to_many || verdict != IPV4_GOOD ||
        bytes < (uint32_t)quoted.header_bytes + QUOTE_BYTES_MIN ||
        quoted.total_bytes < quoted.header_bytes + QUOTE_BYTES_MIN ||
        quoted.fragment_bytes > 0 || !ipv4_is_ours(net, quoted.src) ||
        ipv4_addr_is_loopback(quoted.src)) {
        net_count(&net->counters, icmp_embedded);
        return;
    }
    if (quoted.protocol == IPV4_PROTO_TCP)
        tcp_icmp_error(net, quoted.src, quoted.dst, quote + quoted.header_bytes,
                       message->type, message->code, message->mtu);
    if (quoted.protocol == IPV4_PROTO_ICMP)
        ping_error(net, ip->header.src, quoted.dst, quote + quoted.header_bytes,
                   message->type == ICMP_TIME_EXCEEDED ? PING_TIME_EXCEEDED
                                                       : PING_UNREACHABLE,
                   message->code);
    if (quoted.protocol == IPV4_PROTO_UDP)
        udp_error(net, quoted.src, quoted.dst, quote + quoted.header_bytes,
                  udp_verdict(message));
}

/* Whether the message is whole; counts why not. */
static bool message_ok(struct net *net, const struct buffer *message)
{
    if (message->len < ICMP_HEADER_BYTES) {
        net_count(&net->counters, icmp_short);
        return false;
    }
    if (!checksum_is_good(checksum_chain(0, message, 0))) {
        net_count(&net->counters, icmp_checksum);
        return false;
    }
    return true;
}

void icmp_input(struct net *net, const struct ipv4_packet *ip,
                struct buffer *buf)
{
    struct icmp_message message;

    net_count(&net->counters, icmp_rx);
    if (!message_ok(net, buf)) {
        buffer_release(buf);
        return;
    }
    message_parse(buf->data, &message);
    switch (message.type) {
    case ICMP_ECHO:
        echo(net, ip, buf);
        return;
    case ICMP_UNREACHABLE:
    case ICMP_TIME_EXCEEDED:
    case ICMP_PARAMETER:
        error(net, ip, &message, buf->data + ICMP_HEADER_BYTES,
              buf->len - ICMP_HEADER_BYTES);
        break;
    case ICMP_ECHO_REPLY:
        ping_input(net, ip, buf);
        break;
    default: /* redirects, source quench (MUST-55), masks and the like: a
                stranger must not steer us */
        net_count(&net->counters, icmp_type);
        break;
    }
    buffer_release(buf);
}
