/*
 * net/tcp_ecn.c - explicit congestion notification, both sides.
 *
 * A receiver echoes each mark (CE) with ECE until its sender says with CWR
 * that it has heard; a sender answers ECE as it would a loss, once for each
 * window of data, with nothing to send again. Marks are asked for (ECT) on new
 * text alone. A path that removes all this does no harm: segments are lost
 * again instead of marked.
 *
 * Source: RFC 3168 6.1.
 */
#include "net/tcp_ecn.h"

#include "net/tcp_cc.h"

enum { ECN_FLAGS = TCP_ECE | TCP_CWR };

uint8_t tcp_ecn_syn(const struct tcp_conn *conn)
{
    if (conn->state == TCP_SYN_RECEIVED)
        return conn->ecn ? TCP_ECE : 0;
    /* Sent again without: some networks drop what they do not know (6.1.1.1).
     * One SYN without rules ECN out for good (6.1.1). */
    return tcp_config_of(conn)->ecn == TCP_ECN_ON && !conn->syn_again
               ? ECN_FLAGS
               : 0;
}

bool tcp_ecn_asked(const struct tcp_config *config,
                   const struct tcp_arrival *in)
{
    /* A SYN that is marked itself comes over a path that marks all. */
    return (in->seg.flags & ECN_FLAGS) == ECN_FLAGS &&
           in->ecn == IPV4_ECN_NOT && config->ecn != TCP_ECN_OFF;
}

void tcp_ecn_take_syn(struct tcp_conn *conn, const struct tcp_arrival *in)
{
    if (in->seg.flags & TCP_ACK)
        conn->ecn = (in->seg.flags & ECN_FLAGS) == TCP_ECE && tcp_ecn_syn(conn);
    else
        conn->ecn = tcp_ecn_asked(tcp_config_of(conn), in);
}

bool tcp_ecn_concerns(const struct tcp_conn *conn, const struct tcp_arrival *in)
{
    return conn->ecn && (in->ecn == IPV4_ECN_CE ||
                         (conn->active && conn->active->cwr_flying));
}

bool tcp_ecn_reduced(const struct tcp_conn *conn)
{
    return conn->cwr_due || (conn->active && conn->active->cwr_flying);
}

/* The peer has seen marks in what it acknowledges. Before snd.una moves: what
 * was in flight counts. */
enum tcp_verdict tcp_in_echo(struct tcp_conn *conn, struct tcp_arrival *in)
{
    const struct tcp_seg *seg = &in->seg;

    if (!conn->ecn || !(seg->flags & TCP_ACK) ||
        seg->ack - conn->snd.una > tcp_flight(conn))
        return TCP_GO_ON;
    if (conn->active && seq_lt(conn->active->cwr_seq, seg->ack))
        conn->active->cwr_flying = false;
    if (!(seg->flags & TCP_ECE) || tcp_ecn_reduced(conn))
        return TCP_GO_ON;
    tcp_count(conn, tcp_ecn_reduced);
    tcp_cc_marked(conn);
    return TCP_GO_ON;
}

enum tcp_verdict tcp_in_mark(struct tcp_conn *conn, struct tcp_arrival *in)
{
    if (!conn->ecn || in->seg.text_bytes == 0)
        return TCP_GO_ON; /* marks and CWR are on text: 6.1.4, 6.1.2 */
    if (in->seg.flags & TCP_CWR)
        conn->ece = false;
    if (in->ecn == IPV4_ECN_CE) {
        tcp_count(conn, tcp_ecn_marked);
        conn->ece = true;
        conn->ack_now = true;
    }
    return TCP_GO_ON;
}

struct tcp_ecn_marks tcp_ecn_mark_some(const struct tcp_conn *conn,
                                       uint32_t seq, uint32_t text_bytes,
                                       uint8_t flags)
{
    if (conn->ece)
        flags |= TCP_ECE;
    /* Not on what is sent again, nor on probes: 6.1.5, 6.1.6. */
    if (text_bytes == 0 || seq != conn->snd.nxt || conn->probe_now)
        return (struct tcp_ecn_marks){flags, IPV4_ECN_NOT};
    if (conn->cwr_due)
        flags |= TCP_CWR;
    return (struct tcp_ecn_marks){flags, IPV4_ECN_ECT0};
}

void tcp_ecn_sent(struct tcp_conn *conn, uint32_t seq, uint8_t flags)
{
    if (!(flags & TCP_CWR) || flags & TCP_SYN)
        return;
    conn->cwr_due = false;
    conn->active->cwr_flying = true;
    conn->active->cwr_seq = seq;
}
