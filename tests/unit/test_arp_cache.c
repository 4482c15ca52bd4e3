/*
 * The cache of neighbours: what makes room for what, what waits, what is set
 * by hand. What comes in is in test_arp.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "net/arp.h"
#include "net/interface.h"
#include "net/ipv4.h"
#include "net/net_priv.h"
#include "net/tcp_wire.h"
#include "net/udp.h"
#include "tests/host/fragments.h"
#include "tests/host/host.h"
#include "tests/host/station_scene.h"

enum { SECOND = 1000000 };

static const struct mac_addr other_mac = {{2, 0, 0, 0, 0, 7}};

static enum net_status add(uint32_t addr, struct mac_addr mac)
{
    return arp_add(station.net, 0, ipv4_addr_make(addr), mac, host_now_us);
}

/* What the cache says of an address; false: nothing. */
static bool look(uint32_t addr, struct arp_info *info)
{
    for (unsigned i = 0; arp_get(station.net, i, info); i++)
        if (ipv4_addr_host(info->addr) == addr)
            return true;
    return false;
}

static unsigned entries(void)
{
    struct arp_info info;
    unsigned count = 0;

    while (arp_get(station.net, count, &info))
        count++;
    return count;
}

/* --- bounds --------------------------------------------------------------- */

/* A14: questions from a hundred thousand addresses. */
static void
bound__A14_flood_keeps_table_and_gateway_and_who_is_used(void **state)
{
    struct net_memory before, after;
    struct arp_info info;
    uint32_t seen_max = 0;

    (void)state;
    assert_int_equal(interface_set_address(
                         station.net, 0,
                         &(struct net_address){ipv4_addr_make(STATION_ADDR), 8,
                                               ipv4_addr_make(STATION_GATEWAY)},
                         host_now_us),
                     NET_OK);
    station_meet(&station, STATION_GATEWAY, (uint8_t[]){2, 0, 0, 0, 0, 9});
    station_meet(&station, STATION_PEER, station_peer_mac);
    assert_int_equal(talk_to(STATION_PEER), IPV4_OK);
    station_take_all(&station);
    net_memory_get(station.net, &before);
    for (uint32_t i = 0; i < 100000; i++) {
        write_arp(station_all_mac, 1, station_peer_mac, 0x0a100001 + i,
                  STATION_ADDR);
        station_send(&station);
        if (i % 1000 == 0 && entries() > seen_max)
            seen_max = entries();
        host_now_us += 10;
        station_take_all(&station);
    }
    assert_int_equal(seen_max, ARP_ENTRIES_MAX);
    assert_true(look(STATION_GATEWAY, &info));
    assert_int_equal(info.state, ARP_KNOWN);
    assert_true(look(STATION_PEER, &info)); /* used: strangers go first */
    /* A million microseconds: two seconds' worth of answers at most. */
    assert_in_range(STATION_COUNT(&station, arp_tx), ARP_REPLIES_PER_S,
                    2 * ARP_REPLIES_PER_S + 20);
    station_wait(&station, 600 * (uint64_t)SECOND);
    station_take_all(&station);
    net_memory_get(station.net, &after);
    assert_int_equal(after.buffers, before.buffers);
    assert_true(after.pages <= before.pages);
}

/* `count` questions by a host, all within one moment. Returns: how many the
 * station has answered. */
static unsigned asks(const uint8_t mac[6], uint32_t addr, unsigned count)
{
    unsigned answers = 0;

    for (unsigned i = 0; i < count; i++) {
        write_arp(station_all_mac, 1, mac, addr, STATION_ADDR);
        station_send(&station);
        answers += station_take_all(&station);
    }
    return answers;
}

static void bound__A14_who_asks_too_much_silences_himself_alone(void **state)
{
    const uint8_t rude[6] = {2, 0, 0, 0, 0, 0x21};
    const uint8_t newcomer[6] = {2, 0, 0, 0, 0, 0x32};

    (void)state;
    assert_int_equal(asks(rude, STATION_PEER + 7, 5000), ARP_REPLIES_PER_S);
    assert_int_equal(asks(newcomer, STATION_PEER + 8, 1), 1);
    assert_int_equal(asks(rude, STATION_PEER + 9, 1), 0); /* by any name */
    host_now_us += SECOND;
    assert_int_equal(asks(rude, STATION_PEER + 7, 1), 1);
}

