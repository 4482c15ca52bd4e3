/*
 * tests/fuzz/fuzz_udp.c - datagrams, ICMP about them, and what an application
 * does with its sockets meanwhile, in any order.
 *
 * The input is a list of steps: a byte that says what happens, then what that
 * needs. Nothing may be left when every socket is closed.
 *
 * Bounds: STEPS_MAX steps, SOCKETS sockets.
 */
#include <stdlib.h>
#include <string.h>

#include "net/udp.h"
#include "tests/host/fuzz_input.h"
#include "tests/host/host.h"
#include "tests/host/station.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEPS_MAX = 128, SOCKETS = 4, PORT = 4000, DATA_MAX = 1472 };

enum step {
    RAW,      /* a UDP segment of the input's bytes */
    DATAGRAM, /* a good one */
    ICMP,     /* an error about one of ours */
    OPEN,
    CLOSE,
    CONNECT,
    SEND,
    RECEIVE,
    TIME,
    STEP_COUNT
};

static struct station station;
static struct udp_socket *sockets[SOCKETS];

/* Ours and the peer's ports are few, so that they meet. */
static uint16_t a_port(struct fuzz_input *input)
{
    return (uint16_t)(PORT + fuzz_byte(input) % SOCKETS);
}

static void put_ip(uint32_t bytes, uint8_t protocol, bool to_all)
{
    station_ethernet(&station, to_all ? station_all_mac : station_mac,
                     station_peer_mac, 0x0800);
    station_ip(&station, STATION_PEER, to_all ? 0xffffffff : STATION_ADDR,
               protocol, bytes);
}

static void raw(struct fuzz_input *input)
{
    size_t len;
    bool to_all = fuzz_byte(input) % 4 == 0;
    const uint8_t *piece = fuzz_piece(input, DATA_MAX, &len);

    put_ip((uint32_t)len, 17, to_all);
    station_bytes(&station, piece, (uint32_t)len);
    station_send(&station);
}

static void datagram(struct fuzz_input *input)
{
    uint16_t from = a_port(input), to = a_port(input);
    size_t len;
    const uint8_t *piece = fuzz_piece(input, DATA_MAX, &len);

    put_ip((uint32_t)len + 8, 17, false);
    station_word(&station, from);
    station_word(&station, to);
    station_word(&station, (uint16_t)(8 + len));
    station_word(&station, 0);
    station_bytes(&station, piece, (uint32_t)len);
    station_send(&station);
}

static void icmp(struct fuzz_input *input)
{
    uint8_t type = fuzz_byte(input), code = fuzz_byte(input);
    uint16_t from = a_port(input), to = a_port(input);

    put_ip(8 + 28, 1, false);
    station_byte(&station, type);
    station_byte(&station, code);
    station_word(&station, 0);
    station_long(&station, fuzz_byte(input));
    station_long(&station, 0x45000000 + 28 + 8);
    station_long(&station, 0);
    station_long(&station, 64u << 24 | 17u << 16);
    station_long(&station, STATION_ADDR);
    station_long(&station, STATION_PEER);
    station_word(&station, from);
    station_word(&station, to);
    station_word(&station, 16);
    station_word(&station, 0);
    station_checksum(&station, 34, 36, 0);
    station_send(&station);
}

static void open_one(struct fuzz_input *input, struct udp_socket **socket)
{
    const struct udp_options options = {
        .port = fuzz_byte(input) % 2 ? a_port(input) : 0,
        .broadcast = fuzz_byte(input) % 2,
        .queue_bytes_max = fuzz_byte(input) * 256u,
    };

    if (!*socket)
        (void)!udp_open(station.net, &options, socket);
}

static void send_one(struct fuzz_input *input, struct udp_socket *socket)
{
    static uint8_t zeros[4096];
    static const uint32_t addrs[] = {0,          STATION_PEER, STATION_ADDR,
                                     0xffffffff, 0x7f000001,   0xf0000000};
    uint32_t len = fuzz_byte(input) * 16u;
    uint32_t dst = addrs[fuzz_byte(input) % ARRAY_LEN(addrs)];
    uint16_t port = fuzz_byte(input) % 4 ? a_port(input) : 0;
    struct buffer *data =
        len ? hostnet_chain(net_pool(station.net), zeros, len) : NULL;

    if (udp_send_to(socket, ipv4_addr_make(dst), port, data) == UDP_AGAIN)
        buffer_release(data);
    net_flush(station.net, host_now_us);
}

static void receive_one(struct udp_socket *socket)
{
    struct udp_datagram from;
    struct udp_info info;
    struct buffer *data;

    if (udp_receive(socket, &from, &data) == UDP_OK &&
        udp_reply(socket, &from, data) == UDP_AGAIN)
        buffer_release(data);
    udp_info_get(socket, &info);
    ASSERT(info.queued > 0 || info.queued_bytes == 0);
    ASSERT(info.queued_bytes <= UDP_QUEUE_BYTES);
    net_flush(station.net, host_now_us);
}

static void on_socket(enum step what, struct fuzz_input *input)
{
    struct udp_socket **socket = &sockets[fuzz_byte(input) % SOCKETS];

    if (what == OPEN) {
        open_one(input, socket);
        return;
    }
    if (!*socket)
        return;
    if (what == CLOSE) {
        udp_close(*socket);
        *socket = NULL;
    } else if (what == CONNECT) {
        (void)!udp_connect(*socket, ipv4_addr_make(STATION_PEER),
                           a_port(input));
    } else if (what == SEND) {
        send_one(input, *socket);
    } else {
        receive_one(*socket);
    }
}

static void step(struct fuzz_input *input)
{
    enum step what = fuzz_byte(input) % STEP_COUNT;

    if (what == RAW)
        raw(input);
    else if (what == DATAGRAM)
        datagram(input);
    else if (what == ICMP)
        icmp(input);
    else if (what == TIME)
        station_wait(&station, fuzz_byte(input) * 10000u);
    else
        on_socket(what, input);
    station_take_all(&station);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};

    host_seed(1);
    station_init(&station);
    station_meet(&station, STATION_PEER, station_peer_mac);
    for (int i = 0; i < STEPS_MAX && input.len > 0; i++)
        step(&input);
    for (size_t i = 0; i < SOCKETS; i++)
        if (sockets[i])
            udp_close(sockets[i]);
    memset(sockets, 0, sizeof(sockets));
    if (station_end(&station) != 0)
        abort();
    return 0;
}
