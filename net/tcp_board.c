/*
 * net/tcp_board.c - records of what is in flight.
 *
 * A walk over all records costs at most RECORDS_MAX steps, a segment at most
 * one walk for each block that it has and the one before had not.
 *
 * Source: RFC 2018 5; RFC 2883 4, 5; RFC 6675 4; RFC 8985 5.2.
 */
#include "net/tcp_board.h"

#include "net/tcp_conn.h"
#include "net/tcp_rack.h"

enum {
    RECORDS_MAX = 1024,
    RECORDS_KEPT = 64 /* of these, not for splitting */
};

static uint32_t length(const struct tcp_record *record)
{
    return record->end - record->seq;
}

/* ---- the list ---- */

/* The spare counts: it is on the list without another question. */
static struct tcp_record *record_alloc(struct tcp_conn *conn, uint32_t most)
{
    const struct tcp_board *board = &conn->active->board;

    if (board->count + (board->spare != NULL) >= most)
        return NULL;
    return pool_alloc(&tcp_of(conn)->records);
}

static void insert_behind(struct tcp_board *board, struct tcp_record *before,
                          struct tcp_record *record)
{
    record->prev = before;
    record->next = before->next;
    if (record->next)
        record->next->prev = record;
    else
        board->last = record;
    before->next = record;
    board->count++;
    board->again_count += record->again;
}

/* A record that is not needed any more. */
static INLINE void give(struct tcp_board *board, struct tcp_record *record)
{
    if (board->spare)
        pool_free(record);
    else
        board->spare = record;
}

static void drop(struct tcp_board *board, struct tcp_record *record)
{
    if (record->prev)
        record->prev->next = record->next;
    else
        board->first = record->next;
    if (record->next)
        record->next->prev = record->prev;
    else
        board->last = record->prev;
    board->count--;
    board->again_count -= record->again;
    give(board, record);
}

/* Count `bytes` of a record's fate, once more or once less. */
static void tally(struct tcp_board *board, enum tcp_fate fate, uint32_t bytes)
{
    if (fate == TCP_SACKED)
        board->sacked_bytes += bytes;
    if (fate == TCP_LOST)
        board->lost_bytes += bytes;
}

static void set_fate(struct tcp_board *board, struct tcp_record *record,
                     enum tcp_fate fate)
{
    tally(board, (enum tcp_fate)record->fate, 0u - length(record));
    record->fate = (uint8_t)fate;
    tally(board, fate, length(record));
}

/* Whether nothing that is still of use tells two records apart. */
static bool alike(const struct tcp_record *a, const struct tcp_record *b)
{
    if (a->fate != b->fate)
        return false;
    return a->fate == TCP_SACKED ||
           (a->sent_us == b->sent_us && a->again == b->again);
}

/* Join a record with the one before it, if they are alike. */
static struct tcp_record *join(struct tcp_board *board,
                               struct tcp_record *record)
{
    struct tcp_record *before = record->prev;

    if (!before || !alike(before, record))
        return record;
    before->end = record->end;
    drop(board, record);
    return before;
}

static COLD struct tcp_record *split(struct tcp_conn *conn,
                                     struct tcp_record *record, uint32_t seq,
                                     uint32_t most)
{
    struct tcp_record *rest = record_alloc(conn, most);

    if (!rest)
        return NULL;
    *rest = *record;
    rest->seq = seq;
    record->end = seq;
    insert_behind(&conn->active->board, record, rest);
    return rest;
}

struct tcp_record *tcp_board_split(struct tcp_conn *conn,
                                   struct tcp_record *record, uint32_t seq)
{
    return split(conn, record, seq, RECORDS_MAX);
}

/* ---- sent ---- */

COLD struct tcp_record *tcp_board_spare(struct tcp_conn *conn)
{
    struct tcp_board *board = &conn->active->board;

    board->spare = record_alloc(conn, RECORDS_MAX);
    return board->spare;
}

