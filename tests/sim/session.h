/*
 * tests/sim/session.h - two applications on one connection, and what they
 * expect of it.
 *
 * Each side sends so many bytes of a stream that both can compute, in pieces,
 * stops reading for a while, closes early or late, aborts, or lets go. They
 * move only when an event of the stack says why, or at a time of their own: an
 * event that is missing is an application that hangs, and it is seen at once.
 */
#ifndef TESTS_SIM_SESSION_H
#define TESTS_SIM_SESSION_H

#include "net/net.h"
#include "net/tcp.h"

enum session_quit {
    QUIT_NEVER,
    QUIT_ABORT,  /* tcp_abort() */
    QUIT_RELEASE /* tcp_release(), whatever may still come */
};

struct session_plan {
    uint8_t host[2];      /* the client's, the server's */
    uint64_t open_us;     /* after the beginning */
    uint32_t bytes[2];    /* that each side sends; 0: the client */
    uint32_t piece[2];    /* bytes of a write */
    uint32_t read[2];     /* bytes of a read, at most */
    uint64_t pause_us[2]; /* reads nothing for so long ... */
    uint32_t pause_at[2]; /* ... once it has read so much */
    bool close_last[2];   /* closes only after the peer has */
    bool drain[2];        /* ... and after all is acknowledged */
    bool ping_pong;       /* the server sends as much as it has read */
    bool nodelay;
    uint8_t quit_side;      /* 0, 1; who quits */
    enum session_quit quit; /* ... and how */
    uint32_t quit_at;       /* after reading so many bytes */
};

struct session;

struct session_side {
    struct session *session;
    struct tcp_conn *conn;
    struct net *net;
    unsigned news;      /* enum tcp_change, told and not yet looked at */
    uint64_t paused_us; /* since when; 0: not yet */
    uint64_t wish_us;   /* acts by itself then; FOREVER: never */
    uint32_t sent, received;
    bool open, closed, eof, over, quit;
    bool wants_room; /* a write was refused */
    bool drains;     /* not all was acknowledged, when asked */
    bool starved;    /* a read was, for lack of memory */
    enum tcp_end end;
};

struct session {
    struct session_plan plan;
    struct session_side side[2];
    uint16_t client_port;
    bool starves;       /* a host of it may give it up for lack of memory */
    uint64_t key;       /* of both streams */
    const char *broken; /* the first expectation that failed, or null */
};

void session_init(struct session *session, const struct session_plan *plan,
                  uint64_t key);

/* A side has its connection: from tcp_connect() or tcp_accept(). */
void session_attach(struct session *session, unsigned me, struct net *net,
                    struct tcp_conn *conn);

/* For net_host.tcp_event. */
void session_event(void *context, struct tcp_conn *conn, unsigned changes);

/* The byte at `offset` of what `from` sends. */
uint8_t session_byte(const struct session *session, unsigned from,
                     uint32_t offset);

/* Let one side do what it has reason to. Returns: whether it did anything. */
bool session_step(struct session *session, unsigned me, uint64_t now_us);

/* Whether a side could go on and was not told; what it misses, or null. */
const char *session_missed(const struct session *session, unsigned me,
                           uint64_t now_us);

/* Whether both have come to their end; their handles are released then. */
bool session_over(const struct session *session);

#endif
