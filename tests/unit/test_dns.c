/*
 * The resolver against a name server that says what the test wants: UDP, TCP,
 * threads, and virtual time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/clock.h"
#include "net/dns.h"
#include "net/udp_flow.h"
#include "tests/host/dns_peer.h"
#include "tests/host/flow_world.h"
#include "tests/host/host.h"

#define HOST "www.example.org"
#define ADDR 0x0a000063u

enum { NXDOMAIN = 3 };

/* The name server on B. */
static struct server {
    struct udp_flow *udp;
    struct thread *thread;
    /* Write an answer. Returns: false: say nothing. */
    bool (*answer)(struct dns_text *text, bool by_tcp);
    struct dns_asked asked; /* the latest */
    struct udp_datagram from;
    unsigned by_udp, by_tcp;
    uint16_t ports[64]; /* that questions came from */
    uint16_t ids[64];
} server;

static struct dns_text text;

static struct dns *dns(void)
{
    return stack_dns(world.stack[0]);
}

static void send_back(void)
{
    struct buffer *data = hostnet_chain(udp_flow_pool(server.udp), text.bytes,
                                        (uint32_t)text.len);

    assert_int_equal(udp_flow_reply(server.udp, &server.from, data, FOREVER),
                     UDP_OK);
}

static void serve_udp(void *arg)
{
    uint8_t bytes[600];
    size_t len;

    (void)arg;
    while (udp_flow_receive_into(server.udp, &server.from, bytes, sizeof(bytes),
                                 &len, FOREVER) == UDP_OK) {
        assert_true(dns_peer_read(bytes, len, &server.asked));
        if (server.by_udp < ARRAY_LEN(server.ports)) {
            server.ports[server.by_udp] = server.from.src_port;
            server.ids[server.by_udp] = server.asked.id;
        }
        server.by_udp++;
        if (server.answer(&text, false))
            send_back();
    }
}

static void serve_tcp(struct flow *flow, void *context)
{
    uint8_t bytes[600];
    struct dns_text *answer;
    size_t have = 0, part;

    (void)context;
    while (have < 2 || have < 2u + (bytes[0] << 8 | bytes[1])) {
        if (flow_receive(flow, bytes + have, sizeof(bytes) - have, &part) !=
            FLOW_OK)
            return;
        have += part;
    }
    assert_int_equal(have, 2 + (bytes[0] << 8 | bytes[1]));
    assert_true(dns_peer_read(bytes + 2, have - 2, &server.asked));
    server.by_tcp++;
    answer = malloc(sizeof(*answer));
    if (server.answer(answer, true))
        (void)!flow_send(flow, answer->bytes, answer->len, NULL);
    free(answer);
}

/* Put the length before what was written: how it goes by TCP. */
static void prefix(struct dns_text *message)
{
    memmove(message->bytes + 2, message->bytes, message->len);
    message->bytes[0] = (uint8_t)(message->len >> 8);
    message->bytes[1] = (uint8_t)message->len;
    message->len += 2;
}

static void start(bool (*answer)(struct dns_text *text, bool by_tcp))
{
    const struct dns_servers servers = {.addr = {WORLD_B}, .count = 1};

    server = (struct server){.answer = answer};
    assert_int_equal(udpv4_bind(stack_udp(world.stack[1]),
                                IPV4_ADDR(0, 0, 0, 0), 53, &server.udp),
                     UDP_OK);
    server.thread = world_spawn(serve_udp, NULL);
    world_listen(53, serve_tcp, NULL);
    dns_set_servers(dns(), &servers);
}

static void stop(void)
{
    world_sleep(WORLD_MS); /* it has begun to wait */
    udp_flow_close(server.udp);
    world_join(server.thread);
    tcpv4_unlisten(world.tcp[1], 53);
    world_sleep(WORLD_S);
}

static enum dns_status resolve(const char *name, struct dns_addrs *addrs)
{
    return dns_resolve(dns(), name, FOREVER, addrs);
}

static void resolves_to(const char *name, uint32_t addr)
{
    struct dns_addrs addrs;

    assert_int_equal(resolve(name, &addrs), DNS_OK);
    assert_int_equal(addrs.count, 1);
    assert_int_equal(ipv4_addr_host(addrs.addr[0]), addr);
}

