/*
 * net/tcp_option.h - what can be chosen for TCP while it runs.
 *
 * One list for everything that is a number. It can be set for the stack
 * (tcp_default_set()), for what comes of a listener (tcp_listener_set()) and
 * for one connection (tcp_set()); each begins with the values of the one
 * before. What is on or off, and what acts at once, has calls of its own in
 * net/tcp.h; what only a whole stack has is in struct tcp_config.
 *
 * Deliberately not here: the options of TCP's header (net/tcp_wire.h).
 */
#ifndef NET_TCP_OPTION_H
#define NET_TCP_OPTION_H

/* Values of TCP_OPTION_CONGESTION. */
enum tcp_congestion {
    TCP_CONGESTION_CUBIC,   /* RFC 9438 */
    TCP_CONGESTION_NEWRENO, /* RFC 5681 */
    TCP_CONGESTION_COUNT
};

/* Values of TCP_OPTION_ECN. */
enum tcp_ecn {
    TCP_ECN_OFF,
    TCP_ECN_PASSIVE, /* when the peer asks for it */
    TCP_ECN_ON       /* ask for it, too */
};

/* Each with its range; the defaults stand in struct tcp_config. A time is in
 * microseconds. */
enum tcp_option {
    TCP_OPTION_TTL,  /* of IP, 1 to 255; RFC 9293 MUST-49 */
    TCP_OPTION_DSCP, /* 0 to 63; MUST-48. An application SHOULD NOT change it
                        while the connection is open (SHLD-23) */

    /* Sizes. Fixed by our SYN: MSS, and how far RCV_BUF can grow. */
    TCP_OPTION_MSS,            /* at most, both ways, to 65495; 0: what the
                                  interface carries */
    TCP_OPTION_RCV_BUF,        /* bytes, 1 to 2^30; the window at most */
    TCP_OPTION_SND_BUF,        /* bytes, 1 to 2^30 */
    TCP_OPTION_INITIAL_WINDOW, /* segments, 1 to 100; RFC 6928 */

    /* Congestion. */
    TCP_OPTION_CONGESTION, /* enum tcp_congestion */
    TCP_OPTION_ECN,        /* enum tcp_ecn; RFC 3168. Fixed by our SYN */

    /* Retransmission. */
    TCP_OPTION_RTO_INITIAL, /* 1 ms to 60 s */
    TCP_OPTION_RTO_MIN,     /* 1 ms to 60 s */
    TCP_OPTION_RTO_MAX,     /* 1 s to 10 min */
    TCP_OPTION_R1,          /* retransmissions, 1 to 16; then the owner is
                               told: TCP_SOFT_NO_ANSWER. SHLD-9, SHLD-10 */
    TCP_OPTION_R2,          /* 1 s to a week; then it ends. MUST-20, MUST-21 */
    TCP_OPTION_SYN_R2,      /* 1 s to a week, of our SYN; MUST-23 asks for 3
                               minutes */
    TCP_OPTION_SYN_ACK_R2,  /* 1 s to a week, of our SYN-ACK */
    TCP_OPTION_DELAYED_ACK, /* 0 (none) to 499 ms; MUST-40 */

    /* Silence. Keep-alive is switched by tcp_set_keepalive(). */
    TCP_OPTION_KEEPALIVE_IDLE,     /* 1 ms to a week; MUST-27 */
    TCP_OPTION_KEEPALIVE_INTERVAL, /* 1 ms to a week */
    TCP_OPTION_KEEPALIVE_PROBES,   /* 2 to 255; MUST-29: one may be lost */
    TCP_OPTION_FIN_WAIT_2,         /* 1 ms to a week, after release */

    /* What our SYN offers, 1 or 0. Fixed by it. */
    TCP_OPTION_WINDOW_SCALING, /* RFC 7323 2 */
    TCP_OPTION_TIMESTAMPS,     /* RFC 7323 3 */
    TCP_OPTION_SACK,           /* RFC 2018 */

    /* Defence. */
    TCP_OPTION_SYN_COOKIES,    /* enum tcp_cookies_when; of listeners */
    TCP_OPTION_CHALLENGE_ACKS, /* about so many a second, 1 to 120 */
    TCP_OPTION_OOO_PIECES,     /* out of order, 1 to 65535 */
    TCP_OPTION_SOFT_ERRORS,    /* 1: soft errors are told; 0: they are only
                                  noted. SHLD-20 */
    TCP_OPTION_COUNT
};

enum tcp_set_status {
    TCP_SET_OK,
    TCP_SET_RANGE, /* not a value of this option */
    TCP_SET_LATE,  /* our SYN has already said otherwise, or it is over */
    TCP_SET_NO_MEMORY
};

/*
 * What happened to a connection that may yet be overcome: it goes on. Hearsay
 * of the network, except the first; anybody can forge it.
 * Source: RFC 9293 3.9.1.8 (MUST-47), 3.9.2.2; RFC 1122 4.2.3.9.
 */
enum tcp_soft_error {
    TCP_SOFT_NONE,
    TCP_SOFT_NO_ANSWER,     /* R1: so many retransmissions unanswered */
    TCP_SOFT_NET,           /* network unreachable: codes 0, 6, 9, 11 */
    TCP_SOFT_HOST,          /* host unreachable: codes 1, 7, 8, 10, 12 */
    TCP_SOFT_ROUTE,         /* source route failed: code 5 */
    TCP_SOFT_PROTOCOL,      /* protocol unreachable: code 2, once open */
    TCP_SOFT_PORT,          /* port unreachable: code 3, once open */
    TCP_SOFT_PROHIBITED,    /* by a filter: codes 13 to 15 */
    TCP_SOFT_TIME_EXCEEDED, /* type 11 */
    TCP_SOFT_PARAMETER,     /* type 12 */
    TCP_SOFT_COUNT
};

/* "host unreachable". Never null. */
const char *tcp_soft_error_message(enum tcp_soft_error error);

#endif
