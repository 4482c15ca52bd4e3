/*
 * net/tcp_open.h - how connections begin: listeners, SYNs, cookies, and the
 * options that they begin with. Private to net/tcp_*.c.
 */
#ifndef NET_TCP_OPEN_H
#define NET_TCP_OPEN_H

#include "kernel/base.h"
#include "net/tcp.h"
#include "net/tcp_list.h"

struct tcp_arrival;
struct tcp_numbers;
struct tcp_seg;
struct tcp_tuple;

struct tcp_listener {
    struct tcp_link link, acceptable;
    struct net *net;
    const struct tcp_config *config; /* of the connections that come of it */
    struct tcp_listen_options options;
    struct tcp_link half_open, ready; /* connections, through group */
    uint32_t half_open_count, ready_count;
    uint16_t port;
};

/* ---- tcp_option.c ---- */
void tcp_options_init(struct net *net);
/* One more, or one fewer, reads `config`: the stack's, or a copy. */
const struct tcp_config *tcp_options_share(const struct net *net,
                                           const struct tcp_config *config);
void tcp_options_drop(const struct net *net, const struct tcp_config *config);

/* ---- tcp_listen.c ---- */
void tcp_listener_free(struct tcp_listener *listener);
struct tcp_listener *tcp_listener_find(struct net *net,
                                       const struct tcp_tuple *tuple);
/* A half-open connection leaves its listener. */
void tcp_listener_forget(struct tcp_conn *conn);
/* Whether nobody more can wait to be accepted; counted. */
MUST_CHECK bool tcp_listener_is_full(const struct tcp_listener *listener);
/* Its handshake is complete; false: the accept queue is full. */
MUST_CHECK bool tcp_listener_ready(struct tcp_conn *conn);
void tcp_listeners_dispatch(struct net *net);

/* ---- tcp_open.c: SYNs ---- */
/* A SYN for a listener: a half-open connection, or a cookie. */
void tcp_open_passive(struct tcp_listener *listener,
                      const struct tcp_arrival *in);
/* The same with a number beyond those of an earlier connection, which a cookie
 * cannot promise. False: no room. */
MUST_CHECK bool tcp_open_after_time_wait(struct tcp_listener *listener,
                                         const struct tcp_arrival *in,
                                         struct tcp_numbers numbers);
/* A connection in SYN-RECEIVED with the ends of `in`, made of what the peer's
 * SYN said; null: no memory. */
MUST_CHECK struct tcp_conn *tcp_open_child(struct tcp_listener *listener,
                                           const struct tcp_arrival *in,
                                           const struct tcp_seg *syn,
                                           struct tcp_numbers numbers);
/* What we offer in a SYN to that peer: its options and its window. */
void tcp_open_offer(struct net *net, const struct tcp_config *config,
                    const struct tcp_tuple *tuple, struct tcp_seg *seg);
/* Our side of a handshake: numbers, MSS and window scale. */
void tcp_open_prepare(struct tcp_conn *conn, struct tcp_numbers numbers);
/* The window of a SYN, which is never scaled. */
uint16_t tcp_open_window(const struct tcp_config *config);
/* Segments have room for `bytes` (MSS_MIN at least) of text and options: those
 * that every segment has count (RFC 6691). */
void tcp_mss_set(struct tcp_conn *conn, uint16_t bytes);
/* Our SYN is acknowledged: the connection is open. */
void tcp_opened(struct tcp_conn *conn);

/* ---- tcp_cookie.c ---- */
void tcp_cookies_init(struct net *net);
/* Answer a SYN without remembering it. */
void tcp_cookie_send(struct tcp_listener *listener,
                     const struct tcp_arrival *in);
/* An ACK of no connection. False: nothing is known about it. */
MUST_CHECK bool tcp_cookie_take(struct tcp_listener *listener,
                                struct tcp_arrival *in);

#endif
