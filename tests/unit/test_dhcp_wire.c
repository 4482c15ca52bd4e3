/*
 * DHCP messages: rows D of the list of bad inputs, and what a lease carries.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/dhcp_wire.h"
#include "tests/host/dhcp_scene.h"
#include "tests/host/host.h"

static struct dhcp_reply reply;

static int setup(void **state)
{
    dhcp_fresh(state);
    dhcp.xid = 0x12345678;
    return 0;
}

/* Parse what was written, in memory of its own size; END is added. */
static bool parses(void)
{
    uint8_t *copy = malloc(dhcp.len + 1);
    bool ok;

    memcpy(copy, dhcp.message, dhcp.len);
    copy[dhcp.len] = 255;
    ok = dhcp_parse(copy, dhcp.len + 1, &reply);
    free(copy);
    return ok;
}

static void offer(void)
{
    dhcp_peer_full(&dhcp, OFFER, DHCP_PEER_OFFERED, 60);
}

/* An offer whose only options are these: for what the good one has already. */
static void bare(uint8_t type)
{
    dhcp_peer_reply(&dhcp, type, DHCP_PEER_OFFERED);
}

/* --- the message ---------------------------------------------------------- */

static void dhcp__good_offer_is_read(void **state)
{
    (void)state;
    offer();
    assert_true(parses());
    assert_int_equal(reply.type, DHCP_OFFER);
    assert_int_equal(reply.xid, 0x12345678);
    assert_int_equal(ipv4_addr_host(reply.yiaddr), DHCP_PEER_OFFERED);
    assert_int_equal(ipv4_addr_host(reply.server), DHCP_PEER_SERVER);
    assert_int_equal(reply.lease_s, 60);
    assert_int_equal(reply.prefix_bits, 24);
    assert_int_equal(ipv4_addr_host(reply.router), STATION_GATEWAY);
}

static void dhcp__D1_every_shorter_message_is_refused(void **state)
{
    (void)state;
    offer();
    for (uint32_t len = 0; len < 240; len++) {
        uint8_t *copy = malloc(len + 1);

        memcpy(copy, dhcp.message, len);
        assert_false(dhcp_parse(copy, len, &reply));
        free(copy);
    }
}

static void dhcp__D2_D3_D5_wrong_fixed_part_is_refused(void **state)
{
    static const struct {
        uint8_t at, value;
    } wrong[] = {
        {0, 0},      {0, 1},   {0, 3},                 /* D2: op */
        {1, 0},      {1, 6},                           /* D5: htype */
        {2, 0},      {2, 5},   {2, 16},     {2, 255},  /* D5: hlen */
        {236, 0x62}, {237, 0}, {238, 0xff}, {239, 98}, /* D3 */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        offer();
        dhcp.message[wrong[i].at] = wrong[i].value;
        assert_false(parses());
    }
}

static void dhcp__D6_option_past_the_end_is_refused(void **state)
{
    (void)state;
    for (unsigned len = 1; len < 255; len++) {
        offer();
        dhcp.message[dhcp.len++] = 77;
        dhcp.message[dhcp.len++] = (uint8_t)len;
        dhcp.len += len - 1; /* with parses()'s END, one byte short */
        if (len > 1)
            assert_true(parses()); /* END is data, and the end is missing */
        dhcp.len -= len - 1;
        dhcp.message[dhcp.len - 1] = (uint8_t)(len + 1);
        assert_false(parses());
    }
}

/* D7: a field that ends has ended. */
static void dhcp__D7_missing_end_is_forgiven(void **state)
{
    (void)state;
    offer();
    assert_true(dhcp_parse(dhcp.message, dhcp.len, &reply));
    assert_int_equal(reply.lease_s, 60);
}

static void dhcp__D8_D9_message_type_must_be_one_that_we_know(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        dhcp_peer_full(&dhcp, (uint8_t)type, DHCP_PEER_OFFERED, 60);
        assert_int_equal(parses(), type == 2 || type == 5 || type == 6);
    }
    offer();
    dhcp.message[240] = 77; /* no 53 at all */
    assert_false(parses());
    offer();
    dhcp_peer_option(&dhcp, 53, "\2", 1); /* twice: two bytes, RFC 3396 */
    assert_false(parses());
}

