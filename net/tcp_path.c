/*
 * net/tcp_path.c - segments as large as the way to the peer carries.
 *
 * Every segment has DF. Four things change the size of those to come, and of
 * those that are sent again, which are cut anew:
 *
 * - A router says that one was too big (RFC 1191). Anybody can say so: it must
 *   quote a number that is in flight, it never raises, and there is a floor
 *   (RFC 5927 7).
 * - Our own link carries less than before.
 * - Full-sized segments time out again and again: the way may swallow them
 *   without a word (RFC 4821 7.7).
 * - A probe, one larger segment of ordinary text, has arrived. It is sent when
 *   what made us careful is forgotten (net/path.h), and at once when nothing
 *   but time-outs did: they may have had another reason. That a probe is lost
 *   counts as congestion, once in ten minutes (RFC 4821 7.6.2 would allow us
 *   not to care).
 *
 * Sizes are those of IP packets.
 */
#include "net/tcp_path.h"

#include "net/path.h"
#include "net/tcp_loss.h"
#include "net/tcp_segment.h"

enum {
    HEADERS_BYTES = IPV4_HEADER_BYTES + TCP_HEADER_BYTES,
    /* In a row, before the next one makes us careful: where nothing so large
     * has arrived yet, and where it has, so that mere loss is not mistaken. */
    TIMEOUTS_UNPROVEN = 2,
    TIMEOUTS_PROVEN = 5,
    CAREFUL = 1024, /* RFC 4821 7.2: most ways carry it; the floor is next */
};

/* RFC 1191 7.1, and the sizes of common tunnels. */
static const uint16_t plateaus[] = {68,   296,  508,  1006,  1280,  1400, 1492,
                                    2002, 4352, 8166, 17914, 32000, 65535};

static uint16_t below(uint16_t mtu)
{
    uint16_t found = plateaus[0];

    for (unsigned i = 0; i < ARRAY_LEN(plateaus) && plateaus[i] < mtu; i++)
        found = plateaus[i];
    return found;
}

static uint16_t above(uint16_t mtu)
{
    unsigned i = 0;

    while (i < ARRAY_LEN(plateaus) - 1 && plateaus[i] <= mtu)
        i++;
    return plateaus[i];
}

static uint16_t option_bytes(const struct tcp_conn *conn)
{
    return conn->timestamps ? TCP_TIMESTAMPS_BYTES : 0;
}

uint16_t tcp_path_mtu(const struct tcp_conn *conn)
{
    return (uint16_t)(conn->mss + option_bytes(conn) + HEADERS_BYTES);
}

/* What the peer and our own link take. */
static uint16_t mtu_max(const struct tcp_conn *conn)
{
    return (uint16_t)(conn->mss_max + HEADERS_BYTES);
}

static uint16_t floor_of(const struct tcp_conn *conn)
{
    uint16_t least = conn->net->config.path_mtu_min;

    return least > HEADERS_BYTES + TCP_MSS_MIN
               ? least
               : (uint16_t)(HEADERS_BYTES + TCP_MSS_MIN);
}

static void set_mtu(struct tcp_conn *conn, uint16_t mtu)
{
    tcp_mss_set(conn, (uint16_t)(mtu - HEADERS_BYTES));
    conn->lowered = mtu < mtu_max(conn);
}

void tcp_path_open(struct tcp_conn *conn, uint16_t mss)
{
    uint16_t mtu = path_mtu(conn->net, conn->tuple.peer);

    conn->mss_max = mss;
    set_mtu(conn, mtu && mtu < mtu_max(conn) ? mtu : mtu_max(conn));
}

/* ---- smaller ---- */

/* A probe is over that has not arrived. When nothing before it is missing, it
 * was too large; otherwise nobody knows. */
static void probe_lost(struct tcp_conn *conn)
{
    struct tcp_active *active = conn->active;

    active->path.mtu = 0;
    if (active->path.seq != conn->snd.una)
        return;
    tcp_count(conn, tcp_mtu_probe_lost);
    path_learn(conn->net, conn->tuple.peer, tcp_path_mtu(conn));
}

