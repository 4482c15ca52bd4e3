/*
 * The resolver: answers, aliases, threads that share a question, the cache, and
 * connecting by name.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/clock.h"
#include "tests/host/dns_world.h"
#include "tests/host/host.h"

/* --- the plain way -------------------------------------------------------- */

static void resolve__answer_is_kept_for_its_ttl_in(void)
{
    dns_world_start(dns_world_say_addr);
    dns_world_resolves(DNS_WORLD_HOST, DNS_WORLD_ADDR);
    dns_world_resolves("WWW.Example.ORG.", DNS_WORLD_ADDR);
    assert_int_equal(dns_world.by_udp, 1);
    world_sleep(59 * (uint64_t)WORLD_S);
    dns_world_resolves(DNS_WORLD_HOST, DNS_WORLD_ADDR);
    assert_int_equal(dns_world.by_udp, 1);
    world_sleep(1 * WORLD_S);
    dns_world_resolves(DNS_WORLD_HOST, DNS_WORLD_ADDR);
    assert_int_equal(dns_world.by_udp, 2);
    dns_world_stop();
}
WORLD(resolve__answer_is_kept_for_its_ttl)

static void resolve__N16_ttl_0_is_not_kept_in(void)
{
    dns_world_start(dns_world_say_addr_once);
    dns_world_resolves(DNS_WORLD_HOST, DNS_WORLD_ADDR);
    dns_world_resolves(DNS_WORLD_HOST, DNS_WORLD_ADDR);
    assert_int_equal(dns_world.by_udp, 2);
    dns_world_stop();
}
WORLD(resolve__N16_ttl_0_is_not_kept)

/* RFC 5452 9.2: ids and ports that nobody can guess. */
static void resolve__id_and_port_are_new_for_each_question_in(void)
{
    unsigned same_id = 0, same_port = 0, near_port = 0;

    dns_world_start(dns_world_say_addr_once);
    for (int i = 0; i < 64; i++)
        dns_world_resolves(DNS_WORLD_HOST, DNS_WORLD_ADDR);
    assert_int_equal(dns_world.by_udp, 64);
    for (int i = 1; i < 64; i++) {
        same_id += dns_world.ids[i] == dns_world.ids[i - 1];
        same_port += dns_world.ports[i] == dns_world.ports[i - 1];
        near_port += dns_world.ports[i] == dns_world.ports[i - 1] + 1;
        assert_true(dns_world.ports[i] >= 32768);
    }
    assert_true(same_id <= 1 && same_port <= 1 && near_port <= 1);
    dns_world_stop();
}
WORLD(resolve__id_and_port_are_new_for_each_question)

static void resolve__numbers_and_localhost_need_no_server_in(void)
{
    dns_world_start(dns_world_say_nothing);
    dns_world_resolves("10.1.2.3", 0x0a010203);
    dns_world_resolves("localhost", 0x7f000001);
    dns_world_fails("10.1.2", DNS_BAD_NAME); /* N27 */
    dns_world_fails("10.1.2.256", DNS_BAD_NAME);
    dns_world_fails("", DNS_BAD_NAME);
    dns_world_fails("a..b", DNS_BAD_NAME);
    assert_int_equal(dns_world.by_udp, 0);
    dns_world_stop();
}
WORLD(resolve__numbers_and_localhost_need_no_server)

static void resolve__without_a_server_says_so_in(void)
{
    dns_world_fails(DNS_WORLD_HOST, DNS_NO_SERVER);
}
WORLD(resolve__without_a_server_says_so)

static void resolve__no_such_name_is_kept_too_in(void)
{
    dns_world_start(dns_world_say_no_name);
    dns_world_fails(DNS_WORLD_HOST, DNS_NO_NAME);
    dns_world_fails(DNS_WORLD_HOST, DNS_NO_NAME);
    assert_int_equal(dns_world.by_udp, 1);
    world_sleep(30 * WORLD_S);
    dns_world_fails(DNS_WORLD_HOST, DNS_NO_NAME);
    assert_int_equal(dns_world.by_udp, 2);
    dns_world_stop();
}
WORLD(resolve__no_such_name_is_kept_too)

static bool say_ptr(struct dns_text *out, bool by_tcp)
{
    (void)by_tcp;
    assert_int_equal(dns_world.asked.type, 12);
    assert_string_equal(dns_world.asked.name, "17.2.0.192.in-addr.arpa");
    dns_begin(out, &dns_world.asked, DNS_PEER_ANSWER, 1, 0, 0);
    dns_put_ptr(out, NULL, 60, "host.example");
    return true;
}

static void reverse__gives_the_name_in(void)
{
    char host[DNS_NAME_TEXT_BYTES];

    dns_world_start(say_ptr);
    assert_int_equal(dns_reverse(dns_world_resolver(), IPV4_ADDR(192, 0, 2, 17),
                                 FOREVER, host),
                     DNS_OK);
    assert_string_equal(host, "host.example");
    dns_world_stop();
}
WORLD(reverse__gives_the_name)

