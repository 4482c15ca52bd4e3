/*
 * The machine's own keys: what each takes, and what is said about the rest.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "boot/config.h"
#include "kernel/console.h"
#include "libc-shim/runnel.h"

static char said[8192];
static struct config config;

static bool loud;
const struct cmdline_key runnel_keys[] = {
    {.name = "loud", .help = "says more", .out = &loud}};
const size_t runnel_key_count = ARRAY_LEN(runnel_keys);
const char runnel_about[] = "tries the keys of the machine";

void console_print(const char *text)
{
    strncat(said, text, sizeof(said) - strlen(said) - 1);
}

/* Read a line that stays until the next. */
static enum cmdline_status reads(const char *text)
{
    static char program[] = "program";
    static char line[512];

    strcpy(line, text);
    said[0] = '\0';
    return config_read(line, program, &config);
}

static void good(const char *text)
{
    if (reads(text) != CMDLINE_OK)
        fail_msg("%s: %s", text, said);
}

/* Refused, and the message names the key and says what would be right. */
static void bad(const char *key, const char *value, const char *right)
{
    char line[256];

    strcpy(line, key);
    strcat(line, "=");
    strcat(line, value);
    if (reads(line) != CMDLINE_BAD)
        fail_msg("accepted: %s", line);
    assert_non_null(strstr(said, key));
    assert_non_null(strstr(said, right));
}

static void config__nothing_given_means_dhcp(void **state)
{
    (void)state;
    good("");
    assert_int_equal(config.cards.count, 1);
    assert_true(config.cards.card[0].dhcp);
    assert_int_equal(config.dns.count, 0);
    assert_string_equal(config.name, "runnel");
    assert_false(config.cards_given || config.name_given || config.dns_given);
}

static void config__mirages_keys_are_read(void **state)
{
    (void)state;
    good("--ipv4=10.0.0.2/24 --ipv4-gateway=10.0.0.1 "
         "--dns-servers=10.0.0.3,10.0.0.4 --name=web-1 --net=1");
    assert_false(config.cards.card[0].dhcp);
    assert_int_equal(ipv4_addr_host(config.cards.card[0].address.addr),
                     0x0a000002);
    assert_int_equal(config.cards.card[0].address.prefix_bits, 24);
    assert_int_equal(ipv4_addr_host(config.gateway), 0x0a000001);
    assert_int_equal(config.dns.count, 2);
    assert_int_equal(ipv4_addr_host(config.dns.addr[1]), 0x0a000004);
    assert_string_equal(config.name, "web-1");
    assert_int_equal(config.nic, 1);
    assert_true(config.cards_given && config.gateway_given &&
                config.dns_given && config.name_given);
}

static void config__several_cards_have_an_address_each(void **state)
{
    (void)state;
    good("--ipv4=dhcp,10.1.0.2/31,192.0.2.255/32,dhcp");
    assert_int_equal(config.cards.count, 4);
    assert_true(config.cards.card[0].dhcp);
    assert_int_equal(config.cards.card[1].address.prefix_bits, 31);
    assert_int_equal(config.cards.card[2].address.prefix_bits, 32);
    assert_true(config.cards.card[3].dhcp);
    bad("--ipv4", "dhcp,dhcp,dhcp,dhcp,dhcp", "10.0.0.2/24");
}

