/*
 * net/dhcp_priv.h - one DHCP client.
 */
#ifndef NET_DHCP_PRIV_H
#define NET_DHCP_PRIV_H

#include "net/dhcp.h"
#include "net/timer.h"

/* RFC 2131 figure 5. VERIFYING is its INIT-REBOOT after a pulled cable: the
 * lease runs on meanwhile (3.7). */
enum dhcp_state {
    DHCP_INIT,
    DHCP_SELECTING,
    DHCP_REQUESTING,
    DHCP_REBOOTING,
    DHCP_VERIFYING,
    DHCP_BOUND,
    DHCP_RENEWING,
    DHCP_REBINDING,
    DHCP_STATE_COUNT
};

struct dhcp {
    struct net *net;
    unsigned index;
    struct dhcp_config config;
    enum dhcp_state state;
    struct timer timer;  /* the earlier of the two below */
    uint64_t retry_us;   /* the message is sent again; FOREVER */
    uint64_t phase_us;   /* the state is over; FOREVER */
    uint64_t started_us; /* of looking for an address, or for more time */
    uint64_t asked_us;   /* of the first request; a lease counts from then */
    uint32_t xid;
    uint32_t attempt;        /* messages of this state so far */
    uint32_t refusals;       /* NAKs since the last lease */
    struct ipv4_addr wanted; /* which to ask for; 0.0.0.0: any */
    struct ipv4_addr server; /* whose offer was taken */
    bool has_lease;
    struct dhcp_lease lease;
};

_Static_assert(sizeof(struct dhcp) <= PAGE_BYTES, "stands on one page");

/* ---- dhcp_lease.c ---- */

/*
 * Use what an ACK says: address, routes, MTU, times.
 * Returns: false when the address cannot be used; nothing is used then.
 */
MUST_CHECK bool dhcp_lease_take(struct dhcp *dhcp,
                                const struct dhcp_reply *reply);

/* The lease is over: no address any more. */
void dhcp_lease_drop(struct dhcp *dhcp);

/* ---- dhcp_send.c ---- */

/* Send what the state asks for, or a DHCP_DECLINE of the lease. */
void dhcp_send(struct dhcp *dhcp, enum dhcp_type type);

#endif
