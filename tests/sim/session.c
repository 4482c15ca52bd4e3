/*
 * tests/sim/session.c - applications that stream, answer, pause and abort.
 */
#include "tests/sim/session.h"

#include <string.h>

enum { STEPS = 64 /* writes or reads of one side in one step */ };

static void broken(struct session *session, const char *what)
{
    if (!session->broken)
        session->broken = what;
}

uint8_t session_byte(const struct session *session, unsigned from,
                     uint32_t offset)
{
    uint64_t x = session->key + from * 77u + (offset >> 3);

    x *= 0x9e3779b97f4a7c15u;
    x ^= x >> 29;
    return (uint8_t)(x >> (offset & 7) * 8);
}

/* The connection has ended; `reason` must be one that the plan explains. */
static void ended(struct session *session, unsigned me)
{
    struct session_side *side = &session->side[me];
    const struct session_side *peer = &session->side[!me];

    side->end = tcp_end_reason(side->conn);
    side->over = true;
    switch (side->end) {
    case TCP_END_CLOSED:
        if (!side->eof && !peer->aborted)
            broken(session, "a normal end without end of stream");
        break;
    case TCP_END_ABORTED:
        if (!side->aborted)
            broken(session, "aborted by nobody");
        break;
    case TCP_END_SYN_TIMEOUT:
    case TCP_END_UNREACHABLE: /* no answer to ARP, or to SYN */
        if (me != 0 || peer->conn)
            broken(session, "unreachable, after it was open");
        break;
    case TCP_END_RESET:
    case TCP_END_REFUSED:
    case TCP_END_KEEPALIVE:
    case TCP_END_TIMEOUT:
    case TCP_END_NO_MEMORY:
        if (!peer->aborted && !peer->over && peer->conn)
            broken(session, "ended for a reason that the peer knows not");
        break;
    default:
        broken(session, "ended for a reason that cannot be");
    }
}

static uint32_t want(const struct session *session, unsigned me)
{
    const struct session_side *side = &session->side[me];

    if (session->plan.ping_pong && me == 1)
        return side->received;
    return session->plan.bytes[me];
}

static bool send_some(struct session *session, unsigned me, uint64_t now_us)
{
    struct session_side *side = &session->side[me];
    bool any = false;

    for (unsigned i = 0; i < STEPS && side->sent < want(session, me); i++) {
        uint32_t bytes = want(session, me) - side->sent;
        struct buffer *buf;

        if (bytes > session->plan.piece[me])
            bytes = session->plan.piece[me];
        if (bytes > tcp_send_room(side->conn))
            bytes = tcp_send_room(side->conn);
        buf = bytes ? buffer_alloc(net_pool(side->net), BUFFER_LARGE, 0) : NULL;
        if (!buf)
            break;
        for (uint32_t n = 0; n < bytes; n++)
            buf->data[n] = session_byte(session, me, side->sent + n);
        buf->len = bytes;
        if (tcp_send(side->conn, buf, now_us) != TCP_OK) {
            buffer_release(buf);
            break;
        }
        side->sent += bytes;
        any = true;
    }
    return any;
}

static void check_text(struct session *session, unsigned me,
                       const struct buffer *chain)
{
    struct session_side *side = &session->side[me];

    for (const struct buffer *buf = chain; buf; buf = buf->next)
        for (uint32_t n = 0; n < buf->len; n++, side->received++)
            if (buf->data[n] != session_byte(session, !me, side->received))
                broken(session, "a byte that was never sent");
}

static bool read_some(struct session *session, unsigned me, uint64_t now_us)
{
    struct session_side *side = &session->side[me];
    bool any = false;

    if (side->eof || now_us < side->opened_us + session->plan.pause_us[me])
        return false;
    for (unsigned i = 0; i < STEPS; i++) {
        struct buffer *chain = NULL;
        enum tcp_status status =
            tcp_recv(side->conn, session->plan.read[me], now_us, &chain);

        if (status == TCP_AGAIN)
            break;
        any = true;
        if (status == TCP_OK) {
            check_text(session, me, chain);
            buffer_release(chain);
            continue;
        }
        if (status == TCP_ENDED) {
            ended(session, me);
            break;
        }
        side->eof = true;
        if (side->received != session->side[!me].sent)
            broken(session, "end of stream before its end");
        break;
    }
    return any;
}

static bool close_some(struct session *session, unsigned me, uint64_t now_us)
{
    struct session_side *side = &session->side[me];
    bool answers = session->plan.ping_pong && me == 1;

    if (side->closed || side->sent < want(session, me) ||
        ((session->plan.close_last[me] || answers) && !side->eof))
        return false;
    side->closed = true;
    tcp_shutdown(side->conn, now_us);
    return true;
}

static bool abort_some(struct session *session, unsigned me, uint64_t now_us)
{
    struct session_side *side = &session->side[me];

    if (session->plan.abort_side != me || side->aborted ||
        side->received < session->plan.abort_at)
        return false;
    side->aborted = true;
    tcp_abort(side->conn, now_us);
    return true;
}

static bool side_step(struct session *session, unsigned me, uint64_t now_us)
{
    struct session_side *side = &session->side[me];
    struct tcp_info info;
    bool any;

    if (!side->conn || side->over)
        return false;
    if (!side->open) {
        tcp_info_get(side->conn, &info);
        if (!strcmp(info.state, "SYN-SENT") ||
            !strcmp(info.state, "SYN-RECEIVED"))
            return false;
        side->open = true;
        side->opened_us = now_us;
        tcp_set_keepalive(side->conn, true, now_us);
        tcp_set_nodelay(side->conn, session->plan.nodelay, now_us);
    }
    any = abort_some(session, me, now_us);
    any |= read_some(session, me, now_us);
    if (!side->over && !side->aborted) {
        any |= send_some(session, me, now_us);
        any |= close_some(session, me, now_us);
    }
    if (!side->over && tcp_end_reason(side->conn) != TCP_END_NONE &&
        tcp_recv_ready(side->conn) == 0 &&
        (side->eof || tcp_end_reason(side->conn) != TCP_END_CLOSED)) {
        ended(session, me);
        any = true;
    }
    return any;
}

bool session_step(struct session *session, uint64_t now_us)
{
    bool any = side_step(session, 0, now_us);

    any |= side_step(session, 1, now_us);
    for (unsigned me = 0; me < 2; me++) {
        struct session_side *side = &session->side[me];

        if (side->over && side->conn) {
            tcp_release(side->conn, now_us);
            side->conn = NULL;
            any = true;
        }
    }
    return any;
}

bool session_over(const struct session *session)
{
    const struct session_side *side = session->side;

    /* A client that ended before the handshake came to its server. */
    return side[0].over && (side[1].over || !side[1].conn);
}
