/*
 * The DHCP client against a scripted server, in virtual time.
 *
 * Times are RFC 2131's: 4.1 (back-off), 4.4.5 (T1, T2, retries), 3.1 (DECLINE).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "net/interface.h"
#include "tests/host/dhcp_scene.h"
#include "tests/host/host.h"

#define SECOND UINT64_C(1000000)

/* --- finding an address --------------------------------------------------- */

static void init__first_message_leaves_at_once_from_nobody(void **state)
{
    const uint8_t *client, *wanted;

    (void)state;
    dhcp_hears(DISCOVER, 0);
    assert_true(dhcp.to_all);
    assert_int_equal(dhcp.src, 0);
    assert_int_equal(dhcp.dst, 0xffffffff);
    assert_true(dhcp.broadcast_flag); /* D21 */
    assert_int_equal(dhcp.ciaddr, 0);
    assert_int_equal(dhcp.server, 0);
    assert_true(dhcp.seen_len >= 300);
    assert_int_equal(dhcp_peer_seen_option(&dhcp, 61, &client), 7);
    assert_int_equal(client[0], 1);
    assert_memory_equal(client + 1, station_mac, 6);
    assert_true(dhcp_peer_seen_option(&dhcp, 55, &wanted) > 0);
    assert_int_equal(dhcp_peer_seen_option(&dhcp, 12, &wanted), -1);
}

static void bound__takes_address_mask_router_and_lease(void **state)
{
    struct interface_info info;

    (void)state;
    dhcp_hears(DISCOVER, 0);
    dhcp_says(OFFER, DHCP_PEER_OFFERED, 3600);
    assert_int_equal(dhcp_peer_address(&dhcp), 0);
    dhcp_hears(REQUEST, 0);
    assert_int_equal(dhcp.requested, DHCP_PEER_OFFERED);
    assert_int_equal(dhcp.server, DHCP_PEER_SERVER);
    assert_int_equal(dhcp.ciaddr, 0);
    assert_int_equal(dhcp.src, 0);
    dhcp_says(ACK, DHCP_PEER_OFFERED, 3600);
    assert_int_equal(dhcp_peer_address(&dhcp), DHCP_PEER_OFFERED);
    assert_true(interface_get(dhcp.station.net, 0, &info));
    assert_int_equal(info.address.prefix_bits, 24);
    assert_int_equal(ipv4_addr_host(info.address.gateway), STATION_GATEWAY);
    assert_string_equal(dhcp_now_in(), "BOUND");
}

/* D25: 4, 8, 16, 32, 64, 64, ... seconds, each within one of it, for ever. */
static void selecting__D25_silence_is_asked_with_back_off_for_ever(void **state)
{
    static const uint32_t waits_s[] = {4, 8, 16, 32, 64, 64, 64, 64, 64, 64};
    uint64_t last_us;
    unsigned odd = 0;

    (void)state;
    dhcp_hears(DISCOVER, 0);
    last_us = dhcp.at_us;
    for (size_t i = 0; i < ARRAY_LEN(waits_s); i++) {
        uint32_t xid = dhcp.xid;

        dhcp_hears(DISCOVER, 66 * SECOND);
        assert_in_range(dhcp.at_us - last_us, (waits_s[i] - 1) * SECOND,
                        (waits_s[i] + 1) * SECOND);
        odd += (dhcp.at_us - last_us) % SECOND != 0;
        assert_int_equal(dhcp.xid, xid);
        assert_true(dhcp.secs >= waits_s[i] - 1);
        last_us = dhcp.at_us;
    }
    assert_true(odd > 5); /* jitter */
    station_wait(&dhcp.station, 30 * 86400 * SECOND);
    station_take_all(&dhcp.station);
    dhcp_hears(DISCOVER, 66 * SECOND);
    dhcp_says(OFFER, DHCP_PEER_OFFERED, 60);
    dhcp_hears(REQUEST, 0);
    dhcp_says(ACK, DHCP_PEER_OFFERED, 60);
    assert_int_equal(dhcp_peer_address(&dhcp), DHCP_PEER_OFFERED);
}

