/*
 * tests/host/station_scene.c - where tests of a station begin and end.
 */
#include "tests/host/station_scene.h"

#include <string.h>

#include "net/interface.h"
#include "net/udp.h"
#include "tests/host/host.h"

struct station station;

static const uint8_t no_mac[6];

int station_fresh(void **state)
{
    (void)state;
    host_seed(1);
    station_init(&station);
    return 0;
}

int station_met(void **state)
{
    station_fresh(state);
    station_meet(&station, STATION_PEER, station_peer_mac);
    return 0;
}

int station_ended(void **state)
{
    (void)state;
    assert_int_equal(station_end(&station), 0);
    return 0;
}

void write_ping(uint32_t src, uint32_t dst)
{
    station_ethernet(&station, station_mac, station_peer_mac, 0x0800);
    station_ip(&station, src, dst, 1, 16);
    station_long(&station, 0x08000000);
    station_fill(&station, 0x55, 12);
    station_checksum(&station, 34, 36, 0);
}

void write_arp(const uint8_t dst[6], uint16_t operation, const uint8_t mac[6],
               uint32_t sender, uint32_t target)
{
    station_ethernet(&station, dst, mac, 0x0806);
    station_arp(&station, operation, mac, sender, no_mac, target);
}

void answer_arp(uint32_t sender, const uint8_t mac[6])
{
    write_arp(station_mac, 2, mac, sender, STATION_ADDR);
    station_send(&station);
}

void assert_arp_request(const uint8_t dst[6], uint32_t sender, uint32_t target)
{
    assert_int_equal(station.len, 42);
    assert_memory_equal(station.frame, dst, 6);
    assert_memory_equal(station.frame + 6, station_mac, 6);
    assert_int_equal(station_at16(&station, 12), 0x0806);
    assert_int_equal(station_at16(&station, 14), 1);
    assert_int_equal(station_at16(&station, 16), 0x0800);
    assert_int_equal(station_at16(&station, 18), 0x0604);
    assert_int_equal(station_at16(&station, 20), 1);
    assert_memory_equal(station.frame + 22, station_mac, 6);
    assert_int_equal(station_at32(&station, 28), sender);
    assert_memory_equal(station.frame + 32, no_mac, 6);
    assert_int_equal(station_at32(&station, 38), target);
}

enum ipv4_status talk_to(uint32_t dst)
{
    struct buffer *data =
        buffer_alloc(net_pool(station.net), BUFFER_SMALL, BUFFER_HEADROOM);
    enum ipv4_status status;

    data->len = 1;
    status = udp_send(station.net, 5000, ipv4_addr_make(dst), 6000, data);
    if (status == IPV4_FULL)
        buffer_release(data);
    net_flush(station.net, host_now_us);
    return status;
}

uint32_t asked_for(uint32_t dst)
{
    station_take_all(&station);
    if (talk_to(dst) != IPV4_OK || !station_take(&station) ||
        station_at16(&station, 12) != 0x0806)
        return 0;
    return station_at32(&station, 38);
}

enum net_status give_address(unsigned index, uint32_t addr, uint8_t bits,
                             uint32_t gateway)
{
    const struct net_address address = {ipv4_addr_make(addr), bits,
                                        ipv4_addr_make(gateway)};
    enum net_status status =
        interface_set_address(station.net, index, &address, host_now_us);

    net_flush(station.net, host_now_us);
    return status;
}

bool knows(uint32_t dst, const uint8_t mac[6])
{
    bool known;

    station_take_all(&station);
    assert_int_equal(talk_to(dst), IPV4_OK);
    known = station_take(&station) && station_at16(&station, 12) == 0x0800 &&
            memcmp(station.frame, mac, 6) == 0;
    station_take_all(&station);
    return known;
}
