/*
 * tests/host/peer_seen.c - what can be seen, as a sum.
 */
#include "tests/host/peer_seen.h"

static uint64_t add(uint64_t sum, const void *data, size_t len)
{
    const uint8_t *at = data;

    for (size_t i = 0; i < len; i++)
        sum = (sum ^ at[i]) * 0x100000001b3u;
    return sum;
}

#define ADD(sum, value) ((sum) = add((sum), &(value), sizeof(value)))

static uint64_t add_segment(uint64_t sum, const struct peer_seg *seg)
{
    ADD(sum, seg->src_port);
    ADD(sum, seg->dst_port);
    ADD(sum, seg->seq);
    ADD(sum, seg->ack);
    ADD(sum, seg->window);
    ADD(sum, seg->flags);
    ADD(sum, seg->tos);
    ADD(sum, seg->len);
    ADD(sum, seg->ts_val);
    ADD(sum, seg->ts_ecr);
    ADD(sum, seg->sack_count);
    ADD(sum, seg->sack);
    return add(sum, seg->text, seg->len);
}

static uint64_t add_info(uint64_t sum, const struct tcp_info *info)
{
    ADD(sum, info->state);
    ADD(sum, info->end);
    ADD(sum, info->cwnd_bytes);
    ADD(sum, info->ssthresh_bytes);
    ADD(sum, info->snd_wnd_bytes);
    ADD(sum, info->rcv_wnd_bytes);
    ADD(sum, info->rcv_buf_bytes);
    ADD(sum, info->srtt_us);
    ADD(sum, info->rttvar_us);
    ADD(sum, info->rto_us);
    ADD(sum, info->bytes_sent);
    ADD(sum, info->bytes_received);
    ADD(sum, info->segments_sent);
    ADD(sum, info->segments_received);
    ADD(sum, info->retransmissions);
    ADD(sum, info->in_flight_bytes);
    ADD(sum, info->lost_bytes);
    ADD(sum, info->unsent_bytes);
    ADD(sum, info->unread_bytes);
    ADD(sum, info->ooo_bytes);
    ADD(sum, info->bytes_acked);
    ADD(sum, info->heard_us);
    ADD(sum, info->sent_us);
    ADD(sum, info->keepalive_probes);
    ADD(sum, info->dscp_in);
    return sum;
}

uint64_t peer_seen(struct tcp_peer *peer)
{
    struct net_memory memory = peer_memory(peer);
    struct net_counters counters = *net_counters(peer->net);
    uint64_t sum = 0xcbf29ce484222325u;
    uint64_t next_us = net_next_deadline(peer->net);

    counters.value[NET_COUNT_tcp_predicted] = 0;
    while (peer_take(peer))
        sum = add_segment(sum, &peer->got);
    ADD(sum, counters);
    ADD(sum, next_us);
    ADD(sum, peer->changes);
    ADD(sum, peer->acceptables);
    ADD(sum, memory.buffers);
    ADD(sum, memory.conns);
    ADD(sum, memory.time_waits);
    if (peer->conn) {
        struct tcp_info info = peer_info(peer);

        sum = add_info(sum, &info);
    }
    return sum;
}
