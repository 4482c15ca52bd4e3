/*
 * Cards of a stack: what they are attached with, and what one without an
 * address does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "net/interface.h"
#include "net/ipv4.h"
#include "net/netdev.h"
#include "net/udp.h"
#include "tests/host/host.h"
#include "tests/host/station_scene.h"

enum { PORT = 68 };

/* A card that has not been given an address. */
static int without_address(void **state)
{
    (void)state;
    station_prepare(&station);
    station.net = net_create(&station.config, host_now_us);
    assert_int_equal(net_attach(station.net, &station.dev.dev, NULL), NET_OK);
    net_flush(station.net, host_now_us);
    return 0;
}

/* --- with an address ------------------------------------------------------ */

static void attach__only_a_hosts_address_is_taken(void **state)
{
    static const struct {
        uint32_t addr, gateway;
        uint8_t bits;
    } bad[] = {
        {0, 0, 24},
        {0x7f000001, 0, 8},
        {0xe0000001, 0, 24},
        {0xffffffff, 0, 32},
        {0x0a000000, 0, 24},
        {0x0a0000ff, 0, 24},
        {0x0a000001, 0, 33},
        {0x0a000001, 0x0a000001, 24},
        {0x0a000001, 0xe0000001, 24},
        {0x0a000001, 0x7f000001, 24},
    };
    static struct memdev dev; /* outlives the stack */

    (void)state;
    memdev_init(&dev, (struct mac_addr){{2, 0, 0, 0, 0, 9}});
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        const struct net_address address = {ipv4_addr_make(bad[i].addr),
                                            bad[i].bits,
                                            ipv4_addr_make(bad[i].gateway)};

        assert_int_equal(net_attach(station.net, &dev.dev, &address),
                         NET_BAD_ADDRESS);
    }
}

static void attach__several_cards_each_serve_their_network(void **state)
{
    static struct memdev devs[4]; /* outlive the stack */
    struct ipv4_addr src;
    struct buffer *frame;

    (void)state;
    for (uint8_t i = 0; i < 4; i++) {
        const struct net_address address = {IPV4_ADDR(10, 1, i, 1), 24,
                                            IPV4_ADDR(0, 0, 0, 0)};

        memdev_init(&devs[i], (struct mac_addr){{2, 0, 0, 0, 1, i}});
        assert_int_equal(net_attach(station.net, &devs[i].dev, &address),
                         i < 3 ? NET_OK : NET_FULL);
    }
    assert_int_equal(ipv4_addr_host(net_address(station.net)), STATION_ADDR);
    net_flush(station.net, host_now_us);
    for (int i = 0; i < 3; i++)
        buffer_release(memdev_take(&devs[i])); /* announcements */
    assert_int_equal(talk_to(0x0a010105), IPV4_OK);
    frame = memdev_take(&devs[1]);
    assert_non_null(frame);
    buffer_release(frame);
    assert_true(ipv4_source_for(station.net, IPV4_ADDR(10, 1, 2, 9), &src));
    assert_int_equal(ipv4_addr_host(src), 0x0a010201);
    assert_true(ipv4_is_broadcast(station.net, IPV4_ADDR(10, 1, 2, 255)));
    assert_false(ipv4_is_broadcast(station.net, IPV4_ADDR(10, 1, 3, 255)));
    for (int i = 0; i < 3; i++)
        memdev_clear(&devs[i]);
}

/* RFC 3021: two addresses, both of hosts. */
static void attach__network_of_two_has_no_broadcast_address(void **state)
{
    const struct net_address address = {IPV4_ADDR(10, 9, 0, 1), 31,
                                        IPV4_ADDR(0, 0, 0, 0)};
    static struct memdev dev; /* outlives the stack */

    (void)state;
    memdev_init(&dev, (struct mac_addr){{2, 0, 0, 0, 0, 9}});
    assert_int_equal(net_attach(station.net, &dev.dev, &address), NET_OK);
    assert_false(ipv4_is_broadcast(station.net, IPV4_ADDR(10, 9, 0, 0)));
    assert_false(ipv4_is_broadcast(station.net, IPV4_ADDR(10, 9, 0, 1)));
    memdev_clear(&dev);
}

