/*
 * tests/fuzz/fuzz_stack.c - a whole stack under packets, user calls and time.
 *
 * The input is a program: each step is a packet (built from what the stack
 * last said, so that it lands near the edges of its windows, with checksums
 * repaired), a packet of raw bytes, a user call, or a step of the clock. At
 * the end everything is released, hours pass, and nothing may be left.
 *
 * Bounds: INPUT_MAX bytes, so at most as many steps.
 */
#include <string.h>

#include "net/net.h"
#include "net/tcp.h"
#include "tests/host/fuzz_input.h"
#include "tests/host/host.h"
#include "tests/host/hostnet.h"
#include "tests/host/octets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    INPUT_MAX = 4096,
    PEERS = 3,  /* ports of the peer from which segments come */
    CONNS = 8,  /* handles that the input's program may hold */
    PAGES = 256 /* the stack's bound, so that exhaustion is reached */
};

static const struct ipv4_addr our_addr = {.byte = {10, 0, 0, 1}};
static const struct ipv4_addr peer_addr = {.byte = {10, 0, 0, 2}};

/* What the peer knows of a connection: from the last segment to its port. */
struct peer {
    uint32_t seq, ack; /* where ours stand: next to send, next expected */
    uint16_t our_port;
};

struct world {
    struct fuzz_input input;
    struct hostnet host;
    struct net *net;
    struct tcp_listener *listener;
    struct tcp_conn *conn[CONNS];
    struct peer peer[PEERS];
    uint64_t now_us;
};

/* --- bytes ---------------------------------------------------------------- */

static uint32_t get(struct world *w, unsigned bytes)
{
    return fuzz_number(&w->input, bytes);
}

/* Make both checksums of a TCP packet right, as far as it has the fields. */
static void repair(uint8_t *packet, size_t len)
{
    size_t ip_len = (packet[0] & 15u) * 4u;

    if (len < 20 || ip_len < 20 || ip_len > len)
        return;
    put16(packet + 10, 0);
    put16(packet + 10, ~internet_sum(packet, ip_len, 0));
    if (packet[9] != 6 || len - ip_len < 20)
        return;
    put16(packet + ip_len + 16, 0);
    put16(packet + ip_len + 16,
          ~internet_sum(packet + ip_len, len - ip_len,
                        pseudo_sum(get32(packet + 12), get32(packet + 16), 6,
                                   (uint32_t)(len - ip_len))));
}

/* --- packets -------------------------------------------------------------- */

/* Remember where the connection stands, from what the stack says. */
static void packet_out(void *context, struct buffer *packet)
{
    struct world *w = ((struct hostnet *)context)->user;
    uint8_t head[40];
    uint32_t len = buffer_chain_len(packet);

    if (buffer_copy_out(packet, 0, head, 40) == 40 && head[9] == 6) {
        uint32_t index = (head[22] << 8 | head[23]) % PEERS;
        uint32_t text = len - 20 - (head[32] >> 4) * 4u;
        struct peer *peer = &w->peer[index];

        peer->our_port = (uint16_t)(head[20] << 8 | head[21]);
        peer->ack =
            get32(head + 24) + text + (head[33] & 2 ? 1 : 0) + (head[33] & 1);
        if (head[33] & 16)
            peer->seq = get32(head + 28);
    }
    buffer_release(packet);
}

static void packet_in(struct world *w, const uint8_t *bytes, size_t len)
{
    struct buffer *packet = buffer_alloc(net_pool(w->net), BUFFER_LARGE, 14);

    if (!packet)
        return;
    memcpy(packet->data, bytes, len);
    packet->len = (uint32_t)len;
    net_input_packet(w->net, packet, w->now_us);
}

