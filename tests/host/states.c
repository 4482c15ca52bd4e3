/*
 * tests/host/states.c - the way into each TCP state.
 */
#include "tests/host/states.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/host.h"
#include "tests/host/octets.h"

const char *const state_name[S_COUNT] = {
    "CLOSED",       "LISTEN",      "SYN-SENT",   "SYN-RECEIVED",
    "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2",
    "CLOSE-WAIT",   "CLOSING",     "LAST-ACK",   "TIME-WAIT",
};

static const struct ipv4_addr our_addr = {.byte = {10, 0, 0, 1}};
static const struct ipv4_addr peer_addr = {.byte = {10, 0, 0, 2}};

/* ---- packets, built and read here ---- */

static size_t packet_build(uint8_t *out, const struct seg *seg)
{
    size_t header_len = 20u + seg->options_len;
    size_t tcp_len = header_len + seg->len;
    uint8_t *tcp = out + 20;

    memset(out, 0, 40);
    if (seg->options_len)
        memcpy(tcp + 20, seg->options, seg->options_len);
    memset(tcp + header_len, 'x', seg->len);
    out[0] = 0x45;
    put16(out + 2, (uint32_t)(20 + tcp_len));
    out[6] = 0x40; /* DF */
    out[8] = 64;
    out[9] = 6;
    memcpy(out + 12, peer_addr.byte, 4);
    memcpy(out + 16, our_addr.byte, 4);
    put16(out + 10, ~internet_sum(out, 20, 0));
    put16(tcp, seg->src_port);
    put16(tcp + 2, seg->dst_port);
    put32(tcp + 4, seg->seq);
    put32(tcp + 8, seg->ack);
    tcp[12] = (uint8_t)(header_len / 4 << 4);
    tcp[13] = seg->flags;
    put16(tcp + 14, seg->wnd);
    put16(tcp + 18, seg->urgent);
    put16(tcp + 16, ~internet_sum(tcp, tcp_len,
                                  pseudo_sum(get32(out + 12), get32(out + 16),
                                             6, (uint32_t)tcp_len)));
    return 20 + tcp_len;
}

/* ---- a stack, and the peer that this file is ---- */

static void note_packet(void *context, struct buffer *packet)
{
    struct world *w = ((struct hostnet *)context)->user;
    uint8_t bytes[2048];
    uint32_t len = buffer_copy_out(packet, 0, bytes, sizeof bytes);
    const uint8_t *tcp = bytes + 20;

    assert_true(len >= 40 && bytes[0] == 0x45 && bytes[9] == 6);
    assert_int_equal(get16(bytes + 2), len);
    assert_true(w->out_count < PACKETS_MAX);
    w->out[w->out_count++] = (struct seg){
        .src_port = (uint16_t)get16(tcp),
        .dst_port = (uint16_t)get16(tcp + 2),
        .seq = get32(tcp + 4),
        .ack = get32(tcp + 8),
        .wnd = (uint16_t)get16(tcp + 14),
        .flags = tcp[13],
        .len = (uint16_t)(len - 20 - (tcp[12] >> 4) * 4u),
    };
    buffer_release(packet);
}

static void settle(struct world *w)
{
    net_run(w->net, w->now_us);
    net_flush(w->net, w->now_us);
    if (w->out_count) {
        const struct seg *last = &w->out[w->out_count - 1];

        if (last->flags & ACK && !(last->flags & RST))
            w->rcv_wnd = last->wnd;
    }
}

void world_arrive(struct world *w, struct seg seg)
{
    seg.wnd = PEER_WINDOW;
    world_arrive_exact(w, seg);
}

void world_arrive_exact(struct world *w, struct seg seg)
{
    uint8_t bytes[2048];
    size_t len;
    struct buffer *packet = buffer_alloc(net_pool(w->net), BUFFER_LARGE, 0);

    assert_non_null(packet);
    seg.src_port = PEER_PORT;
    seg.dst_port = w->our_port;
    len = packet_build(bytes, &seg);
    memcpy(packet->data, bytes, len);
    packet->len = (uint32_t)len;
    net_input_packet(w->net, packet, w->now_us);
    settle(w);
}

void world_make(struct world *w, uint64_t now_us)
{
    struct net_address address = {.addr = our_addr, .prefix_bits = 24};
    struct net_config config;

    host_seed(7);
    *w = (struct world){.now_us = now_us, .host.user = w, .our_port = OUR_PORT};
    config = hostnet_config(&w->host);
    config.host.packet_out = note_packet;
    config.tcp.delayed_ack_us = 0; /* every acknowledgement at once */
    config.tcp.window_scaling = false;
    config.tcp.rcv_buf_bytes = RCV_BUF;
    w->net = net_create(&config, now_us);
    assert_non_null(w->net);
    assert_int_equal(net_attach(w->net, NULL, &address), NET_OK);
}

void world_end(struct world *w)
{
    if (w->conn)
        tcp_release(w->conn, w->now_us);
    net_destroy(w->net);
    assert_int_equal(w->host.pages, 0);
}

/* ---- the way into each state ---- */

