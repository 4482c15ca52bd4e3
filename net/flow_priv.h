/*
 * net/flow_priv.h - what the files of the flow API share.
 *
 * A flow is a handle on a connection of the core (net/tcp.h) and the threads
 * that wait for it. It is small, because a parked one is all that
 * an idle connection costs beside its control block: no thread, no stack.
 *
 * Reading order: flow.c (handles, events, waiting), flow_read.c, flow_write.c,
 * flow_close.c, flow_open.c, flow_run.c (callback threads, parking),
 * flow_listen.c, flow_input.c, flow_option.c, flow_error.c, stack.c (the
 * network thread).
 */
#ifndef NET_FLOW_PRIV_H
#define NET_FLOW_PRIV_H

#include "kernel/thread.h"
#include "net/flow.h"
#include "net/net.h"
#include "net/pool.h"
#include "net/timer.h"

enum {
    FLOW_LINGER_US = 2000000, /* for the peer to finish, after a callback */
    FLOW_RETRY_US = 10000,    /* memory was short: look again */
    FLOW_THREADS_MAX = 256,   /* of a listener that does not say */
    FLOW_BACKLOG = 1024,
};

/* Who moves a flow next. */
enum flow_mode {
    FLOW_ACTIVE, /* a caller's, or a callback's */
    FLOW_PARKED, /* waits for its peer */
    FLOW_READY,  /* `ready` of its group: waits for a thread */
    FLOW_DEAD,   /* `dead`: waits for the next round of the stack */
};

enum flow_flag {
    FLOW_OPENED = 1 << 0,   /* the handshake has come to its end */
    FLOW_SHUT = 1 << 1,     /* our direction is closed */
    FLOW_RELEASED = 1 << 2, /* nobody's handle any more */
    FLOW_WRITING = 1 << 3,  /* a write is half way: others wait their turn */
    FLOW_NODELAY = 1 << 4,  /* the attribute, not the passing wish */
    FLOW_COUNTED = 1 << 5,  /* in tcpv4.open */
    FLOW_OWNED = 1 << 6,    /* one of `refs` is the owner's, or its heir's */
};

/* A list is a link of its own, the sentinel of a ring. */
struct flow_link {
    struct flow_link *next, *prev;
};

struct flow {
    struct flow_group *group;
    struct tcp_conn *conn; /* null once the core has it back */
    union {
        struct flow_link link; /* in `untimed`, or in `dead` */
        struct timer timer;    /* `timed`: in the wheel */
    };
    union {
        struct {
            uint64_t read_deadline_us;
            uint64_t write_deadline_us;
        }; /* ACTIVE */
        struct {
            flow_park_fn *park_fn; /* null: the group's callback */
            void *park_context;
        }; /* PARKED, READY */
    };
    union {
        uint64_t until_us;  /* PARKED: `timer` stands for then, or earlier */
        struct flow *after; /* READY: the next in `ready` of its group */
    };
    struct wait_queue readers;
    struct wait_queue senders; /* writers, closers, a connecting caller */
    uint32_t queued_bytes;     /* ever, modulo 2^32 */
    uint32_t written_bytes;    /* by the last write */
    uint32_t refs;             /* its owner, threads inside, a callback */
    uint32_t turn;             /* counts changes of ownership */
    uint32_t nodelay_waiters;  /* threads in a write_nodelay */
    uint8_t mode;              /* enum flow_mode */
    uint8_t flags;             /* enum flow_flag */
    uint8_t news;              /* enum flow_news, not yet asked for */
    uint8_t park_event : 1;    /* enum flow_park_event; READY */
    bool timed : 1;            /* it stands in the wheel, whatever its mode */
};

_Static_assert(sizeof(struct flow) <= 120, "a million of these are parked");

/* Flows with one callback and one bound on its threads: those of a listener,
 * or all that this side has connected. */
struct flow_group {
    struct tcpv4 *tcp;
    struct flow_group *next;
    struct tcp_listener *listener; /* null: connected flows, or unlistened */
    struct flow_listener listen;
    struct flow *ready; /* the first of them */
    struct flow **ready_end;
    struct tcp_conn *held; /* accepted, and no memory yet for a handle */
    uint32_t threads;
    uint32_t flows;    /* handles of this group */
    uint16_t port;     /* 0: connected flows */
    bool coming;       /* one of `threads` has not begun yet */
    bool queried;      /* made for an answer of tcpv4_input()'s `listeners` */
    bool accept_first; /* whose turn it is: new flows, or ready ones */
    char name[THREAD_NAME_BYTES];
};

struct tcpv4 {
    struct net *net;
    void (*wake)(void *context); /* the network thread has something to do */
    void (*wake_by)(void *context, uint64_t deadline_us); /* ... by then */
    void *wake_context;
    bool net_awake; /* it flushes before it sleeps: no need to ask */
    struct pages pages;
    struct pool flow_pool;
    struct pool group_pool;
    struct timer_wheel wheel;
    struct flow_group connected;
    struct flow_group *groups;
    struct flow_link untimed; /* flows that are not in the wheel */
    struct flow_link dead;
    struct wait_queue closers; /* of tcpv4_disconnect() */
    uint64_t retry_us;         /* threads or memory were short; FOREVER */
    uint32_t open;             /* flows whose connection is not over */
    uint32_t flows, parked_count, threads;
    bool disconnected;
    tcpv4_listeners *listeners;
    void *listeners_context;
};

