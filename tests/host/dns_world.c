/*
 * tests/host/dns_world.c - see dns_world.h.
 */
#include "tests/host/dns_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/host.h"

enum { NXDOMAIN = 3 };

struct dns_world dns_world;

struct dns *dns_world_resolver(void)
{
    return stack_dns(world.stack[0]);
}

void dns_world_send(void)
{
    struct buffer *data =
        hostnet_chain(udp_flow_pool(dns_world.udp), dns_world.text.bytes,
                      (uint32_t)dns_world.text.len);

    assert_int_equal(
        udp_flow_reply(dns_world.udp, &dns_world.from, data, FOREVER), UDP_OK);
}

static void serve_udp(void *arg)
{
    uint8_t bytes[600];
    size_t len;

    (void)arg;
    while (udp_flow_receive_into(dns_world.udp, &dns_world.from, bytes,
                                 sizeof(bytes), &len, FOREVER) == UDP_OK) {
        assert_true(dns_peer_read(bytes, len, &dns_world.asked));
        if (dns_world.by_udp < ARRAY_LEN(dns_world.ports)) {
            dns_world.ports[dns_world.by_udp] = dns_world.from.src_port;
            dns_world.ids[dns_world.by_udp] = dns_world.asked.id;
        }
        dns_world.by_udp++;
        if (dns_world.answer(&dns_world.text, false))
            dns_world_send();
    }
}

/* A client that has heard enough may be gone meanwhile. */
static void send_answer(struct flow *flow, const struct dns_text *answer)
{
    size_t part = dns_world.byte_by_byte ? 1 : answer->len;

    flow_set_nodelay(flow, true);
    for (size_t at = 0; at < answer->len; at += part) {
        if (flow_send(flow, answer->bytes + at, part, NULL) != FLOW_OK)
            return;
        world_sleep(WORLD_MS);
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
    assert_true(dns_peer_read(bytes + 2, have - 2, &dns_world.asked));
    dns_world.by_tcp++;
    answer = malloc(sizeof(*answer));
    if (dns_world.answer(answer, true))
        send_answer(flow, answer);
    free(answer);
}

/* Put the length before what was written: how it goes by TCP. */
void dns_world_prefix(struct dns_text *message)
{
    memmove(message->bytes + 2, message->bytes, message->len);
    message->bytes[0] = (uint8_t)(message->len >> 8);
    message->bytes[1] = (uint8_t)message->len;
    message->len += 2;
}

void dns_world_start(dns_world_answer *answer)
{
    const struct dns_servers servers = {.addr = {WORLD_B}, .count = 1};

    dns_world = (struct dns_world){.answer = answer};
    assert_int_equal(udpv4_bind(stack_udp(world.stack[1]),
                                IPV4_ADDR(0, 0, 0, 0), 53, &dns_world.udp),
                     UDP_OK);
    dns_world.thread = world_spawn(serve_udp, NULL);
    world_listen(53, serve_tcp, NULL);
    dns_set_servers(dns_world_resolver(), &servers);
}

void dns_world_stop(void)
{
    world_sleep(WORLD_MS); /* it has begun to wait */
    udp_flow_close(dns_world.udp);
    world_join(dns_world.thread);
    tcpv4_unlisten(world.tcp[1], 53);
    world_sleep(WORLD_S);
}

static enum dns_status resolve(const char *name, struct dns_addrs *addrs)
{
    return dns_resolve(dns_world_resolver(), name, FOREVER, addrs);
}

void dns_world_resolves(const char *name, uint32_t addr)
{
    struct dns_addrs addrs;

    assert_int_equal(resolve(name, &addrs), DNS_OK);
    assert_int_equal(addrs.count, 1);
    assert_int_equal(ipv4_addr_host(addrs.addr[0]), addr);
}

void dns_world_fails(const char *name, enum dns_status status)
{
    struct dns_addrs addrs;

    assert_int_equal(resolve(name, &addrs), status);
    assert_int_equal(addrs.count, 0);
}

bool dns_world_say_addr(struct dns_text *out, bool by_tcp)
{
    dns_begin(out, &dns_world.asked, DNS_PEER_ANSWER, 1, 0, 0);
    dns_put_a(out, NULL, 60, DNS_WORLD_ADDR);
    if (by_tcp)
        dns_world_prefix(out);
    return true;
}

bool dns_world_say_nothing(struct dns_text *out, bool by_tcp)
{
    (void)out;
    (void)by_tcp;
    return false;
}

bool dns_world_say_no_name(struct dns_text *out, bool by_tcp)
{
    (void)by_tcp;
    dns_begin(out, &dns_world.asked, DNS_PEER_ANSWER | NXDOMAIN, 0, 1, 0);
    dns_put_soa(out, "org", 30, 30);
    return true;
}

bool dns_world_say_addr_once(struct dns_text *out, bool by_tcp)
{
    dns_world_say_addr(out, by_tcp);
    out->len -= 10; /* type, class, TTL, length: rewrite them */
    out->len -= 4;
    dns_put_fixed(out, 1, 0, 4);
    dns_put32(out, DNS_WORLD_ADDR);
    return true;
}
