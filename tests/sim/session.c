/*
 * tests/sim/session.c - applications that stream, answer, pause and abort.
 */
#include "tests/sim/session.h"

#include <string.h>

enum {
    STEPS = 64,      /* writes or reads of one side in one step */
    RETRY_US = 10000 /* when an application finds no buffer for itself */
};

static void broken(struct session *session, const char *what)
{
    if (!session->broken)
        session->broken = what;
}

static unsigned number(const struct session_side *side)
{
    return side == &side->session->side[1];
}

static struct session_side *peer_of(const struct session_side *side)
{
    return &side->session->side[!number(side)];
}

uint8_t session_byte(const struct session *session, unsigned from,
                     uint32_t offset)
{
    uint64_t x = session->key + from * 77u + (offset >> 3);

    x *= 0x9e3779b97f4a7c15u;
    x ^= x >> 29;
    return (uint8_t)(x >> (offset & 7) * 8);
}

void session_init(struct session *session, const struct session_plan *plan,
                  uint64_t key)
{
    *session = (struct session){.plan = *plan, .key = key};
    for (unsigned i = 0; i < 2; i++) {
        session->side[i].session = session;
        session->side[i].wish_us = FOREVER;
    }
}

void session_attach(struct session *session, unsigned me, struct net *net,
                    struct tcp_conn *conn)
{
    session->side[me].net = net;
    session->side[me].conn = conn;
    tcp_set_context(conn, &session->side[me]);
}

void session_event(void *context, struct tcp_conn *conn, unsigned changes)
{
    struct session_side *side = tcp_context(conn);

    (void)context;
    if (side)
        side->news |= changes;
}

/* --- ends ----------------------------------------------------------------- */

/* The connection has ended; `reason` must be one that the plan explains. */
static void ended(struct session_side *side)
{
    struct session *session = side->session;
    const struct session_side *peer = peer_of(side);

    side->end = tcp_end_reason(side->conn);
    side->over = true;
    switch (side->end) {
    case TCP_END_CLOSED:
        if (!side->eof && !peer->quit)
            broken(session, "a normal end without end of stream");
        break;
    case TCP_END_ABORTED:
        if (!side->quit)
            broken(session, "aborted by nobody");
        break;
    case TCP_END_SYN_TIMEOUT:
    case TCP_END_UNREACHABLE: /* no answer to ARP, or to SYN */
        if (number(side) != 0 || peer->conn)
            broken(session, "unreachable, after it was open");
        break;
    case TCP_END_RESET:
    case TCP_END_REFUSED:
    case TCP_END_KEEPALIVE:
    case TCP_END_TIMEOUT:
    case TCP_END_NO_MEMORY:
        if (!peer->quit && !peer->over && peer->conn && !session->starves)
            broken(session, "ended for a reason that the peer knows not");
        break;
    default:
        broken(session, "ended for a reason that cannot be");
    }
}

/* --- writing -------------------------------------------------------------- */

static uint32_t want(const struct session_side *side)
{
    const struct session_plan *plan = &side->session->plan;

    return plan->ping_pong && number(side) == 1 ? side->received
                                                : plan->bytes[number(side)];
}

static bool send_piece(struct session_side *side, uint64_t now_us)
{
    struct session *session = side->session;
    uint32_t bytes = want(side) - side->sent;
    uint32_t piece = session->plan.piece[number(side)];
    uint32_t room = tcp_send_room(side->conn);
    struct buffer *buf;

    bytes = bytes < piece ? bytes : piece;
    bytes = bytes < room ? bytes : room;
    side->wants_room = bytes == 0;
    if (side->wants_room)
        return false;
    buf = buffer_alloc(net_pool(side->net), BUFFER_LARGE, 0);
    if (!buf) {
        side->wish_us = now_us + RETRY_US;
        return false;
    }
    for (uint32_t n = 0; n < bytes; n++)
        buf->data[n] = session_byte(session, number(side), side->sent + n);
    buf->len = bytes;
    if (tcp_send(side->conn, buf, now_us) != TCP_OK) {
        buffer_release(buf); /* for lack of memory: an event will tell */
        return false;
    }
    side->sent += bytes;
    return true;
}

static bool send_some(struct session_side *side, uint64_t now_us)
{
    bool any = false;

    for (unsigned i = 0; i < STEPS && side->sent < want(side); i++) {
        if (!send_piece(side, now_us))
            return any;
        any = true;
    }
    if (side->sent < want(side))
        side->news |= TCP_CHANGE_WRITABLE; /* more at the next step */
    return any;
}

/* --- reading -------------------------------------------------------------- */

static void check_text(struct session_side *side, const struct buffer *chain)
{
    unsigned from = !number(side);

    for (const struct buffer *buf = chain; buf; buf = buf->next)
        for (uint32_t n = 0; n < buf->len; n++, side->received++)
            if (buf->data[n] !=
                session_byte(side->session, from, side->received))
                broken(side->session, "a byte that was never sent");
}

/* Whether it does not read now; when it will is then its wish. */
static bool pauses(struct session_side *side, uint64_t now_us)
{
    const struct session_plan *plan = &side->session->plan;
    unsigned me = number(side);

    if (!plan->pause_us[me] || side->received < plan->pause_at[me])
        return false;
    if (!side->paused_us)
        side->paused_us = now_us;
    if (now_us >= side->paused_us + plan->pause_us[me])
        return false;
    side->wish_us = side->paused_us + plan->pause_us[me];
    return true;
}

static void end_of_stream(struct session_side *side)
{
    side->eof = true;
    if (side->received != peer_of(side)->sent)
        broken(side->session, "end of stream before its end");
}