static void requesting__silence_leads_back_to_discover(void **state)
{
    unsigned requests = 0;
    uint32_t xid;

    (void)state;
    dhcp_hears(DISCOVER, 0);
    xid = dhcp.xid;
    dhcp_says(OFFER, DHCP_PEER_OFFERED, 60);
    do {
        assert_true(dhcp_peer_hear(&dhcp, 66 * SECOND));
        requests += dhcp.type == REQUEST;
    } while (dhcp.type == REQUEST);
    assert_int_equal(dhcp.type, DISCOVER);
    assert_int_not_equal(dhcp.xid, xid);
    assert_in_range(requests, 3, 5);
}

/* D20: the first offer is taken, the other 99 change nothing. */
static void selecting__D20_of_an_offer_storm_the_first_is_taken(void **state)
{
    (void)state;
    dhcp_hears(DISCOVER, 0);
    for (uint32_t i = 0; i < 100; i++)
        dhcp_says(OFFER, DHCP_PEER_OFFERED + i, 60);
    dhcp_hears(REQUEST, 0);
    assert_int_equal(dhcp.requested, DHCP_PEER_OFFERED);
    assert_false(dhcp_peer_hear(&dhcp, SECOND));
    assert_int_equal(STATION_COUNT(&dhcp.station, dhcp_ignored), 99);
}

/* D21: a server that answers by unicast to the address that it lends. */
static void selecting__D21_unicast_to_the_offered_address_is_heard(void **state)
{
    const uint8_t end = 255;

    (void)state;
    dhcp_hears(DISCOVER, 0);
    dhcp_peer_full(&dhcp, OFFER, DHCP_PEER_OFFERED, 60);
    dhcp.message[dhcp.len++] = end;
    dhcp_peer_send_raw(&dhcp, station_mac, DHCP_PEER_OFFERED);
    dhcp_hears(REQUEST, 0);
    dhcp_peer_full(&dhcp, ACK, DHCP_PEER_OFFERED, 60);
    dhcp.message[dhcp.len++] = end;
    dhcp_peer_send_raw(&dhcp, station_mac, DHCP_PEER_OFFERED);
    assert_int_equal(dhcp_peer_address(&dhcp), DHCP_PEER_OFFERED);
}

/* D4, D22: other transactions' answers. */
static void selecting__D4_D22_other_transactions_are_ignored(void **state)
{
    uint32_t xid;

    (void)state;
    dhcp_hears(DISCOVER, 0);
    xid = dhcp.xid;
    for (uint32_t i = 0; i < 32; i++) {
        dhcp.xid = xid ^ 1u << i;
        dhcp_says(OFFER, DHCP_PEER_OFFERED, 60);
    }
    assert_false(dhcp_peer_hear(&dhcp, SECOND));
    assert_int_equal(STATION_COUNT(&dhcp.station, dhcp_ignored), 32);
    dhcp.xid = xid;
    dhcp_says(OFFER, DHCP_PEER_OFFERED, 60);
    dhcp_hears(REQUEST, 0);
    dhcp_says(ACK, DHCP_PEER_OFFERED, 60);
    dhcp_hears(REQUEST, 31 * SECOND); /* T1: a new transaction */
    assert_int_not_equal(dhcp.xid, xid);
    dhcp.xid = xid;
    dhcp_says(NAK, 0, 60); /* the old one's */
    assert_int_equal(dhcp_peer_address(&dhcp), DHCP_PEER_OFFERED);
}