static void dhcp__D10_no_server_identifier_is_refused(void **state)
{
    static const uint32_t bad[] = {0, 0xffffffff, 0xe0000001, 0x7f000001};

    (void)state;
    offer();
    dhcp.message[243] = 77;
    assert_false(parses());
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        offer();
        for (int k = 0; k < 4; k++)
            dhcp.message[245 + k] = (uint8_t)(bad[i] >> (24 - 8 * k));
        assert_false(parses());
    }
}

static void dhcp__D11_addresses_of_no_host_are_refused(void **state)
{
    static const uint32_t bad[] = {0,          0x00000001, 0xffffffff,
                                   0xe0000001, 0xf0000001, 0x7f000001,
                                   0x7fffffff};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        dhcp_peer_full(&dhcp, OFFER, bad[i], 60);
        assert_false(parses());
    }
}

static void dhcp__D12_masks(void **state)
{
    static const struct {
        uint32_t mask;
        int bits; /* -1: refused */
    } masks[] = {
        {0, -1},          {0xff00ff00, -1}, {0x7fffffff, -1},
        {1, -1},          {0xfffffffd, -1}, {0xfffffffe, 31},
        {0xffffffff, 32}, {0x80000000, 1},  {0xffffff00u, 24},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(masks); i++) {
        bare(OFFER);
        dhcp_peer_option32(&dhcp, 1, masks[i].mask);
        dhcp_peer_option32(&dhcp, 51, 60);
        assert_int_equal(parses(), masks[i].bits >= 0);
        if (masks[i].bits >= 0)
            assert_int_equal(reply.prefix_bits, masks[i].bits);
    }
    bare(OFFER);
    dhcp_peer_option(&dhcp, 1, "\xff\xff\xff", 3);
    dhcp_peer_option32(&dhcp, 51, 60);
    assert_false(parses());
    bare(OFFER); /* none: the class of 10.0.0.50 */
    dhcp_peer_option32(&dhcp, 51, 60);
    assert_true(parses());
    assert_int_equal(reply.prefix_bits, 8);
}

static void dhcp__D13_router_that_is_us_or_nobody_is_skipped(void **state)
{
    static const uint8_t routers[] = {10,  0,   0,   50, /* ours */
                                      0,   0,   0,   0,   127, 0, 0, 1,
                                      255, 255, 255, 255, 192, 0, 2, 1};

    (void)state;
    bare(OFFER);
    dhcp_peer_option32(&dhcp, 51, 60);
    dhcp_peer_option(&dhcp, 3, routers, sizeof(routers));
    assert_true(parses());
    assert_int_equal(ipv4_addr_host(reply.router), 0xc0000201); /* off-net */
}

static void dhcp__D14_lease_of_0_or_none_is_refused(void **state)
{
    (void)state;
    dhcp_peer_full(&dhcp, OFFER, DHCP_PEER_OFFERED, 0);
    assert_false(parses());
    bare(OFFER);
    assert_false(parses());
    bare(OFFER);
    dhcp_peer_option(&dhcp, 51, "\0\0\1", 3);
    assert_false(parses());
}

/* D15: file and sname are read once each, whatever they say themselves. */
static void dhcp__D15_overload_is_followed_once(void **state)
{
    static const uint8_t in_file[] = {52, 1, 3, 15, 4, 'h', 'o', 'm', 'e', 255};
    static const uint8_t in_sname[] = {52, 1, 3, 26, 2, 5, 0xdc, 255};

    (void)state;
    for (uint8_t overload = 0; overload < 8; overload++) {
        offer();
        dhcp_peer_option(&dhcp, 52, &overload, 1);
        memcpy(dhcp.message + 108, in_file, sizeof(in_file));
        memcpy(dhcp.message + 44, in_sname, sizeof(in_sname));
        assert_true(parses());
        assert_string_equal(reply.domain, overload & 1 ? "home" : "");
        assert_int_equal(reply.mtu_bytes, overload & 2 ? 1500 : 0);
    }
    offer();
    dhcp_peer_option(&dhcp, 52, "\1", 1);
    memset(dhcp.message + 108, 77, 128); /* runs past the field */
    assert_false(parses());
}