static void attach__gateway_off_its_network_is_reached_by_its_card(void **state)
{
    const struct net_address address = {IPV4_ADDR(10, 9, 0, 1), 32,
                                        IPV4_ADDR(172, 16, 0, 1)};
    struct ipv4_addr src;
    static struct memdev dev; /* outlives the stack */

    (void)state;
    memdev_init(&dev, (struct mac_addr){{2, 0, 0, 0, 0, 9}});
    assert_int_equal(net_attach(station.net, &dev.dev, &address), NET_OK);
    assert_true(ipv4_source_for(station.net, IPV4_ADDR(172, 16, 0, 1), &src));
    assert_int_equal(ipv4_addr_host(src), 0x0a090001);
    assert_true(ipv4_source_for(station.net, IPV4_ADDR(172, 16, 0, 2), &src));
    assert_int_equal(ipv4_addr_host(src), STATION_ADDR);
    memdev_clear(&dev);
}

static void create__every_refused_page_is_survived(void **state)
{
    (void)state;
    for (uint64_t k = 1; k < 40; k++) {
        struct hostnet host = {.fail_at = k, .fail_after = true};
        struct net_config config = hostnet_config(&host);
        struct net *net = net_create(&config, 0);

        if (net)
            net_destroy(net);
        assert_int_equal(host.pages, 0);
    }
}

/* --- without an address --------------------------------------------------- */

static void bare__card_says_and_answers_nothing(void **state)
{
    struct interface_info info;

    (void)state;
    assert_true(interface_get(station.net, 0, &info));
    assert_false(info.has_address);
    assert_string_equal(info.name, "mem");
    assert_int_equal(info.mtu_bytes, 1500);
    assert_false(interface_get(station.net, 1, &info));
    assert_int_equal(ipv4_addr_host(net_address(station.net)), 0);

    station_ethernet(&station, station_all_mac, station_peer_mac, 0x0806);
    station_arp(&station, 1, station_peer_mac, STATION_PEER, station_mac, 0);
    station_send(&station);
    write_ping(STATION_PEER, STATION_ADDR);
    station_send(&station);
    write_ping(STATION_PEER, 0);
    station_send(&station);
    net_device_event(station.net, &station.dev.dev, NETDEV_EV_ANNOUNCE,
                     host_now_us);
    net_flush(station.net, host_now_us);
    assert_int_equal(station_take_all(&station), 0);
    assert_int_equal(asked_for(STATION_PEER), 0);
    assert_false(ipv4_is_ours(station.net, ipv4_addr_make(0)));
}

static void mtu__card_that_carries_less_after_a_reset_is_heeded(void **state)
{
    static const uint16_t says[] = {1400, 1500}, is[] = {1400, 1400};
    struct interface_info info;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(says); i++) {
        station.dev.dev.mtu_bytes = says[i];
        net_device_event(station.net, &station.dev.dev, NETDEV_EV_RESET,
                         host_now_us);
        assert_true(interface_get(station.net, 0, &info));
        assert_int_equal(info.mtu_bytes, is[i]);
    }
}

/* RFC 2131 4.1: DISCOVER goes from 0.0.0.0 to everybody. */
static void bare__broadcast_from_nobody_leaves(void **state)
{
    const struct ipv4_send how = {.src = ipv4_addr_make(0),
                                  .dst = ipv4_addr_make(0xffffffff),
                                  .protocol = 17,
                                  .ttl = 7,
                                  .tos = 0x10};
    struct buffer *segment =
        buffer_alloc(net_pool(station.net), BUFFER_SMALL, BUFFER_HEADROOM);

    (void)state;
    segment->len = 8;
    memset(segment->data, 0, 8);
    assert_int_equal(ipv4_output_on(station.net, 0, &how, segment), IPV4_OK);
    net_flush(station.net, host_now_us);
    assert_true(station_take(&station));
    assert_memory_equal(station.frame, station_all_mac, 6);
    assert_int_equal(station_at32(&station, 26), 0);
    assert_int_equal(station_at32(&station, 30), 0xffffffff);
    assert_int_equal(station_at8(&station, 22), 7);
    assert_int_equal(station_at8(&station, 15), 0x10);
}