static void fails_with(const char *name, enum dns_status status)
{
    struct dns_addrs addrs;

    assert_int_equal(resolve(name, &addrs), status);
    assert_int_equal(addrs.count, 0);
}

/* --- answers of a server -------------------------------------------------- */

static bool say_addr(struct dns_text *out, bool by_tcp)
{
    dns_begin(out, &server.asked, DNS_PEER_ANSWER, 1, 0, 0);
    dns_put_a(out, NULL, 60, ADDR);
    if (by_tcp)
        prefix(out);
    return true;
}

static bool say_nothing(struct dns_text *out, bool by_tcp)
{
    (void)out;
    (void)by_tcp;
    return false;
}

static bool say_no_name(struct dns_text *out, bool by_tcp)
{
    (void)by_tcp;
    dns_begin(out, &server.asked, DNS_PEER_ANSWER | NXDOMAIN, 0, 1, 0);
    dns_put_soa(out, "org", 30, 30);
    return true;
}

/* --- the plain way -------------------------------------------------------- */

static void resolve__answer_is_kept_for_its_ttl_in(void)
{
    start(say_addr);
    resolves_to(HOST, ADDR);
    resolves_to("WWW.Example.ORG.", ADDR);
    assert_int_equal(server.by_udp, 1);
    world_sleep(59 * (uint64_t)WORLD_S);
    resolves_to(HOST, ADDR);
    assert_int_equal(server.by_udp, 1);
    world_sleep(1 * WORLD_S);
    resolves_to(HOST, ADDR);
    assert_int_equal(server.by_udp, 2);
    stop();
}
WORLD(resolve__answer_is_kept_for_its_ttl)

static bool say_addr_once(struct dns_text *out, bool by_tcp)
{
    say_addr(out, by_tcp);
    out->len -= 10; /* type, class, TTL, length: rewrite them */
    out->len -= 4;
    dns_put_fixed(out, 1, 0, 4);
    dns_put32(out, ADDR);
    return true;
}

static void resolve__N16_ttl_0_is_not_kept_in(void)
{
    start(say_addr_once);
    resolves_to(HOST, ADDR);
    resolves_to(HOST, ADDR);
    assert_int_equal(server.by_udp, 2);
    stop();
}
WORLD(resolve__N16_ttl_0_is_not_kept)

/* RFC 5452 9.2: ids and ports that nobody can guess. */
static void resolve__id_and_port_are_new_for_each_question_in(void)
{
    unsigned same_id = 0, same_port = 0, near_port = 0;

    start(say_addr_once);
    for (int i = 0; i < 64; i++)
        resolves_to(HOST, ADDR);
    assert_int_equal(server.by_udp, 64);
    for (int i = 1; i < 64; i++) {
        same_id += server.ids[i] == server.ids[i - 1];
        same_port += server.ports[i] == server.ports[i - 1];
        near_port += server.ports[i] == server.ports[i - 1] + 1;
        assert_true(server.ports[i] >= 32768);
    }
    assert_true(same_id <= 1 && same_port <= 1 && near_port <= 1);
    stop();
}
WORLD(resolve__id_and_port_are_new_for_each_question)

static void resolve__numbers_and_localhost_need_no_server_in(void)
{
    start(say_nothing);
    resolves_to("10.1.2.3", 0x0a010203);
    resolves_to("localhost", 0x7f000001);
    fails_with("10.1.2", DNS_BAD_NAME); /* N27 */
    fails_with("10.1.2.256", DNS_BAD_NAME);
    fails_with("", DNS_BAD_NAME);
    fails_with("a..b", DNS_BAD_NAME);
    assert_int_equal(server.by_udp, 0);
    stop();
}
WORLD(resolve__numbers_and_localhost_need_no_server)

static void resolve__without_a_server_says_so_in(void)
{
    fails_with(HOST, DNS_NO_SERVER);
}
WORLD(resolve__without_a_server_says_so)

static void resolve__no_such_name_is_kept_too_in(void)
{
    start(say_no_name);
    fails_with(HOST, DNS_NO_NAME);
    fails_with(HOST, DNS_NO_NAME);
    assert_int_equal(server.by_udp, 1);
    world_sleep(30 * WORLD_S);
    fails_with(HOST, DNS_NO_NAME);
    assert_int_equal(server.by_udp, 2);
    stop();
}
WORLD(resolve__no_such_name_is_kept_too)