/* --- CNAME ---------------------------------------------------------------- */

/* "n3.x" is an alias of "n2.x", and so on; "n0.x" has an address. */
static bool say_alias(struct dns_text *out, bool by_tcp)
{
    char target[] = "n0.x";

    (void)by_tcp;
    if (dns_world.asked.name[1] == '0')
        return dns_world_say_addr(out, by_tcp);
    target[1] = (char)(dns_world.asked.name[1] - 1);
    dns_begin(out, &dns_world.asked, DNS_PEER_ANSWER, 1, 0, 0);
    dns_put_cname(out, NULL, 60, target);
    return true;
}

/* A server that does not follow aliases: we do. */
static void resolve__N14_aliases_are_followed_by_asking_in(void)
{
    dns_world_start(say_alias);
    dns_world_resolves("n1.x", DNS_WORLD_ADDR);
    dns_world_resolves("n8.x", DNS_WORLD_ADDR);
    dns_world_fails("n9.x", DNS_SERVER_FAILED);
    dns_world_stop();
}
WORLD(resolve__N14_aliases_are_followed_by_asking)

static bool say_ring(struct dns_text *out, bool by_tcp)
{
    (void)by_tcp;
    dns_begin(out, &dns_world.asked, DNS_PEER_ANSWER, 1, 0, 0);
    dns_put_cname(out, NULL, 60,
                  strcmp(dns_world.asked.name, "a.x") == 0 ? "b.x" : "a.x");
    return true;
}

static bool say_whole_ring(struct dns_text *out, bool by_tcp)
{
    (void)by_tcp;
    dns_begin(out, &dns_world.asked, DNS_PEER_ANSWER, 2, 0, 0);
    dns_put_cname(out, NULL, 60, "b.x");
    dns_put_cname(out, "b.x", 60, "a.x");
    return true;
}

static void resolve__N14_ring_in_one_answer_is_the_servers_failure_in(void)
{
    dns_world_start(say_whole_ring);
    dns_world_fails("a.x", DNS_SERVER_FAILED);
    dns_world_stop();
}
WORLD(resolve__N14_ring_in_one_answer_is_the_servers_failure)

static void resolve__N14_ring_of_aliases_ends_in(void)
{
    dns_world_start(say_ring);
    dns_world_fails("a.x", DNS_SERVER_FAILED);
    assert_true(dns_world.by_udp <= 10);
    dns_world_stop();
}
WORLD(resolve__N14_ring_of_aliases_ends)

/* --- threads -------------------------------------------------------------- */

static bool say_slowly(struct dns_text *out, bool by_tcp)
{
    world_sleep(WORLD_S);
    return dns_world_say_addr_once(out,
                                   by_tcp); /* TTL 0: not by way of the cache */
}

static void resolve_host(void *arg)
{
    (void)arg;
    dns_world_resolves(DNS_WORLD_HOST, DNS_WORLD_ADDR);
}

/* N23: one question at a time for a name, however many want it. */
static void resolve__N23_threads_share_one_question_in(void)
{
    struct thread *threads[20];

    dns_world_start(say_slowly);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        threads[i] = world_spawn(resolve_host, NULL);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        world_join(threads[i]);
    assert_int_equal(dns_world.by_udp, 1);
    dns_world_stop();
}
WORLD(resolve__N23_threads_share_one_question)

static void resolve_cancelled(void *arg)
{
    struct dns_addrs addrs;

    (void)arg;
    assert_int_equal(
        dns_resolve(dns_world_resolver(), DNS_WORLD_HOST, FOREVER, &addrs),
        DNS_CANCELLED);
}

/* The thread that asks is cancelled: another goes on for the rest. */
static void resolve__cancelled_leader_is_followed_in(void)
{
    struct thread *leader, *threads[3];

    dns_world_start(say_slowly);
    leader = world_spawn(resolve_cancelled, NULL);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        threads[i] = world_spawn(resolve_host, NULL);
    world_sleep(WORLD_S / 2);
    thread_cancel(leader);
    world_join(leader);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        world_join(threads[i]);
    assert_int_equal(dns_world.by_udp, 2);
    dns_world_stop();
}
WORLD(resolve__cancelled_leader_is_followed)

static void resolve_name(void *arg)
{
    struct dns_addrs addrs;
    enum dns_status status =
        dns_resolve(dns_world_resolver(), arg, FOREVER, &addrs);

    assert_true(status == DNS_OK || status == DNS_BUSY);
}