void tcp_path_too_big(struct tcp_conn *conn, uint16_t mtu)
{
    struct tcp_active *active = conn->active;
    uint16_t now = tcp_path_mtu(conn);

    if (mtu == 0) /* a router from before RFC 1191 */
        mtu = below(now);
    if (mtu < floor_of(conn))
        mtu = floor_of(conn);
    if (!active || tcp_opening(conn) ||
        mtu >= (active->path.mtu ? active->path.mtu : now)) {
        tcp_count(conn, tcp_mtu_ignored);
        return;
    }
    active->path.mtu = 0;
    if (mtu > now)
        mtu = now;
    tcp_count(conn, tcp_mtu_lowered);
    path_learn(conn->net, conn->tuple.peer, mtu);
    set_mtu(conn, mtu);
    tcp_loss_again(conn); /* no sign of congestion: RFC 1191 6.5 */
}

/* Nothing is learnt of the way beyond, and it is final: what the peer takes is
 * forgotten where it is more. */
void tcp_path_check_link(struct tcp_conn *conn)
{
    const struct route *route = route_of(conn->net, conn->tuple.peer);
    uint16_t link = conn->net->ifs[route->interface].mtu_bytes;
    uint16_t now = tcp_path_mtu(conn);

    if (link < HEADERS_BYTES + TCP_MSS_MIN)
        link = HEADERS_BYTES + TCP_MSS_MIN;
    if (route->kind == ROUTE_NONE || route->kind == ROUTE_OURSELVES)
        return;
    if (tcp_opening(conn) && conn->rcv_mss > link - HEADERS_BYTES)
        conn->rcv_mss = (uint16_t)(link - HEADERS_BYTES);
    if (link >= mtu_max(conn))
        return; /* the peer's SYN, which says what it takes, may be to come */
    conn->mss_max = (uint16_t)(link - HEADERS_BYTES);
    set_mtu(conn, now < link ? now : link);
    if (conn->active && conn->active->path.mtu > link)
        conn->active->path.mtu = 0;
    if (now <= link || tcp_opening(conn))
        return;
    tcp_count(conn, tcp_mtu_lowered);
    if (tcp_flight(conn))
        tcp_loss_again(conn);
}

void tcp_path_timeout(struct tcp_conn *conn)
{
    uint16_t now = tcp_path_mtu(conn);
    uint16_t next = now > CAREFUL ? (uint16_t)CAREFUL : floor_of(conn);
    unsigned bearable = conn->mss_proven ? TIMEOUTS_PROVEN : TIMEOUTS_UNPROVEN;

    if (conn->active->path.mtu)
        probe_lost(conn);
    if (conn->backoff < bearable || tcp_flight(conn) < conn->mss ||
        next >= now || !ipv4_is_ours(conn->net, conn->tuple.local))
        return; /* without our address nothing has left */
    tcp_count(conn, tcp_mtu_black_hole);
    set_mtu(conn, next);
}

void tcp_path_again(struct tcp_conn *conn, uint32_t seq, uint32_t bytes)
{
    const struct tcp_active *active = conn->active;

    if (active->path.mtu && seq_lt(active->path.seq, seq + bytes) &&
        seq_lt(seq, active->path.end))
        probe_lost(conn);
}

/* ---- larger ---- */

uint32_t tcp_path_probe(struct tcp_conn *conn, uint32_t bytes)
{
    struct tcp_active *active = conn->active;
    uint16_t mtu, now = tcp_path_mtu(conn), most = mtu_max(conn);
    uint32_t text;

    if (active->phase != TCP_PHASE_OPEN || conn->backoff || active->path.mtu ||
        path_mtu(conn->net, conn->tuple.peer))
        return 0;
    mtu = above(now) < most ? above(now) : most;
    text = tcp_segment_text_max(conn) + mtu - now;
    if (text > bytes)
        return 0;
    tcp_count(conn, tcp_mtu_probe);
    active->path.mtu = mtu;
    active->path.seq = conn->snd.nxt;
    active->path.end = conn->snd.nxt + text;
    return text;
}

bool tcp_path_is_probe(const struct tcp_conn *conn, uint32_t seq)
{
    return conn->active && conn->active->path.mtu &&
           conn->active->path.seq == seq;
}

void tcp_path_acked(struct tcp_conn *conn, uint32_t bytes)
{
    struct tcp_active *active = conn->active;

    if (bytes >= conn->mss)
        conn->mss_proven = true;
    if (!active->path.mtu || seq_lt(conn->snd.una, active->path.end))
        return;
    set_mtu(conn, active->path.mtu);
    active->path.mtu = 0;
}