static bool say_ptr(struct dns_text *out, bool by_tcp)
{
    (void)by_tcp;
    assert_int_equal(server.asked.type, 12);
    assert_string_equal(server.asked.name, "17.2.0.192.in-addr.arpa");
    dns_begin(out, &server.asked, DNS_PEER_ANSWER, 1, 0, 0);
    dns_put_ptr(out, NULL, 60, "host.example");
    return true;
}

static void reverse__gives_the_name_in(void)
{
    char host[DNS_NAME_TEXT_BYTES];

    start(say_ptr);
    assert_int_equal(
        dns_reverse(dns(), IPV4_ADDR(192, 0, 2, 17), FOREVER, host), DNS_OK);
    assert_string_equal(host, "host.example");
    stop();
}
WORLD(reverse__gives_the_name)

/* --- CNAME ---------------------------------------------------------------- */

/* "n3.x" is an alias of "n2.x", and so on; "n0.x" has an address. */
static bool say_alias(struct dns_text *out, bool by_tcp)
{
    char target[] = "n0.x";

    (void)by_tcp;
    if (server.asked.name[1] == '0')
        return say_addr(out, by_tcp);
    target[1] = (char)(server.asked.name[1] - 1);
    dns_begin(out, &server.asked, DNS_PEER_ANSWER, 1, 0, 0);
    dns_put_cname(out, NULL, 60, target);
    return true;
}

/* A server that does not follow aliases: we do. */
static void resolve__N14_aliases_are_followed_by_asking_in(void)
{
    start(say_alias);
    resolves_to("n1.x", ADDR);
    resolves_to("n8.x", ADDR);
    fails_with("n9.x", DNS_SERVER_FAILED);
    stop();
}
WORLD(resolve__N14_aliases_are_followed_by_asking)

static bool say_ring(struct dns_text *out, bool by_tcp)
{
    (void)by_tcp;
    dns_begin(out, &server.asked, DNS_PEER_ANSWER, 1, 0, 0);
    dns_put_cname(out, NULL, 60,
                  strcmp(server.asked.name, "a.x") == 0 ? "b.x" : "a.x");
    return true;
}

static bool say_whole_ring(struct dns_text *out, bool by_tcp)
{
    (void)by_tcp;
    dns_begin(out, &server.asked, DNS_PEER_ANSWER, 2, 0, 0);
    dns_put_cname(out, NULL, 60, "b.x");
    dns_put_cname(out, "b.x", 60, "a.x");
    return true;
}

static void resolve__N14_ring_in_one_answer_is_the_servers_failure_in(void)
{
    start(say_whole_ring);
    fails_with("a.x", DNS_SERVER_FAILED);
    stop();
}
WORLD(resolve__N14_ring_in_one_answer_is_the_servers_failure)

static void resolve__N14_ring_of_aliases_ends_in(void)
{
    start(say_ring);
    fails_with("a.x", DNS_SERVER_FAILED);
    assert_true(server.by_udp <= 10);
    stop();
}
WORLD(resolve__N14_ring_of_aliases_ends)

/* --- TCP ------------------------------------------------------------------ */

static bool say_truncated(struct dns_text *out, bool by_tcp)
{
    if (by_tcp)
        return say_addr(out, true);
    dns_begin(out, &server.asked, DNS_PEER_ANSWER | DNS_PEER_TC, 0, 0, 0);
    return true;
}

static void resolve__N17_truncation_leads_to_tcp_in(void)
{
    start(say_truncated);
    resolves_to(HOST, ADDR);
    assert_int_equal(server.by_udp, 1);
    assert_int_equal(server.by_tcp, 1);
    stop();
}
WORLD(resolve__N17_truncation_leads_to_tcp)

/* 58 KB: cut to what is used. */
static bool say_long(struct dns_text *out, bool by_tcp)
{
    if (!by_tcp)
        return say_truncated(out, false);
    dns_begin(out, &server.asked, DNS_PEER_ANSWER, 2000, 0, 0);
    dns_put_a(out, NULL, 60, ADDR);
    for (int i = 1; i < 2000; i++)
        dns_put_a(out, "other.example", 60, ADDR + 1);
    prefix(out);
    return true;
}