static void listen_here(struct world *w)
{
    struct tcp_listen_options options = {.backlog = 4, .syn_backlog = 4};

    assert_int_equal(tcp_listen(w->net, OUR_PORT, &options, &w->listener),
                     TCP_LISTEN_OK);
}

static void take_syn_ack(struct world *w, uint8_t flags)
{
    assert_int_equal(w->out_count, 1);
    assert_int_equal(w->out[0].flags & (SYN | ACK | RST), flags);
    w->iss = w->out[0].seq;
    w->una = w->iss;
    w->nxt = w->iss + 1;
    w->out_count = 0;
}

static void go_syn_rcvd_passive(struct world *w)
{
    listen_here(w);
    world_arrive(w, (struct seg){.seq = PEER_ISS, .flags = SYN});
    w->rcv_wnd = w->out[0].wnd;
    take_syn_ack(w, SYN | ACK);
    w->rcv_nxt = PEER_ISS + 1;
}

static void go_syn_sent(struct world *w)
{
    enum tcp_end why;

    assert_int_equal(tcp_connect(w->net, peer_addr, PEER_PORT, OUR_PORT,
                                 w->now_us, &w->conn, &why),
                     TCP_OK);
    settle(w);
    take_syn_ack(w, SYN);
}

static void go_syn_rcvd_active(struct world *w)
{
    go_syn_sent(w);
    world_arrive(w, (struct seg){.seq = PEER_ISS, .flags = SYN});
    w->rcv_wnd = w->out[0].wnd;
    take_syn_ack(w, SYN | ACK);
    w->rcv_nxt = PEER_ISS + 1;
}

static void go_established(struct world *w)
{
    go_syn_rcvd_passive(w);
    world_arrive(w,
                 (struct seg){.seq = w->rcv_nxt, .ack = w->nxt, .flags = ACK});
    w->una = w->nxt;
    w->conn = tcp_accept(w->listener);
    assert_non_null(w->conn);
}

static void we_send(struct world *w)
{
    static const uint8_t text[SENT_BYTES];
    struct buffer *chain =
        buffer_wrap(net_pool(w->net), text, sizeof text, NULL, NULL);

    assert_int_equal(tcp_send(w->conn, chain, w->now_us), TCP_OK);
    settle(w);
    assert_int_equal(w->out_count, 1);
    assert_int_equal(w->out[0].len, SENT_BYTES);
    w->nxt += SENT_BYTES;
    w->out_count = 0;
}

static void we_close(struct world *w)
{
    tcp_shutdown(w->conn, w->now_us);
    settle(w);
    assert_int_equal(w->out_count, 1);
    assert_true(w->out[0].flags & FIN);
    w->nxt++;
    w->out_count = 0;
}

static void peer_closes(struct world *w, uint32_t ack)
{
    world_arrive(
        w, (struct seg){.seq = w->rcv_nxt, .ack = ack, .flags = FIN | ACK});
    w->una = ack;
    w->rcv_nxt++;
    w->out_count = 0;
}

void world_go(struct world *w, enum state state)
{
    switch (state) {
    case S_CLOSED:
        w->rcv_nxt = PEER_ISS;
        return;
    case S_LISTEN:
        listen_here(w);
        w->rcv_nxt = PEER_ISS;
        return;
    case S_SYN_SENT:
        go_syn_sent(w);
        w->rcv_nxt = PEER_ISS;
        return;
    case S_SYN_RCVD_PASSIVE:
        go_syn_rcvd_passive(w);
        return;
    case S_SYN_RCVD_ACTIVE:
        go_syn_rcvd_active(w);
        return;
    default:
        go_established(w);
    }
    if (state != S_FIN_WAIT_2 && state != S_TIME_WAIT)
        we_send(w);
    if (state == S_CLOSE_WAIT || state == S_LAST_ACK)
        peer_closes(w, w->una);
    if (state != S_ESTABLISHED && state != S_CLOSE_WAIT)
        we_close(w);
    if (state == S_FIN_WAIT_2)
        world_arrive(
            w, (struct seg){.seq = w->rcv_nxt, .ack = w->nxt, .flags = ACK});
    if (state == S_FIN_WAIT_2)
        w->una = w->nxt;
    if (state == S_TIME_WAIT) {
        peer_closes(w, w->nxt);
        tcp_unlisten(w->listener, w->now_us); /* nobody for a newer SYN */
        w->listener = NULL;
    }
    if (state == S_CLOSING)
        peer_closes(w, w->una);
    w->out_count = 0;
}

const char *world_state(struct world *w, enum state before)
{
    struct net_memory memory;
    struct tcp_info info;

    net_memory_get(w->net, &memory);
    if (!w->conn && w->listener)
        w->conn = tcp_accept(w->listener);
    if (w->conn) {
        tcp_info_get(w->conn, &info);
        return info.state;
    }
    if (before == S_CLOSED)
        return "CLOSED";
    return memory.conns ? "SYN-RECEIVED" : "LISTEN";
}

uint64_t states_start_us(enum state state)
{
    uint64_t start_us = 1000000;
    struct world w;

    world_make(&w, start_us);
    world_go(&w, state);
    if (w.nxt)
        start_us += 4 * (uint64_t)(0xffffffffu - 50 - w.iss);
    world_end(&w);
    return start_us;
}
