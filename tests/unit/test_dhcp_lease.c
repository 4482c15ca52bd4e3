/*
 * A lease: what it sets, how it is kept, and the ways to one that was had
 * before. Times are RFC 2131's 4.4.5 (T1, T2, retries).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "net/interface.h"
#include "net/route.h"
#include "tests/host/dhcp_scene.h"
#include "tests/host/host.h"

#define SECOND UINT64_C(1000000)

/* --- what it sets --------------------------------------------------------- */

/* A cloud: /32, a gateway outside, and the route that makes it reachable. */
static void lease__32_with_routes_is_used(void **state)
{
    static const uint8_t routes[] = {32, 192, 168, 5,   1,   0, 0,
                                     0,  0,   0,   192, 168, 5, 1};
    struct interface_info info;
    struct route_info route;
    bool on_link = false;

    (void)state;
    assert_true(dhcp_peer_hear(&dhcp, 0));
    for (uint8_t type = OFFER; type <= ACK; type += ACK - OFFER) {
        dhcp_peer_reply(&dhcp, type, DHCP_PEER_OFFERED);
        dhcp_peer_option32(&dhcp, 1, 0xffffffff);
        dhcp_peer_option32(&dhcp, 51, 60);
        dhcp_peer_option(&dhcp, 121, routes, sizeof(routes));
        dhcp_peer_option(&dhcp, 26, "\5\264", 2); /* 1460 */
        dhcp_peer_send(&dhcp);
        (void)!dhcp_peer_hear(&dhcp, 0);
    }
    assert_true(interface_get(dhcp.station.net, 0, &info));
    assert_int_equal(info.address.prefix_bits, 32);
    assert_int_equal(info.mtu_bytes, 1460);
    assert_int_equal(ipv4_addr_host(info.address.gateway), 0xc0a80501);
    for (unsigned i = 0; route_get(dhcp.station.net, i, &route); i++)
        on_link |= ipv4_addr_host(route.dst) == 0xc0a80501 &&
                   route.prefix_bits == 32 && ipv4_addr_is_zero(route.gateway);
    assert_true(on_link);
}

/* D14: times out of order are replaced by RFC 2131's own. */
static void lease__D14_times_are_put_in_order(void **state)
{
    static const struct {
        uint32_t lease, t1, t2;
        uint32_t wanted_t1, wanted_t2;
    } rows[] = {
        {800, 0, 0, 400, 700},
        {800, 100, 200, 100, 200},
        {800, 200, 100, 400, 700},
        {800, 900, 950, 400, 700},
        {800, 100, 800, 400, 700},
        {800, 100, 100, 400, 700},
        {800, 0, 200, 400, 700},
        {8, 0xffffffff, 0xffffffff, 4, 7},
        {0xfffffffe, 0, 0, 0x7fffffff, 3758096382u},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct dhcp_lease lease;
        uint64_t asked_us;

        assert_int_equal(dhcp_peer_end(&dhcp), 0);
        dhcp_peer_init(&dhcp, NULL);
        assert_true(dhcp_peer_hear(&dhcp, 0));
        dhcp_peer_full(&dhcp, OFFER, DHCP_PEER_OFFERED, rows[i].lease);
        dhcp_peer_send(&dhcp);
        assert_true(dhcp_peer_hear(&dhcp, 0));
        asked_us = host_now_us;
        dhcp_peer_full(&dhcp, ACK, DHCP_PEER_OFFERED, rows[i].lease);
        dhcp_peer_option32(&dhcp, 58, rows[i].t1);
        dhcp_peer_option32(&dhcp, 59, rows[i].t2);
        dhcp_peer_send(&dhcp);
        lease = dhcp_peer_lease(&dhcp);
        assert_in_range((lease.renew_us - asked_us) / 1000000,
                        rows[i].wanted_t1, rows[i].wanted_t1 + 1u);
        assert_in_range((lease.rebind_us - asked_us) / 1000000,
                        rows[i].wanted_t2 - 1u, rows[i].wanted_t2 + 1u);
        assert_int_equal((lease.expires_us - asked_us) / 1000000,
                         rows[i].lease);
    }
}

static void lease__D14_for_ever_is_never_renewed(void **state)
{
    (void)state;
    dhcp_peer_bind(&dhcp, 0xffffffff);
    assert_true(dhcp_peer_lease(&dhcp).expires_us == FOREVER);
    assert_false(dhcp_peer_hear(&dhcp, 400ull * 86400 * 1000000));
    assert_int_equal(dhcp_peer_address(&dhcp), DHCP_PEER_OFFERED);
}

