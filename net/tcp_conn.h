/*
 * net/tcp_conn.h - one connection. Private to net/tcp_*.c.
 *
 * Sequence variables have the names of RFC 9293 3.3.1, in lower case. A
 * connection is an idle part, which is all that a quiet connection costs, and
 * an active part that exists while bytes are queued, in flight or out of
 * order.
 */
#ifndef NET_TCP_CONN_H
#define NET_TCP_CONN_H

#include "kernel/base.h"
#include "net/addr.h"
#include "net/net_priv.h"
#include "net/tcp_board.h"
#include "net/tcp_cc.h"
#include "net/tcp_list.h"
#include "net/tcp_loss.h"
#include "net/tcp_open.h"
#include "net/tcp_pressure.h"
#include "net/tcp_queue.h"
#include "net/tcp_rack.h"
#include "net/tcp_seq.h"
#include "net/tcp_state.h"
#include "net/tcp_table.h"
#include "net/tcp_wire.h"
#include "net/timer.h"

enum { TCP_QUICK_ACKS = 16 /* while the peer is in slow start */ };

/* The deadlines of a connection; one struct timer serves them all. */
enum tcp_deadline {
    TCP_DEADLINE_RTX,  /* retransmission, or the persist timer */
    TCP_DEADLINE_ACK,  /* a delayed acknowledgement */
    TCP_DEADLINE_KEEP, /* keep-alive; FIN-WAIT-2 of an orphan */
    TCP_DEADLINE_USER, /* opening must end; user timeout */
    TCP_DEADLINE_ROOM, /* memory was short; an orphan: it lingers no more */
    TCP_DEADLINE_COUNT
};

/* Out-of-order text: a stretch between two holes. */
struct tcp_piece {
    struct tcp_piece *next;
    uint32_t seq;     /* of its first byte */
    uint32_t changed; /* active->changes when it last grew: tcp_sack.c */
    bool untold;      /* ... and no acknowledgement has said so yet */
    struct tcp_queue queue;
};

/* Whether losses are being repaired. */
enum tcp_phase {
    TCP_PHASE_OPEN,     /* 0: see `odd` */
    TCP_PHASE_RECOVERY, /* fast recovery: PRR says what cwnd is */
    TCP_PHASE_LOSS      /* since the retransmission timer ran out */
};

/* While data is queued, in flight or out of order. */
struct tcp_active {
    struct tcp_holder holder;

    /* The send queue: bytes from snd.una on, and where snd.nxt is in it. */
    struct tcp_queue queue;
    struct buffer *cursor;  /* view with the byte snd.nxt; null: none yet */
    uint32_t cursor_offset; /* of that byte in it */

    /* Loss and recovery (tcp_loss.c). */
    struct tcp_board board;
    struct tcp_rack rack;
    struct tcp_probe probe;
    struct tcp_prr prr;
    struct tcp_undo undo;
    uint32_t recover;   /* snd.nxt when recovery began: where it ends */
    uint32_t dup_bytes; /* no SACK: duplicates say that these have arrived */
    uint8_t dup_acks;   /* ... so many in a row, three at most */
    uint8_t frto;       /* enum tcp_frto */
    union {
        struct {
            uint8_t phase;     /* enum tcp_phase */
            bool urgent;       /* up to snd_up: RFC 9293's urgent mode */
            bool cwr_flying;   /* cwr_seq is not yet acknowledged */
            bool fin_early;    /* at fin_seq */
            bool forced;       /* one lost segment goes whatever cwnd says */
            bool probe_due;    /* a tail loss probe is to be sent */
            bool probe_flying; /* ... is out */
        };
        uint64_t odd; /* any of these: for a look at all of them */
    };
    uint32_t snd_up; /* the number behind the last urgent byte */

    /* What TCP_DEADLINE_RTX is the earliest of, while anything is in flight. */
    uint64_t rto_at_us, probe_at_us, reorder_at_us;
    uint64_t sampled_us; /* when the round trip was measured last */

    /* Congestion control (tcp_cc.c). */
    uint32_t cwnd_acked; /* counted by NewReno */
    struct {
        uint32_t cwnd, ssthresh, w_max;
    } before; /* the last reduction; cwnd 0: nothing to undo */
    struct tcp_hystart hystart;
    struct tcp_cubic cubic;
    uint32_t cwr_seq; /* of the segment that last had CWR */

    /* One segment that tries a larger path MTU (tcp_path.c). */
    struct {
        uint32_t seq, end;
        uint16_t mtu; /* 0: none is out */
    } path;

