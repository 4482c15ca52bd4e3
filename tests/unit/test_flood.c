/*
 * Random frames, right and wrong: every cache comes to its bound and none
 * goes above, and afterwards there is as much memory as before.
 *
 * FRAMES in the environment says how many; make soak sends a million.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/net_priv.h"
#include "tests/host/host.h"
#include "tests/host/station.h"

enum {
    SECOND = 1000000,
    FRAMES = 20000,
    WEB_PORT = 80,
    SYN_BACKLOG = 16,
    UDP_PORT = 4321,
    CUT_OFF_S = 2000 /* after that nothing is waited for any more */
};

static struct station station;

static void hear(void *context, struct net *net,
                 const struct udp_datagram *from, struct buffer *data)
{
    (void)context;
    (void)net;
    (void)from;
    buffer_release(data);
}

static uint32_t pick(uint32_t count)
{
    return (uint32_t)(host_random() % count);
}

static void random_bytes_of(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        station_byte(&station, (uint8_t)host_random());
}

/* Mostly of our network, so that it is taken in earnest. */
static uint32_t random_source(void)
{
    return pick(8) ? 0x0a000000 | pick(0x10000) : (uint32_t)host_random();
}

static void random_mac(uint8_t mac[6])
{
    memcpy(mac, station_peer_mac, 6);
    mac[5] = (uint8_t)host_random();
    mac[0] = pick(32) ? 2 : (uint8_t)host_random();
}

static void write_arp(const uint8_t mac[6])
{
    station_ethernet(&station, pick(2) ? station_mac : station_all_mac, mac,
                     0x0806);
    station_arp(&station, (uint16_t)(pick(16) ? 1 + pick(2) : pick(65536)), mac,
                random_source(), station_mac,
                pick(4) ? STATION_ADDR : random_source());
}

/* What stands behind the IP header: a SYN, a datagram, a message, or less. */
static void write_transport(uint8_t protocol, uint32_t src, uint32_t bytes)
{
    uint32_t at = station.len;

    random_bytes_of(bytes);
    if (protocol == 6 && bytes >= 20) {
        station_set(&station, at + 2, WEB_PORT);
        station.frame[at + 12] = 0x50;
        station.frame[at + 13] = pick(2) ? 2 : (uint8_t)host_random();
        station_checksum(&station, at, at + 16,
                         pseudo_sum(src, STATION_ADDR, 6, bytes));
    } else if (protocol == 17 && bytes >= 8) {
        station_set(&station, at + 2,
                    (uint16_t)(pick(2) ? UDP_PORT : pick(65536)));
        station_set(&station, at + 4, (uint16_t)bytes);
        station_checksum(&station, at, at + 6,
                         pseudo_sum(src, STATION_ADDR, 17, bytes));
    } else if (protocol == 1 && bytes >= 8) {
        station.frame[at] = pick(2) ? 8 : (uint8_t)pick(20);
        station_checksum(&station, at, at + 2, 0);
    }
}

static void write_ip(const uint8_t mac[6])
{
    static const uint8_t protocols[] = {1, 6, 17, 17};
    uint8_t protocol = pick(16) ? protocols[pick(4)] : (uint8_t)host_random();
    uint32_t src = random_source(), bytes = pick(pick(8) ? 100 : 1480);

    station_ethernet(&station, pick(16) ? station_mac : station_all_mac, mac,
                     0x0800);
    if (pick(3) == 0)
        bytes = (bytes + 8) / 8 * 8;
    station_ip(&station, src, STATION_ADDR, protocol, bytes);
    if (bytes % 8 == 0 && pick(2)) {
        station_set(&station, 18, (uint16_t)pick(200));
        station_set(&station, 20, (uint16_t)(0x2000 | pick(4) * pick(180)));
        station_ip_checksum(&station);
    }
    write_transport(protocol, src, bytes);
}

static void write_frame(void)
{
    uint8_t mac[6];

    random_mac(mac);
    switch (pick(8)) {
    case 0:
        station_ethernet(&station, station_mac, mac, (uint16_t)pick(65536));
        random_bytes_of(pick(200));
        break;
    case 1:
    case 2:
        write_arp(mac);
        break;
    default:
        write_ip(mac);
        break;
    }
    if (pick(8) == 0)
        station.frame[pick(station.len)] ^= (uint8_t)(1 << pick(8));
}

/* The most that each cache has held. */
static struct {
    size_t arp, datagrams, conns;
    uint32_t reass_bytes;
} most;

static void note(void)
{
    const struct net *net = station.net;

    if (net->arp.pool.count > most.arp)
        most.arp = net->arp.pool.count;
    if (net->ip.reass.datagrams.count > most.datagrams)
        most.datagrams = net->ip.reass.datagrams.count;
    if (net->ip.reass.held_bytes > most.reass_bytes)
        most.reass_bytes = net->ip.reass.held_bytes;
    if (net->tcp.conns.count > most.conns)
        most.conns = net->tcp.conns.count;
}

static void flood(uint32_t frames)
{
    for (uint32_t i = 0; i < frames; i++) {
        write_frame();
        station_send(&station);
        note();
        if (i % 8 == 0)
            station_wait(&station, pick(2000));
        station_take_all(&station);
    }
}

static void flood__fills_every_cache_and_leaves_nothing(void **state)
{
    const struct tcp_listen_options options = {.backlog = 4,
                                               .syn_backlog = SYN_BACKLOG};
    const char *wanted = getenv("FRAMES");
    struct net_memory before, after;
    struct tcp_listener *listener;

    (void)state;
    host_seed(1);
    station_prepare(&station);
    station.config.tcp.conns_max = 512; /* tables of a page, kept once taken */
    station.config.tcp.time_wait_max = 512;
    station_start(&station, 16, STATION_GATEWAY);
    assert_int_equal(udp_bind(station.net, UDP_PORT, hear, NULL), UDP_OK);
    assert_int_equal(tcp_listen(station.net, WEB_PORT, &options, &listener),
                     TCP_LISTEN_OK);
    flood(500); /* what is taken once, and kept */
    station_wait(&station, (uint64_t)CUT_OFF_S * SECOND);
    station_take_all(&station);
    net_memory_get(station.net, &before);

    flood(wanted ? (uint32_t)strtoul(wanted, NULL, 10) : FRAMES);
    assert_int_equal(most.arp, ARP_ENTRIES_MAX);
    assert_int_equal(most.datagrams, IPV4_DATAGRAMS_MAX);
    assert_in_range(most.reass_bytes, 1, IPV4_REASS_BYTES_MAX);
    assert_in_range(most.conns, SYN_BACKLOG, SYN_BACKLOG + 4);

    station_wait(&station, (uint64_t)CUT_OFF_S * SECOND);
    station_take_all(&station);
    net_memory_get(station.net, &after);
    assert_int_equal(after.buffers, before.buffers);
    assert_int_equal(after.conns, 0);
    assert_int_equal(after.fragment_bytes, 0);
    assert_int_equal(after.pages, before.pages);
    tcp_unlisten(listener, host_now_us);
    assert_int_equal(station_end(&station), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flood__fills_every_cache_and_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
