/*
 * net/tcp.h - the non-blocking TCP core.
 *
 * No call waits. What could not be done now answers TCP_AGAIN, and an event
 * tells when to ask again. The blocking flow API (net/flow.h) is a thin layer
 * on this; so can a socket layer be.
 *
 * Every call that may send takes the clock; segments leave at net_flush().
 * Events are handed out when the stack's own state is at rest (at the end of
 * net_input(), net_run() and net_flush()), never from within a tcp_ call, so
 * the callback may call anything here.
 *
 * A connection's handle belongs to the caller from tcp_connect() or
 * tcp_accept() until tcp_release(). The connection itself lives on after that
 * for as long as its teardown needs, bounded in time and number.
 *
 * Source: RFC 9293 3.9.1 (user calls), 3.10.
 */
#ifndef NET_TCP_H
#define NET_TCP_H

#include "kernel/base.h"
#include "net/addr.h"
#include "net/buffer.h"
#include "net/tcp_option.h"

struct net;
struct tcp_conn;     /* opaque */
struct tcp_listener; /* opaque */

enum tcp_cookies_when {
    TCP_COOKIES_AUTO, /* when there is no room for a half-open connection */
    TCP_COOKIES_ALWAYS,
    TCP_COOKIES_NEVER, /* then the longest silent ones make room */
    TCP_COOKIES_WHEN_COUNT
};

/* How a stack begins. Each member that enum tcp_option names can be another
 * for a connection, and later. */
struct tcp_config {
    uint32_t conns_max;           /* control blocks of any state */
    uint32_t time_wait_max;       /* TIME-WAIT entries, of a small kind */
    uint32_t orphans_max;         /* released, and not yet gone */
    uint32_t rcv_buf_bytes;       /* receive window at most; 65535 works */
    uint32_t rcv_buf_begin_bytes; /* where it begins, if that is less */
    uint32_t snd_buf_bytes;       /* queued and unacknowledged bytes at most */
    uint32_t snd_buf_begin_bytes;
    bool window_scaling;            /* RFC 7323 2 */
    bool timestamps;                /* RFC 7323 3 */
    bool sack;                      /* RFC 2018 */
    uint32_t timestamp_tick_us;     /* 1 ms; at most 1 s, RFC 7323 5.4 */
    uint32_t mss_bytes;             /* 0: from the interface's MTU */
    uint32_t syn_cookies;           /* enum tcp_cookies_when */
    uint32_t ttl;                   /* 64 */
    uint32_t dscp;                  /* 0 */
    uint32_t initial_cwnd_segments; /* 10, RFC 6928 */
    uint32_t congestion;            /* enum tcp_congestion: CUBIC */
    uint32_t ecn;                   /* enum tcp_ecn: passive, as Linux */
    uint64_t rto_initial_us;        /* 1 s, RFC 6298 2.1 */
    uint64_t rto_min_us;            /* beyond SRTT: 200 ms, as Linux */
    uint64_t rto_max_us;            /* 60 s, RFC 6298 2.5 */
    uint64_t delayed_ack_us;        /* 40 ms; 0: acknowledge at every flush */
    uint64_t msl_us;                /* 30 s; TIME-WAIT lasts two of these */
    uint64_t fin_wait_2_us;         /* 60 s, for a released connection */
    uint64_t syn_timeout_us;        /* 3 min, RFC 9293 MUST-23 */
    uint64_t synack_timeout_us;     /* 60 s */
    uint32_t r1_retransmissions;    /* 3, SHLD-10 */
    uint64_t r2_us;                 /* 15 min of retransmission, SHLD-11 */
    uint64_t keepalive_idle_us;     /* 2 h, MUST-28 */
    uint64_t keepalive_interval_us; /* 75 s */
    uint32_t keepalive_probes;      /* 9 */
    uint32_t challenge_acks_per_second; /* per connection, RFC 5961 7 */
    uint32_t ooo_pieces_max;            /* out-of-order pieces per connection */
    bool soft_errors;                   /* 1: TCP_CHANGE_SOFT_ERROR is told */
    uint16_t ephemeral_first;           /* 49152, RFC 6335 */
    uint16_t ephemeral_last;            /* 65535 */
};

struct tcp_config tcp_config_default(void);

enum tcp_status {
    TCP_OK,
    TCP_AGAIN, /* not now; an event will tell */
    TCP_EOF,   /* read: the peer has closed and all was read; write: we have
                  closed */
    TCP_ENDED  /* the connection is over, for the reason tcp_end_reason() */
};