static void resolve__questions_under_way_are_bounded_in(void)
{
    static char names[DNS_LOOKUPS_MAX + 8][8];
    struct thread *threads[ARRAY_LEN(names)];

    dns_world_start(dns_world_say_addr);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        memcpy(names[i], "xx.test", 8);
        names[i][0] = (char)('a' + i / 26);
        names[i][1] = (char)('a' + i % 26);
        threads[i] = world_spawn(resolve_name, names[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        world_join(threads[i]);
    assert_int_equal(dns_world.by_udp, DNS_LOOKUPS_MAX);
    dns_world_stop();
}
WORLD(resolve__questions_under_way_are_bounded)

/* The cache: 64 names, the ones that are used stay. */
static void cache__is_bounded_and_keeps_what_is_used_in(void)
{
    struct dns_info info;

    dns_world_start(dns_world_say_addr);
    for (int i = 0; i < 200; i++) {
        char name[] = "aa.test";

        name[0] = (char)('a' + i / 26);
        name[1] = (char)('a' + i % 26);
        dns_world_resolves(name, DNS_WORLD_ADDR);
        dns_world_resolves("aa.test", DNS_WORLD_ADDR);
    }
    assert_int_equal(dns_world.by_udp, 200);
    dns_info_get(dns_world_resolver(), &info);
    assert_int_equal(info.entries, info.entries_max);
    assert_int_equal(info.evicted, 200 - info.entries_max);
    dns_world_stop();
}
WORLD(cache__is_bounded_and_keeps_what_is_used)

/* --- connecting by name --------------------------------------------------- */

static bool say_two(struct dns_text *out, bool by_tcp)
{
    (void)by_tcp;
    dns_begin(out, &dns_world.asked, DNS_PEER_ANSWER, 2, 0, 0);
    dns_put_a(out, NULL, 60, 0x0a000042); /* nobody is there */
    dns_put_a(out, NULL, 60, 0x0a000002); /* WORLD_B */
    return true;
}

static void connect__tries_every_address_in(void)
{
    struct flow_error error;
    enum dns_status name;
    struct flow *flow;

    dns_world_start(say_two);
    world_listen(80, world_discard, NULL);
    assert_int_equal(dns_connect(dns_world_resolver(), world.tcp[0],
                                 DNS_WORLD_HOST, 80, FOREVER, &flow, &name,
                                 &error),
                     FLOW_OK);
    assert_int_equal(name, DNS_OK);
    flow_release(flow);
    assert_int_equal(dns_connect(dns_world_resolver(), world.tcp[0],
                                 DNS_WORLD_HOST, 81, FOREVER, &flow, &name,
                                 &error),
                     FLOW_ERROR);
    assert_int_equal(name, DNS_OK);
    assert_int_equal(error.kind, FLOW_ERROR_REFUSED);
    assert_int_equal(dns_connect(dns_world_resolver(), world.tcp[0], "10.0.0.2",
                                 80, FOREVER, &flow, &name, &error),
                     FLOW_OK);
    flow_release(flow);
    tcpv4_unlisten(world.tcp[1], 80);
    dns_world_stop();
}
WORLD(connect__tries_every_address)

static void connect__name_without_address_says_why_in(void)
{
    struct flow_error error;
    enum dns_status name;
    struct flow *flow;

    dns_world_start(dns_world_say_no_name);
    assert_int_equal(dns_connect(dns_world_resolver(), world.tcp[0],
                                 DNS_WORLD_HOST, 80, FOREVER, &flow, &name,
                                 &error),
                     FLOW_ERROR);
    assert_int_equal(name, DNS_NO_NAME);
    assert_null(flow);
    dns_world_stop();
}
WORLD(connect__name_without_address_says_why)

static void status__each_has_a_text_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i < DNS_STATUS_COUNT; i++)
        for (int k = 0; k < i; k++)
            assert_string_not_equal(dns_status_text((enum dns_status)i),
                                    dns_status_text((enum dns_status)k));
    assert_non_null(dns_status_text(DNS_STATUS_COUNT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(resolve__answer_is_kept_for_its_ttl),
        WORLD_TEST(resolve__N16_ttl_0_is_not_kept),
        WORLD_TEST(resolve__id_and_port_are_new_for_each_question),
        WORLD_TEST(resolve__numbers_and_localhost_need_no_server),
        WORLD_TEST(resolve__without_a_server_says_so),
        WORLD_TEST(resolve__no_such_name_is_kept_too),
        WORLD_TEST(reverse__gives_the_name),
        WORLD_TEST(resolve__N14_aliases_are_followed_by_asking),
        WORLD_TEST(resolve__N14_ring_in_one_answer_is_the_servers_failure),
        WORLD_TEST(resolve__N14_ring_of_aliases_ends),
        WORLD_TEST(resolve__N23_threads_share_one_question),
        WORLD_TEST(resolve__cancelled_leader_is_followed),
        WORLD_TEST(resolve__questions_under_way_are_bounded),
        WORLD_TEST(cache__is_bounded_and_keeps_what_is_used),
        WORLD_TEST(connect__tries_every_address),
        WORLD_TEST(connect__name_without_address_says_why),
        cmocka_unit_test(status__each_has_a_text_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
