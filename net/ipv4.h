/*
 * net/ipv4.h - IPv4: what comes, and what is sent.
 *
 * The way of a packet is net/route.h's. Fragments of UDP and ICMP to us alone
 * are put together (net/ipv4_reass.h); those of TCP, which never needs them,
 * and those to many are dropped. Options are checked and otherwise ignored;
 * source routes are not followed (a departure from RFC 9293 MUST-51 to 53, see
 * options_ok()).
 *
 * Source: RFC 791, RFC 1122 3.2, RFC 6864.
 */
#ifndef NET_IPV4_H
#define NET_IPV4_H

#include "kernel/base.h"
#include "net/addr.h"
#include "net/buffer.h"
#include "net/checksum.h"
#include "net/ipv4_reass.h"
#include "net/wire.h"

struct net;
struct net_if;

enum {
    IPV4_ID_COUNTERS = 16,
    IPV4_LOOPBACK_MAX = 256, /* packets to ourselves that wait */
    IPV4_HEADER_BYTES = 20,
    IPV4_HEADERS_MAX = 60 + 60, /* IP's and TCP's, options included */
    IPV4_TTL = 64,
    IPV4_ECN_MASK = 3, /* of the type of service: RFC 3168 5 */
    IPV4_ECN_NOT = 0,
    IPV4_ECN_ECT0 = 2,
    IPV4_ECN_CE = 3,
    IPV4_PROTO_ICMP = 1,
    IPV4_PROTO_IPIP = 4,
    IPV4_PROTO_TCP = 6,
    IPV4_PROTO_UDP = 17,
    IPV4_PROTO_IPV6 = 41,
    IPV4_PROTO_GRE = 47
};

struct ipv4 {
    struct buffer *loopback, **loopback_end; /* a queue through link */
    uint32_t loopback_count;
    uint16_t id_count[IPV4_ID_COUNTERS]; /* see ipv4_next_id() */
    uint64_t id_key[2];
    struct ipv4_reass reass;
};

/* A header that has been checked, in the host's order. */
struct ipv4_header {
    struct ipv4_addr src, dst;
    uint16_t header_bytes;
    uint16_t total_bytes;
    uint16_t id;
    uint16_t fragment_bytes; /* offset of this fragment in its datagram */
    bool more_fragments;
    bool dont_fragment;
    uint8_t tos, ttl, protocol;
};

/* Why a header was refused. */
enum ipv4_verdict {
    IPV4_GOOD,
    IPV4_SHORT,      /* fewer than 20 bytes, or than the header says */
    IPV4_VERSION,    /* not 4 */
    IPV4_HEADER_LEN, /* fewer than five words, or more than there are */
    IPV4_TOTAL_LEN   /* shorter than the header, or longer than the frame */
};

/*
 * Read a header.
 *
 * bytes:        the header's; `contiguous` of them.
 * packet_bytes: of the whole packet, at least `contiguous`; what lies behind
 *               its total length is padding.
 * header:       set on IPV4_GOOD. The checksum is not looked at.
 */
enum ipv4_verdict ipv4_header_parse(const uint8_t *bytes, uint32_t contiguous,
                                    uint32_t packet_bytes,
                                    struct ipv4_header *header);

/* As on the wire: RFC 791 3.1. */
struct ipv4_wire {
    uint8_t version_words;
    uint8_t tos;
    be16 total_bytes;
    be16 id;
    be16 flags_offset;
    uint8_t ttl;
    uint8_t protocol;
    be16 checksum;
    struct ipv4_addr src, dst;
};

_Static_assert(sizeof(struct ipv4_wire) == IPV4_HEADER_BYTES, "as on a wire");

enum {
    IPV4_FLAG_DF = 0x4000,
    IPV4_FLAG_MF = 0x2000,
    IPV4_OFFSET_MASK = 0x1fff
};

/* Write the 20 bytes of a header, checksum included; options are not sent. The
 * second is for who does nothing else: as five words, that need not be read
 * again to be summed. */
void ipv4_header_emit(uint8_t *bytes, const struct ipv4_header *header);
static INLINE void ipv4_header_put(uint8_t *bytes,
                                   const struct ipv4_header *header)
{
    struct words {
        be32 length, fragment, protocol;
        struct ipv4_addr src, dst;
    } *words = (struct words *)bytes;
    be32 length = be32_make(
        (uint32_t)(4 << 12 | IPV4_HEADER_BYTES / 4 << 8 | header->tos) << 16 |
        header->total_bytes);
    be32 fragment =
        be32_make((uint32_t)header->id << 16 |
                  (uint32_t)(header->dont_fragment ? IPV4_FLAG_DF : 0) |
                  (uint32_t)(header->more_fragments ? IPV4_FLAG_MF : 0) |
                  header->fragment_bytes / 8);
    be32 protocol = be32_make((uint32_t)header->ttl << 24 |
                              (uint32_t)header->protocol << 16);
    uint32_t sum =
        checksum_fold((uint64_t)length.swapped + fragment.swapped +
                      protocol.swapped + header->src.word + header->dst.word);

    protocol.swapped |= (uint32_t)checksum_finish(sum).swapped << 16;
    *words =
        (struct words){length, fragment, protocol, header->src, header->dst};
}