/* Why a connection is over. Sticky: the first reason stays. */
enum tcp_end {
    TCP_END_NONE,        /* it is not */
    TCP_END_CLOSED,      /* both sides have closed: a normal end */
    TCP_END_RESET,       /* reset by the peer */
    TCP_END_REFUSED,     /* RST in answer to our SYN */
    TCP_END_SYN_TIMEOUT, /* no answer to our SYN */
    TCP_END_TIMEOUT,     /* retransmission reached R2 */
    TCP_END_KEEPALIVE,   /* no answer to keep-alive probes */
    TCP_END_USER_TIMEOUT,
    TCP_END_ABORTED,     /* tcp_abort() */
    TCP_END_UNREACHABLE, /* ICMP, or no answer to ARP, before it was open */
    TCP_END_NO_ROUTE,
    TCP_END_BAD_ADDRESS, /* broadcast, multicast, 0.0.0.0; MUST-46 */
    TCP_END_NO_PORT,     /* every ephemeral port to that peer is in use */
    TCP_END_NO_MEMORY,
    TCP_END_ADDRESS, /* the interface has got another address than its */
    TCP_END_REASON_COUNT
};

/* What may have changed; a set of these is an event. */
enum tcp_change {
    TCP_CHANGE_OPEN = 1 << 0,       /* connect has come to its end: open, or
                                     ended for a reason */
    TCP_CHANGE_READABLE = 1 << 1,   /* data, end of stream, or the end */
    TCP_CHANGE_WRITABLE = 1 << 2,   /* room in the send queue, or the end */
    TCP_CHANGE_ACKED = 1 << 3,      /* all that was sent is acknowledged */
    TCP_CHANGE_FIN_SENT = 1 << 4,   /* all is on the wire, FIN included */
    TCP_CHANGE_CLOSED = 1 << 5,     /* both sides have closed, or the end */
    TCP_CHANGE_SOFT_ERROR = 1 << 6, /* ask tcp_take_soft_error() */
    TCP_CHANGE_URGENT = 1 << 7      /* more urgent bytes: tcp_urgent_bytes() */
};

struct tcp_endpoints {
    struct ipv4_addr local, peer;
    uint16_t local_port, peer_port;
};

/* ---- opening ---- */

/*
 * Connect to `peer`.
 *
 * local_port: 0: an ephemeral one (RFC 6056).
 * conn:       set on TCP_OK; the handshake goes on, TCP_CHANGE_OPEN tells how
 *             it ended.
 * why:        set on TCP_ENDED: BAD_ADDRESS, NO_ROUTE, NO_PORT, NO_MEMORY.
 * Returns:    TCP_OK, TCP_ENDED.
 * Source:     RFC 9293 3.10.1.
 */
MUST_CHECK enum tcp_status tcp_connect(struct net *net, struct ipv4_addr peer,
                                       uint16_t peer_port, uint16_t local_port,
                                       uint64_t now_us, struct tcp_conn **conn,
                                       enum tcp_end *why);

struct tcp_listen_options {
    struct ipv4_addr local; /* 0.0.0.0: any of ours; MUST-43 */
    uint32_t backlog;       /* open and not yet accepted, at most */
    uint32_t syn_backlog;   /* half open, at most */
    /* An open connection can be taken by tcp_accept(); delivered at rest. */
    void (*acceptable)(void *context, struct tcp_listener *listener);
    void *context;
};

enum tcp_listen_status {
    TCP_LISTEN_OK,
    TCP_LISTEN_IN_USE,
    TCP_LISTEN_NO_MEMORY
};

/*
 * Listen on `port`.
 * port:     0: on none; only an answer of tcp_set_listener_query() brings
 *           connections to it.
 * listener: set on TCP_LISTEN_OK; the caller's until tcp_unlisten().
 */
MUST_CHECK enum tcp_listen_status
tcp_listen(struct net *net, uint16_t port,
           const struct tcp_listen_options *options,
           struct tcp_listener **listener);

/* Stop listening: half-open and unaccepted connections are reset. */
void tcp_unlisten(struct tcp_listener *listener, uint64_t now_us);

/*
 * Ask somebody about ports on which nobody listens, at SYN time.
 *
 * find: returns a listener (which it may just have made), or null: RST.
 *       Null: nobody is asked.
 */
void tcp_set_listener_query(struct net *net,
                            struct tcp_listener *(*find)(void *context,
                                                         uint16_t port),
                            void *context);

/* The oldest open connection of a listener, or null. The handle is the
 * caller's. */
MUST_CHECK struct tcp_conn *tcp_accept(struct tcp_listener *listener);

/* What has changed on a connection and was not told yet (enum tcp_change). No
 * event will tell it: for who has just accepted it, and looks by himself. */
unsigned tcp_take_changes(struct tcp_conn *conn);

/* Whether tcp_accept() would find one. */
bool tcp_acceptable(const struct tcp_listener *listener);

/* ---- data ---- */