struct tcpv4_config {
    struct net *net;
    const struct net_config *net_config;
    void (*wake)(void *context);
    void (*wake_by)(void *context, uint64_t deadline_us);
    void *wake_context;
};

/* Make an instance in `tcp`. Returns: false when there is no page for it. */
MUST_CHECK bool tcpv4_init(struct tcpv4 *tcp, const struct tcpv4_config *config,
                           uint64_t now_us);

/* Give back its memory; every flow must be gone. */
void tcpv4_free(struct tcpv4 *tcp);

/* What is due: deadlines of parked flows, second attempts, dead handles. */
void tcpv4_run(struct tcpv4 *tcp, uint64_t now_us);

/* When tcpv4_run() is wanted next: may be early, never late. */
uint64_t tcpv4_next_deadline(const struct tcpv4 *tcp);

/* For net_host.tcp_event: what has changed on `conn`. */
void flow_tcp_event(struct tcp_conn *conn, unsigned changes);

/* ---- flow.c ---- */

/* A handle for `conn` (null: set later), ACTIVE, with its owner's reference;
 * null when there is no memory. */
struct flow *flow_new(struct flow_group *group, struct tcp_conn *conn);

/* Tie a new flow to its connection; from now on its events come here. */
void flow_bind(struct flow *flow, struct tcp_conn *conn);

/* Free a handle that nobody refers to. */
void flow_forget(struct flow *flow);

/* One reference less; the last one of a released flow frees it. */
void flow_drop(struct flow *flow);

/* The same, by who does not touch it afterwards: freed at once. */
void flow_drop_now(struct flow *flow);

/* Drop the owner's reference, once. */
void flow_disown(struct flow *flow);

/* Give the connection back to the core, which lets its peer finish for
 * `linger_us` (0: not at all), and drop the owner's reference. */
void flow_end(struct flow *flow, uint64_t linger_us);

/* Take the flow out of where it stands, and put it into the wheel. */
void flow_time(struct flow *flow, uint64_t until_us);

/* Its timer has fired, or is not wanted: it stands in `untimed` from now on. */
void flow_untime(struct flow *flow);

/* The oldest of a list, or null. */
struct flow *flow_first(const struct flow_link *list);

/* Wake every thread that waits on the flow. */
void flow_wake_all(struct flow *flow);

/* A thread has called the core: the network thread may have to act. */
void flow_sent_asleep(struct tcpv4 *tcp);

static inline void flow_sent(struct flow *flow)
{
    struct tcpv4 *tcp = flow->group->tcp;

    if (!tcp->net_awake)
        flow_sent_asleep(tcp);
}

/* FLOW_OK while the flow can be used; FLOW_EOF after a normal end;
 * FLOW_ERROR. */
enum flow_status flow_state(const struct flow *flow);

/* Wait in `queue` of `flow`, which stays valid meanwhile. */
enum wait_status flow_wait(struct flow *flow, struct wait_queue *queue,
                           const char *reason, uint64_t deadline_us);

/* The deadline of reads or writes; FOREVER for a flow that is not active. */
uint64_t flow_read_deadline(const struct flow *flow);
uint64_t flow_write_deadline(const struct flow *flow);

/* The flow API's words for the end of a connection. */
struct flow_error flow_error_of(enum tcp_end end);

/* ---- flow_close.c ---- */

/* Whether no connection is left that tcpv4_disconnect() waits for. */
bool flow_all_closed(const struct tcpv4 *tcp);

/* ---- flow_run.c ---- */

/* Its peer has spoken, or its deadline passed: it wants a thread. */
void flow_ready(struct flow *flow, enum flow_park_event event);

/* See to it that a thread comes for what waits, if the bound allows one. */
void flow_group_dispatch(struct flow_group *group);

/* ---- flow_option.c ---- */

/* Keep what of a set of enum tcp_change is news beside the data: */
enum { FLOW_NEWS_CHANGES = TCP_CHANGE_URGENT | TCP_CHANGE_SOFT_ERROR };
void flow_note_news(struct flow *flow, unsigned changes);

/* ---- flow_listen.c ---- */

/* The group of tcpv4_listen() on `port`, or null. */
struct flow_group *flow_group_of_port(struct tcpv4 *tcp, uint16_t port);

/* Free a listener's group that nobody listens with and no flow uses. */
void flow_group_put(struct flow_group *group);

/* For tcpv4_input(): whom to ask; null: nobody. */
void flow_set_listeners(struct tcpv4 *tcp, tcpv4_listeners *listeners,
                        void *context);

/* Stop listening on every port. */
void flow_unlisten_all(struct tcpv4 *tcp);

#endif
