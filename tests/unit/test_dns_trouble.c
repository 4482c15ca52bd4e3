/*
 * The resolver in trouble: truncation and TCP, forgers, silence, servers that
 * fail or are not there.
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

/* --- TCP ------------------------------------------------------------------ */

static bool say_truncated(struct dns_text *out, bool by_tcp)
{
    if (by_tcp)
        return dns_world_say_addr(out, true);
    dns_begin(out, &dns_world.asked, DNS_PEER_ANSWER | DNS_PEER_TC, 0, 0, 0);
    return true;
}

static void resolve__N17_truncation_leads_to_tcp_in(void)
{
    dns_world_start(say_truncated);
    dns_world_resolves(DNS_WORLD_HOST, DNS_WORLD_ADDR);
    assert_int_equal(dns_world.by_udp, 1);
    assert_int_equal(dns_world.by_tcp, 1);
    dns_world_stop();
}
WORLD(resolve__N17_truncation_leads_to_tcp)

static void resolve__N24_answer_in_single_bytes_is_put_together_in(void)
{
    dns_world_start(say_truncated);
    dns_world.byte_by_byte = true;
    dns_world_resolves(DNS_WORLD_HOST, DNS_WORLD_ADDR);
    assert_int_equal(dns_world.by_tcp, 1);
    dns_world_stop();
}
WORLD(resolve__N24_answer_in_single_bytes_is_put_together)

/* 58 KB: cut to what is used. */
static bool say_long(struct dns_text *out, bool by_tcp)
{
    if (!by_tcp)
        return say_truncated(out, false);
    dns_begin(out, &dns_world.asked, DNS_PEER_ANSWER, 2000, 0, 0);
    dns_put_a(out, NULL, 60, DNS_WORLD_ADDR);
    for (int i = 1; i < 2000; i++)
        dns_put_a(out, "other.example", 60, DNS_WORLD_ADDR + 1);
    dns_world_prefix(out);
    return true;
}

static void resolve__N24_longest_tcp_answer_is_cut_in(void)
{
    dns_world_start(say_long);
    dns_world_resolves(DNS_WORLD_HOST, DNS_WORLD_ADDR);
    dns_world_stop();
}
WORLD(resolve__N24_longest_tcp_answer_is_cut)

static bool say_bad_length(struct dns_text *out, bool by_tcp)
{
    if (!by_tcp)
        return say_truncated(out, false);
    out->len = 0;
    dns_put16(out, 0);
    return true;
}

static void resolve__N24_length_of_0_is_no_answer_in(void)
{
    dns_world_start(say_bad_length);
    dns_world_fails(DNS_WORLD_HOST, DNS_TIMEOUT);
    assert_int_equal(dns_world.by_tcp, 3); /* rounds */
    dns_world_stop();
}
WORLD(resolve__N24_length_of_0_is_no_answer)

static bool say_letters_small(struct dns_text *out, bool by_tcp)
{
    for (size_t i = 0; i < dns_world.asked.question_len; i++)
        if (dns_world.asked.question[i] >= 'A' &&
            dns_world.asked.question[i] <= 'Z')
            dns_world.asked.question[i] |= 0x20;
    return dns_world_say_addr(out, by_tcp);
}

/* N7: a server that does not keep capital letters is asked by TCP. */
static void resolve__N7_server_that_changes_case_is_asked_by_tcp_in(void)
{
    dns_world_start(say_letters_small);
    dns_world_resolves(DNS_WORLD_HOST, DNS_WORLD_ADDR);
    assert_int_equal(dns_world.by_udp, 1);
    assert_int_equal(dns_world.by_tcp, 1);
    dns_world_stop();
}
WORLD(resolve__N7_server_that_changes_case_is_asked_by_tcp)

/* --- forgers -------------------------------------------------------------- */

/* Guesses come before the answer, and the answer by TCP. */
static bool say_forged(struct dns_text *out, bool by_tcp)
{
    uint16_t id = dns_world.asked.id;

    if (by_tcp)
        return dns_world_say_addr(out, true);
    for (unsigned i = 1; i <= 50; i++) {
        dns_world.asked.id = (uint16_t)(id + i);
        dns_begin(out, &dns_world.asked, DNS_PEER_ANSWER, 1, 0, 0);
        dns_put_a(out, NULL, 60, 0x06060606);
        dns_world_send();
    }
    return false;
}