/* D16: RFC 3396: pieces of one option, also over the fields. */
static void dhcp__D16_pieces_of_an_option_are_put_together(void **state)
{
    (void)state;
    offer();
    dhcp_peer_option(&dhcp, 15, "exam", 4);
    dhcp_peer_option(&dhcp, 26, "\5\xdc", 2);
    dhcp_peer_option(&dhcp, 15, "ple.", 4);
    dhcp_peer_option(&dhcp, 52, "\1", 1);
    memcpy(dhcp.message + 108, "\17\3org\377", 6);
    assert_true(parses());
    assert_string_equal(reply.domain, "example.org");
    offer();
    for (int i = 0; i < 7; i++) { /* more than any option may be */
        uint8_t piece[255] = {0};

        dhcp_peer_option(&dhcp, 6, piece, 252);
    }
    assert_true(parses());
    assert_int_equal(reply.dns.count, 0);
}

/* D17: the search list is not asked for and not read: no loop to run into. */
static void dhcp__D17_compression_loop_in_option_119_is_not_read(void **state)
{
    (void)state;
    offer();
    dhcp_peer_option(&dhcp, 119, "\300\0\300\2\1a\300\4", 8);
    assert_true(parses());
}

static void
dhcp__D23_lists_of_odd_length_are_dropped_and_long_ones_cut(void **state)
{
    uint8_t list[33];

    (void)state;
    for (uint8_t i = 0; i < sizeof(list); i++)
        list[i] = (uint8_t)(i + 1);
    for (uint8_t len = 0; len <= sizeof(list); len++) {
        uint32_t wanted = len % 4 ? 0 : len / 4u;

        offer();
        dhcp_peer_option(&dhcp, 6, list, len);
        assert_true(parses());
        assert_int_equal(reply.dns.count, wanted < 4 ? wanted : 4);
    }
    assert_int_equal(ipv4_addr_host(reply.dns.addr[3]), 0); /* 33: none */
}

static void dhcp__D24_mtu_that_leaves_tcp_no_room_is_ignored(void **state)
{
    static const uint16_t mtus[] = {0, 1, 67, 68, 103, 104, 576, 1500, 65535};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(mtus); i++) {
        uint8_t bytes[2] = {(uint8_t)(mtus[i] >> 8), (uint8_t)mtus[i]};

        offer();
        dhcp_peer_option(&dhcp, 26, bytes, 2);
        assert_true(parses());
        assert_int_equal(reply.mtu_bytes, mtus[i] < 104 ? 0 : mtus[i]);
    }
}

/* RFC 6842 3. */
static void dhcp__client_identifier_of_another_is_refused(void **state)
{
    (void)state;
    offer();
    dhcp_peer_option(&dhcp, 61, "\1\2\0\0\0\0\1", 7);
    assert_true(parses());
    offer();
    dhcp_peer_option(&dhcp, 61, "\1\2\0\0\0\0\2", 7);
    assert_false(parses());
}

/* Names go to logs and pages. */
static void dhcp__names_with_other_letters_are_dropped(void **state)
{
    static const char *const bad[] = {"a b", "<script>", "a\n", "a_b", "\x80"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        offer();
        dhcp_peer_option(&dhcp, 12, bad[i], (uint8_t)strlen(bad[i]));
        assert_true(parses());
        assert_string_equal(reply.hostname, "");
    }
    offer();
    dhcp_peer_option(&dhcp, 12, "web-1.example\0", 14);
    assert_true(parses());
    assert_string_equal(reply.hostname, "web-1.example");
}

/* --- RFC 3442 ------------------------------------------------------------- */

