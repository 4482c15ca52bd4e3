/*
 * net/tcp_sack.c - what we tell a sender about text out of order.
 *
 * The blocks are the pieces of the reassembly queue, the one that changed last
 * first, so that each is told several times before newer ones crowd it out.
 * One that was never told comes before those that were: a batch of segments
 * may make more pieces than an option has room for, and then as many
 * acknowledgements go as it takes. What the sender makes of them is in
 * net/tcp_loss.h.
 *
 * Source: RFC 2018 3, 4; RFC 2883.
 */
#include "net/tcp_sack.h"

#include "net/tcp_conn.h"

static uint32_t count_max(const struct tcp_conn *conn)
{
    return conn->timestamps ? TCP_SACK_BLOCKS_MAX - 1 : TCP_SACK_BLOCKS_MAX;
}

static bool has_duplicate(const struct tcp_active *active)
{
    return active->duplicate.start != active->duplicate.end;
}

uint32_t tcp_sack_some_bytes(const struct tcp_conn *conn)
{
    const struct tcp_active *active = conn->active;
    uint32_t count = active->piece_count + (has_duplicate(active) ? 1 : 0);

    if (count > count_max(conn))
        count = count_max(conn);
    return TCP_SACK_BYTES + count * TCP_SACK_BLOCK_BYTES;
}

/* Whether piece `a` is to be told before `b`. */
static bool is_before(const struct tcp_piece *a, const struct tcp_piece *b)
{
    return a->untold != b->untold ? a->untold : seq_lt(b->changed, a->changed);
}

/* Whether a block from `first` on is this piece. A duplicate that is told may
 * be all of a piece, which is told behind it all the same (RFC 2883 4.2). */
static bool is_told(const struct tcp_seg *seg, uint32_t first,
                    const struct tcp_piece *piece)
{
    for (uint32_t i = first; i < seg->sack_count; i++)
        if (seg->sack[i].start == piece->seq)
            return true;
    return false;
}

static void add(struct tcp_seg *seg, uint32_t start, uint32_t end)
{
    seg->sack[seg->sack_count++] = (struct tcp_sack){start, end};
}

void tcp_sack_fill(const struct tcp_conn *conn, struct tcp_seg *seg)
{
    const struct tcp_active *active = conn->active;
    uint32_t first = has_duplicate(active) ? 1 : 0;

    if (first) /* RFC 2883 4 */
        add(seg, active->duplicate.start, active->duplicate.end);
    for (uint32_t left = active->piece_count;
         left > 0 && seg->sack_count < count_max(conn); left--) {
        const struct tcp_piece *best = NULL;

        for (const struct tcp_piece *at = active->pieces; at; at = at->next)
            if (!is_told(seg, first, at) && (!best || is_before(at, best)))
                best = at;
        if (!best)
            return;
        add(seg, best->seq, best->seq + best->queue.bytes);
    }
}

void tcp_sack_sent(struct tcp_conn *conn, const struct tcp_seg *seg)
{
    struct tcp_active *active = conn->active;

    for (struct tcp_piece *at = active->pieces; at; at = at->next)
        if (is_told(seg, has_duplicate(active) ? 1 : 0, at))
            at->untold = false;
    active->duplicate = (struct tcp_sack){0};
}

bool tcp_sack_owed(const struct tcp_conn *conn)
{
    if (!tcp_sack_has(conn))
        return false;
    for (const struct tcp_piece *at = conn->active->pieces; at; at = at->next)
        if (at->untold)
            return true;
    return false;
}

void tcp_sack_duplicate(struct tcp_conn *conn, uint32_t start, uint32_t end)
{
    if (conn->sack && seq_lt(start, end) && tcp_conn_activate(conn))
        conn->active->duplicate = (struct tcp_sack){start, end};
}
