/*
 * ARP: rows A of the list of bad inputs, and the life of a cache entry.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "net/arp.h"
#include "net/tcp.h"
#include "net/udp.h"
#include "tests/host/host.h"
#include "tests/host/station.h"

#define SECOND 1000000ull

static struct station station;
static const uint8_t none[6];

static int setup(void **state)
{
    (void)state;
    station_init(&station);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return station_end(&station) == 0 ? 0 : -1;
}

/* A frame from `mac`, to the station or to all, with an ARP packet in it. */
static void arp(const uint8_t dst[6], uint16_t operation, const uint8_t mac[6],
                uint32_t sender, uint32_t target)
{
    station_ethernet(&station, dst, mac, 0x0806);
    station_arp(&station, operation, mac, sender, none, target);
}

static void request_from_peer(void)
{
    arp(station_all_mac, 1, station_peer_mac, STATION_PEER, STATION_ADDR);
}

/* The station sends a datagram with one byte to `dst`. */
static enum ipv4_status talk_to(uint32_t dst)
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

/* Whether the station has `dst` in its cache: it then sends IP, and does not
 * ask. */
static bool knows(uint32_t dst, const uint8_t mac[6])
{
    bool known;

    station_take_all(&station);
    assert_int_equal(talk_to(dst), IPV4_OK);
    known = station_take(&station) && station_at16(&station, 12) == 0x0800 &&
            memcmp(station.frame, mac, 6) == 0;
    station_take_all(&station);
    return known;
}

/* The frame taken is a request of the station for `target`, sent to `dst`. */
static void assert_request(const uint8_t dst[6], uint32_t target)
{
    assert_memory_equal(station.frame, dst, 6);
    assert_memory_equal(station.frame + 6, station_mac, 6);
    assert_int_equal(station_at16(&station, 12), 0x0806);
    assert_int_equal(station_at16(&station, 14), 1);
    assert_int_equal(station_at16(&station, 16), 0x0800);
    assert_int_equal(station_at16(&station, 18), 0x0604);
    assert_int_equal(station_at16(&station, 20), 1);
    assert_memory_equal(station.frame + 22, station_mac, 6);
    assert_int_equal(station_at32(&station, 28), STATION_ADDR);
    assert_memory_equal(station.frame + 32, none, 6);
    assert_int_equal(station_at32(&station, 38), target);
    assert_int_equal(station.len, 42);
}

#define DROPPED_AS(name)                                                       \
    do {                                                                       \
        uint64_t count = STATION_COUNT(&station, name);                        \
        station_send(&station);                                                \
        assert_int_equal(STATION_COUNT(&station, name), count + 1);            \
        assert_int_equal(station_take_all(&station), 0);                       \
        assert_false(knows(STATION_PEER, station_peer_mac));                   \
        station_wait(&station, 60 * SECOND);                                   \
        station_take_all(&station);                                            \
    } while (0)

/* --- questions to us ------------------------------------------------------ */

static void arp__question_for_us_is_answered_and_learnt(void **state)
{
    (void)state;
    request_from_peer();
    station_send(&station);

    assert_true(station_take(&station));
    assert_memory_equal(station.frame, station_peer_mac, 6);
    assert_int_equal(station_at16(&station, 20), 2);
    assert_memory_equal(station.frame + 22, station_mac, 6);
    assert_int_equal(station_at32(&station, 28), STATION_ADDR);
    assert_memory_equal(station.frame + 32, station_peer_mac, 6);
    assert_int_equal(station_at32(&station, 38), STATION_PEER);
    assert_true(knows(STATION_PEER, station_peer_mac));
}

static void arp__A1_short_packet_is_dropped(void **state)
{
    (void)state;
    for (uint32_t len = 15; len < 14 + 28; len++) {
        request_from_peer();
        station.len = len;
        DROPPED_AS(arp_short);
    }
}

static void arp__A2_A3_A4_A5_other_formats_are_dropped(void **state)
{
    static const struct {
        uint32_t at;
        uint16_t value;
    } changes[] = {{14, 0},      {14, 6},      {14, 0x0100},  /* A2 */
                   {16, 0x0806}, {16, 0x86dd}, {16, 0},       /* A3 */
                   {18, 0x0504}, {18, 0x0004}, {18, 0xff04},  /* A4 */
                   {18, 0x0606}, {18, 0x0600}, {18, 0x06ff}}; /* A5 */

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        request_from_peer();
        station_set(&station, changes[i].at, changes[i].value);
        DROPPED_AS(arp_format);
    }
}