/*
 * Queue the bytes of a chain for sending, by reference.
 *
 * chain:   at most tcp_send_room() bytes, unchanged until released. Taken on
 *          TCP_OK; otherwise it stays the caller's.
 * Returns: TCP_OK; TCP_AGAIN (more than the room, or no memory for it);
 *          TCP_EOF (after tcp_shutdown()); TCP_ENDED.
 * Source:  RFC 9293 3.10.2.
 */
MUST_CHECK enum tcp_status tcp_send(struct tcp_conn *conn, struct buffer *chain,
                                    uint64_t now_us);

/* Bytes that tcp_send() would take now. */
uint32_t tcp_send_room(const struct tcp_conn *conn);

/* Bytes queued or in flight, not yet acknowledged. */
uint32_t tcp_send_pending(const struct tcp_conn *conn);

/*
 * Take received bytes, in order, by reference.
 *
 * bytes_max: at most so many; the rest stays.
 * chain:     set on TCP_OK to one or more views, which the caller releases.
 * Returns:   TCP_OK, TCP_AGAIN, TCP_EOF, TCP_ENDED (after all data was taken).
 * Source:    RFC 9293 3.10.3.
 */
MUST_CHECK enum tcp_status tcp_recv(struct tcp_conn *conn, uint32_t bytes_max,
                                    uint64_t now_us, struct buffer **chain);

/* The same, but one view: what came in one piece stays in one piece. */
MUST_CHECK enum tcp_status tcp_recv_view(struct tcp_conn *conn, uint64_t now_us,
                                         struct buffer **view);

/* Bytes that tcp_recv() would give now. */
uint32_t tcp_recv_ready(const struct tcp_conn *conn);

/* Whether tcp_recv() would answer anything but TCP_AGAIN. */
bool tcp_readable(const struct tcp_conn *conn);

/* Copy up to `bytes` of what tcp_recv() would give; returns how many. */
uint32_t tcp_peek(const struct tcp_conn *conn, void *out, uint32_t bytes);

/*
 * As tcp_send(), and everything up to the last of these bytes is urgent. The
 * peer is told at once; the bytes stay in their place in the stream. For old
 * protocols: new ones should do without (SHLD-13).
 * Source: RFC 9293 3.8.5, 3.10.2; RFC 6093.
 */
MUST_CHECK enum tcp_status
tcp_send_urgent(struct tcp_conn *conn, struct buffer *chain, uint64_t now_us);

/*
 * How many bytes, counted from the next that tcp_recv() gives, the peer has
 * called urgent; not all of them need have arrived. 0: none. RFC 9293
 * MUST-33.
 */
uint32_t tcp_urgent_bytes(const struct tcp_conn *conn);

/* ---- closing ---- */

/* No more will be sent: FIN follows the queued data. Idempotent. */
void tcp_shutdown(struct tcp_conn *conn, uint64_t now_us);

/* Nobody will read: what was not read is dropped, what comes is answered with
 * RST (SHLD-3). */
void tcp_shutdown_read(struct tcp_conn *conn, uint64_t now_us);

/* End it now with RST; the handle stays valid. Source: RFC 9293 3.10.5. */
void tcp_abort(struct tcp_conn *conn, uint64_t now_us);

/*
 * Give up the handle. Closes first, if nobody did; unread data makes it a RST
 * (SHLD-3). The stack finishes the teardown.
 */
void tcp_release(struct tcp_conn *conn, uint64_t now_us);

/*
 * The same, and let the peer finish: what is unread, and what still comes
 * until its FIN, is taken and dropped. A RST for it could overtake the last of
 * what we have sent in the peer's own receive queue.
 *
 * linger_us: for so long; afterwards text is answered with RST (SHLD-3).
 */
void tcp_release_lingering(struct tcp_conn *conn, uint64_t linger_us,
                           uint64_t now_us);

/* How many released connections take what comes. */
uint32_t tcp_lingering(const struct net *net);

/* End those with RST. */
void tcp_abort_lingering(struct net *net, uint64_t now_us);

/* ---- asking and setting ---- */

enum tcp_end tcp_end_reason(const struct tcp_conn *conn);
struct tcp_endpoints tcp_endpoints(const struct tcp_conn *conn);

/* Whether FIN is sent and all before it; whether both directions are over. */
bool tcp_fin_sent(const struct tcp_conn *conn);
bool tcp_closed(const struct tcp_conn *conn);

/* A pointer of the caller's own, null at first. */
void tcp_set_context(struct tcp_conn *conn, void *context);
void *tcp_context(const struct tcp_conn *conn);

void tcp_set_nodelay(struct tcp_conn *conn, bool on, uint64_t now_us);