    uint32_t small_end;   /* Minshall: end of the last small segment */
    uint64_t stalled_us;  /* since when snd.una stands although it should not */
    uint64_t answered_us; /* when the peer last said anything */

    struct tcp_piece *pieces; /* ordered, never touching */
    uint32_t piece_count;
    uint32_t changes;          /* of pieces, so far */
    struct tcp_sack duplicate; /* to be told next: RFC 2883; empty: none */
    uint32_t fin_seq;          /* of a FIN that is out of order */
};

struct tcp_conn {
    /* for finding it: one cache line for each look */
    _Alignas(64) struct tcp_conn *hash_next;
    struct tcp_tuple tuple;
    uint8_t state;   /* enum tcp_state; written by tcp_conn_event() alone */
    uint8_t end;     /* enum tcp_end; written by tcp_conn_end() alone */
    uint8_t changes; /* enum tcp_change, not yet told */
    uint8_t backoff; /* retransmissions of the same thing in a row */

    /* for every segment */
    struct net *net;
    const struct tcp_config *config; /* the stack's, or tcp_option.c's */
    struct tcp_active *active;
    struct {
        uint32_t una, nxt;
        uint32_t wnd; /* bytes */
        uint32_t wl1, wl2;
        uint32_t wnd_max; /* the largest seen: SWS, RFC 5961 5.2 */
    } snd;
    struct {
        uint32_t nxt;
        uint32_t edge;  /* nxt + window, as advertised: never moves back */
        uint32_t acked; /* nxt as last told to the peer */
        uint32_t up;    /* behind the peer's urgent bytes; urgent_in */
    } rcv;
    struct {
        uint32_t recent;    /* TS.Recent: what we echo */
        uint32_t recent_at; /* when it was taken: tcp_ts_age_now() */
        uint32_t offset;    /* added to our clock */
    } ts;                   /* RFC 7323 */
    uint32_t iss;
    uint32_t hash; /* of tuple: tcp_table_hash() */
    uint32_t cwnd, ssthresh;
    uint32_t w_max;   /* RFC 9438 4.1.2, bytes; 0: not known */
    uint16_t mss;     /* effective send MSS, less the timestamps */
    uint16_t mss_max; /* with options: what the peer and our link take */
    uint16_t rcv_mss; /* what we advertised */
    uint16_t seg_max; /* the largest segment seen: what "full-sized" means */
    uint8_t snd_shift, rcv_shift;

    uint8_t quick_acks; /* full segments still acknowledged at once */
    uint8_t dup_acks;   /* duplicate acknowledgements owed at next flush */
    uint8_t keep_probes;
    uint8_t reo_steps;   /* RACK.reo_wnd_mult less 1 */
    uint8_t reo_persist; /* RACK.reo_wnd_persist */
    uint8_t challenges;  /* sent in this second: */
    uint8_t challenge_second;
    uint8_t soft_error; /* enum tcp_soft_error, not yet taken */
    uint8_t dscp_in;    /* of what came last */
    bool reordered : 1; /* RACK.reordering_seen */
    bool hashed : 1;
    bool passive : 1;
    bool owned : 1;    /* somebody has the handle */
    bool released : 1; /* nobody has it any more */
    bool lingers : 1;  /* ... and what comes is dropped, not reset */
    bool fin_queued : 1;
    bool fin_sent : 1;
    bool fin_flying : 1; /* sent, and not yet acknowledged */
    bool fin_received : 1;
    bool read_shut : 1;
    bool ack_now : 1;
    bool ack_delayed : 1;
    bool last_small : 1; /* what came last was a small segment */
    bool scaling : 1;    /* these three: as configured, then as agreed */
    bool timestamps : 1;
    bool sack : 1;
    bool nodelay : 1;
    bool corked : 1;
    bool keepalive : 1;
    bool syn_again : 1;       /* our SYN was retransmitted */
    bool cwnd_limited : 1;    /* cwnd was what held us back */
    bool probe_now : 1;       /* the persist timer overrides SWS and Nagle */
    bool keep_now : 1;        /* a keep-alive probe is due */
    bool syn_now : 1;         /* our SYN is due */
    bool starved : 1;         /* text was dropped for want of memory */
    bool ready : 1;           /* in the accept queue of its listener */
    bool unmeasured : 1;      /* nobody knows how long the SYN-ACK took */
    bool urgent_in : 1;       /* urgent bytes are not yet read */
    bool waits_for_ready : 1; /* handshake complete, and that queue full */
    bool ecn : 1;             /* both sides know it */
    bool ece : 1;             /* a mark came: echoed until the peer's CWR */
    bool cwr_due : 1;         /* the peer has not heard of our reduction */
    bool mss_proven : 1;      /* a full segment has arrived */
    bool lowered : 1;         /* mss is less than mss_max: the way's fault */
    bool unaccepted : 1;      /* it still belongs to its listener */