void tcp_board_sent_again(struct tcp_conn *conn, struct tcp_record *record)
{
    struct tcp_board *board = &conn->active->board;

    set_fate(board, record, TCP_FLYING);
    record->sent_us = conn->net->now_us;
    board->again_count += !record->again;
    record->again = true;
    join(board, record);
}

/* ---- lost ---- */

struct tcp_record *tcp_board_lost(const struct tcp_conn *conn)
{
    struct tcp_record *record = conn->active->board.first;

    if (conn->active->board.lost_bytes == 0)
        return NULL;
    while (record->fate != TCP_LOST)
        record = record->next;
    return record;
}

void tcp_board_lose(struct tcp_conn *conn, struct tcp_record *record)
{
    set_fate(&conn->active->board, record, TCP_LOST);
}

static void change_all(struct tcp_board *board, enum tcp_fate from,
                       enum tcp_fate to)
{
    struct tcp_record *next;

    for (struct tcp_record *at = board->first; at; at = next) {
        if (at->fate == from)
            set_fate(board, at, to);
        next = join(board, at)->next;
    }
}

/* What is lost by time-out goes again as one, whenever it had left: few
 * records, and room for what is to come. When each left is forgotten, so they
 * count as sent more than once. */
void tcp_board_join_lost(struct tcp_conn *conn)
{
    struct tcp_board *board = &conn->active->board;
    struct tcp_record *at = board->first;

    while (at && at->next) {
        struct tcp_record *next = at->next;

        if (at->fate != TCP_LOST || next->fate != TCP_LOST) {
            at = next;
            continue;
        }
        board->again_count += !at->again;
        at->again = true;
        at->end = next->end;
        drop(board, next);
    }
}

void tcp_board_lose_all(struct tcp_conn *conn, bool reneged)
{
    struct tcp_board *board = &conn->active->board;

    if (reneged) {
        change_all(board, TCP_SACKED, TCP_LOST);
        for (uint32_t i = 0; i < TCP_SACK_BLOCKS_MAX; i++)
            board->seen[i] = (struct tcp_sack){0};
    }
    change_all(board, TCP_FLYING, TCP_LOST);
    tcp_board_join_lost(conn);
}

void tcp_board_lose_none(struct tcp_conn *conn)
{
    change_all(&conn->active->board, TCP_LOST, TCP_FLYING);
}

/* ---- arrived ---- */

/* The part of a record up to `end` has arrived, and was not known to. */
static void arrived(struct tcp_conn *conn, const struct tcp_seg *seg,
                    const struct tcp_record *record, uint32_t end,
                    struct tcp_news *news)
{
    news->delivered += end - record->seq;
    if (!record->again && news->first_us == 0)
        news->first_us = record->sent_us;
    tcp_rack_delivered(conn, seg, record, end);
}

void tcp_board_acked(struct tcp_conn *conn, const struct tcp_seg *seg,
                     struct tcp_news *news)
{
    struct tcp_board *board = &conn->active->board;
    struct tcp_record *record;

    while ((record = board->first) && seq_lt(record->seq, conn->snd.una)) {
        uint32_t end = seq_min(record->end, conn->snd.una);

        news->again |= record->again;
        if (record->fate != TCP_SACKED)
            arrived(conn, seg, record, end, news);
        tally(board, (enum tcp_fate)record->fate, record->seq - end);
        record->seq = end;
        if (record->seq == record->end)
            drop(board, record);
    }
}

void tcp_board_all_arrived(struct tcp_conn *conn)
{
    struct tcp_active *active = conn->active;
    struct tcp_board *board = &active->board;
    struct tcp_record *record = board->first;
    uint64_t rtt_us = conn->net->now_us - record->sent_us;

    active->rack.sent_us = record->sent_us;
    active->rack.end = record->end;
    active->rack.fack = record->end;
    active->rack.rtt_us = rtt_us < UINT32_MAX ? (uint32_t)rtt_us : UINT32_MAX;
    board->first = board->last = NULL;
    board->count = 0;
    give(board, record);
}

/* Mark what of a record lies in [block.start, block.end). Returns: where to
 * go on; null: no memory for a split, what remains is not marked. */