static void resolve__N24_longest_tcp_answer_is_cut_in(void)
{
    start(say_long);
    resolves_to(HOST, ADDR);
    stop();
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
    start(say_bad_length);
    fails_with(HOST, DNS_TIMEOUT);
    assert_int_equal(server.by_tcp, 3); /* rounds */
    stop();
}
WORLD(resolve__N24_length_of_0_is_no_answer)

static bool say_letters_small(struct dns_text *out, bool by_tcp)
{
    for (size_t i = 0; i < server.asked.question_len; i++)
        if (server.asked.question[i] >= 'A' && server.asked.question[i] <= 'Z')
            server.asked.question[i] |= 0x20;
    return say_addr(out, by_tcp);
}

/* N7: a server that does not keep capital letters is asked by TCP. */
static void resolve__N7_server_that_changes_case_is_asked_by_tcp_in(void)
{
    start(say_letters_small);
    resolves_to(HOST, ADDR);
    assert_int_equal(server.by_udp, 1);
    assert_int_equal(server.by_tcp, 1);
    stop();
}
WORLD(resolve__N7_server_that_changes_case_is_asked_by_tcp)

/* --- forgers -------------------------------------------------------------- */

/* Guesses come before the answer, and the answer by TCP. */
static bool say_forged(struct dns_text *out, bool by_tcp)
{
    uint16_t id = server.asked.id;

    if (by_tcp)
        return say_addr(out, true);
    for (unsigned i = 1; i <= 50; i++) {
        server.asked.id = (uint16_t)(id + i);
        dns_begin(out, &server.asked, DNS_PEER_ANSWER, 1, 0, 0);
        dns_put_a(out, NULL, 60, 0x06060606);
        send_back();
    }
    return false;
}

static void resolve__N25_guesses_lead_to_tcp_in(void)
{
    struct dns_info info;

    start(say_forged);
    resolves_to(HOST, ADDR);
    assert_int_equal(server.by_udp, 1);
    assert_int_equal(server.by_tcp, 1);
    dns_info_get(dns(), &info);
    assert_int_equal(info.forged, 1);
    stop();
}
WORLD(resolve__N25_guesses_lead_to_tcp)

/* N3: the same from another port, which no socket of ours listens to. */
static struct udp_flow *other_port;

static bool say_from_elsewhere(struct dns_text *out, bool by_tcp)
{
    struct buffer *data;

    say_addr(out, by_tcp);
    data = hostnet_chain(udp_flow_pool(other_port), out->bytes,
                         (uint32_t)out->len);
    assert_int_equal(udp_flow_send_to(other_port, WORLD_A, server.from.src_port,
                                      data, FOREVER),
                     UDP_OK);
    return false;
}

static void resolve__N3_answer_from_another_port_is_not_heard_in(void)
{
    assert_int_equal(udpv4_bind(stack_udp(world.stack[1]),
                                IPV4_ADDR(0, 0, 0, 0), 5353, &other_port),
                     UDP_OK);
    start(say_from_elsewhere);
    fails_with(HOST, DNS_TIMEOUT);
    stop();
    udp_flow_close(other_port);
}
WORLD(resolve__N3_answer_from_another_port_is_not_heard)

/* --- time and failure ----------------------------------------------------- */

/* 2, 4 and 8 seconds for one server. */
static void resolve__silence_ends_after_three_rounds_in(void)
{
    uint64_t begin_us = clock_us();

    start(say_nothing);
    fails_with(HOST, DNS_TIMEOUT);
    assert_int_equal(clock_us() - begin_us, 14 * WORLD_S);
    assert_int_equal(server.by_udp, 3);
    assert_false(server.asked.edns); /* a firewall may not know it */
    stop();
}
WORLD(resolve__silence_ends_after_three_rounds)

static void resolve__deadline_ends_it_in(void)
{
    uint64_t begin_us = clock_us();
    struct dns_addrs addrs;

    start(say_nothing);
    assert_int_equal(dns_resolve(dns(), HOST, begin_us + WORLD_S, &addrs),
                     DNS_DEADLINE);
    assert_int_equal(clock_us(), begin_us + WORLD_S);
    stop();
}
WORLD(resolve__deadline_ends_it)

