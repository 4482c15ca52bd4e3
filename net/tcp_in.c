/*
 * net/tcp_in.c - a segment arrives on a synchronized connection.
 *
 * The RFC describes this as eight checks in a fixed order. The order matters
 * (the sequence check must guard the RST check), so it is written down once,
 * as the table `steps`, and each check is a function that looks at one thing.
 * Security (third) does not exist any more.
 *
 * Source: RFC 9293 3.10.7.4; RFC 5961 3 to 5; RFC 7323 5.3.
 */
#include "net/siphash.h"
#include "net/tcp_conn.h"
#include "net/tcp_ecn.h"
#include "net/tcp_paws.h"
#include "net/tcp_sack.h"

enum tcp_verdict tcp_in_refuse(struct tcp_conn *conn, const struct tcp_seg *seg)
{
    /* What it says needs not be acceptable to show that the peer is there. One
     * whose text fills our window and is lost answers keep-alive probes with
     * the number at the window's edge. */
    if (seg->flags & TCP_ACK &&
        conn->snd.nxt - seg->ack <= tcp_flight(conn) + conn->snd.wnd_max)
        tcp_conn_heard(conn);
    if (seg->text_bytes)
        tcp_sack_duplicate(conn, seg->seq,
                           seq_min(seg->seq + seg->text_bytes, conn->rcv.nxt));
    /* Text is answered always: its sender has a timer. Bare acknowledgements
     * only so often: two ends that disagree would never stop. */
    return tcp_seg_len(seg) ? TCP_REPLY_ACK : TCP_CHALLENGE;
}

static COLD enum tcp_verdict unacceptable(struct tcp_conn *conn,
                                          const struct tcp_seg *seg)
{
    if (seg->flags & TCP_RST) {
        tcp_count(conn, tcp_rst_inexact);
        return TCP_DROP;
    }
    if (seg->flags & TCP_SYN && conn->state == TCP_SYN_RECEIVED)
        conn->ecn = conn->ecn && seg->flags & TCP_ECE; /* RFC 3168 6.1.1 */
    if (seq_leq(seg->seq + tcp_seg_len(seg), conn->rcv.nxt))
        tcp_count(conn, tcp_duplicate);
    else
        tcp_count(conn, tcp_out_of_window);
    return tcp_in_refuse(conn, seg);
}

/*
 * First. A segment is acceptable when part of it lies in the window. The RFC
 * asks for its first or last number in it, and so refuses one that covers the
 * window on both sides; we take what fits of that one too. A bare ACK exactly
 * at the window's edge is refused, as the RFC's table says ("RCV.NXT =< SEG.SEQ
 * < RCV.NXT+RCV.WND"); Linux takes it. It comes from a peer whose text that
 * fills the window was lost: what it acknowledges comes again with that.
 */
static enum tcp_verdict check_sequence(struct tcp_conn *conn,
                                       struct tcp_arrival *in)
{
    struct tcp_seg *seg = &in->seg;
    uint32_t len = tcp_seg_len(seg);
    uint32_t window = tcp_rcv_window(conn);

    if (seg->flags & TCP_RST)
        len = 0; /* only where it begins counts: RFC 5961 3.2 */
    if (window == 0) {
        if (seg->seq != conn->rcv.nxt)
            return unacceptable(conn, seg);
        if (len > 0) { /* a probe: its ACK, RST and URG count, MUST-66 */
            conn->ack_now = true;
            seg->flags &= (uint8_t)~TCP_FIN;
        }
        return TCP_GO_ON;
    }
    if (len == 0)
        return seg->seq - conn->rcv.nxt < window ? TCP_GO_ON
                                                 : unacceptable(conn, seg);
    return seq_lt(conn->rcv.nxt, seg->seq + len) &&
                   seq_lt(seg->seq, conn->rcv.edge)
               ? TCP_GO_ON
               : unacceptable(conn, seg);
}

/* Second. Only the exact number kills: RFC 5961 3.2. */
static enum tcp_verdict check_rst(struct tcp_conn *conn, struct tcp_arrival *in)
{
    if (!(in->seg.flags & TCP_RST))
        return TCP_GO_ON;
    if (in->seg.seq != conn->rcv.nxt) {
        tcp_count(conn, tcp_rst_inexact);
        return TCP_CHALLENGE;
    }
    tcp_count(conn, tcp_reset_rx);
    tcp_conn_end(conn, conn->state == TCP_SYN_RECEIVED ? TCP_END_REFUSED
                                                       : TCP_END_RESET);
    return TCP_GONE;
}

/* Fourth. RFC 5961 4.2, in SYN-RECEIVED too: the RFC would return a passive
 * connection to LISTEN there, by which anybody could end a half-open one. */
static enum tcp_verdict check_syn(struct tcp_conn *conn, struct tcp_arrival *in)
{
    if (!(in->seg.flags & TCP_SYN))
        return TCP_GO_ON;
    tcp_count(conn, tcp_syn_in_window);
    return TCP_CHALLENGE;
}