/* D14: a second at a time, and the wire stays quiet. */
static void lease__D14_of_a_second_does_not_flood(void **state)
{
    unsigned messages = 0;
    uint64_t until_us;

    (void)state;
    dhcp_peer_bind(&dhcp, 1);
    until_us = host_now_us + 60000000;
    while (host_now_us < until_us && dhcp_peer_hear(&dhcp, 5000000)) {
        messages++;
        if (dhcp.type == 3) {
            dhcp_peer_full(&dhcp, ACK, DHCP_PEER_OFFERED, 1);
            dhcp_peer_send(&dhcp);
        }
    }
    assert_in_range(messages, 60, 130);
}

/* --- keeping it ----------------------------------------------------------- */

static void renewing__asks_its_server_at_half_the_lease(void **state)
{
    uint64_t bound_us;

    (void)state;
    dhcp_peer_bind(&dhcp, 3600);
    bound_us = host_now_us;
    dhcp_hears(REQUEST, 1801 * SECOND);
    assert_int_equal(dhcp.at_us - bound_us, 1800 * SECOND);
    assert_int_equal(dhcp.dst, DHCP_PEER_SERVER);
    assert_int_equal(dhcp.src, DHCP_PEER_OFFERED);
    assert_false(dhcp.to_all);
    assert_int_equal(dhcp.ciaddr, DHCP_PEER_OFFERED);
    assert_int_equal(dhcp.requested, 0);
    assert_int_equal(dhcp.server, 0);
    assert_false(dhcp.broadcast_flag);
    dhcp_says(ACK, DHCP_PEER_OFFERED, 7200);
    assert_int_equal(dhcp_peer_lease(&dhcp).expires_us,
                     dhcp.at_us + 7200 * SECOND);
    assert_string_equal(dhcp_now_in(), "BOUND");
}

/* The server is gone: T2 at 7/8 of the lease, the end at its end. */
static void rebinding__asks_everybody_and_then_gives_up(void **state)
{
    uint64_t bound_us;

    (void)state;
    dhcp_peer_bind(&dhcp, 800);
    bound_us = host_now_us;
    do
        assert_true(dhcp_peer_hear(&dhcp, 1000 * SECOND));
    while (dhcp.dst != 0xffffffff);
    assert_string_equal(dhcp_now_in(), "REBINDING");
    assert_int_equal(dhcp.at_us - bound_us, 700 * SECOND);
    assert_int_equal(dhcp.type, REQUEST);
    assert_int_equal(dhcp.src, DHCP_PEER_OFFERED);
    assert_int_equal(dhcp.ciaddr, DHCP_PEER_OFFERED);
    assert_int_equal(dhcp.server, 0);
    do
        assert_true(dhcp_peer_hear(&dhcp, 1000 * SECOND));
    while (dhcp.type == REQUEST);
    assert_int_equal(dhcp.type, DISCOVER);
    assert_int_equal(dhcp.at_us - bound_us, 800 * SECOND);
    assert_int_equal(dhcp_peer_address(&dhcp), 0);
    assert_int_equal(dhcp.requested, DHCP_PEER_OFFERED); /* as it was ours */
}

static void rebinding__another_server_may_extend_it(void **state)
{
    (void)state;
    dhcp_peer_bind(&dhcp, 800);
    station_wait(&dhcp.station, 700 * SECOND);
    while (dhcp_peer_hear(&dhcp, 0))
        continue;
    dhcp_peer_reply(&dhcp, ACK, DHCP_PEER_OFFERED);
    dhcp.message[dhcp.len - 1] = 77; /* 10.0.0.77 */
    dhcp_peer_option32(&dhcp, 51, 1000);
    dhcp_peer_option32(&dhcp, 1, 0xffffff00);
    dhcp_peer_send(&dhcp);
    assert_string_equal(dhcp_now_in(), "BOUND");
    assert_int_equal(ipv4_addr_host(dhcp_peer_lease(&dhcp).server), 0x0a00004d);
    assert_int_equal(dhcp_peer_address(&dhcp), DHCP_PEER_OFFERED);
}