static void arp__A6_other_operations_are_dropped(void **state)
{
    static const uint16_t operations[] = {0, 3, 4, 8, 9, 65535, 0x0101};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(operations); i++) {
        request_from_peer();
        station_set(&station, 20, operations[i]);
        DROPPED_AS(arp_format);
    }
}

static void arp__A7_probe_is_answered_and_not_learnt(void **state)
{
    struct net_memory before, after;

    (void)state;
    net_memory_get(station.net, &before);
    arp(station_all_mac, 1, station_peer_mac, 0, STATION_ADDR);
    station_send(&station);
    assert_true(station_take(&station));
    assert_int_equal(station_at16(&station, 20), 2);
    assert_int_equal(station_at32(&station, 38), 0);
    net_memory_get(station.net, &after);
    assert_int_equal(after.pages, before.pages);
    arp(station_all_mac, 1, station_peer_mac, 0, STATION_PEER);
    station_send(&station);
    assert_int_equal(station_take_all(&station), 0);
}

static void arp__A8_conflict_is_counted_and_defended_every_10_s(void **state)
{
    (void)state;
    for (int second = 0; second < 35; second++) {
        arp(station_all_mac, second % 2 ? 2 : 1, station_peer_mac, STATION_ADDR,
            STATION_ADDR);
        if (second % 2)
            memcpy(station.frame, station_mac, 6);
        station_send(&station);
        station_wait(&station, SECOND);
    }
    assert_int_equal(STATION_COUNT(&station, arp_conflict), 35);
    for (int i = 0; i < 4; i++) { /* at 0, 10, 20 and 30 s */
        assert_true(station_take(&station));
        assert_request(station_all_mac, STATION_ADDR);
    }
    assert_false(station_take(&station));
}

static void arp__A9_sender_that_is_no_host_is_dropped(void **state)
{
    static const uint32_t senders[] = {0xffffffff, 0x0a0000ff, 0x0a000000,
                                       0xe0000001, 0x7f000001, 0x00000001,
                                       0xf0000001};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(senders); i++) {
        arp(station_all_mac, 1, station_peer_mac, senders[i], STATION_ADDR);
        DROPPED_AS(arp_bad_sender);
    }
}

/* A9: where the whole world is on the link. */
static void arp__sender_that_is_no_host_is_dropped_on_any_link(void **state)
{
    static const uint32_t senders[] = {0xffffffff, 0xe0000001, 0x7f000001,
                                       0x00000001, 0xf0000001};

    (void)state;
    station_end(&station);
    station_prepare(&station);
    station_start(&station, 0, 0);
    station_take_all(&station);
    for (size_t i = 0; i < ARRAY_LEN(senders); i++) {
        arp(station_all_mac, 1, station_peer_mac, senders[i], STATION_ADDR);
        DROPPED_AS(arp_bad_sender);
    }
}

static void arp__A10_sender_mac_of_a_group_or_zero_is_dropped(void **state)
{
    const uint8_t group[6] = {1, 2, 3, 4, 5, 6};

    (void)state;
    request_from_peer();
    memcpy(station.frame + 22, group, 6);
    DROPPED_AS(arp_bad_sender);
    request_from_peer();
    memcpy(station.frame + 22, station_all_mac, 6);
    DROPPED_AS(arp_bad_sender);
    request_from_peer();
    memset(station.frame + 22, 0, 6);
    memset(station.frame + 6, 0, 6);
    DROPPED_AS(arp_bad_sender);
}

static void arp__A11_sender_mac_other_than_the_frames_is_dropped(void **state)
{
    (void)state;
    request_from_peer();
    station.frame[27] ^= 4;
    DROPPED_AS(arp_bad_sender);
}

static void arp__A12_reply_that_nobody_asked_for_is_not_stored(void **state)
{
    (void)state;
    arp(station_mac, 2, station_peer_mac, STATION_PEER, STATION_ADDR);
    DROPPED_AS(arp_unsolicited);
}