static void step_segment(struct world *w)
{
    static const int32_t near[] = {
        0,    1,     -1,    2,     -2,        100,       -100, 1459,
        1460, 65535, 65536, -8001, INT32_MAX, INT32_MIN, 4096, -4096};
    uint8_t bytes[1500] = {0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 6};
    uint8_t *tcp = bytes + 20;
    uint32_t index = get(w, 1), where = get(w, 1), shape = get(w, 1);
    struct peer *peer = &w->peer[index % PEERS];
    size_t options = shape >> 6 ? (shape >> 4 & 7) * 4 : 0;
    size_t text = shape & 15 ? 1u << (shape & 15) % 11 : 0;
    size_t len = 40 + options + text;

    put16(bytes + 2, (uint32_t)len);
    memcpy(bytes + 12, peer_addr.byte, 4);
    memcpy(bytes + 16, our_addr.byte, 4);
    put16(tcp, 3000 - 3000 % PEERS + index % PEERS);
    put16(tcp + 2, peer->our_port ? peer->our_port : 80);
    put32(tcp + 4, peer->seq + (uint32_t)near[where & 15]);
    put32(tcp + 8, peer->ack + (uint32_t)near[where >> 4]);
    tcp[12] = (uint8_t)((5 + options / 4) << 4);
    tcp[13] = (uint8_t)get(w, 1);
    put16(tcp + 14, get(w, 2));
    for (size_t i = 0; i < options; i++)
        tcp[20 + i] = (uint8_t)get(w, 1);
    memset(tcp + 20 + options, (int)shape, text);
    repair(bytes, len);
    packet_in(w, bytes, len);
}

static void step_raw(struct world *w)
{
    uint8_t bytes[256];
    size_t len = get(w, 1);

    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)get(w, 1);
    if (len && bytes[0] & 0x80) { /* the first bit asks for an honest one */
        bytes[0] = 0x45;
        if (len >= 20) {
            put16(bytes + 2, (uint32_t)len);
            memcpy(bytes + 12, peer_addr.byte, 4);
            memcpy(bytes + 16, our_addr.byte, 4);
        }
    }
    repair(bytes, len);
    packet_in(w, bytes, len);
}

/* --- user calls ----------------------------------------------------------- */

static void take_conn(struct world *w, struct tcp_conn *conn)
{
    for (unsigned i = 0; conn && i < CONNS; i++)
        if (!w->conn[i]) {
            w->conn[i] = conn;
            return;
        }
    if (conn)
        tcp_release(conn, w->now_us);
}

static void call_connect(struct world *w, uint32_t what)
{
    struct tcp_conn *conn;
    enum tcp_end why;

    if (tcp_connect(w->net, what & 1 ? our_addr : peer_addr,
                    (uint16_t)(3000 - 3000 % PEERS + what % PEERS),
                    (uint16_t)(what & 2 ? 4000 + what % PEERS : 0), w->now_us,
                    &conn, &why) == TCP_OK)
        take_conn(w, conn);
}

static void call_send(struct world *w, struct tcp_conn *conn, uint32_t what)
{
    static const uint8_t text[65536];
    struct buffer *chain = buffer_wrap(net_pool(w->net), text,
                                       1 + (what * 257) % 65535, NULL, NULL);

    if (chain && tcp_send(conn, chain, w->now_us) != TCP_OK)
        buffer_release(chain);
}

static void call_send_urgent(struct world *w, struct tcp_conn *conn,
                             uint32_t what)
{
    static const uint8_t text[4096];
    struct buffer *chain =
        buffer_wrap(net_pool(w->net), text, 1 + what * 16, NULL, NULL);

    if (chain && tcp_send_urgent(conn, chain, w->now_us) != TCP_OK)
        buffer_release(chain);
}

/* Any option at any value, but for those that would let a connection live on
 * for weeks after the end of the input. */
static void call_set(struct world *w, struct tcp_conn *conn, uint32_t what)
{
    enum tcp_option which = (enum tcp_option)(what % TCP_OPTION_COUNT);
    uint32_t shift = get(w, 1) % 24;
    uint64_t value = (uint64_t)get(w, 2) << shift;

    if (which == TCP_OPTION_R2 || which == TCP_OPTION_SYN_R2 ||
        which == TCP_OPTION_SYN_ACK_R2 || which == TCP_OPTION_RTO_MAX)
        return;
    if (!conn)
        (void)!tcp_listener_set(w->listener, which, value);
    else if (tcp_set(conn, which, value, w->now_us) == TCP_SET_OK)
        ASSERT(tcp_get(conn, which) == value);
}

/* Nothing of this changes anything: it is only asked. */
static void call_ask(struct tcp_conn *conn)
{
    struct tcp_info info;

    tcp_info_get(conn, &info);
    ASSERT(info.bytes_acked <= info.bytes_sent);
    ASSERT(info.unread_bytes == tcp_recv_ready(conn));
    ASSERT(info.urgent_bytes == tcp_urgent_bytes(conn));
}