/* RFC 2131 4.4.5: half of the rest, never less than a minute. */
static void
renewing__retries_at_half_of_the_rest_but_not_too_often(void **state)
{
    uint64_t last_us = 0;
    unsigned count = 0;

    (void)state;
    dhcp_peer_bind(&dhcp, 86400);
    while (dhcp_peer_hear(&dhcp, 86400 * SECOND) && dhcp.type == REQUEST) {
        if (last_us)
            assert_true(dhcp.at_us - last_us >= 60 * SECOND ||
                        dhcp.dst == 0xffffffff);
        last_us = dhcp.at_us;
        count++;
    }
    assert_in_range(count, 8, 30);
}

/* --- the other ways in ---------------------------------------------------- */

static void reboot__asks_for_the_previous_address_first(void **state)
{
    const struct dhcp_config config = {
        .hostname = "web1",
        .previous = ipv4_addr_make(DHCP_PEER_OFFERED),
    };
    const uint8_t *name;

    (void)state;
    assert_int_equal(dhcp_peer_end(&dhcp), 0);
    dhcp_peer_init(&dhcp, &config);
    dhcp_hears(REQUEST, 0);
    assert_int_equal(dhcp.requested, DHCP_PEER_OFFERED);
    assert_int_equal(dhcp.server, 0); /* RFC 2131 4.3.2: INIT-REBOOT */
    assert_int_equal(dhcp.ciaddr, 0);
    assert_int_equal(dhcp_peer_seen_option(&dhcp, 12, &name), 4);
    assert_memory_equal(name, "web1", 4);
    dhcp_says(ACK, DHCP_PEER_OFFERED, 60);
    assert_int_equal(dhcp_peer_address(&dhcp), DHCP_PEER_OFFERED);
}

static void reboot__refused_or_unheard_leads_to_discover(void **state)
{
    const struct dhcp_config config = {.previous =
                                           ipv4_addr_make(DHCP_PEER_OFFERED)};

    (void)state;
    for (int refused = 0; refused < 2; refused++) {
        assert_int_equal(dhcp_peer_end(&dhcp), 0);
        dhcp_peer_init(&dhcp, &config);
        dhcp_hears(REQUEST, 0);
        if (refused) {
            dhcp_peer_reply(&dhcp, NAK, 0);
            dhcp_peer_send(&dhcp);
        }
        while (dhcp.type == REQUEST)
            assert_true(dhcp_peer_hear(&dhcp, 66 * SECOND));
        assert_int_equal(dhcp.type, DISCOVER);
    }
}

static void link_up__asks_whether_the_address_still_holds(void **state)
{
    (void)state;
    dhcp_peer_bind(&dhcp, 3600);
    net_device_event(dhcp.station.net, &dhcp.station.dev.dev, NETDEV_EV_LINK_UP,
                     host_now_us);
    net_flush(dhcp.station.net, host_now_us);
    dhcp_hears(REQUEST, 0);
    assert_int_equal(dhcp.requested, DHCP_PEER_OFFERED);
    assert_int_equal(dhcp.server, 0);
    assert_int_equal(dhcp.ciaddr, 0);
    /* RFC 2131 3.7: without an answer the lease may be used to its end. */
    station_wait(&dhcp.station, 40 * SECOND);
    assert_string_equal(dhcp_now_in(), "BOUND");
    assert_int_equal(dhcp_peer_address(&dhcp), DHCP_PEER_OFFERED);
    station_take_all(&dhcp.station);
    net_device_event(dhcp.station.net, &dhcp.station.dev.dev, NETDEV_EV_LINK_UP,
                     host_now_us);
    net_flush(dhcp.station.net, host_now_us);
    dhcp_hears(REQUEST, 0);
    dhcp_peer_reply(&dhcp, NAK, 0); /* another network */
    dhcp_peer_send(&dhcp);
    assert_int_equal(dhcp_peer_address(&dhcp), 0);
}

#define TEST(name) DHCP_TEST(name, dhcp_fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lease__32_with_routes_is_used),
        TEST(lease__D14_times_are_put_in_order),
        TEST(lease__D14_for_ever_is_never_renewed),
        TEST(lease__D14_of_a_second_does_not_flood),
        TEST(renewing__asks_its_server_at_half_the_lease),
        TEST(rebinding__asks_everybody_and_then_gives_up),
        TEST(rebinding__another_server_may_extend_it),
        TEST(renewing__retries_at_half_of_the_rest_but_not_too_often),
        TEST(reboot__asks_for_the_previous_address_first),
        TEST(reboot__refused_or_unheard_leads_to_discover),
        TEST(link_up__asks_whether_the_address_still_holds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
