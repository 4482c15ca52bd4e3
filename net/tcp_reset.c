/*
 * net/tcp_reset.c - RST in answer to a segment that belongs to nobody.
 *
 * Source: RFC 9293 3.5.2 (group 1), 3.10.7.1.
 */
#include "net/tcp_conn.h"
#include "net/tcp_segment.h"

COLD void tcp_reset_reply(struct net *net, const struct tcp_arrival *in)
{
    const struct tcp_seg *seg = &in->seg;
    struct tcp_seg reset = {.flags = TCP_RST};

    if (seg->flags & TCP_RST)
        return;
    if (seg->flags & TCP_ACK) {
        reset.seq = seg->ack;
    } else {
        reset.ack = seg->seq + tcp_seg_len(seg);
        reset.flags |= TCP_ACK;
    }
    net_count(&net->counters, tcp_rst_tx);
    tcp_segment_bare(net, &net->config.tcp, &in->tuple, &reset);
}
