/*
 * net/tcp_open.c - SYNs: from a listener, and from and to SYN-SENT.
 *
 * Source: RFC 9293 3.10.7.2, 3.10.7.3, 3.7.1 (MSS), RFC 6691; RFC 7323 2
 * (window scale), 3.2 (timestamps); RFC 2018 2; RFC 6928 and RFC 5681 3.1
 * (initial window).
 */
#include "net/tcp_buffers.h"
#include "net/tcp_conn.h"
#include "net/tcp_ecn.h"
#include "net/tcp_path.h"

#include "net/tcp_cc.h"
#include "net/tcp_paws.h"
#include "net/tcp_rtt.h"

enum { HEADERS_BYTES = 40 };

static uint16_t mss_of_route(struct net *net, const struct tcp_config *config,
                             struct ipv4_addr peer)
{
    uint16_t mtu = ipv4_mtu_for(net, peer);
    uint32_t own = config->mss_bytes;
    uint16_t mss = mtu > HEADERS_BYTES + TCP_MSS_MIN
                       ? (uint16_t)(mtu - HEADERS_BYTES)
                       : (uint16_t)TCP_MSS_MIN;

    if (own == 0 || own >= mss)
        return mss;
    return own > TCP_MSS_MIN ? (uint16_t)own : (uint16_t)TCP_MSS_MIN;
}

uint16_t tcp_open_window(const struct tcp_config *config)
{
    uint32_t bytes = config->rcv_buf_bytes < config->rcv_buf_begin_bytes
                         ? config->rcv_buf_bytes
                         : config->rcv_buf_begin_bytes;

    return bytes < UINT16_MAX ? (uint16_t)bytes : UINT16_MAX;
}

/* The least shift by which `bytes` fit the window field. */
static uint8_t shift_for(uint32_t bytes)
{
    int bits = 32 - __builtin_clz(bytes | UINT16_MAX);
    int shift = bits - 16;

    return shift < TCP_WINDOW_SHIFT_MAX ? (uint8_t)shift
                                        : (uint8_t)TCP_WINDOW_SHIFT_MAX;
}

void tcp_open_offer(struct net *net, const struct tcp_config *config,
                    const struct tcp_tuple *tuple, struct tcp_seg *seg)
{
    seg->window = tcp_open_window(config);
    seg->has_mss = true;
    seg->mss = mss_of_route(net, config, tuple->peer);
    seg->has_timestamps = config->timestamps;
    seg->sack_permitted = config->sack;
    seg->has_shift = config->window_scaling;
    seg->shift = seg->has_shift ? shift_for(config->rcv_buf_bytes) : 0;
}

void tcp_open_prepare(struct tcp_conn *conn, struct tcp_numbers numbers)
{
    struct tcp_seg offer;

    tcp_open_offer(conn->net, tcp_config_of(conn), &conn->tuple, &offer);
    conn->iss = numbers.iss;
    conn->snd.una = numbers.iss;
    conn->snd.nxt = numbers.iss + 1;
    conn->rcv_mss = offer.mss;
    conn->seg_max =
        conn->rcv_mss < TCP_MSS_DEFAULT ? conn->rcv_mss : TCP_MSS_DEFAULT;
    conn->scaling = offer.has_shift;
    conn->rcv_shift = offer.shift;
    conn->timestamps = offer.has_timestamps;
    conn->sack = offer.sack_permitted;
    conn->ts.offset = numbers.ts_offset;
    tcp_rcv_begin(conn);
    conn->syn_now = true;
    tcp_conn_wants_flush(conn);
}

void tcp_mss_set(struct tcp_conn *conn, uint16_t bytes)
{
    conn->mss =
        (uint16_t)(bytes - (conn->timestamps ? TCP_TIMESTAMPS_BYTES : 0));
}

/* The peer's SYN: its numbers and options. */
static void take_syn(struct tcp_conn *conn, const struct tcp_seg *seg)
{
    uint16_t mss = seg->has_mss ? seg->mss : (uint16_t)TCP_MSS_DEFAULT;

    if (mss > conn->rcv_mss)
        mss = conn->rcv_mss; /* what our own link carries */
    if (mss < TCP_MSS_MIN)
        mss = TCP_MSS_MIN;
    tcp_ts_take_syn(conn, seg);
    conn->sack = conn->sack && seg->sack_permitted;
    tcp_path_open(conn, mss);
    conn->scaling = conn->scaling && seg->has_shift;
    conn->snd_shift = conn->scaling ? seg->shift : 0;
    if (!conn->scaling)
        conn->rcv_shift = 0;
    conn->rcv.nxt = seg->seq + 1;
    conn->rcv.acked = conn->rcv.nxt;
    conn->tune.seq = conn->rcv.nxt;
    conn->rcv.edge = conn->rcv.nxt + tcp_open_window(tcp_config_of(conn));
    conn->snd.wnd = seg->window; /* of a SYN: not scaled */
    conn->snd.wnd_max = seg->window;
    conn->snd.wl1 = seg->seq;
    conn->snd.wl2 = seg->ack;
}

/* The timer is armed once: early enough for the delayed ACK of what may come
 * behind the handshake, then for the earlier deadline first. */
static void open_until(struct tcp_conn *conn, uint64_t bound_us)
{
    tcp_deadline_set(conn, TCP_DEADLINE_ACK,
                     conn->net->now_us + conn->config->delayed_ack_us);
    tcp_timer_rtx(conn);
    tcp_deadline_set(conn, TCP_DEADLINE_USER, conn->net->now_us + bound_us);
}

/* The oldest half-open connection goes, if its peer has let a SYN-ACK pass
 * without a word: else few SYNs from nowhere shut a listener for a minute. */
