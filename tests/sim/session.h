/*
 * tests/sim/session.h - two applications on one connection, and what they
 * expect of it.
 *
 * Each side sends so many bytes of a stream that both can compute, in pieces,
 * stops reading for a while, closes early or late, or aborts. At the end each
 * has read exactly what the other sent, or knows a reason why not.
 */
#ifndef TESTS_SIM_SESSION_H
#define TESTS_SIM_SESSION_H

#include "net/net.h"
#include "net/tcp.h"

struct session_plan {
    uint32_t bytes[2];    /* that each side sends; 0: the client */
    uint32_t piece[2];    /* bytes of a write */
    uint32_t read[2];     /* bytes of a read, at most */
    uint64_t pause_us[2]; /* reads nothing until so long after opening */
    bool close_last[2];   /* closes only after the peer has */
    bool ping_pong;       /* the server sends as much as it has read */
    bool nodelay;
    uint8_t abort_side; /* 0, 1; 2: nobody */
    uint32_t abort_at;  /* after reading so many bytes */
};

struct session_side {
    struct tcp_conn *conn;
    struct net *net;
    uint64_t opened_us;
    uint32_t sent, received;
    bool open, closed, eof, over, aborted;
    enum tcp_end end;
};

struct session {
    struct session_plan plan;
    struct session_side side[2];
    uint16_t client_port;
    uint64_t key;       /* of both streams */
    const char *broken; /* the first expectation that failed, or null */
};

/* The byte at `offset` of what `from` sends. */
uint8_t session_byte(const struct session *session, unsigned from,
                     uint32_t offset);

/* Let both applications do what they can now. Returns: whether they did. */
bool session_step(struct session *session, uint64_t now_us);

/* Whether both have come to their end; their handles are released then. */
bool session_over(const struct session *session);

#endif