static void config__addresses_of_no_host_are_refused(void **state)
{
    static const char *const values[] = {
        "10.0.0.2",
        "10.0.0.2/",
        "10.0.0.2/33",
        "10.0.0.0/24",
        "10.0.0.255/24",
        "0.0.0.0/0",
        "127.0.0.1/8",
        "224.0.0.1/4",
        "255.255.255.255/32",
        "10.0.0.256/24",
        "DHCP",
        "dhcp,",
        ",dhcp",
        "dhcp,,dhcp",
        "1.2.3.4.5/8",
        "10.0.0.02/24",
        "100.100.100.100/240000000",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        bad("--ipv4", values[i], "10.0.0.2/24");
    bad("--ipv4-gateway", "0.0.0.0", "10.0.0.1");
    bad("--ipv4-gateway", "255.255.255.255", "10.0.0.1");
    bad("--ipv4-gateway", "gateway", "10.0.0.1");
}

static void config__name_servers_are_one_to_four_addresses(void **state)
{
    (void)state;
    good("--dns-servers=1.1.1.1,1.1.1.2,1.1.1.3,1.1.1.4");
    bad("--dns-servers", "1.1.1.1,1.1.1.2,1.1.1.3,1.1.1.4,1.1.1.5", "10.0.0.3");
    bad("--dns-servers", "1.1.1.1,", "10.0.0.3");
    bad("--dns-servers", ",1.1.1.1", "10.0.0.3");
    bad("--dns-servers", "127.0.0.1", "10.0.0.3");
    bad("--dns-servers", "dns.example", "10.0.0.3");
}

static void config__names_are_labels(void **state)
{
    static const char *const values[] = {"-a", "a-", "a.b", "a_b"};

    (void)state;
    good("--name=a");
    good("--name=x23456789012345678901234567890123456789012345678901234567890"
         "123");
    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        bad("--name", values[i], "web1");
    bad("--name",
        "x234567890123456789012345678901234567890123456789012345678901234",
        "web1");
}

static void config__routes_are_networks_and_gateways(void **state)
{
    static const char *const values[] = {
        "10.0.0.0/8",
        "10.0.0.0/8:",
        "10.0.0.0:10.0.2.1",
        ":10.0.2.1",
        "10.0.0.1/8:10.0.2.1",
        "10.0.0.0/33:10.0.2.1",
        "0.0.0.0/0:10.0.2.1",
        "224.0.0.0/4:10.0.2.1",
        "127.0.0.0/8:10.0.2.1",
        "10.0.0.0/8:0.0.0.0",
        "10.0.0.0/8:10.0.2.1:1",
        "10.0.0.0/8:10.0.2.1,",
        "10.0.0.0/8:10.0.2.1,10.0.0.0/8:10.0.2.2",
        "1.0.0.0/8:9.0.0.1,2.0.0.0/8:9.0.0.1,3.0.0.0/8:9.0.0.1,"
        "4.0.0.0/8:9.0.0.1,5.0.0.0/8:9.0.0.1,6.0.0.0/8:9.0.0.1,"
        "7.0.0.0/8:9.0.0.1,8.0.0.0/8:9.0.0.1,10.0.0.0/8:9.0.0.1",
    };

    (void)state;
    good("");
    assert_int_equal(config.routes.count, 0);
    good("--ipv4-routes=10.0.0.0/8:10.0.2.1,"
         "192.168.100.128/25:192.168.100.101");
    assert_int_equal(config.routes.count, 2);
    assert_int_equal(ipv4_addr_host(config.routes.route[0].dst), 0x0a000000);
    assert_int_equal(config.routes.route[0].prefix_bits, 8);
    assert_int_equal(ipv4_addr_host(config.routes.route[0].gateway),
                     0x0a000201);
    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        bad("--ipv4-routes", values[i], "10.0.0.0/8:10.0.2.1");
}

static void config__connections_are_one_or_more(void **state)
{
    (void)state;
    good("");
    assert_false(config.conns_given);
    good("--tcp-conns=100000");
    assert_true(config.conns_given);
    assert_int_equal(config.conns, 100000);
    bad("--tcp-conns", "0", "100000");
    bad("--tcp-conns", "-1", "100000");
    bad("--tcp-conns", "4294967296", "100000");
    bad("--tcp-conns", "many", "100000");
}

static void config__polling_is_bounded(void **state)
{
    (void)state;
    good("");
    assert_int_equal(config.poll_us, 200);
    assert_false(config.poll_given);
    good("--poll=0");
    assert_true(config.poll_given);
    assert_int_equal(config.poll_us, 0);
    good("--poll=1000");
    assert_int_equal(config.poll_us, 1000);
    bad("--poll", "1001", "200");
    bad("--poll", "50us", "200");
}

static void config__a_value_out_of_range_is_told_the_range(void **state)
{
    (void)state;
    bad("--poll", "1001",
        "\"1001\" is malformed: expected MICROSECONDS (0 to "
        "1000, as in 200)\n");
    bad("--net", "8", "(0 to 7, as in 0)\n");
    bad("--tcp-conns", "0", "(1 to 4294967295, as in 100000)\n");
}

static void config__a_list_too_long_is_told_its_limit(void **state)
{
    (void)state;
    bad("--dns-servers", "1.1.1.1,1.1.1.2,1.1.1.3,1.1.1.4,1.1.1.5",
        "four at most");
}

static void config__modules_that_are_not_there_are_told(void **state)
{
    (void)state;
    good("--logs=tcp:debug,arp:info,virtio:error,debug");
    assert_string_equal(said, "");
    good("--logs=tcp:debug,nosuch:info,tc:debug");
    assert_string_equal(
        said, "--logs: nosuch: no module of the machine, which are app arp "
              "boot clock net pci power random tcp virtio \n"
              "--logs: tc: no module of the machine, which are app arp boot "
              "clock net pci power random tcp virtio \n");
    assert_int_equal(config.logs.count, 3);
}

static void config__a_level_that_is_not_there_is_refused(void **state)
{
    (void)state;
    bad("--logs", "nosuch", "error, warning, info, debug");
}

static void config__help_says_what_the_program_does_and_has(void **state)
{
    (void)state;
    assert_int_equal(reads("--help"), CMDLINE_HELP);
    assert_non_null(strstr(said, "program tries the keys of the machine\n"));
    assert_non_null(strstr(said, "--loud"));
    good("--loud");
    assert_null(strstr(said, "tries the keys"));
    assert_true(loud);
}

static void config__help_fits_a_terminal(void **state)
{
    (void)state;
    assert_int_equal(reads("--help"), CMDLINE_HELP);
    for (const char *line = said; *line;) {
        size_t bytes = strcspn(line, "\n");

        assert_in_range(bytes, 1, 79);
        line += bytes + 1;
    }
}

static void config__help_lists_every_key(void **state)
{
    static const char *const keys[] = {
        "--ipv4=",        "--ipv4-gateway=", "--dns-servers=", "--name=",
        "--net=",         "--logs=",         "--tcp-conns=",   "--poll=",
        "--ipv4-routes=", "--help"};

    (void)state;
    assert_int_equal(reads("--help"), CMDLINE_HELP);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        assert_non_null(strstr(said, keys[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(config__nothing_given_means_dhcp),
        cmocka_unit_test(config__mirages_keys_are_read),
        cmocka_unit_test(config__several_cards_have_an_address_each),
        cmocka_unit_test(config__addresses_of_no_host_are_refused),
        cmocka_unit_test(config__name_servers_are_one_to_four_addresses),
        cmocka_unit_test(config__names_are_labels),
        cmocka_unit_test(config__routes_are_networks_and_gateways),
        cmocka_unit_test(config__connections_are_one_or_more),
        cmocka_unit_test(config__polling_is_bounded),
        cmocka_unit_test(config__a_value_out_of_range_is_told_the_range),
        cmocka_unit_test(config__a_list_too_long_is_told_its_limit),
        cmocka_unit_test(config__modules_that_are_not_there_are_told),
        cmocka_unit_test(config__a_level_that_is_not_there_is_refused),
        cmocka_unit_test(config__help_fits_a_terminal),
        cmocka_unit_test(config__help_lists_every_key),
        cmocka_unit_test(config__help_says_what_the_program_does_and_has),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
