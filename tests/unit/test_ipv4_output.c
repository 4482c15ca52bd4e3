/*
 * IPv4 that is sent: to the link, past a gateway, to ourselves, and what is
 * refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "net/icmp.h"
#include "net/ipv4.h"
#include "net/udp.h"
#include "tests/host/host.h"
#include "tests/host/station_scene.h"

static enum ipv4_status send_udp(uint32_t dst, uint32_t bytes)
{
    static const uint8_t zeros[1980];
    struct buffer *data = hostnet_chain(net_pool(station.net), zeros, bytes);
    enum ipv4_status status =
        udp_send(station.net, 1234, ipv4_addr_make(dst), 4321, data);

    if (status == IPV4_FULL)
        buffer_release(data);
    net_flush(station.net, host_now_us);
    return status;
}

static void output__packet_is_atomic_and_sums_up(void **state)
{
    (void)state;
    assert_int_equal(send_udp(STATION_PEER, 101), IPV4_OK);
    assert_true(station_take(&station));
    assert_int_equal(station_at8(&station, 14), 0x45);
    assert_int_equal(station_at16(&station, 16), 20 + 8 + 101);
    assert_int_equal(station_at16(&station, 18), 0); /* RFC 6864 */
    assert_int_equal(station_at16(&station, 20), 0x4000);
    assert_int_equal(station_at8(&station, 22), 64);
    assert_int_equal(station_at32(&station, 26), STATION_ADDR);
    assert_int_equal(station_at32(&station, 30), STATION_PEER);
    assert_true(station_sums(&station, 14, 20, 0));
    assert_true(station_sums(&station, 34, 109,
                             pseudo_sum(STATION_ADDR, STATION_PEER, 17, 109)));
    assert_int_equal(station.len, 14 + 20 + 109);
}

static void output__routes_go_to_the_link_and_the_gateway(void **state)
{
    const uint8_t gateway[6] = {2, 0, 0, 0, 0, 0xfe};

    (void)state;
    station_meet(&station, STATION_GATEWAY, gateway);
    assert_int_equal(send_udp(STATION_FAR, 1), IPV4_OK);
    assert_true(station_take(&station));
    assert_memory_equal(station.frame, gateway, 6);
    assert_int_equal(send_udp(STATION_PEER, 1), IPV4_OK);
    assert_true(station_take(&station));
    assert_memory_equal(station.frame, station_peer_mac, 6);
}

static void output__broadcast_and_multicast_need_no_arp(void **state)
{
    const uint8_t group[6] = {1, 0, 0x5e, 0x01, 0x02, 0x03};

    (void)state;
    assert_int_equal(send_udp(0xffffffff, 1), IPV4_OK);
    assert_true(station_take(&station));
    assert_memory_equal(station.frame, station_all_mac, 6);
    assert_int_equal(send_udp(0x0a0000ff, 1), IPV4_OK);
    assert_true(station_take(&station));
    assert_memory_equal(station.frame, station_all_mac, 6);
    assert_int_equal(send_udp(0xe0810203, 1), IPV4_OK);
    assert_true(station_take(&station));
    assert_memory_equal(station.frame, group, 6);
}

static void output__what_has_no_route_is_refused(void **state)
{
    (void)state;
    assert_int_equal(send_udp(0, 1), IPV4_NO_ROUTE);
    assert_int_equal(send_udp(0x00000001, 1), IPV4_NO_ROUTE);
    assert_int_equal(send_udp(0xf0000001, 1), IPV4_NO_ROUTE);
    assert_int_equal(ipv4_mtu_for(station.net, ipv4_addr_make(0)), 0);
    station_end(&station);
    station_prepare(&station);
    station_start(&station, 24, 0);
    station_take_all(&station);
    assert_int_equal(send_udp(STATION_FAR, 1), IPV4_NO_ROUTE);
    assert_int_equal(station_take_all(&station), 0);
}