static void arp__A13_gratuitous_arp_updates_only_what_is_known(void **state)
{
    const uint8_t moved[6] = {2, 0, 0, 0, 0, 0x42};

    (void)state;
    arp(station_all_mac, 1, moved, STATION_PEER, STATION_PEER);
    station_send(&station);
    assert_false(knows(STATION_PEER, moved));
    station_wait(&station, 60 * SECOND);

    station_meet(&station, STATION_PEER, station_peer_mac);
    station_wait(&station, 2 * SECOND);
    arp(station_all_mac, 1, moved, STATION_PEER, STATION_PEER);
    station_send(&station);
    assert_int_equal(station_take_all(&station), 0);
    assert_true(knows(STATION_PEER, moved));
}

static void
arp__A14_flood_of_strangers_is_bounded_and_spares_the_gateway(void **state)
{
    const uint8_t gateway[6] = {2, 0, 0, 0, 0, 0xfe};
    struct net_memory memory;

    (void)state;
    station_end(&station);
    station_prepare(&station);
    station.dev.tx_max = 10000;
    station_start(&station, 8, STATION_GATEWAY);
    station_meet(&station, STATION_GATEWAY, gateway);
    station_wait(&station, SECOND);
    station_take_all(&station);
    for (uint32_t i = 0; i < 100000; i++) {
        arp(station_all_mac, 1, station_peer_mac, 0x0a010000 + i * 3 + 1,
            STATION_ADDR);
        station_send(&station);
        if (i == 5000) /* of one MAC address, whatever he calls himself */
            assert_int_equal(station_take_all(&station), ARP_REPLIES_PER_S);
    }
    net_memory_get(station.net, &memory);
    assert_true(memory.pages < 20);
    assert_true(STATION_COUNT(&station, arp_evicted) > 99000);
    assert_true(STATION_COUNT(&station, arp_limited) > 98000);
    assert_true(knows(STATION_GATEWAY, gateway));
    assert_true(knows(STATION_FAR, gateway));
}

static void arp__A14_the_longest_unused_goes_first(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < ARP_ENTRIES_MAX; i++) {
        station_meet(&station, 0x0a000010 + i, station_peer_mac);
        station_wait(&station, 1000);
    }
    assert_true(knows(0x0a000010, station_peer_mac)); /* now the latest */
    station_meet(&station, 0x0a000080, station_peer_mac);
    assert_true(knows(0x0a000010, station_peer_mac));
    assert_int_equal(STATION_COUNT(&station, arp_evicted), 1);
    assert_false(knows(0x0a000011, station_peer_mac));
}

static void arp__A15_reply_to_everybody_is_ignored(void **state)
{
    const uint8_t moved[6] = {2, 0, 0, 0, 0, 0x42};

    (void)state;
    station_meet(&station, STATION_PEER, station_peer_mac);
    station_wait(&station, 2 * SECOND);
    arp(station_all_mac, 2, moved, STATION_PEER, STATION_ADDR);
    station_send(&station);
    assert_true(knows(STATION_PEER, station_peer_mac));
}

static void arp__A16_question_for_another_gets_no_answer(void **state)
{
    (void)state;
    arp(station_all_mac, 1, station_peer_mac, STATION_PEER, 0x0a000009);
    station_send(&station);
    assert_int_equal(station_take_all(&station), 0);
    assert_false(knows(STATION_PEER, station_peer_mac));
}

/* A16 */
static void arp__question_for_another_refreshes_what_is_known(void **state)
{
    (void)state;
    station_meet(&station, STATION_PEER, station_peer_mac);
    for (int i = 0; i < 5; i++) { /* far longer than an entry lives unused */
        station_wait(&station, 50 * SECOND);
        arp(station_all_mac, 1, station_peer_mac, STATION_PEER, 0x0a000009);
        station_send(&station);
    }
    assert_int_equal(station_take_all(&station), 0);
    assert_true(knows(STATION_PEER, station_peer_mac));
}

