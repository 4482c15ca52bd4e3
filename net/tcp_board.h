/*
 * net/tcp_board.h - what is in flight, and what became of it: the scoreboard.
 *
 * One record for each burst of numbers that left together, in order and
 * without holes from snd.una to snd.nxt. A record is split where a part of it
 * meets another fate, and joined again where fates meet; their number is
 * bounded for each connection (CVE-2019-11478, CVE-2019-5599). The board
 * decides nothing: what is lost is decided in net/tcp_rack.c and
 * net/tcp_loss.c.
 *
 * Source: RFC 6675 2, 4 (pipe); RFC 8985 5.2 (what is kept of a segment).
 */
#ifndef NET_TCP_BOARD_H
#define NET_TCP_BOARD_H

#include "kernel/base.h"
#include "net/tcp_wire.h"

struct tcp_conn;

enum tcp_fate {
    TCP_FLYING, /* 0: sent, and nothing is known of it: counts as in flight */
    TCP_SACKED, /* the peer has it, out of order */
    TCP_LOST    /* taken for lost, and not yet sent again */
};

struct tcp_record {
    struct tcp_record *next, *prev;
    uint32_t seq, end; /* [seq, end) */
    uint64_t sent_us;  /* the last time */
    union {
        struct {
            uint8_t fate; /* enum tcp_fate */
            bool again;   /* sent more than once */
        };
        uint16_t odd; /* not flying, or again: for a look at both */
    };
};

struct tcp_board {
    struct tcp_record *first, *last;
    struct tcp_record *spare; /* for the next burst */
    uint32_t count;
    uint32_t again_count; /* of records that were sent more than once */
    uint32_t sacked_bytes, lost_bytes;
    struct tcp_sack seen[TCP_SACK_BLOCKS_MAX]; /* blocks already marked */
};

/* What an acknowledgement has told. */
struct tcp_news {
    uint32_t acked;     /* numbers that snd.una has advanced by */
    uint32_t delivered; /* numbers that arrived, as far as was not known */
    uint32_t sacked;    /* of these, out of order */
    uint32_t lost;      /* numbers that are taken for lost since */
    uint64_t first_us;  /* when the first of what arrived, and was sent once
                           only, had left; 0: nothing was */
    bool again;         /* what was acknowledged had been sent more than once */
    bool duplicate;     /* RFC 2883: this arrived twice: */
    struct tcp_sack twice;
};

/* What is sent for the first time is recorded in net/tcp_board_new.h. Private
 * to that: a record that is in no list. */
MUST_CHECK struct tcp_record *tcp_board_spare(struct tcp_conn *conn);
/* A record was sent once more. */
void tcp_board_sent_again(struct tcp_conn *conn, struct tcp_record *record);

/* Split a record at `seq`, inside it. Returns: the second part; null: no
 * memory, or too many; nothing is done. */
MUST_CHECK struct tcp_record *
tcp_board_split(struct tcp_conn *conn, struct tcp_record *record, uint32_t seq);
/* The first record that is lost, or null. */
struct tcp_record *tcp_board_lost(const struct tcp_conn *conn);
/* A record that is flying is lost. */
void tcp_board_lose(struct tcp_conn *conn, struct tcp_record *record);
/* Stretches that are lost become one record. */
void tcp_board_join_lost(struct tcp_conn *conn);
/* Everything is lost, but (unless `reneged`) what the peer has. */
void tcp_board_lose_all(struct tcp_conn *conn, bool reneged);
/* Nothing was lost: what was taken for it is flying. */
void tcp_board_lose_none(struct tcp_conn *conn);

/* snd.una has advanced by news->acked: what lies below has arrived. */
void tcp_board_acked(struct tcp_conn *conn, const struct tcp_seg *seg,
                     struct tcp_news *news);
/* The same when all was one record, which went once only; RACK knows. */
void tcp_board_all_arrived(struct tcp_conn *conn);
/* The SACK blocks of an acceptable segment, whatever they say. */
void tcp_board_sacked(struct tcp_conn *conn, const struct tcp_seg *seg,
                      struct tcp_news *news);

void tcp_board_clear(struct tcp_conn *conn);

#endif