static void output__more_than_the_mtu_is_refused_where_df_is_set(void **state)
{
    struct ipv4_send how = {.src = ipv4_addr_make(STATION_ADDR),
                            .dst = ipv4_addr_make(STATION_PEER),
                            .protocol = 6};

    (void)state;
    for (uint32_t bytes = 1480; bytes <= 1481; bytes++) {
        struct buffer *segment =
            buffer_alloc(net_pool(station.net), BUFFER_LARGE, BUFFER_HEADROOM);

        memset(segment->data, 0, bytes);
        segment->len = bytes;
        assert_int_equal(ipv4_output(station.net, &how, segment),
                         bytes == 1480 ? IPV4_OK : IPV4_TOO_BIG);
    }
    assert_int_equal(STATION_COUNT(&station, ip_too_big), 1);
    assert_int_equal(ipv4_mtu_for(station.net, ipv4_addr_make(STATION_PEER)),
                     1500);
}

/* A packet's length has 16 bits, however much the card would cut up. */
static void output__more_than_64_kib_is_refused(void **state)
{
    static const uint8_t text[65516];
    struct buffer_pool *pool = net_pool(station.net);
    const struct ipv4_send how = {.src = ipv4_addr_make(STATION_ADDR),
                                  .dst = ipv4_addr_make(STATION_PEER),
                                  .protocol = 6};

    (void)state;
    station.dev.dev.caps = NETDEV_CAP_TX_CSUM | NETDEV_CAP_TX_GSO_TCP4;
    for (uint32_t bytes = 65515; bytes <= 65516; bytes++) {
        struct buffer *segment = buffer_wrap(pool, text, bytes, NULL, NULL);

        segment->flags = BUFFER_GSO_TCP4;
        assert_int_equal(ipv4_output(station.net, &how, segment),
                         bytes == 65515 ? IPV4_OK : IPV4_TOO_BIG);
    }
}

/* A segment whose first view has no room for headers: it is left as it was
 * when the card is full, and sent later. */
static void output__full_card_leaves_the_segment_as_it_was(void **state)
{
    struct buffer_pool *pool = net_pool(station.net);
    const struct ipv4_send how = {.src = ipv4_addr_make(STATION_ADDR),
                                  .dst = ipv4_addr_make(STATION_PEER),
                                  .protocol = 6};

    (void)state;
    for (int roomy = 0; roomy < 2; roomy++) {
        struct buffer *segment =
            buffer_alloc(pool, BUFFER_LARGE, roomy ? BUFFER_HEADROOM : 0);
        uint8_t *data = segment->data;

        segment->len = 50;
        memset(segment->data, 3, 50);
        segment->flags = BUFFER_CSUM_PARTIAL;
        segment->csum_start = 0;
        segment->csum_offset = 16;
        station.dev.tx_max = 0;
        for (int i = 0; i < 3; i++)
            assert_int_equal(ipv4_output(station.net, &how, segment),
                             IPV4_FULL);
        assert_ptr_equal(segment->data, data);
        assert_int_equal(segment->len, 50);
        assert_int_equal(segment->csum_start, 0);
        assert_null(segment->next);
        station.dev.tx_max = 10;
        assert_int_equal(ipv4_output(station.net, &how, segment), IPV4_OK);
        net_flush(station.net, host_now_us);
        assert_true(station_take(&station));
        assert_int_equal(station.len, 14 + 20 + 50);
        assert_int_equal(station_at8(&station, 34), 3);
    }
}

static void output__card_that_sums_gets_the_place_to_do_it(void **state)
{
    struct buffer *frame;
    uint32_t sum = pseudo_sum(STATION_ADDR, STATION_PEER, 17, 9);

    (void)state;
    station.dev.dev.caps = NETDEV_CAP_TX_CSUM;
    assert_int_equal(send_udp(STATION_PEER, 1), IPV4_OK);
    frame = memdev_take(&station.dev);
    assert_int_equal(frame->flags, BUFFER_CSUM_PARTIAL);
    assert_int_equal(frame->csum_start, 34);
    assert_int_equal(frame->csum_offset, 6);
    assert_true(buffer_copy_out(frame, 40, station.frame, 2) == 2);
    station.len = 2;
    assert_int_equal(station_at16(&station, 0), (sum >> 16) + (sum & 0xffff));
    buffer_release(frame);
}

