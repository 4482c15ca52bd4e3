/*
 * net/tcp_buffers.c - how much a connection may hold, each way.
 *
 * A buffer begins small and grows with what the path turns out to carry, so
 * that many slow connections do not hold what one fast one needs. What grows
 * is a promise, not memory: pages are taken when bytes come. Beyond where it
 * begins, no buffer grows to more than a fraction of what the budget of all
 * connections has left.
 *
 * Receiving: when the application has read a quarter of the buffer in a round
 * trip, the buffer becomes four times that: the peer doubles what it sends in
 * each round trip of slow start, and rounds and measurements do not begin
 * together. It never shrinks, for the window must not.
 *
 * Sending: what cwnd lets fly, and as much again for the application to
 * fill meanwhile.
 *
 * Source: RFC 9293 3.8.6 (window management); RFC 7323 1.1 (long fat paths).
 */
#include "net/tcp_buffers.h"

enum { BUDGET_PART = 4 /* of what is left, for one more buffer */ };

/* What the budget lets a buffer grow to. */
static uint32_t budget_limit(const struct tcp_conn *conn)
{
    const struct tcp_budget *budget = &conn->net->tcp.budget;
    size_t left = budget->held_bytes < budget->held_bytes_max
                      ? budget->held_bytes_max - budget->held_bytes
                      : 0;

    return left / BUDGET_PART < UINT32_MAX ? (uint32_t)(left / BUDGET_PART)
                                           : UINT32_MAX;
}

/* At least `bytes`; no less than it was. */
static void set_rcv_buffer(struct tcp_conn *conn, uint32_t bytes)
{
    uint32_t chunks = (bytes >> TCP_TUNE_CHUNK_SHIFT) +
                      (bytes % (1u << TCP_TUNE_CHUNK_SHIFT) > 0);

    if (chunks > UINT16_MAX)
        chunks = UINT16_MAX;
    if (chunks > conn->tune.chunks)
        conn->tune.chunks = (uint16_t)chunks;
}

void tcp_rcv_begin(struct tcp_conn *conn)
{
    set_rcv_buffer(conn, tcp_config_of(conn)->rcv_buf_begin_bytes);
}

COLD void tcp_rcv_grow(struct tcp_conn *conn, uint32_t read)
{
    uint32_t most =
        tcp_least(tcp_config_of(conn)->rcv_buf_bytes, budget_limit(conn));

    set_rcv_buffer(conn, read < most / 4 ? 4 * read : most);
}

/* What it begins with is not asked for. */
uint32_t tcp_snd_buffer_grown(const struct tcp_conn *conn)
{
    const struct tcp_config *config = tcp_config_of(conn);
    uint32_t wish = tcp_least(2 * conn->cwnd, budget_limit(conn));

    if (wish < config->snd_buf_begin_bytes)
        wish = config->snd_buf_begin_bytes;
    return tcp_least(wish, config->snd_buf_bytes);
}
