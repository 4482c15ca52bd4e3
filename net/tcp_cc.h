/*
 * net/tcp_cc.h - congestion control: how much may be in flight.
 *
 * What every algorithm shares (slow start, the initial and the restart window,
 * remembering what a reduction took) is in tcp_cc.c; how far a window falls
 * and how it grows again is a table of functions, so that another algorithm is
 * another file. It hears of acknowledgements and of congestion, and sets cwnd
 * and ssthresh; what is lost is decided elsewhere (net/tcp_loss.h).
 */
#ifndef NET_TCP_CC_H
#define NET_TCP_CC_H

#include "kernel/base.h"

struct tcp_conn;

enum { TCP_CWND_MAX = 1 << 30 };

/* The rounds of the first slow start (tcp_hystart.c). */
struct tcp_hystart {
    uint32_t round_end;  /* snd.nxt when it began */
    uint32_t rtt_us;     /* the least of this round */
    uint32_t before_us;  /* ... of the one before; 0: not known */
    uint32_t careful_us; /* ... when growth was slowed down; 0: it is not */
    uint8_t samples;
    uint8_t careful_rounds;
    bool in_round;
};

/* An epoch of CUBIC (tcp_cubic.c). Time in units of 1024 us. */
struct tcp_cubic {
    uint64_t begin_us;
    uint64_t credit;    /* bytes acked * bytes to grow, not yet paid out */
    uint64_t est_acked; /* bytes * 17, since w_est grew */
    uint32_t k;         /* from the beginning until W_max is reached again */
    uint32_t w_est;     /* what Reno would have */
    bool growing;       /* there is an epoch */
};

/* The handshake is over: the initial window. Source: RFC 6928, RFC 5681 3.1. */
void tcp_cc_opened(struct tcp_conn *conn);

/* `bytes` more are acknowledged, and nothing is being recovered; the active
 * part is there. Source: RFC 5681 3.1, RFC 3465, RFC 7661 4.3. */
void tcp_cc_acked(struct tcp_conn *conn, uint32_t bytes);

/* A round trip was measured; the active part is there. */
void tcp_cc_rtt(struct tcp_conn *conn, uint64_t rtt_us);

/* The network is congested: segments are lost, or were marked. Sets ssthresh;
 * the caller brings cwnd there. At most once for a window of data. */
void tcp_cc_lost(struct tcp_conn *conn);

/* The retransmission timer ran out, for the first time for this data: the
 * same, and nothing is known of the network any more. */
void tcp_cc_timed_out(struct tcp_conn *conn);

/* The network has marked segments instead of losing them: cwnd comes down to
 * ssthresh at once. No mistake, so it is not undone. Source: RFC 3168 6.1.2. */
void tcp_cc_marked(struct tcp_conn *conn);

/* The last of these was a mistake: nothing had been lost. The window comes
 * back, without a burst. Source: RFC 4015 3.2 (5), RFC 9438 4.9. */
void tcp_cc_undo(struct tcp_conn *conn);

/* Nothing was sent for longer than a time-out. Source: RFC 5681 4.1. */
void tcp_cc_idle(struct tcp_conn *conn);

/* ---- within slow start: tcp_hystart.c; called by tcp_cc.c alone ---- */

/* Of `bytes` that cwnd would grow by, as many as it shall. May set ssthresh,
 * to cwnd. Source: RFC 9406. */
uint32_t tcp_cc_hystart(struct tcp_conn *conn, uint32_t bytes);

/* ---- an algorithm; called by tcp_cc.c alone ---- */

struct tcp_cc {
    const char *name;
    /* Congestion avoidance: cwnd was used up, and `bytes` are acknowledged. */
    void (*avoid)(struct tcp_conn *conn, uint32_t bytes);
    /* Returns: bytes that may be in flight after congestion, of what is. */
    uint32_t (*reduced)(struct tcp_conn *conn, bool timed_out);
};

extern const struct tcp_cc tcp_cc_cubic;   /* RFC 9438 */
extern const struct tcp_cc tcp_cc_newreno; /* RFC 5681 */

/* The one that a connection uses. Never null. */
const struct tcp_cc *tcp_cc_of(const struct tcp_conn *conn);

#endif
