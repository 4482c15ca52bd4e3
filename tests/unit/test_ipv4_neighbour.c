/*
 * Packets to a host that was sent to before: the stack remembers who is next
 * on the way, and nothing that has changed since may be overlooked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "net/arp.h"
#include "net/interface.h"
#include "net/ipv4.h"
#include "net/route.h"
#include "tests/host/host.h"
#include "tests/host/station_scene.h"

enum { SECOND = 1000000 };

static const uint8_t moved_mac[6] = {2, 0, 0, 0, 0, 0x42};

/* `bytes` of a protocol that wants no fragments, from `src` to the peer. */
static enum ipv4_status send_from(uint32_t src, uint32_t bytes)
{
    struct buffer *segment =
        buffer_alloc(net_pool(station.net), BUFFER_LARGE, BUFFER_HEADROOM);
    const struct ipv4_send how = {.src = ipv4_addr_make(src),
                                  .dst = ipv4_addr_make(STATION_PEER),
                                  .protocol = 6};

    memset(segment->data, 0, bytes);
    segment->len = bytes;
    return ipv4_output(station.net, &how, segment);
}

/* Met, and sent to: what was found is remembered. */
static int talked(void **state)
{
    int status = station_met(state);

    assert_int_equal(talk_to(STATION_PEER), IPV4_OK);
    assert_int_equal(talk_to(STATION_PEER), IPV4_OK);
    assert_int_equal(station_take_all(&station), 2);
    return status;
}

static void neighbour__that_has_moved_gets_the_next_packet(void **state)
{
    (void)state;
    station_wait(&station, 2 * SECOND);
    write_arp(station_all_mac, 1, moved_mac, STATION_PEER, STATION_PEER);
    station_send(&station);
    assert_true(knows(STATION_PEER, moved_mac));
}

static void neighbour__that_is_forgotten_by_hand_is_asked_for(void **state)
{
    (void)state;
    assert_true(arp_delete(station.net, 0, ipv4_addr_make(STATION_PEER)));
    assert_int_equal(asked_for(STATION_PEER), STATION_PEER);
}

static void neighbour__set_by_hand_gets_the_next_packet(void **state)
{
    struct mac_addr mac;

    (void)state;
    memcpy(mac.byte, moved_mac, 6);
    assert_int_equal(
        arp_add(station.net, 0, ipv4_addr_make(STATION_PEER), mac, host_now_us),
        NET_OK);
    assert_true(knows(STATION_PEER, moved_mac));
}

/* RFC 1122 2.3.2.1: it is asked three times when its time is over. */
static void neighbour__that_is_silent_is_asked_for_of_all(void **state)
{
    unsigned frames = 0;

    (void)state;
    for (int i = 0; i < 70; i++) {
        station_wait(&station, SECOND);
        frames += station_take_all(&station);
    }
    assert_int_equal(frames, ARP_REQUESTS_MAX);
    assert_int_equal(asked_for(STATION_PEER), STATION_PEER);
}

/* Packets that are sent are what makes the stack ask again in time. */
static void
neighbour__that_is_used_is_asked_before_it_is_forgotten(void **state)
{
    (void)state;
    answer_arp(STATION_PEER, station_peer_mac); /* confirmed, and not used */
    station_wait(&station, 59 * SECOND);
    assert_int_equal(talk_to(STATION_PEER), IPV4_OK);
    station_take_all(&station);
    station_wait(&station, 2 * SECOND);
    assert_true(station_take(&station));
    assert_arp_request(station_peer_mac, STATION_ADDR, STATION_PEER);
    assert_true(knows(STATION_PEER, station_peer_mac)); /* it may still be */
}

static void neighbour__that_is_evicted_is_asked_for(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < ARP_ENTRIES_MAX; i++) {
        station_wait(&station, 1000);
        station_meet(&station, 0x0a000010 + i, station_peer_mac);
        assert_int_equal(talk_to(0x0a000010 + i), IPV4_OK);
    }
    station_take_all(&station);
    assert_int_equal(STATION_COUNT(&station, arp_evicted), 1);
    assert_int_equal(asked_for(STATION_PEER), STATION_PEER);
}

static void way__of_a_new_route_is_taken(void **state)
{
    (void)state;
    assert_int_equal(route_add(station.net, ipv4_addr_make(STATION_PEER), 32,
                               ipv4_addr_make(STATION_GATEWAY), 0),
                     NET_OK);
    assert_int_equal(asked_for(STATION_PEER), STATION_GATEWAY);
}

static void way__of_a_network_that_has_become_smaller_is_taken(void **state)
{
    (void)state;
    assert_int_equal(give_address(0, STATION_ADDR, 32, STATION_GATEWAY),
                     NET_OK);
    assert_int_equal(asked_for(STATION_PEER), STATION_GATEWAY);
}

static void source__that_is_no_longer_ours_is_refused(void **state)
{
    (void)state;
    assert_int_equal(send_from(STATION_ADDR, 20), IPV4_OK);
    assert_int_equal(give_address(0, STATION_ADDR + 8, 24, 0), NET_OK);
    assert_int_equal(send_from(STATION_ADDR, 20), IPV4_NO_ROUTE);
    assert_int_equal(send_from(STATION_ADDR + 8, 20), IPV4_OK);
}