static void resolve__N25_guesses_lead_to_tcp_in(void)
{
    struct dns_info info;

    dns_world_start(say_forged);
    dns_world_resolves(DNS_WORLD_HOST, DNS_WORLD_ADDR);
    assert_int_equal(dns_world.by_udp, 1);
    assert_int_equal(dns_world.by_tcp, 1);
    dns_info_get(dns_world_resolver(), &info);
    assert_int_equal(info.forged, 1);
    dns_world_stop();
}
WORLD(resolve__N25_guesses_lead_to_tcp)

/* N3: the same from another port, which no socket of ours listens to. */
static struct udp_flow *other_port;

static bool say_from_elsewhere(struct dns_text *out, bool by_tcp)
{
    struct buffer *data;

    dns_world_say_addr(out, by_tcp);
    data = hostnet_chain(udp_flow_pool(other_port), out->bytes,
                         (uint32_t)out->len);
    assert_int_equal(udp_flow_send_to(other_port, WORLD_A,
                                      dns_world.from.src_port, data, FOREVER),
                     UDP_OK);
    return false;
}

static void resolve__N3_answer_from_another_port_is_not_heard_in(void)
{
    assert_int_equal(udpv4_bind(stack_udp(world.stack[1]),
                                IPV4_ADDR(0, 0, 0, 0), 5353, &other_port),
                     UDP_OK);
    dns_world_start(say_from_elsewhere);
    dns_world_fails(DNS_WORLD_HOST, DNS_TIMEOUT);
    dns_world_stop();
    udp_flow_close(other_port);
}
WORLD(resolve__N3_answer_from_another_port_is_not_heard)

/* --- time and failure ----------------------------------------------------- */

/* 2, 4 and 8 seconds for one dns_world. */
static void resolve__silence_ends_after_three_rounds_in(void)
{
    uint64_t begin_us = clock_us();

    dns_world_start(dns_world_say_nothing);
    dns_world_fails(DNS_WORLD_HOST, DNS_TIMEOUT);
    assert_int_equal(clock_us() - begin_us, 14 * WORLD_S);
    assert_int_equal(dns_world.by_udp, 3);
    assert_false(dns_world.asked.edns); /* a firewall may not know it */
    dns_world_stop();
}
WORLD(resolve__silence_ends_after_three_rounds)

static void resolve__deadline_ends_it_in(void)
{
    uint64_t begin_us = clock_us();
    struct dns_addrs addrs;

    dns_world_start(dns_world_say_nothing);
    assert_int_equal(dns_resolve(dns_world_resolver(), DNS_WORLD_HOST,
                                 begin_us + WORLD_S, &addrs),
                     DNS_DEADLINE);
    assert_int_equal(clock_us(), begin_us + WORLD_S);
    dns_world_stop();
}
WORLD(resolve__deadline_ends_it)

static bool say_late(struct dns_text *out, bool by_tcp)
{
    if (dns_world.by_udp == 1)
        world_sleep(2100 * WORLD_MS);
    return dns_world_say_addr(out, by_tcp);
}

/* N22: what comes too late finds its port closed; the second answer counts. */
static void resolve__N22_late_answer_is_not_taken_in(void)
{
    dns_world_start(say_late);
    dns_world_resolves(DNS_WORLD_HOST, DNS_WORLD_ADDR);
    assert_int_equal(dns_world.by_udp, 2);
    dns_world_stop();
}
WORLD(resolve__N22_late_answer_is_not_taken)

static void use_servers(struct ipv4_addr first, struct ipv4_addr second)
{
    const struct dns_servers servers = {.addr = {first, second}, .count = 2};

    dns_set_servers(dns_world_resolver(), &servers);
}