    struct tcp_queue rcv_queue;
    struct {
        uint16_t chunks; /* the receive buffer, of 16 KiB: never shrinks */
        uint16_t since;  /* when this measurement began, of 1024 us */
        uint32_t seq;    /* what had been read then */
    } tune;              /* tcp_buffers.c */
    uint32_t srtt_us, rttvar_us, rto_us;
    uint32_t rtt_min_us; /* the shortest so far; 0: not known */
    uint64_t heard_us;   /* when something acceptable last came */
    uint64_t sent_us;    /* when we last sent data; our SYN before that */
    struct timer timer;  /* armed for the earliest deadline, or earlier */
    uint64_t deadline[TCP_DEADLINE_COUNT];
    struct tcp_link flush, events;
    struct tcp_link group; /* connecting, half open, accept queue, orphans */
    union {
        struct tcp_listener *listener; /* while it is unaccepted */
        void *context;                 /* its owner's, who comes later */
    };
    uint32_t user_timeout_ms;
    uint32_t retransmissions;
    uint64_t bytes_sent, bytes_received;
    uint32_t segments_sent, segments_received;
};

_Static_assert(sizeof(struct tcp_conn) <= 384, "an idle connection's cost");

/* A segment on its way in. */
struct tcp_arrival {
    struct tcp_seg seg;
    struct tcp_tuple tuple; /* as ours: local is its destination */
    uint32_t hash;          /* of tuple, when no connection has that */
    struct buffer *text;    /* after the header; null once taken */
    uint32_t up;            /* the number behind urgent bytes */
    uint16_t gso_bytes;     /* of each segment, when it was several */
    uint8_t ecn;            /* of its IP header: IPV4_ECN_CE and so on */
    uint8_t dscp;           /* likewise */
};

/* What is to be done about a segment. */
enum tcp_verdict {
    TCP_GO_ON,     /* this step has no objection */
    TCP_DROP,      /* say nothing */
    TCP_REPLY_ACK, /* drop it and tell the peer where we stand */
    TCP_CHALLENGE, /* the same, limited in number: RFC 5961 */
    TCP_REPLY_RST, /* drop it and reset the peer */
    TCP_GONE       /* the connection may not be there any more */
};

static inline struct tcp *tcp_of(struct tcp_conn *conn)
{
    return &conn->net->tcp;
}

static inline const struct tcp_config *
tcp_config_of(const struct tcp_conn *conn)
{
    return conn->config;
}

#define tcp_count(conn, name) net_count(&(conn)->net->counters, name)

static inline uint32_t tcp_flight(const struct tcp_conn *conn)
{
    return conn->snd.nxt - conn->snd.una;
}

/* What the peer may still send: the edge is never behind rcv.nxt. */
static inline uint32_t tcp_rcv_window(const struct tcp_conn *conn)
{
    return conn->rcv.edge - conn->rcv.nxt;
}

/* In flight, as far as is known: RFC 6675's pipe. */
static inline uint32_t tcp_pipe(const struct tcp_conn *conn)
{
    const struct tcp_active *active = conn->active;
    uint32_t flight = tcp_flight(conn), gone;

    if (!active)
        return flight;
    gone = active->board.sacked_bytes + active->board.lost_bytes +
           active->dup_bytes;
    return flight > gone ? flight - gone : 0;
}

/* Bytes that wait in the send queue, sent and not yet sent. */
static inline uint32_t tcp_queued(const struct tcp_conn *conn)
{
    return conn->active ? conn->active->queue.bytes : 0;
}

/* Bytes of the stream that the peer has acknowledged, ever. */
static inline uint64_t tcp_bytes_acked(const struct tcp_conn *conn)
{
    uint32_t control = conn->fin_flying || conn->snd.una == conn->iss ? 1 : 0;

    return conn->bytes_sent - (tcp_flight(conn) - control);
}

