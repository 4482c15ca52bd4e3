/*
 * tests/host/fragments.c - a UDP datagram for a station, cut up by hand.
 */
#include "tests/host/fragments.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/net_priv.h"
#include "tests/host/host.h"
#include "tests/host/octets.h"

static void hear(void *context, struct net *net,
                 const struct udp_datagram *from, struct buffer *data)
{
    static uint8_t bytes[FRAGMENTS_WHOLE_MAX];
    struct fragments *f = context;

    (void)net;
    assert_int_equal(from->src_port, 1234);
    assert_int_equal(buffer_copy_out(data, 0, bytes, sizeof(bytes)),
                     f->whole_bytes - 8);
    assert_memory_equal(bytes, f->whole + 8, f->whole_bytes - 8);
    f->heard++;
    buffer_release(data);
}

void fragments_make(struct fragments *f, uint32_t bytes)
{
    uint32_t sum = pseudo_sum(f->src, STATION_ADDR, 17, bytes);

    f->whole_bytes = bytes;
    for (uint32_t i = 0; i < sizeof(f->whole); i++)
        f->whole[i] = (uint8_t)(i * 7 + (i >> 8));
    put16(f->whole, 1234);
    put16(f->whole + 2, FRAGMENTS_PORT);
    put16(f->whole + 4, bytes);
    put16(f->whole + 6, 0);
    put16(f->whole + 6, ~internet_sum(f->whole, bytes, sum));
}

void fragments_init(struct fragments *f)
{
    memset(f, 0, sizeof(*f));
    host_seed(1);
    station_init(&f->station);
    station_meet(&f->station, STATION_PEER, station_peer_mac);
    f->src = STATION_PEER;
    f->id = 77;
    f->protocol = 17;
    fragments_make(f, 3000);
    assert_int_equal(udp_bind(f->station.net, FRAGMENTS_PORT, hear, f), UDP_OK);
}

size_t fragments_end(struct fragments *f)
{
    station_wait(&f->station, 31000000);
    assert_int_equal(fragments_under_way(f), 0);
    assert_int_equal(fragments_held(f), 0);
    return station_end(&f->station);
}

void fragments_write(struct fragments *f, uint32_t offset, uint32_t bytes,
                     bool more)
{
    struct station *station = &f->station;

    station_ethernet(station, station_mac, station_peer_mac, 0x0800);
    station_ip(station, f->src, STATION_ADDR, f->protocol, bytes);
    station_bytes(station, f->whole + offset, bytes);
    station->frame[15] = f->tos;
    station_set(station, 18, f->id);
    station_set(station, 20, (uint16_t)((more ? 0x2000 : 0) | offset / 8));
    station_ip_checksum(station);
}

void fragments_send(struct fragments *f, uint32_t offset, uint32_t bytes,
                    bool more)
{
    fragments_write(f, offset, bytes, more);
    station_send(&f->station);
}

void fragments_rest(struct fragments *f, uint32_t from, uint32_t step)
{
    for (uint32_t at = from; at < f->whole_bytes; at += step) {
        uint32_t left = f->whole_bytes - at;

        fragments_send(f, at, left < step ? left : step, left > step);
    }
}

unsigned fragments_under_way(const struct fragments *f)
{
    return (unsigned)f->station.net->ip.reass.datagrams.count;
}

uint32_t fragments_held(const struct fragments *f)
{
    struct net_memory memory;

    net_memory_get(f->station.net, &memory);
    return (uint32_t)memory.fragment_bytes;
}