typedef enum tcp_verdict step_fn(struct tcp_conn *conn, struct tcp_arrival *in);

static step_fn *const steps[] = {
    tcp_in_paws,      /* RFC 7323 5.3 R1 */
    check_sequence,   /* first */
    tcp_in_ts_recent, /* RFC 7323 5.3 R3 */
    check_rst,        /* second */
    check_syn,        /* fourth */
    tcp_in_echo,      /* RFC 3168 6.1.2 */
    tcp_in_ack,       /* fifth */
    tcp_in_mark,      /* RFC 3168 6.1.3 */
    tcp_in_urgent,    /* sixth */
    tcp_in_text,      /* seventh */
    tcp_in_fin,       /* eighth */
};

/* The same from the sixth on, for what comes with a SYN-ACK. */
static step_fn *const steps_of_syn_sent[] = {tcp_in_syn_sent, tcp_in_urgent,
                                             tcp_in_text, tcp_in_fin};

/*
 * ... and for a segment exactly in its turn that tcp_predict.c has left: what
 * acknowledges a part of the flight, or ends a connection of which somebody has
 * the handle. The steps that are left out would say TCP_GO_ON: it begins at
 * RCV.NXT and fits the window (first), has no RST, SYN or URG (second, fourth,
 * sixth), its timestamp is not older (PAWS), and nothing of it concerns ECN.
 * None of them asks for the state. A step that is added stands here too, or
 * is_expected() asks what it would ask.
 */
static step_fn *const steps_of_expected[] = {tcp_in_ts_recent, tcp_in_ack,
                                             tcp_in_text, tcp_in_fin};

static bool is_expected(const struct tcp_conn *conn,
                        const struct tcp_arrival *in)
{
    const struct tcp_seg *seg = &in->seg;

    return (seg->flags & ~(TCP_PSH | TCP_FIN)) == TCP_ACK &&
           seg->seq == conn->rcv.nxt && conn->state != TCP_SYN_SENT &&
           seg->text_bytes < tcp_rcv_window(conn) &&
           seg->has_timestamps == conn->timestamps &&
           !(conn->timestamps && seq_lt(seg->ts_val, conn->ts.recent)) &&
           !(conn->active && conn->active->fin_early) &&
           !tcp_ecn_concerns(conn, in);
}

/* How many may be sent in that second: about as many as was asked for, and
 * nobody can tell how many. One who could count them would learn from a
 * connection's limit what has hit it (CVE-2016-5696). */
static uint32_t challenges_max(const struct tcp_conn *conn, uint8_t second)
{
    uint32_t about = tcp_config_of(conn)->challenge_acks_per_second;
    uint32_t what[2] = {conn->iss, second};
    uint64_t jitter =
        siphash_1_3(conn->net->tcp.table_key, what, sizeof(what)) % (about + 1);

    return about / 2 + (uint32_t)jitter + (about == 1 ? 1 : 0);
}

static COLD void challenge(struct tcp_conn *conn)
{
    uint8_t second = (uint8_t)(conn->net->now_us / 1000000);

    if (conn->challenge_second != second) {
        conn->challenge_second = second;
        conn->challenges = 0;
    }
    if (conn->challenges >= challenges_max(conn, second)) {
        tcp_count(conn, tcp_challenge_limited);
        return;
    }
    conn->challenges++;
    tcp_count(conn, tcp_challenge_ack);
    conn->ack_now = true;
}

static void obey(struct tcp_conn *conn, struct tcp_arrival *in,
                 enum tcp_verdict verdict)
{
    switch (verdict) {
    case TCP_GO_ON:
        tcp_conn_heard(conn);
        conn->dscp_in = in->dscp;
        break;
    case TCP_REPLY_ACK:
        conn->ack_now = true;
        break;
    case TCP_CHALLENGE:
        challenge(conn);
        break;
    case TCP_REPLY_RST:
        tcp_reset_reply(conn->net, in);
        break;
    case TCP_DROP:
        break;
    case TCP_GONE:
        return;
    }
    if (conn->ack_now)
        tcp_conn_wants_flush(conn);
}

void tcp_in_conn(struct tcp_conn *conn, struct tcp_arrival *in)
{
    step_fn *const *step = steps;
    size_t count = ARRAY_LEN(steps);
    enum tcp_verdict verdict = TCP_GO_ON;

    if (is_expected(conn, in)) {
        step = steps_of_expected;
        count = ARRAY_LEN(steps_of_expected);
    } else if (conn->state == TCP_SYN_SENT) {
        step = steps_of_syn_sent;
        count = ARRAY_LEN(steps_of_syn_sent);
    }
    conn->segments_received++;
    for (size_t i = 0; i < count && verdict == TCP_GO_ON; i++)
        verdict = step[i](conn, in);
    obey(conn, in, verdict);
}