/*
 * Hold back what does not fill a segment (true), until it is filled, FIN
 * follows, or it has waited for 200 ms with nothing in flight; let it go
 * (false). Stronger than nodelay.
 */
void tcp_set_cork(struct tcp_conn *conn, bool on, uint64_t now_us);

void tcp_set_keepalive(struct tcp_conn *conn, bool on, uint64_t now_us);

/* The end when data stays unacknowledged so long; 0: only R2. RFC 5482. */
void tcp_set_user_timeout(struct tcp_conn *conn, uint64_t timeout_us,
                          uint64_t now_us);

/*
 * Set an option of one connection. Before the first net_flush() after
 * tcp_connect() every one can be set.
 *
 * value:   its range stands with enum tcp_option; a receive buffer that grows
 *          offers no more than the window's scale in our SYN can say.
 * Returns: every tcp_set_status; nothing has changed unless TCP_SET_OK.
 */
MUST_CHECK enum tcp_set_status tcp_set(struct tcp_conn *conn,
                                       enum tcp_option which, uint64_t value,
                                       uint64_t now_us);

/* What an option of a connection is. */
uint64_t tcp_get(const struct tcp_conn *conn, enum tcp_option which);

/* The same for all that will come of a listener. Returns: TCP_SET_OK,
 * TCP_SET_RANGE, TCP_SET_NO_MEMORY. */
MUST_CHECK enum tcp_set_status tcp_listener_set(struct tcp_listener *listener,
                                                enum tcp_option which,
                                                uint64_t value);

/* The same for a stack: for all connections and listeners of which nothing
 * was set. Returns: TCP_SET_OK, TCP_SET_RANGE. */
MUST_CHECK enum tcp_set_status
tcp_default_set(struct net *net, enum tcp_option which, uint64_t value);

/* The latest soft error that was not yet taken; TCP_SOFT_NONE: none.
 * Source: RFC 9293 3.9.1.8. */
enum tcp_soft_error tcp_take_soft_error(struct tcp_conn *conn);

struct tcp_info {
    const char *state; /* "ESTABLISHED" */
    enum tcp_end end;
    enum tcp_soft_error soft_error; /* not yet taken */
    uint32_t mss_bytes;
    uint32_t path_mtu_bytes; /* of the packets that it sends */
    uint32_t cwnd_bytes, ssthresh_bytes;
    const char *congestion; /* "cubic" */
    bool ecn;               /* both sides use it */
    uint32_t snd_wnd_bytes, rcv_wnd_bytes;
    uint32_t snd_buf_bytes, rcv_buf_bytes;
    uint8_t snd_wnd_shift, rcv_wnd_shift;
    bool window_scaling, timestamps, sack; /* agreed upon */
    uint64_t srtt_us, rttvar_us, rto_us;
    uint64_t bytes_sent, bytes_received; /* of the stream */
    uint64_t segments_sent, segments_received;
    uint64_t retransmissions;
    uint32_t in_flight_bytes;   /* SND.NXT - SND.UNA, and of these ... */
    uint32_t sacked_bytes;      /* what the peer has out of order, RFC 2018 */
    uint32_t lost_bytes;        /* taken for lost, and not yet sent again */
    uint32_t pipe_bytes;        /* neither: RFC 6675 4 */
    uint64_t delivered_bytes;   /* bytes_acked and sacked_bytes */
    const char *recovery;       /* "open"; "recovery", RFC 6675 5; "loss",
                                   since the retransmission timer ran out */
    bool reordered;             /* RACK.reordering_seen, RFC 8985 5.3 */
    uint32_t reorder_window_us; /* RACK.reo_wnd: who is overtaken for longer
                                   is lost */
    uint32_t unsent_bytes;      /* queued, and never sent */
    uint32_t unread_bytes;      /* received in order, and not yet taken */
    uint32_t ooo_bytes, ooo_pieces; /* received behind holes */
    uint32_t urgent_bytes;          /* tcp_urgent_bytes() */
    uint64_t bytes_acked;           /* of bytes_sent */
    uint32_t rcv_mss_bytes;         /* that we have offered */
    uint8_t backoff;                /* time-outs in a row */
    uint8_t keepalive_probes;       /* unanswered in a row */
    uint64_t heard_us, sent_us;     /* so long ago: anything acceptable came;
                                       data left */
    bool passive;                   /* it came of a listener */
    uint8_t dscp_in;                /* of what came last; MAY-9 */
};
void tcp_info_get(const struct tcp_conn *conn, struct tcp_info *info);

/* Call `fn` for each connection of any state but TIME-WAIT, `max` at most, in
 * no order. It may ask, and must change nothing. */
void tcp_for_each(const struct net *net, uint32_t max,
                  void (*fn)(void *context, const struct tcp_conn *conn),
                  void *context);

#endif
