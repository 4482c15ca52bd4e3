/*
 * tests/host/board_check.c - the invariants of net/tcp_board.h.
 *
 * Source: RFC 6675 2, 4; RFC 8985 5.2.
 */
#include "tests/host/board_check.h"

#include "net/tcp_conn.h"

struct sums {
    uint32_t count, again, sacked, lost;
};

static const char *check_record(const struct tcp_conn *conn,
                                const struct tcp_record *record, uint32_t at,
                                struct sums *sums)
{
    if (record->seq != at)
        return "records leave no hole and do not overlap";
    if (!seq_lt(record->seq, record->end))
        return "no record is empty";
    if (record->next && record->next->prev != record)
        return "records are linked both ways";
    if (record->sent_us > conn->net->now_us)
        return "what was sent was sent before now";
    sums->count++;
    sums->again += record->again;
    if (record->fate == TCP_SACKED)
        sums->sacked += record->end - record->seq;
    if (record->fate == TCP_LOST)
        sums->lost += record->end - record->seq;
    return NULL;
}

static const char *check_sums(const struct tcp_conn *conn,
                              const struct sums *sums)
{
    const struct tcp_board *board = &conn->active->board;

    if (sums->count != board->count || sums->count > 1024)
        return "records are counted, and bounded";
    if (sums->again != board->again_count)
        return "records sent more than once are counted";
    if (sums->sacked != board->sacked_bytes)
        return "bytes that the peer has out of order are counted";
    if (sums->lost != board->lost_bytes)
        return "bytes that are lost are counted";
    if (tcp_pipe(conn) > tcp_flight(conn))
        return "no more is in the network than was sent";
    return NULL;
}

const char *board_check(const struct tcp_conn *conn)
{
    const struct tcp_record *last = NULL;
    uint32_t at = conn->snd.una;
    struct sums sums = {0};
    const char *broken;

    if (tcp_opening(conn))
        return NULL;
    if (!conn->active)
        return tcp_flight(conn) ? "what is in flight has records" : NULL;
    for (const struct tcp_record *record = conn->active->board.first; record;
         record = record->next) {
        broken = check_record(conn, record, at, &sums);
        if (broken)
            return broken;
        at = record->end;
        last = record;
    }
    if (at != conn->snd.nxt || last != conn->active->board.last)
        return "records reach to snd.nxt";
    if (tcp_flight(conn) && conn->deadline[TCP_DEADLINE_RTX] == FOREVER)
        return "a timer runs while anything is in flight";
    return check_sums(conn, &sums);
}