static void arp__A17_flapping_address_is_held(void **state)
{
    const uint8_t other[6] = {2, 0, 0, 0, 0, 0x42};
    unsigned changes = 0;
    bool is_other = false;

    (void)state;
    station_meet(&station, STATION_PEER, station_peer_mac);
    for (int ms = 0; ms < 10000; ms++) {
        const uint8_t *mac = ms % 2 ? other : station_peer_mac;

        arp(station_all_mac, 1, mac, STATION_PEER, STATION_PEER);
        station_send(&station);
        station_wait(&station, 1000);
        if (ms % 100 == 0 && knows(STATION_PEER, other) != is_other) {
            is_other = !is_other;
            changes++;
        }
    }
    assert_true(changes <= 10);
    assert_true(STATION_COUNT(&station, arp_flap) > 1000);
}

/* A17, S40: a clock that jumps back is taken to stand still. */
static void arp__clock_that_jumps_back_ends_no_hold(void **state)
{
    const uint8_t moved[6] = {2, 0, 0, 0, 0, 0x42};

    (void)state;
    station_meet(&station, STATION_PEER, station_peer_mac);
    host_now_us = 5;
    arp(station_all_mac, 1, moved, STATION_PEER, STATION_PEER);
    station_send(&station);
    assert_true(knows(STATION_PEER, station_peer_mac));
}

/* --- questions of ours ---------------------------------------------------- */

static void arp__packets_wait_for_the_answer_in_order(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(talk_to(STATION_PEER), IPV4_OK);
    assert_true(station_take(&station));
    assert_request(station_all_mac, STATION_PEER);
    assert_false(station_take(&station));

    arp(station_mac, 2, station_peer_mac, STATION_PEER, STATION_ADDR);
    station_send(&station);

    for (int i = 0; i < 3; i++) {
        assert_true(station_take(&station));
        assert_memory_equal(station.frame, station_peer_mac, 6);
        assert_int_equal(station_at16(&station, 12), 0x0800);
    }
    assert_false(station_take(&station));
}

static void arp__A18_silent_neighbour_fails_after_three_requests(void **state)
{
    struct net_memory before, after;

    (void)state;
    net_memory_get(station.net, &before);
    for (int i = 0; i < 20; i++)
        assert_int_equal(talk_to(STATION_PEER), IPV4_OK);
    assert_int_equal(STATION_COUNT(&station, arp_pending_full),
                     20 - ARP_PENDING_MAX);
    net_memory_get(station.net, &after);
    assert_int_equal(after.buffers, before.buffers + ARP_PENDING_MAX + 1);

    assert_int_equal(station_take_all(&station), 1); /* at once */
    station_wait(&station, SECOND - 1);
    assert_int_equal(station_take_all(&station), 0);
    station_wait(&station, 1);
    assert_int_equal(station_take_all(&station), 1); /* after 1 s */
    station_wait(&station, 2 * SECOND - 1);
    assert_int_equal(station_take_all(&station), 0);
    station_wait(&station, 1);
    assert_int_equal(station_take_all(&station), 1); /* after 3 s */
    assert_int_equal(STATION_COUNT(&station, arp_failed), 0);
    station_wait(&station, 2 * SECOND);
    assert_int_equal(STATION_COUNT(&station, arp_failed), ARP_PENDING_MAX);
    assert_int_equal(station_take_all(&station), 0);
    station_wait(&station, 10 * SECOND);
    net_memory_get(station.net, &after);
    assert_int_equal(after.buffers, before.buffers);
    assert_int_equal(after.pages, before.pages);
    assert_true(net_next_deadline(station.net) == FOREVER);
}

/* A18: a failed address is asked again, but not sooner than after a second. */
static void arp__failed_address_is_left_alone_for_a_second(void **state)
{
    (void)state;
    talk_to(STATION_PEER);
    station_wait(&station, 5 * SECOND);
    station_take_all(&station);
    assert_int_equal(STATION_COUNT(&station, arp_failed), 1);
    for (int i = 0; i < 9; i++) {
        talk_to(STATION_PEER);
        assert_int_equal(station_take_all(&station), 0);
        station_wait(&station, SECOND / 10);
    }
    station_wait(&station, SECOND / 10);
    assert_true(station_take(&station));
    assert_request(station_all_mac, STATION_PEER);
    arp(station_mac, 2, station_peer_mac, STATION_PEER, STATION_ADDR);
    station_send(&station);
    assert_int_equal(station_take_all(&station), 9);
}

/* RFC 6928: ten segments leave at once, also towards an address that has been
 * forgotten in the meantime. */