static bool read_some(struct session_side *side, uint64_t now_us)
{
    uint32_t most = side->session->plan.read[number(side)];
    unsigned done = 0;

    for (; done < STEPS && !side->eof && !pauses(side, now_us); done++) {
        struct buffer *chain = NULL;
        enum tcp_status status = tcp_recv(side->conn, most, now_us, &chain);

        side->starved = status == TCP_AGAIN && tcp_recv_ready(side->conn);
        if (status == TCP_AGAIN)
            return done > 0;
        if (status == TCP_ENDED) {
            ended(side);
            return true;
        }
        if (status == TCP_EOF) {
            end_of_stream(side);
            return true;
        }
        check_text(side, chain);
        buffer_release(chain);
    }
    if (done == STEPS)
        side->news |= TCP_CHANGE_READABLE;
    return done > 0;
}

/* --- closing -------------------------------------------------------------- */

/* Whether all is acknowledged; who has once been told that it is not waits for
 * the event, as a blocked thread does. */
static bool is_drained(struct session_side *side, unsigned news)
{
    if (side->drains && !(news & TCP_CHANGE_ACKED))
        return false;
    side->drains = tcp_send_pending(side->conn) > 0;
    return !side->drains;
}

static bool close_some(struct session_side *side, unsigned news,
                       uint64_t now_us)
{
    const struct session_plan *plan = &side->session->plan;
    unsigned me = number(side);
    bool last = plan->close_last[me] || (plan->ping_pong && me == 1);

    if (side->closed || side->sent < want(side) || (last && !side->eof) ||
        (plan->drain[me] && !is_drained(side, news)))
        return false;
    side->closed = true;
    tcp_shutdown(side->conn, now_us);
    return true;
}

static bool quit_some(struct session_side *side, uint64_t now_us)
{
    const struct session_plan *plan = &side->session->plan;

    if (plan->quit == QUIT_NEVER || plan->quit_side != number(side) ||
        side->quit || side->received < plan->quit_at)
        return false;
    side->quit = true;
    if (plan->quit == QUIT_ABORT) {
        tcp_abort(side->conn, now_us);
        return true;
    }
    side->over = true; /* and released below */
    return true;
}

/* --- steps ---------------------------------------------------------------- */

static void opened(struct session_side *side, uint64_t now_us)
{
    side->open = true;
    tcp_set_keepalive(side->conn, true, now_us);
    tcp_set_nodelay(side->conn, side->session->plan.nodelay, now_us);
    side->news |= TCP_CHANGE_READABLE | TCP_CHANGE_WRITABLE;
}

static bool is_opening(const struct session_side *side)
{
    struct tcp_info info;

    tcp_info_get(side->conn, &info);
    return !strcmp(info.state, "SYN-SENT") ||
           !strcmp(info.state, "SYN-RECEIVED");
}

/* Both directions are over, or the connection is. */
static bool at_end(const struct session_side *side)
{
    enum tcp_end end = tcp_end_reason(side->conn);

    return end != TCP_END_NONE && tcp_recv_ready(side->conn) == 0 &&
           (side->eof || end != TCP_END_CLOSED);
}

static bool act(struct session_side *side, unsigned news, uint64_t now_us)
{
    bool any = false;

    if (news & TCP_CHANGE_READABLE) {
        any |= quit_some(side, now_us);
        if (!side->over)
            any |= read_some(side, now_us);
    }
    if (!side->over && !side->quit) {
        bool answers = side->session->plan.ping_pong && number(side) == 1;

        if (news & TCP_CHANGE_WRITABLE || answers)
            any |= send_some(side, now_us);
        any |= close_some(side, news, now_us);
    }
    if (!side->over && news & (TCP_CHANGE_CLOSED | TCP_CHANGE_READABLE) &&
        at_end(side)) {
        ended(side);
        any = true;
    }
    return any;
}

bool session_step(struct session *session, unsigned me, uint64_t now_us)
{
    struct session_side *side = &session->side[me];
    unsigned news = side->news;
    bool any;

    if (!side->conn || side->over)
        return false;
    if (side->wish_us <= now_us) {
        side->wish_us = FOREVER;
        news |= TCP_CHANGE_READABLE | TCP_CHANGE_WRITABLE;
    }
    if (!news)
        return false;
    side->news = 0;
    if (!side->open) {
        if (!(news & TCP_CHANGE_OPEN) || is_opening(side))
            return false;
        opened(side, now_us);
        news |= side->news;
        side->news = 0;
    }
    any = act(side, news, now_us);
    if (side->over) {
        tcp_release(side->conn, now_us);
        side->conn = NULL;
    }
    return any;
}

const char *session_missed(const struct session *session, unsigned me,
                           uint64_t now_us)
{
    const struct session_side *side = &session->side[me];
    bool reads = !side->eof && side->wish_us == FOREVER && !side->starved;

    (void)now_us;
    if (!side->conn || side->over || side->news || side->wish_us <= now_us)
        return NULL;
    if (!side->open)
        return is_opening(side) ? NULL : "nobody was told that it opened";
    if (reads && tcp_readable(side->conn))
        return "nobody was told that there is something to read";
    if (!side->quit && !side->closed && side->wants_room &&
        tcp_send_room(side->conn))
        return "nobody was told that there is room again";
    if (!side->quit && !side->closed && side->drains &&
        !tcp_send_pending(side->conn))
        return "nobody was told that all is acknowledged";
    if (at_end(side) && side->eof)
        return "nobody was told of the end";
    return NULL;
}

bool session_over(const struct session *session)
{
    const struct session_side *side = session->side;

    /* A client that ended before the handshake came to its server. */
    return side[0].over && (side[1].over || !side[1].conn);
}
