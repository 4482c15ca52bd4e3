/*
 * tests/host/tcp_peer.c - packets by hand.
 */
#include "tests/host/tcp_peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/arp.h"
#include "tests/host/host.h"
#include "tests/host/octets.h"

enum { IP_BYTES = 20, TCP_BYTES = 20, SEED = 7 };
enum { ETHERNET_BYTES = 14, ETHERNET_IPV4 = 0x0800 };

#define STACK_ADDR 0x0a000001u

/* ---- bytes ---- */

static uint32_t tcp_sum(const uint8_t *ip, const uint8_t *tcp, size_t len)
{
    return internet_sum(
        tcp, len, pseudo_sum(get32(ip + 12), get32(ip + 16), 6, (uint32_t)len));
}

uint8_t peer_byte(uint32_t offset)
{
    return (uint8_t)(offset * 31 + (offset >> 8) * 7 + 1);
}

/* ---- the stack ---- */

static const struct mac_addr stack_mac = {{2, 0, 0, 0, 0, 1}};
static const struct mac_addr peer_mac = {{2, 0, 0, 0, 0, 2}};

static void on_event(void *context, struct tcp_conn *conn, unsigned changes)
{
    struct tcp_peer *peer = CONTAINER_OF(context, struct tcp_peer, host);

    if (conn == peer->conn)
        peer->changes |= changes;
}

void peer_prepare(struct tcp_peer *peer)
{
    memset(peer, 0, sizeof(*peer));
    peer->config = hostnet_config(&peer->host);
    memdev_init(&peer->card, stack_mac);
    peer->card.tx_max = INT32_MAX;
    peer->config.host.tcp_event = on_event;
    peer->window = 60000;
    peer->mss = 1000;
    peer->shift = -1;
}

/* Whose neighbour, the peer, is known. */
static void attach_card(struct tcp_peer *peer,
                        const struct net_address *address)
{
    assert_int_equal(net_attach(peer->net, &peer->card.dev, address), NET_OK);
    assert_int_equal(
        arp_add(peer->net, 0, ipv4_addr_make(PEER_ADDR), peer_mac, host_now_us),
        NET_OK);
}

static void make_stack(struct tcp_peer *peer)
{
    struct net_address address = {.addr = ipv4_addr_make(STACK_ADDR),
                                  .prefix_bits = 24};

    host_seed(SEED);
    peer->net = net_create(&peer->config, host_now_us);
    assert_non_null(peer->net);
    if (peer->without_card)
        assert_int_equal(net_attach(peer->net, NULL, &address), NET_OK);
    else
        attach_card(peer, &address);
    peer_take_all(peer); /* what it may say to greet the link */
}

void peer_start(struct tcp_peer *peer)
{
    host_now_us = 0;
    if (peer->without_card)
        hostnet_packets(&peer->host, &peer->config.host);
    make_stack(peer);
    peer_connect(peer);
    net_destroy(peer->net);
    peer->conn = NULL;
    /* One number every 4 us. */
    host_now_us = 4ull * (uint32_t)(PEER_STACK_ISS - (peer->rcv - 1));
    make_stack(peer);
    peer->nxt = PEER_ISS;
    peer->changes = 0;
}

void peer_end(struct tcp_peer *peer)
{
    if (peer->conn)
        tcp_release(peer->conn, host_now_us);
    peer_take_all(peer);
    net_destroy(peer->net);
    peer_take_all(peer);
    assert_int_equal(peer->host.pages, 0);
}

void peer_settle(struct tcp_peer *peer)
{
    net_run(peer->net, host_now_us);
    net_flush(peer->net, host_now_us);
}

void peer_wait(struct tcp_peer *peer, uint64_t us)
{
    uint64_t until_us = host_now_us + us;

    peer_settle(peer);
    while (net_next_deadline(peer->net) <= until_us) {
        uint64_t next_us = net_next_deadline(peer->net);

        if (next_us > host_now_us)
            host_now_us = next_us;
        peer_settle(peer);
    }
    host_now_us = until_us;
    peer_settle(peer);
}

