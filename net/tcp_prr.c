/*
 * net/tcp_prr.c - proportional rate reduction: cwnd while losses are repaired.
 *
 * For each byte that arrives so much is sent that what is in flight has come
 * down to ssthresh when recovery ends, without a pause and without a burst.
 * Below ssthresh no more is sent than arrives, and one segment more while
 * repair goes well.
 *
 * Source: RFC 9937 6, 7.
 */
#include "net/tcp_board.h"
#include "net/tcp_conn.h"
#include "net/tcp_loss.h"

void tcp_prr_begin(struct tcp_conn *conn, const struct tcp_news *news)
{
    const struct tcp_board *board = &conn->active->board;

    /* What was in flight before this acknowledgement, less what is known to
     * have arrived: that will not be delivered again. */
    conn->active->prr = (struct tcp_prr){
        .flight = tcp_flight(conn) + news->acked -
                  (board->sacked_bytes - news->sacked),
    };
}

/* ceil(delivered * ssthresh / flight) */
static uint64_t proportion(const struct tcp_conn *conn)
{
    const struct tcp_prr *prr = &conn->active->prr;
    uint32_t flight = prr->flight ? prr->flight : 1;

    return ((uint64_t)prr->delivered * conn->ssthresh + flight - 1) / flight;
}

void tcp_prr_acked(struct tcp_conn *conn, const struct tcp_news *news)
{
    struct tcp_prr *prr = &conn->active->prr;
    uint32_t pipe = tcp_pipe(conn);
    uint64_t may;

    if (news->delivered == 0 && news->lost == 0)
        return;
    prr->delivered += news->delivered;
    if (pipe > conn->ssthresh) {
        may = proportion(conn);
        may = may > prr->out ? may - prr->out : 0;
    } else {
        uint32_t most = conn->ssthresh - pipe;

        may = prr->delivered > prr->out ? prr->delivered - prr->out : 0;
        if (may < news->delivered)
            may = news->delivered;
        if (news->acked && news->lost == 0) /* SafeACK */
            may += conn->mss;
        may = may < most ? may : most;
    }
    if (prr->out == 0 && may < conn->mss) /* the fast retransmission */
        may = conn->mss;
    conn->cwnd = pipe + (uint32_t)may;
    /* Something has to bring acknowledgements: RFC 5681's loss window. */
    if (conn->cwnd < conn->mss)
        conn->cwnd = conn->mss;
}