/* D5: chaddr. */
static void selecting__D5_answer_to_another_client_is_ignored(void **state)
{
    (void)state;
    dhcp_hears(DISCOVER, 0);
    for (int i = 0; i < 6; i++) {
        dhcp_peer_full(&dhcp, OFFER, DHCP_PEER_OFFERED, 60);
        dhcp.message[28 + i] ^= 1;
        dhcp_peer_send(&dhcp);
    }
    assert_false(dhcp_peer_hear(&dhcp, SECOND));
    assert_int_equal(STATION_COUNT(&dhcp.station, dhcp_malformed), 6);
}

/* An ACK for another address than the one that was asked for. */
static void requesting__ack_of_another_address_is_ignored(void **state)
{
    (void)state;
    dhcp_hears(DISCOVER, 0);
    dhcp_says(OFFER, DHCP_PEER_OFFERED, 60);
    dhcp_hears(REQUEST, 0);
    dhcp_says(ACK, DHCP_PEER_OFFERED + 1, 60);
    assert_int_equal(dhcp_peer_address(&dhcp), 0);
    dhcp_says(ACK, DHCP_PEER_OFFERED, 60);
    assert_int_equal(dhcp_peer_address(&dhcp), DHCP_PEER_OFFERED);
}

/* --- refusals ------------------------------------------------------------- */

/* D18: only the server that was chosen may refuse. */
static void requesting__D18_nak_of_another_server_is_ignored(void **state)
{
    (void)state;
    dhcp_hears(DISCOVER, 0);
    dhcp_says(OFFER, DHCP_PEER_OFFERED, 60);
    dhcp_hears(REQUEST, 0);
    dhcp_peer_reply(&dhcp, NAK, 0);
    dhcp.message[dhcp.len - 1] ^= 1; /* the server's identifier */
    dhcp_peer_send(&dhcp);
    assert_string_equal(dhcp_now_in(), "REQUESTING");
    dhcp_peer_reply(&dhcp, NAK, 0);
    dhcp_peer_send(&dhcp);
    dhcp_hears(DISCOVER, SECOND);
}

/* D18: a server that refuses for ever is asked ever less. */
static void requesting__D18_nak_flood_is_answered_with_back_off(void **state)
{
    unsigned discovers = 0;
    uint64_t until_us = host_now_us + 3600 * SECOND;

    (void)state;
    while (host_now_us < until_us && dhcp_peer_hear(&dhcp, 70 * SECOND)) {
        discovers += dhcp.type == DISCOVER;
        if (dhcp.type == DISCOVER) {
            dhcp_says(OFFER, DHCP_PEER_OFFERED, 60);
        } else {
            for (int i = 0; i < 100; i++) {
                dhcp_peer_reply(&dhcp, NAK, 0);
                dhcp_peer_send(&dhcp);
            }
        }
    }
    assert_in_range(discovers, 40, 70); /* 3600 s / 64 s, and the first few */
}

static void renewing__nak_takes_the_address_away(void **state)
{
    (void)state;
    dhcp_peer_bind(&dhcp, 60);
    dhcp_hears(REQUEST, 31 * SECOND);
    dhcp_peer_reply(&dhcp, NAK, 0);
    dhcp_peer_send(&dhcp);
    assert_int_equal(dhcp_peer_address(&dhcp), 0);
    dhcp_hears(DISCOVER, SECOND);
    dhcp_says(OFFER, DHCP_PEER_OFFERED + 1, 60);
    dhcp_hears(REQUEST, 0);
    dhcp_says(ACK, DHCP_PEER_OFFERED + 1, 60);
    assert_int_equal(dhcp_peer_address(&dhcp), DHCP_PEER_OFFERED + 1);
}

/* D18: by unicast the lease's own server is asked, and no other may answer. */
static void renewing__D18_other_servers_are_ignored(void **state)
{
    static const uint8_t types[] = {ACK, NAK};

    (void)state;
    dhcp_peer_bind(&dhcp, 3600);
    dhcp_hears(REQUEST, 1801 * SECOND);
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        dhcp_peer_full(&dhcp, types[i], DHCP_PEER_OFFERED + 1, 60);
        dhcp.message[248] ^= 1; /* the last byte of option 54 */
        dhcp_peer_send(&dhcp);
        assert_string_equal(dhcp_now_in(), "RENEWING");
        assert_int_equal(dhcp_peer_address(&dhcp), DHCP_PEER_OFFERED);
    }
}