static struct tcp_record *mark(struct tcp_conn *conn, const struct tcp_seg *seg,
                               const struct tcp_sack *block,
                               struct tcp_record *record, struct tcp_news *news)
{
    struct tcp_board *board = &conn->active->board;
    const uint32_t most = RECORDS_MAX - RECORDS_KEPT;

    if (seq_lt(record->seq, block->start)) {
        record = split(conn, record, block->start, most);
        if (!record)
            return NULL;
    }
    if (seq_lt(block->end, record->end) &&
        !split(conn, record, block->end, most))
        return NULL;
    arrived(conn, seg, record, record->end, news);
    news->sacked += length(record);
    set_fate(board, record, TCP_SACKED);
    record = join(board, record);
    if (record->next)
        join(board, record->next);
    return record;
}

static void mark_block(struct tcp_conn *conn, const struct tcp_seg *seg,
                       const struct tcp_sack *block, struct tcp_news *news)
{
    struct tcp_record *at = conn->active->board.first;

    while (at && seq_lt(at->seq, block->end)) {
        if (at->fate != TCP_SACKED && seq_lt(block->start, at->end)) {
            at = mark(conn, seg, block, at, news);
            if (!at)
                return;
        }
        at = at->next;
    }
}

static bool is_known(const struct tcp_board *board,
                     const struct tcp_sack *block)
{
    for (uint32_t i = 0; i < TCP_SACK_BLOCKS_MAX; i++)
        if (board->seen[i].start == block->start &&
            board->seen[i].end == block->end)
            return true;
    return false;
}

/* RFC 2883 4: the first block is of text that came twice, if it lies below
 * the acknowledgement or in the second block. */
static bool is_duplicate(const struct tcp_seg *seg)
{
    const struct tcp_sack *first = &seg->sack[0], *second = &seg->sack[1];

    return seq_leq(first->end, seg->ack) ||
           (seg->sack_count > 1 && seq_leq(second->start, first->start) &&
            seq_leq(first->end, second->end));
}

/* Blocks come newest first. In the order of their numbers, or what arrived in
 * order would look as if it had been overtaken. */
static void sort(const struct tcp_sack *block[], uint32_t count)
{
    for (uint32_t i = 1; i < count; i++)
        for (uint32_t n = i;
             n > 0 && seq_lt(block[n]->start, block[n - 1]->start); n--) {
            const struct tcp_sack *other = block[n];

            block[n] = block[n - 1];
            block[n - 1] = other;
        }
}

void tcp_board_sacked(struct tcp_conn *conn, const struct tcp_seg *seg,
                      struct tcp_news *news)
{
    struct tcp_board *board = &conn->active->board;
    const struct tcp_sack *fresh[TCP_SACK_BLOCKS_MAX];
    uint32_t count = 0;

    for (uint32_t i = 0; i < seg->sack_count; i++) {
        const struct tcp_sack *block = &seg->sack[i];

        if (!seq_lt(block->start, block->end) ||
            seq_lt(conn->snd.nxt, block->end)) {
            tcp_count(conn, tcp_sack_invalid);
        } else if (i == 0 && is_duplicate(seg)) {
            news->duplicate = true;
            news->twice = *block;
        } else if (!seq_lt(conn->snd.una, block->start)) {
            tcp_count(conn, tcp_sack_invalid); /* it would be acknowledged */
        } else if (!is_known(board, block)) {
            fresh[count++] = block;
        }
    }
    sort(fresh, count);
    for (uint32_t i = 0; i < count; i++)
        mark_block(conn, seg, fresh[i], news);
    for (uint32_t i = 0; i < seg->sack_count; i++)
        board->seen[i] = seg->sack[i];
}

void tcp_board_clear(struct tcp_conn *conn)
{
    struct tcp_board *board = &conn->active->board;

    while (board->first)
        drop(board, board->first);
    if (board->spare)
        pool_free(board->spare);
    *board = (struct tcp_board){0};
}
