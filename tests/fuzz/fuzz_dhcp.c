/*
 * tests/fuzz/fuzz_dhcp.c - what a server may send, to the parser and to a
 * client in whatever state it has come to.
 *
 * The input is a list of steps: a byte that says what happens (a message, time
 * that goes by, the cable), then what that needs. A message is raw, or a good
 * reply with the input's options behind it, so that the client gets further
 * than its first question.
 *
 * Bounds: STEPS_MAX steps of an input.
 */
#include <stdlib.h>
#include <string.h>

#include "net/dhcp_wire.h"
#include "tests/host/dhcp_peer.h"
#include "tests/host/fuzz_input.h"
#include "tests/host/host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEPS_MAX = 64, OPTIONS_MAX = 1200 };

enum step { RAW, REPLY, TIME, LONG_TIME, LINK, STEP_COUNT };

/* The parser alone, in memory of its own size: what it says must hold. */
static void check_parser(const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len + 1);
    struct dhcp_reply reply;

    memcpy(copy, bytes, len);
    if (dhcp_parse(copy, len, &reply)) {
        ASSERT(reply.prefix_bits <= 32);
        ASSERT(reply.dns.count <= DHCP_ADDRS_MAX);
        ASSERT(reply.route_count <= DHCP_ROUTES_MAX);
        ASSERT(memchr(reply.hostname, 0, sizeof(reply.hostname)));
        ASSERT(memchr(reply.domain, 0, sizeof(reply.domain)));
        ASSERT(reply.xid == 0 || dhcp_peek_xid(copy, len) == reply.xid);
    }
    free(copy);
}

static void send_raw(struct dhcp_peer *peer, struct fuzz_input *input)
{
    size_t len;
    const uint8_t *piece = fuzz_piece(input, OPTIONS_MAX, &len);

    check_parser(piece, len);
    memcpy(peer->message, piece, len);
    peer->len = (uint32_t)len;
    dhcp_peer_send_raw(peer, station_all_mac, 0xffffffff);
}

static void send_reply(struct dhcp_peer *peer, struct fuzz_input *input)
{
    uint8_t type = 2 + fuzz_byte(input) % 5;
    uint32_t yiaddr = DHCP_PEER_OFFERED + fuzz_byte(input) % 2;
    size_t len;
    const uint8_t *piece = fuzz_piece(input, OPTIONS_MAX, &len);

    dhcp_peer_full(peer, type, yiaddr, fuzz_byte(input));
    memcpy(peer->message + peer->len, piece, len);
    peer->len += (uint32_t)len;
    check_parser(peer->message, peer->len);
    dhcp_peer_send(peer);
}

static void step(struct dhcp_peer *peer, struct fuzz_input *input)
{
    switch (fuzz_byte(input) % STEP_COUNT) {
    case RAW:
        send_raw(peer, input);
        break;
    case REPLY:
        send_reply(peer, input);
        break;
    case TIME:
        (void)!dhcp_peer_hear(peer, fuzz_byte(input) * 100000u);
        break;
    case LONG_TIME:
        (void)!dhcp_peer_hear(peer, fuzz_byte(input) * 10000000u);
        break;
    default:
        net_device_event(peer->station.net, &peer->station.dev.dev,
                         fuzz_byte(input) % 8, host_now_us);
        net_flush(peer->station.net, host_now_us);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct dhcp_peer peer;
    struct fuzz_input input = {data, size};

    host_seed(1);
    dhcp_peer_init(&peer, NULL);
    (void)!dhcp_peer_hear(&peer, 0);
    for (int i = 0; i < STEPS_MAX && input.len > 0; i++)
        step(&peer, &input);
    if (dhcp_peer_end(&peer) != 0)
        abort();
    return 0;
}