static void source__that_is_not_ours_is_refused_behind_one_that_is(void **state)
{
    (void)state;
    assert_int_equal(send_from(STATION_ADDR, 20), IPV4_OK);
    assert_int_equal(send_from(STATION_ADDR + 8, 20), IPV4_NO_ROUTE);
    assert_int_equal(send_from(0, 20), IPV4_NO_ROUTE);
    assert_int_equal(send_from(STATION_ADDR, 20), IPV4_OK);
}

static void link__that_carries_less_refuses_more(void **state)
{
    (void)state;
    assert_int_equal(send_from(STATION_ADDR, 1480), IPV4_OK);
    assert_int_equal(interface_set_mtu(station.net, 0, 1400), NET_OK);
    assert_int_equal(send_from(STATION_ADDR, 1381), IPV4_TOO_BIG);
    assert_int_equal(send_from(STATION_ADDR, 1380), IPV4_OK);
}

/* A packet's length has 16 bits, however much the card would cut up. */
static void link__takes_no_more_than_64_kib_at_once(void **state)
{
    static const uint8_t text[65496];
    struct buffer_pool *pool = net_pool(station.net);
    const struct ipv4_send how = {.src = ipv4_addr_make(STATION_ADDR),
                                  .dst = ipv4_addr_make(STATION_PEER),
                                  .protocol = 6};

    (void)state;
    station.dev.dev.caps = NETDEV_CAP_TX_CSUM | NETDEV_CAP_TX_GSO_TCP4;
    for (uint32_t bytes = 65495; bytes <= 65496; bytes++) {
        struct buffer *segment =
            buffer_alloc(pool, BUFFER_SMALL, BUFFER_HEADROOM);

        segment->len = 20;
        segment->flags = BUFFER_GSO_TCP4;
        segment->next = buffer_wrap(pool, text, bytes, NULL, NULL);
        assert_int_equal(ipv4_output(station.net, &how, segment),
                         bytes == 65495 ? IPV4_OK : IPV4_TOO_BIG);
    }
}

static unsigned packets_out;

static void count_packet(void *context, struct buffer *packet)
{
    (void)context;
    packets_out++;
    buffer_release(packet);
}

static void host__that_takes_packets_gets_them_in_place_of_a_card(void **state)
{
    (void)state;
    station_end(&station);
    station_prepare(&station);
    station.config.host.packet_out = count_packet;
    station_start(&station, 24, 0);
    station_meet(&station, STATION_PEER, station_peer_mac);
    packets_out = 0;
    for (int i = 0; i < 3; i++)
        assert_int_equal(talk_to(STATION_PEER), IPV4_OK);
    assert_int_equal(packets_out, 3);
    assert_int_equal(station_take_all(&station), 0);
}

/* A card that was reset may do less than before. */
static void card__that_no_longer_sums_gets_whole_sums(void **state)
{
    (void)state;
    station.dev.dev.caps = NETDEV_CAP_TX_CSUM;
    assert_int_equal(talk_to(STATION_PEER), IPV4_OK);
    station_take_all(&station);
    station.dev.dev.caps = 0;
    assert_int_equal(talk_to(STATION_PEER), IPV4_OK);
    assert_true(station_take(&station));
    assert_true(station_sums(&station, 34, 9,
                             pseudo_sum(STATION_ADDR, STATION_PEER, 17, 9)));
}

/* So many hosts that some are remembered in the same place. */
static void way__to_each_of_many_is_found(void **state)
{
    enum { HOSTS = ARP_ENTRIES_MAX - 4 };
    uint8_t mac[6] = {2, 0, 0, 0, 1, 0};

    (void)state;
    for (int round = 0; round < 3; round++)
        for (uint32_t i = 0; i < HOSTS; i++) {
            mac[5] = (uint8_t)i;
            if (round == 0)
                station_meet(&station, STATION_PEER + 1 + i, mac);
            assert_true(knows(STATION_PEER + 1 + i, mac));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STATION_TEST(neighbour__that_has_moved_gets_the_next_packet, talked),
        STATION_TEST(neighbour__that_is_forgotten_by_hand_is_asked_for, talked),
        STATION_TEST(neighbour__set_by_hand_gets_the_next_packet, talked),
        STATION_TEST(neighbour__that_is_silent_is_asked_for_of_all, talked),
        STATION_TEST(neighbour__that_is_used_is_asked_before_it_is_forgotten,
                     talked),
        STATION_TEST(neighbour__that_is_evicted_is_asked_for, talked),
        STATION_TEST(way__of_a_new_route_is_taken, talked),
        STATION_TEST(way__of_a_network_that_has_become_smaller_is_taken,
                     talked),
        STATION_TEST(source__that_is_no_longer_ours_is_refused, talked),
        STATION_TEST(source__that_is_not_ours_is_refused_behind_one_that_is,
                     talked),
        STATION_TEST(link__that_carries_less_refuses_more, talked),
        STATION_TEST(link__takes_no_more_than_64_kib_at_once, talked),
        STATION_TEST(host__that_takes_packets_gets_them_in_place_of_a_card,
                     station_met),
        STATION_TEST(card__that_no_longer_sums_gets_whole_sums, talked),
        STATION_TEST(way__to_each_of_many_is_found, talked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