/* A datagram with `bytes` of data, to be sent to the peer. */
static void check_summed(uint32_t bytes)
{
    const struct ipv4_send how = {.src = ipv4_addr_make(STATION_ADDR),
                                  .dst = ipv4_addr_make(STATION_PEER),
                                  .protocol = 17,
                                  .summed_bytes = (uint16_t)bytes};
    struct buffer *segment =
        buffer_alloc(net_pool(station.net), BUFFER_LARGE, BUFFER_HEADROOM);
    uint32_t sum = pseudo_sum(STATION_ADDR, STATION_PEER, 17, 8 + bytes);
    be16 field;

    memset(segment->data, 0x11, 8);
    segment->len = 8 + bytes;
    for (uint32_t i = 0; i < bytes; i++) {
        segment->data[8 + i] = (uint8_t)(0xf5 + i);
        sum += (uint32_t)((uint8_t)(0xf5 + i)) << (i % 2 ? 0 : 8);
    }
    field = be16_make((uint16_t)((sum & 0xffff) + (sum >> 16)));
    memcpy(segment->data + 6, &field, 2);
    segment->flags = BUFFER_CSUM_PARTIAL;
    segment->csum_offset = 6;
    assert_int_equal(ipv4_output(station.net, &how, segment), IPV4_OK);
    net_flush(station.net, host_now_us);
    assert_true(station_take(&station));
    assert_true(
        station_sums(&station, 34, 8 + bytes,
                     pseudo_sum(STATION_ADDR, STATION_PEER, 17, 8 + bytes)));
}

static void output__data_that_was_summed_is_not_summed_again(void **state)
{
    (void)state;
    for (uint32_t bytes = 0; bytes < 1400; bytes += 1 + bytes / 7)
        check_summed(bytes);
}

/* What is copied goes with the right sum, and to a card that sums with that of
 * the pseudo header alone. */
static void output__copied_data_is_summed_once_whoever_does_it(void **state)
{
    static uint8_t data[1472];
    const struct udp_options options = {.port = 1234};
    struct udp_socket *socket;

    (void)state;
    memset(data, 0xf5, sizeof(data));
    assert_int_equal(udp_open(station.net, &options, &socket), UDP_OK);
    for (uint32_t i = 0; i < 2 * sizeof(data); i += 1 + i / 7) {
        uint32_t bytes = i / 2, len = 8 + bytes;
        uint32_t pseudo = pseudo_sum(STATION_ADDR, STATION_PEER, 17, len);

        station.dev.dev.caps = i % 2 ? NETDEV_CAP_TX_CSUM : 0;
        assert_int_equal(udp_send_bytes(socket, ipv4_addr_make(STATION_PEER),
                                        4321, bytes ? data : NULL, bytes),
                         UDP_OK);
        net_flush(station.net, host_now_us);
        assert_true(station_take(&station));
        assert_int_equal(station.len, 34 + len);
        assert_memory_equal(station.frame + 42, data, bytes);
        if (i % 2)
            assert_int_equal(station_at16(&station, 40),
                             (pseudo >> 16) + (pseudo & 0xffff));
        else
            assert_true(station_sums(&station, 34, len, pseudo));
    }
    udp_close(socket);
}

static unsigned heard;

static void hear(void *context, struct net *net,
                 const struct udp_datagram *from, struct buffer *data)
{
    (void)context;
    (void)net;
    heard++;
    assert_true(ipv4_is_ours(station.net, from->src));
    buffer_release(data);
}

static void loopback__own_addresses_are_reached_without_a_card(void **state)
{
    static const uint32_t own[] = {STATION_ADDR, 0x7f000001, 0x7f123456};
    uint64_t sent = station.dev.dev.count.tx_frames;

    (void)state;
    heard = 0;
    assert_int_equal(udp_bind(station.net, 4321, hear, NULL), UDP_OK);
    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        assert_int_equal(send_udp(own[i], 10), IPV4_OK);
    assert_int_equal(heard, ARRAY_LEN(own));
    assert_int_equal(station.dev.dev.count.tx_frames, sent);
    assert_false(net_needs_flush(station.net));
}