static void bare__single_host_is_not_reached_past_the_routes(void **state)
{
    const struct ipv4_send how = {.src = ipv4_addr_make(0),
                                  .dst = ipv4_addr_make(STATION_PEER),
                                  .protocol = 17};
    struct buffer *segment =
        buffer_alloc(net_pool(station.net), BUFFER_SMALL, BUFFER_HEADROOM);

    (void)state;
    segment->len = 8;
    assert_int_equal(ipv4_output_on(station.net, 0, &how, segment),
                     IPV4_NO_ROUTE);
}

static unsigned heard;

static void hear(void *context, struct net *net,
                 const struct udp_datagram *from, struct buffer *data)
{
    (void)context;
    (void)net;
    (void)from;
    heard++;
    buffer_release(data);
}

/* A datagram from a server to port `port` of `dst`. */
static void offer(const uint8_t mac[6], uint32_t dst, uint16_t port)
{
    station_ethernet(&station, mac, station_peer_mac, 0x0800);
    station_ip(&station, STATION_PEER, dst, 17, 8);
    station_word(&station, 67);
    station_word(&station, port);
    station_word(&station, 8);
    station_word(&station, 0);
    station_send(&station);
}

static void bare__answer_to_an_address_not_yet_ours_is_heard(void **state)
{
    (void)state;
    heard = 0;
    assert_int_equal(udp_bind(station.net, PORT, hear, NULL), UDP_OK);
    offer(station_mac, STATION_ADDR, PORT);
    assert_int_equal(heard, 0);
    offer(station_all_mac, 0xffffffff, PORT);
    assert_int_equal(heard, 1);

    interface_hear_all(station.net, 0, PORT);
    offer(station_mac, STATION_ADDR, PORT);
    assert_int_equal(heard, 2);
    offer(station_mac, STATION_ADDR, PORT + 1);
    assert_int_equal(STATION_COUNT(&station, udp_rx), 2);
    offer(station_peer_mac, STATION_ADDR, PORT); /* a frame for another */
    assert_int_equal(heard, 2);

    interface_hear_all(station.net, 0, 0);
    offer(station_mac, STATION_ADDR, PORT);
    assert_int_equal(heard, 2);
    assert_int_equal(station_take_all(&station), 0);
}

/* A header cut before the port: nothing is read past the end. */
static void bare__short_datagram_is_not_heard(void **state)
{
    (void)state;
    interface_hear_all(station.net, 0, PORT);
    for (uint32_t bytes = 0; bytes < 4; bytes++) {
        station_ethernet(&station, station_mac, station_peer_mac, 0x0800);
        station_ip(&station, STATION_PEER, STATION_ADDR, 17, bytes);
        station_fill(&station, 0, bytes);
        station_send(&station);
    }
    assert_int_equal(STATION_COUNT(&station, ip_not_ours), 4);
    assert_int_equal(STATION_COUNT(&station, udp_rx), 0);
}

#define BARE(name) STATION_TEST(name, without_address)
#define TEST(name) STATION_TEST(name, station_met)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(attach__only_a_hosts_address_is_taken),
        TEST(attach__several_cards_each_serve_their_network),
        TEST(attach__network_of_two_has_no_broadcast_address),
        TEST(attach__gateway_off_its_network_is_reached_by_its_card),
        cmocka_unit_test(create__every_refused_page_is_survived),
        BARE(bare__card_says_and_answers_nothing),
        BARE(mtu__card_that_carries_less_after_a_reset_is_heeded),
        BARE(bare__broadcast_from_nobody_leaves),
        BARE(bare__single_host_is_not_reached_past_the_routes),
        BARE(bare__answer_to_an_address_not_yet_ours_is_heard),
        BARE(bare__short_datagram_is_not_heard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