/* N26: ourselves, where nobody listens on port 53: ICMP says so at once. */
static void resolve__N26_unreachable_server_leads_to_the_next_at_once_in(void)
{
    uint64_t begin_us;

    dns_world_start(dns_world_say_addr);
    use_servers(WORLD_A, WORLD_B);
    begin_us = clock_us();
    dns_world_resolves(DNS_WORLD_HOST, DNS_WORLD_ADDR);
    assert_true(clock_us() - begin_us < WORLD_S);
    use_servers(IPV4_ADDR(203, 0, 113, 1), WORLD_B); /* no route */
    dns_world_resolves(DNS_WORLD_HOST, DNS_WORLD_ADDR);
    assert_true(clock_us() - begin_us < WORLD_S);
    dns_world_stop();
}
WORLD(resolve__N26_unreachable_server_leads_to_the_next_at_once)

static uint16_t rcode;

static bool say_rcode(struct dns_text *out, bool by_tcp)
{
    (void)by_tcp;
    dns_begin(out, &dns_world.asked, DNS_PEER_ANSWER | rcode, 0, 0, 0);
    return true;
}

static void resolve__N18_errors_of_the_only_server_are_told_in(void)
{
    static const uint16_t codes[] = {2, 5, 9, 15};

    dns_world_start(say_rcode);
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        unsigned before = dns_world.by_udp;

        rcode = codes[i];
        dns_world_fails(DNS_WORLD_HOST, DNS_SERVER_FAILED);
        assert_int_equal(dns_world.by_udp, before + 1);
    }
    dns_world_stop();
}
WORLD(resolve__N18_errors_of_the_only_server_are_told)

static bool say_no_edns(struct dns_text *out, bool by_tcp)
{
    if (!dns_world.asked.edns)
        return dns_world_say_addr(out, by_tcp);
    return say_rcode(out, by_tcp);
}

static void resolve__N18_server_without_edns_is_asked_plainly_in(void)
{
    dns_world_start(say_no_edns);
    for (rcode = 1; rcode <= 4; rcode += 3) { /* FORMERR, NOTIMP */
        dns_set_servers(dns_world_resolver(),
                        &(struct dns_servers){{WORLD_B}, 1});
        dns_world_resolves(DNS_WORLD_HOST, DNS_WORLD_ADDR);
    }
    assert_int_equal(dns_world.by_udp, 4);
    dns_world_stop();
}
WORLD(resolve__N18_server_without_edns_is_asked_plainly)

static bool say_broken(struct dns_text *out, bool by_tcp)
{
    if (dns_world.by_udp > 1)
        return dns_world_say_addr(out, by_tcp);
    dns_begin(out, &dns_world.asked, DNS_PEER_ANSWER, 65535, 0, 0); /* N8 */
    return true;
}

static void resolve__N8_broken_answer_leads_to_another_question_in(void)
{
    dns_world_start(say_broken);
    dns_world_resolves(DNS_WORLD_HOST, DNS_WORLD_ADDR);
    assert_int_equal(dns_world.by_udp, 2);
    dns_world_stop();
}
WORLD(resolve__N8_broken_answer_leads_to_another_question)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(resolve__N17_truncation_leads_to_tcp),
        WORLD_TEST(resolve__N24_answer_in_single_bytes_is_put_together),
        WORLD_TEST(resolve__N24_longest_tcp_answer_is_cut),
        WORLD_TEST(resolve__N24_length_of_0_is_no_answer),
        WORLD_TEST(resolve__N7_server_that_changes_case_is_asked_by_tcp),
        WORLD_TEST(resolve__N25_guesses_lead_to_tcp),
        WORLD_TEST(resolve__N3_answer_from_another_port_is_not_heard),
        WORLD_TEST(resolve__silence_ends_after_three_rounds),
        WORLD_TEST(resolve__deadline_ends_it),
        WORLD_TEST(resolve__N22_late_answer_is_not_taken),
        WORLD_TEST(resolve__N26_unreachable_server_leads_to_the_next_at_once),
        WORLD_TEST(resolve__N18_errors_of_the_only_server_are_told),
        WORLD_TEST(resolve__N18_server_without_edns_is_asked_plainly),
        WORLD_TEST(resolve__N8_broken_answer_leads_to_another_question),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