static void bound__nak_is_ignored(void **state)
{
    (void)state;
    dhcp_peer_bind(&dhcp, 60);
    dhcp_peer_reply(&dhcp, NAK, 0);
    dhcp_peer_send(&dhcp);
    assert_int_equal(dhcp_peer_address(&dhcp), DHCP_PEER_OFFERED);
}

/* --- conflicts ------------------------------------------------------------ */

/* Another host says that it has an address. */
static void write_rival(uint32_t addr)
{
    static const uint8_t other[6] = {2, 0, 0, 0, 0, 9};
    static const uint8_t nobody[6];

    station_ethernet(&dhcp.station, station_all_mac, other, 0x0806);
    station_arp(&dhcp.station, 1, other, addr, nobody, addr);
}

static void bound__D19_address_in_use_is_declined_and_then_waited(void **state)
{
    uint64_t declined_us;

    (void)state;
    dhcp_peer_bind(&dhcp, 3600);
    assert_false(dhcp_peer_hear(&dhcp, 500000));
    assert_int_equal(dhcp_peer_address(&dhcp), DHCP_PEER_OFFERED);
    write_rival(DHCP_PEER_OFFERED);
    station_send(&dhcp.station);
    dhcp_hears(DECLINE, 0);
    declined_us = host_now_us;
    assert_true(dhcp.to_all);
    assert_int_equal(dhcp.requested, DHCP_PEER_OFFERED);
    assert_int_equal(dhcp.server, DHCP_PEER_SERVER);
    assert_int_equal(dhcp.ciaddr, 0);
    assert_int_equal(dhcp.src, 0);
    assert_int_equal(dhcp_peer_address(&dhcp), 0);
    dhcp_hears(DISCOVER, 13 * SECOND);
    assert_true(host_now_us - declined_us >= 10 * SECOND);
    assert_int_equal(dhcp.requested, 0);
}

/* In one batch with its conflict the address is replaced: the new one is not
 * declined for what was said of the old. */
static void renewing__conflict_of_an_address_that_has_gone_is_none(void **state)
{
    struct station *station = &dhcp.station;

    (void)state;
    dhcp_peer_bind(&dhcp, 3600);
    dhcp_hears(REQUEST, 1801 * SECOND);
    write_rival(DHCP_PEER_OFFERED);
    for (int i = 0; i < 2; i++) /* the first is defended against */
        assert_true(memdev_inject(&station->dev, station->frame, station->len));
    dhcp_says(ACK, DHCP_PEER_OFFERED + 1, 3600);
    assert_int_equal(STATION_COUNT(station, arp_conflict), 2);
    assert_int_equal(dhcp_peer_address(&dhcp), DHCP_PEER_OFFERED + 1);
    assert_string_equal(dhcp_state(station->net, 0), "BOUND");
    assert_false(dhcp_peer_hear(&dhcp, 60 * SECOND));
}

/* The host may ask about any address; only its own is declined. */
static void bound__another_address_in_use_is_no_conflict(void **state)
{
    (void)state;
    dhcp_peer_bind(&dhcp, 3600);
    assert_false(dhcp_peer_hear(&dhcp, 60 * SECOND));
    acd_probe(dhcp.station.net, 0, ipv4_addr_make(DHCP_PEER_OFFERED + 1),
              host_now_us);
    write_rival(DHCP_PEER_OFFERED + 1);
    station_send(&dhcp.station);
    assert_int_equal(STATION_COUNT(&dhcp.station, arp_conflict), 1);
    assert_false(dhcp_peer_hear(&dhcp, SECOND));
    assert_int_equal(dhcp_peer_address(&dhcp), DHCP_PEER_OFFERED);
}

