/*
 * tests/sim/check_board.c - what a scoreboard must look like.
 *
 * Source: net/tcp_board.h; RFC 6675 2, 4; RFC 8985 5.2.
 */
#include "net/tcp_conn.h"
#include "tests/sim/check_priv.h"

/* What is counted over the records of one board. */
struct tally {
    uint32_t count, again, sacked, lost;
};

static void check_record(struct check *check, const struct tcp_conn *conn,
                         const struct tcp_record *record, struct tally *tally)
{
    uint32_t bytes = record->end - record->seq;

    if (!seq_lt(record->seq, record->end))
        check_fail(check, conn, "no record is empty");
    if (record->next ? record->next->prev != record
                     : conn->active->board.last != record)
        check_fail(check, conn, "records are joined both ways");
    if (record->sent_us > conn->net->now_us)
        check_fail(check, conn, "what was sent was sent before now");
    tally->count++;
    tally->again += record->again;
    if (record->fate == TCP_SACKED)
        tally->sacked += bytes;
    if (record->fate == TCP_LOST)
        tally->lost += bytes;
}

void check_board(struct check *check, const struct tcp_conn *conn,
                 size_t *records)
{
    const struct tcp_board *board = &conn->active->board;
    struct tally tally = {0};
    uint32_t at = conn->snd.una;

    for (const struct tcp_record *record = board->first; record;
         record = record->next) {
        if (record->seq != at)
            check_fail(check, conn, "records have no holes between them");
        at = record->end;
        check_record(check, conn, record, &tally);
    }
    *records += tally.count + (board->spare != NULL);
    if (at != conn->snd.nxt && !tcp_opening(conn))
        check_fail(check, conn, "records lead from snd.una to snd.nxt");
    if (tally.count != board->count || tally.again != board->again_count ||
        tally.sacked != board->sacked_bytes || tally.lost != board->lost_bytes)
        check_fail(check, conn, "a board counts its records");
}
