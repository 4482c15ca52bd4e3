/*
 * tests/host/station.c - one stack on one card, and raw frames.
 */
#include "tests/host/station.h"

#include <stdlib.h>
#include <string.h>

#include "tests/host/host.h"

const uint8_t station_mac[6] = {2, 0, 0, 0, 0, 1};
const uint8_t station_peer_mac[6] = {2, 0, 0, 0, 0, 2};
const uint8_t station_all_mac[6] = {255, 255, 255, 255, 255, 255};

static const uint8_t no_mac[6];

void station_prepare(struct station *station)
{
    struct mac_addr mac;

    *station = (struct station){0};
    host_now_us = 1000000;
    memcpy(mac.byte, station_mac, sizeof(mac.byte));
    memdev_init(&station->dev, mac);
    station->config = hostnet_config(&station->host);
}

void station_start(struct station *station, uint8_t prefix_bits,
                   uint32_t gateway)
{
    const struct net_address address = {ipv4_addr_make(STATION_ADDR),
                                        prefix_bits, ipv4_addr_make(gateway)};

    station->net = net_create(&station->config, host_now_us);
    if (!station->net ||
        net_attach(station->net, &station->dev.dev, &address) != NET_OK)
        abort();
    net_flush(station->net, host_now_us);
}

void station_init(struct station *station)
{
    station_prepare(station);
    station_start(station, 24, STATION_GATEWAY);
    station_wait(station, 3000000); /* both announcements: RFC 5227 2.3 */
    station_take_all(station);
}

void station_wait(struct station *station, uint64_t us)
{
    uint64_t until_us = host_now_us + us;

    for (;;) {
        uint64_t next_us = net_next_deadline(station->net);

        if (next_us > until_us)
            break;
        if (next_us > host_now_us)
            host_now_us = next_us;
        net_run(station->net, host_now_us);
        net_flush(station->net, host_now_us);
    }
    host_now_us = until_us;
    net_run(station->net, host_now_us);
    net_flush(station->net, host_now_us);
}

size_t station_end(struct station *station)
{
    memdev_clear(&station->dev);
    net_destroy(station->net);
    return station->host.pages;
}

/* --- writing -------------------------------------------------------------- */

void station_byte(struct station *station, uint8_t value)
{
    ASSERT(station->len < sizeof(station->frame));
    station->frame[station->len++] = value;
}

void station_word(struct station *station, uint16_t value)
{
    station_byte(station, (uint8_t)(value >> 8));
    station_byte(station, (uint8_t)value);
}

void station_long(struct station *station, uint32_t value)
{
    station_word(station, (uint16_t)(value >> 16));
    station_word(station, (uint16_t)value);
}

void station_bytes(struct station *station, const void *bytes, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        station_byte(station, ((const uint8_t *)bytes)[i]);
}

void station_fill(struct station *station, uint8_t value, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        station_byte(station, value);
}

void station_ethernet(struct station *station, const uint8_t dst[6],
                      const uint8_t src[6], uint16_t type)
{
    station->len = 0;
    station_bytes(station, dst, 6);
    station_bytes(station, src, 6);
    station_word(station, type);
}

void station_arp(struct station *station, uint16_t operation,
                 const uint8_t sender_mac[6], uint32_t sender,
                 const uint8_t target_mac[6], uint32_t target)
{
    station_word(station, 1);
    station_word(station, 0x0800);
    station_byte(station, 6);
    station_byte(station, 4);
    station_word(station, operation);
    station_bytes(station, sender_mac, 6);
    station_long(station, sender);
    station_bytes(station, target_mac, 6);
    station_long(station, target);
}

void station_ip(struct station *station, uint32_t src, uint32_t dst,
                uint8_t protocol, uint32_t payload)
{
    station_byte(station, 0x45);
    station_byte(station, 0);
    station_word(station, (uint16_t)(20 + payload));
    station_word(station, 0x1234);
    station_word(station, 0x4000);
    station_byte(station, 64);
    station_byte(station, protocol);
    station_word(station, 0);
    station_long(station, src);
    station_long(station, dst);
    station_ip_checksum(station);
}

void station_set(struct station *station, uint32_t at, uint16_t value)
{
    put16(station->frame + at, value);
}

void station_checksum(struct station *station, uint32_t from, uint32_t field,
                      uint32_t sum)
{
    station_set(station, field, 0);
    station_set(station, field,
                (uint16_t)~internet_sum(station->frame + from,
                                        station->len - from, sum));
}

void station_ip_checksum(struct station *station)
{
    uint32_t bytes = (station->frame[14] & 15u) * 4;

    station_set(station, 24, 0);
    station_set(station, 24,
                (uint16_t)~internet_sum(station->frame + 14, bytes, 0));
}

/* --- sending -------------------------------------------------------------- */

/* What the network thread does when frames are there. */
static void serve(struct station *station)
{
    struct netdev *dev = &station->dev.dev;
    struct buffer *frames = dev->ops->receive(dev, 64);

    if (frames)
        net_input(station->net, dev, frames, host_now_us);
    net_run(station->net, host_now_us);
    net_flush(station->net, host_now_us);
}

void station_send(struct station *station)
{
    station_send_pieces(station, BUFFER_LARGE_BYTES);
}

void station_send_pieces(struct station *station, uint32_t piece)
{
    struct buffer *first = NULL, **end = &first;
    uint32_t at = 0;

    do {
        uint32_t part = station->len - at;

        if (part > piece)
            part = piece;
        *end = hostnet_chain(station->dev.pool, station->frame + at, part);
        end = &(*end)->next;
        at += part;
    } while (at < station->len);
    memdev_inject_chain(&station->dev, first);
    serve(station);
}

bool station_take(struct station *station)
{
    struct buffer *frame = memdev_take(&station->dev);

    station->len = 0;
    if (!frame)
        return false;
    station->len =
        buffer_copy_out(frame, 0, station->frame, sizeof(station->frame));
    buffer_release(frame);
    return true;
}

unsigned station_take_all(struct station *station)
{
    struct buffer *frame;
    unsigned count = 0;

    while ((frame = memdev_take(&station->dev))) {
        buffer_release(frame);
        count++;
    }
    return count;
}

uint8_t station_at8(const struct station *station, uint32_t at)
{
    ASSERT(at < station->len);
    return station->frame[at];
}

uint16_t station_at16(const struct station *station, uint32_t at)
{
    return (uint16_t)(station_at8(station, at) << 8 |
                      station_at8(station, at + 1));
}

uint32_t station_at32(const struct station *station, uint32_t at)
{
    return (uint32_t)station_at16(station, at) << 16 |
           station_at16(station, at + 2);
}

bool station_sums(const struct station *station, uint32_t from, uint32_t len,
                  uint32_t sum)
{
    ASSERT(from + len <= station->len);
    return internet_sum(station->frame + from, len, sum) == 0xffff;
}

void station_meet(struct station *station, uint32_t addr, const uint8_t mac[6])
{
    station_ethernet(station, station_mac, mac, 0x0806);
    station_arp(station, 1, mac, addr, no_mac, STATION_ADDR);
    station_send(station);
    station_take_all(station);
}