/* Our SYN is out, and not acknowledged. */
static inline bool tcp_opening(const struct tcp_conn *conn)
{
    return conn->state == TCP_SYN_SENT || conn->state == TCP_SYN_RECEIVED;
}

/* The number of the first byte of the send queue: snd.una, but for a SYN. */
static inline uint32_t tcp_queue_seq(const struct tcp_conn *conn)
{
    return conn->snd.una + (tcp_opening(conn) ? 1 : 0);
}

/* Bytes in the send queue that were never sent: what is in flight less FIN,
 * and less the SYN of one that is not open yet. */
static inline uint32_t tcp_unsent_open(const struct tcp_conn *conn)
{
    uint32_t queued = tcp_queued(conn);

    return queued ? queued - tcp_flight(conn) + (conn->fin_flying ? 1 : 0) : 0;
}
static inline uint32_t tcp_unsent(const struct tcp_conn *conn)
{
    return tcp_queued(conn)
               ? tcp_unsent_open(conn) + (tcp_opening(conn) ? 1 : 0)
               : 0;
}

/* The peer is there. */
static inline void tcp_conn_heard(struct tcp_conn *conn)
{
    conn->heard_us = conn->net->now_us;
    conn->keep_probes = 0;
    if (conn->active)
        conn->active->answered_us = conn->heard_us;
}

/* The window of a segment that is not older than the last one, in bytes.
 * Returns: whether it has changed. */
static inline bool tcp_window_take(struct tcp_conn *conn, uint32_t seq,
                                   uint32_t ack, uint32_t wnd)
{
    uint32_t before = conn->snd.wnd;

    conn->snd.wl1 = seq_max(conn->snd.wl1, seq);
    conn->snd.wl2 = ack;
    conn->snd.wnd = wnd;
    if (wnd > conn->snd.wnd_max)
        conn->snd.wnd_max = wnd;
    return wnd != before;
}

/* ---- tcp_conn.c: life, state, events ---- */

/* A connection in state CLOSED, in no table; null: no memory. `hash`: of its
 * tuple. */
MUST_CHECK struct tcp_conn *
tcp_conn_new(struct net *net, const struct tcp_tuple *tuple, uint32_t hash);
/* Free it at once, without a word to anybody. */
void tcp_conn_free(struct tcp_conn *conn);
/* The only place where a connection changes state. */
void tcp_conn_event(struct tcp_conn *conn, enum tcp_event event);
/* It is over, for `reason`. Frees it when nobody has the handle: the caller
 * does not touch it afterwards. */
void tcp_conn_end(struct tcp_conn *conn, enum tcp_end reason);
/* The same after a RST to the peer. */
void tcp_conn_reset(struct tcp_conn *conn, enum tcp_end reason);
/* Both sides have closed and all is acknowledged: on to TIME-WAIT, if we
 * closed first. The caller does not touch it afterwards. */
void tcp_conn_closed(struct tcp_conn *conn);
/* From now on what comes for an orphan is answered with RST. */
void tcp_linger_over(struct tcp_conn *conn);
/* Tell the owner, at rest, that something has changed. */
void tcp_conn_post(struct tcp_conn *conn, unsigned changes);
/* It has something to send. */
void tcp_conn_wants_flush(struct tcp_conn *conn);
/* Its active part is made, if need be; false: no memory. */
MUST_CHECK bool tcp_conn_make_active(struct tcp_conn *conn);
MUST_CHECK static inline bool tcp_conn_activate(struct tcp_conn *conn)
{
    return conn->active || tcp_conn_make_active(conn);
}
/* Its active part is freed, if nothing needs it. */
void tcp_conn_free_active(struct tcp_conn *conn);
static inline void tcp_conn_rest(struct tcp_conn *conn)
{
    const struct tcp_active *active = conn->active;

    if (active && !active->queue.bytes && !active->pieces &&
        !active->fin_early &&
        active->duplicate.start == active->duplicate.end &&
        !active->board.first)
        tcp_conn_free_active(conn);
}

/* ---- tcp_icmp.c ---- */
/* Note what may yet be overcome; tell the owner, if he wants that. */
void tcp_soft_error(struct tcp_conn *conn, enum tcp_soft_error error);

/* ---- tcp_open.c: a segment in SYN-SENT ---- */
enum tcp_verdict tcp_in_syn_sent(struct tcp_conn *conn, struct tcp_arrival *in);

