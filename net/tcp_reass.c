/*
 * net/tcp_reass.c - text that came before its turn.
 *
 * A list of pieces between holes, ordered, never overlapping or touching.
 * Where two segments disagree about a byte, the one that came first counts.
 * Bounded in pieces (net.config.tcp.ooo_pieces_max) and in memory: what does
 * not fit is dropped and comes again. A segment that fills the first hole is
 * never refused for the number of pieces, so there is always progress.
 *
 * Source: RFC 9293 3.10.7.4 (SHLD-31); CVE-2018-5390 for the bounds.
 */
#include "net/tcp_conn.h"
#include "net/tcp_sack.h"

enum { COPY_BYTES_MAX = 1024 };

static uint32_t piece_end(const struct tcp_piece *piece)
{
    return piece->seq + piece->queue.bytes;
}

/* What a segment was for is told first: RFC 2018 4. */
static void touch(struct tcp_active *active, struct tcp_piece *piece)
{
    piece->changed = ++active->changes;
    piece->untold = true;
}

/* Append to a piece, copying what is small. Takes the text. */
static void append(struct tcp_conn *conn, struct tcp_piece *piece,
                   struct buffer *text, uint32_t bytes)
{
    if (bytes > COPY_BYTES_MAX || !tcp_queue_copy(&piece->queue, text, bytes))
        tcp_queue_push(&piece->queue, text, &tcp_of(conn)->budget);
}

static struct tcp_piece *piece_insert(struct tcp_conn *conn,
                                      struct tcp_piece *before, uint32_t seq)
{
    struct tcp_active *active = conn->active;
    struct tcp_piece **link = before ? &before->next : &active->pieces;
    struct tcp_piece *piece;

    if (active->piece_count >= tcp_config_of(conn)->ooo_pieces_max)
        return NULL;
    piece = pool_alloc(&tcp_of(conn)->pieces);
    if (!piece)
        return NULL;
    *piece = (struct tcp_piece){.next = *link, .seq = seq};
    *link = piece;
    active->piece_count++;
    if (active->piece_count == 1)
        tcp_holder_disordered(conn, true);
    return piece;
}

/* Join a piece with the next one, if the hole between them is closed. */
static void close_hole(struct tcp_conn *conn, struct tcp_piece *piece)
{
    struct tcp_piece *next = piece->next;

    if (!next || piece_end(piece) != next->seq)
        return;
    tcp_queue_join(&piece->queue, &next->queue);
    piece->next = next->next;
    conn->active->piece_count--;
    pool_free(next);
}

/* Split a chain after `bytes`, less than all of it: the front is left in
 * *chain. Returns the rest; null: no memory, nothing is done. */
static struct buffer *split(struct tcp_conn *conn, struct buffer *chain,
                            uint32_t bytes)
{
    struct buffer *rest;

    while (chain->len < bytes) {
        bytes -= chain->len;
        chain = chain->next;
    }
    if (chain->len == bytes) {
        rest = chain->next;
    } else {
        rest = buffer_slice(conn->net->pool, chain, bytes, chain->len - bytes);
        if (!rest)
            return NULL;
        rest->next = chain->next;
        buffer_trim(chain, chain->len - bytes);
    }
    chain->next = NULL;
    return rest;
}

/* Put `bytes` of text into the hole behind `before` (null: the first). */
static bool fill(struct tcp_conn *conn, struct tcp_piece *before, uint32_t seq,
                 struct buffer *text, uint32_t bytes)
{
    struct tcp_piece *piece = before;

    if (!before || piece_end(before) != seq)
        piece = piece_insert(conn, before, seq);
    if (!piece) {
        tcp_count(conn, tcp_ooo_full);
        buffer_release(text);
        return false;
    }
    append(conn, piece, text, bytes);
    touch(conn->active, piece);
    close_hole(conn, piece);
    return true;
}

/* The last piece that begins at or before `seq`, or null. */
static struct tcp_piece *piece_before(const struct tcp_active *active,
                                      uint32_t seq)
{
    struct tcp_piece *before = NULL;

    for (struct tcp_piece *at = active->pieces; at && seq_leq(at->seq, seq);
         at = at->next)
        before = at;
    return before;
}

/* Bytes each before the last come one to a chunk: a window of them would hold
 * a thousand times what it shows. */
static bool has_room(struct tcp_conn *conn, uint32_t cost)
{
    const struct tcp_piece *piece = conn->active ? conn->active->pieces : NULL;
    uint32_t held = cost;

    for (; piece; piece = piece->next) /* ooo_pieces_max of them */
        held += piece->queue.held + (uint32_t)sizeof(*piece);
    return held <= tcp_text_held_max(conn) &&
           tcp_budget_has(&tcp_of(conn)->budget, cost);
}

void tcp_reass_add(struct tcp_conn *conn, uint32_t seq, struct buffer *text,
                   uint32_t bytes)
{
    if (!has_room(conn, tcp_queue_cost(text)) || !tcp_conn_activate(conn)) {
        tcp_count(conn, tcp_ooo_full);
        buffer_release(text);
        return;
    }
    while (text) {
        struct tcp_piece *before = piece_before(conn->active, seq);
        struct tcp_piece *after = before ? before->next : conn->active->pieces;
        struct buffer *rest = NULL;
        uint32_t have = before ? seq_after(seq, piece_end(before)) : 0;
        uint32_t part = bytes;

        if (have) { /* we have that already */
            have = have < bytes ? have : bytes;
            tcp_sack_duplicate(conn, seq, seq + have);
            touch(conn->active, before);
            text = tcp_chain_drop(text, have);
            seq += have;
            bytes -= have;
            continue;
        }
        if (after && seq_lt(after->seq, seq + bytes)) {
            part = after->seq - seq;
            rest = split(conn, text, part);
            if (!rest)
                break;
        }
        if (!fill(conn, before, seq, text, part))
            text = NULL;
        if (!text) {
            buffer_release(rest);
            break;
        }
        text = rest;
        seq += part;
        bytes -= part;
    }
    buffer_release(text);
    tcp_conn_rest(conn);
}

static void piece_drop_first(struct tcp_conn *conn)
{
    struct tcp_piece *piece = conn->active->pieces;

    tcp_queue_clear(&piece->queue, &tcp_of(conn)->budget);
    conn->active->pieces = piece->next;
    conn->active->piece_count--;
    if (conn->active->piece_count == 0)
        tcp_holder_disordered(conn, false);
    pool_free(piece);
}

void tcp_reass_deliver(struct tcp_conn *conn)
{
    struct tcp_active *active = conn->active;
    struct tcp_piece *piece;

    while ((piece = active->pieces) && seq_leq(piece->seq, conn->rcv.nxt)) {
        uint32_t old = conn->rcv.nxt - piece->seq;

        if (old < piece->queue.bytes) {
            tcp_queue_drop(&piece->queue, old, &tcp_of(conn)->budget);
            conn->rcv.nxt += piece->queue.bytes;
            conn->bytes_received += piece->queue.bytes;
            tcp_queue_pack(&conn->rcv_queue, &piece->queue, conn->net->pool,
                           &tcp_of(conn)->budget);
        }
        piece_drop_first(conn);
    }
    tcp_conn_rest(conn);
}

void tcp_reass_clear(struct tcp_conn *conn)
{
    while (conn->active->pieces)
        piece_drop_first(conn);
    conn->active->fin_early = false;
}
