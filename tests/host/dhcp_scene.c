/*
 * tests/host/dhcp_scene.c - see dhcp_scene.h.
 */
#include "tests/host/dhcp_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/host/host.h"

struct dhcp_peer dhcp;

int dhcp_fresh(void **state)
{
    (void)state;
    host_seed(1);
    dhcp_peer_init(&dhcp, NULL);
    return 0;
}

int dhcp_ended(void **state)
{
    (void)state;
    assert_int_equal(dhcp_peer_end(&dhcp), 0);
    return 0;
}

void dhcp_hears(uint8_t type, uint64_t within_us)
{
    assert_true(dhcp_peer_hear(&dhcp, within_us));
    assert_int_equal(dhcp.type, type);
}

void dhcp_says(uint8_t type, uint32_t yiaddr, uint32_t lease_s)
{
    dhcp_peer_full(&dhcp, type, yiaddr, lease_s);
    dhcp_peer_send(&dhcp);
}

const char *dhcp_now_in(void)
{
    return dhcp_state(dhcp.station.net, 0);
}