/* What came later. */
static void call_more(struct world *w, struct tcp_conn *conn, uint32_t what,
                      uint32_t arg)
{
    switch (what & 3) {
    case 0:
        if (conn)
            call_send_urgent(w, conn, arg);
        break;
    case 1:
        call_set(w, conn, arg);
        break;
    case 2:
        (void)!tcp_listener_set(w->listener, TCP_OPTION_SYN_COOKIES, arg & 3);
        break;
    default:
        if (conn) {
            call_ask(conn);
            tcp_take_soft_error(conn);
        }
        break;
    }
}

static void call_recv(struct world *w, struct tcp_conn *conn, uint32_t what)
{
    struct buffer *chain;

    if (tcp_recv(conn, 1 + what * 16, w->now_us, &chain) == TCP_OK)
        buffer_release(chain);
}

static void step_call(struct world *w)
{
    uint32_t what = get(w, 1), arg = get(w, 1);
    unsigned index = arg % CONNS;
    struct tcp_conn *conn = w->conn[index];

    if (what >= 224) {
        call_more(w, conn, what, arg);
        return;
    }
    if (what % 10 == 0)
        call_connect(w, arg);
    if (what % 10 == 1)
        take_conn(w, tcp_accept(w->listener));
    if (!conn)
        return;
    switch (what % 10) {
    case 2:
        call_send(w, conn, arg);
        break;
    case 3:
        call_recv(w, conn, arg);
        break;
    case 4:
        tcp_shutdown(conn, w->now_us);
        break;
    case 5:
        tcp_abort(conn, w->now_us);
        break;
    case 6:
        if (arg & 16)
            tcp_release_lingering(conn, 2000000, w->now_us);
        else
            tcp_release(conn, w->now_us);
        w->conn[index] = NULL;
        break;
    case 7:
        tcp_set_nodelay(conn, arg & 16, w->now_us);
        break;
    case 8:
        tcp_set_keepalive(conn, arg & 16, w->now_us);
        break;
    case 9:
        tcp_shutdown_read(conn, w->now_us);
        break;
    }
}

static void settle(struct world *w)
{
    net_run(w->net, w->now_us);
    net_flush(w->net, w->now_us);
}

/* --- one input ------------------------------------------------------------ */

static void world_make(struct world *w, const uint8_t *data, size_t size)
{
    struct net_address address = {.addr = our_addr, .prefix_bits = 24};
    struct tcp_listen_options listen = {.backlog = 4, .syn_backlog = 4};
    struct net_config config;

    *w = (struct world){
        .input = {data, size}, .host.user = w, .now_us = 1000000};
    config = hostnet_config(&w->host);
    config.host.packet_out = packet_out;
    config.pages_max = PAGES;
    w->net = net_create(&config, w->now_us);
    ASSERT(w->net);
    ASSERT(net_attach(w->net, NULL, &address) == NET_OK);
    ASSERT(tcp_listen(w->net, 80, &listen, &w->listener) == TCP_LISTEN_OK);
}

/* All handles go, and then hours: nothing may be left. */
static void world_end(struct world *w)
{
    struct net_memory memory;

    tcp_unlisten(w->listener, w->now_us);
    for (unsigned i = 0; i < CONNS; i++)
        if (w->conn[i])
            tcp_release(w->conn[i], w->now_us);
    for (unsigned round = 0; round < 4096; round++) {
        uint64_t next_us;

        settle(w);
        next_us = net_next_deadline(w->net);
        if (next_us == FOREVER)
            break;
        if (next_us > w->now_us)
            w->now_us = next_us;
    }
    net_memory_get(w->net, &memory);
    ASSERT(memory.conns == 0 && memory.time_waits == 0 && memory.buffers == 0);
    net_destroy(w->net);
    ASSERT(w->host.pages == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world w;

    if (size > INPUT_MAX)
        return 0;
    host_seed(1);
    world_make(&w, data, size);
    while (w.input.len > 0) {
        uint32_t kind = get(&w, 1);

        if (kind < 160)
            step_segment(&w);
        else if (kind < 176)
            step_raw(&w);
        else if (kind < 240)
            step_call(&w);
        else
            w.now_us += 1ull << (kind & 15) * 2;
        if (kind & 1 || kind >= 240)
            settle(&w);
    }
    world_end(&w);
    return 0;
}
