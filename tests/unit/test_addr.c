/*
 * Addresses to and from text; names of counters.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/base.h"
#include "net/addr.h"
#include "net/counters.h"

static void addr__good_text_is_read_and_written_back(void **state)
{
    static const char *const texts[] = {"0.0.0.0", "10.0.0.2",
                                        "255.255.255.255", "192.168.100.9"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        char text[IPV4_TEXT_BYTES];
        struct ipv4_addr addr;

        assert_true(ipv4_addr_parse(texts[i], &addr));
        assert_string_equal(ipv4_addr_text(addr, text), texts[i]);
    }
}

static void addr__malformed_text_changes_nothing(void **state)
{
    static const char *const texts[] = {
        "",
        "1",
        "1.2.3",
        "1.2.3.",
        "1.2.3.4.",
        "1.2.3.4.5",
        "256.1.1.1",
        "1.2.3.256",
        "01.2.3.4",
        "1.2.3.00",
        " 1.2.3.4",
        "1.2.3.4 ",
        "1..2.3",
        "-1.2.3.4",
        "0x1.2.3.4",
        "1.2.3.4/24",
        "1,2,3,4",
        "a.b.c.d",
        "1.2.3.4294967297",
        "1.2.3.99999999999999999999",
    };
    struct ipv4_addr addr = IPV4_ADDR(9, 8, 7, 6);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        assert_false(ipv4_addr_parse(texts[i], &addr));
        assert_true(ipv4_addr_equal(addr, IPV4_ADDR(9, 8, 7, 6)));
    }
}

static void prefix__only_0_to_32_bits(void **state)
{
    static const char *const bad[] = {
        "10.0.0.2",  "10.0.0.2/",    "10.0.0.2/33", "10.0.0.2/024",
        "10.0.0/24", "10.0.0.2/24 ", "10.0.0.2/-1", "10.0.0.2:24"};
    struct ipv4_addr addr = IPV4_ADDR(1, 1, 1, 1);
    uint8_t bits = 77;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_false(ipv4_prefix_parse(bad[i], &addr, &bits));
        assert_int_equal(bits, 77);
        assert_int_equal(ipv4_addr_host(addr), 0x01010101);
    }
    assert_true(ipv4_prefix_parse("10.0.0.2/24", &addr, &bits));
    assert_int_equal(bits, 24);
    assert_int_equal(ipv4_addr_host(addr), 0x0a000002);
    assert_true(ipv4_prefix_parse("10.0.0.2/0", &addr, &bits));
    assert_true(ipv4_prefix_parse("10.0.0.2/32", &addr, &bits));
    assert_int_equal(bits, 32);
}

static void endpoint__only_ports_1_to_65535(void **state)
{
    static const char *const bad[] = {
        "1.2.3.4",     "1.2.3.4:",    "1.2.3.4:0",           "1.2.3.4:65536",
        "1.2.3.4:080", "1.2.3.4:80x", "1.2.3.4:99999999999", ":80"};
    struct ipv4_addr addr;
    uint16_t port = 5;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(ipv4_endpoint_parse(bad[i], &addr, &port));
    assert_int_equal(port, 5);
    assert_true(ipv4_endpoint_parse("1.2.3.4:65535", &addr, &port));
    assert_int_equal(port, 65535);
}

static void mac__is_written_with_colons(void **state)
{
    char text[MAC_TEXT_BYTES];

    (void)state;
    assert_string_equal(
        mac_addr_text((struct mac_addr){{0x52, 0x54, 0, 0x12, 0xab, 0xff}},
                      text),
        "52:54:00:12:ab:ff");
}

static void counters__names_are_those_of_the_list(void **state)
{
    (void)state;
    assert_string_equal(net_counter_name(NET_COUNT_eth_rx), "eth_rx");
    assert_string_equal(net_counter_name(NET_COUNT_tcp_checksum),
                        "tcp_checksum");
    for (unsigned i = 0; i < NET_COUNTER_COUNT; i++)
        assert_true(strlen(net_counter_name((enum net_counter)i)) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addr__good_text_is_read_and_written_back),
        cmocka_unit_test(addr__malformed_text_changes_nothing),
        cmocka_unit_test(prefix__only_0_to_32_bits),
        cmocka_unit_test(endpoint__only_ports_1_to_65535),
        cmocka_unit_test(mac__is_written_with_colons),
        cmocka_unit_test(counters__names_are_those_of_the_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
