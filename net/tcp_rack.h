/*
 * net/tcp_rack.h - loss by time: what was sent before something that arrived.
 *
 * Source: RFC 8985 6, 7.
 */
#ifndef NET_TCP_RACK_H
#define NET_TCP_RACK_H

#include "kernel/base.h"
#include "net/tcp_board.h"

/* Of what was sent last, of all that has arrived. Names are RFC 8985's. */
struct tcp_rack {
    uint64_t sent_us;   /* RACK.xmit_ts; 0: nothing has arrived */
    uint32_t end;       /* RACK.end_seq */
    uint32_t rtt_us;    /* RACK.rtt */
    uint32_t fack;      /* the highest number that has arrived */
    uint32_t round_end; /* RACK.dsack_round */
    bool in_round;      /* ... is one */
};

/* A record has arrived up to `end`: steps 1 to 3. */
void tcp_rack_delivered(struct tcp_conn *conn, const struct tcp_seg *seg,
                        const struct tcp_record *record, uint32_t end);
/* What an acknowledgement says of reordering: step 4. */
void tcp_rack_adapt(struct tcp_conn *conn, const struct tcp_news *news);
/* RACK_update_reo_wnd(): how long what was sent later may overtake. The active
 * part is there. */
uint32_t tcp_rack_window_us(const struct tcp_conn *conn);
/* Recovery is over. */
void tcp_rack_recovered(struct tcp_conn *conn);
/* Mark what is lost: step 5; sets active->reorder_at_us. Returns: numbers. */
uint32_t tcp_rack_detect(struct tcp_conn *conn);
/* Mark what is lost when the retransmission timer has run out: 6.3. */
void tcp_rack_timeout(struct tcp_conn *conn);

/* ---- net/tcp_probe.c: tail loss probes ---- */

struct tcp_probe {
    uint32_t end; /* TLP.end_seq; active->probe_flying: it is one */
    bool again;   /* TLP.is_retrans */
};

/* Set active->probe_at_us after an acknowledgement, or new text sent. */
void tcp_probe_schedule(struct tcp_conn *conn);
/* That time has come. */
void tcp_probe_now(struct tcp_conn *conn);
/* A probe has left: new text, or the last segment again. */
void tcp_probe_sent(struct tcp_conn *conn, bool again);
/* Returns: whether the probe has repaired a loss that nothing else told of. */
bool tcp_probe_acked(struct tcp_conn *conn, const struct tcp_seg *seg,
                     const struct tcp_news *news);

#endif