static void arp__an_initial_window_waits_for_its_address(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++)
        assert_int_equal(talk_to(STATION_PEER), IPV4_OK);
    assert_int_equal(station_take_all(&station), 1); /* the question */
    arp(station_mac, 2, station_peer_mac, STATION_PEER, STATION_ADDR);
    station_send(&station);
    assert_int_equal(station_take_all(&station), 10);
    assert_int_equal(STATION_COUNT(&station, arp_pending_full), 0);
}

/* A18, through TCP: the connection that is being opened learns of it. */
static void arp__silent_neighbour_ends_a_connect(void **state)
{
    struct tcp_conn *conn;
    enum tcp_end why;

    (void)state;
    assert_int_equal(tcp_connect(station.net, ipv4_addr_make(STATION_PEER), 80,
                                 0, host_now_us, &conn, &why),
                     TCP_OK);
    net_flush(station.net, host_now_us);
    station_wait(&station, 5 * SECOND - 1);
    assert_int_equal(tcp_end_reason(conn), TCP_END_NONE);
    station_wait(&station, 1);
    assert_int_equal(tcp_end_reason(conn), TCP_END_UNREACHABLE);
    tcp_release(conn, host_now_us);
    station_wait(&station, 10 * SECOND);
}

/* A18: likewise behind a gateway that is gone. */
static void arp__silent_gateway_ends_a_connect_to_behind_it(void **state)
{
    struct tcp_conn *conn;
    enum tcp_end why;

    (void)state;
    assert_int_equal(tcp_connect(station.net, ipv4_addr_make(STATION_FAR), 80,
                                 0, host_now_us, &conn, &why),
                     TCP_OK);
    net_flush(station.net, host_now_us);
    assert_true(station_take(&station));
    assert_request(station_all_mac, STATION_GATEWAY);
    station_wait(&station, 5 * SECOND);
    assert_int_equal(tcp_end_reason(conn), TCP_END_UNREACHABLE);
    tcp_release(conn, host_now_us);
    station_wait(&station, 10 * SECOND);
}

/* A node that hands out single addresses asks from one of its own. */
static void answers_far(void)
{
    arp(station_all_mac, 1, station_peer_mac, STATION_FAR, STATION_ADDR);
    station_send(&station);
    assert_true(station_take(&station));
    assert_memory_equal(station.frame, station_peer_mac, 6);
    assert_int_equal(station_at16(&station, 20), 2);
    assert_memory_equal(station.frame + 22, station_mac, 6);
    assert_int_equal(station_at32(&station, 28), STATION_ADDR);
    assert_memory_equal(station.frame + 32, station_peer_mac, 6);
    assert_int_equal(station_at32(&station, 38), STATION_FAR);
    assert_false(station_take(&station));
    assert_int_equal(STATION_COUNT(&station, arp_off_link), 1);
}

static void
arp__A19_sender_off_the_link_is_answered_and_not_learnt(void **state)
{
    static const uint8_t gateway_mac[6] = {2, 0, 0, 0, 0, 0xfe};

    (void)state;
    answers_far();
    station_meet(&station, STATION_GATEWAY, gateway_mac);
    assert_true(knows(STATION_FAR, gateway_mac));
}

static void arp__A19_single_address_answers_its_node(void **state)
{
    (void)state;
    station_end(&station);
    station_prepare(&station);
    station_start(&station, 32, STATION_GATEWAY);
    station_take_all(&station);
    answers_far();
}

static void arp__A19_sender_that_we_do_not_reach_there_is_dropped(void **state)
{
    static struct memdev other;
    static const struct net_address address = {IPV4_ADDR(172, 16, 0, 1), 16,
                                               IPV4_ADDR(0, 0, 0, 0)};

    (void)state;
    memdev_init(&other, (struct mac_addr){{2, 0, 0, 0, 0, 9}});
    assert_int_equal(net_attach(station.net, &other.dev, &address), NET_OK);
    arp(station_all_mac, 1, station_peer_mac, 0xac100002, STATION_ADDR);
    DROPPED_AS(arp_off_link);
    /* Ours, on the other card; no answer to ourselves. */
    arp(station_all_mac, 1, station_peer_mac, 0xac100001, STATION_ADDR);
    DROPPED_AS(arp_off_link);
}