static bool say_late(struct dns_text *out, bool by_tcp)
{
    if (server.by_udp == 1)
        world_sleep(2100 * WORLD_MS);
    return say_addr(out, by_tcp);
}

/* N22: what comes too late finds its port closed; the second answer counts. */
static void resolve__N22_late_answer_is_not_taken_in(void)
{
    start(say_late);
    resolves_to(HOST, ADDR);
    assert_int_equal(server.by_udp, 2);
    stop();
}
WORLD(resolve__N22_late_answer_is_not_taken)

static void use_servers(struct ipv4_addr first, struct ipv4_addr second)
{
    const struct dns_servers servers = {.addr = {first, second}, .count = 2};

    dns_set_servers(dns(), &servers);
}

/* N26: ourselves, where nobody listens on port 53: ICMP says so at once. */
static void resolve__N26_unreachable_server_leads_to_the_next_at_once_in(void)
{
    uint64_t begin_us;

    start(say_addr);
    use_servers(WORLD_A, WORLD_B);
    begin_us = clock_us();
    resolves_to(HOST, ADDR);
    assert_true(clock_us() - begin_us < WORLD_S);
    use_servers(IPV4_ADDR(203, 0, 113, 1), WORLD_B); /* no route */
    resolves_to(HOST, ADDR);
    assert_true(clock_us() - begin_us < WORLD_S);
    stop();
}
WORLD(resolve__N26_unreachable_server_leads_to_the_next_at_once)

static uint16_t rcode;

static bool say_rcode(struct dns_text *out, bool by_tcp)
{
    (void)by_tcp;
    dns_begin(out, &server.asked, DNS_PEER_ANSWER | rcode, 0, 0, 0);
    return true;
}

static void resolve__N18_errors_of_the_only_server_are_told_in(void)
{
    static const uint16_t codes[] = {2, 5, 9, 15};

    start(say_rcode);
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        unsigned before = server.by_udp;

        rcode = codes[i];
        fails_with(HOST, DNS_SERVER_FAILED);
        assert_int_equal(server.by_udp, before + 1);
    }
    stop();
}
WORLD(resolve__N18_errors_of_the_only_server_are_told)

static bool say_no_edns(struct dns_text *out, bool by_tcp)
{
    if (!server.asked.edns)
        return say_addr(out, by_tcp);
    return say_rcode(out, by_tcp);
}

static void resolve__N18_server_without_edns_is_asked_plainly_in(void)
{
    start(say_no_edns);
    for (rcode = 1; rcode <= 4; rcode += 3) { /* FORMERR, NOTIMP */
        dns_set_servers(dns(), &(struct dns_servers){{WORLD_B}, 1});
        resolves_to(HOST, ADDR);
    }
    assert_int_equal(server.by_udp, 4);
    stop();
}
WORLD(resolve__N18_server_without_edns_is_asked_plainly)

static bool say_broken(struct dns_text *out, bool by_tcp)
{
    if (server.by_udp > 1)
        return say_addr(out, by_tcp);
    dns_begin(out, &server.asked, DNS_PEER_ANSWER, 65535, 0, 0); /* N8 */
    return true;
}

static void resolve__N8_broken_answer_leads_to_another_question_in(void)
{
    start(say_broken);
    resolves_to(HOST, ADDR);
    assert_int_equal(server.by_udp, 2);
    stop();
}
WORLD(resolve__N8_broken_answer_leads_to_another_question)

/* --- threads -------------------------------------------------------------- */

static bool say_slowly(struct dns_text *out, bool by_tcp)
{
    world_sleep(WORLD_S);
    return say_addr_once(out, by_tcp); /* TTL 0: not by way of the cache */
}

static void resolve_host(void *arg)
{
    (void)arg;
    resolves_to(HOST, ADDR);
}

/* N23: one question at a time for a name, however many want it. */
static void resolve__N23_threads_share_one_question_in(void)
{
    struct thread *threads[20];

    start(say_slowly);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        threads[i] = world_spawn(resolve_host, NULL);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        world_join(threads[i]);
    assert_int_equal(server.by_udp, 1);
    stop();
}
WORLD(resolve__N23_threads_share_one_question)