/* ---- sending ---- */

/* The segment's own options behind the timestamps. */
static uint32_t add_timestamps(const struct tcp_peer *peer,
                               const struct peer_seg *seg, uint8_t *options)
{
    memcpy(options, (uint8_t[]){1, 1, 8, 10}, 4);
    put32(options + 4, seg->ts_val ? seg->ts_val : peer->ts);
    put32(options + 8, seg->flags & PEER_ACK ? peer->ts_ecr : 0);
    if (seg->options_len)
        memcpy(options + 12, seg->options, seg->options_len);
    return 12 + seg->options_len;
}

uint32_t peer_build(const struct tcp_peer *peer, struct peer_seg seg,
                    uint8_t *out)
{
    uint8_t *tcp = out + IP_BYTES, *text, options[40];
    uint32_t tcp_len;

    if (peer->timestamps && !seg.bare) {
        seg.options_len = add_timestamps(peer, &seg, options);
        seg.options = options;
    }
    tcp_len = TCP_BYTES + seg.options_len + seg.len;
    text = tcp + TCP_BYTES + seg.options_len;

    memset(out, 0, IP_BYTES + TCP_BYTES);
    out[0] = 0x45;
    out[1] = seg.tos;
    put16(out + 2, IP_BYTES + tcp_len);
    out[6] = 0x40; /* DF */
    out[8] = 64;
    out[9] = 6;
    put32(out + 12, seg.src ? seg.src : PEER_ADDR);
    put32(out + 16, seg.dst ? seg.dst : STACK_ADDR);
    put16(out + 10, ~internet_sum(out, IP_BYTES, 0));
    put16(tcp, seg.src_port ? seg.src_port : PEER_PORT);
    put16(tcp + 2, seg.dst_port ? seg.dst_port : PEER_OUR_PORT);
    put32(tcp + 4, seg.seq);
    put32(tcp + 8, seg.ack);
    tcp[12] = (uint8_t)((TCP_BYTES + seg.options_len) / 4 << 4 | seg.reserved);
    tcp[13] = seg.flags;
    put16(tcp + 14, seg.window ? seg.window : peer->window);
    put16(tcp + 18, seg.urgent);
    if (seg.options_len)
        memcpy(tcp + TCP_BYTES, seg.options, seg.options_len);
    for (uint32_t i = 0; i < seg.len; i++)
        text[i] =
            seg.text ? seg.text[i] : peer_byte(seg.seq - PEER_ISS - 1 + i);
    put16(tcp + 16, ~tcp_sum(out, tcp, tcp_len));
    return IP_BYTES + tcp_len;
}

static void input_raw(struct tcp_peer *peer, const void *packet, uint32_t len)
{
    net_input_packet(peer->net, hostnet_chain(net_pool(peer->net), packet, len),
                     host_now_us);
}

void peer_send_raw(struct tcp_peer *peer, const void *packet, uint32_t len)
{
    input_raw(peer, packet, len);
    peer_settle(peer);
}

static void icmp(struct tcp_peer *peer, uint8_t type, uint8_t code,
                 uint16_t mtu, uint32_t seq)
{
    enum { ICMP_BYTES = 8, QUOTE_BYTES = 28 };
    uint8_t packet[IP_BYTES + ICMP_BYTES + QUOTE_BYTES] = {
        0x45, [3] = sizeof(packet), [8] = 64, [9] = 1};
    uint8_t *message = packet + IP_BYTES, *quoted = message + ICMP_BYTES;

    put32(packet + 12, PEER_ADDR);
    put32(packet + 16, STACK_ADDR);
    put16(packet + 10, ~internet_sum(packet, IP_BYTES, 0));
    message[0] = type;
    message[1] = code;
    put16(message + 6, mtu);
    memcpy(quoted, (uint8_t[]){0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6}, 10);
    put32(quoted + 12, STACK_ADDR);
    put32(quoted + 16, PEER_ADDR);
    put16(quoted + IP_BYTES, PEER_OUR_PORT);
    put16(quoted + IP_BYTES + 2, PEER_PORT);
    put32(quoted + IP_BYTES + 4, seq);
    put16(message + 2, ~internet_sum(message, ICMP_BYTES + QUOTE_BYTES, 0));
    peer_send_raw(peer, packet, sizeof(packet));
}

