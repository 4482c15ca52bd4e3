/*
 * net/tcp_buffers.h - how much a connection may hold, for the files of
 * net/tcp_*.c.
 */
#ifndef NET_TCP_BUFFERS_H
#define NET_TCP_BUFFERS_H

#include "net/tcp_conn.h"

static inline uint32_t tcp_least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

enum { TCP_TUNE_CHUNK_SHIFT = 14, TCP_TUNE_TIME_SHIFT = 10 };

/* Received, and not yet read. */
static inline uint32_t tcp_rcv_buffer(const struct tcp_conn *conn)
{
    return tcp_least((uint32_t)conn->tune.chunks << TCP_TUNE_CHUNK_SHIFT,
                     tcp_config_of(conn)->rcv_buf_bytes);
}
void tcp_rcv_begin(struct tcp_conn *conn);

/* `read` bytes were read in a round trip, which is much: more room for the
 * next. */
void tcp_rcv_grow(struct tcp_conn *conn, uint32_t read);

/* Whether a round trip has passed since the measurement began. It may be taken
 * for less than it is (the clock wraps after a minute), and so begin a little
 * later. */
static inline bool tcp_rcv_measured(const struct tcp_conn *conn, uint16_t now)
{
    uint32_t rtt_us = conn->srtt_us ? conn->srtt_us : conn->rto_us;
    uint16_t passed = (uint16_t)(now - conn->tune.since);

    return passed > 0 && (passed >= UINT16_MAX / 2 ||
                          passed >= rtt_us >> TCP_TUNE_TIME_SHIFT);
}

/* The application has read: whether the next time it may be more. */
static INLINE void tcp_rcv_tune(struct tcp_conn *conn)
{
    uint32_t read_seq = conn->rcv.nxt - conn->rcv_queue.bytes;
    uint32_t read = read_seq - conn->tune.seq;
    uint16_t now = (uint16_t)(conn->net->now_us >> TCP_TUNE_TIME_SHIFT);

    if (!tcp_rcv_measured(conn, now))
        return;
    conn->tune.seq = read_seq;
    conn->tune.since = now;
    if (read > tcp_rcv_buffer(conn) / 4)
        tcp_rcv_grow(conn, read);
}

/* Queued, and not yet acknowledged. The second is for one that has grown. */
uint32_t tcp_snd_buffer_grown(const struct tcp_conn *conn);
static inline uint32_t tcp_snd_buffer(const struct tcp_conn *conn)
{
    const struct tcp_config *config = tcp_config_of(conn);
    uint32_t begin = config->snd_buf_begin_bytes;

    if (2 * conn->cwnd > begin)
        return tcp_snd_buffer_grown(conn);
    return begin < config->snd_buf_bytes ? begin : config->snd_buf_bytes;
}

/* Whether `cost` more bytes of memory may be held, if need be at the expense
 * of other connections. */
static inline bool tcp_pressure_admits(struct tcp_conn *conn, uint32_t cost)
{
    return tcp_budget_has(&tcp_of(conn)->budget, cost) ||
           tcp_pressure_makes_room(conn, cost);
}

/* The same for what is to be sent. Who sends leaves the last of it to who
 * receives: two ends that send, and had it all, would each refuse the text
 * that the other's ACK comes with. */
static inline bool tcp_pressure_admits_send(struct tcp_conn *conn,
                                            uint32_t cost)
{
    enum { RECEIVED_BYTES = 8192 };

    return tcp_pressure_admits(conn, cost + RECEIVED_BYTES);
}

#endif