static void bound__A14_no_flood_keeps_answers_from_who_is_used(void **state)
{
    uint8_t mac[6] = {2, 0, 0, 7, 0, 0};
    unsigned answers = 0;

    (void)state;
    station_meet(&station, STATION_PEER, station_peer_mac);
    assert_int_equal(talk_to(STATION_PEER), IPV4_OK);
    station_take_all(&station);
    for (unsigned i = 0; i < 20000; i++) {
        mac[4] = (uint8_t)(i >> 8);
        mac[5] = (uint8_t)i;
        answers += asks(mac, 0x0a000010 + i % 200, 1);
    }
    assert_in_range(answers, 1, ARP_STRANGERS * ARP_REPLIES_PER_S);
    assert_int_equal(asks(mac, 0x0a000010, 1), 0);
    assert_int_equal(asks(station_peer_mac, STATION_PEER, 1), 1);
    /* Not to who takes his name: the answer would go to the other. */
    mac[5] = station_peer_mac[5] ^ 1;
    assert_int_equal(asks(mac, STATION_PEER, 1), 0);
}

/* A neighbour for whom there is no memory: what is lost was not sent. */
static void bound__what_finds_no_memory_is_not_counted_as_sent(void **state)
{
    struct buffer *data =
        buffer_alloc(net_pool(station.net), BUFFER_SMALL, BUFFER_HEADROOM);
    uint64_t sent = STATION_COUNT(&station, ip_tx);

    (void)state;
    data->len = 1;
    station.host.fail_at = station.host.asked + 1;
    assert_int_equal(
        udp_send(station.net, 5000, ipv4_addr_make(STATION_PEER), 6000, data),
        IPV4_NO_MEMORY);
    assert_int_equal(STATION_COUNT(&station, ip_tx), sent);
    assert_int_equal(STATION_COUNT(&station, ip_no_memory), 1);
}

/* The same on the way of nearly all packets: an answer to a segment. */
static void bound__a_segment_without_memory_is_not_counted_as_sent(void **state)
{
    const struct ipv4_send how = {
        .src = ipv4_addr_make(STATION_ADDR),
        .dst = ipv4_addr_make(STATION_PEER),
        .protocol = IPV4_PROTO_TCP,
    };
    struct buffer *segment =
        buffer_alloc(net_pool(station.net), BUFFER_SMALL, BUFFER_HEADROOM);
    uint64_t sent = STATION_COUNT(&station, ip_tx);

    (void)state;
    segment->len = TCP_HEADER_BYTES;
    station.host.fail_at = station.host.asked + 1;
    assert_int_equal(ipv4_output(station.net, &how, segment), IPV4_NO_MEMORY);
    assert_int_equal(STATION_COUNT(&station, ip_tx), sent);
    assert_int_equal(STATION_COUNT(&station, ip_no_memory), 1);
}

/* When only the last pages are left, packets still find their way: neither a
 * new neighbour nor one that was forgotten meanwhile makes us mute. */
static void scarce__a_neighbour_is_still_asked_for(void **state)
{
    (void)state;
    station.host.scarce = true;
    pages_drain(&station.net->pages);
    assert_int_equal(talk_to(STATION_PEER), IPV4_OK);
    assert_true(pages_scarce(&station.net->pages));
    assert_int_equal(STATION_COUNT(&station, arp_no_memory), 0);
    assert_true(station_take(&station));
    assert_int_equal(station_at16(&station, 12), 0x0806);
}

/* Addresses that nobody has, as from SYNs with forged senders: those who
 * answer keep half of the table. */
static void bound__silent_addresses_take_half_of_the_table(void **state)
{
    struct arp_info info;

    (void)state;
    for (uint32_t i = 0; i < 20; i++) {
        (void)!talk_to(0x0a000010 + i);
        answer_arp(0x0a000010 + i, station_peer_mac);
    }
    host_now_us += 2 * SECOND;
    for (uint32_t i = 0; i < 200; i++)
        (void)!talk_to(0x0a000030 + i % 200);
    assert_int_equal(entries(), ARP_ENTRIES_MAX);
    for (uint32_t i = 0; i < 20; i++) {
        assert_true(look(0x0a000010 + i, &info));
        assert_int_equal(info.state, ARP_KNOWN);
    }
}

/* On a network of many hosts, with all that was to say at first said. */
static void settle_on_a_large_network(uint32_t gateway)
{
    const struct net_address address = {ipv4_addr_make(STATION_ADDR), 8,
                                        ipv4_addr_make(gateway)};

    station.dev.tx_max = 10000;
    interface_clear_address(station.net, 0, host_now_us);
    assert_int_equal(
        interface_set_address(station.net, 0, &address, host_now_us), NET_OK);
    station_take_all(&station);
    station_wait(&station, 3 * SECOND);
    station_take_all(&station);
}

static void bound__requests_are_limited_for_all_together(void **state)
{
    (void)state;
    settle_on_a_large_network(0);
    for (uint32_t i = 0; i < 3 * ARP_REQUESTS_PER_S; i++)
        (void)!talk_to(0x0a200000 + i);
    assert_int_equal(station_take_all(&station), ARP_REQUESTS_PER_S);
    assert_int_equal(STATION_COUNT(&station, arp_limited),
                     2 * ARP_REQUESTS_PER_S);
}

