/*
 * net/tcp_segment.h - segments out. Private to net/tcp_*.c.
 */
#ifndef NET_TCP_SEGMENT_H
#define NET_TCP_SEGMENT_H

#include "net/tcp_conn.h"
#include "net/tcp_sack.h"

enum tcp_sent {
    TCP_SENT,           /* sent, or lost on the way as on any network */
    TCP_SENT_FULL,      /* the device is full: nothing happened */
    TCP_SENT_NO_MEMORY, /* likewise */
    TCP_SENT_NOTHING    /* there was nothing to send, or no room for it */
};

/* One segment of the connection, with text_bytes from `offset` of `first` on.
 * flags: of an acknowledgement. */
MUST_CHECK enum tcp_sent tcp_segment_send(struct tcp_conn *conn, uint32_t seq,
                                          uint8_t flags, struct buffer *first,
                                          uint32_t offset, uint32_t text_bytes);
/* The same when it has no options but timestamps: nothing is to be told by
 * SACK, and nothing is urgent. */
MUST_CHECK enum tcp_sent tcp_segment_send_usual(struct tcp_conn *conn,
                                                uint32_t seq, uint8_t flags,
                                                struct buffer *first,
                                                uint32_t offset,
                                                uint32_t text_bytes);
/* Our SYN or SYN-ACK, with what we offer. */
MUST_CHECK enum tcp_sent tcp_segment_send_syn(struct tcp_conn *conn,
                                              uint8_t flags);
/* The most text that a segment takes now: what SACK blocks take up is less.
 * At least 1. */
static inline uint32_t tcp_segment_text_max(const struct tcp_conn *conn)
{
    return conn->mss - tcp_sack_bytes(conn);
}
/* The most text that goes at once: where the device makes several segments of
 * it, more than one; and whether it does. */
uint32_t tcp_segments_max(const struct tcp_conn *conn);
bool tcp_segments_by_device(const struct tcp_conn *conn);
/* The same of new text, which we cut if the device does not. */
uint32_t tcp_segments_new_max(const struct tcp_conn *conn);
/* Send new text, more than a segment of it, cut to segments; `flags` are the
 * last one's. text_bytes: how many; on TCP_SENT, how many have left: if fewer,
 * the rest, and FIN, is for the next attempt, which will learn why. */
MUST_CHECK enum tcp_sent tcp_segment_send_many(struct tcp_conn *conn,
                                               uint8_t flags,
                                               struct buffer *first,
                                               uint32_t offset,
                                               uint32_t *text_bytes);
/* Timestamps, if the connection uses them. */
void tcp_segment_stamp(const struct tcp_conn *conn, struct tcp_seg *seg);
/* A segment that belongs to no connection (RST, TIME-WAIT's ACK). */
void tcp_segment_bare(struct net *net, const struct tcp_config *config,
                      const struct tcp_tuple *tuple, struct tcp_seg *seg);

/* ---- tcp_again.c ---- */
/* Send what is lost once more, as much as may go; or, as a probe, the last
 * segment in flight. The active part is there. */
MUST_CHECK enum tcp_sent tcp_again_lost(struct tcp_conn *conn);
MUST_CHECK enum tcp_sent tcp_again_last(struct tcp_conn *conn);

#endif