void peer_icmp(struct tcp_peer *peer, uint8_t type, uint8_t code, uint32_t seq)
{
    icmp(peer, type, code, 0, seq);
}

void peer_too_big(struct tcp_peer *peer, uint16_t mtu, uint32_t seq)
{
    icmp(peer, 3, 4, mtu, seq);
}

void peer_input(struct tcp_peer *peer, struct peer_seg seg)
{
    static uint8_t packet[66000];

    input_raw(peer, packet, peer_build(peer, seg, packet));
}

void peer_send(struct tcp_peer *peer, struct peer_seg seg)
{
    peer_input(peer, seg);
    peer_settle(peer);
}

void peer_text(struct tcp_peer *peer, uint32_t len, uint8_t flags)
{
    peer_send(peer, (struct peer_seg){.seq = peer->nxt,
                                      .ack = peer->rcv,
                                      .flags = flags | PEER_ACK,
                                      .len = len});
    peer->nxt += len;
}

void peer_fin(struct tcp_peer *peer, uint32_t ack)
{
    peer_send(peer, (struct peer_seg){.seq = peer->nxt,
                                      .ack = ack,
                                      .flags = PEER_FIN | PEER_ACK});
    peer->nxt++;
}

void peer_ack(struct tcp_peer *peer, uint32_t ack)
{
    peer_send(peer, (struct peer_seg){
                        .seq = peer->nxt, .ack = ack, .flags = PEER_ACK});
}

void peer_sack(struct tcp_peer *peer, uint32_t ack, const uint32_t (*blocks)[2],
               uint32_t count)
{
    uint8_t options[36] = {1, 1, 5, (uint8_t)(2 + 8 * count)};

    for (uint32_t i = 0; i < count; i++) {
        put32(options + 4 + 8 * i, blocks[i][0]);
        put32(options + 8 + 8 * i, blocks[i][1]);
    }
    peer_send(peer, (struct peer_seg){.seq = peer->nxt,
                                      .ack = ack,
                                      .flags = PEER_ACK,
                                      .options = options,
                                      .options_len = 4 + 8 * count});
}

/* ---- taking ---- */

static void read_options(struct peer_seg *seg, const uint8_t *at, uint32_t len)
{
    for (uint32_t i = 0; i < len && at[i];) {
        if (at[i] == 1) {
            i++;
            continue;
        }
        assert_true(i + 1 < len && at[i + 1] >= 2 && at[i + 1] <= len - i);
        if (at[i] == 2) {
            assert_int_equal(at[i + 1], 4);
            seg->has_mss = true;
            seg->mss = (uint16_t)get16(at + i + 2);
        } else if (at[i] == 3) {
            assert_int_equal(at[i + 1], 3);
            seg->has_shift = true;
            seg->shift = at[i + 2];
        } else if (at[i] == 4) {
            assert_int_equal(at[i + 1], 2);
            seg->sack_permitted = true;
        } else if (at[i] == 5) {
            assert_int_equal(at[i + 1] % 8, 2);
            for (uint32_t n = 0; n < at[i + 1] / 8u; n++) {
                seg->sack[n][0] = get32(at + i + 2 + 8 * n);
                seg->sack[n][1] = get32(at + i + 6 + 8 * n);
                seg->sack_count++;
            }
        } else if (at[i] == 8) {
            assert_int_equal(at[i + 1], 10);
            seg->has_timestamps = true;
            seg->ts_val = get32(at + i + 2);
            seg->ts_ecr = get32(at + i + 6);
        }
        i += at[i + 1];
    }
}

