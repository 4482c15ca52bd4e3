/*
 * IPv4: rows I (and F, as far as fragments are refused) of the list of bad
 * inputs; routes; what is sent.
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
#include "tests/host/station.h"

static struct station station;

static int setup(void **state)
{
    (void)state;
    station_init(&station);
    station_meet(&station, STATION_PEER, station_peer_mac);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return station_end(&station) == 0 ? 0 : -1;
}

/* A ping from `src` to `dst`; whatever gets through is answered. */
static void ping(uint32_t src, uint32_t dst)
{
    station_ethernet(&station, station_mac, station_peer_mac, 0x0800);
    station_ip(&station, src, dst, 1, 16);
    station_long(&station, 0x08000000);
    station_fill(&station, 0x55, 12);
    station_checksum(&station, 34, 36, 0);
}

static void good_ping(void)
{
    ping(STATION_PEER, STATION_ADDR);
}

/* The same with `len` bytes of options, a multiple of four. */
static void ping_with_options(const void *options, uint32_t len)
{
    uint8_t icmp[16];

    good_ping();
    memcpy(icmp, station.frame + 34, sizeof(icmp));
    station.len = 34;
    station_bytes(&station, options, len);
    station_bytes(&station, icmp, sizeof(icmp));
    station.frame[14] = (uint8_t)(0x45 + len / 4);
    station_set(&station, 16, (uint16_t)(36 + len));
    station_ip_checksum(&station);
}

#define DROPPED_AS(name)                                                       \
    do {                                                                       \
        struct net_memory memory_before, memory_after;                         \
        uint64_t count = STATION_COUNT(&station, name);                        \
        net_memory_get(station.net, &memory_before);                           \
        station_send(&station);                                                \
        net_memory_get(station.net, &memory_after);                            \
        assert_int_equal(STATION_COUNT(&station, name), count + 1);            \
        assert_int_equal(memory_after.buffers, memory_before.buffers);         \
        assert_int_equal(station_take_all(&station), 0);                       \
    } while (0)

/* The frame is a ping that gets its answer. */
static void assert_answered(void)
{
    station_send(&station);
    assert_true(station_take(&station));
    assert_int_equal(station_at8(&station, 34), 0);
    assert_int_equal(station_take_all(&station), 0);
}

/* --- header --------------------------------------------------------------- */

static void header__I1_short_packet_is_dropped(void **state)
{
    (void)state;
    for (uint32_t len = 1; len < 20; len++) {
        good_ping();
        station.len = 14 + len;
        DROPPED_AS(ip_short);
    }
}

static void header__I2_other_versions_are_dropped(void **state)
{
    (void)state;
    for (unsigned version = 0; version < 16; version++) {
        if (version == 4)
            continue;
        good_ping();
        station.frame[14] = (uint8_t)(version << 4 | 5);
        station_ip_checksum(&station);
        DROPPED_AS(ip_version);
    }
}

static void header__I3_fewer_than_five_words_are_dropped(void **state)
{
    (void)state;
    for (unsigned words = 0; words < 5; words++) {
        good_ping();
        station.frame[14] = (uint8_t)(0x40 | words);
        station_ip_checksum(&station);
        DROPPED_AS(ip_header_len);
    }
}

static void header__I4_header_longer_than_the_frame_is_dropped(void **state)
{
    (void)state;
    for (unsigned words = 10; words < 16; words++) {
        good_ping(); /* 36 bytes */
        station.frame[14] = (uint8_t)(0x40 | words);
        DROPPED_AS(ip_header_len);
    }
}

static void header__I5_I7_total_shorter_than_the_header_is_dropped(void **state)
{
    (void)state;
    for (uint16_t total = 0; total < 20; total++) { /* I7: 0 */
        good_ping();
        station_set(&station, 16, total);
        station_ip_checksum(&station);
        DROPPED_AS(ip_total_len);
    }
    ping_with_options("\1\1\1\1\1\1\1\1", 8);
    station_set(&station, 16, 27);
    station_ip_checksum(&station);
    DROPPED_AS(ip_total_len);
}

static void header__I6_total_longer_than_the_frame_is_dropped(void **state)
{
    static const uint16_t totals[] = {37, 38, 1500, 65535};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(totals); i++) {
        good_ping();
        station_set(&station, 16, totals[i]);
        station_ip_checksum(&station);
        DROPPED_AS(ip_total_len);
    }
}

static void header__I8_every_wrong_bit_is_noticed(void **state)
{
    (void)state;
    for (unsigned bit = 8; bit < 160; bit++) { /* not version and length */
        uint64_t answered = STATION_COUNT(&station, icmp_tx);

        good_ping();
        station.frame[14 + bit / 8] ^= (uint8_t)(1 << bit % 8);
        station_send(&station);
        assert_int_equal(STATION_COUNT(&station, icmp_tx), answered);
        assert_int_equal(station_take_all(&station), 0);
    }
    assert_true(STATION_COUNT(&station, ip_checksum) > 100);
}