/* ---- tcp_in.c: the steps of RFC 9293 3.10.7.4 ---- */
void tcp_in_conn(struct tcp_conn *conn, struct tcp_arrival *in);
/* What is said to a segment that is not acceptable, and is no RST. */
enum tcp_verdict tcp_in_refuse(struct tcp_conn *conn,
                               const struct tcp_seg *seg);

/* ---- tcp_ack.c: the fifth step ---- */
enum tcp_verdict tcp_in_ack(struct tcp_conn *conn, struct tcp_arrival *in);
/* In SYN-RECEIVED something acknowledges `ack`. */
enum tcp_verdict tcp_handshake_complete(struct tcp_conn *conn, uint32_t ack);

/* ---- tcp_urgent.c: the sixth ---- */
enum tcp_verdict tcp_in_urgent(struct tcp_conn *conn, struct tcp_arrival *in);
/* Say in a segment that leaves where urgent bytes end, if it lies ahead. */
void tcp_urgent_mark(const struct tcp_active *active, struct tcp_seg *seg);
/* snd.una has moved / the application has read. */
void tcp_urgent_acked(struct tcp_conn *conn);
void tcp_urgent_was_read(struct tcp_conn *conn);

/* ---- tcp_text.c: the seventh and eighth step; the receive window ---- */
enum tcp_verdict tcp_in_text(struct tcp_conn *conn, struct tcp_arrival *in);
enum tcp_verdict tcp_in_fin(struct tcp_conn *conn, struct tcp_arrival *in);
/* FIN stands at rcv.nxt, and may be received. */
enum tcp_verdict tcp_fin_take(struct tcp_conn *conn);
/* The memory, in bytes, that received text may hold in order, and as much
 * again out of order. */
uint32_t tcp_text_held_max(const struct tcp_conn *conn);
/* The window to advertise now; moves rcv.edge. */
uint32_t tcp_text_window(struct tcp_conn *conn);
/* The application has read: whether the peer should hear of it. */
void tcp_text_was_read(struct tcp_conn *conn);
/* Drop what nobody will read, as if it had been read. */
void tcp_text_discard(struct tcp_conn *conn);

/* ---- tcp_reass.c: out-of-order text ---- */
void tcp_reass_add(struct tcp_conn *conn, uint32_t seq, struct buffer *text,
                   uint32_t bytes);
/* Move what is in order by now to the receive queue. */
void tcp_reass_deliver(struct tcp_conn *conn);
void tcp_reass_clear(struct tcp_conn *conn);

/* ---- tcp_out.c ---- */
/* Send what may be sent. Returns: true when the device was full. */
bool tcp_out(struct tcp_conn *conn);

/* ---- tcp_reset.c ---- */
/* RST in answer to a segment that belongs to nobody. */
void tcp_reset_reply(struct net *net, const struct tcp_arrival *in);

/* ---- tcp_timer.c ---- */
void tcp_deadline_set(struct tcp_conn *conn, enum tcp_deadline which,
                      uint64_t at_us);
static inline void tcp_deadline_clear(struct tcp_conn *conn,
                                      enum tcp_deadline which)
{
    conn->deadline[which] = FOREVER; /* the timer finds nothing to do */
}
void tcp_timer_init(struct tcp_conn *conn);
/* When the retransmission timer runs out that is armed now. */
uint64_t tcp_timer_rto_at(const struct tcp_conn *conn);
/* Arm the retransmission timer anew; off: nothing is in flight. */
void tcp_timer_rtx(struct tcp_conn *conn);
/* The same when nothing is in flight, and something waits. */
void tcp_timer_persist(struct tcp_conn *conn);
void tcp_timer_rtx_off(struct tcp_conn *conn);
/* The way is open again: what backs off is done now, and backs off anew. */
void tcp_timer_hurry(struct tcp_conn *conn);
/* Arm it for the earliest of what active->rto_at_us and the others say. */
void tcp_timer_loss(struct tcp_conn *conn);
/* Watch the user timeout and the keep-alive, as they are set. */
void tcp_timer_user(struct tcp_conn *conn);
void tcp_timer_keep(struct tcp_conn *conn);

/* ---- tcp_time_wait.c ---- */
void tcp_time_wait_add(struct tcp_conn *conn);
bool tcp_time_wait_has(const struct net *net, const struct tcp_tuple *tuple,
                       uint32_t hash);
/* True: the segment belonged to an entry, and is dealt with. */
bool tcp_time_wait_in(struct net *net, const struct tcp_arrival *in);
void tcp_time_wait_init(struct net *net);
void tcp_time_wait_destroy(struct net *net);

#endif
