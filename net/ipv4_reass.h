/*
 * net/ipv4_reass.h - fragments, put together again.
 *
 * Everything that a stranger can make us hold is bounded: fragments of a
 * datagram, datagrams and memory of one source, and of all; what does not fit
 * pushes out the oldest. A datagram whose fragments contradict each other is
 * dropped for good: nobody honest sends one, and which of two versions is
 * believed has fooled every filter that guessed.
 *
 * Source: RFC 791 3.2, RFC 1122 3.3.2, RFC 3168 5.3 (ECN), RFC 5722 (what
 *         overlaps), RFC 8900; CVE-2018-5391 (FragmentSmack).
 */
#ifndef NET_IPV4_REASS_H
#define NET_IPV4_REASS_H

#include "kernel/base.h"
#include "net/buffer.h"
#include "net/pool.h"
#include "net/timer.h"

struct net;
struct net_if;
struct ipv4_packet;
struct ipv4_datagram;

enum {
    IPV4_FRAGMENTS_MAX = 64,  /* of a datagram; 65535 bytes in 1500 are 45 */
    IPV4_DATAGRAMS_MAX = 64,  /* under way */
    IPV4_DATAGRAMS_EACH = 16, /* ... of one source */
    /* The memory that fragments hold, as they are: chunks, not bytes. */
    IPV4_REASS_BYTES_MAX = 512 * 1024,
    IPV4_REASS_BYTES_EACH = 256 * 1024
};

/* From the first fragment that came; RFC 1122 asks for 60 s, when networks
 * were slow. Linux has the same. */
#define IPV4_REASS_US UINT64_C(30000000)

struct ipv4_reass {
    struct pool datagrams;
    struct ipv4_datagram *oldest, **end; /* by age, through next */
    struct timer timer;                  /* of the oldest */
    uint32_t held_bytes;
};

void ipv4_reass_init(struct net *net);
void ipv4_reass_destroy(struct net *net);

/*
 * A fragment has come.
 *
 * ip:       its header; of the whole datagram when there is one.
 * fragment: data behind the IP header, no padding. Taken.
 * Returns:  the datagram, which this fragment has completed and which the
 *           caller holds; null: not yet, or not ever.
 */
MUST_CHECK struct buffer *ipv4_reass_input(struct net *net,
                                           struct ipv4_packet *ip,
                                           struct buffer *fragment);

/* Drop what came in by an interface. */
void ipv4_reass_forget(struct net *net, const struct net_if *nif);

#endif