static void bound__free_address_is_kept(void **state)
{
    (void)state;
    dhcp_peer_bind(&dhcp, 3600);
    assert_false(dhcp_peer_hear(&dhcp, 60 * SECOND));
    assert_int_equal(dhcp_peer_address(&dhcp), DHCP_PEER_OFFERED);
}

/* --- floods --------------------------------------------------------------- */

/* D26: what nobody waits for is not even read. */
static void bound__D26_a_flood_is_dropped_after_eight_bytes(void **state)
{
    struct net_memory before, after;

    (void)state;
    dhcp_peer_bind(&dhcp, 3600);
    net_memory_get(dhcp.station.net, &before);
    for (int i = 0; i < 10000; i++) {
        dhcp_peer_full(&dhcp, i % 2 ? ACK : NAK, DHCP_PEER_OFFERED + 1, 60);
        dhcp.message[236] ^=
            (uint8_t)(i % 4 == 0); /* the cookie: nobody looks at it */
        dhcp_peer_send(&dhcp);
    }
    net_memory_get(dhcp.station.net, &after);
    assert_int_equal(after.buffers, before.buffers);
    assert_int_equal(STATION_COUNT(&dhcp.station, dhcp_ignored), 10000);
    assert_int_equal(STATION_COUNT(&dhcp.station, dhcp_malformed), 0);
    assert_int_equal(dhcp_peer_address(&dhcp), DHCP_PEER_OFFERED);
    assert_false(dhcp_peer_hear(&dhcp, 0));
}

/* Pages run out for a minute at any point: what was lost is sent again. */
static void selecting__survives_when_memory_runs_out(void **state)
{
    (void)state;
    for (uint64_t k = 1; k < 8; k++) {
        struct hostnet *host = &dhcp.station.host;

        assert_int_equal(dhcp_peer_end(&dhcp), 0);
        dhcp_peer_init(&dhcp, NULL);
        host->fail_at = host->asked + k;
        host->fail_after = true;
        (void)!dhcp_peer_hear(&dhcp, 60 * SECOND);
        host->fail_at = 0;
        do
            assert_true(dhcp_peer_hear(&dhcp, 70 * SECOND));
        while (dhcp.type != DISCOVER);
        dhcp_says(OFFER, DHCP_PEER_OFFERED, 60);
        dhcp_hears(REQUEST, 10 * SECOND);
        dhcp_says(ACK, DHCP_PEER_OFFERED, 60);
        assert_int_equal(dhcp_peer_address(&dhcp), DHCP_PEER_OFFERED);
    }
}

#define TEST(name) DHCP_TEST(name, dhcp_fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(init__first_message_leaves_at_once_from_nobody),
        TEST(bound__takes_address_mask_router_and_lease),
        TEST(selecting__D25_silence_is_asked_with_back_off_for_ever),
        TEST(requesting__silence_leads_back_to_discover),
        TEST(selecting__D20_of_an_offer_storm_the_first_is_taken),
        TEST(selecting__D21_unicast_to_the_offered_address_is_heard),
        TEST(selecting__D4_D22_other_transactions_are_ignored),
        TEST(selecting__D5_answer_to_another_client_is_ignored),
        TEST(requesting__ack_of_another_address_is_ignored),
        TEST(requesting__D18_nak_of_another_server_is_ignored),
        TEST(requesting__D18_nak_flood_is_answered_with_back_off),
        TEST(renewing__nak_takes_the_address_away),
        TEST(renewing__D18_other_servers_are_ignored),
        TEST(bound__nak_is_ignored),
        TEST(bound__D19_address_in_use_is_declined_and_then_waited),
        TEST(renewing__conflict_of_an_address_that_has_gone_is_none),
        TEST(bound__another_address_in_use_is_no_conflict),
        TEST(bound__free_address_is_kept),
        TEST(bound__D26_a_flood_is_dropped_after_eight_bytes),
        TEST(selecting__survives_when_memory_runs_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
