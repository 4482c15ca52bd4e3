/*
 * net_config_fit(): how many connections go with how much memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "net/net.h"

/* Seven tenths of a machine's memory are the stack's: boot/network.c. */
static struct net_config fit(size_t machine_mib)
{
    struct net_config config = net_config_default();

    net_config_fit(&config, machine_mib * (1024 * 1024 / PAGE_BYTES) * 7 / 10);
    return config;
}

static void fit__a_gigabyte_holds_a_hundred_thousand_connections(void **state)
{
    (void)state;
    assert_true(fit(1024).tcp.conns_max >= 100000);
}

static void fit__no_machine_may_have_more_than_its_memory_holds(void **state)
{
    static const size_t mib[] = {2, 4, 16, 64, 256, 1024, 16384};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(mib); i++) {
        struct net_config config = fit(mib[i]);
        size_t bytes = config.pages_max * (size_t)PAGE_BYTES;

        assert_true(config.tcp.conns_max >= 64);
        assert_true((size_t)config.tcp.conns_max * NET_CONN_BYTES <= bytes / 4);
        assert_true((size_t)config.tcp.time_wait_max * 64 <= bytes / 16);
    }
}

static void fit__a_table_of_connections_stays_finite(void **state)
{
    (void)state;
    assert_int_equal(fit(1 << 20).tcp.conns_max, 1 << 20);
    assert_int_equal(fit(1 << 20).tcp.time_wait_max, 16384);
    assert_int_equal(fit(0).tcp.conns_max, 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fit__a_gigabyte_holds_a_hundred_thousand_connections),
        cmocka_unit_test(fit__no_machine_may_have_more_than_its_memory_holds),
        cmocka_unit_test(fit__a_table_of_connections_stays_finite),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