static void header__I8_checksum_of_all_ones_is_zero(void **state)
{
    (void)state;
    /* A header whose checksum is 0: 0xffff in its place sums up as well. */
    good_ping();
    for (uint32_t id = 0; id < 65536; id++) {
        station_set(&station, 18, (uint16_t)id);
        station_ip_checksum(&station);
        if (station_at16(&station, 24) == 0)
            break;
    }
    assert_int_equal(station_at16(&station, 24), 0);
    station_set(&station, 24, 0xffff);
    assert_answered();
}

static void header__I9_ttl_0_is_accepted(void **state)
{
    (void)state;
    good_ping();
    station.frame[22] = 0;
    station_ip_checksum(&station);
    assert_answered();
}

static void header__I10_reserved_flag_is_ignored(void **state)
{
    (void)state;
    good_ping();
    station.frame[20] |= 0x80;
    station_ip_checksum(&station);
    assert_answered();
}

/* --- addresses ------------------------------------------------------------ */

static void addresses__I11_impossible_sources_are_dropped(void **state)
{
    static const uint32_t sources[] = {
        0,          0x00000001,  0x7f000001, 0x7fffffff, 0xe0000001,
        0xefffffff, 0xf0000001,  0xffffffff, 0x0a0000ff, /* directed */
        0x0a000000, STATION_ADDR                         /* LAND */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
        ping(sources[i], STATION_ADDR);
        DROPPED_AS(ip_bad_source);
    }
}

static void addresses__I12_destinations_not_ours_are_dropped(void **state)
{
    static const uint32_t destinations[] = {STATION_PEER, STATION_FAR, 0,
                                            0x7f000001, 0x0a000100};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(destinations); i++) {
        ping(STATION_PEER, destinations[i]);
        DROPPED_AS(ip_not_ours);
    }
}

static void addresses__I12_tcp_to_many_is_dropped_silently(void **state)
{
    static const uint32_t many[] = {0xffffffff, 0x0a0000ff, 0x0a000000,
                                    0xe0000001};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(many); i++) {
        station_ethernet(&station, station_all_mac, station_peer_mac, 0x0800);
        station_ip(&station, STATION_PEER, many[i], 6, 20);
        station_long(&station, 1000 << 16 | 80);
        station_long(&station, 77);
        station_long(&station, 0);
        station_long(&station, 0x50021000);
        station_long(&station, 0);
        station_checksum(&station, 34, 50,
                         pseudo_sum(STATION_PEER, many[i], 6, 20));
        DROPPED_AS(tcp_bad_address);
    }
}

static void
addresses__I19_ours_in_a_frame_to_everybody_gets_no_reply(void **state)
{
    (void)state;
    good_ping();
    memcpy(station.frame, station_all_mac, 6);
    DROPPED_AS(ip_not_ours);
}

/* --- options -------------------------------------------------------------- */

static void options__I13_source_routes_are_dropped(void **state)
{
    (void)state;
    ping_with_options("\x83\x07\x04\x0a\x00\x00\x07\x00", 8);
    DROPPED_AS(ip_options);
    ping_with_options("\x89\x07\x04\x0a\x00\x00\x07\x00", 8);
    DROPPED_AS(ip_options);
    ping_with_options("\x01\x01\x01\x83\x03\x04\x00\x00", 8);
    DROPPED_AS(ip_options);
}

static void options__I14_malformed_options_are_dropped(void **state)
{
    static const char *const bad[] = {
        "\x07\x00\x04\x00", "\x07\x01\x04\x00", /* length 0, 1 */
        "\x07\x05\x04\x00", "\xff\xff\x00\x00", /* beyond the header */
        "\x01\x01\x01\x07",                     /* no room for a length */
        "\x94\x00\x00\x00", "\x94\x01\x00\x00", /* of an unknown kind */
        "\x07\x03\x03\x00", "\x07\x03\x00\x00", /* pointer < 4 */
        "\x07\x03\x05\x00", "\x07\x03\xff\x00", /* pointer > length */
        "\x07\x02\x01\x00",                     /* no room for a pointer */
        "\x44\x04\x04\x00", "\x44\x04\x06\x00", /* timestamp: 5 to 5 */
        "\x44\x03\x05\x00", "\x44\x04\xff\x00",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        ping_with_options(bad[i], 4);
        DROPPED_AS(ip_options);
    }
}

static void options__well_formed_ones_are_accepted(void **state)
{
    static const char *const good[] = {
        "\x07\x03\x04\x00", /* a list that is full */
        "\x44\x04\x05\x00", "\x94\x04\x00\x00",
        "\x94\x02\x01\x00", "\x01\x07\x03\x04",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        ping_with_options(good[i], 4);
        assert_answered();
    }
    ping_with_options("\x07\x07\x04\x00\x00\x00\x00\x00", 8);
    assert_answered();
}