static void resolve_cancelled(void *arg)
{
    struct dns_addrs addrs;

    (void)arg;
    assert_int_equal(resolve(HOST, &addrs), DNS_CANCELLED);
}

/* The thread that asks is cancelled: another goes on for the rest. */
static void resolve__cancelled_leader_is_followed_in(void)
{
    struct thread *leader, *threads[3];

    start(say_slowly);
    leader = world_spawn(resolve_cancelled, NULL);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        threads[i] = world_spawn(resolve_host, NULL);
    world_sleep(WORLD_S / 2);
    thread_cancel(leader);
    world_join(leader);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        world_join(threads[i]);
    assert_int_equal(server.by_udp, 2);
    stop();
}
WORLD(resolve__cancelled_leader_is_followed)

static void resolve_name(void *arg)
{
    struct dns_addrs addrs;
    enum dns_status status = resolve(arg, &addrs);

    assert_true(status == DNS_OK || status == DNS_BUSY);
}

static void resolve__questions_under_way_are_bounded_in(void)
{
    static char names[DNS_LOOKUPS_MAX + 8][8];
    struct thread *threads[ARRAY_LEN(names)];

    start(say_addr);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        memcpy(names[i], "xx.test", 8);
        names[i][0] = (char)('a' + i / 26);
        names[i][1] = (char)('a' + i % 26);
        threads[i] = world_spawn(resolve_name, names[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        world_join(threads[i]);
    assert_int_equal(server.by_udp, DNS_LOOKUPS_MAX);
    stop();
}
WORLD(resolve__questions_under_way_are_bounded)

/* The cache: 64 names, the ones that are used stay. */
static void cache__is_bounded_and_keeps_what_is_used_in(void)
{
    struct dns_info info;

    start(say_addr);
    for (int i = 0; i < 200; i++) {
        char name[] = "aa.test";

        name[0] = (char)('a' + i / 26);
        name[1] = (char)('a' + i % 26);
        resolves_to(name, ADDR);
        resolves_to("aa.test", ADDR);
    }
    assert_int_equal(server.by_udp, 200);
    dns_info_get(dns(), &info);
    assert_int_equal(info.entries, info.entries_max);
    assert_int_equal(info.evicted, 200 - info.entries_max);
    stop();
}
WORLD(cache__is_bounded_and_keeps_what_is_used)

/* --- connecting by name --------------------------------------------------- */

static bool say_two(struct dns_text *out, bool by_tcp)
{
    (void)by_tcp;
    dns_begin(out, &server.asked, DNS_PEER_ANSWER, 2, 0, 0);
    dns_put_a(out, NULL, 60, 0x0a000042); /* nobody is there */
    dns_put_a(out, NULL, 60, 0x0a000002); /* WORLD_B */
    return true;
}

static void connect__tries_every_address_in(void)
{
    struct flow_error error;
    enum dns_status name;
    struct flow *flow;

    start(say_two);
    world_listen(80, world_discard, NULL);
    assert_int_equal(dns_connect(dns(), world.tcp[0], HOST, 80, FOREVER, &flow,
                                 &name, &error),
                     FLOW_OK);
    assert_int_equal(name, DNS_OK);
    flow_release(flow);
    assert_int_equal(dns_connect(dns(), world.tcp[0], HOST, 81, FOREVER, &flow,
                                 &name, &error),
                     FLOW_ERROR);
    assert_int_equal(name, DNS_OK);
    assert_int_equal(error.kind, FLOW_ERROR_REFUSED);
    assert_int_equal(dns_connect(dns(), world.tcp[0], "10.0.0.2", 80, FOREVER,
                                 &flow, &name, &error),
                     FLOW_OK);
    flow_release(flow);
    tcpv4_unlisten(world.tcp[1], 80);
    stop();
}
WORLD(connect__tries_every_address)

static void connect__name_without_address_says_why_in(void)
{
    struct flow_error error;
    enum dns_status name;
    struct flow *flow;

    start(say_no_name);
    assert_int_equal(dns_connect(dns(), world.tcp[0], HOST, 80, FOREVER, &flow,
                                 &name, &error),
                     FLOW_ERROR);
    assert_int_equal(name, DNS_NO_NAME);
    assert_null(flow);
    stop();
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
        WORLD_TEST(resolve__N17_truncation_leads_to_tcp),
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
