/*
 * net/tcp_state.h - the connection's state machine, and nothing else.
 *
 * Two tables: what a state allows, and which state follows which event. The
 * rest of TCP asks for traits and never compares states where a trait says it.
 *
 * Source: RFC 9293 3.3.2 Figure 5; for FIN in SYN-RECEIVED the eighth step of
 * 3.10.7.4, which the figure leaves out.
 */
#ifndef NET_TCP_STATE_H
#define NET_TCP_STATE_H

#include "kernel/base.h"

enum tcp_state {
    TCP_NO_STATE, /* zero on purpose: never a real state */
    TCP_CLOSED,
    TCP_LISTEN, /* a child of a listener, before its SYN is taken */
    TCP_SYN_SENT,
    TCP_SYN_RECEIVED,
    TCP_ESTABLISHED,
    TCP_FIN_WAIT_1,
    TCP_FIN_WAIT_2,
    TCP_CLOSE_WAIT,
    TCP_CLOSING,
    TCP_LAST_ACK,
    TCP_TIME_WAIT,
    TCP_STATE_COUNT
};

enum tcp_event {
    TCP_EV_LISTEN,    /* a listener waits for a peer */
    TCP_EV_CONNECT,   /* the application calls a peer */
    TCP_EV_SYN,       /* the peer's SYN came */
    TCP_EV_SYN_ACKED, /* the peer acknowledged our SYN, and sent its own */
    TCP_EV_CLOSE,     /* the application has no more to send */
    TCP_EV_FIN,       /* the peer's FIN came, in order */
    TCP_EV_FIN_ACKED, /* the peer acknowledged our FIN */
    TCP_EV_QUIET,     /* 2 MSL have passed in TIME-WAIT */
    TCP_EV_DEAD,      /* reset, aborted, or given up */
    TCP_EVENT_COUNT
};

/* What a state allows. */
struct tcp_traits {
    const char *name;
    bool synchronized; /* both SYNs are known: sequence checks apply */
    bool open;         /* ... and our SYN is acknowledged */
    bool can_receive;  /* the peer's FIN has not come: text may follow */
    bool can_send;     /* the application has not closed */
    bool closed;       /* both directions are over */
};

/* The row of `state`, which must be a real state. Never null. */
const struct tcp_traits *tcp_traits(enum tcp_state state);

/*
 * The state that follows `state` when `event` happens.
 *
 * Returns: TCP_NO_STATE where there is no such arrow. tcp_conn_event() takes
 *          that for a bug of ours; only tests ask in order to look.
 */
enum tcp_state tcp_next_state(enum tcp_state state, enum tcp_event event);

#endif
