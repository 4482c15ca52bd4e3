/*
 * net/net.h - one TCP/IPv4 stack, without threads, locks, devices or globals.
 *
 * Sans-I/O: frames and time go in, frames and events come out. A process may
 * hold a thousand of these. Nothing here blocks. The same files run in the
 * kernel, in the simulator, under the fuzzers and in a Linux process;
 * net/README.md shows how to host one.
 *
 * The order of work for a batch: net_input() for every frame that has come,
 * net_run() for the timers, net_flush() once. Replies are out when net_flush()
 * returns.
 */
#ifndef NET_NET_H
#define NET_NET_H

#include "kernel/base.h"
#include "net/addr.h"
#include "net/buffer.h"
#include "net/counters.h"
#include "net/tcp.h"

struct net;    /* opaque: one stack */
struct netdev; /* net/netdev.h */

enum net_address_change {
    NET_ADDRESS_CHANGED = 1 << 0, /* set, cleared, or its gateway or prefix */
    NET_ADDRESS_FREE = 1 << 1,    /* acd_probe(): nobody has it */
    NET_ADDRESS_IN_USE = 1 << 2,  /* acd_probe(): somebody has it */
    NET_ADDRESS_CONFLICT = 1 << 3 /* somebody else uses ours, and does not
                                     stop although we have said that it is */
};

/* What the stack needs of whoever hosts it. The first three are required. */
struct net_host {
    void *context; /* first argument of each call below */

    /* PAGE_BYTES bytes, aligned to PAGE_BYTES; null when there are none. */
    void *(*page_alloc)(void *context);
    void (*page_free)(void *context, void *page);

    /* Fill `out` with unpredictable bytes. The same bytes and the same input
     * give the same output. */
    void (*random)(void *context, void *out, size_t bytes);

    /* Whether few pages are left: those are then for packets on their way, and
     * what stays for longer is not to grow any more. Null: they never are. */
    bool (*pages_scarce)(void *context);

    /* What has changed on a connection, or null; see net/tcp.h. */
    void (*tcp_event)(void *context, struct tcp_conn *conn, unsigned changes);

    /* What has happened to the address of an interface, or null: a set of
     * enum net_address_change. Told at rest, as tcp_event is. */
    void (*address_event)(void *context, unsigned interface, unsigned changes);

    /*
     * Where IP packets go instead of to a device; null: to the device. For
     * drivers of tests that want no Ethernet and no ARP. Takes `packet`.
     */
    void (*packet_out)(void *context, struct buffer *packet);
};

struct net_config {
    struct net_host host;
    size_t pages_max;        /* the most that the stack takes from the host */
    uint32_t pages_keep;     /* 0: none; so many that nobody uses stay here,
                                for a batch that needs them again at once, and
                                so many chunks for packets of each size */
    uint32_t flow_pages_max; /* 0: three quarters of pages_max; what received
                                and queued data may hold together */
    uint64_t udp_queue_bytes_max; /* 0: an eighth of pages_max; what waits in
                                     the queues of all UDP sockets */
    uint16_t path_mtu_min;    /* 552; nobody makes us send smaller packets */
    uint64_t path_mtu_age_us; /* 10 min; then larger ones are tried again */
    uint64_t arp_age_us;      /* 60 s; then a neighbour is asked again */
    struct tcp_config tcp;
};

/* Sensible values for everything but `host`; pages_max for 16 MiB. */
struct net_config net_config_default(void);

/*
 * Set what follows from the memory that a stack may have: pages_max, and how
 * many connections, open and in TIME-WAIT, it holds at most. A connection that
 * waits for its peer costs NET_CONN_BYTES with its flow; all of them may have
 * a quarter of the pages, for what is queued on them may have the rest.
 */
void net_config_fit(struct net_config *config, size_t pages_max);

enum { NET_CONN_BYTES = 512 };

/*
 * Make a stack.
 *
 * config:  copied.
 * now_us:  the host's clock; see net_run().
 * Returns: the stack, which the caller destroys; null when the host has not
 *          enough pages.
 */
MUST_CHECK struct net *net_create(const struct net_config *config,
                                  uint64_t now_us);

/*
 * Free everything that the stack holds, without a word to any peer. Handles
 * of connections are invalid afterwards; buffers that the caller still holds
 * must have been released before.
 */
void net_destroy(struct net *net);

/*
 * Give the host the pages that the stack keeps and does not use; see
 * pages_keep. For when somebody else needs them: what comes back later may stay
 * again.
 *
 * Calls nothing of the host but page_free(), so it may be called wherever the
 * host needs memory, but not from within page_alloc() of this stack.
 */
void net_trim(struct net *net);

struct net_address {
    struct ipv4_addr addr;
    uint8_t prefix_bits;      /* 0 to 32 */
    struct ipv4_addr gateway; /* 0.0.0.0: none; may lie off the network, it
                                  is then reached on the link (/32 clouds) */
};

enum net_status {
    NET_OK,
    NET_NO_MEMORY,
    NET_BAD_ADDRESS, /* not a host's unicast address on that network, or not
                        free */
    NET_FULL         /* every interface slot, or route, is taken */
};

/*
 * Give the stack a network card, and start it. net/interface.h changes its
 * address later.
 *
 * dev:     must outlive the stack. Null: no card (host.packet_out is set).
 * address: copied; null: none yet.
 * Returns: every net_status.
 */
MUST_CHECK enum net_status net_attach(struct net *net, struct netdev *dev,
                                      const struct net_address *address);

/* The pool of the stack's buffers; valid until net_destroy(). */
struct buffer_pool *net_pool(struct net *net);

/*
 * Frames have come.
 *
 * dev:    the card, as attached.
 * frames: a queue through `link`; the stack takes it. Any bytes at all.
 */
void net_input(struct net *net, struct netdev *dev, struct buffer *frames,
               uint64_t now_us);

/* An IP packet has come, without Ethernet. The stack takes it. */
void net_input_packet(struct net *net, struct buffer *packet, uint64_t now_us);

/* The card said something: a set of enum netdev_event. */
void net_device_event(struct net *net, struct netdev *dev, unsigned events,
                      uint64_t now_us);

/*
 * Run every timer that is due at `now_us`.
 *
 * now_us: never smaller than in an earlier call (a clock that jumps back is
 *         taken to stand still).
 */
void net_run(struct net *net, uint64_t now_us);

/*
 * Send what is to be sent: data, acknowledgements, window updates; then kick
 * the cards, once each.
 *
 * Returns: true when a card was full and something waits for room in it: call
 *          again after the next net_input() or reclaim.
 */
bool net_flush(struct net *net, uint64_t now_us);

/* The latest time that was given to this stack. */
uint64_t net_now_us(const struct net *net);

/* Whether net_flush() would have something to do. */
bool net_needs_flush(const struct net *net);

/* When net_run() has to be called next: may be early, never late. FOREVER when
 * no timer runs. */
uint64_t net_next_deadline(const struct net *net);

/* The counters: one for every reason of every drop, and more. */
const struct net_counters *net_counters(const struct net *net);

/* The address of the first interface that has one, or 0.0.0.0. */
struct ipv4_addr net_address(const struct net *net);

struct net_memory {
    size_t pages; /* taken from the host now */
    size_t pages_max;
    size_t buffers; /* chunks and views in use */
    size_t conns;   /* control blocks in use, of any state */
    size_t conns_max;
    size_t time_waits;     /* TIME-WAIT entries */
    size_t fragment_bytes; /* that fragments hold, of datagrams not yet whole */
};
void net_memory_get(const struct net *net, struct net_memory *memory);

#endif