static void loopback__is_bounded_and_says_so(void **state)
{
    unsigned taken = 0;

    (void)state;
    heard = 0;
    assert_int_equal(udp_bind(station.net, 4321, hear, NULL), UDP_OK);
    for (int i = 0; i < 1000; i++) {
        struct buffer *data =
            buffer_alloc(net_pool(station.net), BUFFER_SMALL, BUFFER_HEADROOM);
        enum ipv4_status status;

        data->len = 1;
        status =
            udp_send(station.net, 1, ipv4_addr_make(0x7f000001), 4321, data);
        if (status == IPV4_OK) {
            taken++;
            continue;
        }
        assert_int_equal(status, IPV4_FULL);
        assert_int_equal(data->len, 1);
        buffer_release(data);
    }
    assert_int_equal(taken, IPV4_LOOPBACK_MAX);
    assert_true(net_needs_flush(station.net));
    net_flush(station.net, host_now_us);
    assert_int_equal(heard, taken);
}

/* Two services that answer each other for ever must not hold net_flush(). */
static void ping_pong(void *context, struct net *net,
                      const struct udp_datagram *from, struct buffer *data)
{
    (void)context;
    heard++;
    if (udp_send(net, from->dst_port, from->src, from->src_port, data) ==
        IPV4_FULL)
        buffer_release(data);
}

static void loopback__endless_talk_does_not_hold_a_flush(void **state)
{
    (void)state;
    heard = 0;
    assert_int_equal(udp_bind(station.net, 4321, ping_pong, NULL), UDP_OK);
    assert_int_equal(udp_bind(station.net, 1234, ping_pong, NULL), UDP_OK);
    assert_int_equal(send_udp(STATION_ADDR, 10), IPV4_OK);
    assert_true(heard > 0 && heard < 100);
    assert_true(net_needs_flush(station.net));
}

static void packet_out__takes_packets_instead_of_a_card(void **state)
{
    struct hostnet host = {0};
    struct net_config config = hostnet_config(&host);
    const struct net_address address = {IPV4_ADDR(10, 0, 0, 1), 24,
                                        IPV4_ADDR(10, 0, 0, 254)};
    struct buffer *packet;
    struct net *net;

    (void)state;
    hostnet_packets(&host, &config.host);
    net = net_create(&config, 5);
    assert_int_equal(net_attach(net, NULL, &address), NET_OK);
    write_ping(STATION_PEER, STATION_ADDR);
    net_input_packet(net, hostnet_chain(net_pool(net), station.frame + 14, 36),
                     5);
    net_flush(net, 5);
    packet = hostnet_take_packet(&host);
    assert_non_null(packet);
    assert_int_equal(buffer_chain_len(packet), 36);
    assert_int_equal(buffer_copy_out(packet, 20, station.frame, 1), 1);
    assert_int_equal(station.frame[0], 0); /* an echo reply */
    assert_null(hostnet_take_packet(&host));
    buffer_release(packet);
    net_destroy(net);
    assert_int_equal(host.pages, 0);
}

#define TEST(name) STATION_TEST(name, station_met)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(output__packet_is_atomic_and_sums_up),
        TEST(output__routes_go_to_the_link_and_the_gateway),
        TEST(output__broadcast_and_multicast_need_no_arp),
        TEST(output__what_has_no_route_is_refused),
        TEST(output__more_than_the_mtu_is_refused_where_df_is_set),
        TEST(output__more_than_64_kib_is_refused),
        TEST(output__full_card_leaves_the_segment_as_it_was),
        TEST(output__card_that_sums_gets_the_place_to_do_it),
        TEST(output__data_that_was_summed_is_not_summed_again),
        TEST(output__copied_data_is_summed_once_whoever_does_it),
        TEST(loopback__own_addresses_are_reached_without_a_card),
        TEST(loopback__is_bounded_and_says_so),
        TEST(loopback__endless_talk_does_not_hold_a_flush),
        TEST(packet_out__takes_packets_instead_of_a_card),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
