/*
 * net/tcp_loss.h - what an acknowledgement, or its absence, tells of loss.
 *
 * The outcome are records that are lost (net/tcp_board.h), which tcp_out()
 * sends again as far as cwnd admits, one segment of them at once if
 * active->forced. How far cwnd falls and how it grows is the congestion
 * control's business (net/tcp_cc.h), how it moves in between PRR's.
 */
#ifndef NET_TCP_LOSS_H
#define NET_TCP_LOSS_H

#include "kernel/base.h"
#include "net/tcp_wire.h"

struct tcp_conn;

/*
 * An acceptable acknowledgement has come; the active part is there.
 *
 * acked:     numbers that snd.una has just advanced by.
 * duplicate: it is one as RFC 5681 2 defines it.
 */
void tcp_loss_ack(struct tcp_conn *conn, const struct tcp_seg *seg,
                  uint32_t acked, bool duplicate);

/* Something may be lost for want of an acknowledgement of it by now. */
void tcp_loss_reorder_due(struct tcp_conn *conn);

/* The retransmission timer ran out. */
void tcp_loss_timeout(struct tcp_conn *conn);

/* Everything in flight is to be sent again; no sign of congestion. */
void tcp_loss_again(struct tcp_conn *conn);

/* `bytes` have left, `again` or for the first time. */
void tcp_loss_sent(struct tcp_conn *conn, uint32_t bytes, bool again);

/* Whether the next acknowledgement tells that a time-out was a mistake. */
enum tcp_frto {
    TCP_FRTO_OFF,
    TCP_FRTO_FIRST, /* of what went again: then new text goes */
    TCP_FRTO_SECOND /* of what did not */
};

/* Whether a recovery was a mistake. */
struct tcp_undo {
    uint32_t una, end; /* snd.una at its beginning, snd.nxt at its end */
    uint32_t ts;       /* of our first retransmission */
    uint32_t bytes;    /* sent again, and not yet told to have come twice */
    bool possible;
};

/* ---- net/tcp_prr.c: cwnd in recovery ---- */

struct tcp_prr {
    uint32_t delivered, out; /* since recovery began */
    uint32_t flight;         /* RecoverFS */
};

struct tcp_news;
void tcp_prr_begin(struct tcp_conn *conn, const struct tcp_news *news);
void tcp_prr_acked(struct tcp_conn *conn, const struct tcp_news *news);

#endif
