/*
 * net/dns.h - names of hosts: a stub resolver, as an application sees it.
 *
 * A call blocks the calling green thread; it ends at the latest with its
 * deadline or with thread_cancel(). Name servers are those that were set, or
 * else those of the DHCP leases at the time of the call. Answers are kept as
 * long as they say, in a bounded cache; threads that ask for the same name at
 * the same time share one question (RFC 5452 5).
 *
 * No search list: a name is asked for as it stands.
 *
 * Source: RFC 1035, RFC 2181, RFC 2308, RFC 5452, RFC 6761, RFC 6891, RFC 7766.
 */
#ifndef NET_DNS_H
#define NET_DNS_H

#include "kernel/base.h"
#include "net/addr.h"
#include "net/dns_lookup.h"
#include "net/flow.h"

struct dns; /* opaque: one resolver; stack_dns() */

enum { DNS_LOOKUPS_MAX = 32 /* questions under way */ };

/* Ask these servers instead of DHCP's; copied. None: DHCP's again. What is
 * known is forgotten. */
void dns_set_servers(struct dns *dns, const struct dns_servers *servers);

/* The servers that would be asked now. */
struct dns_servers dns_get_servers(const struct dns *dns);

struct dns_addrs {
    struct ipv4_addr addr[DNS_ADDRS_MAX];
    uint32_t count;
};

/*
 * The addresses of a host.
 *
 * host:        a name, with or without its last dot; "10.0.0.1" is its own
 *              answer, "localhost" is 127.0.0.1 (RFC 6761 6.3).
 * deadline_us: on clock_us(), or FOREVER: the servers' time-outs end it (14
 *              seconds for each server).
 * addrs:       set on DNS_OK to one or more; empty otherwise.
 * Blocks:      until there is an answer; not at all for what is known.
 * Returns:     every dns_status.
 */
MUST_CHECK enum dns_status dns_resolve(struct dns *dns, const char *host,
                                       uint64_t deadline_us,
                                       struct dns_addrs *addrs);

/*
 * The name of an address.
 * host:    set on DNS_OK; empty otherwise.
 * Returns: as above; DNS_BAD_NAME also for an answer that is no host's name.
 */
MUST_CHECK enum dns_status dns_reverse(struct dns *dns, struct ipv4_addr addr,
                                       uint64_t deadline_us,
                                       char host[DNS_NAME_TEXT_BYTES]);

/*
 * Resolve a name and connect: tcpv4_create_connection() to each address in
 * turn, until one answers. While others are left an address gets 10 seconds.
 *
 * host:    as of dns_resolve().
 * flow:    set on FLOW_OK; the caller's until flow_release(). Null otherwise.
 * name:    set to DNS_OK, or to why there is no address; the result is then
 *          FLOW_ERROR, FLOW_DEADLINE or FLOW_CANCELLED.
 * error:   set on FLOW_ERROR, when `name` is DNS_OK: the last address's.
 * Blocks:  until the connection is open or cannot be.
 * Returns: as tcpv4_create_connection().
 */
MUST_CHECK enum flow_status
dns_connect(struct dns *dns, struct tcpv4 *tcp, const char *host, uint16_t port,
            uint64_t deadline_us, struct flow **flow, enum dns_status *name,
            struct flow_error *error);

struct dns_info {
    struct dns_servers servers;
    uint32_t entries, entries_max;
    uint64_t hits, misses, evicted;
    uint64_t questions; /* sent, by UDP and by TCP */
    uint64_t by_tcp;    /* of these, by TCP */
    uint64_t forged;    /* lookups that somebody tried to answer by guessing */
};
void dns_info_get(const struct dns *dns, struct dns_info *info);

/* Call `fn` for each name that is known. No blocking inside.
 * seconds: that it holds yet. */
void dns_for_each(const struct dns *dns,
                  void (*fn)(void *context, const struct dns_name *name,
                             const struct dns_result *result, uint64_t seconds),
                  void *context);

#endif