/* Packets from addresses that nobody has make us ask for these. */
static void
bound__strangers_do_not_take_the_requests_of_who_counts(void **state)
{
    (void)state;
    settle_on_a_large_network(STATION_GATEWAY);
    (void)!talk_to(STATION_PEER);
    answer_arp(STATION_PEER, station_peer_mac);
    (void)!talk_to(STATION_PEER);
    station_wait(&station, 60 * SECOND - SECOND / 2);
    station_take_all(&station);
    for (uint32_t i = 0; i < 3 * ARP_REQUESTS_PER_S; i++)
        (void)!talk_to(0x0a200000 + i);
    assert_int_equal(station_take_all(&station), ARP_REQUESTS_PER_S);
    (void)!talk_to(STATION_FAR);
    assert_true(station_take(&station));
    assert_memory_equal(station.frame, station_all_mac, 6);
    assert_int_equal(station_at32(&station, 14 + 24), STATION_GATEWAY);
    station_wait(&station, SECOND / 2);
    assert_true(station_take(&station));
    assert_memory_equal(station.frame, station_peer_mac, 6);
}

/* Large pings in the name of hosts that nobody has: the answers wait for ARP,
 * and could hold 64 KiB each, sixteen for an address. */
static void bound__large_answers_to_nobody_hold_little(void **state)
{
    static struct fragments f;
    struct net_memory before, after;
    uint16_t sum;

    (void)state;
    fragments_init(&f);
    net_memory_get(f.station.net, &before);
    for (uint32_t i = 0; i < 512; i++) {
        f.src = 0x0a000010 + i % 32;
        f.id++;
        f.protocol = 1;
        fragments_make(&f, 9000);
        memcpy(f.whole, "\x08\x00\x00\x00\xbe\xef\x00\x07", 8);
        sum = (uint16_t)~internet_sum(f.whole, f.whole_bytes, 0);
        f.whole[2] = (uint8_t)(sum >> 8);
        f.whole[3] = (uint8_t)sum;
        fragments_rest(&f, 0, 1480);
        station_take_all(&f.station);
    }
    assert_int_equal(STATION_COUNT(&f.station, ip_reassembled), 512);
    net_memory_get(f.station.net, &after);
    /* A page for each first fragment, of four for an address, and the bound. */
    assert_in_range(after.pages, before.pages,
                    before.pages + 128 + ARP_PENDING_BYTES_MAX / PAGE_BYTES);
    assert_int_equal(fragments_end(&f), 0);
}

/* --- silence -------------------------------------------------------------- */

/* A18: three requests within 5 s, then rest of 1, 2, 4, 8, 8 s. */
static void silence__A18_is_asked_ever_more_rarely(void **state)
{
    static const unsigned rest_s[] = {1, 2, 4, 8, 8};

    (void)state;
    for (size_t round = 0; round < ARRAY_LEN(rest_s); round++) {
        (void)!talk_to(STATION_PEER);
        station_wait(&station, 5 * SECOND - 1);
        assert_int_equal(station_take_all(&station), 3);
        station_wait(&station, 1);
        (void)!talk_to(STATION_PEER); /* waits, and is asked for later */
        station_wait(&station, (uint64_t)rest_s[round] * SECOND - 1);
        assert_int_equal(station_take_all(&station), 0);
        station_wait(&station, 1); /* the first request of the next round */
    }
    answer_arp(STATION_PEER, station_peer_mac);
    assert_true(station_take_all(&station) >= 2); /* it, and who waited */
}

/* A used entry is refreshed from the neighbour himself; when he is silent, the
 * next packet asks everybody (RFC 1122 2.3.2.1 (2)). */
static void silence__known_one_is_asked_alone_then_everybody(void **state)
{
    (void)state;
    (void)!talk_to(STATION_PEER);
    answer_arp(STATION_PEER, station_peer_mac);
    (void)!talk_to(STATION_PEER);
    station_take_all(&station);
    station_wait(&station, 60 * SECOND + 4 * SECOND);
    for (int i = 0; i < 3; i++) {
        assert_true(station_take(&station));
        assert_memory_equal(station.frame, station_peer_mac, 6);
    }
    station_wait(&station, SECOND);
    assert_int_equal(entries(), 0);
    (void)!talk_to(STATION_PEER);
    assert_true(station_take(&station));
    assert_memory_equal(station.frame, station_all_mac, 6);
}

