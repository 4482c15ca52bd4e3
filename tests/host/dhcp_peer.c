/*
 * tests/host/dhcp_peer.c - see dhcp_peer.h.
 */
#include "tests/host/dhcp_peer.h"

#include <stdlib.h>
#include <string.h>

#include "tests/host/host.h"
#include "tests/host/octets.h"

enum { COOKIE = 0x63825363, ETHERNET = 14, HEADERS = 14 + 20 + 8 };

void dhcp_peer_init(struct dhcp_peer *peer, const struct dhcp_config *config)
{
    const struct dhcp_config none = {0};
    struct station *station = &peer->station;

    *peer = (struct dhcp_peer){0};
    station_prepare(station);
    station->net = net_create(&station->config, host_now_us);
    if (!station->net ||
        net_attach(station->net, &station->dev.dev, NULL) != NET_OK ||
        dhcp_start(station->net, 0, config ? config : &none, host_now_us) !=
            NET_OK)
        abort();
}

size_t dhcp_peer_end(struct dhcp_peer *peer)
{
    return station_end(&peer->station);
}

/* --- the client's messages ------------------------------------------------ */

int dhcp_peer_seen_option(const struct dhcp_peer *peer, uint8_t code,
                          const uint8_t **data)
{
    for (uint32_t at = 240; at < peer->seen_len && peer->seen[at] != 255;
         at += 2u + peer->seen[at + 1]) {
        if (peer->seen[at] == code) {
            *data = peer->seen + at + 2;
            return peer->seen[at + 1];
        }
    }
    return -1;
}

static uint32_t seen_addr(const struct dhcp_peer *peer, uint8_t code)
{
    const uint8_t *data;

    return dhcp_peer_seen_option(peer, code, &data) == 4 ? get32(data) : 0;
}

/* Read the frame that was taken. Returns: false when it is no DHCP. */
static bool read_frame(struct dhcp_peer *peer)
{
    const struct station *station = &peer->station;
    const uint8_t *frame = station->frame;
    const uint8_t *data;

    if (station->len < HEADERS + 240 || get32(frame + 12) >> 16 != 0x0800 ||
        frame[23] != 17 || get32(frame + 34) != (68u << 16 | 67))
        return false;
    peer->to_all = memcmp(frame, station_all_mac, 6) == 0;
    peer->src = get32(frame + 26);
    peer->dst = get32(frame + 30);
    peer->seen_len = station->len - HEADERS;
    memcpy(peer->seen, frame + HEADERS, peer->seen_len);
    peer->xid = get32(peer->seen + 4);
    peer->secs = (uint16_t)(get32(peer->seen + 8) >> 16);
    peer->broadcast_flag = peer->seen[10] & 0x80;
    peer->ciaddr = get32(peer->seen + 12);
    peer->type = dhcp_peer_seen_option(peer, 53, &data) == 1 ? data[0] : 0;
    peer->requested = seen_addr(peer, 50);
    peer->server = seen_addr(peer, 54);
    peer->at_us = host_now_us;
    return true;
}

/* The client asks who the server is: it is told. */
static void answer_arp(struct station *station)
{
    if (station->len < 42 || get32(station->frame + 12) >> 16 != 0x0806 ||
        get32(station->frame + 38) != DHCP_PEER_SERVER)
        return;
    station_ethernet(station, station_mac, station_peer_mac, 0x0806);
    station_arp(station, 2, station_peer_mac, DHCP_PEER_SERVER, station_mac,
                DHCP_PEER_OFFERED);
    station_send(station);
}

static bool take(struct dhcp_peer *peer)
{
    while (station_take(&peer->station)) {
        if (read_frame(peer))
            return true;
        answer_arp(&peer->station);
    }
    return false;
}

bool dhcp_peer_hear(struct dhcp_peer *peer, uint64_t us)
{
    uint64_t until_us = host_now_us + us;

    for (;;) {
        uint64_t next_us = net_next_deadline(peer->station.net);

        if (take(peer))
            return true;
        if (next_us > until_us)
            break;
        station_wait(&peer->station,
                     next_us > host_now_us ? next_us - host_now_us : 0);
    }
    station_wait(&peer->station, until_us - host_now_us);
    return take(peer);
}

/* --- the server's --------------------------------------------------------- */

static void put(struct dhcp_peer *peer, const void *bytes, uint32_t len)
{
    ASSERT(peer->len + len <= sizeof(peer->message));
    memcpy(peer->message + peer->len, bytes, len);
    peer->len += len;
}

void dhcp_peer_option(struct dhcp_peer *peer, uint8_t code, const void *data,
                      uint8_t len)
{
    put(peer, &code, 1);
    put(peer, &len, 1);
    put(peer, data, len);
}

void dhcp_peer_option32(struct dhcp_peer *peer, uint8_t code, uint32_t value)
{
    uint8_t bytes[4];

    put32(bytes, value);
    dhcp_peer_option(peer, code, bytes, 4);
}

void dhcp_peer_reply(struct dhcp_peer *peer, uint8_t type, uint32_t yiaddr)
{
    uint8_t fixed[240] = {2, 1, 6};

    put32(fixed + 4, peer->xid);
    put32(fixed + 16, yiaddr);
    memcpy(fixed + 28, station_mac, 6);
    put32(fixed + 236, COOKIE);
    peer->len = 0;
    put(peer, fixed, sizeof(fixed));
    dhcp_peer_option(peer, 53, &type, 1);
    dhcp_peer_option32(peer, 54, DHCP_PEER_SERVER);
}

void dhcp_peer_full(struct dhcp_peer *peer, uint8_t type, uint32_t yiaddr,
                    uint32_t lease_s)
{
    dhcp_peer_reply(peer, type, yiaddr);
    dhcp_peer_option32(peer, 1, 0xffffff00);
    dhcp_peer_option32(peer, 3, STATION_GATEWAY);
    dhcp_peer_option32(peer, 51, lease_s);
}

void dhcp_peer_send_raw(struct dhcp_peer *peer, const uint8_t mac[6],
                        uint32_t dst)
{
    struct station *station = &peer->station;

    station_ethernet(station, mac, station_peer_mac, 0x0800);
    station_ip(station, DHCP_PEER_SERVER, dst, 17, 8 + peer->len);
    station_word(station, 67);
    station_word(station, 68);
    station_word(station, (uint16_t)(8 + peer->len));
    station_word(station, 0);
    station_bytes(station, peer->message, peer->len);
    station_send(station);
}

void dhcp_peer_send(struct dhcp_peer *peer)
{
    const uint8_t end = 255;

    put(peer, &end, 1);
    dhcp_peer_send_raw(peer, station_all_mac, 0xffffffff);
}

void dhcp_peer_bind(struct dhcp_peer *peer, uint32_t lease_s)
{
    if (!dhcp_peer_hear(peer, 1000000) || peer->type != 1)
        abort();
    dhcp_peer_full(peer, 2, DHCP_PEER_OFFERED, lease_s);
    dhcp_peer_send(peer);
    if (!dhcp_peer_hear(peer, 0) || peer->type != 3)
        abort();
    dhcp_peer_full(peer, 5, DHCP_PEER_OFFERED, lease_s);
    dhcp_peer_send(peer);
}

/* --- the result ----------------------------------------------------------- */

uint32_t dhcp_peer_address(const struct dhcp_peer *peer)
{
    return ipv4_addr_host(net_address(peer->station.net));
}

struct dhcp_lease dhcp_peer_lease(const struct dhcp_peer *peer)
{
    struct dhcp_lease lease;

    if (!dhcp_lease_get(peer->station.net, 0, &lease))
        abort();
    return lease;
}