/* ---- in ---- */

/* How a packet came to us. */
enum ipv4_origin {
    IPV4_FROM_LINK,      /* in a frame that was sent to us alone */
    IPV4_FROM_BROADCAST, /* in a frame that was sent to many */
    IPV4_FROM_OURSELVES  /* never was on a wire */
};

/* A packet on its way up. */
struct ipv4_packet {
    struct ipv4_header header;
    const uint8_t *bytes;     /* the header on the wire; the segment follows, as
                             long as its first view is held and not moved */
    const struct net_if *nif; /* null: it was never on a wire */
    enum ipv4_origin origin;
    bool to_many; /* dst is a broadcast or multicast address */
};

/*
 * A packet has come. Takes it; data at the IP header. The protocols get it with
 * all headers in its first view, and without padding.
 * nif: where from; null: IPV4_FROM_OURSELVES.
 */
void ipv4_input(struct net *net, const struct net_if *nif,
                struct buffer *packet, enum ipv4_origin origin);

/* ---- out ---- */

enum ipv4_status {
    IPV4_OK,        /* taken; sent, or waiting for ARP */
    IPV4_FULL,      /* not taken: the device is full, try again later */
    IPV4_NO_ROUTE,  /* dropped */
    IPV4_NO_MEMORY, /* dropped */
    IPV4_TOO_BIG    /* dropped: more than the MTU, or than 65535 bytes */
};

/* How a segment is to be sent. */
struct ipv4_send {
    struct ipv4_addr src; /* one of ours; 0.0.0.0 where there is none yet, to
                             broadcast addresses alone */
    struct ipv4_addr dst;
    uint8_t protocol;
    uint8_t ttl;           /* 0: IPV4_TTL */
    uint8_t tos;           /* DSCP and ECN */
    bool may_fragment;     /* cut it when it is too big, and let routers cut it;
                          false: DF is set */
    uint16_t summed_bytes; /* of the data, all of it or nothing: it was summed
                              into the checksum's field as it was copied, where
                              ipv4_sums_towards() said so */
};

/*
 * Send a segment, in one packet where that fits.
 *
 * segment: begins with the transport's header, with headroom for the headers
 *          below it or room in the pool for a view of its own. A transport's
 *          checksum is left BUFFER_CSUM_PARTIAL: the pseudo header summed into
 *          the field, csum_start counted from the segment's first byte; it is
 *          completed here when the device cannot. Taken, except on IPV4_FULL;
 *          it is then as it was, but its checksum may be complete already.
 * Returns: every ipv4_status; IPV4_NO_ROUTE also when src is not ours.
 *          IPV4_FULL in the midst of fragments: some have left, and the next
 *          attempt begins anew.
 * Source:  RFC 1122 3.3.1; RFC 6864 4.1 (identification 0 when DF is set).
 */
MUST_CHECK enum ipv4_status ipv4_output(struct net *net,
                                        const struct ipv4_send *how,
                                        struct buffer *segment);

/* The same to a broadcast or multicast address, out of the interface of this
 * number whatever the routes say: a DHCP client has neither address nor route
 * yet. IPV4_NO_ROUTE: dst is a single host's. */
MUST_CHECK enum ipv4_status ipv4_output_on(struct net *net, unsigned interface,
                                           const struct ipv4_send *how,
                                           struct buffer *segment);

/*
 * What goes to `dst` brings no answer: whoever is the next hop may be gone.
 * Source: RFC 1122 3.3.1.4, 4.2.3.5 (negative advice to the IP layer).
 */
void ipv4_doubt(struct net *net, struct ipv4_addr dst);

/* Our address towards `dst`. Returns: false when there is no route. */
MUST_CHECK bool ipv4_source_for(const struct net *net, struct ipv4_addr dst,
                                struct ipv4_addr *src);

/* The largest packet towards `dst`, in bytes; 0 when there is no route. */
uint16_t ipv4_mtu_for(struct net *net, struct ipv4_addr dst);

/* enum netdev_cap of the device towards `dst`; 0 for ourselves. */
unsigned ipv4_caps_for(struct net *net, struct ipv4_addr dst);

/* Whether the checksum of a segment that is sent to `dst` now is completed by
 * ipv4_output(), as no device does it: who copies the data sums it then. */
bool ipv4_sums_towards(struct net *net, struct ipv4_addr dst);

/* Whether an address is one of ours, 127/8 included. */
bool ipv4_is_ours(const struct net *net, struct ipv4_addr addr);

/* Whether an address is 255.255.255.255 or the broadcast address (either
 * form) of an attached network. */
bool ipv4_is_broadcast(const struct net *net, struct ipv4_addr addr);

/* Hand what was sent to ourselves to its receivers, a bounded number.
 * Returns: whether there was any. */
bool ipv4_deliver_loopback(struct net *net);

void ipv4_init(struct net *net);

/* Drop what waits for delivery to ourselves. */
void ipv4_destroy(struct net *net);

#endif