static void arp__A19_without_a_way_back_there_is_no_answer(void **state)
{
    (void)state;
    station_end(&station);
    station_prepare(&station);
    station_start(&station, 24, 0);
    station_take_all(&station);
    arp(station_all_mac, 1, station_peer_mac, STATION_FAR, STATION_ADDR);
    DROPPED_AS(arp_off_link);
}

/* A question for another, and an answer, are nothing to us. */
static void arp__A19_other_words_from_off_the_link_are_dropped(void **state)
{
    (void)state;
    arp(station_all_mac, 1, station_peer_mac, STATION_FAR, STATION_PEER);
    DROPPED_AS(arp_off_link);
    arp(station_mac, 2, station_peer_mac, STATION_FAR, STATION_ADDR);
    DROPPED_AS(arp_off_link);
}

static void arp__A19_gateway_off_the_network_is_on_the_link(void **state)
{
    (void)state;
    station_end(&station);
    station_prepare(&station);
    station_start(&station, 32, STATION_FAR);
    station_take_all(&station);

    assert_int_equal(talk_to(0x08080808), IPV4_OK);
    assert_true(station_take(&station));
    assert_request(station_all_mac, STATION_FAR);
    arp(station_mac, 2, station_peer_mac, STATION_FAR, STATION_ADDR);
    station_send(&station);
    assert_true(station_take(&station));
    assert_memory_equal(station.frame, station_peer_mac, 6);
    assert_int_equal(station_at32(&station, 30), 0x08080808);
}

static void arp__A20_bytes_behind_the_packet_are_ignored(void **state)
{
    (void)state;
    request_from_peer();
    station_fill(&station, 0xee, 18);
    station_send(&station);
    assert_int_equal(station_take_all(&station), 1);
    assert_true(knows(STATION_PEER, station_peer_mac));
    request_from_peer();
    station_fill(&station, 0xee, 1000);
    station_send(&station);
    assert_int_equal(station_take_all(&station), 1);
}

/* --- the life of an entry ------------------------------------------------- */

static void cache__unused_entry_is_forgotten(void **state)
{
    struct net_memory memory, before;

    (void)state;
    net_memory_get(station.net, &before);
    station_meet(&station, STATION_PEER, station_peer_mac);
    station_wait(&station, 61 * SECOND);
    assert_int_equal(station_take_all(&station), 0);
    net_memory_get(station.net, &memory);
    assert_int_equal(memory.pages, before.pages);
}

static void cache__used_entry_is_asked_before_it_is_forgotten(void **state)
{
    (void)state;
    station_meet(&station, STATION_PEER, station_peer_mac);
    assert_true(knows(STATION_PEER, station_peer_mac));
    station_wait(&station, 60 * SECOND);
    assert_true(station_take(&station));
    assert_request(station_peer_mac, STATION_PEER);
    assert_true(knows(STATION_PEER, station_peer_mac)); /* meanwhile */

    arp(station_mac, 2, station_peer_mac, STATION_PEER, STATION_ADDR);
    station_send(&station);
    station_wait(&station, 59 * SECOND);
    assert_int_equal(station_take_all(&station), 0);
    assert_true(knows(STATION_PEER, station_peer_mac));

    station_wait(&station, 10 * SECOND); /* asked three times, in vain */
    assert_int_equal(station_take_all(&station), 3);
    assert_false(knows(STATION_PEER, station_peer_mac));
}

static void cache__age_is_a_knob(void **state)
{
    (void)state;
    station_end(&station);
    station_prepare(&station);
    station.config.arp_age_us = 5 * SECOND;
    station_start(&station, 24, STATION_GATEWAY);
    station_meet(&station, STATION_PEER, station_peer_mac);
    station_wait(&station, 6 * SECOND);
    assert_false(knows(STATION_PEER, station_peer_mac));
}

/* --- announcements -------------------------------------------------------- */

static void announce__attached_card_says_its_address(void **state)
{
    (void)state;
    station_end(&station);
    station_prepare(&station);
    station_start(&station, 24, STATION_GATEWAY);
    assert_true(station_take(&station));
    assert_request(station_all_mac, STATION_ADDR);
    assert_false(station_take(&station));
}