static COLD bool make_room(struct tcp_listener *listener)
{
    struct tcp_conn *oldest;

    if (tcp_list_empty(&listener->half_open))
        return false;
    oldest = CONTAINER_OF(listener->half_open.next, struct tcp_conn, group);
    if (!oldest->syn_again || oldest->waits_for_ready)
        return false;
    tcp_conn_end(oldest, TCP_END_SYN_TIMEOUT);
    return true;
}

struct tcp_conn *tcp_open_child(struct tcp_listener *listener,
                                const struct tcp_arrival *in,
                                const struct tcp_seg *syn,
                                struct tcp_numbers numbers)
{
    struct net *net = listener->net;
    struct tcp_conn *conn = tcp_conn_new(net, &in->tuple, in->hash);

    if (!conn)
        return NULL;
    if (!tcp_table_add(conn)) {
        tcp_conn_free(conn);
        return NULL;
    }
    tcp_conn_event(conn, TCP_EV_LISTEN);
    conn->passive = true;
    conn->config = tcp_options_share(net, listener->config);
    conn->rto_us = (uint32_t)conn->config->rto_initial_us;
    conn->listener = listener;
    conn->unaccepted = true;
    listener->half_open_count++;
    tcp_list_push(&listener->half_open, &conn->group);
    tcp_open_prepare(conn, numbers);
    take_syn(conn, syn);
    tcp_conn_event(conn, TCP_EV_SYN);
    open_until(conn, conn->config->synack_timeout_us);
    return conn;
}

/* Whether one more may be half open; counts that it may not. */
static bool has_room(struct tcp_listener *listener)
{
    if (listener->half_open_count < listener->options.syn_backlog)
        return true;
    net_count(&listener->net->counters, tcp_syn_full);
    return listener->config->syn_cookies == TCP_COOKIES_NEVER &&
           make_room(listener);
}

/* A connection for the SYN that came. */
static bool open_for(struct tcp_listener *listener,
                     const struct tcp_arrival *in, struct tcp_numbers numbers)
{
    struct tcp_conn *conn = tcp_open_child(listener, in, &in->seg, numbers);

    if (conn)
        tcp_ecn_take_syn(conn, in);
    return conn;
}

void tcp_open_passive(struct tcp_listener *listener,
                      const struct tcp_arrival *in)
{
    struct net *net = listener->net;
    uint32_t mode = listener->config->syn_cookies;

    if (mode != TCP_COOKIES_ALWAYS && has_room(listener) &&
        open_for(listener, in, tcp_table_numbers(net, &in->tuple)))
        return;
    if (mode != TCP_COOKIES_NEVER)
        tcp_cookie_send(listener, in);
}

bool tcp_open_after_time_wait(struct tcp_listener *listener,
                              const struct tcp_arrival *in,
                              struct tcp_numbers numbers)
{
    return has_room(listener) && open_for(listener, in, numbers);
}

void tcp_opened(struct tcp_conn *conn)
{
    conn->snd.una = conn->iss + 1;
    tcp_conn_event(conn, TCP_EV_SYN_ACKED);
    conn->syn_now = false;
    tcp_deadline_clear(conn, TCP_DEADLINE_USER);
    tcp_timer_rtx_off(conn);
    conn->backoff = 0;
    if (conn->syn_again)
        conn->rto_us = 3000000; /* RFC 6298 5.7 */
    else if (!conn->unmeasured)
        tcp_rtt_sample(conn, conn->net->now_us - conn->sent_us);
    tcp_cc_opened(conn);
    conn->quick_acks = TCP_QUICK_ACKS;
    if (conn->fin_queued) /* tcp_shutdown() came before */
        tcp_conn_event(conn, TCP_EV_CLOSE);
    if (conn->active)
        conn->active->stalled_us = conn->net->now_us;
    tcp_timer_user(conn);
    tcp_timer_keep(conn);
    tcp_conn_post(conn, TCP_CHANGE_OPEN | TCP_CHANGE_WRITABLE);
    if (conn->active || conn->fin_queued)
        tcp_conn_wants_flush(conn);
}

enum tcp_verdict tcp_in_syn_sent(struct tcp_conn *conn, struct tcp_arrival *in)
{
    struct tcp_seg *seg = &in->seg;

    if (seg->flags & TCP_ACK &&
        (seq_leq(seg->ack, conn->iss) || seq_lt(conn->snd.nxt, seg->ack))) {
        tcp_count(conn, tcp_ack_unsent);
        return seg->flags & TCP_RST ? TCP_DROP : TCP_REPLY_RST;
    }
    if (seg->flags & TCP_RST) {
        if (!(seg->flags & TCP_ACK)) {
            tcp_count(conn, tcp_rst_inexact);
            return TCP_DROP;
        }
        tcp_count(conn, tcp_reset_rx);
        tcp_conn_end(conn, TCP_END_REFUSED);
        return TCP_GONE;
    }
    if ((seg->flags & (TCP_SYN | TCP_FIN)) != TCP_SYN) {
        tcp_count(conn, tcp_bad_flags); /* with FIN: no way to begin */
        return TCP_DROP;
    }
    tcp_list_remove(&conn->group); /* no longer connecting */
    take_syn(conn, seg);
    tcp_ecn_take_syn(conn, in);
    if (!(seg->flags & TCP_ACK)) { /* both called at once: 3.5 figure 7 */
        tcp_conn_event(conn, TCP_EV_SYN);
        conn->syn_now = true;
        tcp_conn_wants_flush(conn);
        return TCP_DROP; /* its text, if any, will come again */
    }
    tcp_opened(conn);
    conn->ack_now = true;
    seg->seq++; /* behind the SYN: its text follows, from the sixth step */
    seg->flags &= (uint8_t)~TCP_SYN;
    return TCP_GO_ON;
}
