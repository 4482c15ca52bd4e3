/*
 * Packets that are cut to what the link carries, and their numbers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "net/arp.h"
#include "net/interface.h"
#include "net/ipv4_fragment.h"
#include "net/netdev.h"
#include "net/udp.h"
#include "tests/host/host.h"
#include "tests/host/station_scene.h"

enum { SECOND = 1000000, DATA_MAX = 65507 };

static uint8_t text[DATA_MAX];
static uint8_t whole[8 + DATA_MAX]; /* what has been put together */

static int setup(void **state)
{
    for (uint32_t i = 0; i < DATA_MAX; i++)
        text[i] = (uint8_t)(i * 11 + (i >> 8));
    return station_met(state);
}

static enum ipv4_status send_to(uint32_t dst, uint32_t bytes)
{
    struct buffer *data =
        buffer_wrap(net_pool(station.net), text, bytes, NULL, NULL);
    enum ipv4_status status =
        udp_send(station.net, 5000, ipv4_addr_make(dst), 6000, data);

    if (status == IPV4_FULL)
        buffer_release(data);
    net_flush(station.net, host_now_us);
    return status;
}

/* Take fragments and put them together; what RFC 791 says of each is so.
 * Returns: how many there were. */
static unsigned collect(uint32_t bytes, uint32_t mtu, uint16_t *id)
{
    uint32_t expected = 0;
    unsigned count = 0;
    bool more = true;

    for (; more; count++) {
        uint32_t payload;

        assert_true(station_take(&station));
        payload = station_at16(&station, 16) - 20u;
        more = station_at16(&station, 20) & 0x2000;
        assert_true(station.len == 34 + payload && 20 + payload <= mtu);
        assert_true(station_sums(&station, 14, 20, 0));
        assert_int_equal(station_at16(&station, 20) & 0xc000, 0);
        assert_int_equal((station_at16(&station, 20) & 0x1fff) * 8, expected);
        assert_true(!more || payload % 8 == 0);
        assert_true(count == 0 || station_at16(&station, 18) == *id);
        *id = station_at16(&station, 18);
        memcpy(whole + expected, station.frame + 34, payload);
        expected += payload;
    }
    assert_int_equal(expected, 8 + bytes);
    assert_memory_equal(whole + 8, text, bytes);
    assert_int_equal(
        internet_sum(whole, 8 + bytes,
                     pseudo_sum(STATION_ADDR, STATION_PEER, 17, 8 + bytes)),
        0xffff);
    return count;
}

static void cut__every_length_is_whole_again(void **state)
{
    static const uint32_t lengths[] = {1473, 1480, 2952,  2953,
                                       3000, 9000, 65506, 65507};
    uint16_t id;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        assert_int_equal(send_to(STATION_PEER, lengths[i]), IPV4_OK);
        assert_int_equal(collect(lengths[i], 1500, &id),
                         (8 + lengths[i] + 1479) / 1480);
    }
}

static void cut__every_mtu_is_kept(void **state)
{
    uint16_t id;

    (void)state;
    for (uint16_t mtu = 104; mtu < 1500; mtu += 93) {
        assert_int_equal(interface_set_mtu(station.net, 0, mtu), NET_OK);
        assert_int_equal(send_to(STATION_PEER, 4000), IPV4_OK);
        assert_true(collect(4000, mtu, &id) >= 4000u / mtu);
    }
}

/* The card sums up one packet, not the whole. */
static void cut__checksum_is_ours_also_beside_a_card_that_sums(void **state)
{
    uint16_t id;

    (void)state;
    station.dev.dev.caps = NETDEV_CAP_TX_CSUM;
    assert_int_equal(send_to(STATION_PEER, 5000), IPV4_OK);
    collect(5000, 1500, &id);
}

/* RFC 6864 4: a packet that nobody cuts has no number; others have one. */
static void number__only_of_what_may_be_cut(void **state)
{
    (void)state;
    assert_int_equal(send_to(STATION_PEER, 576 - 28), IPV4_OK);
    assert_true(station_take(&station));
    assert_int_equal(station_at16(&station, 20), 0x4000);
    assert_int_equal(station_at16(&station, 18), 0);
    assert_int_equal(send_to(STATION_PEER, 577 - 28), IPV4_OK);
    assert_true(station_take(&station));
    assert_int_equal(station_at16(&station, 20), 0);
}

/* Between two hosts, no number twice before all have been used. */
static void number__does_not_come_again(void **state)
{
    static uint8_t seen[65536];
    const struct ipv4_header header = {.src = ipv4_addr_make(STATION_ADDR),
                                       .dst = ipv4_addr_make(STATION_PEER),
                                       .protocol = 17};

    (void)state;
    memset(seen, 0, sizeof(seen));
    for (uint32_t i = 0; i < 65536; i++) {
        uint16_t id = ipv4_next_id(station.net, &header);

        assert_int_equal(seen[id], 0);
        seen[id] = 1;
    }
}