static void announce__moved_machine_says_it_again(void **state)
{
    (void)state;
    net_device_event(station.net, &station.dev.dev, NETDEV_EV_ANNOUNCE,
                     host_now_us);
    assert_true(net_needs_flush(station.net));
    net_flush(station.net, host_now_us);
    assert_true(station_take(&station));
    assert_request(station_all_mac, STATION_ADDR);
    net_device_event(station.net, &station.dev.dev, NETDEV_EV_LINK_DOWN,
                     host_now_us);
    assert_false(net_needs_flush(station.net));
}

/* Every allocation refused in turn: nothing leaks, nothing crashes. */
static void arp__no_memory_at_any_point_is_survived(void **state)
{
    (void)state;
    for (uint64_t k = 1; k < 8; k++) {
        station.host.fail_at = station.host.asked + k;
        station.host.fail_after = true;
        for (uint32_t i = 0; i < 10; i++) {
            struct buffer *data =
                buffer_alloc(net_pool(station.net), BUFFER_SMALL, 100);

            if (!data)
                continue;
            data->len = 1;
            if (udp_send(station.net, 1, ipv4_addr_make(STATION_PEER + i), 2,
                         data) == IPV4_FULL)
                buffer_release(data);
            net_flush(station.net, host_now_us);
        }
        station_wait(&station, 20 * SECOND);
        station_take_all(&station);
        station.host.fail_at = 0;
        station_wait(&station, 20 * SECOND);
    }
    station_take_all(&station);
    station_meet(&station, STATION_PEER, station_peer_mac);
    assert_true(knows(STATION_PEER, station_peer_mac));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(arp__question_for_us_is_answered_and_learnt),
        TEST(arp__A1_short_packet_is_dropped),
        TEST(arp__A2_A3_A4_A5_other_formats_are_dropped),
        TEST(arp__A6_other_operations_are_dropped),
        TEST(arp__A7_probe_is_answered_and_not_learnt),
        TEST(arp__A8_conflict_is_counted_and_defended_every_10_s),
        TEST(arp__A9_sender_that_is_no_host_is_dropped),
        TEST(arp__sender_that_is_no_host_is_dropped_on_any_link),
        TEST(arp__A10_sender_mac_of_a_group_or_zero_is_dropped),
        TEST(arp__A11_sender_mac_other_than_the_frames_is_dropped),
        TEST(arp__A12_reply_that_nobody_asked_for_is_not_stored),
        TEST(arp__A13_gratuitous_arp_updates_only_what_is_known),
        TEST(arp__A14_flood_of_strangers_is_bounded_and_spares_the_gateway),
        TEST(arp__A14_the_longest_unused_goes_first),
        TEST(arp__A15_reply_to_everybody_is_ignored),
        TEST(arp__A16_question_for_another_gets_no_answer),
        TEST(arp__question_for_another_refreshes_what_is_known),
        TEST(arp__A17_flapping_address_is_held),
        TEST(arp__clock_that_jumps_back_ends_no_hold),
        TEST(arp__packets_wait_for_the_answer_in_order),
        TEST(arp__A18_silent_neighbour_fails_after_three_requests),
        TEST(arp__failed_address_is_left_alone_for_a_second),
        TEST(arp__an_initial_window_waits_for_its_address),
        TEST(arp__silent_neighbour_ends_a_connect),
        TEST(arp__silent_gateway_ends_a_connect_to_behind_it),
        TEST(arp__A19_sender_off_the_link_is_answered_and_not_learnt),
        TEST(arp__A19_single_address_answers_its_node),
        TEST(arp__A19_sender_that_we_do_not_reach_there_is_dropped),
        TEST(arp__A19_without_a_way_back_there_is_no_answer),
        TEST(arp__A19_other_words_from_off_the_link_are_dropped),
        TEST(arp__A19_gateway_off_the_network_is_on_the_link),
        TEST(arp__A20_bytes_behind_the_packet_are_ignored),
        TEST(cache__unused_entry_is_forgotten),
        TEST(cache__used_entry_is_asked_before_it_is_forgotten),
        TEST(cache__age_is_a_knob),
        TEST(announce__attached_card_says_its_address),
        TEST(announce__moved_machine_says_it_again),
        TEST(arp__no_memory_at_any_point_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