static void routes__override_the_router(void **state)
{
    static const uint8_t routes[] = {
        0,  10,  0,  0,   1,              /* 0/0 by 10.0.0.1 */
        24, 192, 0,  2,   10, 0, 0, 2,    /* 192.0.2/24 by 10.0.0.2 */
        32, 10,  0,  0,   1,  0, 0, 0, 0, /* 10.0.0.1 on the link */
        17, 10,  27, 255, 10, 0, 0, 3, /* RFC 3442's own: bits behind are cut */
    };

    (void)state;
    offer(); /* its router is 10.0.0.254 */
    dhcp_peer_option(&dhcp, 121, routes, sizeof(routes));
    assert_true(parses());
    assert_true(ipv4_addr_is_zero(reply.router));
    assert_int_equal(reply.route_count, 4);
    assert_int_equal(reply.routes[0].prefix_bits, 0);
    assert_int_equal(ipv4_addr_host(reply.routes[0].gateway), 0x0a000001);
    assert_int_equal(ipv4_addr_host(reply.routes[1].dst), 0xc0000200);
    assert_true(ipv4_addr_is_zero(reply.routes[2].gateway));
    assert_int_equal(ipv4_addr_host(reply.routes[3].dst), 0x0a1b8000);
}

static void routes__a_broken_list_is_dropped_and_the_router_counts(void **state)
{
    static const uint8_t routes[] = {24, 192, 0, 2, 10, 0, 0, 2};

    (void)state;
    for (uint8_t len = 1; len < sizeof(routes); len++) {
        offer();
        dhcp_peer_option(&dhcp, 121, routes, len);
        assert_true(parses());
        assert_int_equal(reply.route_count, 0);
        assert_int_equal(ipv4_addr_host(reply.router), STATION_GATEWAY);
    }
    for (unsigned bits = 33; bits < 256; bits++) {
        uint8_t bad[64] = {(uint8_t)bits};

        offer();
        dhcp_peer_option(&dhcp, 121, bad, sizeof(bad));
        assert_true(parses());
        assert_int_equal(reply.route_count, 0);
    }
}

/* --- what we write -------------------------------------------------------- */

static void emit__every_message_fits_and_is_padded(void **state)
{
    uint8_t out[DHCP_MESSAGE_BYTES];
    struct dhcp_request request = {
        .type = DHCP_REQUEST,
        .xid = 7,
        .secs = 65535,
        .requested = IPV4_ADDR(1, 2, 3, 4),
        .server = IPV4_ADDR(1, 2, 3, 5),
        .message_bytes_max = 1472,
        .hostname = "a-name-of-sixty-three-letters-which-is-as-long-as-a-label-"
                    "may-be",
    };
    size_t len = dhcp_emit(out, &request);

    (void)state;
    assert_in_range(len, 300, DHCP_MESSAGE_BYTES);
    request = (struct dhcp_request){.type = DHCP_DISCOVER};
    assert_int_equal(dhcp_emit(out, &request), 300);
}

#define TEST(name) DHCP_TEST(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(dhcp__good_offer_is_read),
        TEST(dhcp__D1_every_shorter_message_is_refused),
        TEST(dhcp__D2_D3_D5_wrong_fixed_part_is_refused),
        TEST(dhcp__D6_option_past_the_end_is_refused),
        TEST(dhcp__D7_missing_end_is_forgiven),
        TEST(dhcp__D8_D9_message_type_must_be_one_that_we_know),
        TEST(dhcp__D10_no_server_identifier_is_refused),
        TEST(dhcp__D11_addresses_of_no_host_are_refused),
        TEST(dhcp__D12_masks),
        TEST(dhcp__D13_router_that_is_us_or_nobody_is_skipped),
        TEST(dhcp__D14_lease_of_0_or_none_is_refused),
        TEST(dhcp__D15_overload_is_followed_once),
        TEST(dhcp__D16_pieces_of_an_option_are_put_together),
        TEST(dhcp__D17_compression_loop_in_option_119_is_not_read),
        TEST(dhcp__D23_lists_of_odd_length_are_dropped_and_long_ones_cut),
        TEST(dhcp__D24_mtu_that_leaves_tcp_no_room_is_ignored),
        TEST(dhcp__client_identifier_of_another_is_refused),
        TEST(dhcp__names_with_other_letters_are_dropped),
        TEST(routes__override_the_router),
        TEST(routes__a_broken_list_is_dropped_and_the_router_counts),
        TEST(emit__every_message_fits_and_is_padded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