static void read_packet(struct tcp_peer *peer, uint32_t len)
{
    const uint8_t *ip = peer->bytes, *tcp = ip + IP_BYTES;
    uint32_t header = (uint32_t)(tcp[12] >> 4) * 4;

    assert_true(len >= IP_BYTES + TCP_BYTES);
    assert_int_equal(ip[0], 0x45);
    assert_int_equal(ip[9], 6);
    assert_int_equal(get16(ip + 2), len);
    assert_int_equal(internet_sum(ip, IP_BYTES, 0), 0xffff);
    assert_int_equal(tcp_sum(ip, tcp, len - IP_BYTES), 0xffff);
    assert_true(header >= TCP_BYTES && IP_BYTES + header <= len);
    peer->got = (struct peer_seg){
        .tos = ip[1],
        .src = get32(ip + 12),
        .dst = get32(ip + 16),
        .src_port = (uint16_t)get16(tcp),
        .dst_port = (uint16_t)get16(tcp + 2),
        .seq = get32(tcp + 4),
        .ack = get32(tcp + 8),
        .flags = tcp[13],
        .reserved = tcp[12] & 15,
        .window = (uint16_t)get16(tcp + 14),
        .urgent = (uint16_t)get16(tcp + 18),
        .options = tcp + TCP_BYTES,
        .options_len = header - TCP_BYTES,
        .text = tcp + header,
        .len = len - IP_BYTES - header,
        .ip_bytes = len,
        .ttl = ip[8],
    };
    read_options(&peer->got, peer->got.options, peer->got.options_len);
}

/* Whether a frame has a packet, which is read; else it is ARP's. Taken. */
static bool read_frame(struct tcp_peer *peer, struct buffer *frame,
                       uint32_t *len)
{
    uint8_t header[ETHERNET_BYTES];

    buffer_copy_out(frame, 0, header, sizeof(header));
    *len = buffer_copy_out(frame, ETHERNET_BYTES, peer->bytes,
                           sizeof(peer->bytes));
    buffer_release(frame);
    return get16(header + 12) == ETHERNET_IPV4;
}

/* Take the oldest packet into peer->bytes, kicked or not. False: none. */
static bool take_packet(struct tcp_peer *peer, uint32_t *len)
{
    struct buffer *taken;

    if (peer->without_card) {
        taken = hostnet_take_packet(&peer->host);
        *len = buffer_copy_out(taken, 0, peer->bytes, sizeof(peer->bytes));
        buffer_release(taken);
        return taken;
    }
    peer->card.dev.ops->kick(&peer->card.dev);
    while ((taken = memdev_take(&peer->card)))
        if (read_frame(peer, taken, len))
            return true;
    return false;
}

bool peer_take(struct tcp_peer *peer)
{
    uint32_t len;

    if (!take_packet(peer, &len))
        return false;
    read_packet(peer, len);
    if (peer->got.has_timestamps)
        peer->ts_ecr = peer->got.ts_val;
    if (peer->got.flags & PEER_SYN)
        peer->rcv = peer->got.seq + 1;
    else if (peer->got.seq == peer->rcv && !(peer->got.flags & PEER_RST))
        peer->rcv += peer->got.len + (peer->got.flags & PEER_FIN);
    return true;
}

void peer_expect_acked(struct tcp_peer *peer)
{
    assert_true(peer_take(peer));
    assert_int_equal(peer->got.flags, PEER_ACK);
    assert_int_equal(peer->got.ack, peer->nxt);
}

unsigned peer_take_all(struct tcp_peer *peer)
{
    unsigned count = 0;
    uint32_t len;

    while (take_packet(peer, &len))
        count++;
    return count;
}