static void options__I15_40_bytes_of_nothing_are_accepted(void **state)
{
    uint8_t options[40];

    (void)state;
    memset(options, 1, sizeof(options));
    ping_with_options(options, sizeof(options));
    assert_answered();
    memset(options, 0, sizeof(options));
    ping_with_options(options, sizeof(options));
    assert_answered();
}

static void options__I16_what_follows_the_end_is_ignored(void **state)
{
    (void)state;
    ping_with_options("\x00\x83\x07\x04\xff\xff\xff\xff", 8);
    assert_answered();
}

/* --- protocols and fragments ---------------------------------------------- */

static void protocol__I17_unknown_one_is_reported_to_the_sender(void **state)
{
    (void)state;
    good_ping();
    station.frame[23] = 99;
    station_ip_checksum(&station);
    station_send(&station);

    assert_true(station_take(&station));
    assert_int_equal(station_at16(&station, 34), 0x0302);
    assert_int_equal(station_at32(&station, 30), STATION_PEER);
    assert_int_equal(station_at8(&station, 42 + 9), 99);
    assert_true(station_sums(&station, 34, station.len - 34, 0));
}

static void protocol__I17_not_about_broadcasts_and_fragments(void **state)
{
    (void)state;
    good_ping();
    station.frame[23] = 99;
    memcpy(station.frame, station_all_mac, 6);
    station_set(&station, 32, 0x00ff);
    station_ip_checksum(&station);
    DROPPED_AS(ip_protocol);
    good_ping();
    station.frame[23] = 99;
    station_set(&station, 20, 0x2000);
    station_ip_checksum(&station);
    DROPPED_AS(ip_fragment_refused);
}

static void protocol__I18_tunnels_are_dropped_silently(void **state)
{
    static const uint8_t tunnels[] = {4, 41, 47};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(tunnels); i++) {
        good_ping();
        station.frame[23] = tunnels[i];
        station_ip_checksum(&station);
        DROPPED_AS(ip_protocol);
    }
}

static void fragment__F21_atomic_one_is_an_ordinary_packet(void **state)
{
    (void)state;
    good_ping();
    station_set(&station, 20, 0);
    station_ip_checksum(&station);
    assert_answered();
}

/* --- out ------------------------------------------------------------------ */

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
    good_ping();
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

/* --- interfaces ----------------------------------------------------------- */

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
    assert_int_equal(send_udp(0x0a010105, 1), IPV4_OK);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(header__I1_short_packet_is_dropped),
        TEST(header__I2_other_versions_are_dropped),
        TEST(header__I3_fewer_than_five_words_are_dropped),
        TEST(header__I4_header_longer_than_the_frame_is_dropped),
        TEST(header__I5_I7_total_shorter_than_the_header_is_dropped),
        TEST(header__I6_total_longer_than_the_frame_is_dropped),
        TEST(header__I8_every_wrong_bit_is_noticed),
        TEST(header__I8_checksum_of_all_ones_is_zero),
        TEST(header__I9_ttl_0_is_accepted),
        TEST(header__I10_reserved_flag_is_ignored),
        TEST(addresses__I11_impossible_sources_are_dropped),
        TEST(addresses__I12_destinations_not_ours_are_dropped),
        TEST(addresses__I12_tcp_to_many_is_dropped_silently),
        TEST(addresses__I19_ours_in_a_frame_to_everybody_gets_no_reply),
        TEST(options__I13_source_routes_are_dropped),
        TEST(options__I14_malformed_options_are_dropped),
        TEST(options__well_formed_ones_are_accepted),
        TEST(options__I15_40_bytes_of_nothing_are_accepted),
        TEST(options__I16_what_follows_the_end_is_ignored),
        TEST(protocol__I17_unknown_one_is_reported_to_the_sender),
        TEST(protocol__I17_not_about_broadcasts_and_fragments),
        TEST(protocol__I18_tunnels_are_dropped_silently),
        TEST(fragment__F21_atomic_one_is_an_ordinary_packet),
        TEST(output__packet_is_atomic_and_sums_up),
        TEST(output__routes_go_to_the_link_and_the_gateway),
        TEST(output__broadcast_and_multicast_need_no_arp),
        TEST(output__what_has_no_route_is_refused),
        TEST(output__more_than_the_mtu_is_refused_where_df_is_set),
        TEST(output__more_than_64_kib_is_refused),
        TEST(output__full_card_leaves_the_segment_as_it_was),
        TEST(output__card_that_sums_gets_the_place_to_do_it),
        TEST(loopback__own_addresses_are_reached_without_a_card),
        TEST(loopback__is_bounded_and_says_so),
        TEST(loopback__endless_talk_does_not_hold_a_flush),
        TEST(packet_out__takes_packets_instead_of_a_card),
        TEST(attach__only_a_hosts_address_is_taken),
        TEST(attach__several_cards_each_serve_their_network),
        TEST(attach__network_of_two_has_no_broadcast_address),
        TEST(attach__gateway_off_its_network_is_reached_by_its_card),
        cmocka_unit_test(create__every_refused_page_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