/* Who waits in a connected socket hears that nobody is there. */
static void silence__A18_is_told_to_the_udp_socket(void **state)
{
    const struct udp_options options = {0};
    struct buffer *data =
        buffer_alloc(net_pool(station.net), BUFFER_SMALL, BUFFER_HEADROOM);
    struct udp_socket *socket;
    struct udp_datagram from;

    (void)state;
    data->len = 1;
    assert_int_equal(udp_open(station.net, &options, &socket), UDP_OK);
    assert_int_equal(udp_connect(socket, ipv4_addr_make(STATION_FAR), 9),
                     UDP_OK);
    assert_int_equal(udp_send_to(socket, ipv4_addr_make(0), 0, data), UDP_OK);
    station_wait(&station, 5 * SECOND - 1);
    assert_int_equal(udp_receive(socket, &from, &data), UDP_AGAIN);
    station_wait(&station, 1);
    assert_int_equal(udp_receive(socket, &from, &data), UDP_UNREACHABLE);
    assert_int_equal(udp_receive(socket, &from, &data), UDP_AGAIN);
    udp_close(socket);
}

/* --- by hand -------------------------------------------------------------- */

static void by_hand__entry_believes_and_forgets_nothing(void **state)
{
    struct arp_info info;

    (void)state;
    assert_int_equal(add(STATION_PEER, other_mac), NET_OK);
    answer_arp(STATION_PEER, station_peer_mac); /* A13 */
    station_meet(&station, STATION_PEER, station_peer_mac);
    station_wait(&station, 1000 * (uint64_t)SECOND);
    station_take_all(&station);
    assert_int_equal(talk_to(STATION_PEER), IPV4_OK);
    assert_true(station_take(&station));
    assert_int_equal(station_at16(&station, 12), 0x0800);
    assert_memory_equal(station.frame, other_mac.byte, 6);
    assert_true(look(STATION_PEER, &info));
    assert_int_equal(info.state, ARP_STATIC);
    assert_memory_equal(info.mac.byte, other_mac.byte, 6);
    assert_true(arp_delete(station.net, 0, ipv4_addr_make(STATION_PEER)));
    assert_false(arp_delete(station.net, 0, ipv4_addr_make(STATION_PEER)));
    assert_int_equal(entries(), 0);
}

static void by_hand__what_waits_goes_at_once(void **state)
{
    (void)state;
    assert_int_equal(talk_to(STATION_PEER), IPV4_OK);
    station_take_all(&station);
    assert_int_equal(add(STATION_PEER, other_mac), NET_OK);
    net_flush(station.net, host_now_us);
    assert_true(station_take(&station));
    assert_memory_equal(station.frame, other_mac.byte, 6);
    station_wait(&station, 100 * (uint64_t)SECOND);
    assert_int_equal(station_take_all(&station), 0);
}

static void by_hand__is_bounded_and_checked(void **state)
{
    static const struct mac_addr group = {{1, 0, 0, 0, 0, 7}}, zero;

    (void)state;
    assert_int_equal(add(STATION_PEER, group), NET_BAD_ADDRESS);
    assert_int_equal(add(STATION_PEER, zero), NET_BAD_ADDRESS);
    assert_int_equal(add(STATION_ADDR, other_mac), NET_BAD_ADDRESS);
    assert_int_equal(add(0xe0000001, other_mac), NET_BAD_ADDRESS);
    for (uint32_t i = 0; i < ARP_STATIC_MAX; i++)
        assert_int_equal(add(0x0a000010 + i, other_mac), NET_OK);
    assert_int_equal(add(0x0a000010, other_mac), NET_OK); /* again */
    assert_int_equal(add(0x0a000080, other_mac), NET_FULL);
    for (uint32_t i = 0; i < 200; i++)
        (void)!talk_to(0x0a000030 + i);
    for (uint32_t i = 0; i < ARP_STATIC_MAX; i++) {
        struct arp_info info;

        assert_true(look(0x0a000010 + i, &info));
    }
    assert_int_equal(entries(), ARP_ENTRIES_MAX);
}

#define TEST(name) STATION_TEST(name, station_fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(bound__A14_flood_keeps_table_and_gateway_and_who_is_used),
        TEST(bound__A14_who_asks_too_much_silences_himself_alone),
        TEST(bound__A14_no_flood_keeps_answers_from_who_is_used),
        TEST(bound__what_finds_no_memory_is_not_counted_as_sent),
        TEST(bound__a_segment_without_memory_is_not_counted_as_sent),
        TEST(scarce__a_neighbour_is_still_asked_for),
        TEST(bound__silent_addresses_take_half_of_the_table),
        TEST(bound__requests_are_limited_for_all_together),
        TEST(bound__strangers_do_not_take_the_requests_of_who_counts),
        TEST(bound__large_answers_to_nobody_hold_little),
        TEST(silence__A18_is_asked_ever_more_rarely),
        TEST(silence__A18_is_told_to_the_udp_socket),
        TEST(silence__known_one_is_asked_alone_then_everybody),
        TEST(by_hand__entry_believes_and_forgets_nothing),
        TEST(by_hand__what_waits_goes_at_once),
        TEST(by_hand__is_bounded_and_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
