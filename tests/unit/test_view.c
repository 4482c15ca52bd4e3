/*
 * net/view.h: what the tables say, and that they never say more than fits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/clock.h"
#include "net/dns.h"
#include "net/route.h"
#include "net/udp_flow.h"
#include "net/view.h"
#include "tests/host/dhcp_peer.h"
#include "tests/host/flow_world.h"
#include "tests/host/host.h"

enum { ROOM = 8192 };

static char out[ROOM];

static void says(const struct view *view, const char *text)
{
    assert_true(view->used < view->size);
    assert_int_equal(strlen(view->out), view->used);
    if (!strstr(view->out, text))
        fail_msg("no `%s` in:\n%s", text, view->out);
}

static void view_all(struct view *view)
{
    view_interfaces(view, world.net[0], clock_us());
    view_routes(view, world.net[0]);
    view_neighbours(view, world.net[0]);
    view_names(view, stack_dns(world.stack[0]));
    view_udp(view, world.net[0]);
    view_tcp(view, world.net[0], 2);
}

static void world__every_table_shows_what_there_is_in(void)
{
    const struct dns_servers servers = {.addr = {WORLD_B}, .count = 1};
    struct view view = {.out = out, .size = sizeof(out)};
    struct flow *flows[3];
    struct udp_flow *udp;

    world_listen(80, world_discard, NULL);
    for (size_t i = 0; i < ARRAY_LEN(flows); i++)
        flows[i] = world_connect(80);
    assert_int_equal(
        udpv4_connect(stack_udp(world.stack[0]), WORLD_B, 53, &udp), UDP_OK);
    assert_int_equal(
        route_add(world.net[0], IPV4_ADDR(192, 0, 2, 0), 24, WORLD_B, 0),
        NET_OK);
    dns_set_servers(stack_dns(world.stack[0]), &servers);
    view_all(&view);
    says(&view, "\nInterfaces\n");
    says(&view, "02:00:00:00:00:01  up    MTU 1500  10.0.0.1/24  static\n");
    says(&view, "10.0.0.0/24         -                ");
    says(&view, "192.0.2.0/24        10.0.0.2         ");
    says(&view, "10.0.0.2         02:00:00:00:00:02  ");
    says(&view, "0 known of at most 64, asked of 10.0.0.2\n");
    says(&view, "10.0.0.2:53");
    says(&view, "\nTCP: 3 connections, 0 in TIME-WAIT\n");
    says(&view, "10.0.0.2:80            ESTABLISHED ");
    says(&view, "... and 1 more\n");
    udp_flow_close(udp);
    for (size_t i = 0; i < ARRAY_LEN(flows); i++)
        flow_release(flows[i]);
}
WORLD(world__every_table_shows_what_there_is)

/* Whole lines only, whatever the room; the sanitizer sees the rest. */
static void world__what_does_not_fit_is_left_out_in(void)
{
    for (size_t size = 1; size < 1200; size += size < 300 ? 1 : 7) {
        char *room = malloc(size);
        struct view view = {.out = room, .size = size};

        room[0] = '\0';
        view_all(&view);
        assert_true(view.used < size);
        assert_int_equal(strlen(room), view.used);
        free(room);
    }
}
WORLD(world__what_does_not_fit_is_left_out)

static void dhcp__lease_and_its_times_are_shown(void **state)
{
    struct view view = {.out = out, .size = sizeof(out)};
    struct dhcp_peer peer;

    (void)state;
    host_seed(1);
    dhcp_peer_init(&peer, NULL);
    view_interfaces(&view, peer.station.net, host_now_us);
    says(&view, "no address\n      DHCP INIT, no lease\n");
    dhcp_peer_bind(&peer, 3600);
    view.used = 0;
    view_interfaces(&view, peer.station.net, host_now_us);
    says(&view, "10.0.0.50/24\n      DHCP BOUND, lease of 10.0.0.2, "
                "renewed in 1800 s, over in 3600 s\n");
    assert_int_equal(dhcp_peer_end(&peer), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(world__every_table_shows_what_there_is),
        WORLD_TEST(world__what_does_not_fit_is_left_out),
        cmocka_unit_test(dhcp__lease_and_its_times_are_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