/* Who sees one number foresees neither the next nor another host's: steps from
 * one to the next are many, and do not agree between hosts. */
static void number__is_not_to_be_foreseen(void **state)
{
    static uint8_t steps[65536];
    struct ipv4_header a = {.src = ipv4_addr_make(STATION_ADDR),
                            .dst = ipv4_addr_make(STATION_PEER),
                            .protocol = 17};
    struct ipv4_header b = a;
    unsigned distinct = 0, equal = 0;
    uint16_t last = ipv4_next_id(station.net, &a);

    (void)state;
    b.dst = ipv4_addr_make(STATION_FAR);
    memset(steps, 0, sizeof(steps));
    for (int i = 0; i < 1000; i++) {
        uint16_t id = ipv4_next_id(station.net, &a);

        distinct += !steps[(uint16_t)(id - last)];
        steps[(uint16_t)(id - last)] = 1;
        equal += id == ipv4_next_id(station.net, &b);
        last = id;
    }
    assert_true(distinct > 950); /* of 1000 drawn from 65536: about 992 */
    assert_true(equal < 10);
}

static void full__leaves_the_datagram_to_be_sent_again(void **state)
{
    struct net_memory before, after;
    struct buffer *data =
        buffer_wrap(net_pool(station.net), text, 5000, NULL, NULL);
    uint16_t id;

    (void)state;
    net_memory_get(station.net, &before);
    for (unsigned room = 0; room < 4; room++) {
        station.dev.tx_max = room;
        assert_int_equal(udp_send(station.net, 5000,
                                  ipv4_addr_make(STATION_PEER), 6000, data),
                         IPV4_FULL);
        net_flush(station.net, host_now_us);
        assert_int_equal(station_take_all(&station), room);
        net_memory_get(station.net, &after);
        assert_int_equal(after.buffers, before.buffers);
    }
    station.dev.tx_max = 4;
    assert_int_equal(
        udp_send(station.net, 5000, ipv4_addr_make(STATION_PEER), 6000, data),
        IPV4_OK);
    net_flush(station.net, host_now_us);
    collect(5000, 1500, &id);
}

/* What waits for ARP waits as a datagram, and goes as one. */
static void arp__fragments_wait_and_go_together(void **state)
{
    uint16_t id;

    (void)state;
    for (uint32_t i = 0; i < ARP_PENDING_MAX + 2; i++)
        assert_int_equal(send_to(STATION_PEER + 1, 5000 + i), IPV4_OK);
    assert_int_equal(STATION_COUNT(&station, arp_pending_full), 2);
    station_take_all(&station);
    station_ethernet(&station, station_mac, station_peer_mac, 0x0806);
    station_arp(&station, 2, station_peer_mac, STATION_PEER + 1, station_mac,
                STATION_ADDR);
    station_send(&station);
    for (uint32_t i = 2; i < ARP_PENDING_MAX + 2; i++) /* the youngest, whole */
        for (unsigned count = 0; count < 4; count++) {
            assert_true(station_take(&station));
            assert_true(count == 0 || station_at16(&station, 18) == id);
            id = station_at16(&station, 18);
            assert_int_equal((station_at16(&station, 20) & 0x1fff) * 8,
                             count * 1480);
        }
    assert_false(station_take(&station));
}

/* To ourselves there is no link, and nothing to cut. */
static void loopback__carries_the_largest_whole(void **state)
{
    (void)state;
    assert_int_equal(send_to(0x7f000001, DATA_MAX), IPV4_OK);
    assert_int_equal(STATION_COUNT(&station, ip_fragment_tx), 0);
    assert_int_equal(STATION_COUNT(&station, udp_rx), 1);
    assert_int_equal(STATION_COUNT(&station, udp_no_listener), 1);
}

static void memory__that_ends_anywhere_is_survived(void **state)
{
    struct net_memory before, after;

    (void)state;
    net_memory_get(station.net, &before);
    for (uint64_t k = 1; k < 12; k++) {
        enum ipv4_status status;

        station.host.fail_at = station.host.asked + k;
        station.host.fail_after = true;
        status = send_to(STATION_PEER, DATA_MAX);
        assert_true(status == IPV4_OK || status == IPV4_NO_MEMORY);
        station.host.fail_at = 0;
        station_take_all(&station);
        net_memory_get(station.net, &after);
        assert_int_equal(after.buffers, before.buffers);
    }
    assert_true(STATION_COUNT(&station, ip_no_memory) > 0);
}

#define TEST(name) STATION_TEST(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(cut__every_length_is_whole_again),
        TEST(cut__every_mtu_is_kept),
        TEST(cut__checksum_is_ours_also_beside_a_card_that_sums),
        TEST(number__only_of_what_may_be_cut),
        TEST(number__does_not_come_again),
        TEST(number__is_not_to_be_foreseen),
        TEST(full__leaves_the_datagram_to_be_sent_again),
        TEST(arp__fragments_wait_and_go_together),
        TEST(loopback__carries_the_largest_whole),
        TEST(memory__that_ends_anywhere_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
